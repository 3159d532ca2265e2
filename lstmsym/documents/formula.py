"""A formula as its author wrote it: a tree of names and operations, in which open questions stay open.

Trees compare by what they say; how it was spelled (`spelling`, `form`, `span`) is kept beside it, so
that a tree prints back in the author's notation and every node knows its place in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

Span = tuple[int, int]
"""Start and end offset in the text of the block."""


@dataclass(frozen=True, kw_only=True)
class Formula:
    """Any node; ``span`` is where it stands in the text of its block."""

    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True)
class Number(Formula):
    """A number, as its digits."""

    text: str


@dataclass(frozen=True)
class Script:
    """One index or mark of a name: ``where`` is sub or sup, ``wrap`` the brackets around it: (), [], <>."""

    where: str
    body: Formula
    wrap: str = ""

    @property
    def text(self) -> str:
        """Its letters, without brackets and spaces."""
        return plain(self.body)


@dataclass(frozen=True)
class Time:
    """The step a name is taken at: ``form`` says where it was written: sub, sup, call (t) or item [t]."""

    index: Formula
    form: str = field(default="sub", compare=False)
    wrap: str = field(default="", compare=False)
    place: int = field(default=0, compare=False)

    @property
    def letter(self) -> str:
        """T of T-1, t of t; nothing for a number or for two letters."""
        return _linear(self.index)[0]

    @property
    def offset(self) -> int | None:
        """-1 of t-1, 0 of t, 3 of 3; None where the index has two letters."""
        return _linear(self.index)[1]


@dataclass(frozen=True)
class Name(Formula):
    """A name without its time: base, accents (innermost first), font, scripts, primes, and the time apart.

    Primes may say transpose, next step or derivative: that needs the symbol table.
    """

    base: str
    marks: tuple[str, ...] = ()
    scripts: tuple[Script, ...] = ()
    time: Time | None = None
    primes: int = 0
    font: str = ""
    spelling: str = field(default="", compare=False)
    units: tuple[str, ...] = ()
    """Indices that number units, where they have been told from the scripts."""

    @property
    def key(self) -> str:
        """What makes it this name and no other, whatever its font and step: ``c~_{prev}``."""
        accents = "".join(ACCENT_KEYS.get(m, f"[{m}]") for m in self.marks)
        subs = ",".join(sorted(s.text for s in self.scripts if s.where == "sub"))
        sups = ",".join(sorted(s.text for s in self.scripts if s.where == "sup"))
        return self.base + accents + (subs and f"_{{{subs}}}") + (sups and f"^{{{sups}}}") + "'" * self.primes


ACCENT_KEYS = {"tilde": "~", "hat": "^", "bar": "-", "dot": ".", "vec": "→", "left": "←"}


@dataclass(frozen=True)
class Delta(Formula):
    """A gradient named by a letter or affix before its quantity: δx, dx, Δx, ∂x, x_diff, top_diff_h, δ8.

    It may yet be a product (δ times x) where the document says so.  ``spelling`` is that of the
    prefix, ``whole`` that of all, where it is one word of code; clear it when changing a part.
    """

    prefix: str
    of: Formula
    spelling: str = field(default="", compare=False)
    whole: str = field(default="", compare=False)


@dataclass(frozen=True)
class Derivative(Formula):
    """∂L/∂x, dL(t)/dh(t), ∇_x L, ∂_x f: ``form`` is frac, slash, nabla, sub or under (d_L over d_h)."""

    of: Formula | None
    by: Formula | None
    letter: str = "∂"
    order: int = 1
    form: str = field(default="frac", compare=False)
    spelling: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Sum(Formula):
    """Terms with their signs, + or -."""

    signs: tuple[str, ...]
    terms: tuple[Formula, ...]


@dataclass(frozen=True)
class Product(Formula):
    """Factors with what stands between them: ⊙ ∘ ⊗ × · * .* @ / ⊘, or nothing for juxtaposition.

    Which product an operator means is open.  Juxtaposition binds closer than a written operator;
    `flat` undoes that where shapes want another grouping.
    """

    operators: tuple[str, ...]
    factors: tuple[Formula, ...]
    spelling: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Fraction(Formula):
    """One over another, with a line between."""

    above: Formula
    below: Formula
    spelling: str = field(default=r"\frac", compare=False)


@dataclass(frozen=True)
class Raised(Formula):
    """Something with an exponent: ``kind`` is power, transpose, or open (``^T`` and letters)."""

    body: Formula
    exponent: Formula
    kind: str = "open"


@dataclass(frozen=True)
class Apply(Formula):
    r"""A name before a bracket: a function and its argument, or (``certain`` false) maybe a product.

    ``power`` is that of ``\tanh^2(c)``; the argument is a `Brackets`, or bare as in ``\tanh c``.
    """

    head: Name
    argument: Formula
    power: Formula | None = None
    certain: bool = False


@dataclass(frozen=True)
class Brackets(Formula):
    """Brackets around one thing (a group) or several (a list, a concatenation, the arguments of a call).

    ``left`` and ``right`` are plain: ( [ { | ‖ ⟨ or nothing; ``separators`` are , ; : |.
    """

    left: str
    right: str
    items: tuple[Formula, ...]
    separators: tuple[str, ...] = ()
    spelling: tuple[str, str] = field(default=("", ""), compare=False)


@dataclass(frozen=True)
class Matrix(Formula):
    """A block or column written as a matrix; ``environment`` says how (bmatrix, array, ...)."""

    rows: tuple[tuple[Formula, ...], ...]
    environment: str = field(default="bmatrix", compare=False)
    columns: str = field(default="", compare=False)


@dataclass(frozen=True)
class Cases(Formula):
    """Values with their conditions."""

    rows: tuple[tuple[Formula, Formula | None], ...]


@dataclass(frozen=True)
class Indexed(Formula):
    """An expression with an index of its own: ``(W x)_i``; ``bar``: evaluated or held at, ``|_{h_t}``."""

    body: Formula
    scripts: tuple[Script, ...]
    time: Time | None = None
    bar: str = ""
    units: tuple[str, ...] = ()
    """As those of a name."""


@dataclass(frozen=True)
class Big(Formula):
    """A sum or product over an index: ``operator`` is ∑, ∏, ∫ or ⨀; limits as written."""

    operator: str
    lower: Formula | None
    upper: Formula | None
    body: Formula
    spelling: str = field(default="", compare=False)

    @property
    def variable(self) -> str:
        """The index, where there is one."""
        first = self.lower.terms[0] if isinstance(self.lower, Relation) else self.lower
        return plain(first) if first else ""

    @property
    def low(self) -> Formula | None:
        """Where the index starts, of ``k=1``."""
        return (
            self.lower.terms[1] if isinstance(self.lower, Relation) and self.lower.signs == ("=",) else None
        )

    @property
    def high(self) -> Formula | None:
        """Where it ends: ``T``, also of ``s=T``."""
        return self.upper.terms[-1] if isinstance(self.upper, Relation) else self.upper


@dataclass(frozen=True)
class Relation(Formula):
    """A relation inside a formula: a limit ``t=1``, a condition ``k ∈ {i, f, o}``."""

    signs: tuple[str, ...]
    terms: tuple[Formula, ...]
    spelling: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Words(Formula):
    """Words, or dots that stand for what the reader can fill in."""

    text: str
    spelling: str = field(default="", compare=False)


@dataclass(frozen=True)
class Slice(Formula):
    """A range of entries, ``a:b`` inside the brackets of `Item`; an open end is None."""

    low: Formula | None
    high: Formula | None


@dataclass(frozen=True)
class Item(Formula):
    """Entries of an array: ``W[:n, :]``, ``x[t]``."""

    body: Formula
    items: tuple[Formula, ...]


def children(node: Formula) -> Iterator[Formula]:
    """The parts of a node, those of its scripts and its time included."""
    for name in _fields(node):
        value = getattr(node, name)
        if isinstance(value, Formula):
            yield value
        elif value and not isinstance(value, str):
            yield from _parts(value)


_FIELDS: dict[type, tuple[str, ...]] = {}


def _fields(node: Formula) -> tuple[str, ...]:
    """What a node is made of; its place in the text holds no parts."""
    kind = type(node)
    if kind not in _FIELDS:
        _FIELDS[kind] = tuple(f.name for f in fields(node) if f.name != "span")
    return _FIELDS[kind]


def _parts(value: Any) -> Iterator[Formula]:
    if isinstance(value, Formula):
        yield value
    elif isinstance(value, Script):
        yield value.body
    elif isinstance(value, Time):
        yield value.index
    elif isinstance(value, tuple):
        for part in value:
            yield from _parts(part)


def walk(node: Formula) -> Iterator[Formula]:
    """The node and everything in it, from the left."""
    yield node
    for child in children(node):
        yield from walk(child)


def names(node: Formula) -> Iterator[Name]:
    """Its names, those in indices left out."""
    if isinstance(node, Name):
        yield node
        return
    for name in _fields(node):
        value = getattr(node, name)
        for part in value if isinstance(value, tuple) else (value,):
            for inner in part if isinstance(part, tuple) else (part,):
                if isinstance(inner, Formula):
                    yield from names(inner)


def rebuilt(node: Formula, change: Callable[[Formula], Formula]) -> Formula:
    """The node with every part of it changed."""
    changes = {}
    for name in _fields(node):
        old = getattr(node, name)
        new = _changed(old, change)
        if new is not old:
            changes[name] = new
    return replace(node, **changes) if changes else node


def _changed(value: Any, change: Callable[[Formula], Formula]) -> Any:
    if isinstance(value, Formula):
        return change(value)
    if isinstance(value, Script):
        body = change(value.body)
        return value if body is value.body else replace(value, body=body)
    if isinstance(value, Time):
        index = change(value.index)
        return value if index is value.index else replace(value, index=index)
    if isinstance(value, tuple):
        new = tuple(_changed(v, change) for v in value)
        return value if all(a is b for a, b in zip(new, value, strict=True)) else new
    return value


def flat(product: Product) -> tuple[tuple[str, ...], tuple[Formula, ...]]:
    """Operators and factors of a product with its juxtapositions on the same level."""
    operators: list[str] = []
    factors: list[Formula] = []
    for place, factor in enumerate(product.factors):
        if place:
            operators.append(product.operators[place - 1])
        inner = isinstance(factor, Product) and not any(factor.operators)
        factors += factor.factors if inner and isinstance(factor, Product) else (factor,)
        operators += factor.operators if inner and isinstance(factor, Product) else ()
    return tuple(operators), tuple(factors)


def plain(node: Formula) -> str:
    """The letters of an index: ``t-1``, ``xi``, ``k∈{i,f}``."""
    if isinstance(node, Name):
        return node.key + (f"({plain(node.time.index)})" if node.time else "")
    if isinstance(node, Number):
        return node.text
    if isinstance(node, Words):
        return node.text
    if isinstance(node, Sum):
        signed = zip(node.signs, node.terms, strict=True)
        return "".join(s + plain(t) for s, t in signed).removeprefix("+")
    if isinstance(node, (Product, Relation)):
        between = node.operators if isinstance(node, Product) else node.signs
        parts = node.factors if isinstance(node, Product) else node.terms
        return plain(parts[0]) + "".join(o + plain(p) for o, p in zip(between, parts[1:], strict=True))
    if isinstance(node, Brackets):
        inner = ",".join(plain(i) for i in node.items)
        return f"{node.left}{inner}{node.right}"
    if isinstance(node, Delta):
        return node.prefix + plain(node.of)
    return "".join(plain(c) for c in children(node))


def _linear(index: Formula) -> tuple[str, int | None]:
    """(letter, whole number added to it) of an index."""
    if isinstance(index, Number):
        return ("", int(index.text)) if index.text.isdigit() else ("", None)
    if isinstance(index, Name):
        return index.key, 0
    if isinstance(index, Sum):
        letters = [
            t.key for s, t in zip(index.signs, index.terms, strict=True) if isinstance(t, Name) and s == "+"
        ]
        numbers = [
            int(s + t.text)
            for s, t in zip(index.signs, index.terms, strict=True)
            if isinstance(t, Number) and t.text.isdigit()
        ]
        if len(letters) <= 1 and len(letters) + len(numbers) == len(index.terms):
            return "".join(letters), sum(numbers)
    return "", None
