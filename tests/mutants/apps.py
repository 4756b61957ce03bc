"""A right application, written by hand, and wrong ones that differ from it in one thing each."""

from __future__ import annotations

import zlib
from typing import Any
from urllib.parse import parse_qs

import anyio

from sseware import ServerSentEvent, encode
from sseware.testing import laws

from .mutant import Mutant

__all__ = ["APPS", "FLOOD", "RIGHT"]

COUNT = 4


class Right:
    """Four events with ids, then silence with keepalives; at ``/flood`` events without end."""

    keepalive: float | None = 15.0
    patience: float | None = 30.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        if scope["path"] == "/early":
            return await self.fail_early(send)
        if headers.get(b"accept") == b"application/json":
            return await self.answer(send, 200, self.vary([(b"content-type", b"application/json")]), b"{}")
        if scope["method"] == "HEAD":
            return await self.head(scope, receive, send)
        return await self.open(scope, receive, send)

    async def open(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self.watch, receive, group.cancel_scope)
                await self.stream(scope, receive, send)
                group.cancel_scope.cancel()
        except* OSError:
            pass  # the client has left

    async def watch(self, receive: Any, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async def head(self, scope: Any, receive: Any, send: Any) -> None:
        await self.answer(send, 200, self.headers(), b"")

    async def fail_early(self, send: Any) -> None:
        raise RuntimeError("before anything was sent")

    def vary(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [*headers, (b"vary", b"Accept")]

    def headers(self) -> list[tuple[bytes, bytes]]:
        return self.vary(
            [
                (b"content-type", b"text/event-stream; charset=utf-8"),
                (b"cache-control", b"no-store, no-transform"),
                (b"x-accel-buffering", b"no"),
            ]
        )

    async def answer(self, send: Any, status: int, headers: Any, data: bytes) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": data, "more_body": False})

    async def stream(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.headers()})
        await self.first_byte(send)
        if scope["path"] == "/late":
            return await self.fail_late(send)
        if scope["path"] == "/flood":
            return await self.flood(send)
        for event in self.events(scope):
            await self.emit(send, event)
        await self.idle(send)
        return None

    async def first_byte(self, send: Any) -> None:
        await self.emit(send, b": hello\n\n")

    async def fail_late(self, send: Any) -> None:
        await self.emit(send, b"event: error\ndata: it failed\n\n", more=False)

    async def flood(self, send: Any) -> None:
        while True:
            await self.emit(send, b"data: " + b"x" * 8000 + b"\n\n")
            await anyio.lowlevel.checkpoint()

    def events(self, scope: Any) -> list[bytes]:
        headers = dict(scope["headers"])
        last = int(headers.get(b"last-event-id", b"0"))
        name = parse_qs(scope["query_string"].decode()).get("name", ["nobody"])[0]
        told = [self.event(number, f"{number} for {name}") for number in range(1, COUNT + 1)]
        return told[self.resume_at(last) :]

    def resume_at(self, last: int) -> int:
        return last

    def event(self, number: int, text: str) -> bytes:
        return encode(ServerSentEvent(text, id=str(number)))

    async def idle(self, send: Any) -> None:
        while True:
            await anyio.sleep(3600 if self.keepalive is None else self.keepalive)
            await self.emit(send, b": still here\n\n")

    async def emit(self, send: Any, data: bytes, *, more: bool = True) -> None:
        message = {"type": "http.response.body", "body": data, "more_body": more}
        if self.patience is None:
            await send(message)
            return
        with anyio.move_on_after(self.patience) as limit:
            await send(message)
        if limit.cancelled_caught:
            raise OSError("the client does not read")


class NoEnd(Right):
    """Returns when its events are told, and leaves the body open."""

    async def idle(self, send: Any) -> None:
        pass


class BodyFirst(Right):
    async def stream(self, scope: Any, receive: Any, send: Any) -> None:
        await self.first_byte(send)


class TwoEnds(Right):
    async def idle(self, send: Any) -> None:
        for _ in range(2):
            await self.emit(send, b"", more=False)


class WrongType(Right):
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"content-type", b"text/plain"), *super().headers()[1:]]


class LengthKept(Right):
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [*super().headers(), (b"content-length", b"1000000")]


class Cached(Right):
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (name, b"max-age=60, no-transform" if name == b"cache-control" else value)
            for name, value in super().headers()
        ]


class ProxiesForgotten(Right):
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (name, b"no-store" if name == b"cache-control" else value)
            for name, value in super().headers()
            if name != b"x-accel-buffering"
        ]


class LateFirstByte(Right):
    async def first_byte(self, send: Any) -> None:
        await anyio.sleep(20)


class HeadStreams(Right):
    async def head(self, scope: Any, receive: Any, send: Any) -> None:
        await self.open(scope, receive, send)


