"""Verdicts: PROVED for every size, PROVED IF under a named reading, REFUTED with numbers, or open.

Each claim is fed the true upstream quantities, so that an error is charged to the line that makes
it.  A failed proof is never a disagreement, and agreement at points is never a proof.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from itertools import islice
from typing import Any

import sympy as sp

from lstmsym.cell import Cell
from lstmsym.defects import fault
from lstmsym.notation import NotationError, Ref, Total
from lstmsym.printing import Printer
from lstmsym.shapes import ShapeError, spelled
from lstmsym.verify.claims import Claim, Claims
from lstmsym.verify.elaborate import advance, is_probed, sides, written_out
from lstmsym.verify.explain import Explainer
from lstmsym.verify.meaning import Meanings
from lstmsym.verify.nulls import nulls
from lstmsym.verify.prove import AtEnds, Prover
from lstmsym.verify.readings import BY_NAME, Reading, readings
from lstmsym.verify.repair import edits, labels
from lstmsym.verify.sequence import USUAL, Special
from lstmsym.verify.system import System, shifted
from lstmsym.verify.witness import Trial
from lstmsym.verify.witness import Witness as Witness
from lstmsym.verify.words import Label, Local

LARGEST, REPAIRED = 2000, 300
"""Nodes of an expression that is judged, and of one for which a repair is looked for."""


class Status(Enum):
    """What can be said of an equation."""

    PROVED = "proved"
    PROVED_IF = "conditional"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    UNREAD = "unread"
    NOT_A_CLAIM = "not-a-claim"


@dataclass(frozen=True)
class Verdict:
    """What was found of one claim, and why; ``conventions`` are those of the document it relies on."""

    status: Status
    claim: Claim
    message: str = ""
    expected: str = ""
    witness: Witness | None = None
    repair: str = ""
    assumption: str = ""
    inherits: tuple[str, ...] = field(default=())
    conventions: tuple[tuple[str, str], ...] = field(default=())

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
    for claim in page.claims:
        if progress:
            progress(claim)
        verdicts.append(judge(claim))
    return _inherited(agreed(judge, verdicts))


def _inherited(verdicts: list[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts, those of right lines that build on wrong ones saying so."""
    wrong: list[str] = []
    result = []
    for verdict in verdicts:
        claim = verdict.claim
        used = claim.shown.split("=", 1)[-1].replace("[", " ").split()
        inherits = tuple(name for name in wrong if name in used)
        if inherits and verdict.status is Status.PROVED:
            verdict = replace(verdict, message=f"right given {', '.join(inherits)}", inherits=inherits)
        if verdict.status is Status.REFUTED and claim.symbol:
            wrong.append(claim.symbol)
        result.append(verdict)
    return tuple(result)


def agreed(judge: Judge, verdicts: list[Verdict]) -> list[Verdict]:
    """The verdicts with one value of each convention for the whole page.

    A line that is right only under a convention is wrong on a page where others are right only
    without it, or, more of them, under another.
    """
    used = Counter(c for v in verdicts for c in v.conventions if BY_NAME[c[0]].shared)
    plain = [
        (v.claim, special_of(v.conventions)) for v in verdicts
        if v.status is Status.PROVED or (v.conventions and {c for c, _ in v.conventions} <= set(SPECIAL))
    ]  # fmt: skip
    refused = {}
    for convention, said in used:
        rival = max((c for c in used if c[0] == convention), key=lambda c: used[c])
        if any(not judge.upholds(claim, convention, said, special) for claim, special in plain):
            refused[convention, said] = f"right if {said}, which other lines of the page contradict"
        elif rival[1] != said:
            refused[convention, said] = f"right if {said}, while for other lines {rival[1]}"
    result = []
    for verdict in verdicts:
        reason = next((refused[c] for c in verdict.conventions if c in refused), None)
        result.append(judge.contradicted(verdict.claim, reason) if reason else verdict)
    return result


SPECIAL = {"targets": "unit", "start": "start", "end": "end"}
"""Conventions that are no more than that sequences are special in some way."""


def special_of(conventions: tuple[tuple[str, str], ...]) -> Special:
    """The sequences on which a claim is right."""
    names = {SPECIAL[name] for name, _ in conventions if name in SPECIAL}
    return Special(start="start" in names, end="end" in names, unit="unit" in names)


PLAIN = Reading(Claim(sp.Integer(0), sp.Integer(0)))
"""The cell as it is."""


