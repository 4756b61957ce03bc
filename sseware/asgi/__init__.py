"""The life of a stream on a server: one task runs the handler, one writer sends."""

from ._middleware import SSEMiddleware
from ._response import EventStream
from ._settings import Options, Settings
from ._streaming import streaming

__all__ = ["EventStream", "Options", "SSEMiddleware", "Settings", "streaming"]
