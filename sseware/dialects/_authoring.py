"""What dialects share: how an item is left out, an event refused, a payload read."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, TypeVar, overload

import msgspec

from .._json_text import read_json
from ..errors import InvalidDialectEvent, InvalidItem
from ..events import ServerSentEvent
from ..items import Failure, File, Finish, Item
from ._protocols import AnItem, BufferedAnswer, Dialect

__all__ = ["bad_end", "json_answer", "leave_out", "omits_of", "read_payload", "refuse_owned", "status_of"]

T = TypeVar("T")


def omits_of(dialect: Dialect) -> frozenset[type[Item]]:
    """Returns the items that a dialect leaves out by design; none where it does not say."""
    return frozenset(getattr(dialect, "omits", ()))


def leave_out(dialect: Dialect, item: AnItem) -> tuple[()]:
    """Returns the events of an item for which a dialect has none: the last line of ``encode``.

    A dialect says in ``omits`` which items it leaves out by design, and in ``strict`` whether that is an error.

    Raises:
        InvalidItem: The dialect is strict, or it does not leave out items of this type: nobody has thought of it.
    """
    shown = type(item).__name__
    if not isinstance(item, tuple(omits_of(dialect))):
        why = "a file cannot be streamed" if isinstance(item, File) else "no plugin encodes this type"
        raise InvalidItem(f"the {dialect.name} dialect has no event for {shown}: {why}")
    if getattr(dialect, "strict", False):
        raise InvalidItem(
            f"the {dialect.name} dialect leaves {shown} out, and it is strict: do not yield one"
        )
    return ()


def refuse_owned(dialect: Dialect, event: ServerSentEvent, owned: Container[str]) -> None:
    """Refuses an event of the handler's own that bears a name which is the dialect's.

    Args:
        dialect: The dialect.
        event: What the handler yielded.
        owned: The event types that only the dialect writes, ``"message"`` for unnamed events among them.

    Raises:
        InvalidItem: It bears one of them.
    """
    if event.event in owned:
        raise InvalidItem(
            f"the event type {event.event!r} belongs to the {dialect.name} dialect; yield an item of "
            "sseware.items that becomes one, or choose another type"
        )


@overload
def read_payload(event: ServerSentEvent, kind: type[T], *, dialect: str) -> T: ...


@overload
def read_payload(event: ServerSentEvent, kind: Any, *, dialect: str) -> Any: ...


def read_payload(event: ServerSentEvent, kind: Any, *, dialect: str) -> Any:
    """Reads the JSON payload of an event.

    >>> read_payload(ServerSentEvent('{"n": 1}', event="tick"), dict[str, int], dialect="clock")
    {'n': 1}

    Args:
        event: The event.
        kind: What the payload must be: a msgspec struct, or any type that msgspec knows.
        dialect: The name of the dialect, for the error.

    Raises:
        InvalidDialectEvent: The payload is not JSON, or not of that shape.
    """
    try:
        return read_json(event.data, kind)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise InvalidDialectEvent(dialect, event.event, event.data, str(exc)) from exc


def status_of(finish: Finish) -> int:
    """Returns the HTTP status of a buffered answer that ends so: 200, or what a bad end says of itself, or 500.

    >>> status_of(Finish()), status_of(Finish(ok=False)), status_of(Finish(ok=False, result={"status": 504}))
    (200, 500, 504)
    """
    if finish.ok:
        return 200
    said: Any = finish.result.get("status") if isinstance(finish.result, dict) else None
    return said if type(said) is int and 400 <= said <= 599 else 500


def bad_end(finish: Finish, subject: str) -> Failure:
    """Returns the failure that a `Finish` tells which is not ok: what it says of itself, or that the subject failed.

    >>> bad_end(Finish(ok=False, exit_code=3), "agent").message
    'the agent exited with code 3'

    Args:
        finish: How the run ended.
        subject: What has run: ``"agent"``, ``"skill"``.
    """
    said: Any = finish.result.get("error") if isinstance(finish.result, dict) else None
    if not isinstance(said, str):
        how = "failed" if finish.exit_code is None else f"exited with code {finish.exit_code}"
        said = f"the {subject} {how}"
    return Failure(said, status=status_of(finish))


def json_answer(status: int, body: str) -> BufferedAnswer:
    """Returns a buffered answer of JSON text."""
    return BufferedAnswer(status, (("content-type", "application/json"),), body.encode())
