"""A proxy: an agent's server that speaks Ash serves clients that speak Hector.

``uvicorn --app-dir examples ash_for_hector:app`` (it wants httpx), then::

    curl -N localhost:8000/agents/assistant/messages/stream -d '{"message": "Explain TCP"}'

``ASH_URL`` names the server to ask. Where it is not set, a small agent of this file is asked, over HTTP as well:
``curl -N localhost:8000/api/sessions/assistant/messages -d '{"content": "Explain TCP"}'`` shows what it says.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import httpx

from sseware import SSEMiddleware, StreamError, decode
from sseware.dialects import Dialect
from sseware.errors import ProtocolError
from sseware.items import Start, ToolCall, ToolResult
from sseware.plugins.ash import Ash

BODY_LIMIT = 2**20
WAIT = httpx.Timeout(10.0, read=60.0)
TLS = ssl.create_default_context()  # it takes its time; made once, not for each question

Handler = Callable[[Any, Any], AsyncIterator[object]]


async def agent(scope: Any, receive: Any) -> AsyncIterator[object]:
    """What stands for the agent: it thinks of a few words, and looks something up."""
    question = json.loads(await read_body(receive) or b"{}").get("content", "")
    yield Start(id="a1b2c3d4")
    yield f"You ask: {question}. "
    yield ToolCall("t1", "look_up", {"words": len(question.split())})
    yield ToolResult("t1", "found")
    yield "That is all."


def relay(path: Callable[[Any], str], source: str | Dialect, *, ask: Callable[[bytes], bytes]) -> Handler:
    """Returns a handler that asks another server, and yields the items of its answer.

    Which dialect they are written in again is not its business: that is the middleware's.

    Args:
        path: Where on that server to ask, from the scope of the request.
        source: The dialect that it answers in.
        ask: Makes its question of ours.
    """

    async def handler(scope: Any, receive: Any) -> AsyncIterator[object]:
        question = ask(await read_body(receive))
        headers = {"accept": "text/event-stream", "content-type": "application/json"}
        async with httpx.AsyncClient(timeout=WAIT, verify=TLS, trust_env=False) as client:
            try:
                async with client.stream(
                    "POST", server(scope) + path(scope), content=question, headers=headers
                ) as answer:
                    if answer.status_code != 200:
                        raise StreamError("the agent refused", code="bad_gateway", status=502)
                    async with aclosing(decode(answer.aiter_bytes(), source)) as items:
                        async for item in items:
                            yield item
            except httpx.HTTPError as exc:
                raise StreamError("the agent cannot be reached", code="bad_gateway", status=502) from exc
            except ProtocolError as exc:
                raise StreamError("the agent broke off", code="bad_gateway", status=502) from exc

    return handler


def server(scope: Any) -> str:
    """Returns the address of the server to ask: another one, or this one."""
    host, port = scope["server"]
    return os.environ.get("ASH_URL") or f"http://{host}:{port}"


async def read_body(receive: Any) -> bytes:
    """Reads the body of a request.

    Raises:
        StreamError: It is too large.
    """
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            raise StreamError("the request is too large", code="body_too_large", status=413)
        more = message.get("more_body", False)
    return body


def to_ash(body: bytes) -> bytes:
    """Makes Ash's question of Hector's.

    Raises:
        StreamError: It is none.
    """
    try:
        return json.dumps({"content": json.loads(body)["message"]}).encode()
    except (ValueError, KeyError, TypeError) as exc:
        raise StreamError('want a body like {"message": "..."}', code="bad_request", status=400) from exc


def session(scope: Any) -> str:
    """Returns the path of a session, which here has the name of the agent."""
    return f"/api/sessions/{scope['path'].split('/')[2]}/messages"


ASH = SSEMiddleware(agent, dialect=Ash(include_partial_messages=True))
HECTOR = SSEMiddleware(relay(session, "ash", ask=to_ash), dialect="hector")


async def app(scope: Any, receive: Any, send: Any) -> None:
    """The application. A framework would do the routing."""
    await (ASH if scope.get("path", "").startswith("/api/") else HECTOR)(scope, receive, send)
