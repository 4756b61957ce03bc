"""Every example in prose runs, and prints what the prose says it prints; CONTRIBUTING.md explains the marks.

- ``python``: runs in a module of its own; ``python continues`` goes on in the module of the block before it;
- ``text output``: what the Python block before it printed;
- ``console``: after ``$ python -m sseware ...`` stands what it prints, after ``$ curl ... localhost:8000/...``
  what the ``app`` of the Python block before it answers; other commands are not run;
- ``console shown``, ``sh``: nothing is run, but the targets and the subcommands exist.

Output is compared as doctest does it: ``...`` stands for anything. Examples in docstrings are doctests.
"""

from __future__ import annotations

import argparse
import contextlib
import doctest
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import anyio
import httpx
import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMED = (ROOT / f"{name}.md" for name in ("README", "ARCHITECTURE", "CONTRIBUTING"))
DOCUMENTS = [*(path for path in NAMED if path.exists()), *sorted(ROOT.glob("docs/**/*.md"))]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(ROOT.glob("sseware/**/*.py"))
    if path.name != "__main__.py"
]

# CommonMark, section 4.5; a longer fence may hold a shorter one.
FENCED = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<kind>\w*) *(?P<mark>[^\n`]*)\n(?P<text>.*?)^ *(?P=fence)`* *$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\]\((?!\w+:|#)(?P<path>[^)#\s]+)")
OURS = ("http://localhost:8000/", "http://127.0.0.1:8000/")


class Block(NamedTuple):
    """One fenced block; ``line`` is that of its fence."""

    kind: str
    mark: str
    text: str
    line: int


def blocks(document: str) -> Iterator[Block]:
    for found in FENCED.finditer(document):
        text = re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        yield Block(found["kind"], found["mark"].strip(), text, document.count("\n", 0, found.start()) + 1)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console, each with what stands below it."""
    for chunk in re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        command, _, output = chunk.partition("\n")
        yield command, output


def assert_prints(got: str, want: str) -> None:
    got, want = got.strip("\n") + "\n", want.strip("\n") + "\n"
    assert doctest.OutputChecker().check_output(want, got, doctest.ELLIPSIS), f"want\n{want}\ngot\n{got}"


def curl(words: list[str], app: Any) -> str:
    """Asks an application in process what a curl command would ask its server."""
    parser = argparse.ArgumentParser(prog="curl")
    parser.add_argument("url")
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-d", "--data")
    parser.add_argument("-i", "--include", action="store_true")
    parser.add_argument("-N", "--no-buffer", action="store_true")
    parser.add_argument("-s", "--silent", action="store_true")
    asked, unknown = parser.parse_known_args(words)
    assert not unknown, f"curl's {unknown} are not known here"
    method = asked.request or ("GET" if asked.data is None else "POST")
    headers = dict(re.split(r":\s*", header, maxsplit=1) for header in asked.header)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.request(method, asked.url, headers=headers, content=asked.data)

    answer = anyio.run(ask)
    fields = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
    head = f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}\n{fields}\n" if asked.include else ""
    return head + answer.content.decode()


def sseware(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs ``python -m sseware``."""
    command = [sys.executable, "-m", "sseware", *words]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)


def assert_exists(command: str) -> None:
    """A target of make is in the Makefile, and a subcommand has a help."""
    match shlex.split(command, comments=True):
        case ["make", target, *_]:
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"the Makefile has no target {target}"
        case ["sseware", subcommand, *_] | ["python", "-m", "sseware", subcommand, *_]:
            done = sseware(subcommand, "--help")
            assert done.returncode == 0, done.stdout
        case _:
            pass


class Page:
    """A document as far as it has been read."""

    def __init__(self) -> None:
        self.module = ModuleType("prose")
        self.printed = ""

    def read(self, block: Block) -> None:
        match block.kind, block.mark:
            case "python", "" | "continues":
                self.run_python(block)
            case "text", "output":
                assert_prints(self.printed, block.text)
            case "console", "":
                for command, output in commands(block.text):
                    self.run_command(command, output)
            case "console", "shown":
                for command, _ in commands(block.text):
                    assert_exists(command)
            case "sh", "":
                for command in block.text.splitlines():
                    assert_exists(command)
            case (("python" | "console" | "sh"), mark):
                raise AssertionError(f"{mark!r} is not a mark of {block.kind}")

    def run_python(self, block: Block) -> None:
        if not block.mark:
            self.module = ModuleType("prose")
        # Annotations are looked up where the module is.
        sys.modules["prose"] = self.module
        code = compile("\n" * block.line + block.text, "prose", "exec", dont_inherit=True)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, vars(self.module))
        self.printed = printed.getvalue()

    def run_command(self, command: str, output: str) -> None:
        match shlex.split(command, comments=True):
            case ["sseware", *words] | ["python", "-m", "sseware", *words]:
                assert_prints(sseware(*words).stdout, output)
            case ["curl", *words] if any(word.startswith(OURS) for word in words):
                assert_prints(curl(words, self.module.app), output)
            case _:
                assert_exists(command)


def mistakes(document: str) -> list[str]:
    """What a document says that is not so, each with its line."""
    page, found = Page(), []
    for block in blocks(document):
        try:
            page.read(block)
        except (Exception, SystemExit) as exc:
            found.append(f"line {block.line}: {type(exc).__name__}: {exc}")
    sys.modules.pop("prose", None)
    if "```" in FENCED.sub("", document):
        found.append("a fence is not closed")
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_is_true(path: Path) -> None:
    document = path.read_text(encoding="utf-8")
    assert mistakes(document) == []
    linked = [found["path"] for found in LINK.finditer(FENCED.sub("", document))]
    assert [link for link in linked if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_are_true(name: str) -> None:
    runner, report = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS), list[str]()
    for test in doctest.DocTestFinder().find(import_module(name)):
        runner.run(test, out=report.append)
    assert report == []


APP = """```python
async def app(scope, receive, send):
    message = await receive()
    body = scope["method"].encode() + b" " + message["body"]
    headers = [(b"x-seen", dict(scope["headers"]).get(b"x-say", b"nothing"))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
```
"""


@pytest.mark.parametrize(
    ("document", "want"),
    [
        pytest.param("```python\n\n1 / 0\n```", "line 1: ZeroDivisionError", id="an-example-that-raises"),
        pytest.param("```python\nx = 1\n```\n```python\nx\n```", "line 4: NameError", id="two-modules"),
        pytest.param(
            "```python\nprint(1)\n```\n\n```text output\n2\n```", "line 5: Assert", id="wrong-output"
        ),
        pytest.param("- a\n  ```python\n  raise OSError\n  ```", "line 2: OSError", id="in-a-list"),
        pytest.param("```python runs\n```", "line 1: AssertionError: 'runs' is not", id="an-unknown-mark"),
        pytest.param("```python\n1\n", "a fence is not closed", id="an-open-fence"),
        pytest.param("```sh\nmake haste\n```", "line 1: AssertionError: the Makefile", id="a-missing-target"),
        pytest.param("```sh\nsseware dance\n```", "line 1: AssertionError", id="a-missing-subcommand"),
        pytest.param(
            "```console shown\n$ sseware dance\n```", "line 1: Assertion", id="also-where-only-shown"
        ),
        pytest.param("```console\n$ python -m sseware --help\nNo.\n```", "line 1: Asser", id="wrong-help"),
        pytest.param(
            f"{APP}```console\n$ curl {OURS[0]}\nGOT\n```", "line 9: AssertionError", id="wrong-bytes"
        ),
        pytest.param(f"```console\n$ curl {OURS[0]}\n```", "line 1: AttributeError", id="no-app"),
        pytest.param(
            f"{APP}```console\n$ curl {OURS[0]} --fast\n```", "line 9: AssertionError: curl's", id="no-option"
        ),
    ],
)
def test_a_planted_mistake_is_found(document: str, want: str) -> None:
    (found,) = mistakes(document)
    assert found.startswith(want)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("```python\nx = 1\n```\n```python continues\nx\n```", id="continues"),
        pytest.param("```python\nprint('ab')\n```\n```text output\na...\n```", id="an-ellipsis"),
        pytest.param("````text\n```python\n1 / 0\n```\n````", id="a-fence-within-a-fence"),
        pytest.param("```text\nanything\n```\n```json\n{]\n```", id="other-kinds"),
        pytest.param("```sh\nmake demo PYTHON=x  # starts it\ngit clone x\n```", id="commands-of-others"),
        pytest.param("```console\n$ python -m sseware dialects\nPLUGIN...husk...\n```", id="our-output"),
        pytest.param("```sh\npython -m sseware demo --port 80\n```", id="our-subcommand"),
        pytest.param(f"{APP}```console\n$ curl -sN {OURS[0]}\nGET \n```", id="curl"),
        pytest.param(f"{APP}```console\n$ curl {OURS[1]} \\\n    -d 'a b'\nPOST a b\n```", id="curl-posts"),
        pytest.param(
            f"{APP}```console\n$ curl -i -X PUT -H 'X-Say: hi' {OURS[0]}\n"
            "HTTP/1.1 200 OK\nx-seen: hi\n\nPUT \n$ make help\n```",
            id="curl-shows-headers",
        ),
    ],
)
def test_what_is_true_is_let_pass(document: str) -> None:
    assert mistakes(document) == []


def test_a_planted_false_example_in_a_docstring_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    liar = ModuleType("liar", ">>> 1 + 1\n3\n")
    monkeypatch.setitem(sys.modules, "liar", liar)
    with pytest.raises(AssertionError, match="Expected"):
        test_the_examples_in_docstrings_are_true("liar")
