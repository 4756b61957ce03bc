"""``check``: holds a parser, an encoder, a dialect, an application or a live endpoint against the laws."""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..dialects import get_dialect
from ..errors import ConfigurationError, UnknownDialect
from ._check_report import ProgressBar, as_json, as_junit, as_lines, is_bad, summary
from ._check_target import NoTarget, load
from ._layout import Commands

if TYPE_CHECKING:
    from ..testing.laws import Law, Verdict

__all__ = ["add_to"]

_SECONDS: Final = 5.0
_TIMEOUT: Final = 10.0
_LAW_TIMEOUT: Final = 60.0
_EPILOG: Final = (
    "Grades: OK; SHOULD, broken but no must; FAILED; SKIPPED, with the reason. "
    "Exits with 1 where a law that is a MUST is broken (with --strict any law), with 2 where there is no such target."
)


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "check",
        help="hold a parser, encoder, dialect, application or URL against the laws",
        description="Holds something against the laws of event streams, and shows what breaks them.",
        epilog=_EPILOG,
    )
    kinds = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    _add_parser(kinds)
    _add_encoder(kinds)
    _add_dialect(kinds)
    _add_app(kinds)
    _add_url(kinds)


def _add(kinds: Any, kind: str, metavar: str, about: str, description: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = kinds.add_parser(
        kind, help=about, description=description, epilog=_EPILOG
    )
    parser.add_argument("target", metavar=metavar)
    parser.add_argument(
        "--law", metavar="ID", action="append", default=[], help="only this one; may be given more than once"
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of lines")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit's XML there")
    parser.add_argument("--strict", action="store_true", help="let a broken SHOULD fail, too")
    parser.set_defaults(run=_run, kind=kind, parser=parser)
    return parser


def _add_bounded(
    kinds: Any, kind: str, metavar: str, about: str, description: str
) -> argparse.ArgumentParser:
    """Adds what runs in this process, and may loop in it for ever."""
    parser = _add(kinds, kind, metavar, about, description)
    parser.add_argument(
        "--timeout",
        type=_positive,
        default=_LAW_TIMEOUT,
        help="how many seconds a law may take; what takes longer is broken (default: 60)",
    )
    return parser


def _add_parser(kinds: Any) -> None:
    _add_bounded(
        kinds,
        "parser",
        "MODULE:FUNCTION",
        "parse(chunks) -> events",
        "Checks a parser: parse(chunks) -> events with event, data and id. "
        "Whether it is prompt can be seen of a generator, an async generator, or a class with feed().",
    )


def _add_encoder(kinds: Any) -> None:
    _add_bounded(
        kinds,
        "encoder",
        "MODULE:FUNCTION",
        "encode(event) -> bytes",
        "Checks an encoder: it is called with a sseware.ServerSentEvent, or by name with data, event, id and retry "
        "where it has a parameter 'data'; it returns bytes or text, or raises where it refuses.",
    )


def _add_dialect(kinds: Any) -> None:
    about = "a dialect, by its name or as MODULE:ATTRIBUTE"
    _add_bounded(kinds, "dialect", "NAME", about, "Checks a dialect.")


def _add_app(kinds: Any) -> None:
    parser = _add_bounded(
        kinds,
        "app",
        "MODULE:APP",
        "an ASGI application",
        "Checks an ASGI application in process, in virtual time, on every server personality. "
        "Its lifespan is not run.",
    )
    parser.add_argument("--path", default="/", help="where it streams, with a query or without (default: /)")
    parser.add_argument("--method", default="GET", help="the request method (default: GET)")
    parser.add_argument("--data", metavar="TEXT", help="a request body")
    _add_header(parser)
    parser.add_argument("--dialect", metavar="NAME", help="by what its stream is decoded")
    parser.add_argument("--failing-before", metavar="PATH", help="where it fails before anything is sent")
    parser.add_argument("--failing-after", metavar="PATH", help="where it fails in the middle of a stream")


def _add_url(kinds: Any) -> None:
    parser = _add(
        kinds,
        "url",
        "URL",
        "a live endpoint",
        "Checks a live endpoint from outside, with about fifteen GET and two HEAD requests. Only values of its own "
        "query are tried for injection.",
    )
    _add_header(parser)
    parser.add_argument(
        "--seconds",
        type=_positive,
        default=_SECONDS,
        help="for how long a stream is listened to (default: 5)",
    )
    parser.add_argument(
        "--timeout", type=_positive, default=_TIMEOUT, help="how long an answer is waited for (default: 10)"
    )


def _add_header(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--header", metavar="'NAME: VALUE'", action="append", default=[], type=_header, help="a header field"
    )


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"want a field such as 'Authorization: Bearer x', got {text!r}")
    return name.strip().lower(), value.strip()


