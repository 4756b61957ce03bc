"""The time as MachPay writes it is the time, whichever way it goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sseware.plugins.machpay._timestamps import Timestamps, timestamps, utc_now

INDIA = timezone(timedelta(hours=5, minutes=30))
NOON = datetime(2025, 1, 6, 12, 0, 0, 0, UTC)


def spelled(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize(
    "moments",
    [
        pytest.param([0, 1, 999, 1000, 999_999], id="within-a-second"),
        pytest.param([999_999, 1_000_000, 1_000_001], id="into-the-next"),
        pytest.param([500_000, -1, 500_000], id="back-and-forth"),
        pytest.param([0, 60_000_000, 3_600_000_000, 86_400_000_000], id="the-same-second-of-another-minute"),
    ],
)
def test_each_moment_is_told_as_it_is(moments: list[int]) -> None:
    times = [NOON + timedelta(microseconds=moment) for moment in moments]
    clock = iter(times)
    tell = Timestamps(lambda: next(clock))
    assert [tell() for _ in times] == [spelled(time) for time in times]


def test_another_time_zone_and_none_are_told_as_they_are() -> None:
    times = [NOON, NOON.astimezone(INDIA), NOON.replace(tzinfo=None), NOON]
    clock = iter(times)
    tell = Timestamps(lambda: next(clock))
    assert [tell() for _ in times] == [spelled(time) for time in times]


@given(st.lists(st.integers(-3_000_000, 3_000_000), min_size=1))
def test_no_clock_is_told_wrong(steps: list[int]) -> None:
    times = [NOON + timedelta(microseconds=step) for step in steps]
    clock = iter(times)
    tell = Timestamps(lambda: next(clock))
    assert [tell() for _ in times] == [spelled(time) for time in times]


@pytest.mark.parametrize(
    "nanoseconds", [0, 999_999, 1_000_000, 1_736_164_800_999_999_999, 1_736_164_801_000_000_000]
)
def test_the_systems_clock_is_spelled_as_any_other(nanoseconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = [nanoseconds, nanoseconds + 1_000_000, nanoseconds + 2_000_000_000, nanoseconds]
    clock = iter(ticks)
    monkeypatch.setattr("time.time_ns", lambda: next(clock))
    tell = timestamps(utc_now)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert [tell() for _ in ticks] == [
        spelled(epoch + timedelta(microseconds=tick // 1000)) for tick in ticks
    ]
