"""What a plan promises: matrix products per sequence, numbers saved for the backward pass."""

from __future__ import annotations

import pytest

from lstmsym import cells, derive, plan

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
