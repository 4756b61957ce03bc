"""Who may have a stream: the value, and what it says of a request."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sseware.asgi import Access
from sseware.errors import ConfigurationError, StreamError
from tests.asgi.fakes import request

APP = "https://app.example"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param({"origins": APP}, "origins of Access must be a list of str, got 'https", id="a-str"),
        pytest.param({"origins": 5}, "origins of Access must be a list", id="a-number"),
        pytest.param({"origins": [5]}, "origins of Access has 5: want a str", id="a-number-in-it"),
        pytest.param({"origins": ["app.example"]}, "want an origin as browsers write it", id="no-scheme"),
        pytest.param({"origins": [APP + "/"]}, "want an origin as browsers write it", id="a-path"),
        pytest.param({"origins": ["https://App.example"]}, "in lower case", id="upper-case"),
        pytest.param({"origins": ["https://u@a.example"]}, "want an origin", id="a-user"),
        pytest.param({"origins": [APP + ":443"]}, "browsers leave the default port out", id="port-443"),
        pytest.param({"origins": ["http://a:80"]}, "browsers leave the default port out", id="port-80"),
        pytest.param({"origins": ["null"]}, "any page can make itself one", id="null"),
        pytest.param({"origins": ["*"], "credentials": True}, "any origin must not send cred", id="any-with"),
        pytest.param({"origins": ["*", APP]}, "'\\*', which is any, beside others", id="any-beside-one"),
        pytest.param({"credentials": True}, "credentials says something of origins", id="credentials-alone"),
        pytest.param(
            {"require_origin": True}, "require_origin says something of origins", id="require-alone"
        ),
        pytest.param({"origins": [APP], "credentials": 1}, "credentials of Access must be a bool", id="one"),
        pytest.param({"sites": ["same"]}, "want one of cross-site, none, same-origin, same-site", id="site"),
        pytest.param({"hosts": ["localhost:8000"]}, "without port", id="a-host-with-a-port"),
        pytest.param({"hosts": ["LOCALHOST"]}, "in lower case", id="a-host-in-capitals"),
        pytest.param({"hosts": ["a.*.example"]}, "want a host", id="an-asterisk-inside"),
        pytest.param({"max_streams": 0}, "max_streams of Access must be a positive int, got 0", id="none"),
        pytest.param({"max_per_key": True}, "max_per_key of Access must be", id="a-bool"),
        pytest.param({"retry_after": 1.5}, "retry_after of Access must be", id="half-a-second"),
        pytest.param({"key": "client"}, "key of Access must be a function of the ASGI scope", id="key"),
        pytest.param({"key": None}, "key of Access must be a function", id="no-key"),
        pytest.param({"expires_at": 5.0}, "expires_at of Access must be a function", id="expires-at"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(options: Any, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        Access(**options)


def test_what_is_given_is_kept_as_it_cannot_change() -> None:
    origins = [APP]
    access = Access(origins=origins, hosts=("localhost", "[::1]", "*.a.example"))
    origins.append("https://evil.example")
    assert access.origins == frozenset([APP])
    with pytest.raises(AttributeError):
        access.origins = None  # type: ignore[misc]  # that is the point


def test_two_are_never_the_same() -> None:
    assert Access(max_streams=1) != Access(max_streams=1)
    assert Access().origins is None


def code_of(access: Access, headers: Any = (), *, pairs: Any = None, method: str = "GET") -> str | None:
    """The code of the refusal of a request, or ``None``."""
    scope = request(method, headers=dict(headers))
    scope["headers"] += pairs or []
    refusal = access.refusal(scope)
    assert refusal is None or refusal.status == 403
    return None if refusal is None else refusal.code


def of(origin: str) -> dict[str, str]:
    return {"origin": origin}


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        pytest.param(APP, True, id="listed"),
        pytest.param("https://other.example", True, id="listed-second"),
        pytest.param("https://evil.example", False, id="not-listed"),
        pytest.param("null", False, id="null"),
        pytest.param("", False, id="empty"),
        pytest.param("http://app.example", False, id="another-scheme"),
        pytest.param(APP + ":8443", False, id="another-port"),
        pytest.param(APP + ".evil.example", False, id="a-longer-host"),
        pytest.param("https://evil-app.example", False, id="another-beginning"),
        pytest.param(f"{APP} https://evil.example", False, id="a-list-of-two"),
        pytest.param("HTTPS://APP.EXAMPLE", False, id="not-as-browsers-write-it"),
    ],
)
def test_an_origin_passes_where_it_is_in_the_list(origin: str, passes: bool) -> None:
    """A2."""
    access = Access(origins=[APP, "https://other.example"])
    assert code_of(access, of(origin)) == (None if passes else "origin_not_allowed")


def test_who_sends_no_origin_passes_unless_one_is_wanted() -> None:
    """A2."""
    assert code_of(Access(origins=[APP])) is None
    assert code_of(Access(origins=[APP], require_origin=True)) == "origin_not_allowed"
    assert code_of(Access(origins=[APP], require_origin=True), of(APP)) is None


def test_any_origin_passes_but_null() -> None:
    assert code_of(Access(origins=["*"]), of("https://evil.example")) is None
    assert code_of(Access(origins=["*"]), of("null")) == "origin_not_allowed"


def test_two_origins_are_none() -> None:
    two = [(b"origin", APP.encode()), (b"origin", APP.encode())]
    assert code_of(Access(origins=[APP]), pairs=two) == "origin_not_allowed"


def test_no_origin_passes_where_the_list_is_empty() -> None:
    assert code_of(Access(origins=[]), of(APP)) == "origin_not_allowed"


@pytest.mark.parametrize(
    ("site", "passes"),
    [("same-origin", True), ("none", True), ("cross-site", False), ("same-site", False), ("nonsense", False)],
)
def test_a_page_of_another_site_may_not_ask(site: str, passes: bool) -> None:
    """A3."""
    access = Access(sites=["same-origin", "none"])
    assert code_of(access, {"sec-fetch-site": site}) == (None if passes else "site_not_allowed")
    assert code_of(access) is None, "old browsers, and what is no browser, do not say"


@pytest.mark.parametrize(
    ("host", "passes"),
    [
        pytest.param("localhost", True, id="listed"),
        pytest.param("localhost:8000", True, id="with-a-port"),
        pytest.param("LocalHost", True, id="in-any-case"),
        pytest.param("[::1]:8000", True, id="an-ipv6-address"),
        pytest.param("x.app.example", True, id="a-subdomain"),
        pytest.param("y.x.app.example:1", True, id="a-subdomain-of-it"),
        pytest.param("app.example", False, id="not-the-parent-itself"),
        pytest.param("evil.example", False, id="a-name-that-points-here"),
        pytest.param("evil.example/.app.example", False, id="no-host-at-all"),
        pytest.param("*.app.example", False, id="the-pattern-itself"),
        pytest.param("localhost.", False, id="a-dot-behind-it"),
        pytest.param("", False, id="empty"),
    ],
)
def test_a_host_passes_where_it_is_in_the_list(host: str, passes: bool) -> None:
    """A4."""
    access = Access(hosts=["localhost", "[::1]", "*.app.example"])
    assert code_of(access, {"host": host}) == (None if passes else "host_not_allowed")


def test_a_request_without_a_host_or_with_two_is_refused() -> None:
    """A4."""
    access = Access(hosts=["localhost"])
    assert code_of(access) == "host_not_allowed"
    assert code_of(access, pairs=[(b"host", b"localhost")] * 2) == "host_not_allowed"


def test_nothing_is_looked_at_that_is_not_asked_for() -> None:
    hostile = {"origin": "https://evil.example", "host": "evil.example", "sec-fetch-site": "cross-site"}
    assert code_of(Access(max_streams=1), hostile) is None


def test_a_request_with_very_many_fields_is_looked_at_in_proportion() -> None:
    """A8."""
    access = Access(origins=[APP], sites=["none"], hosts=["localhost"])
    many = [(b"x", b"a" * 100)] * 200_000 + [
        (b"origin", b"a" * 10**6),
        (b"host", b"localhost" + b":" * 10**6),
    ]
    start = time.process_time()
    assert code_of(access, pairs=many) == "host_not_allowed"
    assert code_of(access, {"host": "localhost"}, pairs=many[:-1]) == "origin_not_allowed"
    assert time.process_time() - start < 2


def test_a_slot_is_the_clients_unless_there_is_a_key() -> None:
    """B14."""
    access = Access(max_per_key=1)
    slot = access.enter(request(client=("10.0.0.1", 1)))
    with pytest.raises(StreamError, match="too many streams") as refused:
        access.enter(request(client=("10.0.0.1", 2)))
    assert (refused.value.status, refused.value.retry_after) == (503, 5)
    access.enter(request(client=("10.0.0.2", 1)))
    access.enter(request(client=None))
    access.enter(request())
    statistics = access.statistics()
    assert (statistics.open, statistics.keys, statistics.refused) == (4, 2, 1)
    slot.free()
    assert access.statistics().open == 3
    by_user = Access(max_per_key=1, key=lambda scope: scope["user"], retry_after=60)
    by_user.enter(request(user="a"))
    by_user.enter(request(user="b"))
    with pytest.raises(StreamError) as refused:
        by_user.enter(request(user="a"))
    assert refused.value.retry_after == 60


def test_a_stream_may_run_until_its_credential_expires() -> None:
    """A5."""
    assert Access().seconds_left(request()) is None
    access = Access(expires_at=lambda scope: scope["exp"])
    assert access.seconds_left(request(exp=None)) is None
    left = access.seconds_left(request(exp=time.time() + 60))
    assert left is not None
    assert 50 < left <= 60
    with pytest.raises(StreamError, match="has expired") as refused:
        access.seconds_left(request(exp=int(time.time())))
    assert (refused.value.status, refused.value.code) == (403, "expired")
    with pytest.raises(ConfigurationError, match="seconds since the epoch, or None, got 'soon'"):
        access.seconds_left(request(exp="soon"))
