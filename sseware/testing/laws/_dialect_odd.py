"""The laws of dialects that say what becomes of odd events and odd values: neither kills a stream."""

from __future__ import annotations

from typing import Any, Final

from ...dialects import StreamContext
from ...errors import InvalidDialectEvent, InvalidEvent, InvalidItem
from ...events import ServerSentEvent
from ...items import Data, Failure, Finish, Item, Text, ToolCall, ToolResult
from ._dialect_examples import ODD_VALUES, odd_events
from ._dialect_run import DESIGN, decoded, ends, events_of, terminators, the_dialect, written
from ._law import MUST, Broken, law

__all__ = ["DIALECT_ODD_LAWS"]


@law(
    "dialect/total",
    MUST,
    "Any event can be read, or is refused as InvalidDialectEvent; nothing else is raised.",
    f"{DESIGN}, 6",
    needs=("hypothesis",),
    random=odd_events,
    max_examples=150,
)
def _total(target: Any, event: ServerSentEvent) -> None:
    dialect = the_dialect(target)
    named = [event, *(ServerSentEvent(event.data, event=each.event) for each in terminators(dialect))]
    for each in named:
        try:
            found = list(dialect.decoder().decode(each))
        except InvalidDialectEvent:
            continue
        except Exception as error:
            raise Broken(f"the decoder raised {error!r}", event=each) from error
        if not all(isinstance(item, Item | ServerSentEvent) for item in found):
            raise Broken("the decoder returned what is no item", event=each, got=found)


@law(
    "dialect/odd-values",
    MUST,
    "A value that JSON lacks is refused as an item, or written; it never kills a stream.",
    "FAULTS E13, E8",
    examples=lambda: list(ODD_VALUES),
)
def _odd_values(target: Any, value: str) -> None:
    dialect, odd = the_dialect(target), ODD_VALUES[value]
    for item in (Data(odd), ToolCall("c", "t", {"x": odd}), ToolResult("c", odd)):
        for end in (Finish(), Failure("no")):
            try:
                stream = written(dialect, [Text("a"), item, Text("b")], end)
            except Exception as error:
                raise Broken(
                    f"the encoder raised {error!r}, and neither InvalidItem nor InvalidEvent"
                ) from error
            if len(ends(decoded(dialect, events_of(stream)))) > 1:
                raise Broken("a stream with such a value has more than one end")
        fold = dialect.fold(StreamContext(clock=float))
        try:
            fold.add(item)
        except (InvalidItem, InvalidEvent):
            continue
        except Exception as error:
            raise Broken(f"the fold raised {error!r}") from error


DIALECT_ODD_LAWS: Final = (_total, _odd_values)
"""In the order in which they are told."""
