"""What the faults are tried on: one application with a path for each behaviour, and a log that clients can read.

Everything that a handler does is noted under the key that its client gave (``?key=``), with the time of the machine's
monotonic clock, and ``/log`` tells it: so it is the same for a server in this process and in another one.
"""

from __future__ import annotations

import contextvars
import gc
import gzip
import json
import logging
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from types import AsyncGeneratorType, GeneratorType
from typing import Any
from urllib.parse import parse_qs

import anyio
import anyio.lowlevel
import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.routing import Route

from sseware import EventStream, ServerSentEvent, SSEMiddleware
from sseware.dialects import Plain, StreamContext
from sseware.items import File

__all__ = ["ZIPPED", "Faulty", "census"]

SECRET = "the password is swordfish"
ZIPPED = gzip.compress(b"zipped", mtime=0)
VARIABLE = contextvars.ContextVar("variable", default="default")

App = Callable[[Any, Any, Any], Any]


def query(scope: Any) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}


def census() -> dict[str, int]:
    """Counts what a server's process has: tasks, generators, threads, descriptors; and its memory, in KiB."""
    gc.collect()
    objects = gc.get_objects()
    kinds = (AsyncGeneratorType, GeneratorType)
    # Those of the libraries, and this function's caller, are there all the time.
    ours = [each for each in objects if isinstance(each, kinds) and "faulty" in _file(each)]
    resident = 0
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [
            line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS")
        ]
        resident = int(line.split()[1])
    return {
        "tasks": len(anyio.get_running_tasks()),
        "generators": len(ours),
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/dev/fd")),
        "resident": resident,
    }


def _file(generator: Any) -> str:
    code = generator.ag_code if isinstance(generator, AsyncGeneratorType) else generator.gi_code
    return str(code.co_filename)


class FaultyDialect(Plain, frozen=True):
    """One that cannot encode what it is given, nor that it cannot."""

    def open(self, context: StreamContext) -> Any:
        return FaultyEncoder()


class FaultyEncoder:
    def start(self) -> Iterable[ServerSentEvent]:
        return ()

    def encode(self, item: object) -> Iterable[ServerSentEvent]:
        raise ZeroDivisionError(SECRET)

    def finish(self) -> Iterable[ServerSentEvent]:
        return ()

    def fail(self, failure: object) -> Iterable[ServerSentEvent]:
        raise ZeroDivisionError(SECRET)


