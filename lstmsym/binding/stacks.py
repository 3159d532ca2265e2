"""Stacked notation taken apart: a column of names is one equation for each of its entries.

``[i; f; g] = [sigma; sigma; tanh] (W [x; h] + b)`` says that i is sigma of the first part of what stands
behind the functions, and so on: a `Portion`, whose size is that of the entry it is given to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from lstmsym.binding.table import FUNCTIONS
from lstmsym.documents.formula import (
    Apply,
    Brackets,
    Delta,
    Derivative,
    Formula,
    Indexed,
    Item,
    Matrix,
    Name,
    Number,
    Product,
    Raised,
    Slice,
    Sum,
    Words,
    rebuilt,
)


@dataclass(frozen=True)
class Layout:
    """The names that stand in a column, one below the other: they are no part of the right side."""

    entries: tuple[Formula, ...]


@dataclass(frozen=True)
class Portion(Formula):
    """The part of ``whole`` that an entry of a column of names stands for."""

    whole: Formula
    layout: Layout
    number: int


def entries(node: Formula) -> tuple[Formula, ...]:
    """What a column, or a list that stands for one, has one below the other; nothing for anything else."""
    if isinstance(node, Raised) and _is_turned(node):
        return entries(node.body)
    if isinstance(node, Matrix):
        if all(len(row) == 1 for row in node.rows) and len(node.rows) > 1:
            return tuple(row[0] for row in node.rows)
        return node.rows[0] if len(node.rows) == 1 and len(node.rows[0]) > 1 else ()
    if isinstance(node, Brackets) and node.left in ("[", "("):
        if len(node.items) == 1 and isinstance(node.items[0], Matrix):
            return entries(node.items[0])
        return node.items if len(node.items) > 1 else ()
    return ()


def _is_turned(node: Raised) -> bool:
    exponent = node.exponent
    return node.kind == "transpose" or (isinstance(exponent, (Name, Words)) and _mark(exponent) in ("T", "⊤"))


def _mark(node: Name | Words) -> str:
    return node.base if isinstance(node, Name) else node.text


def taken_apart(left: Formula, right: Formula) -> Iterator[tuple[Formula, Formula]]:
    """The equations that one with a column on its left stands for; any other as it is."""
    names, right = entries(left), _unsplit(right)
    opaque = isinstance(right, Apply) and right.head.base not in FUNCTIONS
    if not names or opaque or not all(_is_quantity(n) for n in names):
        yield left, right
        return
    parts = entries(right)
    if len(parts) == len(names) and not _are_functions(parts):
        yield from zip(names, parts, strict=True)
        return
    functions, rest = _functions_before(right, len(names))
    for number, name in enumerate(names):
        part: Formula = Portion(rest, Layout(names), number)
        if functions:
            part = Apply(functions[number], Brackets("(", ")", (part,)), certain=True)
        yield name, part


def _unsplit(right: Formula) -> Formula:
    """``split(a)`` and ``chunk(a, 4)`` are a, in parts."""
    if isinstance(right, Apply) and right.head.base.lower() in ("split", "chunk", "unstack"):
        inner = right.argument
        return inner.items[0] if isinstance(inner, Brackets) else inner
    return right


def _is_quantity(node: Formula) -> bool:
    return isinstance(node, (Name, Delta, Derivative))


def _are_functions(nodes: tuple[Formula, ...]) -> bool:
    """Whether a column is one of functions: bare names, among them one that is always a function."""
    bare = all(isinstance(n, Name) and n.time is None and not n.scripts for n in nodes)
    return bare and any(isinstance(n, Name) and n.base in FUNCTIONS for n in nodes)


def _functions_before(node: Formula, count: int) -> tuple[tuple[Name, ...], Formula]:
    """The functions of a column before what they are applied to, block by block, and that."""
    if isinstance(node, Sum) and node.signs[0] == "+":
        functions, first = _functions_before(node.terms[0], count)
        return (functions, replace(node, terms=(first, *node.terms[1:]))) if functions else ((), node)
    if isinstance(node, Product):
        found = entries(node.factors[0])
        if len(found) == count and _are_functions(found):
            rest = node.factors[1:]
            inner = replace(node, operators=node.operators[1:], factors=rest) if len(rest) > 1 else rest[0]
            return found, inner  # type: ignore[return-value]
        functions, first = _functions_before(node.factors[0], count)
        if functions:
            return functions, replace(node, factors=(first, *node.factors[1:]))
    return (), node


def chained(before: Formula | None, right: Formula) -> Iterator[tuple[Formula, Formula]]:
    """Definitions in a chain: ``= [W, U] [x; h] = A v`` names its factors."""
    if not (isinstance(before, Product) and isinstance(right, Product)):
        return
    if len(before.factors) != len(right.factors) or not all(isinstance(f, Name) for f in right.factors):
        return
    if any(isinstance(f, Matrix) or entries(f) for f in before.factors):
        for name, factor in zip(right.factors, before.factors, strict=True):
            if name != factor:
                yield name, factor


def stem(layout: Layout) -> Name | None:
    """What names in a column have in common, where that is a name of its own: a of a^i, a^f and a^o."""
    names = layout.entries
    first = names[0]
    if not all(isinstance(n, Name) for n in names) or not isinstance(first, Name):
        return None
    if any(n.base != first.base or n.marks != first.marks for n in names):  # type: ignore[attr-defined]
        return None
    shared = tuple(s for s in first.scripts if all(s in n.scripts for n in names))  # type: ignore[attr-defined]
    return replace(first, scripts=shared)


def sliced(node: Formula) -> Formula:
    """A formula in which a range of entries, however written (``a^{1:n}``, ``(a)_{1:n}``), is an `Item`."""
    node = rebuilt(node, sliced)
    if isinstance(node, Delta) and isinstance(node.of, Item) and is_slice(node.of):
        return replace(node.of, body=replace(node, of=node.of.body, whole=""))
    if isinstance(node, (Name, Indexed)):
        ranges = [s for s in node.scripts if isinstance(s.body, Slice) and not _is_stretch(s.body)]
        if len(ranges) == 1:
            rest = replace(node, scripts=tuple(s for s in node.scripts if s is not ranges[0]))
            body = rest.body if isinstance(rest, Indexed) and not rest.scripts else rest
            return Item(body, (ranges[0].body,), span=node.span)
    return node


def _is_stretch(node: Slice) -> bool:
    """Whether a range is one of steps, ``x_{1:T}``."""
    return any(isinstance(n, Name) and n.base in ("t", "T", "τ") for n in (node.low, node.high) if n)


def is_slice(node: Formula) -> bool:
    """Whether a formula is a range of entries of something."""
    return isinstance(node, Item) and all(isinstance(i, Slice) for i in node.items)


def is_layout(left: Name, right: Formula) -> bool:
    """Whether a line says of which blocks a weight, or a bias, is made up: ``W = [W_x, W_h]``."""
    rows = right.rows if isinstance(right, Matrix) else (entries(right),)
    parts = [part for row in rows for part in row]
    if left.time is not None or not parts:
        return is_slice(right) and left.time is None and _timeless(right.body)  # type: ignore[attr-defined]
    bare = [p.body if isinstance(p, Raised) else p for p in parts if not _is_zero(p)]
    alike = all(isinstance(p, Name) and (p.base[0].isupper() or p.base == left.base) for p in bare)
    return alike and all(map(_timeless, bare)) and left not in bare


def _timeless(node: Formula) -> bool:
    return isinstance(node, Name) and node.time is None


def _is_zero(node: Formula) -> bool:
    return isinstance(node, Number) and node.text == "0"


def part_of_itself(left: Formula, right: Formula) -> Item | None:
    """``W = W[:, :n]``: a weight that stands for some of its rows or columns from here on."""
    if isinstance(left, Name) and isinstance(right, Item) and is_slice(right) and right.body == left:
        return right if len(right.items) == 2 else None
    return None


def turned(lines: list[tuple[Formula, Formula]]) -> list[tuple[Formula, Formula]]:
    """The lines, ``z = [a; b]`` as ``[a; b] = z`` where another line defines z, and none a or b."""
    columns = [isinstance(left, Name) and _are_names(entries(right)) for left, right in lines]
    defined = {left for (left, _), column in zip(lines, columns, strict=True) if not column}
    return [
        (right, left) if column and left in defined and not defined & set(entries(right)) else (left, right)
        for (left, right), column in zip(lines, columns, strict=True)
    ]


def _are_names(nodes: tuple[Formula, ...]) -> bool:
    return bool(nodes) and all(isinstance(n, Name) for n in nodes)


def tiled(slices: dict[str, Item], names: dict[str, Name]) -> dict[str, Matrix]:
    """Weights of which others are the parts, one after the other: ``W_x = W[:, :m]``, ``W_h = W[:, m:]``."""
    found: dict[str, Matrix] = {}
    for body in dict.fromkeys(item.body for item in slices.values()):
        own = {key: item for key, item in slices.items() if item.body == body}
        ranges = [[i for i in item.items if i != Slice(None, None)] for item in own.values()]
        if not isinstance(body, Name) or any(len(item.items) != 2 for item in own.values()):
            continue
        if all(len(r) == 1 for r in ranges) and _follow([r[0] for r in ranges]):  # type: ignore[misc]
            beside = next(iter(own.values())).items[0] == Slice(None, None)
            parts = tuple(names[key] for key in own)
            found[body.key] = Matrix((parts,) if beside else tuple((p,) for p in parts))
    return found


def _follow(ranges: list[Slice]) -> bool:
    """Whether ranges follow each other from the first entry to the last."""
    joints = all(a.high == b.low is not None for a, b in pairwise(ranges))
    first = ranges[0].low
    return joints and (first is None or _is_zero(first)) and ranges[-1].high is None
