"""How a kernel is called: precision kept, arguments unchanged, edges of the sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np

from lstmsym.checks.cases import Array, Case, Kernel, named
from lstmsym.checks.directions import agreement, differences, rounding_floor
from lstmsym.checks.gradients import distance
from lstmsym.checks.report import DIFFERENCES, EXACT, SINGLE, Row
from lstmsym.checks.values import Values, called, gradients_of, in_a_row, pull, run


def single_rows(kernel: Kernel, case: Case) -> Iterator[Row]:
    """float32: what comes back is float32, and agrees with float64."""
    single = case.astype(np.float32)
    gradient = pull(kernel, single)
    y, state, _ = kernel.forward(single.params, *single.inputs.values(), state0=single.state0)
    given = named(kernel.OUTPUTS, y) | {f"last {name}": value for name, value in state.items()}
    given |= {f"gradient of {called(key)}": value for key, value in gradient.items()}
    wrong = {name: a.dtype for name, a in given.items() if a.dtype != np.float32}
    note = ", ".join(f"{name} is {dtype}" for name, dtype in wrong.items())
    yield Row("dtype", "float32", float(len(wrong)), 0.5, note)
    error, note = distance(gradient, pull(kernel, case.astype(np.float32).astype(np.float64)))
    yield Row("everything", "float32", error, SINGLE, note)


def call_rows(kernel: Kernel, case: Case) -> Iterator[Row]:
    """The manner of a call: shapes, None and missing names are zeros, arguments stay as they were."""
    given = case.astype(np.float64)
    gradient = pull(kernel, given)
    wrong = [called(key) for key, value in gradient.items() if np.isnan(value).any()]
    note = f"missing, misshapen or not a number: {', '.join(wrong)}" if wrong else ""
    yield Row("gradients", "shape", float(len(wrong)), 0.5, note)
    changed = _differing(given, case)
    yield Row("arguments", "unchanged", float(len(changed)), 0.5, ", ".join(changed))
    zeros = {name: np.zeros_like(value) for name, value in case.state0.items()}
    full = pull(kernel, replace(case, state0=zeros, dstate=zeros))
    for label, short in (("None", None), ("{}", {})):
        found = _pull_short(kernel, case, short)
        error, note = distance(found, full)
        yield Row(f"state0, dstate = {label}", "zeros", error, EXACT, note)


def _pull_short(kernel: Kernel, case: Case, state: dict[str, Array] | None) -> Values:
    _, _, tape = kernel.forward(case.params, *case.inputs.values(), state0=state)
    return gradients_of(kernel, case, kernel.backward(case.params, tape, case.dy, dstate=state))


def _differing(a: Case, b: Case) -> list[str]:
    def same(u: Any, v: Any) -> bool:
        if isinstance(u, dict):
            return u.keys() == v.keys() and all(same(u[k], v[k]) for k in u)
        return np.array_equal(u, v)

    names = [field.name for field in fields(a)]
    return [name for name in names if not same(getattr(a, name), getattr(b, name))]


def edge_row(kernel: Kernel, label: str, draw: Callable[[], Case]) -> Iterator[Row]:
    """An extreme size: that it runs, and that all gradients at once agree with differences."""
    try:
        case = draw()
        gradient = pull(kernel, case)
        cotangent = in_a_row(kernel, case.dy, case.dstate)
        push = partial(differences, lambda at: run(kernel, at)[0], case)
        floor = rounding_floor(cotangent, run(kernel, case)[0])
        error = agreement(case, gradient, push, gradient, cotangent, floor)
        yield Row(label, "differences", error, DIFFERENCES)
    except Exception as failure:  # whatever a kernel raises here is the finding
        note = f"{type(failure).__name__}: {failure}"
        yield Row(label, "differences", math.inf, DIFFERENCES, note)
