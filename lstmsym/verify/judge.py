"""Verdicts: PROVED for every size, PROVED IF under a named reading, REFUTED with numbers, or open.

Each claim is fed the true upstream quantities, so that an error is charged to the line that makes
it.  A failed proof is never a disagreement, and agreement at points is never a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import sympy as sp

from lstmsym.notation import NotationError, Ref
from lstmsym.printing import Printer
from lstmsym.render import recurrence
from lstmsym.shapes import ShapeError, spelled
from lstmsym.verify.canonical import Canon
from lstmsym.verify.claims import Claim, Claims
from lstmsym.verify.elaborate import is_probed, sides, written_out
from lstmsym.verify.evaluate import MP, PRESENT, SIZES, STEPS, Numbers, evaluate, generic
from lstmsym.verify.poly import TooLarge
from lstmsym.verify.readings import TRANSPOSED, readings
from lstmsym.verify.repair import edits
from lstmsym.verify.system import System
from lstmsym.verify.words import Label, Local

OUT_OF_REACH = (KeyError, ValueError, TypeError, ArithmeticError)
"""Raised where an expression has no value: beyond the sequence, a division by zero, a complex step."""


class Status(Enum):
    """What can be said of an equation."""

    PROVED = "proved"
    PROVED_IF = "conditional"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    UNREAD = "unread"
    NOT_A_CLAIM = "not-a-claim"


@dataclass(frozen=True)
class Witness:
    """Numbers that show a difference: sizes, one entry of both sides."""

    sizes: Mapping[str, int]
    entry: tuple[int, ...]
    left: str
    right: str

    def __str__(self) -> str:
        """One line."""
        sizes = ", ".join(f"{name}={size}" for name, size in self.sizes.items())
        where = f" entry {list(self.entry)}" if self.entry else ""
        return f"at {sizes}, T={STEPS}:{where} is {self.left}, claimed {self.right}"


@dataclass(frozen=True)
class Verdict:
    """What was found of one claim, and why."""

    status: Status
    claim: Claim
    message: str = ""
    expected: str = ""
    witness: Witness | None = None
    repair: str = ""
    assumption: str = ""
    inherits: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        """One line."""
        notes = [self.assumption and f"if {self.assumption}", self.message]
        notes += [self.repair and f"try {self.repair}"]
        status = self.status.name.replace("_", " ")
        return (
            f"{self.claim.label:8} {status:12} {self.claim.shown}  {'; '.join(filter(None, notes))}".rstrip()
        )


def verify(page: Claims, progress: Callable[[Claim], None] | None = None) -> tuple[Verdict, ...]:
    """Judge every claim of a page."""
    judge = Judge(page.cell)
    verdicts = []
    wrong: list[str] = []
    for claim in page.claims:
        if progress:
            progress(claim)
        verdict = judge(claim)
        inherits = tuple(
            name for name in wrong if name in claim.shown.split("=", 1)[-1].replace("[", " ").split()
        )
        if inherits and verdict.status is Status.PROVED:
            verdict = Verdict(verdict.status, claim, f"right given {', '.join(inherits)}", inherits=inherits)
        if verdict.status is Status.REFUTED and claim.symbol:
            wrong.append(claim.symbol)
        verdicts.append(verdict)
    return _one_layout(judge, verdicts)


def _one_layout(judge: Judge, verdicts: list[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts with a transposed gradient refuted on a page that has others upright.

    A layout is a convention of a whole document: it does not excuse a single line.
    """
    upright = any(v.status is Status.PROVED and judge.is_matrix_gradient(v.claim) for v in verdicts)
    return tuple(judge.transposed(v.claim) if upright and v.assumption == TRANSPOSED else v for v in verdicts)


