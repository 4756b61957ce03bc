"""Figures to look at: SVG files beside the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import msgspec

__all__ = ["Plot", "draw"]

# Told apart in grey, too, and by those who see no red or no green.
_COLOURS = ("#1b6ca8", "#e08e0b", "#4f9d69", "#a23b72", "#6b6b6b", "#c8553d", "#2e4057", "#8a9a5b")
_TICKS = [digit * 10.0**power for power in range(-2, 4) for digit in (1, 2, 5)]
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "<")


class Plot(msgspec.Struct, frozen=True):
    """One picture.

    Attributes:
        name: Of the file, without its ending.
        title: What it shows.
        kind: Bars side by side, or lines; both axes of lines are logarithmic, so that linear growth is straight. So is
            that of bars which stand on a level, or hang from it: twice as long is as high as half as long is deep.
        x: What stands along the horizontal axis: labels, or for lines numbers.
        x_label: What they are.
        y_label: What the values are, with their unit.
        series: The values, by name; ``None`` where there is none.
        level: A line across the picture: where a peer takes as long as we do.
        spreads: How far the rounds of a bar's value lie apart, by the name of its series.
    """

    name: str
    title: str
    kind: Literal["bars", "lines"]
    x: Sequence[str | float]
    x_label: str
    y_label: str
    series: Mapping[str, Sequence[float | None]]
    level: float | None = None
    spreads: Mapping[str, Sequence[float | None]] = {}


def draw(plot: Plot, directory: Path) -> Path:
    """Draws it into a directory.

    Returns:
        The file: SVG, whose text is text, and which is the same for the same figures.
    """
    # By name: it is in benchmarks/requirements.txt, and not needed to check types.
    import_module("matplotlib").use("svg")
    plt = import_module("matplotlib.pyplot")

    style = {"svg.fonttype": "none", "svg.hashsalt": "sseware", "font.family": "sans-serif", "font.size": 10}
    with plt.rc_context(style):
        figure, axes = plt.subplots(figsize=(8, 5 if len(plot.series) > 4 else 4.2), layout="constrained")
        (_bars if plot.kind == "bars" else _lines)(axes, plot)
        if plot.level is not None:
            axes.axhline(plot.level, color="#333333", linewidth=0.8, linestyle="--")
        axes.set_title(plot.title, loc="left")
        axes.set_xlabel(plot.x_label)
        axes.set_ylabel(plot.y_label)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", linewidth=0.4)
        axes.set_axisbelow(True)
        if len(plot.series) > 4:
            figure.legend(frameon=False, fontsize=8, ncols=2, loc="outside lower center")
        elif len(plot.series) > 1:
            axes.legend(frameon=False, fontsize=9)
        path = directory / f"{plot.name}.svg"
        # A white ground: the pages of the site may be dark.
        figure.savefig(path, facecolor="white", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    path.write_text("".join(f"{line.rstrip()}\n" for line in path.read_text("utf-8").splitlines()), "utf-8")
    return path


def _bars(axes: Any, plot: Plot) -> None:
    width, foot = 0.8 / len(plot.series), plot.level or 0.0
    for number, (name, values) in enumerate(plot.series.items()):
        places = [place + (number - (len(plot.series) - 1) / 2) * width for place in range(len(plot.x))]
        tops = [foot if value is None else value for value in values]
        colour = _COLOURS[number % len(_COLOURS)]
        axes.bar(places, [top - foot for top in tops], width, foot, label=name, color=colour)
        apart = [spread or 0.0 for spread in plot.spreads.get(name, [])]
        if any(apart):
            axes.errorbar(places, tops, apart, fmt="none", ecolor="#333333", elinewidth=0.9)
    if plot.level is not None:
        axes.set_yscale("log")
        lowest, highest = axes.get_ylim()
        ticks = [tick for tick in _TICKS if lowest <= tick <= highest]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    axes.set_xticks(range(len(plot.x)), [str(label) for label in plot.x], rotation=25, ha="right")


def _lines(axes: Any, plot: Plot) -> None:
    for number, (name, values) in enumerate(plot.series.items()):
        points = [(x, y) for x, y in zip(plot.x, values, strict=True) if y is not None]
        mark, colour = _MARKS[number % len(_MARKS)], _COLOURS[number % len(_COLOURS)]
        axes.plot(*zip(*points, strict=True), marker=mark, color=colour, label=name)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(plot.x, [f"{label:g}" for label in plot.x if not isinstance(label, str)])
    axes.minorticks_off()
