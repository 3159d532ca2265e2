"""Backward equations by a reverse sweep over the normal form.

Every line ``y = f(a, b, ...)`` passes the gradient dy back to a, b, ... by its rule; a name's
gradient is the sum of what reaches it.  Through time the sweep speaks of one step: what step t
sends back to the state h[t-1] is ``dh_prev[t]``, so that ``dh_prev[t+1]`` arrives at h[t]
(Werbos 1990; with symbolic T, there is nothing to unroll).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import sympy as sp

from lstmsym import notation as N
from lstmsym import render
from lstmsym.cell import Cell, Equation, loss_part
from lstmsym.normal import normalise, shape_lookup
from lstmsym.notation import Op, Ref
from lstmsym.rules import TABLE, linear
from lstmsym.shapes import Shape


@dataclass(frozen=True)
class Backward:
    """A backward equation: ``name = expr``, the gradient of ``of``.

    ``rules`` are the rules it was derived with, ``answers`` the forward lines it differentiates,
    ``shape`` the shape of both sides.  `N.Total` in ``expr`` is the sum over all steps.
    """

    name: Ref
    expr: sp.Expr
    of: Ref
    shape: Shape
    rules: tuple[str, ...] = field(compare=False)
    answers: tuple[Equation, ...] = field(compare=False)

    @property
    def needs(self) -> tuple[Ref, ...]:
        """What must be known to evaluate it."""
        return tuple(sorted(self.expr.atoms(Ref), key=str))


@dataclass(frozen=True)
class Derivation:
    """A cell's normal form and its backward equations, in the order in which they are computed.

    ``given`` maps an output to the reference of its incoming gradient dl/d(output), which the loss
    provides, or the caller where the cell has no loss.
    """

    cell: Cell
    forward: tuple[Equation, ...]
    backward: tuple[Backward, ...]
    shapes: Mapping[str, Shape] = field(compare=False)
    given: Mapping[str, Ref]
    names: Names = field(compare=False)

    @cached_property
    def by_name(self) -> Mapping[str, Backward]:
        """Name of an adjoint (``dc``, ``dW_i``, ``dh_prev``) -> its equation."""
        return {b.name.base: b for b in self.backward}

    def gradient(self, of: str | Ref) -> sp.Expr:
        """The right side for the gradient of a quantity: "c", "W_i", or "h[t-1]" for what goes back.

        Raises:
            KeyError: the derivation has no gradient of it.
        """
        wanted = str(of)
        for backward in self.backward:
            if wanted in (str(backward.of), backward.of.base if backward.of.lag != -1 else None):
                return backward.expr
        raise KeyError(
            f"no gradient of {wanted}; there are gradients of {', '.join(str(b.of) for b in self.backward)}"
        )

    def __str__(self) -> str:
        """Numbered equations, aligned."""
        return render.text(self)

    def _repr_latex_(self) -> str:
        return render.latex(self)

    @cached_property
    def order(self) -> Mapping[str, int]:
        """Name -> place for printing: adjoints first, then names as they are declared."""
        names = [*self.cell.order, *(e.name.base for e in self.forward)]
        order = {name: place for place, name in enumerate(dict.fromkeys(names))}
        adjoints = [*(r.base for r in self.given.values()), *(b.name.base for b in self.backward)]
        adjoints += [self.names.back(s.name) for s in self.cell.role("state")]
        return order | {name: place - 10**6 for place, name in enumerate(dict.fromkeys(adjoints))}


@dataclass(frozen=True)
class Names:
    """How adjoints are called in a cell: a prefix that meets no name of the author's."""

    prefix: str
    past: str = "_prev"

    @classmethod
    def avoiding(cls, taken: Iterable[str], states: Iterable[str], outputs: Iterable[str]) -> Names:
        """The first of d, d_, grad_ with which no adjoint has a name already taken or another's.

        Beside a quantity h_prev, what goes back to a state h is not dh_prev but dh_before.
        """
        used, states, outputs = list(dict.fromkeys(taken)), list(states), list(outputs)
        for prefix, past in product(("d", "d_", "grad_", "grad__"), ("_prev", "_before")):
            names = cls(prefix, past)
            made = [*map(names.adjoint, used), *map(names.back, states), *map(names.given, outputs)]
            if len({*used, *made}) == len(used) + len(made):
                return names
        raise N.NotationError("no prefix for gradients is free: rename what begins with grad_")

    def adjoint(self, name: str) -> str:
        """The gradient of a name: dc."""
        return f"{self.prefix}{name}"

    def back(self, state: str) -> str:
        """What a step sends back to the state before it: dc_prev."""
        return f"{self.prefix}{state}{self.past}"

    def given(self, output: str) -> str:
        """The incoming gradient of an output, dl/dh."""
        return f"{self.prefix}l_{self.prefix}{output}"


