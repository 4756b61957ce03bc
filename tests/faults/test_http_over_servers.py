"""FAULTS, section 3, over real servers: what HTTP asks for, and what passes untouched."""

from __future__ import annotations

import time
import zlib
from contextlib import suppress
from typing import Any

import h11
import pytest

from tests.e2e.servers import PATIENCE
from tests.faults.asking import Client, Site, within
from tests.faults.faulty import ZIPPED


def fields(answer: Any) -> dict[str, str]:
    hidden = {"date", "server", "connection", "transfer-encoding", "via", "alt-svc"}
    return {name: value for name, value in answer.headers.items() if name not in hidden}


@pytest.mark.parametrize(
    ("accept", "status", "media_type"),
    [
        ("text/event-stream", 200, "text/event-stream"),
        ("text/event-stream;q=0.5, application/json", 200, "application/json"),
        ("text/*", 200, "text/event-stream"),
        ("*/*", 200, "text/event-stream"),
        (None, 200, "text/event-stream"),
        ("", 200, "text/event-stream"),
        ("text/event-stream;q=0, */*", 200, "application/json"),
        ("image/png", 406, "application/json"),
        (";;;,,,", 200, "text/event-stream"),
        ("a/b," * 2000, 406, "application/json"),
    ],
)
def test_what_a_client_accepts_decides(site: Site, accept: str | None, status: int, media_type: str) -> None:
    """H1, H2."""
    answer = site.ask("/words", accept=accept)
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (status, media_type)
    assert answer.headers["vary"].lower() == "accept"


def test_every_answer_says_that_it_varies(site: Site) -> None:
    """H2: streams, buffered ones, 406, 500, HEAD; what an application says is kept."""
    for path, accept, method in (
        ("/words", "text/event-stream", "GET"),
        ("/words", "application/json", "GET"),
        ("/words", "image/png", "GET"),
        ("/raises", "text/event-stream", "GET"),
        ("/words", "text/event-stream", "HEAD"),
    ):
        answer = site.ask(path, accept=accept, method=method)
        assert answer.headers["vary"].lower() == "accept", (path, accept, method)
    assert "origin" in site.ask("/etag").headers["vary"].lower()


def test_a_stream_says_that_it_is_not_to_be_kept_or_held_back(site: Site) -> None:
    """H3, H4, H5."""
    answer = site.ask("/words")
    assert answer.headers["cache-control"] == "no-store, no-transform"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    ("path", "name", "value", "body"),
    [
        ("/zipped", "content-encoding", "gzip", ZIPPED),
        ("/etag", "etag", '"1"', b"tagged"),
        ("/lines", "content-type", "application/x-ndjson", b'{"a":1}\n{"b":2}\n'),
    ],
)
def test_what_is_no_stream_of_ours_passes_byte_for_byte(
    site: Site, path: str, name: str, value: str, body: bytes
) -> None:
    """H5, H6, H15."""
    answer = site.ask(path)
    assert answer.headers[name] == value
    assert len(answer.body) == int(answer.headers["content-length"])
    assert answer.body == body


def test_gzip_outside_holds_no_event_back(site: Site) -> None:
    """H7: each arrives within 50 ms."""

    def slowest() -> float:
        key = site.key()
        connection = Client(site.server.address)
        http = h11.Connection(h11.CLIENT)
        asked = [("host", "x"), ("accept", "text/event-stream"), ("accept-encoding", "gzip")]
        request = h11.Request(method="GET", target=f"/gzip?key={key}", headers=asked)
        seen: list[float] = []
        with connection:
            connection._socket.sendall((http.send(request) or b"") + (http.send(h11.EndOfMessage()) or b""))
            unzip, text = zlib.decompressobj(31), b""
            zipped = False
            while not isinstance(event := http.next_event(), h11.EndOfMessage):
                if event is h11.NEED_DATA:
                    http.receive_data(connection._socket.recv(2**16))
                elif isinstance(event, h11.Response):
                    zipped = dict(event.headers).get(b"content-encoding") == b"gzip"
                elif isinstance(event, h11.Data):
                    before = text.count(b"data: ")
                    text += unzip.decompress(event.data) if zipped else bytes(event.data)
                    seen += [time.monotonic()] * (text.count(b"data: ") - before)
        assert text == b"data: a\n\ndata: b\n\ndata: c\n\n"
        yielded = [note.time for note in site.notes(key)]
        return max(arrived - left for arrived, left in zip(seen, yielded, strict=True))

    within(0.05, slowest)


def test_a_BaseHTTPMiddleware_outside_lets_events_and_the_disconnect_pass(site: Site) -> None:
    """H8: within 100 ms."""

    def latency() -> float:
        key = site.key()
        start = time.monotonic()
        client = site.open("/base", key=key)
        client.head()
        client.until(b"data: a\n\n")
        first, left = time.monotonic() - start, time.monotonic()
        client.leave("FIN")
        return max(first, site.wait_note(key, "finally")[-1].time - left)

    within(0.1, latency)


