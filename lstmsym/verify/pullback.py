"""How one quantity moves another: gradients passed back through a cell's lines, over several steps.

The lines between the two are the cell's own, each at its step; the rules are those of every derivation
(`lstmsym.derive.Sweep`).  What is held fixed passes nothing on, and neither does what the quantity does
not move.  A product with the transposed Jacobian needs no matrix: it is what a gradient becomes on its
way back; a product with the Jacobian is the gradient of that by the gradient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sympy as sp

from lstmsym.cell import Equation
from lstmsym.derive import Sweep
from lstmsym.normal import normalise
from lstmsym.notation import NotationError, Op, Pointwise, Ref
from lstmsym.shapes import Shape
from lstmsym.verify.system import System, shifted

REACH = 3
"""Steps that a derivative may reach over: what is written out grows with each."""

ARRIVING = Ref("gradient that arrives")
"""Stands for any gradient of the quantity that is differentiated."""

Seed = tuple[Ref, sp.Expr]
"""A reference and a gradient that arrives at it."""


def pulled(system: System, seeds: Sequence[Seed], by: Ref, held: Iterable[Ref] = ()) -> sp.Expr:
    """What reaches ``by`` of the gradients that arrive at the seeds, those held passing nothing on.

    Raises:
        NotationError: the steps are too far apart.
    """
    lines = unrolled(system, by, max(ref.lag or 0 for ref, _ in seeds))
    return through(lines, system.shapes, seeds, by, held)


def pulled_from(system: System, what: sp.Expr, by: Ref, shape: Shape, held: Iterable[Ref] = ()) -> sp.Expr:
    """What `ARRIVING`, a gradient of an expression of this shape, becomes at ``by``.

    Raises:
        NotationError: the steps are too far apart.
    """
    shapes = {**system.shapes, ARRIVING.base: shape}
    last = max((ref.lag or 0 for ref in what.atoms(Ref)), default=0)
    lines = unrolled(system, by, last)
    if isinstance(what, Ref):
        return through(lines, shapes, [(what, ARRIVING)], by, held)
    return _through_expression(lines, shapes, what, ARRIVING, by, held)


def gradient_of(expr: sp.Expr, by: Ref, shapes: Mapping[str, Shape]) -> sp.Expr:
    """The gradient of a scalar expression by a reference in it, all other references given."""
    return _through_expression([], shapes, expr, sp.Integer(1), by)


def unrolled(system: System, by: Ref, last: int) -> list[Equation]:
    """The cell's lines from a reference's own step to the last, each at its step."""
    first = last if by.lag is None else by.lag
    if last - first > REACH:
        raise NotationError(f"{by} and what depends on it lie more than {REACH} steps apart")
    lines = system.with_loss.forward
    timed = [e for e in lines if e.name.lag is not None]
    return [e for e in lines if e.name.lag is None] + [
        Equation(e.name.shifted(s), shifted(e.expr, s)) for s in range(first, last + 1) for e in timed
    ]


def _through_expression(
    lines: list[Equation],
    shapes: Mapping[str, Shape],
    expr: sp.Expr,
    gradient: sp.Expr,
    by: Ref,
    held: Iterable[Ref] = (),
) -> sp.Expr:
    """The same where the gradient is that of an expression: its normal form is further lines."""
    whole = Ref("the expression", 0)
    own, known = normalise([Equation(whole, expr)], [*shapes, whole.base], dict(shapes))
    found = through([*lines, *own], known, [(whole, gradient)], by, held)
    meant: dict[sp.Expr, sp.Expr] = {}
    for line in own:
        meant[line.name] = line.expr.xreplace(meant)
    return found.xreplace(meant)


def through(
    lines: Iterable[Equation],
    shapes: Mapping[str, Shape],
    seeds: Sequence[Seed],
    by: Ref,
    held: Iterable[Ref] = (),
) -> sp.Expr:
    """The same through any lines in normal form, the gradients on the way written out."""
    lines = _moved(lines, by, set(held))
    timeless = [ref for ref in (by, *(line.name for line in lines)) if ref.lag is None]
    now = {ref: Ref(ref.base, 0) for ref in timeless}  # no sum over the steps: it is asked of one
    sweep = Sweep(shapes, lambda ref: Ref(f"to {ref.base}", ref.lag))
    for ref, gradient in seeds:
        sweep.seed(now.get(ref, ref), gradient, shapes[ref.base])
    sweep.run(Equation(now.get(e.name, e.name), e.expr.xreplace(now)) for e in lines)
    arrived = sweep.close(now.get(by, by)) or sp.Integer(0)
    known: dict[sp.Expr, sp.Expr] = {}
    for line in sweep.backward:
        known[line.name] = line.expr.xreplace(known)
    return arrived.xreplace(known).xreplace({present: ref for ref, present in now.items()})


def _moved(lines: Iterable[Equation], by: Ref, held: set[Ref]) -> list[Equation]:
    """The lines whose values change with ``by``, in order."""
    moved, found = {by}, []
    for line in lines:
        if line.name != by and line.name not in held and line.expr.atoms(Ref) & moved:
            moved.add(line.name)
            found.append(line)
    return found


def entrywise(expr: sp.Expr, v: Ref) -> bool:
    """Whether the k-th entry of an expression depends on the k-th of a reference alone."""
    return not any(
        isinstance(node, Op) and not isinstance(node, Pointwise) and node.has(v)
        for node in sp.preorder_traversal(expr)
    )
