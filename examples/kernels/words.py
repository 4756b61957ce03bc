#!/usr/bin/env python3
"""A kernel: prints the words that it reads one by one, with a pause between them.

The first argument is the pause, in seconds.
"""

import sys
import time

pause = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3

with open(0, encoding="utf-8", errors="replace") as stdin:
    words = stdin.read().split() or ["Once", "upon", "a", "time"]

with open(1, "w", encoding="utf-8", newline="") as stdout:
    for number, word in enumerate(words):
        if number:
            time.sleep(pause)
        # Without the flush all words would come at once, when the buffer is full or the kernel ends.
        print(word, file=stdout, flush=True)
