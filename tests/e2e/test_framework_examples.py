"""The examples of the frameworks: one file each, run by the command in its docstring, with one handler in all."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from sseware import EventStreamParser
from sseware.cli._demo import find_examples, load_module
from tests.e2e.servers import Answer, Client, serving
from tests.e2e.test_every_framework_over_a_real_server import with_lifespan

EXAMPLES = sorted(path.stem for path in find_examples().glob("story_*.py"))
COMMAND = re.compile(r"^``(uvicorn --app-dir examples (\w+):app)`` runs it", re.MULTILINE)


class Served(NamedTuple):
    """An example on a server."""

    address: tuple[str, int]
    module: ModuleType

    def ask(self, accept: str, target: str = "/stories/fox") -> Answer:
        with Client(self.address) as client:
            client.ask(target, method="GET", accept=accept)
            return client.answer()


@pytest.fixture(scope="module", params=EXAMPLES)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    module: Any = load_module(find_examples() / f"{request.param}.py")
    module.PAUSE = 0.0
    with ExitStack() as stack:
        app = module.app
        if request.param == "story_django":
            from django.test import override_settings

            # Django is configured once a process, maybe by another test.
            stack.enter_context(
                override_settings(ROOT_URLCONF=module.__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=[])
            )
            app = with_lifespan(app)
        yield Served(stack.enter_context(serving(app, "h11")), module)


def test_it_streams_to_who_asks_for_a_stream(served: Served) -> None:
    events = EventStreamParser().feed(served.ask("text/event-stream").body)
    assert "".join(each.data for each in events[:-1]) == "Once upon a time there was a fox."
    assert events[-1].event == "done"


def test_it_streams_in_the_dialect_that_is_asked_for(served: Served) -> None:
    events = EventStreamParser().feed(served.ask("text/event-stream;dialect=ash").body)
    assert events[-1].event == "done"
    assert "sessionId" in events[-1].json()


def test_it_answers_as_a_whole_to_everybody_else(served: Served) -> None:
    answer = served.ask("*/*")
    assert (answer.status, answer.body) == (200, b"Once upon a time there was a fox.")


def test_fastapis_is_injected_and_shown(served: Served) -> None:
    if served.module.__name__ != "story_fastapi":
        pytest.skip("it is about FastAPI")
    assert served.ask("*/*", "/stories/hare?loud=1").body == b"ONCE UPON A TIME THERE WAS A HARE."
    assert served.ask("text/event-stream", "/stories/unicorn").status == 404
    assert served.ask("*/*", "/stories/fox?loud=perhaps").status == 422
    assert b'"itemSchema"' in served.ask("*/*", "/openapi.json").body


def functions(path: Path) -> dict[str, str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {each.name: ast.unparse(each) for each in tree.body if isinstance(each, ast.AsyncFunctionDef)}


def test_the_handler_is_the_same_in_all() -> None:
    assert len(EXAMPLES) == 7
    handlers = {functions(find_examples() / f"{name}.py")["tell"] for name in EXAMPLES}
    assert len(handlers) == 1


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_docstring_has_the_command_that_runs_it(name: str) -> None:
    found = COMMAND.search(ast.get_docstring(ast.parse((find_examples() / f"{name}.py").read_text())) or "")
    assert found is not None
    assert found[2] == name


@pytest.mark.skipif("SSEWARE_SLOW" not in os.environ, reason="starts seven servers; SSEWARE_SLOW=1 runs it")
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_command_runs_it(name: str) -> None:
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--app-dir",
        str(find_examples()),
        f"{name}:app",
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            found = None
            while found is None:
                line = process.stderr.readline()
                assert line, "it has ended"
                found = re.search(r"running on http://([\d.]+):(\d+)", line)
            with Client((found[1], int(found[2]))) as client:
                client.ask("/stories/fox", method="GET")
                assert client.answer().body == b"Once upon a time there was a fox."
        finally:
            process.terminate()
            process.communicate()
