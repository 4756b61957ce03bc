"""The laws of parsers that say what comes out, and when."""

from __future__ import annotations

from functools import partial
from typing import Final

from .._reference import reference_parse
from ..errors import LawSkipped
from ._law import MUST, SHOULD, Broken, law
from ._parser_streams import (
    NO_NUMBERS,
    NUMBERS,
    Chunks,
    any_bytes,
    cut_streams,
    cut_vectors,
    id_streams,
    retries,
    vectors,
    whole_streams,
)
from ._reading import Parse, Reading, Seen, field_of, read, reference_reading, shown

__all__ = ["PARSER_LAWS"]

_PARSING: Final = "WHATWG HTML 9.2.5"
_INTERPRETING: Final = "WHATWG HTML 9.2.6"


def _compare(got: list[Seen], want: list[Seen], what: str = "the events differ from the standard's") -> None:
    if got != want:
        raise Broken(what, got=shown(got), want=shown(want))


def _without_ids(events: list[Seen]) -> list[Seen]:
    return [Seen(each.event, each.data) for each in events]


def _same_but_ids(parse: Parse, chunks: Chunks) -> None:
    """Compares types and data; ids, and events whose data are empty, are the business of other laws."""
    got, want = read(parse, chunks).seen(), reference_reading(b"".join(chunks))
    _compare(_without_ids(_with_data(got)), _without_ids(_with_data(want)))


def _with_data(events: list[Seen]) -> list[Seen]:
    return [each for each in events if each.data]


@law(
    "parser/agrees",
    MUST,
    "Types, data and ids are those of the standard.",
    "WHATWG HTML 9.2",
    needs=("hypothesis",),
    examples=partial(vectors, "bom", "eol", "field", "data", "event", "id", "dispatch", "eof", whole=True),
    random=whole_streams,
    max_examples=100,
)
def _agrees(parse: Parse, chunks: Chunks) -> None:
    _compare(read(parse, chunks).seen(), reference_reading(b"".join(chunks)))


@law(
    "parser/chunk-invariant",
    MUST,
    "A stream means the same however it is cut.",
    _PARSING,
    needs=("hypothesis",),
    examples=cut_vectors,
    random=cut_streams,
    max_examples=100,
)
def _chunk_invariant(parse: Parse, chunks: Chunks) -> None:
    whole = read(parse, [b"".join(chunks)]).seen()
    _compare(read(parse, chunks).seen(), whole, "the events of a stream depend on how it is cut")


@law(
    "parser/prompt",
    MUST,
    "An event comes out with the byte that completes it.",
    "WHATWG HTML 9.2.6; PARSER, P2",
    needs=("a parser that is a generator, an async generator, or a class with feed()", "hypothesis"),
    examples=partial(vectors, "eol"),
    random=cut_streams,
    max_examples=100,
)
def _prompt(parse: Parse, chunks: Chunks) -> None:
    try:
        reading = read(parse, chunks)
    except Broken:
        return  # other laws tell that
    if not reading.lazy:
        raise LawSkipped("the parser returns its events when the stream has ended; make it a generator")
    whole = [event.data for event in reference_reading(b"".join(chunks))]
    if [event.data for event in reading.seen()] != whole:
        return  # other laws tell that
    early = [len(reference_parse(b"".join(chunks[:fed])).events) for fed in range(len(chunks) + 1)]
    for fed, (got, want) in enumerate(zip(_counts(reading, len(chunks)), early, strict=True)):
        if got < want:
            raise Broken(
                f"after chunk {fed} of {len(chunks)} the parser asked for more and had told {got} of {want} events",
                late=repr(whole[got]),
            )


def _counts(reading: Reading, chunks: int) -> list[int]:
    """Returns how many events had come after each chunk; one that stops early has told all that it will."""
    missing = chunks + 1 - len(reading.counts)
    return [*reading.counts, *[len(reading.raw)] * missing]


@law(
    "parser/line-ends",
    MUST,
    "A line ends with LF, CRLF or CR, and with nothing else: not with U+2028, U+0085 or a form feed.",
    _PARSING,
    examples=partial(vectors, "eol", "lookalike"),
)
def _line_ends(parse: Parse, chunks: Chunks) -> None:
    _same_but_ids(parse, chunks)


@law(
    "parser/fields",
    MUST,
    "A field is a name in lower case, a colon, at most one space that is dropped, and a value; others are ignored.",
    _INTERPRETING,
    examples=partial(vectors, "field", "comment", "event"),
)
def _fields(parse: Parse, chunks: Chunks) -> None:
    _same_but_ids(parse, chunks)


