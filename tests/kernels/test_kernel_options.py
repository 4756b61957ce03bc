"""`sseware.kernels._options`: nonsense is refused when it is given."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sseware.errors import ConfigurationError
from sseware.kernels import run


async def chunks() -> AsyncIterator[bytes]:
    yield b"x"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"command": []}, "command must be a non-empty list of str", id="empty-command"),
        pytest.param({"command": ()}, "command must be a non-empty list of str", id="empty-tuple"),
        pytest.param({"command": "ls -l"}, "there is no shell", id="a-command-line"),
        pytest.param({"command": b"ls"}, "got b'ls'", id="bytes"),
        pytest.param({"command": None}, "got None", id="no-command"),
        pytest.param({"command": {"ls"}}, "a non-empty list", id="a-set"),
        pytest.param({"command": [""]}, "the program first", id="an-empty-program"),
        pytest.param({"command": [b"ls"]}, r"got \[b'ls'\]", id="bytes-in-the-list"),
        pytest.param({"command": [Path("/bin/ls")]}, "got ", id="a-path-in-the-list"),
        pytest.param({"command": ["ls", 1]}, r"got \['ls', 1\]", id="a-number-in-the-list"),
        pytest.param({"command": ["ls", "a\0b"]}, "without NUL", id="nul-in-an-argument"),
        pytest.param({"command": ["ls", "\ud800"]}, "lone surrogates", id="surrogate-in-an-argument"),
        pytest.param({"input": 1}, "input must be bytes, a str, an async iterable", id="input-number"),
        pytest.param({"input": [b"x"]}, "input must be", id="input-list"),
        pytest.param({"input": chunks}, "input must be", id="input-function-not-called"),
        pytest.param({"input": "\ud800"}, "this str has no UTF-8", id="input-surrogate"),
        pytest.param({"cwd": 1}, "cwd must be a path", id="cwd-number"),
        pytest.param({"cwd": b"/"}, "cwd must be a path", id="cwd-bytes"),
        pytest.param({"cwd": "/\0"}, "cwd must be a path", id="cwd-nul"),
        pytest.param({"env": ["A=1"]}, "env must be a mapping", id="env-list"),
        pytest.param({"env": {"A": 1}}, "env must be a mapping of str to str", id="env-number"),
        pytest.param({"env": {1: "A"}}, "env must be a mapping of str to str", id="env-number-as-name"),
        pytest.param({"env": {"A=B": "1"}}, "without '=' in a name", id="env-equals-sign"),
        pytest.param({"env": {"": "1"}}, "env must be a mapping", id="env-without-a-name"),
        pytest.param({"env": {"A": "\0"}}, "without NUL", id="env-nul"),
        pytest.param({"timeout": -1}, "timeout must be a positive number of seconds", id="timeout-negative"),
        pytest.param({"timeout": 0}, "or None for no limit, got 0", id="timeout-zero"),
        pytest.param({"timeout": True}, "timeout must be", id="timeout-bool"),
        pytest.param({"timeout": "1"}, "timeout must be", id="timeout-str"),
        pytest.param({"timeout": float("nan")}, "timeout must be", id="timeout-nan"),
        pytest.param({"timeout": float("inf")}, "timeout must be", id="timeout-inf"),
        pytest.param(
            {"max_output": 0}, "max_output must be a positive number of bytes", id="max-output-zero"
        ),
        pytest.param({"max_output": 1.5}, "max_output must be", id="max-output-float"),
        pytest.param({"max_output": True}, "max_output must be", id="max-output-bool"),
        pytest.param({"kill_grace": -0.1}, "kill_grace must be a number of seconds", id="grace-negative"),
        pytest.param({"kill_grace": None}, "kill_grace must be", id="grace-none"),
        pytest.param({"kill_grace": float("inf")}, "kill_grace must be", id="grace-inf"),
        pytest.param(
            {"secrets": "hunter2"}, "secrets must be a list of non-empty str, got 'str'", id="one-str"
        ),
        pytest.param({"secrets": ["hunter2", ""]}, "got 'an empty str'", id="an-empty-secret"),
        pytest.param({"secrets": ["hunter2", 1]}, "got 'int'", id="a-number-as-secret"),
        pytest.param({"secrets": {"hunter2"}}, "got 'set'", id="a-set-of-secrets"),
    ],
)
def test_refuses_at_the_call(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        run(**{"command": ["true"], **options})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"command": ("true",)}, id="a-tuple"),
        pytest.param({"input": memoryview(b"x")}, id="a-view"),
        pytest.param({"input": bytearray(b"x")}, id="a-bytearray"),
        pytest.param({"cwd": Path("/")}, id="a-path"),
        pytest.param({"env": os.environ}, id="our-own-environment"),
        pytest.param({"timeout": None, "max_output": None}, id="no-limits"),
        pytest.param({"timeout": 1, "kill_grace": 1, "secrets": ("a",)}, id="whole-numbers"),
    ],
)
def test_takes_and_starts_nothing(options: dict[str, Any]) -> None:
    run(**{"command": ["no-such-program"], **options})


def test_the_value_of_a_variable_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        run(["true"], env={"TOKEN": "hunter2\0"})
    assert "TOKEN" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_says_so_where_there_are_no_process_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "killpg")
    with pytest.raises(ConfigurationError, match="only POSIX systems"):
        run(["true"])
