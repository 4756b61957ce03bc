"""One handler at the documented paths of five systems, and a page that shows their frames side by side.

``uvicorn --app-dir examples five_systems:app``, then open http://localhost:8000/ or try a line of `ENDPOINTS` with
curl. Hector's WebSocket is at ``/agents/assistant/stream``, where the server has one (``pip install websockets``).
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio

from sseware import SSEMiddleware
from sseware.asgi import Drain
from sseware.dialects import Dialect
from sseware.items import Start, Step, Thinking, ToolCall, ToolResult
from sseware.plugins.ash import Ash
from sseware.plugins.chronos import Chronos
from sseware.plugins.hector import Hector
from sseware.plugins.husk import Husk
from sseware.plugins.machpay import MachPay, Pricing

HERE = Path(__file__).resolve().parent
PAUSE = 0.15


async def story() -> AsyncIterator[object]:
    """Everything that a handler may say; each dialect takes what it has a place for."""
    yield Start("run-1", name="story")
    yield Step("node_start", "tell")
    yield Thinking("What comes first?")
    for word in ("Once ", "upon ", "a ", "time "):
        yield word
        await anyio.sleep(PAUSE)
    yield ToolCall("t1", "look_up", {"word": "stream"})
    yield ToolResult("t1", "a small river")
    yield "there was a stream."
    yield Step("node_end", "tell", {"words": 8})


class Endpoint(NamedTuple):
    """A system, where it is asked, and what its clients send."""

    system: str
    dialect: Dialect
    method: str
    path: str
    routes: str
    body: str = ""

    @property
    def curl(self) -> str:
        """The line that asks it."""
        data = f" -d '{self.body}'" if self.body else ""
        verb = " -X POST" if self.method == "POST" and not self.body else ""
        return f"curl -N{verb} 'http://localhost:8000{self.path}'{data}"


PRICING = Pricing(base_usd=0.001, per_token_usd=0.00002)
ENDPOINTS = [
    Endpoint("HUSK", Husk(), "POST", "/skills/story?stream=1", r"/skills/story", "hello"),
    Endpoint(
        "MachPay", MachPay(pricing=PRICING, default="stream"), "POST", "/api/stream", r"/api/stream", "{}"
    ),
    Endpoint(
        "Ash",
        Ash(include_partial_messages=True),
        "POST",
        "/api/sessions/s1/messages",
        r"/api/sessions/[^/]+/messages",
        '{"content": "Hello!"}',
    ),
    Endpoint(
        "Hector",
        Hector(show_thinking=True),
        "POST",
        "/agents/assistant/messages/stream",
        r"/agents/[^/]+/(sessions/[^/]+/)?(messages/)?stream",
        '{"message": "Tell me a story"}',
    ),
    Endpoint("Chronos", Chronos(), "GET", "/events", r"/events"),
]
# One for all of them: only one hears of the lifespan, and with it of the signal that stops the server.
DRAIN = Drain()
APPS = [
    (re.compile(each.routes), SSEMiddleware(story, dialect=each.dialect, drain=DRAIN)) for each in ENDPOINTS
]


def page() -> bytes:
    """The page, with the endpoints that it shows."""
    shown = [
        {"system": e.system, "method": e.method, "path": e.path, "body": e.body, "curl": e.curl}
        for e in ENDPOINTS
    ]
    template = (HERE / "five_systems.html").read_text(encoding="utf-8")
    return template.replace("/* endpoints */ []", json.dumps(shown)).encode()


async def app(scope: Any, receive: Any, send: Any) -> None:
    """The application. A framework would do the routing."""
    path = scope.get("path", "/events")
    for route, stream in APPS:
        if route.fullmatch(path):
            await stream(scope, receive, send)
            return
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1003, "reason": "nothing streams here"})
        return
    found = path in ("/", "/systems")  # the latter where the demo has another page at its root
    status, kind, body = (200, b"text/html", page()) if found else (404, b"text/plain", b"not found")
    headers = [(b"content-type", kind + b"; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
