"""Two arithmetics for one meaning: floating point, to find a difference, and many digits, to be sure of it.

An `Arithmetic` says what every operation of the notation does to arrays of its numbers.  Written from
the definitions; independent of the algebra of the proofs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import sympy as sp

Array = Any
Operation = Callable[..., Array]


@dataclass(frozen=True)
class Arithmetic:
    """Numbers of one kind: how to make them, and the operations on arrays of them."""

    number: Callable[[Fraction], Any]
    dtype: Any
    pointwise: Mapping[str, Operation]
    mixing: Mapping[str, Operation]

    def constant(self, expr: sp.Expr) -> Any:
        """The number that a constant of SymPy stands for, a float by its decimal digits."""
        exact = sp.Rational(str(expr)) if isinstance(expr, sp.Float) else expr
        if isinstance(exact, sp.Rational):
            return self.number(Fraction(int(exact.p), int(exact.q)))
        return self.number(Fraction(str(sp.N(exact, 120))))

    def full(self, shape: tuple[int, ...], value: Any) -> Array:
        """An array of equal entries."""
        return np.full(shape, value, dtype=self.dtype)


def _mixing(exp: Operation, log: Operation, sqrt: Operation) -> dict[str, Operation]:
    """What mixes entries, given three functions."""

    def mean(v: Array) -> Array:
        return v.sum() / len(v)

    def variance(v: Array) -> Array:
        return mean((v - mean(v)) ** 2)

    def logsumexp(z: Array) -> Array:
        return max(z) + log(exp(z - max(z)).sum())

    def softmax(z: Array) -> Array:
        e = exp(z - max(z))
        return e / e.sum()

    return {
        "Dot": np.dot,
        "Transposed": lambda a: a.T,
        "Outer": np.outer,
        "Concat": lambda *parts: np.concatenate(parts),
        "Sum": np.sum,
        "Mean": mean,
        "Variance": variance,
        "Max": max,
        "LogSumExp": logsumexp,
        "softmax": softmax,
        "log_softmax": lambda z: z - logsumexp(z),
        "normalize": lambda v, eps: (v - mean(v)) / sqrt(variance(v) + eps),
    }


def _each(function: Operation) -> Operation:
    return np.frompyfunc(function, function.__code__.co_argcount, 1)


def digits(count: int) -> tuple[Any, Arithmetic]:
    """Arithmetic with so many decimal digits, and the context of mpmath it works in."""
    mp = mpmath.MPContext()
    mp.dps = count
    zero, one = mp.mpf(0), mp.mpf(1)
    exp, log, sqrt = _each(lambda x: mp.exp(x)), _each(lambda x: mp.log(x)), _each(lambda x: mp.sqrt(x))
    pointwise = {
        "sigma": _each(lambda x: 1 / (1 + mp.exp(-x))),
        "tanh": _each(lambda x: mp.tanh(x)),
        "relu": _each(lambda x: max(x, zero)),
        "leaky_relu": _each(lambda x, s: x if x > 0 else s * x),
        "elu": _each(lambda x, a: x if x > 0 else a * (mp.exp(x) - 1)),
        "hard_sigmoid": _each(lambda x: min(max(x / 6 + one / 2, zero), one)),
        "softplus": _each(lambda x: mp.log(1 + mp.exp(x))),
        "exp": exp,
        "log": log,
        "sqrt": sqrt,
        "absolute": _each(lambda x: abs(x)),
        "sign": _each(lambda x: mp.sign(x)),
        "step": _each(lambda x: one if x > 0 else zero),
        "equal": _each(lambda a, b: one if a == b else zero),
        "where": _each(lambda c, a, b: a if c > 0 else b),
        "maximum": _each(lambda a, b: max(a, b)),
        "minimum": _each(lambda a, b: min(a, b)),
        "stop_gradient": _each(lambda x: x),
    }
    made = Arithmetic(
        lambda q: mp.mpf(q.numerator) / q.denominator, object, pointwise, _mixing(exp, log, sqrt)
    )
    return mp, made


def _floats() -> Arithmetic:
    pointwise: dict[str, Operation] = {
        "sigma": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
        "relu": lambda x: np.maximum(x, 0.0),
        "leaky_relu": lambda x, s: np.where(x > 0, x, s * x),
        "elu": lambda x, a: np.where(x > 0, x, a * np.expm1(x)),
        "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0.0, 1.0),
        "softplus": lambda x: np.logaddexp(0.0, x),
        "exp": np.exp,
        "log": np.log,
        "sqrt": np.sqrt,
        "absolute": np.abs,
        "sign": np.sign,
        "step": lambda x: np.where(x > 0, 1.0, 0.0),
        "equal": lambda a, b: np.where(a == b, 1.0, 0.0),
        "where": lambda c, a, b: np.where(c > 0, a, b),
        "maximum": np.maximum,
        "minimum": np.minimum,
        "stop_gradient": lambda x: x,
    }
    mixing = _mixing(np.exp, np.log, np.sqrt)
    return Arithmetic(lambda q: np.float64(q), np.float64, pointwise, mixing)


FLOATS = _floats()
MP, DIGITS = digits(50)
_, MORE_DIGITS = digits(100)
