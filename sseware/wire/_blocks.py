r"""The fast path: blocks that are complete and look as most blocks do.

It reads what `PendingEvent` would read, and nothing else; these are its assumptions, and why they hold.

1. *The text begins at a block's start and ends with a blank line; its only line end is LF.* The parser cuts it
   so. Whatever ``"\n\n"`` follows a block's first line ends that block, so that blocks can be found by searching.
2. *Decoding a whole text is the same as decoding its values one by one.* A line end ends any broken UTF-8
   sequence, and so does the colon; the replacement character is neither.
3. *No limit can be reached in it.* It is not longer than an event may be, nor than 64 KiB, where there is no room
   for more data lines than an event may have.
4. *A value is what follows ``": "`` up to the line end*, in a line that begins with the name of a field. A second
   space belongs to the value. Fields without the space, without a colon or out of the usual order are not usual:
   they go to `PendingEvent`.
"""

from __future__ import annotations

import re
from typing import Final

from ..events import ReceivedEvent, ServerSentEvent
from ._pending import PendingEvent

__all__ = ["read_blocks", "sole_id"]

# Comments, and then a block in the usual order (id, event, one or more data lines), or no more than blank lines. Or
# else any block at all: the last alternative matches what the first two do not, so that the matches follow each other
# without a gap. The id has no NUL in it and is not empty: an empty one resets, and is rare.
# Each part is possessive: nothing is tried twice, and nothing is remembered for it.
_BLOCK: Final = re.compile(
    r"(?::.*+\n)*+(?:"
    r"(?:id: ([^\n\0]++)\n)?+(?:event: (.++)\n)?+data: (.*+\n(?:data: .*+\n)*+)\n"
    r"|\n++)"
    r"|((?:.++\n)*+\n++)"
)
# A longer type is not remembered.
_LONGEST_TYPE: Final = 256


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
    if text.startswith("data: "):
        return "data: ", "message"
    type_ = text[7 : text.find("\n")]
    opening = f"event: {type_}\ndata: "
    return (opening, type_) if type_ and len(type_) <= _LONGEST_TYPE and text.startswith(opening) else None


def sole_id(before: str) -> str | None:
    """Returns the id, where what stands before an event's usual fields is an ``id`` field and nothing else."""
    if before.startswith("id: ") and before.find("\n") == len(before) - 1 and "\0" not in before:
        return before[4:-1] or None
    return None


def _read_mixed(text: str, pending: PendingEvent) -> list[ServerSentEvent]:
    events: list[ServerSentEvent] = []
    last_event_id, last_type = pending.last_event_id, None
    for own_id, type_, data, unusual in _BLOCK.findall(text):
        if data:  # its line end at least
            last_type = type_
            last_event_id = own_id or last_event_id
            # Any "\ndata: " within is the beginning of a line.
            value = data[:-1].replace("\ndata: ", "\n")
            events.append(ReceivedEvent(value, type_ or "message", own_id or None, None, last_event_id))
        elif unusual:
            pending.last_event_id = last_event_id
            pending.read(unusual.encode(), 0, events)
            last_event_id = pending.last_event_id
    pending.last_event_id = last_event_id
    if last_type is not None and len(last_type) <= _LONGEST_TYPE:
        pending.shape = (f"event: {last_type}\ndata: ", last_type) if last_type else ("data: ", "message")
    return events
