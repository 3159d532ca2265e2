"""The forward pass of a listing as its Cell: every operation a line, so that each has a gradient."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.declare import Bias, Declared, Input, Loss, Output, State, Target, Weight
from lstmsym.listings.around import around
from lstmsym.listings.arrays import Algebra, Array, Pieces
from lstmsym.listings.expressions import Reader
from lstmsym.listings.keys import key_of
from lstmsym.listings.naming import has_next, has_prev, plain, resolve
from lstmsym.listings.scope import ZERO, Initial, Scope
from lstmsym.listings.slices import rank
from lstmsym.listings.source import ListingError
from lstmsym.listings.steps import place
from lstmsym.notation import Ref, Size
from lstmsym.page import RESERVED
from lstmsym.shapes import ShapeError

EQUATIONS = 120
"""Lines of one forward pass."""
LOSSES = re.compile(r"^(loss|cost|error|L|J|E|total_loss|l)$|loss", re.I)
TARGETS = re.compile(r"target|true|label|^y_?hat$|^ys?$|^t$|^d$|desired", re.I)


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


@dataclass
class _Equation:
    name: str
    expr: sp.Expr
    form: str
    dims: tuple[sp.Expr, ...]
    source: int = 0


@dataclass
class Run:
    """The forward statements executed once, at the general step."""

    reader: Reader
    equations: list[_Equation] = field(default_factory=list)
    renames: dict[str, str] = field(default_factory=dict)
    kinds: dict[int, tuple[str, str]] = field(default_factory=dict)
    loss: tuple[str, sp.Expr] | None = None
    final: set[str] = field(default_factory=set)
    rings: set[str] = field(default_factory=set)
    appended: dict[str, str] = field(default_factory=dict)
    looped: bool = False
    failures: int = 0

    @property
    def scope(self) -> Scope:
        """What names mean."""
        return self.reader.scope

    def block(self, statements: Iterable[ast.stmt]) -> None:
        """Statements in order."""
        for statement in statements:
            self.statement(statement)

    def statement(self, statement: ast.stmt) -> None:
        """One statement; what cannot be read says so in its row."""
        try:
            method = getattr(self, f"run_{type(statement).__name__}", None)
            if method is None:
                raise ListingError(f"{type(statement).__name__} is not read")
            method(statement)
        except ListingError as error:
            why = (
                around(getattr(statement, "value", None)) if not isinstance(statement, ast.Expr) else "a call"
            )
            for key in assigned_keys(statement) if why else ():
                self.scope.names.pop(key, None)
            self.failures += not why
            self.note(statement, "definition" if why else "unread", why or str(error))

    def note(self, statement: ast.stmt, kind: str, message: str = "") -> None:
        """What a statement was found to be."""
        self.kinds[id(statement)] = (kind, message)

    def note_id(self, source: int, kind: str, message: str) -> None:
        """The same of a statement that has been read."""
        self.kinds[source] = (kind, message)

    def run_Expr(self, statement: ast.Expr) -> None:
        call = statement.value
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "append"
            and call.args
        ):
            key = key_of(call.func.value)
            if key:
                value = self.reader(call.args[0])
                if isinstance(value, Array | list):
                    first = self.scope.names.get(key)
                    if isinstance(first, list):
                        self.scope.offsets[key] = len(first)
                        self.scope.names.pop(key)
                    self.scope.series[key] = {0: value}
                    self.note(statement, "definition", f"{key} is the list of them")
                    return
        self.note(statement, "prose", "a call")

    def run_Pass(self, statement: ast.Pass) -> None:
        self.note(statement, "prose")

    def run_If(self, statement: ast.If) -> None:
        chosen = self.reader.decide(statement.test)
        self.note(statement, "prose")
        if chosen is not False:
            self.block(statement.body)
        if chosen is not True:
            self.block(statement.orelse)
        else:
            for inner in statement.orelse:
                self.note(inner, "definition", "the first step")

    def run_With(self, statement: ast.With) -> None:
        self.note(statement, "prose")
        self.block(statement.body)

    def run_For(self, statement: ast.For) -> None:
        """The general step of a loop over time."""
        self.note(statement, "prose")
        if self.scope.loops:
            raise ListingError("a loop in a loop over time is not read")
        self.looped = True
        self.bind_loop(statement)
        carried = carried_names(statement.body)
        for key in carried:
            first = self.scope.names.get(key)
            if isinstance(first, Array) and isinstance(first.expr, Ref) and first.expr.lag is None:
                self.appended[first.expr.base] = key
            self.scope.names[key] = Array(Ref(key, -1), None, key=key)
        for key, offset in assigned_steps(statement.body, self.reader).items():
            self.scope.offsets.setdefault(key, offset)
            if isinstance(self.scope.names.get(key), list) or self.scope.names.get(key) is ZERO:
                self.scope.names.pop(key, None)
            self.scope.series.setdefault(key, {})
        self.block(statement.body)
        for key in carried:
            value = self.scope.names.get(key)
            if (
                isinstance(value, Array)
                and isinstance(value.expr, Ref)
                and value.expr.base != key
                and value.expr.lag == 0
            ):
                self.renames[key] = value.expr.base
                self.scope.names[key] = replace(value, expr=Ref(value.expr.base, -1))
        self.scope.past |= set(self.scope.loops)
        self.scope.loops.clear()

    def bind_loop(self, statement: ast.For) -> None:
        """What the variables of a loop stand for."""
        bind_loop(statement, self.reader)

    def run_AnnAssign(self, statement: ast.AnnAssign) -> None:
        if statement.value is not None:
            self.assign(statement.target, self.reader(statement.value), statement)

    def run_Assign(self, statement: ast.Assign) -> None:
        value = self.reader(statement.value)
        for target in statement.targets:
            self.assign(target, value, statement)

    def run_AugAssign(self, statement: ast.AugAssign) -> None:
        key = key_of(statement.target) or ""
        if LOSSES.search(key) and isinstance(statement.op, (ast.Add, ast.Sub)):
            value = self.reader.array(statement.value)
            self.define_loss(key, value.expr if isinstance(statement.op, ast.Add) else -value.expr, statement)
            return
        empty = self.scope.names.get(key) is ZERO
        before = ZERO if empty else self.reader.array(statement.target)
        self.assign(
            statement.target,
            self.reader.binary(statement.op, before, self.reader.array(statement.value)),
            statement,
        )

    def assign(self, target: ast.expr, value: Any, statement: ast.stmt) -> None:
        """A name, a series at the step, or a slice of it gets a value."""
        if isinstance(target, (ast.Tuple, ast.List)):
            if not isinstance(value, list) or len(value) != len(target.elts):
                raise ListingError("as many values as names are needed")
            for t, v in zip(target.elts, value, strict=True):
                self.assign(t, v, statement)
            return
        key = key_of(target)
        if key is not None:
            made = self.define(key, value, statement)
            if isinstance(made, list) and not made:
                self.scope.names.pop(key, None)
                return
            self.scope.names[key] = made
            self.scope.series.pop(key, None)
            return
        if not isinstance(target, ast.Subscript):
            raise ListingError("such a target is not read")
        self.assign_step(target, value, statement)

    def assign_step(self, target: ast.Subscript, value: Any, statement: ast.stmt) -> None:
        base, indices, lag = place(target, self.scope)
        own = key_of(target.value)
        if lag is None and own is not None and (low_high := self.reader.feature_bounds(indices)):
            self.assign_piece(self.scope.names, own, own, low_high, value, statement)
            return
        if lag is None and self.labels(target, value, statement):
            return
        if base is None:
            constant = isinstance(target.slice, (ast.Constant, ast.UnaryOp))
            if constant and key_of(target.value):
                self.note(statement, "definition", "the initial value")
                base = key_of(target.value) or ""
                self.initial(base, value)
                return
            base, indices, lag = key_of(target.value), place(target, self.scope)[1], 0
        if base is None:
            raise ListingError("such a target is not read")
        lag = (lag or 0) - self.scope.offsets.get(base, 0)
        if lag != 0 or not self.scope.loops:
            self.initial(base, value)
            self.note(statement, "definition", "the initial value")
            return
        store = self.scope.series.setdefault(base, {})
        if low_high := self.reader.feature_bounds(indices):
            self.assign_piece(store, 0, base, low_high, value, statement)
        else:
            store[0] = self.define(base, value, statement)

    def assign_piece(
        self, store: Any, place: Any, name: str, low_high: tuple[Any, Any], value: Any, statement: ast.stmt
    ) -> None:
        """Some features of an array get a value."""
        old = store.get(place)
        parts = old.parts if isinstance(old, Pieces) else ()
        if isinstance(value, Array) and value.expr.is_number and low_high[1] == low_high[0] + 1:
            value = Array(N.Spread(value.expr, sp.Integer(1)), self.reader.algebra.vector, (sp.Integer(1),))
        low, high = low_high
        if isinstance(value, Array) and value is not ZERO and high is not None:
            value = self.reader.algebra.settle(self.reader.algebra.known(value), self.reader.algebra.vector)
            self.reader.algebra.same(value.dims, (high - low,), "a slice")
        piece = self.define(f"{name}_{len(parts) + 1}", value, statement)
        store[place] = Pieces((*parts, (*low_high, piece)))

    def labels(self, target: ast.Subscript, value: Any, statement: ast.stmt) -> bool:
        """``x[t][label] = 1``: a one-hot vector, which is given."""
        inner = target.value
        if not (isinstance(value, Array) and value.expr == 1):
            return False
        base, _, lag = place(inner, self.scope) if isinstance(inner, ast.Subscript) else (None, [], None)
        key = base if lag is not None else key_of(inner)
        if key is None or isinstance(target.slice, ast.Constant):
            return False
        if lag is not None:
            self.scope.series.get(key, {}).pop(lag, None)
        else:
            self.scope.names.pop(key, None)
        self.note(statement, "definition", "a one-hot vector")
        return True

    def initial(self, base: str, value: Any) -> None:
        """The value before the first step: its name is the state's at t-1."""
        if isinstance(value, Array) and isinstance(value.expr, Ref) and value.expr.lag is None:
            self.appended[value.expr.base] = base
        self.rings.discard(base)

    def define(self, key: str, value: Any, statement: ast.stmt) -> Any:
        """A new quantity, unless it is a plain copy or a constant."""
        if not isinstance(value, Array):
            self.note(statement, "definition")
            return self.container(key, value, statement)
        if value.form is None or isinstance(value.expr, Ref) or not value.expr.atoms(Ref):
            if id(statement) not in self.kinds:
                self.note(statement, "definition")
            return value
        if LOSSES.search(key) and not value.form:
            self.define_loss(key, value.expr, statement)
            return value
        taken = {e.name for e in self.equations}
        name = key
        while name in taken:
            name += "_"
        self.equations.append(_Equation(name, N.canonical(value.expr), value.form, value.dims, id(statement)))
        known = self.reader.algebra.types.get(name)
        if known is not None:
            self.reader.algebra.same(known[1], value.dims, "a state and what it becomes")
        self.reader.algebra.types[name] = (value.form, value.dims)
        self.note(statement, "forward")
        if self.looped and not self.scope.loops:
            self.final.add(name)
        return replace(value, expr=Ref(name, 0), key="")

    def container(self, key: str, value: Any, statement: ast.stmt) -> Any:
        """An empty list or a dictionary of steps, to be filled in the loop."""
        if isinstance(value, Initial):
            self.scope.series[key] = {}
            self.initial(key, value.value)
            return []
        if isinstance(value, list) and not value:
            self.scope.series[key] = {}
            if "[" in ast.unparse(statement):
                self.rings.add(key)
        return value

    def define_loss(self, key: str, expr: sp.Expr, statement: ast.stmt) -> None:
        self.loss = (key, N.canonical(_labelled(expr)))
        self.note(statement, "definition", "the loss")


