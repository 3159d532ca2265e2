"""A kernel's arguments drawn at random, its calls as one function, and derivatives of that function.

Everything here comes from the forward pass, apart from the gradients that backward hands over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
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
        dy=packed(draw(kernel.OUTPUTS, T, B)),
        dstate=draw(kernel.STATES, B),
        targets=packed(draw(kernel.TARGETS, T, B)),
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


def packed(values: dict[str, Array]) -> Any:
    return next(iter(values.values())) if len(values) == 1 else values


def named(shapes: Shapes, value: Any) -> dict[str, Array]:
    return {next(iter(shapes)): value} if len(shapes) == 1 else dict(value)


# Values and gradients, by key.


def variables(case: Case) -> Values:
    groups = {"params": case.params, "inputs": case.inputs, "state0": case.state0}
    return {(group, name): a for group, values in groups.items() for name, a in values.items()}


def label(key: Key) -> str:
    return f"initial {key[1]}" if key[0] == "state0" else key[1]


def moved(case: Case, direction: Values, step: complex) -> Case:
    """The case, a step along a direction; complex where the step is."""
    dtype = np.complex128 if isinstance(step, complex) else np.float64
    groups: dict[str, dict[str, Array]] = {"params": {}, "inputs": {}, "state0": {}}
    for key, value in variables(case).items():
        along = direction.get(key)
        groups[key[0]][key[1]] = value.astype(dtype) if along is None else value + step * along
    return replace(case.astype(dtype), **groups)


def gradients_of(kernel: Kernel, case: Case, grads: Any) -> Values:
    """A kernel's gradients by key; not a number where one is missing or has a wrong shape."""
    found = {("inputs", name): getattr(grads, name, None) for name in kernel.INPUTS}
    found |= {("params", name): grads.params.get(name) for name in case.params}
    found |= {("state0", name): grads.state0.get(name) for name in case.state0}
    return {
        key: np.asarray(found[key])
        if found[key] is not None and np.shape(np.asarray(found[key])) == value.shape
        else np.full(value.shape, np.nan)
        for key, value in variables(case).items()
    }


def values_of(kernel: Kernel, case: Case) -> tuple[Array, Any]:
    """All outputs and last states in one row, and the tape."""
    y, state, tape = kernel.forward(case.params, *case.inputs.values(), state0=case.state0)
    return in_a_row(kernel, y, state), tape


def in_a_row(kernel: Kernel, y: Any, state: Mapping[str, Array] | None) -> Array:
    outputs = named(kernel.OUTPUTS, y)
    parts = [*(outputs[name] for name in kernel.OUTPUTS), *((state or {})[n] for n in kernel.STATES)]
    return np.concatenate([np.ravel(part) for part in parts])


def pull(kernel: Kernel, case: Case) -> Values:
    """What backward makes of the case's dy and dstate."""
    _, tape = values_of(kernel, case)
    return gradients_of(kernel, case, kernel.backward(case.params, tape, case.dy, case.dstate))


def loss_of(kernel: Any, case: Case) -> tuple[Array, Values]:
    targets = (case.targets,) if kernel.TARGETS else ()
    arguments = (case.params, *case.inputs.values(), *targets)
    loss, grads = kernel.loss_and_grads(*arguments, state0=case.state0)
    return np.reshape(loss, 1), gradients_of(kernel, case, grads)


# Derivatives along a direction, from forward alone.


def by_differences(f: Callable[[Case], Array], case: Case, direction: Values) -> Array:
    """By central differences at three steps, extrapolated twice (Romberg).

    Of several sets of steps, the one that its own last extrapolation changes least: large steps
    lose fewest digits, small ones stay clear of the kinks of relu, abs and max.
    """
    best, least = np.array(np.nan), math.inf
    for step in (2e-2, 2e-3, 2e-4):
        at = [step, step / 2, step / 4]
        d = [(f(moved(case, direction, s)) - f(moved(case, direction, -s))) / (2 * s) for s in at]
        e = [(4 * d[1] - d[0]) / 3, (4 * d[2] - d[1]) / 3]
        result = (16 * e[1] - e[0]) / 15
        change = float(np.linalg.norm(result - e[1]))
        if change < least:
            best, least = result, change
        if least <= 1e-12 * np.linalg.norm(best):
            break
    return best


def by_complex_step(f: Callable[[Case], Array], case: Case, direction: Values) -> Array:
    """By a step along the imaginary axis, so small that its square vanishes: no digit is lost."""
    step = 1e-20
    return np.asarray(f(moved(case, direction, 1j * step)).imag / step)


def direction(case: Case, keys: Iterable[Key], rng: np.random.Generator) -> Values:
    """A random direction in the space of these keys, of about unit length."""
    values = variables(case)
    chosen = {key: rng.normal(size=values[key].shape) for key in keys}
    count = sum(value.size for value in chosen.values())
    return {key: value / math.sqrt(max(count, 1)) for key, value in chosen.items()}


def error(numeric: float, gradient: Values, direction: Values, floor: float) -> float:
    """Relative error of a gradient along a direction.

    Relative to the derivative, or to what it is on average over directions where that is more:
    a direction may happen to be orthogonal to the gradient.  Below ``floor`` all is rounding.
    """
    along = sum(float(np.vdot(gradient[key], v)) for key, v in direction.items())
    typical = math.sqrt(sum(float(np.vdot(gradient[key], gradient[key])) for key in direction))
    typical /= math.sqrt(max(sum(v.size for v in direction.values()), 1))
    difference = abs(numeric - along)
    return difference / max(abs(numeric), typical, floor) if difference else 0.0


def agreement(
    case: Case, keys: Iterable[Key], push: Push, gradient: Values, cotangent: Array, floor: float
) -> float:
    """The worst relative error of a gradient over two random directions in the space of keys."""
    rng, keys = np.random.default_rng(1), tuple(keys)
    errors = []
    for _ in range(2):
        direction = direction(case, keys, rng)
        numeric = float(cotangent @ push(direction))
        errors.append(error(numeric, gradient, direction, floor))
    return float(np.max(errors))


def floor(cotangent: Array, values: Array) -> float:
    """Derivatives smaller than this drown in the rounding of the values they are taken from."""
    return max(1e-5 * float(np.abs(cotangent) @ np.abs(values)), 1e-300)
