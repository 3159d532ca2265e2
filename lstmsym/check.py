"""Numeric tests of a kernel's gradients, under generic conditions.

Published gradient checks pass on wrong code where they start from zero states, equal biases or a
gradient that arrives at the last output only.  Here every parameter, input and initial state is
random, and random gradients arrive at every output and at every last state.  Nothing of the
backward pass enters the numbers that it is compared with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

DIFFERENCES, COMPLEX_STEP, SINGLE, EXACT = 1e-7, 1e-10, 1e-4, 1e-12
"""Tolerances, relative: for differences, complex step, float32, and what differs by rounding only."""


@dataclass(frozen=True)
class Row:
    """One comparison; ``error`` is relative, and None where there was nothing to measure."""

    quantity: str
    method: str
    error: float | None
    tolerance: float
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the error is known and within the tolerance, or was not to be measured."""
        return self.error is None or self.error <= self.tolerance

    @property
    def excess(self) -> float:
        """The error in units of the tolerance; infinite where it is not a number."""
        ratio = 0.0 if self.error is None else self.error / self.tolerance
        return math.inf if math.isnan(ratio) else ratio


@dataclass(frozen=True)
class Report:
    """The comparisons made on one kernel."""

    name: str
    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether every row is."""
        return not self.failed

    @property
    def failed(self) -> tuple[Row, ...]:
        """The rows that are not ok."""
        return tuple(row for row in self.rows if not row.ok)

    @property
    def worst(self) -> Row:
        """The row that is closest to its tolerance, or farthest beyond it."""
        return max(self.rows, key=lambda row: row.excess)

    def __str__(self) -> str:
        """An aligned table, and one line that sums it up."""
        cells = [("quantity", "method", "error", "allowed", "")]
        for row in self.rows:
            error = "-" if row.error is None else f"{row.error:.1e}"
            verdict = " ".join(filter(None, ("ok" if row.ok else "WRONG", row.note)))
            cells.append((row.quantity, row.method, error, f"{row.tolerance:.0e}", verdict))
        a, b, c, d, _ = (max(map(len, column)) for column in zip(*cells, strict=True))
        lines = [f"{q:{a}}  {m:{b}}  {e:>{c}}  {t:>{d}}  {v}".rstrip() for q, m, e, t, v in cells]
        right, worst = len(self.rows) - len(self.failed), self.worst
        summary = f"{self.name}: {right} of {len(self.rows)} ok"
        return "\n".join((*lines, f"{summary}; worst: {worst.quantity}, {worst.method}"))


def check(
    kernel: Kernel,
    T: int = 5,
    B: int = 2,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
) -> Report:
    """Test a kernel's gradients.

    ``sizes`` are by symbol.  Keep m and n different, T at least 3 and B at least 2: at less, some
    mistakes do not show.

    Raises:
        ValueError: a size that the kernel does not have; and whatever the kernel raises.
    """
    case = random_case(kernel, T, B, sizes, seed)
    smallest = dict.fromkeys(kernel.SIZES, 1)
    rows = [*_call_rows(kernel, case), *_gradient_rows(kernel, case, seed)]
    rows += _loss_rows(kernel, case, seed)
    rows += _single_rows(kernel, case)
    rows += _edge_row(kernel, "T = 0", partial(random_case, kernel, 0, B, sizes, seed))
    rows += _edge_row(kernel, "B = 1", partial(random_case, kernel, T, 1, sizes, seed))
    rows += _edge_row(kernel, "all sizes 1", partial(random_case, kernel, T, B, smallest, seed))
    name = getattr(kernel, "name", None) or getattr(kernel, "__name__", type(kernel).__name__)
    return Report(str(name), tuple(rows))


# The rows.


def _gradient_rows(kernel: Kernel, case: Case, seed: int) -> Iterator[Row]:
    """Each quantity by differences and complex step; all at once, as an adjoint; linearity."""

    def values(at: Case) -> Array:
        return values_of(kernel, at)[0]

    gradient = pull(kernel, case)
    cotangent = in_a_row(kernel, case.dy, case.dstate)
    floor = floor(cotangent, values(case))
    real = partial(by_differences, values, case)
    imaginary = partial(by_complex_step, values, case)
    for key in gradient:
        error = agreement(case, [key], real, gradient, cotangent, floor)
        yield Row(label(key), "differences", error, DIFFERENCES)
    analytic, note = _is_analytic(kernel, case, real, imaginary)
    if not analytic:
        yield Row("everything", "complex step", None, COMPLEX_STEP, note)
    for key in gradient if analytic else ():
        error = agreement(case, [key], imaginary, gradient, cotangent, floor)
        yield Row(label(key), "complex step", error, COMPLEX_STEP)
    push, tolerance = (imaginary, COMPLEX_STEP) if analytic else (real, DIFFERENCES)
    for label, other in _arrivals(kernel, case, seed + 1):
        cotangent = in_a_row(kernel, other.dy, other.dstate)
        pulled = pull(kernel, other)
        error = agreement(case, pulled, push, pulled, cotangent, floor)
        yield Row(label, "adjoint", error, tolerance)
    yield _linearity_row(kernel, case, seed + 2)


def _is_analytic(kernel: Kernel, case: Case, real: Push, imaginary: Push) -> tuple[bool, str]:
    """Whether forward is analytic: as the kernel says, or as two derivatives of forward agree."""
    declared = getattr(kernel, "analytic", None)
    if declared is not None:
        return bool(declared), "not analytic"
    direction = direction(case, variables(case), np.random.default_rng(2))
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


def _linearity_row(kernel: Kernel, case: Case, seed: int) -> Row:
    """backward(2 u - 3 v) = 2 backward(u) - 3 backward(v), for all that u and v bring."""
    other = next(_arrivals(kernel, case, seed))[1]

    def mix(u: Any, v: Any) -> Any:
        return {k: mix(u[k], v[k]) for k in u} if isinstance(u, dict) else 2 * u - 3 * v

    both = replace(case, dy=mix(case.dy, other.dy), dstate=mix(case.dstate, other.dstate))
    expected = mix(pull(kernel, case), pull(kernel, other))
    error, note = _distance(pull(kernel, both), expected)
    return Row("dy, dstate", "linearity", error, EXACT, note)


def _distance(found: Values, expected: Values) -> tuple[float, str]:
    """The greatest difference, relative to each array's greatest entry, and where it is."""
    top = {key: float(np.max(np.abs(a), initial=0.0)) for key, a in expected.items()}
    least = max(1e-3 * max(top.values(), default=0.0), 1e-300)
    errors = {
        label(key): float(np.max(np.abs(found[key] - a), initial=0.0)) / max(top[key], least)
        for key, a in expected.items()
    }
    worst = max(errors, key=lambda label: math.inf if math.isnan(errors[label]) else errors[label])
    return errors[worst], f"at {worst}" if errors[worst] else ""


