"""The pytest plugin: what it offers, what it says of a failure, and what it answers to a misspelt word."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any

import httpx2
import pytest
from _pytest.pytester import SysModulesSnapshot

from sseware import ServerSentEvent
from sseware.testing import VirtualClock, WireConnection, _plugin_options, fixtures, plugin
from sseware.testing._choices import Choices
from tests.testing.apps import says
from tests.testing.inner import TICKS

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def modules_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what an inner run imports: pytester forgets it, and there would be two of each class."""
    monkeypatch.setattr(SysModulesSnapshot, "restore", lambda _: sys.modules.pop("test_it", None))


@pytest.fixture(autouse=True)
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets an inner run print what it prints elsewhere: under CI pytest's summary repeats each error in full."""
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)


APPS = (
    TICKS
    + """
from sseware import ServerSentEvent
from sseware.testing import IsEvent


async def leaky(scope, receive, send):
    await send(START)
    await send({"type": "http.response.body", "body": b"data: 1\\n\\n", "more_body": True})
    await anyio.sleep_forever()


@pytest.fixture
def anyio_backend():
    return "asyncio"

"""
)


def run(
    pytester: pytest.Pytester, test: str, *options: str, runner: Sequence[str] = ("-p", "no:asyncio")
) -> pytest.RunResult:
    """Runs a test file in this process; colours and a terminal's width do not matter."""
    pytester.makepyfile(test_it=APPS + test)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *runner, *options)


def output(result: pytest.RunResult) -> str:
    return "\n".join(result.outlines)


def test_pytest_finds_it_by_an_entry_point() -> None:
    (found,) = entry_points(group="pytest11", name="sseware")
    assert found.load() is plugin


def test_the_header_says_what_is_chosen(pytester: pytest.Pytester) -> None:
    result = run(pytester, "")
    assert "sseware: server=uvicorn, dialect=plain, timeout=5 s, record=never" in result.outlines
    chosen = "--sse-server=daphne", "--sse-dialect=husk", "--sse-timeout=0.5", "--sse-record=always"
    result = run(pytester, "", *chosen)
    assert "sseware: server=daphne, dialect=husk, timeout=0.5 s, record=always" in result.outlines


def test_the_defaults_are_those_of_the_choices() -> None:
    assert Choices()._asdict() == _plugin_options.DEFAULTS


def test_the_options_and_the_marker_and_the_fixtures_are_described(pytester: pytest.Pytester) -> None:
    text = output(run(pytester, "", "--help"))
    for option in ("--sse-server=NAME", "--sse-dialect=NAME", "--sse-timeout=SECONDS", "--sse-record=MODE"):
        assert option in text
    assert "@pytest.mark.sse(server=None, dialect=None, timeout=None, record=None)" in output(
        run(pytester, "", "--markers")
    )
    text = output(run(pytester, "", "--fixtures"))
    names = "connect", "client", "server", "wire_server", "clock", "recorder", "dialect", "vectors"
    for name in names:
        assert re.search(rf"^sse_{name}.* -- .*\n    \w", text, re.MULTILINE), name


@pytest.mark.parametrize(
    ("option", "value", "want"),
    [
        ("server", "uvicron", "unknown server 'uvicron'; there are: uvicorn, uvicorn-h2, hypercorn"),
        ("dialect", "usk", "unknown dialect 'usk'; there are: ash, chronos, hector, husk, machpay, plain"),
        ("timeout", "soon", "timeout must be a positive number of seconds, got 'soon'"),
        ("timeout", "-1", "timeout must be a positive number of seconds, got -1"),
        ("record", "sometimes", "mode must be one of never, missing, always, got 'sometimes'"),
    ],
)
def test_an_option_that_there_is_not_lists_what_there_is(option: str, value: str, want: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=re.escape(want)):
        _plugin_options._checked(option)(value)


