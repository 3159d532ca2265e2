"""The listings of a document, read as one program: a class may go on in the next block."""

from __future__ import annotations

from lstmsym.cell import Cell
from lstmsym.documents.read import Document
from lstmsym.documents.result import Row
from lstmsym.listings import Listing, ListingError, read_listing


def read_listings(document: Document, cell: Cell | None) -> Listing | None:
    """Rows for the statements of all listings; ``cell`` is theirs where they have no forward pass."""
    blocks = document.listings
    if not blocks:
        return None
    first = blocks[0].line
    lines: list[str] = []
    for block in blocks:
        lines += [""] * (block.line - first - len(lines)) + block.text.rstrip("\n").split("\n")
    try:
        found = read_listing("\n".join(lines), first)
        return found if found.cell or cell is None else read_listing("\n".join(lines), first, cell)
    except ListingError as error:
        row = Row(first, blocks[0].text.strip().split("\n")[0], "statement", "unread", message=str(error))
        return Listing((row,), None)
