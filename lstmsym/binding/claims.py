"""Lines as claims: both sides as expressions, what is added with +=, what a sum leaves out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.choices import Choices
from lstmsym.binding.express import Express
from lstmsym.binding.scope import Backward, SumRange
from lstmsym.binding.slots import Meaning, Slot
from lstmsym.binding.table import Line
from lstmsym.binding.units import carries_on, unmatched
from lstmsym.binding.values import Misfit, Unreadable, Value
from lstmsym.documents.formula import Big, Formula, Number, Sum, walk
from lstmsym.notation import NotationError, Ref
from lstmsym.shapes import Shape, ShapeError, Unifier
from lstmsym.verify.claims import Claim

SENT = "on the right side it is what the step after has sent back"
"""Taken for granted of an equation whose right side adds to its left side."""
Means = Callable[[Slot, bool], Meaning | None]
"""What a slot stands for; with True where it stands on the left at an earlier step."""


@dataclass(frozen=True)
class Expressed:
    """The value of a formula, the sums over steps in it, and the liberties that were taken."""

    value: Value
    sums: tuple[SumRange, ...] = ()
    noted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stated:
    """A line as a claim; ``lacks``: what its sum leaves out (last, first, early), or adds ahead."""

    claim: Claim
    lacks: str = ""
    noted: tuple[str, ...] = ()


def added(left: Formula, right: Formula) -> tuple[bool, Formula]:
    """Whether a right side adds to the left one, and what it adds: dW = dW + ..."""
    if isinstance(right, Sum) and right.terms[0] == left and right.signs[0] == "+" and right.terms[1:]:
        signs, terms = right.signs[1:], right.terms[1:]
        return True, Sum(signs, terms) if len(terms) > 1 or signs[0] == "-" else terms[0]
    return False, right


class Claims:
    """Makes claims of lines under the present choices."""

    def __init__(self, choices: Choices) -> None:
        """Take over the choices; they may change."""
        self.choices = choices
        self.system, self.table, self.lines = choices.system, choices.table, choices.lines
        self.shared: dict[object, bool] = {}
        self.slips: dict[tuple[int, int], tuple[Formula, Formula, str]] = {}

    def scope(self, meaning: Means | None = None) -> Backward:
        """A scope under the present choices, or with other meanings of gradients' names."""
        choices = self.choices
        shapes = getattr(meaning, "shapes", {})
        means = meaning or choices.meaning
        return Backward(choices.bound, self.system, Unifier(), means, choices.flat, placeholders=shapes)

    def express(
        self,
        formula: Formula,
        left: bool = False,
        wanted: int | None = None,
        of_output: bool = False,
        meaning: Means | None = None,
        shape: Shape | None = None,
    ) -> Expressed:
        """A formula as a value; ``shape`` is what it is compared with, which settles sizes without a name.

        Raises:
            Unreadable: it is not understood.
        """
        scope = self.scope(meaning)
        scope.on_left = left
        express = Express(scope, scope.unifier, self.table.rows, of_output)
        express.wanted = wanted
        value = express(formula)
        if shape is not None and value.rank == len(shape) and value.expr.has(sp.Dummy):
            scope.unifier.same(value.shape, shape, "")
            self.table.sizes.update({k: scope.unifier.resolve((s,))[0] for k, s in self.table.sizes.items()})
        sizes = {d: scope.unifier.resolve((d,))[0] for d in value.expr.atoms(sp.Dummy)}
        if any(size.atoms(sp.Dummy) for size in sizes.values()):
            raise Unreadable("a size in it is not known")
        expr = value.expr.xreplace(sizes)
        resolved = replace(value, expr=expr, shape=scope.unifier.resolve(value.shape))
        return Expressed(resolved, tuple(scope.sums), tuple(express.noted))

    def claim(self, place: int, of_output: bool = False) -> Stated:
        """A line as a claim.

        Raises:
            Unreadable: it is not understood.
        """
        return self.claim_of(self.lines[place], of_output)

    def claim_of(self, line: Line, of_output: bool = False) -> Stated:
        """Both sides of a line as a claim.

        Raises:
            Unreadable: it is not understood.
        """
        return self.stated(line, *self.sides(line, of_output))

    def sides(
        self, line: Line, of_output: bool = False, meaning: Means | None = None
    ) -> tuple[Expressed, Expressed]:
        """Both sides of a line; of a line that adds to its left side, what is added."""
        left, right, _ = line
        self._check(left, right)
        _, right = added(left, right)
        a = self.express(left, left=True, meaning=meaning)
        return a, self.express(right, False, a.value.rank, of_output, meaning, a.value.shape)

    def stated(self, line: Line, a: Expressed, found: Expressed) -> Stated:
        """A line whose sides have values, as a claim."""
        left, right, row = line
        adds, _ = added(left, right)
        relation = "+=" if adds else row.relation
        expr, target, share = found.value.expr, a.value.expr, False
        sent: tuple[str, ...] = ()
        if isinstance(target, Ref):
            timeless = target.lag is None and target.base in self.system.backward
            if timeless and not expr.has(N.Total) and any(r.lag is not None for r in expr.atoms(Ref)):
                share = relation == "+=" or self.shares
            elif relation == "+=" and target.lag is not None:
                whole, expr = self._added(target, expr)
                sent = (SENT,) if adds and row.relation == "=" and whole == target else ()
                target = whole
        claim = Claim(target, expr, label=row.tag, line=row.line, share=share, symbol=str(target))
        claim = replace(claim, shown=row.source)
        return Stated(claim, self._lacks(found.sums), tuple(dict.fromkeys((*a.noted, *found.noted, *sent))))

    def _check(self, left: Formula, right: Formula) -> None:
        """Refuse a line on one side of which alone an index of entries stands."""
        key = (id(left), id(right))
        if key not in self.slips:  # with the two sides kept, an id is theirs for good
            self.slips[key] = (left, right, unmatched(left, added(left, right)[1]))
        if self.slips[key][2]:
            raise Misfit(self.slips[key][2])
        if carries_on(left, right):
            raise Unreadable("derivatives by a parameter that go on from step to step are not read")

    def _added(self, target: Ref, expr: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """What ``+=`` adds to: what the steps after have sent back, or nothing where it is they who add."""
        names = self.system.derivation.names
        of = next(
            (q.name for q in self.system.cell.role("state") if names.adjoint(q.name) == target.base), None
        )
        if of is None:
            return target, expr
        if target.lag == -1:
            return Ref(names.back(of), 0), expr
        back = Ref(names.back(of), (target.lag or 0) + 1)
        given = Ref(names.given(of), target.lag) if of in self.choices.bound.cell.outputs else sp.Integer(0)  # type: ignore[union-attr]
        return target, expr + back + given

    @property
    def shares(self) -> bool:
        """Whether parameters' gradients are those of one step here: no line sums over the steps."""
        meant = tuple(sorted(self.choices.choice.items()))
        if meant not in self.shared:
            self.shared[meant] = not any(map(self._sums_up, self.choices.claims()))
        return self.shared[meant]

    def _sums_up(self, place: int) -> bool:
        """Whether a line has the gradient of a parameter as a sum over the steps."""
        left, right, _ = self.lines[place]
        if not any(isinstance(n, Big) for n in walk(right)):
            return False
        try:
            value = self.express(left, left=True).value.expr
            sums = self.express(right, wanted=2).sums
        except (Unreadable, NotationError, ShapeError):
            return False
        return bool(sums) and isinstance(value, Ref) and value.lag is None

    def _lacks(self, sums: tuple[SumRange, ...]) -> str:
        """What sums over the steps leave out or add: nothing, the first step, early ones, the last."""
        for item in sums:
            if _open_behind(item) or (item.high is not None and item.high < 0):
                return "last"
            if item.shift > 0 and item.written.low is None:
                return "ahead" if item.shift == 1 else "early"
            if item.low is not None and item.low > self.start:
                if not item.states or item.low > self.start + 1:
                    return "early"
                return "first after" if (item.written.high or 0) > 0 else "first"
            if item.low is not None and item.low < self.start:
                return "before"
            if item.written.steps is not None:
                return "steps"
            if (item.written.high or 0) > 0:
                return "after"
        return ""

    @cached_property
    def start(self) -> int:
        """The number of the first step: the smallest at which a sum starts, 1 where others start at 1.

        A sum of terms with earlier states may leave the first step out.
        """
        sums = [s for place in self.choices.claims() for s in self._sums(place)]
        ones = any(s.written.low == 1 and not (s.states and s.low == 1) for s in sums)
        ones = ones or any(
            _starts_at_one(self.lines[n][1]) for n, k in self.choices.bound.kinds.items() if k == "loss"
        )
        lows = [s.low for s in sums if s.low is not None and not (ones and s.written.low == 0)]
        return min([1, *lows])

    def _sums(self, place: int) -> tuple[SumRange, ...]:
        """The sums over steps on the right side of a line."""
        try:
            return self.express(self.lines[place][1]).sums
        except (Unreadable, NotationError, ShapeError):
            return ()


def _open_behind(item: SumRange) -> bool:
    """Whether a sum that goes to the last step has terms of earlier steps alone."""
    return item.shift < 0 and item.written.high is None and item.written.steps is None


def _starts_at_one(formula: Formula) -> bool:
    """Whether a sum starts at 1."""
    return any(isinstance(n, Big) and n.operator == "∑" and n.low == Number("1") for n in walk(formula))
