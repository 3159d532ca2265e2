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

Array = NDArray[Any]
Shapes = Mapping[str, tuple[str, ...]]
Key = tuple[str, str]
"""The group ("params", "inputs" or "state0") and the name of something that has a gradient."""
Values = dict[Key, Array]
Push = Callable[[Values], Array]
"""Direction -> derivative of all outputs and last states (or of the loss) along it."""

DIFFERENCES, COMPLEX_STEP, SINGLE, EXACT = 1e-7, 1e-10, 1e-4, 1e-12
"""Tolerances, relative: for differences, complex step, float32, and what differs by rounding only."""
_USUAL_SIZES = {"m": 3, "n": 4, "p": 2, "k": 5}


class Kernel(Protocol):
    """What is checked: the callables of a generated module and the shapes of what they take.

    A shape names sizes: ``INPUTS = {"x": ("m",)}`` is (T, B, m) as an array; ``SIZES`` gives the
    keyword of ``init_params`` that sets a size.  Read where they are there: ``loss_and_grads``;
    ``analytic``, whether forward is (left out, it is found out); ``name``.
    """

    @property
    def INPUTS(self) -> Shapes: ...
    @property
    def STATES(self) -> Shapes: ...
    @property
    def OUTPUTS(self) -> Shapes: ...
    @property
    def TARGETS(self) -> Shapes: ...
    @property
    def SIZES(self) -> Mapping[str, str]: ...
    @property
    def init_params(self) -> Callable[..., Mapping[str, Array]]: ...
    @property
    def forward(self) -> Callable[..., tuple[Any, Mapping[str, Array], Any]]: ...
    @property
    def backward(self) -> Callable[..., Any]: ...


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


@dataclass(frozen=True)
class Case:
    """The arguments of one call of a kernel, in the form in which it takes them.

    ``dy`` and ``targets`` are arrays where there is one output or target, else dicts by name.
    """

    params: dict[str, Array]
    inputs: dict[str, Array]
    state0: dict[str, Array]
    dy: Any
    dstate: dict[str, Array]
    targets: Any

    def astype(self, dtype: Any) -> Case:
        """The same numbers in this dtype."""
        return Case(*(_cast(getattr(self, field.name), dtype) for field in fields(self)))


def _cast(value: Any, dtype: Any) -> Any:
    if isinstance(value, dict):
        return {name: _cast(part, dtype) for name, part in value.items()}
    return np.asarray(value).astype(dtype)


def random_case(
    kernel: Kernel,
    T: int = 5,
    B: int = 2,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    dtype: Any = np.float64,
) -> Case:
    """Random arguments for a kernel: nothing zero, nothing equal to anything else.

    ``sizes`` are by symbol, such as ``{"m": 3, "n": 4}``; those left out take distinct small values.

    Raises:
        ValueError: a size that the kernel does not have.
    """
    rng = np.random.default_rng(seed)
    sizes = _all_sizes(kernel, sizes or {})
    keywords = {keyword: sizes[symbol] for symbol, keyword in kernel.SIZES.items()}
    params = kernel.init_params(rng, **keywords, dtype=np.float64)

    def draw(shapes: Shapes, *ahead: int) -> dict[str, Array]:
        return {
            name: rng.normal(size=(*ahead, *(_extent(dim, sizes) for dim in shape)))
            for name, shape in shapes.items()
        }

    return Case(
        params={name: _random_param(rng, np.shape(value)) for name, value in params.items()},
        inputs=draw(kernel.INPUTS, T, B),
        state0=draw(kernel.STATES, B),
        dy=_packed(draw(kernel.OUTPUTS, T, B)),
        dstate=draw(kernel.STATES, B),
        targets=_packed(draw(kernel.TARGETS, T, B)),
    ).astype(dtype)


def _all_sizes(kernel: Kernel, given: Mapping[str, int]) -> dict[str, int]:
    unknown = sorted(set(given) - set(kernel.SIZES))
    if unknown:
        raise ValueError(f"no size {unknown[0]!r} in this kernel; it has {', '.join(kernel.SIZES)}")
    usual = {symbol: 6 + place for place, symbol in enumerate(kernel.SIZES)} | _USUAL_SIZES
    return {symbol: given.get(symbol, usual[symbol]) for symbol in kernel.SIZES}


def _extent(dimension: str, sizes: Mapping[str, int]) -> int:
    """The value of a dimension: a sum of products of sizes and whole numbers, as in "m + 2*n"."""

    def value(factor: str) -> int:
        return int(factor) if factor.strip().isdecimal() else sizes[factor.strip()]

    return sum(math.prod(map(value, term.split("*"))) for term in str(dimension).split("+"))


