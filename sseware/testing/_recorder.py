"""Records what an application answers, and answers it again."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

import anyio

from .._types import ASGIApp, Message, Receive, Scope, Send
from ..errors import ConfigurationError
from ._client_side import Ending
from ._recording import Recording
from ._seen import SeenChunk
from ._tracebacks import is_failure
from .errors import RecordingError

__all__ = ["RECORD_MODES", "RecordMode", "Recorder", "check_mode", "replay"]

__tracebackhide__ = is_failure

RecordMode: TypeAlias = Literal["never", "missing", "always"]
"""When an application is asked itself: never, where there is no recording, or always."""

RECORD_MODES: Final[tuple[str, ...]] = get_args(RecordMode)
"""The modes of recording."""


def check_mode(mode: RecordMode) -> RecordMode:
    """Returns a mode of recording, checked.

    Raises:
        ConfigurationError: There is no such mode; the message lists those that there are.
    """
    if mode not in RECORD_MODES:
        raise ConfigurationError(f"mode must be one of {', '.join(RECORD_MODES)}, got {mode!r}")
    return mode


def replay(recording: Recording, *, gaps: bool = True) -> ASGIApp:
    """Returns an application that answers what was recorded, in the same chunks.

    Args:
        recording: The response.
        gaps: Whether the chunks come at their times; in virtual time that costs nothing.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def answer() -> None:
            began = anyio.current_time()
            headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in recording.headers]
            await send({"type": "http.response.start", "status": recording.status, "headers": headers})
            for chunk in recording.chunks:
                if gaps:
                    await anyio.sleep(began + chunk.at - anyio.current_time())
                await send({"type": "http.response.body", "body": chunk.data, "more_body": True})
            await end()

        async def end() -> None:
            if recording.ending == "complete":
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif recording.ending == "cut":
                raise ConnectionResetError("the recorded response was cut off here")
            else:
                await anyio.sleep_forever()
            group.cancel_scope.cancel()

        try:
            async with anyio.create_task_group() as group:
                group.start_soon(answer)
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()
        except ExceptionGroup as exc:
            # There is one task that can fail.
            raise exc.exceptions[0] from None

    return app


class Recorder:
    """Replays recordings, and makes them where it may.

    Args:
        directory: Where they are.
        mode: When the application itself is asked.
        name: The name of recordings that are given none.

    Raises:
        ConfigurationError: There is no such mode.
    """

    def __init__(self, directory: Path, mode: RecordMode = "never", name: str = "recording") -> None:
        self._directory = directory
        self._mode = check_mode(mode)
        self._name = name

    def __repr__(self) -> str:
        return f"Recorder({str(self._directory)!r}, {self._mode!r}, {self._name!r})"

    def __call__(self, app: ASGIApp, name: str | None = None, *, gaps: bool = True) -> ASGIApp:
        """Returns an application that answers from recordings: the first request from the first, and so on.

        Args:
            app: What answers where there is no recording and one may be made.
            name: The name of the recordings: ``name.sse``, ``name.2.sse``; that of the recorder by default.
            gaps: Whether the chunks come at their times.

        Raises:
            RecordingError: The first one is not there, and none may be made.
        """
        name = self._name if name is None else name
        if self._mode == "never":
            self._load(name, 1)
        asked = 0

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal asked
            asked += 1
            path = self._path(name, asked)
            if self._mode == "never" or (self._mode == "missing" and path.exists()):
                recording = self._load(name, asked)
                _check_request(recording, scope, path)
                await replay(recording, gaps=gaps)(scope, receive, send)
            else:
                await _record(app, path, scope, receive, send)

        return answer

    def _path(self, name: str, number: int) -> Path:
        return self._directory / (f"{name}.sse" if number == 1 else f"{name}.{number}.sse")

    def _load(self, name: str, number: int) -> Recording:
        path = self._path(name, number)
        if not path.exists():
            raise RecordingError(
                f"there is no recording {path}; make it with --sse-record=missing, or mode 'missing'"
            )
        return Recording.load(path)


def _asked(scope: Scope) -> str:
    query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
    return f"{scope['method']} {scope['path']}{query}"


def _check_request(recording: Recording, scope: Scope, path: Path) -> None:
    if recording.request and recording.request != _asked(scope):
        raise RecordingError(
            f"{path} answers {recording.request!r}, asked was {_asked(scope)!r}; record it again"
        )


async def _record(app: ASGIApp, path: Path, scope: Scope, receive: Receive, send: Send) -> None:
    began = anyio.current_time()
    heads: list[Message] = []
    chunks: list[SeenChunk] = []
    complete = gone = False

    async def told() -> Message:
        nonlocal gone
        message = await receive()
        gone = gone or (message["type"] == "http.disconnect" and not complete)
        return message

    async def taken(message: Message) -> None:
        nonlocal complete
        if message["type"] == "http.response.start":
            heads.append(message)
        elif message["type"] == "http.response.body" and not gone:
            if body := bytes(message.get("body", b"")):
                chunks.append(SeenChunk(body, anyio.current_time() - began))
            complete = not message.get("more_body", False)
        await send(message)

    try:
        await app(scope, told, taken)
    finally:
        for head in heads[:1]:
            fields = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in head.get("headers", ())]
            ending: Ending | None = "complete" if complete else None if gone else "cut"
            Recording(head["status"], tuple(fields), tuple(chunks), ending, _asked(scope)).save(path)
