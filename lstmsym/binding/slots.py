"""Which gradient a notation names: slots of the text, and what each may mean.

A slot is a notation with its target, δ of o or d of h, apart from its step.  What the target is settles
most; whether a gate's gradient is that before or after its activation, whether an earlier state's is
all of it or what one step sends back, is a choice of the document, made once for a notation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.express import is_transposition
from lstmsym.binding.quantity import Place, is_count, untimed
from lstmsym.binding.stacks import Portion
from lstmsym.binding.standing import share, stacked_gradient
from lstmsym.binding.table import GRADIENT_BASES, Table, function_of, is_gradient_name
from lstmsym.cell import Cell
from lstmsym.documents.formula import (
    Apply,
    Big,
    Delta,
    Derivative,
    Formula,
    Indexed,
    Item,
    Name,
    Number,
    Raised,
    children,
)
from lstmsym.notation import NotationError, Ref
from lstmsym.rules import shape_of
from lstmsym.shapes import ShapeError, Unifier
from lstmsym.verify.pullback import gradient_of
from lstmsym.verify.system import System


@dataclass(frozen=True)
class Slot:
    """A gradient's notation: ``family`` is its letter, ``target`` what it is of.

    ``word`` is prev, next, or step: what a step adds to the gradient of a parameter.
    """

    family: str
    target: str
    word: str = ""


@dataclass(frozen=True)
class Meaning:
    """What a slot stands for, as an expression where it is taken at t; how it is called."""

    expr: sp.Expr
    kind: str = "total"
    of: str = ""


def slot_of(node: Formula, table: Table) -> tuple[Slot, Place, Name | None] | None:
    """The slot of a gradient's name, where it is taken, and its quantity; None for what is no such name."""
    found = _slot_of(node, table)
    if found is not None and isinstance(found[1].lag, int) and _is_constant(found[0].target, table):
        return replace(found[0], word="step"), *found[1:]
    return found


def _is_constant(key: str, table: Table) -> bool:
    """Whether a name is that of a parameter, or of one made of parameters."""
    if key in table.standing:
        return all(ref.lag is None for ref in table.standing[key].atoms(Ref))
    return table.roles.get(table.idents.get(key, "")) == "parameter"


def _slot_of(node: Formula, table: Table) -> tuple[Slot, Place, Name | None] | None:
    if isinstance(node, Delta):
        if isinstance(node.of, Number):
            return Slot(node.prefix, node.of.text), Place(node.of.text, None), None
        if not isinstance(node.of, Name):
            return None
        if node.prefix in ("d", "δ", "Δ", "g") and node.of.base == "1":
            return None
        return _named(_family(node.prefix), node.of, table)
    if isinstance(node, Name):
        return _by_name(node, table)
    return None


def _family(prefix: str) -> str:
    return prefix.rpartition(".")[2].strip("_")


def _named(family: str, of: Name, table: Table) -> tuple[Slot, Place, Name]:
    at = table.key(of)
    word = ""
    if of.time is None:
        _bare, lag = untimed(of)
        word = {-1: "prev", 0: "next"}.get(lag, "") if lag is not None else ""
    elif any("next" in s.text.lower().split("_") for s in of.scripts):  # dc_next(t) beside dc(t)
        word = "next"
    return Slot(family, at.key, word), at, of


