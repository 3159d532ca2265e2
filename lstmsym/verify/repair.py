"""Small edits of a claim, among which a repair is looked for.

The slips of single nodes come from :mod:`lstmsym.verify.edits`; here are those that need to know the
cell: another name of the same kind, in one place or throughout, two names exchanged, another slice,
a factor of the true line that is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import NotationError, Pointwise, Ref
from lstmsym.shapes import Shape, ShapeError
from lstmsym.verify.claims import Claim
from lstmsym.verify.edits import KINDS, Found, edits_of, text
from lstmsym.verify.held import moved_labels
from lstmsym.verify.meaning import Meanings

Place = tuple[int, ...]


@dataclass(frozen=True)
class Edit:
    """``new`` at a place of the right side, and what that changes."""

    place: Place
    new: sp.Expr
    why: str

    def applied(self, expr: sp.Expr) -> sp.Expr:
        """The expression with the edit made."""
        return _put(expr, self.place, self.new)


def _put(expr: sp.Expr, place: Place, new: sp.Expr) -> sp.Expr:
    if not place:
        return new
    args = list(expr.args)
    args[place[0]] = _put(args[place[0]], place[1:], new)
    return expr.func(*args)


def labels(claim: Claim, meanings: Meanings) -> Iterator[tuple[Claim, str]]:
    """A derivative of the loss by a neighbouring step, or with a state held fixed."""
    for why, left, right in moved_labels(claim.left, claim.right, meanings.system):
        yield replace(claim, left=left, right=right), why


def edits(right: sp.Expr, left: sp.Expr, meanings: Meanings) -> Iterator[Edit]:
    """Edits of a right side, likely ones first."""
    names = _Names(meanings, _shape(right, meanings) != _shape(left, meanings))
    places = list(_places(right))
    for kind in KINDS:
        for place, expr in places:
            for new, why in edits_of(expr, kind):
                yield Edit(place, new, why)
    for place, expr in places:
        for new, why in _slices(expr, meanings):
            yield Edit(place, new, why)
    if isinstance(left, Ref) and left.lag is None and not right.has(N.Total):
        yield Edit((), N.Total(right), "summed over t")
    yield from _values(right)
    yield from _exchanged(right, meanings)
    yield from _whole_factors(left, places, meanings)
    for place, expr in places:
        for new, why in names.other(expr):
            yield Edit(place, new, why)
    yield from _renamed(right, names)
    yield from _factors(right, left, places, meanings)


def _places(expr: sp.Expr, place: Place = ()) -> Iterator[tuple[Place, sp.Expr]]:
    """Every node with its place, the outermost first."""
    yield place, expr
    operands = expr.args[:1] if isinstance(expr, (N.Part, N.Pad, N.Spread)) else expr.args
    for index, arg in enumerate(operands):
        yield from _places(arg, (*place, index))


def _slices(expr: sp.Expr, meanings: Meanings) -> Found:
    """Another piece of a vector: what is before it or after it, or as much at the other end."""
    shape = _shape(expr.args[0], meanings) if isinstance(expr, N.Part) else None
    if shape:
        vector, low, high = expr.args
        (size,) = shape
        high = size if high == N.End else high
        rest = sp.expand(size - (high - low))
        for start, end in ((0, low), (high, size), (0, high - low), (rest, size)):
            if sp.expand(end - start) != 0 and (start, end) != (low, high):
                yield N.Part(vector, start, N.End if end == size else end), "the other slice"


class _Names:
    """The names that can stand for one another: of one shape, both gradients or neither, both timed or not.

    Where the claim's sides differ in shape, names of another size may have been meant.
    """

    def __init__(self, meanings: Meanings, any_size: bool) -> None:
        self.meanings, self.any_size = meanings, any_size
        system = meanings.system
        self.kinds: dict[tuple[Shape, bool, bool], list[str]] = {}
        for base in dict.fromkeys(
            [*(q.name for q in system.cell.quantities), *system.forward, *meanings.backward]
        ):
            if base in system.shapes and base != system.cell.loss:
                self.kinds.setdefault(self.kind(base), []).append(base)

    def kind(self, base: str) -> tuple[Shape, bool, bool]:
        system = self.meanings.system
        quantity = system.cell.by_name.get(base)
        lines = [b for d in (system.derivation, system.with_loss) for b in d.backward if b.name.base == base]
        forward = [e for d in (system.derivation, system.with_loss) for e in d.forward if e.name.base == base]
        names = [b.name for b in lines] + [e.name for e in forward]
        timeless = bool(quantity and quantity.constant) or any(name.lag is None for name in names)
        shape = system.shapes[base]
        return (len(shape),) if self.any_size else shape, base in self.meanings.backward, timeless

    def alike(self, ref: Ref) -> list[str]:
        """Other names of the same kind."""
        if ref.base not in self.meanings.system.shapes:
            return []
        return [base for base in self.kinds.get(self.kind(ref.base), []) if base != ref.base]

    def other(self, expr: sp.Expr) -> Found:
        """Another name in one place; a state may stand at t-1 where another name stands at t."""
        if not isinstance(expr, Ref):
            if isinstance(expr, N.Dot) and self.any_size and isinstance(expr.args[0], (Ref, N.Transposed)):
                for matrix in sorted(_matrices(expr, self.meanings), key=str):
                    yield N.Dot(matrix, expr.args[1]), f"{text(matrix)} for {text(expr.args[0])}"
            elif isinstance(expr, Pointwise) and len(expr.args) == 1 and isinstance(expr.args[0], Ref):
                for base in self.alike(expr.args[0]):
                    other = Ref(base, 0)
                    yield other, f"{other} for {text(expr)}"
            return
        states = self.meanings.states
        for base in self.alike(expr):
            lags = [expr.lag]
            if expr.lag == 0 and base in states:
                lags.append(-1)
            elif expr.lag == -1 and expr.base in states and base not in states:
                lags = [0, -1]
            for lag in lags:
                other = Ref(base, lag)
                yield other, f"{other} for {expr}"


def _renamed(right: sp.Expr, names: _Names) -> Iterator[Edit]:
    """Another name throughout."""
    for ref in sorted(right.atoms(Ref), key=str):
        for base in names.alike(ref):
            other = Ref(base, ref.lag)
            yield Edit((), right.xreplace({ref: other}), f"{other} for {ref}")
    for ref in sorted(right.atoms(Ref), key=str):
        if ref.lag is not None:
            yield Edit((), right.xreplace({ref: N.tanh(ref)}), f"tanh({ref}) for {ref}")
            yield Edit((), right.xreplace({ref: 1 - ref}), f"1 - {ref} for {ref}")


def _values(right: sp.Expr) -> Iterator[Edit]:
    """An activation's argument for its value, throughout."""
    for node in sorted(right.atoms(Pointwise), key=str):
        if len(node.args) == 1:
            yield Edit((), right.xreplace({node: node.args[0]}), f"{text(node.args[0])} for {text(node)}")


