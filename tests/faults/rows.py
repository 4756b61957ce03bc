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
    ],
}
