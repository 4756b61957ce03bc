"""``demo``: runs the applications of ``examples/`` and says what to try."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

from ._demo_app import SYSTEMS, together
from ._layout import Commands
from ._servers import SERVERS, CannotServe, address_of, find_server, listen

__all__ = ["add_to", "find_examples", "load_module"]

_HERE: Final = Path(__file__).resolve().parent

# The wheel carries the examples beside this module; in a checkout they are at its top.
_PLACES: Final = (_HERE / "examples", _HERE.parents[1] / "examples")

_WELCOME = """\
The demo runs at {url}

Open that page in a browser, or try it with curl:

  # a stream, one event for each word
  curl -N -X POST '{url}/skills/words?stream=1' --data 'once upon a time'

  # the same handler, the same process, one body
  curl -X POST '{url}/skills/words' --data 'once upon a time'

  # a stream because the client accepts one
  curl -N '{url}/skills/uppercase?input=hello' -H 'Accept: text/event-stream'

  # a process that fails
  curl -i -X POST '{url}/skills/fail'

One handler in the frames of five systems, side by side: {url}{systems}

  # the same words as Hector's clients read them
  curl -N '{url}/agents/assistant/messages/stream' -d '{{"message": "Tell me a story"}}'

It is one file, to copy from: {skills}
The five systems are another: {five}
Ctrl+C ends it.
"""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "demo",
        help="run a small application to try it with",
        description="Runs a skills server whose answers are real processes, streamed or buffered, "
        "a page that shows the events as they come, and another with one handler in the frames of five systems.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=_port, default=8000, help="the port to listen on; 0 is any free one")
    parser.add_argument(
        "--server",
        choices=SERVERS,
        default="uvicorn",
        help="the server that runs it; hypercorn runs it on Trio",
    )
    parser.set_defaults(run=_run)


def _port(word: str) -> int:
    if not (word.isascii() and word.isdigit() and int(word) < 2**16):
        raise argparse.ArgumentTypeError(f"want a number from 0 to 65535, got {word!r}")
    return int(word)


def _run(arguments: argparse.Namespace) -> int:
    serve = find_server(arguments.server)
    examples = find_examples()
    skills, five = examples / "husk_skills.py", examples / "five_systems.py"
    app = together(load_module(skills), load_module(five))
    with listen(arguments.host, arguments.port) as listener:
        print(
            _WELCOME.format(url=address_of(listener), systems=SYSTEMS, skills=skills, five=five), flush=True
        )
        try:
            serve(app, listener)
        except KeyboardInterrupt:
            pass  # the server has ended in good order, and then passes the signal on
    print("\nThe demo has ended.")
    return 0


def find_examples() -> Path:
    """Returns the directory of the examples.

    Raises:
        CannotServe: It is not where it belongs.
    """
    for place in _PLACES:
        if (place / "husk_skills.py").is_file():
            return place
    looked = " or ".join(str(place) for place in _PLACES)
    raise CannotServe(f"the examples are not in {looked}; install sseware again")


def load_module(path: Path) -> ModuleType:
    """Runs a Python file that is not on the import path, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None  # noqa: S101  # the file is there, and ends in .py
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    # Annotations are looked up where the module is.
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
