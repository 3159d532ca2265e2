"""Sums over steps of products of matrices, in a form in which equal ones are alike.

The Jacobian of the state between two steps is the product of those of the single steps: a product over
steps is one if its factor is, proved for a step of which nothing is known, and if order and ends are
right.  That is the induction: nothing else is used of several steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Equation
from lstmsym.notation import NotationError, Ref
from lstmsym.verify.across import (
    END,
    HELD,
    IMMEDIATE,
    NEWEST,
    TOTAL,
    WORDS,
    At,
    LossOf,
    Over,
    Power,
    Pulled,
    Run,
    Slope,
    lifted,
    put,
    steps_in,
)
from lstmsym.verify.elaborate import shape_before
from lstmsym.verify.instances import Instance, companions, is_entrywise, is_local
from lstmsym.verify.pullback import ARRIVING, through
from lstmsym.verify.ranges import ZERO, Region, parted
from lstmsym.verify.system import System
from lstmsym.verify.words import Diag

Prove = Callable[[sp.Expr, sp.Expr], bool]
"""Whether an equation between expressions at one step is proved."""

Fact = tuple[sp.Expr, sp.Expr]


@dataclass(frozen=True)
class Item:
    """A factor: an expression at one step (``local``), the Jacobian from ``low`` to ``high``, or a power."""

    kind: str
    expr: sp.Expr = ZERO
    high: sp.Expr = ZERO
    low: sp.Expr = ZERO
    flip: bool = False

    def turned(self) -> Item:
        """The factor transposed."""
        if self.kind == "local":
            return replace(self, expr=N.transposed(self.expr))
        if self.kind == "power":
            return replace(self, expr=N.transposed(self.expr))
        return replace(self, flip=not self.flip)

    def put(self, steps: dict[sp.Symbol, sp.Expr]) -> Item:
        """The factor at other steps."""
        return replace(self, expr=put(self.expr, steps), high=put(self.high, steps), low=put(self.low, steps))


Chain = tuple[Item, ...]

ONES = Item("local", sp.S.One)
"""A vector of ones, on which a diagonal matrix gives its entries."""


@dataclass(frozen=True)
class Term:
    """A number times a product of matrices, or an outer product of two, summed over steps."""

    factor: sp.Expr
    chains: tuple[Chain, ...]
    binders: tuple[tuple[sp.Symbol, sp.Expr, sp.Expr], ...] = ()
    rank: int = 1

    def put(self, steps: dict[sp.Symbol, sp.Expr]) -> Term:
        """The term at other steps."""
        chains = tuple(tuple(item.put(steps) for item in chain) for chain in self.chains)
        binders = tuple((b, put(low, steps), put(high, steps)) for b, low, high in self.binders)
        return replace(self, chains=chains, binders=binders)


def anchors(expr: sp.Expr) -> set[sp.Expr]:
    """The letters of the steps in an expression."""
    return {parted(step)[0] for step in steps_in(expr)}


class Chains:
    """Makes terms of expressions; ``facts`` are pairs of steps of which the first is not the later."""

    def __init__(self, system: System, start: int, facts: Sequence[Fact], prove: Prove, state: str) -> None:
        """``start`` is the number of the first step, ``state`` the one that moves."""
        self.system, self.start, self.facts, self.prove = system, sp.Integer(start), tuple(facts), prove
        self.state, self.states = state, companions(system, state)
        self.bound: list[tuple[sp.Symbol, sp.Expr, sp.Expr]] = []
        self.names = system.derivation.names
        self.adjoints = {self.names.adjoint(q): q for q in (*system.forward, *system.cell.by_name)}

    # -- expressions as terms --------------------------------------------------------------------------

    def __call__(self, expr: sp.Expr) -> list[Term]:
        """The terms of an expression.

        Raises:
            NotationError: it is not of this form.
        """
        if expr == 0:
            return []
        method = getattr(self, f"_{type(expr).__name__.lower()}", None)
        if method is not None and (expr.has(*WORDS) or isinstance(expr, sp.Add)):
            found: list[Term] = method(*expr.args)
            return found
        return self.local(expr)

    def local(self, expr: sp.Expr) -> list[Term]:
        """An expression at one step as a factor."""
        if expr.is_number or not (expr.has(At) or self.shape(expr)):
            return [Term(expr, ((),), rank=0)]
        if not self.near(expr):
            raise NotationError(f"{expr} lies across several steps")
        rank = len(self.shape(expr))
        return [Term(sp.S.One, ((Item("local", expr),),), rank=rank)]

    def shape(self, expr: sp.Expr) -> tuple[sp.Expr, ...]:
        """The shape of an expression at one step."""
        return shape_before(self.ordinary(expr), self.system)

    def ordinary(self, expr: sp.Expr) -> sp.Expr:
        """An expression at one step as one at t."""
        (letter,) = anchors(expr) or {ZERO}
        return self.ordinary_at(expr, letter)

    def ordinary_at(self, expr: sp.Expr, letter: sp.Expr) -> sp.Expr:
        """An expression at steps counted from a letter as one at steps counted from t."""
        steps = {letter: ZERO} if letter.is_Symbol else {}
        return Instance(self.system, 0, -10)(put(expr, steps))

    @property
    def region(self) -> Region:
        """What is known of the letters here."""
        bound = [f for b, low, high in self.bound for f in ((low, b), (b, high))]
        return Region([*self.facts, *bound])

    def _add(self, *args: sp.Expr) -> list[Term]:
        whole = sp.Add(*args)
        if self.near(whole):
            return self.local(whole)
        return [term for a in args for term in self(a)]

    def near(self, expr: sp.Expr) -> bool:
        """Whether an expression stands for quantities of one step alone, not for a sum over others."""
        if expr.has(Over, Run, Power, Pulled) or len(anchors(expr)) > 1:
            return False
        refs = {ref.base for ref in expr.atoms(Ref)} & set(self.adjoints)
        if not all(is_local(self.system, self.adjoints[name]) for name in refs):
            return False
        return all(map(self.near_slope, expr.atoms(Slope)))

    def near_slope(self, node: sp.Expr) -> bool:
        """Whether a derivative is one of neighbouring steps."""
        what, by, _ = node.args
        if not isinstance(by, At):
            return False
        if not isinstance(what, LossOf):
            return True
        of = by.args[0].base
        return what.args == by.args[1:] and (of == self.state or is_local(self.system, of))

    def _mul(self, *args: sp.Expr) -> list[Term]:
        whole = sp.Mul(*args)
        if self.near(whole):
            return self.local(whole)
        near = [a for a in args if self.near(a) and not a.is_number]
        together = [sp.Mul(*near)] if self.near(sp.Mul(*near)) else near
        found = [Term(sp.S.One, ((),), rank=0)]
        for arg in (*together, *(a for a in args if a not in near)):
            found = [self.times(a, b) for a in found for b in self(arg)]
        return found

    def times(self, a: Term, b: Term) -> Term:
        """Two terms multiplied entry by entry, or by a number."""
        if a.rank == 0 or b.rank == 0:
            if any(chain for term in (a, b) if term.rank == 0 for chain in term.chains):
                raise NotationError("a number that varies with the step is a factor")
            whole = b if a.rank == 0 else a
            return replace(whole, factor=a.factor * b.factor, binders=(*a.binders, *b.binders))
        if a.rank == b.rank == 1 and len(a.chains) == len(b.chains) == 1:
            if b.chains[0] and b.chains[0][-1] == ONES and a.chains[0][-1] != ONES:
                a, b = b, a
            return Term(
                a.factor * b.factor,
                ((*self.diagonal(a.chains[0]), *b.chains[0]),),
                (*a.binders, *b.binders),
                1,
            )
        raise NotationError("matrices are multiplied entry by entry")

    def diagonal(self, chain: Chain) -> Chain:
        """A vector as the matrix with it on the diagonal."""
        if all(item.kind == "local" and len(self.shape(item.expr)) == 1 for item in chain):
            return tuple(Item("local", Diag(item.expr)) for item in chain)
        if chain and chain[-1] == ONES and all(self.flat(item) for item in chain[:-1]):
            return chain[:-1]
        raise NotationError("a product with vectors entry by entry is not read here")

    def flat(self, item: Item) -> bool:
        """Whether a factor is a diagonal matrix."""
        return (item.kind == "jacobian" and is_entrywise(self.system, self.state, self.state)) or isinstance(
            item.expr, Diag
        )

    def _dot(self, a: sp.Expr, b: sp.Expr) -> list[Term]:
        return [self.joined(x, y) for x in self(a) for y in self(b)]

    def joined(self, a: Term, b: Term) -> Term:
        """A matrix times a matrix or a vector."""
        binders = (*a.binders, *b.binders)
        if len(a.chains) == 1:
            first, *rest = b.chains
            return Term(a.factor * b.factor, ((*self.matrix(a), *first), *rest), binders, b.rank)
        if b.rank == 2 and len(b.chains) == 1:
            turned = tuple(item.turned() for item in reversed(self.matrix(b)))
            return Term(a.factor * b.factor, (a.chains[0], (*turned, *a.chains[1])), binders, 2)
        raise NotationError("an outer product times a vector is not read here")

    def matrix(self, term: Term) -> Chain:
        """The one chain of a matrix; a diagonal that is written as a vector is one."""
        return self.diagonal(term.chains[0]) if term.rank == 1 else term.chains[0]

    def _transposed(self, a: sp.Expr) -> list[Term]:
        found = []
        for term in self(a):
            if len(term.chains) == 2:
                found.append(replace(term, chains=term.chains[::-1]))
            elif term.rank == 2:
                found.append(replace(term, chains=(tuple(i.turned() for i in reversed(term.chains[0])),)))
            else:
                found.append(term)
        return found

    def _outer(self, a: sp.Expr, b: sp.Expr) -> list[Term]:
        return [
            Term(x.factor * y.factor, (*x.chains, *y.chains), (*x.binders, *y.binders), 2)
            for x in self(a) for y in self(b)
        ]  # fmt: skip

    def _over(self, body: sp.Expr, letter: sp.Symbol, low: sp.Expr, high: sp.Expr) -> list[Term]:
        self.bound.append((letter, low, high))
        try:
            terms = self(body)
        finally:
            self.bound.pop()
        return [replace(t, binders=((letter, low, high), *t.binders)) for t in terms]

    def _run(
        self, body: sp.Expr, letter: sp.Symbol, low: sp.Expr, high: sp.Expr, first: sp.Expr, flat: sp.Expr
    ) -> list[Term]:
        if anchors(body) != {letter}:
            raise NotationError("a product over steps of what is not taken at its step")
        if not self.region.holds(low, high + 1):
            raise NotationError(f"whether {low} is before {high} is not known")
        matrix = Diag(body) if flat else body
        for flip, order in ((False, NEWEST), (True, -NEWEST)):
            step = self.jacobian_step(matrix, letter, flip)
            if step is not None and (first == order or flat):
                found = Item("jacobian", high=high + step, low=low + step - 1, flip=flip and not flat)
                return [Term(sp.S.One, ((found, *((ONES,) if flat else ())),), rank=1 if flat else 2)]
        raise NotationError("the factors of the product are not the Jacobians of one step")

    def jacobian_step(self, matrix: sp.Expr, letter: sp.Expr, flip: bool = False) -> sp.Expr | None:
        """How many steps after a letter the Jacobian of one step is that a matrix is proved to be."""
        found = {parted(step)[1] for step in steps_in(matrix)} or {0}
        for step in sorted(found | {step + 1 for step in found}):
            wanted: sp.Expr = Slope(*(At(Ref(self.state, 0), letter + step - d) for d in (0, 1)), TOTAL)
            if self.prove(self.ordinary(N.transposed(wanted) if flip else wanted), self.ordinary(matrix)):
                return sp.Integer(step)
        return None

    def _power(self, matrix: sp.Expr, count: sp.Expr, flat: sp.Expr) -> list[Term]:
        later = sp.Add(
            *(term for term in sp.Add.make_args(count) if term.coeff(-1) == 0 and not term.is_number)
        )
        if matrix.has(At) or not self.region.holds(later - count, later):
            raise NotationError(f"whether {count} is no less than zero is not known")
        item = Item("power", Diag(matrix) if flat else matrix, high=count)
        return [Term(sp.S.One, ((item, *((ONES,) if flat else ())),), rank=1 if flat else 2)]

    # -- gradients and derivatives ---------------------------------------------------------------------

    def _at(self, ref: sp.Expr, step: sp.Expr) -> list[Term]:
        assert isinstance(ref, Ref)
        of = self.adjoints.get(ref.base)
        if of is not None and not is_local(self.system, of):
            return self._slope(LossOf(), At(Ref(of, 0), step), TOTAL)
        if ref.base in {carried.base for carried in self.system.carried}:
            raise NotationError(f"what {ref} sends back is not written out")
        return self.local(At(ref, step))

    def _slope(self, what: sp.Expr, by: sp.Expr, follows: sp.Expr) -> list[Term]:
        if isinstance(what, LossOf):
            node = Slope(what, by, follows)
            if self.near_slope(node):
                return self.local(node)
            if len(self.states) < 2:
                return self(self.loss_slope(what, by))
            return self.added(what, by) if not what.args else self.whole(node)
        if not isinstance(by, At):
            raise NotationError(f"the derivative of {what} by {by} stands alone")
        (x, p), (y, q) = what.args, by.args
        if parted(p)[0] == parted(q)[0] and (x.base, y.base) != (self.state, self.state):
            return self.local(Slope(what, by, follows))
        if len(self.states) > 1 and follows != HELD:
            raise NotationError("several states move at once")
        if not self.region.holds(q, p):
            raise NotationError(f"whether {q} is before {p} is not known")
        chain: Chain = (Item("jacobian", high=p, low=q),)
        if x.base != self.state:
            self.check_after(x.base)
            chain = (Item("local", Slope(what, At(Ref(self.state, 0), p), TOTAL)), *chain)
        if y.base != self.state:
            self.check_before(y.base, False)
            chain = (*chain, Item("local", Slope(At(Ref(self.state, 0), q), by, TOTAL)))
        flat = is_entrywise(self.system, x.base, y.base) and (x.base, y.base) == (self.state, self.state)
        return [Term(sp.S.One, ((*chain, *((ONES,) if flat else ())),), rank=1 if flat else 2)]

    def added(self, loss: LossOf, by: sp.Expr) -> list[Term]:
        """The derivative of the loss as the sum of those of the steps."""
        if self.system.final:
            return self(Slope(LossOf(END), by, TOTAL))
        letter = sp.Dummy("t")
        first = by.args[1] if isinstance(by, At) else self.start
        return self(Over(Slope(LossOf(letter), by, TOTAL), letter, first, END))

    def whole(self, node: sp.Expr) -> list[Term]:
        """A derivative that several states bring back, as it is."""
        of = node.args[1].args[0] if isinstance(node.args[1], At) else node.args[1]
        return [Term(sp.S.One, ((Item("whole", node),),), rank=len(self.system.shapes[of.base]))]

    def check_after(self, name: str) -> None:
        """Refuse a quantity that earlier steps reach by another way than the state of its own step."""
        state = Ref(self.state, 0)
        lines = [e for e in self.system.with_loss.forward]
        reached = {Ref(self.state, -1)}
        for line in lines:
            if line.name != state and line.expr.atoms(Ref) & reached:
                reached.add(line.name)
        if Ref(name, 0) in reached:
            raise NotationError(f"{name} depends on earlier steps beside {self.state}")

    def check_loss(self) -> None:
        """Refuse a loss of a step that the state before it reaches beside the state of the step."""
        for name in (*self.system.cell.outputs, *filter(None, (self.system.cell.loss,))):
            if name != self.state:
                self.check_after(name)

    def check_before(self, name: str, loss: bool) -> None:
        """Refuse a quantity that reaches later steps, or its step's loss, beside the state of its step."""
        state = Ref(self.state, 0)
        moved = {Ref(name, 0)}
        for line in self.system.with_loss.forward:
            if line.name != state and line.expr.atoms(Ref) & moved:
                moved.add(line.name)
        refused = {Ref(q.name, 0) for q in self.system.cell.role("state")}
        if loss:
            refused |= {Ref(o, 0) for o in (*self.system.cell.outputs, self.system.cell.loss) if o}
        if moved & refused - {state}:
            raise NotationError(f"{name} reaches later steps, or the loss, beside {self.state}")

    def loss_slope(self, loss: LossOf, by: sp.Expr) -> sp.Expr:
        """The derivative of a loss by way of the states."""
        self.check_loss()
        if self.system.final and not loss.args:
            loss = LossOf(END)
        if isinstance(by, At):
            return self.loss_by_step(loss, *by.args)
        if not loss.args:
            letter = sp.Dummy("t")
            one = self.loss_slope(LossOf(letter), by)
            return Over(one, letter, self.start, END)
        (step,) = loss.args
        state = Ref(self.state, 0)
        others = {q.name for q in self.system.cell.role("state")} - {self.state}
        if any(self.back(Ref(other, 0), by) != 0 for other in others):
            raise NotationError(f"{by} moves several states")
        instance = Instance(self.system, 0)
        direct = through(self.after(state), self.system.shapes, instance.seeds(0), by)
        letter = sp.Dummy("k")
        top, bottom = (At(state, s) for s in (step, letter))
        if self.back(state, by) == 0:
            return lifted(direct, step)
        moved = Pulled(self.along(top, bottom, Slope(loss, top, TOTAL)), bottom, by, IMMEDIATE)
        return Over(moved, letter, self.start, step) + lifted(direct, step)

    def along(self, top: sp.Expr, bottom: sp.Expr, gradient: sp.Expr) -> sp.Expr:
        """A gradient of the state at a step taken back to an earlier one."""
        slope = Slope(top, bottom, TOTAL)
        if is_entrywise(self.system, self.state, self.state):
            return slope * gradient
        return N.Dot(N.transposed(slope), gradient)

    def unrolled(self, step: sp.Expr) -> sp.Expr | None:
        """The state at a step by what enters the steps up to it; nothing where it is not linear."""
        state, before = Ref(self.state, 0), Ref(self.state, -1)
        known: dict[sp.Expr, sp.Expr] = {}
        for line in Instance(self.system, 0).lines(0, 0):
            known[line.name] = line.expr.xreplace(known)
        terms = sp.Add.make_args(sp.expand(known[state]))
        enters = sp.Add(*(term for term in terms if not term.has(before)))
        tops = At(state, ZERO), At(state, sp.Integer(-1))
        if not self.prove(state, Instance(self.system, 0)(self.onward(*tops, before)) + enters):
            return None
        letter = sp.Dummy("i")
        top, each, first = (At(state, s) for s in (step, letter, self.start - 1))
        inputs = Over(self.onward(top, each, lifted(enters, letter)), letter, self.start, step)
        return inputs + self.onward(top, first, first)

    def onward(self, top: sp.Expr, bottom: sp.Expr, v: sp.Expr) -> sp.Expr:
        """A change of the state at a step taken on to a later one."""
        slope = Slope(top, bottom, TOTAL)
        return slope * v if is_entrywise(self.system, self.state, self.state) else N.Dot(slope, v)

    def after(self, state: Ref) -> list[Equation]:
        """The lines of a step, the state given."""
        return [e for e in Instance(self.system, 0).lines(0, 0) if e.name != state]

    def back(self, what: Ref, by: Ref) -> sp.Expr:
        """What `ARRIVING`, a gradient of a quantity, becomes at a parameter within its own step."""
        shapes = {**self.system.shapes, ARRIVING.base: self.system.shapes[what.base]}
        return through(Instance(self.system, 0).lines(0, 0), shapes, [(what, ARRIVING)], by)

    def _pulled(self, v: sp.Expr, what: sp.Expr, by: sp.Expr, follows: sp.Expr) -> list[Term]:
        ref, step = what.args
        assert isinstance(ref, Ref) and isinstance(by, Ref)
        if follows == IMMEDIATE:
            return self(lifted(self.back(ref, by), step).xreplace({ARRIVING: v}))
        if ref.base != self.state:
            return self(self.pulled_beside(v, ref, step, by))
        letter = sp.Dummy("k")
        earlier = At(ref, letter)
        return self(
            Over(Pulled(self.along(what, earlier, v), earlier, by, IMMEDIATE), letter, self.start, step)
        )

    def pulled_beside(self, v: sp.Expr, ref: Ref, step: sp.Expr, by: Ref) -> sp.Expr:
        """A gradient of what is no state taken back to a parameter: within the step, and by the state."""
        state = Ref(self.state, 0)
        shapes = {**self.system.shapes, ARRIVING.base: self.system.shapes[ref.base]}
        direct = lifted(through(self.after(state), shapes, [(ref, ARRIVING)], by), step).xreplace(
            {ARRIVING: v}
        )
        if self.back(state, by) == 0:
            return direct
        self.check_after(ref.base)
        top, bottom = At(ref, step), At(state, step)
        slope = Slope(top, bottom, TOTAL)
        flat = is_entrywise(self.system, ref.base, self.state, 0)
        back = slope * v if flat else N.Dot(N.transposed(slope), v)
        return direct + Pulled(back, bottom, by, TOTAL)

    def loss_by_step(self, loss: LossOf, ref: sp.Expr, q: sp.Expr) -> sp.Expr:
        """The derivative of a loss by a quantity at a step."""
        assert isinstance(ref, Ref)
        if is_local(self.system, ref.base):
            if loss.args and parted(loss.args[0])[0] != parted(q)[0]:
                raise NotationError("the loss of another step")
            return Slope(LossOf(q), At(ref, q), TOTAL)
        if not loss.args:
            letter = sp.Dummy("t")
            return Over(self.loss_by_step(LossOf(letter), ref, q), letter, q, END)
        (p,) = loss.args
        if p == q and ref.base == self.state:
            return Slope(LossOf(q), At(ref, q), TOTAL)
        if ref.base != self.state:
            self.check_before(ref.base, True)
        top = At(Ref(self.state, 0), p)
        found = self.along(top, At(Ref(self.state, 0), q), Slope(loss, top, TOTAL))
        if ref.base != self.state:
            slope = Slope(At(Ref(self.state, 0), q), At(ref, q), TOTAL)
            flat = is_entrywise(self.system, self.state, ref.base)
            found = slope * found if flat else N.Dot(N.transposed(slope), found)
        return found
