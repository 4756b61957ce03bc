"""The observers that plugins provide: in order, and a plugin that fails harms nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import pytest

from sseware.dialects import Registry, StreamObserver, hookimpl
from sseware.errors import PluginError


class Watcher(StreamObserver):
    pass


class Provides:
    """A plugin that provides what it is told to provide, and remembers for whom it was asked."""

    def __init__(self, provided: Any) -> None:
        self.provided = provided
        self.asked: list[object] = []

    @hookimpl
    def sseware_stream_observers(self, settings: Any) -> Any:
        self.asked.append(settings)
        if isinstance(self.provided, Exception):
            raise self.provided
        return self.provided


def registry_of(*plugins: object) -> Registry:
    return Registry({f"p{number}": plugin for number, plugin in enumerate(plugins)}, installed=False)


def test_the_observers_of_all_plugins_come_in_the_order_of_loading() -> None:
    first, second, third = Watcher(), Watcher(), Watcher()
    one, two = Provides([first, second]), Provides(iter([third]))
    settings = object()
    assert registry_of(one, two).stream_observers(settings) == (first, second, third)
    assert (one.asked, two.asked) == ([settings], [settings])


def test_a_plugin_may_provide_none() -> None:
    registry = registry_of(Provides(None), Provides(()))
    assert registry.stream_observers(None) == ()
    assert registry.problems == ()


def test_an_implementation_may_leave_the_settings_out() -> None:
    class Plugin:
        @hookimpl
        def sseware_stream_observers(self) -> Iterable[StreamObserver]:
            return [Watcher()]

    (observer,) = registry_of(Plugin()).stream_observers(None)
    assert isinstance(observer, Watcher)


@pytest.mark.parametrize(
    ("provided", "told"),
    [
        pytest.param(OSError("no disk"), r"OSError\('no disk'\)", id="it-raises"),
        pytest.param(7, "want a list of observers, got 7", id="a-number"),
        pytest.param("ab", "want a list of observers, got 'ab'", id="a-str"),
        pytest.param({}, "want a list of observers, got {}", id="a-mapping"),
        pytest.param(Watcher(), "want a list of observers, got <", id="one-observer"),
        pytest.param(
            [Watcher], r"want instances of sseware.dialects.StreamObserver, got <class", id="a-class"
        ),
        pytest.param([Watcher(), None], "want instances of .* got None", id="one-is-none"),
    ],
)
def test_a_plugin_that_fails_observes_nothing_and_harms_nobody(
    provided: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """T1."""
    good = Watcher()
    registry = registry_of(Provides(provided), Provides([good]))
    with caplog.at_level(logging.ERROR, "sseware"):
        for _ in range(2):
            assert registry.stream_observers(None) == (good,)
    (problem,) = registry.problems
    assert isinstance(problem, PluginError)
    with pytest.raises(PluginError, match=f"^plugin given to Registry:p0: sseware_stream_observers: {told}"):
        raise problem
    assert "; it observes nothing" in caplog.text
