"""A document judged: its forward equations are its cell, every other equation a claim with a verdict.

text -> rows -> forward equations -> cell -> meanings of the gradients' names -> claims -> verdicts
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.binding.author import AuthorLatex
from lstmsym.binding.bind import FUNCTIONS, GRADIENT_WORDS, Bound, bind
from lstmsym.binding.express import Express, Misfit, Unreadable, Value, is_transposition
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Delta,
    Derivative,
    Formula,
    Name,
    Product,
    Raised,
    Sum,
    Time,
    rebuilt,
    walk,
)
from lstmsym.binding.slots import Meaning, Slot, candidates, occurrences, resolve, slot_of
from lstmsym.documents.limits import ReadingError
from lstmsym.documents.macros import definitions
from lstmsym.documents.read import Document, formula, read
from lstmsym.documents.rows import Equation, NotAClaim, Row, Unread
from lstmsym.binding.scope import Backward, SumRange, Unbound
from lstmsym.binding.stated import Said, binary, held, stated
from lstmsym.binding.templates import expanded, index_sets
from lstmsym.documents.times import is_step
from lstmsym.mistakes import NotationError
from lstmsym.notation import Ref
from lstmsym.rules import shape_of
from lstmsym.shapes import ShapeError, Unifier
from lstmsym.verify.claims import Claim
from lstmsym.verify.elaborate import sides
from lstmsym.verify.evaluate import OUT_OF_REACH, evaluate
from lstmsym.verify.judge import Judge, Status, Verdict
from lstmsym.verify.sequence import PRESENT
from lstmsym.verify.words import ChainSum, Columns, Diag, Label, Local, LossFrom, Through, later

Line = tuple[Formula, Formula, Equation]
"""Both sides, and the row that they stand in."""


@dataclass(frozen=True)
class Finding:
    """What was found of one equation or statement of a document, as it is reported."""

    line: int
    source: str
    kind: str
    verdict: str
    about: str = ""
    expected: str = ""
    witness: str = ""
    repair: str = ""
    assumption: str = ""
    message: str = ""


@dataclass(frozen=True)
class Result:
    """A document with its cell and a finding for every row; ``summary`` counts the verdicts."""

    document: str
    cell: Cell | None
    rows: tuple[Finding, ...]
    summary: dict[str, int] = field(default_factory=dict)


def verify_document(text: str, path: str = "", cell: Cell | None = None) -> Result:
    """Judge every equation of a document.

    Raises:
        DocumentError: the file cannot be used at all.
    """
    document = read(text, path)
    rows = list(document.rows)
    sets = index_sets(rows)
    lines = [
        (attached(left), attached(right), row)
        for row in rows if isinstance(row, Equation) for left, right in expanded(row, sets)
    ]  # fmt: skip
    lines = [
        (*_called(left, right, functions), row)
        for left, right, row in lines
        for functions in [_functions(lines)]
    ]
    bound = bind(document, lines, [formula_key(name, document) for name in held(text)])
    findings = _Judging(document, lines, bound, text).findings()
    summary: dict[str, int] = {}
    for finding in findings:
        summary[finding.verdict] = summary.get(finding.verdict, 0) + 1
    return Result(path, bound.cell, tuple(findings), summary)


Functions = dict[str, tuple[str, Formula]]


def _functions(lines: list[Line]) -> Functions:
    """Functions that a document defines for itself: d_tanh(y) = 1 - y^2."""
    found: Functions = {}
    for left, right, _ in lines:
        if isinstance(left, Apply) and isinstance(left.argument, Brackets) and len(left.argument.items) == 1:
            (argument,) = left.argument.items
            if (
                isinstance(argument, Name)
                and argument.time is None
                and not left.head.primes
                and left.head.base not in FUNCTIONS
            ):
                found[left.head.key] = (argument.key, right)
    return found


def _called(left: Formula, right: Formula, functions: Functions) -> tuple[Formula, Formula]:
    """An equation with the document's own functions written out, but for their definitions."""
    if not functions or (isinstance(left, Apply) and left.head.key in functions):
        return left, right

    def change(node: Formula) -> Formula:
        node = rebuilt(node, change)
        if isinstance(node, Apply) and node.head.key in functions and node.power is None:
            argument, body = functions[node.head.key]
            inner = node.argument

            def put(part: Formula) -> Formula:
                if isinstance(part, Name) and part.key == argument and part.time is None:
                    return inner
                if isinstance(part, Apply):
                    if part.head.key == argument:  # y (1 - y) is a product
                        return Product(("",), (inner, put(part.argument)))
                    return replace(part, argument=put(part.argument))
                return rebuilt(part, put)

            return Brackets("(", ")", (put(body),))
        return node

    return change(left), change(right)


