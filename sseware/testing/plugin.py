"""The pytest plugin: fixtures, options, a marker, and what a failing test tells of its streams.

pytest finds it by an entry point, in every project where sseware is installed. It imports pytest and nothing else,
and does nothing before a test asks for one of its fixtures: ``pytest --fixtures -v`` lists them.

====================  =========================================================================================
``sse_connect``       an application in process, as a client of a server sees it
``sse_client``        an httpx2 or httpx client whose server is an application in process
``sse_server``        an application on a real server
``sse_wire_server``   a server that sends bytes as it is told, to test clients
``sse_clock``         virtual time
``sse_recorder``      answers from recordings
``sse_dialect``       the dialect that was chosen
``sse_vectors``       conformance vectors
====================  =========================================================================================
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from ..dialects import Dialect
    from ._choices import Choices
    from ._recorder import Recorder
    from ._virtual_clock import VirtualClock
    from .fixtures import ClientFixture, ConnectFixture, ServerFixture, Trace, WireServerFixture
    from .vectors import Vector

__all__ = [
    "pytest_addoption",
    "pytest_assertrepr_compare",
    "pytest_configure",
    "pytest_fixture_setup",
    "pytest_generate_tests",
    "pytest_pyfunc_call",
    "pytest_report_header",
    "pytest_runtest_makereport",
    "pytest_runtest_setup",
]

# Where a test says nothing; it is what `Choices` says, which is not to be loaded for the header.
_DEFAULTS: Final = {"server": "uvicorn", "dialect": "plain", "timeout": 5.0, "record": "never"}

_OPTIONS: Final = {
    "server": ("NAME", "the server of sse_connect, sse_client, sse_server (default: uvicorn)"),
    "dialect": ("NAME", "the dialect of sse_dialect, and by which sse_connect decodes (default: plain)"),
    "timeout": ("SECONDS", "how long the sse_ fixtures wait for anything (default: 5)"),
    "record": ("MODE", "when sse_recorder asks the application itself: never (default), missing, always"),
}

_TRACE: Final = pytest.StashKey["Trace"]()
_VIRTUAL: Final = pytest.StashKey[tuple[str, dict[str, Any]]]()


# Options, marker, header.


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
    chosen = {**_DEFAULTS, **_given(config)}
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
        _choices(item)


def _choices(item: pytest.Item) -> Choices:
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


# Fixtures. What they need is loaded when one is asked for.


@pytest.fixture(name="sse_connect")
def _sse_connect(request: pytest.FixtureRequest) -> ConnectFixture:
    """Connects to an application in process: ``async with sse_connect(app, "/path") as stream``."""
    from .fixtures import ConnectFixture

    return ConnectFixture(*_opening(request))


@pytest.fixture(name="sse_client")
def _sse_client(request: pytest.FixtureRequest) -> ClientFixture:
    """Opens an httpx2 or httpx client on an application in process: ``async with sse_client(app) as client``."""
    from .fixtures import ClientFixture

    return ClientFixture(*_opening(request))


@pytest.fixture(name="sse_server")
def _sse_server(request: pytest.FixtureRequest) -> ServerFixture:
    """Runs an application on a real server: ``async with sse_server(app) as server``, which has a ``url``."""
    from .fixtures import ServerFixture

    return ServerFixture(_choices_in_real_time(request))


@pytest.fixture(name="sse_wire_server")
def _sse_wire_server(request: pytest.FixtureRequest) -> WireServerFixture:
    """Sends to a client what a script says, on a raw socket: ``async with sse_wire_server(script) as server``."""
    from .fixtures import WireServerFixture

    return WireServerFixture(_choices_in_real_time(request))


@pytest.fixture(name="sse_clock")
def _sse_clock() -> VirtualClock:
    """Virtual time for this test, under anyio's plugin and under pytest-asyncio; ``sse_clock.run(main)`` without."""
    from ._virtual_clock import VirtualClock

    return VirtualClock()


@pytest.fixture(name="sse_recorder")
def _sse_recorder(request: pytest.FixtureRequest) -> Recorder:
    """Answers from recordings beside the test, or makes them: ``sse_connect(sse_recorder(app))``."""
    from ._recorder import Recorder

    item = _item(request)
    directory = item.path.parent / "recordings" / item.path.stem
    return Recorder(directory, _choices(item).record, _file_name(item))


@pytest.fixture(name="sse_dialect")
def _sse_dialect(request: pytest.FixtureRequest) -> Dialect:
    """The dialect of the marker or of ``--sse-dialect``; can be parametrized indirectly."""
    from ..dialects import get_dialect

    return get_dialect(getattr(request, "param", None) or _choices(_item(request)).dialect)


