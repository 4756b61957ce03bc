"""Is a response an event stream? By its status code and its content type: WHATWG HTML, section 9.2.3."""

from __future__ import annotations

import re
from typing import Final

from ..errors import NotAnEventStream

__all__ = ["check_event_stream", "content_type_essence", "is_event_stream"]

_EVENT_STREAM: Final = "text/event-stream"

# Fetch, section 2.2.2 "get, decode, and split": commas divide a header value except inside of quotes, which the
# end of the header ends, too. Possessive, so that no header is read twice.
_VALUE: Final = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*+(?:"|\\?\Z))++', re.DOTALL)
_NAME: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# MIME Sniffing, section 4.4 "Parsing a MIME type"; a parameter cannot make the type invalid.
_MIME_TYPE: Final = re.compile(rf"[\t\n\r ]*({_NAME}/{_NAME})[\t\n\r ]*(?:;|\Z)")


def is_event_stream(status: int, content_type: str | None) -> bool:
    """Tells whether a client may read a response as an event stream.

    >>> is_event_stream(200, "text/event-stream; charset=utf-8")
    True

    Args:
        status: The status code; only 200 opens a stream.
        content_type: The value of ``Content-Type`` (several are joined by commas), or ``None``.
    """
    return status == 200 and content_type_essence(content_type) == _EVENT_STREAM


def check_event_stream(status: int, content_type: str | None) -> None:
    """Refuses a response that is no event stream. After a 204 a client stops; it does not reconnect.

    Raises:
        NotAnEventStream: The status is not 200, or the content type is another one.
    """
    if not is_event_stream(status, content_type):
        raise NotAnEventStream(status, content_type)


def content_type_essence(content_type: str | None) -> str | None:
    """Extracts a MIME type as Fetch does (section 2.2.2), and returns its essence, or ``None``.

    The last valid value counts, ``*/*`` is passed over, parameters say nothing.
    """
    essence = None
    for value in _VALUE.findall(content_type or ""):
        found = _MIME_TYPE.match(value)
        if found and found[1] != "*/*":
            essence = found[1].lower()
    return essence
