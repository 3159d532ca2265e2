"""The equations of a document, as claims about a cell's quantities and gradients.

A page in Python is a class body with the cell's names and its adjoints in scope:

    class Notes(Claims, of=LSTM):
        "Lecture notes, eqs. (12)-(13)."
        do = dh * tanh(c[t])            # a claim about the gradient of o
        ds = o * top_diff_h             # an error if top_diff_h is nowhere defined

Assigning to an adjoint (``do``, also ``δo``) or to a name of the cell is a claim; ``do += ...`` of a
parameter's gradient claims one step's share of it; assigning to a new name defines it.
``claim("label", left, right)`` claims any equality, ``D(L[t+1], s[t])`` is a derivative of the loss
from a step on.  Documents build the same `Claims` value from `Claim` values.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.notation import NotationError, Op, Ref, Time
from lstmsym.printing import Printer
from lstmsym.verify.system import System, shifted


class LossFrom(sp.Symbol):
    """The loss from a step on, L(t + lag) = l(t + lag) + l(t + lag + 1) + ..."""

    lag: int

    def __new__(cls, lag: int = 0) -> LossFrom:
        """Make L[t + lag]."""
        made: LossFrom = sp.Symbol.__xnew__(cls, f"L[{Time(lag)}]")
        made.lag = lag
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments that rebuild it."""
        return (self.lag,), {}


class _Losses:
    """``L`` on a page: ``L[t+1]``."""

    def __getitem__(self, index: Time) -> LossFrom:
        return LossFrom(index.offset)


class Label(Op):
    """``D(L[t+1], s[t])``: a derivative of the loss; further arguments are held fixed."""


class Local(Op):
    """``D(h[t], s[t])``: how the k-th entry of one quantity moves with the k-th of another."""


class ChainSum(Op):
    """``ChainSum(W)``: the sum over t of dL/dh(t) dh(t)/dW over all states h(t) and units.

    What dh(t)/dW holds fixed is left open by that notation: nothing (total), or what further
    arguments say, states at t-1: ``ChainSum(W, h[t-1])``.
    """


def D(what: Any, by: Any, fixed: Any = ()) -> sp.Expr:
    """A derivative: of a loss L[...] by a quantity (total, or with some held fixed), or entry by entry."""
    held = fixed if isinstance(fixed, tuple) else (fixed,)
    return Label(what, by, *held) if isinstance(what, LossFrom) else Local(what, by)


class Anytime(Ref):
    """A name on a page: by itself its value at t, and at any other step with brackets."""

    def __getitem__(self, index: Any) -> Any:
        """The quantity at another step, or a slice."""
        if isinstance(index, Time):
            return Ref(self.base, None if self.lag is None else index.offset)
        return super().__getitem__(index)


@dataclass(frozen=True)
class Claim:
    """One equation: ``left = right`` as the document has it.

    ``share`` says that the right side is one step's share of the left, a sum over t; ``label`` and
    ``line`` say where it stands; ``kind`` is claim or definition; ``shown`` is its own text.
    """

    left: sp.Expr
    right: sp.Expr
    label: str = ""
    line: int = 0
    share: bool = False
    kind: str = "claim"
    shown: str = field(default="", compare=False)
    symbol: str = field(default="", compare=False)


class _ClaimsMeta(type):
    @classmethod
    def __prepare__(mcs, name: str, bases: tuple[type, ...], /, of: Any = None, **_: Any) -> Any:
        if not bases:
            return {}
        if not isinstance(of, Cell):
            raise NotationError(f"{name}: say which cell the page is about: class {name}(Claims, of=LSTM)")
        return ClaimsPage(name, of)

    def __new__(mcs, name: str, bases: tuple[type, ...], body: Any, **_: Any) -> Any:
        if not bases:
            return super().__new__(mcs, name, bases, body)
        return Claims(name, body.of, tuple(body.claims), body.get("__doc__") or "")

    def __init__(cls, name: str, bases: tuple[type, ...], body: Any, **_: Any) -> None:
        super().__init__(name, bases, body)


