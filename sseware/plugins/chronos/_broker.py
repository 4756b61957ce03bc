"""An in-process broker: publish once, every subscriber reads.

Where it differs from Chronos' own, and why:

1. The head of a response goes out at once, not with the first event.
2. Every subscription has an identity of its own. In Go a second tab with the same id orphans the first.
3. Beside dropping the newest event of a full subscriber it can drop the oldest, wait, or disconnect.
4. A type with a line end in it is refused; in Go it splits the frame.
5. Data are copied when they are published; in Go all events show the last state of one shared map.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, get_args

import anyio
import msgspec

from sseware.dialects import AnItem
from sseware.errors import ConfigurationError
from sseware.items import Data

from ._frames import check_event_type

__all__ = ["Broker", "BrokerStatistics", "Event", "Policy", "Subscription"]

Policy: TypeAlias = Literal["drop-newest", "drop-oldest", "wait", "disconnect"]
"""What happens to an event whose subscriber has no room for it."""


class Event(msgspec.Struct, frozen=True):
    """What Chronos' publishers send.

    Attributes:
        type: The type of the frame.
        data: A JSON value.
    """

    type: str
    data: Any = None


class BrokerStatistics(msgspec.Struct, frozen=True):
    """A snapshot of a broker.

    Attributes:
        subscribers: How many there are.
        published: How many events were published.
        dropped: How many were dropped for a subscriber that was full.
        disconnected: How many subscribers were disconnected because they were full.
    """

    subscribers: int
    published: int
    dropped: int
    disconnected: int


class Subscription:
    """The events that one subscriber gets: an async iterator, to be closed by ``async with`` or ``close``.

    Attributes:
        dropped: How many events were dropped for it.
        closed: Whether it gets no more.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._items: deque[AnItem] = deque()
        self._news = anyio.Event()
        self._room = anyio.Event()
        self.dropped = 0
        self.closed = False

    def close(self) -> None:
        """Ends it; what it still holds can be read."""
        if not self.closed:
            self.closed = True
            self._broker.unsubscribe(self)
            self._news.set()
            self._room.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnItem:
        while not self._items:
            if self.closed:
                raise StopAsyncIteration
            self._news = anyio.Event()
            await self._news.wait()
        item = self._items.popleft()
        self._room.set()
        return item

    async def aclose(self) -> None:
        """Ends it, as `close` does; what iterates over it calls this."""
        self.close()

    @property
    def full(self) -> bool:
        """Whether it has no room."""
        return len(self._items) >= self._broker.capacity

    def take_in(self, item: AnItem) -> None:
        """Appends an item."""
        self._items.append(item)
        self._news.set()

    def drop_oldest(self) -> None:
        """Makes room."""
        self._items.popleft()

    async def wait_room(self) -> None:
        """Waits until there is room, or it is closed."""
        while self.full and not self.closed:
            self._room = anyio.Event()
            await self._room.wait()


class Broker:
    """Hands what is published to every subscriber, in one event loop.

    >>> broker = Broker(capacity=64, policy="drop-oldest")
    >>> async def handler(scope, receive):
    ...     async with broker.subscribe() as subscription:
    ...         async for item in subscription:
    ...             yield item

    Args:
        capacity: How many events a subscriber may be behind.
        policy: What happens when it is.

    Raises:
        ConfigurationError: The capacity is below 1, or there is no such policy.
    """

    def __init__(self, *, capacity: int = 64, policy: Policy = "drop-newest") -> None:
        if type(capacity) is not int or capacity < 1:
            raise ConfigurationError(f"capacity must be 1 or more, got {capacity!r}")
        if policy not in get_args(Policy):
            raise ConfigurationError(f"policy must be one of {', '.join(get_args(Policy))}, got {policy!r}")
        self.capacity = capacity
        self._policy = policy
        self._subscriptions: dict[Subscription, None] = {}
        self._published = 0
        self._dropped = 0
        self._disconnected = 0

    def subscribe(self) -> Subscription:
        """Begins to gather events for a new subscriber, at once."""
        subscription = Subscription(self)
        self._subscriptions[subscription] = None
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Ends a subscription; one that has ended already is no error."""
        self._subscriptions.pop(subscription, None)
        subscription.close()

    def publish(self, event: Event | AnItem) -> None:
        """Hands an event to every subscriber, without waiting.

        Raises:
            InvalidItem: The type of the event is not one line.
            ConfigurationError: The policy is to wait; await `publish_wait`.
        """
        if self._policy == "wait":
            raise ConfigurationError(
                "this broker waits for slow subscribers; use: await broker.publish_wait(event)"
            )
        item = self._item(event)
        for subscription in tuple(self._subscriptions):
            self._hand(subscription, item)

    async def publish_wait(self, event: Event | AnItem) -> None:
        """Hands an event to every subscriber; where the policy is to wait, it waits for those that are full."""
        item = self._item(event)
        for subscription in tuple(self._subscriptions):
            if self._policy == "wait":
                await subscription.wait_room()
            if not subscription.closed:
                self._hand(subscription, item)

    def _item(self, event: Event | AnItem) -> AnItem:
        item: AnItem
        if isinstance(event, Event):
            item = Data(copy.deepcopy(event.data), name=check_event_type(event.type))
        else:
            item = copy.deepcopy(event)
        self._published += 1
        return item

    def _hand(self, subscription: Subscription, item: AnItem) -> None:
        if not subscription.full:
            subscription.take_in(item)
        elif self._policy == "disconnect":
            self._disconnected += 1
            subscription.close()
        else:
            self._dropped += 1
            subscription.dropped += 1
            if self._policy == "drop-oldest":
                subscription.drop_oldest()
                subscription.take_in(item)

    def close(self) -> None:
        """Ends every subscription."""
        for subscription in tuple(self._subscriptions):
            subscription.close()

    async def events(self) -> AsyncIterator[AnItem]:
        """Yields what is published from now on: a handler's whole body."""
        async with self.subscribe() as subscription:
            async for item in subscription:
                yield item

    def statistics(self) -> BrokerStatistics:
        """Returns a snapshot."""
        return BrokerStatistics(len(self._subscriptions), self._published, self._dropped, self._disconnected)
