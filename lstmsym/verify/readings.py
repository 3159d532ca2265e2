"""Other readings of a claim: conventions under which a line may be right as it stands.

A reading is a convention of notation, never a correction: what is held fixed in a derivative of
the loss, the transposed layout of a gradient, the factor one half in a squared loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Ref
from lstmsym.verify.claims import ChainSum, Claim, Label
from lstmsym.verify.system import System

TRANSPOSED = "gradients of matrices are laid out transposed"


def readings(claim: Claim, system: System) -> Iterator[tuple[str, Claim]]:
    """(assumption, the claim as it is to be understood under it), most usual first."""
    yield from _fixed(claim, system)
    yield from _chain(claim, system)
    yield from _layout(claim, system)
    yield from _rows(claim, system)
    yield from _half(claim, system)


def _fixed(claim: Claim, system: System) -> Iterator[tuple[str, Claim]]:
    """A derivative of the loss with another state of the same step held fixed."""
    labels = sorted({node for e in (claim.left, claim.right) for node in e.atoms(Label)}, key=str)
    free = [node for node in labels if len(node.args) == 2]
    groups = [free, *([node] for node in free if len(free) > 1)]
    for state in system.cell.role("state"):
        for group in groups:
            rules, held = _held(group, state.name)
            if rules:
                changed = replace(claim, left=claim.left.xreplace(rules), right=claim.right.xreplace(rules))
                yield f"{_said(group, free)} is taken at fixed {', '.join(sorted(held))}", changed


def _said(group: list[sp.Expr], free: list[sp.Expr]) -> str:
    if len(group) == len(free):
        return "the derivative"
    what, by = group[0].args
    return f"d{what}/d{by}"


def _held(group: list[sp.Expr], state: str) -> tuple[dict[sp.Expr, sp.Expr], set[str]]:
    """The labels of a group with a state of the same step held fixed."""
    rules: dict[sp.Expr, sp.Expr] = {}
    held = set()
    for node in group:
        what, by = node.args
        if isinstance(by, Ref) and by.base != state and by.lag is not None:
            rules[node] = Label(what, by, Ref(state, by.lag))
            held.add(str(Ref(state, by.lag)))
    return rules, held


def _chain(claim: Claim, system: System) -> Iterator[tuple[str, Claim]]:
    """A chain sum in which dh(t)/dW holds earlier outputs fixed and leaves the other states free."""
    for node in claim.right.atoms(ChainSum):
        held = tuple(Ref(o, -1) for o in system.cell.outputs if system.cell.by_name[o].role == "state")
        others = [q.name for q in system.cell.role("state") if q.name not in system.cell.outputs]
        if len(node.args) == 1 and held and others:
            right = claim.right.xreplace({node: ChainSum(node.args[0], *held)})
            left = " and ".join(others)
            first = held[0].base
            said = f"d{first}/d{node.args[0]} holds earlier {first} fixed and leaves {left} free"
            yield said, replace(claim, right=right)


def _layout(claim: Claim, system: System) -> Iterator[tuple[str, Claim]]:
    """Row layout: the gradient of a matrix is printed transposed."""
    if isinstance(claim.left, Ref) and len(system.shapes[claim.left.base]) == 2:
        yield TRANSPOSED, replace(claim, right=N.transposed(claim.right))


def _rows(claim: Claim, system: System) -> Iterator[tuple[str, Claim]]:
    """Row layout: a vector stands left of its matrix, v @ M for M.T @ v."""

    def is_vector(expr: sp.Expr) -> bool:
        refs = expr.atoms(Ref)
        return (
            bool(refs)
            and all(len(system.shapes.get(r.base, ())) < 2 for r in refs)
            and not expr.atoms(N.Outer)
        )

    products = {node for node in claim.right.atoms(N.Dot) if is_vector(node.args[0])}
    if products:
        turned = {node: N.Dot(N.transposed(node.args[1]), node.args[0]) for node in products}
        yield "vectors are rows", replace(claim, right=claim.right.xreplace(turned))


def _half(claim: Claim, system: System) -> Iterator[tuple[str, Claim]]:
    """The loss has a factor one half: its gradient has no 2."""
    for base, expr in system.given.items():
        given = Ref(base, 0)
        half = expr / 2
        if half in sp.preorder_traversal(claim.right) or claim.right.has(*half.atoms(Ref)):
            right = claim.right.xreplace({sp.expand(half): given, half: given})
            expanded = sp.expand(claim.right - sp.expand(half)) + given
            for other in (right, expanded):
                if other != claim.right:
                    yield "the loss has a factor 1/2", replace(claim, right=other)
