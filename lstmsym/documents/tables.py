"""Matrices, cases and other environments inside a formula."""

from __future__ import annotations

import re

from lstmsym.documents import symbols as S
from lstmsym.documents.cursor import Cursor
from lstmsym.documents.formula import Brackets, Cases, Formula, Matrix, Words
from lstmsym.documents.limits import ReadingError
from lstmsym.documents.tokens import Token


class Tables(Cursor):
    """The part of the parser that reads what has rows."""

    def substack(self) -> Formula:
        """Several limits under each other."""
        start = self.at
        self.take()
        if self.kind() != "{":
            self.fail(r"\substack without its lines")
        self.take()
        items = [self.relation()]
        while self.kind() in ("row", "comma"):
            self.take()
            items.append(self.relation())
        if self.kind() != "}":
            self.fail(r"\substack is not closed")
        self.take()
        separators = (",",) * (len(items) - 1)
        return Brackets("", "", tuple(items), separators, span=self.span(start))

    def binomial(self) -> Formula:
        """One over another in round brackets: a column of two."""
        start = self.at
        self.take()
        return Matrix(((self.argument(),), (self.argument(),)), "binom", span=self.span(start))

    def environment(self) -> Formula:
        """A matrix, cases, or an environment that only lays out."""
        start = self.at
        opening = self.take()
        self.deeper()
        rows = self.rows(opening)
        self.take()
        self.depth -= 1
        span = self.span(start)
        if opening.plain in ("cases", "dcases", "rcases", "cases*"):
            if any(not row or len(row) > 2 for row in rows):
                raise ReadingError("cases have a value and a condition in each row", opening.start)
            return Cases(tuple((r[0], r[1] if len(r) > 1 else None) for r in rows), span=span)
        if opening.plain in S.TABLES:
            columns = re.search(
                r"\{([^{}]*)\}$", opening.spelling.removeprefix(r"\begin{" + opening.plain + "}")
            )
            return Matrix(tuple(rows), opening.plain, columns[1] if columns else "", span=span)
        if opening.plain in S.TRANSPARENT and len(rows) == 1 and len(rows[0]) == 1:
            return rows[0][0]
        raise ReadingError(f"the environment {opening.plain} is not understood here", opening.start)

    def rows(self, opening: Token) -> list[tuple[Formula, ...]]:
        """The cells of an environment, up to its end."""
        rows: list[tuple[Formula, ...]] = []
        cells: list[Formula] = []
        while True:
            kind = self.kind()
            if kind == "and":
                self.take()
            elif kind in ("row", "end"):
                if cells:
                    rows.append(tuple(cells))
                cells = []
                if kind == "end":
                    if self.plain() != opening.plain:
                        self.fail(f"{opening.plain} is ended by {self.plain()}")
                    return rows
                self.take()
            elif not kind:
                raise ReadingError(f"the environment {opening.plain} is not ended", opening.start)
            else:
                cells.append(self.cell())

    def cell(self) -> Formula:
        """One cell: formulas, words, a comma at the end."""
        start = self.at
        found: list[Formula] = []
        while self.kind() not in ("and", "row", "end", ""):
            if self.kind() in ("comma", "gap"):
                self.take()
            elif self.kind() == "text":
                token = self.take()
                found.append(Words(token.plain, token.spelling, span=(token.start, token.end)))
            else:
                found.append(self.relation())
        if len(found) == 1:
            return found[0]
        return Brackets("", "", tuple(found), (" ",) * max(0, len(found) - 1), span=self.span(start))