def _positive(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"want a number of seconds above 0, got {text!r}")
    return seconds


def _run(arguments: argparse.Namespace) -> int:
    # The toolkit is loaded when it is asked for; hypothesis with it.
    from ..testing import laws
    from ..testing.errors import UnknownLaw

    parser: argparse.ArgumentParser = arguments.parser
    try:
        table: tuple[Law, ...] = getattr(laws, arguments.kind)()
        chosen = [laws.get(name) for name in arguments.law] or table
        target = _target(arguments)
    except (NoTarget, UnknownLaw, UnknownDialect, ConfigurationError) as error:
        parser.error(str(error))
    if strangers := [law.id for law in chosen if law.kind != arguments.kind]:
        known = ", ".join(law.id for law in table)
        parser.error(f"{strangers[0]} is no law of a target of the kind {arguments.kind}; there are: {known}")
    verdicts = _judge(arguments, chosen, target)
    if arguments.json:
        print(as_json(arguments.kind, arguments.target, verdicts))
    else:
        print(f"\n{summary(verdicts)}")
    if arguments.junit is not None:
        document = as_junit(arguments.kind, arguments.target, verdicts, strict=arguments.strict)
        arguments.junit.write_bytes(document)
    return int(any(is_bad(verdict, strict=arguments.strict) for verdict in verdicts))


def _judge(arguments: argparse.Namespace, chosen: Sequence[Law], target: Any) -> list[Verdict]:
    from ..testing import laws

    bar = ProgressBar(sys.stderr, len(chosen))
    width = max(len(law.id) for law in chosen)
    verdicts: list[Verdict] = []
    if not arguments.json:
        print(f"{arguments.kind} {arguments.target}\n")
    # What the target logs and warns of while it is maltreated is no part of the answer.
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for verdict in laws.judge(
                chosen,
                target,
                name=arguments.target,
                options=_options(arguments),
                progress=bar.begin,
                # A live endpoint has a time for each answer.
                timeout=None if arguments.kind == "url" else arguments.timeout,
            ):
                verdicts.append(verdict)
                bar.clear()
                if not arguments.json:
                    print(as_lines(verdict, width), flush=True)
    finally:
        logging.disable(logging.NOTSET)
        bar.clear()
    return verdicts


def _target(arguments: argparse.Namespace) -> Any:
    """Returns what is checked.

    Raises:
        NoTarget: There is no such thing.
        UnknownDialect: There is no such dialect.
        ConfigurationError: It is no URL.
    """
    from ..testing.laws import AppTarget, UrlTarget

    name: str = arguments.target
    if arguments.kind == "url":
        return UrlTarget(name, **_options(arguments))
    if arguments.kind == "dialect" and ":" not in name:
        return get_dialect(name)
    found = load(name)
    if arguments.kind in ("parser", "encoder", "app") and not callable(found):
        raise NoTarget(f"{name} is no {arguments.kind}: it is {found!r}, which cannot be called")
    if arguments.kind != "app":
        return found
    if arguments.dialect is not None:
        get_dialect(arguments.dialect)
    return AppTarget(app=found, **_options(arguments))


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Returns how the target is asked, as far as the command line says so."""
    given: dict[str, Any] = {}
    if arguments.kind == "app":
        given = {
            "path": arguments.path,
            "method": None if arguments.method.upper() == "GET" else arguments.method.upper(),
            "headers": dict(arguments.header),
            "content": None if arguments.data is None else arguments.data.encode(),
            "dialect": arguments.dialect,
            "failing_before": arguments.failing_before,
            "failing_after": arguments.failing_after,
        }
    if arguments.kind == "url":
        seconds = None if arguments.seconds == _SECONDS else arguments.seconds
        timeout = None if arguments.timeout == _TIMEOUT else arguments.timeout
        given = {"headers": dict(arguments.header), "seconds": seconds, "timeout": timeout}
    return {option: value for option, value in given.items() if value}