def test_HEAD_says_what_GET_says_and_leaves_the_connection_as_it_was(site: Site) -> None:
    """H9: on one connection."""
    key = site.key()
    with site.raw() as connection:
        http = h11.Connection(h11.CLIENT)
        answers = []
        for method in ("HEAD", "GET"):
            asked = [("host", "x"), ("accept", "text/event-stream")]
            path = f"/words?key={key}" if method == "GET" else f"/busy?key={key}"
            request = h11.Request(method=method, target=path, headers=asked)
            connection.sendall((http.send(request) or b"") + (http.send(h11.EndOfMessage()) or b""))
            answers.append(answer(http, connection))
            http.start_next_cycle()
    (head, nothing), (get, words) = answers
    assert (nothing, words) == (b"", b"data: a\n\ndata: b\n\n")
    assert head.status_code == get.status_code == 200
    kept = (b"content-type", b"cache-control", b"vary")
    assert [dict(head.headers)[name] for name in kept] == [dict(get.headers)[name] for name in kept]
    assert site.notes(key) == [], "no handler was entered"


def answer(http: h11.Connection, connection: Any) -> tuple[h11.Response, bytes]:
    """Reads one answer of a connection that goes on."""
    response, body = None, b""
    while not isinstance(event := http.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            http.receive_data(connection.recv(2**16))
        elif isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            body += event.data
    assert response is not None
    return response, body


@pytest.mark.parametrize(("path", "status"), [("/empty", 204), ("/unmodified", 304)])
def test_a_status_without_a_body_has_none(site: Site, path: str, status: int) -> None:
    """H10: nor a ping."""
    with site.raw() as connection:
        connection.sendall(b"GET %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" % path.encode())
        wire = b""
        while piece := connection.recv(2**16):
            wire += piece
    head, _, body = wire.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert body == b""


@pytest.mark.parametrize("path", ["/never-starts", "/starts-twice", "/body-first"])
def test_an_application_that_breaks_the_protocol_is_answered_for_and_the_next_request_works(
    site: Site, path: str
) -> None:
    """H11."""
    with site.raw() as connection:
        connection.sendall(b"GET %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" % path.encode())
        wire = b""
        # daphne answers, and does not close.
        connection.settimeout(1.0 if site.name == "daphne" else PATIENCE)
        with suppress(TimeoutError):
            while piece := connection.recv(2**16):
                wire += piece
    if path != "/starts-twice":  # its head may be on its way
        assert wire.startswith(b"HTTP/1.1 500") or wire == b""
    assert wire.count(b"HTTP/1.1 ") <= 1
    assert site.ask("/words").body == b"data: a\n\ndata: b\n\n"


def test_a_websocket_passes_untouched(site: Site) -> None:
    """H12."""
    if site.name == "granian":
        pytest.skip("the server of these tests has them switched off")
    client = pytest.importorskip("websockets.sync.client")
    host, port = site.server.address
    with client.connect(f"ws://{host}:{port}/ws") as connection:
        connection.send("hello")
        assert connection.recv(timeout=10) == "hello"


def test_an_early_hint_passes_where_the_server_knows_it(site: Site) -> None:
    """H13: hypercorn does, over HTTP/2."""
    assert site.ask("/hint").body == b"data: a\n\n"
    if not site.name.startswith("hypercorn"):
        return
    connection_module = pytest.importorskip("h2.connection")
    http = connection_module.H2Connection()
    http.initiate_connection()
    asked = [(":method", "GET"), (":scheme", "http"), (":authority", "x"), (":path", "/hint")]
    http.send_headers(1, [*asked, ("accept", "text/event-stream")], end_stream=True)
    kinds: list[str] = []
    with site.raw() as connection:
        connection.sendall(http.data_to_send())
        while "StreamEnded" not in kinds:
            kinds += [type(event).__name__ for event in http.receive_data(connection.recv(2**16))]
            connection.sendall(http.data_to_send())
    order = [kind for kind in kinds if kind.endswith("Received") or kind == "StreamEnded"]
    assert order.index("InformationalResponseReceived") < order.index("ResponseReceived")
    assert "DataReceived" in order


def test_a_file_is_one_body_whatever_was_asked(site: Site) -> None:
    """H14."""
    answer = site.ask("/file")
    assert (answer.status, answer.body) == (200, b"bytes")
    assert answer.headers["content-type"] == "x/y"
    assert answer.headers["content-length"] == "5"
    assert answer.headers["vary"] == "Accept"


def test_a_body_that_nobody_reads_stops_nothing(site: Site) -> None:
    """H16: a megabyte in fifty parts, beside a stream that does not read it; then the next request."""
    with Client(site.server.address) as client:
        client.ask("/unread", method="POST", body=b"x" * 1_000_000, accept="text/event-stream")
        assert client.answer().body == b"data: a\n\ndata: b\n\ndata: c\n\n"
    assert site.ask("/words").status == 200


def test_a_client_that_waits_for_100_is_answered(site: Site) -> None:
    """H16: with ``100 Continue``, or at once."""
    with site.raw() as connection:
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n"
            b"expect: 100-continue\r\ncontent-length: 5\r\n\r\n"
        )
        wire = connection.recv(2**16)
        assert wire.startswith(b"HTTP/1.1 100")
        connection.sendall(b"hello")
        while b"data: hello\n\n" not in wire and (piece := connection.recv(2**16)):
            wire += piece
    assert wire.count(b"data: ") == 1


def test_a_request_that_follows_at_once_is_answered_after_the_stream(site: Site) -> None:
    """H16: pipelined."""
    with site.raw() as connection:
        ask = b"GET %s HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n"
        connection.sendall(ask % b"/unread" + ask % b"/quick")
        wire = b""
        while not wire.endswith(b"quick") and (piece := connection.recv(2**16)):
            wire += piece
    first, _, second = wire.partition(b"0\r\n\r\n")
    assert first.count(b"data: ") == 3
    assert second.endswith(b"quick")
