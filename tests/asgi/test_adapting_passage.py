"""Who asks for a stream gets one of what can be adapted; everybody else gets what the application sends."""

from __future__ import annotations

from typing import Any

import pytest

from sseware import EventStream, SSEMiddleware
from sseware.dialects import Registry, hookimpl
from sseware.negotiation import Decision
from sseware.plugins.husk import Husk
from tests.asgi.fakes import FakeServer, Message, answer, request
from tests.asgi.test_adapted import body, says, start

pytestmark = pytest.mark.anyio

EVENTS = "text/event-stream"
PATH = {"type": "http.response.pathsend", "path": "/etc/motd"}
ZEROCOPY = {"type": "http.response.zerocopysend", "file": 3, "more_body": True}


@pytest.mark.parametrize(
    ("accept", "streamed"),
    [
        pytest.param("text/event-stream", True, id="named"),
        pytest.param("text/event-stream, */*", True, id="named-before-anything"),
        pytest.param("text/event-stream;q=0.5, text/plain;q=0.4", True, id="weighed-higher"),
        pytest.param("text/event-stream;q=0.5, text/plain", False, id="weighed-lower"),
        pytest.param("text/event-stream;q=0, */*", False, id="excluded"),
        pytest.param("text/event-stream, text/plain", False, id="a-tie"),
        pytest.param("text/*", False, id="text-of-any-kind"),
        pytest.param("*/*", False, id="anything"),
        pytest.param(None, False, id="nothing-said"),
        pytest.param("application/json", False, id="something-else"),
        pytest.param("text/event-stream;dialect=machpay", True, id="by-dialect"),
        pytest.param("text/event-stream;dialect=ash", False, id="by-a-dialect-that-is-not-on-offer"),
    ],
)
@pytest.mark.parametrize("dialect", ["plain", "machpay"])
async def test_only_who_asks_gets_a_stream(accept: str | None, streamed: bool, dialect: str) -> None:
    """The default of a dialect does not count: plain's is a stream, MachPay's is not."""
    app = SSEMiddleware(says(b"x"), adapt=True, dialect=dialect, dialects=["machpay"])
    server = await answer(app, request(accept=accept))
    assert server.headers["content-type"].startswith(EVENTS if streamed else "text/plain")
    assert server.headers["vary"] == "Accept"
    assert (server.body == b"x") is not streamed


async def test_a_dialects_own_flag_asks_too() -> None:
    app = SSEMiddleware(says(b"x"), adapt=True, dialect="husk")
    assert (await answer(app, request(query="stream=1"))).headers["content-type"].startswith(EVENTS)
    assert (await answer(app, request(query="stream=2"))).body == b"x"


async def test_a_client_chooses_among_the_dialects_that_it_may_choose_from() -> None:
    app = SSEMiddleware(says(b"x"), adapt=True, dialects=["machpay"])
    chosen = await answer(app, request(query="dialect=machpay", accept=EVENTS))
    assert b"event: chunk" in chosen.body
    unknown = await answer(app, request(query="dialect=ash", accept=EVENTS))
    assert unknown.body == b"x", "the application has an answer, so that there is no 406"


async def test_the_dialect_may_depend_on_the_request() -> None:
    app = SSEMiddleware(says(b"x"), adapt=True, dialect=lambda scope: scope["path"][1:])
    assert b"event: chunk" in (await answer(app, request(path="/machpay", accept=EVENTS))).body
    assert (await answer(app, request(path="/plain", accept=EVENTS))).body == b"data: x\n\n"


async def test_a_dialect_that_cannot_be_streamed_lets_everything_pass() -> None:
    """H14."""
    app = SSEMiddleware(says(b"x"), adapt=True, dialect=Husk(output="file"))
    assert (await answer(app, request(accept=EVENTS))).body == b"x"


async def test_a_plugin_may_decide() -> None:
    class Never:
        @hookimpl
        def sseware_negotiate(self, request: Any, offers: Any) -> Decision:
            return Decision("buffered", offers[0].dialect, "never on Saturdays", None)

    app = SSEMiddleware(says(b"x"), adapt=True, registry=Registry({"never": Never()}, installed=False))
    assert (await answer(app, request(accept=EVENTS))).body == b"x"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(start("application/json"), id="json"),
        pytest.param(start(EVENTS), id="its-own-events"),
        pytest.param(start("text/plain", (b"content-encoding", b"gzip")), id="compressed"),
        pytest.param({**start(), "status": 404}, id="an-error"),
    ],
)
async def test_what_cannot_be_adapted_passes_as_it_is(head: Message) -> None:
    """H6, H15."""
    messages = [head, body(b"a", more=True), body(b"b")]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    server = await answer(SSEMiddleware(app, adapt=True), request(accept=EVENTS))
    assert all(sent is message for sent, message in zip(server.sent, messages, strict=True))


async def test_what_was_not_asked_for_passes_but_for_its_vary() -> None:
    messages = [start("text/plain", (b"vary", b"Origin")), body(b"a", more=True), body(b"b")]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    server = await answer(SSEMiddleware(app, adapt=True))
    assert server.sent[0] == start("text/plain", (b"vary", b"Origin, Accept"))
    assert messages[0] == start("text/plain", (b"vary", b"Origin")), "what was given is not changed"
    assert all(sent is message for sent, message in zip(server.sent[1:], messages[1:], strict=True))


