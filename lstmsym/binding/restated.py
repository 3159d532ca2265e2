"""Forward equations that a document writes twice: whether the second says the same in other names.

A name of the one that is judged keeps its meaning; a parameter of the other stands for one of the
judged, or for the columns of one that multiply the same part of stacked vectors (W [x, h] = V x + U h).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.express import Express
from lstmsym.binding.forward import Forward, Sizes, contexts_of
from lstmsym.binding.table import Bound, Line
from lstmsym.binding.values import Unreadable
from lstmsym.documents.formula import Formula, Name
from lstmsym.notation import NotationError, Ref
from lstmsym.shapes import ShapeError

Pairs = dict[str, str]
"""Parameter of the second system -> what it is in the one that is judged."""
TERMS = 8
"""Terms or factors side by side that are paired."""


def restated(lines: Sequence[Line], bound: Bound) -> dict[int, list[int]]:
    """For each line of the cell, all lines of the document that say the same, itself among them, in order."""
    table = bound.table
    again = [n for n, kind in bound.kinds.items() if kind == "again"]
    forward = {_key(lines[n][0], bound): n for n, kind in bound.kinds.items() if kind == "forward"}
    others = _Others(bound, [(lines[n][0], lines[n][1]) for n in again])
    expressed = {n: others.expr(lines[n][0], lines[n][1]) for n in again}
    own: dict[str, sp.Expr] = {}
    for n in again:
        own.setdefault(table.idents.get(_key(lines[n][0], bound), ""), expressed[n] or sp.nan)
    constant = (ident for ident, role in table.roles.items() if role in ("parameter", "hyper"))
    renaming, pairs = _Renaming(frozenset(constant)), Pairs()
    shared = own.keys() & table.defined.keys()
    seen: set[str] = set()
    found: dict[int, list[int]] = {}
    for n in again:
        key = _key(lines[n][0], bound)
        if key in seen:  # yet another system
            seen, pairs = set(), {}
        seen.add(key)
        ident = table.idents.get(key, "")
        mine, theirs = table.defined.get(ident), expressed[n]
        if mine is None or theirs is None or key not in forward:
            continue
        left = _split(_inlined(theirs, {**table.defined, **own}, shared))
        right = _split(_inlined(mine, table.defined, shared))
        matched = next(renaming(left, right, pairs), None)
        if matched is not None:
            pairs = matched
            found.setdefault(forward[key], [forward[key]]).append(n)
    return {place: sorted(same) for place, same in found.items()}


def _key(left: Formula, bound: Bound) -> str:
    return bound.table.key(left).key if isinstance(left, Name) else ""


class _Others:
    """Reads the lines of other systems: quantities are those of the cell, parameters their own."""

    def __init__(self, bound: Bound, used: list[tuple[Formula, Formula]]) -> None:
        table = bound.table
        constant = {ident for ident, role in table.roles.items() if role in ("parameter", "hyper")}
        self.table = replace(
            table,
            idents={key: ident for key, ident in table.idents.items() if ident not in constant},
            roles={ident: role for ident, role in table.roles.items() if ident not in constant},
            spelled={ident: name for ident, name in table.spelled.items() if ident not in constant},
            shapes=dict(table.shapes), samples=dict(table.samples),
        )  # fmt: skip
        self.scope = Forward(self.table, Sizes(), contexts_of(used, self.table), False)

    def expr(self, left: Formula, right: Formula) -> sp.Expr | None:
        """A right side; None where it is not understood."""
        assert isinstance(left, Name)
        lag = self.table.key(left).lag
        self.scope.lag = lag if isinstance(lag, int) else 0
        try:
            return Express(self.scope, self.scope.unifier, self.table.rows)(right).expr
        except (Unreadable, NotationError, ShapeError):
            return None


def _inlined(expr: sp.Expr, defined: Mapping[str, sp.Expr], kept: set[str]) -> sp.Expr:
    """An expression with the names written out that only one of the systems has."""
    for _ in range(len(defined) + 1):
        rules = {
            ref: defined[ref.base] for ref in expr.atoms(Ref)
            if ref.lag == 0 and ref.base in defined and ref.base not in kept
        }  # fmt: skip
        if not rules:
            return expr
        expr = expr.xreplace(rules)
    return expr


def _split(expr: sp.Expr) -> sp.Expr:
    """A matrix times stacked vectors as a sum: the part for each is named after it."""
    rules = {}
    for node in expr.atoms(N.Dot):
        matrix, vector = node.args
        if isinstance(matrix, Ref) and isinstance(vector, N.Concat):
            rules[node] = sp.Add(*(N.Dot(Ref(f"{matrix.base}|{part}"), part) for part in vector.args))
    return expr.xreplace(rules)


@dataclass(frozen=True)
class _Renaming:
    """Finds how one expression is another with its parameters renamed; ``known``: those of the cell."""

    known: frozenset[str]

    def __call__(self, a: sp.Expr, b: sp.Expr, pairs: Pairs) -> Iterator[Pairs]:
        if isinstance(a, Ref) and a.lag is None:
            yield from self._renamed(a.base, b, pairs)
        elif a.func != b.func or len(a.args) != len(b.args):
            return
        elif not a.args:
            if a == b:
                yield pairs
        elif not isinstance(a, (sp.Add, sp.Mul)):
            yield from self._in_order(a.args, b.args, pairs)
        elif len(a.args) <= TERMS:
            yield from self._any_order(a.args, b.args, pairs)

    def _renamed(self, name: str, b: sp.Expr, pairs: Pairs) -> Iterator[Pairs]:
        """A parameter as another: always the same one, and no two as one."""
        if not isinstance(b, Ref) or b.lag is not None:
            return
        stem = name.partition("|")[0]
        if name in pairs:
            if pairs[name] == b.base:
                yield pairs
        elif b.base not in pairs.values() and stem in (b.base.partition("|")[0], *({stem} - self.known)):
            yield {**pairs, name: b.base}

    def _in_order(self, left: Sequence[sp.Expr], right: Sequence[sp.Expr], pairs: Pairs) -> Iterator[Pairs]:
        if not left:
            yield pairs
            return
        for found in self(left[0], right[0], pairs):
            yield from self._in_order(left[1:], right[1:], found)

    def _any_order(self, left: Sequence[sp.Expr], right: Sequence[sp.Expr], pairs: Pairs) -> Iterator[Pairs]:
        if not left:
            yield pairs
            return
        for place, other in enumerate(right):
            for found in self(left[0], other, pairs):
                yield from self._any_order(left[1:], (*right[:place], *right[place + 1 :]), found)
