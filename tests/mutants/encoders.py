"""Wrong encoders, each of which writes what some released one has written."""

from __future__ import annotations

import re
from typing import TypeAlias

from .mutant import Mutant

__all__ = ["ENCODERS", "right"]

Name: TypeAlias = str | None


def right(data: str, event: Name = None, id: Name = None, retry: int | None = None) -> bytes:
    """Checks, and writes; the others differ from it in one thing each."""
    if event is not None and re.search(r"[\r\n]", event):
        raise ValueError(event)
    if id is not None and re.search(r"[\r\n\0]", id):
        raise ValueError(id)
    if retry is not None and (type(retry) is not int or retry < 0):
        raise ValueError(retry)
    return frame(data, event, id, retry)


def frame(data: str, event: str | None, id: str | None, retry: object, lines: str = r"\r\n|\r|\n") -> bytes:
    """Writes, and checks nothing."""
    fields = [] if id is None else [f"id: {id}"]
    fields += [] if event is None else [f"event: {event}"]
    fields += [f"data: {line}" for line in re.split(lines, data)]
    fields += [] if retry is None else [f"retry: {retry}"]
    text = "".join(f"{field}\n" for field in [*fields, ""])
    return re.sub("[\ud800-\udfff]", "\ufffd", text).encode()


def unchecked(data: str, event: Name = None, id: Name = None, retry: int | None = None) -> bytes:
    """Writes a type and an id as they are."""
    return frame(data, event, id, retry)


def lone_cr_passed(data: str, event: Name = None, id: Name = None, retry: int | None = None) -> bytes:
    """Refuses LF, and forgets that a CR ends a line as well."""
    if "\n" in (event or "") or "\n" in (id or ""):
        raise ValueError
    return right(data) if (event, id, retry) == (None, None, None) else frame(data, event, id, retry)


def data_split_at_lf(data: str, event: Name = None, id: Name = None, retry: int | None = None) -> bytes:
    """Splits data at LF only, so that a lone CR in them begins a field."""
    right("x", event, id, retry)
    return frame(data, event, id, retry, lines="\n")


def cleaned(data: str, event: Name = None, id: Name = None, retry: int | None = None) -> bytes:
    """Strips line ends from a type and an id in silence."""
    event = None if event is None else re.sub(r"[\r\n]", "", event)
    return right(data, event, None if id is None else re.sub(r"[\r\n\0]", "", id), retry)


def nul_written(data: str, event: Name = None, id: Name = None, retry: int | None = None) -> bytes:
    """Writes an id with a NUL, which every parser ignores."""
    right(data, event, (id or "").replace("\0", ""), retry)
    return frame(data, event, id, retry)


def split_by_splitlines(data: str, event: Name = None, id: Name = None, retry: int | None = None) -> bytes:
    """Ends lines wherever str.splitlines() does."""
    right("x", event, id, retry)
    text = "\n".join(data.splitlines()) if data else ""
    return frame(text, event, id, retry)


def falsy_dropped(data: str, event: Name = None, id: Name = None, retry: int | None = None) -> bytes:
    """Takes an empty id and a retry of 0 for none."""
    return right(data, event, id or None, retry or None)


def nothing_of_empty_data(data: str, event: Name = None, id: Name = None, retry: int | None = None) -> bytes:
    """Writes no data field where there are no data."""
    frame_ = right(data, event, id, retry)
    return frame_ if data else frame_.replace(b"data: \n", b"")


def no_blank_line(data: str, event: Name = None, id: Name = None, retry: int | None = None) -> bytes:
    """Leaves it to the next event to end this one."""
    return b"\n" + right(data, event, id, retry)[:-1]


def surrogates_raise(data: str, event: Name = None, id: Name = None, retry: int | None = None) -> bytes:
    """Lets half a character raise."""
    data.encode()
    return right(data, event, id, retry)


def retry_as_it_is(data: str, event: str | None = None, id: str | None = None, retry: object = None) -> bytes:
    """Writes whatever it is told for a retry."""
    right(data, event, id)
    return frame(data, event, id, retry)


def any_number_for_a_retry(
    data: str, event: Name = None, id: Name = None, retry: float | None = None
) -> bytes:
    """Writes any number for a retry."""
    right(data, event, id)
    return frame(data, event, id, None if retry is None else retry + 0)


def _mutant(name: str, target: object, killer: str) -> Mutant:
    return Mutant(name=name, kind="encoder", target=target, killer=f"encoder/{killer}")


ENCODERS = (
    _mutant("fields unchecked", unchecked, "one-frame"),
    _mutant("lone CR passed", lone_cr_passed, "one-frame"),
    _mutant("data split at LF only", data_split_at_lf, "one-frame"),
    _mutant("retry as it is", retry_as_it_is, "one-frame"),
    _mutant("any number for a retry", any_number_for_a_retry, "retry"),
    _mutant("CR and LF stripped in silence", cleaned, "no-rewriting"),
    _mutant("NUL in an id", nul_written, "no-rewriting"),
    _mutant("data.splitlines()", split_by_splitlines, "data"),
    _mutant("empty and zero dropped", falsy_dropped, "fields"),
    _mutant("nothing for empty data", nothing_of_empty_data, "empty-data"),
    _mutant("no blank line", no_blank_line, "complete"),
    _mutant("surrogates raise", surrogates_raise, "surrogates"),
)
