"""A small memory of objects, hashable or not."""

from __future__ import annotations

from sseware.dialects._remembered import Remembered


def test_it_goes_by_identity() -> None:
    memory: Remembered[str] = Remembered()
    one: list[int] = []
    other: list[int] = []
    assert memory.remember(one, "one") == "one"
    assert memory.get(one) == "one"
    assert memory.get(other) is None


def test_what_is_remembered_is_kept_alive() -> None:
    memory: Remembered[int] = Remembered()
    for number in range(100):
        memory.remember([number], number)
    # Were the lists gone, a new one would get the place of one of them.
    assert all(memory.get([number]) is None for number in range(100))


def test_it_does_not_grow_without_end() -> None:
    memory: Remembered[int] = Remembered()
    subjects: list[list[int]] = [[number] for number in range(1000)]
    for number, subject in enumerate(subjects):
        assert memory.remember(subject, number) == number
        assert memory.get(subject) == number
    assert 0 < sum(memory.get(subject) is not None for subject in subjects) <= 256
