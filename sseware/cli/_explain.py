"""``explain``: what a request gets, and why."""

from __future__ import annotations

import argparse
import re
from typing import Final
from urllib.parse import unquote, urlsplit

from ..dialects import Dialect, Registry, default_registry, offer_of
from ..errors import UnknownDialect
from ..negotiation import Decision, Request
from ._dialects import describe_offer
from ._layout import Commands, columns

__all__ = ["add_to"]

# RFC 9112, section 3, forgiving: the method and the version may be left out.
_REQUEST_LINE: Final = re.compile(r"(?:([A-Za-z!#$%&'*+.^_`|~-]+)\s+)?((?:https?://|/)\S*)(?:\s+HTTP/\S+)?")


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "explain",
        help="say what a request would get, and why",
        description="Prints the decision of the negotiation for a request line, and its reason.",
        epilog="Exits with 1 where nothing is acceptable: such a request is answered with 406.",
    )
    parser.add_argument("request", metavar="REQUEST", type=_request, help="as in 'GET /skills/x?stream=1'")
    parser.add_argument(
        "--accept", metavar="VALUE", action="append", help="the Accept field; may be given more than once"
    )
    parser.add_argument(
        "--dialect", metavar="NAME", default="plain", help="the handler's own dialect (default: plain)"
    )
    parser.add_argument(
        "--dialects",
        metavar="NAMES",
        default="",
        help="those that a client may choose instead, as in 'ash,husk'",
    )
    parser.set_defaults(run=_run, parser=parser)


def _request(line: str) -> Request:
    found = _REQUEST_LINE.fullmatch(line.strip())
    if found is None:
        raise argparse.ArgumentTypeError(
            f"want a request line such as 'GET /skills/x?stream=1', got {line!r}"
        )
    method, target = found.groups()
    parts = urlsplit(target)
    return Request((method or "GET").upper(), unquote(parts.path) or "/", parts.query)


def _run(arguments: argparse.Namespace) -> int:
    registry = default_registry()
    asked: Request = arguments.request
    accept = None if arguments.accept is None else ", ".join(arguments.accept)
    offers = [offer_of(dialect) for dialect in _dialects(arguments, registry)]
    decision = registry.negotiate(Request(asked.method, asked.path, asked.query, accept), offers)
    names = [offer.dialect for offer in offers]
    described = columns(zip(names, map(describe_offer, offers), strict=True)).split("\n")
    rows = [
        ("request", f"{asked.method} {asked.path}{asked.query and f'?{asked.query}'}"),
        ("accept", "(none)" if accept is None else accept or "(empty)"),
        *(("" if number else "offers", line) for number, line in enumerate(described)),
        ("answer", _answer(decision)),
        ("reason", decision.reason),
    ]
    print(columns(rows))
    return 1 if decision.representation == "none" else 0


def _dialects(arguments: argparse.Namespace, registry: Registry) -> list[Dialect]:
    parser: argparse.ArgumentParser = arguments.parser
    named = [name.strip() for name in arguments.dialects.split(",") if name.strip()]
    try:
        found = [registry.get(name) for name in (arguments.dialect, *named)]
    except UnknownDialect as exc:
        parser.error(str(exc))
    return list({dialect.name: dialect for dialect in found}.values())


def _answer(decision: Decision) -> str:
    if decision.representation == "none":
        return "406 Not Acceptable"
    form = "a stream" if decision.representation == "stream" else "buffered"
    media_type = decision.media_type or "of a type that only the handler knows"
    return f"{form}, {media_type}, in the dialect {decision.dialect}"
