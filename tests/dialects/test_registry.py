"""Which dialects there are: loaded alone, in a fixed order, named in errors; and no hook while a stream runs."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import pluggy
import pytest

from sseware import Dialect, EventStream, SSEMiddleware, get_dialect
from sseware.dialects import Plain, Registry, default_registry, hookimpl
from sseware.errors import ConfigurationError, DialectConflict, UnknownDialect
from sseware.negotiation import Decision, Offer, Request

Install = Callable[..., Path]

GOOD = """
    from sseware.dialects import Plain, hookimpl

    @hookimpl
    def sseware_dialects():
        return [Plain(name={name!r})]
"""


class Provides:
    """A plugin with some dialects."""

    def __init__(self, *names: str) -> None:
        self._names = names

    @hookimpl
    def sseware_dialects(self) -> Iterable[Dialect]:
        return [Plain(name=name) for name in self._names]


def test_plain_is_always_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSEWARE_DISABLE_PLUGINS", "sseware,all")
    registry = Registry()
    assert registry.names() == ("plain",)
    assert registry.get("plain") == Plain()
    (provider,) = registry.providers
    assert (provider.name, provider.distribution, provider.dialects) == ("plain", "sseware", ("plain",))


def test_every_built_in_plugin_loads() -> None:
    registry = Registry(installed=False)
    assert registry.problems == ()
    assert set(registry.names()) == {name for each in registry.providers for name in each.dialects}


def test_a_dialect_of_another_distribution_is_found(install: Install) -> None:
    install("acme", {"calm": "acme_calm"}, {"acme_calm": GOOD.format(name="calm")}, version="3.2")
    registry = Registry()
    assert registry.get("calm") == Plain(name="calm")
    assert str(registry.providers[-1]) == "calm (acme 3.2)"
    assert "calm" not in Registry(installed=False).names()


def test_an_object_is_a_dialect_of_its_own() -> None:
    registry = Registry(installed=False)
    mine = Plain(name="unregistered")
    assert registry.get(mine) is mine
    assert registry.get(mine) is mine
    with pytest.raises(ConfigurationError, match="want the name of a dialect or an object"):
        registry.get(42)  # type: ignore[arg-type]  # that is the point


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    registry = Registry({"given": Provides("calm")}, installed=False)
    with pytest.raises(UnknownDialect) as caught:
        registry.get("clam")
    assert caught.value.name == "clam"
    assert caught.value.known == registry.names()
    assert "calm" in str(caught.value)


def test_a_name_that_the_environment_keeps_out_is_told_so(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme", {"calm": "acme_calm"}, {"acme_calm": GOOD.format(name="calm")})
    monkeypatch.setenv("SSEWARE_DISABLE_PLUGINS", "calm")
    registry = Registry()
    assert registry.disabled == ("acme:calm",)
    with pytest.raises(UnknownDialect, match="switched off: acme:calm"):
        registry.get("calm")


# The plugins that are broken, each in its own way, and what is told of it.
BROKEN = {
    "does-not-import": ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of"),
    "raises-at-import": ("raise OSError('no disk')", "OSError: no disk"),
    "exits-at-import": ("raise SystemExit(2)", "SystemExit: 2"),
    "is-not-python": ("def (", "SyntaxError: "),
    "raises-in-its-hook": (
        """
        from sseware.dialects import hookimpl

        @hookimpl
        def sseware_dialects():
            1 / 0
        """,
        "ZeroDivisionError: division by zero",
    ),
    "returns-nonsense": (
        """
        from sseware.dialects import hookimpl

        @hookimpl
        def sseware_dialects():
            return 7
        """,
        "must return a list of dialects, got 7",
    ),
    "misspells-its-hook": (
        """
        from sseware.dialects import hookimpl

        @hookimpl
        def sseware_dialcets():
            return []
        """,
        "unknown hook 'sseware_dialcets'",
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_one_plugin_harms_nobody_when_it(
    broken: str, install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    """T1, T3."""
    source, told = BROKEN[broken]
    install("a-broken", {"first": "broken_plugin"}, {"broken_plugin": source})
    install("b-good", {"calm": "good_plugin"}, {"good_plugin": GOOD.format(name="calm")})
    with caplog.at_level(logging.WARNING, "sseware"):
        registry = Registry({"given": Provides("still")})
    assert registry.get("calm") == Plain(name="calm")
    assert registry.get("still") == Plain(name="still")
    (problem,) = registry.problems
    assert str(problem).startswith("plugin a-broken:first: ")
    assert told in str(problem)
    assert caplog.messages == [str(problem)]
    with pytest.raises(UnknownDialect) as caught:
        registry.get("first")
    assert told in str(caught.value)


def test_an_entry_point_that_leads_nowhere_harms_nobody(install: Install) -> None:
    """T1, T3."""
    install("a-broken", {"first": "os:nothing_of_that_name", "second": "not a reference"}, {})
    registry = Registry()
    assert [str(problem).split(": ")[0] for problem in registry.problems] == [
        "plugin a-broken:first",
        "plugin a-broken:second",
    ]
    assert "plain" in registry.names()


def test_a_plugin_may_look_up_dialects_while_it_is_loaded(install: Install) -> None:
    source = "from sseware import get_dialect\nfrom sseware.dialects import hookimpl\nPLAIN = get_dialect('plain')\n"
    source += "@hookimpl\ndef sseware_dialects():\n    return []\n"
    install("acme", {"calm": "acme_calm"}, {"acme_calm": source})
    default_registry.cache_clear()
    try:
        assert default_registry().problems == ()
        assert [each.key for each in default_registry().providers][-1] == "acme:calm"
    finally:
        default_registry.cache_clear()


def test_two_providers_of_one_name_are_both_named_to_whoever_asks(install: Install) -> None:
    install("b-dialects", {"two": "second_plugin"}, {"second_plugin": GOOD.format(name="calm")})
    install("a-dialects", {"one": "first_plugin"}, {"first_plugin": GOOD.format(name="calm")})
    registry = Registry({"given": Provides("still")})
    assert registry.get("still").name == "still"
    with pytest.raises(DialectConflict) as caught:
        registry.get("calm")
    assert caught.value.providers == ("a-dialects:one", "b-dialects:two")
    assert str(caught.value) == (
        "the dialect 'calm' is provided by a-dialects:one and by b-dialects:two: uninstall one, name it in "
        "SSEWARE_DISABLE_PLUGINS, or pass the dialect as an object"
    )
    assert [str(problem) for problem in registry.problems] == [str(caught.value)]


def test_each_way_out_of_a_conflict_works(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("a-dialects", {"one": "first_plugin"}, {"first_plugin": GOOD.format(name="calm")})
    install("b-dialects", {"two": "second_plugin"}, {"second_plugin": GOOD.format(name="calm")})
    mine = Plain(name="calm")
    assert Registry().get(mine) is mine
    monkeypatch.setenv("SSEWARE_DISABLE_PLUGINS", "a-dialects:one")
    registry = Registry()
    assert registry.get("calm") == Plain(name="calm")
    assert registry.providers[-1].key == "b-dialects:two"
    assert registry.problems == ()


def test_a_conflict_with_a_built_in_dialect_is_no_other_ones_trouble() -> None:
    registry = Registry({"given": Provides("plain")}, installed=False)
    with pytest.raises(DialectConflict, match="sseware:plain and by given to Registry:given"):
        registry.get("plain")
    with pytest.raises(DialectConflict):
        SSEMiddleware(one_word, dialect="plain", registry=registry)
    SSEMiddleware(one_word, dialect=Plain(), registry=registry)


def test_the_default_registry_is_made_once_and_at_its_first_use(install: Install) -> None:
    default_registry.cache_clear()
    try:
        install("acme", {"calm": "acme_calm"}, {"acme_calm": GOOD.format(name="calm")})
        assert default_registry() is default_registry()
        assert get_dialect("calm") == Plain(name="calm")
    finally:
        default_registry.cache_clear()


def test_registries_know_nothing_of_each_other() -> None:
    one, other = Registry({"p": Provides("calm")}, installed=False), Registry(installed=False)
    assert "calm" in one.names()
    assert "calm" not in other.names()


class Decides:
    """A plugin that returns one thing from each negotiation, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[Request, Sequence[Offer]]] = []

    @hookimpl
    def sseware_negotiate(self, request: Request, offers: Sequence[Offer]) -> Any:
        self.asked.append((request, offers))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