def _behind(name: str, exprs: Mapping[str, sp.Expr]) -> set[str]:
    """What a quantity is computed from at its own step."""
    found: set[str] = set()
    left = [name]
    while left:
        for ref in exprs.get(left.pop(), sp.Integer(0)).atoms(Ref):
            if ref.lag == 0 and ref.base not in found:
                found.add(ref.base)
                left.append(ref.base)
    return found


def _labelled(expr: sp.Expr) -> sp.Expr:
    """The log of the entry that a label chooses is the chosen one of the logs."""
    found = {}
    for node in expr.atoms(N.log):
        inner = node.args[0]
        if isinstance(inner, N.Sum) and isinstance(inner.args[0], sp.Mul):
            hot = [f for f in inner.args[0].args if isinstance(f, Ref)]
            label = next((f for f in hot if TARGETS.search(f.base)), hot[0] if len(hot) > 1 else None)
            if label is not None:
                found[node] = N.Sum(label * N.log(inner.args[0] / label))
    return expr.xreplace(found)


def bind_loop(statement: ast.For, reader: Reader) -> None:
    """The variables of a loop: its index is the step, an element the series at that step."""
    target, source = statement.target, statement.iter
    scope = reader.scope
    while (inner := _turned(source)) is not None:
        source = inner
    name = getattr(source.func, "id", "") if isinstance(source, ast.Call) else ""
    over = source.args if isinstance(source, ast.Call) else []
    if name == "range" and isinstance(target, ast.Name):
        scope.loops[target.id] = 0
    elif name == "enumerate" and isinstance(target, ast.Tuple) and isinstance(target.elts[0], ast.Name):
        scope.loops[target.elts[0].id] = 0
        _element(target.elts[1], over[0], reader)
    elif name == "zip" and isinstance(target, ast.Tuple):
        scope.loops[" "] = 0
        for one, series in zip(target.elts, over, strict=False):
            _element(one, series, reader)
    elif isinstance(target, ast.Name):
        scope.loops[" "] = 0
        _element(target, source, reader)
    else:
        raise ListingError("a loop that is not over the steps is not read")


