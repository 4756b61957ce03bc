"""The kernels under ``examples/kernels``, as the demo runs them: by path, as they are."""

from __future__ import annotations

import os
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from sseware.items import Finish, Log, Text
from sseware.kernels import KernelItem, run

pytestmark = pytest.mark.anyio

KERNELS = Path(__file__).resolve().parents[2] / "examples" / "kernels"


@pytest.fixture
def anyio_backend() -> str:
    """One event loop will do: it is the kernels that are tested."""
    return "asyncio"


async def collect(name: str, *arguments: str, **options: Any) -> list[KernelItem]:
    async with aclosing(run([str(KERNELS / name), *arguments], **options)) as items:
        return [item async for item in items]


def test_every_kernel_is_executable() -> None:
    kernels = sorted(KERNELS.glob("*.py"))
    assert [kernel.name for kernel in kernels] == ["fail.py", "file.py", "uppercase.py", "words.py"]
    assert all(os.access(kernel, os.X_OK) for kernel in kernels)


@pytest.mark.parametrize(
    ("given", "want"),
    [
        pytest.param(b"hello", "HELLO", id="a-word"),
        pytest.param("straße ✓\n".encode(), "STRASSE ✓\n", id="letters-beyond-ascii"),
        pytest.param(b"a\r\nb\rc\n", "A\r\nB\rC\n", id="line-ends-stay"),
        pytest.param(b"a\xffb", "A\ufffdB", id="not-utf-8"),
    ],
)
@pytest.mark.parametrize("locale", ["C.UTF-8", "POSIX"])
async def test_uppercase(given: bytes, want: str, locale: str) -> None:
    items = await collect("uppercase.py", input=given, env={**os.environ, "LC_ALL": locale})
    assert "".join(item.text for item in items if isinstance(item, Text)) == want
    assert items[-1] == Finish()


async def test_words_come_one_by_one_with_a_pause() -> None:
    start = time.monotonic()
    items = await collect("words.py", "0.1", input="ONCE UPON A TIME")
    assert time.monotonic() - start >= 0.3
    assert "".join(item.text for item in items if isinstance(item, Text)) == "ONCE\nUPON\nA\nTIME\n"
    async with aclosing(run([str(KERNELS / "words.py"), "1000"], input="ONCE UPON")) as endless:
        assert await anext(endless) == Text("ONCE\n")


async def test_words_without_input_tell_a_story() -> None:
    items = await collect("words.py", "0")
    assert "".join(i.text for i in items if isinstance(i, Text)) == "Once\nupon\na\ntime\n"


async def test_fail_says_why_and_exits_with_3() -> None:
    assert await collect("fail.py") == [Text("partial"), Log("boom\n"), Finish(False, 3)]


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        pytest.param("card.svg", "<svg ", id="a-picture"),
        pytest.param("notes.txt", "This is notes.txt.\n", id="a-text"),
    ],
)
async def test_file_makes_the_file_where_it_is_told_to(name: str, begin: str, tmp_path: Path) -> None:
    output = tmp_path / "output"
    env = {**os.environ, "HUSK_OUTPUT_FILE": str(output)}
    items = await collect("file.py", input=f"{name}\n", env=env, cwd=tmp_path)
    content = output.read_bytes()
    assert content.decode().startswith(begin)
    assert items == [Text(f"made {name}, {len(content)} bytes\n"), Finish()]
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../escape.txt",
        "/etc/passwd",
        "..",
        ".hidden",
        "a/b",
        "a\\b",
        "a\nb",
        "a\0b",
        "<x>.svg",
        "x" * 101,
    ],
)
async def test_file_refuses_what_is_not_the_name_of_a_file(name: str, tmp_path: Path) -> None:
    env = {**os.environ, "HUSK_OUTPUT_FILE": str(tmp_path / "output")}
    items = await collect("file.py", input=name, env=env, cwd=tmp_path)
    log = "".join(item.text for item in items if isinstance(item, Log))
    assert "want the name of a file" in log
    assert items[-1] == Finish(False, 1)
    assert list(tmp_path.iterdir()) == []


async def test_file_wants_to_be_told_where_to_write() -> None:
    env = {name: value for name, value in os.environ.items() if name != "HUSK_OUTPUT_FILE"}
    items = await collect("file.py", input="x.txt", env=env)
    assert items[-1] == Finish(False, 1)