def test_a_misspelt_option_is_a_usage_error(pytester: pytest.Pytester) -> None:
    result = run(pytester, "", "--sse-server=uvicron")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "argument --sse-server: unknown server 'uvicron'; there are: uvicorn," in "\n".join(
        result.errlines
    )


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        ("server='uvicron'", "unknown server 'uvicron'; there are: uvicorn, uvicorn-h2, hypercorn"),
        ("sever='uvicorn'", "unknown option 'sever'; there are: server, dialect, timeout, record"),
        ("'uvicorn'", "it takes keyword arguments only, got ('uvicorn',)"),
    ],
)
def test_a_misspelt_marker_fails_its_test_and_no_other(
    pytester: pytest.Pytester, arguments: str, want: str
) -> None:
    test = f"@pytest.mark.sse({arguments})\ndef test_one():\n    pass\n\ndef test_other():\n    pass\n"
    result = run(pytester, test, "--strict-markers")
    result.assert_outcomes(errors=1, passed=1)
    assert f"the marker sse of test_it.py::test_one: {want}" in output(result)
    assert "During handling" not in output(result)


def test_an_argument_comes_before_the_marker_and_the_marker_before_the_option(
    pytester: pytest.Pytester,
) -> None:
    test = """
pytestmark = [pytest.mark.anyio, pytest.mark.sse(server="daphne", dialect="ash")]


async def served_by(connection):
    async with connection as stream:
        return stream.transcript.splitlines()[0].split()[3].rstrip(":")


@pytest.mark.sse(server="granian")
async def test_closest(sse_connect, sse_dialect):
    assert await served_by(sse_connect(ticks)) == "granian"
    assert await served_by(sse_connect(ticks, server="hypercorn")) == "hypercorn"
    assert sse_dialect.name == "ash"


async def test_of_module(sse_connect):
    assert await served_by(sse_connect(ticks)) == "daphne"


@pytest.mark.parametrize("sse_dialect", ["hector", "chronos"], indirect=True)
def test_parametrized(sse_dialect):
    assert sse_dialect.name in ("hector", "chronos")
"""
    run(pytester, test, "--sse-server=lockstep").assert_outcomes(passed=4)
    test = """
@pytest.mark.anyio
async def test_option(sse_connect, sse_client, sse_dialect, sse_vectors, sse_clock):
    async with sse_connect(ticks) as stream:
        assert " on lockstep: " in stream.transcript
    async with sse_client(leaky) as client:
        assert client.timeout.read == 0.25
    assert sse_dialect.name == "husk"
    assert sse_vectors[0].id.startswith("sse/")
"""
    options = "--sse-server=lockstep", "--sse-dialect=husk", "--sse-timeout=0.25"
    run(pytester, test, *options).assert_outcomes(passed=1)


def test_a_failing_test_tells_what_was_on_its_streams(pytester: pytest.Pytester) -> None:
    test = """
@pytest.mark.anyio
async def test_fails(sse_connect, sse_client, sse_clock):
    async with sse_connect(ticks, "/first?x=1") as stream:
        await stream.take(2)
        async with stream.reconnect() as again:
            await again.next()
    async with sse_client(ticks) as client:
        async with client.stream("GET", "/second") as response:
            assert await anext(response.aiter_lines()) == "data: 7"
"""
    result = run(pytester, test)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines_random(["*- SSE trace -*"])
    trace = output(result).partition(" SSE trace ")[2].splitlines()[1:]
    assert [line for line in trace if line.startswith("    GET")] == [
        "    GET /first?x=1 on uvicorn: 200, 2 events, 0 comments, 2 chunks",
        "    GET /first?x=1 on uvicorn: 200, 1 events, 0 comments, 1 chunks",
        "    GET /second on uvicorn: 200, 0 events, 0 comments, 1 chunks",
    ]
    assert "     1.000 app -> http.response.body b'data: 1\\n\\n'" in trace
    assert "     1.000 the client leaves" in trace


