#!/usr/bin/env python3
"""A kernel: writes half an answer, says why it gives up, and exits with 3."""

import sys

sys.stdout.write("partial")
sys.stdout.flush()
sys.stderr.write("boom\n")
sys.exit(3)
