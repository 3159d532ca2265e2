"""What is taken for granted of a function that a document uses and does not define.

Its lines are judged with one function, tanh or what its letter usually means.  A right line keeps its
verdict if it is right for functions about which nothing is known as well.  It is otherwise right only if
a function is the one that was taken, and a wrong line may be right if it is another usual one; a line
that needs another function than most is wrong, as is one right only where two functions coincide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lstmsym.binding.activations import GENERIC
from lstmsym.binding.choices import Choices
from lstmsym.binding.claims import Claims
from lstmsym.binding.definitions import Definitions
from lstmsym.binding.judging import LineJudge
from lstmsym.binding.messages import wrong_whatever
from lstmsym.binding.opened import Opened
from lstmsym.binding.table import Bound
from lstmsym.binding.values import Unreadable
from lstmsym.cell import Cell
from lstmsym.documents.result import Row
from lstmsym.notation import NotationError
from lstmsym.shapes import ShapeError
from lstmsym.verify.evaluate import OUT_OF_REACH
from lstmsym.verify.judge import Judge

NAMES = {"sigma": "the logistic sigmoid", "tanh": "tanh", "relu": "ReLU"}
USUAL = ("sigma", "tanh")
Functions = Mapping[str, str]


class Supposed:
    """Rows with what they take for granted of functions."""

    def __init__(self, judged: LineJudge, document: Opened) -> None:
        """``judged`` has the verdicts under the functions that were assumed."""
        self.judged, self.document, self.taken = judged, document, document.assumed
        self.choices, self.lines = judged.choices, judged.lines
        self.open = list(self.taken)
        self.chosen: Functions = {}
        """The functions for which lines are right."""
        self.judges: dict[tuple[str, ...], LineJudge | None] = {}

    def rows(self, rows: Mapping[int, Row]) -> dict[int, Row]:
        """The rows, each with what it assumes."""
        if not self.open or len(self.open) > len(GENERIC):
            return dict(rows)
        found, needs = dict(rows), dict[int, Functions]()
        for place, row in rows.items():
            right = row.verdict in ("proved", "conditional")
            numbers = row.witness is not None or wrong_whatever(row.message)
            if place in self.judged.outputs or not (right or numbers):
                continue
            if not right or not self._right(self._generic(), place, row):
                needed = self._needed(place, row)
                if right and needed is None:
                    found[place] = self._coincident(place, row)
                elif needed is not None:
                    needs[place] = needed
        chosen = self.chosen = self._chosen(needs.values())
        for place, needed in needs.items():
            if needed.items() <= chosen.items():
                found[place] = under(rows[place], said(needed))
            elif rows[place].verdict != "refuted":
                found[place] = against(rows[place], needed)
        return found

    def _generic(self, same: bool = False) -> Functions:
        """Functions about which nothing is known; ``same``: all are one."""
        return {key: GENERIC[0 if same else place] for place, key in enumerate(self.open)}

    def _needed(self, place: int, row: Row) -> Functions | None:
        """The functions for which a line is right: of one name where that is enough; None if for none."""
        for key in self.open:
            for function in dict.fromkeys((self.taken[key], *USUAL)):
                if self._right({**self._generic(), key: function}, place, row):
                    return {key: function}
        if row.verdict == "refuted" or self._right(self._generic(same=True), place, row):
            return None
        return self.taken

    def _coincident(self, place: int, row: Row) -> Row:
        """A line that is right only where two functions are the same, as nothing says that they are."""
        return _wrong(row, f"right only if {' and '.join(self.open)} are the same function")

    def _chosen(self, needs: Iterable[Functions]) -> Functions:
        """For each name the function for which most lines are right."""
        votes = Counter(item for needed in needs for item in needed.items())
        chosen: dict[str, str] = {}
        for (key, function), _ in sorted(
            votes.items(), key=lambda v: (-v[1], v[0][1] != self.taken[v[0][0]])
        ):
            chosen.setdefault(key, function)
        return chosen

    def _under(self, functions: Functions) -> LineJudge | None:
        """The judge of the document with other functions in the place of those that are open."""
        key = tuple(functions[k] for k in self.open)
        if key not in self.judges:
            bound = self.document.with_functions(functions)
            self.judges[key] = None if bound.cell is None else self._judge(bound, bound.cell)
        return self.judges[key]

    def _judge(self, bound: Bound, cell: Cell) -> LineJudge:
        judge = Judge(cell)
        choices = Choices(self.lines, bound, judge.system)
        claims = Claims(choices)
        Definitions(claims, self.document.told).prepare()
        choices.choice, choices.flat = dict(self.choices.choice), self.choices.flat
        choices.pinned = dict(self.choices.pinned)
        return LineJudge(claims, judge, self.judged.text)

    def _right(self, functions: Functions, place: int, row: Row) -> bool:
        """Whether a line is right with these functions."""
        judge = self._under(functions)
        if judge is None:
            return False
        across = judge.several.wanted(self.lines[place])
        try:
            if not across and judge.judge.right(judge.claims.claim(place).claim):
                return True
        except (Unreadable, NotationError, ShapeError, *OUT_OF_REACH):
            across = True
        return (across or bool(row.assumption)) and judge.judged(place).verdict in ("proved", "conditional")


def said(functions: Functions) -> str:
    """A sentence that names them."""
    parts = []
    for function in sorted(set(functions.values())):
        heads = sorted(key for key, value in functions.items() if value == function)
        parts.append(
            f"{' and '.join(heads)} {'is' if len(heads) == 1 else 'are'} {NAMES.get(function, function)}"
        )
    return " and ".join(parts)


def against(row: Row, functions: Functions) -> Row:
    """A row that is right only with other functions than most lines."""
    return _wrong(row, f"right if {said(functions)}, for which other lines are wrong")


def _wrong(row: Row, message: str) -> Row:
    return replace(row, verdict="refuted", assumption="", message=message)


def under(row: Row, assumption: str) -> Row:
    """A row that is right under an assumption."""
    both = " and ".join(filter(None, (row.assumption, assumption)))
    message = "" if row.verdict == "refuted" else row.message
    return replace(row, verdict="conditional", assumption=both, message=message, witness=None, repair="")