class NoVary(Right):
    def vary(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return headers


class Echoes(Right):
    def event(self, number: int, text: str) -> bytes:
        return f"id: {number}\ndata: {text}\n\n".encode()


class CleanupByCancel(Right):
    """Never asks whether the client has left: it waits for a cancellation, which only a test client sends."""

    async def watch(self, receive: Any, scope: anyio.CancelScope) -> None:
        await anyio.sleep_forever()


class LooksWhenItSends(Right):
    """Looks for its client between two events, and there may be an hour between them."""

    keepalive = None

    async def open(self, scope: Any, receive: Any, send: Any) -> None:
        left = anyio.Event()

        async def look(message: Any) -> None:
            if left.is_set():
                raise OSError
            await send(message)

        async with anyio.create_task_group() as group:
            group.start_soon(self.note, receive, left)
            try:
                await self.stream(scope, receive, look)
            except OSError:
                group.cancel_scope.cancel()

    async def note(self, receive: Any, left: anyio.Event) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()


class CleanupWithoutEnd(Right):
    """Waits, when it is to end, for somebody who has left."""

    async def flood(self, send: Any) -> None:
        try:
            await super().flood(send)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep_forever()


class TaskPerEvent(Right):
    """Starts a task for each send, so that nothing ever waits."""

    patience = None

    async def flood(self, send: Any) -> None:
        async with anyio.create_task_group() as group:
            while True:
                for _ in range(10):
                    group.start_soon(self.emit, send, b"data: " + b"x" * 8000 + b"\n\n")
                await anyio.sleep(0.01)


class WaitsForEver(Right):
    patience = None


class NoKeepalive(Right):
    keepalive = None


class KeepaliveDrifts(Right):
    async def idle(self, send: Any) -> None:
        pause = 15.0
        while True:
            await anyio.sleep(pause)
            await self.emit(send, b": still here\n\n")
            pause += 1.5


class BoundToALoop(Right):
    """Shares an event that belongs to the loop which waited for it first."""

    def __init__(self) -> None:
        self.stop: Any = None

    async def idle(self, send: Any) -> None:
        import asyncio

        if self.stop is None:
            self.stop = asyncio.Event()
        await self.stop.wait()


class StreamThatBreaks(Right):
    async def fail_early(self, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.headers()})
        raise RuntimeError("before anything was sent")


class ErrorEndsClean(Right):
    async def fail_late(self, send: Any) -> None:
        await self.emit(send, b"data: 1\n\n")
        await self.emit(send, b"", more=False)


class NaiveGZip(Right):
    """Compresses what it sends, and sends it when there is enough of it."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if b"gzip" not in dict(scope["headers"]).get(b"accept-encoding", b""):
            return await super().__call__(scope, receive, send)
        packer = zlib.compressobj(wbits=31)

        async def send_packed(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"content-encoding", b"gzip")]}
            else:
                message = {**message, "body": packer.compress(message["body"])}
            await send(message)

        return await super().__call__(scope, receive, send_packed)


class OneTooFew(Right):
    def resume_at(self, last: int) -> int:
        return max(0, last - 1)


class OneTooMany(Right):
    def resume_at(self, last: int) -> int:
        return last + 1 if last else 0


class StartsAgain(Right):
    def resume_at(self, last: int) -> int:
        return 0


def target(app: Any, path: str = "/?name=x") -> laws.AppTarget:
    """How the applications are asked."""
    return laws.AppTarget(app=app, path=path, failing_before="/early", failing_after="/late")


RIGHT = target(Right())
FLOOD = target(Right(), "/flood")


def _mutant(name: str, make: type[Right], killer: str, path: str = "/?name=x") -> Mutant:
    return Mutant(name=name, kind="app", target=target(make(), path), killer=f"app/{killer}")


APPS = (
    _mutant("no last body message", NoEnd, "messages"),
    _mutant("body before start", BodyFirst, "messages"),
    _mutant("two last body messages", TwoEnds, "messages"),
    _mutant("text/plain", WrongType, "head-of-stream"),
    _mutant("a length", LengthKept, "head-of-stream"),
    _mutant("max-age", Cached, "caching"),
    _mutant("proxies forgotten", ProxiesForgotten, "proxies"),
    _mutant("head alone", LateFirstByte, "first-byte"),
    _mutant("HEAD that streams", HeadStreams, "head"),
    _mutant("no Vary", NoVary, "vary"),
    _mutant("parameter as it is", Echoes, "injection"),
    _mutant("cleanup only by cancel", CleanupByCancel, "cleanup-idle"),
    _mutant("looks when it sends", LooksWhenItSends, "cleanup-idle"),
    _mutant("cleanup without end", CleanupWithoutEnd, "cleanup-busy", "/flood"),
    _mutant("a task for each event", TaskPerEvent, "backpressure", "/flood"),
    _mutant("waits for ever", WaitsForEver, "stalled-reader", "/flood"),
    _mutant("no keepalive", NoKeepalive, "keepalive"),
    _mutant("keepalive that drifts", KeepaliveDrifts, "keepalive"),
    _mutant("event of another loop", BoundToALoop, "two-loops"),
    _mutant("200 and an error", StreamThatBreaks, "error-before-start"),
    _mutant("error that ends well", ErrorEndsClean, "error-after-start"),
    _mutant("naive GZip", NaiveGZip, "compression"),
    _mutant("replay from one too early", OneTooFew, "resume"),
    _mutant("replay from one too late", OneTooMany, "resume"),
    _mutant("Last-Event-ID ignored", StartsAgain, "resume"),
)
