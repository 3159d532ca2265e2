"""The forward pass in three places: what is hoisted, packed and fused."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Equation
from lstmsym.notation import Pointwise, Ref
from lstmsym.planning.choices import Schedule
from lstmsym.planning.layout import Affine, Layout, Run, affine, lay_out
from lstmsym.planning.memory import AFTER, BEFORE, INSIDE, ONCE, Memory, ancestors, closure
from lstmsym.planning.prepare import Prepared
from lstmsym.planning.region import Line, Region
from lstmsym.program import Array, Cols, Phase, Stack, Step, Turned


class ForwardRegion(Region):
    """The forward lines of one place; a product is emitted when its first member is reached."""

    def __init__(self, forward: Forward, place: str) -> None:
        """Open the region of a place."""
        super().__init__(forward.memory, forward.schedule.fuse)
        self.forward, self.place = forward, place

    def one(self, line: Line, says: tuple[str, ...], answers: tuple[str, ...]) -> None:
        """An affine line accumulates into its place; any other is written as it is."""
        member = self.forward.affine.get(line.name)
        if member is None:
            super().one(line, says, answers)
            return
        for run in self.forward.runs_of(line.name):
            if self.forward.gemm_place(run, self.place) == self.place:
                self.product(run)
        target = self.memory.slot(line.name)
        if member.rest != 0:
            self.steps.append(Step(target, self.forward.columns(member.rest), True, says))

    def product(self, run: Run) -> None:
        """The matrix product of a run, once: written where nothing stands yet, added elsewhere."""
        forward = self.forward
        if run in forward.done:
            return
        forward.done.add(run)
        array = forward.array_of(run.members[0])
        fresh = not any(name in forward.written for name in run.members)
        if not fresh:
            for name in run.members:
                if name not in forward.written:
                    forward.initial((name,), self.steps)
        inside = self.place == INSIDE
        expr = N.Dot(forward.turned(run) if inside else self.memory.packs[run], run.operand)
        if fresh:
            expr += forward.constants(run.members)
        forward.written |= set(run.members)
        says = tuple(self.memory.line(n, forward.lines[n]) for n in run.members)
        self.steps.append(Step(self.memory.part(array, run.low, run.high), expr, not fresh, says))


class Forward:
    """The forward pass in three places."""

    def __init__(self, ready: Prepared, memory: Memory, schedule: Schedule) -> None:
        """Nothing is written yet."""
        self.ready, self.memory, self.schedule = ready, memory, schedule
        self.lines = {e.name: e.expr for e in ready.forward}
        self.affine: dict[Ref, Affine] = {}
        self.done: set[Run] = set()
        self.written: set[Ref] = set()
        self.before: list[Step] = []

    def run(self) -> Phase:
        """Place, lay out, emit."""
        self.place()
        for where in (BEFORE, INSIDE, AFTER):
            self.lay_out(where)
        self.pack()
        regions = {where: self.region(where) for where in (ONCE, BEFORE, INSIDE, AFTER)}
        before = [*regions[ONCE], *self.before, *regions[BEFORE]]
        return Phase(tuple(before), tuple(regions[INSIDE]), tuple(regions[AFTER]))

    def place(self) -> None:
        """Before, inside or after the loop, from the dependency on states."""
        pairs = [(e.name, e.expr) for e in self.ready.forward]
        states = {q.name for q in self.ready.cell.role("state")}
        moving = closure({Ref(s, -1) for s in states}, pairs)
        wanted = ancestors({Ref(s, 0) for s in states}, pairs)
        for name, _ in pairs:
            where = ONCE if name.lag is None else INSIDE
            if self.schedule.hoist and where == INSIDE:
                where = BEFORE if name not in moving else INSIDE if name in wanted else AFTER
            self.memory.place[name.base] = where
        self.moving = moving

    def gemm_place(self, run: Run, line_place: str) -> str:
        """Where the product of a run stands: before the loop if its operand knows no state."""
        free = run.operand not in self.moving and run.operand.lag == 0 and self.schedule.hoist
        return BEFORE if free and line_place == INSIDE else line_place

    def lay_out(self, where: str) -> None:
        """Give the affine lines of one place a shared array."""
        lines = [e for e in self.ready.forward if self.memory.place[e.name.base] == where]
        found = [a for a in (affine(e, self.memory.shapes) for e in lines) if a]
        if not found:
            return
        applied = {
            e.expr.args[0]: type(e.expr).__name__
            for e in lines
            if isinstance(e.expr, Pointwise) and isinstance(e.expr.args[0], Ref)
        }
        states = {Ref(q.name, 0) for q in self.ready.cell.role("state")}
        alone = [a for a in found if a.name in states]
        for chunk in [[a for a in found if a not in alone], *([a] for a in alone)]:
            if not chunk:
                continue
            layout = lay_out(chunk, applied, self.memory.shapes)
            layout = layout if self.schedule.pack else layout.unpacked()
            own = chunk[0].name.base if len(chunk) == 1 else ""
            self.adopt(layout, where, own, {e.name: e for e in lines})

    def adopt(self, layout: Layout, where: str, alone: str, lines: Mapping[Ref, Equation]) -> None:
        """Take a layout in: its array, the places of its members and of their activations."""
        usual = {BEFORE: "inputs", INSIDE: "gates", AFTER: "outputs"}[where]
        array = alone or self.memory.unique(usual, (layout.size,))
        parts = []
        for member in layout.members:
            self.affine[member.name] = member
            low, high = layout.offsets[member.name]
            label = member.name.base
            part = self.memory.part(array, low, high)
            if not alone:
                self.memory.aliases[member.name.base] = part
            over = self.overwriter(member.name, lines)
            if over is not None:
                self.memory.aliases[over.base] = part
                label = over.base
            parts.append((label, low, high))
        self.memory.layouts[array] = layout
        if Ref(array, 0) in {Ref(q.name, 0) for q in self.ready.cell.role("state")}:
            return
        self.memory.arrays[array] = Array(array, (layout.size,), "all", tuple(parts))

    def overwriter(self, name: Ref, lines: Mapping[Ref, Equation]) -> Ref | None:
        """The activation that may take its argument's place: its only reader in both passes."""
        readers = [e for e in self.ready.forward if name in e.expr.atoms(Ref)]
        if any(name in b.expr.atoms(Ref) for b in self.ready.backward) or len(readers) != 1:
            return None
        (reader,) = readers
        states = {q.name for q in self.ready.cell.role("state")}
        if name.base in states | set(self.ready.cell.outputs):
            return None
        simple = (
            isinstance(reader.expr, Pointwise) and reader.expr.args[0] == name and len(reader.expr.args) == 1
        )
        return reader.name if simple and reader.name in lines and reader.name.base not in states else None

    def pack(self) -> None:
        """The matrices of each run, stacked once a call."""
        for layout in self.memory.layouts.values():
            for run in layout.runs:
                self.memory.packs[run] = self.packed(run)

    def packed(self, run: Run) -> sp.Expr:
        """The matrix of one run, named after its first weight and its operand."""
        matrices = tuple(self.columns(w) for w in run.matrices)
        if matrices == run.matrices and len(matrices) == 1:
            return matrices[0]
        letter = min(str(r) for r in matrices[0].atoms(Ref))[0]
        shape = (run.high - run.low, self.memory.shapes[run.operand.base][0])
        name = Ref(self.memory.unique(f"{letter}_{run.operand.base}", shape))
        self.before.append(Step(name, Stack(*matrices) if len(matrices) > 1 else matrices[0]))
        return name

    def columns(self, expr: sp.Expr) -> sp.Expr:
        """The expression with every block of columns as what it is."""
        return expr.xreplace(
            {
                Ref(name): Cols(Ref(block.weight), block.low, block.high)
                for name, block in self.ready.blocks.items()
            }
        )

    def turned(self, run: Run) -> sp.Expr:
        """The matrix of a run for use at every step: read off a transposed copy, which is faster."""
        pack = self.memory.packs[run]
        if not isinstance(pack, Ref):
            return pack
        name = Ref(self.memory.unique(f"{pack.base}_T", self.memory.shapes[pack.base][::-1]))
        self.before.append(Step(name, Turned(pack)))
        return N.Transposed(name)

    def region(self, where: str) -> list[Step]:
        """The steps of one place."""
        region = ForwardRegion(self, where)
        lines = []
        for e in self.ready.forward:
            if self.memory.place[e.name.base] == where:
                needs = frozenset(e.expr.atoms(Ref))
                lines.append(Line(e.name, self.columns(e.expr), needs, e.name in self.affine))
        if where == BEFORE:
            self.hoist(region, inputs=True)
        region.schedule(lines, set())
        if where == BEFORE:
            self.hoist(region, inputs=False)
        return region.steps

    def hoist(self, region: ForwardRegion, inputs: bool) -> None:
        """Before the loop: products of lines inside it whose operands know no state, then biases.

        Products with inputs come first; those with values made before the loop, and biases, last.
        """
        given = {q.now for q in self.ready.cell.role("input")}
        for layout in self.memory.layouts.values():
            inside = self.memory.place[layout.members[0].name.base] == INSIDE
            hoisted = [r for r in layout.runs if inside and self.gemm_place(r, INSIDE) == BEFORE]
            for run in hoisted:
                if (run.operand in given) == inputs:
                    region.product(run)
            if hoisted and not inputs:
                for member in layout.members:
                    if member.name not in self.written:
                        self.initial((member.name,), region.steps)

    def initial(self, names: tuple[Ref, ...], steps: list[Step]) -> None:
        """Constants, or zeros, where no product has been written yet."""
        for name in names:
            self.written.add(name)
            steps.append(Step(self.memory.slot(name), self.constants((name,)) + 0, False, ()))

    def constants(self, names: tuple[Ref, ...]) -> sp.Expr:
        """The biases of neighbours, one after the other; zero where there are none."""
        found = [self.affine[name].constant for name in names]
        if all(c == 0 for c in found):
            return sp.Integer(0)
        if len(found) == 1:
            return found[0]
        sizes = [self.memory.shapes[name.base][0] for name in names]
        return N.Concat(*(c if c != 0 else N.Spread(0, size) for c, size in zip(found, sizes, strict=True)))

    def runs_of(self, name: Ref) -> list[Run]:
        """The runs a member takes part in."""
        return [run for layout in self.memory.layouts.values() for run in layout.runs if name in run.members]

    def array_of(self, name: Ref) -> str:
        """The shared array of a member."""
        return next(a for a, layout in self.memory.layouts.items() if name in layout.offsets)
