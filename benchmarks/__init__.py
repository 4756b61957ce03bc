"""How fast it is, side by side with others: ``python -m benchmarks``.

Every figure is a ratio within one run: the peers take turns, round by round, and the median over the rounds counts.
A benchmark is one question in one file; its inputs come from `benchmarks.corpora`, which tests parse first.
"""