def derive(cell: Cell | type[Cell], loss: bool = True) -> Derivation:
    """The backward equations of a cell, for every intermediate, input, state and parameter.

    With ``loss`` the loss's own part stands in them (``2 * (h[t] - y[t])``); without, or where the
    cell has none, each output's incoming gradient is a given.
    """
    cell = as_cell(cell)
    training = loss_part(cell.equations, cell.loss, (q.name for q in cell.role("target")))
    equations = cell.equations if loss else tuple(e for e in cell.equations if e not in training)
    known = {q.name: q.shape for q in cell.quantities}
    fixed = [q.name for q in cell.role("hyperparameter", "target")]
    forward, shapes = normalise(equations, known, known, fixed)
    names = Names.avoiding(shapes, (q.name for q in cell.role("state")), cell.outputs)
    with_loss = loss and cell.loss is not None
    given = {} if with_loss else {name: Ref(names.given(name), 0) for name in cell.outputs}
    sweep = Sweep(shapes, lambda ref: adjoint_of(ref, names))
    for output, ref in given.items():
        sweep.seed(Ref(output, 0), ref, shapes[output])
    for state in cell.role("state"):
        sweep.seed(Ref(state.name, 0), Ref(names.back(state.name), 1), state.shape)
    if with_loss:
        sweep.seed(Ref(str(cell.loss), 0), sp.Integer(1), ())
        for output in cell.outputs:
            sweep.seed(Ref(output, 0), sp.Integer(0), shapes[output])  # declared, and not read by the loss
    constant = [e for e in forward if e.name.lag is None]
    sweep.run(e for e in forward if e.name.lag is not None)
    for leaf in (*(q.now for q in cell.role("input")), *(Ref(q.name, -1) for q in cell.role("state"))):
        sweep.close(leaf)
    sweep.run(constant)
    for parameter in cell.role("parameter"):
        sweep.close(parameter.now)
    return Derivation(cell, forward, tuple(sweep.backward), dict(sweep.shapes), given, names)


def as_cell(cell: Cell | type[Cell]) -> Cell:
    """The cell itself (a class statement gives the value, which a type checker cannot know).

    Raises:
        NotationError: it is something else.
    """
    if not isinstance(cell, Cell):
        raise N.NotationError(f"{cell!r} is not a Cell: pass what `class Name(Cell): ...` gives")
    return cell


def adjoint_of(ref: Ref, names: Names) -> Ref:
    """The gradient of a reference; of a state at t-1, what step t sends back to it."""
    if ref.lag == -1:
        return Ref(names.back(ref.base), 0)
    return Ref(names.adjoint(ref.base), ref.lag)


@dataclass(frozen=True)
class _Share:
    """What one forward line contributes to a gradient."""

    expr: sp.Expr
    rules: tuple[str, ...]
    line: Equation | None


