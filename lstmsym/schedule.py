"""From a derivation to a program: what is hoisted, packed, sunk, fused, saved.

All of it follows from the dependency graph.  What depends on no state is computed for all steps
before the loop, in one matrix product per operand; lines that share an operand are one product
(packed once a call); what no state waits for is computed after the loop; backward, what no carried
gradient waits for (weights, biases, inputs) sinks after the loop (Appleyard, Kocisky & Blunsom 2016).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Equation
from lstmsym.derive import Backward, Derivation
from lstmsym.layout import Affine, Layout, Run, affine, lay_out
from lstmsym.notation import Pointwise, Ref
from lstmsym.prepare import Block, Prepared, prepare
from lstmsym.printing import Printer
from lstmsym.program import Array, Beside, Cols, Phase, Program, Rows, Stack, Step
from lstmsym.shapes import Shape

BEFORE, INSIDE, AFTER, ONCE = "before", "inside", "after", "once"


@dataclass(frozen=True)
class Schedule:
    """The choices. ``hoist``: state-free work before the loop; ``pack``: one product per operand;
    ``fuse``: like pointwise lines in one pass; ``save``: keep inner activations such as tanh(c) for
    the backward pass instead of computing them again.
    """  # noqa: D205

    hoist: bool = True
    pack: bool = True
    fuse: bool = True
    save: bool = True


def plan(derivation: Derivation, schedule: Schedule | None = None) -> Program:
    """Schedule a derivation: forward, backward, what is kept between them."""
    schedule = schedule or Schedule()
    ready = prepare(derivation, schedule.save)
    memory = _Memory(ready)
    forward = _Forward(ready, memory, schedule).run()
    passes = _Backward(ready, memory, schedule)
    backward = passes.run()
    return _program(replace(ready, backward=passes.lines), memory, forward, backward)


class _Memory:
    """Where names live: layouts, aliases into them, the names in use."""

    def __init__(self, ready: Prepared) -> None:
        self.shapes: dict[str, Shape] = dict(ready.shapes)
        self.aliases: dict[str, sp.Expr] = {}
        self.layouts: dict[str, Layout] = {}
        self.arrays: dict[str, Array] = {}
        self.adjoint_array: dict[str, str] = {}
        self.packs: dict[Run, sp.Expr] = {}
        self.columns: dict[Ref, Cols] = {}
        self.place: dict[str, str] = {}
        self.parameters = {q.now for q in ready.cell.role("parameter")} | {Ref(name) for name in ready.blocks}
        # fmt: off
        order = [q.name for q in ready.cell.quantities] + [e.name.base for e in ready.forward]
        # fmt: on
        self.order: dict[str, int] = {name: place for place, name in enumerate(dict.fromkeys(order))}
        gradients = [*(r.base for r in ready.given.values()), *(b.name.base for b in ready.backward)]
        self.order |= {name: place - 10**6 for place, name in enumerate(dict.fromkeys(gradients))}
        self.show = _Paper(self.order, ready.blocks)

    def unique(self, name: str, shape: Shape) -> str:
        """An array name that is not taken, with its shape noted."""
        while name in self.shapes:
            name += "_"
        self.shapes[name] = shape
        return name

    def part(self, array: str, low: sp.Expr, high: sp.Expr, lag: int | None = 0) -> sp.Expr:
        """A stretch of a shared array, or all of it."""
        (size, *_) = self.shapes[array]
        ref = Ref(array, lag)
        return ref if (low, high) == (0, size) else N.Part(ref, low, high)

    def slot(self, name: Ref) -> sp.Expr:
        """Where a name is written: its part of a shared array, or the name itself."""
        return self.aliases.get(name.base, name) if name.lag == 0 else name

    def slot_of(self, target: sp.Expr) -> sp.Expr:
        """Where a step writes."""
        return self.slot(target) if isinstance(target, Ref) else target

    def line(self, name: Ref, expr: sp.Expr) -> str:
        """An equation as a paper prints it."""
        return f"{name} = {self.show(expr)}"


class _Paper(Printer):
    """Prints a block of a weight as the columns it is."""

    def __init__(self, order: Mapping[str, int], blocks: Mapping[str, Block]) -> None:
        super().__init__(order)
        self.blocks = blocks

    def ref(self, ref: Ref) -> str:
        block = self.blocks.get(ref.base)
        if block is None:
            return super().ref(ref)
        return f"{block.weight}[:, {'' if block.low == 0 else self(block.low)}:{self(block.high)}]"


def _closure(start: set[Ref], lines: Iterable[tuple[Ref, sp.Expr]]) -> set[Ref]:
    """Everything that depends on the start, through lines given in order."""
    found = set(start)
    for name, expr in lines:
        if found & expr.atoms(Ref):
            found.add(name)
    return found


def _ancestors(goals: set[Ref], lines: list[tuple[Ref, sp.Expr]]) -> set[Ref]:
    """Everything the goals depend on, through lines given in order."""
    found = set(goals)
    for name, expr in reversed(lines):
        if name in found:
            found |= expr.atoms(Ref)
    return found


class _Region:
    """Steps of one place, emitted by list scheduling: like lines that are ready together go together."""

    def __init__(self, memory: _Memory, fuse: bool) -> None:
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

    def urgency(self, line: Line, ready: list[Line], waiting: list[Line]) -> int:
        """0 plain lines, 1 groups that are complete, 2 matrix products, 3 groups that still grow."""
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
        part = self.memory.slot(line.name)
        return (part.args[0], part.args[2])

    def previous(self, line: Line, like: Mapping[tuple[sp.Expr, ...], Line]) -> Line | None:
        slot = self.slot(line)
        return next((other for other in like.values() if self.next(other) == slot), None)

    def form(self, line: Line) -> sp.Expr | None:
        """A pointwise line with what lives at its own place replaced by the arrays; None outside shared arrays."""
        target = self.memory.slot(line.name)
        if not isinstance(target, N.Part) or line.product or _mixes(line.expr):
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
        stretch = {ref: N.Part(ref, low, high) for ref in (target, *expr.atoms(Ref)) if ref.base in self.memory.arrays}
        stretch = {ref: self.memory.part(ref.base, low, high) for ref in stretch}
        self.steps.append(Step(stretch[target], expr.xreplace(stretch), False, says, answers))

    def one(self, line: Line, says: tuple[str, ...], answers: tuple[str, ...]) -> None:
        """A line by itself."""
        self.steps.append(Step(self.memory.slot(line.name), line.expr, False, says, answers))


def _mixes(expr: sp.Expr) -> bool:
    return any(isinstance(a, N.Op) and not isinstance(a, Pointwise) for a in sp.preorder_traversal(expr))


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


class _ForwardRegion(_Region):
    """The forward lines of one place; a matrix product is emitted when its first member is reached."""

    def __init__(self, forward: _Forward, place: str) -> None:
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
            self.steps.append(Step(target, member.rest, True, says))

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
        expr = N.Dot(self.memory.packs[run], run.operand)
        if fresh:
            expr += forward.constants(run.members)
        forward.written |= set(run.members)
        says = tuple(self.memory.line(n, forward.lines[n]) for n in run.members)
        self.steps.append(Step(self.memory.part(array, run.low, run.high), expr, not fresh, says))


class _Forward:
    """The forward pass in three places."""

    def __init__(self, ready: Prepared, memory: _Memory, schedule: Schedule) -> None:
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
        moving = _closure({Ref(s, -1) for s in states}, pairs)
        wanted = _ancestors({Ref(s, 0) for s in states}, pairs)
        for name, _ in pairs:
            where = ONCE if name.lag is None else INSIDE
            if self.schedule.hoist and where == INSIDE and name.base not in states:
                where = BEFORE if name not in moving else INSIDE if name in wanted else AFTER
            self.memory.place[name.base] = where
        self.moving = moving

    def gemm_place(self, run: Run, line_place: str) -> str:
        """Where the product of a run stands: before the loop if its operand knows no state."""
        free = run.operand not in self.moving and run.operand.lag == 0 and self.schedule.hoist
        return BEFORE if free else line_place

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
        alone = [a for a in found if a.name in states or not self.schedule.pack]
        for chunk in [[a for a in found if a not in alone], *([a] for a in alone)]:
            if not chunk:
                continue
            layout = lay_out(chunk, applied, self.memory.shapes)
            own = chunk[0].name.base if len(chunk) == 1 else ""
            self.adopt(layout, where, own, {e.name: e for e in lines})

    def adopt(self, layout: Layout, where: str, alone: str, lines: Mapping[Ref, Equation]) -> None:
        """Take a layout in: its array, the aliases of its members and of the activations in their place."""
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
        """The activation that may take its argument's place: the only reader, forward and backward."""
        readers = [e for e in self.ready.forward if name in e.expr.atoms(Ref)]
        if any(name in b.expr.atoms(Ref) for b in self.ready.backward) or len(readers) != 1:
            return None
        (reader,) = readers
        states = {q.name for q in self.ready.cell.role("state")}
        simple = isinstance(reader.expr, Pointwise) and reader.expr.args[0] == name and len(reader.expr.args) == 1
        return reader.name if simple and reader.name in lines and reader.name.base not in states else None

    def pack(self) -> None:
        """The matrices of each run, stacked once a call; blocks of one set of weights are stacked together."""
        joint: dict[tuple[str, ...], Ref] = {}
        for layout in self.memory.layouts.values():
            for run in layout.runs:
                self.memory.packs[run] = self.packed(run, joint)

    def packed(self, run: Run, joint: dict[tuple[str, ...], Ref]) -> sp.Expr:
        blocks = [self.ready.blocks.get(w.base) if isinstance(w, Ref) else None for w in run.matrices]
        if all(blocks):
            known = [b for b in blocks if b]
            weights = tuple(b.weight for b in known)
            if weights not in joint:
                joint[weights] = self.stacked(tuple(Ref(w) for w in weights))
            return self.columns(joint[weights], known[0], run)
        return self.stacked(run.matrices) if len(run.matrices) > 1 else run.matrices[0]

    def columns(self, stacked: Ref, block: Block, run: Run) -> Ref:
        """The columns of stacked weights that act on one operand, named after both."""
        letter = stacked.base.split("_")[0]
        name = self.memory.unique(f"{letter}_{run.operand.base}", (run.high - run.low, block.high - block.low))
        self.before.append(Step(Ref(name), Cols(stacked, block.low, block.high)))
        self.memory.columns[Ref(name)] = Cols(stacked, block.low, block.high)
        return Ref(name)

    def stacked(self, matrices: tuple[sp.Expr, ...]) -> sp.Expr:
        if len(matrices) == 1:
            return matrices[0]
        shapes = [self.memory.shapes[r.base] for m in matrices for r in [min(m.atoms(Ref), key=str)]]
        widths = [s[::-1] if isinstance(m, N.Transposed) else s for s, m in zip(shapes, matrices, strict=True)]
        shape = (sp.Add(*(s[0] for s in widths)), widths[0][1])
        letters = {str(r.base)[0] for m in matrices for r in m.atoms(Ref)}
        name = self.memory.unique(f"{letters.pop() if len(letters) == 1 else 'W'}_packed", shape)
        self.before.append(Step(Ref(name), Stack(*matrices), False, ()))
        return Ref(name)

    def region(self, where: str) -> list[Step]:
        """The steps of one place."""
        region = _ForwardRegion(self, where)
        if where == BEFORE:
            self.hoist(region)
        lines = []
        for e in self.ready.forward:
            if self.memory.place[e.name.base] == where:
                lines.append(Line(e.name, e.expr, frozenset(e.expr.atoms(Ref)), e.name in self.affine))
        region.schedule(lines, set())
        return region.steps

    def hoist(self, region: _ForwardRegion) -> None:
        """Before the loop: the products of lines inside it whose operands know no state, then what has no product."""
        for array, layout in self.memory.layouts.items():
            inside = self.memory.place[layout.members[0].name.base] == INSIDE
            inputs = {q.now for q in self.ready.cell.role("input")}
            hoisted = [r for r in layout.runs if inside and self.gemm_place(r, INSIDE) == BEFORE]
            for run in hoisted:
                if run.operand in inputs:
                    region.product(run)
            if hoisted:
                rest = tuple(m.name for m in layout.members if m.name not in self.written)
                for name in rest:
                    self.initial((name,), region.steps)
            del array

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


