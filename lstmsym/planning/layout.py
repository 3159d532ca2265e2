"""Which names lie side by side, so that what shares an operand is one matrix product.

Every line of the form ``a = W @ v + U @ u + b`` is a member of the packs of v and of u.  The
members of a place share one array, in an order that makes the members of each pack neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby, permutations

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Equation
from lstmsym.notation import Ref
from lstmsym.shapes import Shape


@dataclass(frozen=True)
class Affine:
    """A line as a sum of matrix products with constant matrices, constants, and the rest."""

    name: Ref
    dots: tuple[tuple[sp.Expr, Ref], ...]
    constant: sp.Expr
    rest: sp.Expr


def affine(line: Equation, shapes: Mapping[str, Shape]) -> Affine | None:
    """The line as matrix products, constants and rest; None where it has no matrix product."""
    dots, constants, rest = [], [], []
    for term in sp.Add.make_args(line.expr):
        if isinstance(term, N.Dot) and _is_constant(term.args[0]) and _is_vector(term.args[1], shapes):
            dots.append((term.args[0], term.args[1]))
        elif _is_constant(term) and isinstance(term, Ref):
            constants.append(term)
        else:
            rest.append(term)
    if not dots or len(shapes[line.name.base]) != 1:
        return None
    return Affine(line.name, tuple(dots), sp.Add(*constants), sp.Add(*rest))


def _is_constant(expr: sp.Expr) -> bool:
    return all(ref.lag is None for ref in expr.atoms(Ref))


def _is_vector(expr: sp.Expr, shapes: Mapping[str, Shape]) -> bool:
    return isinstance(expr, Ref) and expr.lag is not None and len(shapes[expr.base]) == 1


@dataclass(frozen=True)
class Run:
    """Neighbours that take one operand: ``array[low:high] += Stack(matrices) @ operand``."""

    operand: Ref
    members: tuple[Ref, ...]
    matrices: tuple[sp.Expr, ...]
    low: sp.Expr
    high: sp.Expr


@dataclass(frozen=True)
class Layout:
    """The order in which affine lines of one place share an array."""

    members: tuple[Affine, ...]
    offsets: Mapping[Ref, tuple[sp.Expr, sp.Expr]]
    runs: tuple[Run, ...]

    def unpacked(self) -> Layout:
        """The same places, with a matrix product for each member."""
        single = (
            Run(run.operand, (name,), (matrix,), *self.offsets[name])
            for run in self.runs
            for name, matrix in zip(run.members, run.matrices, strict=True)
        )
        return replace(self, runs=tuple(single))

    @property
    def size(self) -> sp.Expr:
        """The width of the shared array."""
        return self.offsets[self.members[-1].name][1] if self.members else sp.Integer(0)


def lay_out(lines: Iterable[Affine], kind: Mapping[Ref, str], shapes: Mapping[str, Shape]) -> Layout:
    """Order the lines so that each operand's members are neighbours, and like activations too.

    ``kind`` is what is applied to a member (sigma, tanh, ...).
    """
    lines = tuple(lines)
    operands = tuple(dict.fromkeys(v for a in lines for _, v in a.dots))
    classes = [tuple(group) for _, group in groupby(sorted(lines, key=_signature), key=_signature)]
    candidates = permutations(classes) if len(classes) <= 6 else iter([tuple(classes)])
    best = min(candidates, key=lambda order: _breaks([a for c in order for a in c], operands))
    members: list[Affine] = []
    for block in best:
        members += _by_activation(block, kind)
    offsets: dict[Ref, tuple[sp.Expr, sp.Expr]] = {}
    place: sp.Expr = sp.Integer(0)
    for member in members:
        offsets[member.name] = (place, place + shapes[member.name.base][0])
        place = offsets[member.name][1]
    runs = [run for v in operands for run in _runs(members, v, offsets)]
    return Layout(tuple(members), offsets, tuple(runs))


def _signature(line: Affine) -> tuple[str, ...]:
    return tuple(sorted({str(v) for _, v in line.dots}))


def _by_activation(block: tuple[Affine, ...], kind: Mapping[Ref, str]) -> list[Affine]:
    first = {kind.get(a.name, ""): place for place, a in reversed(list(enumerate(block)))}
    return sorted(block, key=lambda a: first[kind.get(a.name, "")])


def _breaks(order: list[Affine], operands: tuple[Ref, ...]) -> int:
    """How many runs there are in this order, over all operands."""
    count = 0
    for v in operands:
        uses = [any(u == v for _, u in a.dots) for a in order]
        count += sum(1 for place, used in enumerate(uses) if used and not (place and uses[place - 1]))
    return count


def _runs(
    members: list[Affine], operand: Ref, offsets: Mapping[Ref, tuple[sp.Expr, sp.Expr]]
) -> Iterable[Run]:
    taking = [(a, tuple(w for w, v in a.dots if v == operand)) for a in members]
    for used, group in groupby(taking, key=lambda pair: bool(pair[1])):
        if used:
            pairs = list(group)
            names = tuple(a.name for a, _ in pairs)
            matrices = tuple(sp.Add(*w) for _, w in pairs)
            yield Run(operand, names, matrices, offsets[names[0]][0], offsets[names[-1]][1])
