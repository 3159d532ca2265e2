"""Cells are checked when they are built: one sentence, with the place and the remedy."""

from __future__ import annotations

from typing import Any

import nasty
import pytest
import sympy

import lstmsym
from lstmsym import Cell, Input, NotationError, State, cells, t, tanh, weights
from lstmsym.declare import Bias, Gain, Hyper, Output, Target, Vector, Weight

HEAD = "    x, h = Input(), State()\n    W, U = weights('W U')\n    b = biases('b')\n"
GOOD = "    h[t] = tanh(W @ x[t] + U @ h[t-1] + b)\n"

MISTAKES = [
    ("    h[t] = tanh(W @ x[t] + U @ h[t-1] + b + q)\n", "q is not defined"),
    ("    h[t] = tahn(W @ x[t] + U @ h[t-1] + b)\n", "did you mean tanh"),
    ("    a = W @ x[t]\n    a = U @ h[t-1]\n" + GOOD, "a is defined twice"),
    (GOOD + GOOD, "defined twice"),
    ("    h[t] = tanh(W @ x[t] + W @ h[t-1] + b + U @ x[t])\n", "does not fit"),
    ("    h[t] = tanh(x[t] + W @ x[t] + U @ h[t-1] + b)\n", "does not fit"),
    ("    c = State()\n" + GOOD, "c is never assigned"),
    ("    h[t] = tanh(W @ x[t] + U @ h[t] + b)\n", "used before it is defined"),
    ("    h[t] = tanh(W @ x[t] + U @ h[t-1])\n", "b is never used"),
    ("    u = Input()\n" + GOOD, "u is never used"),
    ("    params = W @ x[t]\n" + GOOD, "reserved"),
    ("    h[t] = tanh(W @ x + U @ h[t-1] + b)\n", "write x[t]"),
    ("    h[t] = tanh(W @ x[t-1] + U @ h[t-1] + b)\n", "read as x[t]"),
    ("    h[t] = tanh(W @ x[t] + U @ h[t-2] + b)\n", "read as h[t] or h[t-1]"),
    ("    h[t] = tanh(W @ x[t] + U @ h[t+1] + b)\n", "look back only"),
    ("    i = tanh(W @ x[t] + b)\n    h[t] = U @ h[t-1] * i[t-1]\n", "declare i = State()"),
    ("    h[t+1] = tanh(W @ x[t] + U @ h[t-1] + b)\n", "an equation defines h[t]"),
    ("    x[t] = W @ h[t-1]\n" + GOOD, "only a state"),
    ("    y = Target()\n" + GOOD + "    l = sum((h[t] - y[t])**2)\n    k2 = sum(h[t])\n", "two losses"),
    ("    y = Target()\n" + GOOD + "    e = h[t] - y[t]\n", "no loss"),
    ("    a = W @ x[t]\n" + GOOD, "never used"),
    ("    h[t] = sympy.sin(W @ x[t] + U @ h[t-1] + b)\n", "unknown function sin"),
    ("    h[t] = [1, 2]\n", "no expression"),
    ("    h[t] = where(h[t-1] >= 0, W @ x[t] + b, U @ h[t-1])\n", "written with > or <"),
    ("    h[t] = tanh(x[t] @ W + U @ h[t-1] + b)\n", "left side of @ is a matrix"),
    ("    W_f, W_g = weights('W_g W_f')\n" + GOOD, "use one name"),
]


@pytest.mark.parametrize(("lines", "words"), MISTAKES)
def test_mistake(lines: str, words: str) -> None:
    scope: dict[str, Any] = {**vars(lstmsym), "sympy": sympy, "__name__": "mine"}
    code = compile(f"class Mine(Cell):\n{HEAD}{lines}", "mine.py", "exec")
    with pytest.raises(NotationError) as caught:
        exec(code, scope)
    message = str(caught.value)
    assert (words in message and "\n" not in message and "Mine" in message) or "mine.py" in message, message


@pytest.mark.parametrize("cell", [cells.find(n) for n in cells.names()], ids=lambda c: c.name)
def test_from_equations_builds_the_same_value(cell: Cell) -> None:
    kinds = {"input": Input, "state": State, "target": Target, "output": Output}
    starts = {"uniform": None, "zeros": Bias, "ones": Gain}
    declared = []
    for q in cell.quantities:
        if q.role in kinds:
            declared.append(kinds[q.role](*q.shape, name=q.name))
        elif q.role == "hyperparameter":
            declared.append(Hyper(float(str(q.start)), name=q.name))
        elif q.role == "parameter":
            kind = starts[str(q.start)] or (Weight if len(q.shape) == 2 else Vector)
            declared.append(kind(*q.shape, name=q.name))
    again = Cell.from_equations(cell.name, declared, [(e.name, e.expr) for e in cell.equations])
    assert again == cell


def test_pages_do_not_inherit() -> None:
    assert not isinstance(cells.find("lstm"), type)


def test_a_sum_times_a_product_needs_a_name() -> None:
    class Named(Cell):
        x, h = Input(), State()
        W, R = weights("W R")
        A = R - R.T
        v = 2 * h[t - 1]
        h[t] = tanh(W @ x[t] + A @ v)

    assert isinstance(Named, Cell) and nasty