def _hoisted(ready: Prepared, memory: _Memory) -> tuple[Backward, ...]:
    """The backward lines, with products that wait for no later step taken out of lines that do."""
    pairs = [(b.name, b.expr) for b in ready.backward]
    moving = _closure({Ref(ready.names.back(q.name), 1) for q in ready.cell.role("state")}, pairs)
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


class _Backward:
    """The backward pass in three places."""

    def __init__(self, ready: Prepared, memory: _Memory, schedule: Schedule) -> None:
        self.ready, self.memory, self.schedule = ready, memory, schedule
        self.names = ready.names
        self.lines = _hoisted(ready, memory) if schedule.hoist else ready.backward
        self.sums: dict[sp.Expr, sp.Expr] = {}
        self.assembled: list[Step] = []

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
        return self.memory.place[name.base]

    def place(self) -> None:
        """Before, inside or after the loop, from the dependency on carried gradients."""
        pairs = [(b.name, b.expr) for b in self.lines]
        carried = {Ref(self.names.back(q.name), 0) for q in self.ready.cell.role("state")}
        moving = _closure({ref.shifted(1) for ref in carried}, pairs)
        wanted = _ancestors(carried, pairs)
        for name, expr in pairs:
            if name.lag is None or expr.has(N.Total):
                self.memory.place[name.base] = AFTER
            elif name in carried or not self.schedule.hoist:
                self.memory.place[name.base] = INSIDE
            else:
                where = BEFORE if name not in moving else INSIDE if name in wanted else AFTER
                self.memory.place[name.base] = where

    def lay_out(self, array: str, layout: Layout) -> None:
        """An array of adjoints in the order of the forward one, the adjoints of overwritten names in it too."""
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
        """Let the adjoint of an activation live where its argument's goes, if only that reads it; its name."""
        line = next(b for b in self.lines if b.name.base == adjoint)
        for ref in line.expr.atoms(Ref):
            readers = [b for b in self.lines if ref in b.expr.atoms(Ref)]
            own = next((b for b in self.lines if b.name == ref), None)
            same = own is not None and self.where(ref) == self.where(line.name) and own.shape == line.shape
            linear = ref in sp.Mul.make_args(line.expr)
            if same and linear and len(readers) == 1 and ref.base not in self.memory.aliases and ref.lag == 0:
                self.memory.aliases[ref.base] = self.memory.aliases[adjoint]
                return ref.base
        return None

    def sink(self) -> None:
        """Sums over time of neighbours: one outer-product sum for each run, one plain sum for each array."""
        present = {node for b in self.lines for node in b.expr.atoms(N.Total)}
        joint: dict[Ref, Ref] = {}
        for array, layout in self.memory.layouts.items():
            adjoint = self.memory.adjoint_array.get(array)
            if adjoint is None:
                continue
            for run in layout.runs:
                self.sink_run(run, layout, adjoint, present, joint)
            self.sink_biases(layout, adjoint, present)

    def sink_run(self, run: Run, layout: Layout, adjoint: str, present: set[sp.Expr], joint: dict[Ref, Ref]) -> None:
        totals = [N.Total(N.Outer(Ref(self.names.adjoint(n.base), 0), run.operand)) for n in run.members]
        if len(totals) < 2 or not all(total in present for total in totals):
            return
        pack = self.memory.packs[run]
        pack = self.memory.columns.get(pack, pack)
        width = self.memory.shapes[run.operand.base][0]
        expr = N.Total(N.Outer(self.memory.part(adjoint, run.low, run.high), run.operand))
        base = pack.args[0] if isinstance(pack, Cols) else pack
        if isinstance(pack, Cols) and base not in joint or not isinstance(pack, Cols):
            shape = self.memory.shapes[base.base] if isinstance(base, Ref) else (run.high - run.low, width)
            name = Ref(self.memory.unique(self.names.adjoint(getattr(base, "base", "W")), shape))
            self.memory.arrays[name.base] = Array(name.base, shape, "once")
            joint[base] = name
        into = joint[base]
        target = Cols(into, *pack.args[1:]) if isinstance(pack, Cols) else into
        pairs = zip(run.matrices, totals, strict=True)
        says = tuple(f"{self.adjoint_text(w)} = {self.memory.show(total)}" for w, total in pairs)
        answers = tuple(self.memory.line(n, next(e.expr for e in self.ready.forward if e.name == n)) for n in run.members)
        self.assembled.append(Step(target, expr, False, says, answers))
        for name, total in zip(run.members, totals, strict=True):
            low, high = layout.offsets[name]
            part = Rows(into, low - run.low, high - run.low)
            self.sums[total] = Cols(part, *pack.args[1:]) if isinstance(pack, Cols) else part

    def adjoint_text(self, matrix: sp.Expr) -> str:
        """The gradient of a weight, or of some of its columns, as a paper writes it."""
        return f"{self.names.adjoint('')}{self.memory.show(matrix)}"

    def sink_biases(self, layout: Layout, adjoint: str, present: set[sp.Expr]) -> None:
        totals = {m.name: N.Total(Ref(self.names.adjoint(m.name.base), 0)) for m in layout.members}
        found = {name: total for name, total in totals.items() if total in present}
        if len(found) < 2:
            return
        name = self.memory.unique(self.names.adjoint("b_packed"), (layout.size,))
        self.memory.arrays[name] = Array(name, (layout.size,), "once")
        says = tuple(
            f"{b.name} = {self.memory.show(b.expr)}" for b in self.lines if any(t in b.expr.atoms(N.Total) for t in found.values())
        )
        self.assembled.append(Step(Ref(name), N.Total(Ref(adjoint, 0)), False, says))
        for member, total in found.items():
            self.sums[total] = N.Part(Ref(name), *layout.offsets[member])

    def region(self, place: str, where: Mapping[Ref, str]) -> list[Step]:
        """The steps of one place."""
        region = _Region(self.memory, self.schedule.fuse)
        here = [b for b in self.lines if where[b.name] == place and b.of.base not in self.ready.blocks]
        region.schedule([self.line(b) for b in here if b.name.lag is not None], set())
        if place == AFTER:
            region.steps += self.assembled
            region.schedule([self.line(b) for b in here if b.name.lag is None], set())
            region.steps += self.whole_weights()
        return region.steps

    def line(self, b: Backward) -> Line:
        """A backward equation as a line to be scheduled, its products packed."""
        expr = self.packed(b.expr.xreplace(self.sums))
        if expr.atoms(Rows, N.Part) and b.name.lag is None and expr in self.sums.values():
            return Line(b.name, expr, frozenset(), quiet=True)  # a slice of sums already explained
        answers = tuple(self.memory.line(a.name, a.expr) for a in b.answers)
        late = b.expr.has(N.Dot)
        return Line(b.name, expr, frozenset(b.expr.atoms(Ref)), late, late, answers)

    def whole_weights(self) -> list[Step]:
        """The gradient of each split weight: its columns side by side, or the rows of the joint array they stand in."""
        steps = []
        for weight in dict.fromkeys(block.weight for block in self.ready.blocks.values()):
            parts = [self.block_gradient(name) for name, b in self.ready.blocks.items() if b.weight == weight]
            rows = {part.args[0] for part in parts if isinstance(part, Cols)}
            whole = rows.pop() if len(rows) == 1 and all(isinstance(p, Cols) for p in parts) else Beside(*parts)
            steps.append(Step(Ref(self.names.adjoint(weight)), whole))
        return steps

    def block_gradient(self, name: str) -> sp.Expr:
        """The gradient of one block of columns."""
        line = next(b for b in self.lines if b.name == Ref(self.names.adjoint(name)))
        return line.expr.xreplace(self.sums)

    def packed(self, expr: sp.Expr) -> sp.Expr:
        """Sums of products with transposed weights as one product with the transposed pack, run by run."""
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