class Faulty:
    """The application.

    Attributes:
        log: For each key what was noted: what, when, in which task and thread, with what in its context.
    """

    def __init__(self) -> None:
        self.log: defaultdict[str, list[list[Any]]] = defaultdict(list)
        self.warned: list[str] = []
        self.release = threading.Event()
        self.shared: Any = None
        # Where a default is not the point, a short one is.
        self.routes: dict[str, App] = {
            "/log": self.tell,
            "/release": self.let_go,
            "/hold": self.hold,
            "/quick": text("quick"),
            "/sync-endpoint": Starlette(routes=[Route("/sync-endpoint", lambda request: _plain("sync"))]),
            "/words": SSEMiddleware(lambda: ["a", "b"]),
            "/idle": SSEMiddleware(self.idle),
            "/idle/husk": SSEMiddleware(self.idle, dialect="husk"),
            "/busy": SSEMiddleware(self.busy),
            "/pausing": SSEMiddleware(self.pausing),
            "/timeout": SSEMiddleware(self.timed_out),
            "/awaits": SSEMiddleware(self.awaits_in_finally),
            "/stubborn": SSEMiddleware(self.stubborn, cleanup_timeout=0.2),
            "/yields-in-finally": SSEMiddleware(self.yields_in_finally),
            "/raises-in-finally": SSEMiddleware(self.raises_in_finally),
            "/dependency": self.with_a_dependency,
            "/sync": SSEMiddleware(self.sync),
            "/blocked": SSEMiddleware(self.blocked, cleanup_timeout=0.05),
            "/shared": self.one_generator,
            "/background": SSEMiddleware(self.with_a_background_task),
            "/raises": SSEMiddleware(self.raises_at_once),
            "/raises-later": SSEMiddleware(self.raises_later),
            "/slow": SSEMiddleware(self.slow, head_timeout=0.1),
            "/framework": framework(),
            "/base": framework(Middleware(BaseHTTPMiddleware, dispatch=pass_on), words=self.idle_words),
            "/gzip": GZipMiddleware(SSEMiddleware(self.pausing), minimum_size=1),
            "/large": SSEMiddleware(self.busy, buffer=(10_000, 60.0)),
            "/long": SSEMiddleware(self.idle, buffer=(10_000, 0.2)),
            "/ping": SSEMiddleware(self.ticking, keepalive=0.005, dialect="husk"),
            "/stalled": SSEMiddleware(self.busy, send_timeout=0.4),
            "/file": SSEMiddleware(self.file),
            "/echo": SSEMiddleware(self.echo),
            "/unread": SSEMiddleware(self.pausing),
            "/zipped": SSEMiddleware(body(ZIPPED, (b"content-encoding", b"gzip"))),
            "/etag": SSEMiddleware(body(b"tagged", (b"etag", b'"1"'), (b"vary", b"origin"))),
            "/lines": SSEMiddleware(body(b'{"a":1}\n{"b":2}\n', (b"content-type", b"application/x-ndjson"))),
            "/empty": SSEMiddleware(nothing(204)),
            "/unmodified": SSEMiddleware(nothing(304)),
            "/never-starts": SSEMiddleware(self.never_starts),
            "/starts-twice": SSEMiddleware(starts_twice),
            "/body-first": SSEMiddleware(body_first),
            "/hint": SSEMiddleware(hint),
            "/ws": SSEMiddleware(echo_messages),
            "/census": tell_census,
            "/faulty-dialect": SSEMiddleware(lambda: ["a"], dialect=FaultyDialect(), head_timeout=None),
        }
        for name in ("plain", "husk", "machpay", "chronos"):
            self.routes[f"/later/{name}"] = SSEMiddleware(self.raises_later, dialect=name)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        VARIABLE.set(query(scope).get("key", ""))
        app = self.routes[scope["path"]]
        await app(scope, receive, send)

    def note(self, what: str) -> None:
        key = VARIABLE.get()
        try:
            task = anyio.get_current_task().id
        except (anyio.NoEventLoopError, RuntimeError):
            task = 0
        self.log[key].append([what, time.monotonic(), task, threading.current_thread().name, key])

    async def tell(self, scope: Any, receive: Any, send: Any) -> None:
        notes = self.log.get(query(scope).get("key", ""), [])
        await text(json.dumps(notes))(scope, receive, send)

    async def let_go(self, scope: Any, receive: Any, send: Any) -> None:
        self.release.set()
        await text("released")(scope, receive, send)

    async def hold(self, scope: Any, receive: Any, send: Any) -> None:
        self.release.clear()
        await text("held")(scope, receive, send)

    # -- generators ----------------------------------------------------------------------------------------------

    async def idle(self) -> AsyncIterator[str]:
        self.note("entered")
        try:
            yield "a"
            await anyio.sleep_forever()
        finally:
            self.note("finally")

    def idle_words(self) -> AsyncIterator[str]:
        return self.idle()

    async def busy(self) -> AsyncIterator[str]:
        self.note("entered")
        try:
            while True:
                yield "a" * 100
        finally:
            self.note("finally")

    async def pausing(self) -> AsyncIterator[str]:
        for letter in "abc":
            self.note(letter)
            yield letter
            await anyio.sleep(0.2)

    async def timed_out(self) -> AsyncIterator[str]:
        try:
            with anyio.fail_after(0.3):
                while True:
                    yield "x" * 30_000
        except TimeoutError:
            self.note("timed out")
            yield "timed out"

    async def awaits_in_finally(self, scope: Any, receive: Any) -> AsyncIterator[str]:
        stream = await anyio.connect_tcp("127.0.0.1", int(query(scope)["database"]))
        try:
            yield "a"
            await anyio.sleep_forever()
        finally:
            # On Trio a cancelled task stays cancelled: whoever wants to say goodbye shields it.
            with anyio.CancelScope(shield=True):
                await stream.send(b"BYE\r\n\r\n")
                self.note((await stream.receive()).decode())
                await stream.aclose()

    async def stubborn(self) -> AsyncIterator[str]:
        self.note("entered")
        yield "a"
        with anyio.CancelScope(shield=True):
            while not self.release.is_set():
                try:
                    await anyio.sleep(0.05)
                except BaseException:  # that is the point
                    continue
        self.note("ended")

    async def yields_in_finally(self) -> AsyncIterator[str]:
        self.note("entered")
        try:
            while True:
                yield "a"
        finally:
            self.note("finally")
            yield "b"

    async def raises_in_finally(self) -> AsyncIterator[str]:
        self.note("entered")
        try:
            while True:
                yield "a"
        finally:
            self.note("finally")
            raise RuntimeError("in the finally")

    async def with_a_dependency(self, scope: Any, receive: Any, send: Any) -> None:
        self.note("opened")
        try:
            await EventStream(self.idle())(scope, receive, send)
        finally:
            self.note("released")

    def sync(self) -> Iterator[str]:
        self.note("entered")
        try:
            while True:
                self.note("step")
                yield "a" * 10_000
                time.sleep(0.02)
        finally:
            self.note("finally")

    def blocked(self) -> Iterator[str]:
        self.note("entered")
        yield "a"
        self.release.wait(30)
        self.note("ended")

    async def one_generator(self, scope: Any, receive: Any, send: Any) -> None:
        if self.shared is None:
            self.shared = self.idle()
        await SSEMiddleware(lambda: self.shared)(scope, receive, send)

    async def with_a_background_task(self, scope: Any, receive: Any, send: Any) -> None:
        short = query(scope).get("short")
        await EventStream(["a"] if short else self.idle())(scope, receive, send)
        self.note("background")

    # -- errors --------------------------------------------------------------------------------------------------

    async def raises_at_once(self) -> AsyncIterator[str]:
        raise RuntimeError(SECRET)
        yield ""

    async def raises_later(self) -> AsyncIterator[str]:
        yield "one"
        await anyio.sleep(0.05)
        raise RuntimeError(SECRET)

    async def slow(self) -> AsyncIterator[str]:
        await anyio.sleep(0.5)
        yield "late"

    async def never_starts(self, scope: Any, receive: Any, send: Any) -> None:
        await anyio.lowlevel.checkpoint()

    # -- sending -------------------------------------------------------------------------------------------------

    async def ticking(self) -> AsyncIterator[str]:
        for number in range(60):
            yield f"{number} " + "x" * 5000
            await anyio.sleep(0.007 if number % 3 else 0)

    async def file(self) -> AsyncIterator[Any]:
        yield File(b"bytes", name="a.bin", media_type="x/y")

    async def echo(self, scope: Any, receive: Any) -> AsyncIterator[bytes]:
        while (message := await receive())["type"] == "http.request":
            yield message["body"]
            if not message["more_body"]:
                return


