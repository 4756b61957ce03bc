"""What is wanted of the figures: the rows of the performance table."""

from __future__ import annotations

import msgspec

__all__ = ["TARGETS", "Target"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wanted.

    Attributes:
        work: What is measured, as the performance table says it.
        benchmark: Where the figure is.
        rows: How the first cells of the row begin; more than one row may fit, and then the worst counts. An empty
            text fits any.
        but: First cells of rows that do not count.
        column: The head of the column.
        at_least: The smallest figure that will do.
        at_most: The largest.
    """

    work: str
    benchmark: str
    rows: tuple[str, ...] = ("",)
    but: tuple[str, ...] = ()
    column: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def wanted(self) -> str:
        """What is wanted of the figure."""
        return f"≥ {self.at_least:.3g}" if self.at_least is not None else f"≤ {self.at_most:.3g}"


# Starlette has two ways to stream, and takes the one for the version of ASGI that the server tells. It is 2.3 from uvicorn
# and granian, 2.1 from hypercorn, none from daphne: what the other way takes is in the tables, and nobody is served by it.
# Over a server the others answer behind a route of a Starlette application, as they are used. The 24 and 42 KiB that the
# performance table tells of an idle connection are what such applications take; their responses alone take 20 and 36.
TARGETS: tuple[Target, ...] = (
    Target(
        work="parse, 16 KiB chunks of small events, beside launchdarkly-eventsource",
        benchmark="parse",
        rows=("small deltas", "16 KiB"),
        column="launchdarkly-eventsource",
        at_least=3,
    ),
    Target(
        work="parse, 16 KiB chunks of small events, beside httpx-sse",
        benchmark="parse",
        rows=("small deltas", "16 KiB"),
        column="httpx-sse",
        at_least=4.5,
    ),
    Target(
        work="parse, 16 KiB chunks of small events, of a bare `split` and `decode`",
        benchmark="parse",
        rows=("small deltas", "16 KiB"),
        column="of bare",
        at_least=0.5,
    ),
    Target(
        work="parse, one event a chunk, beside the best peer",
        benchmark="parse",
        rows=("small deltas", "one event"),
        column="best peer",
        at_least=1.5,
    ),
    Target(
        work="parse, one event a chunk, beside httpx-sse",
        benchmark="parse",
        rows=("small deltas", "one event"),
        column="httpx-sse",
        at_least=2.5,
    ),
    Target(
        work="parse, every other shape and chunking, beside the best peer",
        benchmark="parse",
        but=("with CRLF",),
        column="best peer",
        at_least=1,
    ),
    Target(
        work="parse, with CRLF, beside the best peer",
        benchmark="parse",
        rows=("with CRLF",),
        column="best peer",
        at_least=0.9,
    ),
    Target(
        work="parse, twice the bytes: one line, short lines, empty data lines, comments",
        benchmark="parse",
        column="twice the bytes",
        at_most=2.6,
    ),
    Target(
        work="encode a text with an event name, beside sse-starlette",
        benchmark="encode",
        rows=("a small delta",),
        column="sse-starlette",
        at_least=4.5,
    ),
    Target(
        work="encode a text with an event name, beside FastAPI",
        benchmark="encode",
        rows=("a small delta",),
        column="fastapi",
        at_least=1.3,
    ),
    Target(
        work="encode a dict payload, beside sse-starlette",
        benchmark="encode",
        rows=("a dict",),
        but=("a dict with a float",),
        column="sse-starlette",
        at_least=5,
    ),
    Target(
        work="encode a dict payload, beside FastAPI",
        benchmark="encode",
        rows=("a dict",),
        but=("a dict with a float",),
        column="fastapi",
        at_least=10,
    ),
    Target(
        work="in process, a handler that never suspends, beside sse-starlette",
        benchmark="driver",
        rows=("a handler that never suspends",),
        column="sse-starlette",
        at_least=4,
    ),
    Target(
        work="in process, a handler that never suspends, beside Starlette (spec 2.3)",
        benchmark="driver",
        rows=("a handler that never suspends",),
        column="Starlette 2.3",
        at_least=1,
    ),
    Target(
        work="in process, one event per wake-up, beside sse-starlette",
        benchmark="driver",
        rows=("one event per wake-up",),
        column="sse-starlette",
        at_least=1.5,
    ),
    Target(
        work="in process, one event per wake-up, beside Starlette (spec 2.3)",
        benchmark="driver",
        rows=("one event per wake-up",),
        column="Starlette 2.3",
        at_least=0.8,
    ),
    Target(
        work="in process, setting up and ending a stream, beside sse-starlette",
        benchmark="driver",
        rows=("setting up and ending a stream",),
        column="sse-starlette",
        at_least=2,
    ),
    Target(
        work="in process, setting up and ending a stream, beside Starlette (spec 2.3)",
        benchmark="driver",
        rows=("setting up and ending a stream",),
        column="Starlette 2.3",
        at_least=1,
    ),
    Target(
        work="over uvicorn, a burst of 20 000 events, beside sse-starlette",
        benchmark="server",
        rows=("a burst",),
        column="sse-starlette in Starlette",
        at_least=6,
    ),
    Target(
        work="over uvicorn, a burst of 20 000 events, beside Starlette",
        benchmark="server",
        rows=("a burst",),
        column="Starlette",
        at_least=3,
    ),
    Target(
        work="over uvicorn, groups of 8 events, 10 connections, beside sse-starlette",
        benchmark="server",
        rows=("groups",),
        column="sse-starlette in Starlette",
        at_least=4,
    ),
    Target(
        work="over uvicorn, 1 000 connections at 20 events/s, beside sse-starlette",
        benchmark="server",
        rows=("at 20 events/s",),
        column="sse-starlette in Starlette",
        at_least=1 / 0.7,
    ),
    Target(
        work="over uvicorn, 1 000 connections at 20 events/s, beside Starlette",
        benchmark="server",
        rows=("at 20 events/s",),
        column="Starlette",
        at_least=1,
    ),
    Target(
        work="over uvicorn, 1 000 connections at 20 events/s, time to first byte, p99, beside sse-starlette",
        benchmark="server",
        rows=("first byte at 20 events/s, p99",),
        column="sse-starlette in Starlette",
        at_least=2,
    ),
    # The same where nobody waits in line: under a load that fills a processor it is what an event costs once more.
    Target(
        work="over uvicorn, time to first byte, median, beside sse-starlette",
        benchmark="server",
        rows=("first byte, median",),
        column="sse-starlette in Starlette",
        at_least=1,
    ),
    Target(
        work="over uvicorn, time to first byte, p99, beside sse-starlette",
        benchmark="server",
        rows=("first byte, p99",),
        column="sse-starlette in Starlette",
        at_least=1,
    ),
    Target(
        work="over uvicorn, granian and hypercorn, one connection, a burst, beside sse-starlette",
        benchmark="servers",
        rows=("", "1 connection", "a burst"),
        column="sse-starlette",
        at_least=6,
    ),
    Target(
        work="over uvicorn, granian and hypercorn, any number of connections, a burst, beside sse-starlette",
        benchmark="servers",
        rows=("", "", "a burst"),
        column="sse-starlette",
        at_least=1.5,
    ),
    Target(
        work="over uvicorn, granian and hypercorn, any number of connections, one event per wake-up, beside sse-starlette",
        benchmark="servers",
        rows=("", "", "one event"),
        column="sse-starlette",
        at_least=0.9,  # most of it is the server's own, and two runs differ by a tenth
    ),
    Target(
        work="the middleware on a request that is none of its business, µs",
        benchmark="passthrough",
        rows=("a JSON answer",),
        column="SSEMiddleware",
        at_most=3,
    ),
    Target(
        work="memory per idle connection over uvicorn, KiB",
        benchmark="server",
        rows=("sseware",),
        but=("sseware in Starlette",),
        column="KiB a connection",
        at_most=26,
    ),
    Target(
        work="tasks per idle connection over uvicorn",
        benchmark="server",
        rows=("sseware",),
        but=("sseware in Starlette",),
        column="tasks a connection",
        at_most=4,
    ),
    Target(
        work="wake-ups a second at rest, of all idle connections over uvicorn",
        benchmark="server",
        rows=("sseware",),
        but=("sseware in Starlette",),
        column="wake-ups a second",
        at_most=5,
    ),
    Target(
        work="5 000 idle streams with keepalives over uvicorn, % of a processor",
        benchmark="keepalive",
        rows=("sseware",),
        column="% of a processor",
        at_most=15,
    ),
    Target(
        work="`import sseware`, ms", benchmark="imports", rows=("import sseware",), column="ms", at_most=80
    ),
    Target(
        work="the pytest plugin, ms over pytest",
        benchmark="imports",
        rows=("the pytest",),
        column="ms",
        at_most=5,
    ),
)
