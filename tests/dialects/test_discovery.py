"""Where plugins are looked for, in which order, and what the environment keeps out."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import pytest

from sseware.dialects._discovery import discover, version_of

Install = Callable[..., Path]


@pytest.fixture
def three(install: Install) -> None:
    """Three distributions, five plugins, on the path in another order than the alphabet's."""
    install("Beta_Tools", {"late": "beta_late", "early": "beta_early"}, {}, version="2.1")
    install("acme-dialects", {"calm": "acme:plugin"}, {})
    install("gamma", {"late": "gamma", "odd": "gamma.odd"}, {})


def keys(*, installed: bool = True) -> list[str]:
    return [each.key for each in discover({}, installed=installed).plugins if each.distribution != "sseware"]


ALL = ["acme-dialects:calm", "Beta_Tools:early", "Beta_Tools:late", "gamma:late", "gamma:odd"]


@pytest.mark.usefixtures("three")
def test_installed_plugins_come_by_distribution_and_name() -> None:
    assert keys() == ALL


@pytest.mark.usefixtures("three")
def test_the_built_in_ones_come_first_and_the_given_ones_last() -> None:
    found = discover({"mine": object()}, installed=True).plugins
    ours = [each.distribution == "sseware" for each in found]
    assert ours == sorted(ours, reverse=True)
    assert any(ours)
    assert (found[-1].name, found[-1].distribution) == ("mine", "given to Registry")


@pytest.mark.usefixtures("three")
def test_installed_ones_are_not_looked_for_where_they_are_not_wanted() -> None:
    assert keys(installed=False) == []


@pytest.mark.usefixtures("three")
def test_what_is_told_of_a_plugin_is_its_metadata() -> None:
    late = {each.key: each for each in discover({}, installed=True).plugins}["Beta_Tools:late"]
    assert (late.name, late.distribution) == ("late", "Beta_Tools")
    assert version_of(late.distribution) == "2.1"


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("disable", "kept"),
    [
        pytest.param("calm", ALL[1:], id="an-entry-point"),
        pytest.param("gamma", ALL[:3], id="a-distribution"),
        pytest.param("late", [ALL[0], ALL[1], ALL[4]], id="an-entry-point-of-two-distributions"),
        pytest.param("gamma:late", [*ALL[:3], ALL[4]], id="one-of-two-by-both-names"),
        pytest.param(" calm , gamma ", ALL[1:3], id="several-with-spaces"),
        pytest.param("beta.TOOLS", [ALL[0], *ALL[3:]], id="spelled-as-an-index-compares-names"),
        pytest.param("all", [], id="all"),
        pytest.param("*", [], id="star"),
        pytest.param("1", [], id="one"),
        pytest.param("", ALL, id="empty"),
        pytest.param("unheard-of", ALL, id="what-is-not-there-is-off-already"),
    ],
)
def test_the_environment_disables(disable: str, kept: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSEWARE_DISABLE_PLUGINS", disable)
    assert keys() == kept
    found = discover({}, installed=True)
    assert found.disabled == tuple(key for key in ALL if key not in kept)
    assert found.problems == ()


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("allow", "disable", "kept"),
    [
        pytest.param("calm", "", ALL[:1], id="an-entry-point"),
        pytest.param("gamma,calm", "", [ALL[0], *ALL[3:]], id="a-distribution-and-an-entry-point"),
        pytest.param("gamma", "gamma:odd", [ALL[3]], id="disabling-wins"),
        pytest.param("", "", ALL, id="empty-allows-all"),
    ],
)
def test_the_environment_allows(
    allow: str, disable: str, kept: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSEWARE_PLUGINS", allow)
    monkeypatch.setenv("SSEWARE_DISABLE_PLUGINS", disable)
    assert keys() == kept
    built_in = [each for each in discover({}, installed=True).plugins if each.distribution == "sseware"]
    assert built_in


@pytest.mark.usefixtures("three")
def test_an_allowed_name_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSEWARE_PLUGINS", "gamma,calmm")
    found = discover({}, installed=True)
    assert [str(problem) for problem in found.problems] == [
        "SSEWARE_PLUGINS allows 'calmm', and no installed plugin or distribution has that name"
    ]
    assert discover({}, installed=False).problems == ()


def test_a_built_in_one_is_disabled_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSEWARE_DISABLE_PLUGINS", "all,sseware:husk")
    found = discover({}, installed=True)
    assert "sseware:husk" in found.disabled
    assert "husk" not in [each.name for each in found.plugins]


def test_all_means_those_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSEWARE_DISABLE_PLUGINS", "all")
    assert "husk" in [each.name for each in discover({}, installed=True).plugins]


def test_a_distribution_without_metadata_is_found_all_the_same(install: Install) -> None:
    info = install("nameless", {"odd": "odd"}, {})
    (info / "METADATA").unlink()
    assert keys() == ["unknown distribution:odd"]


def test_a_given_plugin_is_not_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSEWARE_DISABLE_PLUGINS", "mine,all")
    plugin = object()
    assert discover({"mine": plugin}, installed=True).plugins[-1].load() is plugin


def test_the_version_of_what_is_not_installed_is_not_known() -> None:
    assert version_of("sseware") == importlib.metadata.version("sseware")
    for name in ("given to Registry", "unknown distribution", "unheard-of"):
        assert version_of(name) == ""
