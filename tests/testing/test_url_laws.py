"""The laws of live endpoints, held against small servers that do one thing wrong each."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from sseware.errors import ConfigurationError
from sseware.testing import laws
from sseware.testing.errors import LawBroken, LawSkipped

EVENTS = (b"id: 1\ndata: a\n\n", b"id: 2\ndata: b\n\n", b"id: 3\ndata: c\n\n")
GOOD = {
    "content-type": "text/event-stream",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
}


class Request(BaseHTTPRequestHandler):
    """One request; what it is answered with is the business of a function."""

    protocol_version = "HTTP/1.1"
    answer: Callable[[Request], None]

    def do_GET(self) -> None:
        type(self).answer(self)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass

    def head(self, status: int = 200, **fields: str | None) -> None:
        self.send_response(status)
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        for name, value in {**GOOD, "transfer-encoding": "chunked", **named}.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def rest(self, chunks: tuple[bytes, ...]) -> None:
        if self.command == "GET":
            for each in chunks:
                if each:
                    self.chunk(each)
            self.chunk(b"")


@contextmanager
def serving(
    answer: Callable[[Request], None], *, query: str = "", seconds: float = 2.0
) -> Iterator[laws.UrlTarget]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Mine", (Request,), {"answer": answer}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/{query}"
        yield laws.UrlTarget(url, seconds=seconds, timeout=2.0)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def good(request: Request) -> None:
    """Resumes, escapes, and answers HEAD with a head."""
    request.head()
    last = int(request.headers.get("last-event-id", "0"))
    name = parse_qs(urlsplit(request.path).query).get("name", [""])[0]
    lines = [b"data: %s\n" % line.encode() for line in name.splitlines()]
    request.rest((*EVENTS[last:], b"".join([*lines, b"\n"]) if lines else b""))


def test_a_good_endpoint_keeps_all_that_can_be_judged() -> None:
    with serving(good, query="?name=x") as target:
        grades = {verdict.law.id: verdict.grade for verdict in laws.judge(laws.url(), target)}
    assert grades.pop("url/keepalive") == "SKIPPED"  # its stream ends
    assert set(grades.values()) == {"OK"}


def wrong_type(request: Request) -> None:
    request.head(content_type="application/json")
    request.rest((b"{}",))


def wrong_charset(request: Request) -> None:
    request.head(content_type="text/event-stream; charset=latin-1")
    request.rest(EVENTS)


def with_length(request: Request) -> None:
    body = b"".join(EVENTS)
    request.head(transfer_encoding=None, content_length=str(len(body)))
    request.wfile.write(body)


def moved(request: Request) -> None:
    request.head(status=307, location="/elsewhere")
    request.rest(())


def cut_off(request: Request) -> None:
    request.head()
    request.chunk(EVENTS[0])
    request.close_connection = True


def unfinished(request: Request) -> None:
    request.head()
    request.rest((EVENTS[0], b"data: b\n"))


def latin(request: Request) -> None:
    request.head()
    request.rest(("data: é\n\n".encode("latin-1"),))


def no_events(request: Request) -> None:
    request.head()
    for _ in range(3):
        request.chunk(b'{"token": "a"}')
        time.sleep(0.05)
    request.chunk(b"")


def silent(request: Request) -> None:
    request.head()
    request.wfile.flush()
    time.sleep(1.0)


def bare(request: Request) -> None:
    request.head(cache_control=None, x_accel_buffering=None)
    request.rest(EVENTS)


def gathered(request: Request) -> None:
    """A GZip middleware that flushes when all is said."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return good(request)
    request.head(content_encoding="gzip")
    time.sleep(1.0)
    request.rest((gzip.compress(b"".join(EVENTS)),))
    return None


def not_gzip(request: Request) -> None:
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return good(request)
    request.head(content_encoding="gzip")
    request.rest(EVENTS)
    return None


def head_streams(request: Request) -> None:
    if request.command == "GET":
        return good(request)
    request.head()
    time.sleep(3.0)
    request.close_connection = True
    return None


def head_of_another_type(request: Request) -> None:
    if request.command == "GET":
        return good(request)
    return request.head(content_type="text/html", transfer_encoding=None, content_length="0")


def no_vary(request: Request) -> None:
    if "event-stream" in request.headers.get("accept", ""):
        return good(request)
    request.head(content_type="application/json", vary="Origin")
    request.rest((b"{}",))
    return None


def echoes(request: Request) -> None:
    request.head()
    name = parse_qs(urlsplit(request.path).query).get("name", [""])[0]
    request.rest((f"data: hello {name}\n\n".encode(),))


def starts_again(request: Request) -> None:
    request.head()
    request.rest(EVENTS)