def _by_name(name: Name, table: Table) -> tuple[Slot, Place, Name | None] | None:
    at = table.key(name)
    if at.key in table.idents or at.key in table.macros or at.key in table.counts:
        return None
    if name.base == "1" or is_count(name):
        return None
    if name.primes and table.key(replace(name, primes=0)).key in table.idents:
        return None
    if name.base in ("δ", "ε", "ϵ", "Δ") and name.base not in table.functions:
        scripts = [s for s in untimed(name)[0].scripts]
        target = ",".join(s.text for s in scripts)
        inner = scripts[0].body if len(scripts) == 1 and isinstance(scripts[0].body, Name) else None
        return Slot(name.base, target), replace(at, key=target), inner
    if name.marks and name.marks[-1] in ("bar", "hat", "tilde"):
        plain = replace(name, marks=name.marks[:-1])
        inner_at = table.key(plain)
        if inner_at.key in table.idents or is_gradient_name(name, table):
            return Slot(f"mark {name.marks[-1]}", inner_at.key), inner_at, plain
        return Slot(f"mark {name.marks[-1]}", inner_at.key), inner_at, plain
    grad = [s for s in name.scripts if s.text.lower() in ("grad", "diff", "delta", "bar")]
    if grad:
        plain = replace(name, scripts=tuple(s for s in name.scripts if s not in grad))
        return _named("grad", plain, table)
    rest = replace(name, base=name.base[1:]) if len(name.base) > 1 else None
    if rest is not None and name.base[0] in "gd" and table.key(rest).key in table.idents:
        return _named(name.base[0], rest, table)
    return Slot("name", at.key), at, None


def resolve(slot: Slot, table: Table) -> list[str]:
    """The quantities that a slot's target may name: itself, or what carries its letter as an index."""
    key = slot.target
    if key in table.idents and table.idents[key] in table.roles:
        named = table.idents[key]
        return [named, *_candidate_of(key, table)] if slot.family in GRADIENT_BASES else [named]
    if key in table.standing:
        return [key]
    if not key or slot.family == "name":
        return []
    found = []
    for known, ident in table.idents.items():
        if ident not in table.roles or table.roles[ident] in ("parameter", "hyper"):
            continue
        name = table.spelled.get(ident)
        if name is None:
            continue
        scripts = {s.text for s in name.scripts}
        if key in scripts or re.sub(r"[~_{},]", "", known) == key:
            found.append(ident)
    return found


def _candidate_of(key: str, table: Table) -> list[str]:
    """The quantity with a tilde or a hat: beside the letters of gates, δ_h may be that of the candidate."""
    found = (table.idents.get(key + mark) for mark in ("~", "^"))
    return [ident for ident in found if ident is not None and table.roles.get(ident) == "name"]


def candidates(slot: Slot, table: Table, cell: Cell, system: System) -> list[Meaning]:
    """What a slot may mean, likeliest first."""
    found = _Candidates(table, cell, system)
    targets = resolve(slot, table)
    meanings = [*found.of(targets, slot.family)] if targets else [*found.any(slot)]
    if slot.target in table.standing:
        whole = table.standing[slot.target]
        before = {r: Ref(table.before[r.base], r.lag) for r in whole.atoms(Ref) if r.base in table.before}
        for kind, stack in (("stacked", whole), ("stacked before", whole.xreplace(before))):
            found_of = stacked_gradient(stack, system)
            if found_of is not None and (stack != whole or kind == "stacked"):
                meanings = [*meanings, Meaning(found_of, kind, slot.target)]
    if slot.word == "step":
        meanings = [replace(m, expr=share(m.expr, system)) for m in meanings]
    return list(dict.fromkeys(meanings))


class _Candidates:
    """The gradients of a cell as meanings."""

    def __init__(self, table: Table, cell: Cell, system: System) -> None:
        self.table, self.cell, self.system, self.names = table, cell, system, system.derivation.names
        self.states = {q.name for q in cell.role("state")}
        self.constant = {q.name for q in cell.quantities if q.constant}
        self.after = {pre: post for post, pre in table.before.items()}

    def total(self, ident: str | None) -> Iterator[Meaning]:
        """All of a quantity's gradient."""
        base = self.names.adjoint(ident) if ident else ""
        if base in self.system.backward:
            yield Meaning(Ref(base, None if ident in self.constant else 0), "total", ident or "")

    def carried(self, ident: str) -> Iterator[Meaning]:
        """What the step after sends back to a state."""
        if ident in self.states:
            yield Meaning(Ref(self.names.back(ident), 1), "carried", ident)

    def given(self, ident: str) -> Iterator[Meaning]:
        """What the loss gives to an output."""
        if ident in self.cell.outputs:
            yield Meaning(Ref(self.names.given(ident), 0), "given", ident)

    def of(self, targets: Iterable[str], family: str) -> Iterator[Meaning]:
        """What the gradient of one of these may be: that before or after its activation, a part of it."""
        for ident in targets:
            before = self.table.before.get(ident) or self.table.scores.get(ident)
            own = family in ("d", "g", "grad", "∂") and ident in self.states  # dh is that of h
            for other in (ident,) if own else (ident, before, self.after.get(ident)):
                yield from self.total(other)
            yield from self.carried(ident)
            yield from self.given(ident)

    def any(self, slot: Slot) -> Iterator[Meaning]:
        """What a name of its own may be: any gradient, those of a like name first."""
        quantities = [q for q in self.cell.quantities if not q.constant and q.role not in ("target", "loss")]
        for q in sorted(quantities, key=lambda q: (-_likeness(slot.target, q.name, self.table), q.name)):
            yield from self.total(q.name)
        for output in self.cell.outputs:
            yield from self.given(output)
        for state in self.states:
            yield from self.carried(state)
            yield Meaning(Ref(self.names.back(state), 0), "back", state)
        yield from parts(self.system)


