"""The picture of a soak: memory, tasks, descriptors over time, and when there was a fault. It needs no library."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["chart"]

WIDTH, PANEL, LEFT, RIGHT, GAP = 900, 150, 70, 20, 44


def chart(
    title: str,
    seconds: Sequence[float],
    panels: Sequence[tuple[str, Sequence[float]]],
    faults: Sequence[tuple[float, str]],
) -> str:
    """Draws it.

    Args:
        title: The title.
        seconds: When was looked.
        panels: For each picture its title, with the unit, and what was seen.
        faults: When there was a fault, and which.

    Returns:
        An SVG document.
    """
    height = 60 + len(panels) * (PANEL + GAP)
    last = max(seconds, default=1.0) or 1.0
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{escape(title)}</text>',
    ]
    for number, (name, values) in enumerate(panels):
        top = 60 + number * (PANEL + GAP)
        parts += _panel(name, seconds, values, top, last)
        parts += [_fault(at, what, top, last, first=number == 0) for at, what in faults]
    return "\n".join([*parts, "</svg>", ""])


def _x(at: float, last: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at / last


def _panel(name: str, seconds: Sequence[float], values: Sequence[float], top: int, last: float) -> list[str]:
    most = max(values, default=1.0) * 1.1 or 1.0
    points = " ".join(
        f"{_x(at, last):.1f},{top + PANEL * (1 - value / most):.1f}"
        for at, value in zip(seconds, values, strict=True)
    )
    parts = [f'<text x="{LEFT}" y="{top - 6}">{escape(name)}</text>']
    for share in (0.0, 0.5, 1.0):
        y = top + PANEL * (1 - share)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{most * share:,.0f}</text>')
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _x(last * share, last)
        parts.append(
            f'<text x="{x:.1f}" y="{top + PANEL + 15}" text-anchor="middle" fill="#555">{last * share:.0f} s</text>'
        )
    parts.append(f'<polyline points="{points}" fill="none" stroke="#1b6ca8" stroke-width="1.5"/>')
    return parts


def _fault(at: float, what: str, top: int, last: float, *, first: bool) -> str:
    x = _x(at, last)
    line = f'<path d="M{x:.1f} {top}V{top + PANEL}" stroke="#c8553d" stroke-dasharray="3 3"/>'
    name = f'<text x="{x + 3:.1f}" y="{top + 11}" fill="#c8553d" font-size="11">{escape(what)}</text>'
    return line + name if first else line
