"""What every test may ask for, and what no test may leave behind."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.traces import children

# A project of somebody else; tests/foreign/judge.py runs it.
collect_ignore = ["foreign/chatroom"]

SHARED = Path(__file__).resolve().parents[2] / "shared"

# No deadline, and nothing is too slow: two cores are shared with whatever else runs. A run can be repeated: only
# the long one looks for examples that nobody has seen.
hypothesis.settings.register_profile(
    "sseware",
    deadline=None,
    derandomize="SSEWARE_SLOW" not in os.environ,
    max_examples=50,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("sseware")


@pytest.fixture(
    params=[
        pytest.param(("asyncio", {"use_uvloop": False}), id="asyncio"),
        pytest.param(("trio", {}), id="trio"),
    ]
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Both backends, for each test that is marked ``anyio``."""
    return request.param


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference material beside the repository; skips where it is not."""
    if not SHARED.is_dir():
        pytest.skip("the reference material (../shared) is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_heard() -> None:
    """Ends what a shell does to what it starts in the background: it, and all that it starts, ignore Ctrl+C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """Fails the module whose tests leave a thread or a child process behind."""
    threads, processes = set(threading.enumerate()), children()
    yield
    # A daemon thread may outlive a test: trio keeps idle workers for ten seconds.
    left = [thread for thread in threading.enumerate() if thread not in threads and not thread.daemon]
    for thread in left:
        thread.join(timeout=5.0)
    assert not [thread.name for thread in left if thread.is_alive()], "threads were left behind"
    end = time.monotonic() + 5.0
    while children() - processes and time.monotonic() < end:
        time.sleep(0.01)  # what a thread reaps is gone a moment later
    assert not children() - processes, "child processes were left behind"


@pytest.fixture(scope="session")
def assert_events_fit() -> Callable[[Iterable[Any], dict[str, Any]], None]:
    """Holds events against the schema of their dialect, the JSON in their payloads included.

    Raises:
        jsonschema.ValidationError: One does not fit.
    """
    validators = pytest.importorskip("jsonschema.validators")

    def in_content(validator: Any, schema: Any, text: Any, parent: Any) -> Iterator[Any]:
        # The standard lets a validator pass over contentSchema, and jsonschema does.
        try:
            content = json.loads(text)
        except ValueError as exc:
            yield validators.exceptions.ValidationError(f"{text!r} is not JSON: {exc}")
        else:
            yield from validator.descend(content, schema, schema_path="contentSchema")

    thorough = validators.extend(validators.Draft202012Validator, {"contentSchema": in_content})

    def check(events: Iterable[Any], schema: dict[str, Any]) -> None:
        for event in events:
            thorough(schema).validate({"event": event.event, "data": event.data})

    return check