def _turned(source: ast.expr) -> ast.expr | None:
    """What a loop runs over, without ``reversed(...)``, ``list(...)`` and ``[::-1]``."""
    if isinstance(source, ast.Call) and getattr(source.func, "id", "") in ("reversed", "list", "tqdm"):
        return source.args[0] if source.args else None
    if isinstance(source, ast.Subscript) and ast.unparse(source.slice) == "::-1":
        return source.value
    return None


def _element(target: ast.expr, series: ast.expr, reader: Reader) -> None:
    key = key_of(series)
    if not isinstance(target, ast.Name) or key is None:
        raise ListingError("a loop that is not over the steps is not read")
    reader.scope.names[target.id] = reader.step(key, 0)


def carried_names(body: list[ast.stmt]) -> list[str]:
    """Names that a loop reads before it assigns them, and assigns otherwise than by adding up."""
    read: dict[str, None] = {}
    assigned: set[str] = set()
    carried: dict[str, None] = {}
    for statement in _flat(body):
        parts = statement.value if isinstance(statement, (ast.Assign, ast.AugAssign)) else statement
        keys = [key_of(node) for node in ast.walk(parts)] if parts is not None else []
        keys += [key_of(statement.target)] if isinstance(statement, ast.AugAssign) else []
        read |= {key: None for key in keys if key and key not in assigned}
        for key in assigned_keys(statement):
            if key in read and key not in assigned:
                carried[key] = None
            assigned.add(key)
    return list(carried)


