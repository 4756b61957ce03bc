"""The payloads of MachPay's events, keys in the order in which they are written."""

from __future__ import annotations

import msgspec

__all__ = ["Chunk", "End", "Error", "Start"]


class Start(msgspec.Struct, frozen=True, rename="camel"):
    """The payload of ``start``.

    Attributes:
        execution_id: The identity of the run.
        skill_id: The skill that runs, where it is known.
    """

    execution_id: str
    skill_id: str | None = None


class Chunk(msgspec.Struct, frozen=True, rename="camel"):
    """The payload of ``chunk``.

    Attributes:
        text: A piece of the answer.
        index: Its number; the first is 0.
        timestamp: When it was made: UTC, ISO 8601 with milliseconds and ``Z``.
    """

    text: str
    index: int = 0
    timestamp: str = ""


class End(msgspec.Struct, frozen=True, rename="camel"):
    """The payload of ``end``.

    Attributes:
        tokens_used: What is billed by the token.
        cost_usd: What is billed, in US dollars.
        duration_ms: How long the run took, in milliseconds.
    """

    tokens_used: int
    cost_usd: float
    duration_ms: int


class Error(msgspec.Struct, frozen=True, rename="camel"):
    """The payload of ``error``.

    Attributes:
        code: A machine-readable code, in upper case.
        message: What the client may read.
    """

    code: str
    message: str
