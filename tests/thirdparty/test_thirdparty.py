"""A stranger's distribution, installed as pip installs it: a dialect, an item and an observer, all first class.

It is built from ``acme-telegraph`` beside this file, without a network: hatchling comes with the test group.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None, reason="hatchling, which builds it, is not installed"
)

SAMPLE = Path(__file__).parent / "acme-telegraph"

Run = Callable[..., Any]

# What every script may use: a handler, and the answer of an application to one request.
PRELUDE = """
import anyio, json, sys
import sseware
at_import = "acme_telegraph" in sys.modules
from sseware import SSEMiddleware, decode, get_dialect, translate
from sseware.dialects import default_registry
from sseware.items import *

async def gather(chunks):
    return [chunk async for chunk in chunks]

async def answer(app, accept):
    requests, body = [{"type": "http.request", "body": b"", "more_body": False}], []
    async def receive():
        return requests.pop() if requests else await anyio.sleep_forever()
    async def send(message):
        body.append(message.get("body", b"").decode())
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"accept", accept.encode())]}
    await app(scope, receive, send)
    return "".join(body)

def show(value):
    print(json.dumps(value, default=str))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the distribution is installed."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--no-warn-conflicts"]
    done = subprocess.run(
        [*pip, *offline, "--target", target, SAMPLE], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def python(installed: Path) -> Callable[..., str]:
    """Runs a new interpreter that has the distribution; returns what it prints."""
    path = os.pathsep.join(filter(None, [str(installed), os.environ.get("PYTHONPATH")]))

    def run_python(*arguments: str, **variables: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SSEWARE_")}
        env = {**kept, "PYTHONPATH": path, **variables}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_python


@pytest.fixture
def run(python: Callable[..., str]) -> Run:
    """Runs a script there; returns what it shows."""
    return lambda script, **variables: json.loads(python("-c", PRELUDE + script, **variables))


def test_it_is_found_by_name_but_not_before_it_is_needed(run: Run) -> None:
    found = run(
        """
registry = default_registry()
providers = [[str(each), each.hooks, each.dialects] for each in registry.providers[-3:]]
show([at_import, providers, repr(get_dialect("telegraph")), registry.problems])
"""
    )
    assert found == [
        False,
        [
            ["ledger (acme-telegraph 1.4)", ["sseware_stream_observers"], []],
            ["tariffs (acme-telegraph 1.4)", ["sseware_item_encoders"], []],
            ["telegraph (acme-telegraph 1.4)", ["sseware_dialects"], ["telegraph"]],
        ],
        "Telegraph()",
        [],
    ]


HANDLER = """
async def handler():
    yield "ARRIVING "
    yield {"at": 9}
    yield Log("left out")
"""


def test_it_streams_and_answers_through_the_middleware(run: Run) -> None:
    found = run(
        HANDLER
        + """
app = SSEMiddleware(handler, dialect="telegraph")
show([anyio.run(answer, app, accept) for accept in ("text/event-stream", "application/json")])
"""
    )
    assert found == [
        'event: telegram\ndata: {"text":"ARRIVING ","words":1}\n\n'
        'event: telegram\ndata: {"text":"{\\"at\\":9}","words":1}\n\n'
        'event: full_stop\ndata: {"words":2,"delivered":true}\n\n',
        '{"text":"ARRIVING {\\"at\\":9}","words":2,"delivered":true}',
    ]


def test_a_client_may_choose_it_where_it_is_allowed(run: Run) -> None:
    found = run(
        HANDLER
        + """
app = SSEMiddleware(handler, dialect="husk", dialects=["telegraph"])
accept = "text/event-stream;dialect=telegraph"
show(anyio.run(answer, app, accept).split("\\n")[0])
"""
    )
    assert found == "event: telegram"


def test_it_is_read_and_translated_both_ways(run: Run) -> None:
    found = run(
        """
STREAM = [
    b'event: telegram\\ndata: {"text":"HELLO","words":1}\\n\\n',
    b'event: full_stop\\ndata: {"words":1,"delivered":true}\\n\\n',
]
there = anyio.run(gather, translate(STREAM, "telegraph", "husk"))
show([
    [repr(item) for item in anyio.run(gather, decode(STREAM, "telegraph"))],
    b"".join(there).decode(),
    b"".join(anyio.run(gather, translate(there, "husk", "telegraph"))) == b"".join(STREAM),
    b"".join(anyio.run(gather, translate(STREAM[:1], "telegraph", "husk"))).decode(),
])
"""
    )
    assert found == [
        ["Text(text='HELLO')", "Finish()"],
        'event: stdout\ndata: HELLO\n\nevent: done\ndata: {"ok":true,"exitCode":0}\n\n',
        True,
        "event: stdout\ndata: HELLO\n\nevent: error\ndata: the source ended before it was complete\n\n",
    ]


def test_its_item_reaches_the_clients_of_dialects_that_know_nothing_of_it(run: Run) -> None:
    found = run(
        """
from acme_telegraph import Tariff
async def handler():
    yield "Once "
    yield Tariff("night", 0.002)
    yield "upon"
async def ask(dialect, accept):
    return await answer(SSEMiddleware(handler, dialect=dialect), accept)
machpay = anyio.run(ask, "machpay", "text/event-stream").split("\\n\\n")
show([
    [event.split("\\n")[0] for event in machpay],
    machpay[2],
    anyio.run(ask, "plain", "text/event-stream"),
    json.loads(anyio.run(ask, "plain", "application/json"))["items"][1]["value"],
    json.loads(anyio.run(ask, "machpay", "application/json"))["data"]["text"],
])
"""
    )
    assert found == [
        ["event: start", "event: chunk", "event: tariff", "event: chunk", "event: end", ""],
        'event: tariff\ndata: {"tariff":"night","usdPerWord":0.002}',
        'data: Once \n\nevent: tariff\ndata: {"name":"night","usd_per_word":0.002}\n\ndata: upon\n\n',
        {"name": "night", "usd_per_word": 0.002},
        "Once upon",
    ]


LEDGER = """
import logging
class Lines(logging.Handler):
    def emit(self, record):
        lines.append(record.getMessage())
lines = []
logging.getLogger("acme.ledger").addHandler(Lines())
logging.getLogger("acme.ledger").setLevel("INFO")
"""


def test_it_observes_the_streams_of_every_dialect(run: Run) -> None:
    found = run(
        HANDLER
        + LEDGER
        + """
async def fails():
    yield "one two three"
    raise ValueError
for handler, dialect, debug in [(handler, "telegraph", False), (fails, "plain", False), (handler, "plain", True)]:
    app = SSEMiddleware(handler, dialect=dialect, debug=debug)
    for accept in ("text/event-stream", "application/json"):
        anyio.run(answer, app, accept)
show(lines)
"""
    )
    # What a telegram says is JSON: the words are those of the payload.
    assert found == ["telegraph: 4 words in 3 events, finished", "plain: 5 words in 2 events, failed"]


@pytest.mark.parametrize(
    ("variables", "dialect", "item"),
    [
        pytest.param({}, True, True, id="nothing-is-switched-off"),
        pytest.param({"SSEWARE_DISABLE_PLUGINS": "telegraph"}, False, True, id="one-of-them"),
        pytest.param({"SSEWARE_DISABLE_PLUGINS": "acme-telegraph"}, False, False, id="the-distribution"),
        pytest.param({"SSEWARE_DISABLE_PLUGINS": "all"}, False, False, id="all-that-are-installed"),
        pytest.param({"SSEWARE_PLUGINS": "acme-telegraph:telegraph"}, True, False, id="all-but-one"),
    ],
)
def test_the_environment_switches_off(variables: dict[str, str], dialect: bool, item: bool, run: Run) -> None:
    script = """
registry = default_registry()
show(["telegraph" in registry.names(), bool(registry.item_encoders(get_dialect("plain")))])
"""
    assert run(script, **variables) == [dialect, item]


def test_it_keeps_what_every_dialect_keeps(run: Run) -> None:
    found = run(
        """
import jsonschema
from sseware.dialects import fates, losses
dialect = get_dialect("telegraph")
jsonschema.Draft202012Validator.check_schema(dialect.schema())
show([[fate.item.__name__, fate.omitted, fate.events, fate.kept] for fate in fates(dialect) if not fate.omitted])
"""
    )
    assert found == [
        ["Text", False, ["telegram"], ["full_stop"]],
        ["Data", False, ["telegram"], ["full_stop"]],
        ["Finish", False, ["full_stop"], []],
        ["Failure", False, ["line_down"], []],
    ]


def test_the_command_line_shows_it_with_its_bytes(python: Callable[..., str]) -> None:
    listing = python("-m", "sseware", "dialects")
    assert [line.split() for line in listing.splitlines() if "acme-telegraph 1.4" in line] == [
        ["ledger", "acme-telegraph", "1.4", "-", "sseware_stream_observers"],
        ["tariffs", "acme-telegraph", "1.4", "-", "sseware_item_encoders"],
        ["telegraph", "acme-telegraph", "1.4", "telegraph", "sseware_dialects"],
    ]
    portrait = python("-m", "sseware", "dialects", "telegraph")
    assert "event: telegram" in portrait
    assert '{"text":"ARRIVING MONDAY","words":2}' in portrait
