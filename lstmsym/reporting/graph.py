"""A cell as a graph of one step, laid out in layers: what depends on what.

A state has two nodes, its value before the step and after it.  Layers run from what is given at the
top to what is computed last; lines that span layers pass through points of their own, so that they
bend around nodes.  Parameters are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, permutations

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.notation import Ref

SWEEPS, STARTS = 16, 24
GAP, ROW, HEIGHT = 18.0, 84.0, 38.0
"""Between nodes side by side, from layer to layer, and how high a node is."""


@dataclass(frozen=True)
class Node:
    """A quantity at a step: its role, the function that makes it, and its place (the centre)."""

    ref: Ref
    role: str
    function: str
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Line:
    """A dependence: its points from layer to layer, and whether it comes from the step before."""

    points: tuple[tuple[float, float], ...]
    past: bool


@dataclass(frozen=True)
class Drawing:
    """Nodes and lines with the size of the whole."""

    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    width: float
    height: float


Spot = tuple[Ref, Ref | None, int]
"""A node (ref, None, 0), or where the line from a ref to another passes a layer."""


def draw(cell: Cell) -> Drawing:
    """Lay a cell out."""
    edges = dependences(cell)
    layer = layers(edges)
    rows, links = spots(edges, layer)
    rows = ordered(rows, links)
    widths = {spot: _width(spot[0]) if spot[1] is None else 4.0 for row in rows for spot in row}
    across = placed(rows, links, widths)
    left = min(across[s] - widths[s] / 2 for s in across)
    made = {e.name: e.expr for e in cell.equations}

    def at(spot: Spot, level: int) -> tuple[float, float]:
        return round(across[spot] - left + 2, 1), round(level * ROW + HEIGHT / 2 + 2, 1)

    nodes = tuple(
        Node(s[0], cell.by_name[s[0].base].role, _function(made.get(s[0])), *at(s, level), widths[s])
        for level, row in enumerate(rows)
        for s in row
        if s[1] is None
    )
    lines = []
    for source, target in edges:
        path = [(source, None, 0), *((source, target, k) for k in range(layer[source] + 1, layer[target]))]
        points = [at(s, layer[source] + k) for k, s in enumerate([*path, (target, None, 0)])]
        points[0] = points[0][0], points[0][1] + HEIGHT / 2
        points[-1] = points[-1][0], points[-1][1] - HEIGHT / 2
        lines.append(Line(tuple(points), source.lag == -1))
    right = max(across[s] + widths[s] / 2 for s in across)
    return Drawing(nodes, tuple(lines), round(right - left + 4, 1), (len(rows) - 1) * ROW + HEIGHT + 4)


def dependences(cell: Cell) -> list[tuple[Ref, Ref]]:
    """Who reads whom at a step, in the order of the equations."""
    found: dict[tuple[Ref, Ref], None] = {}
    for e in cell.equations:
        if e.name.lag is not None:
            refs = (r for r in e.expr.atoms(Ref) if r.lag is not None and r != e.name)
            for ref in sorted(refs, key=lambda r: (cell.order[r.base], r.lag or 0)):
                found[ref, e.name] = None
    return list(found)


def layers(edges: Sequence[tuple[Ref, Ref]]) -> dict[Ref, int]:
    """Each node below all that it reads; the edges come in the order of computation."""
    layer: dict[Ref, int] = {}
    for source, target in edges:
        layer[target] = max(layer.get(target, 0), layer.setdefault(source, 0) + 1)
    return layer


def spots(
    edges: Iterable[tuple[Ref, Ref]], layer: Mapping[Ref, int]
) -> tuple[list[list[Spot]], list[tuple[Spot, Spot]]]:
    """The spots of each layer, and the links between spots of neighbouring layers."""
    rows: list[list[Spot]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for ref, level in layer.items():
        rows[level].append((ref, None, 0))
    links = []
    for source, target in edges:
        before: Spot = (source, None, 0)
        for level in range(layer[source] + 1, layer[target]):
            spot: Spot = (source, target, level)
            rows[level].append(spot)
            links.append((before, spot))
            before = spot
        links.append((before, (target, None, 0)))
    return rows, links


def ordered(rows: list[list[Spot]], links: list[tuple[Spot, Spot]]) -> list[list[Spot]]:
    """The layers in an order with few crossings: what is given in several orders, the best kept."""
    starts = ([list(top), *rows[1:]] for top in islice(permutations(rows[0]), STARTS))
    return min((_swept(start, links) for start in starts), key=lambda found: crossings(found, links))


def _swept(rows: list[list[Spot]], links: list[tuple[Spot, Spot]]) -> list[list[Spot]]:
    """Sweeps down and up, each layer in the order of the mean places of its neighbours."""
    near = _neighbours(links)
    best, fewest = [list(row) for row in rows], crossings(rows, links)
    current = [list(row) for row in rows]
    for sweep in range(SWEEPS):
        levels = range(1, len(rows)) if sweep % 2 == 0 else range(len(rows) - 2, -1, -1)
        for level in levels:
            other = current[level - 1 if sweep % 2 == 0 else level + 1]
            place = {spot: k / max(len(other) - 1, 1) for k, spot in enumerate(other)}
            size = max(len(current[level]) - 1, 1)
            mean = {}
            for k, spot in enumerate(current[level]):
                seen = [place[s] for s in near.get(spot, ()) if s in place]
                mean[spot] = sum(seen) / len(seen) if seen else k / size
            current[level].sort(key=mean.__getitem__)
        count = crossings(current, links)
        if count < fewest:
            best, fewest = [list(row) for row in current], count
    return best


def crossings(rows: Sequence[Sequence[Spot]], links: Iterable[tuple[Spot, Spot]]) -> int:
    """How many pairs of links cross."""
    place = {spot: (level, k) for level, row in enumerate(rows) for k, spot in enumerate(row)}
    by_level: dict[int, list[tuple[int, int]]] = {}
    for a, b in links:
        by_level.setdefault(place[a][0], []).append((place[a][1], place[b][1]))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0
        for pairs in by_level.values()
        for k, a in enumerate(pairs)
        for b in pairs[:k]
    )


def placed(
    rows: Sequence[Sequence[Spot]], links: list[tuple[Spot, Spot]], widths: Mapping[Spot, float]
) -> dict[Spot, float]:
    """Where spots stand across: near the mean of their neighbours, in order and apart."""
    near = _neighbours(links)
    across: dict[Spot, float] = {}
    for row in rows:
        here = 0.0
        for spot in row:
            across[spot] = here + widths[spot] / 2
            here += widths[spot] + GAP
        for spot in row:
            across[spot] -= (here - GAP) / 2
    for sweep in range(2 * SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wish = []
            for spot in row:
                seen = [across[s] for s in near.get(spot, ())]
                wish.append(sum(seen) / len(seen) if seen else across[spot])
            for spot, x in zip(row, _apart(wish, [widths[s] for s in row]), strict=True):
                across[spot] = x
    return across


def _apart(wish: Sequence[float], widths: Sequence[float]) -> list[float]:
    """The places nearest to the wished ones (least squares) that keep order and distance."""
    offsets = [0.0]
    for a, b in pairwise(widths):
        offsets.append(offsets[-1] + (a + b) / 2 + GAP)
    pools: list[tuple[float, int]] = []
    for w, offset in zip(wish, offsets, strict=False):
        mean, count = w - offset, 1
        while pools and pools[-1][0] > mean:
            other, size = pools.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return [x + offset for x, offset in zip(flat, offsets, strict=False)]


def _neighbours(links: Iterable[tuple[Spot, Spot]]) -> dict[Spot, list[Spot]]:
    near: dict[Spot, list[Spot]] = {}
    for a, b in links:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    return near


def _width(ref: Ref) -> float:
    return max(46.0, 26.0 + 7.0 * len(ref.base) + (14.0 if ref.lag else 0.0))


def _function(expr: sp.Expr | None) -> str:
    """The name of the activation that makes a node, if one does."""
    if not isinstance(expr, (N.Pointwise, N.softmax)):
        return ""
    return {"sigma": "σ"}.get(type(expr).__name__, type(expr).__name__.replace("_", " "))
