"""The streams with which parsers are tried: our vectors, cut and whole, and random ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from ..vectors import feedings, load_vectors

__all__ = [
    "NO_NUMBERS",
    "NUMBERS",
    "Chunks",
    "any_bytes",
    "cut_streams",
    "cut_vectors",
    "id_streams",
    "retries",
    "vectors",
    "whole_streams",
]

Chunks: TypeAlias = list[bytes]
"""A stream, as it is cut."""

_LONG: Final = 100
NUMBERS: Final = (b"2500", b"0", b"0400", b"86400000")
NO_NUMBERS: Final = tuple(
    text.encode()
    for text in (
        "-5",
        "+5",
        "1_0",
        " 5",
        "5 ",
        "2.5",
        "1e3",
        "0x1F",
        "٣",
        "²",
        "5s",
        "soon",
        "nan",
        "",
        "5\0",
    )
)


def vectors(*groups: str, whole: bool = False) -> Iterator[Chunks]:
    """Yields the vectors of some groups whole, and then byte by byte, and cut in two at every place."""
    stored = [each for group in groups for each in load_vectors(f"sse/parse/{group}/")]
    # A parser that is asked by the laws knows of no connection before.
    known = [each.wire for each in stored if not each.initial_last_event_id and len(each.wire) < _LONG]
    if "utf8" not in groups:
        # What is broken is the business of one law: a parser that raises there would break all others, too.
        known = [wire for wire in known if wire.decode(errors="ignore").encode() == wire]
    # The first that breaks a law is what is shown.
    streams = sorted(known, key=len)
    yield from ([stream] for stream in streams)
    for stream in () if whole else streams:
        yield from (list(chunks) for chunks in sorted(feedings(stream), key=len))


def cut_vectors() -> Iterator[Chunks]:
    """Yields streams whose meaning must not depend on their cuts."""
    # An empty chunk means nothing, and never the end.
    yield [b"data: a\ndata: b", b"", b"\n\n"]
    yield from vectors("eol", "bom")


def cut_streams() -> Any:
    """Random streams, cut anywhere."""
    from ..strategies import chunkings, wire_streams

    return wire_streams(valid_utf_8=True).flatmap(chunkings)


def whole_streams() -> Any:
    """Random streams in one chunk."""
    from ..strategies import wire_streams

    return wire_streams(valid_utf_8=True).map(lambda stream: [stream])


def any_bytes() -> Any:
    """Chunks of anything."""
    from hypothesis import strategies as st

    from ..strategies import chunkings, wire_streams

    pieces = st.binary(max_size=12) | st.sampled_from(
        (b"data:", b"\n", b"\r", b"id:", b"retry:", b":", b"\0")
    )
    return st.lists(pieces, max_size=8) | wire_streams().flatmap(chunkings)


def id_streams(*, nul: bool) -> Iterator[Chunks]:
    """Returns the vectors of ids, those with a NUL in one or the others."""
    return (chunks for chunks in vectors("id") if (b"\0" in b"".join(chunks)) == nul)


def retries() -> Iterator[Chunks]:
    """Yields a stream for each retry that is a number, or is none."""
    yield from ([b"retry: " + text + b"\ndata: x\n\n"] for text in (*NUMBERS, *NO_NUMBERS, b"9" * 400))
