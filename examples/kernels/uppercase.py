#!/usr/bin/env python3
"""A kernel: prints what it reads in upper case, line by line."""

with (
    open(0, encoding="utf-8", errors="replace", newline="") as stdin,
    open(1, "w", encoding="utf-8", newline="") as stdout,
):
    for line in stdin:
        stdout.write(line.upper())
        stdout.flush()