BAD: dict[Callable[[Request], None], tuple[str, str]] = {
    wrong_type: ("url/head-of-stream", "the content type is 'application/json'"),
    wrong_charset: ("url/head-of-stream", "the charset is 'latin-1'"),
    with_length: ("url/head-of-stream", "there is a Content-Length of"),
    moved: ("url/head-of-stream", "the status is 307"),
    cut_off: ("url/framing", "the body was cut off after 15 bytes"),
    unfinished: ("url/framing", "ends in the middle of an event"),
    latin: ("url/framing", "the body is not UTF-8"),
    no_events: ("url/framing", "neither an event nor a comment"),
    silent: ("url/first-byte", "no byte of the body came in"),
    bare: ("url/caching", "Cache-Control is None"),
    gathered: ("url/compression", "a GZip middleware holds events back"),
    not_gzip: ("url/compression", "the content coding is gzip, and the body is not"),
    head_streams: ("url/head", "HEAD, or a request on the same connection after it, got no answer"),
    head_of_another_type: ("url/head", "HEAD has another content type"),
    no_vary: ("url/vary", "has no Vary: Accept"),
    echoes: ("url/injection", "the parameter 'name' made an event of its own"),
    starts_again: ("url/resume", "goes on elsewhere"),
}


@pytest.mark.parametrize("answer", BAD, ids=lambda answer: answer.__name__)
def test_what_is_wrong_is_told(answer: Callable[[Request], None]) -> None:
    law, told = BAD[answer]
    with serving(answer, query="?name=x", seconds=0.6) as target, pytest.raises(LawBroken) as caught:
        laws.check(law, target)
    assert told in str(caught.value)


def test_headers_that_a_proxy_needs_are_told_by_name() -> None:
    with serving(bare) as target, pytest.raises(LawBroken, match="no X-Accel-Buffering: no") as caught:
        laws.check("url/proxies", target)
    assert "no Cache-Control: no-transform" in str(caught.value)


def test_an_endpoint_that_is_not_there_is_told_once() -> None:
    with serving(good) as target:
        url = target.url
    verdicts = list(laws.judge(laws.url(), laws.UrlTarget(f"{url}?a=b", timeout=1.0)))
    assert [verdict.grade for verdict in verdicts] == ["FAILED", *["SKIPPED"] * (len(verdicts) - 1)]
    assert "no answer from" in verdicts[0].reason


def brotli(request: Request) -> None:
    request.head(content_encoding="br")
    request.rest(EVENTS)


def refuses_head(request: Request) -> None:
    if request.command == "HEAD":
        request.head(status=405, transfer_encoding=None, content_length="0")
    else:
        good(request)


def changes(request: Request) -> None:
    request.head()
    request.rest((b"id: 1\ndata: %d\n\n" % time.monotonic_ns(), EVENTS[1]))


@pytest.mark.parametrize(
    ("answer", "law", "told"),
    [
        pytest.param(brotli, "url/framing", "the body is compressed: br", id="another-coding-framing"),
        pytest.param(brotli, "url/compression", "the content coding 'br'", id="another-coding"),
        pytest.param(silent, "url/compression", "no event came within", id="nothing-to-compress"),
        pytest.param(silent, "url/keepalive", "--seconds 65 would tell", id="a-short-silence"),
        pytest.param(refuses_head, "url/head", "HEAD is refused with 405", id="no-head"),
        pytest.param(changes, "url/resume", "not the same twice", id="another-stream-each-time"),
        pytest.param(silent, "url/resume", "no two events with ids", id="no-ids"),
        pytest.param(good, "url/injection", "the URL has no query", id="no-query"),
        pytest.param(wrong_type, "url/caching", "the answer is no event stream", id="no-stream"),
    ],
)
def test_what_cannot_be_judged_is_skipped_with_its_reason(
    answer: Callable[[Request], None], law: str, told: str
) -> None:
    with serving(answer, seconds=0.4) as target, pytest.raises(LawSkipped, match=told):
        laws.check(law, target)


def test_a_flushed_gzip_stream_is_a_good_one() -> None:
    def flushed(request: Request) -> None:
        packer = zlib.compressobj(wbits=31)
        request.head(content_encoding="gzip")
        request.rest(tuple(packer.compress(each) + packer.flush(zlib.Z_SYNC_FLUSH) for each in EVENTS))

    with serving(flushed) as target:
        laws.check("url/compression", target)
        assert len(target.plain.events()) == 3


@pytest.mark.parametrize("url", ["localhost", "ftp://x/", "http://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="want a URL such as"):
        laws.UrlTarget(url)


def test_a_url_may_be_given_as_text() -> None:
    with serving(good) as target:
        laws.check("url/framing", target.url)
        assert repr(target) == f"UrlTarget({target.url!r})"
