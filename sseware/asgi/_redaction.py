"""Secrets and line ends in what is logged of requests.

A secret in a query string ends up in access logs, in the history of browsers and in ``Referer``. Nothing here reads
one; but ``EventSource`` cannot send header fields, so that applications do put them there, and servers log them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from typing import Any, Final
from urllib.parse import unquote_plus

__all__ = ["RedactingFilter", "redact"]

_SECRETS: Final = frozenset(
    (
        *("access_token", "api_key", "apikey", "auth", "authorization", "code", "id_token", "jwt", "key"),
        *(
            "pass",
            "passwd",
            "password",
            "refresh_token",
            "secret",
            "session",
            "session_id",
            "sig",
            "signature",
        ),
        *("state", "ticket", "token"),
    )
)
_GONE: Final = "[redacted]"

# A parameter begins after what separates parameters, semicolons included, as some servers have it; its name is short.
_NAME: Final = re.compile(r"[?&;](?P<name>[^=&;\s\"#?]{1,200})=")
# A secret is all that may belong to it: rather too much is redacted than too little.
_END: Final = re.compile(r"[&\s\"#]")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def redact(text: str, secrets: Collection[str] = _SECRETS) -> str:
    r"""Returns a text as it may be logged: on one line, and without the values of parameters that hold secrets.

    >>> redact("GET /events?topic=a&access_token=abc HTTP/1.1")
    'GET /events?topic=a&access_token=[redacted] HTTP/1.1'
    >>> redact("/a\nb")
    '/a\\x0ab'

    Args:
        text: A text with URLs or request targets in it.
        secrets: The names of these parameters, in lower case.
    """
    kept, end = [], 0
    while (found := _NAME.search(text, end)) is not None:
        kept.append(text[end : found.end()])
        end = found.end()
        if unquote_plus(found["name"]).strip().lower().replace("-", "_") in secrets:
            kept.append(_GONE)
            end = _after_value(text, end)
    kept.append(text[end:])
    return _CONTROL.sub(_escaped, "".join(kept))


def _after_value(text: str, start: int) -> int:
    ends = _END.search(text, start)
    return len(text) if ends is None else ends.start()


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


class RedactingFilter(logging.Filter):
    """Redacts what an access log says of requests, whoever writes it.

    >>> log = logging.getLogger("an.access.log")  # "uvicorn.access"
    >>> log.addFilter(RedactingFilter())

    Args:
        secrets: The names of the parameters whose values are secrets, in lower case; the usual ones.
    """

    def __init__(self, secrets: Collection[str] = _SECRETS) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """Redacts a record, and lets it pass."""
        arguments: Any = record.args
        if isinstance(arguments, tuple):
            # Each by itself, for a formatter may want them: uvicorn's does.
            record.args = tuple(map(self._redacted, arguments))
            record.msg = self._redacted(record.msg)
        else:
            record.msg, record.args = redact(record.getMessage(), self._secrets), None
        return True

    def _redacted(self, value: Any) -> Any:
        return redact(value, self._secrets) if isinstance(value, str) else value
