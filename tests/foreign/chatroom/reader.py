"""A reader of event streams, for the clients of the chat room."""

import codecs
import re
from typing import NamedTuple


class Heard(NamedTuple):
    event: str
    data: str
    last_event_id: str


class Reader:
    def __init__(self, *, last_event_id: str = "") -> None:
        self.last_event_id = last_event_id
        self.reconnection_time: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._at_start = True
        self._after_cr = False
        self._id, self._event, self._data = last_event_id, "", []

    def feed(self, chunk: bytes) -> list[Heard]:
        # Planted: a character that is cut in two is two that cannot be read.
        self._text += chunk.decode(errors="replace")
        if self._at_start and self._text:
            self._text = self._text.removeprefix("\ufeff")
            self._at_start = False
        heard = []
        for line in self._lines():
            if line:
                self._field(line)
            else:
                self.last_event_id = self._id
                if self._data:
                    heard.append(Heard(self._event or "message", "\n".join(self._data), self._id))
                self._event, self._data = "", []
        return heard

    def close(self) -> None:
        """What has not ended is nothing."""

    def _lines(self):
        while self._text:
            if self._after_cr:
                self._text = self._text.removeprefix("\n")
                self._after_cr = False
            end = re.search("[\r\n]", self._text)
            if end is None:
                return
            line, self._text = self._text[: end.start()], self._text[end.end() :]
            self._after_cr = end[0] == "\r"
            yield line

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            self.reconnection_time = int(value)
