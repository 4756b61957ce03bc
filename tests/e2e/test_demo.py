"""The demo, from its command to its answers, as the documents promise them."""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.e2e.demo import Demo, running_demo
from tests.e2e.servers import Client, children, is_alive, needs_proc

UPPERCASE = b'event: stdout\ndata: HELLO\n\nevent: done\ndata: {"ok":true,"exitCode":0}\n\n'
TEXT = "text/plain; charset=utf-8"
STREAM = "text/event-stream; charset=utf-8"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("elsewhere")) as demo:
        yield demo


@pytest.mark.parametrize(
    ("path", "headers", "media_type", "want"),
    [
        pytest.param("uppercase?stream=1", {}, STREAM, UPPERCASE, id="the-flag-asks-for-a-stream"),
        pytest.param(
            "uppercase", {"accept": "text/event-stream"}, STREAM, UPPERCASE, id="accept-asks-for-one"
        ),
        pytest.param("uppercase", {}, TEXT, b"HELLO", id="everybody-else-gets-one-body"),
        pytest.param("uppercase?stream=true", {}, TEXT, b"HELLO", id="true-is-not-1"),
        pytest.param(
            "file?stream=1", {}, "application/octet-stream", b"This is hello.\n", id="a-file-is-whole"
        ),
        pytest.param(
            "file",
            {"accept": "text/event-stream"},
            "application/octet-stream",
            b"This is hello.\n",
            id="a-file-is-whole-whatever-is-accepted",
        ),
    ],
)
def test_a_skill_answers_as_it_is_asked(
    demo: Demo, path: str, headers: dict[str, str], media_type: str, want: bytes
) -> None:
    answer = httpx.post(f"{demo.url}/skills/{path}", content=b"hello", headers=headers)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, media_type, want)


def test_a_get_has_its_input_in_the_query(demo: Demo) -> None:
    answer = httpx.get(f"{demo.url}/skills/uppercase", params={"input": "hello & good-bye"})
    assert answer.text == "HELLO & GOOD-BYE"
    assert httpx.get(f"{demo.url}/skills/uppercase").text == ""


def test_a_file_comes_with_its_name_its_type_and_a_note(demo: Demo) -> None:
    answer = httpx.post(f"{demo.url}/skills/file", content=b" card.svg\n")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-disposition"] == 'inline; filename="card.svg"'
    assert re.fullmatch(r"made card\.svg, \d+ bytes", answer.headers["x-husk-note"])
    assert ">card.svg</text>" in answer.text


def test_a_file_that_must_not_be_made_is_an_error(demo: Demo) -> None:
    answer = httpx.post(f"{demo.url}/skills/file", content=b"../../etc/passwd")
    assert answer.status_code == 500
    assert answer.json()["exitCode"] == 1
    assert "want the name of a file" in answer.json()["stderr"]


def test_a_process_that_fails_is_told_in_each_way(demo: Demo) -> None:
    body = httpx.post(f"{demo.url}/skills/fail")
    assert (body.status_code, body.json()) == (
        500,
        {"error": "kernel exited with code 3", "stderr": "boom\n", "exitCode": 3},
    )
    stream = httpx.post(f"{demo.url}/skills/fail?stream=1")
    assert stream.status_code == 200
    assert stream.text.endswith(
        'event: stderr\ndata: boom\ndata: \n\nevent: done\ndata: {"ok":false,"exitCode":3}\n\n'
    )


