"""Cells from the literature, written by hand in `zoo`: from equations to tested code."""

from __future__ import annotations

from typing import Any

import numeric
import numpy as np
import pytest
import zoo

from lstmsym import Cell, derive, emit, plan
from lstmsym.check import check, random_case
from lstmsym.render import latex, text

ZOO = [c for c in vars(zoo).values() if isinstance(c, Cell)]
PRODUCTS = {
    "IndRNN": "3", "FastGRNN": "2*T + 4", "GRUD": "6*T + 9", "SRU": "6", "MLSTM": "3", "FastWeights": "2*T + 4",
    "AntisymmetricRNN": "2*T + 4", "MaskedRNN": "2*T + 4",
}  # fmt: skip


@pytest.mark.parametrize("cell", ZOO, ids=lambda c: c.name)
def test_generated_code_passes_every_numeric_test(cell: Cell) -> None:
    report = check(emit(plan(derive(cell))).load())
    assert report.ok, str(report)


@pytest.mark.parametrize("cell", ZOO, ids=lambda c: c.name)
def test_generated_code_means_the_equations(cell: Cell) -> None:
    kernel: Any = emit(plan(derive(cell))).load()
    sizes = {"m": 3, "n": 4} if "m" in kernel.SIZES else {"n": 4}
    case = random_case(kernel, 4, 2, sizes)
    y, last, _ = kernel.forward(case.params, *case.inputs.values(), state0=case.state0)
    wanted, wanted_last = numeric.run(cell, case.params, case.inputs, case.state0, sizes)
    for name in last:
        np.testing.assert_allclose(last[name], wanted_last[name], rtol=1e-12, atol=1e-13)
    for name, value in (y if isinstance(y, dict) else {cell.outputs[0]: y}).items():
        np.testing.assert_allclose(value, wanted[name], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("cell", ZOO, ids=lambda c: c.name)
def test_derivation_renders(cell: Cell) -> None:
    derivation = derive(cell)
    shown = text(derivation)
    for line in derivation.backward:
        assert f"δ{line.of.base}" in shown or line.name.base in shown
    formulas = latex(derivation)
    assert formulas.count("&=") == len(derivation.forward) + len(derivation.backward)
    assert formulas.count("{") == formulas.count("}")


@pytest.mark.parametrize("cell", ZOO, ids=lambda c: c.name)
def test_matrix_products(cell: Cell) -> None:
    program = plan(derive(cell))
    assert str(program.products) == PRODUCTS[cell.name]
    assert f"matrix products: {PRODUCTS[cell.name]}" in str(program)
