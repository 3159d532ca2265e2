"""The forward statements executed once, at the general step: every assignment an equation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.around import around
from lstmsym.listings.arrays import Algebra, Array, Pieces
from lstmsym.listings.expressions import Reader
from lstmsym.listings.keys import key_of, keys_in
from lstmsym.listings.loops import assigned_steps, bind_loop, carried_names
from lstmsym.listings.naming import has_prev
from lstmsym.listings.scope import ZERO, Initial, Scope
from lstmsym.listings.slices import Bounds
from lstmsym.listings.source import ListingError
from lstmsym.listings.statements import assigned, written
from lstmsym.listings.steps import place
from lstmsym.notation import Ref

LOSSES = re.compile(r"^(loss|cost|error|L|J|E|total_loss|l)$|loss", re.I)
"""What a listing calls its loss."""


@dataclass
class Equation:
    """A quantity of the forward pass as the listing computes it."""

    name: str
    expr: sp.Expr
    dims: tuple[sp.Expr, ...]
    source: int
    """The statement, by its identity."""


@dataclass
class Run:
    """The forward statements executed once, at the general step."""

    reader: Reader
    equations: list[Equation] = field(default_factory=list)
    renames: dict[str, str] = field(default_factory=dict)
    kinds: dict[int, tuple[str, str]] = field(default_factory=dict)
    loss: sp.Expr | None = None
    final: set[str] = field(default_factory=set)
    rings: set[str] = field(default_factory=set)
    appended: dict[str, str] = field(default_factory=dict)
    looped: bool = False
    failures: int = 0
    unread: list[tuple[set[str], set[str]]] = field(default_factory=list)
    """Of each statement that was not read: the names that it sets, those that it reads."""

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
            value = getattr(statement, "value", None)
            why = around(value) if not isinstance(statement, ast.Expr) else "a call"
            why = why or self.unpacked(statement)
            for key in assigned(statement) if why else ():
                self.scope.names.pop(key, None)
            self.failures += not why
            if not why and value is not None:
                self.unread.append((set(written(statement)), keys_in(value)))
            self.note(statement, "definition" if why else "unread", why or str(error))

    def unpacked(self, statement: ast.stmt) -> str:
        """``h, c = state`` of what a function is given: each is what its name says."""
        value = statement.value if isinstance(statement, ast.Assign) else None
        several = isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple)
        given = isinstance(value, ast.Name) and value.id not in self.scope.names
        return f"what {value.id} holds" if several and given else ""  # type: ignore[union-attr]

    def note(self, statement: ast.stmt, kind: str, message: str = "") -> None:
        """What a statement was found to be."""
        self.kinds[id(statement)] = (kind, message)

    def run_Expr(self, statement: ast.Expr) -> None:
        key, node = _appended(statement.value)
        value = self.reader(node) if key and node is not None else None
        if not key or not isinstance(value, Array | list):
            self.note(statement, "prose", "a call")
            return
        first = self.scope.names.get(key)
        if isinstance(first, list):
            self.scope.offsets[key] = len(first)
            self.scope.names.pop(key)
        self.scope.series[key] = {0: value}
        self.note(statement, "definition", f"{key} is the list of them")

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
        bind_loop(statement, self.reader)
        carried = carried_names(statement.body)
        for key in carried:
            first = self.scope.names.get(key)
            if isinstance(first, Array) and isinstance(first.expr, Ref) and first.expr.lag is None:
                self.appended[first.expr.base] = key
            self.scope.names[key] = Array(Ref(key, -1), None, key=key)
        self.begin_series(statement.body)
        self.block(statement.body)
        for key in carried:
            self.hand_on(key)
        self.scope.past |= set(self.scope.loops)
        self.scope.loops.clear()

    def begin_series(self, body: list[ast.stmt]) -> None:
        """The series that a loop fills."""
        for key, offset in assigned_steps(body, self.scope).items():
            self.scope.offsets.setdefault(key, offset)
            if isinstance(self.scope.names.get(key), list) or self.scope.names.get(key) is ZERO:
                self.scope.names.pop(key, None)
            self.scope.series.setdefault(key, {})

    def hand_on(self, key: str) -> None:
        """What a loop carries under a name of its own is the quantity that it has become."""
        value = self.scope.names.get(key)
        ref = value.expr if isinstance(value, Array) else None
        if isinstance(ref, Ref) and ref.base != key and ref.lag == 0:
            self.renames[key] = ref.base
            self.scope.names[key] = replace(value, expr=Ref(ref.base, -1))  # type: ignore[type-var]

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
            self.define_loss(value.expr if isinstance(statement.op, ast.Add) else -value.expr, statement)
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
        self, store: Any, place: Any, name: str, low_high: Bounds, value: Any, statement: ast.stmt
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
            self.define_loss(value.expr, statement)
            return value
        taken = {e.name for e in self.equations}
        name = key
        while name in taken:
            name += "_"
        self.equations.append(Equation(name, N.canonical(value.expr), value.dims, id(statement)))
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

    def define_loss(self, expr: sp.Expr, statement: ast.stmt) -> None:
        self.loss = expr
        self.note(statement, "definition", "the loss")


def _appended(call: ast.expr) -> tuple[str | None, ast.expr | None]:
    """(the list, what is appended to it) of ``hs.append(h)``."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not call.args:
        return None, None
    return (key_of(call.func.value), call.args[0]) if call.func.attr == "append" else (None, None)


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
