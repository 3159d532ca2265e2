"""A NumPy listing in, a row for every statement out; nothing of it is ever run.

text ─ast─▶ statements ─forward─▶ Cell ─derive─▶ true gradients ─backward, statement by statement─▶ rows
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from lstmsym.cell import Cell
from lstmsym.defects import fault
from lstmsym.documents.result import Row
from lstmsym.listings.appended import appended
from lstmsym.listings.arrays import LAYOUTS
from lstmsym.listings.begun import begins
from lstmsym.listings.building import build
from lstmsym.listings.code import Code
from lstmsym.listings.driving import OWN, calls_own, only_drives
from lstmsym.listings.findings import Finding
from lstmsym.listings.flow import Flow
from lstmsym.listings.forward import doubt, read_forward
from lstmsym.listings.gathered import gathered
from lstmsym.listings.given import NOTHING_SAID, Called, given, stackings, turned
from lstmsym.listings.judging import Judging, g_marks, judged
from lstmsym.listings.keys import keys_in
from lstmsym.listings.meanings import blamed, inherited, score, settled, troubled, unexplained
from lstmsym.listings.outline import Outline, is_update, outline
from lstmsym.listings.plainer import marked, origin, plainer
from lstmsym.listings.records import by_place
from lstmsym.listings.rows import row, verdict_row
from lstmsym.listings.source import TOO_LONG, Damage, ListingError, parse
from lstmsym.listings.stacks import unstacked
from lstmsym.listings.statements import each
from lstmsym.listings.truth import Truth
from lstmsym.listings.zipped import indexed
from lstmsym.notation import NotationError
from lstmsym.shapes import ShapeError
from lstmsym.verify.judge import Judge

IN_LOOP = ("last-only", "stale", "trap")
"""What is wrong with a statement of a step only where a sequence calls the step."""


@dataclass(frozen=True)
class Listing:
    """A listing that has been read: a row for each statement, its cell, and what had to be mended."""

    rows: tuple[Row, ...]
    cell: Cell | None
    damage: tuple[Damage, ...] = field(default=())


def read_listing(
    text: str, first_line: int = 1, cell: Cell | None = None, called: Called = NOTHING_SAID
) -> Listing:
    """Judge every statement of a NumPy listing.

    ``first_line`` is the line of the file on which the listing begins; ``cell`` is the cell that it is
    about, where the listing has no forward pass of its own, and ``called`` what its names are there.

    Raises:
        ListingError: it is too large or no Python at all.
    """
    source = parse(text)
    statements = list(each(source.body))
    plans = outline(
        tuple(marked(gathered(appended(indexed(unstacked(plainer(by_place(list(source.body))))))))),
        () if cell is None else tuple(q.name for q in cell.quantities),
    )
    readings = [_safely(plan, cell, called) for plan in plans]
    lines = source.lines
    found: dict[int, Row] = {}
    places = {(s.lineno, s.col_offset): s for s in statements}
    for reading in readings:
        for statement, one in reading.rows(lines):
            own = origin(statement) or places.get((statement.lineno, statement.col_offset))
            if own is None:
                continue
            key = id(own)
            if key not in found or _worse(one, found[key]):
                found[key] = one
    rows = [found.get(id(s)) or row(s, lines, "prose", "not-a-claim", message=_why(s)) for s in statements]
    said = {d.line: d.message for d in source.damage}
    for number in source.lost:
        why = TOO_LONG if said.get(number, "").startswith(TOO_LONG) else "no Python"
        rows.append(Row(number, lines[number - 1].strip(), "statement", "unread", message=why))
    mended = {d.line: d.message for d in source.damage if d.line not in source.lost}
    placed = [
        replace(
            r, line=r.line + first_line - 1, message="; ".join(filter(None, (r.message, mended.get(r.line))))
        )
        for r in sorted(rows, key=lambda r: r.line)
    ]
    damage = tuple(
        replace(d, line=d.line + first_line - 1) for d in sorted(source.damage, key=lambda d: d.line)
    )
    main = max(readings, key=lambda r: (bool(r.plan.backward), r.cell is not None), default=None)
    return Listing(tuple(placed), main.cell if main else None, damage)


def _why(statement: ast.stmt) -> str:
    """Why a statement outside the two passes claims nothing."""
    if is_update(statement):
        return "a step of the training"
    return "code around the two passes" if isinstance(statement, (ast.Assign, ast.AugAssign)) else ""


def _worse(new: Row, old: Row) -> bool:
    """Which of two rows of a statement that stands for several is shown: the worse."""
    order = ("not-a-claim", "proved", "conditional", "undecided", "unread", "refuted")
    return order.index(new.verdict) > order.index(old.verdict)


@dataclass
class _Reading:
    """What was found: the forward part's kinds and the backward part's findings."""

    plan: Outline
    kinds: Mapping[int, tuple[str, str]]
    judging: Judging | None = None
    problem: str = ""

    @property
    def cell(self) -> Cell | None:
        return self.judging.forward.cell if self.judging else None

    def rows(self, lines: tuple[str, ...]) -> Iterator[tuple[ast.stmt, Row]]:
        for statement in self.plan.definitions:
            yield statement, row(statement, lines, "definition", "not-a-claim")
        yield from self.forward_rows(lines)
        if self.judging is None and only_drives(self.plan):
            for statement in each(self.plan.backward):
                message = OWN if calls_own(statement, self.plan) else ""
                yield statement, row(statement, lines, "prose", "not-a-claim", message=message)
        else:
            yield from self.backward_rows(lines)

    def forward_rows(self, lines: tuple[str, ...]) -> Iterator[tuple[ast.stmt, Row]]:
        for statement in each(self.plan.forward):
            if origin(statement) is None:
                continue
            kind, message = self.kinds.get(id(statement), ("prose", ""))
            if kind == "unread" and calls_own(statement, self.plan):
                kind, message = "prose", OWN
            if kind == "unread" and not self.plan.backward:
                kind, message = "prose", "no part of a recurrence"
            verdict = "unread" if kind == "unread" else "not-a-claim"
            said = "statement" if kind == "unread" else kind
            yield statement, row(statement, lines, said, verdict, message=message)

    def backward_rows(self, lines: tuple[str, ...]) -> Iterator[tuple[ast.stmt, Row]]:
        found: dict[int, Finding] = {}
        for finding in self.judging.findings if self.judging else ():
            old = found.get(id(finding.statement))
            if old is None or _rank(finding) >= _rank(old):
                found[id(finding.statement)] = finding
        flow = Flow(self.judging, self.plan.forward, self.plan.backward) if self.judging else None
        for statement in each(self.plan.backward):
            one = found.get(id(statement))
            if origin(statement) is None and (one is None or one.status not in IN_LOOP):
                continue
            if one is not None and self.judging is not None and flow is not None:
                yield statement, flow.amended(verdict_row(one, self.judging, lines), statement)
            elif isinstance(statement, (ast.Assign, ast.AugAssign)):
                yield statement, row(statement, lines, "statement", "unread", message=self.problem)


def _rank(finding: Finding) -> int:
    """What a row shows of several findings: the worst."""
    ranks = {"prose": 0, "right": 2, "term": 2, "conditional": 3, "unread": 4}
    named = finding.status == "definition" and finding.wanted and finding.value is not None
    return 3 if named else 1 if finding.status == "definition" else ranks.get(finding.status, 5)


def _safely(plan: Outline, cell: Cell | None, called: Called) -> _Reading:
    """What is found, or that it is beyond this reader: whatever a listing holds, it gets its rows."""
    try:
        return _read(plan, cell, called)
    except (ListingError, NotationError, ShapeError) as error:
        return _Reading(plan, {}, None, f"it could not be read: {error}")
    except Exception as error:  # one pass never costs the others their rows
        return _Reading(plan, {}, None, fault(error))


def _read(plan: Outline, cell: Cell | None, called: Called) -> _Reading:
    """The layout and the meanings under which most statements are right."""
    if cell is not None and not any(isinstance(s, (ast.Assign, ast.For)) for s in plan.forward):
        names = {key for s in plan.backward for key in keys_in(s)}
        cells = [*stackings(cell), turned(cell)]
        forwards = [given(c, layout, names, called) for c in cells for layout in LAYOUTS]
        kinds: Mapping[int, tuple[str, str]] = {}
        problem = ""
    else:
        runs = [read_forward(plan.forward, plan.helpers, layout) for layout in LAYOUTS]
        least = min(map(doubt, runs))
        forwards, problem = [], ""
        kinds = min(runs, key=doubt).kinds
        for run in runs:
            if doubt(run) > least:
                continue
            try:
                forwards.append(build(run, begins(plan, run)))
            except (ListingError, NotationError, ShapeError) as error:
                problem = f"the forward pass gives no cell: {str(error).rpartition('Listing: ')[2]}"
    best: Judging | None = None
    code = Code(plan.backward, plan.helpers, plan.functions)
    for forward in forwards:
        judging = settled(Truth(forward, Judge(forward.cell)), code)
        if best is None or score(judging) > score(best):
            best = judging
        if not troubled(judging) and judging.consistent >= 0:
            break
    if best is None:
        return _Reading(plan, kinds, None, problem or "no forward equations were found: name the cell")
    meanings, best.truth.g_marks = best.meanings, g_marks(best)
    final = judged(best.truth, code, meanings, final=True)
    if any(unexplained(f) for f in final.findings) or inherited(final):
        final = judged(best.truth, code, meanings, blamed(final), final=True)
    return _Reading(plan, best.forward.kinds or kinds, final)
