"""What the testing toolkit raises: a test has failed, or an application did what no server lets pass.

::

    TranscriptError
    ├── SSETimeout       (TimeoutError)    something that was awaited did not come
    ├── StreamEnded      (AssertionError)  more was asked of a stream that has ended
    ├── NotQuiet         (AssertionError)  something came where nothing should have
    ├── AppRaised        (AssertionError)  the application raised
    ├── AppLeaked        (AssertionError)  the application did not end after its client had left
    ├── AppFlooded       (AssertionError)  the application sends without end, and lets nobody else run
    └── ASGIViolation    (RuntimeError)    the application broke the ASGI specification
    UnknownServer        (ConfigurationError, LookupError)
    RecordingError       (AssertionError)  a recording is missing, or is not what it must be

Most of them carry a transcript, and print it: who sent what, and when.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ConfigurationError

__all__ = [
    "ASGIViolation",
    "AppFlooded",
    "AppLeaked",
    "AppRaised",
    "NotQuiet",
    "RecordingError",
    "SSETimeout",
    "StreamEnded",
    "TranscriptError",
    "UnknownServer",
]


class TranscriptError(Exception):
    """An error that tells what had happened on the stream before.

    Attributes:
        reason: What is wrong, in a sentence.
        transcript: Who sent what, and when; lines of text, maybe none.
    """

    def __init__(self, reason: str, transcript: str = "") -> None:
        super().__init__(reason, transcript)
        self.reason = reason
        self.transcript = transcript

    def __str__(self) -> str:
        return f"{self.reason}\n{self.transcript}" if self.transcript else self.reason


class SSETimeout(TranscriptError, TimeoutError):
    """What was awaited did not come in time."""


class StreamEnded(TranscriptError, AssertionError):
    """More was asked of a stream that has ended."""


class NotQuiet(TranscriptError, AssertionError):
    """Something came where a test says that nothing does."""


class AppRaised(TranscriptError, AssertionError):
    """The application raised; what it raised is the cause of this error."""


class AppLeaked(TranscriptError, AssertionError):
    """The application was still running when its client had left for long; the reason names where."""


class AppFlooded(TranscriptError, AssertionError):
    """The application sends more than anybody could read, and maybe lets nobody else run meanwhile."""


class ASGIViolation(TranscriptError, RuntimeError):
    """The application broke the ASGI specification; it is raised by the ``send`` that it called wrongly."""


class RecordingError(AssertionError):
    """A recording is not there, or is not what a recording must be."""


class UnknownServer(ConfigurationError, LookupError):
    """There is no server of that name.

    Attributes:
        name: The name that was asked for.
        known: The names that there are.
    """

    def __init__(self, name: object, known: Sequence[str], why: str = "") -> None:
        super().__init__(name, tuple(known), why)
        self.name = name
        self.known = tuple(known)
        self.why = why

    def __str__(self) -> str:
        known = ", ".join(self.known) or "none"
        return f"unknown server {self.name!r}; there are: {known}{self.why and f' ({self.why})'}"