@law(
    "parser/dispatch",
    MUST,
    "An event needs data, which may be empty: an id, a type or a retry alone is none.",
    _INTERPRETING,
    examples=partial(vectors, "dispatch", "data"),
)
def _dispatch(parse: Parse, chunks: Chunks) -> None:
    got, want = read(parse, chunks).seen(), reference_reading(b"".join(chunks))
    _compare(_without_ids(got), _without_ids(want))


@law(
    "parser/unfinished-end",
    MUST,
    "What no blank line has ended when the stream ends is discarded.",
    _PARSING,
    examples=partial(vectors, "eof"),
)
def _unfinished_end(parse: Parse, chunks: Chunks) -> None:
    _same_but_ids(parse, chunks)


@law(
    "parser/bom-once",
    MUST,
    "One byte order mark at the start is dropped, and no other one.",
    _PARSING,
    examples=partial(vectors, "bom"),
)
def _bom_once(parse: Parse, chunks: Chunks) -> None:
    _same_but_ids(parse, chunks)


@law(
    "parser/utf-8",
    MUST,
    "Each broken piece of UTF-8 becomes one U+FFFD, however it is cut; nothing is raised.",
    "WHATWG Encoding 4.1, 8.1.1",
    examples=partial(vectors, "utf8"),
)
def _utf_8(parse: Parse, chunks: Chunks) -> None:
    _same_but_ids(parse, chunks)


@law(
    "parser/sticky-id",
    MUST,
    "An event has the last event ID string: an id stays for the events after it, until another one or an empty one.",
    _INTERPRETING,
    examples=lambda: id_streams(nul=False),
)
def _sticky_id(parse: Parse, chunks: Chunks) -> None:
    _compare_ids(parse, chunks)


@law(
    "parser/nul-id",
    MUST,
    "An id with a NUL in it is ignored, and the one before stays.",
    _INTERPRETING,
    examples=lambda: id_streams(nul=True),
)
def _nul_id(parse: Parse, chunks: Chunks) -> None:
    _compare_ids(parse, chunks)


def _compare_ids(parse: Parse, chunks: Chunks) -> None:
    got = [event.id for event in _with_data(read(parse, chunks).seen())]
    want = [event.id for event in _with_data(reference_reading(b"".join(chunks)))]
    if got != want:
        raise Broken("the ids of the events differ from the standard's", got=got, want=want)


@law(
    "parser/retry-digits",
    MUST,
    "A retry of ASCII digits is a number of milliseconds; any other one is ignored, and nothing is raised.",
    _INTERPRETING,
    examples=retries,
)
def _retry_digits(parse: Parse, chunks: Chunks) -> None:
    reading = read(parse, chunks)
    _compare(_without_ids(reading.seen()), [Seen("message", "x")])
    value = chunks[0].removeprefix(b"retry: ").partition(b"\n")[0]
    retry = getattr(reading.raw[0], "retry", None)
    if value in NO_NUMBERS and retry:
        raise Broken(f"{value.decode()!r} was taken for a reconnection time", got=retry, want=None)
    if (
        value in NUMBERS
        and hasattr(reading.raw[0], "retry")
        and str(retry) not in (value.decode(), str(int(value)))
    ):
        raise Broken("the retry of an event is not that of its block", got=repr(retry), want=int(value))


@law(
    "parser/total",
    MUST,
    "Any bytes can be read: nothing is raised, and events are text.",
    "WHATWG HTML 9.2.5; PARSER, P8",
    needs=("hypothesis",),
    examples=partial(vectors, "utf8", whole=True),
    random=any_bytes,
    max_examples=100,
)
def _total(parse: Parse, chunks: Chunks) -> None:
    for event in read(parse, chunks).seen():
        fields: tuple[object, ...] = (event.data, event.event, event.id)
        if not all(isinstance(field, str) for field in fields):
            raise Broken("an event has a field that is no str", got=repr(event))


@law(
    "parser/default-type",
    SHOULD,
    "An event without a type is of the type message, and not of none.",
    _INTERPRETING,
    examples=lambda: [[b"data: x\n\n"], [b"event: \ndata: x\n\n"]],
)
def _default_type(parse: Parse, chunks: Chunks) -> None:
    for event in read(parse, chunks).raw:
        kind = field_of(event, "event", None)
        if kind != "message":
            raise Broken(
                "the type of an event that has none is not message", got=repr(kind), want="'message'"
            )


PARSER_LAWS: Final = (
    _agrees,
    _chunk_invariant,
    _prompt,
    _line_ends,
    _fields,
    _dispatch,
    _unfinished_end,
    _bom_once,
    _sticky_id,
    _nul_id,
    _retry_digits,
    _utf_8,
    _total,
    _default_type,
)
"""In the order in which they are told."""
