"""Which dialects there are: built-in plugins, then those of other distributions, each loaded on its own.

A broken plugin is remembered by name and harms nobody; two providers of one name are an error for whoever asks
for that name. After start-up everything is resolved to plain objects: no hook is called while a stream runs.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, TypeAlias

import msgspec
import pluggy

from ..errors import ConfigurationError, DialectConflict, PluginError, UnknownDialect
from ..events import ServerSentEvent
from ..negotiation import Decision, Offer, Request, negotiate
from . import _hookspecs
from ._plain import Plain
from ._protocols import Dialect

__all__ = ["ItemEncoders", "Provider", "Registry", "default_registry", "get_dialect"]

ItemEncoders: TypeAlias = Mapping[type, Callable[[Any], Iterable[ServerSentEvent]]]
"""For each type of item, exactly that one, what makes events of it."""

# Named as strings: a built-in plugin is loaded like a stranger's, and may import this package.
_BUILT_IN: Final = {"husk": "sseware.plugins.husk"}
_GROUP: Final = "sseware"
_DISABLE: Final = "SSEWARE_DISABLE_PLUGINS"
_ALLOW: Final = "SSEWARE_PLUGINS"


class Provider(msgspec.Struct, frozen=True):
    """A plugin that was loaded.

    Attributes:
        name: The name of its entry point.
        distribution: What it came with: ``"acme-dialects 1.2"``.
        hooks: The hooks that it implements.
        dialects: The names of its dialects.
    """

    name: str
    distribution: str
    hooks: tuple[str, ...]
    dialects: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution})"


class Registry:
    """The dialects of one application.

    Args:
        plugins: Plugins by name, beside the built-in ones: modules or objects with `hookimpl` functions.
        installed: Whether plugins are also looked for among the installed distributions.

    Attributes:
        providers: The plugins that were loaded, in the order of loading.
        problems: What is wrong with those that were not; `get` raises the one that bears on its name.
    """

    def __init__(self, plugins: Mapping[str, object] | None = None, *, installed: bool = True) -> None:
        self._manager = pluggy.PluginManager(_GROUP)
        self._manager.add_hookspecs(_hookspecs)
        self._dialects: dict[str, list[tuple[Dialect, str]]] = {"plain": [(Plain(), "sseware")]}
        self._known: list[Provider] = [Provider("plain", _own_distribution(), (), ("plain",))]
        self._problems: list[ConfigurationError] = []
        for name, module in _BUILT_IN.items():
            self._load(name, _own_distribution(), functools.partial(importlib.import_module, module))
        for entry_point in _third_parties() if installed else ():
            self._load(entry_point.name, _distribution_of(entry_point), entry_point.load)
        for name, plugin in (plugins or {}).items():
            self._load(name, "given to Registry", functools.partial(_itself, plugin))
        self._negotiators: tuple[Callable[..., Decision | None], ...] = tuple(
            impl.function for impl in self._implementations("sseware_negotiate")
        )

    @property
    def providers(self) -> tuple[Provider, ...]:
        return tuple(self._known)

    @property
    def problems(self) -> tuple[ConfigurationError, ...]:
        return (*self._problems, *self._conflicts())

    def _load(self, name: str, distribution: str, load: Callable[[], object]) -> None:
        shown = f"{name} ({distribution})"
        try:
            plugin = load()
            hooks = _hooks_of(plugin)
            self._manager.register(plugin, name=shown)
            self._manager.check_pending()
            dialects = tuple(self._provided_by(plugin))
        except Exception as exc:  # a stranger's code may raise anything
            self._forget(shown)
            problem = PluginError(shown, f"{type(exc).__name__}: {exc}")
            problem.__cause__ = exc
            self._problems.append(problem)
            return
        for dialect in dialects:
            self._dialects.setdefault(dialect.name, []).append((dialect, shown))
        self._known.append(Provider(name, distribution, hooks, tuple(d.name for d in dialects)))

    def _forget(self, shown: str) -> None:
        if self._manager.has_plugin(shown):
            self._manager.unregister(name=shown)

    def _provided_by(self, plugin: object) -> Iterator[Dialect]:
        for impl in self._implementations("sseware_dialects"):
            if impl.plugin is plugin:
                for dialect in impl.function():
                    yield check_dialect(dialect)

    def _implementations(self, hook: str) -> Sequence[Any]:
        # get_hookimpls is in the order of registration; a call would go the other way round.
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return caller.get_hookimpls()

    def _conflicts(self) -> Iterator[DialectConflict]:
        for name, provided in self._dialects.items():
            if len(provided) > 1:
                yield DialectConflict(name, [provider for _, provider in provided])

    def names(self) -> tuple[str, ...]:
        """Returns the names of all dialects, sorted."""
        return tuple(sorted(self._dialects))

    def get(self, dialect: str | Dialect) -> Dialect:
        """Returns the dialect of a name, in its default configuration; an object is returned as it is.

        Raises:
            UnknownDialect: There is none of that name.
            DialectConflict: There are two.
            ConfigurationError: What was given is neither a name nor a dialect.
        """
        if not isinstance(dialect, str):
            return check_dialect(dialect)
        provided = self._dialects.get(dialect)
        if provided is None:
            why = "; ".join(str(problem) for problem in self._problems)
            raise UnknownDialect(dialect, self.names(), why)
        if len(provided) > 1:
            raise DialectConflict(dialect, [provider for _, provider in provided])
        return provided[0][0]

    def item_encoders(self, dialect: Dialect) -> ItemEncoders:
        """Returns what plugins add to a dialect.

        Raises:
            PluginError: A plugin failed, or returned something else than a mapping of types to functions.
        """
        gathered: dict[type, Callable[[Any], Iterable[ServerSentEvent]]] = {}
        for impl in self._implementations("sseware_item_encoders"):
            try:
                added = dict(impl.function(dialect))
                wrong = [
                    key for key, value in added.items() if not (isinstance(key, type) and callable(value))
                ]
            except Exception as exc:  # a stranger's code may raise anything
                raise PluginError(impl.plugin_name, f"sseware_item_encoders: {exc!r}") from exc
            if wrong:
                raise PluginError(
                    impl.plugin_name, f"sseware_item_encoders: want types mapped to functions, got {wrong!r}"
                )
            gathered = {**added, **gathered}
        return gathered

    def negotiate(self, request: Request, offers: Sequence[Offer]) -> Decision:
        """Decides what a client gets: the first plugin that has an opinion, else the rules of RFC 9110."""
        for decide in self._negotiators:
            decision = decide(request=request, offers=offers)
            if decision is not None:
                return decision
        return negotiate(request, offers)


def _itself(plugin: object) -> object:
    return plugin


def check_dialect(dialect: object) -> Dialect:
    """Returns what was given, if it is a dialect.

    Raises:
        ConfigurationError: It is not.
    """
    if isinstance(dialect, type) or not isinstance(dialect, Dialect):
        raise ConfigurationError(
            f"want the name of a dialect or an object with name, default, open, fold and decoder, got {dialect!r}"
        )
    if dialect.default not in ("stream", "buffered"):
        raise ConfigurationError(
            f"the default of dialect {dialect.name!r} must be 'stream' or 'buffered', got {dialect.default!r}"
        )
    return dialect


def _hooks_of(plugin: object) -> tuple[str, ...]:
    """Returns the names of a plugin's hooks; refuses coroutine functions, which no hook call awaits."""
    hooks = []
    for name in dir(plugin):
        function = getattr(plugin, name, None)
        if not name.startswith(f"{_GROUP}_") or not hasattr(function, f"{_GROUP}_impl"):
            continue
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{name} is async; a hook is called at start-up and returns objects, write def")
        hooks.append(name)
    return tuple(hooks)


