"""``explain``: the decision and its reason, for a request line."""

from __future__ import annotations

import pytest

from sseware.cli import main


def explain(capsys: pytest.CaptureFixture[str], *words: str, want: int = 0) -> dict[str, str]:
    """What is printed, by its first column."""
    assert main(["explain", *words]) == want
    rows: dict[str, str] = {}
    for line in capsys.readouterr().out.splitlines():
        name, value = line[:7].strip(), line[9:]
        rows[name] = f"{rows[name]}\n{value}" if name in rows else value
    return rows


def test_a_flag_of_the_dialect_decides(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(capsys, "GET /skills/x?stream=1", "--accept", "text/html", "--dialect", "husk") == {
        "request": "GET /skills/x?stream=1",
        "accept": "text/html",
        "offers": "husk  text/event-stream (also by ?stream=1), text/plain; buffered by default",
        "answer": "a stream, text/event-stream, in the dialect husk",
        "reason": "The query says stream=1.",
    }


def test_a_client_may_choose_among_the_dialects_that_are_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    said = explain(
        capsys,
        "GET /",
        "--accept",
        "text/event-stream;dialect=plain",
        "--dialect",
        "husk",
        "--dialects",
        "plain, husk",
    )
    assert said["offers"].startswith("husk   text/event-stream (also ")
    assert said[""].startswith("plain  text/event-stream, application/json; ")
    assert said["answer"] == "a stream, text/event-stream, in the dialect plain"


@pytest.mark.parametrize(
    ("line", "want"),
    [
        pytest.param("/x", "GET /x", id="the-path-alone"),
        pytest.param("post /x%20y?z=%20", "POST /x y?z=%20", id="lower-case"),
        pytest.param(" HEAD /x HTTP/1.1 ", "HEAD /x", id="with-a-version"),
        pytest.param("http://localhost:8000/x?y", "GET /x?y", id="a-url"),
        pytest.param("OPTIONS https://localhost", "OPTIONS /", id="a-url-without-a-path"),
    ],
)
def test_a_request_line_may_be_short(line: str, want: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(capsys, line)["request"] == want


@pytest.mark.parametrize("line", ["", "GET", "GET x", "GET /a /b", "GET /x HTTP", "(GET) /"])
def test_what_is_no_request_line_is_a_usage_error(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["explain", line])
    assert ended.value.code == 2
    assert f"want a request line such as 'GET /skills/x?stream=1', got {line!r}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("accepts", "want"),
    [
        pytest.param([], "(none)", id="none"),
        pytest.param(["--accept", ""], "(empty)", id="an-empty-one"),
        pytest.param(["--accept", "a/b", "--accept", "c/d"], "a/b, c/d", id="two-are-joined"),
    ],
)
def test_accept_is_shown_as_it_counts(
    accepts: list[str], want: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = 1 if want == "a/b, c/d" else 0
    assert explain(capsys, "/", *accepts, want=code)["accept"] == want


def test_nothing_acceptable_is_a_406_and_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    said = explain(capsys, "/", "--accept", "image/png", want=1)
    assert said["answer"] == "406 Not Acceptable"
    assert said["reason"] == "Accept takes none of text/event-stream, application/json."


@pytest.mark.parametrize("option", ["--dialect", "--dialects"])
def test_an_unknown_dialect_is_a_usage_error(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["explain", "/", option, "klingon"])
    assert ended.value.code == 2
    assert "error: unknown dialect 'klingon'; there are: " in capsys.readouterr().err
