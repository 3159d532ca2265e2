"""The graph of a cell as an inline SVG image, its colours the page's."""

from __future__ import annotations

import unicodedata
from html import escape

from lstmsym.cell import Cell
from lstmsym.documents.symbols import LETTERS
from lstmsym.notation import Ref, Time
from lstmsym.reporting.graph import HEIGHT, Line, Node, draw

MARKS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}
GIVEN = frozenset({"input", "state", "target"})


def svg(cell: Cell, title: str) -> str:
    """The graph of a cell."""
    drawing = draw(cell)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="img" width="{drawing.width:g}" '
        f'height="{drawing.height:g}" viewBox="0 0 {drawing.width:g} {drawing.height:g}">'
    )
    arrow = (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6.5" '
        'markerHeight="6.5" orient="auto">'
        '<path d="M0 .8 7.5 4 0 7.2z" class="tip"/></marker></defs>'
    )
    body = [*map(_line, drawing.lines), *map(_node, drawing.nodes)]
    return "\n".join([head, f"<title>{escape(title)}</title>", arrow, *body, "</svg>"])


def _line(line: Line) -> str:
    path = "M{:g} {:g}".format(*line.points[0])
    for (x, y), (u, v) in zip(line.points, line.points[1:], strict=False):
        middle = round((y + v) / 2, 1)
        path += f"C{x:g} {middle:g} {u:g} {middle:g} {u:g} {v:g}"
    return f'<path class="edge{" past" if line.past else ""}" d="{path}" marker-end="url(#arrow)"/>'


def _node(node: Node) -> str:
    given = node.role in GIVEN
    x, y = node.x - node.width / 2, node.y - HEIGHT / 2
    past = " past" if node.ref.lag else ""
    base = node.y + (-1 if node.function else 5)
    box = (
        f'<rect x="{x:g}" y="{y:g}" width="{node.width:g}" height="{HEIGHT:g}" '
        f'rx="{HEIGHT / 2 if given else 5:g}"'
        f' class="node {escape(node.role)}{past}"/>'
    )
    small = (
        f'<text x="{node.x:g}" y="{node.y + 13:g}" class="op">{escape(node.function)}</text>'
        if node.function
        else ""
    )
    return f'{box}<text x="{node.x:g}" y="{base:g}">{label(node.ref)}</text>{small}'


def label(ref: Ref) -> str:
    """A name as papers set it, in the elements of an SVG text."""
    words = [w for w in ref.base.split("_") if w] or [ref.base]
    marks = [w for w in words if w in MARKS and len(words) > 1]
    head, *subs = [w for w in words if w not in marks] or [ref.base]
    text = LETTERS.get(head, head) + "".join(MARKS[m] for m in marks)
    below = [LETTERS.get(s, s) for s in subs]
    if ref.lag is not None:
        below.append(str(Time(ref.lag)).replace("-", "−"))
    low = f'<tspan class="sub" dy="4">{escape(",".join(below))}</tspan>' if below else ""
    return f'<tspan class="sym">{escape(unicodedata.normalize("NFC", text))}</tspan>{low}'
