"""A span of each stream, and metrics of all, as OpenTelemetry's own exporters in memory see them."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sseware import EventStream, SSEMiddleware
from sseware.asgi import Settings
from sseware.dialects import Registry
from sseware.plugins import otel
from sseware.plugins.otel import OpenTelemetry
from tests.asgi.fakes import answer, request, serving, until

pytestmark = pytest.mark.anyio

SECRET = "topic-4711"


class Telemetry:
    """Everything in memory."""

    def __init__(self, **options: Any) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.traces = TracerProvider(shutdown_on_exit=False)
        self.traces.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.observer = OpenTelemetry(tracer_provider=self.traces, meter_provider=self.meters, **options)

    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def metrics(self) -> dict[str, dict[Any, Any]]:
        """The points of each metric, by their attributes."""
        data: Any = self.reader.get_metrics_data()
        found = data.resource_metrics[0].scope_metrics[0].metrics if data else []
        return {
            metric.name: {
                tuple(sorted(point.attributes.values())): getattr(point, "value", None)
                or getattr(point, "sum", 0)
                for point in metric.data.data_points
            }
            for metric in found
        }


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    telemetry = Telemetry()
    yield telemetry
    telemetry.traces.shutdown()
    telemetry.meters.shutdown()


async def two() -> AsyncIterator[str]:
    await anyio.sleep(0.01)
    yield "a"
    yield "b"


async def fails() -> AsyncIterator[str]:
    yield "a"
    raise ValueError("broken")


async def test_a_stream_is_a_span(telemetry: Telemetry) -> None:
    app = SSEMiddleware(two, observers=[telemetry.observer])
    server = await answer(app, request(path=f"/{SECRET}", query=SECRET, http_version="2"))
    (span,) = telemetry.exporter.get_finished_spans()
    attributes = dict(span.attributes or {})
    assert span.name == "stream plain"
    first: Any = attributes.pop("sseware.time_to_first_event")
    assert first > 0
    assert attributes == {
        "http.request.method": "GET",
        "network.protocol.version": "2",
        "sseware.carrier": "http",
        "sseware.dialect": "plain",
        "sseware.outcome": "finished",
        "sseware.events": 2,
        "sseware.bytes": len(server.body),
    }
    assert span.status.is_unset


async def test_a_stream_that_fails_is_a_span_with_its_exception(telemetry: Telemetry) -> None:
    await answer(SSEMiddleware(fails, observers=[telemetry.observer]))
    (span,) = telemetry.exporter.get_finished_spans()
    assert span.status.status_code is trace.StatusCode.ERROR
    (event,) = span.events
    assert (event.attributes or {})["exception.message"] == "broken"


async def test_a_stream_stands_between_the_requests_span_and_the_handlers(telemetry: Telemetry) -> None:
    tracer = telemetry.traces.get_tracer("test")

    async def handler() -> AsyncIterator[str]:
        with tracer.start_as_current_span("inside"):
            yield "a"

    with tracer.start_as_current_span("outside") as outside:
        await answer(SSEMiddleware(handler, observers=[telemetry.observer]))
        assert trace.get_current_span() is outside, "what was current is current again"
    spans = telemetry.spans()
    stream, inside = spans["stream plain"], spans["inside"]
    assert stream.parent is not None
    assert stream.parent.span_id == outside.get_span_context().span_id
    assert inside.parent is not None
    assert stream.context is not None
    assert inside.parent.span_id == stream.context.span_id


async def test_an_application_that_sends_from_a_task_of_its_own_leaves_no_span_behind(
    telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def stream() -> None:
            headers = [(b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"a"})

        async with anyio.create_task_group() as group:
            group.start_soon(stream)

    outside = trace.get_current_span()
    adapted = SSEMiddleware(app, adapt=True, observers=[telemetry.observer])
    await answer(adapted, request(accept="text/event-stream"))
    assert trace.get_current_span() is outside
    (span,) = telemetry.exporter.get_finished_spans()
    assert (span.attributes or {})["sseware.outcome"] == "finished"
    assert "detach" not in caplog.text


async def test_metrics_count_streams_by_dialect_and_outcome_and_by_nothing_else(telemetry: Telemetry) -> None:
    """A9."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        handler, dialect = scope["path"].split("/")[1:3]
        content = {"two": two, "fails": fails}[handler]()
        await EventStream(content, dialect=dialect)(scope, receive, send)

    wrapped = SSEMiddleware(app, observers=[telemetry.observer])
    for number, path in enumerate(["/two/plain", "/two/plain", "/fails/plain", "/two/machpay"]):
        scope = request(path=f"{path}/{SECRET}-{number}", accept="text/event-stream", query=SECRET)
        await answer(wrapped, scope)
    found = telemetry.metrics()
    assert found["sseware.streams.ended"] == {
        ("finished", "plain"): 2,
        ("failed", "plain"): 1,
        ("finished", "machpay"): 1,
    }
    assert found["sseware.streams.open"] == {("plain",): 0, ("machpay",): 0}
    assert found["sseware.events"][("plain",)] >= 5
    assert found["sseware.bytes"][("plain",)] > 0
    assert set(found["sseware.stream.duration"]) == set(found["sseware.streams.ended"])
    assert set(found["sseware.stream.time_to_first_event"]) == {("plain",), ("machpay",)}
    assert SECRET not in repr(telemetry.reader.get_metrics_data()) + repr(found)
    told = [(span.name, span.attributes) for span in telemetry.exporter.get_finished_spans()]
    assert SECRET not in repr(told)


