"""Which known cell a cell is, up to names, the order of gates, signs and biases; or how it differs.

Portraits are matched gate by gate; a gate may be one minus the other's, since sigma(-a) = 1 - sigma(a).
Candidates are sieved with numbers, and what passes is proved by the normal form of both sides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice, permutations
from zlib import crc32

import sympy as sp

from lstmsym import cells
from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.notation import Op, Ref
from lstmsym.printing import Printer
from lstmsym.reporting.portrait import Drive, Portrait, loose, portrait

CALLED: dict[str, str] = {
    "gru": "the GRU with the reset gate before the product (Cho et al. 2014, the textbook's)",
    "gru_reset_after": "the GRU with the reset gate after the product (cuDNN, PyTorch, Keras)",
    "lstm": "the LSTM with a forget gate and h = o * tanh(c)",
    "lstm_coupled": "the LSTM with coupled input and forget gates (CIFG)",
    "lstm_layernorm": "the LSTM with layer normalisation (Ba et al. 2016)",
    "lstm_peephole": "the LSTM with diagonal peepholes (Gers et al. 2002)",
    "lstm_projected": "the LSTM with a recurrent projection (LSTMP)",
    "mgu": "the minimal gated unit (Zhou et al. 2016)",
    "nicodjimenez": "the LSTM without the output tanh, h = s * o (Jimenez 2014)",
    "rnn": "the plain recurrent network with tanh (Elman 1990)",
    "rnn_relu": "the plain recurrent network with relu (Le et al. 2015)",
}
"""How the cells that ship are called in a sentence; others by the first line of their documentation."""
SIBLINGS: dict[str, str] = {
    "gru": "gru_reset_after", "gru_reset_after": "gru", "nicodjimenez": "lstm", "lstm_coupled": "lstm",
    "lstm_peephole": "lstm",
}  # fmt: skip
"""The cell that each is most often taken for."""
TRIES = 6_000
"""Assignments of gates that are tried for one pair of cells."""

Mapped = dict[sp.Expr, sp.Expr]


@dataclass(frozen=True)
class Match:
    """How one cell lies on another: a known drive for each of ours, its sign, and what remains different.

    ``drives`` has None for a drive without a partner; ``updates`` and ``unlike`` name the states and the
    gates of ours that differ.
    """

    known: Portrait
    drives: tuple[tuple[Drive, Drive | None, int], ...]
    states: Mapping[str, str]
    updates: tuple[str, ...]
    unlike: tuple[tuple[Drive, Drive], ...]
    missing: tuple[Drive, ...]

    @property
    def same(self) -> bool:
        """Whether nothing remains different."""
        return not (self.updates or self.unlike or self.missing or any(d[1] is None for d in self.drives))

    @property
    def distance(self) -> int:
        """How much remains different."""
        lonely = sum(d[1] is None for d in self.drives) + len(self.missing)
        return 2 * lonely + 2 * len(self.updates) + 2 * len(self.unlike) + sum(d[2] < 0 for d in self.drives)


def compare(cell: Cell) -> str:
    """How a cell compares with those that ship, in a sentence or two."""
    ours = portrait(cell)
    found = [(m, name) for name in cells.names() if (m := best(ours, known(name))) is not None]
    if not found:
        return "This is none of the known cells, nor near to one."
    match, name = min(found, key=lambda pair: (pair[0].distance, len(pair[0].known.drives), pair[1]))
    if not match.same or ours.tied:
        tied = f" Several gates share {_listed(sorted(ours.tied))}." if ours.tied else ""
        nearest = f"It differs from {name}, the nearest, in {differences(ours, match)}."
        return f"This is none of the known cells. {nearest}{tied}"
    remarks = [*_conventions(match), *_biases(match)]
    said = f"This is {', '.join([CALLED.get(name, name), *remarks])}."
    sibling = SIBLINGS.get(name)
    other = best(ours, known(sibling)) if sibling else None
    return said + (f" It differs from {sibling} in {differences(ours, other)}." if other else "")


@cache
def known(name: str) -> Portrait:
    """The portrait of a cell that ships."""
    return portrait(cells.find(name))


# -- matching ----------------------------------------------------------------------------------------


def best(ours: Portrait, theirs: Portrait) -> Match | None:
    """The closest match, or None where the cells have not as many states and inputs."""
    if len(ours.updates) != len(theirs.updates) or len(ours.inputs) != len(theirs.inputs):
        return None
    found: Match | None = None
    for states in permutations(theirs.updates):
        for inputs in permutations(theirs.inputs):
            names = dict(zip((*ours.updates, *ours.inputs), (*states, *inputs), strict=True))
            for match in islice(_matches(ours, theirs, names), TRIES):
                if found is None or match.distance < found.distance:
                    found = match
                if not found.distance:
                    return found
    return found


def _matches(ours: Portrait, theirs: Portrait, names: Mapping[str, str]) -> Iterator[Match]:
    base: Mapped = {Ref(a, lag): Ref(b, lag) for a, b in names.items() for lag in (-1, 0)}
    states = {a: names[a] for a in ours.updates}
    for pairs in _assigned(list(ours.drives), list(theirs.drives), base):
        mapping = base | {a.symbol: sign * b.symbol for a, b, sign in pairs if b is not None}
        unlike = tuple((a, b) for a, b, _ in pairs if b is not None and not _alike(a, b, mapping))
        taken = {b.symbol for _, b, _ in pairs if b is not None}
        missing = tuple(b for b in theirs.drives if b.symbol not in taken)
        lonely = [a.symbol for a, b, _ in pairs if b is None]
        odd = {*lonely, *(b.symbol for _, b in unlike), *(b.symbol for b in missing)}
        updates = tuple(
            s
            for s, expr in ours.updates.items()
            if not equal(_veiled(mapped(expr, mapping), odd), _veiled(theirs.updates[names[s]], odd))
        )
        yield Match(theirs, tuple(pairs), states, updates, unlike, missing)


def _assigned(
    ours: list[Drive], theirs: list[Drive], mapping: Mapped
) -> Iterator[list[tuple[Drive, Drive | None, int]]]:
    """Partners for our drives in turn: those alike if there are any, else those in the same functions."""
    if not ours:
        yield []
        return
    first, *rest = ours
    inside = [b for b in theirs if b.inside == first.inside]
    partners = [b for b in inside if _alike(first, b, mapping)] or inside
    for partner in partners:
        for sign in (1, -1) if first.inside & {"sigma"} else (1,):
            extended = mapping | {first.symbol: sign * partner.symbol}
            for others in _assigned(rest, [b for b in theirs if b is not partner], extended):
                yield [(first, partner, sign), *others]
    if not partners:
        for others in _assigned(rest, theirs, mapping):
            yield [(first, None, 1), *others]


def _alike(ours: Drive, theirs: Drive, mapping: Mapped) -> bool:
    """Whether two drives see the same."""
    return _seen(ours, mapping) == frozenset((kind, normal(e)) for kind, e in theirs.sees)


def _seen(drive: Drive, mapping: Mapped) -> frozenset[tuple[str, sp.Expr]]:
    return frozenset((kind, normal(mapped(e, mapping))) for kind, e in drive.sees)


def _veiled(expr: sp.Expr, odd: set[sp.Symbol]) -> sp.Expr:
    """An expression in which a gate with an odd drive is some value: the gate has been named already."""
    if not expr.args:
        return expr
    if isinstance(expr, Op) and any(symbol in odd for a in expr.args for symbol in loose(a)):
        return sp.Symbol(f"odd {type(expr).__name__}")
    return expr.func(*(_veiled(a, odd) for a in expr.args))


def mapped(expr: sp.Expr, mapping: Mapped) -> sp.Expr:
    """An expression in the other cell's names, sigma and tanh of a negative drive turned round."""
    if expr in mapping:
        return mapping[expr]
    if not expr.args:
        return expr
    made = expr.func(*(mapped(a, mapping) for a in expr.args))
    if isinstance(made, (N.sigma, N.tanh)) and isinstance(-made.args[0], sp.Symbol):
        turned = made.func(-made.args[0])
        return 1 - turned if isinstance(made, N.sigma) else -turned
    return made


