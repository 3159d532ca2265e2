r"""Functions that a document defines, ``f(u) = 1/(1 + e^{-u})``: written out where they stand, f' too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from lstmsym.binding.table import FUNCTIONS, Line
from lstmsym.documents.formula import (
    Apply,
    Brackets,
    Cases,
    Formula,
    Fraction,
    Name,
    Number,
    Product,
    Raised,
    Sum,
    rebuilt,
    walk,
)

ONE, ZERO = Number("1"), Number("0")
_KINDS = {
    "sigma": r"logistic|sigmoid|sigmoïd|S字|シグモイド|ロジスティック|시그모이드",
    "tanh": r"hyperbolic tangent|tanh|tangens hyperbolicus|tangente hyperbolique|双曲正切|双曲線正接",
    "relu": r"\brelu\b|rectif|ramp function",
    "softplus": r"softplus",
    "identity": r"\bidentity\b|恒等",
}
_INLINE = re.compile(r"(?<!\$)\$([^$\n]+)\$(?!\$)")
_BARE = re.compile(r"(?<![\w$\\])([A-Za-zα-ω]\w{0,7})\([.·•]?\)(?![\w$])|(?<![\w$\\{(])([α-ωϕ])(?=\s+[a-z])")
"""A function in plain text, ``s()``, ``f(.)``, or a Greek letter."""
_NOUN = r"(?:\s+(?:function|activation|nonlinearity|non-linearity))?\s*$"
_OPEN = re.compile(r"\b(or|any|not|like|such as)\b")
_BETWEEN = r"[^$.;:。；]{0,40}?"


_FORMULA = (
    r"\s+(?:is|denotes|stands for|ist|bezeichnet|est|désigne|为|是)\s*[^$.;]{0,25}"
    r"\$\s*\\?(?:mathrm\{|operatorname\{)?"
)
"""Between a name and the function that it is said to be, as a formula of its own."""


class Unknown(ValueError):
    """A function whose derivative is not worked out here."""


@dataclass(frozen=True)
class Definition:
    """The argument of a function as the document names it, and its value there."""

    argument: Name
    body: Formula


Functions = dict[str, Definition]


def functions_of(lines: Iterable[Line]) -> Functions:
    """Functions that a document defines for itself: d_tanh(y) = 1 - y^2."""
    found: Functions = {}
    for left, right, _ in lines:
        argument = argument_of(left)
        if argument is not None and isinstance(left, Apply) and left.head.base not in FUNCTIONS:
            found.setdefault(left.head.key, Definition(argument, right))
    return {key: definition for key, definition in found.items() if not _circular(key, found)}


def _circular(key: str, functions: Functions) -> bool:
    """Whether a function is written by itself, as a sequence x(n) = f(x(n-1)) seems to be."""
    seen: set[str] = set()
    waiting = [key]
    while waiting:
        for node in walk(functions[waiting.pop()].body):
            other = replace(node.head, primes=0).key if isinstance(node, Apply) else ""
            if other == key:
                return True
            if other in functions and other not in seen:
                seen.add(other)
                waiting.append(other)
    return False


def argument_of(left: Formula) -> Name | None:
    """The argument in the left side of a function's definition."""
    if not isinstance(left, Apply) or left.head.primes or left.power is not None:
        return None
    if not isinstance(left.argument, Brackets) or len(left.argument.items) != 1:
        return None
    (argument,) = left.argument.items
    return argument if isinstance(argument, Name) and argument.time is None else None


def called(left: Formula, right: Formula, functions: Functions) -> tuple[Formula, Formula]:
    """An equation with the document's own functions written out, but for their definitions."""
    if not functions or (isinstance(left, Apply) and left.head.key in functions):
        return left, right

    def change(node: Formula) -> Formula:
        node = rebuilt(node, change)
        if not isinstance(node, Apply) or node.power is not None:
            return node
        definition = functions.get(replace(node.head, primes=0).key)
        if definition is None:
            return node
        body = definition.body
        try:
            for _ in range(node.head.primes):
                body = derivative(body, definition.argument)
        except Unknown:
            return node
        return Brackets("(", ")", (change(_put(body, definition.argument, node.argument)),))

    return change(left), change(right)


def _put(node: Formula, argument: Name, inner: Formula) -> Formula:
    """A function's value with what it is taken of in the place of its argument."""

    def put(part: Formula) -> Formula:
        if isinstance(part, Name) and part.key == argument.key and part.time is None:
            return inner
        if isinstance(part, Apply):
            if part.head.key == argument.key:  # y (1 - y) is a product
                return Product(("",), (inner, put(part.argument)))
            return replace(part, argument=put(part.argument))
        return rebuilt(part, put)

    return put(node)


def derivative(node: Formula, by: Name) -> Formula:
    """The derivative of a function's value by its argument.

    Raises:
        Unknown: there is no rule for it.
    """
    if not any(isinstance(n, Name) and n.key == by.key for n in walk(node)):
        return ZERO
    rule = _RULES.get(type(node))
    if rule is None:
        raise Unknown
    return rule(node, by)


