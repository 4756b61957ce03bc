"""The life of a stream on a server: one task runs the handler, one writer sends."""

from ..dialects import ObservedStream, Outcome, StreamObserver, StreamSummary
from ._access import Access
from ._drain import Drain
from ._middleware import SSEMiddleware
from ._redaction import RedactingFilter, redact
from ._response import EventStream
from ._settings import Options, Settings
from ._slots import AccessStatistics
from ._statistics import StreamCounter, StreamStatistics
from ._streaming import streaming

__all__ = [
    "Access",
    "AccessStatistics",
    "Drain",
    "EventStream",
    "ObservedStream",
    "Options",
    "Outcome",
    "RedactingFilter",
    "SSEMiddleware",
    "Settings",
    "StreamCounter",
    "StreamObserver",
    "StreamStatistics",
    "StreamSummary",
    "redact",
    "streaming",
]