async def lifespan(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def pass_on(request: Request, call_next: Any) -> Any:
    return await call_next(request)


def _plain(words: str) -> Any:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(words)


def framework(*middleware: Middleware, words: Callable[[], AsyncIterator[str]] | None = None) -> App:
    """An application of Starlette's, whose handler raises what its framework knows, or streams."""

    async def refuses() -> AsyncIterator[str]:
        raise HTTPException(418, "no coffee", headers={"x-pot": "tea"})
        yield ""

    async def endpoint(request: Request) -> Any:
        return EventStream((words or refuses)())

    return Starlette(
        routes=[Route("/framework", endpoint), Route("/base", endpoint)],
        middleware=[*middleware, Middleware(SSEMiddleware)],
    )


def text(words: str) -> App:
    return body(words.encode(), (b"content-type", b"text/plain"))


def body(content: bytes, *fields: tuple[bytes, bytes]) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [*fields, (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return app


def nothing(status: int) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body"})

    return app


async def starts_twice(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def body_first(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.body", "body": b"x"})


async def hint(scope: Any, receive: Any, send: Any) -> None:
    if "http.response.early_hint" in scope.get("extensions", {}):
        await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]})
    await EventStream(["a"])(scope, receive, send)


async def echo_messages(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


async def tell_census(scope: Any, receive: Any, send: Any) -> None:
    await text(json.dumps(census()))(scope, receive, send)


def main() -> None:
    """Serves it in a process of its own, until its input ends: ``python -m tests.faults.faulty uvicorn-h11``."""
    from sseware.testing import sse_server

    logging.disable()
    with sse_server(Faulty(), sys.argv[1], timeout=30.0) as server:
        print(server.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
