"""The clients that the five systems document read what we write, and see what their documents say they see."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from sseware import SSEMiddleware, StreamError
from sseware.items import Finish, Start, Step, ToolCall, ToolResult, Usage
from sseware.plugins.ash import (
    Ash,
    ash_events,
    async_ash_events,
    extract_display_items,
    extract_stream_delta,
    extract_text_from_event,
)
from sseware.plugins.chronos import Chronos
from sseware.plugins.hector import Hector
from sseware.plugins.husk import Husk
from sseware.plugins.machpay import AsyncSkillStream, MachPay, Pricing, with_retry
from sseware.plugins.machpay import SkillStream as Stream
from tests.e2e.servers import PATIENCE, serving

STORY = ["Once ", "upon ", "a ", "time ", "in ", "a ", "digital ", "realm ", "... "]
NODE = shutil.which("node")
CLIENTS = Path(__file__).with_name("documented_clients.mjs")

needs_node = pytest.mark.skipif(
    NODE is None, reason="these clients are JavaScript, and node is not installed"
)


def generate_story() -> Iterator[str]:
    """As MachPay shows skills: a sync generator that sleeps."""
    for word in STORY:
        yield word
        time.sleep(0.001)


async def turn() -> AsyncIterator[object]:
    yield Start("a1b2c3d4")
    yield "TCP is "
    yield "reliable."
    yield ToolCall("t1", "ls", {"path": "/tmp"})
    yield ToolResult("t1", "a.txt")


async def run() -> AsyncIterator[object]:
    yield Step("node_start", "extract")
    yield Step("node_end", "extract", {"rows": 3})
    yield Finish(result={"rows": 3})


async def breaks_off() -> AsyncIterator[str]:
    yield "half "
    raise StreamError("no quota left", code="QUOTA_EXCEEDED")


async def broken_turn() -> AsyncIterator[object]:
    # A piece of text alone sends nothing yet, and an error would still be a status.
    yield ToolCall("t1", "ls")
    raise StreamError("no quota left")


async def hangs() -> AsyncIterator[str]:
    yield "half "
    await anyio.sleep_forever()


class Flaky:
    """Fails at the first two attempts."""

    def __init__(self) -> None:
        self.attempts = 0

    async def __call__(self) -> AsyncIterator[str]:
        self.attempts += 1
        yield "again " if self.attempts > 1 else "first "
        if self.attempts < 3:
            raise StreamError("try later", code="SKILL_UNAVAILABLE")


FLAKY = Flaky()
PAID = MachPay(skill_id="chat-assistant", pricing=Pricing(base_usd=0.001, per_token_usd=0.00002))


async def report_usage() -> AsyncIterator[object]:
    yield "Qubits."
    yield Usage(output_tokens=9)


APPS = {
    "/skills/summarize": SSEMiddleware(generate_story, dialect=Husk()),
    "/api/stream": SSEMiddleware(generate_story, dialect=MachPay(chunk_event=None, default="stream")),
    "/skills/chat-assistant/stream": SSEMiddleware(report_usage, dialect=PAID),
    "/skills/broken/stream": SSEMiddleware(breaks_off, dialect=PAID),
    "/skills/flaky/stream": SSEMiddleware(FLAKY, dialect=PAID),
    "/skills/endless/stream": SSEMiddleware(hangs, dialect=PAID),
    "/api/sessions/SESSION_ID/messages": SSEMiddleware(turn, dialect=Ash()),
    "/api/sessions/PARTIAL/messages": SSEMiddleware(turn, dialect=Ash(include_partial_messages=True)),
    "/api/sessions/BROKEN/messages": SSEMiddleware(broken_turn, dialect=Ash()),
    "/agents/chatbot/sessions/s1/messages/stream": SSEMiddleware(generate_story, dialect=Hector()),
    "/events": SSEMiddleware(run, dialect=Chronos(now=lambda: 0)),
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    await APPS[scope.get("path", "/events")](scope, receive, send)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(app, "h11") as (host, port):
        yield f"http://{host}:{port}"


def seen(client: str, target: str) -> list[Any]:
    """Runs a client; returns what it has seen."""
    assert NODE is not None
    done = subprocess.run(
        [NODE, str(CLIENTS), client, target], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@needs_node
def test_husks_page_shows_the_frames(url: str) -> None:
    """D4."""
    (shown,) = seen("husk", f"{url}/skills/summarize?stream=1")
    assert shown == "".join(f"event: stdout\ndata: {word}\n\n" for word in STORY) + (
        'event: done\ndata: {"ok":true,"exitCode":0}\n\n'
    )


@needs_node
def test_machpays_react_component_hears_every_chunk_and_then_closes(url: str) -> None:
    # `start` and `end` are named, so that onmessage does not hear them.
    """D4."""
    assert seen("machpay", f"{url}/api/stream?prompt=x") == [*STORY, "closed"]


@needs_node
def test_machpays_plain_page_shows_what_comes(url: str) -> None:
    (shown,) = seen("machpay_fetch", f"{url}/api/stream")
    assert [shown.count(f'"text":"{word}"') for word in STORY] == [1, 1, 2, 1, 1, 2, 1, 1, 1]
    assert shown.startswith("event: start\n")


@needs_node
def test_ashs_loop_sees_each_message_and_the_end(url: str) -> None:
    """D4."""
    events = seen("ash", f"{url}/api/sessions/SESSION_ID/messages")
    assert [kind for kind, _ in events] == ["message", "message", "message", "done"]
    assert events[0][1]["message"]["content"] == [{"type": "text", "text": "TCP is reliable."}]
    assert events[-1][1] == {"sessionId": "a1b2c3d4"}


@needs_node
def test_ashs_loop_sees_an_error(url: str) -> None:
    events = seen("ash", f"{url}/api/sessions/BROKEN/messages")
    assert [kind for kind, _ in events] == ["message", "error", "done"]
    assert events[1][1] == {"error": "no quota left"}


@needs_node
def test_hectors_page_reads_every_chunk_and_trips_over_the_end_as_it_does_at_home(url: str) -> None:
    """D4."""
    target = f"{url}/agents/chatbot/sessions/s1/messages/stream"
    assert seen("hector", target) == [*STORY, "SyntaxError", "closed"]


@needs_node
def test_chronos_page_reads_the_type_of_every_frame(url: str) -> None:
    """D4."""
    frames = seen("chronos", f"{url}/events")
    assert [kind for kind, _ in frames] == ["node_start", "node_end", "completed"]
    assert frames[1][1]["state"] == {"rows": 3}
    assert frames[2][1] == {"type": "completed", "state": {"rows": 3}, "timestamp": "1970-01-01T00:00:00Z"}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(headers={"accept": "text/event-stream"}, timeout=PATIENCE, trust_env=False) as client:
        yield client


def test_machpays_loop_prints_the_text_and_its_listeners_hear_the_rest(
    url: str, client: httpx.Client
) -> None:
    heard: list[tuple[str, Any]] = []
    with client.stream("POST", f"{url}/skills/chat-assistant/stream", json={"prompt": "qubits"}) as response:
        stream = Stream(response.iter_bytes())
        stream.on("start", lambda meta: heard.append(("start", meta.skill_id)))
        stream.on("chunk", lambda chunk: heard.append(("chunk", chunk.text)))
        stream.on("end", lambda summary: heard.append(("end", (summary.tokens_used, summary.cost_usd))))
        printed = "".join(chunk.text for chunk in stream)
    assert printed == "Qubits."
    assert heard == [("start", "chat-assistant"), ("chunk", "Qubits."), ("end", (9, 0.00118))]


def test_machpays_error_is_heard_and_raised(url: str, client: httpx.Client) -> None:
    heard: list[str] = []
    with client.stream("POST", f"{url}/skills/broken/stream") as response:
        stream = Stream(response.iter_bytes())
        stream.on("error", lambda error: heard.append(error.message))
        texts: list[str] = []
        with pytest.raises(StreamError) as raised:
            texts.extend(chunk.text for chunk in stream)
    assert (raised.value.code, heard) == ("QUOTA_EXCEEDED", ["no quota left"])


def test_machpays_retry_starts_again_from_scratch(url: str, client: httpx.Client) -> None:
    FLAKY.attempts = 0
    failed: list[int] = []

    def open_stream() -> Iterator[Any]:
        with client.stream("POST", f"{url}/skills/flaky/stream") as response:
            yield from Stream(response.iter_bytes())

    chunks = with_retry(open_stream, attempts=3, on_retry=lambda attempt, exc: failed.append(attempt))
    assert [chunk.text for chunk in chunks] == ["first ", "again ", "again "]
    assert (FLAKY.attempts, failed) == (3, [1, 2])


def test_machpays_async_loop_and_the_callers_deadline(url: str) -> None:
    async def texts(skill: str, seconds: float) -> list[str]:
        found: list[str] = []
        async with httpx.AsyncClient(headers={"accept": "text/event-stream"}, trust_env=False) as client:
            try:
                async with asyncio.timeout(seconds):
                    async with client.stream("POST", f"{url}/skills/{skill}/stream") as response:
                        async for chunk in AsyncSkillStream(response.aiter_bytes()):
                            found.append(chunk.text)  # noqa: PERF401  # each as it comes: the deadline may pass
            except TimeoutError:
                found.append("[Response timed out]")
        return found

    assert asyncio.run(texts("chat-assistant", PATIENCE)) == ["Qubits."]
    for seconds in (0.3, 2, 10):  # a busy machine may need more than the first
        if (heard := asyncio.run(texts("endless", seconds))) == ["half ", "[Response timed out]"]:
            break
    assert heard == ["half ", "[Response timed out]"]


def test_ashs_loop_reads_type_and_data(url: str, client: httpx.Client) -> None:
    printed: list[str] = []
    with client.stream("POST", f"{url}/api/sessions/SESSION_ID/messages") as response:
        for event in ash_events(response.iter_bytes()):
            if event.type == "message" and event.data.get("type") == "assistant":
                blocks = event.data.get("message", {}).get("content", [])
                printed += [block["text"] for block in blocks if block.get("type") == "text"]
            elif event.type == "done":
                printed.append("Done.")
    assert printed == ["TCP is reliable.", "Done."]


def test_ashs_helpers_read_its_messages(url: str, client: httpx.Client) -> None:
    with client.stream("POST", f"{url}/api/sessions/PARTIAL/messages") as response:
        messages = [event.data for event in ash_events(response.iter_bytes()) if event.type == "message"]
    assert [delta for each in messages if (delta := extract_stream_delta(each)) is not None] == [
        "TCP is ",
        "reliable.",
    ]
    assert [text for each in messages if (text := extract_text_from_event(each))] == ["TCP is reliable."]
    shown = [item for each in messages for item in extract_display_items(each) or ()]
    assert [item["type"] for item in shown] == ["text", "tool_use", "tool_result"]
    assert (shown[1]["toolName"], shown[1]["toolInput"]) == ("ls", "path: /tmp")
    assert shown[2]["content"] == "a.txt"


def test_ashs_async_loop_sees_an_error(url: str) -> None:
    async def kinds() -> list[tuple[str, Any]]:
        async with (
            httpx.AsyncClient(trust_env=False) as client,
            client.stream("POST", f"{url}/api/sessions/BROKEN/messages") as response,
        ):
            return [(event.type, event.data) async for event in async_ash_events(response.aiter_bytes())]

    events = asyncio.run(kinds())
    assert [kind for kind, _ in events] == ["message", "error", "done"]
    assert events[1][1].get("error") == "no quota left"
