"""The tests in ``docs/testing.md`` pass, as they stand there, in a project of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.testing.test_plugin_elsewhere import ASYNCIO, counts, run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"
BLOCK = re.compile(r"^```python( continues)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def modules(page: str) -> list[str]:
    """The examples as modules: one that continues another stands below it."""
    found: list[str] = []
    for continues, text in BLOCK.findall(page):
        if continues:
            found[-1] += "\n\n" + text
        else:
            found.append(text)
    return found


# A busy machine may take longer for an example than hypothesis allows.
CONFTEST = """
import pytest
from hypothesis import settings

settings.register_profile("busy", deadline=None)
settings.load_profile("busy")


@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


@pytest.mark.parametrize(
    ("ini", "wanted"),
    [
        pytest.param("anyio_mode = auto", "def test_", id="under-anyio"),
        # Who runs a sync test makes no difference.
        pytest.param(f"{ASYNCIO}auto", "async def test_", id="under-asyncio"),
    ],
)
def test_every_example_passes(tmp_path: Path, ini: str, wanted: str) -> None:
    chosen = [module for module in modules(PAGE.read_text(encoding="utf-8")) if wanted in module]
    for number, module in enumerate(chosen):
        (tmp_path / f"test_{number}.py").write_text(module, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    blocked = ["-p", "no:asyncio"] if "anyio_mode" in ini else []
    done = run(tmp_path, "", *blocked, ini=ini)
    # Each is in one of the examples, some for several servers or vectors.
    written = len(re.findall(r"^(?:async )?def test_", "\n".join(chosen), re.MULTILINE))
    assert "failed" not in done.stdout, done.stdout
    assert counts(done)["passed"] >= written > 10


def test_each_thing_that_could_not_be_tested_before_has_an_example() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in (
        "test_it_counts",  # an endless stream: httpx's transport never returns
        "test_a_leak_has_a_name",  # cleanup where nobody cancels: TestClient hides the leak
        "test_a_recording_is_cut_where_it_was_and_takes_its_time",  # chunks: vcrpy has one
        "test_silence_is_never_longer_than_15_seconds",  # a keepalive, without waiting for it
        "test_ours_is_on_time",  # an event at the byte that completes it
    ):
        assert f"def {name}(" in page
