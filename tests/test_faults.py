"""The smallest cells found that are derived well and generated wrongly. Each is green once it is mended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numeric
import numpy as np
import pytest

from lstmsym import (
    Cell,
    Input,
    Output,
    Schedule,
    State,
    biases,
    concat,
    derive,
    emit,
    leaky_relu,
    log,
    max,
    min,
    n,
    plan,
    scalar,
    sigma,
    softmax,
    sqrt,
    t,
    tanh,
    weights,
    where,
)
from lstmsym.check import check, random_case

DEFAULT = Schedule()


# fmt: off
class StateOverwritten(Cell):
    """An affine state read by one activation only: tanh is written over c itself."""

    x, h, c = Input(), State(), State()
    W = weights("W")
    c[t] = W @ x[t] + c[t-1]
    h[t] = tanh(c[t]) + h[t-1] / 2


class OutputOverwritten(Cell):
    x, h = Input(), State()
    y = Output()
    W, U = weights("W U")
    y[t] = U @ h[t-1]
    h[t] = tanh(W @ x[t] + U @ tanh(y[t]))


class WhereStored(Cell):
    """A function of several arrays, stored, is taken for their product."""

    x, h = Input(), State()
    W = weights("W")
    i = tanh(W @ x[t])
    h[t] = where(h[t-1] > i, i * h[t-1], i)


class SlopeStored(Cell):
    x, h = Input(), State()
    W = weights("W")
    i, s = tanh(W @ x[t]), tanh(h[t-1])
    h[t] = leaky_relu(i, s)


class TermStored(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    h[t] = tanh(W @ x[t] + softmax(min(h[t-1], 2 * tanh(h[t-1])) - U @ h[t-1] / 3))


class TwoLayers(Cell):
    """A product, before the loop, of something itself computed before the loop."""

    x, h = Input(), State()
    W, U, V = weights("W U V")
    z = tanh(W @ x[t])
    h[t] = tanh(U @ h[t-1] + V @ z)


class MinimalRNN(Cell):
    """Chen 2017 (arXiv 1711.06788)."""

    x = Input()
    h = State()
    W_x, U_h, U_z = weights("W_x U_h U_z")
    b_z, b_u = biases("b_z b_u")
    z    = tanh(W_x @ x[t] + b_z)
    u    = sigma(U_h @ h[t-1] + U_z @ z + b_u)
    h[t] = u * h[t-1] + (1 - u) * z


class ProductOfParameters(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    b = biases("b")
    h[t] = tanh(W @ x[t] + h[t-1] + U @ b)


class NegativeWithNumber(Cell):
    """A number per sample in a product with a minus or a fraction: Lifted has no row in the table."""

    x, u, h = Input(), Input(scalar), State()
    W = weights("W")
    h[t] = tanh(W @ x[t] - u[t] * h[t-1])


class LargestOfTheSame(Cell):
    x, h = Input(), State()
    W = weights("W")
    h[t] = tanh(W @ x[t]) + max(h[t-1], h[t-1]) / 2


class InputsAsManyAsUnits(Cell):
    """No size m: init_params asks for input_size nevertheless, which SIZES does not have."""

    x, h = Input(n), State()
    W = weights("W")
    h[t] = tanh(W @ h[t-1]) + x[t]


class HoistedNotSunk(Cell):
    """With hoist and without sink the gradient of a hoisted activation is used before the loop ends."""

    x, h = Input(), State()
    W = weights("W")
    i = tanh(W @ x[t])
    h[t] = i * h[t-1]


class ViewAndName(Cell):
    """The gradients of i and h side by side are called dih, as is the gradient of concat(i, h)."""

    x, h = Input(), State()
    W, U = weights("W U")
    i = W @ x[t] + h[t-1]
    f = leaky_relu(U.T @ h[t-1], 0.1)
    h[t] = tanh(W @ x[t] + tanh(concat(i, h[t-1])[1:1 + n]) / 2 + f / 2)


class PowerStored(Cell):
    """A power of one array by another is no product of them."""

    x, h = Input(), State()
    W, U = weights("W U")
    z, w = sigma(W @ x[t]), sigma(U @ h[t-1])
    h[t] = z ** w


class NumbersOfDoublePrecision(Cell):
    """log(2) and sqrt(n) are Python's numbers, so that single precision stays."""

    x, h = Input(), State()
    W, U = weights("W U")
    z = sigma(W @ x[t] / sqrt(n) + U @ h[t-1])
    h[t] = 2 ** z - log(n) * h[t-1] / sqrt(n)
# fmt: on


SCHEDULES = {"HoistedNotSunk": replace(DEFAULT, sink=False), "ViewAndName": replace(DEFAULT, hoist=False)}
CELLS = [c for c in list(vars().values()) if isinstance(c, Cell)]


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: c.name)
def test_once_wrong(cell: Cell) -> None:
    kernel: Any = emit(plan(derive(cell), SCHEDULES.get(cell.name, DEFAULT))).load()
    report = check(kernel)
    assert report.ok, str(report)
    sizes = {"m": 3, "n": 4} if "m" in kernel.SIZES else {"n": 4}
    case = random_case(kernel, 3, 2, sizes)
    _, last, _ = kernel.forward(case.params, *case.inputs.values(), state0=case.state0)
    _, wanted = numeric.run(cell, case.params, case.inputs, case.state0, sizes)
    for name in last:
        np.testing.assert_allclose(last[name], wanted[name], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: c.name)
def test_single_precision_stays(cell: Cell) -> None:
    kernel: Any = emit(plan(derive(cell))).load()
    case = random_case(kernel, 3, 2, {"m": 3, "n": 4} if "m" in kernel.SIZES else {"n": 4})
    single = lambda group: {k: a.astype(np.float32) for k, a in group.items()}  # noqa: E731
    params = single(case.params)
    y, state, tape = kernel.forward(params, *single(case.inputs).values(), state0=single(case.state0))
    dy = {k: np.ones_like(a) for k, a in y.items()} if isinstance(y, dict) else np.ones_like(y)
    grads = kernel.backward(params, tape, dy)
    found = [*state.values(), *grads.params.values(), *grads.state0.values()]
    assert {a.dtype for a in found} == {np.dtype(np.float32)}
