"""What takes no stream: these tests know nothing of sseware."""

import chatroom
import pytest
from fastapi.testclient import TestClient


def test_what_is_said_is_kept():
    with TestClient(chatroom.app) as client:
        assert client.post("/say", params={"text": "hello"}).json() == 1
    assert chatroom.said == ["hello"]


def test_text_is_wanted():
    with TestClient(chatroom.app) as client:
        assert client.post("/say").status_code == 422


def test_nothing_is_there_that_was_not_asked_for(request):
    assert set(request.fixturenames) <= {"an_empty_room", "event_loop_policy", "request"}


@pytest.mark.xfail(reason="known, and told as ever", strict=True)
def test_not_everything_is_right():
    assert chatroom.said == ["hello"]
