"""Arguments and gradients of a kernel by key, and what its passes make of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lstmsym.checks.cases import Array, Case, Kernel, named

Key = tuple[str, str]
"""The group ("params", "inputs" or "state0") and the name of something that has a gradient."""
Values = dict[Key, Array]


def variables(case: Case) -> Values:
    """Everything of a case that has a gradient."""
    groups = {"params": case.params, "inputs": case.inputs, "state0": case.state0}
    return {(group, name): a for group, values in groups.items() for name, a in values.items()}


def called(key: Key) -> str:
    """What a row calls a quantity."""
    return f"initial {key[1]}" if key[0] == "state0" else key[1]


def moved(case: Case, direction: Values, step: complex) -> Case:
    """The case, a step along a direction; complex where the step is."""
    dtype = np.complex128 if isinstance(step, complex) else np.float64
    groups: dict[str, dict[str, Array]] = {"params": {}, "inputs": {}, "state0": {}}
    for key, value in variables(case).items():
        along = direction.get(key)
        groups[key[0]][key[1]] = value.astype(dtype) if along is None else value + step * along
    return replace(case.astype(dtype), **groups)


def gradients_of(kernel: Kernel, case: Case, grads: Any) -> Values:
    """A kernel's gradients by key; not a number where one is missing or has a wrong shape."""
    found: dict[Key, Any] = {("inputs", name): getattr(grads, name, None) for name in kernel.INPUTS}
    found |= {("params", name): grads.params.get(name) for name in case.params}
    found |= {("state0", name): grads.state0.get(name) for name in case.state0}
    return {
        key: np.asarray(found[key])
        if found[key] is not None and np.shape(np.asarray(found[key])) == value.shape
        else np.full(value.shape, np.nan)
        for key, value in variables(case).items()
    }


def run(kernel: Kernel, case: Case) -> tuple[Array, Any]:
    """All outputs and last states in one row, and the tape."""
    y, state, tape = kernel.forward(case.params, *case.inputs.values(), state0=case.state0)
    return in_a_row(kernel, y, state), tape


def in_a_row(kernel: Kernel, y: Any, state: Mapping[str, Array]) -> Array:
    """All outputs and last states, one number after the other."""
    outputs = named(kernel.OUTPUTS, y)
    parts = [*(outputs[name] for name in kernel.OUTPUTS), *(state[name] for name in kernel.STATES)]
    return np.concatenate([np.ravel(part) for part in parts])


def pull(kernel: Kernel, case: Case) -> Values:
    """What backward makes of the case's dy and dstate."""
    _, tape = run(kernel, case)
    return gradients_of(kernel, case, kernel.backward(case.params, tape, case.dy, case.dstate))


def loss_and_gradients(kernel: Any, case: Case) -> tuple[Array, Values]:
    """The loss and what loss_and_grads makes of it."""
    targets = (case.targets,) if kernel.TARGETS else ()
    arguments = (case.params, *case.inputs.values(), *targets)
    loss, grads = kernel.loss_and_grads(*arguments, state0=case.state0)
    return np.reshape(loss, 1), gradients_of(kernel, case, grads)
