"""What is kept between places and passes, and the program put together."""

from __future__ import annotations

from collections.abc import Iterable

from lstmsym import notation as N
from lstmsym.notation import Ref
from lstmsym.planning.memory import INSIDE, Memory
from lstmsym.planning.prepare import Prepared
from lstmsym.program import Array, Phase, Program, Step


def assemble(ready: Prepared, memory: Memory, forward: Phase, backward: Phase, textbook: bool) -> Program:
    """Decide what is kept, and collect the signature."""
    cell, names = ready.cell, ready.names
    states = {q.name for q in cell.role("state")}
    homes = {**memory.arrays, **_plain_arrays(ready, memory, states)}
    later = _read(memory, backward.before + backward.inside + backward.after)
    wanted = later | _read(memory, forward.after) | set(cell.outputs) | set(memory.layouts) | states
    written = _written(memory, forward.inside) | _written(memory, _parts(memory, forward)) | states
    forward_arrays = tuple(a for name, a in homes.items() if name in written & wanted and a.time != "once")
    made = {r.base for s in (*forward.before, *forward.inside, *forward.after) for r in s.target.atoms(Ref)}
    made |= {r.base for name in made for r in memory.slot(Ref(name, 0)).atoms(Ref)} | states
    saved = tuple(a for name, a in homes.items() if name in later & made)
    inside = _written(memory, backward.inside) & _read(memory, backward.after)
    inside |= _written(memory, _parts(memory, backward))
    gradients_of_inputs = {names.adjoint(q.name) for q in cell.role("input")}
    shared = {a.name for a in memory.arrays.values() if a.parts}
    inside |= _written(memory, backward.inside) & (gradients_of_inputs | shared)
    backward_arrays = tuple(
        a for name, a in _adjoint_arrays(ready, memory).items() if name in inside or a.time in ("once", "sum")
    )
    quantities = cell.role("input", "hyperparameter")
    gradients = {
        q.name: Ref(names.adjoint(q.name), 0 if q.role == "input" else None)
        for q in cell.role("input", "parameter")
    }
    return Program(
        cell, forward, backward, _loss_steps(ready, memory), forward_arrays, backward_arrays,
        tuple(a for a in memory.arrays.values() if a.parts), saved,
        tuple(q.name for q in quantities if q.name in later),
        ready.given, {q.name: Ref(names.back(q.name), 0) for q in cell.role("state")}, gradients,
        memory.aliases, memory.shapes, memory.order, textbook,
    )  # fmt: skip


def _parts(memory: Memory, phase: Phase) -> list[Step]:
    """The steps outside the loop that write a part of an array."""
    return [
        s
        for s in (*phase.before, *phase.after)
        if memory.slot_of(s.target) is not s.target or isinstance(s.target, N.Part)
    ]


def _plain_arrays(ready: Prepared, memory: Memory, states: set[str]) -> dict[str, Array]:
    """An array of its own for every forward name that shares none."""
    arrays = {}
    for name in dict.fromkeys([*(e.name for e in ready.forward), *_packed_names(memory)]):
        if name.base not in memory.aliases and name.base not in memory.arrays:
            time = "state" if name.base in states else "once" if name.lag is None else "all"
            arrays[name.base] = Array(name.base, memory.shapes[name.base], time)
    return arrays


def _packed_names(memory: Memory) -> list[Ref]:
    """The stacked weights, which the backward pass reads again."""
    return sorted({r for pack in memory.packs.values() for r in pack.atoms(Ref)} - memory.parameters, key=str)


def _adjoint_arrays(ready: Prepared, memory: Memory) -> dict[str, Array]:
    """Homes of backward names: the shared ones, then one for each name of its own."""
    arrays = {name: a for name, a in memory.arrays.items() if name not in memory.layouts}
    for b in ready.backward:
        if b.name.base not in memory.aliases and b.name.lag == 0:
            arrays.setdefault(b.name.base, Array(b.name.base, b.shape, "all"))
        elif b.name.lag is None and memory.place[b.name.base] == INSIDE:
            arrays.setdefault(b.name.base, Array(b.name.base, b.shape, "sum"))
    return arrays


def _loss_steps(ready: Prepared, memory: Memory) -> tuple[Step, ...]:
    """The loss, then the gradients of the outputs."""
    lines = [Step(e.name, e.expr, False, (memory.line(e.name, e.expr),)) for e in ready.loss]
    for b in ready.loss_backward:
        answers = tuple(memory.line(a.name, a.expr) for a in b.answers)
        lines.append(Step(b.name, b.expr, False, (memory.line(b.name, b.expr),), answers))
    return tuple(lines)


def _read(memory: Memory, steps: Iterable[Step]) -> set[str]:
    """The names that steps read, and the arrays in which those live."""
    return _homes(memory, {ref for step in steps for ref in step.expr.atoms(Ref)})


def _written(memory: Memory, steps: Iterable[Step]) -> set[str]:
    """The names that steps write, and the arrays in which those live."""
    return _homes(memory, {ref for step in steps for ref in step.target.atoms(Ref)})


def _homes(memory: Memory, refs: Iterable[Ref]) -> set[str]:
    found = {ref.base for ref in refs}
    return found | {home.base for name in found for home in memory.slot(Ref(name, 0)).atoms(Ref)}