class Sweep:
    """A reverse sweep in progress: what has reached each reference so far.

    It works on any lines in normal form, a derivation's own output included, so second derivatives
    are the same sweep over forward and backward lines together.
    """

    def __init__(self, shapes: Mapping[str, Shape], adjoint: Callable[[Ref], Ref]) -> None:
        """Start with nothing; ``adjoint`` names the gradient of a reference."""
        self.shapes: dict[str, Shape] = dict(shapes)
        self.adjoint = adjoint
        self.shares: dict[Ref, list[_Share]] = {}
        self.readers: dict[Ref, list[Equation]] = {}
        self.backward: list[Backward] = []
        self.shape = shape_lookup(self.shapes)

    def seed(self, ref: Ref, gradient: sp.Expr, shape: Shape) -> None:
        """Let a gradient arrive at a reference from outside."""
        for symbol in gradient.atoms(Ref):
            self.shapes.setdefault(symbol.base, shape)
        self.shares.setdefault(ref, []).append(_Share(gradient, (), None))

    def run(self, lines: Iterable[Equation]) -> None:
        """Sweep over the lines from last to first, where a gradient has reached them."""
        for line in reversed(tuple(lines)):
            for ref in line.expr.atoms(Ref):
                self.readers.setdefault(ref, []).append(line)
            if isinstance(line.expr, N.stop_gradient):
                self.shares.pop(line.name, None)  # what arrives there goes nowhere
            shares = self.shares.get(line.name, [])
            if shares and all(share.line is None and share.expr.is_positive for share in shares):
                gradient = sp.Add(*(share.expr for share in self.shares.pop(line.name)))  # the loss's own, 1
            else:
                gradient = self.close(line.name) if shares else sp.Integer(0)
            if gradient != 0:
                self.line(line, gradient)

    def close(self, ref: Ref) -> sp.Expr:
        """Write the equation of a gradient, all of whose shares have come: its name, or 0 if none has."""
        self._write(ref, self.shares.pop(ref, []))
        return self.backward[-1].name if self.backward[-1].expr != 0 else sp.Integer(0)

    def _write(self, ref: Ref, shares: list[_Share]) -> None:
        expr = sp.Add(*(share.expr for share in shares))
        if not expr.has(N.Dot, N.Total):
            expr = min(expr, outside(sp.factor_terms, expr), key=sp.count_ops)
        shape = self.shapes[ref.base]
        if shape and expr != 0 and self.shape(expr) == ():
            expr = N.Spread(expr, *shape)
        name = self.adjoint(ref)
        self.shapes[name.base] = shape
        rules = tuple(dict.fromkeys(rule for share in shares for rule in share.rules))
        answers = tuple(dict.fromkeys(share.line for share in shares if share.line))
        if expr == 0:  # nothing arrives: whatever reads it, if anything does, passes nothing on
            rules, answers = ("no gradient",), tuple(self.readers.get(ref, ()))
        self.backward.append(Backward(name, expr, ref, shape, rules, answers))

    def line(self, line: Equation, gradient: sp.Expr) -> None:
        """Pass the gradient of one line on to what its right side refers to."""
        pull = _Pull(self.shape, line)
        pull.into(line.expr, gradient, ())
        for ref, (expr, rules) in pull.collected(gradient).items():
            if expr == 0:  # a branch never taken, a derivative by a constant
                continue
            if ref.lag is None and line.name.lag is not None:
                expr = linear(N.Total, expr)
            self.shares.setdefault(ref, []).append(_Share(expr, rules, line))


