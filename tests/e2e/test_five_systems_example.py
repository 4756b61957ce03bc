"""One handler at the documented paths of five systems: what its page says with curl is true."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from sseware.cli._demo import find_examples, load_module
from tests.e2e.browser import find_browser, open_tab
from tests.e2e.servers import PATIENCE, Answer, Client, serving

ENDS = {
    "HUSK": b'event: done\ndata: {"ok":true,"exitCode":0}\n\n',
    "MachPay": b"event: end\n",
    "Ash": b'event: done\ndata: {"sessionId":"run-1"}\n\n',
    "Hector": b"data: [DONE]\n\n",
    "Chronos": b'data: {"type":"completed"',
}


@pytest.fixture(scope="module")
def example() -> ModuleType:
    module = load_module(find_examples() / "five_systems.py")
    module.PAUSE = 0.0  # type: ignore[attr-defined]  # nobody watches
    return module


@pytest.fixture(scope="module")
def server(example: ModuleType) -> Iterator[tuple[str, int]]:
    pytest.importorskip("websockets", reason="the package websockets is not installed")
    with serving(example.app, "h11", "websockets-sansio") as address:
        yield address


def ask(server: tuple[str, int], target: str, method: str = "GET", body: str = "") -> Answer:
    with Client(server) as client:
        client.ask(target, method=method, body=body.encode())
        return client.answer()


def shown(server: tuple[str, int]) -> list[dict[str, Any]]:
    """The endpoints that the page has."""
    page = ask(server, "/").body.decode()
    line = next(line for line in page.splitlines() if line.startswith("const endpoints = "))
    found: list[dict[str, Any]] = json.loads(line.removeprefix("const endpoints = ").removesuffix(";"))
    return found


def test_the_page_has_a_curl_line_for_each_system_and_each_is_true(server: tuple[str, int]) -> None:
    endpoints = shown(server)
    assert [each["system"] for each in endpoints] == [*ENDS]
    for each in endpoints:
        command, flag, url, *rest = shlex.split(each["curl"])
        assert (command, flag) == ("curl", "-N")
        assert url == f"http://localhost:8000{each['path']}"
        assert rest == (["-d", each["body"]] if each["body"] else [])
        # curl asks for anything: a system's own path streams all the same.
        answer = ask(server, each["path"], "POST" if rest else "GET", each["body"])
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.body.count(ENDS[each["system"]]) == 1
        assert b"there was a stream." in answer.body


@pytest.mark.parametrize("path", ["/agents/a/sessions/7/messages/stream", "/agents/a/messages/stream"])
def test_hectors_other_path_is_there_for_event_sources(server: tuple[str, int], path: str) -> None:
    assert ask(server, path).body.endswith(b"data: [DONE]\n\n")


def test_what_is_not_there_is_not_found(server: tuple[str, int]) -> None:
    assert ask(server, "/nope").status == 404


def test_hectors_websocket_has_the_same_chunks(server: tuple[str, int]) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    address = f"ws://{server[0]}:{server[1]}"
    with connect(f"{address}/agents/assistant/stream", proxy=None, open_timeout=PATIENCE) as socket:
        socket.send('{"message": "Tell me a story"}')
        chunks = [json.loads(message)["chunk"] for message in socket]
    assert "Once upon a time " in "".join(chunks)
    for path in ("/nope", "/events"):
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"{address}{path}", proxy=None, open_timeout=PATIENCE)


@pytest.mark.skipif(find_browser() is None, reason="there is no Chromium to look at the page with")
def test_the_page_shows_all_frames_side_by_side_and_hides_what_is_not_wanted(server: tuple[str, int]) -> None:
    browser = find_browser()
    assert browser is not None
    with open_tab(browser) as tab:
        tab.go(f"http://{server[0]}:{server[1]}/")
        tab.value("document.querySelector('input').click()")
        tab.click("button")
        ends = "[...document.querySelectorAll('pre')].map((pre) => pre.textContent)"
        last = [end.decode() for end in ENDS.values()]
        tab.wait(f"{ends}.slice(1).every((text, i) => text.includes({json.dumps(last)}[i + 1]))")
        assert tab.value(f"{ends}[0]") == "", "HUSK was not asked"
        assert tab.value("document.querySelector('section').hidden") is True
        assert tab.text("section:nth-of-type(5) code") == f"curl -N 'http://{server[0]}:{server[1]}/events'"