def assigned_keys(statement: ast.stmt) -> list[str]:
    """The plain names that a statement assigns to."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    ones = [one for t in targets for one in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return [key for one in ones if (key := key_of(one))]


def _flat(body: list[ast.stmt]) -> Iterable[ast.stmt]:
    for statement in body:
        if isinstance(statement, (ast.If, ast.With)):
            yield from _flat([*statement.body, *getattr(statement, "orelse", [])])
        else:
            yield statement


def assigned_steps(body: list[ast.stmt], reader: Reader) -> dict[str, int]:
    """Series -> the step, from the loop's own, at which a loop assigns it."""
    found: dict[str, int] = {}
    for statement in _flat(body):
        for target in statement.targets if isinstance(statement, ast.Assign) else ():
            for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(one, ast.Subscript):
                    base, _, lag = place(one, reader.scope)
                    if base is not None and lag is not None:
                        found[base] = lag
    return found


# -- the cell ------------------------------------------------------------------------------------------


def read_forward(
    statements: tuple[ast.stmt, ...], helpers: Mapping[str, ast.FunctionDef], layout: str
) -> Run:
    """Execute the forward statements in one layout."""
    run = Run(Reader(Algebra(layout), helpers, Scope()))
    run.block(statements)
    return run


def doubt(run: Run) -> int:
    """How little a layout fits: statements not read, weights named as vectors and vectors as weights."""
    odd = 0
    for key, (form, _) in run.reader.algebra.types.items():
        vector = has_prev(key) or key in ("x", "h", "X", "xs", "hs", "input", "inputs", "xt", "x_t")
        odd += vector if form == "ff" else bool(re.match(r"^(W|w_|U_|V_|weight)", key))
    return 2 * run.failures + odd


def build(run: Run, wants_loss: str | None = None) -> Forward:
    """The cell of what has been executed.

    Raises:
        ListingError: it is no recurrent cell.
        NotationError: its lines do not fit.
    """
    return _Builder(run, wants_loss).build()


