"""A document judged: its forward equations are its cell, every other equation a claim with a verdict.

text -> rows -> forward equations -> cell -> meanings of the gradients' names -> claims -> verdicts
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, groupby

from lstmsym.binding.bind import bind
from lstmsym.binding.choices import Choices
from lstmsym.binding.claims import Claims
from lstmsym.binding.consistency import Consistency
from lstmsym.binding.definitions import Definitions
from lstmsym.binding.given import bind_to
from lstmsym.binding.judging import LineJudge, Progress, plain
from lstmsym.binding.kinds import letters_of
from lstmsym.binding.listed import read_listings
from lstmsym.binding.marked import marked
from lstmsym.binding.prepared import lines_of
from lstmsym.binding.restated import restated
from lstmsym.binding.solve import Solver
from lstmsym.binding.spoken import spoken_loss
from lstmsym.binding.stated import held_names
from lstmsym.binding.symbols import symbols
from lstmsym.binding.table import Bound, Line
from lstmsym.binding.told import Told, told
from lstmsym.cell import Cell
from lstmsym.documents.formula import Apply, Brackets
from lstmsym.documents.read import Document, read
from lstmsym.documents.result import Result, Row, Symbol
from lstmsym.documents.rows import Equation, NotAClaim, Unread
from lstmsym.documents.rows import Row as Read
from lstmsym.verify.judge import Judge

WORST = ("not-a-claim", "proved", "conditional", "undecided", "unread", "refuted")
"""Verdicts, the later the worse: a row of several lines has that of its worst."""

FORWARD = {
    "forward": ("forward", "a forward equation"),
    "alias": ("forward", "a forward equation"),
    "again": ("forward", "a forward equation of another system than the one that is judged"),
    "loss": ("definition", "a definition"),
    "definition": ("definition", "a definition"),
}
"""What a line that makes the cell is called."""


def verify_document(
    text: str, path: str = "", cell: Cell | None = None, progress: Progress | None = None
) -> Result:
    """Judge every equation of a document.

    Raises:
        DocumentError: the file cannot be used at all.
    """
    document = read(text, path)
    said = told(document, text)
    lines = lines_of(document)
    lines = marked(lines, letters_of(document, lines))
    if said.loss is None:
        said = replace(said, loss=spoken_loss(document, lines, text))
    bound = bind(document, lines, said, held_names(text, document))
    listed = read_listings(document, bound.cell or cell)
    cell = bound.cell or cell or listed.cell
    if bound.cell is None and cell is not None:
        bound = bind_to(cell, document, lines, said)
    judging = _Judging(document, lines, bound, text, said, progress or (lambda done, of: None))
    rows = sorted((*judging.rows(), *listed.rows), key=lambda row: row.line)
    damage = (f"line {d.line}: {d.message}" for d in listed.damage)
    return Result(path, bound.cell, "", judging.symbols, tuple(rows), (*_notes(document), *damage))


def _notes(document: Document) -> Iterator[str]:
    """What of the file was read as something else, a sentence each."""
    yield from dict.fromkeys(f"line {row.line}: {note}" for row in document.rows for note in row.notes)


class _Judging:
    """The rows of a document, in order."""

    def __init__(
        self, document: Document, lines: list[Line], bound: Bound, text: str, said: Told, progress: Progress
    ) -> None:
        self.document, self.lines, self.bound = document, lines, bound
        self.of_row: dict[int, list[int]] = {}
        for place, (_, _, row) in enumerate(lines):
            self.of_row.setdefault(id(row), []).append(place)
        self.defining: set[int] = set()
        self.same: dict[int, list[int]] = {}
        self.symbols: tuple[Symbol, ...] = ()
        if bound.cell is not None:
            judge = Judge(bound.cell)
            claims = Claims(Choices(lines, bound, judge.system))
            definitions = Definitions(claims, said)
            definitions.prepare()
            self.defining = definitions.defining
            Solver(Consistency(claims, judge)).solve()
            judged = LineJudge(claims, judge, text)
            self.found = judged.rows(progress)
            self.symbols = symbols(claims.choices, judge.show)
            self.same = restated(lines, bound)

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
            return Row(row.line, row.source, "claim", "unread", message=where + row.reason)
        if isinstance(row, NotAClaim):
            kind = "statement" if row.reason in ("an inequality", "an approximation") else "prose"
            return Row(row.line, row.source, kind, "not-a-claim", message=row.reason)
        assert isinstance(row, Equation)
        places = self.of_row[id(row)]
        kinds = {self.bound.kinds[n] for n in places if n in self.bound.kinds}
        if kinds:
            first = next((same[0] for same in self.same.values() if places[0] in same), places[0])
            if first != places[0]:
                message = f"the same function as in line {self.lines[first][2].line}"
                return plain(row, "proved", message, "statement")
            if first in chain(*self.same.values()):
                kinds = {"forward"}
            kind, message = FORWARD[max(kinds, key=list(FORWARD).index)]
            return plain(row, "not-a-claim", message, kind)
        if _defines_function(row):
            return plain(row, "not-a-claim", "the definition of a function", "definition")
        if self.bound.cell is None:
            return plain(row, "unread", self.bound.problem)
        if set(places) <= self.defining:
            return plain(row, "not-a-claim", "says what the notation stands for", "definition")
        return max((self.found[n] for n in places), key=lambda found: WORST.index(found.verdict))


def _place(row: Read) -> object:
    """Equations of one chain have one place; any other row its own."""
    return (row.line, row.column, row.source) if isinstance(row, Equation) and row.chain >= 0 else id(row)


def _defines_function(row: Equation) -> bool:
    left = row.left
    return isinstance(left, Apply) and isinstance(left.argument, Brackets) and not left.head.primes
