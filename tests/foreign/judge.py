"""Runs the suite of a project that knows sseware only by its tests: it has to find what is planted, and no more.

``python judge.py`` runs all of it with the interpreter that runs it, which has the project's dependencies.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree as ET

PROJECT = Path(__file__).parent / "chatroom"

PLANTED = {"test_nobody_is_told_of_typing_who_has_left", "test_it_reads_a_stream_however_it_is_cut"}

STRICT = ("-o", "asyncio_mode=strict", "-o", "asyncio_default_fixture_loop_scope=function")

# Who runs the async tests, and the options of pytest.
MODES = {
    "asyncio-strict": ("asyncio", STRICT),
    "anyio": ("anyio", ("-p", "no:asyncio")),
    "asyncio-xdist": ("asyncio", (*STRICT, "-n", "2")),
    "anyio-xdist": ("anyio", ("-p", "no:asyncio", "-n", "2")),
}

# What mends it, and proves that nothing else is wrong.
MENDED = {
    "reader.py": ('chunk.decode(errors="replace")', "self._decoder.decode(chunk)"),
    "chatroom.py": (
        "        while True:\n            await send(",
        "        gone = asyncio.ensure_future(leaving(receive))\n"
        "        while not gone.done():\n            await send(",
    ),
}
LEAVING = (
    'async def leaving(receive):\n    while (await receive())["type"] != "http.disconnect":\n        pass\n'
)


def outcomes(project: Path, *options: str, runner: str = "asyncio") -> dict[str, str]:
    """Runs pytest there; returns for each test "passed", "failed", "error" or "skipped"."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        # faker takes a second to load, and is nobody's here.
        quiet = (
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:faker",
            f"--junitxml={report}",
            "-o",
            "junit_family=xunit1",
        )
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment |= {
            "RUNNER": runner,
            "PYTHONDONTWRITEBYTECODE": "1",
            "HYPOTHESIS_STORAGE_DIRECTORY": scratch,
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *quiet, *options],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if not report.exists():
            raise AssertionError(done.stdout + done.stderr)
        cases = ET.parse(report).iter("testcase")
        return {case.attrib["name"]: _outcome(case) for case in cases}


def _outcome(case: ET.Element) -> str:
    names = {"failure": "failed", "error": "error", "skipped": "skipped"}
    return next((names[child.tag] for child in case if child.tag in names), "passed")


def assert_finds_what_is_planted(mode: str) -> None:
    """Runs the suite in one of the modes."""
    runner, options = MODES[mode]
    found = outcomes(PROJECT, *options, runner=runner)
    wrong = {name for name, outcome in found.items() if outcome in ("failed", "error")}
    assert wrong == PLANTED, found
    assert len(found) == 12, found


def assert_changes_nothing_where_it_is_not_used() -> None:
    """Runs the tests that know nothing of sseware, with its plugin and without it."""
    with_it = outcomes(PROJECT, *STRICT, "tests/test_saying.py")
    without = outcomes(PROJECT, *STRICT, "tests/test_saying.py", "-p", "no:sseware")
    assert with_it == without, (with_it, without)
    assert sorted(with_it.values()) == ["passed", "passed", "passed", "skipped"], with_it


def assert_nothing_else_is_wrong() -> None:
    """Runs the suite of the mended project: nothing is found any more."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(shutil.copytree(PROJECT, Path(scratch) / "chatroom"))
        for name, (planted, mended) in MENDED.items():
            text = (project / name).read_text(encoding="utf-8")
            assert planted in text
            (project / name).write_text(f"{text.replace(planted, mended)}\n\n{LEAVING}", encoding="utf-8")
        found = outcomes(project, *STRICT)
        assert set(found.values()) == {"passed", "skipped"}, found


def main() -> None:
    for mode in MODES:
        print(f"{mode}: ", end="", flush=True)
        began = time.monotonic()
        assert_finds_what_is_planted(mode)
        print(f"both planted bugs were found, and nothing else, in {time.monotonic() - began:.1f} s")
    assert_changes_nothing_where_it_is_not_used()
    print("with the plugin blocked, the other tests say the same")
    assert_nothing_else_is_wrong()
    print("mended, everything passes")


if __name__ == "__main__":
    main()
