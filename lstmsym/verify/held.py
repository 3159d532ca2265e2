"""What a derivative may hold fixed: the readings of d/d that papers leave to the reader.

A derivative that becomes zero for want of a path says nothing: where what is held lies on the only
path there is no such reading, nor beside one that is zero as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import sympy as sp

from lstmsym.notation import NotationError, Ref
from lstmsym.shapes import ShapeError
from lstmsym.verify.elaborate import is_zero
from lstmsym.verify.system import System, shifted
from lstmsym.verify.words import ChainSum, Label, Local, Through

Changed = tuple[str, sp.Expr, sp.Expr]
"""What is assumed, and both sides under it."""


def held_readings(left: sp.Expr, right: sp.Expr, system: System) -> Iterator[Changed]:
    """(assumption, both sides under it), for the derivatives in a claim that leave open what they hold."""
    nodes = sorted(left.atoms(Label, Local) | right.atoms(Label, Local), key=str)
    free = [node for node in nodes if len(node.args) == 2]
    if any(_lacks_path(node, system) for node in free if isinstance(node, Local)):
        return
    groups = [free, *([node] for node in free if len(free) > 1)]
    for state in system.cell.role("state"):
        for group in groups:
            yield from _under(left, right, group, free, system, partial(_beside, state.name))
    for group in groups:
        yield from _under(left, right, group, free, system, partial(_immediate, system))
        yield from _under(left, right, group, free, system, _followed)
    yield from _chain(left, right, system)


def moved_labels(left: sp.Expr, right: sp.Expr, system: System) -> Iterator[Changed]:
    """Derivatives of the loss by a neighbouring step, or with a state held fixed as well: likely slips."""
    for node in sorted(left.atoms(Label) | right.atoms(Label), key=str):
        what, by, *held = node.args
        if not isinstance(by, Ref) or by.lag is None:
            continue
        for near in (by.shifted(-1), by.shifted(1)):
            beside = [[Ref(q.name, near.lag)] for q in system.cell.role("state") if q.name != by.base]
            for fixed in ([], *beside):
                other = Label(what, near, *held, *fixed)
                if not _vacuous(node, other, system):
                    yield f"{near} for {by}", left.xreplace({node: other}), right.xreplace({node: other})


def _under(
    left: sp.Expr,
    right: sp.Expr,
    group: list[sp.Expr],
    free: list[sp.Expr],
    system: System,
    change: Callable[[sp.Expr], sp.Expr | None],
) -> Iterator[Changed]:
    """A claim with the derivatives of a group changed, unless one of them loses its only path."""
    changed = {node: change(node) for node in group}
    rules = {node: other for node, other in changed.items() if other is not None}
    if rules and not any(_vacuous(node, other, system) for node, other in rules.items()):
        subject = "the derivative" if len(group) == len(free) else _name(group[0])
        assumed = sorted({_assumption(other) for other in rules.values()})
        yield f"{subject} {', and '.join(assumed)}", left.xreplace(rules), right.xreplace(rules)


def _lacks_path(node: sp.Expr, system: System) -> bool:
    try:
        return is_zero(node, system)
    except (NotationError, ShapeError):
        return False


def _vacuous(node: sp.Expr, other: sp.Expr, system: System) -> bool:
    try:
        return is_zero(other, system) and not is_zero(node, system)
    except (NotationError, ShapeError):
        return True


def _name(node: sp.Expr) -> str:
    return f"d{node.args[0]}/d{node.args[1]}"


def _assumption(node: sp.Expr) -> str:
    _, by, *held = node.args
    if isinstance(node, Through) and not held:
        return f"lets the other states of the step of {by} follow it"
    return f"is taken at fixed {', '.join(sorted(map(str, held)))}"


def _beside(state: str, node: sp.Expr) -> sp.Expr | None:
    """With a state of the same step held fixed."""
    what, by = node.args
    if isinstance(by, Ref) and by.base != state and by.lag is not None and what != Ref(state, by.lag):
        return node.func(what, by, Ref(state, by.lag))
    return None


def _immediate(system: System, node: sp.Expr) -> sp.Expr | None:
    """The derivative of a quantity's own line: all else that stands in it held fixed."""
    what, by = node.args
    if not isinstance(node, Local) or not isinstance(what, Ref) or what.lag is None:
        return None
    lines = [e.expr for e in system.cell.equations if e.name == Ref(what.base, 0)]
    others = {r for line in lines for r in shifted(line, what.lag).atoms(Ref) if r.lag is not None} - {by}
    return Local(what, by, *sorted(others, key=str)) if others else None


def _followed(node: sp.Expr) -> sp.Expr | None:
    """Over the lines of the step of the quantity itself, where its other states follow it."""
    return Through(*node.args) if isinstance(node, Local) else None


def _chain(left: sp.Expr, right: sp.Expr, system: System) -> Iterator[Changed]:
    """A chain sum in which dh(t)/dW holds earlier outputs fixed and leaves the other states free."""
    cell = system.cell
    for node in sorted(left.atoms(ChainSum) | right.atoms(ChainSum), key=str):
        held = tuple(Ref(o, -1) for o in cell.outputs if cell.by_name[o].role == "state")
        others = [q.name for q in cell.role("state") if q.name not in cell.outputs]
        if len(node.args) == 1 and held:
            rules = {node: ChainSum(node.args[0], *held)}
            first, free = held[0].base, " and ".join(others)
            said = f"d{first}/d{node.args[0]} holds earlier {first} fixed"
            said += f" and leaves {free} free" if others else ""
            yield said, left.xreplace(rules), right.xreplace(rules)