def _program(ready: Prepared, memory: _Memory, forward: Phase, backward: Phase) -> Program:
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
    inside |= _written(memory, backward.inside) & gradients_of_inputs
    backward_arrays = tuple(
        a for name, a in _adjoint_arrays(ready, memory).items() if name in inside or a.time == "once"
    )
    quantities = cell.role("input", "hyperparameter")
    gradients = {q.name: Ref(names.adjoint(q.name), 0 if q.role == "input" else None) for q in cell.role("input", "parameter")}
    return Program(
        cell, forward, backward, _loss_steps(ready, memory), forward_arrays, backward_arrays,
        tuple(a for a in memory.arrays.values() if a.parts), saved,
        tuple(q.name for q in quantities if q.name in later),
        ready.given, {q.name: Ref(names.back(q.name), 0) for q in cell.role("state")}, gradients,
        memory.aliases, memory.shapes, memory.order,
    )  # fmt: skip


def _parts(memory: _Memory, phase: Phase) -> list[Step]:
    """The steps outside the loop that write a part of an array."""
    return [s for s in (*phase.before, *phase.after) if memory.slot_of(s.target) is not s.target or isinstance(s.target, N.Part)]


def _plain_arrays(ready: Prepared, memory: _Memory, states: set[str]) -> dict[str, Array]:
    """An array of its own for every forward name that shares none."""
    arrays = {}
    for name in dict.fromkeys([*(e.name for e in ready.forward), *_packed_names(memory)]):
        if name.base not in memory.aliases and name.base not in memory.arrays:
            time = "state" if name.base in states else "once" if name.lag is None else "all"
            arrays[name.base] = Array(name.base, memory.shapes[name.base], time)
    return arrays


