r"""The fast path: blocks that are complete and look as most blocks do.

It reads what `PendingEvent` would read, and nothing else; these are its assumptions, and why they hold.

1. *The text begins at a block's start and ends with a blank line; its only line end is LF.* The parser cuts it
   so. Whatever ``"\n\n"`` follows a block's first line ends that block, so that blocks can be found by searching.
2. *Decoding a whole text is the same as decoding its values one by one.* A line end ends any broken UTF-8
   sequence, and so does the colon; the replacement character is neither.
3. *No limit can be reached in it.* The parser has looked at the length of the text, or at the number of its lines.
4. *A value is what follows ``": "`` up to the line end*, in a line that begins with the name of a field. A second
   space belongs to the value. Fields without the space, without a colon or out of the usual order are not usual:
   they go to `PendingEvent`.
"""

from __future__ import annotations

import re
from typing import Final

from ..events import ReceivedEvent, ServerSentEvent
from ._pending import PendingEvent

__all__ = ["read_blocks"]

# A block in the usual order (id, event, one or more data lines), or else any block at all: the second
# alternative matches whatever the first one does not, and all blank lines after it, so that the matches follow each
# other without a gap.
# Group 1, the id, is not empty and without NUL; an empty one resets, and is rare. Each part is possessive: nothing is
# tried twice, and nothing is remembered for it.
_BLOCK: Final = re.compile(
    r"(?:id: ([^\n\0]++)\n)?+(?:event: (.++)\n)?+data: (.*+\n(?:data: .*+\n)*+)\n" + r"|((?:.++\n)*+\n++)"
)
_LONGEST_SHAPE: Final = 256


def read_blocks(text: str, pending: PendingEvent) -> list[ServerSentEvent]:
    """Reads complete blocks.

    Args:
        text: Blocks, each with its blank line, with LF only, within the limits.
        pending: The state of the parser, with nothing in it that is not committed.
    """
    opening, type_ = pending.shape
    if not text.startswith(opening):
        shape = _shape(text)
        if shape is None:
            return _read_mixed(text, pending)
        opening, type_ = pending.shape = shape
    # Events come in runs of one shape. What stands between two values is always the same then, and one split
    # finds all values.
    events: list[ServerSentEvent] = []
    for value in text[len(opening) : -2].split("\n\n" + opening):
        if "\n" not in value:
            events.append(ReceivedEvent(value, type_, None, None, pending.last_event_id))
        else:  # the run was interrupted: more lines follow, or other blocks
            events += _read_mixed(f"{opening}{value}\n\n", pending)
    return events


def _shape(text: str) -> tuple[str, str] | None:
    """Returns what stands before the first value, and the type, where that is all: ``event: delta, data: ``."""
    before, _, _ = text.partition("data: ")
    if not before:
        return "data: ", "message"
    type_ = before[7:-1]
    if len(before) <= _LONGEST_SHAPE and type_ and before == f"event: {type_}\n" and "\n" not in type_:
        return before + "data: ", type_
    return None


def _read_mixed(text: str, pending: PendingEvent) -> list[ServerSentEvent]:
    events: list[ServerSentEvent] = []
    last_event_id = pending.last_event_id
    for own_id, type_, data, unusual in _BLOCK.findall(text):
        if unusual:
            pending.last_event_id = last_event_id
            pending.read(unusual.encode(), 0, events)
            last_event_id = pending.last_event_id
            continue
        if own_id:
            last_event_id = own_id
        # Any "\ndata: " within is the beginning of a line.
        data = data[:-1].replace("\ndata: ", "\n")
        events.append(ReceivedEvent(data, type_ or "message", own_id or None, None, last_event_id))
    pending.last_event_id = last_event_id
    return events