class _Builder:
    def __init__(self, run: Run, wants_loss: str | None) -> None:
        self.run, self.algebra = run, run.reader.algebra
        self.wants_loss = wants_loss
        self.rename: dict[Ref, Ref] = {}
        self.aliases: dict[Ref, sp.Expr] = {}
        self.equations = run.equations

    def build(self) -> Forward:
        if not self.equations:
            raise ListingError("no forward equations were found")
        if len(self.equations) > EQUATIONS:
            raise ListingError(f"more than {EQUATIONS} forward equations")
        defined = [e.name for e in self.equations]
        for old, new in self.run.renames.items():
            self.rename[Ref(old, -1)] = Ref(new, -1)
        for old, new in self.run.appended.items():
            target = self.run.scope.series.get(new, {}).get(0)
            new = self.run.renames.get(new, new)
            base = target.expr.base if isinstance(target, Array) and isinstance(target.expr, Ref) else new
            self.rename[Ref(old)] = Ref(base, -1)
        self.held(defined)
        self.pair(defined)
        exprs = {e.name: self.renamed(e.expr) for e in self.equations}
        states = self.states(exprs, defined)
        loss = self.loss_line(exprs)
        exprs = self.needed(exprs, states, loss)
        frees = sorted(
            {
                r
                for x in (*exprs.values(), *([loss] if loss is not None else []))
                for r in x.atoms(Ref)
                if r.base not in exprs
            },
            key=str,
        )
        inputs, targets, parameters = self.roles(frees, exprs, loss)
        sizes = self.sizes(states, inputs, exprs)
        lines, wholes = _single(exprs, frozenset(parameters))
        names = _identifiers([*(r.base for r in frees), *exprs, *wholes])
        made = self.cell(lines, states, inputs, targets, parameters, loss, sizes, names)
        rename: dict[Ref, Any] = {old: _named(new, names) for old, new in self.rename.items()}
        for name in names:
            for lag in (None, -1, 0, 1):
                rename.setdefault(Ref(name, lag), _named(Ref(name, lag), names))
        for ref in inputs:
            rename[Ref(ref.base)] = rename[ref] = Ref(names[ref.base], 0)
        for ref in targets:
            rename[Ref(ref.base)] = rename[ref] = Ref(names[ref.base], 0)
        for ref, expr in self.aliases.items():
            rename[ref] = expr.xreplace({r: _named(r, names) for r in expr.atoms(Ref)})
        return Forward(
            made,
            self.run.scope,
            self.algebra,
            rename,
            sizes,
            self.shown(names, exprs),
            self.run.kinds,
            frozenset(names[f] for f in self.run.final if f in names),
            frozenset(self.run.rings),
        )

    def held(self, defined: list[str]) -> None:
        """A series holds at a step what was put there, under whatever name."""
        for key, store in self.run.scope.series.items():
            value = store.get(0)
            ref = value.expr if isinstance(value, Array) else None
            if isinstance(ref, Ref) and ref.lag == 0 and ref.base != key and key not in defined:
                self.rename.setdefault(Ref(key, -1), Ref(ref.base, -1))

    def renamed(self, expr: sp.Expr) -> sp.Expr:
        return expr.xreplace(self.rename)

    def pair(self, defined: list[str]) -> None:
        """Names of values before the step, and the quantities that they become."""
        frees = {
            r
            for e in self.equations
            for r in e.expr.atoms(Ref)
            if r.base not in defined and r not in self.rename
        }
        left = [name for name in defined]
        pending = []
        for ref in sorted(frees, key=str):
            if not (has_prev(ref.base) or ref.lag == -1) or self.is_matrix(ref):
                continue
            found = resolve(plain(ref.base), left)
            if found is not None:
                self.rename[ref] = Ref(found, -1)
            else:
                pending.append(ref)
        for ref in sorted(frees, key=str):
            if ref.base[1:].endswith("x") and ref.base[:-1] + "y" in defined and ref not in self.rename:
                self.rename[ref] = Ref(ref.base[:-1] + "y", -1)
        self.pair_next(frees, defined)
        used = {r.base for r in self.rename.values()}
        sinks = [name for name in defined if name not in used]
        for ref in pending:
            fitting = [s for s in sinks if s[:1].lower() == plain(ref.base)[:1].lower()]
            direct = [e.name for e in self.equations if e.name in sinks and ref in e.expr.atoms(Ref)]
            fitting = [s for s in direct if s in fitting] or fitting
            if len(fitting) == 1:
                self.rename[ref] = Ref(fitting[0], -1)
        for old, new in self.rename.items():
            if old.base in self.algebra.types and new.base in self.algebra.types:
                self.algebra.same(self.algebra.types[old.base][1], self.algebra.types[new.base][1], "a state")

    def pair_next(self, frees: Iterable[Ref], defined: list[str]) -> None:
        """``h`` that becomes ``h_new``; ``h`` that is read before it is assigned."""
        for name in defined:
            old = Ref(name)
            if any(old in e.expr.atoms(Ref) for e in self.equations):
                self.rename[old] = Ref(name, -1)
        paired = {r.base for r in self.rename.values()}
        for name in defined:
            if not has_next(name) or name in paired:
                continue
            old_name = resolve(
                plain(name), [r.base for r in frees if r.lag is None and not self.is_matrix(r)]
            )
            if old_name is not None and Ref(old_name) not in self.rename:
                self.rename[Ref(old_name)] = Ref(name, -1)

    def is_matrix(self, ref: Ref) -> bool:
        return self.algebra.types.get(ref.base, ("",))[0] == "ff"

    def states(self, exprs: Mapping[str, sp.Expr], defined: list[str]) -> list[str]:
        """What is read at t-1, what nothing else of the step reads first."""
        found = [name for name in defined if any(Ref(name, -1) in x.atoms(Ref) for x in exprs.values())]
        if not found:
            raise ListingError("no state was found that goes from step to step")
        behind = {name: _behind(name, exprs) for name in found}
        return sorted(found, key=lambda s: (any(s in behind[o] for o in found if o != s), defined.index(s)))

    def loss_line(self, exprs: dict[str, sp.Expr]) -> sp.Expr | None:
        """The loss that the listing has, or that its backward pass begins with."""
        if self.run.loss is not None:
            return self.one_hot(self.renamed(self.run.loss[1]), exprs)
        if self.wants_loss is None:
            return self.squares(exprs)
        for name in reversed(exprs):
            if isinstance(exprs[name], N.softmax):
                self.algebra.types[self.wants_loss] = self.algebra.types[name]
                return self.one_hot(-N.Sum(Ref(self.wants_loss, 0) * N.log(Ref(name, 0))), exprs)
        return None

    def squares(self, exprs: dict[str, sp.Expr]) -> sp.Expr | None:
        """Half the squares of the one error, output less target, with which the pass ends."""
        read = [r.base for x in exprs.values() for r in x.atoms(Ref)]
        errors = []
        for equation in self.equations:
            for term in sp.Add.make_args(exprs[equation.name]):
                target = -term
                fresh = isinstance(target, Ref) and target.lag == 0 and target.base not in exprs
                if fresh and read.count(target.base) == 1 and equation.name not in read:
                    errors.append((equation, target))
        if len(errors) != 1 or not TARGETS.search(errors[0][1].base):
            return None
        (error, target), rest = errors[0], exprs[errors[0][0].name] + errors[0][1]
        if not isinstance(rest, Ref):
            name = f"{error.name}_out"
            exprs[name], rest = rest, Ref(name, 0)
            self.algebra.types[name] = self.algebra.types[error.name]
        self.aliases[Ref(error.name, 0)] = rest - target
        del exprs[error.name]
        self.run.note_id(error.source, "forward", "the loss is taken to be half the sum of its squares")
        return N.canonical(N.Sum((rest - target) ** 2) / 2)

    def one_hot(self, loss: sp.Expr, exprs: dict[str, sp.Expr]) -> sp.Expr:
        """-sum(y log softmax(z)) as logsumexp(z) - sum(y z): the entries of a label add up to one."""
        for node in loss.atoms(N.Sum):
            logs = [f for f in sp.Mul.make_args(node.args[0]) if isinstance(f, (N.log, N.log_softmax))]
            if len(logs) != 1 or not isinstance(logs[0].args[0], Ref):
                continue
            name = logs[0].args[0].base
            made = exprs.get(name)
            if isinstance(made, N.softmax):
                label = node.args[0] / logs[0]
                if not isinstance(made.args[0], Ref):
                    before = f"{name}_in"
                    exprs[before], made = made.args[0], N.softmax(Ref(before, 0))
                    self.algebra.types[before] = self.algebra.types[name]
                self.aliases[Ref(name, 0)] = made
                loss = loss.xreplace({node: N.Sum(label * made.args[0]) - N.LogSumExp(made.args[0])})
                del exprs[name]
        return loss

    def needed(
        self, exprs: dict[str, sp.Expr], states: list[str], loss: sp.Expr | None
    ) -> dict[str, sp.Expr]:
        """All lines but those that define nothing more than names for parts of no use."""
        read = {
            r.base for x in (*exprs.values(), *([loss] if loss is not None else [])) for r in x.atoms(Ref)
        }
        sinks = [name for name in exprs if name not in read and name not in states]
        self.outputs = sinks if loss is None else []
        return {name: x for name, x in exprs.items() if loss is None or name in read or name in states}

    def roles(
        self, frees: list[Ref], exprs: Mapping[str, sp.Expr], loss: sp.Expr | None
    ) -> tuple[list[Ref], list[Ref], list[Ref]]:
        """Inputs, targets and parameters among what the listing is given."""
        inputs, targets, parameters = [], [], []
        operands = {
            v for x in exprs.values() for d in x.atoms(N.Dot, N.Concat) for a in d.args for v in a.atoms(Ref)
        }
        in_loss = loss.atoms(Ref) if loss is not None else set()
        for ref in frees:
            used = any(ref in x.atoms(Ref) for x in exprs.values())
            if ref in in_loss and not used:
                targets.append(ref)
            elif self.is_matrix(ref) or (ref.lag is None and ref not in operands):
                parameters.append(ref)
            else:
                inputs.append(ref)
        return inputs, targets, parameters

    def sizes(
        self, states: list[str], inputs: list[Ref], exprs: Mapping[str, sp.Expr]
    ) -> dict[sp.Symbol, sp.Expr]:
        """Unknown sizes -> the sizes of the cell: n units, m inputs, others as they come."""
        found: dict[sp.Symbol, sp.Expr] = {}
        spare = iter([N.k, N.p, *(Size(f"q{i}") for i in range(1, 40))])
        resolve_ = self.algebra.unifier.resolve

        def give(dims: tuple[sp.Expr, ...], size: sp.Expr | None) -> None:
            for dim in resolve_(dims):
                if size is not None and dim.atoms(sp.Dummy):
                    with suppress(ShapeError):
                        self.algebra.unifier.same((dim,), (size,), "")
                    continue
                for unknown in sorted(dim.atoms(sp.Dummy), key=lambda d: d.dummy_index):
                    found[unknown] = found.get(unknown) or next(spare, N.n)

        for name in states:
            give(self.dims(name), N.n)
        for ref in inputs:
            give(self.dims(ref.base), N.m)
        self.ends(exprs)
        for equation in self.equations:
            give(equation.dims, None)
        for key, (_, dims) in self.algebra.types.items():
            if key in {r.base for x in exprs.values() for r in x.atoms(Ref)}:
                give(dims, None)
        return found

    def ends(self, exprs: Mapping[str, sp.Expr]) -> None:
        """An array of which nothing says how long it is ends where its last slice ends."""
        for name in exprs:
            dims = self.algebra.unifier.resolve(self.dims(name))
            parts = {p for x in exprs.values() for p in x.atoms(N.Part) if p.args[0] == Ref(name, 0)}
            highs = [self.algebra.unifier.resolve((p.args[2],))[0] for p in parts if p.args[2] != N.End]
            if len(dims) == 1 and isinstance(dims[0], sp.Dummy) and highs:
                last = max(highs, key=rank)
                if dims[0] not in last.free_symbols:
                    self.algebra.same(dims, (last,), "a slice")

    def dims(self, name: str) -> tuple[sp.Expr, ...]:
        return self.algebra.types.get(name, ("", ()))[1]

    def cell(
        self,
        lines: list[tuple[str, sp.Expr]],
        states: list[str],
        inputs: list[Ref],
        targets: list[Ref],
        parameters: list[Ref],
        loss: sp.Expr | None,
        sizes: Mapping[sp.Symbol, sp.Expr],
        names: Mapping[str, str],
    ) -> Cell:
        def sized(name: str) -> list[Any]:
            dims = self.algebra.unifier.resolve(self.dims(name))
            return [sp.expand(sp.sympify(d).xreplace(sizes)) for d in dims]

        declare: list[Declared] = []
        refs: dict[Ref, Ref] = {}
        for ref in inputs:
            declare.append(Input(*sized(ref.base), name=names[ref.base]))
            refs[ref] = Ref(names[ref.base], 0)
        for name in states:
            declare.append(State(*sized(name), name=names[name]))
        for ref in parameters:
            kind = Weight if self.is_matrix(ref) else Bias
            dims = sized(ref.base)
            declare.append(kind(*dims, name=names[ref.base]))
            refs[ref] = Ref(names[ref.base])
        for ref in targets:
            declare.append(Target(*sized(ref.base), name=names[ref.base]))
            refs[ref] = Ref(names[ref.base], 0)
        for name in self.outputs:
            declare.append(Output(*sized(name), name=names[name]))

        def spoken(expr: sp.Expr) -> sp.Expr:
            expr = expr.xreplace({r: refs.get(r, _named(r, names)) for r in expr.atoms(Ref)})
            return _resized(expr, self.algebra, sizes)

        equations: list[tuple[Ref | str, Any]] = [(names[name], spoken(expr)) for name, expr in lines]
        if loss is not None:
            declare.append(Loss(name="loss_"))
            equations.append(("loss_", N.canonical(spoken(loss))))
        return Cell.from_equations("Listing", declare, equations)

    def shown(self, names: Mapping[str, str], exprs: Mapping[str, sp.Expr]) -> dict[Ref, str]:
        """How the listing writes the cell's quantities."""
        shown: dict[Ref, str] = {}
        for key, store in self.run.scope.series.items():
            value = store.get(0)
            if isinstance(value, Array) and isinstance(value.expr, Ref):
                name = names.get(value.expr.base)
                if name:
                    shown.setdefault(Ref(name, 0), f"{key}[t]")
                    shown.setdefault(Ref(name, -1), f"{key}[t - 1]")
        for old, new in self.rename.items():
            if new.base in names and new.lag == -1:
                shown.setdefault(Ref(names[new.base], -1), old.base)
        for name, made in names.items():
            timed = name in exprs or any(
                r.base == name and r.lag == 0 for x in exprs.values() for r in x.atoms(Ref)
            )
            shown.setdefault(Ref(made, 0), name if name in exprs or not timed else f"{name}[t]")
            shown.setdefault(Ref(made), name)
        return shown


