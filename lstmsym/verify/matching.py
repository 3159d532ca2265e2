"""Whether two sums of terms over steps are equal: each term of the one is found in the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import permutations

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import NotationError, Ref
from lstmsym.shapes import ShapeError
from lstmsym.verify.across import END, At
from lstmsym.verify.chains import ONES, Chain, Chains, Item, Prove, Term, anchors
from lstmsym.verify.ranges import ZERO, Region, parted

LONGEST = 3
"""Factors side by side that may together be the Jacobian of one step."""


class Matching:
    """Compares terms, of which the factors at one step are proved equal one by one."""

    def __init__(self, chains: Chains, at_end: Prove | None = None) -> None:
        """Take over what is known of the steps, and how equations at one step, or the last, are proved."""
        self.chains, self.prove, self.at_end = chains, chains.prove, at_end or chains.prove
        self.known: dict[tuple[sp.Expr, sp.Expr], sp.Expr | None] = {}
        self.constant: sp.Expr | None = None

    def __call__(self, left: sp.Expr, right: sp.Expr, start_is_zero: bool) -> bool:
        """Whether two expressions are proved equal, the initial state being zero or not.

        Raises:
            NotationError: they are not of a form that is compared.
        """
        sides = [[t for term in self.chains(side) for t in self.collapsed(term)] for side in (left, right)]
        powers = [i for side in sides for t in side for c in t.chains for i in c if i.kind == "power"]
        self.constant = powers[0].expr if powers else None
        a, b = (self.simplified(side, start_is_zero) for side in matrices(*sides))
        if self.same(a, b):
            return True
        a, b = self.aligned(a, b)
        a, b = (self.simplified(side, start_is_zero) for side in (a, b))
        return self.same(a, b)

    def unrolled(self, expr: sp.Expr) -> sp.Expr | None:
        """A state at a step by all inputs before it, where a step is linear in the state before."""
        if not isinstance(expr, At) or expr.args[0] != Ref(self.chains.state, 0):
            return None
        found = self.chains.unrolled(expr.args[1])
        return found if found is not None and found != expr else None

    # -- simpler terms -----------------------------------------------------------------------------------

    def collapsed(self, term: Term) -> Iterator[Term]:
        """A term without the sums that have one step or none."""
        for place, (letter, low, high) in enumerate(term.binders):
            span = high - low
            if span.is_Integer and span < 0:
                return
            if span == 0:
                rest = (*term.binders[:place], *term.binders[place + 1 :])
                yield from self.collapsed(replace(term, binders=rest).put({letter: low}))
                return
        yield term

    def simplified(self, terms: Sequence[Term], start_is_zero: bool) -> list[Term]:
        """Terms with the Jacobians of neighbouring steps joined, those that vanish left out."""
        found = [replace(t, chains=tuple(self.joined(chain) for chain in t.chains)) for t in terms]
        return [t for t in found if not (start_is_zero and self.vanishes(t))]

    def vanishes(self, term: Term) -> bool:
        """Whether a term has the initial state as a factor."""
        first = At(Ref(self.chains.state, 0), self.chains.start - 1)
        return any(
            item.kind == "local" and item.expr.has(At) and item.expr.xreplace({first: ZERO}) == 0
            for chain in term.chains for item in chain
        )  # fmt: skip

    def joined(self, chain: Chain) -> Chain:
        """A chain in which Jacobians that follow each other are one."""
        items = list(self.recognised(list(chain)))
        changed = True
        while changed:
            changed = False
            items = [i for i in items if not (i.kind == "jacobian" and i.high == i.low)]
            items = [i for i in items if not (i.kind == "power" and i.high == 0)]
            for place in range(len(items) - 1):
                one = self.one(*items[place : place + 2])
                if one is not None:
                    items[place : place + 2] = [one]
                    changed = True
                    break
        return tuple(items)

    def one(self, a: Item, b: Item) -> Item | None:
        """Two factors as one."""
        if a.kind == b.kind == "jacobian" and a.flip == b.flip:
            newer, older = (b, a) if a.flip else (a, b)
            return replace(a, high=newer.high, low=older.low) if newer.low == older.high else None
        if a.kind == b.kind == "power" and a.expr == b.expr:
            return replace(a, high=a.high + b.high)
        for power, other in ((a, b), (b, a)):
            if power.kind == "power" and other.kind == "local" and power.expr == other.expr:
                return replace(power, high=power.high + 1)
        return None

    def recognised(self, items: list[Item]) -> list[Item]:
        """Factors at one step that are proved to be the Jacobian of one step, as such; powers of it too."""
        place = 0
        while place < len(items):
            for count in range(min(LONGEST, len(items) - place), 0, -1):
                one = self.as_jacobian(items[place : place + count])
                if one is not None:
                    items[place : place + count] = [one]
                    break
            place += 1
        return [self.as_power(item) for item in items]

    def as_jacobian(self, items: Sequence[Item]) -> Item | None:
        """Factors as the Jacobian of one step, if that is proved."""
        if any(item.kind != "local" for item in items):
            return None
        matrix = reduce(N.Dot, (item.expr for item in items))
        letters = anchors(matrix)
        if len(letters) != 1:
            return None
        (letter,) = letters
        try:
            if len(self.chains.shape(matrix)) != 2:
                return None
        except (NotationError, ShapeError):
            return None
        for flip in (False, True):
            step = self.step(matrix, letter, flip)
            if step is not None:
                return Item("jacobian", high=letter + step, low=letter + step - 1, flip=flip)
        return None

    def step(self, matrix: sp.Expr, letter: sp.Expr, flip: bool) -> sp.Expr | None:
        """Where the Jacobian of one step is that a matrix is."""
        key = (matrix, sp.Integer(flip))
        if key not in self.known:
            self.known[key] = self.chains.jacobian_step(matrix, letter, flip)
        return self.known[key]

    def as_power(self, item: Item) -> Item:
        """The Jacobian between two steps as a power, where it is the same at every step."""
        if self.constant is None or item.kind != "jacobian":
            return item
        for matrix in (self.constant, N.transposed(self.constant)):
            if self.step(matrix, ZERO, item.flip) is not None:
                return Item("power", matrix, high=item.high - item.low)
        return item

    # -- comparing ---------------------------------------------------------------------------------------

    def same(self, left: Sequence[Term], right: Sequence[Term]) -> bool:
        """Whether the terms of the one are those of the other."""
        rest = list(right)
        for term in left:
            found = next((other for other in rest if self.alike(term, other)), None)
            if found is None:
                return False
            rest.remove(found)
        return not rest

    def alike(self, a: Term, b: Term) -> bool:
        """Whether two terms are equal, under some naming of the letters that are summed over."""
        if len(a.binders) != len(b.binders) or len(a.chains) != len(b.chains) or a.factor != b.factor:
            return False
        letters = [binder[0] for binder in a.binders]
        if len(letters) > LONGEST:
            return a == b
        for order in permutations(letters):
            names = dict(zip((binder[0] for binder in b.binders), order, strict=True))
            other = replace(
                b.put(names), binders=tuple((names[k], *_put(names, ends)) for k, *ends in b.binders)
            )
            if self.region(a) == self.region(other) and all(
                self.alike_chains(x, y) for x, y in zip(a.chains, other.chains, strict=True)
            ):
                return True
        return False

    def region(self, term: Term) -> Region:
        """The steps over which a term is summed."""
        bound = [f for letter, low, high in term.binders for f in ((low, letter), (letter, high))]
        return Region([*self.chains.facts, *bound])

    def alike_chains(self, a: Chain, b: Chain) -> bool:
        """Whether two products are equal factor by factor."""
        first, second = grouped(a), grouped(b)
        return len(first) == len(second) and all(
            self.alike_items(x, y) for x, y in zip(first, second, strict=True)
        )

    def alike_items(self, a: Item, b: Item) -> bool:
        """Whether two factors are equal."""
        if a == b:
            return True
        if a.kind != b.kind or (a.high, a.low, a.flip) != (b.high, b.low, b.flip):
            return False
        if a.kind == "jacobian" or len(anchors(a.expr) | anchors(b.expr)) > 1:
            return False
        (letter,) = anchors(a.expr) | anchors(b.expr) or {ZERO}
        prove = self.at_end if letter == END else self.prove
        return prove(*(self.chains.ordinary_at(x.expr, letter) for x in (a, b)))

    # -- sums of other ends -------------------------------------------------------------------------------

    def aligned(self, left: list[Term], right: list[Term]) -> tuple[list[Term], list[Term]]:
        """Both with sums that end where the shortest of them do, what is beyond taken apart."""
        lows: dict[sp.Expr, int] = {}
        highs: dict[sp.Expr, int] = {}
        for term in (*left, *right):
            if len(term.binders) == 1:
                (_, low, high) = term.binders[0]
                (u, a), (v, b) = parted(low), parted(high)
                lows[u], highs[v] = max(a, lows.get(u, a)), min(b, highs.get(v, b))
        return tuple([t for term in side for t in self.apart(term, lows, highs)] for side in (left, right))  # type: ignore[return-value]

    def apart(self, term: Term, lows: dict[sp.Expr, int], highs: dict[sp.Expr, int]) -> Iterator[Term]:
        """A sum with its outer steps as terms of their own.

        Raises:
            NotationError: it may have fewer steps than that.
        """
        if len(term.binders) != 1:
            yield term
            return
        letter, low, high = term.binders[0]
        (u, a), (v, b) = parted(low), parted(high)
        if lows[u] - a + b - highs[v] > LONGEST or not Region(self.chains.facts).holds(
            u + lows[u], v + highs[v] + 1
        ):
            raise NotationError("a sum may be empty, or is much longer than another")
        bare = replace(term, binders=())
        yield from (bare.put({letter: u + s}) for s in range(a, lows[u]))
        yield from (bare.put({letter: v + s}) for s in range(highs[v] + 1, b + 1))
        yield from self.collapsed(replace(term, binders=((letter, u + lows[u], v + highs[v]),)))


def _put(names: dict[sp.Symbol, sp.Symbol], ends: Sequence[sp.Expr]) -> list[sp.Expr]:
    return [end.xreplace(names) for end in ends]


def matrices(*sides: list[Term]) -> tuple[list[Term], ...]:
    """Diagonals written as vectors as matrices, where the other side has matrices."""
    if {term.rank for side in sides for term in side} != {1, 2}:
        return sides
    return tuple([as_matrix(term) for term in side] for side in sides)


def as_matrix(term: Term) -> Term:
    """A diagonal as a matrix."""
    if term.rank == 1 and term.chains[0] and term.chains[0][-1] == ONES:
        return replace(term, chains=(term.chains[0][:-1],), rank=2)
    return term


def grouped(chain: Chain) -> list[Item]:
    """A chain with the factors at one step multiplied."""
    found: list[Item] = []
    for item in chain:
        last = found[-1] if found else None
        if (
            last is not None
            and last.kind == item.kind == "local"
            and item != ONES
            and len(anchors(last.expr) | anchors(item.expr)) < 2
        ):
            found[-1] = Item("local", N.Dot(last.expr, item.expr))
        else:
            found.append(item)
    return found
