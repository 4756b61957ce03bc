"""The laws of applications that one answer shows: its messages, its head, and what else is asked for."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from ...wire import content_type_essence
from ..errors import AppLeaked, LawSkipped, SSETimeout
from ._app_run import SERVERS, as_target, asked, listen, never_rests, opened, run
from ._heads import caching_problem, proxy_problem, stream_head_problem, vary_problem
from ._law import MUST, SHOULD, Broken, law

__all__ = ["APP_LAWS", "FORGED"]

_REFUSED: Final = (405, 501)
FORGED: Final = "sseware-forged"


@law(
    "app/messages",
    MUST,
    "A response starts once and before its body, and has one last body message; nothing is raised.",
    "ASGI HTTP 2.4; FAULTS H11",
    examples=lambda: SERVERS,
)
def _messages(app: Any, server: str) -> None:
    target = as_target(app)

    async def main() -> None:
        try:
            async with asked(target, server) as stream:
                if content_type_essence(stream.headers.get("content-type")) == "text/event-stream":
                    await listen(stream)
        except AppLeaked:
            return  # another law tells that

    run(main)


@law(
    "app/head-of-stream",
    MUST,
    "A stream has the status 200, the type text/event-stream, and no length.",
    "WHATWG HTML 9.2.2; FAULTS H4, H5",
)
def _head_of_stream(app: Any, _: None) -> None:
    target = as_target(app)

    async def main() -> None:
        try:
            async with asked(target) as stream:
                problem = stream_head_problem(stream.status, stream.headers)
                if problem:
                    exception = stream.app_exception
                    why = {"raised": repr(exception)} if exception is not None else {}
                    raise Broken(problem, **why)
        except AppLeaked:
            return

    run(main)


@law(
    "app/caching",
    SHOULD,
    "No cache may keep a stream: Cache-Control has no-store or no-cache.",
    "RFC 9111 5.2.2; FAULTS H3",
)
def _caching(app: Any, _: None) -> None:
    _check_head(app, caching_problem)


@law(
    "app/proxies",
    SHOULD,
    "No proxy may hold a stream back or change it: Cache-Control: no-transform, and X-Accel-Buffering: no.",
    "RFC 9111 5.2.2.6; FAULTS H3, H4",
)
def _proxies(app: Any, _: None) -> None:
    _check_head(app, proxy_problem)


def _check_head(app: Any, problem_of: Any) -> None:
    target = as_target(app)

    async def main() -> None:
        try:
            async with opened(target) as stream:
                if problem := problem_of(stream.headers):
                    raise Broken(problem, headers=dict(stream.headers))
        except AppLeaked:
            return

    run(main)


@law(
    "app/first-byte",
    SHOULD,
    "Something of the body follows the head at once, so that no server and no proxy holds the head back.",
    "FAULTS X2; measured on daphne and granian",
)
def _first_byte(app: Any, _: None) -> None:
    target = as_target(app)

    async def main() -> None:
        try:
            async with opened(target, "daphne"):
                pass
        except AppLeaked:
            return

    run(main)


@law(
    "app/head",
    MUST,
    "HEAD answers with the head of GET, and ends: it streams nothing.",
    "RFC 9110 9.3.2; FAULTS H9",
    needs=("an application that answers HEAD, and is asked with GET",),
)
def _head(app: Any, _: None) -> None:
    target = as_target(app)
    if target.method != "GET":
        raise LawSkipped(f"the stream is asked for with {target.method}; HEAD is for what GET answers")

    async def main() -> None:
        async with opened(target) as stream:
            kind = stream.headers.get("content-type")
        async with asked(target, method="HEAD") as stream:
            if stream.status in _REFUSED:
                raise LawSkipped(f"HEAD is refused with {stream.status}")
            goes_on = Broken("HEAD is answered with a stream that goes on")
            if await never_rests(stream):
                raise goes_on
            try:
                await stream.read(timeout=5)
            except SSETimeout:
                raise goes_on from None
            if content_type_essence(stream.headers.get("content-type")) != content_type_essence(kind):
                raise Broken("HEAD has another content type than GET", got=dict(stream.headers))

    run(main)


@law(
    "app/vary",
    MUST,
    "Where Accept decides what is answered, each of the answers has Vary: Accept.",
    "RFC 9110 12.5.5; FAULTS H2",
)
def _vary(app: Any, _: None) -> None:
    target = as_target(app)

    async def main() -> None:
        heads = []
        for accept in ("text/event-stream", "application/json", "*/*"):
            try:
                async with asked(target, headers={"accept": accept}, timeout=120.0) as stream:
                    heads.append((accept, stream.status, stream.headers))
                    _ = stream.app_exception
            except AppLeaked:
                continue
        if problem := vary_problem(heads):
            raise Broken(problem)

    run(main)


@law(
    "app/injection",
    MUST,
    "What a client asks with makes no event of its own: line ends in a parameter stay data.",
    "WHATWG HTML 9.2.5; FAULTS E1-E3",
    needs=("a path with a query, as in /chat?name=x",),
)
def _injection(app: Any, _: None) -> None:
    target = as_target(app)
    path, _mark, query = target.path.partition("?")
    asked_for = parse_qsl(query, keep_blank_values=True)
    if not asked_for:
        raise LawSkipped(
            "the path has no query whose values could come back; give it one, as in /chat?name=x"
        )

    async def main() -> None:
        for number, (name, value) in enumerate(asked_for):
            for end in ("\n", "\r", "\r\n"):
                forged = f"{value}{end}event: {FORGED}{end}data: {FORGED}{end}{end}"
                pairs = [*asked_for[:number], (name, forged), *asked_for[number + 1 :]]
                try:
                    async with asked(target, path=f"{path}?{urlencode(pairs)}") as stream:
                        if content_type_essence(stream.headers.get("content-type")) == "text/event-stream":
                            await listen(stream, most=10, seconds=5)
                        _ = stream.app_exception  # it may refuse such a value
                        if any(event.event == FORGED for event in stream.events):
                            raise Broken(
                                f"the parameter {name!r} made an event of its own", sent=repr(forged)
                            )
                except AppLeaked:
                    continue

    run(main)


APP_LAWS: Final = (_messages, _head_of_stream, _caching, _proxies, _first_byte, _head, _vary, _injection)
"""In the order in which they are told."""