@pytest.mark.parametrize("path", ["uppercase", "uppercase?stream=1"])
def test_a_body_that_is_too_large_is_refused(demo: Demo, path: str) -> None:
    answer = httpx.post(f"{demo.url}/skills/{path}", content=b"a" * (2**20 + 1))
    assert answer.status_code == (200 if "stream" in path else 413)
    assert "request body exceeds 1048576 bytes" in answer.text
    assert httpx.post(f"{demo.url}/skills/{path}", content=b"a" * 2**20).text.count("A") == 2**20


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        pytest.param("GET", "/nope", 404, None, id="nothing-there"),
        pytest.param("HEAD", "/skills/nope", 404, None, id="nothing-there-for-head-either"),
        pytest.param("DELETE", "/skills", 405, "GET, HEAD", id="the-list-cannot-be-deleted"),
        pytest.param("PUT", "/skills/words", 405, "GET, HEAD, POST", id="a-skill-cannot-be-replaced"),
        pytest.param("POST", "/", 405, "GET, HEAD", id="nor-the-page"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    demo: Demo, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = httpx.request(method, demo.url + path)
    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)
    said = f"not found: {path}" if status == 404 else f"method {method} not allowed for {path}"
    assert answer.text == ("" if method == "HEAD" else f'{{\n  "error": "{said}"\n}}')


def test_the_list_of_skills_names_what_there_is(demo: Demo) -> None:
    skills = httpx.get(f"{demo.url}/skills").json()
    assert [skill["name"] for skill in skills] == ["uppercase", "words", "fail", "file"]
    assert all(skill["about"] for skill in skills)


def test_the_page_is_one_file_and_loads_nothing_from_elsewhere(demo: Demo) -> None:
    page = httpx.get(demo.url)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    others = re.findall(r"https?://[^'\"\s]+", page.text)
    assert set(others) <= {"http://www.w3.org/2000/svg"}  # the name of a namespace, which nobody loads


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_what_it_says_to_try_works(demo: Demo) -> None:
    commands = [line.strip() for line in demo.said.splitlines() if line.strip().startswith("curl ")]
    answers = [subprocess.check_output([*shlex.split(each), "-s"], timeout=30) for each in commands]
    stream, body, accepted, failure, told = answers
    words = b"".join(b"event: stdout\ndata: %b\ndata: \n\n" % word for word in b"once upon a time".split())
    assert stream == words + b'event: done\ndata: {"ok":true,"exitCode":0}\n\n'
    assert body == b"once\nupon\na\ntime\n"
    assert accepted == UPPERCASE
    assert failure.startswith(b"HTTP/1.1 500 ")
    assert failure.endswith(b'"exitCode": 3\n}')
    assert b'data: {"chunk": "there was a stream."}\n\n' in told
    assert told.endswith(b"data: [DONE]\n\n")


def test_it_says_which_file_to_copy_from(demo: Demo) -> None:
    (path,) = re.findall(r"copy from: (.*)", demo.said)
    assert "async def run_skill(" in Path(path).read_text(encoding="utf-8")
    (other,) = re.findall(r"are another: (.*)", demo.said)
    assert "async def story(" in Path(other).read_text(encoding="utf-8")


def test_the_page_of_the_five_systems_is_beside_it_and_takes_nothing_from_it(demo: Demo) -> None:
    page = httpx.get(f"{demo.url}/systems")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "One handler, five systems" in page.text
    assert httpx.head(f"{demo.url}/systems").content == b""
    assert httpx.get(f"{demo.url}/skills/nope").status_code == 404
    assert httpx.get(f"{demo.url}/agents").status_code == 404


@needs_proc
@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_it_ends_in_good_order_while_it_streams(server: str, tmp_path: Path) -> None:
    """S1."""
    pytest.importorskip(server)
    with ExitStack() as clients:
        with running_demo(tmp_path, "--server", server) as demo:
            client = clients.enter_context(Client(("127.0.0.1", int(demo.url.rpartition(":")[2]))))
            client.ask("/skills/words?stream=1", body=b"word " * 1000)
            client.head()
            assert client.until(b"\n\n").startswith(b"event: stdout\n")
            (kernel,) = children(demo.pid)
        # The client has stayed; it is told goodbye, and that this was all.
        rest = b"".join(chunk for _, chunk in client.chunks())
        assert b": the server is stopping; reconnect\n\nretry: " in rest
    assert not is_alive(kernel)


def test_a_port_that_is_taken_is_one_line_of_complaint() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "sseware", "demo", "--port", port],
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        rf"python -m sseware: cannot listen on 127\.0\.0\.1, port {port}: [^\n]*\n", done.stderr
    )
