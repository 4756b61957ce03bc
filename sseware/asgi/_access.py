"""Who may have a stream: where a request comes from, how many streams there are, until when one may run.

What is checked, and what is not:

1. ``Origin`` against a list. Browsers send it with every request across origins, with every WebSocket, and with every
   request that is neither GET nor HEAD; scripts cannot change it. It is compared as a whole: no prefixes, no
   patterns. What is in the list is told to browsers (CORS); what is not, or is ``null``, which any page can be, gets
   403. What sends none is no browser that asks across origins; it passes unless ``require_origin`` says otherwise.
2. ``Sec-Fetch-Site``, which browsers send over HTTPS and to localhost: whose page it is that asks.
3. ``Host`` against a list, for servers on a developer's machine: a page can point a name of its own at 127.0.0.1, and
   read what answers there (DNS rebinding).
4. How many streams run, in total and for each key.
5. Until when: a credential that expires ends its stream.

None of this is authentication. A secret in a query string is nothing that this package would read.
"""

from __future__ import annotations

import functools
import math
import re
import time
from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Final

import msgspec

from .._types import Scope, Send
from ..errors import ConfigurationError, StreamError
from ._cors import is_preflight, with_cors
from ._slots import AccessStatistics, Slot, Slots

__all__ = ["Access", "client_address"]

# RFC 6454, section 6.2, as browsers write it: lower case, no path.
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@,A-Z]+")
_DEFAULT_PORT: Final = re.compile(r"http://.*:80|https://.*:443")
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")
_PORT: Final = re.compile(r":[0-9]*$")

_SITES: Final = frozenset(("same-origin", "same-site", "cross-site", "none"))


def client_address(scope: Scope) -> Hashable:
    """Returns the address that the server has seen; behind a proxy that is the proxy's, for all."""
    client = scope.get("client")
    return client[0] if client else None


