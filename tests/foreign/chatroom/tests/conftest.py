import chatroom
import pytest


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def an_empty_room():
    chatroom.said.clear()
    chatroom.listeners.clear()