OFFERS = [Offer("plain"), Offer("calm")]
BUFFERED = Decision("buffered", "calm", "the plugin says so", "application/json")


def test_the_first_opinion_on_a_negotiation_holds() -> None:
    first, second = Decides(BUFFERED), Decides(Decision("stream", "plain", "never asked", None))
    registry = Registry({"silent": Decides(None), "first": first, "second": second}, installed=False)
    request = Request(path="/here")
    assert registry.negotiate(request, OFFERS) is BUFFERED
    assert first.asked == [(request, OFFERS)]
    assert second.asked == []


def test_an_opinion_may_be_wanted_first_or_last() -> None:
    class Last:
        @hookimpl(trylast=True)
        def sseware_negotiate(self) -> Decision:
            return Decision("stream", "plain", "last", None)

    class First:
        @hookimpl(tryfirst=True)
        def sseware_negotiate(self) -> Decision:
            return Decision("stream", "plain", "first", None)

    def reason(plugins: Mapping[str, object]) -> str:
        return Registry(plugins, installed=False).negotiate(Request(), OFFERS).reason

    assert reason({"last": Last(), "middle": Decides(BUFFERED)}) == BUFFERED.reason
    assert reason({"middle": Decides(BUFFERED), "first": First()}) == "first"


def test_without_an_opinion_the_rules_decide() -> None:
    without = Registry(installed=False).negotiate(Request(accept="application/json"), OFFERS)
    silent = Registry({"silent": Decides(None)}, installed=False)
    assert silent.negotiate(Request(accept="application/json"), OFFERS) == without
    assert without.representation == "buffered"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(RuntimeError("boom"), "raised; it is passed over", id="an-exception"),
        pytest.param(
            "stream", "must return None, or a Decision on one of: plain, calm; got 'stream'", id="a-text"
        ),
        pytest.param(Decision("stream", "ash", "?", None), "got Decision(", id="a-dialect-not-offered"),
        pytest.param(
            Decision("both", "plain", "?", None),  # type: ignore[arg-type]  # that is the point
            "got Decision(",
            id="no-representation",
        ),
    ],
)
def test_a_plugin_that_negotiates_nonsense_is_passed_over(
    answer: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """T1."""
    registry = Registry({"bad": Decides(answer), "good": Decides(BUFFERED)}, installed=False)
    with caplog.at_level(logging.ERROR, "sseware"):
        assert registry.negotiate(Request(), OFFERS) is BUFFERED
    (message,) = caplog.messages
    assert message.startswith("plugin given to Registry:bad: sseware_negotiate ")
    assert told in message


def test_a_negotiation_that_no_plugin_cares_for_calls_the_rules_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called = []
    monkeypatch.setattr("sseware.dialects._registry.negotiate", lambda *given: called.append(given))
    monkeypatch.setattr("sseware.dialects._registry._opinion", None)
    request = Request()
    Registry({"p": Provides("calm")}, installed=False).negotiate(request, OFFERS)
    assert called == [(request, OFFERS)]


class Spy:
    """A plugin that implements every hook, and counts how often it is called."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    @hookimpl
    def sseware_dialects(self) -> Iterable[Dialect]:
        self.calls.append("dialects")
        return [Plain(name="spied")]

    @hookimpl
    def sseware_item_encoders(self, dialect: Dialect) -> Mapping[type, Callable[[Any], Any]]:
        self.calls.append("item_encoders")
        return {complex: lambda number: [f"{number.real:g},{number.imag:g}"]}

    @hookimpl
    def sseware_negotiate(self) -> None:
        self.calls.append("negotiate")

    @hookimpl
    def sseware_stream_observers(self) -> None:
        self.calls.append("stream_observers")


EVENTS = 10_000


async def one_word() -> Any:
    yield "word"


async def ten_thousand() -> Any:
    for number in range(EVENTS // 2):
        yield "word"
        yield complex(number, 1)


async def get(app: Any) -> bytes:
    """The body of the answer to one request."""
    body, requests = bytearray(), [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return requests.pop() if requests else await anyio.sleep_forever()

    async def send(message: Any) -> None:
        body.extend(message.get("body", b""))

    await app({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send)
    return bytes(body)


@pytest.mark.anyio
@pytest.mark.parametrize("front", ["SSEMiddleware", "EventStream"])
async def test_no_hook_is_called_while_ten_thousand_events_stream(
    front: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_pluggy: list[str] = []
    call = pluggy.HookCaller.__call__

    def counted(self: pluggy.HookCaller, **arguments: object) -> Any:
        by_pluggy.append(self.name)
        return call(self, **arguments)

    monkeypatch.setattr(pluggy.HookCaller, "__call__", counted)
    spy = Spy()
    registry = Registry({"spy": spy}, installed=False)
    middleware = SSEMiddleware(ten_thousand, dialect="spied", registry=registry)
    warm_up = SSEMiddleware(one_word, dialect="spied", registry=registry)
    assert await get(warm_up) == b"data: word\n\n"
    assert await get(EventStream(one_word(), dialect="spied", registry=registry)) == b"data: word\n\n"
    before = list(spy.calls)
    app = (
        middleware
        if front == "SSEMiddleware"
        else EventStream(ten_thousand(), dialect="spied", registry=registry)
    )
    body = await get(app)
    assert body.count(b"\n\n") == EVENTS
    assert b"data: 7,1\n\n" in body
    # One request is negotiated; the dialects, what is added to one, and who observes were settled before.
    assert spy.calls[len(before) :] == ["negotiate"]
    assert (before.count("dialects"), before.count("item_encoders")) == (1, 1)
    assert before.count("stream_observers") == 3, "once for each middleware, once for what has none"
    assert by_pluggy == []


def test_who_only_reads_a_dialect_loads_no_server() -> None:
    code = "import sys, sseware; sseware.get_dialect('chronos'); print('sseware.asgi' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-W", "error", "-c", code], text=True) == "False\n"
