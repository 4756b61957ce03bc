"""The commands, and what they have in common: help, errors, exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..errors import SSEError
from . import _check, _demo, _dialects, _explain, _translate

__all__ = ["main"]

_EPILOG = "Exit codes: 0 all is well, 1 something is wrong (and said), 2 the command line makes no sense."


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    >>> main(["explain", "/?stream=1", "--dialect", "plain", "--accept", "application/json"])
    request  GET /?stream=1
    accept   application/json
    offers   plain  text/event-stream, application/json; a stream by default
    answer   buffered, application/json, in the dialect plain
    reason   Accept takes application/json, q=1, and nothing else that is on offer.
    0

    Args:
        argv: The words after the program's name; ``None`` takes them from `sys.argv`.

    Returns:
        The exit code.

    Raises:
        SystemExit: The words make no sense (2), or ask for help or the version (0).
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    run: Callable[[argparse.Namespace], int] | None = getattr(arguments, "run", None)
    if run is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        code = run(arguments)
        sys.stdout.flush()
    except SSEError as exc:
        print(f"{parser.prog}: {exc}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`). What is left in the buffer must not be tried again at exit.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # it is open until the process ends
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    # Under `python -m` the program is the file __main__.py.
    prog = "python -m sseware" if Path(sys.argv[0]).name == "__main__.py" else "sseware"
    parser = argparse.ArgumentParser(
        prog=prog, description="Server-sent events for any ASGI app.", epilog=_EPILOG, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"sseware {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in (_demo, _dialects, _explain, _translate, _check):
        command.add_to(commands)
    return parser


def _version() -> str:
    try:
        return version("sseware")
    except PackageNotFoundError:
        return "(not installed: run from its source)"
