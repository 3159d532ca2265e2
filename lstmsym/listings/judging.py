"""Verdicts on the backward statements of a listing: which gradient is a value, or is it none?"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings import meant
from lstmsym.listings.arrays import Array, Misfit
from lstmsym.listings.backward import Backward
from lstmsym.listings.code import Code
from lstmsym.listings.ends import supposed, trap
from lstmsym.listings.findings import CLIPPED, GIVEN, SAMPLES, UNREAD, Finding, Part, noted, own
from lstmsym.listings.gradients import is_g
from lstmsym.listings.keys import key_of, whole_key
from lstmsym.listings.mending import Repair, blame, mend, no_sum_of_terms
from lstmsym.listings.naming import resolve
from lstmsym.listings.source import ListingError
from lstmsym.listings.truth import Truth
from lstmsym.notation import Ref

TERM = "a part of what follows"
STALE = "{} stays zero: it is never set in the loop"
LAST_ONLY = "only the last step of the loop is kept: += is needed"
OVERWRITTEN = "what was there from the loss is lost: += is needed"


class Judging(Backward):
    """A pass that says of each value which gradient it is, or that it is none."""

    def __init__(
        self,
        truth: Truth,
        code: Code,
        meanings: Mapping[str, Any],
        forced: Mapping[int, Ref] | None = None,
        final: bool = False,
    ) -> None:
        """Start where the forward pass ended; ``final`` looks for repairs too."""
        super().__init__(truth, code, meanings, forced)
        self.final = final
        self.supported: set[str] = set()
        """What is given and makes a right value."""
        self.repaired: dict[int, str] = {}
        """Statement, by its identity -> its repair, where arrays do not fit."""

    def note(self, found: Finding, statement: ast.stmt | None = None, **more: Any) -> None:
        """What is found, of one of the statements."""
        self.findings.append(replace(found, statement=statement or found.statement, **more))

    def failed(self, statement: ast.stmt, error: ListingError) -> None:
        """The same, with a repair where arrays do not fit."""
        mended = self.refitted(statement) if self.final and isinstance(error, Misfit) else None
        super().failed(statement, error)
        if mended is not None and isinstance(statement, ast.Assign):
            self.repaired[id(statement)] = mended[1]
            self.findings[-1] = replace(self.findings[-1], true=mended[0])
            self.hold(statement.targets[0], mended[0])

    def refitted(self, statement: ast.stmt) -> Repair | None:
        """A repair of a statement whose arrays do not fit."""
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        key = whole_key(target)
        wanted = meant.wanted(self, key, target) if key and target is not None else ()
        part = Part(statement, Array(sp.Integer(0)))
        return mend(self, part, [part], wanted) if wanted else None

    # -- which of the cases it is ------------------------------------------------------------------------

    def close(self, target: ast.expr, parts: list[Part]) -> None:
        """Compare a value with the gradients that its name may mean."""
        total, statements = self.add(parts), own(parts)
        text, key = ast.unparse(target), whole_key(target) or ""
        wanted = meant.wanted(self, key, target)
        given = noted(total.notes, GIVEN)
        found = Finding(statements[-1].statement, "", text, total.expr, wanted=wanted, given=given)
        forced = (self.forced[id(p.statement)] for p in statements if id(p.statement) in self.forced)
        option = next(forced, None)
        if option is not None and not self.truth.equals(total.expr, option):
            self.wrong(replace(found, wanted=(option,)), target, parts)
        elif unread := next(iter(noted(total.notes, UNREAD)), ""):
            self.open(found, unread, target, statements)
        elif text in self.broken:
            self.terms(found, target, statements)
        elif not self.special(found, total, target):
            self.compare(found, total, key, target, parts)

    def compare(self, found: Finding, total: Array, key: str, target: ast.expr, parts: list[Part]) -> None:
        """The gradients that a value equals, among which is what it is meant to be."""
        matches = self.truth.matches(total.expr)
        last = meant.at_last(self, total.expr, found.wanted) if not matches else None
        if last is not None:
            found = replace(found, value=last[0], message="at the last step, nothing comes back")
            matches = [last[1]]
        if meant.gathers(self, key, own(parts)):
            matches = [m for m in matches if m.lag is None]
        if matches and total.form in ("fs", "sf") and total.form != self.reader.algebra.vector:
            raise Misfit("it is transposed")
        self.settle(found, matches, key, target, parts)

    def settle(
        self, found: Finding, matches: list[Ref], key: str, target: ast.expr, parts: list[Part]
    ) -> None:
        """What a value is, knowing which gradients it equals and which its name may mean."""
        total, wanted, statement = self.add(parts), found.wanted, found.statement
        right = [w for w in wanted if w in matches]
        if right and meant.idle(self, key, right[0], statement):
            self.wrong(replace(found, wanted=tuple(w for w in wanted if w != right[0])), target, parts)
        elif right:
            self.right(found, right[0], target, parts)
        elif wanted and matches and meant.hands_on(self, key, target):
            self.wrong(found, target, parts)
        elif matches and not any(w.lag is None for w in wanted):
            self.other(found, matches[0], target, parts)
        elif meant.is_forward(self, total.expr) and not meant.claims(
            self, wanted, key, target, total, statement
        ):
            self.recomputed(found, key, target, parts)
        elif wanted and not self.code.carried_on(found.target, statement):
            self.wrong(found, target, parts)
        else:
            self.intermediate(found, target, total)

    # -- neither right nor wrong -------------------------------------------------------------------------

    def open(self, found: Finding, unread: str, target: ast.expr, statements: Sequence[Part]) -> None:
        """A value that was made, in part, by what was not read: nothing can be said of it."""
        message = f"it uses {unread}, which is made by a statement that is not read"
        for part in statements:
            self.note(found, part.statement, status="open", message=message)
        self.lose(target)

    def special(self, found: Finding, total: Array, target: ast.expr) -> bool:
        """What is no matter of right or wrong: clipping; and some of the samples only."""
        limits = next(iter(noted(total.notes, "clip ")), None)
        if limits is not None:
            self.hold(target, replace(total, notes=tuple(n for n in total.notes if n != f"clip {limits}")))
            assumption = f"every entry of the gradient lies within {limits}"
            self.note(found, status="conditional", assumption=assumption, message=CLIPPED)
        elif "samples" in total.notes:
            for w in found.wanted[:1]:
                self.hold(target, w)
            self.note(found, status="wrong", message=SAMPLES)
        return limits is not None or "samples" in total.notes

    def intermediate(self, found: Finding, target: ast.expr, total: Array) -> None:
        """A value of the author's own."""
        self.hold(target, total)
        self.note(found, status="definition")

    def recomputed(self, found: Finding, key: str, target: ast.expr, parts: list[Part]) -> None:
        """A forward value once more: a definition, or a pre-activation that must be the same."""
        expr, total = found.value, self.add(parts)
        if expr is None or not expr.has(N.Dot):
            self.intermediate(found, target, total)
            return
        matches = self.truth.matches(expr, self.truth.values)
        value = self.known.get(resolve(key.strip("_"), self.known) or "")
        ref = value.expr if isinstance(value, Array) else None
        wanted = [ref, *self.gradients.before(ref)] if isinstance(ref, Ref) else []
        right = [m for m in (wanted or matches) if m in matches]
        if right:
            self.hold(target, replace(total, expr=right[0]))
            self.note(found, status="right", true=right[0])
            return
        mended = mend(self, own(parts)[-1], parts, wanted) if wanted and self.final else None
        if mended is None:
            self.intermediate(found, target, total)
            return
        true, repair, why = mended
        self.hold(target, replace(total, expr=true))
        self.note(found, status="wrong", true=true, assumption=repair, message=why)

    # -- right -------------------------------------------------------------------------------------------

    def right(self, found: Finding, true: Ref, target: ast.expr, parts: list[Part]) -> None:
        """A value that is the gradient its name says."""
        key, statements = key_of(target), own(parts)
        if key:
            self.bound[key] = true
        self.supported |= set(found.given)
        stale = next((s for p in parts for s in p.reads if s in self.stale), None)
        share = self.loop is not None and true.lag is None
        share = share and isinstance(statements[-1].statement, ast.Assign)
        self.hold(target, self.add(parts) if share else true)  # one step's share of a sum over the steps
        if stale is not None:
            self.stays_zero(found, stale, true, statements)
        elif not self.instead(found, true, target, statements, share):
            for part in statements:
                self.part(found, true, part, statements)

    def stays_zero(self, found: Finding, stale: str, true: Ref, statements: Sequence[Part]) -> None:
        """What is right but for a carry that no step sets."""
        for part in statements:
            if stale in part.reads:
                message = STALE.format(stale)
                self.note(found, part.statement, status="stale", true=true, message=message, assumption=stale)
            else:
                self.note(found, part.statement, status="definition", message=TERM)

    def instead(
        self, found: Finding, true: Ref, target: ast.expr, statements: Sequence[Part], share: bool
    ) -> bool:
        """Of a right value, what else there is to say: it is not kept, it is given, or what it replaces."""
        last = statements[-1]
        summed = true not in self.truth.table or self.truth.is_total(found.value or true)
        if share and not summed and not meant.used_in_loop(self, found.target, last.statement):
            self.note(found, status="last-only", true=true, message=LAST_ONLY)
            return True
        given = [k for k in last.reads if k in self.asked] if self.loop is None else []
        if given and _is_copy(last.statement) and len(statements) == len(last.reads) == 1:
            message = f"another name of {given[0]}, which is given"
            self.note(found, status="definition", value=None, message=message)
            return True
        if meant.overwrites(self, target, true, last.statement):
            self.note(found, status="last-only", true=true, message=OVERWRITTEN)
            return True
        return False

    def part(self, found: Finding, true: Ref, part: Part, statements: Sequence[Part]) -> None:
        """One of the statements that add up a right value."""
        several, statement = len(statements) > 1, part.statement
        begins = several and part is statements[0] and _is_copy(statement)
        if begins and meant.is_forward(self, part.array.expr):
            self.note(found, statement, status="definition", message=TERM)
            return
        trapped = trap(self, part, true)
        if trapped is not None:
            message, repair = trapped
            self.note(found, statement, status="trap", true=true, message=message, assumption=repair)
            return
        assumption = supposed(self, part, true)
        status = "conditional" if assumption else "right"
        assumption = assumption or found.assumption
        self.note(found, statement, status=status, true=true, part=several, assumption=assumption)

    def other(self, found: Finding, true: Ref, target: ast.expr, parts: list[Part]) -> None:
        """A value that is a gradient, though its name would not say so."""
        statements = own(parts)
        same = {k for w in found.wanted for k in meant.kin(self, w)}
        kin = not found.wanted or meant.kin(self, true) & same
        carried = self.code.carried_on(found.target, statements[-1].statement)
        if not kin and carried:
            self.intermediate(found, target, self.add(parts))
            return
        mended = None
        if found.wanted and self.final and not carried:
            mended = mend(self, statements[-1], parts, found.wanted)
        if mended is not None:
            self.hold(target, mended[0])
            message = f"this is the gradient of {self.name(true)}; {mended[2]}"
            self.note(found, status="wrong", true=mended[0], assumption=mended[1], message=message)
            return
        self.consistent -= 0.5 if found.wanted else 0.0
        if kin:
            self.right(found, true, target, parts)
            return
        self.hold(target, true)
        message = f"this is the gradient of {self.name(true)}, of which its name does not speak"
        for part in statements:
            self.note(found, part.statement, status="misnamed", true=true, message=message)

    # -- wrong -------------------------------------------------------------------------------------------

    def wrong(self, found: Finding, target: ast.expr, parts: list[Part]) -> None:
        """No gradient that the name may mean: which statement is to blame, and what it should be."""
        if not self.final:
            self.hold(target, found.wanted[0])
            self.note(found, status="wrong", true=found.wanted[0])
            return
        blamed = blame(self.truth, parts, found.wanted)
        true, repair, why = mend(self, blamed, parts, found.wanted) or (found.wanted[0], "", "")
        self.hold(target, true)
        for part in own(parts):
            stale = next((r for r in part.reads if r in self.stale), None)
            one = replace(found, statement=part.statement, true=true)
            if part is blamed:
                self.note(one, status="wrong", assumption=repair, message=why)
            elif stale is not None:
                message = STALE.format(stale)
                self.note(one, status="stale", value=None, message=message, assumption=stale)
            else:
                self.note(one, status="term", value=part.array.expr)

    def terms(self, found: Finding, target: ast.expr, statements: Sequence[Part]) -> None:
        """Parts of a value of which another part was not read: each must be a sum of terms."""
        for part in statements:
            fits = [w for w in found.wanted if no_sum_of_terms(self.truth, [part], w) == []]
            true = next(iter((*fits, *found.wanted)), None)
            status = "term" if fits else "wrong"
            self.note(found, part.statement, status=status, true=true, value=part.array.expr)
        if found.wanted:
            self.hold(target, found.wanted[0])

    def name(self, ref: Ref) -> str:
        """What a gradient is the gradient of."""
        line = self.truth.judge.system.derivation.by_name.get(ref.base)
        return self.forward.shown.get(line.of, str(line.of)) if line is not None else str(ref)


def judged(
    truth: Truth,
    code: Code,
    meanings: Mapping[str, Any],
    forced: Mapping[int, Ref] | None = None,
    final: bool = False,
) -> Judging:
    """Execute the backward statements once."""
    judging = Judging(truth, code, meanings, forced, final)
    judging.run(code.statements)
    return judging


def g_marks(judging: Judging) -> bool:
    """Whether a listing writes g before a name for its gradient, as some statement shows."""
    found = (f for f in judging.findings if f.status == "right" and is_g(f.target))
    return any(f.true in f.wanted for f in found)


def _is_copy(statement: ast.stmt) -> bool:
    """Whether a statement copies one value and computes nothing."""
    return isinstance(statement, ast.Assign) and not any(
        isinstance(n, ast.BinOp) and not isinstance(n.right, ast.Constant) for n in ast.walk(statement.value)
    )
