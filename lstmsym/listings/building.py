"""The cell of a forward pass: every operation a line, so that each has a gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.declare import Bias, Declared, Input, Loss, Output, State, Target, Weight
from lstmsym.listings.arrays import Algebra, Array
from lstmsym.listings.forward import Run
from lstmsym.listings.lines import Lines, identifiers, is_matrix, single_operations
from lstmsym.listings.objective import NOTHING, Begins, objective
from lstmsym.listings.pairing import pairs
from lstmsym.listings.scope import Scope
from lstmsym.listings.sized import resized, sizes
from lstmsym.listings.source import ListingError
from lstmsym.notation import Ref

EQUATIONS = 120
"""Lines of one forward pass."""


@dataclass(frozen=True)
class Forward:
    """A listing's forward pass: its cell, and how its names stand for the cell's quantities."""

    cell: Cell
    scope: Scope
    algebra: Algebra
    rename: Mapping[Ref, Any]
    sizes: Mapping[sp.Symbol, sp.Expr]
    shown: Mapping[Ref, str]
    kinds: Mapping[int, tuple[str, str]]
    final: frozenset[str] = frozenset()
    rings: frozenset[str] = frozenset()
    said: Mapping[str, Ref] = field(default_factory=dict)
    """Names that are said to be gradients, of what."""
    doubtful: frozenset[str] = frozenset()
    """Quantities whose gradient is not known, since a statement that sets or reads them was not read."""


@dataclass(frozen=True)
class _Roles:
    """What each quantity of the cell is."""

    states: list[str]
    inputs: list[Ref]
    targets: list[Ref]
    parameters: list[Ref]
    outputs: list[str]


def build(run: Run, begins: Begins = NOTHING) -> Forward:
    """The cell of what has been executed; where no loss is stated, the backward pass ``begins`` with it.

    Raises:
        ListingError: it is no recurrent cell.
        NotationError: its lines do not fit.
    """
    if not run.equations:
        raise ListingError("no forward equations were found")
    if len(run.equations) > EQUATIONS:
        raise ListingError(f"more than {EQUATIONS} forward equations")
    lines = Lines(run, pairs(run))
    states = _states(lines)
    loss = objective(lines, begins)
    outputs = _needed(lines, states, loss)
    frees = sorted({r for r in lines.read(loss) if r.base not in lines.exprs}, key=str)
    roles = _Roles(states, *_roles(frees, lines, loss), outputs)
    known = sizes(lines, states, roles.inputs)
    single, new = single_operations(lines.exprs, frozenset(roles.parameters))
    names = identifiers([*(r.base for r in frees), *lines.exprs, *new])
    cell = _Writer(lines, roles, known, names).cell(single, loss)
    return Forward(
        cell,
        run.scope,
        lines.algebra,
        _renamed(lines, roles, names),
        known,
        _shown(lines, names),
        run.kinds,
        frozenset(names[f] for f in run.final if f in names),
        frozenset(run.rings),
        doubtful=_doubtful(lines, names),
    )


def _doubtful(lines: Lines, names: Mapping[str, str]) -> frozenset[str]:
    """Quantities whose gradient is not known: a statement was not read that sets or reads them.

    Only one counts that sets what the cell uses: then the cell has it as an input that it is not.
    """
    found: set[str] = set()
    for sets, reads in lines.run.unread:
        if any(key in names and key not in lines.exprs for key in sets):
            for key in sets | reads:
                value = lines.run.scope.series.get(key, {}).get(0)
                refs = [lines.rename.get(Ref(key, lag), Ref(key, lag)) for lag in (None, -1, 0)]
                refs += [value.expr] if isinstance(value, Array) and isinstance(value.expr, Ref) else []
                found |= {names[r.base] for r in refs if r.base in names}
    return frozenset(found)


def _states(lines: Lines) -> list[str]:
    """What is read at t-1, what nothing else of the step reads first."""
    read = set(lines.read())
    found = [name for name in lines.exprs if Ref(name, -1) in read]
    if not found:
        raise ListingError("no state was found that goes from step to step")
    behind = {name: lines.behind(name) for name in found}
    return sorted(found, key=lambda s: (any(s in behind[o] for o in found if o != s), found.index(s)))


def _needed(lines: Lines, states: list[str], loss: sp.Expr | None) -> list[str]:
    """Take away lines that define nothing more than names for parts of no use; the outputs without a loss."""
    read = {r.base for r in lines.read(loss)}
    if loss is None:
        return [name for name in lines.exprs if name not in read and name not in states]
    lines.exprs = {name: x for name, x in lines.exprs.items() if name in read or name in states}
    return []


def _roles(frees: list[Ref], lines: Lines, loss: sp.Expr | None) -> tuple[list[Ref], list[Ref], list[Ref]]:
    """Inputs, targets and parameters among what the listing is given."""
    inputs, targets, parameters = [], [], []
    products = {d for x in lines.exprs.values() for d in x.atoms(N.Dot, N.Concat)}
    operands = {ref for d in products for a in d.args for ref in a.atoms(Ref)}
    used = set(lines.read())
    for ref in frees:
        if loss is not None and ref in loss.atoms(Ref) and ref not in used:
            targets.append(ref)
        elif is_matrix(ref, lines.algebra) or (ref.lag is None and ref not in operands):
            parameters.append(ref)
        else:
            inputs.append(ref)
    return inputs, targets, parameters


@dataclass(frozen=True)
class _Writer:
    """Writes lines as a cell, in names and sizes that a cell may use."""

    lines: Lines
    roles: _Roles
    known: Mapping[sp.Symbol, sp.Expr]
    names: Mapping[str, str]

    def cell(self, single: list[tuple[str, sp.Expr]], loss: sp.Expr | None) -> Cell:
        """The cell with these lines."""
        declare = list(self.declared())
        timed = (*self.roles.inputs, *self.roles.targets)
        refs = {r: Ref(self.names[r.base], 0) for r in timed}
        refs |= {r: Ref(self.names[r.base]) for r in self.roles.parameters}

        def spoken(expr: sp.Expr) -> sp.Expr:
            expr = expr.xreplace({r: refs.get(r, _named(r, self.names)) for r in expr.atoms(Ref)})
            return resized(expr, self.lines.algebra, self.known)

        equations: list[tuple[Ref | str, Any]] = [(self.names[name], spoken(expr)) for name, expr in single]
        if loss is not None:
            declare.append(Loss(name="loss_"))
            equations.append(("loss_", N.canonical(spoken(loss))))
        return Cell.from_equations("Listing", declare, equations)

    def declared(self) -> list[Declared]:
        """Its quantities."""
        roles, algebra = self.roles, self.lines.algebra
        kinds: list[tuple[Any, str]] = [(Input, r.base) for r in roles.inputs]
        kinds += [(State, name) for name in roles.states]
        kinds += [(Weight if is_matrix(r, algebra) else Bias, r.base) for r in roles.parameters]
        kinds += [(Target, r.base) for r in roles.targets] + [(Output, name) for name in roles.outputs]
        return [kind(*self.sized(name), name=self.names[name]) for kind, name in kinds]

    def sized(self, name: str) -> list[sp.Expr]:
        """The sizes of a quantity."""
        dims = self.lines.algebra.unifier.resolve(self.lines.dims(name))
        return [sp.expand(sp.sympify(d).xreplace(self.known)) for d in dims]


def _renamed(lines: Lines, roles: _Roles, names: Mapping[str, str]) -> dict[Ref, Any]:
    """What the listing reads -> what the cell has for it."""
    rename: dict[Ref, Any] = {old: _named(new, names) for old, new in lines.rename.items()}
    for name in names:
        for lag in (None, -1, 0, 1):
            rename.setdefault(Ref(name, lag), _named(Ref(name, lag), names))
    for ref in (*roles.inputs, *roles.targets):
        rename[Ref(ref.base)] = rename[ref] = Ref(names[ref.base], 0)
    for ref, expr in lines.aliases.items():
        rename[ref] = expr.xreplace({r: _named(r, names) for r in expr.atoms(Ref)})
    return rename


def _shown(lines: Lines, names: Mapping[str, str]) -> dict[Ref, str]:
    """How the listing writes the cell's quantities."""
    shown: dict[Ref, str] = {}
    for key, store in lines.run.scope.series.items():
        value = store.get(0)
        name = (
            names.get(value.expr.base) if isinstance(value, Array) and isinstance(value.expr, Ref) else None
        )
        if name:
            shown.setdefault(Ref(name, 0), f"{key}[t]")
            shown.setdefault(Ref(name, -1), f"{key}[t - 1]")
    for old, new in lines.rename.items():
        if new.base in names and new.lag == -1:
            shown.setdefault(Ref(names[new.base], -1), old.base)
    timed = {r.base for r in lines.read() if r.lag == 0} - set(lines.exprs)
    for name, made in names.items():
        shown.setdefault(Ref(made, 0), f"{name}[t]" if name in timed else name)
        shown.setdefault(Ref(made), name)
    return shown


def _named(ref: Ref, names: Mapping[str, str]) -> Ref:
    return Ref(names.get(ref.base, ref.base), ref.lag)
