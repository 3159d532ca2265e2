r"""Derivatives by a parameter that go on from step to step, entry by entry: real-time recurrent learning.

``\partial h_k(t)/\partial W_{ij} = f'(a_k(t)) [\sum_l W_{kl} \partial h_l(t-1)/\partial W_{ij} + \delta_{ik}
h_j(t-1)]`` has three indices.  Both sides are multiplied by an unknown vector with the index k and summed;
what stands with the derivatives of a step before is then a gradient of that step's quantity, and the rest a
gradient of the parameter.  ``p^k_{ij}(t)`` is such a derivative where a line says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.chains import whole_range
from lstmsym.binding.entries import Factor, Impossible, Same, contracted, times, whole
from lstmsym.binding.express import Express, with_fractions
from lstmsym.binding.quantity import untimed
from lstmsym.binding.running import GIVEN, running
from lstmsym.binding.scope import Backward
from lstmsym.binding.several import Finding, Several
from lstmsym.binding.table import LOSSES, Line
from lstmsym.binding.units import unmatched
from lstmsym.binding.values import Misfit, Unreadable, Value
from lstmsym.documents.formula import (
    Big,
    Brackets,
    Delta,
    Derivative,
    Formula,
    Fraction,
    Name,
    Product,
    Sum,
    rebuilt,
    walk,
)
from lstmsym.notation import Ref
from lstmsym.shapes import Unifier
from lstmsym.verify.across import END, TOTAL, At, Over, Pulled, lifted
from lstmsym.verify.instances import Instance
from lstmsym.verify.judge import PLAIN
from lstmsym.verify.pullback import gradient_of
from lstmsym.verify.sensitive import Forward, Owed, Side

PLACE = "derivative "
"""The beginning of a name that holds the place of a derivative."""


@dataclass
class Places(Backward):
    """The scope of a side in which names hold the place of derivatives."""

    of: Mapping[str, Ref] = field(default_factory=dict)

    def quantity(self, name: Name) -> Value:
        """A quantity; a derivative as a vector of which nothing is known."""
        if name.base in self.of:
            ref = self.of[name.base]
            return Value(Ref(name.base, ref.lag), self.system.shapes[ref.base])
        return super().quantity(name)


@dataclass(frozen=True)
class Sensitivity:
    """The derivative of a unit's quantity by an entry of a parameter."""

    of: Name
    by: Name


