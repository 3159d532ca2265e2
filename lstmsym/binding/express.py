"""A formula as an expression: open products settled by the shapes of what they multiply.

Every value carries its shape and whether it lies as a row.  A product that the notation leaves open is
matrix times vector, outer, inner or pointwise as its factors allow; where association is free, the
first grouping that fits is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.activations import POINTWISE_FUNCTIONS, derivative_of
from lstmsym.binding.chains import chain_rule
from lstmsym.binding.entries import ONE, Factor, Impossible, Reader, Same, Term, has_units
from lstmsym.binding.stacks import Portion, is_slice
from lstmsym.binding.units import unit_labels
from lstmsym.binding.values import Misfit, Scope, Unreadable, Value
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Cases,
    Delta,
    Derivative,
    Formula,
    Fraction,
    Indexed,
    Item,
    Matrix,
    Name,
    Number,
    Product,
    Raised,
    Relation,
    Slice,
    Sum,
    Time,
    Words,
    flat,
    rebuilt,
    walk,
)
from lstmsym.documents.limits import EXPONENT
from lstmsym.documents.write import write
from lstmsym.shapes import Shape, ShapeError, Unifier, spelled
from lstmsym.verify.words import Blocks, Columns, Diag, Local, cut

FACTORS = 60
"""Factors side by side that are grouped by their shapes."""
OUTER = "the last product is read as an outer product"
POINTWISE = frozenset("⊙ ∘ ⊗ .* ⨀".split())
DIVISIONS = frozenset("/ ⊘ ./".split())


class Express:
    """Turns formulas into values; ``settings`` are the conventions under which they are read.

    ``rows``: vectors lie; ``of_output``: f′ is written in terms of f's output.
    """

    def __init__(self, scope: Scope, unifier: Unifier, rows: bool = False, of_output: bool = False) -> None:
        """Read in a scope."""
        self.scope, self.unifier, self.rows, self.of_output = scope, unifier, rows, of_output
        self.wanted: int | None = None
        self.noted: list[str] = []

    def __call__(self, node: Formula) -> Value:
        """The value of a formula.

        Raises:
            Unreadable: it is not understood.
        """
        if has_units(node) and (isinstance(node, Big) or unit_labels(node)) and not chain_rule(node):
            return self._entries(node)
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise Unreadable(f"{type(node).__name__.lower()} is not understood here")
        value: Value = method(node)
        return value

    # -- entries -------------------------------------------------------------------------------------

    def reader(self) -> Reader:
        """The reader of formulas in index notation."""
        return Reader(
            self._factors,
            self._mapped,
            self._over_steps,
            self.scope.function,
            Same(self._same),
            self.scope.counted,
        )

    def same(self, left: Shape, right: Shape, what: str) -> Shape:
        """The shape that both are, or `Misfit`."""
        return self._same(left, right, what)

    def _entries(self, node: Formula) -> Value:
        """A formula in index notation."""
        read, node = self.reader(), with_fractions(node)
        try:
            found = read.value(node)
        except Impossible as error:
            raise Unreadable(str(error)) from None
        return Value(found.expr, found.shape)

    def _factors(self, node: Formula) -> Term:
        """A name or a gradient as factors with labels."""
        found = self._of_own_row(node) if isinstance(node, Derivative) else None
        return (self._entry(node),) if found is None else found

    def _of_own_row(self, node: Derivative) -> Term | None:
        """The derivative of a unit's quantity by a parameter, as factors; None where it is no such thing."""
        of, by = node.of, node.by
        if not isinstance(of, Name) or not isinstance(by, Name) or len(of.units) != 1 or not by.units:
            return None
        found = self.scope.share(of, by)
        if found is None:
            return None
        shape = self.scope.quantity(of).shape
        rows = by.units[::-1] if found.turned else by.units
        term = [Factor(found.slope, shape, of.units)]
        if found.operand is not None:
            size = self.scope.quantity(by).shape[0 if found.turned else 1]
            term.append(Factor(found.operand, (size,), rows[1:]))
        if rows[0] != of.units[0]:
            term.append(Factor(ONE, shape * 2, (of.units[0], rows[0])))
        if found.earlier:
            before = " and ".join(map(str, found.earlier))
            self.noted.append(f"{write(node)} is taken with {before} held fixed")
        return tuple(term)

    def _entry(self, node: Formula) -> Factor:
        """A name or a gradient with its indices, or what has none."""
        value, labels = self._with_labels(node)
        if isinstance(value.expr, Diag) or value.rank == len(labels) == len(set(labels)):
            return Factor(value.expr, value.shape, labels)
        if value.rank == 0 and (value.expr.is_number or isinstance(value.expr, Local)):
            return Factor(value.expr, ())  # of vectors, by vectors, a derivative without entries is zero
        if value.rank == 1 and len(labels) == 2 and isinstance(value.expr, Local):
            if labels[0] == labels[1]:
                return Factor(value.expr, value.shape, labels[:1])
            return Factor(Diag(value.expr), value.shape * 2, labels)
        shown = write(node)
        if len(set(labels)) < len(labels):
            raise Impossible(f"the diagonal of a matrix, {shown}, is not read")
        raise Impossible(f"{shown} has {len(labels)} indices where it is {spelled(value.shape)}")

    def _with_labels(self, node: Formula) -> tuple[Value, tuple[str, ...]]:
        if isinstance(node, Name) and node.base == "1" and len(node.units) == 1 and node.scripts:
            return self._indicated([s.body for s in node.scripts]), node.units
        if isinstance(node, Name) and node.base == "1" and len(node.units) == 2:
            if node.units[0] == node.units[1]:
                return Value(sp.Integer(1)), ()
            size = self.unifier.fresh()
            return Value(Diag(sp.Integer(1)), (size, size)), node.units
        if isinstance(node, Indexed):
            return self(node.body), node.units
        if isinstance(node, (Delta, Derivative)):
            parts = (node.of,) if isinstance(node, Delta) else (node.of, node.by)
            return self.scope.gradient(node), tuple(u for p in parts if isinstance(p, Name) for u in p.units)
        if isinstance(node, Name):
            return self.scope.quantity(node), node.units
        if has_units(node):
            raise Impossible(f"{type(node).__name__.lower()} of entries is not read")
        return self(node), ()

    def _mapped(self, node: Apply, inner: Factor) -> Factor:
        """A function of each entry."""
        value = self._called(
            self.scope.function(replace(node.head, primes=0)),
            [Value(inner.expr, inner.shape)],
            node.head.primes,
        )
        if node.power is not None:
            value = replace(value, expr=value.expr ** self(node.power).expr)
        return replace(inner, expr=value.expr) if value.shape else Factor(value.expr, ())

    def _over_steps(self, node: Big, inner: Callable[[Formula], Factor]) -> Factor:
        """A sum over the steps, of entries."""
        found: list[Factor] = []

        def body(formula: Formula) -> Value:
            found.append(inner(formula))
            return Value(found[-1].expr, found[-1].shape)

        value = self.scope.big(node, body)
        if not found:  # a sum that is one quantity, as that of what is left of the loss
            by = node.body.by if isinstance(node.body, Derivative) else None
            return Factor(value.expr, value.shape, by.units if isinstance(by, Name) else ())
        return replace(found[-1], expr=value.expr)

    # -- leaves --------------------------------------------------------------------------------------

    def _number(self, node: Number) -> Value:
        _, _, exponent = node.text.partition("e")
        if exponent and abs(int(exponent)) > EXPONENT:
            raise Unreadable(f"the number {node.text} is not read: its exponent is over {EXPONENT}")
        return Value(sp.Rational(node.text))

    def _name(self, node: Name) -> Value:
        if node.base == "1":
            if node.scripts:
                return self._indicated([s.body for s in node.scripts])
            return Value(sp.Integer(1), row=self.rows, ones=bool(node.font))
        if node.primes and node.time is None and not node.scripts and node.base == "'":
            raise Unreadable("a prime stands alone")
        return self.scope.quantity(node)

    def _delta(self, node: Delta) -> Value:
        return self.scope.gradient(node)

    def _derivative(self, node: Derivative) -> Value:
        return self.scope.gradient(node)

    def _words(self, node: Words) -> Value:
        raise Unreadable(f"{node.text!r} stands where a quantity is expected")

    # -- sums and products ---------------------------------------------------------------------------

    def _terms(self, terms: Sequence[Formula]) -> list[Value]:
        """The values of terms; beside numbers that change from step to step a new name is one too."""
        found = {n: self(term) for n, term in enumerate(terms) if not self.scope.undeclared(term)}
        numbers = all(v.shape == () for v in found.values())
        numbers = numbers and any(r.lag is not None for v in found.values() for r in v.expr.atoms(N.Ref))
        for n, term in enumerate(terms):
            if n not in found:
                if numbers:
                    self.scope.as_number(term)
                found[n] = self(term)
        return [found[n] for n in range(len(terms))]

    def _sum(self, node: Sum) -> Value:
        values = self._terms(node.terms)
        self.scope.check_terms(node.terms, values)
        shape, row, parts = values[0].shape, values[0].row, self._aligned(values)
        terms = []
        for sign, value in zip(node.signs, values, strict=True):
            if sign not in "+-":
                raise Unreadable(f"the sign {sign} is not understood")
            shape, row = self._joined(shape, row, value)
            terms.append(value.expr if sign == "+" else -value.expr)
        return Value(sp.Add(*terms), shape, row, parts)

    def _aligned(self, values: list[Value]) -> Shape:
        """The sizes of what is stacked in terms of a sum or factors: those of one are those of the others."""
        stacked = [v.parts for v in values if v.parts]
        for parts in stacked[1:]:
            if len(parts) == len(stacked[0]):
                self._same(stacked[0], parts, "added")
        return stacked[0] if stacked else ()

    def _joined(self, shape: Shape, row: bool, value: Value) -> tuple[Shape, bool]:
        if shape == () or value.shape == ():
            return (value.shape, value.row) if shape == () else (shape, row)
        return self._same(shape, value.shape, "added"), row

    def _same(self, left: Shape, right: Shape, what: str) -> Shape:
        try:
            return self.unifier.same(left, right, "")
        except ShapeError as error:
            message = f"shapes {spelled(error.left)} and {spelled(error.right)} cannot be {what}"
            raise Misfit(message) from None

    def _product(self, node: Product) -> Value:
        node = divided(node)
        groups: list[list[tuple[str, Formula]]] = [[("", node.factors[0])]]
        between: list[str] = []
        for operator, factor in zip(node.operators, node.factors[1:], strict=True):
            if operator in POINTWISE:
                between.append(operator)
                groups.append([("", factor)])
            else:
                groups[-1].append((operator, factor))
        known = dict(self.unifier.known)
        try:
            values = [self._chain(group, inside=bool(between)) for group in groups]
            found = values[0]
            for operator, value in zip(between, values[1:], strict=True):
                found = self._pointwise(found, value, operator)
        except Misfit:
            operators, factors = flat(node)
            if set(operators) <= POINTWISE or len(set(operators)) == 1:
                raise
            self.unifier.known = known
            return self._in_order(operators, factors)
        return found

    def _in_order(self, operators: Sequence[str], factors: Sequence[Formula]) -> Value:
        """A product taken from the left, whatever its signs: a ⊙ b x^T is (a ⊙ b) x^T."""
        found = self(factors[0])
        for operator, factor in zip(operators, factors[1:], strict=True):
            value = self(factor)
            found = (self._pointwise if operator in POINTWISE else self.times)(found, value, operator)
        return found

    def _pointwise(self, a: Value, b: Value, operator: str) -> Value:
        if operator == "⊗" and a.rank == b.rank == 1 and self.wanted == 2:
            return Value(N.Outer(a.expr, b.expr), (*a.shape, *b.shape))
        return self._entrywise(a, b)

    def _entrywise(self, a: Value, b: Value) -> Value:
        if a.shape == () or b.shape == ():
            whole = b if a.shape == () else a
            return Value(a.expr * b.expr, whole.shape, whole.row)
        if {a.rank, b.rank} == {1, 2}:
            raise Misfit("a matrix and a vector are multiplied entry by entry")
        parts = self._aligned([a, b])
        shape = self._same(a.shape, b.shape, "multiplied entry by entry")
        return Value(a.expr * b.expr, shape, a.row, parts)

    def _inner(self, factor: Formula) -> Value:
        """A factor among others, of which nothing is wanted but that it fits them."""
        wanted, self.wanted = self.wanted, None
        try:
            return self(factor)
        finally:
            self.wanted = wanted

    def _valued(self, factors: Sequence[Formula], inside: bool) -> list[Value]:
        """The values of factors; one alone, or among numbers, has the rank that the whole has."""
        if len(factors) == 1 and not inside:
            return [self(factors[0])]
        values = [self._inner(factor) for factor in factors]
        ranked = [place for place, value in enumerate(values) if value.rank]
        if len(ranked) == 1 and not inside:
            values[ranked[0]] = self(factors[ranked[0]])
        return values

    def _chain(self, group: Sequence[tuple[str, Formula]], inside: bool = False) -> Value:
        if len(group) > FACTORS:
            raise Unreadable(f"a product of {len(group)} factors; at most {FACTORS} are read")
        values = self._valued([factor for _, factor in group], inside)
        operators = [operator for operator, _ in group]
        if len(values) == 1:
            return values[0]
        known = dict(self.unifier.known)
        try:
            return self._grouped(values, operators, {})
        except Misfit:
            self.unifier.known = known
            return self._from_the_left(values, operators)

    def _grouped(
        self, values: list[Value], operators: list[str], found: dict[tuple[int, int], Value | None]
    ) -> Value:
        """The first grouping of a chain, from the right, whose shapes fit."""

        def best(low: int, high: int) -> Value | None:
            if low == high:
                return values[low]
            if (low, high) in found:
                return found[low, high]
            found[low, high] = None
            for middle in range(low, high):
                left, right = best(low, middle), best(middle + 1, high)
                if left is None or right is None:
                    continue
                known = dict(self.unifier.known)
                try:
                    found[low, high] = self.times(left, right, operators[middle + 1])
                    break
                except Misfit:
                    self.unifier.known = known
            return found[low, high]

        value = best(0, len(values) - 1)
        if value is None:
            shapes = ", ".join(spelled(v.shape) for v in values)
            raise Misfit(f"no grouping of the product fits the shapes {shapes}")
        return value

    def _from_the_left(self, values: list[Value], operators: list[str]) -> Value:
        """A chain with a diagonal matrix behind a column, read as its product entry by entry."""
        found = values[0]
        for operator, value in zip(operators[1:], values[1:], strict=True):
            if found.rank == 1 and isinstance(value.expr, Diag):
                found = self._entrywise(found, Value(value.expr.args[0], value.shape[:1]))
            elif (
                self.wanted == 2
                and found.rank == value.rank == 1
                and found.row == value.row
                and not self._fit(found, value)
            ):
                self.noted.append(OUTER)
                found = Value(N.Outer(found.expr, value.expr), (*found.shape, *value.shape))
            else:
                found = self.times(found, value, operator)
        return found

    def _fit(self, a: Value, b: Value) -> bool:
        known = dict(self.unifier.known)
        try:
            self._same(a.shape, b.shape, "")
        except Misfit:
            self.unifier.known = known
            return False
        return True

    def times(self, a: Value, b: Value, operator: str = "") -> Value:
        """An open product.

        Raises:
            Misfit: of these shapes there is none.
        """
        if a.ones or b.ones:
            a, b = self._of_ones(a, b), self._of_ones(b, a, behind=True)
        if a.shape == () or b.shape == ():
            whole = b if a.shape == () else a
            return Value(a.expr * b.expr, whole.shape, whole.row)
        if a.rank == 2 and b.rank == 2:
            return self._of_matrices(a, b)
        if a.rank == b.rank == 1:
            return self._of_vectors(a, b)
        if a.rank == 2:
            if b.row:
                raise Misfit("a matrix stands left of a row vector")
            return self._applied(a.expr, a.shape, b)
        if a.diagonal:
            return self._of_matrices(Value(Diag(a.expr), a.shape * 2), b)
        if not a.row:
            raise Misfit("a column vector stands left of a matrix")
        return replace(self._applied(turn(b.expr), b.shape[::-1], a), row=True)

    def _of_vectors(self, a: Value, b: Value) -> Value:
        """An open product of vectors: entry by entry, outer or inner as they lie or stand."""
        if a.diagonal or b.diagonal:
            whole = self._entrywise(a, b)
            return replace(whole, row=(b if a.diagonal else a).row, diagonal=a.diagonal and b.diagonal)
        if a.row == b.row:
            return self._entrywise(a, b)
        if b.row:
            return Value(N.Outer(a.expr, b.expr), (*a.shape, *b.shape))
        self._same(a.shape, b.shape, "multiplied")
        return Value(N.Sum(a.expr * b.expr))

    def _of_matrices(self, a: Value, b: Value) -> Value:
        """A product of matrices; a diagonal one scales the rows or the columns of what changes."""
        self._same(a.shape[1:], b.shape[:1], "multiplied")
        if isinstance(a.expr, Diag) and _moves(b.expr):
            rows = N.Outer(a.expr.args[0], N.Spread(sp.Integer(1), b.shape[1]))
            return Value(rows * b.expr, b.shape)
        if isinstance(b.expr, Diag) and _moves(a.expr):
            columns = N.Outer(N.Spread(sp.Integer(1), a.shape[0]), b.expr.args[0])
            return Value(a.expr * columns, a.shape)
        return Value(_matrices(a.expr, b.expr), (a.shape[0], b.shape[1]))

    def _of_ones(self, value: Value, other: Value, behind: bool = False) -> Value:
        """A 1 in bold as the vector of ones that it is beside a matrix, or lying behind what stands."""
        outer = behind and other.rank == 1 and value.row and not other.row
        if not value.ones or not (other.rank == 2 or outer):
            return value
        if other.rank == 2:
            size = other.shape[1 if behind else 0]
            return Value(N.Spread(sp.Integer(1), size), (size,), not behind)
        size = self.unifier.fresh()
        return Value(N.Spread(sp.Integer(1), size), (size,), row=True)

    def _applied(self, matrix: sp.Expr, shape: Shape, v: Value) -> Value:
        """A matrix times a vector; one of blocks times what is stacked, block by block."""
        if isinstance(matrix, Blocks) and len(v.parts) == len(matrix.sizes[1]):
            self._same(matrix.sizes[1], v.parts, "multiplied")
        else:
            self._same(shape[1:], v.shape, "multiplied")
        if not isinstance(matrix, Blocks):
            return Value(applied(matrix, v.expr), shape[:1])
        stacked = isinstance(v.expr, N.Concat) and len(v.parts) == len(matrix.sizes[1])
        parts = v.expr.args if stacked else cut(v.expr, matrix.sizes[1])
        rows = [[applied(b, p) for b, p in zip(row, parts, strict=True) if b != 0] for row in matrix.rows]
        found = [
            sp.Add(*row) if row else N.Spread(sp.Integer(0), size)
            for row, size in zip(rows, matrix.sizes[0], strict=True)
        ]
        return Value(N.concat(*found), shape[:1], parts=matrix.sizes[0])

    def _fraction(self, node: Fraction) -> Value:
        above, below = self(node.above), self(node.below)
        return self._entrywise(above, Value(1 / below.expr, below.shape, below.row))

    def _raised(self, node: Raised) -> Value:
        if is_transposition(node):
            return self.transposed(self(node.body))
        norm = node.body.body if isinstance(node.body, Indexed) else node.body
        if isinstance(norm, Brackets) and norm.left == "‖":
            inner = self(norm.items[0])
            return Value(N.Sum(inner.expr**2) if inner.rank else inner.expr**2)
        base, exponent = self(node.body), self(node.exponent)
        if exponent.shape != () or not exponent.expr.is_number:
            raise Unreadable("only powers by a number are read")
        if base.rank == 2 and exponent.expr != -1:
            raise Unreadable("powers of a matrix are not read")
        return Value(base.expr**exponent.expr, base.shape, base.row)

    def transposed(self, value: Value) -> Value:
        """A value transposed."""
        if value.rank == 2:
            return Value(turn(value.expr), value.shape[::-1])
        return value if value.diagonal else replace(value, row=not value.row)

    # -- brackets ------------------------------------------------------------------------------------

    def _brackets(self, node: Brackets) -> Value:
        if len(node.items) == 1 and node.left in ("(", "[", "{", ""):
            return self(node.items[0])
        if len(node.items) == 2 and node.left == "⟨":
            a, b = map(self, node.items)
            if self.wanted == 2:
                return Value(N.Outer(a.expr, b.expr), (*a.shape, *b.shape))
            self._same(a.shape, b.shape, "multiplied")
            return Value(N.Sum(a.expr * b.expr))
        if len(node.items) > 1 and node.left in ("[", "("):
            return self.stacked([self(i) for i in node.items], beside=";" not in node.separators)
        if len(node.items) == 1 and node.left == "|":
            inner = self(node.items[0])
            return Value(N.absolute(inner.expr), inner.shape, inner.row)
        raise Unreadable(f"what stands between {node.left} and {node.right} is not understood")

    def stacked(self, parts: list[Value], beside: bool = True) -> Value:
        """Vectors one after the other, or matrices ``beside`` or below each other."""
        if all(p.rank == 2 for p in parts):
            return self._blocks([parts] if beside else [[p] for p in parts])
        if any(p.rank != 1 for p in parts):
            raise Unreadable("only vectors are put one after the other")
        expr = N.Concat(*(p.expr for p in parts)) if len(parts) > 1 else parts[0].expr
        sizes = tuple(p.shape[0] for p in parts)
        return Value(expr, (sp.Add(*sizes),), self.rows, sizes)

    def _matrix(self, node: Matrix) -> Value:
        if all(len(row) == 1 for row in node.rows):
            return self.stacked([self(row[0]) for row in node.rows], beside=False)
        if len(node.rows) == 1:
            return self.stacked([self(item) for item in node.rows[0]])
        return self._blocks([[self(item) for item in row] for row in node.rows])

    def _blocks(self, rows: list[list[Value]]) -> Value:
        """A matrix of blocks; a zero has the size of its row and column."""
        if any(v.rank != 2 and v.expr != 0 for row in rows for v in row):
            raise Unreadable("only matrices are blocks of a matrix")
        if any(len(row) != len(rows[0]) for row in rows):
            raise Misfit("the rows of a matrix of blocks have different lengths")
        high = [self._common([v.shape[0] for v in row if v.rank]) for row in rows]
        columns = zip(*rows, strict=True)
        wide = [self._common([v.shape[1] for v in column if v.rank]) for column in columns]
        blocks = Blocks(len(high), len(wide), *high, *wide, *(v.expr for row in rows for v in row))
        return Value(blocks, (sp.Add(*high), sp.Add(*wide)))

    def _common(self, sizes: list[sp.Expr]) -> sp.Expr:
        """The one size that blocks in a row, or in a column, have."""
        if not sizes:
            raise Unreadable("a row or column of zeros has no size")
        for size in sizes[1:]:
            self._same((sizes[0],), (size,), "put beside each other")
        return sizes[0]

    def _portion(self, node: Portion) -> Value:
        """The part of a whole that an entry of a column of names stands for."""
        sizes = tuple(self(entry).shape[0] for entry in node.layout.entries)
        whole = self.scope.stack(node, self)
        if whole.rank != 1:
            raise Misfit("a column of vectors stands for one vector")
        if len(whole.parts) == len(sizes):
            self._same(whole.parts, sizes, "equated")
            if isinstance(whole.expr, N.Concat):
                return Value(whole.expr.args[node.number], sizes[node.number : node.number + 1], whole.row)
        self._same(whole.shape, (sp.Add(*sizes),), "equated")
        part = cut(whole.expr, sizes)[node.number]
        return Value(part, sizes[node.number : node.number + 1], whole.row)

    def _indexed(self, node: Indexed) -> Value:
        copy = _copy(node)
        if copy is not None:
            return self.scope.copy(*copy)
        if node.bar or node.time is not None:
            raise Unreadable("an expression taken at something is not read")
        script = node.scripts[0]
        if len(node.scripts) == 1 and script.where == "sub" and isinstance(script.body, Name):
            return self(node.body)  # the k-th entry of a vector stands for the vector
        raise Unreadable("an index of an expression is not read")

    def _item(self, node: Item) -> Value:
        """A range of entries of a vector, of rows or of columns of a matrix."""
        whole = self(node.body)
        if not is_slice(node) or len(node.items) != whole.rank:
            raise Unreadable("only ranges of entries are read, one for each index")
        bounds = [self._range(item, size) for item, size in zip(node.items, whole.shape, strict=True)]  # type: ignore[arg-type]
        shape = tuple(high - low for low, high in bounds)
        if whole.rank == 1:
            return Value(N.Part(whole.expr, *bounds[0]), shape, whole.row)
        expr = whole.expr
        if bounds[1] != (0, whole.shape[1]):
            expr = Columns(expr, *bounds[1])
        if bounds[0] != (0, whole.shape[0]):
            expr = N.transposed(Columns(N.transposed(expr), *bounds[0]))
        return Value(expr, shape)

    def _range(self, node: Slice, size: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """The bounds of a range, from 0: ``1:n`` and ``n+1:2n`` count from 1 and have their last entry in."""
        low = self._bound(node.low) if node.low is not None else sp.Integer(0)
        high = self._bound(node.high) if node.high is not None else size
        from_one = low == 1 or low.as_coeff_Add()[0] == 1
        return (low - 1 if from_one else low), high

    def _bound(self, node: Formula) -> sp.Expr:
        """A bound of a range, in sizes."""
        if isinstance(node, Number) and node.text.isdigit():
            return sp.Integer(node.text)
        if isinstance(node, Name):
            return self.scope.size(node)
        if isinstance(node, Sum):
            return sp.Add(*(
                self._bound(t) * (1 if s == "+" else -1) for s, t in zip(node.signs, node.terms, strict=True)
            ))  # fmt: skip
        if isinstance(node, Product):
            return sp.Mul(*map(self._bound, node.factors))
        raise Unreadable("the bounds of a range are sizes")

    def _relation(self, node: Relation) -> Value:
        """1 where a comparison holds, else 0."""
        if len(node.terms) == 2 and node.signs[0] in "><≥≤≧≦":
            above, below = node.terms if node.signs[0] in ">≥≧" else node.terms[::-1]
            difference = self(Sum(("+", "-"), (above, below)))
            return replace(difference, expr=N.step(difference.expr))
        if node.signs == ("=",):
            return self._indicated(list(node.terms))
        raise Unreadable("a relation inside a formula is not read")

    def _indicated(self, items: list[Formula]) -> Value:
        """What a 1 with a condition is: a comparison, or the one-hot vector of a class ``k = y_t``."""
        if len(items) == 1 and isinstance(items[0], Relation):
            return self._relation(items[0])
        classes = [n for n in items if isinstance(n, Name) and n.time is not None]
        if len(classes) != 1:
            raise Unreadable("an indicator is not read")
        return self.scope.quantity(classes[0])

    def _cases(self, node: Cases) -> Value:
        """One value where a comparison holds, another where not."""
        (first, condition), *rest = node.rows
        condition = next((n for n in walk(condition) if isinstance(n, Relation)), None) if condition else None
        if len(rest) != 1 or not isinstance(condition, Relation):
            raise Unreadable("only two cases, told apart by a comparison, are read")
        test, one, other = self._relation(condition), self(first), self(rest[0][0])
        shape, row = self._joined(*self._joined(test.shape, test.row, one), other)
        (inner,) = test.expr.args if isinstance(test.expr, N.step) else (test.expr,)
        return Value(N.where(inner, one.expr, other.expr), shape, row)

    def _big(self, node: Big) -> Value:
        return self.scope.big(node, self)

    # -- functions -----------------------------------------------------------------------------------

    def _apply(self, node: Apply) -> Value:
        head = replace(node.head, primes=0)
        function = self.scope.function(head)
        if node.head.base == "1":
            return self(node.argument)
        if not function:
            power = node.power
            left = Raised(node.head, power, "power") if power is not None else node.head
            return self.times(self(left), self(node.argument))
        arguments = self._arguments(node.argument)
        value = self._called(function, arguments, node.head.primes)
        if node.power is not None:
            exponent = self(node.power)
            value = replace(value, expr=value.expr**exponent.expr)
        return value

    def _arguments(self, node: Formula) -> list[Value]:
        if isinstance(node, Brackets) and len(node.items) > 1 and node.left in ("(", "{"):
            return [self(i) for i in node.items]
        return [self(node)]

    def _called(self, function: str, arguments: list[Value], primes: int) -> Value:
        first = arguments[0]
        if len(arguments) > 1:
            return self._extreme(function, arguments)
        if primes:
            return replace(first, expr=derivative_of(function, first.expr, primes, self.of_output))
        if function == "diag":
            if first.rank != 1:
                raise Misfit("diag is that of a vector")
            return Value(Diag(first.expr), first.shape * 2)
        if function == "trace":
            return self._trace(first)
        if function == "transpose":
            return self.transposed(first)
        if function in ("sum", "mean"):
            op = N.Sum if function == "sum" else N.Mean
            return Value(op(first.expr)) if first.rank else first
        if function in POINTWISE_FUNCTIONS:
            return replace(first, expr=N.canonical(POINTWISE_FUNCTIONS[function](first.expr)))
        raise Unreadable(f"{function} is not understood")

    def _trace(self, value: Value) -> Value:
        """The sum of the diagonal of a product of matrices, or of an outer product."""
        self._same(value.shape[:1], value.shape[1:], "the sizes of what has a trace")
        terms = []
        for term in sp.Add.make_args(value.expr):
            factors = sp.Mul.make_args(term)
            products = [f for f in factors if isinstance(f, (N.Dot, N.Outer))]
            if value.rank != 2 or len(products) != 1:
                raise Unreadable("a trace is read of a product of two matrices only")
            one, other = products[0].args
            inner = one * (N.transposed(other) if isinstance(products[0], N.Dot) else other)
            terms.append(sp.Mul(*(f for f in factors if f is not products[0])) * N.Sum(inner))
        return Value(sp.Add(*terms))

    def _extreme(self, function: str, arguments: list[Value]) -> Value:
        """The larger or the smaller of several; a product of two."""
        if function in ("outer", "dot") and len(arguments) == 2:
            a, b = arguments
            if function == "dot":
                return self.times(a, b)
            if a.rank != 1 or b.rank != 1:
                raise Misfit("an outer product is that of two vectors")
            return Value(N.Outer(a.expr, b.expr), (*a.shape, *b.shape))
        if function not in ("maximum", "minimum", "max", "min"):
            raise Unreadable(f"{function} of several arguments is not understood")
        rest = [a for a in arguments if a.expr != 0]
        if len(rest) == 1 and function.startswith("max"):
            return replace(rest[0], expr=N.relu(rest[0].expr))
        op = N.maximum if function.startswith("max") else N.minimum
        found = arguments[0]
        for other in arguments[1:]:
            shape, row = self._joined(found.shape, found.row, other)
            found = Value(op(found.expr, other.expr), shape, row)
        return found


def _copy(node: Indexed) -> tuple[Derivative, Time] | None:
    r"""The derivative and the step of ``\partial L / \partial W |_{(t)}``."""
    body, bar = node.body, bool(node.bar)
    if isinstance(body, Brackets) and (body.left, body.right, len(body.items)) == ("", "|", 1):
        body, bar = body.items[0], True
    if not bar or not isinstance(body, Derivative):
        return None
    if node.time is not None:
        return body, node.time
    script = node.scripts[0] if len(node.scripts) == 1 else None
    step = script.body if script is not None and script.where == "sub" else None
    alone = isinstance(step, Sum) or (isinstance(step, Name) and step.time is None and not step.scripts)
    time = Time(step) if step is not None and alone else None
    return (body, time) if time is not None and time.offset is not None else None


def with_fractions(node: Formula) -> Formula:
    """A formula with fractions for its divisions."""
    node = rebuilt(node, with_fractions)
    return divided(node) if isinstance(node, Product) else node


def divided(node: Product) -> Product:
    """A product with fractions for its divisions: 1/2*a is (1/2) a, and a / b c is a / (b c)."""
    factors, operators = [node.factors[0]], []
    at = 0
    while at < len(node.operators):
        operator, factor = node.operators[at], node.factors[at + 1]
        at += 1
        if operator not in DIVISIONS:
            operators.append(operator)
            factors.append(factor)
            continue
        below = [factor]
        while at < len(node.operators) and not node.operators[at] and not isinstance(factor, Number):
            below.append(node.factors[at + 1])
            at += 1
        divisor = Product(("",) * (len(below) - 1), tuple(below)) if below[1:] else factor
        factors[-1] = Fraction(factors[-1], divisor)
    return replace(node, operators=tuple(operators), factors=tuple(factors))


def _moves(matrix: sp.Expr) -> bool:
    """Whether a matrix is a quantity, or a gradient, of a step."""
    inner = matrix.args[0] if isinstance(matrix, N.Transposed) else matrix
    return isinstance(inner, N.Ref) and inner.lag is not None


def applied(matrix: sp.Expr, v: sp.Expr) -> sp.Expr:
    """A matrix times a vector; a diagonal one entry by entry."""
    inner = matrix.args[0] if isinstance(matrix, N.Transposed) else matrix
    return inner.args[0] * v if isinstance(inner, Diag) else N.Dot(matrix, v)


def turn(matrix: sp.Expr) -> sp.Expr:
    """A matrix transposed."""
    return matrix.turned() if isinstance(matrix, Blocks) else N.transposed(matrix)


def _matrices(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """A product of matrices; one with an outer product is an outer product."""
    if isinstance(b, N.Outer):
        return N.Outer(applied(a, b.args[0]), b.args[1])
    if isinstance(a, N.Outer):
        return N.Outer(a.args[0], applied(N.transposed(b), a.args[1]))
    return N.Dot(a, b)


def is_transposition(node: Raised) -> bool:
    """Whether an exponent is the sign of transposition."""
    return node.kind == "transpose" or (node.kind == "open" and _is_transposition(node.exponent))


def _is_transposition(exponent: Formula) -> bool:
    if isinstance(exponent, Words):
        return exponent.text in ("⊤", "'")
    return isinstance(exponent, Name) and exponent.base == "T"
