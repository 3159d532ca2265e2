"""Verdicts on equations across steps: products of Jacobians, sums over earlier steps, first and last ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp

from lstmsym.binding.across import LAST, Across, Chained, Layout, contracted, stepped, unsaid
from lstmsym.binding.alone import of_vectors
from lstmsym.binding.choices import Choices
from lstmsym.binding.express import applied, is_transposition, turn
from lstmsym.binding.shortened import shortened
from lstmsym.binding.table import LOSSES, Line, Table
from lstmsym.binding.values import Misfit, Unreadable, Value
from lstmsym.documents.formula import (
    Big,
    Brackets,
    Derivative,
    Formula,
    Matrix,
    Name,
    Number,
    Raised,
    Relation,
    Words,
    names,
    walk,
)
from lstmsym.notation import NotationError, Ref
from lstmsym.shapes import ShapeError, Unifier
from lstmsym.verify.across import (
    END,
    HELD,
    TOTAL,
    At,
    LossOf,
    Over,
    Run,
    Slope,
    disentangled,
    is_tensor,
    pulled,
    straightened,
)
from lstmsym.verify.induction import Difference, Induction, free_letters
from lstmsym.verify.judge import Judge
from lstmsym.verify.readings import with_unit_targets
from lstmsym.verify.words import Diag

_IMMEDIATE = re.compile(
    r"immediate (partial )?derivative|(treat|tak|held|hold|keep|kept)\w*[^.]{0,60}(constant|fixed|held)"
    r"|being held|explicit(ly)? depend",
    re.IGNORECASE,
)
_ZERO = re.compile(
    r"(initial|first|starting) (hidden )?states?[^.]{0,40}\b(zero|0)\b|starts? (at|from) (zero|\$?0)"
    r"|\b[a-z]_\{?0\}?\$?,? (is|being|=) ?\$?(zero|0)\b",
    re.IGNORECASE,
)
_DENOMINATOR = re.compile(r"denominator layout", re.IGNORECASE)

TURNED = "Jacobians are laid out with a row for each entry of what they are by"
ZERO = "the initial state is zero"
IMMEDIATE = "the derivative of a quantity by a parameter is that of its own step, earlier states held fixed"

NO_PROOF = "the numbers agree at all the steps that were tried, but no proof by induction was found"
INDUCTION = "by induction over the steps"
AT_THE_END = "nothing comes from beyond the last step"
CONTRADICTED = f"right if {TURNED}, which other lines contradict"


@dataclass(frozen=True)
class Understood:
    """An equation in one reading, and what the reading takes for granted."""

    left: sp.Expr
    right: sp.Expr
    facts: tuple[tuple[sp.Expr, sp.Expr], ...]
    assumed: tuple[str, ...] = ()
    zero: bool = False
    unit: bool = False
    """Whether the targets' entries add up to 1."""


@dataclass(frozen=True)
class Finding:
    """A verdict on an equation across steps."""

    verdict: str
    message: str = ""
    assumption: str = ""
    difference: Difference | None = None


