"""Where an existing application's answer turns out to be one that can be adapted, and is to be."""

from __future__ import annotations

from typing import Final

from .._types import Message, RawHeaders, Receive, Scope, Send
from ..dialects import StreamContext
from ..errors import StreamError
from ._adapt import Adapter, Way
from ._adapted import AdaptedStream
from ._failures import failure_of
from ._headers import add_vary
from ._menu import Dish, Menu
from ._passage import Passage
from ._plan import Plan
from ._receive import EndablePump
from ._respond import context_of, request_of
from ._runtime import current_runtime
from ._settings import Settings
from ._slots import Slot

__all__ = ["AdaptingPassage"]

# They describe the bytes that the application would have sent, and no stream of events. Fields that a stream has
# itself are replaced by its own.
_OF_THE_BODY: Final = frozenset(
    (
        b"accept-ranges",
        b"content-digest",
        b"content-length",
        b"content-md5",
        b"digest",
        b"last-modified",
        b"repr-digest",
    )
)


class AdaptedPlan(Plan, frozen=True):
    """A plan whose head has the fields of an answer that there was already.

    Attributes:
        fields: The application's header fields.
    """

    fields: RawHeaders

    def stream_start(self) -> Message:
        """Returns the message that begins the stream; `Set-Cookie` and whatever else the application said stays."""
        ours = self.dish.head(self.context.http_version)
        replaced = {name for name, _ in ours if name != b"vary"} | _OF_THE_BODY
        # Django's names are not in lower case, as ASGI wants them; this head is ours.
        theirs = [(name.lower(), value) for name, value in self.fields]
        theirs = [field for field in theirs if field[0] not in replaced]
        return {"type": "http.response.start", "status": 200, "headers": add_vary([*theirs, *ours])}


class AdaptingPassage(Passage):
    """One that looks at the head: where it can, and is asked to, what follows goes through an `AdaptedStream`.

    Args:
        menu: What can be answered.
        receive: The server's.
        send: The server's.
        scope: The ASGI scope.
        adapter: Which answers can be adapted.

    Attributes:
        stream: What has become of the answer, where it is adapted.
    """

    __slots__ = ("_adapter", "_endable", "_scope", "stream")

    def __init__(self, menu: Menu, receive: Receive, send: Send, scope: Scope, adapter: Adapter) -> None:
        super().__init__(menu, receive, send, scope["method"])
        self._pump = self._endable = EndablePump(receive)
        self._scope = scope
        self._adapter = adapter
        self.stream: AdaptedStream | None = None

    def _check_start(self, message: Message) -> Message:
        message = super()._check_start(message)
        # An answer that varies already was negotiated further in: it is a stream of ours, or was not to be one.
        way = None if self.varies or message["status"] != 200 else self._adapter.way_for(message)
        if way is None:
            return message
        varying = {**message, "headers": add_vary(list(message["headers"]))}
        chosen = self._choose(way)
        if chosen is None:
            return varying
        plan = AdaptedPlan(*chosen, message["headers"])
        access = plan.settings.access
        if access is not None:
            self._send = access.answering(self._scope, self._send)
        try:
            slot, seconds = self._enter(plan.settings)
        except StreamError as refusal:
            self._left = None
            self._send = _Refusal(plan, refusal, self._send, body=self._method != "HEAD")
            return varying
        if self._method == "HEAD":
            return plan.stream_start()
        self._divert(plan, way, slot, seconds)
        return varying

    def _enter(self, settings: Settings) -> tuple[Slot | None, float | None]:
        """Returns the slot of the stream, and how many seconds it may take.

        Raises:
            StreamError: It may not be, or there is no time for it.
        """
        drain, access = settings.drain, settings.access
        if access is not None and (refusal := access.refusal(self._scope)) is not None:
            raise refusal
        if drain is not None and drain.departures(current_runtime()).begun:
            raise drain.refusal()
        if access is None:
            return None, None
        seconds = access.seconds_left(self._scope)
        return None if self._method == "HEAD" else access.enter(self._scope), seconds

    def _choose(self, way: Way) -> tuple[Dish, StreamContext] | None:
        """Negotiates; returns the dialect of the stream that was asked for, or ``None``."""
        request = request_of(self._scope)
        menu = self.menu
        decision, dish = menu.choose_over(request, self._scope, way.media_type)
        if decision.representation != "stream":
            return None
        if way.source is not None and way.source.name == dish.dialect.name:
            return None  # it speaks it already
        return dish, context_of(self._scope, request, current_runtime(), debug=menu.settings.debug)

    def _divert(self, plan: Plan, way: Way, slot: Slot | None, seconds: float | None) -> None:
        asgi = self._scope.get("asgi", {})
        # Two tasks send: the writer, and the application what is no body.
        outside = Passage(self.menu, self._endable.receive, self._send, self._method)
        self.stream = AdaptedStream(
            plan,
            way.open(),
            self._endable,
            outside.send,
            current_runtime(),
            raises=_version(asgi.get("spec_version", "2.0")) >= (2, 4),
            slot=slot,
            seconds=seconds,
        )
        self._send = self.stream.take
        self._left = None


class _Refusal:
    """Answers in the place of an application whose stream may not be, or that the server has no time for any more."""

    def __init__(self, plan: Plan, refusal: StreamError, send: Send, *, body: bool) -> None:
        self._answer = plan.answer_messages(plan.failed(failure_of(refusal, debug=False)), body=body)
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            for each in self._answer:
                await self._send(each)
        elif message.get("more_body", False):
            # The application goes on for a while; it must let the event loop turn.
            await current_runtime().turn()


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
