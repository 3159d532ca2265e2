"""Verdicts that may depend on equations of the forward pass that are not read: withheld."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy as sp

from lstmsym.binding.judging import NOTHING, plain
from lstmsym.binding.slots import occurrences
from lstmsym.binding.table import Bound, Line
from lstmsym.documents.formula import names as names_of
from lstmsym.documents.result import Row
from lstmsym.notation import Ref
from lstmsym.verify.claims import Claim
from lstmsym.verify.system import System
from lstmsym.verify.words import Local

JUDGED = ("proved", "conditional", "refuted")


def guarded(
    rows: Mapping[int, Row], claims: Mapping[int, Claim], lines: Sequence[Line], bound: Bound, system: System
) -> dict[int, Row]:
    """The rows, without verdicts that an equation which is not read might change."""
    if any(row.verdict == "unread" for row in rows.values()) or bound.unread:
        message = f"{NOTHING}, as far as they are read"
        rows = {
            n: plain(lines[n][2], "undecided", message) if row.message == NOTHING else row
            for n, row in rows.items()
        }
    if not bound.unread:
        return dict(rows)
    where = sorted({lines[n][2].line for n in bound.unread})
    numbers = ", ".join(map(str, where[:4]))
    message = f"it depends on line {numbers}, which is not read"
    if len(where) > 1:
        message = f"it depends on lines {numbers}, which are not read"
    guard = _Guard(lines, bound, system)
    return {
        n: plain(lines[n][2], "undecided", message)
        if row.verdict in JUDGED and (guard.strange(lines[n]) or guard.touches(row.verdict, claims.get(n)))
        else row
        for n, row in rows.items()
    }


class _Guard:
    """Tells what an unread equation may touch."""

    def __init__(self, lines: Sequence[Line], bound: Bound, system: System) -> None:
        names = system.derivation.names
        self.open = bound.open
        table = bound.table
        self.defined = {table.idents.get(table.key(lines[n][0]).key, "") for n in bound.unread}  # type: ignore[arg-type]
        read = {table.key(n).key for place in bound.unread for n in names_of(lines[place][1])}
        self.table = table
        self.unknown = {key for key in read if table.idents.get(key) not in system.shapes}
        self.of = {
            gradient: q.name
            for q in system.cell.quantities
            for gradient in (names.adjoint(q.name), names.back(q.name), names.given(q.name))
        }

    def strange(self, line: Line) -> bool:
        """Whether a gradient stands in a line by what only such an equation reads."""
        found = (slot for side in line[:2] for _, slot, _, _ in occurrences(side, self.table))
        return any(slot.target in self.unknown for slot in found)

    def touches(self, verdict: str, claim: Claim | None) -> bool:
        """Whether a verdict might be another one.

        The gradient of what such an equation reads has a part that nobody knows, and a wrong line may be
        right for what it defines.
        """
        if claim is None or claim.left.has(Local):
            return verdict == "refuted"
        if self._quantities(claim.left) & self.open:
            return True
        return verdict == "refuted" and bool(self._quantities(claim.left + claim.right) & self.defined)

    def _quantities(self, expr: sp.Expr) -> set[str]:
        return {self.of.get(ref.base, ref.base) for ref in expr.atoms(Ref)}
