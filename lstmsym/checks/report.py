"""The rows of a numeric test, and whether all is well."""

from __future__ import annotations

import math
from dataclasses import dataclass

DIFFERENCES, COMPLEX_STEP, SINGLE, EXACT = 1e-7, 1e-10, 1e-4, 1e-12
"""Tolerances, relative: for differences, complex step, float32, and what differs by rounding only."""


@dataclass(frozen=True)
class Row:
    """One comparison; ``error`` is relative, and None where there was nothing to measure."""

    quantity: str
    method: str
    error: float | None
    tolerance: float
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the error is known and within the tolerance, or was not to be measured."""
        return self.error is None or self.error <= self.tolerance

    @property
    def excess(self) -> float:
        """The error in units of the tolerance; infinite where it is not a number."""
        ratio = 0.0 if self.error is None else self.error / self.tolerance
        return math.inf if math.isnan(ratio) else ratio


@dataclass(frozen=True)
class Report:
    """The comparisons made on one kernel."""

    name: str
    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether every row is."""
        return not self.failed

    @property
    def failed(self) -> tuple[Row, ...]:
        """The rows that are not ok."""
        return tuple(row for row in self.rows if not row.ok)

    @property
    def worst(self) -> Row:
        """The row that is closest to its tolerance, or farthest beyond it."""
        return max(self.rows, key=lambda row: row.excess)

    def __str__(self) -> str:
        """An aligned table, and one line that sums it up."""
        cells = [("quantity", "method", "error", "allowed", "")]
        for row in self.rows:
            error = "-" if row.error is None else f"{row.error:.1e}"
            verdict = " ".join(filter(None, ("ok" if row.ok else "WRONG", row.note)))
            cells.append((row.quantity, row.method, error, f"{row.tolerance:.0e}", verdict))
        a, b, c, d, _ = (max(map(len, column)) for column in zip(*cells, strict=True))
        lines = [f"{q:{a}}  {m:{b}}  {e:>{c}}  {t:>{d}}  {v}".rstrip() for q, m, e, t, v in cells]
        right, worst = len(self.rows) - len(self.failed), self.worst
        summary = f"{self.name}: {right} of {len(self.rows)} ok"
        return "\n".join((*lines, f"{summary}; worst: {worst.quantity}, {worst.method}"))
