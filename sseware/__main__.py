"""``python -m sseware``."""

from .cli import main

raise SystemExit(main())