def _of_name(node: Name, by: Name) -> Formula:
    if node.key != by.key:
        raise Unknown
    return ONE


def _of_sum(node: Sum, by: Name) -> Formula:
    kept = [
        (sign, term)
        for sign, term in zip(node.signs, (derivative(t, by) for t in node.terms), strict=True)
        if term != ZERO
    ]
    return _grouped(Sum(tuple(s for s, _ in kept), tuple(t for _, t in kept)))


def _of_product(node: Product, by: Name) -> Formula:
    if any(op in ("/", "⊘", "./") for op in node.operators):
        if len(node.factors) != 2:
            raise Unknown
        return _of_fraction(Fraction(*node.factors), by)
    if "@" in node.operators:
        raise Unknown
    terms = []
    for place, factor in enumerate(node.factors):
        inner = derivative(factor, by)
        if inner != ZERO:
            terms.append(_times(*node.factors[:place], inner, *node.factors[place + 1 :]))
    return _grouped(Sum(("+",) * len(terms), tuple(terms)))


def _of_fraction(node: Fraction, by: Name) -> Formula:
    above, below = derivative(node.above, by), derivative(node.below, by)
    square = Raised(_grouped(node.below), Number("2"), "power")
    return _grouped(
        Sum(
            ("+", "-"),
            (
                Fraction(_times(above, node.below), square),
                Fraction(_times(node.above, below), square),
            ),
        )
    )


def _of_power(node: Raised, by: Name) -> Formula:
    exponent = node.exponent
    inner = exponent.items[0] if isinstance(exponent, Brackets) and len(exponent.items) == 1 else exponent
    if not isinstance(inner, Number) or not inner.text.isdigit() or inner.text == "0":
        raise Unknown
    lower = Raised(node.body, Number(str(int(inner.text) - 1)), "power")
    return _times(inner, lower, derivative(node.body, by))


def _of_call(node: Apply, by: Name) -> Formula:
    """A known function by its argument, times the argument's derivative."""
    if node.power is not None or node.head.key == by.key:
        if node.head.key == by.key and node.power is None:  # u (1 - u) is a product
            return _of_product(Product(("",), (node.head, node.argument)), by)
        raise Unknown
    items = node.argument.items if isinstance(node.argument, Brackets) else (node.argument,)
    if node.head.base == "max" and len(items) == 2 and ZERO in items:
        other = items[0] if items[1] == ZERO else items[1]
        outer: Formula = Apply(Name("relu", primes=1), Brackets("(", ")", (other,)), certain=True)
        return _times(outer, derivative(other, by))
    if len(items) != 1:
        raise Unknown
    if node.head.base == "exp":
        return _times(node, derivative(items[0], by))
    return _times(_slope(node), derivative(items[0], by))


def _slope(node: Apply) -> Formula:
    """The derivative of a call by its argument: by its value, where that is how it is known."""
    function = "" if node.head.primes else FUNCTIONS.get(node.head.base, "")
    if function == "sigma":
        return _times(node, Sum(("+", "-"), (ONE, node)))
    if function == "tanh":
        return _grouped(Sum(("+", "-"), (ONE, Raised(_grouped(node), Number("2"), "power"))))
    return replace(node, head=replace(node.head, primes=node.head.primes + 1))


def _of_brackets(node: Brackets, by: Name) -> Formula:
    if len(node.items) != 1 or node.left not in ("(", "[", "{", ""):
        raise Unknown
    return _grouped(derivative(node.items[0], by))


def _of_cases(node: Cases, by: Name) -> Formula:
    """Case by case: where the conditions meet there is no derivative to speak of."""
    return replace(node, rows=tuple((derivative(value, by), condition) for value, condition in node.rows))


_RULES: dict[type[Formula], Callable[..., Formula]] = {
    Name: _of_name,
    Sum: _of_sum,
    Product: _of_product,
    Fraction: _of_fraction,
    Raised: _of_power,
    Apply: _of_call,
    Brackets: _of_brackets,
    Cases: _of_cases,
}


def _grouped(node: Formula) -> Formula:
    return node if isinstance(node, (Brackets, Name, Number)) else Brackets("(", ")", (node,))


def _times(*factors: Formula) -> Formula:
    """A product entry by entry."""
    if ZERO in factors:
        return ZERO
    rest = [f for f in factors if f != ONE]
    if len(rest) < 2:
        return rest[0] if rest else ONE
    return Product(("⊙",) * (len(rest) - 1), tuple(map(_grouped, rest)))


# -- exponentials -----------------------------------------------------------------------------------------


