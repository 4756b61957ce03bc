"""What a plugin must be, and what is told of one that is not."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

import pytest

from sseware import Dialect
from sseware.dialects import Plain, hookimpl
from sseware.dialects._discovery import FoundPlugin
from sseware.dialects._plugins import LoadedPlugin, check_dialect, load
from sseware.errors import ConfigurationError, PluginError


def loaded(plugin: object) -> LoadedPlugin:
    return load(FoundPlugin("calm", "acme-dialects", lambda: plugin))


def problem(load_plugin: Callable[[], object]) -> PluginError:
    with pytest.raises(PluginError) as caught:
        load(FoundPlugin("calm", "acme-dialects", load_plugin))
    assert caught.value.plugin == "acme-dialects:calm"
    return caught.value


def test_a_plugin_is_an_object_with_marked_functions() -> None:
    class Plugin:
        @hookimpl
        def sseware_dialects(self) -> Iterable[Dialect]:
            return [Plain(name="calm"), Plain(name="still")]

        @hookimpl
        def sseware_negotiate(self, request: object, offers: object) -> None:
            return None

    plugin = loaded(Plugin())
    assert [dialect.name for dialect in plugin.dialects] == ["calm", "still"]
    provider = plugin.provider
    assert (provider.name, provider.distribution, provider.version) == ("calm", "acme-dialects", "")
    assert set(provider.hooks) == {"sseware_dialects", "sseware_negotiate"}
    assert provider.dialects == ("calm", "still")
    assert provider.key == "acme-dialects:calm"
    assert str(provider) == "calm (acme-dialects)"


def test_a_plugin_is_a_module() -> None:
    module = ModuleType("calm")

    def sseware_dialects() -> Iterator[Dialect]:
        yield Plain(name="calm")

    module.sseware_dialects = hookimpl(sseware_dialects)  # type: ignore[attr-defined]  # a module made here
    assert loaded(module).provider.dialects == ("calm",)


def test_a_function_of_another_name_may_implement_a_hook() -> None:
    class Plugin:
        @hookimpl(specname="sseware_dialects")
        def mine(self) -> Iterable[Dialect]:
            return (Plain(name="calm"),)

    assert loaded(Plugin()).provider.hooks == ("sseware_dialects",)


def test_an_optional_hook_of_another_version_is_let_be() -> None:
    class Plugin:
        @hookimpl(optionalhook=True)
        def sseware_of_the_future(self) -> None: ...

        @hookimpl
        def sseware_dialects(self) -> Iterable[Dialect]:
            return [Plain(name="calm")]

    assert loaded(Plugin()).provider.hooks == ("sseware_dialects",)


def test_an_implementation_gets_the_arguments_that_it_names() -> None:
    class Plugin:
        @hookimpl
        def sseware_negotiate(self, offers: Any) -> Any:
            return ("offers", offers)

    (hook,) = loaded(Plugin()).hooks
    assert hook.call("the request", "the offers") == ("offers", "the offers")


def test_first_and_last_are_remembered() -> None:
    class First:
        @hookimpl(tryfirst=True)
        def sseware_negotiate(self) -> None: ...

    class Middle:
        @hookimpl
        def sseware_negotiate(self) -> None: ...

    class Last:
        @hookimpl(trylast=True)
        def sseware_negotiate(self) -> None: ...

    assert [loaded(plugin()).hooks[0].rank for plugin in (First, Middle, Last)] == [0, 1, 2]


class Misspelt:
    @hookimpl
    def sseware_dialect(self) -> Iterable[Dialect]:
        return [Plain(name="calm")]


class Unmarked:
    def sseware_dialects(self) -> Iterable[Dialect]:
        return [Plain(name="calm")]


class Async:
    @hookimpl
    async def sseware_dialects(self) -> Iterable[Dialect]:
        return [Plain(name="calm")]


class AsyncGenerator:
    @hookimpl
    async def sseware_negotiate(self, request: object) -> AsyncIterator[None]:
        yield None


class Wrapper:
    @hookimpl(wrapper=True)
    def sseware_negotiate(self) -> Iterator[None]:
        return (yield)


class Defaults:
    @hookimpl
    def sseware_negotiate(self, request: object, offers: object = ()) -> None: ...


class Argument:
    @hookimpl
    def sseware_negotiate(self, headers: object) -> None: ...


class Nothing:
    pass


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        pytest.param(Misspelt, "unknown hook 'sseware_dialect' in plugin", id="a-misspelt-hook"),
        pytest.param(
            Misspelt, "; there are: sseware_dialects, sseware_item", id="a-misspelt-hook-names-hooks"
        ),
        pytest.param(Unmarked, "sseware_dialects is not marked; write @hookimpl", id="an-unmarked-function"),
        pytest.param(Async, "sseware_dialects is async; a hook is called at start-up", id="a-coroutine"),
        pytest.param(AsyncGenerator, "sseware_negotiate is async", id="an-async-generator"),
        pytest.param(Wrapper, "sseware_negotiate is a wrapper", id="a-wrapper"),
        pytest.param(Defaults, "sseware_negotiate has defaults for offers", id="defaults"),
        pytest.param(Argument, "Argument(s) {'headers'} are declared in the hookimpl but", id="an-argument"),
        pytest.param(Nothing, "implements no hook; there are: sseware_dialects", id="no-hook-at-all"),
    ],
)
def test_a_plugin_is_refused_for(plugin: type, told: str) -> None:
    assert told in str(problem(plugin))


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        pytest.param(None, "must return a list of dialects, got None", id="nothing"),
        pytest.param("calm", "must return a list of dialects, got 'calm'", id="a-name"),
        pytest.param({"calm": Plain()}, "must return a list of dialects, got {'calm'", id="a-mapping"),
        pytest.param(Plain(), "must return a list of dialects, got Plain()", id="one-dialect"),
        pytest.param([object()], "open, fold and decoder, got <object object", id="no-dialect"),
        pytest.param([Plain], "got <class", id="a-class"),
        pytest.param([Plain(name="Calm Down")], "got 'Calm Down'", id="a-name-that-is-none"),
        pytest.param([Plain(name="x"), Plain(name="x")], "two dialects of the name 'x'", id="twice"),
    ],
)
def test_nonsense_for_dialects_is_refused(returned: Any, told: str) -> None:
    class Plugin:
        @hookimpl
        def sseware_dialects(self) -> Any:
            return returned

    assert told in str(problem(Plugin))


def test_what_a_hook_raises_is_told_and_kept() -> None:
    class Plugin:
        @hookimpl
        def sseware_dialects(self) -> Iterable[Dialect]:
            yield Plain(name="calm")
            raise LookupError("no such tariff")

    found = problem(Plugin)
    assert str(found) == "plugin acme-dialects:calm: LookupError: no such tariff"
    assert isinstance(found.__cause__, LookupError)


def test_an_import_that_fails_or_exits_is_told() -> None:
    def missing() -> object:
        raise ModuleNotFoundError("No module named 'numpy'")

    assert "ModuleNotFoundError: No module named 'numpy'" in str(problem(missing))
    assert "SystemExit: 3" in str(problem(lambda: sys.exit(3)))


class Wrong:
    """A dialect, but for what a test changes."""

    name: Any = "wrong"
    default: Any = "stream"
    media_types: Any = ("application/json",)
    open = fold = decoder = Plain.decoder


@pytest.mark.parametrize(
    ("attribute", "value", "told"),
    [
        pytest.param("name", 7, "must match [a-z][a-z0-9_-]*, got 7", id="a-name-that-is-no-text"),
        pytest.param("name", "1st", "must match [a-z][a-z0-9_-]*, got '1st'", id="a-digit-first"),
        pytest.param("name", "ash\n", "got 'ash\\n'", id="a-newline"),
        pytest.param("default", "streamed", "must be 'stream' or 'buffered', got 'streamed'", id="default"),
        pytest.param("media_types", (), "media_types of dialect 'wrong' must be a tuple", id="no-media-type"),
        pytest.param("open", None, "open", id="no-open"),
    ],
)
def test_a_dialect_is_refused_for(attribute: str, value: object, told: str) -> None:
    dialect = Wrong()
    check_dialect(dialect)
    if attribute == "open":
        dialect = object()  # type: ignore[assignment]  # the methods of a class cannot be taken away
    else:
        setattr(dialect, attribute, value)
    with pytest.raises(ConfigurationError) as caught:
        check_dialect(dialect)
    assert told in str(caught.value)
