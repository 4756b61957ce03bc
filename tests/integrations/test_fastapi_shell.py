"""FastAPI: injection, validation, dependencies that are closed, and what OpenAPI shows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import anyio
import pytest
from fastapi import APIRouter, BackgroundTasks, Body, Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel

import sseware
from sseware import EventStream, EventStreamParser, SSEMiddleware, get_dialect
from sseware.integrations import fastapi as shell
from sseware.items import Start
from tests.asgi.fakes import FakeServer, answer, body, request, serving, until

pytestmark = pytest.mark.anyio

STREAMED = "text/event-stream"
Decorator = Callable[..., Callable[[Callable[..., Any]], Callable[..., Any]]]


class Question(BaseModel):
    words: list[str]
    loud: bool = False


def asked(app: Any, question: object, **more: Any) -> Any:
    fields = {"content-type": "application/json", **more.pop("headers", {})}
    scope = request("POST", headers=fields, **more)
    return answer(app, scope, server=FakeServer(*body(json.dumps(question).encode())))


@pytest.fixture(params=[sseware.streaming, shell.streaming], ids=["front-door", "typed"])
def streaming(request: pytest.FixtureRequest) -> Decorator:
    """Both doors."""
    return request.param  # type: ignore[no-any-return]  # it is what stands above


class TestInjection:
    async def test_the_example_of_the_design(self, streaming: Decorator) -> None:
        app = FastAPI()

        @app.post("/skills/{name}")
        @streaming(dialect="machpay")
        async def story(name: str):  # type: ignore[no-untyped-def]  # as it is written there
            yield Start(name=name)
            for word in ("Once ", "upon "):
                yield word

        server = await answer(app, request("POST", "/skills/fox", accept=STREAMED))
        events = EventStreamParser().feed(server.body)
        assert [each.event for each in events] == ["start", "chunk", "chunk", "end"]
        assert events[0].json()["skillId"] == "fox"
        server = await answer(app, request("POST", "/skills/fox"))
        assert json.loads(server.body)["data"]["text"] == "Once upon "

    async def test_path_query_header_body_and_dependencies(self, streaming: Decorator) -> None:
        app = FastAPI()

        def tenant(x_tenant: Annotated[str, Header()]) -> str:
            return x_tenant.upper()

        @app.post("/{name}")
        @streaming(dialect="husk")
        async def story(
            name: str, question: Question, who: str = Depends(tenant), n: int = 2
        ) -> AsyncIterator[str]:
            yield f"{name} {who} {n} {question.loud} "
            for word in question.words:
                yield word

        server = await asked(
            app, {"words": ["a", "b"]}, path="/fox", query="n=3", headers={"x-tenant": "acme"}
        )
        assert server.body == b"fox ACME 3 False ab"

    async def test_what_does_not_validate_is_422_and_nothing_runs(self, streaming: Decorator) -> None:
        app, ran = FastAPI(), list[str]()

        @app.post("/")
        @streaming(dialect="machpay")
        async def story(question: Question) -> AsyncIterator[str]:
            ran.append("ran")
            yield "a"

        for accept in (None, STREAMED):
            server = await asked(app, {"words": 3}, accept=accept)
            assert server.status == 422
            assert json.loads(server.body)["detail"][0]["loc"] == ["body", "words"]
        assert ran == []

    async def test_a_sync_generator_function(self, streaming: Decorator) -> None:
        app = FastAPI()

        @app.get("/{name}")
        @streaming(dialect="plain")
        def story(name: str) -> Iterator[str]:
            yield name

        assert (await answer(app, request(path="/fox"))).body == b"data: fox\n\n"

    async def test_an_event_stream_by_hand(self) -> None:
        app = FastAPI()

        async def generate() -> AsyncIterator[str]:
            yield "a"

        @app.get("/")
        async def by_hand():  # type: ignore[no-untyped-def]  # as the design has it
            return EventStream(generate(), dialect="ash")

        @app.get("/typed")
        async def typed() -> shell.EventStream:
            return shell.EventStream(generate(), dialect="ash")

        for path in ("/", "/typed"):
            server = await answer(app, request(path=path))
            assert server.body.startswith(b"event: message\n")

    async def test_a_handler_that_was_decorated_before_is_a_route(self, streaming: Decorator) -> None:
        @streaming(dialect="plain")
        async def story(n: Annotated[int, Body(embed=True)]) -> AsyncIterator[str]:
            yield str(n)

        router = APIRouter(prefix="/v1")
        router.add_api_route("/story", story, methods=["POST"])
        app = FastAPI()
        app.include_router(router)
        server = await asked(app, {"n": 4}, path="/v1/story")
        assert server.body == b"data: 4\n\n"


class TestDependenciesWithYield:
    async def test_they_are_open_while_the_stream_runs_and_closed_after_it(
        self, streaming: Decorator
    ) -> None:
        app, seen = FastAPI(), list[str]()
        server = FakeServer()

        async def session() -> AsyncIterator[str]:
            yield "session"
            seen.append(f"closed after {len(server.chunks)}")

        @app.get("/")
        @streaming(dialect="plain")
        async def story(db: str = Depends(session)) -> AsyncIterator[str]:
            for i in range(3):
                yield f"{db} {i}"
                await anyio.sleep(1)
                assert seen == []

        await answer(app, server=server)
        assert server.body.count(b"session") == 3
        assert seen == [f"closed after {len(server.chunks)}"]

    async def test_they_are_closed_when_the_client_leaves_after_the_handler(
        self, streaming: Decorator
    ) -> None:
        app, seen = FastAPI(), list[str]()

        async def session() -> AsyncIterator[str]:
            try:
                yield "session"
            finally:
                seen.append("dependency")

        @app.get("/")
        @streaming(dialect="plain")
        async def story(db: str = Depends(session)) -> AsyncIterator[str]:
            try:
                yield db
                await anyio.sleep_forever()
            finally:
                seen.append("handler")

        async with serving(app) as server:
            await until(lambda: server.chunks)
        assert seen == ["handler", "dependency"]

    async def test_they_see_the_exception_of_the_handler(self, streaming: Decorator) -> None:
        app, seen = FastAPI(), list[str]()

        async def session() -> AsyncIterator[str]:
            try:
                yield "session"
            except HTTPException as exc:
                seen.append(exc.detail)
                raise

        @app.get("/")
        @streaming(dialect="plain")
        async def story(db: str = Depends(session)) -> AsyncIterator[str]:
            raise HTTPException(409, "taken", headers={"x-a": "1"})
            yield ""

        server = await answer(app)
        assert (server.status, server.headers["x-a"]) == (409, "1")
        assert json.loads(server.body) == {"detail": "taken"}
        assert seen == ["taken"]


class TestWhatIsAround:
    async def test_injected_background_tasks_run_after_the_stream(self, streaming: Decorator) -> None:
        app, ran = FastAPI(), list[bool]()
        server = FakeServer()

        @app.get("/")
        @streaming(dialect="plain")
        async def story(tasks: BackgroundTasks) -> AsyncIterator[str]:
            tasks.add_task(lambda: ran.append(server.is_complete))
            yield "a"

        await answer(app, server=server)
        assert ran == [True]

    async def test_the_dialect_is_left_to_the_middleware(self, streaming: Decorator) -> None:
        app = FastAPI()

        @app.get("/")
        @streaming()
        async def story() -> AsyncIterator[str]:
            yield "a"

        app.add_middleware(SSEMiddleware, dialect="hector")
        server = await answer(app, request(accept=STREAMED))
        assert server.body.endswith(b"data: [DONE]\n\n")

    async def test_it_streams_below_a_mount(self, streaming: Decorator) -> None:
        sub, app = FastAPI(), FastAPI()

        @sub.get("/{name}")
        @streaming(dialect="plain")
        async def story(name: str) -> AsyncIterator[str]:
            yield name

        app.mount("/api", sub)
        assert (await answer(app, request(path="/api/fox"))).body == b"data: fox\n\n"


class TestOpenAPI:
    def document(self, **options: Any) -> Any:
        app = FastAPI()
        app.router.route_class = shell.EventStreamRoute
        app.add_api_route("/story", shell.streaming(**options)(story_of), methods=["POST"])
        return app.openapi()

    def contents(self, **options: Any) -> Any:
        return self.document(**options)["paths"]["/story"]["post"]["responses"]["200"]["content"]

    def test_the_events_of_the_dialect_and_its_body_are_shown(self) -> None:
        contents = self.contents(dialect="machpay")
        assert set(contents) == {STREAMED, "application/json"}
        shapes = contents[STREAMED]["itemSchema"]["anyOf"]
        assert [each["properties"]["event"] for each in shapes] == [
            {"const": name} for name in ("start", "chunk", "end", "error")
        ]
        assert "$ref" not in json.dumps(contents)
        assert set(contents["application/json"]["schema"]["properties"]) == {"success", "data", "meta"}

    async def test_what_is_sent_fits_what_is_shown(self, assert_events_fit: Any) -> None:
        app = FastAPI()
        app.add_api_route("/story", shell.streaming(dialect="machpay")(story_of), methods=["POST"])
        server = await answer(app, request("POST", "/story", query="name=fox", accept=STREAMED))
        events = EventStreamParser().feed(server.body)
        assert len(events) == 4
        assert_events_fit(events, self.contents(dialect="machpay")[STREAMED]["itemSchema"])

    def test_the_parameters_are_shown(self) -> None:
        operation = self.document(dialect="machpay")["paths"]["/story"]["post"]
        assert [each["name"] for each in operation["parameters"]] == ["name"]
        assert operation["description"] == "Tells a story."
        assert set(operation["responses"]) == {"200", "406", "422"}

    def test_a_router_that_is_included_is_shown(self) -> None:
        router = APIRouter(prefix="/v1", route_class=shell.EventStreamRoute)
        router.add_api_route("/story", shell.streaming(dialect="hector")(story_of), methods=["POST"])
        app = FastAPI()
        app.include_router(router, prefix="/api")
        responses = app.openapi()["paths"]["/api/v1/story"]["post"]["responses"]
        assert "itemSchema" in responses["200"]["content"][STREAMED]

    def test_every_dialect_that_a_client_may_choose_is_shown(self) -> None:
        contents = self.contents(dialect="husk", dialects=["hector"])
        assert set(contents) == {STREAMED, "application/json", "text/plain"}
        assert len(contents[STREAMED]["itemSchema"]["anyOf"]) == 2

    @pytest.mark.parametrize("options", [{}, {"dialect": lambda scope: "husk"}])
    def test_a_dialect_that_is_not_known_yet_may_send_any_event(self, options: Any) -> None:
        contents = self.contents(**options)
        (shape,) = contents[STREAMED]["itemSchema"]["anyOf"]
        assert shape["properties"]["event"] == {"type": "string"}
        assert contents["application/json"] == {"schema": {}}

    def test_the_status_is_the_streams(self) -> None:
        responses = self.document(status_code=201)["paths"]["/story"]["post"]["responses"]
        assert STREAMED in responses["201"]["content"]

    def test_a_status_that_the_route_declares_is_shown(self) -> None:
        app = FastAPI()
        app.router.route_class = shell.EventStreamRoute
        app.add_api_route("/", shell.streaming(dialect="hector")(story_of), status_code=202)
        assert "202" in app.openapi()["paths"]["/"]["get"]["responses"]

    def test_what_the_user_says_of_answers_is_kept(self) -> None:
        app = FastAPI()
        app.router.route_class = shell.EventStreamRoute

        @app.get("/", responses={200: {"description": "A story"}, 404: {"description": "None"}})
        @shell.streaming(dialect="hector")
        async def story() -> AsyncIterator[str]:
            yield ""

        responses = app.openapi()["paths"]["/"]["get"]["responses"]
        assert responses["200"]["description"] == "A story"
        assert STREAMED in responses["200"]["content"]
        assert responses["404"] == {"description": "None"}

    def test_other_routes_are_as_they_were(self) -> None:
        app = FastAPI()
        app.router.route_class = shell.EventStreamRoute

        @app.get("/")
        async def number() -> int:
            return 1

        content = app.openapi()["paths"]["/"]["get"]["responses"]["200"]["content"]
        assert content["application/json"]["schema"]["type"] == "integer"

    def test_a_stream_by_hand_is_described_with_the_same_words(self) -> None:
        app = FastAPI()

        @app.get("/", responses=shell.responses(dialect="machpay"))
        async def by_hand() -> shell.EventStream:
            return shell.EventStream([])

        contents = app.openapi()["paths"]["/"]["get"]["responses"]["200"]["content"]
        assert contents[STREAMED] == self.contents(dialect="machpay")[STREAMED]

    async def test_a_described_route_answers_as_any_other(self) -> None:
        app = FastAPI()
        app.router.route_class = shell.EventStreamRoute
        app.add_api_route("/story", shell.streaming(dialect="husk")(story_of), methods=["POST"])
        server = await answer(app, request("POST", "/story", query="name=fox"))
        assert server.body == b"Once fox"


async def story_of(name: str) -> AsyncIterator[str]:
    """Tells a story."""
    yield "Once "
    yield name


def test_a_dialect_without_a_schema_is_shown_as_any_event() -> None:
    class Bare:
        name = "bare"
        default = "stream"
        open = fold = decoder = get_dialect("plain").open

    contents = shell.responses(dialect=Bare())[200]["content"]  # type: ignore[arg-type]  # it is asked for its name only
    (shape,) = contents[STREAMED]["itemSchema"]["anyOf"]
    assert shape["properties"]["event"] == {"type": "string"}
