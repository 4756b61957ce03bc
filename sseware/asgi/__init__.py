"""The life of a stream on a server: one task runs the handler, one writer sends."""

from ..dialects import ObservedStream, Outcome, StreamObserver, StreamSummary
from ._middleware import SSEMiddleware
from ._response import EventStream
from ._settings import Options, Settings
from ._statistics import StreamCounter, StreamStatistics
from ._streaming import streaming

__all__ = [
    "EventStream",
    "ObservedStream",
    "Options",
    "Outcome",
    "SSEMiddleware",
    "Settings",
    "StreamCounter",
    "StreamObserver",
    "StreamStatistics",
    "StreamSummary",
    "streaming",
]
