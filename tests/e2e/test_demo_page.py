"""The page of the demo, in a browser: what is clicked, and what is seen."""

from __future__ import annotations

import itertools
import os
import shlex
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.browser import BROWSERS, Tab, find_browser, open_tab
from tests.e2e.demo import Demo, running_demo
from tests.e2e.servers import children, fastest, needs_proc, seconds_until

PAUSE = 0.3
"""Seconds between two words of the demo's kernel."""

LATE = 0.1
"""Seconds by which a frame may be seen late."""

FOUR_WORDS = """\
event: stdout
data: one
data:\x20

event: stdout
data: two
data:\x20

event: stdout
data: three
data:\x20

event: stdout
data: four
data:\x20

event: done
data: {"ok":true,"exitCode":0}

"""

# What appears, and when: by the page's own eyes, not by its script.
WATCH = """
window.arrived = [];
new MutationObserver((changes) => {
  for (const { addedNodes } of changes)
    for (const node of addedNodes)
      window.arrived.push([performance.now() / 1000, node.querySelector("pre").textContent]);
}).observe(document.querySelector("#frames"), { childList: true });
"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = find_browser()
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    return found


@pytest.fixture(scope="module")
def demo(browser: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("elsewhere")) as demo:
        yield demo


@pytest.fixture(scope="module")
def opened(browser: str) -> Iterator[Tab]:
    with open_tab(browser) as tab:
        tab.look()
        yield tab


@pytest.fixture
def tab(opened: Tab, demo: Demo) -> Iterator[Tab]:
    """The page, just loaded; nothing may go wrong in it that it does not show."""
    show(opened, demo.url)
    yield opened
    assert opened.messages == []


def show(tab: Tab, url: str) -> None:
    tab.go(f"{url}/?{next(_visits)}")
    tab.wait("document.querySelector('#curl').textContent !== ''")


_visits = itertools.count()


def choose(tab: Tab, skill: str, *, stream: bool = True, text: str | None = None) -> None:
    tab.click(f"input[value={skill}]")
    tab.click(f"input[value={'stream' if stream else 'buffered'}]")
    if text is not None:
        tab.type("#input", text)


def wait_for(tab: Tab, state: str) -> None:
    tab.wait(f"document.querySelector('#status').dataset.state === '{state}'")


def seen(tab: Tab) -> dict[str, str]:
    """What the page shows of a run."""
    names = ("state", "events", "bytes", "exit", "why", "text")
    return {name: tab.text(f"#{name}") for name in names}


def test_frames_appear_one_by_one_as_the_process_writes_them(tab: Tab) -> None:
    choose(tab, "words", text="one two three four")
    tab.value(WATCH)

    def measure() -> float:
        tab.value("window.arrived.length = 0")
        tab.click("#run")
        wait_for(tab, "done")
        arrived: list[tuple[float, str]] = tab.value("window.arrived")
        assert "".join(f"{frame}\n\n" for _, frame in arrived) == FOUR_WORDS
        pauses = [after - before for (before, _), (after, _) in itertools.pairwise(arrived[:4])]
        return max(abs(pause - PAUSE) for pause in pauses)

    assert fastest(measure, LATE) < LATE
    assert seen(tab) == {
        "state": "done",
        "events": "5",
        "bytes": str(len(FOUR_WORDS)),
        "exit": "0",
        "why": "",
        "text": "one\ntwo\nthree\nfour\n",
    }
    assert "content-type: text/event-stream; charset=utf-8" in tab.text("#head").splitlines()


@needs_proc
@pytest.mark.parametrize("how", ["button", "key"])
def test_cancel_stops_the_process(tab: Tab, demo: Demo, how: str) -> None:
    assert tab.value("document.querySelector('#cancel').disabled")
    choose(tab, "words", text="word " * 100)
    tab.click("#run")
    tab.wait("document.querySelectorAll('#frames li').length >= 2")
    assert tab.text("#state") == "running"
    (kernel,) = children(demo.pid)
    if how == "button":
        tab.click("#cancel")
    else:
        tab.press("Escape", code=27)
    assert seconds_until(lambda: kernel not in children(demo.pid)) < 1
    wait_for(tab, "cancelled")
    shown = seen(tab)
    assert shown["state"] == "cancelled"
    assert shown["why"].startswith("The connection was closed here")
    assert tab.value("document.querySelector('#cancel').disabled")


@needs_proc
def test_a_buffered_run_can_be_cancelled_too(tab: Tab, demo: Demo) -> None:
    choose(tab, "words", stream=False, text="word " * 100)
    tab.click("#run")
    seconds_until(lambda: children(demo.pid))
    tab.click("#cancel")
    assert seconds_until(lambda: not children(demo.pid)) < 1
    wait_for(tab, "cancelled")
    assert tab.text("#text") == ""


@needs_proc
def test_a_second_run_takes_the_place_of_the_first(tab: Tab, demo: Demo) -> None:
    choose(tab, "words", text="word " * 100)
    tab.click("#run")
    tab.wait("document.querySelectorAll('#frames li').length >= 1")
    choose(tab, "uppercase")
    tab.click("#run")
    wait_for(tab, "done")
    assert tab.text("#text") == "HELLO"
    seconds_until(lambda: not children(demo.pid))
    assert tab.text("#state") == "done"


def test_ctrl_enter_runs(tab: Tab) -> None:
    choose(tab, "uppercase", text="grüße\n\nà tous")
    tab.value("document.querySelector('#input').focus()")
    tab.press("Enter", modifiers=2, code=13)
    wait_for(tab, "done")
    assert tab.text("#text") == "GRÜSSE\n\nÀ TOUS"


def test_one_body_is_shown_with_its_head(tab: Tab) -> None:
    choose(tab, "uppercase", stream=False)
    tab.click("#run")
    wait_for(tab, "done")
    assert seen(tab) == {
        "state": "done",
        "events": "0",
        "bytes": "5",
        "exit": "0",
        "why": "",
        "text": "HELLO",
    }
    assert tab.text("#head").startswith("200 OK\n")
    assert tab.value("document.querySelectorAll('#frames li').length") == 0


@pytest.mark.parametrize(
    ("stream", "state", "why"),
    [
        pytest.param(True, "failed", "The process exited with code 3.", id="stream"),
        pytest.param(False, "HTTP 500", "kernel exited with code 3", id="one-body"),
    ],
)
def test_a_process_that_fails_is_shown_as_such(tab: Tab, stream: bool, state: str, why: str) -> None:
    choose(tab, "fail", stream=stream)
    tab.click("#run")
    wait_for(tab, "failed")
    shown = seen(tab)
    assert (shown["state"], shown["exit"], shown["why"]) == (state, "3", why)
    assert tab.text("#text .stderr") == "boom\n"


@pytest.mark.parametrize(
    ("stream", "state"),
    [pytest.param(True, "error", id="stream"), pytest.param(False, "HTTP 413", id="one-body")],
)
def test_a_request_that_is_refused_is_shown_as_an_error(tab: Tab, stream: bool, state: str) -> None:
    choose(tab, "uppercase", stream=stream)
    # Hidden, for to lay out a line of a megabyte takes a browser seconds.
    tab.value("document.querySelector('#input').style.display = 'none'")
    tab.value("document.querySelector('#input').value = 'a'.repeat(2 ** 20 + 1)")
    tab.click("#run")
    wait_for(tab, "failed")
    shown = seen(tab)
    assert (shown["state"], shown["why"]) == (state, "request body exceeds 1048576 bytes")
    assert tab.text("#text .error") == shown["why"]


def test_a_file_is_shown_though_a_stream_was_asked_for(tab: Tab) -> None:
    choose(tab, "file", text="card.svg")
    tab.click("#run")
    wait_for(tab, "done")
    assert tab.text("#why") == "A file cannot be streamed, so that the answer is one body."
    tab.wait("document.querySelector('#output img').naturalWidth > 0")
    assert tab.text("#output a") == "Save card.svg"
    assert "x-husk-note: made card.svg" in tab.text("#head")


def test_a_server_that_goes_away_is_not_taken_for_an_end(
    opened: Tab, browser: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running_demo(tmp_path_factory.mktemp("elsewhere")) as doomed:
        show(opened, doomed.url)
        choose(opened, "words", text="word " * 100)
        opened.click("#run")
        opened.wait("document.querySelectorAll('#frames li').length >= 1")
        os.kill(doomed.pid, signal.SIGKILL)
        wait_for(opened, "failed")
    assert opened.text("#state") == "connection lost"
    assert opened.text("#why").startswith("The server did not answer to the end: ")
    opened.messages.clear()  # the browser has something to say about that, too


def test_the_curl_line_asks_for_what_the_page_asks_for(tab: Tab, demo: Demo) -> None:
    choose(tab, "words", text="it's\n'here'")
    assert shlex.split(tab.text("#curl")) == [
        *("curl", "-N", "-X", "POST", f"{demo.url}/skills/words?stream=1"),
        *("--data", "it's\n'here'"),
    ]
    choose(tab, "uppercase", stream=False, text="@/etc/passwd")
    assert shlex.split(tab.text("#curl")) == [
        *("curl", "-X", "POST", f"{demo.url}/skills/uppercase", "--data-raw", "@/etc/passwd"),
    ]


def test_the_curl_line_can_be_copied(tab: Tab, demo: Demo) -> None:
    permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    tab.call("Browser.grantPermissions", origin=demo.url, permissions=permissions)
    tab.click("#copy")
    tab.wait("document.querySelector('#copy').textContent === 'Copied'")
    assert tab.value("navigator.clipboard.readText()") == tab.text("#curl")


def test_the_curl_line_is_selected_where_there_is_no_clipboard(tab: Tab) -> None:
    tab.value("navigator.clipboard.writeText = () => Promise.reject(new Error('forbidden'))")
    tab.click("#copy")
    tab.wait("document.querySelector('#copy').textContent === 'Selected'")
    assert tab.value("getSelection().toString()") == tab.text("#curl")


CONTRAST = """
(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = channels(getComputedStyle(node).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    throw new Error("nothing is opaque");
  };
  const faint = [];
  for (const node of document.querySelectorAll("body *")) {
    const says = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!says || !node.checkVisibility() || node.disabled) continue;
    const [high, low] = [getComputedStyle(node).color, null]
      .map((color) => luminance(color ? channels(color) : behind(node))).sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) faint.push(`${node.outerHTML.slice(0, 80)}: ${ratio.toFixed(2)}`);
  }
  return faint;
})()
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("skill", ["words", "fail"])
def test_every_text_can_be_read_against_what_is_behind_it(tab: Tab, dark: bool, skill: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 to 1."""
    tab.look(dark=dark)
    try:
        choose(tab, skill, text="one")
        tab.click("#run")
        tab.wait("document.querySelector('#status').dataset.state !== 'running'")
        assert tab.value(CONTRAST) == []
    finally:
        tab.look()


@pytest.mark.parametrize("width", [320, 600, 1024, 1920])
def test_the_page_fits_a_window_of_any_width(tab: Tab, width: int) -> None:
    """WCAG 2.2, 1.4.10: nothing is scrolled in two directions."""
    tab.look(width=width)
    try:
        choose(tab, "uppercase", text="x" * 500)
        tab.click("#run")
        wait_for(tab, "done")
        assert tab.value("document.documentElement.scrollWidth") == width
    finally:
        tab.look()


def test_everything_that_can_be_used_has_a_name(tab: Tab) -> None:
    nodes: list[dict[str, Any]] = tab.call("Accessibility.getFullAXTree")["nodes"]
    used = {"button", "radio", "textbox", "region", "form"}
    named = {
        (node["role"]["value"], node["name"]["value"])
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in used
    }
    assert all(name for _, name in named), sorted(named)
    assert {("button", "Run"), ("button", "Cancel"), ("button", "Copy"), ("textbox", "Input")} <= named
    assert {"On the wire", "Decoded", "The run"} <= {name for role, name in named if role == "region"}


def test_the_other_page_is_linked(tab: Tab, demo: Demo) -> None:
    tab.wait("!document.querySelector('#systems').hidden")
    tab.click("#systems a")
    tab.wait("location.pathname === '/systems' && document.readyState === 'complete'")
    tab.click("button")
    tab.wait("document.querySelectorAll('section')[3].textContent.includes('[DONE]')")
