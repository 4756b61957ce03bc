"""Text that tries to leave its field."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from .._grammar import NEWLINE_LOOKALIKES

__all__ = ["hostile_text"]

# Tokens, not characters: an alphabet of characters hardly ever spells a whole line of the grammar.
_TOKENS = (
    "a",
    " ",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\r\r",
    "\n\r\n",
    "data: x",
    "\ndata: x",
    "\rdata:x\r\r",
    "\n\nevent: forged\ndata: x\n\n",
    "\nevent: x",
    "id: 1",
    "\nid: 1",
    "retry: 1",
    "\nretry: 1",
    "\n: comment",
    ":",
    "[DONE]",
    '{"type":"done"}',
    "\\n",
    "\0",
    "\ufeff",
    "\t",
    "\x1b",
    "\x7f",
    "\xa0",
    "é",
    "€",
    "😀",
    "e\u0301",
    "\u202e",
    "\ufffd",
    "\uffff",
    "\U0010ffff",
    *NEWLINE_LOOKALIKES,
)
_SURROGATES = ("\ud800", "\udfff", "\ude00\ud83d")


# Hypothesis examines a strategy when it meets it first, and that costs more than to draw from it.
@cache
def _texts(max_tokens: int, surrogates: bool) -> st.SearchStrategy[str]:
    tokens = st.sampled_from(_TOKENS + _SURROGATES if surrogates else _TOKENS)
    pieces = st.one_of(tokens, tokens, st.characters(codec="utf-8"))
    return st.lists(pieces, max_size=max_tokens).map("".join)


@st.composite
def hostile_text(draw: st.DrawFn, *, max_tokens: int = 6, surrogates: bool = True) -> str:
    """Text of tokens of the wire format, between characters that are mistaken for line ends.

    Args:
        draw: Given by hypothesis.
        max_tokens: The most tokens that a text has.
        surrogates: Whether lone surrogates are among them, which have no UTF-8.
    """
    return draw(_texts(max_tokens, surrogates))