@dataclass(frozen=True)
class Claims(metaclass=_ClaimsMeta):
    """The claims of one document about one cell, with its citation."""

    name: str
    cell: Cell
    claims: tuple[Claim, ...]
    citation: str = field(default="", compare=False)


class ClaimsPage(dict[str, Any]):
    """The namespace of a page: the cell's names, its adjoints, and what the document defines."""

    def __init__(self, name: str, of: Cell) -> None:
        """Put the names of the cell and of its derivation in scope."""
        super().__init__()
        self.page, self.of = name, of
        self.system = System(of)
        self.claims: list[Claim] = []
        self.defined: dict[str, sp.Expr] = {}
        self.names = self._scope()

    def _scope(self) -> dict[str, Any]:
        scope: dict[str, Any] = dict(N.FUNCTIONS)
        scope |= {"t": N.t, "L": _Losses(), "D": D, "claim": self.add, "Total": N.Total, "ChainSum": ChainSum}
        scope |= {s.name: s for s in self.of.sizes}
        known = {**self.system.forward, **self.system.backward}
        timeless = {q.name for q in self.of.quantities if q.constant}
        timeless |= {b.name.base for b in self.system.derivation.backward if b.name.lag is None}
        timeless |= {e.name.base for e in self.system.with_loss.forward if e.name.lag is None}
        names = [q.name for q in self.of.quantities] + list(known)
        names += [ref.base for ref in self.system.derivation.given.values()]
        for name in names:
            scope[name] = Anytime(name, None if name in timeless else 0)
        prefix = self.system.derivation.names.prefix
        for name in [*self.system.backward]:
            scope["δ" + name.removeprefix(prefix)] = scope[name]
        return scope

    def __getitem__(self, key: str) -> Any:
        """A name of the page, of the cell, or of Python."""
        if key in self:
            return super().__getitem__(key)
        if key in self.names:
            return self.names[key]
        raise KeyError(key)

    def __setitem__(self, key: str, value: Any) -> None:
        """A line of the document."""
        if key.startswith("__"):
            super().__setitem__(key, value)
            return
        expr = self.plain(value)
        if key in self.names and isinstance(self.names[key], Ref):
            target = self.plain(self.names[key])
            share = target in expr.atoms(Ref) and target.lag is None
            right = expr - target if share else expr
            self.record(Claim(target, right, share=share, symbol=key))
        elif isinstance(expr, sp.Expr):
            self.record(Claim(expr, expr, kind="definition", symbol=key))
            super().__setitem__(key, value)

    def add(self, label: str, left: Any, right: Any) -> None:
        """Claim an equality under a label."""
        self.record(Claim(self.plain(left), self.plain(right), label))

    def plain(self, value: Any) -> sp.Expr:
        """The expression with names at their steps."""
        expr = N.canonical(value)
        return expr.xreplace({a: Ref(a.base, a.lag) for a in expr.atoms(Anytime)})

    def record(self, claim: Claim) -> None:
        """Note a claim with its line and text."""
        frame = sys._getframe(1)
        while frame.f_code.co_filename == __file__ and frame.f_back:
            frame = frame.f_back
        show = Printer(self.system.derivation.order)
        left = claim.symbol or show(claim.left)
        shown = f"{left} {'+=' if claim.share else '='} {show(claim.right)}"
        label = claim.label or f"({1 + sum(c.kind == 'claim' for c in self.claims)})"
        self.claims.append(
            Claim(
                claim.left, claim.right, label, frame.f_lineno, claim.share, claim.kind, shown, claim.symbol
            )
        )


def unlabelled(expr: sp.Expr, system: System) -> sp.Expr:
    """An expression with derivatives written out as adjoints and local factors.

    Raises:
        NotationError: a derivative of something else than a quantity.
    """
    rules: dict[sp.Expr, sp.Expr] = {}
    for node in expr.atoms(Local):
        rules[node] = _local(node.args[0], node.args[1], system)
    for node in expr.atoms(Label):
        what, by, *held = node.args
        if not isinstance(by, Ref):
            raise NotationError(f"D({what}, {by}): a derivative by a quantity at a step")
        rules[node] = _total(system, what.lag, by, tuple(held))
    for node in expr.atoms(ChainSum):
        rules[node] = _chain(system, node.args[0], tuple(node.args[1:]))
    return expr.xreplace(rules)


