"""Jacobians of a step with a row for each entry of what they are by: dh(t)/dh(t-1) = U^T diag(f')."""

from __future__ import annotations

from dataclasses import replace

from lstmsym import notation as N
from lstmsym.notation import NotationError
from lstmsym.shapes import ShapeError
from lstmsym.verify.claims import Claim
from lstmsym.verify.elaborate import shape_before
from lstmsym.verify.judge import Judge
from lstmsym.verify.words import Local


def right_if_turned(claim: Claim, judge: Judge) -> Claim | None:
    """A claim about a Jacobian with all Jacobians in it transposed, if it is right so."""
    if not isinstance(claim.left, Local):
        return None
    try:
        nodes = claim.left.atoms(Local) | claim.right.atoms(Local)
        rules = {n: N.transposed(n) for n in nodes if len(shape_before(n, judge.system)) == 2}
    except (NotationError, ShapeError):
        return None
    if claim.left not in rules:
        return None
    turned = replace(claim, left=claim.left.xreplace(rules), right=claim.right.xreplace(rules))
    return turned if judge.right(turned) else None
