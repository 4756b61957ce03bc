"""How many streams may run at once, in total and for each key."""

from __future__ import annotations

import threading

from sseware.asgi._slots import AccessStatistics, Slots


def test_there_are_so_many_slots_and_no_more() -> None:
    slots = Slots(2, None)
    first, second = slots.take("a"), slots.take("a")
    assert first is not None
    assert second is not None
    assert slots.take("b") is None
    first.free()
    assert slots.take("b") is not None
    assert slots.statistics() == AccessStatistics(open=2, keys=2, refused=1)


def test_a_slot_is_given_back_once() -> None:
    slots = Slots(2, 2)
    slot = slots.take("a")
    assert slot is not None
    slot.free()
    slot.free()
    assert slots.statistics() == AccessStatistics(open=0, keys=0, refused=0)


def test_a_key_has_its_share_and_others_have_theirs() -> None:
    slots = Slots(None, 1)
    first = slots.take("a")
    assert first is not None
    assert slots.take("a") is None
    assert slots.take("b") is not None
    first.free()
    assert slots.take("a") is not None


def test_nobody_has_no_share_of_its_own() -> None:
    slots = Slots(3, 1)
    taken = [slots.take(None) for _ in range(3)]
    assert all(taken)
    assert slots.take(None) is None
    for slot in taken:
        assert slot is not None
        slot.free()
    assert slots.statistics().open == 0


def test_keys_that_have_left_or_were_refused_are_forgotten() -> None:
    slots = Slots(1, 1)
    kept = slots.take("kept")
    for number in range(100):
        assert slots.take(number) is None
    assert slots.statistics() == AccessStatistics(open=1, keys=1, refused=100)
    assert kept is not None
    kept.free()
    assert slots.statistics().keys == 0


def test_two_threads_never_have_more_than_there_are() -> None:
    slots, most = Slots(5, None), []

    def churn() -> None:
        for _ in range(2000):
            slot = slots.take("a")
            most.append(slots.statistics().open)
            if slot is not None:
                slot.free()

    threads = [threading.Thread(target=churn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 5
    assert slots.statistics().open == 0
