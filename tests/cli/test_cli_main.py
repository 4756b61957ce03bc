"""The command line as a whole: help, errors, exit codes."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import pytest

from sseware.cli import _dialects as dialects_command
from sseware.cli import _main as main_module
from sseware.cli import main
from sseware.dialects import Plain, Registry, hookimpl


class _Second:
    """Claims a name that is taken."""

    @hookimpl
    def sseware_dialects(self) -> list[Plain]:
        return [Plain()]


def test_without_a_command_there_is_help_and_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert {"demo", "dialects", "explain"} <= set(said.err.split())


def test_help_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "Exit codes: 0 all is well" in capsys.readouterr().out


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"sseware {version('sseware')}\n"


def test_without_a_distribution_there_is_no_version_and_all_else_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(main_module, "version", nowhere)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == "sseware (not installed: run from its source)\n"
    assert main(["explain", "/"]) == 0


@pytest.mark.parametrize(
    ("words", "want"),
    [
        pytest.param(["dance"], "invalid choice: 'dance'", id="an-unknown-command"),
        pytest.param(["demo", "--prot", "1"], "unrecognized arguments: --prot 1", id="an-unknown-option"),
        pytest.param(["dialects", "a", "b"], "unrecognized arguments: b", id="too-many-words"),
    ],
)
def test_words_that_make_no_sense_are_a_usage_error(
    words: list[str], want: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("usage: ")
    assert want in said


def test_an_error_of_ours_is_one_line_and_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = Registry({"second": _Second()}, installed=False)
    monkeypatch.setattr(dialects_command, "default_registry", lambda: registry)
    assert main(["dialects", "plain"]) == 1
    said = capsys.readouterr().err
    assert re.fullmatch(r"[^:\n]+: the dialect 'plain' is provided by .*\n", said)


@pytest.mark.parametrize(
    ("command", "prog"),
    [
        pytest.param(["-m", "sseware"], "python -m sseware", id="as-a-module"),
        pytest.param(
            ["-c", "import sys; from sseware.cli import main; sys.exit(main())"], "sseware", id="as-a-script"
        ),
    ],
)
def test_the_usage_says_how_it_was_called(command: list[str], prog: str) -> None:
    done = subprocess.run([sys.executable, *command, "explain"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: {prog} explain ")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """As in ``sseware dialects | head -1``."""
    command = [sys.executable, "-u", "-m", "sseware", "dialects"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