def _third_parties() -> Iterable[EntryPoint]:
    """Returns the entry points of other distributions that are not switched off, in a fixed order."""
    disabled = _names_in(_DISABLE)
    allowed = _names_in(_ALLOW)
    if disabled & {"1", "all", "*"}:
        return ()
    found = sorted(entry_points(group=_GROUP), key=lambda each: (_distribution_of(each), each.name))
    return [
        each for each in found if not disabled & _aliases(each) and (not allowed or allowed & _aliases(each))
    ]


def _names_in(variable: str) -> set[str]:
    return {name.strip() for name in os.environ.get(variable, "").split(",") if name.strip()}


def _aliases(entry_point: EntryPoint) -> set[str]:
    dist = entry_point.dist
    return {entry_point.name} if dist is None else {entry_point.name, dist.name}


def _distribution_of(entry_point: EntryPoint) -> str:
    dist = entry_point.dist
    return "unknown distribution" if dist is None else f"{dist.name} {dist.version}"


def _own_distribution() -> str:
    return "sseware"


@functools.cache
def default_registry() -> Registry:
    """Returns the registry that is used where none is given; made once, at the first use."""
    return Registry()


def get_dialect(name: str | Dialect) -> Dialect:
    """Returns a dialect by its name, in its default configuration.

    >>> get_dialect("plain")
    Plain()

    Raises:
        UnknownDialect: No installed plugin provides it; the message lists those that there are.
        DialectConflict: Two plugins provide it.
    """
    return default_registry().get(name)
