"""Distributions that are installed for one test, and what it takes to ask for dialects."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

Install = Callable[..., Path]
"""Installs a distribution: its name, entry points, modules by name, version; returns its metadata's folder."""


@pytest.fixture(autouse=True)
def no_plugins_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists of the environment are the tests' own."""
    for variable in ("SSEWARE_DISABLE_PLUGINS", "SSEWARE_PLUGINS"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs distributions as a package installer leaves them: modules, and metadata beside them."""
    before = set(sys.modules)

    def install_one(
        name: str, entry_points: Mapping[str, str], modules: Mapping[str, str], *, version: str = "1.0"
    ) -> Path:
        # Each in a folder of its own, so that the order on the path is not the alphabet's.
        site = tmp_path / name
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = [f"{entry} = {target}" for entry, target in entry_points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[sseware]", *lines, ""]))
        for module, source in modules.items():
            (site / f"{module}.py").write_text(dedent(source))
        monkeypatch.syspath_prepend(str(site))
        return info

    yield install_one
    for module in set(sys.modules) - before:
        if (getattr(sys.modules[module], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[module]
