"""A file as a buffered answer."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from ..errors import InvalidItem
from ..items import File
from ._protocols import BufferedAnswer

__all__ = ["file_answer"]

# RFC 9110, section 5.6.4: what may stand in a quoted string without an escape, less what servers mistreat.
_NOT_QUOTABLE: Final = re.compile(r'[^\x20-\x7e]|["\\%/]')
# RFC 9110, section 8.3.1; what follows it stays in its line.
_MEDIA_TYPE: Final = re.compile(
    r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+([ \t]*;[\t\x20-\x7e]*)?"
)


def file_answer(file: File) -> BufferedAnswer:
    """Makes the answer that a `File` is: its bytes, its media type, its name.

    A name that is not plain ASCII is given twice, as RFC 6266, appendix D, advises: a fallback, and
    ``filename*`` in UTF-8.

    Raises:
        InvalidItem: A header field cannot carry what it says, or its content is not bytes.
    """
    _check(file.name, file.media_type, file.disposition, file.content)
    name = file.name or "output"
    fallback = _NOT_QUOTABLE.sub("_", name)
    disposition = f'{file.disposition}; filename="{fallback}"'
    if fallback != name:
        disposition += f"; filename*=UTF-8''{quote(name.encode(errors='replace'), safe='')}"
    headers = (("content-type", file.media_type), ("content-disposition", disposition))
    return BufferedAnswer(200, headers, file.content)


def _check(name: object, media_type: object, disposition: object, content: object) -> None:
    # The annotations of an item are not enforced, and a line end in a header field begins another field.
    if not isinstance(name, str):
        raise InvalidItem(f"name of a File must be a str, got {name!r}")
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
        raise InvalidItem(f"media_type of a File must look like 'image/png', got {media_type!r}")
    if disposition not in ("inline", "attachment"):
        raise InvalidItem(f"disposition of a File must be 'inline' or 'attachment', got {disposition!r}")
    if not isinstance(content, bytes):
        raise InvalidItem(f"content of a File must be bytes, got a {type(content).__name__}: write bytes(it)")
