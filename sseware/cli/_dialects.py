"""``dialects``: which there are, where they come from, and what they look like."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from ..dialects import (
    AnItem,
    BufferedAnswer,
    Dialect,
    Provider,
    Registry,
    StreamContext,
    default_registry,
    offer_of,
    omits_of,
    stream_headers_of,
)
from ..errors import DialectConflict, PluginError, UnknownDialect
from ..events import Comment, ServerSentEvent
from ..items import Finish, Text
from ..negotiation import Offer
from ..wire import encode
from ._layout import Commands, columns, indented

__all__ = ["add_to", "describe_offer"]

_PLAIN_EXAMPLE: tuple[AnItem, ...] = (Text("Hello"), Finish())


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "dialects",
        help="list the dialects that are installed, or show one",
        description="Lists the plugins that are installed: their dialects, their hooks, where they come from. "
        "With a NAME it shows that dialect and an example of its bytes.",
        epilog="Exits with 1 where a plugin is broken, or two claim one name.",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="show this dialect")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace) -> int:
    parser: argparse.ArgumentParser = arguments.parser
    with _problems_told_once():
        registry = default_registry()
        _extend_all(registry)
    if arguments.name is None:
        print(_listing(registry.providers))
        print(f"\n{parser.prog} NAME shows one of them: {', '.join(registry.names())}.")
    else:
        try:
            dialect = registry.get(arguments.name)
        except UnknownDialect as exc:
            parser.error(str(exc))
        print(_shown(dialect, registry))
    return _tell_problems(registry)


@contextmanager
def _problems_told_once() -> Iterator[None]:
    """Keeps the registry's own warnings off the terminal: they are in the list of problems."""
    log, silence = logging.getLogger("sseware"), logging.NullHandler()
    log.addHandler(silence)
    try:
        yield
    finally:
        log.removeHandler(silence)


def _extend_all(registry: Registry) -> None:
    """Calls the hooks that are called for each dialect at its first use, so that their problems are known."""
    for name in registry.names():
        with suppress(DialectConflict):
            registry.item_encoders(registry.get(name))


def _listing(providers: Iterable[Provider]) -> str:
    rows = [("PLUGIN", "FROM", "DIALECTS", "HOOKS")]
    for each in providers:
        origin = f"{each.distribution} {each.version}".strip()
        rows.append((each.name, origin, _words(each.dialects), _words(each.hooks)))
    return columns(rows)


def _words(names: Iterable[str]) -> str:
    return ", ".join(names) or "-"


def _tell_problems(registry: Registry) -> int:
    if registry.disabled:
        print(f"\nswitched off by the environment: {', '.join(registry.disabled)}")
    if not registry.problems:
        return 0
    print("\nwhat is wrong:", file=sys.stderr)
    for problem in registry.problems:
        print(f"  {problem}", file=sys.stderr)
    return 1


def _shown(dialect: Dialect, registry: Registry) -> str:
    provider = next(each for each in registry.providers if dialect.name in each.dialects)
    try:
        return "\n".join(_portrait(dialect, provider))
    except Exception as exc:  # a stranger's dialect may raise anything
        raise PluginError(
            provider.key, f"the dialect {dialect.name!r} fails at its own example: {exc!r}"
        ) from exc


def _portrait(dialect: Dialect, provider: Provider) -> Iterator[str]:
    offer = offer_of(dialect)
    headers = ", ".join(f"{name}: {value}" for name, value in stream_headers_of(dialect))
    yield columns(
        [
            ("dialect", dialect.name),
            ("object", repr(dialect)),
            ("plugin", str(provider)),
            ("hooks", _words(provider.hooks)),
            ("answers", describe_offer(offer)),
            ("headers", headers or "-"),
            ("leaves out", _words(sorted(kind.__name__ for kind in omits_of(dialect)))),
        ]
    )
    items = getattr(dialect, "example", _PLAIN_EXAMPLE)
    yield f"\nWhere a handler yields\n\n{indented(chr(10).join(map(repr, items)))}\n"
    if offer.streams:
        yield f"its stream is\n\n{indented(_stream(dialect, items)).rstrip()}\n"
    answer = _folded(dialect, items)
    yield f"{'and ' if offer.streams else ''}its buffered answer is\n\n{indented(_response(answer))}"


def describe_offer(offer: Offer) -> str:
    """Says what a dialect answers, in one line."""
    types = ", ".join(offer.media_types)
    if not offer.streams:
        return f"{types}; never a stream"
    flag = "" if offer.stream_flag is None else " (also by ?{}={})".format(*offer.stream_flag)
    default = "a stream" if offer.default == "stream" else "buffered"
    return f"text/event-stream{flag}, {types}; {default} by default"


def _context() -> StreamContext:
    # A clock that stands still: the example is the same each time.
    return StreamContext(clock=float)


def _stream(dialect: Dialect, items: Iterable[AnItem]) -> str:
    encoder = dialect.open(_context())
    events: list[ServerSentEvent | Comment] = [*encoder.start()]
    for item in items:
        events += encoder.encode(item)
    events += encoder.finish()
    return b"".join(map(encode, events)).decode()


def _folded(dialect: Dialect, items: Iterable[AnItem]) -> BufferedAnswer:
    fold = dialect.fold(_context())
    for item in items:
        fold.add(item)
    return fold.finish()


def _response(answer: BufferedAnswer) -> str:
    head = [str(answer.status), *(f"{name}: {value}" for name, value in answer.headers)]
    return "\n".join([*head, "", answer.body.decode(errors="replace")])
