"""mockllm, a mock of OpenAI's and Anthropic's servers: unharmed for their clients, in a new dialect by one line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from sseware import SSEMiddleware
from sseware.dialects import get_dialect
from sseware.items import Text
from sseware.testing import connect
from tests.apps.openai_chunks import OpenAI
from tests.apps.recording import Recording, assert_unharmed

pytestmark = pytest.mark.anyio

QUESTION = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def mockllm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its application, started."""
    pytest.importorskip("mockllm", reason="pip install --group apps")
    answers = tmp_path / "responses.yml"
    answers.write_text("defaults:\n  unknown_response: Hi there\n")
    monkeypatch.setenv("MOCKLLM_RESPONSES_FILE", str(answers))
    app: Any = import_module("mockllm.server").app

    @asynccontextmanager
    async def started() -> AsyncIterator[Any]:
        async with app.router.lifespan_context(app):
            yield app

    return started


async def test_by_one_line_it_speaks_another_dialect(mockllm: Any) -> None:
    async with mockllm() as app:
        wrapped = SSEMiddleware(app, dialect="machpay", adapt={"text/event-stream": OpenAI()})
        async with connect(
            wrapped, "/v1/chat/completions", method="POST", json=QUESTION, dialect="machpay"
        ) as stream:
            items = [item async for item in stream.items()]
    assert "".join(item.text for item in items if isinstance(item, Text)) == "Hi there"
    assert [event.event for event in stream.events][:2] == ["start", "chunk"]
    assert stream.events[-1].event == "end"


@pytest.mark.parametrize("stream", [True, False])
async def test_its_own_clients_are_unharmed(mockllm: Any, stream: bool) -> None:
    async with mockllm() as app:
        recording = Recording(app)
        wrapped = SSEMiddleware(recording, dialect="machpay", adapt=True)
        question = {**QUESTION, "stream": stream}
        headers = {"accept": "application/json"}
        async with connect(
            wrapped, "/v1/chat/completions", method="POST", json=question, headers=headers
        ) as answer:
            await answer.drain() if stream else await answer.read()
        assert_unharmed(recording, answer)
        assert (b"[DONE]" in answer.wire) is stream


def test_the_dialect_of_a_stranger_is_a_dialect() -> None:
    assert get_dialect(OpenAI()).name == "openai"