def parts(system: System) -> list[Meaning]:
    """The gradients of what stands in the lines of a cell: of every term and factor, by each of its paths."""
    names = system.derivation.names
    found: dict[sp.Expr, Meaning] = {}
    for equation in system.cell.equations:
        adjoint = names.adjoint(equation.name.base)
        if adjoint not in system.backward or not system.shapes[equation.name.base]:
            continue
        for path, node in _inside(equation.expr):
            shape = shape_of(node, lambda ref: system.shapes[ref.base], Unifier())
            if len(shape) != 1 or all(ref.lag is None for ref in node.atoms(Ref)):
                continue
            hole = Ref("hole", 0)
            changed = _put(equation.expr, path, hole)
            whole = N.Sum(Ref(adjoint, 0) * changed)
            try:
                part = gradient_of(whole, hole, {**system.shapes, hole.base: shape}).xreplace({hole: node})
            except (NotationError, ShapeError, KeyError):
                continue
            if any(ref.base not in system.shapes for ref in part.atoms(Ref)):
                continue
            found.setdefault(part, Meaning(part, f"part {len(found)}", f"{node} in {equation.name.base}"))
    return list(found.values())


def _inside(expr: sp.Expr, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], sp.Expr]]:
    for place, arg in enumerate(expr.args):
        if arg.atoms(Ref) and not (isinstance(expr, (N.Part, N.Pad, N.Spread)) and place):
            yield (*path, place), arg
            yield from _inside(arg, (*path, place))


def _put(expr: sp.Expr, path: tuple[int, ...], new: sp.Expr) -> sp.Expr:
    if not path:
        return new
    args = list(expr.args)
    args[path[0]] = _put(args[path[0]], path[1:], new)
    return expr.func(*args)


def _likeness(target: str, ident: str, table: Table) -> int:
    """How many letters of its quantity's index a made-up name shares: dsigInput_r with r."""
    letters = (
        set(target[-1:]) | {c for c in target if c.isalpha() and c.islower()}
        if len(target) < 4
        else set(target[-1:])
    )
    key = next((k for k, v in table.idents.items() if v == ident), ident)
    own = {key[:1], key[-2:-1] if key.endswith("}") else key[-1:]}
    return len({x.lower() for x in letters} & {x.lower() for x in own if x})


def occurrences(node: Formula, table: Table) -> Iterator[tuple[Formula, Slot, Place, Name | None]]:
    """The gradients' names in a formula, outermost first."""
    found = slot_of(node, table)
    if found is not None:
        yield (node, *found)
        return
    if isinstance(node, (Name, Derivative)):
        return
    if isinstance(node, Portion):
        for entry in node.layout.entries:
            yield from occurrences(entry, table)
    if isinstance(node, (Big, Item, Indexed)) or (isinstance(node, Raised) and is_transposition(node)):
        yield from occurrences(node.body, table)
        return
    for child in children(node):
        if isinstance(node, Apply) and child is node.head and function_of(node.head, table):
            continue
        yield from occurrences(child, table)
