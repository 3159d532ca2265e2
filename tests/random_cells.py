"""Random small cells: trees over gates, products, slices, reductions, of several states and outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from hypothesis import strategies as st

from lstmsym import Bias, Cell, Input, Output, Ref, Schedule, State, Vector, Weight, concat, m, n, where
from lstmsym import notation as N
from lstmsym.declare import Declared, Parameter

X, U = Ref("x", 0), Ref("u", 0)
ACTIVATIONS: list[Callable[[Any], Any]] = [
    N.sigma, N.tanh, N.tanh, N.softplus, N.relu, N.hard_sigmoid, N.absolute,
    lambda v: N.leaky_relu(v, 0.1), lambda v: N.elu(v, 1.5), lambda v: N.exp(-(v**2)),
    lambda v: N.sqrt(1 + v**2), lambda v: N.log(2 + N.absolute(v)), lambda v: v / (1 + v**2), lambda v: v**2 / 2,
]  # fmt: skip
PAIRS: list[Callable[[Any, Any], Any]] = [
    N.maximum, N.minimum, lambda a, b: a * b, lambda a, b: a - b / 3, lambda a, b: where(a > b, a * b, b),
    lambda a, b: N.sigma(a) * b + (1 - N.sigma(a)) * N.tanh(b),
]  # fmt: skip
NUMBERS: list[Callable[[Any], Any]] = [
    N.sum, N.mean, N.variance, N.max, N.min, N.logsumexp, lambda v: N.sum(v**2), lambda v: N.tanh(N.mean(v)),
]  # fmt: skip
VECTORS: list[Callable[[Any], Any]] = [N.softmax, N.log_softmax, lambda v: N.normalize(v, 0.1)]


class Page:
    """A cell as it grows: what is declared, what is computed, what may be referred to."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.declared: dict[str, Declared] = {"x": Input(name="x")}
        self.lines: list[tuple[str, sp.Expr]] = []
        self.known: list[Ref] = []

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def parameter(self, letter: str, kind: type[Declared], *dims: Any) -> Any:
        """A new one, or one used before."""
        name = f"{letter}{self.draw(st.integers(0, 2))}"
        return self.declared.setdefault(name, kind(*dims, name=name))

    def vector(self, depth: int) -> sp.Expr:
        """An expression of shape (n,) with a value at each step."""
        if depth == 0:
            return self.one(*self.known)
        grow = self.one(
            self.product, self.product, self.activation, self.pair, self.slice, self.mixed, self.biased
        )
        return grow(depth - 1)

    def product(self, depth: int) -> sp.Expr:
        wide, square = self.parameter("W", Weight, n, m), self.parameter("U", Weight, n, n)
        joint = self.parameter("V", Weight, n, m + n)
        vector = self.vector(depth)
        choices = (
            lambda: wide @ X + vector,
            lambda: square @ vector,
            lambda: square.T @ vector,
            lambda: joint @ concat(X, vector),
            lambda: vector - joint @ concat(vector, X) / 2,
            lambda: (wide @ X + square @ vector + self.parameter("b", Bias, n)) / 3,
            lambda: vector - square @ vector,
            lambda: wide @ X,
            lambda: self.parameter("R", Weight, n, 2 * n) @ concat(vector, self.one(vector, *self.known)),
            lambda: where(self.scalar() > 0.1, square @ vector, vector),
            lambda: where(self.parameter("b", Bias, n) > 0, vector, wide @ X),
        )
        return self.one(*choices)()

    def activation(self, depth: int) -> sp.Expr:
        return self.one(*ACTIVATIONS)(self.vector(depth))

    def pair(self, depth: int) -> sp.Expr:
        return self.one(*PAIRS)(self.vector(depth), self.vector(depth))

    def slice(self, depth: int) -> sp.Expr:
        first, size = self.one((X, m), (self.vector(depth), n))
        low, high = self.one((0, n), (1, n + 1), (size, N.End))
        return N.Part(concat(first, self.vector(depth)), low, high)

    def mixed(self, depth: int) -> sp.Expr:
        vector = self.vector(depth)
        match self.draw(st.integers(0, 4)):
            case 0:
                return self.one(*VECTORS)(vector)
            case 1:
                return vector * self.one(*NUMBERS)(self.vector(depth))
            case 2:
                return vector - self.one(*NUMBERS)(self.vector(depth)) * self.vector(depth)
            case 3:
                return vector + self.one(*NUMBERS)(self.vector(depth))
        return N.outer(vector, self.vector(depth)) @ self.vector(depth)

    def biased(self, depth: int) -> sp.Expr:
        vector = self.vector(depth)
        matrix, bias = self.parameter("U", Weight, n, n), self.parameter("b", Bias, n)
        diagonal = self.parameter("v", Vector, n)
        choices = (
            lambda: vector + bias,
            lambda: vector * diagonal,
            lambda: -vector,
            lambda: vector + matrix @ N.sigma(bias),
            lambda: vector + bias * diagonal,
            lambda: (matrix - matrix.T) @ vector,
            lambda: (matrix @ self.parameter("U", Weight, n, n)) @ vector,
            lambda: vector * N.sum(bias) + N.max(diagonal, bias),
            lambda: vector * self.scalar(),
        )
        return self.one(*choices)()

    def scalar(self) -> Ref:
        """A number of each step."""
        self.declared["u"] = Input((), name="u")
        return U

    def write(self, name: str, expr: sp.Expr) -> None:
        self.lines.append((name, N.canonical(expr)))
        self.known.append(Ref(name, 0))


@st.composite
def random_cells(draw: st.DrawFn, depth: int = 3) -> Cell:
    """One or two states, up to three gates, each line an expression of bounded depth; all is used."""
    page = Page(draw)
    states = draw(st.sampled_from((("h",), ("h", "c"))))
    for name in states:
        page.declared[name] = State(name=name)
        page.known.append(Ref(name, -1))
    if draw(st.booleans()):
        page.declared["w"] = Input(n, name="w")
        page.known.append(Ref("w", 0))
    for name in ("i", "f", "g")[: draw(st.integers(0, 3))]:
        page.write(name, page.vector(draw(st.integers(1, depth))))
    if draw(st.booleans()):
        page.declared["y"] = Output(name="y")
        page.write("y", page.vector(draw(st.integers(0, depth))))
    for name in reversed(states):
        page.write(name, page.vector(draw(st.integers(1, depth))))
    name, last = page.lines.pop()
    read = last.atoms(Ref) | {ref for _, expr in page.lines for ref in expr.atoms(Ref)}
    unread = [Ref(line, 0) for line, _ in page.lines if Ref(line, 0) not in read]
    plain = not any(isinstance(thing, Parameter) for thing in page.declared.values())
    start = page.parameter("W", Weight, n, m) @ X if plain or X not in read or draw(st.booleans()) else 0
    whole = sp.Add(last, *unread) / 2 + start
    page.lines.append((name, N.canonical(N.tanh(whole) if draw(st.booleans()) else whole)))
    used = {ref.base for _, expr in page.lines for ref in expr.atoms(Ref)} | {name for name, _ in page.lines}
    declared = [thing for name, thing in page.declared.items() if name in used]
    return Cell.from_equations("Random", declared, page.lines)


schedules = st.builds(Schedule, *[st.booleans()] * 6)
