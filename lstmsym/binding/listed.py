"""The listings of a document judged: its fences are one program, each statement at its line of the file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from lstmsym.cell import Cell
from lstmsym.documents.read import Document
from lstmsym.documents.result import Row
from lstmsym.documents.split import Block
from lstmsym.listings import Listing, ListingError, read_listing
from lstmsym.listings.given import NOTHING_SAID, Called

PYTHON = frozenset("python py python3 ipython ipython3 pycon numpy sage".split())
"""What a fence of code may say that it is; another language's has one row, which says so."""


def read_listings(document: Document, cell: Cell | None, called: Called = NOTHING_SAID) -> Listing:
    """Rows for the statements of all listings; ``cell`` is theirs where they have no forward pass.

    ``called`` is what the text says of their names.
    """
    fences = [b for b in document.listings if b.text.strip()]
    code = [b for b in fences if b.language in PYTHON]
    others = [_foreign(b) for b in fences if b not in code]
    if not code:
        return Listing(tuple(others), None)
    try:
        return _together([_read(_joined(code), 1, cell, called)], others)
    except ListingError as error:
        if len(code) == 1:
            return Listing((*others, _unread(code[0], error)), None)
    found: list[Listing] = []
    for block in code:
        try:
            found.append(_read(block.text, block.line, cell, called))
        except ListingError as error:
            others.append(_unread(block, error))
    return _together(found, others)


def _read(text: str, first: int, cell: Cell | None, called: Called) -> Listing:
    """A listing with its own cell if it has one, else with the one given."""
    found = read_listing(text, first)
    return found if found.cell or cell is None else read_listing(text, first, cell, called)


def _together(listings: Sequence[Listing], others: Iterable[Row]) -> Listing:
    rows = (*others, *(row for listing in listings for row in listing.rows))
    cell = next((listing.cell for listing in listings if listing.cell is not None), None)
    return Listing(rows, cell, tuple(d for listing in listings for d in listing.damage))


def _joined(code: Iterable[Block]) -> str:
    """All fences as one text, each at its lines."""
    lines: list[str] = []
    for block in code:
        lines += [""] * (block.line - 1 - len(lines))
        lines += textwrap.dedent(block.text).split("\n")
    return "\n".join(lines)


def _foreign(block: Block) -> Row:
    message = f"code in {block.language} is not read"
    return Row(block.line, _first_line(block), "prose", "not-a-claim", message=message)


def _unread(block: Block, error: ListingError) -> Row:
    return Row(block.line, _first_line(block), "statement", "unread", message=str(error))


def _first_line(block: Block) -> str:
    return block.text.strip().split("\n")[0]
