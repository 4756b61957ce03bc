"""What a dialect may know of a request, and what counts as a dialect."""

from __future__ import annotations

from sseware import Dialect
from sseware.dialects import Plain, StreamContext


def test_a_context_tells_how_long_the_request_has_run() -> None:
    now = 10.0
    context = StreamContext(clock=lambda: now, started=8.5)
    assert context.elapsed() == 1.5
    now = 12.0
    assert context.elapsed() == 3.5


def test_a_dialect_is_what_has_its_methods_and_its_name() -> None:
    assert isinstance(Plain(), Dialect)

    class Nameless:
        open = fold = decoder = Plain.decoder
        default = "stream"

    assert not isinstance(Nameless(), Dialect)