def _chain(system: System, by: Ref, held: tuple[Ref, ...]) -> sp.Expr:
    """A chain sum in adjoints: nothing held counts paths twice; all states held leaves one step.

    With every output state held and the others free, the reverse recurrence of the sum is that of
    the true adjoints (same sources, same terminal values), so the sum is the gradient itself.
    """
    names = system.derivation.names
    states = {q.name for q in system.cell.role("state")}
    free = states - {r.base for r in held}
    gradient = Ref(names.adjoint(by.base))
    if free == states:
        return Ref(system.doubled(gradient.base))
    if not free:
        cut: dict[Ref, sp.Expr] = {
            Ref(names.back(s), 1): sp.Integer(0) for s in states - set(system.cell.outputs)
        }
        cut |= {Ref(names.adjoint(o), 0): Ref(names.adjoint(o), 0) for o in system.cell.outputs}
        return _unfolded(system, by, cut)
    return gradient if free.isdisjoint(system.cell.outputs) else Ref(system.doubled(gradient.base))


def _total(system: System, start: int, by: Ref, held: tuple[Ref, ...]) -> sp.Expr:
    """The derivative of the loss from step t + start on, with quantities held fixed."""
    names = system.derivation.names
    lag = by.lag or 0
    later = max(start - lag, 0)  # an earlier loss does not see the quantity: from its own step on
    if later > 1:
        raise NotationError(
            f"D(L[{Time(start)}], {by}): the loss starts at the quantity's own step or at the next"
        )
    cut: dict[Ref, sp.Expr] = (
        {ref: sp.Integer(0) for ref in system.derivation.given.values()} if later else {}
    )
    cut |= {Ref(names.adjoint(r.base), 0): sp.Integer(0) for r in (h.shifted(-lag) for h in held)}
    return shifted(_unfolded(system, by.shifted(-lag), cut), lag)


def _unfolded(system: System, ref: Ref, cut: dict[Ref, sp.Expr]) -> sp.Expr:
    """The adjoint of a reference at t with some paths cut, unfolded as far as the cuts reach."""
    names = system.derivation.names
    adjoint = Ref(names.adjoint(ref.base), None if ref.lag is None else 0)
    if adjoint in cut:
        return cut[adjoint]
    if adjoint.base not in system.backward or not cut:
        return adjoint
    expr = system.backward[adjoint.base]
    adjoints = [r for r in expr.atoms(Ref) if r.lag == 0 and r.base in system.backward]
    inner = {r: _unfolded(system, Ref(r.base.removeprefix(names.prefix), 0), cut) for r in adjoints}
    return expr.xreplace(inner | cut)


def _local(what: sp.Expr, by: sp.Expr, system: System) -> sp.Expr:
    """Entry by entry: the derivative through pointwise equations only."""
    if not (isinstance(what, Ref) and isinstance(by, Ref)):
        raise NotationError(f"D({what}, {by}): both are quantities at a step")
    expr: sp.Expr = what
    for _ in range(20):
        known = {
            r: shifted(system.forward[r.base], r.lag or 0)
            for r in expr.atoms(Ref)
            if r != by and r.base in system.forward and r.lag is not None and r.lag > (by.lag or 0) - 1
        }
        known = {r: e for r, e in known.items() if _pointwise(e)}
        if not known:
            break
        expr = expr.xreplace(known)
    return sp.diff(expr, by)


def _pointwise(expr: sp.Expr) -> bool:
    return not any(isinstance(node, Op) for node in sp.preorder_traversal(expr))


def page_of(module: Any, where: str) -> tuple[Claims, ...]:
    """The pages a module holds.

    Raises:
        NotationError: it has none.
    """
    pages = tuple(value for value in vars(module).values() if isinstance(value, Claims))
    if not pages:
        raise NotationError(f"{where} has no page: write class Name(Claims, of=Cell)")
    return pages


def lines(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The claims without the definitions."""
    return tuple(c for c in claims if c.kind == "claim")
