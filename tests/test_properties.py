"""Random cells under random schedules: what is generated means what is written, and so do its gradients."""

from __future__ import annotations

from typing import Any

import numeric
import numpy as np
from hypothesis import assume, given, settings
from random_cells import random_cells, schedules

from lstmsym import Cell, Schedule, derive, emit, plan
from lstmsym.check import Case, check, random_case

FEW = settings(max_examples=60, deadline=None, derandomize=True)
SIZES = {"m": 3, "n": 4}
GROUPS = ("params", "inputs", "state0")


def flat(values: Any) -> Any:
    """All numbers of a dict, or of one array, in a row."""
    return (
        np.concatenate([np.ravel(v) for v in values.values()])
        if isinstance(values, dict)
        else np.ravel(values)
    )


def pulled(kernel: Any, case: Case) -> tuple[Any, dict[str, dict[str, Any]]]:
    """What the kernel gives, all in a row, and the gradients it has for it."""
    y, state, tape = kernel.forward(case.params, *case.inputs.values(), state0=case.state0)
    grads = kernel.backward(case.params, tape, case.dy, case.dstate)
    found = {"params": grads.params, "state0": grads.state0}
    found["inputs"] = {name: getattr(grads, name) for name in case.inputs}
    return np.concatenate((flat(y), flat(state))), found


def meant(cell: Cell, case: Case, **moved: Any) -> Any:
    """What the equations mean, all in a row."""
    args = {group: moved.get(group, getattr(case, group)) for group in GROUPS}
    y, state = numeric.run(cell, **args, sizes=SIZES)
    return np.concatenate((flat(y), flat(state)))


@FEW
@given(random_cells(), schedules)
def test_generated_code_means_the_equations(cell: Cell, schedule: Schedule) -> None:
    """Values to rounding, and every gradient by complex step through an independent forward run."""
    kernel: Any = emit(plan(derive(cell), schedule)).load()
    case, rng = random_case(kernel, 3, 2, SIZES), np.random.default_rng(1)
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = meant(cell, case)
    assume(np.all(np.isfinite(wanted)) and np.abs(wanted).max() < 1e4)
    values, found = pulled(kernel, case)
    np.testing.assert_allclose(values, wanted, rtol=1e-11, atol=1e-11)
    cotangent = np.concatenate((flat(case.dy), flat(case.dstate)))
    for group in GROUPS:
        for name, value in getattr(case, group).items():
            along = rng.normal(size=value.shape)
            moved = {**getattr(case, group), name: value + 1e-20j * along}
            numeric_ = cotangent @ np.imag(meant(cell, case, **{group: moved})) / 1e-20
            gradient, scale = found[group][name], np.abs(cotangent) @ np.abs(wanted)
            error = abs(np.sum(gradient * along) - numeric_)
            assert error <= 1e-7 * max(abs(numeric_), np.linalg.norm(gradient), 1e-3 * scale), (
                f"{name}: {error}"
            )


@FEW
@given(random_cells(), schedules)
def test_generated_code_passes_the_numeric_tests(cell: Cell, schedule: Schedule) -> None:
    kernel = emit(plan(derive(cell), schedule)).load()
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = meant(cell, random_case(kernel, 3, 2, SIZES))
    assume(np.all(np.isfinite(wanted)) and np.abs(wanted).max() < 1e2)
    report = check(kernel, T=3)
    assert report.ok, f"{cell}\n{schedule}\n{report}"
