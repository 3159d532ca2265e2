r"""How many units there are: H of a sum over j = 1 ... H, or 3, or as many as a set S has."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy as sp

from lstmsym.binding.entries import SOME
from lstmsym.binding.table import Table
from lstmsym.binding.units import is_count
from lstmsym.binding.values import Misfit, Unreadable
from lstmsym.documents.formula import Formula, Name, Number, Relation, names, plain
from lstmsym.documents.write import write
from lstmsym.shapes import ShapeError, Unifier, spelled

Size = Callable[[Name], sp.Expr]
"""The size that a name denotes."""


def declared(count: Formula, size: sp.Expr, table: Table, named: Size, unifier: Unifier) -> None:
    """A forward equation says how many units there are."""
    if is_count(count):
        _same(named(count), size, unifier)  # type: ignore[arg-type]
        return
    told = len(list(_told(count, table)))
    table.sizes[f"{plain(count)}#{told}"] = size


def held_against(
    letter: str, count: Formula, size: sp.Expr, table: Table, named: Size, unifier: Unifier
) -> None:
    """Another equation says it: as the forward equations do, otherwise, or for the first time."""
    (size,) = unifier.resolve((size,))
    known = {key for key, s in table.sizes.items() if s == size and not s.atoms(sp.Dummy)}
    if is_count(count):
        if not known or not table.sizes.get(plain(count), sp.Dummy()).atoms(sp.Dummy):
            _same(named(count), size, unifier)  # type: ignore[arg-type]
        else:
            table.taken.append(_assumed(letter, count))
        return
    told = list(_told(count, table))
    if size in told:
        return
    numbers = any(key.partition("#")[0].isdigit() for key in known)
    if told or (isinstance(count, Number) and numbers):
        raise Misfit(f"there are not {write(count)} units that {letter} numbers")
    if not isinstance(count, Relation) and any(name.key in table.sizes for name in names(count)):
        raise Unreadable(SOME.format(letter))
    table.taken.append(_assumed(letter, count))


def _told(count: Formula, table: Table) -> Iterator[sp.Expr]:
    """The sizes that the forward equations say to be a number, an expression or that of a set."""
    start = f"{plain(count)}#"
    yield from (size for key, size in table.sizes.items() if key.startswith(start))


def _assumed(letter: str, count: Formula) -> str:
    if plain(count).startswith(f"{letter}∈"):
        return f"{write(count)} is every unit that {letter} numbers"
    return f"{letter} numbers {write(count)} units"


def _same(a: sp.Expr, b: sp.Expr, unifier: Unifier) -> None:
    try:
        unifier.same((a,), (b,), "")
    except ShapeError as error:
        message = f"shapes {spelled(error.left)} and {spelled(error.right)} cannot be summed over"
        raise Misfit(message) from None
