"""The MCP SDK's streamable HTTP server: a whole session with its own client, and nobody notices the middleware."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import httpx2
import pytest

from sseware import SSEMiddleware
from sseware.testing import StreamingTransport
from tests.apps.recording import Recording

pytestmark = pytest.mark.anyio


async def test_a_session_of_its_own_client_is_unharmed() -> None:
    mcp: Any = pytest.importorskip("mcp", reason="pip install --group apps")
    connect: Any = import_module("mcp.client.streamable_http").streamable_http_client
    server: Any = import_module("mcp.server").MCPServer("shouts")

    async def shout(word: str) -> str:
        return word.upper()

    server.tool()(shout)
    app = server.streamable_http_app()
    below = Recording(app)
    above = Recording(SSEMiddleware(below, dialect="machpay", adapt=True))
    transport: Any = StreamingTransport(above)

    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http,
        connect("http://127.0.0.1:8000/mcp", http_client=http) as streams,
        mcp.ClientSession(streams[0], streams[1]) as session,
    ):
        await session.initialize()
        result = await session.call_tool("shout", {"word": "hello"})
    content: Any = result.content[0]
    assert content.text == "HELLO"
    assert any(b"HELLO" in message.get("body", b"") for message in above.sent)
    # The very same objects: requests run side by side, so that their order is nobody's.
    assert {id(message) for message in above.sent} == {id(message) for message in below.sent}
