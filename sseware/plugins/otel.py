"""Streams as OpenTelemetry sees them: a span for each, and metrics of all.

Needs the extra ``otel``. It is switched on by name: pass one `OpenTelemetry` as ``observers=[...]``, or set
``SSEWARE_OBSERVERS=otel`` in the environment, and this plugin observes every application of the process. Without
either it is not even imported.

The span is named for the dialect (``stream husk``). It begins before the handler is entered and is the current one
while it runs, so that spans of the handler's are its children; it is itself a child of whatever span the request has.

Metrics, with their instruments and attributes:

- ``sseware.streams.open``: observable up-down counter; dialect
- ``sseware.streams.ended``: counter; dialect, outcome
- ``sseware.events``: observable counter; dialect
- ``sseware.bytes``: observable counter; dialect
- ``sseware.stream.duration``: histogram, seconds; dialect, outcome
- ``sseware.stream.time_to_first_event``: histogram, seconds; dialect

Attributes of metrics have few values: dialects are those that the application allows, outcomes are those of
`Outcome`. No path, topic or id is among them, and none is in a span unless ``paths`` says so: a path may hold one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Final
from weakref import WeakKeyDictionary

from sseware.asgi import StreamCounter, StreamStatistics
from sseware.dialects import ObservedStream, Outcome, StreamObserver, StreamSummary, hookimpl

try:
    from opentelemetry import context, metrics, trace
except ImportError as exc:
    raise ImportError(
        "sseware.plugins.otel needs opentelemetry-api: pip install 'sseware[otel]'", name="opentelemetry"
    ) from exc

__all__ = ["OpenTelemetry", "sseware_stream_observers"]

_SCOPE: Final = "sseware"
_METHODS: Final = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)


class _Current:
    """A span, made the current one."""

    def __init__(self, span: trace.Span) -> None:
        self.span = span
        self._context = trace.set_span_in_context(span)
        self._token = context.attach(self._context)

    def leave(self) -> None:
        # An application that is adapted may send from a task of its own. What was current there has gone with it.
        if context.get_current() is self._context:
            context.detach(self._token)


class OpenTelemetry(StreamObserver):
    """Makes a span of each stream, and counts them all. Make one for a process: instruments have their names once.

    Args:
        tracer_provider: Where the spans go; the global provider.
        meter_provider: Where the metrics go; the global provider.
        paths: Whether a span has the path of the request.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        paths: bool = False,
    ) -> None:
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        self._paths = paths
        self._counter = StreamCounter()
        # Weak: a stream of which the end is never told must not be kept.
        self._spans: WeakKeyDictionary[ObservedStream, _Current] = WeakKeyDictionary()
        meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        meter.create_observable_up_down_counter(
            "sseware.streams.open", [self._each(lambda each: each.open)], "{stream}", "Streams that run."
        )
        meter.create_observable_counter(
            "sseware.events", [self._each(lambda each: each.events)], "{event}", "Events given to servers."
        )
        meter.create_observable_counter(
            "sseware.bytes", [self._each(lambda each: each.bytes)], "By", "Bytes of body given to servers."
        )
        self._ended = meter.create_counter("sseware.streams.ended", "{stream}", "Streams that have ended.")
        self._duration = meter.create_histogram("sseware.stream.duration", "s", "How long streams took.")
        self._first_event = meter.create_histogram(
            "sseware.stream.time_to_first_event", "s", "From the request to the first event."
        )

    def _each(
        self, number: Callable[[StreamStatistics], int]
    ) -> Callable[[metrics.CallbackOptions], Iterable[metrics.Observation]]:
        """Returns what reads one number of each dialect, when somebody collects."""

        def read(options: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
            for name, each in self._counter.statistics().dialects.items():
                yield metrics.Observation(number(each), {"sseware.dialect": name})

        return read

    def on_open(self, stream: ObservedStream) -> None:
        """Begins the span, and makes it the current one."""
        self._counter.on_open(stream)
        attributes = {
            "http.request.method": stream.method if stream.method in _METHODS else "_OTHER",
            "network.protocol.version": stream.http_version,
            "sseware.carrier": stream.carrier,
            "sseware.dialect": stream.dialect,
        }
        if self._paths:
            attributes["url.path"] = stream.path
        span = self._tracer.start_span(f"stream {stream.dialect}", attributes=attributes)
        self._spans[stream] = _Current(span)

    def on_error(self, stream: ObservedStream, error: Exception) -> None:
        """Adds the exception to the span."""
        self._spans[stream].span.record_exception(error)

    def on_close(self, stream: ObservedStream, summary: StreamSummary) -> None:
        """Ends the span, and counts the stream."""
        self._counter.on_close(stream, summary)
        current = self._spans.pop(stream)
        current.leave()
        span = current.span
        span.set_attribute("sseware.outcome", summary.outcome.value)
        span.set_attribute("sseware.events", summary.events)
        span.set_attribute("sseware.bytes", summary.bytes)
        dialect = {"sseware.dialect": stream.dialect}
        if summary.first_event is not None:
            span.set_attribute("sseware.time_to_first_event", summary.first_event)
            self._first_event.record(summary.first_event, dialect)
        if summary.outcome is Outcome.FAILED:
            span.set_status(trace.StatusCode.ERROR)
        span.end()
        how = {**dialect, "sseware.outcome": summary.outcome.value}
        self._ended.add(1, how)
        self._duration.record(summary.duration, how)


@functools.cache
def _of_the_process() -> OpenTelemetry:
    return OpenTelemetry()


@hookimpl
def sseware_stream_observers() -> Iterable[StreamObserver]:
    """Provides the one observer of the process, which uses the global providers."""
    return [_of_the_process()]