def _loss_rows(kernel: Kernel, case: Case, seed: int) -> Iterator[Row]:
    """The gradients of a kernel's own loss, by differences of the loss."""
    if getattr(kernel, "loss_and_grads", None) is None:
        return
    loss, gradient = loss_of(kernel, case)
    one = np.ones(1)
    push = partial(by_differences, lambda at: loss_of(kernel, at)[0], case)
    for key in gradient:
        error = agreement(case, [key], push, gradient, one, floor(one, loss))
        yield Row(label(key), "differences of the loss", error, DIFFERENCES)


def _single_rows(kernel: Kernel, case: Case) -> Iterator[Row]:
    """float32: what comes back is float32, and agrees with float64."""
    single = case.astype(np.float32)
    gradient = pull(kernel, single)
    y, state, _ = kernel.forward(single.params, *single.inputs.values(), state0=single.state0)
    given = named(kernel.OUTPUTS, y) | {f"last {name}": value for name, value in state.items()}
    given |= {f"gradient of {label(key)}": value for key, value in gradient.items()}
    wrong = {name: a.dtype for name, a in given.items() if a.dtype != np.float32}
    note = ", ".join(f"{name} is {dtype}" for name, dtype in wrong.items())
    yield Row("dtype", "float32", float(len(wrong)), 0.5, note)
    error, note = _distance(gradient, pull(kernel, case.astype(np.float32).astype(np.float64)))
    yield Row("everything", "float32", error, SINGLE, note)


def _call_rows(kernel: Kernel, case: Case) -> Iterator[Row]:
    """The manner of a call: shapes, None and missing names are zeros, arguments stay as they were."""
    given = case.astype(np.float64)
    gradient = pull(kernel, given)
    wrong = [label(key) for key, value in gradient.items() if np.isnan(value).any()]
    note = f"missing, misshapen or not a number: {', '.join(wrong)}" if wrong else ""
    yield Row("gradients", "shape", float(len(wrong)), 0.5, note)
    changed = _differing(given, case)
    yield Row("arguments", "unchanged", float(len(changed)), 0.5, ", ".join(changed))
    zeros = {name: np.zeros_like(value) for name, value in case.state0.items()}
    full = pull(kernel, replace(case, state0=zeros, dstate=zeros))
    for label, short in (("None", None), ("{}", {})):
        found = _pull_short(kernel, case, short)
        error, note = _distance(found, full)
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


def _edge_row(kernel: Kernel, label: str, draw: Callable[[], Case]) -> Iterator[Row]:
    """An extreme size: that it runs, and that all gradients at once agree with differences."""
    try:
        case = draw()
        gradient = pull(kernel, case)
        cotangent = in_a_row(kernel, case.dy, case.dstate)
        push = partial(by_differences, lambda at: values_of(kernel, at)[0], case)
        floor = floor(cotangent, values_of(kernel, case)[0])
        error = agreement(case, gradient, push, gradient, cotangent, floor)
        yield Row(label, "differences", error, DIFFERENCES)
    except Exception as failure:  # whatever a kernel raises here is the finding
        note = f"{type(failure).__name__}: {failure}"
        yield Row(label, "differences", math.inf, DIFFERENCES, note)
