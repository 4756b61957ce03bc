"""The fields with which encoders are tried: forged ones, such as cannot be written, and such as must be."""

from __future__ import annotations

from typing import Any, Final

from ._encoder_run import Fields

__all__ = [
    "FORGERIES",
    "NO_RETRIES",
    "TEXTS",
    "UNWRITABLE",
    "WRITABLE",
    "hostile_data",
    "hostile_fields",
    "hostile_names",
    "valid_fields",
]

FORGERIES: Final[tuple[Fields, ...]] = tuple(
    {**({} if name == "data" else {"data": "x"}), name: f"1{end}{more}"}
    for name in ("data", "event", "id", "retry")
    for end in ("\n", "\r", "\r\n")
    for more in ("data: forged", "id: 1", "retry: 1", f"{end}data: forged")
)
UNWRITABLE: Final[tuple[Fields, ...]] = (
    *({"data": "x", name: f"a{end}b"} for name in ("event", "id") for end in ("\n", "\r", "\r\n")),
    {"data": "x", "id": "a\0b"},
)
NO_RETRIES: Final = (-1, 2.5, float("nan"), True, "soon")
TEXTS: Final = ("a\nb", "a\r\nb", "a\n", "a\u2028b", "a\x0cb", " a", ":a", "\ufeffa")
WRITABLE: Final[tuple[Fields, ...]] = (
    {"data": "x", "event": "tick", "id": "7", "retry": 3000},
    {"data": "x", "id": ""},
    {"data": "x", "id": "0"},
    {"data": "x", "retry": 0},
    {"data": "x", "event": " a:b"},
)


def _fields_of(**strategies: Any) -> Any:
    from hypothesis import strategies as st

    # Empty data are the business of one law.
    data = strategies.pop("data").map(lambda text: text or "x")
    return st.fixed_dictionaries({"data": data}, optional=strategies)


def hostile_fields() -> Any:
    """Fields of any text, and retries of some."""
    from hypothesis import strategies as st

    from ..strategies import hostile_text

    texts = hostile_text(max_tokens=4)
    retries = st.sampled_from((3000, "5", "1\ndata: forged", "1\n\ndata: forged\n\n"))
    return _fields_of(data=texts, event=texts, id=texts, retry=retries)


def hostile_names() -> Any:
    """Types and ids of any text."""
    from hypothesis import strategies as st

    from ..strategies import hostile_text

    texts = hostile_text(max_tokens=3, surrogates=False)
    return _fields_of(data=st.just("x"), event=texts, id=texts)


def hostile_data() -> Any:
    """Data of any text."""
    from ..strategies import hostile_text

    return _fields_of(data=hostile_text(surrogates=False))


def valid_fields() -> Any:
    """Fields that an encoder must write."""
    from hypothesis import strategies as st

    from ..strategies import event_ids, event_types, retry_values

    retries = retry_values(max_value=2**31 - 1)
    return _fields_of(data=st.just("x"), event=event_types(), id=event_ids(), retry=retries)