class Several:
    """Judges equations across steps under the choices of a document."""

    def __init__(self, choices: Choices, judge: Judge, text: str) -> None:
        """Take over the choices and the judge."""
        self.choices, self.judge, self.text = choices, judge, text
        self.lines, self.table, self.system = choices.lines, choices.table, judge.system

    @cached_property
    def induction(self) -> Induction:
        """The judge of equations for all steps."""
        return Induction(self.judge, self.start)

    @cached_property
    def of_units(self) -> Induction:
        """The same where the entries of the targets add up to 1."""
        return Induction(self.judge, self.start, unit=True)

    @cached_property
    def start(self) -> int:
        """The number of the first step: 0 where more sums over steps start there than at 1."""
        sums = (n for side in self.sides for n in walk(side) if isinstance(n, Big) and n.operator == "∑")
        lows = Counter(n.low for n in sums if n.variable in _numbered(n.body))
        return 0 if lows[Number("0")] > lows[Number("1")] and not any(map(self.is_start, self.lines)) else 1

    @cached_property
    def told_apart(self) -> frozenset[str]:
        """The keys of names that stand in one line with the same name with a mark."""
        found: set[str] = set()
        for line in self.lines:
            keys = {n.key for side in line[:2] for n in names(side)}
            found |= {key for key in keys for other in keys if other != key and other.rstrip("^~-") == key}
        return frozenset(found)

    @property
    def sides(self) -> Iterator[Formula]:
        """The sides of all lines."""
        return (side for line in self.lines for side in line[:2])

    @cached_property
    def starts_at_zero(self) -> bool:
        """Whether the document says that the state before the first step is zero."""
        return _ZERO.search(self.text) is not None or any(map(self.is_start, self.lines))

    def is_start(self, line: Line) -> bool:
        """Whether a line sets an initial state to zero."""
        left, right, _ = line
        return _is_zero(right) and isinstance(left, Name) and _index(left) in ("0", "-1")

    def boundary(self, line: Line) -> bool:
        """Whether a line says that there is nothing before the first step or after the last."""
        left, right, row = line
        beyond = any("T" in c for c in map(str, row.conditions)) and any(
            ">" in str(c) for c in row.conditions
        )
        named = [n for n in names(left) if n.time is not None]
        after = [
            n for n in named if n.time is not None and n.time.letter in LAST and (n.time.offset or 0) > 0
        ]
        return _is_zero(right) and (self.is_start(line) or bool(after) or beyond)

    def definition(self, line: Line) -> str:
        """What a line says without claiming anything: the ends of a sequence, how a Jacobian is laid out."""
        if self.boundary(line):
            return "what there is before the first step or after the last"
        left, right, _ = line
        listed = isinstance(right, (Brackets, Matrix)) and isinstance(left, Derivative)
        parts = (
            [n for n in walk(right) if isinstance(n, Words) and set(n.text) <= set("….⋯⋮⋱ ")]
            if listed
            else []
        )
        return "how a Jacobian is laid out" if parts else ""

    def wanted(self, line: Line) -> bool:
        """Whether a line has a product over steps, or a sum that ends at a step that is a letter."""
        times = {
            n.time.letter
            for side in line[:2]
            for n in names(side)
            if n.time is not None and n.base not in LAST
        }
        if any(unsaid(n, self.table) for side in line[:2] for d in walk(side) for n in _of_derivative(d)):
            return bool(times)
        return any(
            isinstance(n, Big) and (n.operator == "∏" or _limits(n) & times - LAST)
            for side in line[:2]
            for n in walk(side)
        )

    # -- readings ----------------------------------------------------------------------------------------

    def __call__(self, line: Line) -> Finding:
        """The verdict on a line.

        Raises:
            Unreadable: no reading of it is understood.
        """
        line = of_vectors(line, self.table, self.system)
        left, right = (shortened(contracted(side), self.table, self.system) for side in line[:2])
        line = left, right, line[2]
        line = (stepped(line[0], self.table), stepped(line[1], self.table), line[2])
        found = [self.judged(line, generic) for generic in self.generics(line)]
        verdicts = {finding.verdict for finding in found}
        if "refuted" in verdicts and len(verdicts) > 1:
            return Finding("undecided", "it is right of some parameters and wrong of others")
        order = ("proved", "conditional", "undecided", "refuted")
        return max(found, key=lambda finding: order.index(finding.verdict))

    def judged(self, line: Line, generic: dict[str, str]) -> Finding:
        """The verdict on a line, parameters without a name of their own being certain ones."""
        problem: Exception | None = None
        different: Difference | None = None
        agreeing = False
        for understood in self.readings(line, generic):
            if isinstance(understood, Exception):
                problem = understood if problem is None or isinstance(problem, Misfit) else problem
                continue
            args = understood.left, understood.right, understood.facts, understood.zero
            induction = self.of_units if understood.unit else self.induction
            try:
                difference = induction.difference(*args)
            except (NotationError, ShapeError, KeyError, TypeError) as error:
                problem = problem or Unreadable(str(error))
                continue
            if difference is not None:
                different = different or difference
                continue
            if induction.proved(*args):
                assumption = " and ".join(understood.assumed)
                return Finding("conditional" if assumption else "proved", how(*args[:2]), assumption)
            agreeing = True
        if agreeing:
            return Finding("undecided", NO_PROOF)
        if different is not None:
            return Finding("refuted", different.message, difference=different)
        if isinstance(problem, Misfit):
            return Finding("refuted", str(problem))
        raise problem if isinstance(problem, Unreadable) else Unreadable(str(problem))

    def readings(self, line: Line, generic: dict[str, str]) -> Iterator[Understood | Exception]:
        """The ways to understand a line, those that assume least first."""
        rows = self.table.rows != self.choices.flat
        seen: set[tuple[sp.Expr, sp.Expr, bool, bool]] = set()
        for layout in (
            Layout(lying, turned, immediate, capitals)
            for immediate in (False, True) for turned in (False, True)
            for capitals in self.transposing(line) for lying in (rows, not rows)
        ):  # fmt: skip
            try:
                plain = self.understood(line, layout, generic)
            except (Unreadable, NotationError, ShapeError) as error:
                yield error
                continue
            for one in self.variants(plain):
                key = (one.left, one.right, one.zero, one.unit)
                if key not in seen:
                    seen.add(key)
                    yield one

    def upright(self, line: Line) -> bool:
        """Whether a right line is wrong with its Jacobians laid out transposed."""
        derivatives = (d for side in line[:2] for d in walk(side) if isinstance(d, Derivative))
        if not any(isinstance(d.of, Name) and d.of.base not in LOSSES for d in derivatives):
            return False
        answers = []
        for lying in (False, True):
            try:
                one = self.understood(line, Layout(lying, turned=True, capitals=self.capitals), {})
                answers.append(
                    self.induction.difference(one.left, one.right, one.facts, one.zero) is not None
                )
            except Misfit:
                answers.append(True)
            except (Unreadable, NotationError, ShapeError, KeyError, TypeError):
                continue
        return bool(answers) and all(answers)

    def of_start(self, expr: sp.Expr) -> sp.Expr:
        """An expression in which the gradient of a state before the first step is what that sends back."""
        names, before = self.system.derivation.names, sp.Integer(self.start - 1)
        rules: dict[sp.Expr, sp.Expr] = {}
        for q in self.system.cell.role("state"):
            sent = At(Ref(names.back(q.name), 0), before + 1)
            for name in (names.adjoint(q.name), names.given(q.name)):
                rules[At(Ref(name, 0), before)] = sent
            rules[Slope(LossOf(), At(Ref(q.name, 0), before), TOTAL)] = sent
        return expr.xreplace(rules)

    def variants(self, plain: Understood) -> Iterator[Understood]:
        """A reading, with an initial state that is zero, with other states held fixed."""
        started = replace(plain, left=self.of_start(plain.left), right=self.of_start(plain.right))
        if started != plain:
            yield started
        if self.starts_at_zero:
            yield replace(plain, zero=True)
        else:
            yield plain
            if plain.left.has(Over) or plain.right.has(Over):
                yield replace(plain, zero=True, assumed=(*plain.assumed, ZERO))
        if not free_letters(plain.left) - {END}:
            for reading in with_unit_targets(self.judge.meanings):
                yield replace(plain, unit=True, assumed=(*plain.assumed, *reading.said))
        states = [q.name for q in self.system.cell.role("state")]
        between = [n for e in (plain.left, plain.right) for n in e.atoms(Slope) if _of_states(n, states)]
        if len(states) > 1 and between:
            moved = {n.args[0].args[0].base for n in between}
            rules = {n: Slope(*n.args[:2], HELD) for n in between}
            held = ", ".join(s for s in states if s not in moved)
            assumed = (*plain.assumed, f"{held} is held fixed")
            yield replace(
                plain, left=plain.left.xreplace(rules), right=plain.right.xreplace(rules), assumed=assumed
            )

    def understood(self, line: Line, layout: Layout, generic: dict[str, str]) -> Understood:
        """A line in one reading.

        Raises:
            Unreadable: it is not understood so.
        """
        choices = self.choices
        scope = Across(choices.bound, self.system, Unifier(), choices.meaning, choices.flat)
        scope.layout, scope.generic, scope.first = layout, generic, self.start
        scope.alone = _is_written_out(line)
        scope.steps, scope.told_apart = self.letters(line), self.told_apart
        express = Chained(scope, scope.unifier, self.table.rows)
        left = express(line[0])
        express.wanted = left.rank
        right = express(line[1])
        if left.diagonal and isinstance(right.expr, Diag):  # by its diagonal, as the left side is
            right = Value(right.expr.args[0], right.shape[:1])
        a, b = map(straightened, self.compared(left, right))
        steps = disentangled((a, b), sp.Symbol(min(self.table.letters)))
        a, b = (straightened(side.xreplace(steps)) for side in (a, b))
        facts = tuple((low.xreplace(steps), high.xreplace(steps)) for low, high in scope.facts)
        assumed = []
        if layout.turned and not self.denominator:
            assumed.append(TURNED)
        if layout.immediate and not _IMMEDIATE.search(self.text):
            assumed.append(IMMEDIATE)
        return Understood(a, b, facts, tuple(assumed))

    @cached_property
    def denominator(self) -> bool:
        """Whether the text says that a Jacobian has a row for each entry of what it is by."""
        return _DENOMINATOR.search(self.text) is not None

    @cached_property
    def capitals(self) -> bool:
        """Whether the document transposes what has a step by a capital T, and nothing by another sign."""
        sides = (side for left, right, _ in self.choices.lines for side in (left, right))
        turned = [n for side in sides for n in walk(side) if isinstance(n, Raised) and is_transposition(n)]
        letters = [n for n in turned if isinstance(n.exponent, Name)]
        of_steps = any(name.time is not None for n in letters for name in names(n.body))
        return of_steps and len(letters) == len(turned)

    def transposing(self, line: Line) -> tuple[bool, ...]:
        """Whether a capital T above a matrix transposes it; where it may be a power too, likelier first."""
        raised = (n for side in line[:2] for n in walk(side) if isinstance(n, Raised))
        either = any(n.exponent == Name("T") and n.kind != "transpose" for n in raised)
        return (True, False) if either and not self.capitals else (self.capitals,)

    def letters(self, line: Line) -> frozenset[str]:
        """The letters that number steps in a line."""
        found = {n.time.letter for side in line[:2] for n in names(side) if n.time is not None}
        bound = {n.variable for side in line[:2] for n in walk(side) if isinstance(n, Big)}
        limits = {x for side in line[:2] for n in walk(side) if isinstance(n, Big) for x in _limits(n)}
        hidden = {
            n.key
            for side in line[:2] for d in walk(side) for name in _of_derivative(d)
            if (at := unsaid(name, self.table)) for n in names(at[1])
        }  # fmt: skip
        return frozenset({x for x in found | bound | limits | hidden if x.isalpha()} | self.table.letters)

    def compared(self, left: Value, right: Value) -> tuple[sp.Expr, sp.Expr]:
        """Both sides; the derivative of a vector by a vector and a matrix by what they do to a vector."""
        if not is_tensor(left.expr) or is_tensor(right.expr) or left.rank != 2 or right.rank not in (1, 2):
            return self.probed(left), self.probed(right)
        v = self.system.probe(left.shape[:1])
        return pulled(v, left.expr), right.expr * v if right.rank == 1 else applied(turn(right.expr), v)

    def probed(self, value: Value) -> sp.Expr:
        """A derivative of a vector by a parameter, known by what it does to a vector from the left."""
        if not is_tensor(value.expr):
            return value.expr
        size = next(q.shape for q in self.system.cell.role("state"))
        return pulled(self.system.probe(size), value.expr)

    def generics(self, line: Line) -> list[dict[str, str]]:
        """What a parameter that the cell does not have may be: each that moves all that is derived by it."""
        left, right = (
            {self.table.key(by).key for _, by in _by_parameters(side, self.table)} for side in line[:2]
        )
        unknown = [key for key in left & right if key not in self.table.idents]
        if not unknown:
            return [{}]
        tops = [replace(top, time=None) for side in line[:2] for top, _ in _by_parameters(side, self.table)]
        of = {self.table.idents.get(self.table.key(top).key) for top in tops} - {None}
        keys = {ident: key for key, ident in self.table.idents.items()}
        parameters = [q.name for q in self.system.cell.role("parameter") if q.name in keys]
        chosen = [p for p in parameters if all(self.moves(p, q) for q in of if q is not None)]
        if len(unknown) > 1 or not chosen:
            raise Unreadable(f"{unknown[0]} is not known")
        return [{unknown[0]: keys[p]} for p in chosen]

    def moves(self, parameter: str, quantity: str) -> bool:
        """Whether a parameter stands in the step of a quantity."""
        lines = {e.name.base: e.expr for e in self.system.cell.equations}
        todo, seen = [quantity], set()
        while todo:
            for ref in lines.get(todo.pop(), sp.S.Zero).atoms(Ref):
                if ref.base == parameter:
                    return True
                if ref.lag == 0 and ref.base not in seen:
                    seen.add(ref.base)
                    todo.append(ref.base)
        return False