def _random_param(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Numbers of both signs, none near zero; smaller in wide matrices, so that no gate saturates."""
    scale = 1.5 / math.sqrt(shape[-1]) if len(shape) > 1 else 1.0
    return np.asarray(scale * rng.choice([-1.0, 1.0], shape) * rng.uniform(0.3, 1.0, shape))


def _packed(values: dict[str, Array]) -> Any:
    return next(iter(values.values())) if len(values) == 1 else values


def _named(shapes: Shapes, value: Any) -> dict[str, Array]:
    return {next(iter(shapes)): value} if len(shapes) == 1 else dict(value)


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


# Values and gradients, by key.


def _variables(case: Case) -> Values:
    groups = {"params": case.params, "inputs": case.inputs, "state0": case.state0}
    return {(group, name): a for group, values in groups.items() for name, a in values.items()}


def _label(key: Key) -> str:
    return f"initial {key[1]}" if key[0] == "state0" else key[1]


def _moved(case: Case, direction: Values, step: complex) -> Case:
    """The case, a step along a direction; complex where the step is."""
    dtype = np.complex128 if isinstance(step, complex) else np.float64
    groups: dict[str, dict[str, Array]] = {"params": {}, "inputs": {}, "state0": {}}
    for key, value in _variables(case).items():
        along = direction.get(key)
        groups[key[0]][key[1]] = value.astype(dtype) if along is None else value + step * along
    return replace(case.astype(dtype), **groups)


def _gradients(kernel: Kernel, case: Case, grads: Any) -> Values:
    """A kernel's gradients by key; not a number where one is missing or has a wrong shape."""
    found: dict[Key, Any] = {("inputs", name): getattr(grads, name, None) for name in kernel.INPUTS}
    found |= {("params", name): grads.params.get(name) for name in case.params}
    found |= {("state0", name): grads.state0.get(name) for name in case.state0}
    return {
        key: np.asarray(found[key])
        if found[key] is not None and np.shape(np.asarray(found[key])) == value.shape
        else np.full(value.shape, np.nan)
        for key, value in _variables(case).items()
    }


def _forward(kernel: Kernel, case: Case) -> tuple[Array, Any]:
    """All outputs and last states in one row, and the tape."""
    y, state, tape = kernel.forward(case.params, *case.inputs.values(), state0=case.state0)
    return _row(kernel, y, state), tape


def _row(kernel: Kernel, y: Any, state: Mapping[str, Array]) -> Array:
    outputs = _named(kernel.OUTPUTS, y)
    parts = [*(outputs[name] for name in kernel.OUTPUTS), *(state[name] for name in kernel.STATES)]
    return np.concatenate([np.ravel(part) for part in parts])


def _pull(kernel: Kernel, case: Case) -> Values:
    """What backward makes of the case's dy and dstate."""
    _, tape = _forward(kernel, case)
    return _gradients(kernel, case, kernel.backward(case.params, tape, case.dy, case.dstate))


def _loss(kernel: Any, case: Case) -> tuple[Array, Values]:
    targets = (case.targets,) if kernel.TARGETS else ()
    arguments = (case.params, *case.inputs.values(), *targets)
    loss, grads = kernel.loss_and_grads(*arguments, state0=case.state0)
    return np.reshape(loss, 1), _gradients(kernel, case, grads)


# Derivatives along a direction, from forward alone.


def _differences(f: Callable[[Case], Array], case: Case, direction: Values) -> Array:
    """By central differences at three steps, extrapolated twice (Romberg).

    Of several sets of steps, the one that its own last extrapolation changes least: large steps
    lose fewest digits, small ones stay clear of the kinks of relu, abs and max.
    """
    best, least = np.array(np.nan), math.inf
    for step in (2e-2, 2e-3, 2e-4):
        at = [step, step / 2, step / 4]
        d = [(f(_moved(case, direction, s)) - f(_moved(case, direction, -s))) / (2 * s) for s in at]
        e = [(4 * d[1] - d[0]) / 3, (4 * d[2] - d[1]) / 3]
        result = (16 * e[1] - e[0]) / 15
        change = float(np.linalg.norm(result - e[1]))
        if change < least:
            best, least = result, change
        if least <= 1e-12 * np.linalg.norm(best):
            break
    return best


def _complex_step(f: Callable[[Case], Array], case: Case, direction: Values) -> Array:
    """By a step along the imaginary axis, so small that its square vanishes: no digit is lost."""
    step = 1e-20
    return np.asarray(f(_moved(case, direction, 1j * step)).imag / step)


def _direction(case: Case, keys: Iterable[Key], rng: np.random.Generator) -> Values:
    """A random direction in the space of these keys, of about unit length."""
    values = _variables(case)
    chosen = {key: rng.normal(size=values[key].shape) for key in keys}
    count = sum(value.size for value in chosen.values())
    return {key: value / math.sqrt(max(count, 1)) for key, value in chosen.items()}


def _error(numeric: float, gradient: Values, direction: Values, floor: float) -> float:
    """Relative error of a gradient along a direction.

    Relative to the derivative, or to what it is on average over directions where that is more:
    a direction may happen to be orthogonal to the gradient.  Below ``floor`` all is rounding.
    """
    along = sum(float(np.vdot(gradient[key], v)) for key, v in direction.items())
    typical = math.sqrt(sum(float(np.vdot(gradient[key], gradient[key])) for key in direction))
    typical /= math.sqrt(max(sum(v.size for v in direction.values()), 1))
    difference = abs(numeric - along)
    return difference / max(abs(numeric), typical, floor) if difference else 0.0


def _agreement(
    case: Case, keys: Iterable[Key], push: Push, gradient: Values, cotangent: Array, floor: float
) -> float:
    """The worst relative error of a gradient over two random directions in the space of keys."""
    rng, keys = np.random.default_rng(1), tuple(keys)
    errors = []
    for _ in range(2):
        direction = _direction(case, keys, rng)
        numeric = float(cotangent @ push(direction))
        errors.append(_error(numeric, gradient, direction, floor))
    return float(np.max(errors))


def _floor(cotangent: Array, values: Array) -> float:
    """Derivatives smaller than this drown in the rounding of the values they are taken from."""
    return max(1e-5 * float(np.abs(cotangent) @ np.abs(values)), 1e-300)


# The rows.


def _gradient_rows(kernel: Kernel, case: Case, seed: int) -> Iterator[Row]:
    """Each quantity by differences and complex step; all at once, as an adjoint; linearity."""

    def values(at: Case) -> Array:
        return _forward(kernel, at)[0]

    gradient = _pull(kernel, case)
    cotangent = _row(kernel, case.dy, case.dstate)
    floor = _floor(cotangent, values(case))
    by_differences = partial(_differences, values, case)
    by_complex_step = partial(_complex_step, values, case)
    for key in gradient:
        error = _agreement(case, [key], by_differences, gradient, cotangent, floor)
        yield Row(_label(key), "differences", error, DIFFERENCES)
    analytic, note = _is_analytic(kernel, case, by_differences, by_complex_step)
    if not analytic:
        yield Row("everything", "complex step", None, COMPLEX_STEP, note)
    for key in gradient if analytic else ():
        error = _agreement(case, [key], by_complex_step, gradient, cotangent, floor)
        yield Row(_label(key), "complex step", error, COMPLEX_STEP)
    push, tolerance = (by_complex_step, COMPLEX_STEP) if analytic else (by_differences, DIFFERENCES)
    for label, other in _arrivals(kernel, case, seed + 1):
        cotangent = _row(kernel, other.dy, other.dstate)
        pulled = _pull(kernel, other)
        error = _agreement(case, pulled, push, pulled, cotangent, floor)
        yield Row(label, "adjoint", error, tolerance)
    yield _linearity_row(kernel, case, seed + 2)


def _is_analytic(kernel: Kernel, case: Case, real: Push, imaginary: Push) -> tuple[bool, str]:
    """Whether forward is analytic: as the kernel says, or as two derivatives of forward agree."""
    declared = getattr(kernel, "analytic", None)
    if declared is not None:
        return bool(declared), "not analytic"
    direction = _direction(case, _variables(case), np.random.default_rng(2))
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

    outputs, states = _named(kernel.OUTPUTS, case.dy), case.dstate
    yield "everything", replace(case, dy=_packed(draw(outputs)), dstate=draw(states))
    for name in outputs:
        alone = replace(case, dy=_packed(draw(outputs, name)), dstate=draw(states, " "))
        yield f"all, from output {name}", alone
    for name in states:
        alone = replace(case, dy=_packed(draw(outputs, " ")), dstate=draw(states, name))
        yield f"all, from last {name}", alone


def _linearity_row(kernel: Kernel, case: Case, seed: int) -> Row:
    """backward(2 u - 3 v) = 2 backward(u) - 3 backward(v), for all that u and v bring."""
    other = next(_arrivals(kernel, case, seed))[1]

    def mix(u: Any, v: Any) -> Any:
        return {k: mix(u[k], v[k]) for k in u} if isinstance(u, dict) else 2 * u - 3 * v

    both = replace(case, dy=mix(case.dy, other.dy), dstate=mix(case.dstate, other.dstate))
    expected = mix(_pull(kernel, case), _pull(kernel, other))
    error, note = _distance(_pull(kernel, both), expected)
    return Row("dy, dstate", "linearity", error, EXACT, note)


def _distance(found: Values, expected: Values) -> tuple[float, str]:
    """The greatest difference, relative to each array's greatest entry, and where it is."""
    top = {key: float(np.max(np.abs(a), initial=0.0)) for key, a in expected.items()}
    least = max(1e-3 * max(top.values(), default=0.0), 1e-300)
    errors = {
        _label(key): float(np.max(np.abs(found[key] - a), initial=0.0)) / max(top[key], least)
        for key, a in expected.items()
    }
    worst = max(errors, key=lambda label: math.inf if math.isnan(errors[label]) else errors[label])
    return errors[worst], f"at {worst}" if errors[worst] else ""


def _loss_rows(kernel: Kernel, case: Case, seed: int) -> Iterator[Row]:
    """The gradients of a kernel's own loss, by differences of the loss."""
    if getattr(kernel, "loss_and_grads", None) is None:
        return
    loss, gradient = _loss(kernel, case)
    one = np.ones(1)
    push = partial(_differences, lambda at: _loss(kernel, at)[0], case)
    for key in gradient:
        error = _agreement(case, [key], push, gradient, one, _floor(one, loss))
        yield Row(_label(key), "differences of the loss", error, DIFFERENCES)


def _single_rows(kernel: Kernel, case: Case) -> Iterator[Row]:
    """float32: what comes back is float32, and agrees with float64."""
    single = case.astype(np.float32)
    gradient = _pull(kernel, single)
    y, state, _ = kernel.forward(single.params, *single.inputs.values(), state0=single.state0)
    given = _named(kernel.OUTPUTS, y) | {f"last {name}": value for name, value in state.items()}
    given |= {f"gradient of {_label(key)}": value for key, value in gradient.items()}
    wrong = {name: a.dtype for name, a in given.items() if a.dtype != np.float32}
    note = ", ".join(f"{name} is {dtype}" for name, dtype in wrong.items())
    yield Row("dtype", "float32", float(len(wrong)), 0.5, note)
    error, note = _distance(gradient, _pull(kernel, case.astype(np.float32).astype(np.float64)))
    yield Row("everything", "float32", error, SINGLE, note)


def _call_rows(kernel: Kernel, case: Case) -> Iterator[Row]:
    """The manner of a call: shapes, None and missing names are zeros, arguments stay as they were."""
    given = case.astype(np.float64)
    gradient = _pull(kernel, given)
    wrong = [_label(key) for key, value in gradient.items() if np.isnan(value).any()]
    note = f"missing, misshapen or not a number: {', '.join(wrong)}" if wrong else ""
    yield Row("gradients", "shape", float(len(wrong)), 0.5, note)
    changed = _differing(given, case)
    yield Row("arguments", "unchanged", float(len(changed)), 0.5, ", ".join(changed))
    zeros = {name: np.zeros_like(value) for name, value in case.state0.items()}
    full = _pull(kernel, replace(case, state0=zeros, dstate=zeros))
    for label, short in (("None", None), ("{}", {})):
        found = _pull_short(kernel, case, short)
        error, note = _distance(found, full)
        yield Row(f"state0, dstate = {label}", "zeros", error, EXACT, note)


def _pull_short(kernel: Kernel, case: Case, state: dict[str, Array] | None) -> Values:
    _, _, tape = kernel.forward(case.params, *case.inputs.values(), state0=state)
    return _gradients(kernel, case, kernel.backward(case.params, tape, case.dy, dstate=state))


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
        gradient = _pull(kernel, case)
        cotangent = _row(kernel, case.dy, case.dstate)
        push = partial(_differences, lambda at: _forward(kernel, at)[0], case)
        floor = _floor(cotangent, _forward(kernel, case)[0])
        error = _agreement(case, gradient, push, gradient, cotangent, floor)
        yield Row(label, "differences", error, DIFFERENCES)
    except Exception as failure:  # whatever a kernel raises here is the finding
        note = f"{type(failure).__name__}: {failure}"
        yield Row(label, "differences", math.inf, DIFFERENCES, note)
