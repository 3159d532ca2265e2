"""Statements of a listing that rely on a function which the text uses and does not define.

The listing is judged once more with other functions: a statement that is right only with the one that
was taken is right under that condition, and a wrong one may be right with another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from lstmsym.binding.activations import GENERIC
from lstmsym.binding.opened import Opened
from lstmsym.binding.supposed import USUAL, against, said, under
from lstmsym.documents.result import Row

RIGHT = ("proved", "conditional")
Functions = Mapping[str, str]
Place = tuple[int, str]
"""The line and the text of a statement."""


def relied(document: Opened, own: bool, chosen: Functions) -> tuple[Row, ...]:
    """The rows of the listings, with what they take for granted of functions.

    ``own`` says that the listings are about the text's cell, ``chosen`` with which functions lines of the
    text are right.
    """
    rows, taken = document.listed.rows, document.assumed
    if not own or not rows or not 0 < len(taken) <= len(GENERIC):
        return rows
    others = list(_others(taken))
    right = {
        function: set(_right(document.listed_with({**taken, **dict([function])}).rows)) for function in others
    }
    needs = [_needs(row, taken, right) for row in rows]
    ranked = sorted(needs, key=lambda need: need.items() <= taken.items())  # what right statements need last
    chosen = {**dict(chain.from_iterable(need.items() for need in ranked)), **chosen}
    return tuple(_with(row, need, chosen) for row, need in zip(rows, needs, strict=True))


def _with(row: Row, need: Functions, chosen: Functions) -> Row:
    """A row with the function that it needs; a right one that needs another than most is wrong."""
    if not need or need.items() <= chosen.items():
        return under(row, said(need)) if need else row
    return against(row, need) if row.verdict in RIGHT else row


def _others(taken: Functions) -> Iterator[tuple[str, str]]:
    """Each name with another function in the place of that which was taken, first one that is any."""
    for place, (key, function) in enumerate(taken.items()):
        yield from ((key, other) for other in (GENERIC[place], *USUAL) if other != function)


def _right(rows: Iterable[Row]) -> Iterator[Place]:
    return ((row.line, row.source) for row in rows if row.verdict in RIGHT)


def _needs(row: Row, taken: Functions, right: Mapping[tuple[str, str], set[Place]]) -> dict[str, str]:
    """The function that a statement needs: the one that was taken, if it is right with no other."""
    place = (row.line, row.source)
    if row.verdict in RIGHT:
        return {
            key: function for key, function in taken.items()
            if all(place not in found for (other, _), found in right.items() if other == key)
        }  # fmt: skip
    if row.verdict == "refuted":
        return dict([f for f, found in right.items() if place in found and f[1] not in GENERIC][:1])
    return {}
