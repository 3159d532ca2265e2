"""A document judged: its forward equations are its cell, every other equation a claim with a verdict.

text -> rows -> forward equations -> cell -> meanings of the gradients' names -> claims -> verdicts
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from lstmsym.binding.bind import bind
from lstmsym.binding.choices import Choices
from lstmsym.binding.claims import Claims
from lstmsym.binding.consistency import Consistency
from lstmsym.binding.definitions import Definitions
from lstmsym.binding.given import bind_to
from lstmsym.binding.judging import LineJudge, Progress, plain
from lstmsym.binding.listed import read_listings
from lstmsym.binding.meant import symbols_of
from lstmsym.binding.prepared import lines_of
from lstmsym.binding.solve import Solver
from lstmsym.binding.stated import held_names
from lstmsym.binding.table import Bound, Line
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
    lines = lines_of(document)
    bound = bind(document, lines, held_names(text, document))
    if bound.cell is None:
        listed = read_listings(document, cell)
        cell = cell or (listed.cell if listed is not None else None)
    if bound.cell is None and cell is not None:
        bound = bind_to(cell, document, lines)
    judging = _Judging(document, lines, bound, text, progress or (lambda done, of: None))
    listed = read_listings(document, bound.cell)
    rows = [*judging.rows(), *(listed.rows if listed is not None else ())]
    return Result(
        path, bound.cell, symbols=judging.symbols, rows=tuple(sorted(rows, key=lambda row: row.line)),
        notes=tuple(f"line {d.line}: {d.message}" for d in listed.damage) if listed is not None else (),
    )  # fmt: skip


class _Judging:
    """The rows of a document, in order."""

    def __init__(
        self, document: Document, lines: list[Line], bound: Bound, text: str, progress: Progress
    ) -> None:
        self.document, self.bound = document, bound
        self.of_row: dict[int, list[int]] = {}
        for place, (_, _, row) in enumerate(lines):
            self.of_row.setdefault(id(row), []).append(place)
        self.defining: set[int] = set()
        self.symbols: tuple[Symbol, ...] = ()
        if bound.cell is not None:
            judge = Judge(bound.cell)
            claims = Claims(Choices(lines, bound, judge.system))
            definitions = Definitions(claims, document, text)
            definitions.prepare()
            self.defining = definitions.defining
            Solver(Consistency(claims, judge)).solve()
            self.symbols = symbols_of(claims.choices)
            self.found = LineJudge(claims, judge, text).rows(progress)

    def rows(self) -> Iterator[Row]:
        """A row for every row that was read; the equations of a chain a = b = c share one."""
        for _, chain in groupby(self.document.rows, _place):
            found = [self.row(row) for row in chain]
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