class Judge:
    """Judges claims about one cell."""

    def __init__(self, cell: Any) -> None:
        """Derive the cell; the numbers are made when they are first needed."""
        self.system = System(cell)
        self.show = Printer(self.system.derivation.order)
        self.canons: dict[int, Canon] = {}
        self._numbers: list[Numbers] = []

    def __call__(self, claim: Claim) -> Verdict:
        """The verdict on one claim."""
        if claim.kind != "claim":
            return Verdict(Status.NOT_A_CLAIM, claim, claim.note or "a definition")
        try:
            left, right = self.sides(claim)
            if self.mismatched(left, right):
                return self.misshapen(claim, left, right)
        except NotationError as error:
            return self.read_otherwise(claim) or Verdict(Status.UNREAD, claim, str(error))
        except ShapeError as error:
            message = f"{spelled(error.left)} does not fit {spelled(error.right)}"
            return self.read_otherwise(claim) or self.refuted(claim, message, None)
        witness = self.witness(left, right)
        if witness is None:
            if self.proved(left, right):
                return Verdict(Status.PROVED, claim)
            return Verdict(Status.UNDECIDED, claim, "neither a proof nor numbers against it were found")
        message = ""
        if is_probed(left + right, self.system):
            message = f"the transposed matrices, each times one vector: {witness}"
        return self.read_otherwise(claim) or self.refuted(claim, message, witness)

    def is_matrix_gradient(self, claim: Claim) -> bool:
        """Whether the left side is the gradient of a weight matrix."""
        left = claim.left
        backward = self.system.backward
        return isinstance(left, Ref) and left.base in backward and len(self.system.shapes[left.base]) == 2

    def transposed(self, claim: Claim) -> Verdict:
        """Wrong: the transpose of the gradient, where other lines have the gradient itself."""
        left, right = self.sides(claim)
        witness = None if self.mismatched(left, right) else self.witness(left, right)
        return self.refuted(claim, "transposed, while other lines of the page are not", witness)

    def read_otherwise(self, claim: Claim) -> Verdict | None:
        """The claim proved under another reading, if there is one."""
        for assumption, other in readings(claim, self.system):
            if self.holds(other):
                return Verdict(Status.PROVED_IF, claim, assumption=assumption, expected=self.expected(claim))
        return None

    def holds(self, claim: Claim) -> bool:
        """Whether a claim is proved, the numbers looked at first since they are quicker."""
        try:
            left, right = self.sides(claim)
            if self.mismatched(left, right) or self.witness(left, right) is not None:
                return False
        except (NotationError, ShapeError, KeyError):
            return False
        return self.proved(left, right)

    def sides(self, claim: Claim) -> tuple[sp.Expr, sp.Expr]:
        """Both sides with derivatives written out, a share summed over time."""
        return sides(claim.left, claim.right, self.system, claim.share)

    def mismatched(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether the two have different shapes (a scalar goes with everything)."""
        canon = self.canon(0)
        shapes = canon.shape(left), canon.shape(right)
        return shapes[0] != shapes[1] and right != 0 and not (shapes[1] == () and right.is_number)

    def misshapen(self, claim: Claim, left: sp.Expr, right: sp.Expr) -> Verdict:
        """Two shapes: refuted, unless the transpose is right."""
        canon = self.canon(0)
        shapes = canon.shape(left), canon.shape(right)
        message = f"the sides have shapes {spelled(shapes[0])} and {spelled(shapes[1])}"
        return self.read_otherwise(claim) or self.refuted(claim, message, None)

    def canon(self, horizon: int) -> Canon:
        """The normal form for a horizon."""
        if horizon not in self.canons:
            system = self.system

            def meaning(ref: Ref) -> sp.Expr | None:
                return system.meaning(ref, horizon, {})

            self.canons[horizon] = Canon(system.shapes, meaning)
        return self.canons[horizon]

    def proved(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether the normal forms agree, and both sides have values."""
        try:
            return self.evaluable(left, right) and self.canon(self.system.horizon(left, right)).equal(
                left, right
            )
        except (ShapeError, TooLarge, NotationError, KeyError):
            return False

    def witness(self, left: sp.Expr, right: sp.Expr) -> Witness | None:
        """An entry at which the two differ, if there is one."""
        found = (self.gap(left, right, numbers) for numbers in self.numbers())
        return next((witness for witness in found if witness is not None), None)

    def numbers(self) -> Iterator[Numbers]:
        """Generic sequences of different sizes, each made when it is first needed."""
        for seed in range(len(SIZES)):
            if seed == len(self._numbers):
                self._numbers.append(generic(self.system, seed))
            yield self._numbers[seed]

    def evaluable(self, *exprs: sp.Expr) -> bool:
        """Whether the expressions have values at all: what divides by zero is never called proved."""
        try:
            for expr in exprs:
                evaluate(expr, next(self.numbers()), PRESENT)
        except OUT_OF_REACH:
            return False
        return True

    def gap(self, left: sp.Expr, right: sp.Expr, numbers: Numbers) -> Witness | None:
        """An entry at which the two differ on one sequence, if there is one."""
        try:
            a, b = (evaluate(e, numbers, PRESENT) for e in (left, right))
        except OUT_OF_REACH:
            return None
        a, b = np.broadcast_arrays(np.asarray(a, dtype=object), np.asarray(b, dtype=object))
        scale = max((abs(v) for v in (*a.flat, *b.flat)), default=MP.mpf(0)) or MP.mpf(1)
        gaps = [(abs(x - y) / scale, index) for (index, x), y in zip(np.ndenumerate(a), b.flat, strict=True)]
        gap, index = max(gaps, key=lambda g: g[0])
        if gap < MP.mpf(10) ** -30:
            return None
        shown = [MP.nstr(v[index], 8) for v in (a, b)]
        return Witness(numbers.sizes, tuple(index), shown[0], shown[1])

    def expected(self, claim: Claim) -> str:
        """The right side that the derivation has for the left, what step t+1 sends back written out."""
        try:
            left = written_out(claim.left, self.system)
        except NotationError:
            return ""
        derivative = isinstance(claim.left, Local) or (
            isinstance(claim.left, Label) and not isinstance(left, Ref)
        )
        if left is not None and derivative:
            return f"{self.show(claim.left)} = {self.show(left)}"
        if not isinstance(left, Ref):
            return ""
        if left.base in self.system.forward:
            return f"{left} = {self.show(self.system.forward[left.base])}"
        derivation = self.system.with_loss if self.system.cell.loss else self.system.derivation
        line = derivation.by_name.get(left.base)
        if line is None or left.lag not in (0, None):
            return ""
        return f"{self.show(claim.left)} = {self.show(line.expr.xreplace(dict(recurrence(derivation))))}"

    def refuted(self, claim: Claim, message: str, witness: Witness | None) -> Verdict:
        """Wrong: with the right expression and the smallest edit that mends it."""
        repair = next(self.repairs(claim), "")
        return Verdict(Status.REFUTED, claim, message or str(witness), self.expected(claim), witness, repair)

    def repairs(self, claim: Claim) -> Iterator[str]:
        """Edits of the claim that are proved right."""
        for edited, why in edits(claim, self.system):
            if self.holds(edited):
                left = "" if edited.left == claim.left else f"{self.show(edited.left)} = "
                yield f"{left}{self.show(edited.right)}  ({why})"
