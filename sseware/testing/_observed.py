"""What has come on a stream so far, and what became of the application."""

from __future__ import annotations

from ._client_side import Ending
from ._exchange import Exchange
from ._seen import ResponseHeaders, SeenChunk, SeenComment, SeenEvent, SeenMessage
from .errors import ASGIViolation

__all__ = ["ObservedStream"]


class ObservedStream:
    """One connection to an application, as far as it went.

    Args:
        exchange: The connection.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._client = exchange.client

    def __repr__(self) -> str:
        state = self._client.ending or ("open" if not self._exchange.server.gone else "left")
        return f"<SSEStream {self._client.status} {state}, {len(self._client.events)} events>"

    @property
    def status(self) -> int:
        """The status of the response."""
        return self._client.status or 0

    @property
    def headers(self) -> ResponseHeaders:
        """The header fields of the response."""
        return self._client.headers

    @property
    def events(self) -> list[SeenEvent]:
        """All events so far, taken or not, each with its time ``at`` and the number of its ``chunk``."""
        return list(self._client.events)

    @property
    def comments(self) -> list[SeenComment]:
        """All comments so far."""
        return list(self._client.comments)

    @property
    def chunks(self) -> list[SeenChunk]:
        """The body so far, piece by piece, each with its time ``at``."""
        return list(self._client.chunks)

    @property
    def wire(self) -> bytes:
        """The body so far."""
        return b"".join(chunk.data for chunk in self._client.chunks)

    @property
    def messages(self) -> list[SeenMessage]:
        """The ASGI messages so far, both ways."""
        return [entry for entry in self._exchange.server.log if isinstance(entry, SeenMessage)]

    @property
    def last_event_id(self) -> str:
        """The last event ID string."""
        return self._client.parser.last_event_id

    @property
    def reconnection_time(self) -> int | None:
        """What the last ``retry`` field said, in milliseconds."""
        return self._client.parser.reconnection_time

    @property
    def ending(self) -> Ending | None:
        """How the body ended: ``"complete"``, ``"cut"``, or ``None`` while it has not."""
        return self._client.ending

    @property
    def elapsed(self) -> float:
        """Seconds since the request."""
        return self._exchange.now()

    @property
    def transcript(self) -> str:
        """What has happened, as text."""
        return self._exchange.transcript()

    # What the application did. Whoever looks at it knows of it, and is not told again.

    @property
    def app_finished(self) -> bool:
        """Whether the application has ended, of itself or as its server ends it."""
        return self._exchange.task.done and self._exchange.leaked is None

    @property
    def app_exception(self) -> BaseException | None:
        """What the application raised. A test that does not look at it fails by it."""
        self._exchange.told = True
        return self._exchange.task.exception

    @property
    def violations(self) -> list[ASGIViolation]:
        """How the application broke the ASGI specification. A test that does not look at it fails by it."""
        self._exchange.told = True
        return list(self._exchange.server.violations)

    @property
    def waiting(self) -> int:
        """How many bytes the server holds for a client that has stopped to read."""
        return self._client.waiting

    def unknown_problem(self) -> Exception | None:
        """Returns what went wrong that this test has not been told of."""
        return self._exchange.leaked or (None if self._exchange.told else self._exchange.problem())