def _named(ref: Ref, names: Mapping[str, str]) -> Ref:
    return Ref(names.get(ref.base, ref.base), ref.lag)


def _resized(expr: sp.Expr, algebra: Algebra, sizes: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """An expression with its unknown sizes replaced by the cell's."""
    known = {d: sp.expand(algebra.unifier.resolve((d,))[0].xreplace(sizes)) for d in expr.atoms(sp.Dummy)}
    expr = expr.xreplace(known)
    bounds = {
        node: node.func(node.args[0], *(b if b == N.End else sp.expand(b) for b in node.args[1:]))
        for node in expr.atoms(N.Part, N.Pad)
    }
    return expr.xreplace({k: v for k, v in bounds.items() if k != v})


def _identifiers(names: Iterable[str]) -> dict[str, str]:
    """Listing name -> a name that a cell may use."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        made = re.sub(r"\W", "_", name.encode("ascii", "ignore").decode()) or "v"
        while (
            made in RESERVED
            or made in N.FUNCTIONS
            or keyword.iskeyword(made)
            or made in found.values()
            or not made.isidentifier()
        ):
            made = f"{made}_" if made[:1].isalpha() or made[:1] == "_" else f"v{made}"
        found[name] = made
    return found


def _single(
    exprs: Mapping[str, sp.Expr], constant: frozenset[Ref]
) -> tuple[list[tuple[str, sp.Expr]], list[str]]:
    """Every operation with what changes a line of its own, equal ones once: so each part has a gradient."""
    lines: list[tuple[str, sp.Expr]] = []
    known: dict[sp.Expr, Ref] = {}
    new: list[str] = []

    def name(expr: sp.Expr, top: bool = False) -> sp.Expr:
        if isinstance(expr, Ref | N.Transposed) or expr.atoms(Ref) <= constant:
            return expr
        keep = 1 if isinstance(expr, (N.Part, N.Pad, N.Spread)) else len(expr.args)
        inner = expr.func(*(name(a) for a in expr.args[:keep]), *expr.args[keep:])
        if top:
            return inner
        if isinstance(expr, sp.Mul) and expr.args[0].is_number and len(expr.args) == 2:
            return inner
        if inner not in known:
            made = f"v{len(new) + 1}"
            new.append(made)
            known[inner] = Ref(made, 0)
            lines.append((made, inner))
        return known[inner]

    for key, expr in exprs.items():
        value = name(expr, top=True)
        lines.append((key, value))
        known.setdefault(value, Ref(key, 0))
    return lines, new
