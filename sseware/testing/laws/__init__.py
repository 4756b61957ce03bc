r"""Laws: what holds of every parser, encoder, dialect and application that is right.

One table, three ways to use it. As functions::

    @pytest.mark.parametrize("law", laws.parser())
    def test_my_parser(law):
        laws.check(law, mine.parse)

as a class to subclass::

    class TestMine(laws.ParserSuite):
        parse = staticmethod(mine.parse)

and from the command line: ``python -m sseware check parser mine:parse``.

Each law has an id, a level (``MUST``, ``SHOULD``) and a reference; one that is broken raises
`sseware.testing.errors.LawBroken` with the smallest example, one that cannot be judged `LawSkipped`. Laws of random
examples need hypothesis; nothing here needs pytest. `docs/kill-matrix.md` proves the laws: each finds wrong targets
that are known to be wrong, and lets the right ones pass.
"""

from ._app_run import AppTarget
from ._law import Grade, Law, Level, Verdict
from ._suites import AppSuite, DialectSuite, EncoderSuite, ParserSuite
from ._table import app, check, dialect, encoder, every, get, judge, parser, url
from ._url_run import UrlTarget

__all__ = [
    "AppSuite",
    "AppTarget",
    "DialectSuite",
    "EncoderSuite",
    "Grade",
    "Law",
    "Level",
    "ParserSuite",
    "UrlTarget",
    "Verdict",
    "app",
    "check",
    "dialect",
    "encoder",
    "every",
    "get",
    "judge",
    "parser",
    "url",
]
