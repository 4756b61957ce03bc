"""Items to events."""

from __future__ import annotations

from collections.abc import Iterable

from sseware.dialects import COMPACT, AnItem, Dialect, leave_out, refuse_owned
from sseware.events import ServerSentEvent
from sseware.items import Data, Failure, Finish, Log, Text

from ._events import OUTPUT_LIMIT, OWNED

__all__ = ["HuskEncoder"]


class HuskEncoder:
    """Encodes one stream.

    Args:
        dialect: Whose stream it is.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._finish = Finish()
        self._cut: set[str] = set()

    def start(self) -> Iterable[ServerSentEvent]:
        """Returns nothing: a stream begins with the first output."""
        return ()

    def encode(self, item: AnItem) -> Iterable[ServerSentEvent]:
        """Returns the event of an item, if it has one.

        Raises:
            InvalidItem: A file, an event that bears a name of ours, an item that nobody has thought of; or one
                that is left out, if the dialect is strict.
        """
        if isinstance(item, Text):
            return self._output("stdout", item.text)
        if isinstance(item, Log):
            return self._output("stderr", item.text)
        if isinstance(item, Data):
            return self._output("stdout", COMPACT.dumps(item.value))
        if isinstance(item, Finish):
            self._finish = item
            return ()
        if isinstance(item, ServerSentEvent):
            refuse_owned(self._dialect, item, OWNED)
            return (item,)
        return leave_out(self._dialect, item)

    def _output(self, name: str, text: str) -> Iterable[ServerSentEvent]:
        # Half of a CRLF has been sent as a whole line end already.
        if text.startswith("\n") and name in self._cut:
            text = text[1:]
            self._cut.discard(name)
        if not text:
            return ()
        if text.endswith("\r"):
            self._cut.add(name)
        else:
            self._cut.discard(name)
        return (ServerSentEvent(text, event=name),)

    def finish(self) -> Iterable[ServerSentEvent]:
        """Returns ``done``, as the `Finish` item said."""
        return (_done(self._finish.ok, self._finish.exit_code),)

    def fail(self, failure: Failure) -> Iterable[ServerSentEvent]:
        """Returns ``error``; ``done`` follows only where the output was cut short by its limit."""
        error = ServerSentEvent(failure.message, event="error")
        return (error, _done(False, None)) if failure.code == OUTPUT_LIMIT else (error,)


def _done(ok: bool, exit_code: int | None) -> ServerSentEvent:
    return ServerSentEvent(COMPACT.dumps({"ok": ok, "exitCode": exit_code}), event="done")
