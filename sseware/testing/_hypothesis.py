"""What hypothesis does when it is imported where sseware is installed."""

from __future__ import annotations

from typing import Any

__all__ = ["register"]


def register() -> None:
    """Lets ``st.from_type`` and ``st.builds`` make our values: they are checked, and any text would not do.

    hypothesis calls it by an entry point. The strategies themselves are loaded when one of them is wanted.
    """
    from hypothesis import strategies as st

    from .. import items
    from ..events import ServerSentEvent
    from ._personalities import Personality

    st.register_type_strategy(ServerSentEvent, lambda _: _strategies().events())
    st.register_type_strategy(Personality, lambda _: _strategies().personalities())
    st.register_type_strategy(items.Item, lambda _: _strategies().items(raw_events=False))
    for kind in items.Item.__subclasses__():
        if kind.__module__ == items.__name__:
            st.register_type_strategy(kind, _of_kind)


def _strategies() -> Any:
    from . import strategies

    return strategies


def _of_kind(kind: Any) -> Any:
    from .strategies._items import kinds

    return kinds()[kind]
