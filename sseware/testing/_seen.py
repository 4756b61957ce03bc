"""What was seen on a stream: chunks, events and comments with their times, and messages of ASGI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from .._types import Message, RawHeaders
from ..events import ReceivedEvent, ServerSentEvent

__all__ = ["Note", "ResponseHeaders", "SeenChunk", "SeenComment", "SeenEvent", "SeenMessage", "seen_event"]


class SeenChunk(msgspec.Struct, frozen=True):
    """One piece of a body, as it arrived.

    Attributes:
        data: Its bytes.
        at: When it arrived, in seconds since the request.
    """

    data: bytes
    at: float


class SeenComment(msgspec.Struct, frozen=True):
    """A comment of an event stream.

    Attributes:
        text: What stands behind its colon, without the one space that may follow that.
        at: When its line ended, in seconds since the request.
        chunk: The number of the chunk that ended it, counted from 0.
    """

    text: str
    at: float
    chunk: int


class SeenEvent(ReceivedEvent, frozen=True, gc=False):
    """An event of a stream, with its time. It is equal to the `ServerSentEvent` of the same fields.

    Attributes:
        at: When it was dispatched, in seconds since the request.
        chunk: The number of the chunk that completed it, counted from 0.
    """

    at: float = 0.0
    chunk: int = 0

    def __repr__(self) -> str:
        return repr(ReceivedEvent(self.data, self.event, self.id, self.retry))


def seen_event(event: ServerSentEvent, at: float, chunk: int) -> SeenEvent:
    """Returns an event with its time and the number of its chunk."""
    return SeenEvent(event.data, event.event, event.id, event.retry, event.last_event_id, at, chunk)


class SeenMessage(msgspec.Struct, frozen=True):
    """One ASGI message between a server and an application.

    Attributes:
        direction: ``"send"`` is from the application, ``"receive"`` is to it.
        message: The message.
        at: When it passed, in seconds since the request.
    """

    direction: Literal["send", "receive"]
    message: Message
    at: float


class Note(msgspec.Struct, frozen=True):
    """What happened besides messages.

    Attributes:
        text: What happened.
        at: When, in seconds since the request.
    """

    text: str
    at: float


class ResponseHeaders(Mapping[str, str]):
    """The header fields of a response: any case of a name will do, and several of one name are joined.

    >>> headers = ResponseHeaders([(b"vary", b"Accept"), (b"Vary", b"Origin")])
    >>> headers["VARY"], headers.get_list("vary")
    ('Accept, Origin', ['Accept', 'Origin'])

    Attributes:
        raw: The fields as they were sent.
    """

    def __init__(self, raw: RawHeaders) -> None:
        self.raw = tuple(raw)
        self._values: dict[str, list[str]] = {}
        for name, value in raw:
            self._values.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))

    def get_list(self, name: str) -> list[str]:
        """Returns the values of all fields of a name, in their order."""
        return list(self._values.get(name.lower(), ()))

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._values[name.lower()])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __repr__(self) -> str:
        return f"ResponseHeaders({dict(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return dict(self) == {str(name).lower(): value for name, value in other.items()}

    __hash__ = None  # type: ignore[assignment]  # equal to dicts, which have no hash either
