"""What names mean in the equations after the forward pass: quantities, gradients, sums over steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.chains import chain_rule
from lstmsym.binding.express import Express, is_transposition
from lstmsym.binding.guesses import guess_by
from lstmsym.binding.limits import Limits, limits, of_all
from lstmsym.binding.numbering import held_against
from lstmsym.binding.onestep import of_copy, of_step
from lstmsym.binding.quantity import COUNTS, FIRST, LAST, Place, is_count, untimed
from lstmsym.binding.remaining import first_step
from lstmsym.binding.shares import Share, depends, share
from lstmsym.binding.slots import Meaning, Slot, slot_of
from lstmsym.binding.stacks import Portion
from lstmsym.binding.standing import gradient_through, valued
from lstmsym.binding.table import LOSSES, Bound, function_of
from lstmsym.binding.templates import substituted
from lstmsym.binding.values import Unreadable, Value
from lstmsym.documents.formula import (
    Big,
    Brackets,
    Delta,
    Derivative,
    Formula,
    Name,
    Number,
    Raised,
    Relation,
    Script,
    Sum,
    Time,
    names,
    plain,
)
from lstmsym.notation import Ref
from lstmsym.shapes import Shape, Unifier
from lstmsym.verify.elaborate import written_out
from lstmsym.verify.system import System
from lstmsym.verify.words import ChainSum, Diag, Label, Local, LossFrom, Through, later


class Unbound(Unreadable):
    """A gradient's name of which nothing is known."""

    def __init__(self, slot: Slot) -> None:
        """Keep the slot."""
        super().__init__(f"what {slot.target or slot.family} is the gradient of is not known")
        self.slot = slot


def is_unit(script: Script) -> bool:
    """Whether an index numbers the units of a layer."""
    return script.where == "sub" and script.text in ("i", "j", "k", "l", "n", "m") and not script.wrap


@dataclass(frozen=True)
class SumRange:
    """First and last term of a sum over steps, counted by the step of the gradients in it."""

    low: int | None
    high: int | None
    """Relative to the last step; None for all."""
    states: bool
    """Whether it is zero where the states of the step before are."""
    written: Limits
    """The limits as they stand."""
    shift: int = 0
    """By how much every step in its terms is later than the letter that it runs over."""