class Sensitivities:
    """Judges the lines of a document that carry derivatives forward."""

    def __init__(self, several: Several) -> None:
        """Take over what is known of the document."""
        self.several, self.choices, self.judge = several, several.choices, several.judge
        self.system, self.table, self.lines = several.system, several.table, several.lines
        self.named: dict[str, tuple[Name, Sensitivity]] = {}
        self.defining: set[int] = set()
        for place, (left, right, _) in enumerate(self.lines):
            found = self.derivative(right)
            if found is None or not isinstance(left, Name) or place in self.choices.bound.kinds:
                continue
            if left.units and set(left.units) == {*found.of.units, *found.by.units}:
                self.named.setdefault(_key(left), (left, found))
                self.defining.add(place)

    def derivative(self, node: Formula) -> Sensitivity | None:
        """The derivative of a unit's quantity by an entry of a parameter, if a formula is one."""
        if isinstance(node, Name) and _key(node) in self.named and node.units:
            name, found = self.named[_key(node)]
            return _renamed(found, name, node)
        if not isinstance(node, Derivative) or node.order != 1 or "+" in node.letter:
            return None
        of, by = node.of, node.by
        if not isinstance(of, Name) or not isinstance(by, Name) or len(of.units) != 1 or not by.units:
            return None
        known = self.table.idents
        role = self.table.roles.get(known.get(self.table.key(by).key, ""))
        if role != "parameter" or of.base in LOSSES or self.table.key(of).key not in known:
            return None
        return Sensitivity(of, by)

    def wanted(self, line: Line) -> bool:
        """Whether a line goes on from derivatives of the step before, or of its own, to others."""
        left, right, _ = line
        known = self.derivative(left) or self.of_loss(left) or self.of_whole(left)
        return known is not None and any(self.derivative(n) is not None for n in walk(right))

    def of_loss(self, node: Formula) -> tuple[Name, int] | None:
        r"""The entry of a parameter that one step's loss is derived by, and the step; of ``\Delta w`` too."""
        if isinstance(node, Delta) and isinstance(node.of, Name):
            by, at = node.of, self.table.key(node.of).lag
        elif isinstance(node, Derivative) and isinstance(node.by, Name) and isinstance(node.of, Name):
            by, place = node.by, self.table.key(node.of)
            at = place.lag
            if node.of.base not in LOSSES or place.key in self.choices.bound.to_go or at is None:
                return None
        else:
            return None
        role = self.table.roles.get(self.table.idents.get(self.table.key(replace(by, time=None)).key, ""))
        if role != "parameter" or not by.units or isinstance(at, str):
            return None
        return replace(by, time=None), at or 0

    def of_whole(self, node: Formula) -> Name | None:
        """The entry of a parameter that the whole loss is derived by."""
        if not isinstance(node, Derivative) or not isinstance(node.by, Name) or not isinstance(node.of, Name):
            return None
        role = self.table.roles.get(self.table.idents.get(self.table.key(node.by).key, ""))
        timeless = node.of.time is None and node.by.time is None
        return (
            node.by if role == "parameter" and node.by.units and timeless and self._is_loss(node.of) else None
        )

    def _is_loss(self, name: Name) -> bool:
        return name.base in LOSSES and self.table.key(name).key not in self.table.idents

    # -- one line --------------------------------------------------------------------------------------

    def __call__(self, line: Line) -> Finding:
        """The verdict on a line.

        Raises:
            Unreadable: it is not understood.
        """
        left, right, _ = line
        slip = unmatched(left, right)
        if slip:
            raise Misfit(slip)
        scope = Places(self.choices.bound, self.system, Unifier(), self.choices.meaning, self.choices.flat)
        whole_, step = self.derivative(left), self.of_loss(left)
        by = self.of_whole(left)
        if by is not None:
            return self.whole_loss(right, by, scope)
        if whole_ is None:
            assert step is not None
            return self.step_loss(right, step[0], step[1], scope)
        top, parameter = scope.quantity(whole_.of).expr, scope.quantity(whole_.by).expr
        if (
            not isinstance(top, Ref)
            or not isinstance(parameter, Ref)
            or len(self.system.shapes[top.base]) != 1
        ):
            raise Unreadable("the derivative of an expression is not read")
        probe = self.system.probe(self.system.shapes[top.base])
        owed = tuple(self.owed(right, whole_, scope, probe))
        direct = self.direct(right, whole_, scope, probe, self.system.shapes[parameter.base])
        return self.found(Side((Owed(probe, top),)), Side(owed, direct), parameter)

    def whole_loss(self, right: Formula, by: Name, scope: Places) -> Finding:
        """The verdict on the derivative of the loss of the whole sequence, a sum over its steps."""
        inner = self.summed(right)
        if inner is None or self.table.average != 1:
            raise Unreadable("where a derivative by a parameter stands is not read")
        found = self.step_loss(inner, by, 0, scope)
        if found.verdict == "proved":  # each term is the gradient of its step's loss
            return found
        parameter = scope.quantity(by).expr
        assert isinstance(parameter, Ref)
        owed = Side(tuple(self.owed(inner, Sensitivity(by, by), scope, None)))
        main, induction = sp.Symbol(min(self.table.letters)), self.several.induction
        terms = Over(self.written(owed, parameter, main), main, sp.Integer(induction.start), END)
        gradient = Ref(self.system.derivation.names.adjoint(parameter.base))
        difference = induction.difference(gradient, terms, [], False)
        if difference is not None:
            return Finding("refuted", difference.message, difference=difference)
        return Finding("undecided", "the numbers agree, but no proof was found")

    def summed(self, node: Formula) -> Formula | None:
        """What is summed over all steps in each term of a formula; None for other formulas."""
        if isinstance(node, Big) and node.operator == "∑" and node.variable in self.table.letters:
            return node.body if whole_range(node) else None
        parts: list[Formula | None]
        if isinstance(node, Sum):
            parts = [self.summed(term) for term in node.terms]
            return None if None in parts else replace(node, terms=tuple(p for p in parts if p is not None))
        if isinstance(node, Big):
            inner = self.summed(node.body)
            return None if inner is None else replace(node, body=inner)
        if isinstance(node, Product):
            parts = [self.summed(f) for f in node.factors]
            found = [n for n, part in enumerate(parts) if part is not None]
            if len(found) == 1:
                pairs = zip(node.factors, parts, strict=True)
                return replace(node, factors=tuple(f if p is None else p for f, p in pairs))
        return None

    def step_loss(self, right: Formula, by: Name, lag: int, scope: Places) -> Finding:
        """The verdict on the derivative of the loss of one step."""
        parameter = scope.quantity(by).expr
        if not isinstance(parameter, Ref) or self.part(right, False) is not None:
            raise Unreadable("what stands beside the derivatives is not read")
        if any(isinstance(n, Big) and n.variable in self.table.letters for n in walk(right)):
            raise Unreadable("a sum over steps of derivatives by a parameter is not read")
        left = tuple(Owed(gradient, of) for of, gradient in Instance(self.system, 0).seeds(lag))
        return self.found(
            Side(left), Side(tuple(self.owed(right, Sensitivity(by, by), scope, None))), parameter
        )

    def owed(self, right: Formula, left: Sensitivity, scope: Places, probe: Ref | None) -> Iterator[Owed]:
        """What a side has of derivatives, each with the gradient that the unknown vector becomes, or 1."""
        part = self.part(right, True)
        if part is None:
            return
        places: dict[str, Ref] = {}

        def change(node: Formula) -> Formula:
            found = self.derivative(node)
            if found is None:
                return rebuilt(node, change)
            if found.by != left.by:
                raise Unreadable("a derivative by another entry than the left side's is not read")
            of = scope.quantity(found.of).expr
            if not isinstance(of, Ref):
                raise Unreadable("the derivative of an expression is not read")
            name = f"{PLACE}{of}"
            places[name] = of
            return Name(name, units=found.of.units)

        formula = change(part)
        scope.of = places
        value = Express(scope, scope.unifier, self.table.rows)(formula)
        shapes = {**self.system.shapes, **{n: self.system.shapes[of.base] for n, of in places.items()}}
        if value.shape != (self.system.shapes[probe.base] if probe is not None else ()):
            raise Misfit("the derivatives are not of the left side's size")
        whole_ = value.expr if probe is None else N.Sum(probe * value.expr)
        for name, of in places.items():
            ref = Ref(name, of.lag)
            gradient = gradient_of(whole_, ref, shapes)
            if any(r.base in places for r in gradient.atoms(Ref)):
                raise Unreadable("a product of two derivatives is not read")
            yield Owed(gradient, of)

    def direct(
        self, right: Formula, left: Sensitivity, scope: Places, probe: Ref, shape: tuple[sp.Expr, ...]
    ) -> sp.Expr:
        """What stands beside the derivatives, times the unknown vector."""
        part = self.part(right, False)
        if part is None:
            return sp.Integer(0)
        express = Express(scope, scope.unifier, self.table.rows)
        (unit,) = left.of.units
        vector = Factor(probe, self.system.shapes[probe.base], (unit,))
        try:
            terms = times(express.reader()(with_fractions(part)), ((vector,),))
            same = Same(express.same)
            for term in terms:
                same.checked(term)
            own = unit in left.by.units  # of the unit's own weights: the other rows are zero
            found = whole(terms if own else tuple(contracted(term, unit) for term in terms), same)
        except Impossible as error:
            raise Unreadable(str(error)) from None
        if set(found.labels) != set(left.by.units):
            raise Unreadable("the indices of the parameter do not stand beside the derivatives")
        turned = found.labels != left.by.units
        if (found.shape[::-1] if turned else found.shape) != shape:
            raise Misfit("what stands beside the derivatives is not of the parameter's size")
        return N.transposed(found.expr) if turned else found.expr

    def part(self, node: Formula, derivatives: bool) -> Formula | None:
        """The terms of a formula that have derivatives, or those that have none; None for no terms."""
        if not any(self.derivative(n) is not None for n in walk(node)):
            return None if derivatives else node
        if self.derivative(node) is not None:
            return node if derivatives else None
        if isinstance(node, Sum):
            kept = [
                (sign, part)
                for sign, term in zip(node.signs, node.terms, strict=True)
                if (part := self.part(term, derivatives)) is not None
            ]
            return Sum(tuple(s for s, _ in kept), tuple(t for _, t in kept)) if kept else None
        if isinstance(node, Product):
            return self._of_product(node, derivatives)
        inner: Formula | None
        if isinstance(node, Brackets) and len(node.items) == 1:
            inner = self.part(node.items[0], derivatives)
            return None if inner is None else replace(node, items=(inner,))
        if isinstance(node, Big):
            inner = self.part(node.body, derivatives)
            return None if inner is None else replace(node, body=inner)
        if isinstance(node, Fraction) and self.part(node.below, True) is None:
            inner = self.part(node.above, derivatives)
            return None if inner is None else replace(node, above=inner)
        raise Unreadable("where a derivative by a parameter stands is not read")

    def _of_product(self, node: Product, derivatives: bool) -> Formula | None:
        found = [n for n, f in enumerate(node.factors) if self.part(f, True) is not None]
        if len(found) != 1:
            raise Unreadable("a product of two derivatives is not read")
        inner = self.part(node.factors[found[0]], derivatives)
        if inner is None:
            return None
        factors = (*node.factors[: found[0]], inner, *node.factors[found[0] + 1 :])
        return replace(node, factors=factors)

    # -- verdicts --------------------------------------------------------------------------------------

    def found(self, left: Side, right: Side, parameter: Ref) -> Finding:
        """Whether two sides are equal, for all steps: numbers against it, or a proof."""
        main = sp.Symbol(min(self.table.letters))
        sides = [self.written(side, parameter, main) for side in (left, right)]
        forward = Forward(self.system, parameter, self.judge.prover(PLAIN))
        held = forward.held(left, right)
        difference = self.several.induction.difference(sides[0], sides[1], [], False)
        if difference is None:
            proved = held == () or self.several.induction.proved(sides[0], sides[1], [], False)
            if not proved:
                return Finding("undecided", "the numbers agree, but no proof was found")
            given = " and ".join(running(self.table))
            assumption = GIVEN.format(given) if given else ""
            return Finding("conditional" if given else "proved", "by induction over the steps", assumption)
        if held and right.owed:
            fixed = " and ".join(str(self.judge.show(ref)) for ref in held)
            return Finding("conditional", assumption=f"the derivative is cut at {fixed}, which is held fixed")
        return Finding("refuted", difference.message, difference=difference)

    def written(self, side: Side, parameter: Ref, main: sp.Symbol) -> sp.Expr:
        """A side as an equation across steps has it."""
        owed = [
            Pulled(lifted(o.gradient, main), At(Ref(o.of.base, 0), main + (o.of.lag or 0)), parameter, TOTAL)
            for o in side.owed
        ]
        return sp.Add(lifted(side.direct, main), *owed)


def _key(name: Name) -> str:
    """A name without its step and units."""
    return untimed(replace(name, units=()))[0].key


def _renamed(found: Sensitivity, defined: Name, used: Name) -> Sensitivity | None:
    """What a name stands for with other units, at another step."""
    if len(used.units) != len(defined.units) or (used.time is None) != (defined.time is None):
        return None
    units = dict(zip(defined.units, used.units, strict=True))
    of = replace(found.of, units=tuple(units[u] for u in found.of.units), time=used.time)
    return Sensitivity(of, replace(found.by, units=tuple(units[u] for u in found.by.units)))
