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
from lstmsym.verify.claims import Claim, Label
from lstmsym.verify.system import System


def readings(claim: Claim, system: System) -> Iterator[tuple[str, Claim]]:
    """(assumption, the claim as it is to be understood under it), most usual first."""
    yield from _fixed(claim, system)
    yield from _layout(claim, system)
    yield from _half(claim, system)


def _fixed(claim: Claim, system: System) -> Iterator[tuple[str, Claim]]:
    """A derivative of the loss with another state of the same step held fixed."""
    labels = sorted({node for e in (claim.left, claim.right) for node in e.atoms(Label)}, key=str)
    free = [node for node in labels if len(node.args) == 2]
    for state in system.cell.role("state"):
        rules: dict[sp.Expr, sp.Expr] = {}
        held = set()
        for node in free:
            what, by = node.args
            if isinstance(by, Ref) and by.base != state.name and by.lag is not None:
                rules[node] = Label(what, by, Ref(state.name, by.lag))
                held.add(str(Ref(state.name, by.lag)))
        if rules:
            changed = replace(claim, left=claim.left.xreplace(rules), right=claim.right.xreplace(rules))
            yield f"the derivative is taken at fixed {', '.join(sorted(held))}", changed


def _layout(claim: Claim, system: System) -> Iterator[tuple[str, Claim]]:
    """Row layout: the gradient of a matrix is printed transposed."""
    if isinstance(claim.left, Ref) and len(system.shapes[claim.left.base]) == 2:
        yield "gradients of matrices are laid out transposed", replace(claim, right=N.transposed(claim.right))


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
