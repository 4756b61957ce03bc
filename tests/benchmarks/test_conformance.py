"""The page about others: its columns are what was judged, and what is missing has a row with its reason."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import conformance
from benchmarks.conformance_apps import APPS
from benchmarks.conformance_encoders import ENCODERS
from benchmarks.conformance_parsers import PARSERS
from sseware.testing import laws


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    conformance.add_options(parser)
    return parser.parse_args(words)


def missing() -> Any:
    raise ImportError("No module named 'nothing'")


def old() -> Any:
    raise AttributeError("module 'x' has no attribute 'SSEDecoder'")


def swallow(data: str) -> bytes:
    """Writes no data field for empty data."""
    return f"data: {data}\n\n".encode() if data else b"\n"


def test_the_page_tells_who_keeps_what_and_what_was_not_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    makers = {"x-wrong": lambda: swallow, "x-none": missing, "x-old": old}
    monkeypatch.setattr(conformance, "ENCODERS", makers)
    monkeypatch.setattr(laws, "encoder", lambda: (laws.get("encoder/empty-data"),))
    page, figures = tmp_path / "page.md", tmp_path / "figures.json"
    assert conformance.run(parsed("--only", "encoder", "--into", str(page), "--json", str(figures))) == 0
    text = page.read_text(encoding="utf-8")
    assert capsys.readouterr().out == f"{text}\n"
    assert "| law | x-wrong |" in text
    assert "| `encoder/empty-data` | **no** |" in text
    assert "- x-none: not installed (No module named 'nothing')" in text
    assert "- x-old: what is tried is not in this version: module 'x' has no attribute 'SSEDecoder'" in text
    assert "- `encoder/empty-data`: `an event whose data are empty is lost" in text
    assert "example {'data': ''}`" in text
    verdict = json.loads(figures.read_text())[0][0]["verdicts"]["encoder/empty-data"]
    assert verdict["grade"] == "FAILED"


@pytest.mark.parametrize(
    ("name", "grades"),
    [
        pytest.param("sseware", ["OK", "OK"], id="ours"),
        pytest.param("starlette", ["FAILED", "SHOULD"], id="another"),
    ],
)
def test_an_application_is_judged_on_its_story_and_on_its_flood(
    name: str, grades: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformance, "STORY", ("/", "app/head"))
    monkeypatch.setattr(conformance, "FLOOD", ("/flood", "app/stalled-reader"))
    assert [verdict.grade for verdict in conformance._judge_app(name, APPS[name]())] == grades


def test_the_page_in_the_documentation_has_every_law_and_every_package() -> None:
    text = conformance.DOCS.read_text(encoding="utf-8")
    assert text == conformance.RESULT.read_text(encoding="utf-8")
    asked = [*laws.parser(), *laws.encoder(), *conformance._app_laws()]
    assert [law.id for law in asked if f"| `{law.id}` |" not in text] == []
    assert [name for name in (*PARSERS, *ENCODERS, *APPS) if name not in text] == []