def formula_key(text: str, document: Document) -> str:
    """The key of a name in the text."""
    try:
        found = formula(text, document.lexicon)
    except ReadingError:
        return ""
    return found.key if isinstance(found, Name) else ""


def attached(node: Formula) -> Formula:
    """A formula in which a step in brackets behind a gradient's name, ``top_diff_h(t)``, belongs to it."""
    node = rebuilt(node, attached)
    if isinstance(node, Raised) and isinstance(node.body, Product) and is_transposition(node):
        *first, final = node.body.factors  # A b' is A times b', as A b is in brackets otherwise
        return replace(node.body, factors=(*first, replace(node, body=final)))
    if isinstance(node, Product) and not any(node.operators):
        factors: list[Formula] = []
        for factor in node.factors:
            last = factors[-1] if factors else None
            index = _step(factor)
            if (
                index is not None
                and isinstance(last, Delta)
                and isinstance(last.of, Name)
                and last.of.time is None
            ):
                factors[-1] = replace(last, of=replace(last.of, time=Time(index, "call")), whole="")
            elif (
                index is not None
                and isinstance(last, Derivative)
                and isinstance(last.by, Name)
                and last.by.time is None
            ):
                factors[-1] = replace(last, by=replace(last.by, time=Time(index, "call")))
            else:
                factors.append(factor)
        if len(factors) == 1:
            return factors[0]
        if len(factors) < len(node.factors):
            return Product(("",) * (len(factors) - 1), tuple(factors), span=node.span)
    if isinstance(node, Product) and node.operators == ("/",):
        above, below = (_row(f) for f in node.factors)
        top, bottom = above[-1], below[0]
        if isinstance(top, Delta) and isinstance(bottom, Delta) and top.prefix == bottom.prefix:
            one = Derivative(top.of, bottom.of, top.prefix, form="slash", span=node.span)
            whole = (*above[:-1], one, *below[1:])
            return one if len(whole) == 1 else Product(("",) * (len(whole) - 1), whole, span=node.span)
    return node


def _row(node: Formula) -> tuple[Formula, ...]:
    """The factors side by side."""
    return node.factors if isinstance(node, Product) and not any(node.operators) else (node,)


def _step(node: Formula) -> Formula | None:
    if (
        isinstance(node, Brackets)
        and node.left == "("
        and len(node.items) == 1
        and is_step(node.items[0], "t")
    ):
        return node.items[0]
    return None


@dataclass(frozen=True)
class _Group:
    """One choice of the document: its options are meanings, or ways to read a family of notations."""

    name: str
    options: tuple[str, ...]


