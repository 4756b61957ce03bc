"""Events back to items."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from sseware.dialects import AnItem, read_payload
from sseware.errors import InvalidDialectEvent, TruncatedStream
from sseware.events import ServerSentEvent
from sseware.items import Failure, Finish, Log, Text

from ._events import OUTPUT_LIMIT, OWNED, Done

__all__ = ["HuskDecoder"]

_LIMIT_MESSAGE: Final = re.compile(r"output exceeded the [0-9]+-byte stream limit; truncated")


class HuskDecoder:
    """Decodes one stream. An event that is none of HUSK's own stays as it is."""

    def __init__(self) -> None:
        self._failed = False
        self._done = False

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        """Returns the item of an event.

        Raises:
            InvalidDialectEvent: ``done`` has another payload, or the event must not stand here.
        """
        name = event.event
        if name not in OWNED:
            return (event,)
        if self._done or (self._failed and name != "done"):
            raise InvalidDialectEvent("husk", name, event.data, "an event after the end of the stream")
        if name == "done":
            return (self._read_done(event),)
        if name == "error":
            self._failed = True
            return (_failure(event.data),)
        if not event.data:
            return ()
        return (Text(event.data) if name == "stdout" else Log(event.data),)

    def _read_done(self, event: ServerSentEvent) -> Finish:
        done = read_payload(event, Done, dialect="husk")
        if self._failed and done.ok:
            raise InvalidDialectEvent("husk", event.event, event.data, "a success after an error")
        self._done = True
        return Finish(done.ok, done.exit_code)

    def close(self) -> None:
        """Is called where the stream has ended.

        Raises:
            TruncatedStream: Neither ``done`` nor ``error`` has come.
        """
        if not (self._done or self._failed):
            raise TruncatedStream("husk", "done or error")


def _failure(message: str) -> Failure:
    # The code is not on the wire; it is told by the one message that HUSK has for it.
    return Failure(message, OUTPUT_LIMIT) if _LIMIT_MESSAGE.fullmatch(message) else Failure(message)
