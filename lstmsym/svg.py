"""A curve as an SVG image, drawn by a template."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lstmsym.emit import environment


def curve(values: Sequence[float], title: str, width: int = 640, height: int = 360) -> str:
    """Values by index on a logarithmic axis."""
    logs = [math.log10(max(v, 1e-300)) for v in values]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    left, right, top, bottom = 70, width - 20, 40, height - 40

    def place(index: float, level: float) -> tuple[float, float]:
        x = left + (right - left) * index / max(len(values) - 1, 1)
        return round(x, 2), round(bottom - (bottom - top) * (level - low) / ((high - low) or 1), 2)

    points = " ".join("{},{}".format(*place(i, level)) for i, level in enumerate(logs))
    ticks = [(place(0, level)[1], f"1e{level}") for level in range(low, high + 1)]
    marks = [(place(i, low)[0], i) for i in range(0, len(values), max(len(values) // 5, 1))]
    return environment(None).get_template("demo/curve.svg.j2").render(
        title=title, width=width, height=height, points=points, ticks=ticks, marks=marks,
        left=left, right=right, top=top, bottom=bottom,
    )  # fmt: skip
