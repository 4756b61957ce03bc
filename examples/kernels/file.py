#!/usr/bin/env python3
"""A kernel: reads the name of a file and makes that file: a picture for ``.svg``, a text for any other.

Where it is written is not for its input to say: whoever runs the kernel gives the path in HUSK_OUTPUT_FILE. What it
prints is the note that goes with the file.
"""

import os
import re
import sys
from html import escape
from pathlib import Path

PICTURE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 160" role="img" aria-label="{name}">
  <rect width="480" height="160" rx="12" fill="#1f3a5f"/>
  <text x="240" y="92" font-family="sans-serif" font-size="34" fill="#fff" text-anchor="middle">{name}</text>
</svg>
"""

# The name travels in a header and may be a path in the end: no directory, no hidden file, nothing unprintable.
FILE_NAME = re.compile(r"\w[\w .-]{0,99}", re.ASCII)

with open(0, encoding="utf-8", errors="replace") as stdin:
    name = stdin.read(1000).strip()
if not FILE_NAME.fullmatch(name):
    sys.exit(f"want the name of a file, such as card.svg, got {name!r}")
if "HUSK_OUTPUT_FILE" not in os.environ:
    sys.exit("HUSK_OUTPUT_FILE is not set: there is nowhere to write to")

content = PICTURE.format(name=escape(name)) if name.endswith(".svg") else f"This is {name}.\n"
Path(os.environ["HUSK_OUTPUT_FILE"]).write_text(content, encoding="utf-8")
sys.stdout.write(f"made {name}, {len(content)} bytes\n")
