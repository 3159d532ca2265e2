"""What is right at the general step and wrong at an end of the sequence, or under an assumption only."""

from __future__ import annotations

import ast

import sympy as sp

from lstmsym.listings.backward import Backward
from lstmsym.listings.findings import Part
from lstmsym.listings.start import shifted
from lstmsym.listings.steps import place
from lstmsym.notation import Ref


def trap(run: Backward, part: Part, true: Ref) -> tuple[str, str] | None:
    """(what is wrong at an end of the sequence, the right statement); the general step is right."""
    if run.loop is None or _guarded(run, part.statement):
        return None
    last = {run.truth.adjoint(name).base for name in run.forward.final}
    uses = any(r.base in last for r in part.array.expr.atoms(Ref))
    if true.lag == 0 and true.base not in last and uses:
        return "the error of what is computed once, at the last step, is added at every step", ""
    for node in ast.walk(part.statement):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            key, _, lag = place(node, run.scope)
            if key is not None and key in run.forward.rings and lag == -1:
                return _ring(run, key, node, part.statement)
    return None


def _ring(run: Backward, key: str, node: ast.Subscript, statement: ast.stmt) -> tuple[str, str]:
    """A list whose index -1 is its last entry."""
    text, index = ast.unparse(node), ast.unparse(node.slice).split(" ")[0]
    first = _first_name(run, shifted(run.known[key], -1).expr)
    whole = ast.unparse(statement).replace(text, f"({text} if {index} > 0 else {first})")
    return f"at {index} = 0 the index -1 of {key} is its last entry, not the initial state", whole


def _first_name(run: Backward, before: sp.Expr) -> str:
    """What the listing calls a state before the first step."""
    names = (old.base for old, new in run.forward.rename.items() if new == before and old.lag is None)
    return next(names, "the initial state")


def _guarded(run: Backward, statement: ast.stmt) -> bool:
    """Whether a condition on the step stands around a statement, or in it."""
    return id(statement) in run.conditional or any(isinstance(n, ast.IfExp) for n in ast.walk(statement))


def supposed(run: Backward, part: Part, true: Ref) -> str:
    """The assumption under which a statement is right, or nothing."""
    whole = next((said for key in part.reads if (said := _whole(run, key))), "")
    return whole or _one_sample(run, true, part)


def _one_sample(run: Backward, true: Ref, part: Part) -> str:
    """That nothing need be added up over samples, where other statements do so."""
    alone = true.lag is None and len(run.truth.dims(true)) == 1 and len(part.array.form or "") == 2
    added = part.array.summed or run.truth.is_total(part.array.expr)
    return "there is one sample" if alone and run.code.sums_samples and not added else ""


def _whole(run: Backward, key: str) -> str:
    """That a given gradient of an inner state is all of it, that by the output too."""
    ref = run.meanings.get(key)
    for name in run.truth.states:
        inner = name not in run.forward.cell.outputs
        if inner and ref == run.truth.adjoint(name) and key not in run.ends:
            shown = run.forward.shown.get(Ref(name, 0), name)
            return f"{key} is all of the gradient of {shown}, its way through the output included"
    return ""