def _packed_names(memory: _Memory) -> list[Ref]:
    """The stacked weights, which the backward pass reads again."""
    return sorted({r for pack in memory.packs.values() for r in pack.atoms(Ref)} - memory.parameters, key=str)


def _adjoint_arrays(ready: Prepared, memory: _Memory) -> dict[str, Array]:
    """Homes of backward names: the shared ones, then one for each name of its own."""
    arrays = {name: a for name, a in memory.arrays.items() if name not in memory.layouts}
    for b in ready.backward:
        if b.name.base not in memory.aliases and b.name.lag == 0:
            arrays.setdefault(b.name.base, Array(b.name.base, b.shape, "all"))
    return arrays


def _loss_steps(ready: Prepared, memory: _Memory) -> tuple[Step, ...]:
    """The loss, then the gradients of the outputs."""
    lines = [Step(e.name, e.expr, False, (memory.line(e.name, e.expr),)) for e in ready.loss]
    for b in ready.loss_backward:
        answers = tuple(memory.line(a.name, a.expr) for a in b.answers)
        lines.append(Step(b.name, b.expr, False, (memory.line(b.name, b.expr),), answers))
    return tuple(lines)


def _read(memory: _Memory, steps: Iterable[Step]) -> set[str]:
    """The names that steps read, and the arrays in which those live."""
    return _homes(memory, {ref for step in steps for ref in step.expr.atoms(Ref)})


def _written(memory: _Memory, steps: Iterable[Step]) -> set[str]:
    """The names that steps write, and the arrays in which those live."""
    return _homes(memory, {ref for step in steps for ref in step.target.atoms(Ref)})


def _homes(memory: _Memory, refs: Iterable[Ref]) -> set[str]:
    found = {ref.base for ref in refs}
    return found | {home.base for name in found for home in memory.slot(Ref(name, 0)).atoms(Ref)}
