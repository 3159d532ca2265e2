"""The scope of forward equations: an unknown name becomes an input, a state or a parameter by its use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.entries import has_units, is_unit_sum
from lstmsym.binding.express import Express, is_transposition
from lstmsym.binding.numbering import declared
from lstmsym.binding.quantity import FIRST, LAST, Place, identifier, untimed
from lstmsym.binding.shares import Share
from lstmsym.binding.stacks import Portion, entries, stem
from lstmsym.binding.table import Table, function_of, is_small
from lstmsym.binding.values import Misfit, Unreadable, Value
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Delta,
    Derivative,
    Formula,
    Indexed,
    Matrix,
    Name,
    Number,
    Product,
    Raised,
    Sum,
    Time,
    names,
    walk,
)
from lstmsym.notation import Ref
from lstmsym.shapes import Shape, Unifier


class Sizes(Unifier):
    """Sizes in which a size by itself gives way to a sum, and not a part of the sum to a difference."""

    def _equate(self, left: sp.Expr, right: sp.Expr) -> bool:
        left, right = self._size(left), self._size(right)
        for one, other in ((left, right), (right, left)):
            if isinstance(one, sp.Dummy) and one not in other.atoms(sp.Dummy):
                self.known[one] = other
                return True
        return super()._equate(left, right)


class Forward:
    """The scope of forward equations: an unknown name becomes an input, a state or a parameter."""

    def __init__(self, table: Table, unifier: Unifier, contexts: dict[str, set[str]], timeless: bool) -> None:
        """``contexts``: how names are used; ``timeless``: inputs have no step."""
        self.table, self.unifier, self.contexts, self.timeless = table, unifier, contexts, timeless
        self.lag = 0
        self.used: set[str] = set()
        self.lines: dict[str, sp.Expr] = {}
        self.held: set[str] = set()
        self.numbers: set[str] = set()
        """Names without steps that are numbers."""
        self.handed: dict[str, sp.Expr] = {}
        """Lines of states that hand a quantity on to later steps."""
        self.stacks: dict[tuple[Formula, int], Value] = {}
        self.parts: dict[str, Shape] = {}
        """The sizes of what names have stacked in them."""
        self.waiting: list[tuple[str, sp.Expr]] = []
        """Lines that a column of names makes: the whole, of which they are the parts."""

    def quantity(self, name: Name) -> Value:
        """A name, declared by its use."""
        table = self.table
        if name.primes and table.key(name).key not in table.renewed:
            return Express(self, self.unifier, table.rows).transposed(self.quantity(replace(name, primes=0)))
        at = table.key(name)
        if at.lag in (FIRST, LAST):
            raise Unreadable(f"{at.key} at one step only")
        ident = table.idents.get(at.key)
        if ident is None and at.key in table.counts:
            return Value(self.size(name))
        if ident is None and at.key in table.macros:
            return Express(self, self.unifier, table.rows)(table.macros[at.key])
        if ident is None:
            ident = self.declare(at, name)
        role = table.roles[ident]
        lag = (
            None if role in ("parameter", "hyper") else (at.lag if isinstance(at.lag, int) else 0) - self.lag
        )
        if lag is not None and lag > 0:
            raise Unreadable(f"{at.key} at a later step")
        if lag is not None and lag < (0 if role == "input" else -1):
            ident, lag = self.earlier(ident, -lag), -1
        shape = table.shapes[ident]
        self.used.add(ident)
        return Value(Ref(ident, lag), shape, table.lies(at.key, shape), self.parts.get(ident, ()))

    def stack(self, node: Portion, body: Callable[[Formula], Value]) -> Value:
        """What a column of names stands for, by a name of its own."""
        key = node.whole, self.lag
        if key not in self.stacks:
            value = body(node.whole)
            if not isinstance(value.expr, Ref):
                ident = self.name_stack(node)
                self.table.shapes[ident] = value.shape
                self.waiting.append((ident, value.expr))
                value = replace(value, expr=Ref(ident, 0))
            self.stacks[key] = value
        return self.stacks[key]

    def name_stack(self, node: Portion) -> str:
        """A name for a stack: what the names of its parts have in common, if that is free."""
        table = self.table
        common = stem(node.layout)
        at = table.key(common) if common is not None else Place("stack", 0)
        ident = identifier(at.key, [*table.spelled, *table.roles, *N.FUNCTIONS, "t", "m", "n", "p", "k"])
        if common is not None and at.key not in table.idents:
            table.idents[at.key], table.spelled[ident] = ident, untimed(common)[0]
            table.samples[ident] = common
        table.roles[ident] = "name"
        return ident

    def size(self, name: Name) -> sp.Expr:
        """A size by its name."""
        return self.table.sizes.setdefault(name.key, self.unifier.fresh())

    def counted(self, letter: str, count: Formula, size: sp.Expr) -> None:
        """How many units there are is what a sum says."""
        declared(count, size, self.table, self.size, self.unifier)

    def earlier(self, ident: str, steps: int) -> str:
        """The state that hands a quantity on, so that its value at the step before is that of steps ago."""
        given = self.table.roles[ident] == "input"
        line = Ref(ident, 0 if given else -1)
        for count in range(steps if given else steps - 1):
            key = (ident, -count - (1 if given else 2))
            if key not in self.table.earlier:
                name = identifier(f"{ident}_{-key[1]}_before", [*self.table.roles, *self.table.spelled])
                self.table.earlier[key] = name
                self.table.roles[name], self.table.shapes[name] = "state", self.table.shapes[ident]
                self.handed[name] = line
            line = Ref(self.table.earlier[key], -1)
        return line.base

    def scores(self, log: sp.Expr) -> sp.Expr | None:
        """What the softmax is taken of, whose logarithm this is."""
        (inner,) = log.args
        if isinstance(log, N.log_softmax):
            return inner
        line = self.lines.get(inner.base) if isinstance(inner, Ref) else inner
        return line.args[0] if isinstance(line, N.softmax) else None

    def declare(self, at: Place, name: Name) -> str:
        """A name that nothing defines: an input where it has a time, else a parameter."""
        table = self.table
        ident = identifier(at.key, [*table.spelled, *N.FUNCTIONS, "t", "m", "n", "p", "k"])
        table.idents[at.key] = ident
        table.spelled[ident] = untimed(name)[0]
        table.samples[ident] = name
        table.roles[ident], rank = self.role(at, name)
        table.shapes[ident] = tuple(self.unifier.fresh() for _ in range(rank))
        return ident

    def undeclared(self, node: Formula) -> bool:
        """Whether a formula is a name without steps that its use is to declare."""
        if not isinstance(node, Name) or node.units or node.primes:
            return False
        at = self.table.key(node)
        return at.lag is None and at.key not in {*self.table.idents, *self.table.macros}

    def as_number(self, node: Formula) -> None:
        """Declare a name as a number: the bias of a gate that is one."""
        assert isinstance(node, Name)
        self.numbers.add(self.table.key(node).key)

    def check_terms(self, terms: Sequence[Formula], values: Sequence[Value]) -> None:
        """Refuse an inner product beside a vector: it is an outer product, and the vector a matrix."""
        if any(value.rank for value in values):
            for term, value in zip(terms, values, strict=True):
                factors = term.factors if isinstance(term, Product) else ()
                if not value.rank and any(isinstance(f, Raised) and is_transposition(f) for f in factors):
                    raise Misfit("an inner product and a vector are added")

    def known_role(self, at: Place, name: Name, contexts: set[str]) -> tuple[str, int] | None:
        """Role and rank of a name that the text tells, or that a gradient is taken by; None of others."""
        if at.key in self.table.told:
            return self.table.told[at.key]
        if at.key in self.numbers:
            return ("parameter" if at.lag is None else "input"), 0
        if is_small(name):
            return "hyper", 0
        if "starred" in contexts and at.key in self.table.derived and not name.base.isascii():
            return "parameter", 1
        return None

    def role(self, at: Place, name: Name) -> tuple[str, int]:
        """Role and rank of an undefined name, by whether it has a time and by what stands around it."""
        contexts = self.contexts.get(at.key, set())
        known = self.known_role(at, name, contexts)
        if known is not None:
            return known
        indexed = self.table.indexed and (bool(name.units) or "whole" not in contexts)
        if at.lag is not None:
            return "input", len(name.units) if indexed else self.table.ranks.get(at.key, 1)
        if indexed and len(name.units) != 1:
            return ("parameter", 2) if name.units else ("hyper", 0)
        if "root" in contexts and len(name.base) == 1:
            return "hyper", 0
        upper = name.base[0].isupper() or (name.font == "bold" and name.base[0].isupper())
        if (
            self.timeless
            and (not upper or name.units)
            and ("operand" in contexts or name.base in ("x", "u") or not self.has_matrix)
        ):
            return "input", 1
        if "open" in contexts and upper:
            return "parameter", 2
        if "number" in contexts:
            return "parameter", 0
        if "pointwise" in contexts or "term" in contexts:
            greek = not name.base.isascii() and name.font != "bold" and not {"term", "vector"} & contexts
            return ("hyper", 0) if greek and at.key not in self.table.derived else ("parameter", 1)
        if not name.base.isascii() or name.base in ("N", "T", "n", "B", "m"):
            return self.number(at), 0
        return "parameter", 1

    def number(self, at: Place) -> str:
        """The role of a number: a parameter where the loss is derived by it."""
        return "parameter" if at.key in self.table.derived else "hyper"

    @property
    def has_matrix(self) -> bool:
        """Whether any parameter is a matrix."""
        return any("matrix" in c for c in self.contexts.values())

    def gradient(self, node: Delta | Derivative) -> Value:
        """Refuse."""
        raise Unreadable("a gradient in a forward equation")

    def copy(self, node: Derivative, time: Time) -> Value:
        """Refuse."""
        raise Unreadable("a gradient in a forward equation")

    def share(self, of: Name, by: Name) -> Share | None:
        """None: nothing is known yet."""
        return None

    def function(self, name: Name) -> str:
        """The operation a name is; a word before a bracket is one, known or not."""
        found = function_of(name, self.table)
        word = len(name.base) > 2 and name.base.isalpha() and name.base.islower() and name.time is None
        if word and not found and not name.scripts and self.table.key(name).key not in self.table.idents:
            hint = f"the front matter can say it: names: {{{name.base}: function tanh}}"
            raise Unreadable(f"the function {name.base} is not known; {hint}")
        return found

    def big(self, node: Big, body: Callable[[Formula], Value]) -> Value:
        """A sum over units is in the notation of vectors already; others are not forward."""
        raise Unreadable("a sum over an index is not read in a forward equation")


def contexts_of(lines: Iterable[tuple[Formula, Formula]], table: Table) -> dict[str, set[str]]:
    """How each name is used: term of a sum, beside an open or a pointwise product, as a matrix's operand."""
    found: dict[str, set[str]] = {}
    for left, right in lines:
        for name in _whole(right) if has_units(left) else names(right):
            found.setdefault(table.key(name).key, set()).add("whole")
        for node in walk(right):
            for part, use in _uses(node, table):
                for name in _blocks(_bare(part)):
                    found.setdefault(table.key(name).key, set()).add(use)
    for key, macro in table.macros.items():
        for part in names(macro):
            found.setdefault(table.key(part).key, set()).update(found.get(key, ()))
    return found