def test_a_stream_that_its_error_tells_of_is_not_told_twice(pytester: pytest.Pytester) -> None:
    test = """
@pytest.mark.anyio
async def test_fails(sse_connect, sse_clock):
    async with sse_connect(ticks, "/quick") as stream:
        await stream.next()
    async with sse_connect(ticks, "/slow", timeout=0.05) as stream:
        await stream.until("done")


@pytest.mark.anyio
async def test_alone(sse_connect, sse_clock):
    async with sse_connect(leaky, "/leak", timeout=0.05) as stream:
        await stream.next()
"""
    result = run(pytester, test)
    result.assert_outcomes(failed=2)
    text = output(result)
    assert text.count("GET /slow on uvicorn") == 1
    assert text.count("GET /quick on uvicorn") == 1
    assert text.count("GET /leak on uvicorn") == 1
    assert text.count(" SSE trace ") == 1


def test_a_failure_points_at_the_line_of_the_test_and_at_nothing_of_ours(pytester: pytest.Pytester) -> None:
    test = """
@pytest.mark.anyio
async def test_late(sse_connect, sse_clock):
    async with sse_connect(ticks, timeout=0.05) as stream:
        await stream.until("done")


@pytest.mark.anyio
async def test_leak(sse_connect, sse_clock):
    async with sse_connect(leaky, timeout=0.05) as stream:
        await stream.next()
"""
    result = run(pytester, test)
    text = output(result)
    assert '>           await stream.until("done")' in text
    assert (
        "E           sseware.testing.errors.SSETimeout: the event 'done' did not come within 0.05 s" in text
    )
    assert ">       async with sse_connect(leaky, timeout=0.05) as stream:" in text
    assert "leaky (" in text
    assert "sseware/testing/_" not in text
    assert "contextlib" not in text


def test_a_mistake_of_ours_would_show_all_frames(pytester: pytest.Pytester) -> None:
    test = """
@pytest.mark.anyio
async def test_wrong(sse_connect):
    async with sse_connect(ticks, 7) as stream:
        pass
"""
    assert "sseware/testing/_connect.py" in output(run(pytester, test))


def test_a_passing_test_says_nothing(pytester: pytest.Pytester) -> None:
    test = """
@pytest.mark.anyio
async def test_passes(sse_connect, sse_clock):
    async with sse_connect(ticks) as stream:
        await stream.next()


def test_another_fails():
    assert 1 == 2
"""
    result = run(pytester, test)
    result.assert_outcomes(passed=1, failed=1)
    assert "SSE trace" not in output(result)


def test_an_inserted_event_is_in_the_first_three_lines_of_a_failure(pytester: pytest.Pytester) -> None:
    e = "ServerSentEvent"
    test = f"def test_it():\n    assert [{e}('a'), {e}('x'), {e}('b')] == [{e}('a'), {e}('b')]\n"
    result = run(pytester, test)
    result.assert_outcomes(failed=1)
    assert [line[1:].strip() for line in result.outlines if line.startswith("E  ")][:3] == [
        "AssertionError: assert 3 events == 2 events",
        "event 1 was inserted: ServerSentEvent(data='x')",
        "3 events came, 2 are wanted (+ came in addition, - is missing, ~ is another one):",
    ]


def test_only_equality_of_what_may_be_events_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    some, other = [ServerSentEvent("a")], [ServerSentEvent("b")]
    assert plugin.pytest_assertrepr_compare("==", some, other)
    assert plugin.pytest_assertrepr_compare("!=", some, some) is None
    monkeypatch.delitem(sys.modules, "sseware.events")
    assert plugin.pytest_assertrepr_compare("==", some, other) is None


