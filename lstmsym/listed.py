"""The code in a document judged: its fences are one program, each statement at its line of the file."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from lstmsym.cell import Cell
from lstmsym.documents.limits import DocumentError
from lstmsym.documents.result import Result, Row, Witness
from lstmsym.documents.split import LISTING, Block
from lstmsym.listings import rows as listed
from lstmsym.listings.read import Listing, read_listing
from lstmsym.listings.source import ListingError
from lstmsym.verify.sequence import STEPS

PYTHON = frozenset("python py python3 ipython ipython3 pycon numpy sage".split())
"""What a fence of code may say that it is; another language's has one row, which says so."""


def verify_listing(text: str, path: str = "", cell: Cell | None = None) -> Result:
    """Judge a Python file.

    Raises:
        DocumentError: it can't be used at all.
    """
    try:
        found = Found.of([read_listing(text, 1, cell)])
    except ListingError as error:
        raise DocumentError(f"{path}: {error}") from None
    return Result(path, folded(found.cell, text), rows=found.rows, notes=found.notes)


def folded(cell: Cell | None, text: str) -> Cell | None:
    """A cell without the intermediates that the text has no name for: they are written out."""
    if cell is None:
        return None
    known = set(re.findall(r"\w+", text)) | {q.name for q in cell.quantities if q.role != "name"}
    meaning: dict[sp.Expr, sp.Expr] = {}
    equations = []
    for equation in cell.equations:
        expr = equation.expr.xreplace(meaning)
        if equation.name.base in known:
            equations.append(replace(equation, expr=expr))
        else:
            meaning[equation.name] = expr
    kept = {e.name.base for e in equations}
    quantities = tuple(q for q in cell.quantities if q.role != "name" or q.name in kept)
    return replace(cell, quantities=quantities, equations=tuple(equations))


@dataclass(frozen=True)
class Found:
    """What was found of listings."""

    rows: tuple[Row, ...] = ()
    cell: Cell | None = None
    notes: tuple[str, ...] = ()

    @staticmethod
    def of(listings: Sequence[Listing], more: Iterable[Row] = ()) -> Found:
        """The rows of all of them and more, in order."""
        rows = [*more, *(_row(r) for listing in listings for r in listing.rows)]
        cell = next((listing.cell for listing in listings if listing.cell is not None), None)
        notes = tuple(f"line {d.line}: {d.message}" for listing in listings for d in listing.damage)
        return Found(tuple(sorted(rows, key=lambda r: r.line)), cell, notes)


def verify_fences(blocks: Iterable[Block], cell: Cell | None) -> Found:
    """Judge the listings among the blocks of a document; ``cell`` is that of its equations."""
    fences = [b for b in blocks if b.kind == LISTING and b.text.strip()]
    code = [b for b in fences if b.language in PYTHON]
    others = [_foreign(block) for block in fences if block not in code]
    if not code:
        return Found.of([], others)
    try:
        return Found.of([read_listing(_joined(code), 1, cell)], others)
    except ListingError:
        found = [_one(block, cell) for block in code]
        return Found.of(
            [f for f in found if isinstance(f, Listing)], [*others, *(f for f in found if isinstance(f, Row))]
        )


def _foreign(block: Block) -> Row:
    message = f"code in {block.language} is not read"
    return Row(block.line, first_line(block), "prose", "not-a-claim", message=message)


def first_line(block: Block) -> str:
    """How the code of a block begins."""
    return block.text.strip().split("\n")[0]


def _joined(code: Iterable[Block]) -> str:
    """All fences as one text, each at its lines."""
    lines: list[str] = []
    for block in code:
        lines += [""] * (block.line - 1 - len(lines))
        lines += textwrap.dedent(block.text).split("\n")
    return "\n".join(lines)


def _one(block: Block, cell: Cell | None) -> Listing | Row:
    try:
        return read_listing(block.text, block.line, cell)
    except ListingError as error:
        return Row(block.line, first_line(block), "statement", "unread", message=str(error))


def _row(row: listed.Row) -> Row:
    w = row.witness
    witness = Witness({**w.sizes, "T": STEPS}, w.entry, w.left, w.right) if w else None
    return Row(**(vars(row) | {"witness": witness}))
