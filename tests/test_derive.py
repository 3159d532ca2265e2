"""Derivations against the gradient of the unrolled loss, and derived again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mpmath
import nasty
import numpy as np
import pytest
import sympy as sp

from lstmsym import Cell, Input, State, cells, derive, load, tanh, weights, where
from lstmsym import notation as N
from lstmsym.cell import Equation
from lstmsym.check import check
from lstmsym.derive import Sweep
from lstmsym.normal import normalise
from lstmsym.notation import Ref
from lstmsym.render import as_json, latex, text
from lstmsym.verify.arithmetic import MP
from lstmsym.verify.evaluate import Numbers, evaluate
from lstmsym.verify.system import System

PLAIN = {
    "sigma": lambda x: 1 / (1 + sp.exp(-x)), "tanh": sp.tanh, "relu": lambda x: sp.Max(x, 0),
}  # fmt: skip
SIZES = {"m": 1, "n": 1, "p": 1}


def symbolic(expr: sp.Expr, env: dict[Ref, Any]) -> Any:
    """A right side over arrays of plain SymPy symbols."""
    if isinstance(expr, Ref):
        return env[expr]
    if not expr.args:
        return expr
    args = [symbolic(a, env) for a in expr.args]
    name = type(expr).__name__
    if isinstance(expr, sp.Add):
        return sum(args[1:], args[0])
    if isinstance(expr, sp.Mul):
        result = args[0]
        for other in args[1:]:
            result = result * other
        return result
    if isinstance(expr, sp.Pow):
        return args[0] ** int(expr.exp)
    if name in PLAIN:
        return np.vectorize(PLAIN[name], otypes=[object])(args[0])
    return {
        "Dot": lambda a, v: a @ v, "Concat": lambda *v: np.concatenate(v), "Sum": lambda v: v.sum(),
    }[name](*args)  # fmt: skip


def symbols(name: str, shape: Any) -> Any:
    dims = [
        SIZES[str(s)]
        if str(s) in SIZES
        else int(sp.sympify(s).subs({z: SIZES[z.name] for z in s.atoms(N.Size)}))
        for s in shape
    ]
    made = np.empty(dims, dtype=object)
    for index in np.ndindex(*dims):
        made[index] = sp.Symbol(f"{name}_{'_'.join(map(str, index))}")
    return made


UNROLLED = [("rnn", 1), ("rnn", 2), ("rnn", 3), ("nicodjimenez", 1), ("nicodjimenez", 2), ("nicodjimenez", 3)]
UNROLLED += [("lstm", 1), ("lstm", 2), ("gru", 1), ("gru", 2)]


@pytest.mark.parametrize(("name", "steps"), UNROLLED)
def test_recurrence_is_the_gradient_of_the_unrolled_loss(name: str, steps: int) -> None:
    """By plain SymPy: the unrolled loss differentiated by scalars, against the recurrence, to 30 digits."""
    cell = cells.find(name)
    env: dict[tuple[str, int | None], Any] = {}
    for q in cell.role("parameter"):
        env[q.name, None] = symbols(q.name, q.shape)
    for q in cell.role("state"):
        env[q.name, -1] = symbols(f"{q.name}0", q.shape)
    weights = {
        (q.name, t): symbols(f"w{q.name}{t}", q.shape) for q in cell.role("state") for t in range(steps)
    }
    for t in range(steps):
        for q in cell.role("input", "target"):
            env[q.name, t] = symbols(f"{q.name}{t}", q.shape)
        for line in cell.equations:
            seen = {r: env[r.base, None if r.lag is None else t + r.lag] for r in line.expr.atoms(Ref)}
            env[line.name.base, t] = symbolic(line.expr, seen)
    outputs = [(cell.outputs[0], t) for t in range(steps)]
    last = [(q.name, steps - 1) for q in cell.role("state")]
    loss = sum((weights[key] * env[key]).sum() for key in outputs) + sum(
        (env[key] * weights[key]).sum() for key in last
    )
    rng = np.random.default_rng(0)
    free = sorted(loss.free_symbols, key=str)
    point = {s: sp.Rational(int(rng.integers(-90, 90)), 100) for s in free}
    found = run_recurrence(cell, steps, env, weights, point)
    wanted = {k: v for k, v in env.items() if k[1] in (None, -1) or k[0] == "x"}
    entries = [(key, index) for key, array in wanted.items() for index in np.ndindex(*array.shape)]
    gradients = sp.lambdify(
        free, [loss.diff(wanted[key][index]) for key, index in entries], "mpmath", cse=True
    )
    with mpmath.workdps(45):
        numeric = gradients(*(mpmath.mpf(point[s].p) / point[s].q for s in free))
        for (key, index), value in zip(entries, numeric, strict=True):
            assert abs(value - mpmath.mpf(found[key][index])) < mpmath.mpf(10) ** -30, (key, index)


def run_recurrence(cell: Cell, steps: int, env: Any, weights: Any, point: Any) -> dict[Any, Any]:
    """The derivation's equations, run backward in numbers."""
    derivation = derive(cell, loss=False)

    def number(array: Any) -> Any:
        return np.vectorize(
            lambda e: MP.mpf(
                str(sp.N(e, 45, subs=point)) if not e.is_Symbol else str(sp.N(point.get(e, 0), 45))
            ),
            otypes=[object],
        )(array)

    values: dict[str, dict[int | None, Any]] = {}
    for (base, t), array in env.items():
        if t == -1 or cell.by_name[base].role in ("parameter", "input"):
            values.setdefault(base, {})[t] = number(array)
    numbers = Numbers(values, SIZES)
    for t in range(steps):
        for line in derivation.forward:
            values.setdefault(line.name.base, {})[t] = evaluate(line.expr, numbers, t)
    (ref,) = derivation.given.values()
    values[ref.base] = {t: number(weights[cell.outputs[0], t]) for t in range(steps)}
    for q in cell.role("state"):
        values[derivation.names.back(q.name)] = {steps: number(weights[q.name, steps - 1])}
    totals: dict[str, Any] = {}
    for t in reversed(range(steps)):
        for b in derivation.backward:
            if b.name.lag is not None:
                values.setdefault(b.name.base, {})[t] = evaluate(b.expr, numbers, t)
            else:
                share = evaluate(b.expr.args[0], numbers, t)
                totals[b.of.base] = share + totals.get(b.of.base, 0)
    found = {(name, None): total for name, total in totals.items()}
    found |= {(q.name, -1): values[derivation.names.back(q.name)][0] for q in cell.role("state")}
    return found | {("x", t): values["dx"][t] for t in range(steps)}


