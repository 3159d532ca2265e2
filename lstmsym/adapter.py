"""What `binding.verify` finds, as a `documents.result.Result`; gone when it returns one itself."""

from __future__ import annotations

from typing import Any

from lstmsym.binding import verify
from lstmsym.cell import Cell
from lstmsym.documents.limits import DocumentError
from lstmsym.documents.result import Result, Row, Witness
from lstmsym.listings.read import read_listing
from lstmsym.listings.source import ListingError
from lstmsym.verify.sequence import STEPS


def verify_document(text: str, path: str = "", cell: Cell | None = None, progress: Any = None) -> Result:
    """Judge a document."""
    if path.endswith(".py"):
        try:
            listing = read_listing(text, 1, cell)
        except ListingError as error:
            raise DocumentError(f"{path}: {error}") from None
        notes = tuple(f"line {d.line}: {d.message}" for d in listing.damage)
        return Result(path, listing.cell, rows=tuple(map(_row, listing.rows)), notes=notes)
    found = verify.verify_document(text, path, cell)
    if isinstance(found, Result):
        return found
    rows = tuple(Row(**(vars(f) | {"witness": None, "latex": f.source})) for f in found.rows)
    return Result(path, found.cell, rows=rows)


def _row(row: Any) -> Row:
    w = row.witness
    witness = Witness({**w.sizes, "T": STEPS}, w.entry, w.left, w.right) if w else None
    return Row(**(vars(row) | {"witness": witness}))
