"""The part of the pytest plugin that hears what is chosen: options, the marker, the header."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from ._choices import Choices

__all__ = [
    "DEFAULTS",
    "choices_of",
    "pytest_addoption",
    "pytest_configure",
    "pytest_report_header",
    "pytest_runtest_setup",
]

# Where a test says nothing; it is what `Choices` says, which is not to be loaded for the header.
DEFAULTS: Final = {"server": "uvicorn", "dialect": "plain", "timeout": 5.0, "record": "never"}

_OPTIONS: Final = {
    "server": ("NAME", "the server of sse_connect, sse_client, sse_server (default: uvicorn)"),
    "dialect": ("NAME", "the dialect of sse_dialect, and by which sse_connect decodes (default: plain)"),
    "timeout": ("SECONDS", "how long the sse_ fixtures wait for anything (default: 5)"),
    "record": ("MODE", "when sse_recorder asks the application itself: never (default), missing, always"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options; each is checked where it is given."""
    group = parser.getgroup("sseware", "server-sent events (sseware)")
    for name, (metavar, text) in _OPTIONS.items():
        group.addoption(f"--sse-{name}", metavar=metavar, type=_checked(name), default=None, help=text)


def _checked(name: str) -> Callable[[str], Any]:
    """Returns what turns the text of an option into its value."""

    def check(text: str) -> Any:
        from ..errors import ConfigurationError
        from ._choices import check_choice

        try:
            return check_choice(name, _number(text) if name == "timeout" else text)
        except ConfigurationError as exc:
            raise argparse.ArgumentTypeError(str(exc)) from None

    return check


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def pytest_configure(config: pytest.Config) -> None:
    """Describes the marker."""
    config.addinivalue_line(
        "markers",
        "sse(server=None, dialect=None, timeout=None, record=None): what the sse_ fixtures of a test take where it "
        "does not say it; before what the options --sse-server, --sse-dialect, --sse-timeout, --sse-record say.",
    )


def pytest_report_header(config: pytest.Config) -> str:
    """Says what is chosen."""
    chosen = {**DEFAULTS, **_given(config)}
    return (
        f"sseware: server={chosen['server']}, dialect={chosen['dialect']}, timeout={chosen['timeout']:g} s, "
        f"record={chosen['record']}"
    )


def _given(config: pytest.Config) -> dict[str, Any]:
    options = {name: config.getoption(f"sse_{name}", default=None) for name in _OPTIONS}
    return {name: value for name, value in options.items() if value is not None}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fails a test whose marker says what there is not."""
    if item.get_closest_marker("sse") is not None:
        choices_of(item)


def choices_of(item: pytest.Item) -> Choices:
    """Returns what the command line and the markers of a test say; fails a test whose marker is wrong."""
    from ..errors import ConfigurationError
    from ._choices import Choices

    choices, wrong = Choices(**_given(item.config)), None
    # The closest marker comes last, and has the last word.
    for marker in reversed(list(item.iter_markers("sse"))):
        try:
            if marker.args:
                raise ConfigurationError(f"it takes keyword arguments only, got {marker.args!r}")
            choices = choices.changed(**marker.kwargs)
        except ConfigurationError as exc:
            wrong = str(exc)
    if wrong is not None:
        pytest.fail(f"the marker sse of {item.nodeid}: {wrong}", pytrace=False)
    return choices
