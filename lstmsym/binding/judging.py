"""Verdicts on the lines of a document, as rows of its report."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
import sympy as sp

from lstmsym.binding.author import AuthorLatex, loss_of
from lstmsym.binding.changes import claim_of, says_layout
from lstmsym.binding.claims import Claims, Stated
from lstmsym.binding.consistency import columns_of, has_primes
from lstmsym.binding.differential import differentials
from lstmsym.binding.entries import has_units
from lstmsym.binding.general import General
from lstmsym.binding.holding import contradicted
from lstmsym.binding.inherited import inherited
from lstmsym.binding.messages import WHATEVER, said
from lstmsym.binding.objective import underived
from lstmsym.binding.omitted import LACKING, with_indices
from lstmsym.binding.outer import SLIP, lacks_transposition
from lstmsym.binding.ranges import over_all
from lstmsym.binding.running import taken_as_given
from lstmsym.binding.scope import Unbound
from lstmsym.binding.sensitivities import Sensitivities
from lstmsym.binding.sentback import sent_alone
from lstmsym.binding.several import CONTRADICTED, TURNED, Finding, Several
from lstmsym.binding.shares import depends
from lstmsym.binding.slips import readings as readings_of
from lstmsym.binding.slips import slips
from lstmsym.binding.slots import Slot, occurrences, slot_of
from lstmsym.binding.stacks import entries, part_of_itself
from lstmsym.binding.standing import valued
from lstmsym.binding.stated import binary, lies, masks
from lstmsym.binding.summed import SHARE, says_share, unsaid
from lstmsym.binding.table import GRADIENT_WORDS, Line
from lstmsym.binding.turned import right_if_turned
from lstmsym.binding.undefined import understood
from lstmsym.binding.units import unit_letters
from lstmsym.binding.unstated import UNSTATED, of_unstated_loss
from lstmsym.binding.updates import is_update
from lstmsym.binding.values import Misfit, Unreadable
from lstmsym.cell import Cell
from lstmsym.deadline import LINE, TooLong, within
from lstmsym.defects import fault
from lstmsym.derive import adjoint_of
from lstmsym.documents.formula import Apply, Brackets, Formula, Item, Slice, walk
from lstmsym.documents.result import Row, Witness
from lstmsym.documents.rows import Equation
from lstmsym.documents.write import write
from lstmsym.notation import Concat, Dot, NotationError, Ref, transposed
from lstmsym.shapes import ShapeError
from lstmsym.steps import Steps, steps
from lstmsym.verify.claims import Claim
from lstmsym.verify.evaluate import OUT_OF_REACH, evaluate
from lstmsym.verify.judge import Judge, Status, Verdict, agreed
from lstmsym.verify.readings import Reading, readings
from lstmsym.verify.sequence import PRESENT, STEPS
from lstmsym.verify.witness import Witness as Numbers
from lstmsym.verify.words import Blocks, Label, Local, Through

Progress = Callable[[int, int], None]
"""Called with the number of lines that are done and of all."""

LAID_OUT = "gradients of matrices are laid out transposed"
_NUMERATOR = re.compile(r"numerator[- ]layout", re.IGNORECASE)

LACKS = {"last": "the sum leaves out the last step", "early": "the sum leaves out early steps"}
SUPPOSES = {
    "first": ("the sum leaves out the first step", "the initial state is zero"),
    "first-after": (
        "the sum leaves out the first step and goes beyond the last",
        "the initial state and the terms after the last step are zero",
    ),
    "ahead": ("its terms are those of the next step", "the sum begins one step before the first step"),
    "after": ("the sum goes beyond the last step", "the terms after the last step are zero"),
    "steps": ("the sum ends at a step with a number", "the sequence ends at that step"),
    "before": ("the sum begins before the first step", "the terms before the first step are zero"),
}

UNSAID = "what {} stands for is not said; an equation before it can say it"
OF_ALL = "right of the sum over all units, which this one is not"
ENDLESS = "it takes too long: write it in several lines"
NOTHING = "it is the gradient of nothing that the forward equations hold"
"""Said of a line whose left side is no gradient that there is: as long as all forward equations are read."""


class LineJudge:
    """Judges the lines of a document under the choices that were made."""

    def __init__(self, claims: Claims, judge: Judge, text: str) -> None:
        """Expressions are shown in the author's notation."""
        self.claims, self.judge, self.text = claims, judge, text
        self.choices, self.system, self.table = claims.choices, claims.system, claims.table
        self.lines = claims.lines
        self.verdicts: dict[int, Verdict] = {}
        self.differentials = differentials(self.lines, self.table)
        self.stated: dict[int, Claim] = {}
        self.outputs: dict[int, Verdict] = {}
        """Lines right where f' is written in terms of the output of f: their verdicts where it is not."""
        self.known: dict[object, Verdict] = {}
        loss = loss_of(self.lines, self.choices.bound.kinds)
        judge.show = self.show = AuthorLatex(self.system, self.table, self.choices.spelled_slots, loss)
        self.several = Several(self.choices, judge, text)
        self.sensitivities = Sensitivities(self.several)
        self.shares_told = says_share(text)
        self.general = General(self.lines, self.table, text)
        self.by_itself: set[int] = set()
        """The places of lines that were judged without the cell."""

    def rows(self, progress: Progress) -> dict[int, Row]:
        """What is found of every line; a convention that other lines contradict excuses none."""
        places = self.choices.claims()
        rows: dict[int, Row] = {}
        for done, place in enumerate(places):
            progress(done, len(places))
            rows[place] = self.judged(place)
        for place, verdict in zip(self.verdicts, agreed(self.judge, [*self.verdicts.values()]), strict=True):
            if verdict is not self.verdicts[place]:
                rows[place] = self.reported(verdict, self.lines[place][2])
        for place, verdict in contradicted(self.judge, self.verdicts):
            rows[place] = self.reported(verdict, self.lines[place][2])
        self._laid_out(rows)
        rows.update(self._mixed(rows))
        rows = sent_alone(rows, self.stated, self.choices, self.judge)
        trusted = {place: self.trusted(row, place) for place, row in rows.items()}
        return inherited(trusted, self.lines, self.table)

    def _laid_out(self, rows: dict[int, Row]) -> None:
        """Jacobians have one layout: lines right under the other are wrong where some need the usual one."""
        turned = [place for place, row in rows.items() if TURNED in row.assumption]
        right = [p for p, row in rows.items() if row.verdict in ("proved", "conditional") and p not in turned]
        if turned and any(self.several.upright(self.lines[place]) for place in right):
            for place in turned:
                rows[place] = replace(rows[place], verdict="refuted", assumption="", message=CONTRADICTED)

    def _mixed(self, rows: dict[int, Row]) -> Iterator[tuple[int, Row]]:
        """Lines right if f' is written in terms of outputs, in a text that writes it otherwise: wrong."""
        plainly = [
            n for n, v in self.verdicts.items() if v.status is Status.PROVED and has_primes(self.lines[n][1])
        ]
        if not plainly:
            return
        where = self.lines[plainly[0]][2].line
        for place, verdict in self.outputs.items():
            row = self.reported(verdict, self.lines[place][2])
            said = f"right if {rows[place].assumption}, which line {where} contradicts"
            yield place, replace(row, message="; ".join(filter(None, (said, row.message))))

    def trusted(self, row: Row, place: int) -> Row:
        """A row, withheld where the forward equations are not all read or a mask is zero or one."""
        if row.verdict not in ("proved", "conditional", "refuted"):
            return row
        if self.choices.bound.missing:
            message = f"the forward equation of {self.choices.bound.missing} is not read"
            return replace(row, verdict="undecided", message=message)
        if row.assumption == LAID_OUT and self.laid_out:
            return replace(row, verdict="proved", assumption="", message=LAID_OUT)
        if row.verdict == "refuted" and of_unstated_loss(self.lines[place], self.choices):
            return replace(row, verdict="undecided", message=UNSTATED, witness=None, repair="", expected="")
        if row.verdict == "refuted" and self._of_unread_loss(place):
            return replace(
                row, verdict="undecided", message="the loss, of which it has a derivative, is not read"
            )
        if row.verdict == "refuted" and row.witness is not None and any(binary(self.text)):
            return self._masked(row, place)
        return row

    def _of_ranges(self, row: Row, place: int) -> Row:
        """A row with what sums say of the units; a sum over some that is right of all is wrong."""
        left, right, source = self.lines[place]
        if row.verdict in ("proved", "conditional") and self.table.taken:
            both = filter(None, (row.assumption, *dict.fromkeys(self.table.taken)))
            return replace(row, verdict="conditional", assumption=" and ".join(both))
        whole = (over_all(left, unit_letters), over_all(right, unit_letters), source)
        if row.verdict != "unread" or whole == (left, right, source):
            return row
        return plain(source, "refuted", OF_ALL) if self._right(whole) else row

    def _right(self, line: Line) -> bool | None:
        """Whether another line than those of the document is right; None where it is not read."""
        try:
            if self.several.wanted(line):
                return self.several(line).verdict == "proved"
            return self.judge.right(self.claims.claim_of(line).claim)
        except (Misfit, ShapeError):
            return False
        except (Unreadable, NotationError):
            return None

    def _of_indices(self, row: Row, place: int) -> Row:
        """The row of a line of entries with vectors that lack an index: right with one, or wrong with any."""
        if row.verdict != "unread" or LACKING not in row.message:
            return row
        lacking, lines = with_indices(self.lines[place], self.lines, self.table)
        right = [self._right(line) for line in lines]
        if True in right:
            return replace(row, verdict="conditional", assumption=f"{lacking} has its index", message="")
        wrong = right and None not in right
        return (
            replace(row, verdict="refuted", message=f"wrong whichever index {lacking} has") if wrong else row
        )

    @cached_property
    def laid_out(self) -> bool:
        """Whether the text says that derivatives by matrices have a row for each column of the matrix."""
        return _NUMERATOR.search(self.text) is not None or any(map(says_layout, self.lines))

    def _of_unread_loss(self, place: int) -> bool:
        """Whether a line has outputs that only a loss reads, in a text whose loss is not read."""
        cell = self.system.cell
        if cell.loss or "loss" not in self.choices.bound.kinds.values():
            return False
        last = set(cell.outputs) - {q.name for q in cell.role("state")}
        read = (self.table.key(n).key for n in underived(self.lines[place][1]))
        return any(self.table.idents.get(key) in last for key in read)

    def _masked(self, row: Row, place: int) -> Row:
        """A wrong line where masks are zero or one: wrong of such masks too, or open."""
        names = frozenset(self.table.idents.get(key, "") for key in masks(self.text, self.table))
        if place in self.verdicts and names <= self.system.cell.by_name.keys():
            claim = self.verdicts[place].claim
            if self.judge.mismatched(*self.judge.sides(claim)):
                return row
            ways = [Reading(claim), *readings(claim, self.judge.meanings)]
            special = [replace(way, special=replace(way.special, binary=names)) for way in ways]
            pairs = zip(ways, special, strict=True)  # right whatever the mask: refused for another reason
            right = [
                masked for way, masked in pairs if self.judge.alike(masked) and not self.judge.alike(way)
            ]
            proved = next(filter(self.judge.holds, right), None)
            if proved is not None:
                shown = " and ".join(sorted(self.table.spelled[name].key for name in names))
                verdict = self.judge.right_if(claim, proved.under(f"the entries of {shown} are zero or one"))
                return self.reported(verdict, self.lines[place][2])
            if not right:
                found = self.judge.tried(special[0]).against(*self.judge.sides(claim))
                return row if found is None else replace(row, witness=numbers(found))
        return replace(row, verdict="undecided", message="that the mask is zero or one is not used here")

    def judged(self, place: int) -> Row:
        """The row of one line; one that is not read as an equation at a step may be one across steps."""
        try:
            with within(LINE):
                self.table.taken.clear()
                row = self._no_claim(place) or self._supposing(self._claimed(place), place)
                return self._of_ranges(self._of_indices(row, place), place)
        except TooLong:
            return plain(self.lines[place][2], "undecided", ENDLESS)
        except Exception as error:  # one line never costs the others their verdicts
            return plain(self.lines[place][2], "undecided", fault(error))

    def _supposing(self, row: Row, place: int) -> Row:
        """A row with what a right line takes for granted of its left side, where nothing else says it."""
        claim = self.stated.get(place)
        if claim is None or row.verdict not in ("proved", "conditional"):
            return row
        said = [self.choices.assumed.get(place, "")]
        if not self.shares_told and unsaid(claim, self.lines[place], self.table, self.system.cell):
            said.append(SHARE)
        said.append(taken_as_given(claim, self.table, self.system))
        both = " and ".join(filter(None, (row.assumption, *said)))
        return replace(row, verdict="conditional" if any(said) else row.verdict, assumption=both)

    def _no_claim(self, place: int) -> Row | None:
        """The row of a line that is to be read in a way of its own."""
        line = self.lines[place]
        left, right, source = line
        if place in self.differentials:
            return self._of_changes(line)
        part = part_of_itself(left, right)
        if part is not None:
            return self._part_of_itself(part, source)
        if is_update(left, right, self.table):  # of a change, ΔW
            return plain(source, "not-a-claim", "an update, not a claim about the gradient", "statement")
        what = self.several.definition(line)
        if what:
            return plain(source, "not-a-claim", what, "definition")
        if place in self.sensitivities.defining:
            return plain(source, "not-a-claim", "says what the notation stands for", "definition")
        if self.sensitivities.wanted(line):
            return self._carried(place)
        return self._across(place, None) if self.several.wanted(line) else None

    def _carried(self, place: int) -> Row:
        """The row of a line with derivatives by parameters, which may be those of one step alone in a sum."""
        row = self._across(place, None, self.sensitivities)
        if row.verdict == "proved" or self.sensitivities.of_whole(self.lines[place][0]) is None:
            return row
        other = self._claimed(place)
        return row if row.verdict == "refuted" and other.verdict not in ("proved", "conditional") else other

    def _of_changes(self, line: Line) -> Row:
        """The row of an equation of differentials."""
        source = line[2]
        if says_layout(line):
            return plain(source, "not-a-claim", "how derivatives by matrices are laid out", "definition")
        try:
            claim, fixed = claim_of(line, self.claims)
            verdict = self.judge(claim)
        except (Unreadable, NotationError, ShapeError) as error:
            message = f"an equation of differentials, which is not judged: {error}"
            return plain(source, "undecided", message)
        row = plain(source, verdict.status.value, "of changes in any direction")
        if verdict.status is Status.PROVED and fixed:
            return replace(row, verdict="conditional", assumption=f"{fixed} held fixed")
        return replace(row, witness=numbers(verdict.witness)) if verdict.witness else row

    def _claimed(self, place: int) -> Row:
        """The row of a line that is a claim at a step."""
        source = self.lines[place][2]
        try:
            stated = self.claims.claim(place)
        except Misfit as error:
            return self._of_other_shapes(place, error)
        except Unbound as error:
            return self._across(place, self._unbound(place, error))
        except (Unreadable, NotationError, ShapeError) as error:
            return self._across(place, plain(source, "unread", said(error)))
        if _names_parts(stated.claim):
            return plain(source, "not-a-claim", "says what the notation stands for", "definition")
        self.stated[place] = stated.claim
        verdict = self._verdict(stated.claim, has_units(self.lines[place][0]))
        found = self._otherwise(place, verdict)
        if found is not None:
            return found
        if self._is_void(stated.claim):
            message = "by the equations that were read the loss does not depend on it; is one missing?"
            return plain(source, "undecided", message)
        self.verdicts[place] = verdict
        return self._qualified(verdict, stated, source)

    def _otherwise(self, place: int, verdict: Verdict) -> Row | None:
        """The row of a line that is right in another way than it stands."""
        found = None
        if verdict.status is Status.REFUTED:
            found = self._without_bars(place, verdict) or self._handed_on(place, verdict)
            found = found or self._turned(verdict, self.lines[place][2])
        if found is None and verdict.status in (Status.REFUTED, Status.UNDECIDED):
            found = self._of_output(place, verdict) or self._of_columns(verdict, self.lines[place][2])
        return found

    def _is_void(self, claim: Claim) -> bool:
        """Whether the left side is zero whatever the numbers, which no document has to say of a gradient."""
        if claim.right.is_number or _is_backward(claim.left, self.system.cell):
            return False
        try:
            left = self.judge.sides(claim)[0]
            return not np.any(np.asarray(evaluate(left, self.judge.trial.numbers(0), PRESENT), dtype=float))
        except (NotationError, ShapeError, *OUT_OF_REACH):
            return False

    def _verdict(self, claim: Claim, entries: bool = False) -> Verdict:
        """The verdict on a claim; what is said twice is judged once; indices leave no layout open."""
        said = (claim.left, claim.right, claim.share, entries)
        if said not in self.known:
            self.known[said] = self.judge(claim)
            if entries and any(name == "layout" for name, _ in self.known[said].conventions):
                self.known[said] = self.judge.contradicted(claim, "the two indices are exchanged")
        return replace(self.known[said], claim=claim)

    def _qualified(self, verdict: Verdict, stated: Stated, source: Equation) -> Row:
        """The row of a verdict, that of a right line with what the line takes for granted."""
        row = self.reported(verdict, source)
        if verdict.status is not Status.PROVED:
            return row
        if stated.lacks in LACKS:
            return replace(row, verdict="refuted", message=LACKS[stated.lacks])
        if lacks_transposition(stated.noted, source.right, self.lines, self.table.rows):
            return replace(row, verdict="refuted", message=SLIP)
        if stated.lacks:
            message, assumption = SUPPOSES[stated.lacks]
            row = replace(row, verdict="conditional", assumption=assumption, message=message)
        assumed = [*stated.noted, self._followed(stated.claim)]
        for assumption in filter(None, assumed):
            both = " and ".join(filter(None, (row.assumption, assumption)))
            row = replace(row, verdict="conditional", assumption=both)
        return row

    # -- lines that are right in another way -----------------------------------------------------------

    def _of_columns(self, verdict: Verdict, source: Equation) -> Row | None:
        """A line right with the part of a stacked weight that multiplies its quantity."""
        block = columns_of(verdict.claim, self.system)
        if block is None or not self.judge.right(block):
            return None
        message = "with the columns of the weights that multiply this quantity"
        return replace(self.reported(Verdict(Status.PROVED, verdict.claim), source), message=message)

    def _turned(self, verdict: Verdict, source: Equation) -> Row | None:
        """A line about a Jacobian that is right with Jacobians laid out transposed."""
        turned = right_if_turned(verdict.claim, self.judge)
        if turned is None:
            return None
        said = [] if self.several.denominator else [TURNED]
        assumption = " and ".join(filter(None, (*said, self._followed(turned))))
        row = self.reported(Verdict(Status.PROVED, verdict.claim), source)
        return replace(row, verdict="conditional" if assumption else "proved", assumption=assumption)

    def _without_bars(self, place: int, verdict: Verdict) -> Row | None:
        """A line that is wrong of an absolute value and right of what stands between the bars."""
        left, right, source = self.lines[place]
        if not isinstance(left, Brackets) or (left.left, len(left.items)) != ("|", 1):
            return None
        bare = (left.items[0], right, source)
        try:
            if not self.judge.right(self.claims.claim_of(bare).claim):
                return None
        except (Unreadable, NotationError, ShapeError):
            return None
        repair = f"{write(bare[0])} {source.relation} {write(right)}"
        return replace(self.reported(verdict, source), repair=repair, message="right without the bars")

    def _handed_on(self, place: int, verdict: Verdict) -> Row | None:
        """``dh_next = ...`` at the end of a step: what the next pass of the loop will read by that name."""
        left, _, source = self.lines[place]
        found = slot_of(left, self.table)
        ref = verdict.claim.left
        if found is None or found[0].word != "next" or not isinstance(ref, Ref) or ref.lag != 1:
            return None
        claim = replace(verdict.claim, left=Ref(ref.base, 0))
        if not self.judge.right(claim):
            return None
        row = self.reported(Verdict(Status.PROVED, claim), source)
        return replace(row, message="as what this step hands on to the one before")

    def _flipped(self, place: int) -> Row | None:
        """A line whose products fit only where gradients lie the other way, if it is right so."""
        choices = self.choices
        choices.flat = not choices.flat
        try:
            verdict = self.judge(self.claims.claim(place).claim)
        except (Unreadable, NotationError, ShapeError):
            return None
        finally:
            choices.flat = not choices.flat
        if verdict.status is not Status.PROVED:
            return None
        row = self.reported(verdict, self.lines[place][2])
        assumption = f"gradients {'lie' if choices.flat == self.table.rows else 'stand'} here"
        if lies(self.text):
            return replace(row, message=assumption)
        return replace(row, verdict="conditional", assumption=assumption)

    def _of_output(self, place: int, plainly: Verdict) -> Row | None:
        """A line right where f' is written in terms of the output of f."""
        _, right, source = self.lines[place]
        if not has_primes(right):
            return None
        try:
            verdict = self.judge(self.claims.claim(place, of_output=True).claim)
        except (Unreadable, NotationError, ShapeError):
            return None
        if verdict.status is not Status.PROVED:
            return None
        head = min(n.head.base for n in walk(right) if isinstance(n, Apply) and n.head.primes)
        assumption = f"{head}' is written in terms of its output"
        self.outputs[place] = plainly
        return replace(self.reported(verdict, source), verdict="conditional", assumption=assumption)

    def _followed(self, claim: Claim) -> str:
        """What a derivative by an earlier state holds fixed, where that makes a difference."""
        rules = {}
        for node in claim.left.atoms(Local):
            what, by = node.args[:2]
            if len(node.args) == 2 and isinstance(by, Ref) and by.lag is not None:
                rules[node] = node if isinstance(node, Through) else Through(what, by)
        if not rules or self.judge.right(replace(claim, left=claim.left.xreplace(rules))):
            return ""
        by = next(iter(rules)).args[1]
        others = [Ref(q.name, by.lag) for q in self.system.cell.role("state") if q.name != by.base]
        return f"{', '.join(self.judge.show(o) for o in others)} is held fixed"

    def _of_other_shapes(self, place: int, error: Misfit) -> Row:
        """The row of a line whose shapes do not fit as it stands."""
        try:
            self.claims.express(self.lines[place][1])
        except Unbound as unbound:  # of what is not known there is no shape
            return self._unbound(place, unbound)
        except (Unreadable, NotationError, ShapeError):
            pass
        return self._flipped(place) or self._misfit(place, error)

    def _part_of_itself(self, part: Item, source: Equation) -> Row:
        """A weight that is to stand for the part that multiplies one of what is stacked."""
        try:
            weight = self.claims.express(part.body).value.expr
        except (Unreadable, NotationError, ShapeError) as error:
            return plain(source, "unread", said(error))
        axes = {
            axis for equation in self.system.cell.equations for node in equation.expr.atoms(Dot)
            for axis, matrix in ((0, transposed(weight)), (1, weight))
            if node.args[0] == matrix and isinstance(node.args[1], Concat)
        }  # fmt: skip
        cut = {axis for axis, item in enumerate(part.items) if item != Slice(None, None)}
        if len(axes) == 1 and len(cut) == 1 and axes != cut:
            along = "columns" if axes == {1} else "rows"
            return plain(source, "refuted", f"what multiplies a part of the stacked vector are {along} of it")
        return plain(source, "not-a-claim", "says what the notation stands for", "definition")

    def _across(
        self, place: int, otherwise: Row | None, judge: Callable[[Line], Finding] | None = None
    ) -> Row:
        """The row of an equation across steps; ``otherwise`` if it is not read as one either."""
        source = self.lines[place][2]
        try:
            found = (judge or self.several)(self.lines[place])
        except Misfit as error:
            if judge is not None:
                return plain(source, "refuted", said(error))
            return otherwise or plain(source, "unread", str(error))
        except (Unreadable, NotationError, ShapeError) as error:
            unread = otherwise or plain(source, "unread", str(error))
            return self._of_open(place) or self._with_slips(self.lines[place]) or unread
        row = replace(plain(source, found.verdict, found.message), assumption=found.assumption)
        if found.difference is not None and found.difference.witness is not None:
            witness = found.difference.witness
            shown = "; ".join(
                filter(
                    None,
                    (
                        found.message,
                        f"at {found.difference.steps}" if found.difference.steps else "",
                        str(witness),
                    ),
                )
            )
            return replace(row, witness=numbers(witness), message=shown)
        return row

    def _of_open(self, place: int) -> Row | None:
        """The row of a line about functions that are left open."""
        found = self.general(self.lines[place])
        if found is None:
            return None
        self.by_itself.add(place)
        row = plain(self.lines[place][2], found.verdict, found.message)
        return replace(row, assumption=found.assumption)

    def _with_slips(self, line: Line) -> Row | None:
        """The row of a line with names that are slips: right of some that may be meant, or wrong of all."""
        meant = slips(line, self.table)
        verdicts = []
        for assumption, other in readings_of(line, meant) if meant else ():
            try:
                verdicts.append(self.several(other).verdict)
            except (Unreadable, NotationError, ShapeError):
                return None
            if verdicts[-1] in ("proved", "conditional"):
                return replace(plain(line[2], "conditional"), assumption=assumption)
        if not verdicts or set(verdicts) != {"refuted"}:
            return None
        return plain(line[2], "refuted", WHATEVER.format(" and ".join(meant)))

    # -- lines that are no claims of the cell ----------------------------------------------------------

    def _misfit(self, place: int, error: Misfit) -> Row:
        """Shapes that do not fit: wrong."""
        left, right, source = self.lines[place]
        entries = has_units(left) or has_units(right)
        try:
            expr = self.claims.express(left, left=True).value.expr
        except (Unreadable, NotationError, ShapeError) as unread:
            known = not entries or isinstance(unread, Unbound)
            return plain(source, "refuted" if known else "unread", said(error))
        row = plain(source, "refuted", said(error))
        return replace(row, about=self.judge.show(expr), expected=self.judge.expected(Claim(expr, expr)))

    def _unbound(self, place: int, error: Unbound) -> Row:
        """A gradient's name with no meaning: wrong, where no gradient there is equals the right side."""
        left, right, source = self.lines[place]
        found = slot_of(left, self.table)
        if error.slot in self.choices.arguments:
            nodes = (node for node, slot, *_ in occurrences(right, self.table) if slot == error.slot)
            return plain(source, "undecided", UNSAID.format(write(next(nodes, left))))
        if found is None or found[0] != error.slot:
            way = understood(self.claims, self.judge, self.lines[place], error.slot)
            if way is not None:
                verdict = "conditional" if way.assumption else "refuted"
                return replace(plain(source, verdict, way.message), assumption=way.assumption)
        elif error.slot in self.choices.twins:
            return self._second_name(right, source)
        elif (misfit := self._never_fits(right)) is not None:
            return plain(source, "refuted", said(misfit))
        elif self._names_gradient(found[0], right):
            return plain(source, "refuted", NOTHING)
        hint = f'{error}; the front matter can say it: names: {{"{error.slot.target}": ...}}'
        return plain(source, "undecided", hint)

    def _second_name(self, right: Formula, source: Equation) -> Row:
        """The row of a line whose left side would be another name for what has one, by that line alone."""
        if slot_of(right, self.table) is not None:
            return plain(source, "not-a-claim", "says what the notation stands for", "definition")
        return plain(source, "undecided", "what the left side is the gradient of, no other line tells")

    def _never_fits(self, side: Formula) -> Misfit | None:
        """Why the shapes in a side do not fit, whether gradients lie or stand; None where they may."""
        flat, problem = self.choices.flat, None
        try:
            for self.choices.flat in (flat, not flat):
                problem = self._misfitting(side)
                if problem is None:
                    break
        finally:
            self.choices.flat = flat
        return problem

    def _misfitting(self, side: Formula) -> Misfit | None:
        """Why the shapes in a side do not fit as gradients lie now, if that is what is wrong with it."""
        try:
            self.claims.express(side)
        except Misfit as error:
            return error
        except (Unreadable, NotationError, ShapeError):
            pass
        return None

    def _names_gradient(self, slot: Slot, side: Formula) -> bool:
        """Whether a name looks like a gradient's and may be the side: a column may be one of anything."""
        looks = slot.family != "name" or GRADIENT_WORDS.search(slot.target)
        if not looks or not self.choices.meanings.get(slot):
            return False
        try:
            shape = self.claims.express(side).value.shape
        except (Unreadable, NotationError, ShapeError):
            return False
        if not entries(side):
            return True
        return any(
            valued(m.expr, lambda ref: self.system.shapes[ref.base]).shape == shape
            for m in self.choices.meanings[slot]
        )

    def reported(self, verdict: Verdict, source: Equation) -> Row:
        """A verdict as a row."""
        return replace(
            plain(source, verdict.status.value, self.show.reworded(verdict.message)),
            about=self.judge.show(verdict.claim.left), expected=verdict.expected,
            witness=numbers(verdict.witness) if verdict.witness else None,
            repair=verdict.repair.rpartition("  (")[0] or verdict.repair,
            assumption=self.show.reworded(verdict.assumption),
            steps=self._steps(verdict.claim),
        )  # fmt: skip

    def _steps(self, claim: Claim) -> Steps:
        """How the gradient on the left side comes about."""
        left = claim.left
        if isinstance(left, Label) and len(left.args) == 2 and isinstance(left.args[1], Ref):
            left = adjoint_of(left.args[1], self.system.derivation.names)
        if not isinstance(left, Ref):
            return ()
        derivation = self.system.with_loss if self.system.cell.loss else self.system.derivation
        return steps(derivation, left.base, self.judge.show)


