"""``dialects``: a list of what is installed, and a portrait of one."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from sseware.cli import _dialects as dialects_command
from sseware.cli import main
from sseware.dialects import Plain, Registry, StreamContext, hookimpl
from sseware.items import Text

Give = Callable[[dict[str, object]], Registry]


class Calm(msgspec.Struct, frozen=True):
    """A dialect that is never streamed, sends a header of its own and has no example."""

    name: str = "calm"
    default: str = "buffered"
    streams: bool = False
    media_types: tuple[str, ...] = ("text/plain", "application/json")
    stream_headers: tuple[tuple[str, str], ...] = (("x-calm", "yes"),)

    def open(self, context: StreamContext) -> Any:
        raise AssertionError("it is never streamed")

    def fold(self, context: StreamContext) -> Any:
        assert context.elapsed() == 0
        return Plain().fold(context)

    def decoder(self) -> Any:
        return Plain().decoder()


class CalmPlugin:
    @hookimpl
    def sseware_dialects(self) -> list[Any]:
        return [Calm()]


class Broken:
    @hookimpl
    def sseware_dialects(self) -> list[Any]:
        raise OSError("no disk")


class LateBroken:
    @hookimpl
    def sseware_item_encoders(self, dialect: Any) -> Mapping[type, Any]:
        raise OSError("no spoon")


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Give:
    """Makes a registry of some plugins the one that is used."""

    def with_plugins(plugins: dict[str, object]) -> Registry:
        monkeypatch.setattr(dialects_command, "default_registry", lambda: Registry(plugins, installed=False))
        return Registry(plugins, installed=False)

    return with_plugins


def test_the_list_is_aligned_and_says_what_comes_from_where(
    give: Give, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = give({"calm": CalmPlugin()})
    assert main(["dialects"]) == 0
    table, hint = capsys.readouterr().out.split("\n\n")
    lines = table.split("\n")
    assert lines[0].split() == ["PLUGIN", "FROM", "DIALECTS", "HOOKS"]
    starts = [lines[0].index(head) for head in lines[0].split()]
    assert all(line[start - 1] == " " != line[start] for line in lines for start in starts[1:])
    (calm,) = (line for line in lines if line.startswith("calm "))
    assert calm.endswith("  calm      sseware_dialects")
    (plain,) = (line for line in lines if line.startswith("plain "))
    assert plain.endswith("  plain     -")
    assert hint.endswith(f" NAME shows one of them: {', '.join(registry.names())}.\n")


def test_a_portrait_shows_where_it_comes_from_and_its_bytes(
    give: Give, capsys: pytest.CaptureFixture[str]
) -> None:
    give({})
    assert main(["dialects", "plain"]) == 0
    head, _, examples = capsys.readouterr().out.partition("\n\n")
    facts = dict(line.split(maxsplit=1) for line in head.split("\n"))
    assert facts["dialect"] == "plain"
    assert facts["plugin"].startswith("plain (sseware ")
    assert facts["answers"] == "text/event-stream, application/json; a stream by default"
    assert facts["headers"] == facts["hooks"] == "-"
    assert '\n    event: progress\n    data: {"done":0.5}\n' in examples
    assert '\n    200\n    content-type: application/json; charset=utf-8\n\n    {"items":' in examples


def test_a_portrait_of_husk_shows_its_flag_and_its_terminator(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dialects", "husk"]) == 0
    said = capsys.readouterr().out
    assert "text/event-stream (also by ?stream=1), text/plain; buffered by default\n" in said
    assert '    event: done\n    data: {"ok":true,"exitCode":0}\n' in said


def test_a_dialect_that_is_never_streamed_shows_its_body_only(
    give: Give, capsys: pytest.CaptureFixture[str]
) -> None:
    give({"calm": CalmPlugin()})
    assert main(["dialects", "calm"]) == 0
    said = capsys.readouterr().out
    assert "text/plain, application/json; never a stream\n" in said
    assert "x-calm: yes\n" in said
    assert "its stream is" not in said
    assert "\nits buffered answer is\n\n    200\n" in said
    assert "Text(text='Hello')" in said


def test_a_dialect_that_fails_at_its_example_is_told_by_the_name_of_its_plugin(
    give: Give, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give({"calm": CalmPlugin()})
    monkeypatch.setattr(Calm, "example", (Text("\0"), None), raising=False)
    assert main(["dialects", "calm"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(r": plugin .*calm: the dialect 'calm' fails at its own example: ", said.err)
    assert said.err.count("\n") == 1


def test_an_unknown_name_is_a_usage_error_that_lists_those_that_there_are(
    give: Give, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = give({"calm": CalmPlugin()})
    with pytest.raises(SystemExit) as ended:
        main(["dialects", "klingon"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"error: unknown dialect 'klingon'; there are: {', '.join(registry.names())}\n" in said


def test_broken_plugins_are_told_by_name_once_and_the_rest_is_listed(
    give: Give, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    give({"calm": CalmPlugin(), "broken": Broken(), "late": LateBroken()})
    assert main(["dialects"]) == 1
    said = capsys.readouterr()
    assert "\ncalm " in said.out
    assert said.err.startswith("\nwhat is wrong:\n")
    assert said.err.count("no disk") == said.err.count("no spoon") == 1
    assert "broken" in said.err
    assert not any(isinstance(h, logging.NullHandler) for h in logging.getLogger("sseware").handlers)


def test_a_name_that_two_plugins_claim_is_a_problem_of_the_list(
    give: Give, capsys: pytest.CaptureFixture[str]
) -> None:
    give({"calm": CalmPlugin(), "other": CalmPlugin()})
    assert main(["dialects"]) == 1
    assert "the dialect 'calm' is provided by " in capsys.readouterr().err


def test_plugins_that_the_environment_switches_off_are_told(
    monkeypatch: pytest.MonkeyPatch, give: Give, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SSEWARE_DISABLE_PLUGINS", "husk")
    give({})
    assert main(["dialects"]) == 0
    said = capsys.readouterr()
    assert "\nswitched off by the environment: sseware:husk\n" in said.out
    assert "\nhusk " not in said.out