class TestRecorder:
    def test_recordings_lie_beside_the_test_under_its_name(self, pytester: pytest.Pytester) -> None:
        test = """
@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/a/b", "c d"])
async def test_it(sse_connect, sse_recorder, sse_clock, path):
    async with sse_connect(sse_recorder(ticks)) as stream:
        assert [event.at for event in await stream.take(3)] == [0, 1, 2]
"""
        result = run(pytester, test)
        result.assert_outcomes(failed=2)
        assert "make it with --sse-record=missing" in output(result)
        run(pytester, test, "--sse-record=missing").assert_outcomes(passed=2)
        made = sorted(path.name for path in (pytester.path / "recordings" / "test_it").iterdir())
        assert made == ["test_it-a-b.sse", "test_it-c-d.sse"]
        run(pytester, test).assert_outcomes(passed=2)


class TestVirtualTime:
    """``sse_clock``, whoever runs the test."""

    def test_under_anyio_with_async_fixtures_of_the_test(self, pytester: pytest.Pytester) -> None:
        test = """
pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio", ("asyncio", {"use_uvloop": False, "debug": True})])
def anyio_backend(request):
    return request.param


@pytest.fixture
async def an_hour_before():
    await anyio.sleep(3600)
    yield anyio.current_time()
    await anyio.sleep(3600)


@pytest.fixture
async def two_hours_before(an_hour_before):
    await anyio.sleep(3600)
    return anyio.current_time()


class TestInClass:
    word = "said"

    @pytest.fixture
    async def said(self, two_hours_before):
        await anyio.sleep(3600)
        return self.word

    async def test_it(self, said, sse_clock):
        assert (said, sse_clock.now()) == ("said", 3 * 3600)


async def test_it(an_hour_before, two_hours_before, sse_clock, sse_connect):
    assert (an_hour_before, two_hours_before) == (3600, 7200)
    async with sse_connect(ticks) as stream:
        await sse_clock.sleep(49.5)
        assert len(stream.events) == 50
        assert sse_clock.now() == 7249.5


async def test_others_have_real_time():
    assert anyio.current_time() > 0.001
"""
        run(pytester, test).assert_outcomes(passed=9)

    def test_under_pytest_asyncio(self, pytester: pytest.Pytester) -> None:
        test = """
pytestmark = pytest.mark.asyncio


async def test_it(sse_connect, sse_clock):
    async with sse_connect(ticks) as stream:
        await stream.take(50)
        assert sse_clock.now() == 49


@pytest.mark.parametrize("number", [1, 2])
async def test_others_have_real_time(number):
    assert anyio.current_time() > 0.001
"""
        strict = "-o", "asyncio_mode=strict", "-o", "asyncio_default_fixture_loop_scope=function"
        run(pytester, test, runner=strict).assert_outcomes(passed=3)

    def test_the_backend_can_be_made_of_it(self, pytester: pytest.Pytester) -> None:
        test = """
@pytest.fixture
def anyio_backend(sse_clock):
    return sse_clock.backend("trio")


@pytest.mark.anyio
async def test_it():
    assert anyio.current_time() == 0
"""
        run(pytester, test).assert_outcomes(passed=1)

    def test_without_a_plugin(self, pytester: pytest.Pytester) -> None:
        test = """
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it(sse_clock, sse_connect, backend):
    async def main(count):
        async with sse_connect(ticks) as stream:
            await stream.take(count)
            return sse_clock.now()

    assert sse_clock.run(main, 50, backend=backend) == 49
"""
        run(pytester, test).assert_outcomes(passed=2)

    def test_an_event_loop_that_was_there_before_is_reported(self, pytester: pytest.Pytester) -> None:
        test = """
@pytest.fixture(scope="module", params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture(scope="module", autouse=True)
async def before_all():
    yield


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["sse_connect", "sse_client", "now", "sleep"])
async def test_it(sse_clock, sse_connect, sse_client, way):
    if way == "now":
        sse_clock.now()
    elif way == "sleep":
        await sse_clock.sleep(1)
    else:
        async with (sse_connect if way == "sse_connect" else sse_client)(ticks):
            pass


def test_sync(sse_clock):
    sse_clock.now()
"""
        result = run(pytester, test)
        result.assert_outcomes(failed=9)
        assert output(result).count("ConfigurationError: sse_clock: time is real in this event loop") == 9


