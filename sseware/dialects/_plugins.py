"""One plugin, from its import to plain objects: what it must be, and what is told where it is not."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import pluggy

from ..errors import ConfigurationError, PluginError
from . import _hookspecs
from ._discovery import GROUP, FoundPlugin, version_of
from ._offer import offer_of
from ._protocols import Dialect

__all__ = ["Hook", "LoadedPlugin", "Provider", "check_dialect", "load"]

_NAME: Final = re.compile("[a-z][a-z0-9_-]*")


class Provider(msgspec.Struct, frozen=True):
    """A plugin that was loaded.

    Attributes:
        name: The name of its entry point.
        distribution: The name of what it came with.
        hooks: The hooks that it implements.
        dialects: The names of its dialects.
    """

    name: str
    distribution: str
    hooks: tuple[str, ...]
    dialects: tuple[str, ...]

    @property
    def key(self) -> str:
        """What names it and no other, in errors and in the environment: ``"acme-dialects:calm"``."""
        return f"{self.distribution}:{self.name}"

    @property
    def version(self) -> str:
        """The version of the distribution, or ``""`` where none is installed by that name."""
        return version_of(self.distribution)

    def __str__(self) -> str:
        return f"{self.name} ({' '.join(filter(None, (self.distribution, self.version)))})"


class Hook(msgspec.Struct, frozen=True):
    """One implementation of a hook.

    Attributes:
        plugin: The key of its plugin.
        name: The name of the hook.
        call: The function; takes all arguments of the specification, in order.
        rank: 0 for ``tryfirst``, 2 for ``trylast``, 1 for all others.
    """

    plugin: str
    name: str
    call: Callable[..., Any]
    rank: int


class LoadedPlugin(msgspec.Struct, frozen=True):
    """A plugin whose hooks are known and whose dialects are made.

    Attributes:
        provider: What is told of it.
        hooks: Its hooks.
        dialects: Its dialects.
    """

    provider: Provider
    hooks: tuple[Hook, ...]
    dialects: tuple[Dialect, ...]


def load(found: FoundPlugin) -> LoadedPlugin:
    """Loads a plugin.

    Raises:
        PluginError: It cannot be imported, a hook of it is not what it must be, or a dialect of it is none.
    """
    try:
        hooks = tuple(_hooks_of(found.load(), found.key))
        dialects = tuple(_dialects_of(hooks))
    except (Exception, SystemExit) as exc:  # a stranger's code may raise anything, and even exit
        told = str(exc) if isinstance(exc, ConfigurationError) else f"{type(exc).__name__}: {exc}"
        raise PluginError(found.key, told) from exc
    names = tuple(dict.fromkeys(hook.name for hook in hooks))
    provided = tuple(dialect.name for dialect in dialects)
    provider = Provider(found.name, found.distribution, names, provided)
    return LoadedPlugin(provider, hooks, dialects)


def _hooks_of(plugin: object, key: str) -> Iterator[Hook]:
    # A manager for each plugin: what one of them does to pluggy, no other sees.
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(_hookspecs)
    manager.register(plugin, name=key)
    _check_names(plugin, manager)
    for caller in manager.get_hookcallers(plugin) or ():
        for impl in caller.get_hookimpls():
            if caller.spec is not None:
                yield Hook(key, caller.name, _checked(caller.name, impl, caller.spec.argnames), _rank(impl))


def _check_names(plugin: object, manager: pluggy.PluginManager) -> None:
    """Finds what pluggy would pass over in silence: a misspelt hook, one that is not marked, none at all."""
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as exc:
        raise ConfigurationError(f"{exc}; there are: {', '.join(_hook_names())}") from None
    callers = manager.get_hookcallers(plugin) or []
    unmarked = set(_hook_names()) - {caller.name for caller in callers}
    for name in sorted(unmarked):
        if inspect.isroutine(getattr(plugin, name, None)):
            raise ConfigurationError(
                f"{name} is not marked; write @hookimpl (sseware.dialects.hookimpl) above it"
            )
    if not callers:
        raise ConfigurationError(f"{plugin!r} implements no hook; there are: {', '.join(_hook_names())}")


def _hook_names() -> list[str]:
    return [name for name in _hookspecs.__all__ if name.startswith(f"{GROUP}_")]


def _checked(name: str, impl: pluggy.HookImpl, names: Sequence[str]) -> Callable[..., Any]:
    """Returns a function of all arguments of the specification; an implementation may leave some out."""
    function = impl.function
    if impl.wrapper or impl.hookwrapper:
        raise ConfigurationError(f"{name} is a wrapper; these hooks are not wrapped, write a plain function")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError(
            f"{name} is async; a hook is called at start-up and returns objects, write def"
        )
    if impl.kwargnames:
        raise ConfigurationError(
            f"{name} has defaults for {', '.join(impl.kwargnames)}; it would never get them"
        )
    picks = [list(names).index(each) for each in impl.argnames]
    if picks == list(range(len(names))):
        return function
    return lambda *arguments: function(*(arguments[pick] for pick in picks))


def _rank(impl: pluggy.HookImpl) -> int:
    return 0 if impl.tryfirst else 2 if impl.trylast else 1


def _dialects_of(hooks: Iterable[Hook]) -> Iterator[Dialect]:
    names: set[str] = set()
    for hook in hooks:
        if hook.name != "sseware_dialects":
            continue
        given = hook.call()
        if not isinstance(given, Iterable) or isinstance(given, str | Mapping):
            raise ConfigurationError(f"sseware_dialects must return a list of dialects, got {given!r}")
        for dialect in map(check_dialect, given):
            if dialect.name in names:
                raise ConfigurationError(f"it provides two dialects of the name {dialect.name!r}")
            names.add(dialect.name)
            yield dialect


def check_dialect(dialect: object) -> Dialect:
    """Returns what was given, if it is a dialect.

    Raises:
        ConfigurationError: It is not, or one of its attributes is not what it must be.
    """
    if isinstance(dialect, type) or not isinstance(dialect, Dialect):
        raise ConfigurationError(
            f"want the name of a dialect or an object with name, default, open, fold and decoder, got {dialect!r}"
        )
    name: object = dialect.name
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(f"the name of a dialect must match {_NAME.pattern}, got {name!r}")
    offer_of(dialect)
    return dialect