@pytest.mark.parametrize("name", ["rnn", "nicodjimenez", "gru"])
def test_derived_equations_can_be_derived_again(name: str) -> None:
    """A Hessian-vector product of one step, by the same rules, against differences of the gradient."""
    cell = cells.find(name)
    derivation = derive(cell, loss=False)
    parameter = cell.role("parameter")[0]
    gradient = derivation.by_name[f"d{parameter.name}"]
    carry = {Ref(derivation.names.back(q.name), 1): Ref(f"k_{q.name}") for q in cell.role("state")}
    carry |= {ref: Ref("k_out") for ref in derivation.given.values()}
    lines = [*derivation.forward, *(Equation(b.name, b.expr) for b in derivation.backward if b.name.lag == 0)]
    lines.append(Equation(Ref("loss", 0), N.Sum(gradient.expr.args[0] * Ref("v"))))
    lines = [Equation(e.name, e.expr.xreplace(carry)) for e in lines]
    shapes = {**derivation.shapes, "v": parameter.shape, "loss": (), "k_out": (N.n,)}
    shapes |= {f"k_{q.name}": q.shape for q in cell.role("state")}
    normal, shapes = normalise(lines, shapes, shapes)
    sweep = Sweep(shapes, lambda ref: Ref(f"D{ref.base}", ref.lag))
    sweep.seed(Ref("loss", 0), sp.Integer(1), ())
    sweep.run(normal)
    sweep.close(parameter.now)
    second = next(b for b in sweep.backward if b.of == parameter.now)
    numbers = _point(cell, shapes, normal)
    _fill(normal, numbers)
    _fill([Equation(b.name, b.expr) for b in sweep.backward if b.name.lag == 0], numbers)
    share = (
        second.expr.args[0] if isinstance(second.expr, N.Total) else second.expr.replace(N.Total, lambda e: e)
    )
    exact = evaluate(share.replace(N.Total, lambda e: e), numbers, 0)
    rng = np.random.default_rng(1)
    direction = np.vectorize(lambda x: MP.mpf(str(x)), otypes=[object])(
        rng.standard_normal(np.shape(exact)).round(3)
    )
    step = MP.mpf(10) ** -20

    def loss_at(sign: int) -> Any:
        values = {k: dict(v) for k, v in numbers.values.items()}
        values[parameter.name][None] = values[parameter.name][None] + sign * step * direction
        moved = Numbers(values, numbers.sizes)
        _fill(normal, moved)
        return moved.values["loss"][0]

    numeric = (loss_at(1) - loss_at(-1)) / (2 * step)
    assert abs(numeric - (exact * direction).sum()) < MP.mpf(10) ** -15


