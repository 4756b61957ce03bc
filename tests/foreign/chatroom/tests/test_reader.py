"""The reader, against the standard."""

from hypothesis import given, settings
from reader import Reader

from sseware.testing import check_prefixes
from sseware.testing.strategies import chunkings, wire_streams


@settings(deadline=None)
@given(wire_streams())
def test_it_reads_a_stream_that_comes_at_once(wire):
    check_prefixes(Reader, [wire])


@settings(deadline=None, max_examples=200)
@given(wire_streams().flatmap(chunkings))
def test_it_reads_a_stream_however_it_is_cut(chunks):
    check_prefixes(Reader, chunks)
