"""A small skills server: processes behind URLs, streamed or buffered, as the client asks.

``python -m sseware demo`` runs it; any ASGI server does: ``uvicorn --app-dir examples husk_skills:app``.

- ``POST /skills/words`` runs a kernel with the body as its input; ``GET /skills/words?input=once+upon`` does, too.
- ``?stream=1`` or ``Accept: text/event-stream`` streams what it writes; everybody else gets one body.
- ``GET /skills`` lists the skills, and ``/`` is a page that runs them.
"""

from __future__ import annotations

import json
import mimetypes
import os
import sys
from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qs

import anyio

from sseware import SSEMiddleware, kernels
from sseware.asgi import Drain
from sseware.items import Failure, File, Finish
from sseware.plugins.husk import Husk

HERE = Path(__file__).resolve().parent
BODY_LIMIT = 2**20
SECONDS = 30.0


class Skill(NamedTuple):
    """A kernel, what its answer is, and what to try it with."""

    kernel: str
    about: str
    example: str
    output: Literal["text", "json", "file"] = "text"

    @property
    def command(self) -> list[str]:
        """The process that is run for each request."""
        return [sys.executable, str(HERE / "kernels" / self.kernel)]


SKILLS = {
    "uppercase": Skill("uppercase.py", "Prints its input in upper case.", "hello"),
    "words": Skill(
        "words.py", "Prints words one by one, with a pause.", "Once upon a time there was a stream"
    ),
    "fail": Skill("fail.py", "Prints half an answer, complains, exits with 3.", ""),
    "file": Skill("file.py", "Makes a picture (.svg) or a text of that name.", "card.svg", "file"),
}


async def run_skill(skill: Skill, scope: Any, receive: Any) -> AsyncIterator[object] | Iterable[object]:
    """The handler: what it returns yields the items of the answer."""
    text = await read_input(scope, receive)
    if text is None:
        return [Failure(f"request body exceeds {BODY_LIMIT} bytes", "body_too_large", 413)]
    if skill.output == "file":
        return await make_file(skill, text)
    # The kernel is killed when the client leaves: whoever closes this generator closes its process.
    return kernels.run(skill.command, input=text, timeout=SECONDS)


async def make_file(skill: Skill, text: bytes) -> Iterable[object]:
    """Runs a kernel to its end; the file that it was told to write is the answer."""
    name = text.decode(errors="replace").strip()
    with TemporaryDirectory(prefix="husk-") as directory:
        made = anyio.Path(directory, "output")
        env = {**os.environ, "HUSK_OUTPUT_FILE": str(made)}
        items: list[object] = [item async for item in kernels.run(skill.command, input=text, env=env)]
        if items[-1] == Finish():
            media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
            items.insert(0, File(await made.read_bytes(), name, media_type))
    return items


async def read_input(scope: Any, receive: Any) -> bytes | None:
    """Returns the input of a kernel: ``?input=`` of a GET, else the body; ``None`` if that is too large."""
    if scope["method"] == "GET":
        query: bytes = scope["query_string"]
        return parse_qs(query).get(b"input", [b""])[0]
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            return None
        more = message.get("more_body", False)
    return body


# One for all of them: only one hears of the lifespan, and with it of the signal that stops the server.
DRAIN = Drain()
STREAMS = {
    f"/skills/{name}": SSEMiddleware(
        partial(run_skill, skill), dialect=Husk(output=skill.output), drain=DRAIN
    )
    for name, skill in SKILLS.items()
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """The application. A framework would do the routing; here it is spelled out."""
    if scope["type"] != "http":
        # Any of ours answers a lifespan.
        await STREAMS["/skills/words"](scope, receive, send)
        return
    method, path = scope["method"], scope["path"]
    allowed = ("GET", "HEAD", "POST") if path in STREAMS else ("GET", "HEAD")
    if path not in {"/", "/skills", *STREAMS}:
        await say(send, 404, {"error": f"not found: {path}"})
    elif method not in allowed:
        refusal = {"error": f"method {method} not allowed for {path}"}
        await say(send, 405, refusal, (b"allow", ", ".join(allowed).encode()))
    elif path == "/skills":
        await say(send, 200, [{"name": name, **skill._asdict()} for name, skill in SKILLS.items()])
    elif path == "/":
        await say(send, 200, (HERE / "husk_skills.html").read_bytes())
    else:
        await STREAMS[path](scope, receive, send)


async def say(send: Any, status: int, content: object, *headers: tuple[bytes, bytes]) -> None:
    """Sends a page (bytes), or JSON as HUSK indents it."""
    kind = b"text/html" if isinstance(content, bytes) else b"application/json"
    body = content if isinstance(content, bytes) else json.dumps(content, indent=2).encode()
    fields = [
        (b"content-type", kind + b"; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