def _exchanged(right: sp.Expr, meanings: Meanings) -> Iterator[Edit]:
    """Two names in each other's place."""
    refs = sorted(right.atoms(Ref), key=str)
    shapes = meanings.system.shapes
    for a, b in combinations(refs, 2):
        if shapes.get(a.base) == shapes.get(b.base) and (a.lag is None) == (b.lag is None):
            yield Edit((), right.xreplace({a: b, b: a}), f"{a} and {b} exchanged")


def _whole_factors(left: sp.Expr, places: list[tuple[Place, sp.Expr]], meanings: Meanings) -> Iterator[Edit]:
    """All that a product lacks of a term of the true line, which may be written out further."""
    products: list[sp.Expr] = []
    for expr in _written_out(left, meanings):
        bare = (t.args[0] if isinstance(t, N.Total) else t for t in sp.Add.make_args(expr))
        products += [sp.Mul(*_factors_of(part)) for t in bare for part in sp.Add.make_args(t)]
    for place, expr in places:
        if isinstance(expr, (sp.Mul, Ref, N.Dot, Pointwise)):
            for product in dict.fromkeys(products):
                missing = _quotient(product, expr)
                if missing is not None:
                    yield Edit(place, expr * missing, f"the factor {text(missing)} was missing")


def _written_out(left: sp.Expr, meanings: Meanings) -> Iterator[sp.Expr]:
    """The true line of a gradient, and the same with the gradients of its step put in."""
    line = meanings.line(left) if isinstance(left, Ref) else None
    for _ in range(3):
        if line is None:
            return
        yield line
        refs = [r for r in line.atoms(Ref) if r.base in meanings.backward and r.lag == left.lag]
        rules = {r: meanings.line(r) for r in refs}
        line = (
            line.xreplace({r: e for r, e in rules.items() if e is not None and not e.is_Add})
            if rules
            else None
        )


