"""A cell with its parameters forgotten: what each gate sees, and how the states are made of the gates.

Two cells are the same function of their inputs, for suitable parameters, if their portraits agree.  A
sum of terms that begin with a parameter of their own, ``W @ x[t] + U @ h[t-1] + b``, is a *drive*: a
free affine map of what it sees, so that the split into matrices, the signs of the weights and the
number of biases do not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.notation import Op, Ref

MATRIX, VECTOR, BIAS = "matrix", "vector", "bias"


@dataclass(frozen=True)
class Drive:
    """A free affine map: its symbol, what it sees (through a matrix or entry by entry), and its biases.

    ``line`` is the name of the equation in which it stands, ``inside`` the functions applied to it.
    """

    symbol: sp.Symbol
    sees: frozenset[tuple[str, sp.Expr]]
    biases: int
    line: str
    inside: frozenset[str]


@dataclass(frozen=True)
class Portrait:
    """A cell's drives in order of computation, and its states in terms of them.

    ``tied`` are parameters that stand in several drives, which are then not free.
    """

    cell: Cell
    drives: tuple[Drive, ...]
    updates: dict[str, sp.Expr]
    inputs: tuple[str, ...]
    tied: frozenset[str]


def portrait(cell: Cell) -> Portrait:
    """The portrait of a cell; its outputs beyond the states and its loss are left aside."""
    return _Painter(cell).portrait()


class _Painter:
    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.parameters = {q.name for q in cell.role("parameter")}
        self.states = {q.name for q in cell.role("state")}
        self.meaning: dict[sp.Expr, sp.Expr] = {}
        self.found: dict[object, sp.Symbol] = {}
        self.made: dict[sp.Symbol, tuple[frozenset[tuple[str, sp.Expr]], int, str]] = {}
        self.users: dict[str, set[sp.Symbol]] = {}
        self.line = ""

    def portrait(self) -> Portrait:
        updates: dict[str, sp.Expr] = {}
        whole: dict[str, sp.Expr] = {}
        needed = self.needed()
        for e in self.cell.equations:
            self.line = e.name.base
            unfolded = e.expr.xreplace(self.meaning)
            if self.line in self.states:
                updates[self.line] = self.visit(unfolded)
            else:
                self.meaning[e.name] = unfolded
                if self.line in needed:
                    whole[self.line] = self.visit(unfolded)
        lines = {
            name: next((k for k, v in whole.items() if _is_activated(v, name)), line)
            for name, (_, _, line) in self.made.items()
        }
        seen = [*updates.values(), *(v for _, v in self.operands())]
        used = {s for expr in seen for s in expr.free_symbols}
        drives = tuple(
            Drive(symbol, sees, biases, lines[symbol], frozenset(_around(symbol, seen)))
            for symbol, (sees, biases, _) in self.made.items()
            if symbol in used
        )
        alive = {d.symbol for d in drives}
        tied = frozenset(p for p, users in self.users.items() if len(users & alive) > 1)
        names = [q.name for q in self.cell.role("input") if Ref(q.name, 0) in used]
        return Portrait(self.cell, drives, updates, tuple(names), tied)

    def needed(self) -> set[str]:
        """The names that states are made of."""
        wanted = set(self.states)
        for e in reversed(self.cell.equations):
            if e.name.base in wanted:
                wanted |= {r.base for r in e.expr.atoms(Ref)}
        return wanted

    def operands(self) -> Iterator[tuple[str, sp.Expr]]:
        for sees, _, _ in self.made.values():
            yield from sees

    def visit(self, expr: sp.Expr) -> sp.Expr:
        """An expression with its drives as symbols."""
        terms = sp.Add.make_args(expr)
        own = [t for t in terms if self.leader(t) is not None]
        rest = [self.inner(t) for t in terms if self.leader(t) is None]
        return sp.Add(*rest, *([self.drive(own)] if own else []))

    def inner(self, expr: sp.Expr) -> sp.Expr:
        if not expr.args or isinstance(expr, Ref):
            return expr
        return expr.func(*(self.visit(a) for a in expr.args))

    def leader(self, term: sp.Expr) -> sp.Expr | None:
        """The factor of a term that makes it a free one: a parameter, or a parameter times a vector."""
        factors = [f for f in sp.Mul.make_args(term) if not f.is_number]
        bare = [f for f in factors if isinstance(f, Ref) and f.base in self.parameters]
        products = [f for f in factors if isinstance(f, N.Dot) and self.matrix(f)]
        if len(bare) == 1 and not products:
            return bare[0]
        return products[0] if len(products) == 1 and len(factors) == 1 else None

    def matrix(self, product: sp.Expr) -> str:
        """The parameter that multiplies, or nothing."""
        left = product.args[0].args[0] if isinstance(product.args[0], N.Transposed) else product.args[0]
        return left.base if isinstance(left, Ref) and left.base in self.parameters else ""

    def drive(self, terms: list[sp.Expr]) -> sp.Symbol:
        sees: set[tuple[str, sp.Expr]] = set()
        named: set[str] = set()
        biases = 0
        for term in terms:
            leader = self.leader(term)
            if isinstance(leader, N.Dot):
                vector = leader.args[1]
                parts = vector.args if isinstance(vector, N.Concat) else (vector,)
                sees |= {(MATRIX, self.visit(part)) for part in parts}
                named.add(self.matrix(leader))
            else:
                others = sp.Mul(*(f for f in sp.Mul.make_args(term) if f != leader and not f.is_number))
                named.add(leader.base)  # type: ignore[union-attr]
                if others == 1:
                    biases += 1
                else:
                    sees.add((VECTOR, self.visit(others)))
        key = (frozenset(sees), frozenset(named))
        if key not in self.found:
            symbol = self.found[key] = sp.Symbol(f"drive {len(self.found)}")
            self.made[symbol] = (key[0], biases, self.line)
            for name in named:
                self.users.setdefault(name, set()).add(symbol)
        return self.found[key]


def _is_activated(expr: sp.Expr, symbol: sp.Symbol) -> bool:
    return isinstance(expr, Op) and symbol in expr.free_symbols


def _around(symbol: sp.Symbol, exprs: list[sp.Expr]) -> Iterator[str]:
    """The functions that a symbol is an argument of, through sums and products."""
    for expr in exprs:
        for node in sp.preorder_traversal(expr):
            if isinstance(node, Op) and symbol in {s for a in node.args for s in loose(a)}:
                yield type(node).__name__


def loose(expr: sp.Expr) -> set[sp.Symbol]:
    """The symbols that stand in no function."""
    if isinstance(expr, Op):
        return set()
    return {expr} if isinstance(expr, sp.Symbol) else {s for a in expr.args for s in loose(a)}
