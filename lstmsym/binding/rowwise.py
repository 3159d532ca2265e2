"""Rows of a matrix: ``w_n x_t`` is the n-th entry of ``W x_t``, and w_n the n-th row of W."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lstmsym.binding.express import is_transposition
from lstmsym.binding.table import Line
from lstmsym.binding.units import unit_labels
from lstmsym.documents.formula import Big, Derivative, Formula, Name, Product, Raised, names, rebuilt, walk

ALONG = "·"
"""The label of the index that runs along a row."""


def rowwise(lines: Sequence[Line]) -> list[Line]:
    """The lines with the entries of a matrix for its rows: of W for w_n, where W stands somewhere too."""
    everything = [n for left, right, _ in lines for side in (left, right) for n in names(side)]
    whole = {replace(n, font="").key for n in everything if n.time is None and not n.units}
    beside = {
        n.key for left, right, _ in lines for p in walk(right) if isinstance(p, Product)
        for n in _multiplying(p) if _upper(n.key) in whole or _defines(left, n)
    }  # fmt: skip
    rows = {key: key[0].upper() if _upper(key) in whole else key[0] for key in beside if key not in whole}
    if not rows:
        return list(lines)
    return [(*_sides(left, right, rows), row) for left, right, row in lines]


def _sides(left: Formula, right: Formula, rows: Mapping[str, str]) -> tuple[Formula, Formula]:
    """Both sides of a line; vectors lie along a row that is not multiplied."""
    a, b = _entries(left, rows), _right(left, right, rows)
    if ALONG in unit_labels(b) and ALONG not in unit_labels(a):
        return _all_along(a), _all_along(b)
    return a, b


def _upper(key: str) -> str:
    return key[0].upper() + key[1:]


def _defines(left: Formula, row: Name) -> bool:
    """Whether a line defines the unit of which a row is the weights."""
    return isinstance(left, Name) and left.time is not None and left.units == row.units


def _multiplying(node: Product) -> Iterator[Name]:
    """The small letters with one index among factors of which one is a vector."""
    bare = map(_bare, node.factors if any(map(_is_vector, node.factors)) else ())
    found = (n for n in bare if isinstance(n, Name) and n.time is None and len(n.units) == 1 == len(n.base))
    yield from (name for name in found if name.base.islower() and not _is_spelled(name))


def _is_spelled(name: Name) -> bool:
    """Whether a label of several letters is in a name, as where letters tell weights apart: ``w_{hk}``."""
    return any(len(script.text) > 1 for script in name.scripts)


def _entries(node: Formula, rows: Mapping[str, str]) -> Formula:
    """A formula with entries for rows, and sums along them where they multiply a vector."""
    if isinstance(node, Name):
        return replace(node, base=rows[node.key], units=(*node.units, ALONG)) if _is(node, rows) else node
    if isinstance(node, Product):
        parts = [_entries(f, rows) for f in node.factors]
        if _has(parts) and any(map(_is_vector, parts)):
            body = replace(node, factors=tuple(_along(f) for f in parts))
            return Big("∑", Name(ALONG), None, body, span=node.span)
        return replace(node, factors=tuple(parts))
    return rebuilt(node, lambda part: _entries(part, rows))


def _right(left: Formula, right: Formula, rows: Mapping[str, str]) -> Formula:
    """A right side; where the left one is the derivative by a row, its vectors lie along that row."""
    by_row = isinstance(left, Derivative) and isinstance(left.by, Name) and _is(left.by, rows)
    return _all_along(right) if by_row else _entries(right, rows)


def _is(name: Name, rows: Mapping[str, str]) -> bool:
    return name.key in rows and len(name.units) == 1


def _has(parts: Iterable[Formula]) -> bool:
    """Whether an entry of a row is among factors."""
    return any(isinstance(n, Name) and n.units[1:] == (ALONG,) for part in parts for n in walk(part))


def _bare(node: Formula) -> Formula:
    return node.body if isinstance(node, Raised) and is_transposition(node) else node


def _is_vector(node: Formula) -> bool:
    bare = _bare(node)
    return isinstance(bare, Name) and bare.time is not None and not bare.units


def _along(node: Formula) -> Formula:
    """A vector, which may be transposed, with the index along a row."""
    bare = _bare(node)
    if isinstance(bare, Name) and ALONG in bare.units:
        return bare
    return replace(bare, units=(ALONG,)) if isinstance(bare, Name) and _is_vector(node) else node


def _all_along(node: Formula) -> Formula:
    """A formula with the index along a row for each of its vectors."""
    return _along(node) if _is_vector(node) else rebuilt(node, _all_along)