class Access(msgspec.Struct, frozen=True, eq=False, kw_only=True, dict=True):
    """Who may have a stream. Make it once: it holds the slots, and whoever shares it shares them.

    >>> access = Access(origins=["https://app.example"], max_streams=1000, max_per_key=6)
    >>> access.statistics().open
    0

    Attributes:
        origins: The origins whose pages may read, such as ``"https://app.example"``, the application's own among
            them; ``["*"]`` is any, without credentials. ``None``: the origin is not looked at.
        credentials: Whether pages of these origins may send cookies.
        require_origin: Whether who sends no ``Origin`` is refused.
        sites: The values of ``Sec-Fetch-Site`` that pass: ``"same-origin"``, ``"same-site"``, ``"cross-site"``,
            ``"none"`` (typed or bookmarked). Who sends none passes. ``None``: it is not looked at.
        hosts: The hosts by which the server may be called, without port; ``"*.app.example"`` is every subdomain.
            ``None``: the host is not looked at.
        max_streams: How many streams may run at once.
        max_per_key: How many of them for one key.
        key: The key of a request; ``None`` is nobody's, and has no limit of its own. The client's address.
        retry_after: After how many seconds a client may try again that found no slot.
        expires_at: Until when a request's stream may run, in seconds since the epoch, as ``exp`` of a JWT;
            ``None`` is for ever. Who comes too late is refused.

    Raises:
        ConfigurationError: One of them is not what it must be, or any origin is to send credentials.
    """

    origins: Collection[str] | None = None
    credentials: bool = False
    require_origin: bool = False
    sites: Collection[str] | None = None
    hosts: Collection[str] | None = None
    max_streams: int | None = None
    max_per_key: int | None = None
    key: Callable[[Scope], Hashable] = client_address
    retry_after: int = 5
    expires_at: Callable[[Scope], float | None] | None = None

    def __post_init__(self) -> None:
        for name, check in (("origins", _check_origin), ("sites", _check_site), ("hosts", _check_host)):
            msgspec.structs.force_setattr(self, name, _listed(name, getattr(self, name), check))
        self._check_origins()
        for name in ("max_streams", "max_per_key"):
            if (value := getattr(self, name)) is not None:
                _check_count(name, value)
        _check_count("retry_after", self.retry_after)
        for name in ("key", "expires_at"):
            value = getattr(self, name)
            if not callable(value) and not (name == "expires_at" and value is None):
                raise _wrong(name, "a function of the ASGI scope", value)

    def _check_origins(self) -> None:
        for name in ("credentials", "require_origin"):
            if type(getattr(self, name)) is not bool:
                raise _wrong(name, "a bool", getattr(self, name))
            if getattr(self, name) and self.origins is None:
                raise ConfigurationError(f"{name} says something of origins; list them in origins")
        if self.origins is not None and "*" in self.origins:
            if self.credentials:
                raise ConfigurationError(
                    "any origin must not send credentials: every page of the web would read as its visitor; "
                    "list the origins that may"
                )
            if len(self.origins) > 1:
                raise ConfigurationError(
                    "origins has '*', which is any, beside others; leave one of them out"
                )

    @functools.cached_property
    def _slots(self) -> Slots:
        return Slots(self.max_streams, self.max_per_key)

    def statistics(self) -> AccessStatistics:
        """Returns a snapshot of the slots."""
        return self._slots.statistics()

    def refusal(self, scope: Scope) -> StreamError | None:
        """Returns why a request is refused, whatever it asks for, or ``None``."""
        if self.hosts is not None and not self._has_host(_values(scope, b"host")):
            return _refused("host", "the host by which this server was called is not one of its own")
        origin = _values(scope, b"origin")
        if self.origins is not None and (origin or self.require_origin) and not self._allowed(origin):
            return _refused("origin", "pages of this origin may not read here")
        site = _values(scope, b"sec-fetch-site")
        if self.sites is not None and site and not (len(site) == 1 and site[0] in self.sites):
            return _refused("site", "pages of other sites may not ask this")
        return None

    def _allowed(self, origin: list[str]) -> bool:
        origins = self.origins or ()
        return len(origin) == 1 and (origin[0] in origins or ("*" in origins and origin[0] != "null"))

    def _has_host(self, values: list[str]) -> bool:
        host = _PORT.sub("", values[0].lower()) if len(values) == 1 else ""
        found = _HOST.fullmatch(host)
        if found is None or found[1] or self.hosts is None:
            return False
        return host in self.hosts or any(
            pattern.startswith("*.") and host.endswith(pattern[1:]) for pattern in self.hosts
        )

    def enter(self, scope: Scope) -> Slot:
        """Takes a slot for a stream.

        Raises:
            StreamError: There is none (503).
        """
        slot = self._slots.take(self.key(scope))
        if slot is None:
            raise StreamError(
                "there are too many streams; try again later",
                code="too_many_streams",
                status=503,
                retry_after=self.retry_after,
            )
        return slot

    def seconds_left(self, scope: Scope) -> float | None:
        """Returns how many seconds a stream may run; ``None`` for any time.

        Raises:
            StreamError: What allowed it has expired (403).
            ConfigurationError: ``expires_at`` has returned something that is no number.
        """
        expires = None if self.expires_at is None else self.expires_at(scope)
        if expires is None:
            return None
        if type(expires) not in (int, float) or math.isnan(expires):
            raise _wrong("expires_at", "a function that returns seconds since the epoch, or None", expires)
        left = expires - time.time()
        if left <= 0:
            raise StreamError("what allowed this request has expired", code="expired", status=403)
        return left

    def answering(self, scope: Scope, send: Send) -> Send:
        """Returns what sends an answer together with what browsers have to know of it (CORS)."""
        if self.origins is None:
            return send
        origin = _values(scope, b"origin")
        allowed = None if "*" in self.origins else origin[0] if self._allowed(origin) else ""
        return with_cors(send, allowed, credentials=self.credentials)

    def is_preflight(self, scope: Scope) -> bool:
        """Tells whether a browser asks whether it may ask."""
        return self.origins is not None and is_preflight(scope)


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _refused(what: str, message: str) -> StreamError:
    return StreamError(message, code=f"{what}_not_allowed", status=403)


def _wrong(option: str, want: str, got: object) -> ConfigurationError:
    return ConfigurationError(f"{option} of Access must be {want}, got {got!r}")


def _listed(name: str, given: object, check: Callable[[str], str | None]) -> frozenset[str] | None:
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise _wrong(name, "a list of str", given)
    values = tuple(given)
    for value in values:
        why = check(value) if isinstance(value, str) else "want a str"
        if why is not None:
            raise ConfigurationError(f"{name} of Access has {value!r}: {why}")
    return frozenset(values)


def _check_origin(value: str) -> str | None:
    if value == "null":
        return "any page can make itself one whose origin is null"
    if value != "*" and not _ORIGIN.fullmatch(value):
        return "want an origin as browsers write it, in lower case and without path: 'https://app.example'"
    if _DEFAULT_PORT.fullmatch(value):
        return "browsers leave the default port out"
    return None


def _check_site(value: str) -> str | None:
    return None if value in _SITES else f"want one of {', '.join(sorted(_SITES))}"


def _check_host(value: str) -> str | None:
    return (
        None
        if _HOST.fullmatch(value)
        else "want a host in lower case and without port: 'localhost', '[::1]', '*.app.example'"
    )


def _check_count(name: str, value: object) -> None:
    if type(value) is not int or value < 1:
        raise _wrong(name, "a positive int", value)