class TestForeignEvents:
    def app(self, dialect: str = "plain") -> SSEMiddleware:
        stream = says(b"data: On", b"ce\n\n", content_type=EVENTS)
        return SSEMiddleware(stream, adapt={EVENTS: "plain"}, dialect=dialect, dialects=["plain"])

    async def test_they_are_translated_for_who_names_the_type(self) -> None:
        server = await answer(self.app("machpay"), request(accept=EVENTS))
        assert b'event: chunk\ndata: {"text":"Once"' in server.body
        assert server.is_complete

    @pytest.mark.parametrize("accept", [None, "*/*", "application/json"])
    async def test_they_are_what_they_are_for_everybody_else(self, accept: str | None) -> None:
        server = await answer(self.app("machpay"), request(accept=accept))
        assert server.chunks == [b"data: On", b"ce\n\n", b""]
        assert server.headers["vary"] == "Accept"

    async def test_who_asks_for_the_dialect_that_they_speak_gets_them_untouched(self) -> None:
        server = await answer(self.app("machpay"), request(accept="text/event-stream;dialect=plain"))
        assert server.chunks == [b"data: On", b"ce\n\n", b""]

    async def test_a_stream_of_ours_is_not_translated_once_more(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await EventStream(["a"])(scope, receive, send)

        wrapped = SSEMiddleware(app, adapt={EVENTS: "plain"}, dialect="machpay")
        server = await answer(wrapped, request(accept=EVENTS))
        assert server.body.count(b"event: end") == 1

    async def test_one_that_breaks_off_is_a_failure(self, caplog: pytest.LogCaptureFixture) -> None:
        cut = says(b"event: chunk\ndata: {", content_type=EVENTS)
        server = await answer(SSEMiddleware(cut, adapt={EVENTS: "machpay"}), request(accept=EVENTS))
        assert b"event: error" in server.body
        assert "after event 0" in caplog.text


class TestBodiesThatAreNotSeen:
    @pytest.mark.parametrize("rest", [[PATH], [ZEROCOPY, body(b"x")]], ids=["a-path", "zerocopy"])
    async def test_they_pass_after_all(self, rest: list[Message]) -> None:
        """H13."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            for message in [start("text/plain", (b"content-length", b"1")), *rest]:
                await send(message)
            assert (await receive())["type"] == "http.request"

        server = await answer(SSEMiddleware(app, adapt=True), request(accept=EVENTS))
        assert server.headers == {"content-type": "text/plain", "content-length": "1", "vary": "Accept"}
        assert all(sent is message for sent, message in zip(server.sent[1:], rest, strict=True))

    async def test_they_come_too_late_where_the_stream_has_begun(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            await send(body(b"x", more=True))
            await send(ZEROCOPY)
            await send(body(b"y"))

        server = await answer(SSEMiddleware(app, adapt=True), request(accept=EVENTS))
        assert server.body.startswith(b"data: x\n\nevent: error")
        assert server.is_complete
        assert "zerocopysend" in caplog.text


async def test_extensions_before_the_head_pass() -> None:
    """H13."""
    hint = {"type": "http.response.early_hint", "links": []}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(hint)
        await says(b"x")(scope, receive, send)

    server = await answer(SSEMiddleware(app, adapt=True), request(accept=EVENTS))
    assert server.sent[0] is hint
    assert server.body == b"data: x\n\n"


@pytest.mark.parametrize("kind", ["lifespan", "websocket", "of-the-future"])
async def test_what_is_no_request_reaches_the_application_as_it_is(kind: str) -> None:
    """H12."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append({key: value for key, value in scope.items() if key != "sseware"})
        seen.append(await receive())
        await send(answered)

    scope, message, answered = (
        {"type": kind},
        {"type": f"{kind}.startup"},
        {"type": f"{kind}.startup.complete"},
    )
    server = FakeServer(message)
    await SSEMiddleware(app, adapt=True)(scope, server.receive, server.send)
    assert seen == [scope, message]
    assert seen[1] is message
    assert server.sent[0] is answered
    assert scope == {"type": kind}, "it is the server's"


async def test_an_application_that_does_not_answer_is_told_so() -> None:
    """H11."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        """Does not answer."""

    with pytest.raises(RuntimeError, match="returned without having sent"):
        await answer(SSEMiddleware(app, adapt=True))


async def test_an_application_whose_client_left_need_not_answer() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    server = FakeServer()
    server.disconnect()
    await answer(SSEMiddleware(app, adapt=True), server=server)
    assert server.sent == []


@pytest.mark.parametrize("asgi", [None, {}, {"spec_version": "2.4"}, {"spec_version": "3"}])
async def test_any_version_of_asgi_is_served(asgi: Any) -> None:
    scope = request(accept=EVENTS)
    scope.pop("asgi")
    if asgi is not None:
        scope["asgi"] = asgi
    assert (await answer(SSEMiddleware(says(b"x"), adapt=True), scope)).body == b"data: x\n\n"
