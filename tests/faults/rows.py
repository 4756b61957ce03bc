"""The rows of the table of faults: what goes wrong, and whether real servers have a say in it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["SECTIONS", "Row"]


class Row(NamedTuple):
    """One fault.

    Attributes:
        id: As it stands in the docstrings of tests.
        fault: What goes wrong.
        real: Whether it is to be tried over real servers, too.
    """

    id: str
    fault: str
    real: bool = True


SECTIONS: dict[str, list[Row]] = {
    "The encoder": [
        Row("E1", "a line end in an event type", real=False),
        Row("E2", "a line end in an id", real=False),
        Row("E3", "a line end in a comment", real=False),
        Row("E4", "a `retry` that is no number of milliseconds", real=False),
        Row("E5", "line ends in data"),
        Row("E6", "what looks like a line end, and is none"),
        Row("E7", "control characters in an id", real=False),
        Row("E8", "a lone surrogate"),
        Row("E9", "a space, a colon, a byte order mark at the start of a value"),
        Row("E10", "an event that was changed after it was checked", real=False),
        Row("E11", "whatever a handler may yield", real=False),
        Row("E12", "bytes, a code point cut in two among them", real=False),
        Row("E13", "what has no JSON: cycles, depth, keys, huge numbers"),
        Row("E14", "an event that is too large", real=False),
    ],
    "The parser": [
        Row("P1", "any chunks"),
        Row("P2", "a CR at the end of a chunk"),
        Row("P3", "blocks without data", real=False),
        Row("P4", "an empty `data` line", real=False),
        Row("P5", "a NUL in an id"),
        Row("P6", "a `retry` that only looks like a number", real=False),
        Row("P7", "byte order marks", real=False),
        Row("P8", "bytes that are no UTF-8", real=False),
        Row("P9", "a stream that ends within an event"),
        Row("P10", "a line without an end"),
        Row("P11", "an event without an end, of the smallest lines"),
        Row("P12", "a long line in small pieces", real=False),
        Row("P13", "whoever goes on after an error", real=False),
        Row("P14", "an answer that is no event stream"),
    ],
    "Negotiation and HTTP": [
        Row("H1", "`Accept` in every shape: weights, wildcards, missing, malformed, endless"),
        Row("H2", "`Vary: Accept` is missing somewhere"),
        Row("H3", "a stream is cached", real=False),
        Row("H4", "a proxy holds a stream back, a browser guesses its type", real=False),
        Row("H5", "an application sets a length"),
        Row("H6", "an application sets an encoding, an entity tag"),
        Row("H7", "gzip outside or inside"),
        Row("H8", "a `BaseHTTPMiddleware` outside"),
        Row("H9", "`HEAD` on an endless stream"),
        Row("H10", "a status that has no body"),
        Row("H11", "an application breaks the protocol"),
        Row("H12", "what is not HTTP: lifespan, WebSockets, the unknown"),
        Row("H13", "extensions of servers"),
        Row("H14", "a file where a stream was asked for"),
        Row("H15", "an application that streams by itself"),
        Row("H16", "a request body that nobody reads, `100-continue`, a pipelined request"),
    ],
    "The life of a generator": [
        Row("G1", "the client leaves while the handler waits"),
        Row("G2", "the client leaves while a send blocks"),
        Row("G3", "a handler that never awaits"),
        Row("G4", "a task group or a timeout is held over a `yield`"),
        Row("G5", "an `await` in `finally`"),
        Row("G6", "a cancellation that is swallowed"),
        Row("G7", "a `finally` that yields, or raises"),
        Row("G8", "the client leaves before the handler has begun"),
        Row("G9", "the client of a sync generator leaves"),
        Row("G10", "a sync generator that blocks"),
        Row("G11", "a sync generator that raises `StopIteration`", real=False),
        Row("G12", "what else a handler may return", real=False),
        Row("G13", "one generator for two requests"),
        Row("G14", "the close of a generator comes back in a group", real=False),
        Row("G15", "whoever called is cancelled"),
        Row("G16", "something is left to the garbage collector"),
        Row("G17", "what an application does after its stream"),
        Row("G18", "ten thousand clients that come and go"),
    ],
    "Errors": [
        Row("X1", "an exception before the first event"),
        Row("X2", "a slow first event"),
        Row("X3", "an exception in mid-stream"),
        Row("X4", "the text of an exception leaks"),
        Row("X5", "a dialect that raises"),
        Row("X6", "a truncation that looks like an end"),
        Row("X7", "an exception half-way through a buffered answer"),
        Row("X8", "a buffered answer without an end"),
        Row("X9", "groups of exceptions reach the server"),
    ],
    "Sending, pings, slow readers": [
        Row("C1", "a ping races the data"),
        Row("C2", "what a server's `send` does after the client has left"),
        Row("C3", "a `send` that blocks for ever"),
        Row("C4", "a `send` that is cancelled half-way", real=False),
        Row("C5", "two sends at once", real=False),
        Row("C6", "a client that leaves while nothing is sent", real=False),
        Row("C7", "the memory of readers that have stalled"),
        Row("C8", "two that call `receive`"),
    ],
    "Shutdown": [
        Row("S1", "SIGTERM with open streams"),
        Row("S2", "all of them come back at once"),
        Row("S3", "a client that connects while the server stops"),
        Row("S4", "a handler that takes no notice"),
        Row("S5", "readers that have stalled at SIGTERM"),
        Row("S6", "two applications, loops or threads in one process"),
        Row("S7", "the lifespan's shutdown"),
    ],
    "Access and logs": [
        Row("A1", "a token in a query string"),
        Row("A2", "a page of another origin, of none, of `null`"),
        Row("A3", "a page of another site that makes a `GET` do something", real=False),
        Row("A4", "a name of a stranger's that points to this machine"),
        Row("A5", "a credential that expires in mid-stream"),
        Row("A7", "a line of a log that is forged"),
        Row("A8", "a request head as large as can be"),
        Row("A9", "a label of a metric that has as many values as there are topics", real=False),
        Row("B14", "more streams than there may be, in total and for one key"),
    ],
    "Plugins": [
        Row("T1", "a plugin that raises, in each hook"),
        Row("T2", "a dialect that returns what is no event", real=False),
        Row("T7", "a test that fails, or is interrupted, with something open", real=False),
    ],
    "Dialects": [
        Row("D1", "no terminator, two of them, one after an error", real=False),
        Row("D2", "data that look like a terminator", real=False),
        Row("D3", "Hector's sample as it is printed", real=False),
        Row("D4", "the clients that the five documents print"),
        Row("D5", "a process that writes half a code point, a CR, anything"),
        Row("D6", "a process that dies, or whose client leaves"),
        Row("D7", "MachPay's counters", real=False),
        Row("D8", "what a dialect has no shape for", real=False),
    ],
}
