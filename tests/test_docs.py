"""The site has what the package has. That it builds without a warning is what ``make docs`` says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DOCUMENTED = {
    name: page.name
    for page in sorted(DOCS.glob("reference/*.md"))
    for name in re.findall(r"^\.\. automodule:: (\S+)", page.read_text(encoding="utf-8"), re.MULTILINE)
}
# The front door re-exports what other pages document; the command line documents itself.
ELSEWHERE = ("sseware", "sseware.cli")


def public_modules() -> list[str]:
    """Those without an underscore; what stands in a package is listed where the package does not re-export it."""
    names = []
    for path in sorted(ROOT.glob("sseware/**/*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        empty = path.name == "__init__.py" and not re.search(
            r"^(from|import) ", path.read_text("utf-8"), re.MULTILINE
        )
        if not any(part.startswith("_") for part in name.split(".")) and "__main__" not in name and not empty:
            names.append(name)
    return names


@pytest.mark.parametrize("name", public_modules())
def test_a_public_module_has_its_place_in_the_reference(name: str) -> None:
    parts = name.split(".")
    assert (
        any(".".join(parts[:end]) in (*DOCUMENTED, *ELSEWHERE[1:]) for end in range(2, len(parts) + 1))
        or name in ELSEWHERE
    ), f"add `.. automodule:: {name}` to a page of docs/reference"


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_reference_speaks_of_nothing_that_is_gone(name: str) -> None:
    assert name in public_modules()
