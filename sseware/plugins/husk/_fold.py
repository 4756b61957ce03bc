"""Items to one buffered answer."""

from __future__ import annotations

import base64
import re
from typing import Any, Final, Literal

from sseware.dialects import (
    COMPACT,
    AnItem,
    BufferedAnswer,
    Dialect,
    StreamContext,
    file_answer,
    leave_out,
    pretty,
    refuse_owned,
    status_of,
)
from sseware.errors import InvalidItem
from sseware.events import ServerSentEvent
from sseware.items import Data, Failure, File, Finish, Log, Text

from ._events import OWNED

__all__ = ["HuskFold"]

_STDERR_LIMIT: Final = 8000
"""Characters of stderr that an error shows."""

_NOTE_LIMIT: Final = 1000
"""Characters of stdout that go with a file."""

_LINE_ENDS: Final = re.compile(r"[\r\n]+")
_NOT_PRINTABLE: Final = re.compile(r"[^\x20-\x7e]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class HuskFold:
    """Folds one buffered answer.

    Args:
        dialect: Whose answer it is.
        output: What the skill's output is.
        context: What is known of the request.

    Attributes:
        size: How many bytes have been gathered.
    """

    def __init__(
        self, dialect: Dialect, output: Literal["text", "json", "file"], context: StreamContext
    ) -> None:
        self._dialect = dialect
        self._output = output
        self._context = context
        self._stdout: list[bytes] = []
        self._stderr = ""
        self._files: list[tuple[File, BufferedAnswer]] = []
        self._finish = Finish()
        self.size = 0

    def add(self, item: AnItem) -> None:
        """Takes one item in; an event of the handler's own is for streams, and is left out.

        Raises:
            InvalidItem: As `HuskEncoder.encode`, but for a file; or a header field cannot carry what a file says.
        """
        if isinstance(item, Text):
            self._add_output(item.text)
        elif isinstance(item, Log):
            self._stderr += item.text[: _STDERR_LIMIT - len(self._stderr)]
        elif isinstance(item, Data):
            self._add_output(COMPACT.dumps(item.value))
        elif isinstance(item, Finish):
            self._finish = item
        elif isinstance(item, File):
            self._files.append((item, file_answer(item)))
            self.size += len(item.content)
        elif isinstance(item, ServerSentEvent):
            self._leave_out_event(item)
        else:
            leave_out(self._dialect, item)

    def _add_output(self, text: str) -> None:
        output = _utf8(text)
        self._stdout.append(output)
        self.size += len(output)

    def _leave_out_event(self, event: ServerSentEvent) -> None:
        refuse_owned(self._dialect, event, OWNED)
        if getattr(self._dialect, "strict", False):
            raise InvalidItem(
                f"the event {event.event!r} has no place in a buffered answer of the {self._dialect.name} "
                "dialect, and it is strict: yield it to streams only"
            )

    def finish(self) -> BufferedAnswer:
        """Returns the answer: the output, the file, or what went wrong with the kernel."""
        if not self._finish.ok:
            return self._kernel_failure()
        if self._files:
            return self._with_duration(self._file()) if len(self._files) == 1 else self._all_files()
        if self._output == "file":
            return _json(500, {"error": "skill produced no file output", "stderr": self._stderr})
        body = b"".join(self._stdout)
        if self._output == "json":
            return self._with_duration(_answer("application/json", body or b"{}"))
        return self._with_duration(_answer("text/plain", body))

    def fail(self, failure: Failure) -> BufferedAnswer:
        """Returns the answer to a request that failed; nothing partial is in it."""
        status = failure.status if 400 <= failure.status <= 599 else 500
        return _json(status, {"error": failure.message})

    def _kernel_failure(self) -> BufferedAnswer:
        shown = {"error": _why(self._finish), "stderr": self._stderr, "exitCode": self._finish.exit_code}
        return _json(status_of(self._finish), shown)

    def _file(self) -> BufferedAnswer:
        _, answer = self._files[0]
        line = _LINE_ENDS.sub(" ", self._note()).strip()[:_NOTE_LIMIT]
        # What is no printable ASCII is not safe in a header, and HUSK's own server fails at most of it.
        note = _NOT_PRINTABLE.sub("?", line.replace("\t", " "))
        headers = (*answer.headers, ("x-husk-note", note)) if note else answer.headers
        return BufferedAnswer(answer.status, headers, answer.body)

    def _all_files(self) -> BufferedAnswer:
        files = [
            {
                "filename": file.name,
                "mime": file.media_type,
                "size": len(file.content),
                "dataBase64": base64.b64encode(file.content).decode(),
            }
            for file, _ in self._files
        ]
        note = self._note().strip()
        return _json(200, {"note": note, "files": files} if note else {"files": files})

    def _note(self) -> str:
        return b"".join(self._stdout).decode()

    def _with_duration(self, answer: BufferedAnswer) -> BufferedAnswer:
        milliseconds = max(0, round(self._context.elapsed() * 1000))
        headers = (*answer.headers, ("x-husk-duration-ms", str(milliseconds)))
        return BufferedAnswer(answer.status, headers, answer.body)


def _why(finish: Finish) -> str:
    said = finish.result.get("error") if isinstance(finish.result, dict) else None
    if isinstance(said, str):
        return said
    return f"kernel exited with code {finish.exit_code}" if finish.exit_code else "kernel failed"


def _answer(media_type: str, body: bytes, status: int = 200) -> BufferedAnswer:
    return BufferedAnswer(status, (("content-type", f"{media_type}; charset=utf-8"),), body)


def _json(status: int, value: dict[str, Any]) -> BufferedAnswer:
    return _answer("application/json", pretty(value).encode(), status)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # As a stream has it.
        return _SURROGATE.sub("\ufffd", text).encode()
