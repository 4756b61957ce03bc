"""Which dialects there are: built-in plugins, then those of other distributions, each loaded on its own.

A broken plugin is remembered by name and harms nobody; two providers of one name are an error for whoever asks
for that name. After start-up everything is resolved to plain objects: no hook is called while a stream runs.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..errors import ConfigurationError, DialectConflict, PluginError, UnknownDialect
from ..negotiation import Decision, Offer, Request, negotiate
from ._discovery import GROUP, FoundPlugin, discover
from ._extensions import ItemEncoders, extend
from ._observers import StreamObserver
from ._plain import Plain
from ._plugins import Hook, LoadedPlugin, Provider, check_dialect, load
from ._protocols import Dialect
from ._provided_observers import provided_observers
from ._remembered import Remembered

__all__ = ["Registry", "default_registry", "get_dialect"]

_NOTHING: Final[ItemEncoders] = {}

_log = logging.getLogger("sseware")


class Registry:
    """The dialects of one application.

    Args:
        plugins: Plugins by name, beside the built-in ones: modules or objects with `hookimpl` functions.
        installed: Whether plugins are also looked for among the installed distributions.
    """

    def __init__(self, plugins: Mapping[str, object] | None = None, *, installed: bool = True) -> None:
        found = discover(plugins or {}, installed=installed)
        self._disabled = found.disabled
        self._problems: list[ConfigurationError] = list(found.problems)
        loaded = [_plain(), *filter(None, map(self._load, found.plugins))]
        self._providers = tuple(plugin.provider for plugin in loaded)
        self._dialects: dict[str, list[tuple[Dialect, str]]] = {}
        for plugin in loaded:
            for dialect in plugin.dialects:
                self._dialects.setdefault(dialect.name, []).append((dialect, plugin.provider.key))
        hooks = sorted((hook for plugin in loaded for hook in plugin.hooks), key=lambda hook: hook.rank)
        self._extenders = [hook for hook in hooks if hook.name == "sseware_item_encoders"]
        self._negotiators = [hook for hook in hooks if hook.name == "sseware_negotiate"]
        self._observing = [hook for hook in hooks if hook.name == "sseware_stream_observers"]
        self._checked: Remembered[Dialect] = Remembered()
        self._extensions: Remembered[ItemEncoders] = Remembered()

    def _load(self, found: FoundPlugin) -> LoadedPlugin | None:
        try:
            return load(found)
        except PluginError as problem:
            _log.warning("%s", problem)
            self._problems.append(problem)
            return None

    @property
    def providers(self) -> tuple[Provider, ...]:
        """The plugins that were loaded, in the order of loading."""
        return self._providers

    @property
    def disabled(self) -> tuple[str, ...]:
        """The plugins that the environment switches off: ``"distribution:name"`` of each."""
        return self._disabled

    @property
    def problems(self) -> tuple[ConfigurationError, ...]:
        """What is wrong: plugins that failed, names that two of them claim."""
        return (*self._problems, *self._conflicts())

    def _conflicts(self) -> Iterator[DialectConflict]:
        for name, provided in self._dialects.items():
            if len(provided) > 1:
                yield DialectConflict(name, [key for _, key in provided])

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
            known = self._checked.get(dialect)
            return self._checked.remember(dialect, check_dialect(dialect)) if known is None else known
        provided = self._dialects.get(dialect)
        if provided is None:
            raise UnknownDialect(dialect, self.names(), self._why_not())
        if len(provided) > 1:
            raise DialectConflict(dialect, [key for _, key in provided])
        return provided[0][0]

    def _why_not(self) -> str:
        told = [str(problem) for problem in self._problems]
        if self._disabled:
            told.append(f"switched off: {', '.join(self._disabled)}")
        return "; ".join(told)

    def item_encoders(self, dialect: Dialect) -> ItemEncoders:
        """Returns what plugins add to a dialect; they are asked once for each dialect object.

        A plugin that fails here adds nothing; its error is logged, and stands in `problems`.
        """
        if not self._extenders:
            return _NOTHING
        known = self._extensions.get(dialect)
        if known is not None:
            return known
        encoders, problems = extend(dialect, self._extenders)
        self._remember(problems)
        return self._extensions.remember(dialect, encoders)

    def stream_observers(self, settings: Any) -> tuple[StreamObserver, ...]:
        """Returns the observers that plugins provide, in order; each call asks them anew.

        A plugin that fails here observes nothing; its error is logged, and stands in `problems`.

        Args:
            settings: The `sseware.asgi.Settings` of an application.
        """
        observers, problems = provided_observers(settings, self._observing)
        self._remember(problems)
        return observers

    def _remember(self, problems: Sequence[PluginError]) -> None:
        self._problems += [each for each in problems if str(each) not in map(str, self._problems)]

    @property
    def has_negotiators(self) -> bool:
        """Whether a plugin is asked before the rules are: then a decision may hang on anything in a request."""
        return bool(self._negotiators)

    def negotiate(self, request: Request, offers: Sequence[Offer]) -> Decision:
        """Decides what a client gets: the first plugin that has an opinion, else the rules of RFC 9110.

        A plugin that fails here has no opinion; its error is logged.
        """
        for hook in self._negotiators:
            decision = _opinion(hook, request, offers)
            if decision is not None:
                return decision
        return negotiate(request, offers)


def _plain() -> LoadedPlugin:
    """Returns the dialect that is always there, so that sseware works with every plugin switched off."""
    return LoadedPlugin(Provider("plain", GROUP, (), ("plain",)), (), (Plain(),))


def _opinion(hook: Hook, request: Request, offers: Sequence[Offer]) -> Decision | None:
    try:
        decision = hook.call(request, offers)
        if decision is None or _is_possible(decision, offers):
            return decision  # type: ignore[no-any-return]  # what the specification promises, and was checked
    except Exception:  # a stranger's code may raise anything
        _log.exception("plugin %s: sseware_negotiate raised; it is passed over", hook.plugin)
        return None
    known = ", ".join(offer.dialect for offer in offers)
    _log.error(
        "plugin %s: sseware_negotiate must return None, or a Decision on one of: %s; got %r; it is passed over",
        hook.plugin,
        known,
        decision,
    )
    return None


def _is_possible(decision: object, offers: Sequence[Offer]) -> bool:
    return (
        isinstance(decision, Decision)
        and decision.representation in ("stream", "buffered", "none")
        and any(decision.dialect == offer.dialect for offer in offers)
    )


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
