"""Lines that stand under the equations of another system than the one that is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lstmsym.binding.table import Bound, Line
from lstmsym.documents.formula import Name, names
from lstmsym.documents.result import Row

JUDGED = ("proved", "conditional", "refuted")
ELSEWHERE = "it stands under the equations of another system, and one system of a document is judged"


def of_other_systems(
    rows: Mapping[int, Row], lines: Sequence[Line], bound: Bound, same: Mapping[int, list[int]]
) -> dict[int, Row]:
    """The rows, those open whose next forward equation above is another system's and says another thing."""
    said_again = {place for group in same.values() for place in group}
    anew = {n for n, row in rows.items() if row.verdict == "refuted" and _defines_anew(n, lines, bound)}
    others = {n for n, kind in bound.kinds.items() if kind == "again" and n not in said_again} | anew
    forward = sorted({n for n, kind in bound.kinds.items() if kind in ("forward", "again")} | anew)
    found = dict(rows)
    for place, row in rows.items():
        above = max((n for n in forward if n <= place), default=-1)
        if above in others and row.verdict in JUDGED:
            found[place] = replace(row, verdict="undecided", message=ELSEWHERE, assumption="")
            found[place] = replace(found[place], expected="", repair="", witness=None)
    return found


def _defines_anew(place: int, lines: Sequence[Line], bound: Bound) -> bool:
    """Whether a line has a quantity in terms of what is defined only after that was: it is another one's."""
    left, right, _ = lines[place]
    if not isinstance(left, Name):
        return False
    key = bound.table.key
    forward = {n: lines[n][0] for n, kind in bound.kinds.items() if kind == "forward" and n < place}
    defined = {key(side).key: n for n, side in forward.items() if isinstance(side, Name)}
    first = defined.get(key(left).key, place)
    own = any(key(n).key == key(left).key for n in names(right))
    return own and any(defined.get(key(n).key, -1) > first for n in names(right))
