r"""Names for derivatives of the loss of one step, ``\delta^{(t)} = \partial J^{(t)} / \partial z^{(t)}``.

Where a document derives the losses of single steps only, no gradient of all of the loss is what such a
name stands for: it is written out where it is used, and the lines are equations across steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lstmsym.binding.quantity import untimed
from lstmsym.binding.table import LOSSES, Bound, Line
from lstmsym.documents.formula import Derivative, Formula, Name, Number, Sum, Time, rebuilt, walk


def of_one_step(lines: Sequence[Line], bound: Bound) -> list[Line]:
    """The lines, names for derivatives of the loss of one step written out."""
    losses = [d.of for d in _derivatives(lines) if isinstance(d.of, Name) and _is_loss(d.of, bound)]
    if not losses or any(of.time is None or untimed(of)[0].key in bound.to_go for of in losses):
        return list(lines)
    known: dict[str, tuple[int, Derivative]] = {}
    for left, right, _ in lines:
        at = _defined(left, right, bound)
        if at is not None and isinstance(left, Name) and isinstance(right, Derivative):
            known.setdefault(untimed(left)[0].key, (at, right))
    for name in (n for line in lines for side in line[:2] for n in walk(side) if isinstance(n, Name)):
        key = untimed(name)[0].key
        if key in known and name.time is not None and (name.time.offset or 0) > known[key][0]:
            del known[key]  # of a later step: it goes on from step to step
    return [(_put(left, known), _put(right, known), row) for left, right, row in lines]


def _derivatives(lines: Sequence[Line]) -> Iterator[Derivative]:
    for left, right, _ in lines:
        for side in (left, right):
            yield from (n for n in walk(side) if isinstance(n, Derivative))


def _is_loss(name: Name, bound: Bound) -> bool:
    return name.base in LOSSES and bound.table.key(name).key not in bound.table.idents


def _defined(left: Formula, right: Formula, bound: Bound) -> int | None:
    """The step at which a line says what a name stands for: the derivative of the loss of one step."""
    if not isinstance(left, Name) or left.time is None or bound.table.key(left).key in bound.table.idents:
        return None
    ends = (right.of, right.by) if isinstance(right, Derivative) else ()
    timed = all(isinstance(n, Name) and n.time is not None and n.time.offset is not None for n in ends)
    if not ends or not timed or not _is_loss(right.of, bound):  # type: ignore[attr-defined]
        return None
    return left.time.offset


def _put(node: Formula, known: dict[str, tuple[int, Derivative]]) -> Formula:
    if not isinstance(node, Name):
        return rebuilt(node, lambda part: _put(part, known))
    found = known.get(untimed(node)[0].key) if node.time is not None else None
    if found is None or node.time is None or node.time.offset is None:
        return node
    steps = node.time.offset - found[0]
    of, by = (_later(n, steps) for n in (found[1].of, found[1].by))
    return replace(found[1], of=of, by=by, span=node.span)


def _later(name: Formula | None, steps: int) -> Formula:
    """A name some steps later."""
    assert isinstance(name, Name) and name.time is not None
    if not steps:
        return name
    letter, offset = Name(name.time.letter), (name.time.offset or 0) + steps
    index = Sum(("+", "+" if offset > 0 else "-"), (letter, Number(str(abs(offset))))) if offset else letter
    return replace(name, time=Time(index, name.time.form, name.time.wrap, name.time.place))