@cache
def normal(expr: sp.Expr) -> sp.Expr:
    """The normal form: everything expanded, arguments too."""
    return sp.expand(expr)


def equal(left: sp.Expr, right: sp.Expr) -> bool:
    """Whether two expressions are the same: by numbers, which are quick to differ, then by normal forms."""
    if left == right:
        return True
    if abs(value(left) - value(right)) > 1e-9:
        return False
    return bool(normal(left - right) == 0)


_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sigma": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0.0),
}


@cache
def value(expr: sp.Expr) -> float:
    """The value at one generic point; an operation that mixes entries is some function of its arguments."""
    if not expr.args:
        return float(expr) if expr.is_number else crc32(str(expr).encode()) / 2**31 - 1
    args = [value(a) for a in expr.args]
    if isinstance(expr, Op):
        known = _FUNCTIONS.get(type(expr).__name__)
        return (
            known(args[0])
            if known
            else math.sin(
                sum((k + 2) * a for k, a in enumerate(args)) + crc32(type(expr).__name__.encode()) % 97
            )
        )
    if isinstance(expr, sp.Add):
        return sum(args)
    if isinstance(expr, sp.Mul):
        return math.prod(args)
    return abs(args[0]) ** args[1]


# -- sentences ---------------------------------------------------------------------------------------


