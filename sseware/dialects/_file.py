"""A file as a buffered answer."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from ..items import File
from ._protocols import BufferedAnswer

__all__ = ["file_answer"]

# RFC 9110, section 5.6.4: what may stand in a quoted string without an escape, less what servers mistreat.
_NOT_QUOTABLE: Final = re.compile(r'[^\x20-\x7e]|["\\%/]')


def file_answer(file: File) -> BufferedAnswer:
    """Makes the answer that a `File` is: its bytes, its media type, its name.

    A name that is not plain ASCII is given twice, as RFC 6266, appendix D, advises: a fallback, and
    ``filename*`` in UTF-8.
    """
    fallback = _NOT_QUOTABLE.sub("_", file.name) or "output"
    disposition = f'{file.disposition}; filename="{fallback}"'
    if fallback != file.name:
        disposition += f"; filename*=UTF-8''{quote(file.name.encode(errors='replace'), safe='')}"
    headers = (("content-type", file.media_type), ("content-disposition", disposition))
    return BufferedAnswer(200, headers, file.content)
