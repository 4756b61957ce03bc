"""Chronos' broker in process: who gets what, what a full subscriber loses, and how it is served."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from sseware.errors import ConfigurationError, InvalidItem
from sseware.items import Data, Finish, Text
from sseware.plugins.chronos import Broker, BrokerStatistics, Event, Subscription, sse_handler

pytestmark = pytest.mark.anyio


async def rest(subscription: Subscription) -> list[Any]:
    """What a subscription still holds once it has ended."""
    subscription.close()
    return [item async for item in subscription]


async def test_every_subscriber_gets_what_is_published_after_it_came() -> None:
    broker = Broker()
    first = broker.subscribe()
    broker.publish(Event("tick", 1))
    second = broker.subscribe()
    broker.publish(Text("two"))
    assert await rest(first) == [Data(1, "tick"), Text("two")]
    assert await rest(second) == [Text("two")]


async def test_a_waiting_subscriber_is_woken() -> None:
    broker = Broker()
    got: list[Any] = []

    async def read() -> None:
        async with broker.subscribe() as subscription:
            got.append(await anext(subscription))

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        broker.publish(Event("tick"))
    assert got == [Data(None, "tick")]
    assert broker.statistics().subscribers == 0


async def test_the_newest_is_dropped_when_a_subscriber_is_full_and_counted() -> None:
    broker = Broker(capacity=2)
    slow = broker.subscribe()
    for number in range(5):
        broker.publish(Event("tick", number))
    assert slow.dropped == 3
    assert [item.value for item in await rest(slow)] == [0, 1]
    assert broker.statistics() == BrokerStatistics(subscribers=0, published=5, dropped=3, disconnected=0)


async def test_the_default_capacity_is_that_of_chronos() -> None:
    broker = Broker()
    slow = broker.subscribe()
    for number in range(65):
        broker.publish(Event("tick", number))
    assert (len(await rest(slow)), slow.dropped) == (64, 1)


async def test_the_oldest_can_be_dropped_instead() -> None:
    broker = Broker(capacity=2, policy="drop-oldest")
    slow = broker.subscribe()
    for number in range(5):
        broker.publish(Event("tick", number))
    assert [item.value for item in await rest(slow)] == [3, 4]
    assert slow.dropped == 3


async def test_a_full_subscriber_can_be_disconnected() -> None:
    broker = Broker(capacity=1, policy="disconnect")
    slow, other = broker.subscribe(), broker.subscribe()
    broker.publish(Event("a"))
    assert await anext(other) == Data(None, "a")
    broker.publish(Event("b"))
    assert slow.closed
    assert await rest(slow) == [Data(None, "a")]
    assert await rest(other) == [Data(None, "b")]
    assert broker.statistics().disconnected == 1


async def test_a_publisher_can_wait_for_room() -> None:
    broker = Broker(capacity=1, policy="wait")
    got: list[Any] = []
    slow = broker.subscribe()
    async with anyio.create_task_group() as group:
        await broker.publish_wait(Event("a"))
        group.start_soon(broker.publish_wait, Event("b"))
        await anyio.wait_all_tasks_blocked()
        assert slow.full
        got += [await anext(slow), await anext(slow)]
    assert [item.name for item in got] == ["a", "b"]


async def test_a_publisher_that_waits_goes_on_when_the_subscriber_leaves() -> None:
    broker = Broker(capacity=1, policy="wait")
    slow = broker.subscribe()
    await broker.publish_wait(Event("a"))
    async with anyio.create_task_group() as group:
        group.start_soon(broker.publish_wait, Event("b"))
        await anyio.wait_all_tasks_blocked()
        slow.close()
    assert await rest(slow) == [Data(None, "a")]


async def test_without_that_policy_a_publisher_never_waits() -> None:
    broker = Broker(capacity=1)
    slow = broker.subscribe()
    await broker.publish_wait(Event("a"))
    await broker.publish_wait(Event("b"))
    assert slow.dropped == 1


async def test_a_publisher_that_cannot_wait_is_told_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"await broker\.publish_wait"):
        Broker(policy="wait").publish(Event("a"))


async def test_data_are_what_they_were_when_they_were_published() -> None:
    broker = Broker()
    subscription = broker.subscribe()
    state = {"n": 1}
    broker.publish(Event("tick", state))
    broker.publish(Data(state))
    state["n"] = 2
    assert [item.value for item in await rest(subscription)] == [{"n": 1}, {"n": 1}]


@pytest.mark.parametrize("kind", ["two\nlines", "two\rlines", ""])
async def test_a_type_of_two_lines_is_refused(kind: str) -> None:
    broker = Broker()
    with pytest.raises(InvalidItem, match="one non-empty line"):
        broker.publish(Event(kind))
    assert broker.statistics().published == 0


@pytest.mark.parametrize("options", [{"capacity": 0}, {"capacity": True}, {"policy": "block"}])
async def test_a_wrong_option_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Broker(**options)


async def test_closing_the_broker_ends_every_subscription() -> None:
    broker = Broker()
    subscriptions = [broker.subscribe(), broker.subscribe()]
    broker.close()
    assert [await rest(each) for each in subscriptions] == [[], []]
    broker.unsubscribe(subscriptions[0])
    await subscriptions[0].aclose()


async def test_two_clients_of_the_handler_get_the_head_at_once_and_each_every_event() -> None:
    broker = Broker()
    app = sse_handler(broker, keepalive=None)
    bodies: list[bytes] = [b"", b""]

    async def client(number: int) -> None:
        async def receive() -> Any:
            await anyio.sleep_forever()

        async def send(message: Any) -> None:
            bodies[number] += message.get("body", b"")

        scope = {"type": "http", "method": "GET", "path": "/events", "headers": [], "query_string": b""}
        await app(scope, receive, send)

    async with anyio.create_task_group() as group:
        for number in range(2):
            group.start_soon(client, number)
        await anyio.wait_all_tasks_blocked()
        assert bodies == [b": \n\n", b": \n\n"]
        broker.publish(Event("node_end", {"node": "extract"}))
        broker.publish(Finish(result={"done": True}))
    frame = b'data: {"type":"node_end","data":{"node":"extract"}}\n\n'
    for body in bodies:
        assert body.startswith(b": \n\n" + frame + b'data: {"type":"completed","data":{')
