"""Options are checked when they are given, and the message says what is wanted."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sseware.asgi import Settings
from sseware.dialects import Plain, Registry
from sseware.errors import ConfigurationError, UnknownDialect

OWN = Plain(name="own")


def test_the_defaults_are_those_of_the_document() -> None:
    settings = Settings()
    assert (settings.keepalive, settings.head_timeout, settings.send_timeout) == (15.0, 5.0, 30.0)
    assert (settings.cleanup_timeout, settings.outbox) == (5.0, (64, 65536))
    assert settings.buffer == (16 * 2**20, 60.0)
    assert (settings.max_age, settings.retry, settings.debug) == (None, None, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"keepalive": 0}, "keepalive must be a positive number of seconds, or None, got 0", id="zero"
        ),
        pytest.param({"keepalive": -1.0}, "keepalive must be", id="negative"),
        pytest.param({"keepalive": "15"}, "keepalive must be .* got '15'", id="text"),
        pytest.param({"keepalive": True}, "keepalive must be", id="a-bool-is-no-number"),
        pytest.param({"head_timeout": math.nan}, "head_timeout must be", id="nan"),
        pytest.param({"send_timeout": math.inf}, "send_timeout must be", id="infinite"),
        pytest.param({"max_age": 10**400}, "max_age must be", id="beyond-a-float"),
        pytest.param(
            {"cleanup_timeout": None},
            "cleanup_timeout must be a positive number of seconds, got",
            id="not-off",
        ),
        pytest.param({"retry": -1}, "retry must be a number of seconds, or None", id="retry-negative"),
        pytest.param({"retry": True}, "retry must be", id="retry-bool"),
        pytest.param(
            {"outbox": 64}, r"outbox must be a pair of positive numbers \(items, bytes\)", id="no-pair"
        ),
        pytest.param({"outbox": (64,)}, "outbox must be", id="one-number"),
        pytest.param({"outbox": (0, 1)}, "outbox must be", id="no-room"),
        pytest.param({"outbox": (1.5, 1)}, "outbox must be", id="half-an-item"),
        pytest.param({"outbox": (True, 1)}, "outbox must be", id="a-bool-item"),
        pytest.param({"buffer": (1, "60")}, r"buffer must be .*\(bytes, seconds\)", id="buffer"),
        pytest.param({"debug": 1}, "debug must be a bool, got 1", id="debug"),
        pytest.param({"status_code": 199}, "status_code must be a final HTTP status", id="informational"),
        pytest.param({"status_code": 204}, "status_code must be .* got 204", id="no-body"),
        pytest.param({"status_code": "200"}, "status_code must be", id="status-text"),
        pytest.param({"registry": "plain"}, "registry must be a sseware.dialects.Registry", id="registry"),
        pytest.param({"headers": 5}, "headers must be a mapping or pairs of str", id="headers-number"),
        pytest.param({"headers": ["abc"]}, "headers must be a mapping or pairs", id="headers-no-pairs"),
        pytest.param({"headers": {5: "x"}}, "headers must be a mapping or pairs", id="header-name-number"),
        pytest.param(
            {"headers": {"a b": "x"}}, "headers must be names and values that HTTP can carry", id="name"
        ),
        pytest.param(
            {"headers": {"a": "x\r\nb: c"}}, "headers must be names and values", id="line-end-in-value"
        ),
        pytest.param({"headers": {"a": "\u20ac"}}, "headers must be names and values", id="not-latin-1"),
        pytest.param({"headers": {"a": 1}}, "headers must be names and values", id="header-value-number"),
        pytest.param(
            {"dialects": "ash"}, "dialects must be a list of names or dialects, got 'ash'", id="dialects-text"
        ),
        pytest.param({"dialects": 3}, "dialects must be a list", id="dialects-number"),
        pytest.param({"dialect": Plain}, "dialect must be a name, an instance or a function", id="a-class"),
        pytest.param({"dialect": 3}, "want the name of a dialect", id="dialect-number"),
        pytest.param(
            {"keep_alive": 3},
            "unknown option 'keep_alive'; there are: dialect, dialects, keep",
            id="misspelt",
        ),
    ],
)
def test_a_wrong_option_is_refused_at_once(options: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Settings().replace(options)


@pytest.mark.parametrize("options", [{"dialect": "no-such"}, {"dialects": ["plain", "no-such"]}])
def test_an_unknown_dialect_is_refused_at_once(options: Any) -> None:
    """T3."""
    with pytest.raises(UnknownDialect, match="no-such"):
        Settings().replace(options)


@pytest.mark.parametrize(
    "options", [{"keepalive": None}, {"retry": 0}, {"send_timeout": 1}, {"max_age": 600}]
)
def test_a_right_option_is_taken(options: Any) -> None:
    ((name, value),) = options.items()
    assert getattr(Settings().replace(options), name) == value


def test_headers_may_come_as_a_mapping_or_as_pairs_and_are_spelled_in_lower_case() -> None:
    assert Settings().replace({"headers": {"X-A": "1"}}).headers == (("x-a", "1"),)
    pairs = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    assert Settings().replace({"headers": pairs}).headers == (("set-cookie", "a=1"), ("set-cookie", "b=2"))


def test_nothing_replaced_is_the_same_thing() -> None:
    settings = Settings()
    assert settings.replace({}) is settings


def test_the_handlers_own_dialect_comes_first_and_a_name_only_once() -> None:
    settings = Settings().replace(
        {"dialect": OWN, "dialects": ["plain", Plain(name="own", default="buffered")]}
    )
    assert settings.dialects_for({}) == {"own": OWN, "plain": Plain()}


def test_the_dialect_may_depend_on_the_scope() -> None:
    settings = Settings().replace({"dialect": lambda scope: scope["path"][1:]})
    assert list(settings.dialects_for({"path": "/plain"})) == ["plain"]


def test_names_are_looked_up_in_the_registry_that_is_given() -> None:
    with pytest.raises(UnknownDialect):
        Settings().replace({"dialect": "husk", "registry": Registry(installed=False, plugins={})}).replace(
            {"dialect": "nowhere"}
        )
