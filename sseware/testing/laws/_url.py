"""The laws of live endpoints: what a client can see of a stream that nobody here has written."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from ...wire import EventStreamParser, content_type_essence
from .._comments import CommentReader
from .._seen import ResponseHeaders
from ..errors import LawSkipped
from ._app import FORGED
from ._heads import caching_problem, proxy_problem, stream_head_problem, vary_problem
from ._law import MUST, SHOULD, Broken, law
from ._url_run import UrlTarget, ask, connection_to, stream_of, target_of

__all__ = ["URL_LAWS"]

_LATE: Final = 0.5
_FIRST_BYTE: Final = 2.0
_LONGEST_SILENCE: Final = 60.0
_HINT: Final = "leave text/event-stream out of compression, or flush after each event"


def _target(target: Any) -> UrlTarget:
    return target if isinstance(target, UrlTarget) else UrlTarget(target)


def _check_head(target: Any, problem_of: Callable[[Mapping[str, str]], str | None]) -> None:
    answer = stream_of(_target(target))
    if problem := problem_of(answer.headers):
        raise Broken(problem, headers=dict(answer.headers))


@law(
    "url/head-of-stream",
    MUST,
    "A stream has the status 200, the type text/event-stream, and no length.",
    "WHATWG HTML 9.2.2; FAULTS H4, H5",
)
def _head_of_stream(target: Any, _: None) -> None:
    answer = _target(target).plain
    if problem := stream_head_problem(answer.status, answer.headers):
        where = {"location": answer.headers["location"]} if "location" in answer.headers else {}
        raise Broken(problem, **where, body=repr(answer.body[:200]))


@law(
    "url/framing",
    MUST,
    "The body is UTF-8 and ends as HTTP wants it, with nothing unfinished; what comes is events and comments.",
    "WHATWG HTML 9.2.5; RFC 9112 6, 7",
)
def _framing(target: Any, _: None) -> None:
    answer = stream_of(_target(target))
    if answer.ending == "cut":
        raise Broken(f"the body was cut off after {len(answer.body)} bytes", end=repr(answer.body[-100:]))
    if "content-encoding" in answer.headers:
        raise LawSkipped(f"the body is compressed: {answer.headers['content-encoding']}")
    parser = EventStreamParser(max_event_size=None)
    events = parser.feed(answer.body)
    left = parser.close()
    if answer.ending == "complete" and left is not None:
        raise Broken("the stream ends in the middle of an event, which clients drop", left=left)
    if answer.ending == "complete":
        _check_utf_8(answer.body)
    if answer.body and not events and not CommentReader().feed(answer.body) and len(answer.chunks) > 1:
        raise Broken(
            "bytes come, and neither an event nor a comment is in them", body=repr(answer.body[:200])
        )


def _check_utf_8(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Broken(f"the body is not UTF-8: {error}") from error


@law(
    "url/first-byte",
    SHOULD,
    "Something of the body comes within two seconds, so that nobody on the way gives up or waits.",
    "FAULTS X2",
)
def _first_byte(target: Any, _: None) -> None:
    target = _target(target)
    answer = stream_of(target)
    first = answer.chunks[0][0] if answer.chunks else None
    if first is None:
        raise Broken(
            f"no byte of the body came in {answer.seconds:.1f} s", head=f"after {answer.head_at:.2f} s"
        )
    if first > _FIRST_BYTE:
        raise Broken(f"the first byte of the body came after {first:.1f} s")


@law(
    "url/keepalive",
    SHOULD,
    "A silent stream sends a comment after at most a minute.",
    "WHATWG HTML 9.2.7; FAULTS C1",
    needs=("a minute of listening: --seconds 65",),
)
def _keepalive(target: Any, _: None) -> None:
    answer = stream_of(_target(target))
    at = [0.0, *(when for when, _ in answer.chunks)]
    if answer.ending is not None:
        raise LawSkipped(f"the stream ended after {answer.seconds:.1f} s")
    longest = max(late - early for early, late in pairwise([*at, answer.seconds]))
    if longest > _LONGEST_SILENCE + 2:
        raise Broken(f"it was silent for {longest:.0f} s, and nothing told that it lives")
    comments = CommentReader().feed(answer.body)
    if not comments and answer.seconds < _LONGEST_SILENCE:
        raise LawSkipped(f"listened for {answer.seconds:.0f} s only, and heard none; --seconds 65 would tell")


@law(
    "url/caching",
    SHOULD,
    "No cache may keep a stream: Cache-Control has no-store or no-cache.",
    "RFC 9111 5.2.2; FAULTS H3",
)
def _caching(target: Any, _: None) -> None:
    _check_head(target, caching_problem)


@law(
    "url/proxies",
    SHOULD,
    "No proxy may hold a stream back or change it: Cache-Control: no-transform, and X-Accel-Buffering: no.",
    "RFC 9111 5.2.2.6; FAULTS H3, H4",
)
def _proxies(target: Any, _: None) -> None:
    _check_head(target, proxy_problem)


@law(
    "url/compression",
    MUST,
    "A client that takes gzip gets each event as soon as one that does not: no middleware gathers a stream.",
    "RFC 9110 8.4; FAULTS H7",
    needs=("a stream that lasts, or has pauses",),
)
def _compression(target: Any, _: None) -> None:
    target = _target(target)
    plain = [at for at, *_ in stream_of(target).events()]
    if not plain:
        raise LawSkipped(f"no event came within {target.seconds:g} s, so that none can be late")
    answer = ask(target, {"Accept-Encoding": "gzip"})
    packed = [at for at, *_ in answer.events()]
    for number, at in enumerate(plain):
        came = packed[number] if number < len(packed) else None
        if answer.ending is None and came is None and at > answer.seconds - _LATE:
            return  # it may have been on its way
        if came is None or came > at + _LATE:
            when = f"after {came:.1f} s" if came is not None else f"not within {answer.seconds:.1f} s"
            raise Broken(
                f"with Accept-Encoding: gzip event {number + 1}, due after {at:.1f} s, came {when}: "
                "a GZip middleware holds events back",
                hint=_HINT,
            )


@law(
    "url/head",
    MUST,
    "HEAD answers with the head of GET and no body, and leaves the connection as good as it was.",
    "RFC 9110 9.3.2; FAULTS H9",
)
def _head(target: Any, _: None) -> None:
    target = _target(target)
    kind = content_type_essence(stream_of(target).headers.get("content-type"))
    connection = connection_to(target)
    fields = {"Accept": "text/event-stream", **target.headers}
    try:
        connection.request("HEAD", target_of(target.url), headers=fields)
        response = connection.getresponse()
        response.read()
        if response.status in (405, 501):
            raise LawSkipped(f"HEAD is refused with {response.status}")
        if content_type_essence(response.getheader("content-type")) != kind:
            raise Broken("HEAD has another content type than GET", got=dict(response.getheaders()))
        if not response.will_close:
            connection.request("HEAD", target_of(target.url), headers=fields)
            connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        raise Broken(
            f"HEAD, or a request on the same connection after it, got no answer: {error!r}"
        ) from error
    finally:
        connection.close()


@law(
    "url/vary",
    MUST,
    "Where Accept decides what is answered, each of the answers has Vary: Accept.",
    "RFC 9110 12.5.5; FAULTS H2",
)
def _vary(target: Any, _: None) -> None:
    target = _target(target)
    stream_of(target)
    heads: list[tuple[str, int, ResponseHeaders]] = []
    for accept in ("text/event-stream", "application/json", "*/*"):
        answer = ask(target, {"Accept": accept}, most=1)
        heads.append((accept, answer.status, answer.headers))
    if problem := vary_problem(heads):
        raise Broken(problem)


@law(
    "url/injection",
    MUST,
    "What a client asks with makes no event of its own: line ends in a parameter stay data.",
    "WHATWG HTML 9.2.5; FAULTS E1-E3",
    needs=("a URL with a query, as in /chat?name=x",),
)
def _injection(target: Any, _: None) -> None:
    target = _target(target)
    parts = urlsplit(target.url)
    asked_for = parse_qsl(parts.query, keep_blank_values=True)
    if not asked_for:
        raise LawSkipped("the URL has no query whose values could come back; give it one, as in /chat?name=x")
    stream_of(target)
    for number, (name, value) in enumerate(asked_for):
        for end in ("\n", "\r", "\r\n"):
            forged = f"{value}{end}event: {FORGED}{end}data: {FORGED}{end}{end}"
            pairs = [*asked_for[:number], (name, forged), *asked_for[number + 1 :]]
            answer = ask(target, url=parts._replace(query=urlencode(pairs)).geturl(), most=20)
            if answer.is_stream and any(kind == FORGED for _, kind, *_ in answer.events()):
                raise Broken(f"the parameter {name!r} made an event of its own", sent=repr(forged))


@law(
    "url/resume",
    MUST,
    "A client that was cut off and comes back with Last-Event-ID has everything, once, and in order.",
    "WHATWG HTML 9.2.4; FAULTS B1, B2",
    needs=("events with ids, and a stream that is the same twice",),
)
def _resume(target: Any, _: None) -> None:
    target = _target(target)
    whole = [rest for _, *rest in stream_of(target).events()]
    if len(whole) < 2 or not whole[0][2]:
        raise LawSkipped("there are no two events with ids, so that a client cannot tell where it was")
    twice = [rest for _, *rest in ask(target).events()]
    if twice[:2] != whole[:2]:
        raise LawSkipped("the stream is not the same twice, so that nobody can tell what is missing")
    after = [rest for _, *rest in ask(target, {"Last-Event-ID": whole[0][2]}).events()]
    if not after or after[0][:2] != whole[1][:2]:
        raise Broken(
            f"after the first event, with Last-Event-ID {whole[0][2]!r}, it goes on elsewhere",
            got=after[:2],
            want=whole[1:3],
        )


URL_LAWS: Final = (
    _head_of_stream,
    _framing,
    _first_byte,
    _keepalive,
    _caching,
    _proxies,
    _compression,
    _head,
    _vary,
    _injection,
    _resume,
)
"""In the order in which they are told."""
