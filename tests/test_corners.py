"""Cells in the corners of the notation, under every schedule: values, gradients, losses."""

from __future__ import annotations

from typing import Any

import corners
import numeric
import numpy as np
import pytest

from lstmsym import Cell, Schedule, derive, emit, plan
from lstmsym.check import Case, random_case

CELLS = {name: value for name, value in vars(corners).items() if isinstance(value, Cell)}
SIZES = {"m": 3, "n": 4, "k": 5, "p": 2, "q": 2, "ctx": 3}
OFF = [{name: False} for name in ("split", "hoist", "pack", "fuse", "sink", "save")]
SCHEDULES = [Schedule(), Schedule.textbook(), *(Schedule(**off) for off in OFF)]


def row(values: Any) -> Any:
    if isinstance(values, dict):
        return np.concatenate([np.ravel(v) for v in values.values()])
    return np.ravel(values)


def along(kernel: Any, case: Case, group: str, name: str, step: Any) -> Any:
    """Outputs and last states, one argument moved."""
    moved = {**getattr(case, group), name: getattr(case, group)[name] + step}
    args = {"params": case.params, "inputs": case.inputs, "state0": case.state0} | {group: moved}
    y, state = numeric.run(kernel.cell, **args, sizes=SIZES)
    return np.concatenate((row(y), row(state)))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.loss is None])
def test_values_and_gradients(name: str, schedule: Schedule) -> None:
    cell = CELLS[name]
    kernel: Any = emit(plan(derive(cell), schedule)).load()
    case, rng = (
        random_case(kernel, 3, 2, {s.name: SIZES[s.name] for s in cell.sizes}),
        np.random.default_rng(1),
    )
    y, state, tape = kernel.forward(case.params, *case.inputs.values(), state0=case.state0)
    wanted = along(kernel, case, "params", next(iter(case.params)), 0)
    np.testing.assert_allclose(np.concatenate((row(y), row(state))), wanted, rtol=1e-11, atol=1e-11)
    grads = kernel.backward(case.params, tape, case.dy, case.dstate)
    found = {"params": grads.params, "state0": grads.state0}
    found["inputs"] = {q.name: getattr(grads, q.name) for q in cell.role("input")}
    cotangent = np.concatenate((row(case.dy), row(case.dstate)))
    for group, gradients in found.items():
        for key, gradient in gradients.items():
            assert gradient.shape == getattr(case, group)[key].shape
            direction = rng.normal(size=gradient.shape)
            if "stop_gradient" not in str(cell):
                moved = along(kernel, case, group, key, 1e-20j * direction)
                numeric_ = cotangent @ np.imag(moved) / 1e-20
                error = abs(np.sum(gradient * direction) - numeric_)
                assert error <= 1e-9 * np.linalg.norm(cotangent) * np.linalg.norm(wanted), (key, error)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.loss])
def test_losses(name: str, schedule: Schedule) -> None:
    cell, rng = CELLS[name], np.random.default_rng(2)
    kernel: Any = emit(plan(derive(cell), schedule)).load()
    case = random_case(kernel, 3, 2, {s.name: SIZES[s.name] for s in cell.sizes})
    targets = {q.name: rng.random((3, 2, *(SIZES[str(s)] for s in q.shape))) for q in cell.role("target")}
    given = [targets] if len(targets) > 1 else list(targets.values())

    def run(params: Any) -> Any:
        return kernel.loss_and_grads(params, *case.inputs.values(), *given, state0=case.state0)

    _, grads = run(case.params)
    for key, value in case.params.items():
        direction = rng.normal(size=value.shape)
        near, far = (
            run({**case.params, key: value + step * direction})[0]
            - run({**case.params, key: value - step * direction})[0]
            for step in (1e-4, 2e-4)
        )
        numeric_ = (8 * near - far) / 12e-4
        assert abs(numeric_ - np.sum(grads.params[key] * direction)) < 1e-8 * max(1, abs(numeric_))


@pytest.mark.parametrize("sizes", [None, 1], ids=["usual", "all sizes 1"])
@pytest.mark.parametrize("scale", [1, 1000])
@pytest.mark.parametrize("name", CELLS)
def test_single_precision_is_kept_and_finite(name: str, scale: int, sizes: int | None) -> None:
    """At no steps and at one sample, at |z| about 1000: warnings are errors here."""
    kernel: Any = emit(plan(derive(CELLS[name]))).load()
    for T, B in ((0, 2), (3, 1)):
        case = random_case(kernel, T, B, dict.fromkeys(kernel.SIZES, sizes) if sizes else None)
        case = case.astype(np.float32)
        params = {key: v * np.float32(scale if v.ndim == 2 else 1) for key, v in case.params.items()}
        y, state, tape = kernel.forward(params, *case.inputs.values(), state0=case.state0)
        grads = kernel.backward(params, tape, case.dy, case.dstate)
        found = [*y.values()] if isinstance(y, dict) else [y]
        found += [*state.values(), *grads.params.values(), *grads.state0.values()]
        assert {value.dtype for value in found} == {np.dtype(np.float32)}
        assert all(np.isfinite(value).all() for value in found)