def _exponential(node: Formula) -> Formula:
    r"""A power of e by an expression, ``e^{-u}``, as that of exp; anything else as it is."""
    if (
        isinstance(node, Raised)
        and isinstance(node.body, Name)
        and node.body.base == "e"
        and not node.body.scripts
        and node.body.time is None
        and node.kind != "transpose"
        and isinstance(node.exponent, (Sum, Product, Name, Fraction, Brackets))
        and not (isinstance(node.exponent, Name) and node.exponent.base in ("T", "t"))
    ):
        return Apply(Name("exp"), Brackets("(", ")", (node.exponent,)), certain=True)
    return node


def _of_exp(node: Formula) -> Formula | None:
    """What exp is taken of."""
    if isinstance(node, Apply) and node.head.base == "exp" and node.power is None and not node.head.scripts:
        argument = node.argument
        return argument.items[0] if isinstance(argument, Brackets) and len(argument.items) == 1 else argument
    return None


def _bare(node: Formula) -> Formula:
    while isinstance(node, Brackets) and len(node.items) == 1 and node.left in ("(", "[", "{", ""):
        node = node.items[0]
    return node


def _negative(node: Formula) -> Formula:
    """A formula with the other sign."""
    node = _bare(node)
    if isinstance(node, Sum):
        signs = tuple("-" if s == "+" else "+" for s in node.signs)
        return node.terms[0] if signs == ("+",) else Sum(signs, node.terms)
    return Sum(("-",), (node,))


def _two(node: Formula) -> tuple[Formula, str, Formula] | None:
    """The terms of a sum or difference of two."""
    node = _bare(node)
    if isinstance(node, Sum) and len(node.terms) == 2 and node.signs[0] == "+":
        return _bare(node.terms[0]), node.signs[1], _bare(node.terms[1])
    return None


def _quotient(node: Formula) -> tuple[Formula, Formula] | None:
    if isinstance(node, Fraction):
        return _bare(node.above), node.below
    if isinstance(node, Product) and node.operators == ("/",):
        return _bare(node.factors[0]), node.factors[1]
    return None


def sigmoids(node: Formula) -> Formula:
    r"""A formula in which the logistic function and tanh, written out by exponentials, go by their names."""
    node = _exponential(rebuilt(node, sigmoids))
    parts = _quotient(node)
    below = _two(parts[1]) if parts else None
    if parts is None or below is None or below[1] != "+":
        return node
    function, argument = _logistic(parts[0], below) or _hyperbolic(parts[0], below) or ("", ONE)
    return Apply(Name(function), Brackets("(", ")", (argument,)), certain=True) if function else node


def _logistic(above: Formula, below: tuple[Formula, str, Formula]) -> tuple[str, Formula] | None:
    """1 / (1 + exp(-z)) or exp(z) / (1 + exp(z))."""
    other = below[2] if below[0] == ONE else below[0]
    inner = _of_exp(other)
    if ONE not in (below[0], below[2]) or inner is None:
        return None
    if above == ONE:
        return "sigmoid", _negative(inner)
    return ("sigmoid", inner) if above == other else None


def _hyperbolic(above: Formula, below: tuple[Formula, str, Formula]) -> tuple[str, Formula] | None:
    """(exp(z) - exp(-z)) / (exp(z) + exp(-z))."""
    first, second = _of_exp(below[0]), _of_exp(below[2])
    if first is None or second is None or _two(above) != (below[0], "-", below[2]):
        return None
    return ("tanh", first) if _bare(second) == _negative(first) else None


# -- named by equation or in words -------------------------------------------------------------------------


def named(lines: Sequence[Line]) -> Iterator[tuple[str, str]]:
    r"""Functions that an equation names, ``f = \tanh``: the name's key and the function."""
    for left, right, _ in lines:
        function = is_naming(left, right)
        if function and isinstance(left, Name):
            yield left.key, function


def is_naming(left: Formula, right: Formula) -> str:
    r"""The function that an equation ``f = \tanh`` says a name to be; nothing where it says none."""
    if not isinstance(left, Name) or not isinstance(right, Name):
        return ""
    if left.time is not None or right.time is not None or right.scripts or right.primes:
        return ""
    word = len(left.base) > 1 or len(right.base) == 1  # sigma = tanh tells what the letter is here
    return "" if left.base in FUNCTIONS and word else FUNCTIONS.get(right.base, "")


def spoken(text: str) -> Iterator[tuple[str, str]]:
    """What a text says in words of its functions: the name as it is written, and the function."""
    for found in (*_INLINE.finditer(text), *_BARE.finditer(text)):
        name = re.sub(r"\([^()]*\)$", "", next(filter(None, found.groups())).strip())
        if len(name) > 20:
            continue
        behind, before = text[found.end() :][:80], text[max(0, found.start() - 40) : found.start()]
        for function, words in _KINDS.items():
            kind = f"(?:{words})"
            after = re.match(_BETWEEN + kind, behind, re.IGNORECASE)
            after = after or re.match(_FORMULA + kind, behind, re.IGNORECASE)
            if (after and not _OPEN.search(after[0])) or re.search(kind + _NOUN, before, re.IGNORECASE):
                yield name, function
                break