@pytest.fixture(name="sse_vectors", scope="session")
def _sse_vectors() -> tuple[Vector, ...]:
    """The conformance vectors for parsers; see ``sseware.testing.vectors``."""
    from .vectors import load_vectors

    return load_vectors()


def _item(request: pytest.FixtureRequest) -> pytest.Item:
    item: pytest.Item = request.node
    return item


def _opening(request: pytest.FixtureRequest) -> tuple[Choices, Trace, Callable[[], object]]:
    from ._virtual_clock import VirtualClock
    from .fixtures import Trace

    item = _item(request)
    trace = item.stash.setdefault(_TRACE, Trace())
    check = VirtualClock().check if "sse_clock" in request.fixturenames else _nothing
    return _choices(item), trace, check


def _choices_in_real_time(request: pytest.FixtureRequest) -> Choices:
    from ..errors import ConfigurationError

    if "sse_clock" in request.fixturenames:
        # Virtual time would jump over every answer that is still on its way.
        raise ConfigurationError(
            f"{request.fixturename} answers in real time, and sse_clock is virtual: use sse_connect with sse_clock"
        )
    return _choices(_item(request))


def _nothing() -> None:
    pass


def _file_name(item: pytest.Item) -> str:
    """Returns the name of a test as that of a file."""
    return re.sub(r"[^\w.]+", "-", item.name).strip("-")


# Virtual time, given to the plugin that runs a test.


def _wants_virtual_time(item: Any) -> bool:
    return "sse_clock" in getattr(item, "fixturenames", ())


def _virtual(item: pytest.Item, backend: Any) -> tuple[str, dict[str, Any]]:
    """Returns an ``anyio_backend`` with virtual time in place of another one; for each test its own."""
    from ._virtual_clock import VirtualClock

    if _VIRTUAL not in item.stash:
        given: Any = (backend, {}) if isinstance(backend, str) else backend
        item.stash[_VIRTUAL] = VirtualClock().backend(*given)
    return item.stash[_VIRTUAL]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Gives anyio's plugin virtual time for a test that asks for ``sse_clock``."""
    backend = pyfuncitem.funcargs.get("anyio_backend")
    if backend is not None and _wants_virtual_time(pyfuncitem):
        pyfuncitem.funcargs["anyio_backend"] = _virtual(pyfuncitem, backend)
    return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> Generator[None, object, object]:
    """Gives it also to the async fixtures of such a test, which run before it, in the same event loop."""
    item, given = request.node, fixturedef.func
    # anyio's plugin has put a function of its own in the place of an async one.
    is_async = (
        getattr(given, "__module__", None) == "anyio.pytest_plugin" and "anyio_backend" in fixturedef.argnames
    )
    if not (is_async and fixturedef.scope == "function" and _wants_virtual_time(item)):
        return (yield)

    def in_virtual_time(anyio_backend: Any, **kwargs: Any) -> Any:
        yield from given(anyio_backend=_virtual(item, anyio_backend), **kwargs)

    fixturedef.func = in_virtual_time
    try:
        return (yield)
    finally:
        fixturedef.func = given


class _LoopFactory:
    """Is registered while the tests of one function are made, if they want virtual time.

    pytest-asyncio asks for loop factories for all tests or none: registered for good, it would change the others.
    """

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_asyncio_loop_factories(self, config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
        from ._clock import VirtualTimeLoop

        return {"sse_clock": VirtualTimeLoop}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None, object, object]:
    """Gives pytest-asyncio virtual time for a test that asks for ``sse_clock``."""
    marker = metafunc.definition.get_closest_marker("asyncio")
    chosen = marker is not None and "loop_factories" in marker.kwargs
    offered = hasattr(metafunc.config.hook, "pytest_asyncio_loop_factories")
    if chosen or not offered or "sse_clock" not in metafunc.fixturenames:
        return (yield)
    manager = metafunc.config.pluginmanager
    registered = _LoopFactory()
    manager.register(registered)
    try:
        return (yield)
    finally:
        manager.unregister(registered)


# What is told of a failure.


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds to the report of a failing test what has happened on its streams."""
    report = yield
    if report.failed and _TRACE in item.stash:
        text = item.stash[_TRACE].text(call.excinfo and call.excinfo.value)
        if text:
            report.sections.append(("SSE trace", text))
    return report


def pytest_assertrepr_compare(op: str, left: object, right: object) -> Sequence[str] | None:
    """Tells how two lists of events differ, or two events: the first difference first."""
    # Where no event was made, there is none to be compared.
    if op != "==" or "sseware.events" not in sys.modules:
        return None
    from ._comparison import comparison_lines

    return comparison_lines(left, right)
