"""Where plugins are: those that come with sseware, those of other distributions, those that a program gives."""

from __future__ import annotations

import functools
import importlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from ..errors import ConfigurationError

# It takes as long to import as all the rest of sseware; only a registry needs it.
if TYPE_CHECKING:
    from importlib.metadata import Distribution

__all__ = ["GROUP", "Discovery", "FoundPlugin", "discover", "version_of"]

GROUP: Final = "sseware"
"""The group of entry points, and the prefix of the names of hooks."""

# Named as strings: a built-in plugin is loaded like a stranger's, and may import this package.
_BUILT_IN: Final = {
    "husk": "sseware.plugins.husk",
    "ash": "sseware.plugins.ash",
    "chronos": "sseware.plugins.chronos",
    "hector": "sseware.plugins.hector",
    "machpay": "sseware.plugins.machpay",
}
# These are not even looked at unless the environment asks for them: each needs an extra.
_ON_DEMAND: Final = {"otel": "sseware.plugins.otel"}
_DEMAND: Final = "SSEWARE_OBSERVERS"
_DISABLE: Final = "SSEWARE_DISABLE_PLUGINS"
_ALLOW: Final = "SSEWARE_PLUGINS"
_ALL: Final = frozenset({"all", "*", "1"})


class FoundPlugin(msgspec.Struct, frozen=True):
    """A plugin that is there, and not loaded.

    Attributes:
        name: The name of its entry point.
        distribution: The name of what it came with.
        load: Imports it.
    """

    name: str
    distribution: str
    load: Callable[[], object]

    @property
    def key(self) -> str:
        """What names it and no other, in errors and in the environment: ``"acme-dialects:calm"``."""
        return f"{self.distribution}:{self.name}"

    @property
    def aliases(self) -> frozenset[str]:
        """The names by which the environment may mean it."""
        return frozenset(map(_normal, (self.name, self.distribution, self.key)))


class Discovery(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        plugins: What is to be loaded, in this order.
        disabled: The keys of what the environment switches off.
        problems: What is wrong with the environment's lists.
    """

    plugins: tuple[FoundPlugin, ...]
    disabled: tuple[str, ...]
    problems: tuple[ConfigurationError, ...]


def discover(given: Mapping[str, object], *, installed: bool) -> Discovery:
    """Finds plugins: the built-in ones, the installed ones by (distribution, name), the given ones.

    Two variables of the environment hold names, separated by commas: of an entry point, of a distribution, or
    both as ``distribution:name``. ``SSEWARE_DISABLE_PLUGINS`` switches off what it names, or, with ``all``,
    every installed one; ``SSEWARE_PLUGINS``, where it is not empty, switches off every installed one that it
    does not name. What a program gives is not switched off. ``SSEWARE_OBSERVERS`` switches on observers that come
    with sseware and need an extra.
    """
    demanded = _names_in(_DEMAND)
    ours = [_built_in(name, module) for name, module in _BUILT_IN.items()]
    ours += [_built_in(name, module) for name, module in _ON_DEMAND.items() if name in demanded]
    theirs = (
        sorted(_installed(), key=lambda each: (_normal(each.distribution), each.name)) if installed else []
    )
    denied, allowed = _names_in(_DISABLE), _names_in(_ALLOW)
    kept = [each for each in ours if not denied & each.aliases]
    if not denied & _ALL:
        kept += [
            each for each in theirs if not denied & each.aliases and (not allowed or allowed & each.aliases)
        ]
    off = [each.key for each in (*ours, *theirs) if each not in kept]
    unknown = allowed.difference(*(each.aliases for each in theirs)) if installed else ()
    given_ones = [
        FoundPlugin(name, "given to Registry", functools.partial(_itself, plugin))
        for name, plugin in given.items()
    ]
    problems = (
        *map(_not_installed, sorted(unknown)),
        *map(_not_on_demand, sorted(demanded - _ON_DEMAND.keys())),
    )
    return Discovery((*kept, *given_ones), tuple(off), problems)


def _built_in(name: str, module: str) -> FoundPlugin:
    return FoundPlugin(name, GROUP, functools.partial(importlib.import_module, module))


def _installed() -> Iterator[FoundPlugin]:
    from importlib.metadata import entry_points

    for entry_point in entry_points(group=GROUP):
        yield FoundPlugin(entry_point.name, _name_of(entry_point.dist), entry_point.load)


def _name_of(distribution: Distribution | None) -> str:
    # Metadata may lack the name that the standard wants.
    fields = {} if distribution is None else distribution.metadata.json
    return str(fields.get("name") or "unknown distribution")


@functools.cache
def version_of(distribution: str) -> str:
    """Returns the version of an installed distribution, or ``""``; reading it takes longer than finding it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _names_in(variable: str) -> frozenset[str]:
    return frozenset(
        _normal(name.strip()) for name in os.environ.get(variable, "").split(",") if name.strip()
    )


def _normal(name: str) -> str:
    """Spells a name as package indexes compare it: ``Acme_Dialects`` is ``acme-dialects``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _not_installed(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"{_ALLOW} allows {name!r}, and no installed plugin or distribution has that name"
    )


def _not_on_demand(name: str) -> ConfigurationError:
    return ConfigurationError(f"{_DEMAND} asks for {name!r}; there are: {', '.join(_ON_DEMAND)}")


def _itself(plugin: object) -> object:
    return plugin
