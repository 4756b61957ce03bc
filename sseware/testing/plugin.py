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

import re
import sys
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Final

import pytest

from ._plugin_options import (
    choices_of,
    pytest_addoption,
    pytest_configure,
    pytest_report_header,
    pytest_runtest_setup,
)
from ._plugin_time import pytest_fixture_setup, pytest_generate_tests, pytest_pyfunc_call

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

_TRACE: Final = pytest.StashKey["Trace"]()


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
    return Recorder(directory, choices_of(item).record, _file_name(item))


@pytest.fixture(name="sse_dialect")
def _sse_dialect(request: pytest.FixtureRequest) -> Dialect:
    """The dialect of the marker or of ``--sse-dialect``; can be parametrized indirectly."""
    from ..dialects import get_dialect

    return get_dialect(getattr(request, "param", None) or choices_of(_item(request)).dialect)


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
    return choices_of(item), trace, check


def _choices_in_real_time(request: pytest.FixtureRequest) -> Choices:
    from ..errors import ConfigurationError

    if "sse_clock" in request.fixturenames:
        # Virtual time would jump over every answer that is still on its way.
        raise ConfigurationError(
            f"{request.fixturename} answers in real time, and sse_clock is virtual: use sse_connect with sse_clock"
        )
    return choices_of(_item(request))


def _nothing() -> None:
    pass


def _file_name(item: pytest.Item) -> str:
    """Returns the name of a test as that of a file."""
    return re.sub(r"[^\w.]+", "-", item.name).strip("-")


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