def _whole(node: Formula) -> Iterator[Name]:
    """The names of vectors and matrices among entries: those of ``[W x]_j``."""
    for part in walk(node):
        if isinstance(part, Indexed) and part.units:
            yield from names(part.body)


def _bare(node: Formula) -> Formula:
    while isinstance(node, Raised) or (isinstance(node, Brackets) and len(node.items) == 1):
        node = node.body if isinstance(node, Raised) else node.items[0]
    return node


def _blocks(node: Formula) -> Iterator[Name]:
    """A name, or the names that are the blocks of a matrix or column."""
    rows = node.rows if isinstance(node, Matrix) else (entries(node) or (node,),)
    yield from (part for row in rows for part in map(_bare, row) if isinstance(part, Name))


def _is_inner(node: Formula) -> bool:
    """Whether a term is a product of two vectors, w^T h: by its small letter."""
    if not isinstance(node, Product) or len(node.factors) != 2 or node.operators not in (("",), ("·",)):
        return False
    first = node.factors[0]
    name = first.body if isinstance(first, Raised) and is_transposition(first) else None
    return isinstance(name, Name) and name.time is None and not name.units and name.base.islower()


def _uses(node: Formula, table: Table) -> Iterator[tuple[Formula, str]]:
    """What the parts of a sum, a product or a name before brackets are used as."""
    if isinstance(node, Sum):
        use = "share" if any(isinstance(t, Number) for t in node.terms) else "term"
        yield from ((term, use) for term in node.terms)
        if any(map(_is_inner, node.terms)):
            yield from ((term, "number") for term in node.terms)
    if isinstance(node, Apply) and not function_of(node.head, table):
        yield node.head, "open"
    if isinstance(node, Apply) and function_of(node.head, table) == "sqrt":
        yield node.argument, "root"  # of a size: 1/sqrt(d)
    if isinstance(node, Big) and is_unit_sum(node):
        factors = node.body.factors if isinstance(node.body, Product) else ()
        yield from ((factor, "operand") for factor in factors)
    if isinstance(node, Product):
        for place, operator in enumerate(node.operators):
            before, behind = node.factors[place : place + 2]
            use = "pointwise" if operator in ("⊙", "∘", ".*", "⊗") else "open"
            yield from ((before, use), (behind, use))
            if operator == "*":
                yield from ((before, "starred"), (behind, "starred"))
            weights = all(name.base[0].isupper() for name in _blocks(before))
            if isinstance(before, (Name, Matrix)) and weights and operator not in ("⊙", "∘", ".*"):
                yield from ((behind, "operand"), (before, "matrix"))