def _is_backward(expr: sp.Expr, cell: Cell) -> bool:
    """Whether an expression is the derivative of a quantity by a later one: zero, whatever is missing.

    Later is what is of a later step, and of the same step what is made of it.
    """
    if not isinstance(expr, Local) or not all(isinstance(ref, Ref) for ref in expr.args[:2]):
        return False
    what, by = expr.args[:2]
    if what.lag is None or by.lag is None or what.lag != by.lag:
        return what.lag is not None and by.lag is not None and what.lag < by.lag
    lines = {e.name.base: e.expr for e in cell.equations}
    return by.base in lines and depends(by.base, Ref(what.base, 0), lines)


def _names_parts(claim: Claim) -> bool:
    """Whether a line only says that the gradient by a stack is the stack of the gradients."""
    return claim.left == claim.right and isinstance(claim.left, (Concat, Blocks))


def plain(source: Equation, verdict: str, message: str = "", kind: str = "claim") -> Row:
    """The row of an equation."""
    latex = f"{write(source.left)} {source.relation} {write(source.right)}"
    return Row(source.line, source.source, kind, verdict, message=message, latex=latex)


def numbers(witness: Numbers) -> Witness:
    """A witness as reports have it."""
    return Witness({**witness.sizes, "T": STEPS}, witness.entry, witness.left, witness.right)
