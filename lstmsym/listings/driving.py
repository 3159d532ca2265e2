"""Code that only calls the passes of a listing, step by step: it computes nothing of its own."""

from __future__ import annotations

import ast

from lstmsym.listings.functions import ZEROS
from lstmsym.listings.keys import called
from lstmsym.listings.outline import Outline
from lstmsym.listings.statements import each

OWN = "a call of the listing's own function"
COPIES = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant)


def calls_own(statement: ast.stmt, plan: Outline) -> bool:
    """Whether a statement takes what a function of the listing gives, one that is no helper."""
    value = getattr(statement, "value", None)
    name = called(value) if isinstance(value, ast.Call) else ""
    return name in plan.functions and name not in plan.helpers


def only_drives(plan: Outline) -> bool:
    """Whether a backward pass only begins with zeros, hands on and calls another, which it does."""
    statements = [s for s in each(plan.backward) if isinstance(s, ast.Assign | ast.AugAssign)]
    calls = [s for s in statements if calls_own(s, plan)]
    others = (s.value for s in statements if s not in calls)
    return bool(calls) and all(isinstance(v, COPIES) or _zeros(v) for v in others)


def _zeros(value: ast.expr) -> bool:
    if isinstance(value, ast.List):
        return not value.elts
    return isinstance(value, ast.Call) and called(value) in ZEROS
