"""The generated NumPy code at its edges: dtypes, shapes, saturation, aliasing, wrong arguments."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import nasty
import numpy as np
import pytest

from lstmsym import (
    Cell,
    Input,
    NotationError,
    Schedule,
    State,
    biases,
    cells,
    derive,
    emit,
    load,
    plan,
    sigma,
    t,
    tanh,
    weights,
)
from lstmsym.backends.numpy import spelling
from lstmsym.check import check, random_case

GENERATED = Path(__file__).parent.parent / "generated" / "numpy"
OWN = [c for c in vars(nasty).values() if isinstance(c, Cell)]
DIFFERENTIABLE = [c for c in OWN if c.name != "Stopped"]


@pytest.mark.parametrize("cell", DIFFERENTIABLE, ids=lambda c: c.name)
def test_nasty_cells_pass_every_numeric_test(cell: Cell) -> None:
    report = check(load(cell))
    assert report.ok, str(report)


@pytest.mark.parametrize("name", cells.names())
def test_shipped_cells_pass_every_numeric_test(name: str) -> None:
    report = check(load(name))
    assert report.ok, str(report)


@pytest.mark.parametrize("name", cells.names())
def test_generated_file_checks_itself(name: str) -> None:
    done = subprocess.run([sys.executable, str(GENERATED / f"{name}.py")], capture_output=True, text=True)
    assert done.returncode == 0 and "all gradients agree" in done.stdout, done.stdout + done.stderr


def test_generated_file_says_when_it_is_wrong(tmp_path: Path) -> None:
    text = (GENERATED / "lstm.py").read_text(encoding="utf-8")
    assert "np.multiply(dc, c_prev, out=df)" in text
    broken = tmp_path / "lstm.py"
    broken.write_text(
        text.replace("np.multiply(dc, c_prev, out=df)", "np.multiply(dc, c_t, out=df)")
        .replace("c_prev = c[t]\n        h_prev", "c_prev = c_t = c[t + 1]\n        h_prev")
        .replace("out=df)", "out=df); df *= 1.01"),
        encoding="utf-8",
    )
    assert subprocess.run([sys.executable, str(broken)], capture_output=True).returncode == 1


@pytest.mark.parametrize("name", cells.names())
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saturated_gates_stay_finite(name: str, dtype: Any) -> None:
    kernel: Any = load(name)
    case = random_case(kernel, 4, 2, {}, seed=0)
    params = {k: (a * 1000).astype(dtype) for k, a in case.params.items()}
    x = case.inputs["x"].astype(dtype)
    if name == "rnn_relu":
        params = {k: a / 1000 for k, a in params.items()}
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y, _, tape = kernel.forward(params, x)
        grads = kernel.backward(params, tape, np.ones_like(y))
    for array in (y, grads.x, *grads.params.values(), *grads.state0.values()):
        assert np.isfinite(array).all() and array.dtype == dtype


WRONG: list[tuple[str, Any]] = [
    ("W_g", lambda p, x: ({**p, "W_g": p["W_g"].tolist()}, x)), ("x", lambda p, x: (p, x[0])), ("x", lambda p, x: (p, x.tolist())), ("x", lambda p, x: (p, None)),
    ("x", lambda p, x: (p, x.astype(int))), ("W_i", lambda p, x: ({k: v for k, v in p.items() if k != "W_i"}, x)),
    ("b_f", lambda p, x: ({**p, "b_f": p["b_f"][:-1]}, x)), ("W_o", lambda p, x: ({**p, "W_o": p["W_o"].astype(np.float32)}, x)),
    ("W_g", lambda p, x: ({**p, "W_g": p["W_g"].T}, x)), ("W_g", lambda p, x: ({**p, "W_g": None}, x)),
    ("extra", lambda p, x: ({**p, "extra": p["b_f"]}, x)), ("params", lambda p, x: (None, x)),
]  # fmt: skip


@pytest.mark.parametrize(("argument", "change"), WRONG)
def test_wrong_arguments_are_named(argument: str, change: Any) -> None:
    kernel: Any = load("lstm")
    params = kernel.init_params(np.random.default_rng(0), 3, 4)
    with pytest.raises(ValueError, match=argument):
        kernel.forward(*change(params, np.zeros((5, 2, 3))))


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("state0", lambda k, p, x: k.forward(p, x, {"q": np.zeros((2, 4))})),
        ("state0", lambda k, p, x: k.forward(p, x, {"h": np.zeros((2, 5))})),
        ("state0", lambda k, p, x: k.forward(p, x, [1])),
        ("dy", lambda k, p, x: k.backward(p, k.forward(p, x)[2], np.zeros((5, 2, 9)))),
        ("dy", lambda k, p, x: k.backward(p, k.forward(p, x)[2], None)),
        ("tape", lambda k, p, x: k.backward(p, None, np.zeros((5, 2, 4)))),
        ("params", lambda k, p, x: k.backward(None, k.forward(p, x)[2], np.zeros((5, 2, 4)))),
        ("W_i", lambda k, p, x: k.backward({}, k.forward(p, x)[2], np.zeros((5, 2, 4)))),
        ("dstate", lambda k, p, x: k.backward(p, k.forward(p, x)[2], np.zeros((5, 2, 4)), {"h": np.zeros(4)})),
        ("targets", lambda k, p, x: load("nicodjimenez").loss_and_grads(load("nicodjimenez").init_params(np.random.default_rng(0), 3, 4), x, np.zeros((5, 2, 3)))),
    ],
)  # fmt: skip
def test_wrong_states_and_gradients_are_named(argument: str, call: Any) -> None:
    kernel: Any = load("lstm")
    params = kernel.init_params(np.random.default_rng(0), 3, 4)
    with pytest.raises(ValueError, match=argument):
        call(kernel, params, np.zeros((5, 2, 3)))


@pytest.mark.parametrize("steps", [0, 3])
def test_nothing_is_changed_and_nothing_is_shared(steps: int) -> None:
    kernel: Any = load("lstm")
    case = random_case(kernel, steps, 2, {}, seed=0)
    given = (case.params, case.inputs["x"], case.state0)
    before = copy.deepcopy(given)
    y, state, tape = kernel.forward(*given)
    dy, dstate = np.ones_like(y), {k: np.ones_like(v) for k, v in state.items()}
    grads = kernel.backward(case.params, tape, dy, dstate)
    made = [y, *state.values(), grads.x, *grads.params.values(), *grads.state0.values()]
    for array in made:
        assert not any(
            np.shares_memory(array, other)
            for other in (*case.params.values(), *case.state0.values(), dy, *dstate.values())
        )
        array[...] = np.nan
    for a, b in zip(given, before, strict=True):
        np.testing.assert_equal(a, b)


def test_products_are_counted() -> None:
    assert str(plan(derive(cells.find("lstm"))).products) == "2*T + 4"

    class Separate(Cell):
        x = Input()
        h, c = State(), State()
        W_i, W_f, W_g, W_o = weights("W_i W_f W_g W_o")
        U_i, U_f, U_g, U_o = weights("U_i U_f U_g U_o")
        b_i, b_f, b_g, b_o = biases("b_i b_f b_g b_o")
        i = sigma(W_i @ x[t] + U_i @ h[t - 1] + b_i)
        f = sigma(W_f @ x[t] + U_f @ h[t - 1] + b_f)
        g = tanh(W_g @ x[t] + U_g @ h[t - 1] + b_g)
        o = sigma(W_o @ x[t] + U_o @ h[t - 1] + b_o)
        c[t] = f * c[t - 1] + i * g
        h[t] = o * tanh(c[t])

    assert str(plan(derive(Separate)).products) == "2*T + 4"


@pytest.mark.parametrize("choice", ["hoist", "pack", "fuse", "save"])
def test_every_schedule_gives_the_same_gradients(choice: str) -> None:
    for name in ("lstm", "gru", "lstm_layernorm"):
        report = check(load(name, schedule=Schedule(**{choice: False})))
        assert report.ok, f"{name}: {report}"


def test_golden_files(golden: Any) -> None:
    for name in cells.names():
        golden(GENERATED / f"{name}.py", emit(plan(derive(cells.find(name))), "numpy", name).text)


@pytest.mark.parametrize("dy", [None, [1, 2], {}, {"y": 1, "v": 2, "z": 3}])
def test_several_outputs_need_a_gradient_each(dy: Any) -> None:
    kernel: Any = load(nasty.Outputs)
    case = random_case(kernel)
    tape = kernel.forward(case.params, *case.inputs.values())[2]
    with pytest.raises(ValueError, match="dy"):
        kernel.backward(case.params, tape, dy)


def test_missing_spelling_names_backend_operation_and_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(spelling.HELPERS, "softplus")
    words = r"^backend numpy cannot spell softplus \(used by cell Everything\)$"
    with pytest.raises(NotationError, match=words):
        load(nasty.Everything)


def test_a_backend_of_a_third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "listing").mkdir()
    (tmp_path / "listing" / "cell.txt.j2").write_text("{{ p.cell.name }} takes {{ p.products }}\n")
    package = tmp_path / "thirdparty"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "listing.py").write_text(
        "from lstmsym.backends import Backend\n"
        "BACKEND = Backend('listing', '.txt', 'listing/cell.txt.j2', lambda p: p, lambda text, name: text)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    source = emit(plan(derive(cells.find("lstm"))), "thirdparty.listing", "lstm", templates=tmp_path)
    assert (source.filename, source.text) == ("lstm.txt", "LSTM takes 2*T + 4\n")


def test_a_template_folder_of_the_users_goes_first(tmp_path: Path) -> None:
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "cell.py.j2").write_text("# {{ p.name }}\n")
    assert emit(plan(derive(cells.find("lstm"))), templates=tmp_path).text == "# LSTM\n"
