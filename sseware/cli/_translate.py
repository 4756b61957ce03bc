"""``translate``: an event stream from standard input, in another dialect on standard output."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Final

import anyio

from ..dialects import translate
from ._layout import Commands

__all__ = ["add_to"]

_CHUNK: Final = 65536


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "translate",
        help="translate an event stream from one dialect to another",
        description="Reads an event stream from standard input and writes it, as it comes, in another dialect.",
        epilog="Exits with 1 where the stream was cut off or is not what it must be; what is written says so, too.",
    )
    parser.add_argument(
        "--from", metavar="NAME", dest="source", required=True, help="the dialect that comes in"
    )
    parser.add_argument(
        "--to", metavar="NAME", dest="target", required=True, help="the dialect that goes out"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    failures: list[Exception] = []

    async def write() -> None:
        async for chunk in translate(
            _chunks(), arguments.source, arguments.target, on_failure=failures.append
        ):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()

    anyio.run(write)
    for failure in failures:
        print(f"translate: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _chunks() -> Iterator[bytes]:
    """Yields what is there, without waiting for more than that."""
    read = getattr(sys.stdin.buffer, "read1", sys.stdin.buffer.read)
    while chunk := read(_CHUNK):
        yield chunk
