"""What the options of the command line and the marker of a test choose for the fixtures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Self

from ..dialects import Dialect, get_dialect
from ..errors import ConfigurationError
from ._exchange import check_seconds
from ._personalities import Server, get_personality
from ._recorder import RecordMode, check_mode
from ._tracebacks import is_failure

__all__ = ["Choices", "check_choice"]

__tracebackhide__ = is_failure


class Choices(NamedTuple):
    """What the fixtures take where a test does not say it.

    Attributes:
        server: The server personality, or its name.
        dialect: The dialect, or its name.
        timeout: How many seconds anything is waited for.
        record: When an application is asked itself although there may be recordings.
    """

    server: Server = "uvicorn"
    dialect: str | Dialect = "plain"
    timeout: float = 5.0
    record: RecordMode = "never"

    def changed(self, **given: Any) -> Self:
        """Returns other choices; what is ``None`` is as it was.

        Raises:
            ConfigurationError: One is not what it must be; the message lists what there is.
        """
        return self._replace(
            **{name: check_choice(name, value) for name, value in given.items() if value is not None}
        )


def check_choice(name: str, value: Any) -> Any:
    """Returns the value of a choice, checked.

    Raises:
        ConfigurationError: There is no such choice, or no such value; the message lists what there is.
    """
    check = _CHECKS.get(name)
    if check is None:
        raise ConfigurationError(f"unknown option {name!r}; there are: {', '.join(_CHECKS)}")
    check(value)
    return value


_CHECKS: Final[Mapping[str, Callable[[Any], object]]] = {
    "server": get_personality,
    "dialect": get_dialect,
    "timeout": lambda seconds: check_seconds("timeout", seconds),
    "record": check_mode,
}
