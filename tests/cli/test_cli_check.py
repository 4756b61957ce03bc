"""``check``: grades, reproducers, reports and exit codes, on targets in a directory of their own."""

from __future__ import annotations

import io
import json
import signal
import sys
import threading
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from sseware import EventStreamParser
from sseware.cli import main
from sseware.cli._check_report import ProgressBar
from sseware.testing import laws

MINE = '''
import zlib

import anyio

from sseware import EventStreamParser, SSEMiddleware


def parse(chunks):
    parser = EventStreamParser()
    for chunk in chunks:
        yield from parser.feed(chunk)


def keeps_bom(chunks):
    parser = EventStreamParser()
    parser.feed(b": a comment takes the place of the start\\n")
    for chunk in chunks:
        yield from parser.feed(chunk)


def unlimited(chunks):
    parser = EventStreamParser(max_event_size=None)
    for chunk in chunks:
        yield from parser.feed(chunk)


NUMBER = 7


def loops(chunks):
    while True:
        pass


async def loops_too(chunks):
    while True:
        try:
            chunks.remove(b"nothing")
        except Exception:
            pass
    yield


async def ticks(scope, receive):
    if scope["path"] == "/late":
        yield "x"
        raise RuntimeError("in the middle")
    for number in range(3):
        yield str(number)
        await anyio.sleep(1)


app = SSEMiddleware(ticks, dialect="husk")


async def zipped(scope, receive, send):
    """A naive GZip middleware: what it has compressed comes out when there is enough of it."""
    packer = zlib.compressobj(wbits=31)

    async def send_packed(message):
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"content-encoding", b"gzip")]
        else:
            body = packer.compress(message["body"])
            message = {**message, "body": body if message.get("more_body") else body + packer.flush()}
        await send(message)

    takes = b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b"")
    await app(scope, receive, send_packed if takes else send)
'''


@pytest.fixture(autouse=True)
def _mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("h4_mine.py").write_text(MINE)
    tmp_path.joinpath("h4_broken.py").write_text("import nothing_of_that_name\n")
    tmp_path.joinpath("h4_raises.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("h4_mine", "h4_broken", "h4_raises"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_good_parser_passes(capsys: pytest.CaptureFixture[str]) -> None:
    law = ["--law", "parser/bom-once", "--law", "parser/nul-id"]
    assert main(["check", "parser", "h4_mine:parse", *law]) == 0
    assert capsys.readouterr().out == (
        "parser h4_mine:parse\n\n"
        "OK       parser/bom-once  One byte order mark at the start is dropped, and no other one.\n"
        "OK       parser/nul-id    An id with a NUL in it is ignored, and the one before stays.\n"
        "\n2 OK\n"
    )


def test_a_broken_law_is_shown_with_a_test_that_can_be_pasted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "parser", "h4_mine:keeps_bom", "--law", "parser/bom-once"]) == 1
    out = capsys.readouterr().out
    assert "FAILED   parser/bom-once" in out
    assert "         MUST, WHATWG HTML 9.2.5\n         the events differ from the standard's\n" in out
    shown = out[out.index("             from h4_mine") : out.index("\n1 FAILED")]
    code = "\n".join(line[13:] for line in shown.split("\n"))
    scope: dict[str, object] = {}
    exec(code, scope)
    with pytest.raises(AssertionError, match="parser/bom-once"):
        scope["test_parser_bom_once"]()  # type: ignore[operator]  # what exec has put there


def test_a_should_is_told_and_fails_where_it_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["check", "parser", "h4_mine:unlimited", "--law", "parser/bounded-event"]
    assert main(command) == 0
    assert "SHOULD   parser/bounded-event" in capsys.readouterr().out
    assert main([*command, "--strict"]) == 1


@pytest.mark.parametrize("name", ["loops", "loops_too"])
def test_a_parser_that_loops_for_ever_is_broken_off_where_it_stands(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["--law", "parser/agrees", "--law", "parser/bom-once", "--law", "parser/nul-id"]
    began = time.monotonic()
    assert main(["check", "parser", f"h4_mine:{name}", *names, "--timeout", "0.5"]) == 1
    assert time.monotonic() - began < 60
    out = capsys.readouterr().out
    assert "FAILED   parser/agrees" in out
    assert f"         it took longer than 0.5 s, and was broken off in {name} (" in out
    assert "         hint: does it loop, or wait, without taking the next chunk" in out
    assert "SKIPPED  parser/nul-id    parser/agrees did not end; mend that first" in out
    assert f"laws.check('parser/agrees', {name}, [" in out
    assert out.endswith("\n1 FAILED, 2 SKIPPED\n")
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_where_there_is_no_signal_there_is_no_deadline() -> None:
    verdicts: list[laws.Verdict] = []

    def judge() -> None:
        verdicts.extend(laws.judge([laws.get("parser/bom-once")], EventStreamParser, timeout=1e-6))

    thread = threading.Thread(target=judge)
    thread.start()
    thread.join()
    assert [verdict.grade for verdict in verdicts] == ["OK"]


def test_a_naive_gzip_middleware_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "app", "h4_mine:zipped", "--path", "/x?stream=1", "--law", "app/compression"]) == 1
    out = capsys.readouterr().out
    assert "a GZip middleware holds events back" in out
    assert "laws.check('app/compression', laws.AppTarget(app=zipped, path='/x?stream=1'))" in out


