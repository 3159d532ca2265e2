"""The backward pass in three places: what is hoisted, packed, fused and sunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.derive import Backward
from lstmsym.notation import Ref
from lstmsym.planning.choices import Schedule
from lstmsym.planning.layout import Layout, Run
from lstmsym.planning.memory import AFTER, BEFORE, INSIDE, Memory, ancestors, closure
from lstmsym.planning.prepare import Prepared
from lstmsym.planning.region import Line, Region
from lstmsym.program import Array, Beside, Cols, Phase, Rows, Step


def _hoisted(ready: Prepared, memory: Memory) -> tuple[Backward, ...]:
    """The backward lines, with products that wait for no later step taken out of lines that do."""
    pairs = [(b.name, b.expr) for b in ready.backward]
    moving = closure({Ref(ready.names.back(q.name), 1) for q in ready.cell.role("state")}, pairs)
    lines: list[Backward] = []
    for b in ready.backward:
        terms = sp.Add.make_args(b.expr)
        free = [term for term in terms if term.has(N.Dot) and not term.atoms(Ref) & moving]
        if b.name in moving and b.name.lag == 0 and free:
            name = Ref(memory.unique(f"{b.name.base}_now", b.shape), 0)
            lines.append(replace(b, name=name, expr=sp.Add(*free)))
            rest = sp.Add(*(term for term in terms if term not in free), name)
            lines.append(replace(b, expr=rest))
        else:
            lines.append(b)
    return tuple(lines)


class BackwardPass:
    """The backward pass in three places."""

    def __init__(self, ready: Prepared, memory: Memory, schedule: Schedule) -> None:
        """Take products that wait for no later step out of lines that do."""
        self.ready, self.memory, self.schedule = ready, memory, schedule
        self.names = ready.names
        self.lines = _hoisted(ready, memory) if schedule.hoist else ready.backward
        self.sums: dict[sp.Expr, sp.Expr] = {}
        self.assembled: list[Step] = []
        self.joint: dict[tuple[str, ...], Ref] = {}
        self.columns = {
            Ref(name): Cols(Ref(block.weight), block.low, block.high) for name, block in ready.blocks.items()
        }

    def run(self) -> Phase:
        """Place, lay out the adjoints beside the forward layouts, emit."""
        self.place()
        for array, layout in list(self.memory.layouts.items()):
            self.lay_out(array, layout)
        self.sink()
        where = {b.name: self.where(b.name) for b in self.lines}
        regions = {place: self.region(place, where) for place in (BEFORE, INSIDE, AFTER)}
        return Phase(*(tuple(regions[place]) for place in (BEFORE, INSIDE, AFTER)))

    def where(self, name: Ref) -> str:
        """The place of a line."""
        return self.memory.place[name.base]

    def place(self) -> None:
        """Before, inside or after the loop, from the dependency on carried gradients."""
        pairs = [(b.name, b.expr) for b in self.lines]
        carried = {Ref(self.names.back(q.name), 0) for q in self.ready.cell.role("state")}
        moving = closure({ref.shifted(1) for ref in carried}, pairs)
        shared = set() if self.schedule.sink else {name for name, _ in pairs if name.lag is None}
        arriving = {name for name, expr in pairs if any(r.lag == 1 for r in expr.atoms(Ref))}
        wanted = ancestors(carried | shared | arriving, pairs)
        for name, expr in pairs:
            shares = all(isinstance(term, N.Total) for term in sp.Add.make_args(expr))
            if name.lag is None and shares and not self.schedule.sink:
                self.memory.place[name.base] = INSIDE
            elif name.lag is None or expr.has(N.Total):
                self.memory.place[name.base] = AFTER
            elif name in carried or not self.schedule.hoist or any(r.lag == 1 for r in expr.atoms(Ref)):
                self.memory.place[name.base] = INSIDE
            else:
                where = BEFORE if name not in moving else INSIDE if name in wanted else AFTER
                self.memory.place[name.base] = where

    def lay_out(self, array: str, layout: Layout) -> None:
        """An array of adjoints in the order of the forward one, those of overwritten names too."""
        present = {b.name.base for b in self.lines}
        adjoints = {m.name: self.names.adjoint(m.name.base) for m in layout.members}
        if not all(a in present for a in adjoints.values()) or len(layout.members) == 1:
            return
        name = self.memory.unique(self.names.adjoint(array), (layout.size,))
        self.memory.adjoint_array[array] = name
        parts = []
        for member, adjoint in adjoints.items():
            low, high = layout.offsets[member]
            self.memory.aliases[adjoint] = self.memory.part(name, low, high)
            parts.append((self.share(adjoint) or adjoint, low, high))
        self.memory.arrays[name] = Array(name, (layout.size,), "all", tuple(parts))

    def share(self, adjoint: str) -> str | None:
        """Let an activation's adjoint live where its argument's goes, if only that reads it."""
        line = next(b for b in self.lines if b.name.base == adjoint)
        for ref in sorted(line.expr.atoms(Ref), key=str):
            readers = [b for b in self.lines if ref in b.expr.atoms(Ref)]
            own = next((b for b in self.lines if b.name == ref), None)
            same = own is not None and self.where(ref) == self.where(line.name) and own.shape == line.shape
            linear = ref in sp.Mul.make_args(line.expr)
            if same and linear and len(readers) == 1 and ref.base not in self.memory.aliases and ref.lag == 0:
                self.memory.aliases[ref.base] = self.memory.aliases[adjoint]
                return ref.base
        return None

    def sink(self) -> None:
        """Sums over time of neighbours: one sum of outer products a run, one plain sum an array."""
        present = (
            {node for b in self.lines for node in b.expr.atoms(N.Total)} if self.schedule.sink else set()
        )
        for array, layout in self.memory.layouts.items():
            adjoint = self.memory.adjoint_array.get(array)
            if adjoint is None:
                continue
            for run in layout.runs:
                totals = {n: self.outer_total(Ref(self.names.adjoint(n.base), 0), run) for n in run.members}
                if len(totals) > 1 and present.issuperset(totals.values()):
                    self.sink_run(run, layout, adjoint, totals)
            self.sink_biases(layout, adjoint, present)

    def outer_total(self, delta: sp.Expr, run: Run) -> sp.Expr:
        """The sum over time of a gradient times the operand of a run."""
        return N.Total(N.Outer(delta, run.operand))

    def sink_run(self, run: Run, layout: Layout, adjoint: str, totals: Mapping[Ref, sp.Expr]) -> None:
        """The gradients of one run's weights in one matrix product."""
        blocks = [self.ready.blocks[str(w)] for w in run.matrices if str(w) in self.ready.blocks]
        columns = {(block.low, block.high) for block in blocks}
        split = len(blocks) == len(run.matrices) and len(columns) == 1
        into = self.gradient_array(run, tuple(block.weight for block in blocks) if split else ())
        (bounds,) = columns if split else (None,)
        target = Cols(into, *bounds) if bounds else into
        expr = self.outer_total(self.memory.part(adjoint, run.low, run.high), run)
        pairs = zip(run.matrices, totals.values(), strict=True)
        says = tuple(f"{self.adjoint_text(w)} = {self.memory.show(total)}" for w, total in pairs)
        forward = {e.name: e.expr for e in self.ready.forward}
        answers = tuple(self.memory.line(n, forward[n]) for n in run.members)
        self.assembled.append(Step(target, expr, False, says, answers))
        for name, total in totals.items():
            low, high = layout.offsets[name]
            part = Rows(into, low - run.low, high - run.low)
            self.sums[total] = Cols(part, *bounds) if bounds else part

    def gradient_array(self, run: Run, weights: tuple[str, ...]) -> Ref:
        """Where a run's weight gradients go; blocks of the same weights go into one array."""
        if weights in self.joint:
            return self.joint[weights]
        pack = self.memory.packs[run]
        shape = self.memory.shapes[weights[0] if weights else run.operand.base]
        name = f"{pack.base.split('_')[0]}_packed" if weights else pack.base
        array = self.memory.unique(self.names.adjoint(name), (run.high - run.low, shape[-1]))
        self.memory.arrays[array] = Array(array, self.memory.shapes[array], "once")
        if weights:
            self.joint[weights] = Ref(array)
        return Ref(array)

    def adjoint_text(self, matrix: sp.Expr) -> str:
        """The gradient of a weight, or of some of its columns, as a paper writes it."""
        return f"{self.names.adjoint('')}{self.memory.show(matrix)}"

    def sink_biases(self, layout: Layout, adjoint: str, present: set[sp.Expr]) -> None:
        """The gradients of neighbouring biases in one sum."""
        totals = {m.name: N.Total(Ref(self.names.adjoint(m.name.base), 0)) for m in layout.members}
        found = {name: total for name, total in totals.items() if total in present}
        if len(found) < 2:
            return
        name = self.memory.unique(self.names.adjoint("b_packed"), (layout.size,))
        self.memory.arrays[name] = Array(name, (layout.size,), "once")
        says = tuple(
            f"{b.name} = {self.memory.show(b.expr)}"
            for b in self.lines
            if any(t in b.expr.atoms(N.Total) for t in found.values())
        )
        self.assembled.append(Step(Ref(name), N.Total(Ref(adjoint, 0)), False, says))
        for member, total in found.items():
            self.sums[total] = N.Part(Ref(name), *layout.offsets[member])

    def region(self, place: str, where: Mapping[Ref, str]) -> list[Step]:
        """The steps of one place."""
        region = Region(self.memory, self.schedule.fuse)
        here = [b for b in self.lines if where[b.name] == place and b.of.base not in self.ready.blocks]
        timed = [b for b in here if b.name.lag is not None or place == INSIDE]
        region.schedule([self.line(b) for b in timed], set())
        if place == AFTER:
            region.steps += self.assembled
            region.schedule([self.line(b) for b in here if b.name.lag is None], set())
            region.steps += self.whole_weights()
        return region.steps

    def line(self, b: Backward) -> Line:
        """A backward equation as a line to be scheduled, its products packed."""
        expr = self.packed(b.expr.xreplace(self.sums)).xreplace(self.columns)
        if expr.atoms(Rows, N.Part) and b.name.lag is None and expr in self.sums.values():
            return Line(b.name, expr, frozenset(), quiet=True)  # a slice of sums already explained
        answers = tuple(self.memory.line(a.name, a.expr) for a in b.answers)
        late = b.expr.has(N.Dot)
        share = b.name.lag is None and self.where(b.name) == INSIDE
        return Line(b.name, expr, frozenset(b.expr.atoms(Ref)), late, late, answers, add=share)

    def whole_weights(self) -> list[Step]:
        """The gradient of each split weight: columns side by side, or rows of the joint array."""
        steps = []
        for weight in dict.fromkeys(block.weight for block in self.ready.blocks.values()):
            parts = [self.block_gradient(name) for name, b in self.ready.blocks.items() if b.weight == weight]
            rows = {part.args[0] for part in parts if isinstance(part, Cols)}
            whole = rows.pop() if len(rows) == 1 and all(isinstance(p, Cols) for p in parts) else None
            whole = Beside(*parts) if whole is None and any(p != 0 for p in parts) else whole or sp.Integer(0)
            gradient = self.names.adjoint(weight)
            self.memory.shapes.setdefault(gradient, self.memory.shapes[weight])
            steps.append(Step(Ref(gradient), whole))
        return steps

    def block_gradient(self, name: str) -> sp.Expr:
        """The gradient of one block of columns."""
        line = next(b for b in self.lines if b.name == Ref(self.names.adjoint(name)))
        return line.expr.xreplace(self.sums)

    def packed(self, expr: sp.Expr) -> sp.Expr:
        """Sums of products with transposed weights as one product with the pack, run by run."""
        terms = list(sp.Add.make_args(expr))
        for array, layout in self.memory.layouts.items():
            adjoint = self.memory.adjoint_array.get(array)
            for run in layout.runs:
                wanted = [
                    N.Dot(N.transposed(w), Ref(self.names.adjoint(n.base), 0))
                    for n, w in zip(run.members, run.matrices, strict=True)
                ]
                if adjoint is None or len(wanted) < 2 or not all(term in terms for term in wanted):
                    continue
                terms = [term for term in terms if term not in wanted]
                delta = self.memory.part(adjoint, run.low, run.high)
                terms.append(N.Dot(N.transposed(self.memory.packs[run]), delta))
        return sp.Add(*terms)
