"""What clients and servers do to an application: what is asked for, when a client leaves, how a server tells it."""

from __future__ import annotations

from typing import Any

import anyio
import msgspec
from hypothesis import strategies as st

from .._personalities import PERSONALITIES, Personality
from .._stream import SSEStream
from ..errors import StreamEnded

__all__ = ["DisconnectPoint", "accept_headers", "disconnect_points", "personalities"]

_TYPES = (
    "text/event-stream",
    "text/event-stream",
    "application/json",
    "*/*",
    "text/*",
    "TEXT/Event-Stream",
    "text/html",
    "application/x-ndjson",
    "image/*",
)
_PARAMETERS = (
    "q=1",
    "q=0",
    "q=0.5",
    "q=0.001",
    "q=1.000",
    "Q=0.9",
    "dialect=ash",
    'dialect="husk"',
    "charset=utf-8",
    'a="b,c;q=0"',
    'a="\\""',
)
# What the grammar does not have, or has and nobody expects.
_ODD = (
    "",
    "*",
    "text",
    "/",
    "*/json",
    "text/event-stream/x",
    "q=1",
    '"',
    "text/\x7f",
    "\xff/\xfe",
    ";",
    "q=0;q=1",
)
_ODD_PARAMETERS = (
    "q=",
    "q=2",
    "q=-1",
    "q=0.0001",
    "q=nan",
    "q=.5",
    "q",
    "=",
    ";",
    'a="',
    "q=0,5",
    "q=1 ;q=0",
)
_SPACES = st.sampled_from(("", "", " ", "\t", "  "))


@st.composite
def accept_headers(draw: st.DrawFn, *, absent: bool = True, malformed: bool = True) -> str | None:
    """Values of ``Accept``, as negotiation meets them.

    Args:
        draw: Given by hypothesis.
        absent: Whether there may be none at all: ``None``.
        malformed: Whether what the grammar of RFC 9110, section 12.5.1, does not have may be in them.
    """
    if absent and draw(st.integers(0, 7)) == 7:
        return None
    types = st.sampled_from(_TYPES + _ODD if malformed else _TYPES)
    parameters = st.sampled_from(_PARAMETERS + _ODD_PARAMETERS if malformed else _PARAMETERS)
    ranges = []
    for _ in range(draw(st.integers(1, 4))):
        parts = [draw(types), *draw(st.lists(parameters, max_size=2))]
        ranges.append(f"{draw(_SPACES)};{draw(_SPACES)}".join(parts))
    return f"{draw(_SPACES)},{draw(_SPACES)}".join(ranges)


class DisconnectPoint(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """Where a client leaves a stream.

    Attributes:
        events: How many events it reads before.
        seconds: How long it stays then.
        stalled: Whether it has stopped to read then, so that the server must hold what is sent.
    """

    events: int = 0
    seconds: float = 0.0
    stalled: bool = False

    async def leave(self, stream: SSEStream) -> None:
        """Leaves a stream there, or at its end if that comes before.

        Args:
            stream: A stream that was opened with `sseware.testing.connect`.

        Raises:
            AppLeaked: The application did not end in time.
            SSETimeout: So many events did not come in time.
        """
        try:
            await stream.take(self.events)
        except StreamEnded:
            pass
        if self.stalled:
            with stream.paused():
                await anyio.sleep(self.seconds)
                stream.disconnect_nowait()
        else:
            await anyio.sleep(self.seconds)
        await stream.disconnect()


@st.composite
def disconnect_points(
    draw: st.DrawFn, *, max_events: int = 4, max_seconds: float = 60.0, stalled: bool = True
) -> DisconnectPoint:
    """Points at which a client leaves; in virtual time they cost nothing.

    Args:
        draw: Given by hypothesis.
        max_events: The most events that it reads before.
        max_seconds: The longest that it stays after them.
        stalled: Whether it may stop to read before it leaves.
    """
    common = [each for each in (0.0, 0.001, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0) if each <= max_seconds]
    return DisconnectPoint(
        draw(st.integers(0, max_events)),
        draw(st.sampled_from(common) | st.floats(0, max_seconds)),
        stalled and draw(st.booleans()),
    )


@st.composite
def personalities(draw: st.DrawFn, *, named: bool = True, drawn: bool = True) -> Personality:
    """Servers: those that there are, and those that there could be.

    Each tells the application in some way that its client has left: it says so, or cancels it.

    Args:
        draw: Given by hypothesis.
        named: Whether `sseware.testing.PERSONALITIES` are among them.
        drawn: Whether others are among them.
    """
    if named and (not drawn or draw(st.booleans())):
        return draw(st.sampled_from(tuple(PERSONALITIES.values())))
    disconnect: Any = draw(st.sampled_from(("always", "once", "falsely", "never")))
    after: Any = draw(st.sampled_from(("nothing", "OSError")))
    cancels = st.sampled_from((0.0, 1.0, 10.0))
    return Personality(
        name="drawn",
        spec_version=draw(st.sampled_from(("2.3", "2.4", "2.1", None))),
        http_version=draw(st.sampled_from(("1.1", "2", "1.0"))),
        high_water=draw(st.sampled_from((65536, 0, 1, 8192, None))),
        send_suspends=draw(st.booleans()),
        after_disconnect=after,
        disconnect=disconnect,
        cancels_after=draw(cancels if disconnect == "never" else st.none() | cancels),
        holds_head=draw(st.booleans()),
        empty_request=draw(st.booleans()),
        separate_end=draw(st.booleans()),
        keeps_body=draw(st.booleans()),
        unread_limit=draw(st.sampled_from((None, 10))),
    )
