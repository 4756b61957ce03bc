"""JSON as others write it, read: JavaScript's lone surrogates among it."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec

__all__ = ["read_json"]

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(text: str, kind: Any = Any) -> Any:
    r"""Reads JSON.

    A lone surrogate that is escaped is JSON (RFC 8259, section 8.2): JavaScript writes it, and reads it. msgspec does
    not, so the standard library reads such texts.

    >>> read_json('{"a": "\\ud800"}')
    {'a': '\ud800'}

    Args:
        text: The text.
        kind: What it must be: any type that msgspec knows.

    Raises:
        msgspec.ValidationError: It is of another shape.
        msgspec.DecodeError: It is not JSON, or nested deeper than can be read.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as exc:
        if not _SURROGATE.search(text):
            raise msgspec.DecodeError(str(exc)) from exc
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as exc:
        raise msgspec.DecodeError(str(exc)) from exc
    return msgspec.convert(value, kind)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