@pytest.mark.parametrize("installed", [["httpx2", "httpx"], ["httpx"], []])
def test_a_client_is_of_the_library_that_is_installed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, installed: list[str]
) -> None:
    for name in {"httpx2", "httpx"} - set(installed):
        monkeypatch.setitem(sys.modules, name, None)
    test = """
@pytest.mark.anyio
async def test_it(sse_client):
    async with sse_client(ticks, headers={"x": "y"}) as client:
        async with client.stream("GET", "/") as response:
            assert await anext(response.aiter_lines()) == "data: 0"
            assert str(response.request.url) == "http://testserver/"
            print("it is", type(client).__module__)
"""
    result = run(pytester, test, "-s")
    if installed:
        assert f"it is {installed[0]}" in output(result)
        result.assert_outcomes(passed=1)
    else:
        assert "sse_client needs an HTTP client: pip install httpx2, or httpx" in output(result)
        result.assert_outcomes(failed=1)


def test_real_servers_and_virtual_time_do_not_go_together(pytester: pytest.Pytester) -> None:
    test = """
def test_server(sse_server, sse_clock):
    pass


def test_wire_server(sse_clock, sse_wire_server):
    pass
"""
    result = run(pytester, test)
    result.assert_outcomes(errors=2)
    for name in ("sse_server", "sse_wire_server"):
        assert f"{name} answers in real time, and sse_clock is virtual" in output(result)


@pytest.mark.sse(server="uvicorn-h2", timeout=7)
def test_a_server_is_the_one_that_was_chosen_where_there_is_one(sse_server: fixtures.ServerFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise NotImplementedError

    context = sse_server(app, "uvicorn")
    assert (context._name, context._timeout) == ("uvicorn", 7)
    other = fixtures.ServerFixture(Choices(server="lockstep"))
    assert other(app, timeout=3)._name == "uvicorn"
    assert fixtures.ServerFixture(Choices(server="uvicorn-h2"))(app, "uvicorn-h11")._name == "uvicorn-h11"
    pytest.importorskip("hypercorn")
    assert fixtures.ServerFixture(Choices(server="hypercorn"))(app)._name == "hypercorn"


# In real time, which the other tests here do not have.
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_an_application_runs_on_a_real_server_in_an_async_test(
    sse_server: fixtures.ServerFixture, anyio_backend: str
) -> None:
    async with sse_server(says(b"data: hello\n\n")) as server, httpx2.AsyncClient() as client:
        assert (await client.get(server.url)).text == "data: hello\n\n"


def test_a_client_meets_what_a_script_says(sse_wire_server: fixtures.WireServerFixture) -> None:
    def script(connection: WireConnection) -> None:
        connection.start()
        connection.dribble(b"data: hello\n\n")

    with sse_wire_server(script) as server, httpx2.Client() as client:
        assert client.get(server.url).text == "data: hello\n\n"


def test_the_values_of_the_fixtures_have_types(request: Any) -> None:
    assert isinstance(request.getfixturevalue("sse_connect"), fixtures.ConnectFixture)
    chosen = "Choices(server='uvicorn', dialect='plain', timeout=5.0, record='never')"
    for name in ("connect", "client", "server", "wire_server"):
        fixture = request.getfixturevalue(f"sse_{name}")
        assert repr(fixture) == f"<{type(fixture).__name__} of {chosen}>"
    assert repr(request.getfixturevalue("sse_recorder")).endswith(
        "recordings/test_plugin', 'never', 'test_the_values_of_the_fixtures_have_types')"
    )
    assert repr(VirtualClock()) == "VirtualClock()"
    assert isinstance(request.getfixturevalue("sse_client"), fixtures.ClientFixture)
    assert isinstance(request.getfixturevalue("sse_server"), fixtures.ServerFixture)
    assert isinstance(request.getfixturevalue("sse_wire_server"), fixtures.WireServerFixture)
