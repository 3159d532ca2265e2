"""Gradients against numeric derivatives: each by itself, all at once, arriving here and there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from lstmsym.checks.cases import Array, Case, Kernel, named, packed
from lstmsym.checks.directions import (
    Push,
    agreement,
    complex_step,
    differences,
    random_direction,
    rounding_floor,
)
from lstmsym.checks.report import COMPLEX_STEP, DIFFERENCES, EXACT, Row
from lstmsym.checks.values import Values, called, in_a_row, loss_and_gradients, pull, run, variables


def gradient_rows(kernel: Kernel, case: Case, seed: int) -> Iterator[Row]:
    """Each quantity by differences and complex step; all at once, as an adjoint; linearity."""

    def values(at: Case) -> Array:
        return run(kernel, at)[0]

    gradient = pull(kernel, case)
    cotangent = in_a_row(kernel, case.dy, case.dstate)
    floor = rounding_floor(cotangent, values(case))
    by_differences = partial(differences, values, case)
    by_complex_step = partial(complex_step, values, case)
    for key in gradient:
        error = agreement(case, [key], by_differences, gradient, cotangent, floor)
        yield Row(called(key), "differences", error, DIFFERENCES)
    analytic, note = _is_analytic(kernel, case, by_differences, by_complex_step)
    if not analytic:
        yield Row("everything", "complex step", None, COMPLEX_STEP, note)
    for key in gradient if analytic else ():
        error = agreement(case, [key], by_complex_step, gradient, cotangent, floor)
        yield Row(called(key), "complex step", error, COMPLEX_STEP)
    push, tolerance = (by_complex_step, COMPLEX_STEP) if analytic else (by_differences, DIFFERENCES)
    for label, other in _arrivals(kernel, case, seed + 1):
        cotangent = in_a_row(kernel, other.dy, other.dstate)
        pulled = pull(kernel, other)
        error = agreement(case, pulled, push, pulled, cotangent, floor)
        yield Row(label, "adjoint", error, tolerance)
    yield linearity_row(kernel, case, seed + 2)


def _is_analytic(kernel: Kernel, case: Case, real: Push, imaginary: Push) -> tuple[bool, str]:
    """Whether forward is analytic: as the kernel says, or as two derivatives of forward agree."""
    declared = getattr(kernel, "analytic", None)
    if declared is not None:
        return bool(declared), "not analytic"
    direction = random_direction(case, variables(case), np.random.default_rng(2))
    try:
        difference = np.linalg.norm(imaginary(direction) - real(direction))
    except (TypeError, ValueError) as refusal:
        return False, f"not analytic: {refusal}"
    return bool(difference <= 1e-6 * np.linalg.norm(real(direction))), "not analytic"


def _arrivals(kernel: Kernel, case: Case, seed: int) -> Iterator[tuple[str, Case]]:
    """Where gradients may arrive: everywhere, at one output alone, at one last state alone."""
    rng = np.random.default_rng(seed)

    def draw(values: Mapping[str, Array], only: str = "") -> dict[str, Array]:
        return {
            name: rng.normal(size=a.shape) if only in ("", name) else np.zeros_like(a)
            for name, a in values.items()
        }

    outputs, states = named(kernel.OUTPUTS, case.dy), case.dstate
    yield "everything", replace(case, dy=packed(draw(outputs)), dstate=draw(states))
    for name in outputs:
        alone = replace(case, dy=packed(draw(outputs, name)), dstate=draw(states, " "))
        yield f"all, from output {name}", alone
    for name in states:
        alone = replace(case, dy=packed(draw(outputs, " ")), dstate=draw(states, name))
        yield f"all, from last {name}", alone


def linearity_row(kernel: Kernel, case: Case, seed: int) -> Row:
    """backward(2 u - 3 v) = 2 backward(u) - 3 backward(v), for all that u and v bring."""
    other = next(_arrivals(kernel, case, seed))[1]

    def mix(u: Any, v: Any) -> Any:
        return {k: mix(u[k], v[k]) for k in u} if isinstance(u, dict) else 2 * u - 3 * v

    both = replace(case, dy=mix(case.dy, other.dy), dstate=mix(case.dstate, other.dstate))
    expected = mix(pull(kernel, case), pull(kernel, other))
    error, note = distance(pull(kernel, both), expected)
    return Row("dy, dstate", "linearity", error, EXACT, note)


def distance(found: Values, expected: Values) -> tuple[float, str]:
    """The greatest difference, relative to each array's greatest entry, and where it is."""
    top = {key: float(np.max(np.abs(a), initial=0.0)) for key, a in expected.items()}
    least = max(1e-3 * max(top.values(), default=0.0), 1e-300)
    errors = {
        called(key): float(np.max(np.abs(found[key] - a), initial=0.0)) / max(top[key], least)
        for key, a in expected.items()
    }
    worst = max(errors, key=lambda label: math.inf if math.isnan(errors[label]) else errors[label])
    return errors[worst], f"at {worst}" if errors[worst] else ""


def loss_rows(kernel: Kernel, case: Case, seed: int) -> Iterator[Row]:
    """The gradients of a kernel's own loss, by differences of the loss."""
    if getattr(kernel, "loss_and_grads", None) is None:
        return
    loss, gradient = loss_and_gradients(kernel, case)
    one = np.ones(1)
    push = partial(differences, lambda at: loss_and_gradients(kernel, at)[0], case)
    for key in gradient:
        error = agreement(case, [key], push, gradient, one, rounding_floor(one, loss))
        yield Row(called(key), "differences of the loss", error, DIFFERENCES)
