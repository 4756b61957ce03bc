"""A Django site with its usual middleware, and django-eventstream's view, each with one line around it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def seen() -> Any:
    """What the site answered, in a process of its own."""
    pytest.importorskip("django", reason="pip install --group apps")
    if not any((Path(entry) / "django_eventstream").is_dir() for entry in sys.path):
        pytest.skip("pip install --group apps")
    command = [sys.executable, "-m", "tests.apps.django_site"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_line_of_its_view_is_an_event_at_once(seen: Any) -> None:
    event, data, elapsed = seen["line"]
    assert (event, data) == ("data", '{"n":1}')
    assert elapsed < 1


def test_a_client_that_leaves_is_noticed(seen: Any) -> None:
    assert seen["left"] < 0.5


def test_what_its_gzip_middleware_compresses_passes(seen: Any) -> None:
    assert seen["compressed"] == ["gzip", "application/x-ndjson"]


def test_the_events_of_django_eventstream_speak_another_dialect(seen: Any) -> None:
    assert seen["head"] == [200, "text/event-stream; charset=utf-8"]
    assert json.loads(seen["event"]) == {"text": "hi"}
