"""States that the loss does not depend on though the equations read them: the stabiliser of a softmax.

What is added to the logarithms of numerator and denominator alike has no gradient, by a cancellation
that only holds if nothing arrives after the last step.  It is proved from there backwards: with the
gradients of such states at the step after zero, theirs are zero.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sympy as sp

from lstmsym.notation import Ref
from lstmsym.verify.meaning import Meanings
from lstmsym.verify.prove import Prover
from lstmsym.verify.sequence import SIZES, STEPS
from lstmsym.verify.system import System, shifted
from lstmsym.verify.witness import Trial

NOTHING = 1e-9
"""What is below is zero in floating point, beside values of about one."""


def nulls(meanings: Meanings, trial: Trial) -> frozenset[str]:
    """The gradients of states that are proved to be zero at all steps, in sequences as a trial has them."""
    system = meanings.system
    adjoint = system.derivation.names.adjoint
    found = frozenset(adjoint(q.name) for q in system.cell.role("state") if vanishes(adjoint(q.name), trial))
    if not found or system.final:
        return frozenset()
    onward = Prover(replace(meanings, null=found, null_from=1))
    plain = Prover(meanings)
    for name in found:
        if not onward(carried_on(system, Ref(name, 0)), sp.Integer(0)):
            return frozenset()
        if not plain(ended(system, Ref(name, 0)), sp.Integer(0)):
            return frozenset()
    return found


def vanishes(name: str, trial: Trial) -> bool:
    """Whether a gradient is zero at every step that is tried."""
    values = [trial.numbers(seed).values.get(name, {}) for seed in range(len(SIZES))]
    return all(
        t in steps and np.max(np.abs(np.asarray(steps[t], dtype=float)), initial=0.0) < NOTHING
        for steps in values for t in range(STEPS)
    )  # fmt: skip


def carried_on(system: System, ref: Ref) -> sp.Expr:
    """A gradient with what the step after sends back written out."""
    line = shifted(system.backward[ref.base], ref.lag or 0)
    sent = {r.shifted(1 + (ref.lag or 0)) for r in system.carried}
    return line.xreplace({r: shifted(system.backward[r.base], r.lag or 0) for r in line.atoms(Ref) & sent})


def ended(system: System, expr: sp.Expr) -> sp.Expr:
    """An expression at t in which no gradient is sent back to t."""
    nothing = {ref.shifted(1): sp.Integer(0) for ref in system.carried}
    later = set(nothing)
    lines = {Ref(name, 0): line for name, line in system.backward.items()}
    for _ in lines:
        later |= {ref for ref, line in lines.items() if line.atoms(Ref) & later}
    rules = {ref: lines[ref].xreplace(nothing) for ref in later - set(nothing)}
    while expr.atoms(Ref) & set(rules):
        expr = expr.xreplace(rules)
    return expr