def _factors(
    right: sp.Expr, left: sp.Expr, places: list[tuple[Place, sp.Expr]], meanings: Meanings
) -> Iterator[Edit]:
    """A factor that is missing in one place: one of the true line, or one of the page's own."""
    line = meanings.line(left) if isinstance(left, Ref) else None
    found = (
        [] if line is None else [t.args[0] if isinstance(t, N.Total) else t for t in sp.Add.make_args(line)]
    )
    factors = {f for t in found for part in sp.Add.make_args(t) for f in _factors_of(part)}
    factors |= {f for node in right.atoms(sp.Mul) for f in node.args if f.atoms(Ref)}
    factors |= {r for r in right.atoms(Ref) if r.lag is not None}
    factors |= {Ref(q, lag) for q in meanings.states for lag in (0, -1)}
    inner = [
        e.name for e in meanings.system.derivation.forward if e.name.base in meanings.system.cell.by_name
    ]
    factors |= set(inner)
    for place, expr in places:
        if isinstance(expr, (sp.Mul, Ref, N.Dot, Pointwise, sp.Add)):
            shape = _shape(expr, meanings)
            for factor in sorted(factors, key=str):
                if _shape(factor, meanings) in ((), shape):
                    yield Edit(place, expr * factor, f"the factor {text(factor)} was missing")
        if isinstance(expr, sp.Symbol) and expr.is_commutative and isinstance(expr, Ref):
            for matrix in sorted(_matrices(right, meanings), key=str):
                yield Edit(place, N.Dot(matrix, expr), f"the factor {text(matrix)} was missing")


def _factors_of(term: sp.Expr) -> list[sp.Expr]:
    """The factors of a term, those of the vectors of an outer or matrix product too."""
    found = []
    for factor in sp.Mul.make_args(term):
        if isinstance(factor, (N.Dot, N.Outer, N.Sum, N.Part)):
            found += [f for a in factor.args for f in sp.Mul.make_args(a)]
        found.append(factor)
    return [f for f in found if f.atoms(Ref)]


def _quotient(product: sp.Expr, part: sp.Expr) -> sp.Expr | None:
    """What a product has and one of its parts has not."""
    rest = product / part
    return (
        rest if rest.atoms(Ref) and all(not f.is_Pow or f.exp > 0 for f in sp.Mul.make_args(rest)) else None
    )


def _matrices(right: sp.Expr, meanings: Meanings) -> set[sp.Expr]:
    """The matrices a claim could have meant."""
    found: set[sp.Expr] = set()
    for q in meanings.system.cell.role("parameter"):
        if len(q.shape) == 2:
            found |= {Ref(q.name), N.Transposed(Ref(q.name))}
    return found


def _shape(expr: sp.Expr, meanings: Meanings) -> Shape | None:
    try:
        return meanings.shape(expr)
    except (NotationError, ShapeError, KeyError):
        return None