def _conventions(match: Match) -> Iterator[str]:
    """Gates that are one minus those of the other."""
    for ours, theirs, sign in match.drives:
        if sign < 0 and theirs is not None:
            yield f"{ours.line} in the place of 1 - {theirs.line}"


def _biases(match: Match) -> Iterator[str]:
    """Biases that are missing or double."""
    pairs = [(a, b) for a, b, _ in match.drives if b is not None]
    without = [a.line for a, b in pairs if b.biases and not a.biases]
    if without and not any(a.biases for a, _ in pairs):
        yield "without biases"
    elif without:
        yield f"without a bias in {_listed(without)}"
    double = [a.line for a, b in pairs if a.biases > 1]
    if double:
        yield "with two biases" + ("" if len(double) == len(pairs) else f" in {_listed(double)}")
    extra = [a.line for a, b in pairs if a.biases and not b.biases]
    if extra:
        yield f"with a bias in {_listed(extra)}"


def differences(ours: Portrait, match: Match) -> str:
    """The lines in which two cells differ, ours and theirs."""
    found: dict[str, str] = {}
    for a, b in match.unlike:
        found[a.line] = f"{_line(ours.cell, a.line)} (there {_line(match.known.cell, b.line)})"
    for a, partner, _ in match.drives:
        if partner is None:
            found.setdefault(a.line, f"{_line(ours.cell, a.line)} (which it has not)")
    for s in match.updates:
        found.setdefault(s, f"{_line(ours.cell, s)} (there {_line(match.known.cell, match.states[s])})")
    for text in _conventions(match):
        found[text] = text
    for b in match.missing:
        if not any(_line(match.known.cell, b.line) in text for text in found.values()):
            found[f"there {b.line}"] = f"the missing {_line(match.known.cell, b.line)}"
    return "; ".join(found.values()) or "the parameters that gates share"


def _line(cell: Cell, name: str) -> str:
    """The equation of a name, what it merely activates written out."""
    show = Printer(cell.order)
    made = {e.name: e.expr for e in cell.equations}
    (equation,) = (e for e in cell.equations if e.name.base == name)
    expr = equation.expr
    if isinstance(expr, N.Pointwise):
        expr = expr.func(*(made.get(a, a) for a in expr.args))
    return f"{equation.name} = {show(expr)}"


def _listed(words: Iterable[str]) -> str:
    *most, last = dict.fromkeys(words)
    return f"{', '.join(most)} and {last}" if most else last
