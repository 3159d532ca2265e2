"""From what an author wrote to a SymPy expression, or a sentence that says why it is none."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from lstmsym.mistakes import NotationError, mistake


def expression(value: Any) -> sp.Expr:
    """What an author wrote as a SymPy expression.

    Raises:
        NotationError: it is none, told with its place.
    """
    try:
        return operand(value)
    except Unplaced as error:
        raise mistake(str(error)) from None


class Unplaced(NotationError):
    """A mistake in a value, of which only the caller knows where it stands."""


def operand(value: Any) -> sp.Expr:
    """The same, where the caller knows the place.

    Raises:
        Unplaced: it is no expression.
    """
    if isinstance(value, sp.Expr):
        return value
    try:
        made = None if isinstance(value, bool) else sp.sympify(value, strict=True)
    except NotationError:
        raise
    except Exception:
        made = None
    if not isinstance(made, (sp.Expr, Relational)):
        raise Unplaced(f"{_described(value)} is no expression of the notation{_remedy(value)}")
    return made


def _described(value: Any) -> str:
    if isinstance(value, (bool, sp.logic.boolalg.BooleanAtom)):
        return f"the truth value {value}"
    if hasattr(value, "__name__"):
        return f"{value.__name__} ({type(value).__name__})"
    shown = " ".join((repr(value) if isinstance(value, str) else str(value)).split())
    return f"{shown if len(shown) < 60 else shown[:57] + '...'} ({type(value).__name__})"


def _remedy(value: Any) -> str:
    if hasattr(value, "__name__"):
        return (
            ": functions are called with (...); what is no quantity is imported and defined above the class"
        )
    remedies: dict[Any, str] = {
        (bool, sp.logic.boolalg.BooleanAtom): "a condition is written where(a > b, x, y)",
        (list, tuple): "vectors are joined by concat(a, b) and added by a + b",
        object: "write it with declared quantities (an array is a parameter), earlier lines and numbers",
    }
    kind = next(kinds for kinds in remedies if isinstance(value, kinds))
    return f": {remedies[kind]}"
