"""Headless Chromium, driven through the DevTools protocol over two pipes: no driver, no port, no package."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

__all__ = ["BROWSERS", "Tab", "find_browser", "open_tab"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Without a network of its own: nothing is looked up, updated or reported at the start.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# The browser reads commands from descriptor 3 and writes answers to descriptor 4, where others may be until here.
LAUNCHER = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
MIDDLE = """
(selector) => {
  const element = document.querySelector(selector);
  element.scrollIntoView({ block: "nearest" });
  const { x, y, width, height } = element.getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}
"""
PATIENCE = 45.0
"""Seconds that an answer of the browser, or a condition on its page, is waited for."""


class Tab:
    """One page. Commands and their answers are JSON, each ended by a NUL.

    Attributes:
        messages: What the page has said on its console, or thrown.
    """

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.messages: list[str] = []

    def attach(self) -> None:
        """Opens an empty page."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        # The clipboard is for pages that have the focus.
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Gives one command and waits for its answer."""
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            command["sessionId"] = self._session
        os.write(self._write, json.dumps(command).encode() + b"\0")
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._receive(until)
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            self._listen(answer)

    def _receive(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, until - time.monotonic()))
            assert ready, "the browser does not answer"
            chunk = os.read(self._read, 2**20)
            assert chunk, "the browser has gone"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def _listen(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.messages.append(details.get("exception", {}).get("description", details["text"]))
            case "Runtime.consoleAPICalled":
                self.messages.append(" ".join(str(arg.get("value")) for arg in params["args"]))
            # A status of 4xx or 5xx is an entry of the network's, and no fault of the page's.
            case "Log.entryAdded" if params["entry"]["source"] != "network":
                self.messages.append(params["entry"]["text"])

    def go(self, url: str) -> None:
        """Loads a page."""
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, expression: str) -> Any:
        """Evaluates an expression in the page; a promise is awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression: str) -> Any:
        """Waits until an expression is true, and returns its value."""
        until = time.monotonic() + PATIENCE
        while not (found := self.value(expression)):
            assert time.monotonic() < until, f"never true: {expression}"
            # Not a guess at how long something takes: the page is asked again.
            time.sleep(0.01)
        return found

    def text(self, selector: str) -> str:
        """Returns the text of an element."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).textContent"))

    def click(self, selector: str) -> None:
        """Clicks into the middle of an element, as a mouse does."""
        x, y = self.value(f"({MIDDLE})({json.dumps(selector)})")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, selector: str, text: str) -> None:
        """Replaces the text of a field."""
        self.value(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)

    def press(self, key: str, *, modifiers: int = 0, code: int = 0) -> None:
        """Presses a key; a modifier of 2 is Ctrl."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, modifiers=modifiers, windowsVirtualKeyCode=code
            )

    def look(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Sets the size of the window, in CSS pixels, and the colour scheme that is preferred."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def screenshot(self, path: Path) -> None:
        """Writes what is seen into a PNG file, the whole page."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))


def find_browser() -> str | None:
    """Returns the path of a browser, or ``None``."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def open_tab(browser: str) -> Iterator[Tab]:
    """Starts a browser with one empty page; ends it and everything that it has started."""
    commands, answers = os.pipe(), os.pipe()
    with TemporaryDirectory(prefix="sseware-browser-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", LAUNCHER, str(commands[0]), str(answers[1])),
                *(browser, *FLAGS, f"--user-data-dir={profile}", "about:blank"),
            ],
            pass_fds=(commands[0], answers[1]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(commands[0])
        os.close(answers[1])
        tab = Tab(commands[1], answers[0])
        try:
            tab.attach()
            yield tab
        finally:
            os.close(commands[1])
            os.close(answers[0])
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)  # it leaves when its pipes close
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
