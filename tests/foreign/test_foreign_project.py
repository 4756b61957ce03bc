"""A project of somebody else finds its bugs by sseware.

``.ci/run`` does it in an environment of that project's own, in every mode, and with the bugs mended.
"""

from __future__ import annotations

import pytest

from tests.foreign import judge

pytest.importorskip("fastapi")


def test_its_suite_finds_both_planted_bugs_and_nothing_else() -> None:
    judge.assert_finds_what_is_planted("asyncio-strict")


def test_what_does_not_use_sseware_is_the_same_with_its_plugin_blocked() -> None:
    judge.assert_changes_nothing_where_it_is_not_used()
