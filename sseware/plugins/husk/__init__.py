"""HUSK: a skills server that streams what a kernel writes.

A stream is the kernel's output, as it comes, and its end:

>>> from sseware.dialects import StreamContext
>>> from sseware.items import Finish, Log, Text
>>> from sseware.wire import encode
>>> encoder = Husk().open(StreamContext())
>>> items = (Text("HELLO"), Log("oh"), Finish(False, 3))
>>> events = [event for item in items for event in encoder.encode(item)]
>>> print(b"".join(map(encode, [*events, *encoder.finish()])).decode(), end="")
event: stdout
data: HELLO
<BLANKLINE>
event: stderr
data: oh
<BLANKLINE>
event: done
data: {"ok":false,"exitCode":3}
<BLANKLINE>

Where we differ from HUSK, and why:

1. ``Accept`` is negotiated by RFC 9110; HUSK looks for ``text/event-stream`` in it, and streams to a client that
   excludes it (``q=0``).
2. A CRLF that is cut between two pieces of output is one line end, as it is in one piece; HUSK's client reads two.
   All line ends are LF to whoever reads the stream: the wire format has no other. The buffered body has them as
   they were.
3. The failure of a handler tells its client no more than `StreamError` allows.
4. A file's name that is not plain ASCII is given in full, by ``filename*``; a note has ``?`` for what is none.
"""

from __future__ import annotations

from ._dialect import Husk, sseware_dialects

__all__ = ["Husk", "sseware_dialects"]
