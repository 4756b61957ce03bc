"""What the package says of itself is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BOUNDS = {
    found["name"]: found["bound"]
    for requirement in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["demo"])
    if (found := re.match(r"(?P<name>[\w-]+)>=(?P<bound>[\d.]+)", requirement))
}
LOWEST = dict(re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / ".ci/lowest.txt").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", BOUNDS)
def test_the_lowest_version_that_is_accepted_is_tested(name: str) -> None:
    assert LOWEST[name].removesuffix(".0") == BOUNDS[name].removesuffix(".0")


def test_the_package_needs_four_others_and_no_fifth() -> None:
    needed = {re.split(r"\W", requirement, maxsplit=1)[0] for requirement in PROJECT["dependencies"]}
    assert needed == {"anyio", "asgiref", "msgspec", "pluggy"}


@pytest.mark.parametrize("path", ["constraints.txt", ".ci/lowest.txt", "benchmarks/requirements.txt"])
def test_constraints_name_packages_and_versions_only(path: str) -> None:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    wanted = re.compile(r"#.*|[\w.-]+(\[[\w,]+\])?(==[\w.]+)?|")
    assert [line for line in lines if not wanted.fullmatch(line)] == []
