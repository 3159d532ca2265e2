"""What a kernel is to its tests, and random arguments for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shapes = Mapping[str, tuple[str, ...]]
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
    """As a caller passes them: one by itself, several as a dict."""
    return next(iter(values.values())) if len(values) == 1 else values


def named(shapes: Shapes, value: Any) -> dict[str, Array]:
    """By name what a kernel gives: one by itself, several as a dict."""
    return {next(iter(shapes)): value} if len(shapes) == 1 else dict(value)
