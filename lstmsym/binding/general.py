r"""Recurrences of which the function is left open: ``h_t = f(x_t, h_{t-1}, w)``, and derivatives of f.

The derivatives of f by its arguments are numbers about which nothing is known, others at each step; what a
line says of derivatives through time is a statement about sums of products of them.  Numbers are a special
case of vectors: a line that is wrong of numbers is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import sympy as sp

from lstmsym.binding.several import NO_PROOF, Finding
from lstmsym.binding.table import FUNCTIONS, Line, Table
from lstmsym.binding.values import Unreadable
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Derivative,
    Formula,
    Name,
    Number,
    Product,
    Raised,
    Sum,
    Time,
    names,
    plain,
    walk,
)

STEPS = 4
"""Steps on which lines are tried."""
SCALARS = "all quantities are numbers"
_SCALARS = re.compile(r"\bscalars?\b|\breal numbers\b|标量|スカラー|스칼라", re.IGNORECASE)
_TIMES = frozenset(("", "·", "*", "⊙", "∘", "×"))
Env = Mapping[str, int]


@dataclass(frozen=True)
class Open:
    """A function that is left open: what it defines, and its arguments' keys with their steps from there."""

    defines: str
    arguments: tuple[tuple[str, int | None], ...]


class General:
    """Judges lines about functions that are left open."""

    def __init__(self, lines: Sequence[Line], table: Table, text: str) -> None:
        """Find the functions."""
        self.main = min(table.letters)
        self.scalars = _SCALARS.search(text) is not None
        self.open: dict[str, Open] = {}
        for left, right, _ in lines:
            if isinstance(left, Name) and isinstance(right, Apply) and right.head.base not in FUNCTIONS:
                self._define(left, right)
        self.of = {one.defines: (head, one) for head, one in self.open.items()}

    def _define(self, left: Name, right: Apply) -> None:
        inner = right.argument.items if isinstance(right.argument, Brackets) else ()
        if len(inner) < 2 or left.time is None or left.time.offset != 0 or right.head.time is not None:
            return
        arguments = [a for a in inner if isinstance(a, Name)]
        if len(arguments) == len(inner):
            steps = (None if a.time is None else a.time.offset for a in arguments)
            found = tuple(zip(map(_bare, arguments), steps, strict=True))
            self.open.setdefault(right.head.key, Open(_bare(left), found))

    def __call__(self, line: Line) -> Finding | None:
        """What is found of a line; None where it is not about such functions."""
        left, right, _ = line
        speaks = (n for side in (left, right) for n in walk(side) if isinstance(n, Derivative))
        if not any(self._is_open(d.of) for d in speaks):
            return None
        try:
            for env in self._places(left, right):
                a, b = sp.expand(self.value(left, env)), sp.expand(self.value(right, env))
                if a != b:
                    return Finding(
                        "refuted", f"at {_said(env)}: it is {self._shown(a)}, claimed {self._shown(b)}"
                    )
            one_step = not any(isinstance(n, Big) for side in (left, right) for n in walk(side))
            one_step = one_step and all(abs(time.offset or 0) < STEPS - 1 for time in _times(left, right))
        except Unreadable:
            return None
        if not one_step:
            return Finding("undecided", NO_PROOF)
        return Finding("proved") if self.scalars else Finding("conditional", assumption=SCALARS)

    def _is_open(self, of: Formula | None) -> bool:
        return isinstance(of, Apply) and of.head.key in self.open

    def _places(self, *sides: Formula) -> Iterator[dict[str, int]]:
        """Values of the letters of steps, others before t."""
        bound = {n.variable for side in sides for n in walk(side) if isinstance(n, Big)}
        others = sorted({time.letter for time in _times(*sides)} - bound - {self.main, ""})
        for t in range(1, STEPS + 1):
            for values in product(range(1, t), repeat=len(others)):
                yield {self.main: t, **dict(zip(others, values, strict=True))}

    # -- values ----------------------------------------------------------------------------------------

    def value(self, node: Formula, env: Env) -> sp.Expr:
        """The value of a formula.

        Raises:
            Unreadable: it has something else in it.
        """
        if isinstance(node, Number):
            return sp.Rational(node.text)
        if isinstance(node, Sum):
            signed = zip(node.signs, node.terms, strict=True)
            return sp.Add(*(self.value(term, env) * (1 if sign == "+" else -1) for sign, term in signed))
        if isinstance(node, Product) and set(node.operators) <= _TIMES:
            return sp.Mul(*(self.value(factor, env) for factor in node.factors))
        if isinstance(node, Brackets) and len(node.items) == 1:
            return self.value(node.items[0], env)
        if isinstance(node, Raised) and isinstance(node.exponent, Number):
            return self.value(node.body, env) ** int(node.exponent.text)
        if isinstance(node, Big):
            return self._big(node, env)
        if isinstance(node, Derivative) and node.order == 1 and isinstance(node.by, Name):
            return self._derivative(node.of, node.by, env)
        raise Unreadable("a line about functions that are left open has something else in it")

    def _big(self, node: Big, env: Env) -> sp.Expr:
        """A sum or product; one from t to 1 counts down, one from i + 1 to t may be empty."""
        if node.operator not in ("∑", "∏") or node.low is None or node.high is None:
            raise Unreadable("what a sum or product runs over is not read")
        low, high = node.low, node.high
        if self._rank(low) > self._rank(high):
            low, high = high, low
        steps = range(self._step(low, env), self._step(high, env) + 1)
        parts = (self.value(node.body, {**env, node.variable: step}) for step in steps)
        return sp.Add(*parts) if node.operator == "∑" else sp.Mul(*parts)

    def _rank(self, node: Formula) -> int:
        """How late a step is by its letters: numbers, then letters, then t."""
        letters = {n.base for n in names(node)}
        return 2 if self.main in letters else 1 if letters else 0

    def _step(self, node: Formula, env: Env) -> int:
        if isinstance(node, Number) and node.text.isdigit():
            return int(node.text)
        if isinstance(node, Name) and node.key in env:
            return env[node.key]
        if isinstance(node, Sum):
            signed = zip(node.signs, node.terms, strict=True)
            return sum(self._step(term, env) * (1 if sign == "+" else -1) for sign, term in signed)
        raise Unreadable(f"the step {plain(node)} is not read")

    def _at(self, name: Name, env: Env) -> int | None:
        return None if name.time is None else self._step(name.time.index, env)

    def _derivative(self, of: Formula | None, by: Name, env: Env) -> sp.Expr:
        if isinstance(of, Apply) and of.head.key in self.open and isinstance(of.argument, Brackets):
            return self._slope(of.head.key, of.argument.items, by, env)
        if isinstance(of, Name) and of.time is not None:
            return self._total(_bare(of), self._step(of.time.index, env), _bare(by), self._at(by, env))
        raise Unreadable("a derivative of an expression is not read")

    def _slope(self, head: str, given: Sequence[Formula], by: Name, env: Env) -> sp.Expr:
        """The derivative of a function by one of its arguments, at the step that they have."""
        one = self.open[head]
        if len(given) != len(one.arguments):
            raise Unreadable("a function is given other arguments than where it is defined")
        steps = set()
        for argument, (key, lag) in zip(given, one.arguments, strict=True):
            if not isinstance(argument, Name) or _bare(argument) != key:
                raise Unreadable("a function is given other arguments than where it is defined")
            at = self._at(argument, env)
            if (at is None) != (lag is None):
                raise Unreadable("an argument of a function has no step")
            if at is not None and lag is not None:
                steps.add(at - lag)
        matching = [(key, lag) for key, lag in one.arguments if key == _bare(by)]
        if len(steps) != 1 or len(matching) != 1:
            raise Unreadable("the step of a function, or the argument that is meant, is not clear")
        step = steps.pop()
        at = self._at(by, env)
        if at is not None and at != step + (matching[0][1] or 0):
            raise Unreadable("a derivative of a function by an argument of another step is not read")
        return self._symbol(head, matching[0][0], step)

    def _symbol(self, head: str, argument: str, step: int) -> sp.Expr:
        return sp.Symbol(f"∂{argument} {head}({step})")

    def _total(self, of: str, step: int, by: str, at: int | None) -> sp.Expr:
        """The derivative through all steps; what there is before the first does not depend on a parameter."""
        if (of, step) == (by, at):
            return sp.Integer(1)
        if of not in self.of or step < 1 or (at is not None and step < at):
            return sp.Integer(0)
        head, one = self.of[of]
        terms = []
        for key, lag in one.arguments:
            slope = self._symbol(head, key, step)
            if lag is None:
                terms.append(slope if at is None and key == by else sp.Integer(0))
            else:
                terms.append(slope * self._total(key, step + lag, by, at))
        return sp.Add(*terms)

    def _shown(self, value: sp.Expr) -> str:
        text = str(value).replace("*", " ")
        return text if len(text) < 90 else f"{text[:87]}..."


def _bare(name: Name) -> str:
    return replace(name, time=None).key


def _times(*sides: Formula) -> Iterator[Time]:
    """The steps that stand in formulas."""
    return (n.time for side in sides for n in walk(side) if isinstance(n, Name) and n.time is not None)


def _said(env: Env) -> str:
    return ", ".join(f"{letter} = {value}" for letter, value in env.items())
