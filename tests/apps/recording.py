"""What an application sent, and what of it arrived."""

from __future__ import annotations

from typing import Any

from sseware.testing import SSEStream

__all__ = ["Recording", "assert_unharmed"]


class Recording:
    """Writes down the messages that the application of each request sends; it stands right above it."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.sent: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def recorded(message: Any) -> None:
            self.sent.append(message)
            await send(message)

        await self._app(scope, receive, recorded)


def assert_unharmed(recording: Recording, stream: SSEStream) -> None:
    """What arrived is what was sent: every field of the head, every body as it was cut."""
    got = [each.message for each in stream.messages if each.direction == "send"]
    assert len(got) > 1
    assert got == recording.sent
