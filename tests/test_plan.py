"""What a plan promises: matrix products per sequence, numbers saved for the backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import zoo

from lstmsym import Cell, Schedule, cells, derive, emit, plan
from lstmsym.check import random_case
from lstmsym.program import T

PRODUCTS = {
    "rnn": "2*T + 4", "rnn_relu": "2*T + 4", "lstm": "2*T + 4", "nicodjimenez": "2*T + 4",
    "lstm_peephole": "2*T + 4", "lstm_coupled": "2*T + 4", "lstm_projected": "4*T + 5",
    "lstm_layernorm": "2*T + 4", "gru": "4*T + 5", "gru_reset_after": "2*T + 4", "mgu": "4*T + 5",
}  # fmt: skip


def test_every_shipped_cell_has_its_count() -> None:
    assert set(PRODUCTS) == set(cells.names())


@pytest.mark.parametrize("name", PRODUCTS)
def test_matrix_products(name: str) -> None:
    assert str(plan(derive(cells.find(name))).products) == PRODUCTS[name]


def test_the_lstm_keeps_its_gates_its_states_and_tanh_c() -> None:
    program = plan(derive(cells.find("lstm")))
    sizes = {"T": 7, "B": 3, "n": 5}
    numbers = program.saved_numbers.subs({s: sizes[s.name] for s in program.saved_numbers.free_symbols})
    assert numbers == 4 * 7 * 3 * 5 + 7 * 3 * 5 + 2 * 8 * 3 * 5


ZOO = [c for c in vars(zoo).values() if isinstance(c, Cell)]


class Counted(np.ndarray):
    """An array that counts the products of two matrices it takes part in."""

    products = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, out: Any = None, **options: Any) -> Any:
        if ufunc is np.matmul and all(np.ndim(a) == 2 for a in args):
            Counted.products += 1
        if out is not None:
            options["out"] = tuple(np.asarray(a) for a in out)
        result = getattr(ufunc, method)(*(np.asarray(a) for a in args), **options)
        return out[0] if out is not None else counted(result)


def counted(value: Any) -> Any:
    return value.view(Counted) if isinstance(value, np.ndarray) else value


class CountingNumpy:
    """NumPy, all of whose functions give arrays that count."""

    def __getattr__(self, name: str) -> Any:
        thing = getattr(np, name)
        if isinstance(thing, type) or not callable(thing):
            return thing
        return lambda *args, **options: counted(thing(*args, **options))


def executed(kernel: Any, steps: int) -> int:
    """The matrix products of one forward and one backward run."""
    kernel.module.np = CountingNumpy()
    case = random_case(kernel, steps)
    params = {name: counted(value) for name, value in case.params.items()}
    inputs = [counted(value) for value in case.inputs.values()]
    Counted.products = 0
    _, _, tape = kernel.forward(params, *inputs, state0=case.state0)
    kernel.backward(params, tape, case.dy, case.dstate)
    return Counted.products


@pytest.mark.parametrize("cell", [*map(cells.find, cells.names()), *ZOO], ids=lambda c: c.name)
@pytest.mark.parametrize("schedule", [Schedule(), Schedule.textbook()], ids=["default", "textbook"])
def test_as_many_products_are_executed_as_promised(cell: Cell, schedule: Schedule) -> None:
    program = plan(derive(cell), schedule)
    kernel = emit(program).load()
    for steps in (3, 5):
        assert executed(kernel, steps) == program.products.subs(T, steps)
