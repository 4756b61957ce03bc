"""What handlers yield, and what dialects make of it."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from ...dialects import AnItem, ChunkEncoder, Dialect, StreamContext, get_dialect
from ...errors import InvalidEvent, InvalidItem
from ...items import (
    Data,
    Failure,
    File,
    Finish,
    Item,
    Log,
    Start,
    Step,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)
from ._events import events
from ._text import hostile_text

__all__ = ["dialect_streams", "items", "kinds"]

# Lone surrogates have no UTF-8, so that no dialect could carry them.
_TEXTS = hostile_text(surrogates=False)
_STEPS = "node_start", "node_end", "edge_transition", "state_update", "interrupt", "no_such_step"
_MEDIA_TYPES = "application/octet-stream", "text/plain; charset=utf-8", "image/png"


@cache
def _values(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """JSON values that every JSON library reads back as they were."""
    numbers = st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9, width=32)
    plain = st.none() | st.booleans() | numbers | texts
    return plain | st.lists(plain, max_size=2) | _objects(texts, plain)


def _objects(
    texts: st.SearchStrategy[str], values: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(texts, values, max_size=2)


@cache
def kinds(texts: st.SearchStrategy[str] = _TEXTS) -> dict[type[Item], st.SearchStrategy[Any]]:
    """Returns a strategy for each kind of item.

    Args:
        texts: The texts in them.
    """
    values = _values(texts)
    objects, maybe = _objects(texts, values), st.none() | texts
    tokens, statuses = st.integers(0, 2**31), st.sampled_from((400, 404, 429, 500, 503))
    shown = st.sampled_from(("inline", "attachment"))
    return {
        Text: st.builds(Text, texts),
        Log: st.builds(Log, texts),
        Thinking: st.builds(Thinking, texts),
        Data: st.builds(Data, values, maybe),
        Start: st.builds(Start, maybe, maybe, objects),
        ToolCall: st.builds(ToolCall, texts, texts, objects),
        ToolResult: st.builds(ToolResult, texts, values, st.booleans()),
        Step: st.builds(Step, st.sampled_from(_STEPS), texts, st.none() | objects, maybe),
        Usage: st.builds(Usage, tokens, tokens),
        Finish: st.builds(Finish, st.booleans(), st.none() | st.integers(0, 255), values),
        Failure: st.builds(Failure, texts, texts, statuses, st.none() | st.integers(0, 3600)),
        File: st.builds(File, st.binary(max_size=16), texts, st.sampled_from(_MEDIA_TYPES), shown),
    }


_ENDS = (Finish, Failure)


@cache
def _within(texts: st.SearchStrategy[str]) -> st.SearchStrategy[AnItem]:
    every = kinds(texts)
    # Text is what most items are.
    return st.one_of([every[Text], *(every[kind] for kind in every if kind not in (*_ENDS, File))])


@cache
def _ends(texts: st.SearchStrategy[str]) -> st.SearchStrategy[AnItem]:
    return st.one_of([kinds(texts)[kind] for kind in _ENDS])


_EVENTS = events()


@st.composite
def items(
    draw: st.DrawFn,
    *,
    texts: st.SearchStrategy[str] = _TEXTS,
    ends: bool = True,
    files: bool = True,
    raw_events: bool = True,
) -> AnItem:
    """Items that a handler may yield.

    Args:
        draw: Given by hypothesis.
        texts: The texts in them, names and keys included; `hostile_text` by default, without lone surrogates.
        ends: Whether `sseware.items.Finish` and `sseware.items.Failure` are among them, after which nothing is sent.
        files: Whether `sseware.items.File` is among them, which no stream can carry.
        raw_events: Whether `sseware.ServerSentEvent` is among them, which is sent as it is.
    """
    within = _within(texts)
    ways = [within, within, within]
    ways += [_ends(texts)] * ends + [kinds(texts)[File]] * files + [_EVENTS] * raw_events
    return draw(st.one_of(ways))


@st.composite
def dialect_streams(
    draw: st.DrawFn,
    dialect: str | Dialect,
    *,
    max_size: int = 6,
    texts: st.SearchStrategy[str] = _TEXTS,
    ended: bool = True,
) -> bytes:
    """Whole streams as a dialect writes them: items, then its end, good or bad.

    Where a dialect writes the time of day or a random id, they are those of now.

    Args:
        draw: Given by hypothesis.
        dialect: The dialect, or its name.
        max_size: The most items before the end; those that the dialect refuses are left out.
        texts: The texts in the items; `hostile_text` by default, without lone surrogates.
        ended: Whether there is an end; otherwise the stream is cut where that would stand.
    """
    encoder = ChunkEncoder(get_dialect(dialect).open(StreamContext(clock=_no_time)))
    stream = b""
    for item in draw(st.lists(_within(texts), max_size=max_size)):
        try:
            stream += encoder.encode(item)
        except (InvalidItem, InvalidEvent):
            continue
    if not ended:
        return stream
    end = draw(_ends(texts))
    if isinstance(end, Failure):
        return stream + encoder.fail(end)
    return stream + encoder.encode(end) + encoder.finish()


def _no_time() -> float:
    return 0.0
