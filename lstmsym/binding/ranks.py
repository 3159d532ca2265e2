"""Quantities of each step that are matrices or numbers, found where vectors do not fit.

The state of linear attention, ``S_t = S_{t-1} + v_t k_t^T``, is a matrix and its gates are numbers.  No
declaration says so: what does not fit as a vector is tried as a matrix, and what has turned out to be
a number where it is defined is one where it was read before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from lstmsym.binding.table import Line, Table, bare_names, function_of
from lstmsym.documents.formula import Brackets, Formula, Name, Number, Product, Raised, Relation, names, walk
from lstmsym.documents.limits import ReadingError
from lstmsym.documents.read import Document, formula
from lstmsym.documents.rows import NotAClaim

_SOME = r"\$[^$\n]{1,40}\$(?:(?:,|,? and|、|和)? ?\$[^$\n]{1,40}\$){0,5}"
_NUMBERS = re.compile(
    rf"\b(?:scalars?|numbers)(?: \w+){{0,2}} ({_SOME})"
    rf"|({_SOME}) (?:is|are)(?: both| all)?(?: a| real)? (?:scalars?|numbers?)\b|({_SOME}) ?(?:是|为)标量"
)
"""Where a text says of names that they are numbers."""

ROUNDS = 5
"""How often ranks are changed before they are given up."""

Ranks = Mapping[str, int]


def said(document: Document, text: str, table: Table) -> Ranks:
    """Ranks of quantities with steps that a text gives: numbers in words, S_t as one of R^{n x m}."""
    found = {}
    for row in document.rows:
        node = row.formula if isinstance(row, NotAClaim) else None
        for part in walk(node) if node is not None else ():
            if isinstance(part, Relation) and part.signs == ("∈",):
                rank = _dimensions(part.terms[1])
                left = node.items if isinstance(node, Brackets) else part.terms[:1]
                left = (*left[:-1], part.terms[0]) if part in left else left
                found.update({table.key(n).key: rank for n in left if _has_steps(n, table)})  # type: ignore[arg-type]
    for match in _NUMBERS.finditer(text):
        for written in re.findall(r"\$([^$]+)\$", match[0]):
            try:
                name = formula(written, document.lexicon)
            except ReadingError:
                continue
            if _has_steps(name, table):
                found[table.key(name).key] = 0  # type: ignore[arg-type]
    return {key: rank for key, rank in found.items() if rank in (0, 2)}


def _has_steps(node: Formula, table: Table) -> bool:
    return isinstance(node, Name) and isinstance(table.key(node).lag, int)


def _dimensions(space: Formula) -> int | None:
    """How many indices an element of a space has: 2 for R^{n x m}, 0 for R and (0, 1)."""
    if isinstance(space, Brackets):
        return 0 if len(space.items) == 2 and all(isinstance(n, Number) for n in space.items) else None
    if isinstance(space, Name) and space.font == "bb":
        return len(space.scripts)
    if isinstance(space, Raised) and isinstance(space.body, Name) and space.body.font == "bb":
        sizes = space.exponent
        return len(sizes.factors) if isinstance(sizes, Product) and set(sizes.operators) == {"×"} else 1
    return None


def greek_factors(lines: Sequence[Line], kinds: Mapping[int, str], table: Table) -> Ranks:
    """Small Greek letters that nothing defines, in products without a sign: numbers, beside matrices."""
    defined = {table.key(lines[n][0]).key for n, kind in kinds.items() if kind == "forward"}  # type: ignore[arg-type]
    found = {}
    for n, kind in kinds.items():
        for node in walk(lines[n][1]) if kind == "forward" else ():
            factors = node.factors if isinstance(node, Product) and set(node.operators) <= {""} else ()
            if len(factors) == 2 and any(isinstance(f, Raised) for f in factors):
                continue  # an outer product
            for name in factors:
                if isinstance(name, Name) and _has_steps(name, table) and _is_small_greek(name.base):
                    found[table.key(name).key] = 0
    return {key: rank for key, rank in found.items() if key not in defined}


def _is_small_greek(letter: str) -> bool:
    return not letter.isascii() and letter.islower()


def more(lines: Sequence[Line], unread: Mapping[int, str], table: Table, kinds: Mapping[int, str]) -> Ranks:
    """Ranks to try next, where some lines were not read with those of the table; none if there are none."""
    numbers = {
        key: 0
        for key, ident in table.idents.items()
        if table.shapes.get(ident) == () and table.roles.get(ident) in ("name", "state")
    }
    open_ = {table.key(lines[n][0]).key: n for n in unread}  # type: ignore[arg-type]
    states = {key: 2 for key, n in open_.items() if _recurs(key, lines[n][1], table)}
    found = _new({**states, **numbers}, table)
    if found:
        return found
    beside = {key: 0 for n in unread for key in _gates(lines[n][1], table)}
    leaves = {leaf: 0 for key in beside for leaf in _leaves(key, lines, kinds, table)}
    upper = {key: 2 for key in open_ if key[0].isupper()}
    return _new({**beside, **leaves}, table) or _new(upper, table)


def _new(ranks: Ranks, table: Table) -> Ranks:
    return {key: rank for key, rank in ranks.items() if key not in table.ranks}


def _recurs(key: str, right: Formula, table: Table) -> bool:
    """Whether a line reads its own left side, at the step before."""
    return any(table.key(n).key == key for n in names(right))


def _gates(right: Formula, table: Table) -> Iterator[str]:
    """What stands in open products before a matrix of the step before, and has steps itself."""
    for node in walk(right):
        if not isinstance(node, Product) or any(o not in ("", "⋅", "*", "⊙") for o in node.operators):
            continue
        places = [table.key(f) if isinstance(f, Name) else None for f in node.factors]
        if any(p is not None and table.ranks.get(p.key) == 2 for p in places):
            yield from (p.key for p in places if p is not None and p.lag == 0 and p.key not in table.ranks)


def _leaves(
    key: str,
    lines: Sequence[Line],
    kinds: Mapping[int, str],
    table: Table,
    seen: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """What has steps and makes a number, entry by entry: f~ of f = sigma(f~)."""
    for n, kind in kinds.items():
        left, right, _ = lines[n]
        if kind != "forward" or not isinstance(left, Name) or table.key(left).key != key or key in seen:
            continue
        for name in bare_names(right):
            at = table.key(name)
            if at.lag == 0 and not function_of(name, table):
                yield at.key
                yield from _leaves(at.key, lines, kinds, table, seen | {key})