def at_the_end(claim: Claim) -> Reading:
    """A claim with nothing beyond the end: what then holds by cancellation has no proof here."""
    return Reading(claim).under("nothing arrives after the last step", special=Special(end=True))


class Judge:
    """Judges claims about one cell."""

    def __init__(self, cell: Any, final: bool = False, unit: bool = False) -> None:
        """Derive the cell; the numbers are made when they are first needed; ``final``: as of `System`.

        ``unit``: it is known that the entries of the targets add up to one.
        """
        self.unit = unit
        self.system = System(cell, final)
        self.show = Printer(self.system.derivation.order)
        self.meanings = Meanings(self.system)
        self.trials: dict[tuple[sp.Expr, Special], Trial] = {}
        self.provers: dict[tuple[sp.Expr, bool, frozenset[str]], Prover | AtEnds] = {}
        self.variants: dict[sp.Expr, Meanings] = {sp.Integer(1): self.meanings}
        self.null: frozenset[str] | None = None
        """The gradients that are zero by a cancellation, once they have been looked for."""

    def __call__(self, claim: Claim) -> Verdict:
        """The verdict on one claim; one that is too large, or that nothing can be said of, stays open."""
        if claim.kind != "claim":
            return Verdict(Status.NOT_A_CLAIM, claim, claim.note or "a definition")
        if not all(fits(side, LARGEST) for side in (claim.left, claim.right)):
            return Verdict(Status.UNDECIDED, claim, "it is too large: write it in several lines")
        try:
            return self.judged(claim)
        except (KeyError, TypeError, ArithmeticError, RecursionError) as error:
            return Verdict(Status.UNDECIDED, claim, fault(error))

    def judged(self, claim: Claim) -> Verdict:
        """The verdict on a claim of manageable size."""
        try:
            left, right = self.sides(claim)
        except NotationError as error:
            return self.read_otherwise(claim) or Verdict(Status.UNREAD, claim, str(error))
        except ShapeError as error:
            message = f"{spelled(error.left)} does not fit {spelled(error.right)}"
            return self.read_otherwise(claim) or self.refuted(claim, message, None)
        try:
            shapes = self.meanings.shape(left), self.meanings.shape(right)
        except ShapeError as error:
            return self.read_otherwise(claim) or self.refuted(
                claim, *self.explain.misfit(left, right, error, self.trial)
            )
        if self.mismatched(left, right):
            message = f"the left side has shape {spelled(shapes[0])}, the right side {spelled(shapes[1])}"
            return self.read_otherwise(claim) or self.refuted(claim, message, self.trial.shapes(*shapes))
        if not self.trial.evaluable(left, right):
            witness = self.trial.undefined(left, right)
            if witness:
                return self.refuted(
                    claim, "the right side divides by zero or takes a root of what is negative", witness
                )
            return Verdict(Status.UNDECIDED, claim, "it reaches beyond the steps on which claims are tried")
        witness = self.witness(left, right)
        if witness is None and self.proved(left, right):
            return Verdict(Status.PROVED, claim)
        witness = witness or self.trial.hidden(left, right)
        if witness is None:
            return Verdict(Status.UNDECIDED, claim, "neither a proof nor numbers against it were found")
        message = (
            "of the transposed matrices, each times one vector"
            if is_probed(left + right, self.system)
            else ""
        )
        return self.read_otherwise(claim) or self.refuted(claim, message, witness)

    # -- under a reading ---------------------------------------------------------------------------

    @cached_property
    def explain(self) -> Explainer:
        """Explanations, in the notation of `show`."""
        return Explainer(self.meanings, self.show)

    @cached_property
    def trial(self) -> Trial:
        """Generic sequences through the cell itself."""
        return self.tried(PLAIN)

    def tried(self, reading: Reading) -> Trial:
        """Generic sequences as a reading has them."""
        special = replace(reading.special, unit=reading.special.unit or self.unit)
        key = (reading.loss, special)
        if key not in self.trials:
            self.trials[key] = Trial(self.variant(reading.loss).system, special)
        return self.trials[key]

    def tried_at(self, special: Special) -> Trial:
        """Special sequences through the cell itself."""
        return self.tried(replace(PLAIN, special=special))

    def variant(self, factor: sp.Expr) -> Meanings:
        """The cell with a factor before its loss."""
        if factor not in self.variants:
            self.variants[factor] = Meanings(System(scaled(self.system.cell, factor), self.system.final))
        return self.variants[factor]

    def prover(self, reading: Reading) -> Prover | AtEnds:
        """Proofs about the cell as a reading has it."""
        unit, binary = reading.special.unit or self.unit, reading.special.binary
        key = (reading.loss, unit, binary)
        if key not in self.provers:
            meanings = self.variant(reading.loss)
            kind = AtEnds if self.system.final else Prover
            special = replace(meanings, unit=unit, binary=binary) if unit or binary else meanings
            self.provers[key] = kind(special)
        return self.provers[key]

    def read_otherwise(self, claim: Claim) -> Verdict | None:
        """The claim proved under another reading, or left open where only the numbers speak for one."""
        unproved: Reading | None = None
        for reading in [*readings(claim, self.meanings), at_the_end(claim)]:
            if self.alike(reading):
                if self.holds(reading):
                    return self.right_if(claim, reading)
                unproved = unproved or (None if self.differs(reading) else reading)
        if unproved is None:
            return None
        if unproved.special == Special(end=True) and self.cancels(unproved):
            return Verdict(Status.PROVED, claim, "by a cancellation: nothing comes from beyond the last step")
        said = " and ".join(unproved.said)
        return Verdict(Status.UNDECIDED, claim, f"the numbers agree if {said}, but no proof was found")

    def cancels(self, reading: Reading) -> bool:
        """Whether a claim is proved with the gradients that cancel if nothing arrives after the last step."""
        if self.null is None:
            self.null = nulls(self.meanings, self.tried_at(Special(end=True)))
        try:
            left, right = self.sides(reading.claim)
        except (NotationError, ShapeError):
            return False
        return bool(self.null) and Prover(replace(self.meanings, null=self.null))(left, right)

    def right_if(self, claim: Claim, reading: Reading) -> Verdict:
        """The verdict on a claim that is proved under a reading."""
        conventions = tuple((c, s) for c, s in zip(reading.conventions, reading.said, strict=True) if c)
        said, expected = " and ".join(reading.said), self.expected(claim)
        return Verdict(Status.PROVED_IF, claim, assumption=said, expected=expected, conventions=conventions)

    def alike(self, reading: Reading) -> bool:
        """Whether numbers are for a claim as a reading has it."""
        try:
            left, right = self.sides(reading.claim)
            return not self.mismatched(left, right) and self.tried(reading).alike(left, right)
        except (NotationError, ShapeError, KeyError):
            return False

    def differs(self, reading: Reading) -> bool:
        """Whether the sides differ at another step, or by little, as a reading has them."""
        return self.tried(reading).hidden(*self.sides(reading.claim)) is not None

    def holds(self, reading: Reading, of_all: bool = False) -> bool:
        """Whether a claim is proved as a reading has it (``of_all`` steps); the numbers agree."""
        try:
            left, right = self.sides(reading.proof or reading.claim)
            prover = self.prover(reading)
            prover = prover.any if of_all and isinstance(prover, AtEnds) else prover
            return all(map(prover.vanishes, reading.vanishing)) and prover(left, right)
        except (NotationError, ShapeError, KeyError):
            return False

    def right(self, claim: Claim) -> bool:
        """Whether a claim is proved as it stands."""
        return self.alike(Reading(claim)) and self.holds(Reading(claim))

    def upholds(self, claim: Claim, name: str, said: str, special: Special = USUAL) -> bool:
        """Whether a claim that is right as it stands, on special sequences, may stand beside a convention."""
        convention = BY_NAME[name]
        if convention.breaks(claim, self.meanings):
            return False
        found = [
            r for r in convention.read(Reading(claim, special=special), self.meanings) if r.said == (said,)
        ]
        return not found or any(map(self.alike, found))

    def contradicted(self, claim: Claim, reason: str) -> Verdict:
        """Wrong on its page: right only under a convention that other lines contradict."""
        left, right = self.sides(claim)
        try:
            shapes = self.meanings.shape(left), self.meanings.shape(right)
            misshapen = self.mismatched(left, right)
            witness = self.trial.shapes(*shapes) if misshapen else self.witness(left, right)
        except ShapeError as error:
            _, witness = self.explain.misfit(left, right, error, self.trial)
        return self.refuted(claim, reason, witness)

    # -- as it stands ------------------------------------------------------------------------------

    def sides(self, claim: Claim) -> tuple[sp.Expr, sp.Expr]:
        """Both sides with derivatives written out, a share summed over time."""
        return sides(claim.left, claim.right, self.system, claim.share)

    def mismatched(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether the two have different shapes (a number goes with everything)."""
        shapes = self.meanings.shape(left), self.meanings.shape(right)
        plain = any(not e.atoms(Ref) and not s for e, s in zip((left, right), shapes, strict=True))
        return shapes[0] != shapes[1] and not plain

    def proved(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether the two sides have values and one normal form."""
        return self.trial.evaluable(left, right) and self.prover(PLAIN)(left, right)

    def proved_last(self, left: sp.Expr, right: sp.Expr, unit: bool = False) -> bool:
        """The same of the last step, to which nothing is sent back; ``unit``: as of `Special`."""
        prover = self.prover(replace(PLAIN, special=Special(unit=unit)))
        if isinstance(prover, AtEnds):
            prover = prover.at
        return self.trial.evaluable(left, right) and prover(left, right)

    def witness(self, left: sp.Expr, right: sp.Expr) -> Witness | None:
        """An entry at which the two differ, if there is one."""
        return self.trial.against(left, right)

    # -- what to say of a wrong line -----------------------------------------------------------------

    def expected(self, claim: Claim) -> str:
        """The right side that the derivation has for the side that is a name alone."""
        for side in (claim.left, claim.right):
            try:
                ref = written_out(side, self.system)
            except (NotationError, ShapeError):
                continue
            if ref is not None and isinstance(side, (Label, Local)) and not isinstance(ref, Ref):
                return f"{self.show(side)} = {self.show(ref)}"
            if isinstance(ref, Ref) and (side is claim.left or ref.base in self.meanings.backward):
                return self.explain.line(ref, side)
        return ""

    def refuted(self, claim: Claim, message: str, witness: Witness | None) -> Verdict:
        """Wrong: with the right expression, what is missing, and the smallest edit that mends it."""
        missing, repair = ("", "") if message else self.missing(claim)
        repair = repair or next(self.repairs(claim), "")
        if not message and not repair:
            missing, repair = self.missing(claim, far=True)
        said = "; ".join(filter(None, (message, missing, str(witness) if witness else "")))
        return Verdict(Status.REFUTED, claim, said, self.expected(claim), witness, repair)

    def missing(self, claim: Claim, far: bool = False) -> tuple[str, str]:
        """What a claim drops, and the claim with it; an empty text where that is not one term."""
        try:
            left, right = self.sides(claim)
        except (NotationError, ShapeError):
            return "", ""
        return self.explain.missing(left, right, self.trial, self.prover(PLAIN), far, self.moved(claim))

    def moved(self, claim: Claim) -> int:
        """By how many steps `sides` are later than a claim."""
        return advance(claim.left, claim.right, self.system, claim.share)

    def repairs(self, claim: Claim) -> Iterator[str]:
        """Edits of the claim that are proved right."""
        for edited, why in labels(claim, self.meanings):
            reading = Reading(edited)
            if self.alike(reading) and self.holds(reading):
                left = "" if edited.left == claim.left else f"{self.show(edited.left)} = "
                yield f"{left}{self.show(edited.right)}  ({why})"
        yield from self.mended(claim)

    def mended(self, claim: Claim) -> Iterator[str]:
        """Edits of the right side that are proved right and say more than the claim's own left side."""
        if not fits(claim.right, REPAIRED):
            return
        try:
            left, right = self.sides(claim)
        except (NotationError, ShapeError):
            return
        seen = {right}
        if is_probed(left + right, self.system):
            return
        for edit in edits(right, left, self.meanings):
            if not self.trial.alike_edited(left, right, edit.place, edit.new):
                continue
            try:
                mended = edit.applied(right)
            except (TypeError, ValueError, NotationError):
                continue
            if mended in seen or left in mended.atoms(Ref) or not self.explain.speakable(mended):
                continue
            seen.add(mended)
            if self.holds(Reading(Claim(left, mended))):
                shown = mended.args[0] if claim.share and isinstance(mended, Total) else mended
                yield f"{self.show(shifted(shown, -self.moved(claim)))}  ({edit.why})"


def scaled(cell: Cell, factor: sp.Expr) -> Cell:
    """A cell with a factor before its loss."""
    lines = (replace(e, expr=factor * e.expr) if e.name.base == cell.loss else e for e in cell.equations)
    return replace(cell, equations=tuple(lines))


def fits(expr: sp.Expr, nodes: int) -> bool:
    """Whether an expression has no more nodes than that."""
    return sum(1 for _ in islice(sp.preorder_traversal(expr), nodes + 1)) <= nodes
