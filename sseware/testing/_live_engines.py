"""Real servers, each made to run in a thread, on a socket that listens, and to stop when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ._engine import Engine, EngineOnAsyncio

__all__ = ["Daphne", "Granian", "Hypercorn", "HypercornOnTrio", "Uvicorn"]


async def _first_of(serving: asyncio.Future[None], stopping: asyncio.Event) -> None:
    stopped = asyncio.ensure_future(stopping.wait())
    waiting: list[asyncio.Future[Any]] = [serving, stopped]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()


def _listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=2048)


class Uvicorn(EngineOnAsyncio):
    """uvicorn, on either of its HTTP/1.1 implementations or HTTP/2, on asyncio or uvloop."""

    def __init__(self, app: Any, options: Mapping[str, Any], *, loop: str = "asyncio", **config: Any) -> None:
        super().__init__(app, options)
        self._config = config
        self._loop_name = loop

    def new_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop_name == "uvloop":
            import uvloop

            return uvloop.new_event_loop()
        return super().new_loop()

    async def serve(self, ready: Callable[[], None], stopping: asyncio.Event) -> None:
        import uvicorn

        ours = {"log_config": None, "access_log": False, "ws": "none", "timeout_graceful_shutdown": None}
        server = uvicorn.Server(uvicorn.Config(self.app, **{**ours, **self._config, **self.options}))
        with _listener() as listener:
            self.port = listener.getsockname()[1]
            serving = asyncio.ensure_future(server.serve(sockets=[listener]))
            try:
                # It has no event for this.
                while not server.started and not serving.done():  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
                if server.started:
                    ready()
                    await _first_of(serving, stopping)
                server.should_exit = True
                await serving
            finally:
                # Where it was killed, it has not closed them.
                for each in getattr(server, "servers", ()):
                    each.close()


class Hypercorn(EngineOnAsyncio):
    """hypercorn on asyncio."""

    async def serve(self, ready: Callable[[], None], stopping: asyncio.Event) -> None:
        from hypercorn.asyncio import serve

        async def shutdown_trigger() -> None:
            # It is awaited when the server accepts connections.
            ready()
            await stopping.wait()

        config = _hypercorn_config(self)
        await serve(self.app, config, shutdown_trigger=shutdown_trigger)


class HypercornOnTrio(Engine):
    """hypercorn on Trio."""

    def __init__(self, app: Any, options: Mapping[str, Any]) -> None:
        super().__init__(app, options)
        self._from_thread: Callable[[Callable[[], object]], None] | None = None
        self._stop: Callable[[], object] | None = None
        self._kill: Callable[[], object] | None = None

    def run(self, ready: Callable[[], None]) -> None:
        import trio

        trio.run(self._main, ready)

    async def _main(self, ready: Callable[[], None]) -> None:
        import trio
        from hypercorn.trio import serve

        stopping = trio.Event()

        async def shutdown_trigger() -> None:
            ready()
            await stopping.wait()

        config = _hypercorn_config(self)
        with trio.CancelScope() as scope:
            self._stop, self._kill = stopping.set, scope.cancel
            self._from_thread = trio.lowlevel.current_trio_token().run_sync_soon
            await serve(self.app, config, shutdown_trigger=shutdown_trigger)

    def stop(self) -> None:
        self.post(self._stop)

    def kill(self) -> None:
        self.post(self._kill)

    def post(self, callback: Callable[[], object] | None) -> None:
        # trio.RunFinishedError: it has ended.
        with contextlib.suppress(RuntimeError):
            if self._from_thread is not None and callback is not None:
                self._from_thread(callback)


def _hypercorn_config(engine: Engine) -> Any:
    from hypercorn.config import Config, Sockets

    class Listening(Config):
        def create_sockets(self) -> Sockets:
            # It listens when the application has started, and not before.
            sockets = super().create_sockets()
            engine.port = sockets.insecure_sockets[0].getsockname()[1]
            return sockets

    config = Listening()
    config.bind = ["127.0.0.1:0"]
    config.errorlog = None
    # Who has not ended by then was reported already.
    config.graceful_timeout = 3600.0
    for name, value in engine.options.items():
        setattr(config, name, value)
    return config


class Granian(EngineOnAsyncio):
    """granian: its own threads accept and write, an event loop of asyncio runs the application."""

    async def serve(self, ready: Callable[[], None], stopping: asyncio.Event) -> None:
        from granian.constants import Interfaces
        from granian.server.embed import Server

        with _listener() as listener:
            # It can only be told a number. Whoever listens next is asked for another one.
            self.port = listener.getsockname()[1]
        ours = {"interface": Interfaces.ASGI, "log_enabled": False, "websockets": False}
        server = Server(self.app, "127.0.0.1", self.port, **{**ours, **self.options})
        serving = asyncio.ensure_future(server.serve())
        # Nor has this one.
        while not serving.done() and not _answers(self.port):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if not serving.done():
            ready()
            await _first_of(serving, stopping)
            server.stop()  # type: ignore[no-untyped-call] # granian's
        await serving


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False


class Daphne(Engine):  # pragma: no cover - it runs in a process that leaves by _exit, and writes no coverage
    """daphne. Twisted's reactor is one for a process, and cannot be run twice."""

    isolated = True

    def run(self, ready: Callable[[], None]) -> None:
        from daphne.server import Server  # type: ignore[import-untyped]

        class Listening(Server):  # type: ignore[misc] # it has no types
            def listen_success(self, port: Any) -> None:
                super().listen_success(port)
                ready_at(port.getHost().port)

        def ready_at(port: int) -> None:
            self.port = port
            ready()

        server = Listening(
            application=self.app,
            endpoints=["tcp:port=0:interface=127.0.0.1"],
            signal_handlers=False,
            **self.options,
        )
        server.run()

    def stop(self) -> None:
        from twisted.internet import reactor

        made: Any = reactor  # its class depends on what was imported first
        made.callFromThread(partial(_stop_reactor, made))


def _stop_reactor(reactor: Any) -> None:  # pragma: no cover - as above
    if reactor.running:
        reactor.stop()