def _of_derivative(node: Formula) -> Iterator[Name]:
    """The names of a derivative."""
    if isinstance(node, Derivative):
        yield from (n for n in (node.of, node.by) if isinstance(n, Name))


def how(left: sp.Expr, right: sp.Expr) -> str:
    """What a proof of an equation rests on."""
    if left.has(Over, Run) or right.has(Over, Run) or free_letters(left) - {END}:
        return INDUCTION
    return AT_THE_END if free_letters(left) else ""


def _is_written_out(line: Line) -> bool:
    """Whether a line has a derivative in terms that are no derivatives: all of it, or that of one step."""
    left, right, _ = line
    return isinstance(left, Derivative) and not any(isinstance(n, Derivative) for n in walk(right))


def _by_parameters(side: Formula, table: Table) -> Iterator[tuple[Name, Name]]:
    """The derivatives by what has no step: of what, by what."""
    for node in walk(side):
        if not (isinstance(node, Derivative) and isinstance(node.of, Name) and isinstance(node.by, Name)):
            continue
        if node.by.time is None and node.by.base not in LOSSES and unsaid(node.by, table) is None:
            yield node.of, node.by


def _is_zero(node: Formula) -> bool:
    return (isinstance(node, Number) and node.text == "0") or (isinstance(node, Name) and node.key == "0")


def _index(name: Name) -> str:
    """The step of a name, where it is a number."""
    return str(name.time.offset) if name.time is not None and not name.time.letter else ""


def _numbered(body: Formula) -> set[str]:
    """The letters that are steps by themselves, or with a number added."""
    return {n.time.letter for n in names(body) if n.time is not None and n.time.offset is not None}


def _limits(node: Big) -> set[str]:
    """The letters in the limits of a sum or product, its own left out."""
    ends = [node.lower, node.upper]
    if isinstance(node.lower, Relation):
        ends = [*node.lower.terms, node.upper]
    letters = {n.key for end in ends if end is not None for n in names(end) if n.base not in LAST}
    return letters - {node.variable}


def _of_states(node: sp.Expr, states: list[str]) -> bool:
    """Whether a derivative is that of a state by itself at an earlier step."""
    what, by, _ = node.args
    return (
        isinstance(what, At)
        and isinstance(by, At)
        and what.args[0] == by.args[0]
        and what.args[0].base in states
    )