@dataclass
class Backward:
    """The scope of claims; ``meaning`` says what a slot stands for, ``flat`` whether gradients lie."""

    bound: Bound
    system: System
    unifier: Unifier
    meaning: Callable[[Slot, bool], Meaning | None]
    flat: bool = False
    on_left: bool = False
    placeholders: Mapping[str, Shape] = field(default_factory=dict)
    """The shapes of names that hold the place of gradients."""
    letters: frozenset[str] = frozenset()
    sums: list[SumRange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def quantity(self, name: Name) -> Value:
        """A quantity of the cell, a short name for an expression, or a gradient with a name of its own."""
        table = self.bound.table
        at = self.placed(name)
        if at.key in table.standing:
            return self._standing(at)
        if at.key in table.macros and at.key not in table.roles:
            return self._macro(at)
        if at.key in table.counts and at.key not in table.idents:
            return Value(self.size(name))
        ident = table.idents.get(at.key)
        if ident in table.roles and ident is not None and table.roles[ident] not in ("", None):
            return self._known(ident, at)
        if name.primes:
            whole = self.quantity(replace(name, primes=0))
            if whole.rank == 2:
                return Value(N.transposed(whole.expr), whole.shape[::-1])
            return replace(whole, row=not whole.row)
        found = slot_of(name, table)
        if name.base == "I" and name.time is None:
            size = self.unifier.fresh()
            return Value(Diag(sp.Integer(1)), (size, size))
        if found is not None:
            return self._slot(found[0], self.placed_slot(found[1], name), name)
        if is_count(name):
            return Value(N.Size(COUNTS[name.base]))
        raise Unreadable(f"{at.key} is not known")

    def placed(self, name: Name) -> Place:
        """Where a name is taken, with the step letter of the sum around it."""
        table = self.bound.table
        if self.letters:
            table = replace(table, letters=self.letters)
        at = table.key(name)
        if at.letter and at.letter not in table.letters and at.letter not in ("T", "τ"):
            raise Unreadable(f"{at.key} at {at.letter}, beside steps called otherwise, is not read")
        if at.key not in table.idents and at.key not in table.macros and not name.units:
            bare = replace(name, scripts=tuple(s for s in name.scripts if not is_unit(s)))
            if bare != name and table.key(bare).key in table.idents:
                return table.key(bare)  # the k-th entry of a vector stands for the vector
        return at

    def placed_slot(self, at: Place, name: Name) -> Place:
        """The step of a slot's name."""
        return replace(self.placed(name), key=at.key)

    def _standing(self, at: Place) -> Value:
        expr = self.bound.table.standing[at.key]
        if any(ref.base not in self.system.shapes for ref in expr.atoms(Ref)):
            raise Unreadable(f"{at.key} is no part of the cell")
        value = valued(expr, self._shape, self.bound.table.rows)
        return replace(value, expr=later(value.expr, _lag(at) or 0))

    def _macro(self, at: Place) -> Value:
        formula = self.bound.table.macros[at.key]
        value = Express(self, self.unifier, self.bound.table.rows)(formula)
        return replace(value, expr=later(value.expr, _lag(at) or 0))

    def _known(self, ident: str, at: Place) -> Value:
        table = self.bound.table
        quantity = self.system.cell.by_name.get(ident)
        constant = table.roles[ident] in ("parameter", "hyper") or getattr(quantity, "constant", False)
        lag = None if constant else _lag(at) or 0
        shape = self.system.shapes.get(ident, table.shapes.get(ident, ()))
        if ident not in self.system.shapes:
            raise Unreadable(f"{at.key} is no part of the cell")
        if lag is not None and (ident, lag) in table.earlier:
            ident, lag = table.earlier[ident, lag], -1
        return Value(Ref(ident, lag), shape, table.lies(at.key, shape))

    def gradient(self, node: Delta | Derivative) -> Value:
        """What a gradient's name stands for."""
        if isinstance(node, Delta):
            found = slot_of(node, self.bound.table)
            if found is None:
                raise Unreadable("the gradient of an expression is not read")
            inner = node.of if isinstance(node.of, Name) else None
            at = self.placed(inner) if inner is not None else found[1]
            return self._slot(found[0], replace(at, key=found[1].key), inner)
        return self._derivative(node)

    def _slot(self, slot: Slot, at: Place, name: Name | None) -> Value:
        meaning = self.meaning(slot, self.on_left and at.lag == -1)
        if meaning is None:
            raise Unbound(slot)
        expr = later(meaning.expr, _lag(at) or 0)
        bare = meaning.expr.args[1] if isinstance(meaning.expr, Label) else meaning.expr
        return replace(valued(bare, self._shape, self.bound.table.rows != self.flat), expr=expr)

    def _shape(self, ref: Ref) -> Shape:
        known = self.placeholders if ref.base in self.placeholders else self.system.shapes
        if ref.base not in known:
            raise Unreadable(f"{self.bound.table.spelled.get(ref.base, ref.base)} is no part of the cell")
        return known[ref.base]

    def _derivative(self, node: Derivative) -> Value:
        if isinstance(node.by, Raised) and is_transposition(node.by):
            return self._transposed(self._derivative(replace(node, by=node.by.body)))
        if node.order != 1 or not isinstance(node.by, Name) or node.of is None:
            raise Unreadable("a derivative of an expression is not read")
        by = self.quantity(node.by)
        if not isinstance(node.of, Name):
            if not isinstance(by.expr, Ref):
                raise Unreadable("a derivative by an expression is not read")
            return self._of_expression(node.of, by.expr)
        at = self.placed(node.of)
        if self._is_prediction(by.expr, node.by):
            return self._by_prediction(node.of, at, by)
        if not isinstance(by.expr, Ref):
            return self._by_stack(node.of, at, by)
        if node.of.base in LOSSES and at.key not in self.bound.table.idents:
            return self._immediate(by) if "+" in node.letter else self._of_loss(node.of, at, by)
        return self._of_quantity(node.of, at, by)

    def _of_quantity(self, of: Name, at: Place, by: Value) -> Value:
        """The derivative of a quantity of the cell, or of a prediction, by a quantity."""
        assert isinstance(by.expr, Ref)
        what, table = self.quantity(of), self.bound.table
        if (jacobian := guess_by(what, by)) is not None:
            return jacobian
        if self._is_prediction(what.expr, of) and by.expr == what.expr.args[0]:
            slope = what.expr * (1 - what.expr)
            return Value(Diag(slope) if what.rank else slope, what.shape * 2)
        if at.key not in table.standing and not self._is_of_cell(what.expr):
            raise Unreadable(f"a derivative of {at.key} is not read")
        local = (Through if self._is_spread(by.expr) else Local)(what.expr, by.expr)
        written_out(local, self.system)
        shape = self.system.jacobians[local].shape
        return Value(local, shape, diagonal=what.rank == by.rank == len(shape) == 1)

    def _by_stack(self, of: Name, at: Place, by: Value) -> Value:
        """The derivative of the loss by a column: the column of those by its parts."""
        whole = of.base in LOSSES and of.time is None and at.key not in self.bound.table.idents
        lag = max((ref.lag for ref in by.expr.atoms(Ref) if ref.lag is not None), default=0)
        column = later(by.expr, -lag)
        found = gradient_through(column, self.system) if whole and isinstance(column, N.Concat) else None
        if found is None:
            raise Unreadable("a derivative by an expression is not read")
        return Value(
            later(found, lag), by.shape, self.bound.table.rows != self.flat and by.rank == 1, by.parts
        )

    def _is_of_cell(self, expr: sp.Expr) -> bool:
        return isinstance(expr, Ref) and (
            expr.base in self.system.forward or expr.base in self.system.cell.by_name
        )

    def _transposed(self, whole: Value) -> Value:
        """The derivative by what is transposed."""
        if whole.rank == 1:
            return replace(whole, row=not whole.row)
        if whole.rank != 2 or not isinstance(whole.expr, Ref):
            raise Unreadable("a derivative by what is transposed is not read")
        return Value(N.transposed(whole.expr), whole.shape[::-1])

    def _is_spread(self, by: Ref) -> bool:
        """Whether a quantity is handed on by states that are made of it alone as well, r[t] = tanh(x[t])."""
        lines = {e.name.base: e.expr for e in self.system.cell.equations}
        others = {q.name for q in self.system.cell.role("state")} - {by.base}
        own = Ref(by.base, 0)
        dependent = {s for s in others if s in lines and self._may_depend(Ref(s, 0), own)}
        return bool(dependent) and all(self._is_made_of(s, by.base, lines) for s in dependent)

    def _is_made_of(self, name: str, base: str, lines: Mapping[str, sp.Expr]) -> bool:
        """Whether the line of a name has nothing but a quantity, at its step, and parameters."""
        refs = [r for r in lines[name].atoms(Ref) if r.lag is not None]
        inner = (r.base == base or self._is_made_of(r.base, base, lines) for r in refs if r.base in lines)
        return all(r.lag == 0 and r.base in lines for r in refs) and all(inner)

    def _is_prediction(self, expr: sp.Expr, name: Name) -> bool:
        """Whether a name is that of a sigmoid that the loss alone reads, and that alone its argument."""
        if self.placed(name).key not in self.bound.table.standing or not isinstance(expr, N.sigma):
            return False
        argument = expr.args[0]
        cell = self.system.cell
        lines = [e.expr for e in cell.equations if e.name.base != cell.loss]
        return isinstance(argument, Ref) and not any(
            r.base == argument.base for line in lines for r in line.atoms(Ref)
        )

    def _by_prediction(self, of: Name, at: Place, by: Value) -> Value:
        """The derivative of the loss by a sigmoid: that by its argument, over the slope."""
        if of.base not in LOSSES or at.key in self.bound.table.idents:
            raise Unreadable("a derivative by an expression is not read")
        argument = Value(by.expr.args[0], by.shape)
        whole = self._of_loss(of, at, argument)
        return replace(whole, expr=whole.expr / (by.expr * (1 - by.expr)))

    def _of_expression(self, of: Formula, by: sp.Expr) -> Value:
        """The derivative of an expression by what it does not depend on: zero."""
        expr = Express(self, self.unifier, self.bound.table.rows)(of).expr
        gradients = any(r.base not in self.system.cell.by_name for r in expr.atoms(Ref))
        known = isinstance(by, Ref) and by.lag is not None and not gradients
        if not known or any(self._may_depend(r, by) for r in expr.atoms(Ref)):
            raise Unreadable("a derivative of an expression is not read")
        return Value(sp.Integer(0))

    def _may_depend(self, what: Ref, by: Ref) -> bool:
        """Whether a quantity is made of another: by the lines of their step, or of an earlier one."""
        if what.lag is None or by.lag is None or what.lag < by.lag:
            return False
        if what.lag > by.lag or what.base == by.base:
            return True
        lines = {e.name.base: e.expr for e in self.system.cell.equations}
        return what.base in lines and depends(what.base, Ref(by.base, 0), lines)

    def _immediate(self, by: Value) -> Value:
        r"""``\partial^+ L/\partial h_t``: by the loss's own use of an output, no later step included."""
        ref = by.expr
        if not isinstance(ref, Ref) or ref.base not in self.system.cell.outputs:
            raise Unreadable("an immediate derivative of the loss by what it does not read is not read")
        row = self.bound.table.rows != self.flat and by.rank == 1
        return Value(Ref(self.system.derivation.names.given(ref.base), ref.lag), by.shape, row)

    def _of_loss(self, of: Name, at: Place, by: Value) -> Value:
        names_ = self.system.derivation.names
        ref = by.expr
        assert isinstance(ref, Ref)
        upright = any(self.bound.table.idents.get(key) == ref.base for key in self.bound.table.upright)
        row = (self.bound.table.rows and not upright) != self.flat and by.rank == 1
        if of.time is not None and at.key in self.bound.to_go:
            label = Label(LossFrom(_lag(at) or 0), ref)
            return Value(label, by.shape, row)
        if of.time is not None:
            if ref.base in self.system.cell.outputs and _lag(at) == ref.lag:
                given = Ref(names_.given(ref.base), ref.lag)
                return Value(given / self.bound.table.average, by.shape, row)
            expr = of_step(_lag(at) or 0, ref, self.system)
            return Value(expr / self.bound.table.average, by.shape, row)
        base = names_.adjoint(ref.base)
        if base not in self.system.shapes:
            raise Unreadable(f"{ref} has no gradient")
        return Value(Ref(base, ref.lag), by.shape, row)

    def copy(self, node: Derivative, time: Time) -> Value:
        r"""``\partial L / \partial W |_{(t)}``: by the W of one step alone."""
        if not isinstance(node.by, Name) or not isinstance(node.of, Name) or node.of.base not in LOSSES:
            raise Unreadable("an expression taken at something is not read")
        by, at, step = self.quantity(node.by), self.placed(node.of), self.placed(Name("t", time=time))
        if not isinstance(by.expr, Ref) or by.expr.lag is not None:
            raise Unreadable("a derivative by the copy of what has a step of its own is not read")
        lag = None if node.of.time is None else _lag(at) or 0
        expr = of_copy(lag, by.expr, _lag(step) or 0, self.system)
        row = self.bound.table.rows != self.flat and by.rank == 1
        return Value(expr if lag is None else expr / self.bound.table.average, by.shape, row)

    def share(self, of: Name, by: Name) -> Share | None:
        """What the lines of one step make of a parameter, entry by entry."""
        known = self.bound.table.idents
        if self.placed(by).key not in known or self.placed(of).key not in known:
            return None
        what, parameter = self.quantity(of).expr, self.quantity(by).expr
        if not isinstance(what, Ref) or not isinstance(parameter, Ref) or parameter.lag is not None:
            return None
        return share(what, parameter, self.system)

    def function(self, name: Name) -> str:
        """The operation a name is."""
        return function_of(name, self.bound.table)

    def stack(self, node: Portion, body: Callable[[Formula], Value]) -> Value:
        """What a column of names stands for."""
        return body(node.whole)

    def undeclared(self, node: Formula) -> bool:
        """Whether a formula is a name that its use is to declare: none is."""
        return False

    def as_number(self, node: Formula) -> None:
        """Refuse: all names have been declared."""
        raise Unreadable("it is not known")

    def check_terms(self, terms: Sequence[Formula], values: Sequence[Value]) -> None:
        """Nothing: a gradient may have the same number taken from all of its entries."""

    def size(self, name: Name) -> sp.Expr:
        """A size by its name."""
        return self.bound.table.sizes.setdefault(name.key, self.unifier.fresh())

    def counted(self, letter: str, count: Formula, size: sp.Expr) -> None:
        """How many units there are is what the forward equations say, or taken for granted."""
        held_against(letter, count, size, self.bound.table, self.size, self.unifier)

    # -- sums ----------------------------------------------------------------------------------------

    def big(self, node: Big, body: Callable[[Formula], Value]) -> Value:
        """A sum over a set of gates is written out; one over steps is `Total`."""
        if node.operator != "∑":
            raise Unreadable("a product over an index is not read")
        rule = chain_rule(node)
        if rule is not None and not (isinstance(rule[1].by, Name) and rule[1].by.units):
            return self._chain_rule(*rule)
        items = self._set(node)
        if items:
            index, values = items
            terms = tuple(substituted(node.body, index, item) for item in values)
            return body(Sum(("+",) * len(terms), terms))
        variable = node.variable
        over = plain(node.lower) if node.lower is not None else variable
        if {variable, over} & {"batch", "n", "samples", "examples"} - set(self.bound.table.letters):
            of_all(node)
            return body(node.body)
        if node.low is not None and not isinstance(node.low, Number):
            return self._from_here(node)
        letters = {variable} if variable else set(self.bound.table.letters)
        timed = {n.time.letter.rstrip("'") for n in names(node.body) if n.time is not None and n.time.letter}
        if not (variable == "" or letters & timed or variable in self.bound.table.letters):
            raise Unreadable(f"a sum over {variable} is not read")
        outer, self.letters = self.letters, frozenset(letters)
        try:
            value = body(node.body)
        finally:
            self.letters = outer
        return self._total(value, node)

    def _chain_rule(self, loss: Name, rule: Derivative) -> Value:
        """The sum over the steps of dL/dh(t) dh(t)/dW, where h is all that the loss reads."""
        if loss.time is not None and untimed(loss)[0].key not in self.bound.to_go:
            raise Unreadable("a chain rule for the loss of one step is not read")
        if not isinstance(rule.of, Name) or not isinstance(rule.by, Name):
            raise Unreadable("a derivative of an expression is not read")
        of, by = self.quantity(rule.of), self.quantity(rule.by)
        outputs = self.system.cell.outputs
        if not (isinstance(of.expr, Ref) and outputs == (of.expr.base,)) or not isinstance(by.expr, Ref):
            raise Unreadable("a chain rule over something else than the outputs is not read")
        if by.expr.lag is not None:
            raise Unreadable("a chain rule by a quantity that has steps is not read")
        if not (_carries_on(by.expr, self.system) and _carries_on(of.expr, self.system)):
            return Value(Ref(self.system.derivation.names.adjoint(by.expr.base)), by.shape)
        return Value(ChainSum(by.expr), by.shape)

    def _from_here(self, node: Big) -> Value:
        """The derivatives of the losses from a step on: that of all that is left of the loss."""
        body, start = node.body, first_step(node, min(self.bound.table.letters))
        if (
            start is None
            or not isinstance(body, Derivative)
            or not _is_step_loss(body.of, node.variable, self.bound)
        ):
            raise Unreadable(f"a sum from {plain(node.low or node)} on is not read")
        by = self.quantity(body.by) if isinstance(body.by, Name) else Value(sp.Integer(0))
        if not isinstance(by.expr, Ref):
            raise Unreadable("a derivative by an expression is not read")
        row = self.bound.table.rows != self.flat and by.rank == 1
        return Value(Label(LossFrom(start), by.expr), by.shape, row)

    def _set(self, node: Big) -> tuple[str, tuple[Formula, ...]] | None:
        lower = node.lower
        if isinstance(lower, Relation) and "∈" in lower.signs and isinstance(lower.terms[0], Name):
            items = lower.terms[1]
            if isinstance(items, Brackets) and len(items.items) > 1:
                return lower.terms[0].key, items.items
        return None

    def _total(self, value: Value, node: Big) -> Value:
        backward = {r.base for r in self.system.derivation.given.values()} | set(self.placeholders)
        backward |= set(self.system.backward)
        refs = [r for r in value.expr.atoms(Ref) if r.lag is not None]
        lags = [r.lag for r in refs if r.base in backward] or [r.lag for r in refs]
        ahead = max((lag for lag in lags if lag is not None), default=0)
        expr = later(value.expr, -ahead)
        states = {q.name for q in self.system.cell.role("state")}
        over = limits(node)
        reads = _vanishes(expr, {r for r in expr.atoms(Ref) if r.base in states and r.lag == -1})
        first, last = (None if n is None else n + ahead for n in (over.low, over.high))
        self.sums.append(SumRange(first, last, reads, over, _shift([r.lag for r in refs], ahead)))
        return Value(N.Total(expr), value.shape, value.row)


def _carries_on(quantity: Ref, system: System) -> bool:
    """Whether a quantity moves a state, and so what later steps make of it."""
    moved, states = {quantity.base}, {q.name for q in system.cell.role("state")}
    for equation in system.cell.equations:  # in the order of computation
        if any(ref.base in moved and ref.lag in (0, None) for ref in equation.expr.atoms(Ref)):
            moved.add(equation.name.base)
    return not moved.isdisjoint(states)


def _shift(lags: list[int | None], ahead: int) -> int:
    """The steps by which the gradients of a sum's terms are ahead, where nothing in them is at its letter."""
    return ahead if all(lag is None or lag * ahead > 0 for lag in lags) else 0


def _vanishes(expr: sp.Expr, zero: set[Ref]) -> bool:
    """Whether an expression is zero where these are."""
    if isinstance(expr, (sp.Add, N.Concat)):
        return all(_vanishes(arg, zero) for arg in expr.args)
    if isinstance(expr, (sp.Mul, N.Dot, N.Outer, N.Transposed, N.Sum)):
        return any(_vanishes(arg, zero) for arg in expr.args)
    if isinstance(expr, (N.Part, N.Pad, N.Spread)):
        return _vanishes(expr.args[0], zero)
    return expr in zero


def _is_step_loss(of: Formula | None, letter: str, bound: Bound) -> bool:
    """Whether a name is the loss of one step, at the step of a letter."""
    if not isinstance(of, Name) or of.time is None or of.base not in LOSSES:
        return False
    return of.time.letter == letter and of.time.offset == 0 and untimed(of)[0].key not in bound.to_go


def _lag(at: Place) -> int | None:
    if at.lag in (FIRST, LAST):
        raise Unreadable(f"{at.key} at one step only is not read")
    return at.lag  # type: ignore[return-value]
