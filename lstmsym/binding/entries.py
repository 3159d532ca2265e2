r"""Entries of vectors and matrices: sums of products whose factors have labels, ``w_{ji} \delta_j``.

A sum over a label contracts it, ``\sum_j w_{ji} \delta_j`` is `Dot(W.T, delta)`; labels that stay make
a number, a vector or a matrix, its indices in the order of the labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.ranges import Range, depends_on, range_of
from lstmsym.binding.units import unit_letters, variables
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Formula,
    Fraction,
    Indexed,
    Name,
    Product,
    Raised,
    Sum,
    walk,
)
from lstmsym.shapes import Shape
from lstmsym.verify.words import Diag

TERMS = 200
"""Products that a formula is multiplied out into."""
SOME = "a sum over some of the units only, {}, is not read"
ONE = Diag(sp.Integer(1))


def has_units(node: Formula) -> bool:
    """Whether entries stand in a formula."""
    return any(isinstance(n, (Name, Indexed)) and n.units for n in walk(node))


def is_unit_sum(node: Formula) -> bool:
    """Whether a formula is a sum over units."""
    return isinstance(node, Big) and bool(unit_letters(node))


@dataclass(frozen=True)
class Factor:
    """A number, vector or matrix whose indices have labels."""

    expr: sp.Expr
    shape: Shape
    labels: tuple[str, ...] = ()

    def turned(self, first: str) -> sp.Expr:
        """A matrix with this label for its rows."""
        return self.expr if self.labels[0] == first else _transposed(self.expr)

    def size(self, label: str) -> sp.Expr:
        """The size of the index with this label."""
        return self.shape[self.labels.index(label)]


Term = tuple[Factor, ...]
Terms = tuple[Term, ...]


def labels_of(terms: Iterable[Term]) -> tuple[str, ...]:
    """The labels there are, in order."""
    return tuple(sorted({label for term in terms for factor in term for label in factor.labels}))


class Same:
    """Tells that sizes are the same; `Misfit` where they are not."""

    def __init__(self, same: Callable[[Shape, Shape, str], Shape]) -> None:
        """Ask this."""
        self.same = same

    def checked(self, factors: Iterable[Factor]) -> None:
        """Indices of one label have one size."""
        sizes: dict[str, sp.Expr] = {}
        for factor in factors:
            for label, size in zip(factor.labels, factor.shape, strict=True):
                self.same(
                    (sizes.setdefault(label, size),),
                    (size,),
                    f"both numbered by {label.lstrip('0123456789')}",
                )


def times(a: Terms, b: Terms) -> Terms:
    """A product, multiplied out."""
    return tuple((*x, *y) for x in a for y in b)


def scaled(terms: Terms, factor: sp.Expr) -> Terms:
    """Each term times a number."""
    return tuple((Factor(factor, ()), *term) for term in terms)


def number(expr: sp.Expr) -> Terms:
    """A number as a sum of one term."""
    return ((Factor(expr, ()),),)


class Impossible(ValueError):
    """Indices with which nothing can be done; says why."""


class Partial(Impossible):
    """A sum over some of the units only, of which no whole can be made."""


# -- a term --------------------------------------------------------------------------------------------


def contracted(term: Term, label: str) -> Term:
    """The sum of a term over a label."""
    within = [f for f in term if label in f.labels]
    rest = tuple(f for f in term if label not in f.labels)
    if not within:
        raise Impossible(f"a sum over {label} has a term in which {label} does not stand")
    kronecker = next((f for f in within if f.expr == ONE), None)
    if kronecker is not None and len(set(kronecker.labels)) == 2:
        other = next(x for x in kronecker.labels if x != label)
        others = tuple(renamed(f, label, other) for f in term if f is not kronecker)
        return others or (Factor(N.Spread(sp.Integer(1), kronecker.shape[0]), kronecker.shape[:1], (other,)),)
    vectors = [f for f in within if len(f.labels) == 1]
    matrices = [f for f in within if len(f.labels) == 2]
    v = sp.Mul(*(f.expr for f in vectors)) if vectors else None
    size = within[0].size(label)
    if not matrices:
        assert v is not None
        return (*rest, Factor(N.Sum(v), ()))
    if len(matrices) == 1:
        (matrix,) = matrices
        other = next(x for x in matrix.labels if x != label)
        ones = N.Spread(sp.Integer(1), size)
        product = _applied(matrix.turned(other), ones if v is None else v)
        return (*rest, Factor(product, (matrix.size(other),), (other,)))
    if len(matrices) == 2:
        return (*rest, _chained(matrices, label, v))
    raise Impossible(f"{label} stands in more than two matrices of one sum")


def renamed(factor: Factor, old: str, new: str) -> Factor:
    """A factor with a label called otherwise."""
    labels = tuple(new if x == old else x for x in factor.labels)
    if len(set(labels)) < len(labels):
        raise Impossible("the diagonal of a matrix is not read")
    return replace(factor, labels=labels)


def _chained(matrices: Sequence[Factor], label: str, v: sp.Expr | None) -> Factor:
    """Two matrices that share a label, with a vector between them."""
    a, b = matrices
    first, second = (next(x for x in f.labels if x != label) for f in (a, b))
    if first == second:
        raise Impossible("the diagonal of a product of matrices is not read")
    right = b.turned(label)
    if v is not None:
        right = scaled_rows(right, v)
    return Factor(_matrices(a.turned(first), right), (a.size(first), b.size(second)), (first, second))


def _transposed(matrix: sp.Expr) -> sp.Expr:
    if isinstance(matrix, Diag):
        return matrix
    if isinstance(matrix, N.Outer):
        return N.Outer(*matrix.args[::-1])
    return N.transposed(matrix)


def _applied(matrix: sp.Expr, v: sp.Expr) -> sp.Expr:
    inner = matrix.args[0] if isinstance(matrix, N.Transposed) else matrix
    if isinstance(inner, Diag):
        return inner.args[0] * v
    if isinstance(matrix, N.Outer):
        return matrix.args[0] * N.Sum(matrix.args[1] * v)
    return N.Dot(matrix, v)


def _matrices(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    if isinstance(a, Diag):
        return scaled_rows(b, a.args[0])
    if isinstance(b, Diag):
        return _transposed(scaled_rows(_transposed(a), b.args[0]))
    if isinstance(b, N.Outer):
        return N.Outer(_applied(a, b.args[0]), b.args[1])
    if isinstance(a, N.Outer):
        return N.Outer(a.args[0], _applied(_transposed(b), a.args[1]))
    return N.Dot(a, b)


def scaled_rows(matrix: sp.Expr, v: sp.Expr) -> sp.Expr:
    """A matrix whose rows are multiplied by the entries of a vector."""
    if isinstance(matrix, Diag):
        return Diag(matrix.args[0] * v)
    if isinstance(matrix, N.Outer):
        return N.Outer(v * matrix.args[0], matrix.args[1])
    return N.Dot(Diag(v), matrix)


# -- a value -------------------------------------------------------------------------------------------


def whole(terms: Terms, same: Same) -> Factor:
    """All terms together, as a number, a vector or a matrix."""
    same.checked(f for term in terms for f in term)
    labels = labels_of(terms)
    sizes = {x: f.size(x) for term in terms for f in term for x in f.labels}
    shape = tuple(sizes[x] for x in labels)
    if len(labels) > 2:
        shown = ", ".join(x.lstrip("0123456789") for x in labels)
        raise Impossible(f"entries with the indices {shown} are more than a matrix")
    make = (_number, _vector, _matrix)[len(labels)]
    return Factor(sp.Add(*(make(term, labels, shape) for term in terms)), shape, labels)


def _number(term: Term, labels: tuple[str, ...], shape: Shape) -> sp.Expr:
    return sp.Mul(*(f.expr for f in term))


def _vector(term: Term, labels: tuple[str, ...], shape: Shape) -> sp.Expr:
    return sp.Mul(*(f.expr for f in term))


def _matrix(term: Term, labels: tuple[str, ...], shape: Shape) -> sp.Expr:
    scale = sp.Mul(*(f.expr for f in term if not f.labels))
    beside = [[f.expr for f in term if f.labels == (x,)] for x in labels]
    matrices = [f.turned(labels[0]) for f in term if len(f.labels) == 2]
    ones = [_spread(sp.Mul(*v), size) for v, size in zip(beside, shape, strict=True)]
    if not matrices:
        if not any(beside) and scale.is_number:
            return scale
        return scale * N.Outer(*ones)
    if len(matrices) > 1:
        if any(isinstance(m, Diag) for m in matrices):
            raise Impossible("the diagonal of a matrix is not read")
        matrices = [sp.Mul(*matrices)]
    matrix = matrices[0]
    if beside[0]:
        matrix = scaled_rows(matrix, ones[0])
    if beside[1]:
        matrix = _transposed(scaled_rows(_transposed(matrix), ones[1]))
    return _scaled(matrix, scale)


def _spread(v: sp.Expr, size: sp.Expr) -> sp.Expr:
    """The entries of a vector; a number stands in each."""
    return v if v.atoms(N.Ref) else N.Spread(v, size)


def _scaled(matrix: sp.Expr, scale: sp.Expr) -> sp.Expr:
    if scale == 1:
        return matrix
    return Diag(scale * matrix.args[0]) if isinstance(matrix, Diag) else scale * matrix


# -- formulas ------------------------------------------------------------------------------------------


class Reader:
    """Reads formulas with entries."""

    def __init__(
        self,
        leaf: Callable[[Formula], Term],
        call: Callable[[Apply, Factor], Factor],
        steps: Callable[[Big, Callable[[Formula], Factor]], Factor],
        function: Callable[[Name], str],
        same: Same,
        count: Callable[[str, Formula, sp.Expr], None],
    ) -> None:
        """The ways to read what is no sum and no product; ``count`` hears what tells the number of units."""
        self.leaf, self.call, self.steps, self.function, self.same = leaf, call, steps, function, same
        self.count = count

    def value(self, node: Formula) -> Factor:
        """A formula as a number, a vector or a matrix."""
        return whole(self(node), self.same)

    def __call__(self, node: Formula) -> Terms:
        """A formula as a sum of products."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        terms: Terms = (self.leaf(node),) if method is None or not has_units(node) else method(node)
        if len(terms) > TERMS:
            raise Impossible("it has too many terms when multiplied out")
        return terms

    def _sum(self, node: Sum) -> Terms:
        found: list[Term] = []
        for sign, part in zip(node.signs, node.terms, strict=True):
            if sign not in "+-":
                raise Impossible(f"the sign {sign} is not understood")
            found += self(part) if sign == "+" else scaled(self(part), sp.Integer(-1))
        return self._gathered(tuple(found))

    def _gathered(self, terms: Terms) -> Terms:
        """A sum as one factor, where it is a number or a vector."""
        return ((whole(terms, self.same),),) if len(labels_of(terms)) < 2 else terms

    def _product(self, node: Product) -> Terms:
        found = self(node.factors[0])
        for operator, factor in zip(node.operators, node.factors[1:], strict=True):
            if operator in ("/", "⊘", "./"):
                below = self.value(factor)
                found = times(found, ((replace(below, expr=1 / below.expr),),))
            elif operator == "@":
                raise Impossible("a product of matrices between entries")
            else:
                found = times(found, self(factor))
        return self._checked(found)

    def _checked(self, terms: Terms) -> Terms:
        for term in terms:
            self.same.checked(term)
        return terms

    def _fraction(self, node: Fraction) -> Terms:
        below = self.value(node.below)
        return times(self(node.above), ((replace(below, expr=1 / below.expr),),))

    def _brackets(self, node: Brackets) -> Terms:
        if len(node.items) == 1 and node.left in ("(", "[", "{", ""):
            return self(node.items[0])
        raise Impossible("a list of entries is not read")

    def _raised(self, node: Raised) -> Terms:
        base, exponent = self.value(node.body), self.value(node.exponent)
        if node.kind == "transpose" or not exponent.expr.is_number:
            raise Impossible("only powers by a number are read")
        return ((replace(base, expr=base.expr**exponent.expr),),)

    def _apply(self, node: Apply) -> Terms:
        if not self.function(replace(node.head, primes=0, units=())):
            return times(self(node.head), self(node.argument))
        return ((self.call(node, self.value(node.argument)),),)

    def _counted(self, over: Range, terms: Terms) -> None:
        """What a sum says of the number of units, H of i = 1 ... H: it is their number."""
        if over.count is None or len(over.letters) != 1:
            return
        if depends_on(over.count, set(labels_of(terms)) - {*over.letters}):
            raise Partial(SOME.format(over.letters[0]))
        sizes = [f.size(x) for term in terms for f in term for x in f.labels if x in over.letters]
        for size in sizes[:1]:
            self.count(over.letters[0], over.count, size)

    def _big(self, node: Big) -> Terms:
        units = unit_letters(node)
        if not units:
            return ((self.steps(node, self.value),),)
        if len(units) < len(variables(node)):
            raise Impossible("a sum over units and something else")
        over = range_of(node)
        assert over is not None
        if over.some:
            raise Partial(SOME.format(", ".join(sorted(units))))
        terms = self._checked(self(node.body))
        self._counted(over, terms)
        terms = _apart(over, terms)
        for label in sorted(units):
            if label not in labels_of(terms):
                raise Impossible(f"{label} is summed over and stands nowhere")
            if len(labels_of(terms)) == 1:
                terms = ((whole(terms, self.same),),)
            terms = tuple(contracted(term, label) for term in terms)
        return self._gathered(terms)


def _apart(over: Range, terms: Terms) -> Terms:
    """Terms times 1 - δ for letters that differ, j ≠ i."""
    sizes = {x.lstrip("0123456789"): (x, f.size(x)) for term in terms for f in term for x in f.labels}
    for pair in over.others:
        if not sizes.keys() >= set(pair):
            raise Partial(SOME.format(pair[0]))
        labels, shape = zip(*(sizes[x] for x in pair), strict=True)
        terms = (*terms, *times(scaled(terms, sp.Integer(-1)), ((Factor(ONE, shape, labels),),)))
    return terms
