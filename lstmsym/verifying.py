"""A document of the user's judged: its equations and its code, with the cell that it or the user names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import sympy as sp

from lstmsym import cells
from lstmsym.binding.verify import verify_document
from lstmsym.cell import Cell
from lstmsym.documents.file import lines_ended, text_of
from lstmsym.documents.front import front_matter, head
from lstmsym.documents.limits import DocumentError
from lstmsym.documents.result import Result
from lstmsym.locate import find_cell
from lstmsym.mistakes import NotationError
from lstmsym.reporting.claims import symbols
from lstmsym.reporting.compare import compare

Progress = Callable[[int, int], None]


def verify_file(path: str, cell: str = "", progress: Progress | None = None) -> Result:
    """Judge a file; ``cell`` is what the user calls the cell that it is about, as for `find_cell`.

    Raises:
        DocumentError: the file can't be used at all.
        NotationError: there is no such cell.
    """
    return verify_text(text_of(path), path, find_cell(cell)[0] if cell else None, progress)


def verify_text(text: str, path: str, cell: Cell | None = None, progress: Progress | None = None) -> Result:
    """Judge a text; its front matter may name a cell where the user names none.

    Raises:
        DocumentError: it can't be used at all.
    """
    result = verify_document(text, path, cell or named_cell(text, path), progress)
    if all(row.kind == "prose" for row in result.rows):
        raise DocumentError(
            f"{path}: no equations were found: give a text with formulas ($...$ or h(t) = ...) or a listing"
        )
    if result.cell is None:
        return result
    cell = folded(result.cell, text) if not any(row.latex for row in result.rows) else result.cell
    return replace(
        result, cell=cell, cell_note=result.cell_note or compare(cell),
        symbols=result.symbols or symbols(cell, text),
    )  # fmt: skip


def folded(cell: Cell, code: str) -> Cell:
    """A cell without the intermediates that the code has no name for: they are written out."""
    known = set(re.findall(r"\w+", code)) | {q.name for q in cell.quantities if q.role != "name"}
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


def named_cell(text: str, path: str) -> Cell | None:
    """The cell that the front matter names: one that ships, since files of cells are run.

    Raises:
        DocumentError: there is none of this name.
    """
    found = head(lines_ended(text))
    name = front_matter(found[1]).cell if found else ""
    if not name:
        return None
    if ".py" in name:
        raise DocumentError(
            f"{path}: cell: {name} in the front matter would run a file: give it yourself, --cell {name}"
        )
    try:
        return cells.find(name)
    except NotationError as error:
        raise DocumentError(f"{path}: front matter: {error}") from None
