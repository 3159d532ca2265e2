"""Steps of one place, by list scheduling: like lines that are ready together go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from lstmsym import notation as N
from lstmsym.normal import has_mixing
from lstmsym.notation import Ref
from lstmsym.planning.memory import Memory
from lstmsym.program import Gates, Slopes, Step


@dataclass(frozen=True)
class Line:
    """A line to be scheduled: what it needs, whether it takes a matrix product, what it answers."""

    name: Ref
    expr: sp.Expr
    needs: frozenset[Ref]
    product: bool = False
    late: bool = False
    answers: tuple[str, ...] = ()
    quiet: bool = False
    add: bool = False


class Region:
    """Steps of one place, emitted by list scheduling."""

    def __init__(self, memory: Memory, fuse: bool) -> None:
        """An empty region."""
        self.memory, self.fuse = memory, fuse
        self.steps: list[Step] = []

    def schedule(self, lines: list[Line], known: set[Ref]) -> None:
        """Emit all lines; ``known`` are the references available at the start."""
        names = {line.name for line in lines}
        waiting = list(lines)
        while waiting:
            ready = [line for line in waiting if not (line.needs & names - known - {line.name})]
            chosen = min(ready, key=lambda line: (self.urgency(line, ready, waiting), waiting.index(line)))
            group = self.group(chosen, ready)
            self.emit(group)
            for line in group:
                waiting.remove(line)
                known.add(line.name)
        if self.fuse:
            self.steps = joined(self.steps, self.memory)

    def urgency(self, line: Line, ready: list[Line], waiting: list[Line]) -> int:
        """0 plain lines, 1 complete groups, 2 matrix products, 3 groups that still grow."""
        if line.product:
            return 2 if line.late else 0
        form = self.form(line)
        if form is None:
            return 0
        like = [other for other in waiting if self.form(other) == form]
        return 1 if all(other in ready for other in like) else 3

    def group(self, line: Line, ready: list[Line]) -> list[Line]:
        """The line and its ready neighbours of the same form."""
        form = self.form(line)
        if form is None or not self.fuse:
            return [line]
        like = {self.slot(other): other for other in ready if self.form(other) == form}
        group = [line]
        while (after := like.get(self.next(group[-1]))) and after not in group:
            group.append(after)
        while (before := self.previous(group[0], like)) and before not in group:
            group.insert(0, before)
        return group

    def slot(self, line: Line) -> tuple[sp.Expr, ...]:
        """(array, low) of the part a line writes."""
        part = self.memory.slot(line.name)
        return (part.args[0], part.args[1]) if isinstance(part, N.Part) else (part, sp.Integer(-1))

    def next(self, line: Line) -> tuple[sp.Expr, ...]:
        """(array, low) of the part behind it."""
        part = self.memory.slot(line.name)
        return (part.args[0], part.args[2])

    def previous(self, line: Line, like: Mapping[tuple[sp.Expr, ...], Line]) -> Line | None:
        """The like line that writes the part before it."""
        slot = self.slot(line)
        return next((other for other in like.values() if self.next(other) == slot), None)

    def form(self, line: Line) -> sp.Expr | None:
        """A pointwise line with arrays for what lives at its own place; None elsewhere."""
        target = self.memory.slot(line.name)
        if not isinstance(target, N.Part) or line.product or has_mixing(line.expr):
            return None
        marks = {}
        for ref in line.expr.atoms(Ref):
            part = self.memory.slot(ref)
            if isinstance(part, N.Part) and part.args[1:] == target.args[1:]:
                marks[ref] = part.args[0]
        form = line.expr.xreplace(marks)
        return sp.Tuple(target.args[0], form) if marks else None

    def emit(self, group: list[Line]) -> None:
        """One step for a group of like lines, or for a line by itself."""
        line = group[0]
        says = () if line.quiet else tuple(self.memory.line(member.name, member.expr) for member in group)
        answers = tuple(dict.fromkeys(a for member in group for a in member.answers))
        if len(group) == 1:
            self.one(line, says, answers)
            return
        low, high = self.slot(group[0])[1], self.next(group[-1])[1]
        form = self.form(line)
        assert form is not None
        target, expr = form.args
        stretch = {
            ref: N.Part(ref, low, high)
            for ref in (target, *expr.atoms(Ref))
            if ref.base in self.memory.arrays
        }
        stretch = {ref: self.memory.part(ref.base, low, high) for ref in stretch}
        self.steps.append(Step(stretch[target], expr.xreplace(stretch), False, says, answers))

    def one(self, line: Line, says: tuple[str, ...], answers: tuple[str, ...]) -> None:
        """A line by itself."""
        self.steps.append(Step(self.memory.slot(line.name), line.expr, line.add, says, answers))


def joined(steps: list[Step], memory: Memory) -> list[Step]:
    """The steps, with sigma and tanh of neighbours in place made one, and so their slopes."""
    out: list[Step] = []
    for step in steps:
        both = _together(out[-1], step, memory) if out else None
        if both is None:
            out.append(step)
        else:
            out[-1] = both
    return out


@dataclass(frozen=True)
class _InPlace:
    """A part of a shared array times a slope, or an activation of it: ``values`` is what that is taken of."""

    target: sp.Expr
    values: sp.Expr
    activation: type[sp.Expr]
    slope: bool


def _together(first: Step, second: Step, memory: Memory) -> Step | None:
    a, b = _in_place(first, memory), _in_place(second, memory)
    if a is None or b is None or a.slope != b.slope or {a.activation, b.activation} != {N.sigma, N.tanh}:
        return None
    low, high = (a, b) if a.target.args[2] == b.target.args[1] else (b, a)
    if low.target.args[2] != high.target.args[1] or low.values.args[0] != high.values.args[0]:
        return None
    if low.target.args[0] != high.target.args[0]:
        return None
    start, end = low.target.args[1], high.target.args[2]
    sigma = a.target if a.activation is N.sigma else b.target
    target, values = (memory.part(p.args[0].base, start, end) for p in (low.target, low.values))
    bounds = (sigma.args[1] - start, sigma.args[2] - start)
    expr = target * Slopes(values, *bounds) if a.slope else Gates(values, *bounds)
    return Step(target, expr, False, first.says + second.says, first.answers + second.answers)


def _in_place(step: Step, memory: Memory) -> _InPlace | None:
    """What a step does to its part of a shared array, if it is sigma, tanh or the slope of one."""
    target = memory.slot_of(step.target)
    if step.add or not isinstance(target, N.Part):
        return None
    expr = step.expr.xreplace({ref: memory.slot(ref) for ref in step.expr.atoms(Ref)})
    if isinstance(expr, (N.sigma, N.tanh)):
        return _InPlace(target, target, type(expr), False) if expr.args[0] == target else None
    for values in expr.atoms(N.Part) - {target}:
        if values.args[1:] == target.args[1:]:
            for activation, slope in ((N.sigma, values * (1 - values)), (N.tanh, 1 - values**2)):
                if expr == target * slope:
                    return _InPlace(target, values, activation, True)
    return None