async def test_a_stream_that_runs_is_measured_while_it_runs(telemetry: Telemetry) -> None:
    async def handler() -> AsyncIterator[str]:
        yield "a"
        await anyio.sleep_forever()

    async with serving(SSEMiddleware(handler, observers=[telemetry.observer])) as server:
        await until(lambda: server.body)
        found = telemetry.metrics()
        assert (found["sseware.streams.open"], found["sseware.events"]) == ({("plain",): 1}, {("plain",): 1})
        assert telemetry.exporter.get_finished_spans() == ()
    assert telemetry.metrics()["sseware.streams.open"] == {("plain",): 0}
    (span,) = telemetry.exporter.get_finished_spans()
    assert (span.attributes or {})["sseware.outcome"] == "left"


async def test_a_method_that_is_none_does_not_become_a_label() -> None:
    """A9."""
    telemetry = Telemetry(paths=True)
    await answer(SSEMiddleware(two, observers=[telemetry.observer]), request("BREW", path="/pot"))
    (span,) = telemetry.exporter.get_finished_spans()
    assert (span.attributes or {})["http.request.method"] == "_OTHER"
    assert (span.attributes or {})["url.path"] == "/pot"


async def test_a_stream_without_events_has_no_time_to_the_first(telemetry: Telemetry) -> None:
    async def nothing() -> AsyncIterator[str]:
        for _ in ():
            yield ""

    await answer(SSEMiddleware(nothing, observers=[telemetry.observer]))
    (span,) = telemetry.exporter.get_finished_spans()
    assert "sseware.time_to_first_event" not in (span.attributes or {})
    assert "sseware.stream.time_to_first_event" not in telemetry.metrics()


async def test_without_providers_it_costs_a_little_and_does_nothing() -> None:
    server = await answer(SSEMiddleware(two, observers=[OpenTelemetry()]))
    assert server.body == b"data: a\n\ndata: b\n\n"


def test_the_plugin_has_one_observer_for_the_process() -> None:
    (first,), (second,) = otel.sseware_stream_observers(), otel.sseware_stream_observers()
    assert first is second
    assert isinstance(first, OpenTelemetry)


@pytest.mark.parametrize(
    ("variables", "observers", "problems"),
    [
        pytest.param({}, [], [], id="nobody-asks"),
        pytest.param({"SSEWARE_OBSERVERS": "otel"}, [OpenTelemetry], [], id="asked-for"),
        pytest.param(
            {"SSEWARE_OBSERVERS": "otel", "SSEWARE_DISABLE_PLUGINS": "otel"}, [], [], id="switched-off"
        ),
        pytest.param(
            {"SSEWARE_OBSERVERS": "oracle"},
            [],
            ["SSEWARE_OBSERVERS asks for 'oracle'; there are: otel"],
            id="unknown",
        ),
    ],
)
def test_the_environment_switches_it_on(
    variables: dict[str, str], observers: list[type], problems: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """T4."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    registry = Registry(installed=False)
    assert [type(each) for each in registry.stream_observers(Settings())] == observers
    assert [str(each) for each in registry.problems] == problems


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is missing, and the plugin was not imported when it was there."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "sseware.plugins.otel")


@pytest.mark.usefixtures("without_package")
def test_where_the_package_is_missing_the_plugin_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """T3."""
    assert Registry(installed=False).problems == ()
    monkeypatch.setenv("SSEWARE_OBSERVERS", "otel")
    registry = Registry(installed=False)
    assert registry.stream_observers(Settings()) == ()
    assert list(map(str, registry.problems)) == [
        "plugin sseware:otel: ImportError: sseware.plugins.otel needs opentelemetry-api: "
        "pip install 'sseware[otel]'"
    ]


@pytest.mark.usefixtures("without_package")
def test_who_asks_for_it_by_name_is_told_what_to_install() -> None:
    with pytest.raises(ImportError, match=r"pip install 'sseware\[otel\]'") as missing:
        importlib.import_module("sseware.plugins.otel")
    assert missing.value.name == "opentelemetry"


def test_nothing_of_it_is_imported_unless_it_is_asked_for() -> None:
    """T4."""
    script = (
        "import sys; from sseware.dialects import Registry; Registry(); print('opentelemetry' in sys.modules)"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("SSEWARE_")}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
