"""What a value may be meant to be where it stands: in the loop, at its end, at the last step."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.arrays import Array
from lstmsym.listings.backward import Backward
from lstmsym.listings.findings import Part
from lstmsym.listings.gradients import is_g, like_gradient
from lstmsym.listings.keys import key_of
from lstmsym.listings.statements import each, texts
from lstmsym.listings.steps import place
from lstmsym.notation import Ref


def wanted(run: Backward, key: str, target: ast.expr) -> tuple[Ref, ...]:
    """The gradients that a value may be meant to be."""
    truth, guess = run.truth, run.guess(key)
    if key in run.asked and run.loop is not None and isinstance(target, ast.Name | ast.Attribute):
        if isinstance(guess, Ref) and guess.lag == 1:
            between = _between(run, key, target, guess) if run.now < run.ends.get(key, 0) else ()
            return (*(f for f in between if f.lag in (None, 0)), guess.shifted(-1))
        if isinstance(guess, Ref) and run.forward.final:
            return tuple(truth.back(s, 0) for s in truth.states if truth.adjoint(s).base == guess.base)
    family = run.gradients.family(key, target)
    if isinstance(target, ast.Subscript):
        lag = (place(target, run.scope)[2] or 0) - run.scope.offsets.get(key, 0)
        if lag == -1:
            bases = {f.base for f in family}
            return tuple(truth.back(s, 0) for s in truth.states if truth.adjoint(s).base in bases)
    return tuple(f for f in family if f.lag in (None, 0)) or family


def _between(run: Backward, key: str, target: ast.expr, carried: Ref) -> tuple[Ref, ...]:
    """What a loop may make of what it carries before it hands it on: all of the state's gradient."""
    truth = run.truth
    whole = (truth.adjoint(s) for s in truth.states if truth.back(s, 1).base == carried.base)
    return run.gradients.family(key, target) or tuple(whole)


def hands_on(run: Backward, key: str, target: ast.expr) -> bool:
    """Whether a statement is the last of a loop to set what the loop carries."""
    plain = run.loop is not None and isinstance(target, ast.Name | ast.Attribute)
    guess = run.guess(key)
    return plain and isinstance(guess, Ref) and guess.lag == 1 and run.now >= run.ends.get(key, 0)


def gathers(run: Backward, key: str, statements: Sequence[Part]) -> bool:
    """Whether a loop adds to what there was before it: a sum over the steps."""
    added = all(isinstance(p.statement, ast.AugAssign) for p in statements)
    always = all(id(p.statement) not in run.conditional for p in statements)
    return run.loop is not None and added and always and key in run.outside and key not in run.asked


def at_last(run: Backward, expr: sp.Expr, meant: Sequence[Ref]) -> tuple[sp.Expr, Ref] | None:
    """A state's gradient without what comes back, which is all of it at the last step."""
    truth = run.truth
    for state in truth.states if run.loop is None and run.forward.final else ():
        whole, back = truth.adjoint(state), truth.back(state, 1)
        if whole in meant and truth.equals(expr + back, whole):
            return expr + back, whole
    return None


def idle(run: Backward, key: str, true: Ref, statement: ast.stmt) -> bool:
    """Whether a factor changes nothing, where the name may mean another gradient still."""
    if not isinstance(statement, ast.AugAssign) or not isinstance(statement.op, (ast.Mult, ast.Div)):
        return False
    return run.bound.get(key) == true and len(wanted(run, key, statement.target)) > 1


def kin(run: Backward, ref: Ref) -> set[str]:
    """The gradients of one quantity at whatever step: of a state, also what goes back to it."""
    both = (run.gradients.kin(s) for s in run.truth.states)
    return next((k for k in both if ref.base in k), {ref.base})


def claims(
    run: Backward, meant: Sequence[Ref], key: str, target: ast.expr, total: Array, statement: ast.stmt
) -> bool:
    """Whether a value without a gradient in it stands where there must be one."""
    parameter = any(w.lag is None for w in meant)
    if not meant or not like_gradient(key) or (is_g(key) and not run.truth.g_marks):
        return parameter
    added = isinstance(statement, ast.AugAssign) or isinstance(target, ast.Subscript)
    targets = {q.name for q in run.forward.cell.role("target")}
    begins = any(r.base in targets for r in total.expr.atoms(Ref))  # the loss's gradient begins there
    return parameter or added or begins or total.expr.has(N.Dot, N.Outer)


def is_forward(run: Backward, expr: sp.Expr) -> bool:
    """Whether no gradient is in an expression."""
    system = run.truth.judge.system
    given = {r.base for r in system.derivation.given.values()} | {r.base for r in system.carried}
    return not any(r.base in system.backward or r.base in given for r in expr.atoms(Ref))


def overwrites(run: Backward, target: ast.expr, true: Ref, statement: ast.stmt) -> bool:
    """Whether ``dh[t - 1] = ...`` takes the place of a gradient that the loop takes for all of it."""
    if not isinstance(target, ast.Subscript) or not isinstance(statement, ast.Assign):
        return False
    key = key_of(target.value) or ""
    if key not in run.asked or place(target, run.scope)[2] != -1:
        return False
    truth, begun = run.truth, run.guess(key)
    pairs = ((truth.back(s, 0).base, truth.adjoint(s).base) for s in truth.states)
    return isinstance(begun, Ref) and (true.base, begun.base) in pairs and begun.lag == 0


def used_in_loop(run: Backward, text: str, statement: ast.stmt) -> bool:
    """Whether the loop goes on with a value: then it need not outlive the step."""
    inner = (s for s in each(run.loop.body) if s is not statement) if run.loop else ()
    return any(text in texts(s.value) for s in inner if isinstance(s, (ast.Assign, ast.AugAssign)))