class _Pull:
    """The gradient of one line on its way down the tree of the right side."""

    def __init__(self, shape: Callable[[sp.Expr], Shape], line: Equation) -> None:
        self.shape, self.root = shape, line
        self.found: dict[Ref, list[sp.Expr]] = {}
        self.rules: dict[Ref, list[str]] = {}

    def into(self, expr: sp.Expr, d: sp.Expr, rules: tuple[str, ...]) -> None:
        """Pass ``d``, the gradient of ``expr``, on; ``rules`` have been used on the way."""
        if isinstance(expr, Ref):
            self.found.setdefault(expr, []).append(d)
            self.rules.setdefault(expr, []).extend(rules)
        elif isinstance(expr, Op):
            self._operation(expr, d, rules)
        elif isinstance(expr, sp.Add):
            for term in expr.args:
                self._child(expr, term, d, rules)
        elif isinstance(expr, sp.Mul):
            self._product(expr, d, rules)
        elif isinstance(expr, sp.Pow):
            self._power(expr, d, rules)

    def _operation(self, expr: sp.Expr, d: sp.Expr, rules: tuple[str, ...]) -> None:
        rule = TABLE[type(expr)]
        y = self.root.name if expr == self.root.expr else expr
        shapes = [self.shape(a) for a in expr.args]
        for arg, gradient in zip(expr.args, rule.pull(y, d, expr.args, shapes), strict=True):
            if gradient is not None:
                used = (*rules, rule.formula)
                if rule.op in _KEEP_SHAPE:
                    self._child(expr, arg, gradient, used)
                else:
                    self.into(arg, gradient, used)

    def _product(self, expr: sp.Expr, d: sp.Expr, rules: tuple[str, ...]) -> None:
        for index, factor in enumerate(expr.args):
            if isinstance(factor, sp.Pow) and factor.exp.is_negative and expr == self.root.expr:
                share = d * factor.exp * self.root.name / factor.base
                self._child(expr, factor.base, share, (*rules, "quotient"))
            else:
                rest = sp.Mul(*expr.args[:index], *expr.args[index + 1 :])
                self._child(expr, factor, d * rest, (*rules, "product"))

    def _power(self, expr: sp.Expr, d: sp.Expr, rules: tuple[str, ...]) -> None:
        base, exponent = expr.args
        self._child(expr, base, d * exponent * base ** (exponent - 1), (*rules, "power"))
        if exponent.atoms(Ref):
            y = self.root.name if expr == self.root.expr else expr
            self._child(expr, exponent, d * y * N.log(base), (*rules, "power"))

    def _child(self, parent: sp.Expr, child: sp.Expr, d: sp.Expr, rules: tuple[str, ...]) -> None:
        """Into an operand; where a scalar was used at every entry, the entries' gradients add up."""
        if not child.atoms(Ref):
            return
        shape = self.shape(parent)
        if shape and self.shape(child) == ():
            factors = sp.Mul.make_args(d)
            scalars = [f for f in factors if self.shape(f) == ()]
            entries = [f for f in factors if f not in scalars]
            d = sp.Mul(*scalars) * (N.Sum(sp.Mul(*entries)) if entries else sp.Mul(*shape))
        self.into(child, d, rules)

    def collected(self, gradient: sp.Expr) -> dict[Ref, tuple[sp.Expr, tuple[str, ...]]]:
        """For each reference the shares of this line in one short expression."""
        return {
            ref: (shortest(sp.Add(*shares), gradient), tuple(dict.fromkeys(self.rules[ref])))
            for ref, shares in self.found.items()
        }


_KEEP_SHAPE = {op for op, rule in TABLE.items() if issubclass(op, N.Pointwise)}


def shortest(expr: sp.Expr, gradient: sp.Expr) -> sp.Expr:
    """The shortest of a few equal forms of ``gradient * (...) + gradient * (...)``."""
    if not isinstance(expr, sp.Add):
        return expr
    if gradient.is_Symbol and all(gradient in sp.Mul.make_args(term) for term in expr.args):
        inner = sp.Add(*(term / gradient for term in expr.args))
        others = (outside(form, inner) for form in (sp.expand, sp.factor))
        forms = [expr, *(gradient * form for form in (inner, *others))]
    else:
        forms = [expr, outside(sp.factor_terms, expr)]
    return min(forms, key=sp.count_ops)


def outside(rewrite: Callable[[sp.Expr], sp.Expr], expr: sp.Expr) -> sp.Expr:
    """The expression rewritten as arithmetic, its operations left as they stand."""
    hidden: dict[sp.Expr, sp.Expr] = {}

    def mask(node: sp.Expr) -> sp.Expr:
        if isinstance(node, Op):
            return hidden.setdefault(node, sp.Symbol(f"operation {len(hidden)}"))
        return node.func(*map(mask, node.args)) if node.args else node

    masked = rewrite(mask(expr))
    return masked.xreplace({symbol: node for node, symbol in hidden.items()})