class _Judging:
    def __init__(self, document: Document, lines: list[Line], bound: Bound, text: str = "") -> None:
        self.text, self.macros = text, definitions(text)
        self.document, self.lines, self.bound = document, lines, bound
        self.table = bound.table
        self.of_row: dict[int, list[int]] = {}
        for place, (_, _, row) in enumerate(lines):
            self.of_row.setdefault(id(row), []).append(place)
        self.choice: dict[str, str] = {}
        self.meanings: dict[Slot, list[Meaning]] = {}
        self.flat = False
        self.pinned: dict[Slot, Meaning] = {}
        if bound.cell is not None:
            self.judge = Judge(bound.cell)
            self.system = self.judge.system
            self.judge.show = AuthorLatex(self.system, self.table, self.spelled_slots)
        self.agreeing: dict[tuple[sp.Expr, sp.Expr], bool | None] = {}
        self.elaborated: dict[object, Claim | None] = {}

    def spelled_slots(self) -> dict[str, tuple[Formula, int | None]]:
        """Adjoint -> how the document writes it, with the lag there."""
        found: dict[str, tuple[Formula, int | None]] = {}
        for left, right, _ in self.lines:
            for side in (left, right):
                for node, slot, at, _name in occurrences(side, self.table):
                    meaning = self.meaning(slot, False)
                    ref = meaning.expr if meaning is not None else None
                    if isinstance(ref, Ref) and ref.lag in (0, None) and not isinstance(at.lag, str):
                        found.setdefault(ref.base, (node, at.lag))
        return found

    # -- meanings --------------------------------------------------------------------------------------

    def claims(self) -> list[int]:
        """The places of the lines that claim something."""
        return [n for n in range(len(self.lines)) if n not in self.bound.kinds]

    def meaning(self, slot: Slot, left_earlier: bool) -> Meaning | None:
        """What a slot stands for under the present choices."""
        options = self.meanings.get(slot)
        pinned = self.pinned.get(slot)
        if pinned is not None:
            back = self.choice.get(f"{slot.family} back", "total") == "carried"
            carried = [m for m in options or () if m.kind == "carried" and m.of == self.of_adjoint(pinned)]
            return carried[0] if left_earlier and back and carried else pinned
        if not options:
            return None
        own = self.choice.get(_own(slot))
        if own is not None:
            return next((m for m in options if _label(m) == own), None)
        if not resolve(slot, self.table):
            return None
        targets = resolve(slot, self.table)
        if (left_earlier or slot.word == "prev") and self.choice.get(
            f"{slot.family} back", "total"
        ) == "carried":
            carried = [m for m in options if m.kind == "carried" and m.of == targets[0]]
            if carried:
                return carried[0]
        wanted = self.choice.get(f"{slot.family} gates", "named")
        if wanted != "named":
            pre = set(self.table.before.values())
            side = [m for m in options if m.kind == "total" and ((m.of in pre) == (wanted == "before"))]
            if any(m.of in self.table.before or m.of in pre for m in options) and side:
                return side[0]
        return options[0]

    def of_adjoint(self, meaning: Meaning) -> str:
        """The quantity of which a meaning is all of the gradient."""
        names = self.system.derivation.names
        return next(
            (q.name for q in self.system.cell.quantities if meaning.expr == Ref(names.adjoint(q.name), 0)), ""
        )

    def prepare(self) -> None:
        """Find the slots and their candidates."""
        assert self.bound.cell is not None
        for place in self.claims():
            left, right, _ = self.lines[place]
            for side in (left, right):
                for _node, slot, _at, _name in occurrences(side, self.table):
                    if slot not in self.meanings:
                        self.meanings[slot] = candidates(slot, self.table, self.bound.cell, self.system)
        for place in self.claims():
            self._pin(place)
        for said in stated(self.text, self.document.lexicon, self.macros):
            self._said(said)

    def _said(self, said: Said) -> None:
        """A notation of which the text says what it is the gradient of."""
        found = slot_of(attached(said.notation), self.table)
        if found is not None and said.kind in ("node", "related"):
            self._restricted(found[0], said)
        if (
            found is None
            or found[0] in self.pinned
            or not isinstance(said.of, Name)
            or said.kind in ("node", "related")
        ):
            return
        at = self.table.key(said.of)
        ident = self.table.idents.get(at.key, "")
        lag = at.lag if isinstance(at.lag, int) else 0
        names, cell = self.system.derivation.names, self.bound.cell
        assert cell is not None
        adjoint = names.adjoint(ident)
        if ident not in self.table.roles or adjoint not in self.system.backward:
            return
        is_state = any(q.name == ident for q in cell.role("state"))
        kind, expr = said.kind, Ref(adjoint, lag)
        constant = self.system.cell.by_name[ident].constant if ident in self.system.cell.by_name else False
        own = found[1].lag
        base = 0 if not isinstance(own, int) else own
        if constant:
            expr = Ref(adjoint)
        elif kind == "given" and ident in cell.outputs:
            expr = Ref(names.given(ident), lag)
        elif kind in ("carried", "back") and is_state:
            expr = Ref(names.back(ident), lag + 1)
        elif kind == "received":
            return
        shifted = expr if constant else Ref(expr.base, (expr.lag or 0) - base)
        self.pinned[found[0]] = Meaning(shifted, "said", ident)

    def _pin(self, place: int) -> None:
        """A line that only says what a notation stands for: the gradient by a quantity."""
        left, right, _ = self.lines[place]
        found = slot_of(left, self.table)
        if found is None or not isinstance(right, Derivative) or found[0] in self.pinned:
            return
        try:
            value = self.express(right)
        except (Unreadable, NotationError, ShapeError):
            return
        lag = found[1].lag if isinstance(found[1].lag, int) else None
        expr = value.expr
        plain = isinstance(expr, Ref) and not (expr.lag is None and lag is not None)
        if plain or (isinstance(expr, Label) and found[0].family not in ("d", "δ", "∂")):
            self.pinned[found[0]] = Meaning(later(expr, -(lag or 0)), "defined")
            self.defining.add(place)

    def _restricted(self, slot: Slot, said: Said) -> None:
        """A notation of which the text says what it belongs to: its shape is known, or the very term."""
        try:
            value = self.express(said.of)
        except (Unreadable, NotationError, ShapeError):
            return
        options = [
            m for m in self.meanings.get(slot, [])
            if shape_of(m.expr, lambda ref: self.system.shapes[ref.base], Unifier()) == value.shape
        ]  # fmt: skip
        exact = [m for m in options if said.kind == "node" and m.of.startswith(f"{value.expr} in ")]
        if slot in self.meanings and slot not in self.pinned:
            self.meanings[slot] = exact or options

    def groups(self) -> list[_Group]:
        """The choices there are, those of whole families first."""
        found: dict[str, tuple[str, ...]] = {}
        lefts = {s for n in self.claims() if (f := slot_of(self.lines[n][0], self.table)) for s in [f[0]]}
        pre = set(self.table.before.values())
        for slot, options in self.meanings.items():
            if slot in self.pinned:
                if self.of_adjoint(self.pinned[slot]):
                    found[f"{slot.family} back"] = ("total", "carried")
                continue
            targets = resolve(slot, self.table)
            if targets:
                if any(m.of in pre or m.of in self.table.before for m in options if m.kind == "total"):
                    found[f"{slot.family} gates"] = ("named", "before", "after")
                if any(m.kind == "carried" for m in options):
                    found[f"{slot.family} back"] = ("total", "carried")
        for slot, options in self.meanings.items():
            if slot in self.pinned or not options:
                continue
            targets = resolve(slot, self.table)
            special = slot.word == "next" or slot.family == "grad" or slot not in lefts
            if not targets or (special and len(options) > 1 and any(m.kind == "carried" for m in options)):
                found[_own(slot)] = tuple(_label(m) for m in options)
        return [_Group(name, options) for name, options in found.items()]

    def solve(self) -> None:
        """Choose one meaning for each notation: those under which most lines are consistent."""
        self.prepare()
        groups = self.groups()
        self.involved = {n: self._involved(n) for n in self.claims()}
        self.slots = {n: self._slots(n) for n in self.claims()}
        families = [g for g in groups if not g.name.startswith("own ")]
        own = [g for g in groups if g.name.startswith("own ")]
        self.own_groups = {g.name: g for g in own}
        for group in groups:
            if group in families or any(
                resolve(s, self.table) for s in self.meanings if _own(s) == group.name
            ):
                self.choice[group.name] = group.options[0]
        for _ in range(4):
            before = dict(self.choice)
            for group in families:
                self._settle(group)
            self._bind_unknown({g.name: g for g in own})
            for group in own:
                self._settle(group)
            self._mend({g.name: g for g in groups})
            if self.choice == before:
                break
        self._give(own)
        counted = []
        for flat in (False, True):
            self.flat = flat
            counted.append((sum(bool(self.consistent(n)) for n in self.claims()), not flat, flat))
        self.flat = max(counted)[2]

    def _involved(self, place: int) -> set[str]:
        """The choices that a line depends on."""
        found: set[str] = set()
        for side in self.lines[place][:2]:
            for _node, slot, _at, _name in occurrences(side, self.table):
                found |= {_own(slot), f"{slot.family} gates", f"{slot.family} back"}
        return found

    def _give(self, own: list[_Group]) -> None:
        """A Δ that nothing settles is what the loss gives to the one output."""
        for group in own:
            given = [o for o in group.options if o.startswith("given ")]
            if group.name not in self.choice and group.name.startswith("own Δ") and len(given) == 1:
                self.choice[group.name] = given[0]

    def _slots(self, place: int) -> tuple[Slot, ...]:
        sides = self.lines[place][:2]
        return tuple(dict.fromkeys(slot for side in sides for _, slot, _, _ in occurrences(side, self.table)))

    def score(self, places: list[int]) -> int:
        """How many lines are consistent, those counted in which only the left side is not known yet."""
        found = 0
        for place in places:
            if self.consistent(place):
                found += 1
            elif self.own_groups:
                names = self._open(place, self.own_groups)
                left = slot_of(self.lines[place][0], self.table)
                if left is not None and names == [_own(left[0])]:
                    found += bool(self._fitting(place, self.own_groups[names[0]]))
        return found

    def _open(self, place: int, groups: dict[str, _Group]) -> list[str]:
        """The names in a line of which nothing is chosen yet."""
        return sorted(name for name in self.involved[place] if name in groups and name not in self.choice)

    def _bind_unknown(self, groups: dict[str, _Group]) -> None:
        """Names that nothing is known of, through the lines in which all others are known."""
        for limit in (1, 1, 2, 1, 2, 1, 2, 1, 2, 1):
            changed = True
            while changed:
                changed = False
                for place in self.claims():
                    names = self._open(place, groups)
                    if 1 <= len(names) <= limit and self._try(place, [groups[n] for n in names]):
                        changed = limit == 1
                        if not changed:
                            break

    def _try(self, place: int, groups: list[_Group]) -> bool:
        """Give names in a line meanings that make it consistent, those that fit most other lines too."""
        left = slot_of(self.lines[place][0], self.table)
        last = next((g for g in groups if left is not None and g.name == _own(left[0])), None)
        others = [g for g in groups if g is not last]
        if math.prod(len(g.options) for g in others) > 400:
            return False
        found: list[tuple[int, int, tuple[str, ...]]] = []
        names = [*others, *([last] if last else [])]
        affected = [n for n in self.claims() if self.involved[n] & {g.name for g in groups}]
        rank = 0
        for combination in itertools.product(*(g.options for g in others)):
            for group, option in zip(others, combination, strict=True):
                self.choice[group.name] = option
            for option in self._fitting(place, last) if last else ("",):
                if last:
                    self.choice[last.name] = option
                rank -= 1
                if self.consistent(place):
                    score = self.score(affected)
                    found.append((score, rank, (*combination, *([option] if last else []))))
            if last:
                self.choice.pop(last.name, None)
        for group in groups:
            self.choice.pop(group.name, None)
        if not found:
            return False
        for group, option in zip(names, max(found)[2], strict=True):
            self.choice[group.name] = option
        return True

    def _fitting(self, place: int, group: _Group) -> list[str]:
        """The meanings of a left side whose value is that of the right one."""
        left, right, row = self.lines[place]
        found = slot_of(left, self.table)
        assert found is not None
        if row.relation == "+=" or (isinstance(right, Sum) and right.terms[0] == left):
            return list(group.options)
        lag = found[1].lag if isinstance(found[1].lag, int) else 0
        values = []
        for of_output in (False, True) if _has_primes(right) else (False,):
            try:
                expr = self.express(right, of_output=of_output).expr
                expr = sides(expr, expr, self.system)[0] if expr.has(*_WRITTEN_OUT) else expr
                values.append(self.quick(expr))
            except (Unreadable, NotationError, ShapeError, *OUT_OF_REACH):
                continue
        fitting = []
        for meaning in self.meanings[found[0]]:
            try:
                value = self.quick(later(meaning.expr, lag))
            except OUT_OF_REACH:
                continue
            if any(np.shape(value) == np.shape(v) and alike(value, v) for v in values):
                fitting.append(_label(meaning))
        return fitting

    def _mend(self, groups: dict[str, _Group]) -> None:
        """Two choices changed together, where a line is inconsistent and more lines are consistent then."""
        for place in self.claims():
            if self.consistent(place) is not False:
                continue
            names = [n for n in sorted(self.involved[place]) if n in groups and n in self.choice]
            for pair in itertools.combinations(names, 2):
                affected = [n for n in self.claims() if self.involved[n] & set(pair)]
                present = tuple(self.choice[n] for n in pair)
                best = (sum(bool(self.consistent(n)) for n in affected), present)
                for combination in itertools.product(*(groups[n].options for n in pair)):
                    self.choice.update(zip(pair, combination, strict=True))
                    if not self.consistent(place):
                        continue
                    score = sum(bool(self.consistent(n)) for n in affected)
                    if score > best[0]:
                        best = (score, combination)
                self.choice.update(zip(pair, best[1], strict=True))

    def _settle(self, group: _Group) -> None:
        places = [n for n in self.claims() if group.name in self.involved[n]]
        present = self.choice.get(group.name)
        scores = []
        for rank, option in enumerate(group.options):
            self.choice[group.name] = option
            score = self.score(places)
            scores.append((score, option == present, -rank, option))
        best = max(scores)
        if best[0] == 0 and present is None:
            del self.choice[group.name]
        else:
            self.choice[group.name] = best[3] if best[0] else (present or group.options[0])

    # -- lines as claims -------------------------------------------------------------------------------

    defining: set[int]

    def scope(self) -> Backward:
        """A scope under the present choices."""
        return Backward(self.bound, self.system, Unifier(), self.meaning, self.flat)

    def express(
        self, formula: Formula, left: bool = False, wanted: int | None = None, of_output: bool = False
    ) -> Value:
        """A formula as a value, with the sums it has noted."""
        scope = self.scope()
        scope.on_left = left
        express = Express(scope, scope.unifier, self.table.rows, of_output)
        express.wanted = wanted
        value = express(formula)
        resolved = Value(value.expr, scope.unifier.resolve(value.shape), value.row)
        self.last_sums, self.last_noted = scope.sums, express.noted
        return resolved

    def claim(self, place: int, of_output: bool = False) -> Claim:
        """A line as a claim.

        Raises:
            Unreadable: it is not understood.
        """
        left, right, row = self.lines[place]
        relation = row.relation
        if (
            isinstance(right, Sum)
            and right.terms[0] == left
            and right.signs[0] == "+"
            and len(right.terms) > 1
        ):
            relation, right = (
                "+=",
                Sum(right.signs[1:], right.terms[1:]) if len(right.terms) > 2 else right.terms[1],
            )
        a = self.express(left, left=True)
        b = self.express(right, wanted=a.rank, of_output=of_output)
        sums = self.last_sums
        expr, target = b.expr, a.expr
        share = False
        if isinstance(target, Ref):
            timeless = target.lag is None and target.base in self.system.backward
            if timeless and not expr.has(N.Total) and any(r.lag is not None for r in expr.atoms(Ref)):
                share = relation == "+=" or self.shares
            elif relation == "+=" and target.lag is not None:
                target, expr = self._added(target, expr)
        self.range_note = self._range(sums, row)
        claim = Claim(target, expr, label=row.tag, line=row.line, share=share, symbol=str(target))
        return replace(claim, shown=row.source)

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
        given = Ref(names.given(of), target.lag) if of in self.bound.cell.outputs else sp.Integer(0)  # type: ignore[union-attr]
        return target, expr + back + given

    @property
    def shares(self) -> bool:
        """Whether parameters' gradients are those of one step here: no line sums over the steps."""
        for place in self.claims():
            left, right, _ = self.lines[place]
            if any(isinstance(n, Big) for n in walk(right)):
                try:
                    value = self.express(left, left=True).expr
                    self.express(right, wanted=2)
                    if not self.last_sums:
                        continue
                except (Unreadable, NotationError, ShapeError):
                    continue
                if isinstance(value, Ref) and value.lag is None:
                    return False
        return True

    def _range(self, sums: list[SumRange], row: Equation) -> str:
        """What a sum over the steps leaves out: nothing, the first step, the last."""
        for item in sums:
            if item.high is not None and item.high < 0:
                return "last"
            if item.low is not None and item.low > self.start:
                return "first" if item.states else "early"
        return ""

    @property
    def start(self) -> int:
        """The number of the first step: the smallest at which a sum of the document starts."""
        if self._start is None:
            lows = []
            for place in self.claims():
                try:
                    self.express(self.lines[place][1])
                except (Unreadable, NotationError, ShapeError):
                    continue
                lows += [s.low for s in self.last_sums if s.low is not None]
            self._start = min([1, *lows])
        return self._start

    _start: int | None = None

    def consistent(self, place: int) -> bool | None:
        """Whether the two sides of a line agree in numbers; None where that is not known."""
        ways = (False, True) if _has_primes(self.lines[place][1]) else (False,)
        found = [self._consistent(place, of_output) for of_output in ways]
        return True if True in found else found[0]

    def _meant(self, place: int) -> tuple[object, ...]:
        """What the names in a line mean now."""
        return tuple((self.meaning(s, False), self.meaning(s, True)) for s in self.slots[place])

    def _consistent(self, place: int, of_output: bool) -> bool | None:
        state = (place, of_output, self.flat, self._meant(place))
        if state not in self.elaborated:
            try:
                self.elaborated[state] = self.claim(place, of_output)
            except (Unreadable, NotationError, ShapeError):
                self.elaborated[state] = None
        claim = self.elaborated[state]
        if claim is None:
            return None
        key = (claim.left, N.Total(claim.right) if claim.share else claim.right)
        if key not in self.agreeing:
            self.agreeing[key] = self._agree(claim)
        return self.agreeing[key]

    def _agree(self, claim: Claim) -> bool | None:
        found = self._agreeing(claim)
        if found is None or found is False:
            block = self._columns(claim)
            return self._agreeing(block) or found if block is not None else found
        return found

    def _agreeing(self, claim: Claim) -> bool | None:
        try:
            left, right = claim.left, N.Total(claim.right) if claim.share else claim.right
            if left.has(*_WRITTEN_OUT) or right.has(*_WRITTEN_OUT):
                left, right = self.judge.sides(claim)
            return alike(self.quick(left), self.quick(right))
        except (NotationError, ShapeError, *OUT_OF_REACH):
            return None

    def quick(self, expr: sp.Expr) -> np.ndarray:
        """The value on one generic sequence, in floating point."""
        return np.asarray(evaluate(expr, self.judge.trial.numbers(0), PRESENT), dtype=float)

    # -- findings --------------------------------------------------------------------------------------

    def findings(self) -> list[Finding]:
        """A finding for every row, in order."""
        self.defining = set()
        if self.bound.cell is not None:
            self.solve()
        found: list[Finding] = []
        last: Row | None = None
        for row in self.document.rows:
            finding = self.finding(row)
            chained = isinstance(row, Equation) and row.chain and isinstance(last, Equation)
            if chained and (last.line, last.column, last.source) == (row.line, row.column, row.source):  # type: ignore[union-attr]
                found[-1] = max(found[-1], finding, key=lambda f: _WORST.index(f.verdict))
            else:
                found.append(finding)
            last = row
        return found

    def finding(self, row: Row) -> Finding:
        """What is found of one row."""
        if isinstance(row, Unread):
            where = f"line {row.at[0]}, column {row.at[1]}: " if row.at[0] else ""
            return Finding(row.line, row.source, "claim", "unread", message=where + row.reason)
        if isinstance(row, NotAClaim):
            kind = "statement" if row.reason in ("an inequality", "an approximation") else "prose"
            return Finding(row.line, row.source, kind, "not-a-claim", message=row.reason)
        assert isinstance(row, Equation)
        places = self.of_row[id(row)]
        kinds = {self.bound.kinds.get(n) for n in places}
        if kinds == {"forward"} or kinds == {"alias"}:
            return Finding(row.line, row.source, "forward", "not-a-claim", message="a forward equation")
        if kinds == {"again"}:
            message = "a forward equation of another system than the one that is judged"
            return Finding(row.line, row.source, "forward", "not-a-claim", message=message)
        left = row.left
        if isinstance(left, Apply) and isinstance(left.argument, Brackets) and not left.head.primes:
            return Finding(
                row.line, row.source, "definition", "not-a-claim", message="the definition of a function"
            )
        if kinds & {"loss", "definition"}:
            return Finding(row.line, row.source, "definition", "not-a-claim", message="a definition")
        if self.bound.cell is None:
            return Finding(row.line, row.source, "claim", "unread", message=self.bound.problem)
        if set(places) <= self.defining:
            return Finding(
                row.line, row.source, "definition", "not-a-claim", message="says what the notation stands for"
            )
        found = [self.trusted(self.judged(n, row)) for n in places]
        return max(found, key=lambda f: _WORST.index(f.verdict))

    def trusted(self, finding: Finding) -> Finding:
        """A finding, withheld where the forward equations are not all read or a mask is zero or one."""
        if finding.verdict not in ("proved", "conditional", "refuted"):
            return finding
        if self.bound.missing:
            message = f"the forward equation of {self.bound.missing} is not read"
            return replace(finding, verdict="undecided", message=message)
        if finding.verdict == "refuted" and any(binary(self.text)):
            return replace(
                finding, verdict="undecided", message="that the mask is zero or one is not used here"
            )
        return finding

    def judged(self, place: int, row: Equation) -> Finding:
        """The finding of one line."""
        try:
            claim = self.claim(place)
        except Misfit as error:
            return self._flipped(place) or Finding(
                row.line, row.source, "claim", "refuted", message=str(error), **self._right_of(place)
            )
        except Unbound as error:
            return self._unbound(place, row, error)
        except Unreadable as error:
            return Finding(row.line, row.source, "claim", "unread", message=str(error))
        except (NotationError, ShapeError) as error:
            return Finding(row.line, row.source, "claim", "unread", message=str(error))
        missing = self.range_note
        verdict = self.judge(claim)
        if verdict.status in (Status.REFUTED, Status.UNDECIDED) and _has_primes(self.lines[place][1]):
            other = self._of_output(place)
            if other is not None:
                return other
        if verdict.status is Status.REFUTED:
            block = self._columns(claim)
            if block is not None and self.judge.right(block):
                return replace(
                    self.reported(verdict, row), verdict="proved", expected="", witness="", repair="",
                    message="with the columns of the weights that multiply this quantity",
                )  # fmt: skip
        found = self.reported(verdict, row)
        if self.last_noted and verdict.status is Status.PROVED:
            return replace(found, verdict="conditional", assumption=self.last_noted[0])
        if verdict.status is Status.PROVED and claim.left.has(Local):
            followed = self._followed(claim)
            if followed:
                return replace(found, verdict="conditional", assumption=followed)
        if verdict.status is Status.PROVED and missing == "first":
            return replace(
                found,
                verdict="conditional",
                assumption="the initial state is zero",
                message="the sum leaves out the first step",
            )
        if verdict.status is Status.PROVED and missing:
            return replace(
                found,
                verdict="refuted",
                message=f"the sum leaves out {'the last step' if missing == 'last' else 'early steps'}",
            )
        return found

    def _flipped(self, place: int) -> Finding | None:
        """A line whose products fit only where gradients lie the other way, if it is right so."""
        self.flat = not self.flat
        try:
            verdict = self.judge(self.claim(place))
        except (Unreadable, NotationError, ShapeError):
            return None
        finally:
            self.flat = not self.flat
        if verdict.status is not Status.PROVED:
            return None
        lie = "lie" if self.flat == self.table.rows else "stand"
        said = any("row" in r.block.text for r in self.document.readings if not r.rows)
        found = self.reported(verdict, self.lines[place][2])
        if said:
            return replace(found, message=f"gradients {lie} here")
        return replace(found, verdict="conditional", assumption=f"gradients {lie} here")

    def _unbound(self, place: int, row: Equation, error: Unbound) -> Finding:
        """A gradient's name with no meaning: wrong, where no gradient there is equals the right side."""
        left, right, _ = self.lines[place]
        found = slot_of(left, self.table)
        looks = found is not None and (found[0].family != "name" or GRADIENT_WORDS.search(found[0].target))
        if found is not None and found[0] == error.slot and looks and self.meanings.get(error.slot):
            try:
                self.express(right)
            except (Unreadable, NotationError, ShapeError):
                pass
            else:
                message = "it is the gradient of nothing that the forward equations hold"
                return Finding(row.line, row.source, "claim", "refuted", message=message)
        hint = f'{error}; the front matter can say it: names: {{"{error.slot.target}": ...}}'
        return Finding(row.line, row.source, "claim", "undecided", message=hint)

    def _columns(self, claim: Claim) -> Claim | None:
        """A gradient of all that is stacked where that of one part of it is meant."""
        if not isinstance(claim.left, Ref) or claim.left.lag is None:
            return None
        names = self.system.derivation.names
        of = next(
            (
                q.name
                for q in self.system.cell.quantities
                if claim.left.base in (names.adjoint(q.name), names.back(q.name))
            ),
            "",
        )
        for equation in self.system.cell.equations:
            for node in equation.expr.atoms(N.Concat):
                low = sp.Integer(0)
                for part in node.args:
                    size = self.system.shapes[part.base][0] if isinstance(part, Ref) else sp.Integer(0)
                    if isinstance(part, Ref) and part.base == of:
                        return replace(claim, right=N.Part(claim.right, low, low + size))
                    low = low + size
        return None

    def _followed(self, claim: Claim) -> str:
        """What a derivative by an earlier state holds fixed, where that makes a difference."""
        rules = {}
        for node in claim.left.atoms(Local):
            what, by = node.args[:2]
            if (
                len(node.args) == 2
                and isinstance(by, Ref)
                and by.lag is not None
                and not isinstance(node, Through)
            ):
                rules[node] = Through(what, by)
        if not rules or self.judge.right(replace(claim, left=claim.left.xreplace(rules))):
            return ""
        (node, *_) = rules
        by = node.args[1]
        others = [Ref(q.name, by.lag) for q in self.system.cell.role("state") if q.name != by.base]
        return f"{', '.join(self.judge.show(o) for o in others)} is held fixed"

    def _right_of(self, place: int) -> dict[str, str]:
        try:
            left = self.express(self.lines[place][0], left=True)
            return {"expected": self.judge.expected(Claim(left.expr, left.expr))}
        except (Unreadable, NotationError, ShapeError):
            return {}

    def _of_output(self, place: int) -> Finding | None:
        """A line right where f′ is written in terms of the output of f."""
        try:
            claim = self.claim(place, of_output=True)
        except (Unreadable, NotationError, ShapeError):
            return None
        verdict = self.judge(claim)
        if verdict.status is not Status.PROVED:
            return None
        row = self.lines[place][2]
        heads = sorted(
            {n.head.base for n in walk(self.lines[place][1]) if isinstance(n, Apply) and n.head.primes}
        )
        assumption = f"{heads[0]}' is written in terms of its output"
        return replace(self.reported(verdict, row), verdict="conditional", assumption=assumption)

    def reported(self, verdict: Verdict, row: Equation) -> Finding:
        """A verdict as a finding."""
        return Finding(
            row.line, row.source, "claim", verdict.status.value,
            about=self.judge.show(verdict.claim.left), expected=verdict.expected,
            witness=str(verdict.witness) if verdict.witness else "", repair=_without_reason(verdict.repair),
            assumption=verdict.assumption, message=verdict.message,
        )  # fmt: skip


_WRITTEN_OUT = (Label, Local, LossFrom, Diag, ChainSum, Columns)

_WORST = ["not-a-claim", "proved", "conditional", "undecided", "unread", "refuted"]


def _without_reason(repair: str) -> str:
    return repair.rpartition("  (")[0] or repair


def _has_primes(formula: Formula) -> bool:
    return any(isinstance(n, Apply) and n.head.primes for n in walk(formula))


def _own(slot: Slot) -> str:
    return f"own {slot.family} {slot.target} {slot.word}"


def _label(meaning: Meaning) -> str:
    return f"{meaning.kind} {meaning.of}"


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two values agree."""
    if a.shape != b.shape and a.shape != () and b.shape != ():
        return False
    scale = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0)) or 1.0
    return bool(np.abs(a - b).max() <= 1e-9 * scale)