def _point(cell: Cell, shapes: Any, lines: Any) -> Numbers:
    rng = np.random.default_rng(0)
    sizes = {"m": 2, "n": 3}
    made = {e.name.base for e in lines}
    states = {q.name for q in cell.role("state")}
    values: dict[str, dict[int | None, Any]] = {}
    refs = {r for e in lines for r in e.expr.atoms(Ref) if r.base not in made or r.lag == -1}
    for ref in sorted(refs, key=str):
        dims = [
            int(sp.sympify(s).subs({z: sizes[z.name] for z in sp.sympify(s).atoms(N.Size)}))
            for s in shapes[ref.base]
        ]
        draw = np.vectorize(lambda x: MP.mpf(str(x)), otypes=[object])(rng.standard_normal(dims).round(3))
        values.setdefault(ref.base, {})[None if ref.lag is None else ref.lag] = draw
    assert states <= set(values)
    return Numbers(values, sizes)


def _fill(lines: Any, numbers: Numbers) -> None:
    for line in lines:
        values: Any = numbers.values
        values.setdefault(line.name.base, {})[None if line.name.lag is None else 0] = evaluate(
            line.expr, numbers, 0
        )


def test_the_seed_documents_quantities() -> None:
    derivation = derive(cells.find("nicodjimenez"))
    expected = """dh ds do di dg df da_o da_i da_g da_f dx_c dx dh_prev ds_prev
        dW_g dW_i dW_f dW_o db_g db_i db_f db_o""".split()
    assert sorted(derivation.by_name) == sorted(expected)
    assert "2 (h[t] − y[t]) + δh_prev[t+1]" in text(derivation)


ALL = [*(cells.find(n) for n in cells.names()), *(c for c in vars(nasty).values() if isinstance(c, Cell))]


@pytest.mark.parametrize("cell", ALL, ids=lambda c: c.name)
def test_every_equation_carries_what_it_says(cell: Cell) -> None:
    derivation = derive(cell)
    system = System(cell)
    for b in derivation.backward:
        assert b.shape == derivation.shapes[b.name.base]
        assert (
            b.answers
            or b.name.base in [derivation.names.adjoint(o) for o in (*cell.outputs, *system.cell.by_name)]
            or b.expr == 0
        )
        assert set(b.needs) == b.expr.atoms(Ref)
    document = json.loads(as_json(derivation))
    assert len(document["backward"]) == len(derivation.backward)
    shown = latex(derivation)
    assert shown.count("{") == shown.count("}")
    assert shown.count(r"\begin{aligned}") == shown.count(r"\end{aligned}") >= 3


@pytest.mark.parametrize("name", cells.names())
def test_golden_renderings(name: str, golden: Any) -> None:
    derivation, folder = derive(cells.find(name)), Path(__file__).parent / "golden" / "derive"
    golden(folder / f"{name}.txt", text(derivation) + "\n")
    golden(folder / f"{name}.tex", latex(derivation) + "\n")


def test_same_text_for_every_hash_seed() -> None:
    code = "from lstmsym import derive, cells; from lstmsym.render import *; d = [derive(cells.find(n)) for n in cells.names()];"
    code += "print([as_json(x) + text(x) + latex(x) for x in d])"
    outputs = set()
    for seed in ("0", "1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        outputs.add(
            subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout
        )
    assert len(outputs) == 1


def test_a_branch_never_taken_has_no_gradient() -> None:
    class Idle(Cell):
        x, h = Input(), State()
        W, U = weights("W U")
        b = where(h[N.t - 1] > h[N.t - 1], h[N.t - 1] ** 2, h[N.t - 1])
        h[N.t] = tanh(W @ x[N.t] + U @ h[N.t - 1] + b)

    assert not [line for line in derive(Idle).backward if line.expr == 0]
    assert check(load(Idle)).ok
