"""The options of a run, checked when they are given."""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from ..errors import ConfigurationError

__all__ = ["Input", "KernelOptions"]

Input: TypeAlias = bytes | bytearray | memoryview | str | AsyncIterable[bytes] | None
"""What a kernel reads from its stdin."""


class KernelOptions(msgspec.Struct, frozen=True):
    """What `sseware.kernels.run` was given; each option is described there."""

    command: Sequence[str]
    input: Any = None
    cwd: str | os.PathLike[str] | None = None
    env: Mapping[str, str] | None = None
    timeout: float | None = None
    max_output: int | None = None
    secrets: Sequence[str] = ()
    kill_grace: float = 0.0

    def __post_init__(self) -> None:
        _check_command(self.command)
        _check_input(self.input)
        _check_cwd(self.cwd)
        _check_env(self.env)
        _check_seconds("timeout", self.timeout)
        _check_grace(self.kill_grace)
        _check_max_output(self.max_output)
        _check_secrets(self.secrets)


def _wrong(option: str, want: str, got: object) -> ConfigurationError:
    return ConfigurationError(f"{option} must be {want}, got {got!r}")


def _is_argument(value: object) -> bool:
    """Tells whether the operating system can take a text: it ends at a NUL, and is bytes in the end."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return True


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview)


def _check_command(command: object) -> None:
    want = "a non-empty list of str, the program first (there is no shell)"
    if not _is_list(command) or not command or not isinstance(command, Sequence):
        raise _wrong("command", want, command)
    if not all(_is_argument(part) for part in command) or not command[0]:
        raise _wrong("command", f"{want}, without NUL and lone surrogates", list(command))


def _check_input(value: object) -> None:
    if value is None or isinstance(value, bytes | bytearray | memoryview | AsyncIterable):
        return
    want = "bytes, a str, an async iterable of bytes, or None"
    if not isinstance(value, str):
        raise _wrong("input", want, value)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"input must be {want}; this str has no UTF-8: {error}") from None


def _check_cwd(cwd: object) -> None:
    if cwd is not None and not (isinstance(cwd, str | os.PathLike) and _is_argument(os.fspath(cwd))):
        raise _wrong("cwd", "a path, or None for the current directory", cwd)


def _check_env(env: object) -> None:
    if env is None:
        return
    want = "a mapping of str to str, or None to pass our own environment on"
    if not isinstance(env, Mapping):
        raise _wrong("env", want, env)
    for name, value in env.items():
        if not _is_argument(name) or not _is_argument(value) or not name or "=" in name:
            # The value is not shown: it may be a secret.
            raise _wrong("env", f"{want}, without NUL, and without '=' in a name", {name: "..."})


def _check_seconds(name: str, value: object) -> None:
    if value is not None and not (_is_number(value) and 0 < float(str(value)) < math.inf):
        raise _wrong(name, "a positive number of seconds, or None for no limit", value)


def _check_grace(value: object) -> None:
    if not (_is_number(value) and 0 <= float(str(value)) < math.inf):
        raise _wrong("kill_grace", "a number of seconds, 0 to kill at once", value)


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _check_max_output(value: object) -> None:
    if value is not None and (type(value) is not int or value < 1):
        raise _wrong("max_output", "a positive number of bytes, or None for no limit", value)


def _check_secrets(secrets: object) -> None:
    want = "a list of non-empty str"
    if not _is_list(secrets) or not isinstance(secrets, Sequence):
        raise _wrong("secrets", want, type(secrets).__name__)
    for secret in secrets:
        if not isinstance(secret, str) or not secret:
            # Only its type is shown: the others, at least, are secrets.
            raise _wrong("secrets", want, "an empty str" if secret == "" else type(secret).__name__)
