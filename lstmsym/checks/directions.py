"""Derivatives along random directions, from the forward pass alone, against gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np

from lstmsym.checks.cases import Array, Case
from lstmsym.checks.values import Key, Values, moved, variables

Push = Callable[[Values], Array]
"""Direction -> derivative of all outputs and last states (or of the loss) along it."""


def differences(f: Callable[[Case], Array], case: Case, direction: Values) -> Array:
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


def complex_step(f: Callable[[Case], Array], case: Case, direction: Values) -> Array:
    """By a step along the imaginary axis, so small that its square vanishes: no digit is lost."""
    step = 1e-20
    return np.asarray(f(moved(case, direction, 1j * step)).imag / step)


def random_direction(case: Case, keys: Iterable[Key], rng: np.random.Generator) -> Values:
    """A random direction in the space of these keys, of about unit length."""
    values = variables(case)
    chosen = {key: rng.normal(size=values[key].shape) for key in keys}
    count = sum(value.size for value in chosen.values())
    return {key: value / math.sqrt(max(count, 1)) for key, value in chosen.items()}


def error_along(numeric: float, gradient: Values, direction: Values, floor: float) -> float:
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
        direction = random_direction(case, keys, rng)
        numeric = float(cotangent @ push(direction))
        errors.append(error_along(numeric, gradient, direction, floor))
    return float(np.max(errors))


def rounding_floor(cotangent: Array, values: Array) -> float:
    """Derivatives smaller than this drown in the rounding of the values they are taken from."""
    return max(1e-5 * float(np.abs(cotangent) @ np.abs(values)), 1e-300)
