"""``python -m tests.mutants``: makes docs/kill-matrix.md."""

from __future__ import annotations

import logging
from pathlib import Path

from .matrix import page

if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    Path(__file__).resolve().parents[2].joinpath("docs", "kill-matrix.md").write_text(
        page(), encoding="utf-8"
    )
