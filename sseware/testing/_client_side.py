"""The client's end of a connection: what has arrived, what has been read, and what was in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal, TypeAlias

from .._types import RawHeaders
from ..wire import EventStreamParser, content_type_essence
from ._comments import CommentReader
from ._news import News
from ._seen import ResponseHeaders, SeenChunk, SeenComment, SeenEvent, seen_event

__all__ = ["ClientSide", "Ending"]

Ending: TypeAlias = Literal["complete", "cut"]
"""How a body ended: as HTTP wants it, or in the middle."""


class ClientSide:
    """A reader, and what lies between a server and it.

    Args:
        clock: Tells seconds since the request.
        eager: Whether it reads all the time; otherwise it reads while somebody waits for something.
        parses: Whether it looks for events in what it reads.
        last_event_id: The last event ID string of the connection before.

    Attributes:
        status: The status of the response, once its head has come.
        headers: Its header fields.
        chunks: What was read.
        events: The events in it, where it is an event stream.
        comments: The comments in it.
        parser: The parser that reads it.
        ending: How the body ended, once all of it was read.
        waiting: How many bytes have arrived and were not read.
        arrived: How many bytes have ever arrived.
        news: Wakes whoever waits for the client.
        on_read: Is called when something was read.
    """

    def __init__(
        self, clock: Callable[[], float], *, eager: bool, parses: bool = True, last_event_id: str = ""
    ) -> None:
        self._clock = clock
        self._eager = eager
        self._parses = parses
        self._queue: deque[SeenChunk] = deque()
        self._arrived_ending: Ending | None = None
        self._pauses = 0
        self._demands: list[Callable[[], bool]] = []
        self.news = News()
        self._comment_reader = CommentReader()
        self._is_event_stream = False
        self.status: int | None = None
        self.headers = ResponseHeaders([])
        self.chunks: list[SeenChunk] = []
        self.events: list[SeenEvent] = []
        self.comments: list[SeenComment] = []
        self.parser = EventStreamParser(last_event_id=last_event_id, max_event_size=None)
        self.ending: Ending | None = None
        self.waiting = 0
        self.arrived = 0
        self.on_read: Callable[[], None] = _ignore

    def open(self, status: int, headers: RawHeaders) -> None:
        """Takes the head of the response."""
        self.status, self.headers = status, ResponseHeaders(headers)
        content_type = self.headers.get("content-type")
        self._is_event_stream = content_type_essence(content_type) == "text/event-stream"
        self.news.tell()

    @property
    def is_event_stream(self) -> bool:
        """Whether the content type says so."""
        return self._is_event_stream

    @property
    def has_unread(self) -> bool:
        """Whether something has arrived that was not read."""
        return bool(self._queue)

    def arrive(self, data: bytes) -> None:
        """Takes bytes from the server; they are read when this reader reads."""
        if not data:
            return
        self.arrived += len(data)
        self.waiting += len(data)
        self._queue.append(SeenChunk(data, self._clock()))
        self.read()

    def end(self, ending: Ending) -> None:
        """Takes the end of the body; nothing comes after it."""
        self._arrived_ending = ending
        self.read()

    def pause(self) -> None:
        """Stops to read, until `resume` was called as often."""
        self._pauses += 1

    def resume(self) -> None:
        """Goes on to read."""
        self._pauses -= 1
        self.read()

    def leave(self) -> None:
        """Closes the connection: what lies there unread will not be read."""
        self._queue.clear()
        self.waiting = 0
        self.news.tell()

    def demand(self, is_met: Callable[[], bool]) -> None:
        """Reads until something is so, if this reader is not eager."""
        self._demands.append(is_met)
        self.read()

    def retract(self, is_met: Callable[[], bool]) -> None:
        """Takes back a demand."""
        self._demands.remove(is_met)

    def read(self) -> None:
        """Reads what has arrived, as far as it is to be read."""
        was = len(self.chunks), self.ending
        while self._queue and self._is_reading():
            chunk = self._queue.popleft()
            self.waiting -= len(chunk.data)
            self._take(chunk)
        if not self._queue and not self._pauses:
            self.ending = self._arrived_ending
        if was != (len(self.chunks), self.ending):
            self.news.tell()
            self.on_read()

    def _is_reading(self) -> bool:
        if self._pauses:
            return False
        return self._eager or not all(is_met() for is_met in self._demands)

    def _take(self, chunk: SeenChunk) -> None:
        number = len(self.chunks)
        # What was held back by a pause is seen when it is read.
        at = self._clock()
        self.chunks.append(SeenChunk(chunk.data, at))
        if self._parses and self._is_event_stream:
            self.events += [seen_event(event, at, number) for event in self.parser.feed(chunk.data)]
            self.comments += [SeenComment(text, at, number) for text in self._comment_reader.feed(chunk.data)]


def _ignore() -> None:
    """Does nothing."""
