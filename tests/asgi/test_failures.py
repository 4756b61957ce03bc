"""What a client is told of an exception."""

from __future__ import annotations

from asyncio import CancelledError

import pytest

from sseware.asgi._failures import failure_of, without
from sseware.errors import BufferedLimitExceeded, InvalidItem, StreamError
from sseware.items import Failure


class HTTPError(Exception):
    """As Starlette's HTTPException."""

    def __init__(self, status_code: int, detail: object = None) -> None:
        self.status_code = status_code
        self.detail = detail


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


SLOW, LARGE = BufferedLimitExceeded("seconds", 60), BufferedLimitExceeded("bytes", 9)


@pytest.mark.parametrize(
    ("exc", "want"),
    [
        pytest.param(ValueError("secret"), Failure("internal error"), id="any-exception-is-redacted"),
        pytest.param(InvalidItem("secret"), Failure("internal error"), id="so-is-one-of-ours"),
        pytest.param(
            StreamError("too fast", code="rate_limit", status=429, retry_after=7),
            Failure("too fast", "rate_limit", 429, 7),
            id="a-stream-error-speaks-for-itself",
        ),
        pytest.param(StreamError(code="busy"), Failure("busy", "busy"), id="or-by-its-code"),
        pytest.param(HTTPError(404, "no such skill"), Failure("no such skill", "not_found", 404), id="4xx"),
        pytest.param(HTTPError(404), Failure("Not Found", "not_found", 404), id="4xx-without-detail"),
        pytest.param(HTTPError(409, {"a": 1}), Failure("Conflict", "conflict", 409), id="4xx-other-detail"),
        pytest.param(HTTPError(502, "db01 is down"), Failure("Bad Gateway", "bad_gateway", 502), id="5xx"),
        pytest.param(HTTPError(499, ""), Failure("error", "error", 499), id="a-status-nobody-knows"),
        pytest.param(HTTPError(200, "secret"), Failure("internal error"), id="a-status-that-is-no-error"),
        pytest.param(SLOW, Failure(str(SLOW), "buffer_limit", 504), id="too-slow"),
        pytest.param(LARGE, Failure(str(LARGE), "buffer_limit", 500), id="too-much"),
    ],
)
def test_a_client_is_told(exc: Exception, want: Failure) -> None:
    """X4."""
    assert failure_of(exc, debug=False) == want


def test_debug_tells_everything() -> None:
    """X4."""
    assert failure_of(ValueError("secret"), debug=True) == Failure("ValueError: secret")


def test_an_exception_that_cannot_be_printed_is_an_internal_error() -> None:
    assert failure_of(Mute(), debug=True) == Failure("internal error")


VALUE, TYPE = ValueError("a"), TypeError("b")


def test_what_is_left_of_a_plain_exception() -> None:
    assert without(VALUE, CancelledError) is VALUE
    assert without(CancelledError(), CancelledError) is None


def test_a_group_of_one_is_that_one() -> None:
    """X9."""
    assert without(ExceptionGroup("g", [ExceptionGroup("h", [VALUE])]), CancelledError) is VALUE


def test_a_group_of_several_stays_a_group() -> None:
    group = ExceptionGroup("g", [VALUE, TYPE])
    left = without(group, CancelledError)
    assert isinstance(left, ExceptionGroup)
    assert left.exceptions == (VALUE, TYPE)


def test_a_cancellation_is_taken_out_of_a_group() -> None:
    """G14."""
    assert without(BaseExceptionGroup("g", [GeneratorExit(), VALUE]), GeneratorExit) is VALUE
    assert without(BaseExceptionGroup("g", [GeneratorExit()]), GeneratorExit) is None
