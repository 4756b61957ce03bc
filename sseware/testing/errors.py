"""What the testing toolkit raises: a test has failed, or an application did what no server lets pass.

::

    TranscriptError
    ├── SSETimeout       (TimeoutError)    something that was awaited did not come
    ├── StreamEnded      (AssertionError)  more was asked of a stream that has ended
    ├── NotQuiet         (AssertionError)  something came where nothing should have
    ├── AppRaised        (AssertionError)  the application raised
    ├── AppLeaked        (AssertionError)  the application did not end after its client had left
    ├── AppFlooded       (AssertionError)  the application sends without end, and lets nobody else run
    ├── ServerFailed     (RuntimeError)    a real server, or a lifespan, did not start
    └── ASGIViolation    (RuntimeError)    the application broke the ASGI specification
    UnknownServer        (UnknownName)     no server has that name
    TaskLeft             (AssertionError)  a scenario that was cancelled has left a task behind
    RecordingError       (AssertionError)  a recording is missing, or is not what it must be
    LawBroken            (AssertionError)  a law does not hold; with the smallest example that breaks it
    LawSkipped           (unittest.SkipTest)  a law cannot be judged on this target, or here
    UnknownLaw           (UnknownName)     no law has that name

Most of them carry a transcript, and print it: who sent what, and when.
"""

from __future__ import annotations

import unittest
from collections.abc import Mapping

from ..errors import UnknownName

__all__ = [
    "ASGIViolation",
    "AppFlooded",
    "AppLeaked",
    "AppRaised",
    "LawBroken",
    "LawSkipped",
    "NotQuiet",
    "RecordingError",
    "SSETimeout",
    "ServerFailed",
    "StreamEnded",
    "TaskLeft",
    "TranscriptError",
    "UnknownLaw",
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


class ServerFailed(TranscriptError, RuntimeError):
    """A real server, or an application's lifespan, did not start.

    What stopped it is the cause of this error, where that is known.
    """


class ASGIViolation(TranscriptError, RuntimeError):
    """The application broke the ASGI specification; it is raised by the ``send`` that it called wrongly."""


class TaskLeft(AssertionError):
    """A scenario was cancelled, and a task that it had started goes on."""


class RecordingError(AssertionError):
    """A recording is not there, or is not what a recording must be."""


class UnknownServer(UnknownName):
    """There is no server of that name."""

    kind = "server"


class LawBroken(AssertionError):
    """A law does not hold of a target.

    Attributes:
        law: The id of the law, such as ``parser/prompt``.
        level: ``"MUST"`` or ``"SHOULD"``.
        rule: What holds, in a sentence.
        reference: Where it is written.
        what: What is wrong.
        example: The smallest example that was found: ``laws.check(law, target, example)`` breaks it again.
        details: What there is and what was wanted, by name.
    """

    def __init__(
        self,
        law: str,
        level: str,
        rule: str,
        reference: str,
        what: str,
        example: object,
        details: Mapping[str, object],
    ) -> None:
        super().__init__(law, what)
        self.law = law
        self.level = level
        self.rule = rule
        self.reference = reference
        self.what = what
        self.example = example
        self.details = dict(details)

    def __str__(self) -> str:
        rows = [*self.details.items(), ("rule", f"{self.rule} ({self.level}, {self.reference})")]
        if self.example is not None:
            rows.insert(0, ("example", repr(self.example)))
        return "\n".join([f"{self.law}: {self.what}", *(f"  {name:8} {value}" for name, value in rows)])


class LawSkipped(unittest.SkipTest):
    """A law cannot be judged, and the message says why; pytest and unittest skip a test that raises it."""


class UnknownLaw(UnknownName):
    """There is no law of that name."""

    kind = "law"
