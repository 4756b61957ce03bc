"""Tools for people who test event streams, whatever these are written with.

- `reference_parse`, `ReferenceResult`, `ReferenceEvent`: what the standard says that a stream means, by a slow
  interpreter that is written from its text
- `check_prefixes`, `PrefixOracle`, `PrefixMismatch`: holds an incremental parser against it, after every chunk
- `Vector`, `load_vectors`: conformance vectors as data; the module `sseware.testing.vectors` says more
- `connect`, `SSEStream`: an application in process, on a server `Personality`, as a client sees it
- `lifespan`: starts an application before its requests, and shuts it down after them
- `StreamingTransport`: the same behind an httpx2 or httpx client
- `assert_events`, `IsEvent`, `assert_one_frame`, `assert_lifecycle`, `assert_cadence`, `assert_resumes`: assertions
  that say first what differs first
- `Recorder`, `Recording`, `replay`: a response in a file, chunk by chunk with its times
- `VirtualClock`, `virtual_backend`, `VirtualTimeLoop`: virtual time on asyncio and Trio
- `sse_server`, `LiveServer`, `LIVE_SERVERS`: the same application on a real server, for the length of a ``with``
- `sse_wire_server`, `WireServer`, `WireConnection`, `WireRequest`: a raw socket that treats clients badly
- `fault_proxy`, `FaultProxy`, `Faults`: a proxy that does to connections what networks do
- `ParserSuite`, `EncoderSuite`, `DialectSuite`, `AppSuite`: the laws as classes to subclass; `sseware.testing.laws`
  has them as functions, too
- `cancel_everywhere`: cancels a scenario at each of its checkpoints
- `sseware.testing.errors`: what all of this raises
- `sseware.testing.strategies`: hypothesis strategies; needs hypothesis, and is imported by its own name

Nothing here needs pytest, and nothing but the strategies needs hypothesis. Names are looked up when they are
used, so that a pytest plugin can live in this package without a cost to those who do not use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._assertions import assert_events, assert_lifecycle, assert_one_frame
    from ._cancel_everywhere import cancel_everywhere
    from ._clock import VirtualTimeLoop, virtual_backend
    from ._connect import connect
    from ._fault_proxy import FaultProxy, fault_proxy
    from ._faults import Faults
    from ._lifespan import lifespan
    from ._live_server import LIVE_SERVERS, LiveServer, sse_server
    from ._matching import IsEvent
    from ._oracle import IncrementalParser, ParserFactory, PrefixMismatch, PrefixOracle, check_prefixes
    from ._personalities import PERSONALITIES, Personality, get_personality
    from ._recorder import Recorder, replay
    from ._recording import Recording
    from ._reference import ReferenceEvent, ReferenceResult, reference_parse
    from ._stream import SSEStream
    from ._stream_assertions import assert_cadence, assert_resumes
    from ._transport import StreamingTransport
    from ._virtual_clock import VirtualClock
    from ._wire_server import WireConnection, WireRequest, WireServer, sse_wire_server
    from .laws import AppSuite, DialectSuite, EncoderSuite, ParserSuite
    from .vectors import Vector, load_vectors
else:
    from .._lazy import looked_up_late

    __getattr__, __dir__ = looked_up_late(
        __name__,
        {
            "AppSuite": "laws",
            "DialectSuite": "laws",
            "EncoderSuite": "laws",
            "FaultProxy": "_fault_proxy",
            "Faults": "_faults",
            "IncrementalParser": "_oracle",
            "IsEvent": "_matching",
            "LIVE_SERVERS": "_live_server",
            "LiveServer": "_live_server",
            "PERSONALITIES": "_personalities",
            "ParserFactory": "_oracle",
            "ParserSuite": "laws",
            "Personality": "_personalities",
            "PrefixMismatch": "_oracle",
            "PrefixOracle": "_oracle",
            "Recorder": "_recorder",
            "Recording": "_recording",
            "ReferenceEvent": "_reference",
            "ReferenceResult": "_reference",
            "SSEStream": "_stream",
            "StreamingTransport": "_transport",
            "Vector": "vectors",
            "VirtualClock": "_virtual_clock",
            "VirtualTimeLoop": "_clock",
            "WireConnection": "_wire_server",
            "WireRequest": "_wire_server",
            "WireServer": "_wire_server",
            "assert_cadence": "_stream_assertions",
            "assert_events": "_assertions",
            "assert_lifecycle": "_assertions",
            "assert_one_frame": "_assertions",
            "assert_resumes": "_stream_assertions",
            "cancel_everywhere": "_cancel_everywhere",
            "check_prefixes": "_oracle",
            "connect": "_connect",
            "fault_proxy": "_fault_proxy",
            "get_personality": "_personalities",
            "lifespan": "_lifespan",
            "load_vectors": "vectors",
            "reference_parse": "_reference",
            "replay": "_recorder",
            "sse_server": "_live_server",
            "sse_wire_server": "_wire_server",
            "virtual_backend": "_clock",
        },
    )

__all__ = [
    "LIVE_SERVERS",
    "PERSONALITIES",
    "AppSuite",
    "DialectSuite",
    "EncoderSuite",
    "FaultProxy",
    "Faults",
    "IncrementalParser",
    "IsEvent",
    "LiveServer",
    "ParserFactory",
    "ParserSuite",
    "Personality",
    "PrefixMismatch",
    "PrefixOracle",
    "Recorder",
    "Recording",
    "ReferenceEvent",
    "ReferenceResult",
    "SSEStream",
    "StreamingTransport",
    "Vector",
    "VirtualClock",
    "VirtualTimeLoop",
    "WireConnection",
    "WireRequest",
    "WireServer",
    "assert_cadence",
    "assert_events",
    "assert_lifecycle",
    "assert_one_frame",
    "assert_resumes",
    "cancel_everywhere",
    "check_prefixes",
    "connect",
    "fault_proxy",
    "get_personality",
    "lifespan",
    "load_vectors",
    "reference_parse",
    "replay",
    "sse_server",
    "sse_wire_server",
    "virtual_backend",
]
