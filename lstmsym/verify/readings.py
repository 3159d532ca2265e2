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
from lstmsym.verify.claims import Claim
from lstmsym.verify.held import held_readings
from lstmsym.verify.system import System

TRANSPOSED = "gradients of matrices are laid out transposed"


def readings(claim: Claim, system: System) -> Iterator[tuple[str, Claim]]:
    """(assumption, the claim as it is to be understood under it), most usual first."""
    for assumption, left, right in held_readings(claim.left, claim.right, system):
        yield assumption, replace(claim, left=left, right=right)
    yield from _layout(claim, system)
    yield from _rows(claim, system)
    yield from _half(claim, system)


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