def test_an_app_is_asked_as_the_command_line_says(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--dialect", "husk", "--failing-after", "/late", "--header", "Accept: text/event-stream"]
    options += ["--method", "post", "--data", "{}"]
    names = ["--law", "app/error-after-start", "--law", "app/head", "--law", "app/messages"]
    assert main(["check", "app", "h4_mine:app", *options, *names]) == 0
    out = capsys.readouterr().out
    assert "OK       app/error-after-start" in out
    assert "SKIPPED  app/head               the stream is asked for with POST" in out


def test_a_dialect_is_checked_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "dialect", "husk", "--law", "dialect/truncated"]) == 0
    assert main(["check", "dialect", "sseware.plugins.ash:Ash", "--law", "dialect/truncated"]) == 0
    assert capsys.readouterr().out.count("OK ") == 2


def test_json_has_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "parser", "h4_mine:keeps_bom", "--law", "parser/bom-once", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["kind"] == "parser"
    assert document["counts"] == {"OK": 0, "SHOULD": 0, "FAILED": 1, "SKIPPED": 0}
    (verdict,) = document["verdicts"]
    assert verdict["law"] == "parser/bom-once"
    assert verdict["level"] == "MUST"
    assert "def test_parser_bom_once" in verdict["reproducer"]


def test_junit_has_a_case_for_each_law(tmp_path: Path) -> None:
    names = ["--law", "parser/bom-once", "--law", "parser/bounded-event", "--law", "parser/nul-id"]
    command = ["check", "parser", "h4_mine:keeps_bom", *names, "--junit", "out.xml"]
    assert main(command) == 1
    suite = ET.parse(tmp_path / "out.xml").getroot()[0]
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "0",
    }
    assert [[child.tag for child in case] for case in suite] == [["failure"], [], []]
    command[2] = "h4_mine:unlimited"
    assert main(["check", "parser", "h4_mine:unlimited", *names, "--junit", "out.xml"]) == 0
    suite = ET.parse(tmp_path / "out.xml").getroot()[0]
    assert [[child.tag for child in case] for case in suite] == [[], ["skipped"], []]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(
            "parser h4_mine",
            "want module:attribute, as in 'myapp.streams:parse', got 'h4_mine'",
            id="no-colon",
        ),
        pytest.param(
            "parser h4_nope:x",
            "there is no module 'h4_nope': looked for 'h4_nope' in the working",
            id="no-module",
        ),
        pytest.param("parser h4_mine:prase", "has no attribute 'prase'; did you mean 'parse'?", id="a-typo"),
        pytest.param(
            "parser h4_mine:zzz",
            "has no attribute 'zzz'; it has EventStreamParser, NUMBER, ",
            id="no-attribute",
        ),
        pytest.param(
            "parser h4_broken:x",
            "cannot be imported: No module named 'nothing_of_that_name'",
            id="it-imports-none",
        ),
        pytest.param(
            "parser h4_raises:x", "cannot be imported: ZeroDivisionError: division by zero", id="it-raises"
        ),
        pytest.param(
            "parser h4_mine:NUMBER", "is no parser: it is 7, which cannot be called", id="no-function"
        ),
        pytest.param(
            "parser h4_mine:parse --law parser/promt",
            "unknown law 'parser/promt'; there are: parser/agrees",
            id="no-law",
        ),
        pytest.param(
            "app h4_mine:app --law parser/prompt",
            "parser/prompt is no law of a target of the kind app",
            id="a-stranger",
        ),
        pytest.param("app h4_mine:app --dialect nope", "unknown dialect 'nope'", id="no-dialect"),
        pytest.param(
            "app h4_mine:app --header x",
            "want a field such as 'Authorization: Bearer x', got 'x'",
            id="no-header",
        ),
        pytest.param("dialect nope", "unknown dialect 'nope'", id="no-dialect-to-check"),
        pytest.param(
            "url localhost", "want a URL such as http://localhost:8000/events, got 'localhost'", id="no-url"
        ),
        pytest.param(
            "url http://x/ --seconds soon", "want a number of seconds above 0, got 'soon'", id="no-number"
        ),
        pytest.param("", "the following arguments are required: WHAT", id="nothing"),
    ],
)
def test_a_command_line_that_makes_no_sense_says_what_was_looked_for(
    words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["check", *words.split()])
    assert caught.value.code == 2
    assert told in capsys.readouterr().err


def test_the_working_directory_is_looked_at_by_the_console_script_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each])
    assert main(["check", "parser", "h4_mine:parse", "--law", "parser/nul-id"]) == 0
    assert "1 OK" in capsys.readouterr().out


def test_a_url_that_does_not_answer_fails(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["check", "url", "http://127.0.0.1:9/", "--timeout", "1", "--law", "url/head-of-stream"]
    assert main(command) == 1
    assert "laws.UrlTarget('http://127.0.0.1:9/', timeout=1.0)" in capsys.readouterr().out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_and_nothing_else_does() -> None:
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        bar = ProgressBar(stream, 2)
        bar.begin(laws.get("parser/agrees"))
        bar.clear()
        bar.begin(laws.get("parser/prompt"))
    assert file.getvalue() == ""
    assert terminal.getvalue() == (
        "\r\x1b[K[........................] 1/2 parser/agrees"
        "\r\x1b[K\r\x1b[K[############............] 2/2 parser/prompt"
    )
