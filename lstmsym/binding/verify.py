"""A document judged: its forward equations are its cell, every other equation a claim with a verdict.

text -> rows -> forward equations -> cell -> meanings of the gradients' names -> claims -> verdicts
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from lstmsym.binding.bind import NOT_FORWARD
from lstmsym.binding.choices import Choices
from lstmsym.binding.claims import Claims
from lstmsym.binding.computed import computed, statements
from lstmsym.binding.consistency import Consistency
from lstmsym.binding.defined import is_naming
from lstmsym.binding.definitions import Definitions
from lstmsym.binding.elsewhere import of_other_systems
from lstmsym.binding.evidence import Evidence
from lstmsym.binding.guarded import guarded
from lstmsym.binding.judging import LineJudge, Progress, plain
from lstmsym.binding.opened import Opened, opened
from lstmsym.binding.relied import relied
from lstmsym.binding.remaining import remaining
from lstmsym.binding.restated import restated
from lstmsym.binding.solve import Solver
from lstmsym.binding.supposed import Supposed
from lstmsym.binding.symbols import symbols
from lstmsym.binding.usage import Usage
from lstmsym.cell import Cell
from lstmsym.deadline import READING, WHOLE, TooLong, within
from lstmsym.documents.file import lines_ended
from lstmsym.documents.formula import Apply, Brackets, Delta, Derivative, Formula, Name, Words, walk
from lstmsym.documents.limits import DocumentError
from lstmsym.documents.links import mistyped
from lstmsym.documents.read import Document
from lstmsym.documents.result import Result, Row, Symbol
from lstmsym.documents.rows import Equation, NotAClaim, Unread
from lstmsym.documents.rows import Row as Read
from lstmsym.listings import Listing
from lstmsym.verify.judge import Judge
from lstmsym.verify.readings import are_probabilities

WORST = ("not-a-claim", "proved", "conditional", "undecided", "unread", "refuted")
"""Verdicts, the later the worse: a row of several lines has that of its worst."""

FORWARD = {
    "forward": ("forward", "a forward equation"),
    "alias": ("forward", "a forward equation"),
    "again": ("forward", "a forward equation of another system than the one that is judged"),
    "loss": ("definition", "a definition"),
    "aside": ("statement", "it speaks of no step of the cell"),
    "definition": ("definition", "a definition"),
    "update": ("statement", "an update, not a claim about the gradient"),
}
"""What a line that makes the cell is called."""


def verify_document(
    text: str, path: str = "", cell: Cell | None = None, progress: Progress | None = None
) -> Result:
    """Judge every equation and statement of a document.

    Raises:
        DocumentError: the file cannot be used at all.
    """
    try:
        with within(WHOLE):
            return _verified(lines_ended(text), path, cell, progress)
    except TooLong:
        name = path or "the document"
        raise DocumentError(f"{name}: it takes too long: give the part in question") from None


def _verified(text: str, path: str, cell: Cell | None, progress: Progress | None) -> Result:
    with within(READING):
        document = opened(text, path, cell)
    judging = Judging(document, progress)
    rows = sorted((*judging.rows(), *judging.listed, *_links(text)), key=lambda row: row.line)
    damage = (f"line {d.line}: {d.message}" for d in document.listed.damage)
    notes = (*_notes(document.document), *damage)
    return Result(path, document.bound.cell, "", judging.symbols, tuple(rows), notes)


def _notes(document: Document) -> Iterator[str]:
    """What of the file was read as something else, a sentence each."""
    yield from dict.fromkeys(f"line {row.line}: {note}" for row in document.rows for note in row.notes)


def _links(text: str) -> Iterator[Row]:
    """A row for every link that a scan has changed."""
    for link in mistyped(text):
        message = f"{link.taken}: the link of line {link.other} is {link.meant}"
        yield Row(link.line, link.link, "prose", "not-a-claim", message=message)


class Judging:
    """The rows of a document, in order."""

    def __init__(self, opened: Opened, progress: Progress | None = None) -> None:
        """Judge all lines."""
        self.document, self.lines, self.bound = opened.document, opened.lines, opened.bound
        self.of_row: dict[int, list[int]] = {}
        for place, (_, _, row) in enumerate(self.lines):
            self.of_row.setdefault(id(row), []).append(place)
        self.defining: set[int] = set()
        self.found: dict[int, Row] = {}
        self.same: dict[int, list[int]] = {}
        self.left = remaining(self.lines, self.bound)
        self.symbols: tuple[Symbol, ...] = ()
        self.listed = opened.listed.rows
        if self.bound.cell is not None:
            cell, table = self.bound.cell, self.bound.table
            self.judge = Judge(cell, self.bound.final, table.unit and are_probabilities(cell))
            self.claims = Claims(Choices(self.lines, self.bound, self.judge.system))
            with within(READING):
                self.defining = self._settle(opened)
            self.same = restated(self.lines, self.bound)
            judged = LineJudge(self.claims, self.judge, opened.text)
            rows = judged.rows(progress or (lambda done, of: None))
            supposed = Supposed(judged, opened)
            rows = supposed.rows(rows)
            self.listed = relied(opened, _own(opened.listed, self.judge.system.cell), supposed.chosen)
            self.found = guarded(rows, judged.stated, self.lines, self.bound, self.judge.system)
            self.found.update({place: rows[place] for place in judged.by_itself})
            self.found = of_other_systems(self.found, self.lines, self.bound, self.same)
            self.symbols = symbols(self.claims.choices, self.judge.show)

    def _settle(self, opened: Opened) -> set[int]:
        """Settle what the names of gradients mean; the lines that only say so."""
        system = self.judge.system
        proved = _about(opened.listed, system.cell)
        definitions = Definitions(self.claims, opened.told, computed(proved, self.bound.table, system))
        definitions.prepare()
        solver = Solver(Consistency(self.claims, self.judge))
        solver.solve()
        if Usage(definitions, solver.consistency, list(statements(proved, system))).reconsider():
            solver.solve()
        solver.part_twins()
        Evidence(solver.consistency, opened.told).weigh()
        solver.stand_for_any()
        return definitions.defining

    def _main(self, place: int) -> int:
        """The line of the cell that defines what a line of another system defines, or 0."""
        key = self.bound.table.key(self.lines[place][0])  # type: ignore[arg-type]
        forward = (n for n, kind in self.bound.kinds.items() if kind == "forward")
        found = (n for n in forward if self.bound.table.key(self.lines[n][0]).key == key.key)  # type: ignore[arg-type]
        return next((self.lines[n][2].line for n in found), 0)

    def rows(self) -> Iterator[Row]:
        """A row for every row that was read; the equations of a chain a = b = c share one."""
        for _, together in groupby(self.document.rows, _place):
            found = [self.row(row) for row in together]
            forward = [row for row in found if row.kind == "forward"]
            worst = max(found, key=lambda row: WORST.index(row.verdict))
            yield forward[0] if forward and worst.verdict == "proved" else worst

    def row(self, row: Read) -> Row:
        """What is found of one row."""
        if isinstance(row, Unread):
            where = f"line {row.at[0]}, column {row.at[1]}: " if row.at[0] else ""
            return Row(row.line, row.source, "claim", "unread", message=where + row.reason, latex=row.source)
        if isinstance(row, NotAClaim):
            kind = "statement" if row.reason in ("an inequality", "an approximation") else "prose"
            return Row(row.line, row.source, kind, "not-a-claim", message=row.reason, latex=row.source)
        assert isinstance(row, Equation)
        places = self.of_row[id(row)]
        sorted_ = self._of_forward(row, places)
        if sorted_ is not None:
            return sorted_
        if row.supposed or _is_arithmetic(row):
            message = "it is supposed" if row.supposed else "numbers only"
            return plain(row, "not-a-claim", message, "statement")
        if _defines_function(self.lines[places[0]][0], row):
            return plain(row, "not-a-claim", "the definition of a function", "definition")
        if self.bound.cell is None:
            return plain(row, "unread", self.bound.problem)
        if set(places) <= self.defining:
            return plain(row, "not-a-claim", "says what the notation stands for", "definition")
        return max((self.found[n] for n in places), key=lambda found: WORST.index(found.verdict))

    def _of_forward(self, row: Equation, places: list[int]) -> Row | None:
        """A line of the forward pass or of the loss; one said before is held against that."""
        kinds = {self.bound.kinds[n] for n in places if n in self.bound.kinds}
        if places[0] in self.left:
            right = self.left[places[0]]
            message = "" if right else "it is not the sum of the losses from this step on"
            return plain(row, "proved" if right else "refuted", message, "statement")
        if kinds:
            firsts = {n: same[0] for same in self.same.values() for n in same}
            if all(firsts.get(n, n) != n for n in places):
                message = f"the same function as in line {self.lines[firsts[places[0]]][2].line}"
                return plain(row, "proved", message, "statement")
            if all(n in firsts for n in places):
                kinds = {"forward"}
            if reasons := [self.bound.unread[n] for n in places if n in self.bound.unread]:
                if NOT_FORWARD in reasons:
                    return plain(row, "unread", NOT_FORWARD, "forward")
                return plain(
                    row, "not-a-claim", f"a forward equation, which is not read: {reasons[0]}", "forward"
                )
            kind, message = FORWARD[max(kinds, key=list(FORWARD).index)]
            if kinds == {"again"} and (other := self._main(places[0])):
                message += f": line {other} has another function"
            return plain(row, "not-a-claim", message, kind)
        return None


def _about(listed: Listing, cell: Cell) -> tuple[Row, ...]:
    """The rows of the listings where they are about a cell."""
    return listed.rows if _own(listed, cell) else ()


def _own(listed: Listing, cell: Cell) -> bool:
    """Whether the listings are about a cell."""
    return listed.cell is not None and listed.cell.by_name.keys() <= cell.by_name.keys()


def _place(row: Read) -> object:
    """Equations of one chain have one place; any other row its own."""
    return (row.line, row.column, row.source) if isinstance(row, Equation) and row.chain >= 0 else id(row)


def _is_arithmetic(row: Equation) -> bool:
    """Whether an equation has numbers only."""
    parts = (part for side in (row.left, row.right) for part in walk(side))
    return not any(isinstance(part, (Name, Delta, Derivative, Words)) for part in parts)


def _defines_function(left: Formula, row: Equation) -> bool:
    if is_naming(row.left, row.right):
        return True
    if not isinstance(left, Apply) or not isinstance(left.argument, Brackets) or left.head.primes:
        return False
    return not any(isinstance(part, (Derivative, Delta)) for part in walk(left.argument))  # vec(dL/dW)
