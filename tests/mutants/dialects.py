"""Wrong dialects: Hector's with one thing changed each, by what is put around its encoder, fold or decoder."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from typing import Any

from sseware import ServerSentEvent
from sseware.dialects import AnItem, BufferedAnswer, StreamContext, get_dialect
from sseware.errors import TruncatedStream
from sseware.items import Data, Failure, Finish, Log, Text, ToolCall

from .mutant import Mutant

__all__ = ["DIALECTS"]

DONE = ServerSentEvent("[DONE]")


class Around:
    """Passes everything on to what it is put around."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Wrong(Around):
    """A dialect whose encoder, fold and decoder may be wrapped."""

    encoder: Any = staticmethod(lambda inner: inner)
    folder: Any = staticmethod(lambda inner: inner)
    reader: Any = staticmethod(lambda inner: inner)
    base = "hector"

    def __init__(self) -> None:
        super().__init__(get_dialect(self.base))

    def open(self, context: StreamContext) -> Any:
        return type(self).encoder(self.inner.open(context))

    def fold(self, context: StreamContext) -> Any:
        return type(self).folder(self.inner.fold(context))

    def decoder(self) -> Any:
        return type(self).reader(self.inner.decoder())


class Forgetful(Around):
    """A decoder that takes each event for the first one."""

    def decode(self, event: ServerSentEvent) -> Iterable[AnItem]:
        yield from get_dialect("hector").decoder().decode(event)
        list(self.inner.decode(event))


class TwoTerminators(Wrong):
    class encoder(Around):
        def finish(self) -> Any:
            return [*self.inner.finish(), DONE]


class OneMore(Wrong):
    class encoder(Around):
        def finish(self) -> Any:
            return [*self.inner.finish(), ServerSentEvent('{"chunk": "one more"}')]


class NoTerminator(Wrong):
    class encoder(Around):
        def finish(self) -> Any:
            self.inner.finish()
            return ()


class SuccessAfterFailure(Wrong):
    reader = Forgetful

    class encoder(Around):
        def fail(self, failure: Failure) -> Any:
            return [*self.inner.fail(failure), DONE]


class FailureWithoutWords(Wrong):
    class encoder(Around):
        def fail(self, failure: Failure) -> Any:
            return self.inner.fail(Failure("internal error"))


class RawText(Wrong):
    """Text stands in its event as it is, and a text [DONE] is an end."""

    class encoder(Around):
        def encode(self, item: AnItem) -> Any:
            if isinstance(item, Text) and item.text == "[DONE]":
                return [DONE]
            return self.inner.encode(item)


class EndsForged(Wrong):
    """An event that a handler yields is passed on, whatever it is."""

    class encoder(Around):
        def encode(self, item: AnItem) -> Any:
            return [item] if isinstance(item, ServerSentEvent) else self.inner.encode(item)


class OtherEndPassed(Wrong):
    """Its own end is guarded, and the other one that it reads is not."""

    class reader(Around):
        def decode(self, event: ServerSentEvent) -> Any:
            return [Finish()] if event.event == "end" else self.inner.decode(event)


class HalfCharacterRaises(Wrong):
    class encoder(Around):
        def encode(self, item: AnItem) -> Any:
            if isinstance(item, Text | Log):
                item.text.encode()
            return self.inner.encode(item)


class FirstLineOfFailure(Wrong):
    class encoder(Around):
        def fail(self, failure: Failure) -> Any:
            return self.inner.fail(Failure(failure.message.partition("\n")[0]))


class Stripped(Wrong):
    class encoder(Around):
        def encode(self, item: AnItem) -> Any:
            return self.inner.encode(Text(item.text.strip()) if isinstance(item, Text) else item)


class ArgumentsLost(Wrong):
    base = "ash"

    class encoder(Around):
        def encode(self, item: AnItem) -> Any:
            return self.inner.encode(ToolCall(item.id, item.name) if isinstance(item, ToolCall) else item)


class CutNotNoticed(Wrong):
    """A stream from which something has come is taken for one that has ended."""

    class reader(Around):
        came = False

        def decode(self, event: ServerSentEvent) -> Any:
            self.came = True
            return self.inner.decode(event)

        def close(self) -> None:
            if not self.came:
                raise TruncatedStream("hector", "[DONE]")


class LastPieceLost(Wrong):
    class folder(Around):
        held: Text | None = None

        def add(self, item: AnItem) -> None:
            if isinstance(item, Text):
                if self.held is not None:
                    self.inner.add(self.held)
                self.held = item
            else:
                self.inner.add(item)


class PartialAnswer(Wrong):
    class folder(Around):
        def fail(self, failure: Failure) -> BufferedAnswer:
            self.inner.add(Finish())
            answer: BufferedAnswer = self.inner.finish()
            return answer


class KeyTrusted(Wrong):
    class reader(Around):
        def decode(self, event: ServerSentEvent) -> Any:
            if event.data.startswith("{"):
                json.loads(event.data)["chunk"]
            return self.inner.decode(event)


class KindTrusted(Wrong):
    class reader(Around):
        def decode(self, event: ServerSentEvent) -> Any:
            if event.data.startswith('{"chunk"'):
                json.loads(event.data)["chunk"].strip()
            return self.inner.decode(event)


class DepthTrusted(Wrong):
    class encoder(Around):
        def encode(self, item: AnItem) -> Any:
            if isinstance(item, Data):
                with contextlib.suppress(TypeError, ValueError):
                    json.dumps(item.value)
            return self.inner.encode(item)


class TextsUnasked(Wrong):
    """Says that a text is an event as it is, and spells it as JSON where it is asked."""

    class encoder(Around):
        text_event = "message"


class ValueTrusted(Wrong):
    class encoder(Around):
        def encode(self, item: AnItem) -> Any:
            if isinstance(item, Data):
                json.dumps(item.value)
            return self.inner.encode(item)


def _mutant(name: str, target: object, killer: str) -> Mutant:
    return Mutant(name=name, kind="dialect", target=target, killer=f"dialect/{killer}")


DIALECTS = (
    _mutant("two terminators", TwoTerminators, "one-terminator"),
    _mutant("an event after the terminator", OneMore, "one-terminator"),
    _mutant("no terminator", NoTerminator, "one-terminator"),
    _mutant("success after failure", SuccessAfterFailure, "failure"),
    _mutant("failure without its message", FailureWithoutWords, "failure"),
    _mutant("text as it is", RawText, "text-never-ends"),
    _mutant("forged ends passed on", EndsForged, "text-never-ends"),
    _mutant("another end passed on", OtherEndPassed, "text-never-ends"),
    _mutant("half a character raises", HalfCharacterRaises, "one-terminator"),
    _mutant("first line of a failure's message", FirstLineOfFailure, "failure"),
    _mutant("text stripped", Stripped, "round-trip"),
    _mutant("arguments lost", ArgumentsLost, "items"),
    _mutant("a cut not noticed", CutNotNoticed, "truncated"),
    _mutant("last piece not in the body", LastPieceLost, "buffered"),
    _mutant("partial answer of a failure", PartialAnswer, "buffered"),
    _mutant("KeyError for an odd event", KeyTrusted, "total"),
    _mutant("AttributeError for a value of another kind", KindTrusted, "total"),
    _mutant("TypeError for an odd value", ValueTrusted, "odd-values"),
    _mutant("RecursionError for a deep value", DepthTrusted, "odd-values"),
    _mutant("texts written unasked as they are", TextsUnasked, "text-event"),
)
