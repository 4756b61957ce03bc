"""``demo``: what is printed, and what becomes of what cannot be."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from sseware.cli import _demo, _servers, main

Ran = list[tuple[Any, str]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Puts a server in uvicorn's place that takes note and is interrupted at once."""
    taken: Ran = []

    def serve(app: Any, listener: socket.socket) -> None:
        taken.append((app, _servers.address_of(listener)))
        raise KeyboardInterrupt

    monkeypatch.setattr(_servers, "SERVERS", {"uvicorn": (serve, (), "")})
    return taken


def test_it_says_what_to_try_runs_the_example_and_ends_on_an_interrupt(
    ran: Ran, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--port", "0"]) == 0
    ((app, url),) = ran
    assert app.__module__ == "sseware.cli._demo_app"
    said = capsys.readouterr().out
    assert said.startswith(f"The demo runs at {url}\n")
    assert said.count(f"{url}/skills/") == 4
    assert said.endswith("Ctrl+C ends it.\n\n\nThe demo has ended.\n")


def test_it_ends_when_its_server_does(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_servers, "SERVERS", {"uvicorn": (lambda app, listener: None, (), "")})
    assert main(["demo", "--port", "0"]) == 0


@pytest.mark.parametrize("word", ["x", "-1", "65536", "", "8000.0", "٣"])
def test_what_is_no_port_is_a_usage_error(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", f"--port={word}"])
    assert ended.value.code == 2
    assert f"want a number from 0 to 65535, got {word!r}" in capsys.readouterr().err


def test_an_unknown_server_is_a_usage_error_that_lists_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--server", "apache"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "invalid choice: 'apache'" in said
    assert "uvicorn" in said.splitlines()[-1]


def test_the_examples_of_the_wheel_come_before_those_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel, checkout = tmp_path / "wheel", tmp_path / "checkout"
    monkeypatch.setattr(_demo, "_PLACES", (wheel, checkout))
    for place in (checkout, wheel):
        place.mkdir()
        (place / "husk_skills.py").touch()
        assert _demo.find_examples() == place


def test_examples_that_are_nowhere_are_told_with_what_to_do(
    ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_demo, "_PLACES", (tmp_path,))
    assert main(["demo"]) == 1
    assert f"the examples are not in {tmp_path}; install sseware again\n" in capsys.readouterr().err
    assert ran == []
