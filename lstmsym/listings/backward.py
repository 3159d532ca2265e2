"""The backward statements executed at the general step, each fed the true values of what it uses.

What a listing is given (``dh_next``, ``da[t]``) and what a loop carries has a meaning that only the
whole listing settles: the meanings are tried together, and the one under which most statements
equal a gradient is kept.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.around import around
from lstmsym.listings.arrays import Algebra, Array, Misfit, Pieces
from lstmsym.listings.expressions import Reader
from lstmsym.listings.building import Forward
from lstmsym.listings.loops import assigned_steps, bind_loop, carried_names
from lstmsym.listings.keys import key_of
from lstmsym.listings.naming import gradient_of, has_next, has_prev, resolve
from lstmsym.listings.scope import ZERO, Scope
from lstmsym.listings.slices import bounds
from lstmsym.listings.source import ListingError
from lstmsym.listings.steps import label, place
from lstmsym.notation import Ref
from lstmsym.verify.evaluate import OUT_OF_REACH, Numbers, evaluate
from lstmsym.verify.judge import Judge
from lstmsym.verify.sequence import PRESENT

SEARCH = 4_500
"""Values that the search for meanings, blame and repairs may compute for one listing, a third for each."""


UNKNOWN = "unknown"
"""What a name means that neither the listing nor the text explains, until its uses agree on a quantity."""
UNREAD = "unread "
"""The note on a value that was made, in part, by a statement that was not read: with its name."""


@dataclass
class Truth:
    """The derivation of a cell in numbers: which gradient is a value?"""

    forward: Forward
    judge: Judge
    spent: int = 0
    g_marks: bool = False
    """Whether the listing writes g before a name for its gradient."""

    def left(self, thirds: int) -> bool:
        """Whether the search may go on: the same on every machine, unlike a time."""
        return self.spent < SEARCH * thirds // 3

    @cached_property
    def numbers(self) -> Numbers:
        """One generic sequence."""
        return self.judge.trial.numbers(0)

    @cached_property
    def table(self) -> dict[Ref, Any]:
        """Every gradient, and what goes back or arrives, at the present step."""
        system = self.judge.system
        found: dict[Ref, Any] = {}
        for back in system.derivation.backward:
            if back.expr != 0:
                found[back.name] = None
        for ref in system.carried:
            found[ref.shifted(1)] = None
        for ref in system.derivation.given.values():
            found[ref] = None
        for back in system.derivation.backward:
            if back.name.lag == 0 and back.expr != 0:
                found.setdefault(back.name.shifted(1), None)
        return {ref: value for ref in found if (value := self.value(ref)) is not None}

    @cached_property
    def values(self) -> dict[Ref, Any]:
        """Every forward quantity."""
        refs = [Ref(e.name.base, e.name.lag) for e in self.judge.system.derivation.forward]
        refs += [Ref(e.name.base, e.name.lag) for e in self.judge.system.with_loss.forward]
        refs += [Ref(q.name, -1) for q in self.forward.cell.role("state")]
        return {ref: value for ref in refs if (value := self.value(ref)) is not None}

    def value(self, expr: sp.Expr) -> Any:
        """An expression in numbers, or None."""
        self.spent += 1
        try:
            return np.array(evaluate(expr, self.numbers, PRESENT), dtype=float)
        except (*OUT_OF_REACH, IndexError, AttributeError):
            return None

    def equals(self, expr: sp.Expr, ref: Ref) -> bool:
        """Whether an expression has the value of a gradient; of a parameter's, summed over the steps."""
        true = self.table.get(ref)
        if true is None:
            true = self.values.get(ref)
        summed = ref.lag is None and ref in self.table and not self.is_total(expr)
        found = self.value(N.Total(expr) if summed else expr)
        return close(found, true)

    def matches(self, expr: sp.Expr, refs: Mapping[Ref, Any] | None = None) -> list[Ref]:
        """All gradients that an expression equals."""
        found = self.value(expr)
        table = self.table if refs is None else refs
        same = [ref for ref, true in table.items() if ref.lag is not None and close(found, true)]
        whole = found if self.is_total(expr) else self.value(N.Total(expr))
        return same + [ref for ref, true in table.items() if ref.lag is None and close(whole, true)]

    def is_total(self, expr: sp.Expr) -> bool:
        """Whether the steps have been added up."""
        return bool(expr.has(N.Total)) or any(r.lag is None and r in self.table for r in expr.atoms(Ref))

    def dims(self, ref: Ref) -> tuple[sp.Expr, ...]:
        """The shape of a quantity."""
        return self.judge.system.shapes.get(ref.base, ())


def close(a: Any, b: Any) -> bool:
    """Whether two arrays agree."""
    if a is None or b is None or np.shape(a) != np.shape(b):
        return False
    return bool((np.abs(a - b) <= 1e-12 + 1e-9 * np.abs(b)).all())


@dataclass
class Finding:
    """What was found of one statement: the claim ``value = true``, or why there is none."""

    statement: ast.stmt
    status: str
    target: str = ""
    value: sp.Expr | None = None
    true: Ref | None = None
    wanted: tuple[Ref, ...] = ()
    message: str = ""
    assumption: str = ""
    part: bool = False
    given: tuple[str, ...] = ()


@dataclass
class Part:
    """One statement of several that add up a value."""

    statement: ast.stmt
    array: Array
    notes: str = ""
    reads: tuple[str, ...] = ()


class Backward:
    """One pass over the backward statements under one set of meanings."""

    def __init__(
        self, truth: Truth, helpers: Mapping[str, ast.FunctionDef], meanings: Mapping[str, Any]
    ) -> None:
        """Start where the forward pass ended."""
        self.truth, self.forward, self.meanings = truth, truth.forward, meanings
        algebra = Algebra(self.forward.algebra.layout)
        for key, (form, dims) in self.forward.algebra.types.items():
            algebra.types[key] = (form, self.sized(dims))
        self.reader = Reader(algebra, helpers, Scope())
        self.reader.free, self.reader.size, self.reader.lenient = self.free, self.size, True
        self.scope = self.reader.scope
        self.asked: dict[str, tuple[Any, ...]] = {}
        self.fill()
        self.findings: list[Finding] = []
        self.pending: dict[str, list[Part]] = {}
        self.stale: set[str] = set()
        self.loop: ast.For | None = None
        self.outside: set[str] = set()
        self.consistent = 0.0
        self.bound: dict[str, Ref] = {}
        self.supported: set[str] = set()
        self.forced: Mapping[int, Ref] = {}
        self.later: dict[str, int] = {}
        self.ends: dict[str, int] = {}
        self.stepped: set[str] = set()
        self.conditional: set[int] = set()
        self.broken: set[str] = set()
        self.lost: set[str] = set()
        self.now = 0

    # -- what the forward pass has left ------------------------------------------------------------------

    def sized(self, dims: tuple[sp.Expr, ...]) -> tuple[sp.Expr, ...]:
        """Sizes of the cell for those of the forward pass."""
        known = self.forward.algebra.unifier.resolve(dims)
        return tuple(sp.expand(d.xreplace(dict(self.forward.sizes))) for d in known)

    def ours(self, value: Any) -> Any:
        """A forward value in the cell's names and sizes."""
        if value is ZERO:
            return value
        if isinstance(value, Array):
            expr = value.expr.xreplace({r: self.forward.rename.get(r, r) for r in value.expr.atoms(Ref)})
            known = {d: self.sized((d,))[0] for d in expr.atoms(sp.Dummy)}
            return replace(value, expr=expr.xreplace(known), dims=self.sized(value.dims))
        if isinstance(value, list):
            return [self.ours(v) for v in value]
        if isinstance(value, Pieces):

            def size(s: Any) -> Any:
                return None if s is None else self.sized((sp.sympify(s),))[0]

            return Pieces(tuple((size(a), size(b), self.ours(v)) for a, b, v in value.parts))
        return value

    def fill(self) -> None:
        """Names and series of the forward pass."""
        old = self.forward.scope
        shapes, rename = self.truth.judge.system.shapes, self.forward.rename
        begun = {
            k for k, v in old.names.items() if v is ZERO and getattr(rename.get(Ref(k)), "base", "") in shapes
        }
        self.scope.names = {k: self.ours(v) for k, v in old.names.items() if k not in begun}
        self.scope.series = {
            k: {lag: self.ours(v) for lag, v in store.items()} for k, store in old.series.items() if store
        }
        self.scope.offsets = dict(old.offsets)
        self.scope.past = set(old.past)
        self.scope.sizes = {k: self.sized((v,))[0] for k, v in old.sizes.items()}
        self.known = {**self.scope.names, **{k: s.get(0) for k, s in self.scope.series.items()}}
        for key, (form, dims) in self.reader.algebra.types.items():
            for lag in (None, 0, -1):
                new = self.forward.rename.get(Ref(key, lag))
                if key not in self.known and new is not None and new.base in self.truth.judge.system.shapes:
                    quantity = self.forward.cell.by_name.get(new.base)
                    if lag is None or (quantity is not None and quantity.role in ("input", "target")):
                        self.known[key] = Array(new, form, dims)

        for key, ref in self.meanings.items():
            of = ref.base if isinstance(ref, Ref) and key not in self.known else ""
            if not self.forward.kinds and of in self.forward.cell.by_name:
                self.known[key] = self.array_of(ref)
                self.asked[key] = (UNKNOWN, ref)

    def free(self, key: str, lag: int | None) -> Any:
        """A name that the backward pass has not assigned: of the forward pass, or given."""
        if key in self.known and (lag is None or lag == 0):
            value = self.known[key]
            if value is not None:
                return value
        new = self.forward.rename.get(Ref(key, lag))
        if lag is not None and key in self.known and isinstance(self.known[key], (Array, Pieces)):
            return shifted(self.known[key], lag)
        if new is not None and new.base in self.truth.judge.system.shapes:
            form, dims = self.reader.algebra.types.get(
                key, (self.reader.algebra.vector, self.truth.dims(new))
            )
            return Array(new, form, dims)
        if lag is not None and self.scope.names.get(key) is ZERO and key not in self.stepped:
            raise ListingError(f"{key} has no steps")
        options = self.candidates(key)
        alike = None if options else resolve(key, [k for k, v in self.known.items() if v is not None])
        if alike is not None:
            return shifted(self.known[alike], lag or 0)
        if lag is not None and options and all(isinstance(o, Ref) and o.lag is None for o in options):
            raise ListingError(f"{key} has no steps")
        return self.given(key, lag or 0)

    def given(self, key: str, lag: int = 0) -> Array:
        """A gradient that the listing is given, under the meaning that is tried."""
        if self.later.get(key, 0) > self.now and self.loop is None:
            raise Misfit(f"{key} is used before it is assigned")
        if key in self.lost:
            raise ListingError(f"{key} is made by a statement that is not read")
        if key not in self.asked:
            self.asked[key] = self.candidates(key) or self.quantities(key)
        options = self.asked[key]
        ref = self.meanings.get(key, options[0]) if options else UNKNOWN
        if ref == UNKNOWN:
            raise ListingError(f"{key} is not defined in the listing")
        if not isinstance(ref, Ref):
            return ZERO
        if ref.lag is None:
            return self.array_of(ref)
        ref = ref.shifted(lag)
        notes = () if self.family(key) else (f"given {key}",)
        return Array(ref, self.reader.algebra.vector, self.truth.dims(ref), notes=notes)

    def quantities(self, key: str) -> tuple[Any, ...]:
        """What a name of a listing without a forward pass may be: quantities that have no name in it yet."""
        if self.forward.kinds:
            return ()
        used = {str(v.expr) for k, v in self.known.items() if k in self.spelled and isinstance(v, Array)}
        constant = [Ref(q.name) for q in self.forward.cell.quantities if q.constant and q.role != "loss"]
        inputs = [q.now for q in self.forward.cell.role("input")]
        free = [r for r in (*self.truth.values, *inputs, *constant) if str(r) not in used]
        alike = sorted(free, key=lambda r: (r.base[:1].lower() != key[:1].lower(), r.lag != -1))
        return (UNKNOWN, *alike)

    def candidates(self, key: str) -> tuple[Any, ...]:
        """What a given gradient may be: of a state in all, from later steps, or from outside."""
        system = self.truth.judge.system
        names = system.derivation.names
        states = [q.name for q in self.forward.cell.role("state")]
        family = self.family(key)
        bases = [s for s in states if any(f.base in (names.adjoint(s), names.back(s)) for f in family)]
        if not family and not (like_gradient(key) and len(key) > 1):
            return ()
        if family and not bases:
            return family
        if family and all(f.base in {names.back(s) for s in states} for f in family):
            return tuple(f for f in family if f.lag == 1)  # of the value before: not of this step's
        found: list[Any] = []
        for base in bases or [
            *self.forward.cell.outputs,
            *(s for s in states if s not in self.forward.cell.outputs),
        ]:
            adjoint, back = Ref(names.adjoint(base), 0), Ref(names.back(base), 1)
            given = system.derivation.given.get(base)
            options = [adjoint, *([back] if base in states else []), *([given] if given is not None else [])]
            found += options if base in self.forward.cell.outputs else options[1::-1] + options[2:]
        found += [f for f in family if f not in found and f.lag is not None]
        return tuple(dict.fromkeys(found))

    def size(self, key: str) -> sp.Expr:
        """A size by its name, or under the meaning that is tried."""
        key = self.reader.size_name(key)
        if key in self.scope.sizes:
            return self.scope.sizes[key]
        value = self.scope.names.get(key)
        number = isinstance(value, Array) and value is not ZERO and value.expr.is_Integer
        if number or (isinstance(value, Array) and value.form is None):
            pass
        elif isinstance(self.scope.names.get(key), (Array, Pieces)) or self.known.get(key) is not None:
            raise ListingError(f"a bound of a slice that is no size: {key} is an array")
        if like_gradient(key) and self.family(key):
            raise ListingError(f"a bound of a slice that is no size: {key} is a gradient")
        sizes = list(self.forward.cell.sizes)
        low = key.lower()
        inputs = (
            low.endswith(("x", "_in", "x_dim", "input_size", "n_x", "d")) or "x_dim" in low or "input" in low
        )
        ordered = sorted(sizes, key=lambda s: (s.name == "m") != inputs)
        self.asked.setdefault(f"#{key}", tuple(ordered))
        return self.meanings.get(f"#{key}", self.asked[f"#{key}"][0])

    # -- which gradients a name may mean -----------------------------------------------------------------

    def family(self, key: str, target: ast.expr | None = None) -> tuple[Ref, ...]:
        """The gradients that a name speaks of, or is said to be."""
        said = self.forward.said.get(key)
        if said is not None:
            return tuple(r for r in self.around(said, False, key) if r in self.truth.table)
        found = gradient_of(key, self.known)
        if found is None:
            return ()
        name, inner = found
        value = self.known[name]
        if isinstance(target, ast.Subscript) and isinstance(value, (Array, Pieces)):
            try:
                indices = place(target, self.scope)[1]
                if all(isinstance(i, ast.Slice) for i in indices):
                    value = self.reader.sliced(value, indices)
            except ListingError:
                return ()
        if not isinstance(value, Array):
            return ()
        refs = (
            [value.expr] if isinstance(value.expr, Ref) else self.truth.matches(value.expr, self.truth.values)
        )
        result: list[Ref] = []
        for ref in refs:
            result += self.around(ref, inner, key)
        return tuple(dict.fromkeys(r for r in result if r in self.truth.table))

    def around(self, ref: Ref, inner: bool, key: str) -> list[Ref]:
        """The gradient of a quantity, of what it is an activation of, and of a state's other values."""
        names = self.truth.judge.system.derivation.names
        states = {q.name for q in self.forward.cell.role("state")}
        adjoint = Ref(names.adjoint(ref.base), None if ref.lag is None else 0)
        if ref.lag == -1 and ref.base in states:
            return [Ref(names.back(ref.base), 0), Ref(names.back(ref.base), 1)]
        if ref.base in states and has_prev(key):
            return [Ref(names.back(ref.base), 0), Ref(names.back(ref.base), 1)]
        before = [Ref(names.adjoint(r.base), 0) for r in self.before(ref)]
        if inner and not before and ref.base in states:
            return []
        if ref.base in states and has_next(key):
            return [adjoint, Ref(names.back(ref.base), 1), *before]
        return before if inner and before else [adjoint, *before]

    def before(self, ref: Ref) -> list[Ref]:
        """The pre-activations of a quantity."""
        expr = self.truth.judge.system.forward.get(ref.base)
        if isinstance(expr, (N.Pointwise, N.softmax)) and isinstance(
            expr.args[-1 if isinstance(expr, N.where) else 0], Ref
        ):
            inner = expr.args[0]
            further = self.truth.judge.system.forward.get(inner.base)
            return [
                inner,
                *(
                    [further.args[0]]
                    if isinstance(further, N.Part) and isinstance(further.args[0], Ref)
                    else []
                ),
            ]
        if isinstance(expr, N.Pointwise):
            return [a for a in expr.args if isinstance(a, Ref)]
        if ref.base == self.forward.cell.outputs[0] or isinstance(expr, sp.Mul):
            return []
        return []

    # -- statements --------------------------------------------------------------------------------------

    def run(self, statements: Iterable[ast.stmt]) -> None:
        """A block."""
        block = list(statements)
        for index, statement in enumerate(block):
            try:
                self.one(statement, block[index + 1 :])
            except ListingError as error:
                why = "" if isinstance(error, Misfit) else self.aside(statement)
                if why:
                    self.findings.append(Finding(statement, "prose", message=why))
                else:
                    self.failed(statement, error)

    def aside(self, statement: ast.stmt) -> str:
        """Why a statement that is not read claims nothing, or nothing."""
        if not isinstance(statement, ast.Assign):
            return ""
        target, value = statement.targets[0], statement.value
        called = getattr(value.func, "attr", key_of(value.func)) if isinstance(value, ast.Call) else ""
        if called in self.functions and called not in self.reader.helpers:
            return "a call of the listing's own function"
        if isinstance(target, ast.Tuple) and (key := key_of(value)):
            return f"what {key} holds, under the same names"
        return around(value)

    functions: frozenset[str] = frozenset()

    def failed(self, statement: ast.stmt, error: ListingError) -> None:
        """A statement that cannot be read, or whose arrays do not fit; its name means what it should."""
        target = next(iter(_target_nodes(statement)), None)
        key = key_of(getattr(target, "value", target)) if isinstance(target, ast.Subscript) else None
        key = (key_of(target) or key) if target is not None else None
        family = self.family(key, target) if key else ()
        status = "misfit" if isinstance(error, Misfit) and family else "unread"
        text = ast.unparse(target) if target is not None else ""
        held = self.forced.get(id(statement), family[0] if family else None)
        self.findings.append(Finding(statement, status, text, message=str(error), wanted=family, true=held))
        if any(
            isinstance(s, ast.AugAssign) and ast.unparse(s.target) == text for s in self.following(statement)
        ):
            self.broken.add(text)
        if status == "unread":
            self.forget(statement)
        elif target is not None and held is not None:
            self.hold(target, held)

    def forget(self, statement: ast.stmt) -> None:
        """After a statement that was not read, what its names hold is not known."""
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        targets = [statement.target] if isinstance(statement, ast.AugAssign) else targets
        for target in (one for t in targets for one in (t.elts if isinstance(t, ast.Tuple) else [t])):
            self.lose(target)

    def lose(self, target: ast.expr) -> None:
        """A name stands for the one gradient that it speaks of, or nothing that uses it shows anything."""
        key = key_of(target) or (key_of(target.value) if isinstance(target, ast.Subscript) else None)
        family = self.family(key, target) if key else ()
        if key is None:
            return
        if not family:
            self.lost.add(key)
            return
        notes = () if len(family) == 1 else (f"{UNREAD}{key}",)
        self.hold(target, replace(self.array_of(family[0]), notes=notes))

    def one(self, statement: ast.stmt, rest: list[ast.stmt]) -> None:
        """One statement, knowing those that follow in its block."""
        self.now = statement.lineno
        if isinstance(statement, ast.For):
            self.for_(statement)
        elif isinstance(statement, ast.If):
            self.if_(statement)
        elif isinstance(statement, ast.With):
            self.run(statement.body)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            self.assign(statement.target, statement.value, statement, rest)
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                self.assign(target, statement.value, statement, rest)
        elif isinstance(statement, ast.AugAssign):
            self.augment(statement, rest)
        elif isinstance(statement, ast.Expr):
            self.expression(statement)
        else:
            self.findings.append(Finding(statement, "prose"))

    def for_(self, loop: ast.For) -> None:
        """The general step of a loop over time; another loop is over names."""
        self.findings.append(Finding(loop, "prose"))
        calls = all(isinstance(s, (ast.Expr, ast.Pass)) for s in loop.body)
        if isinstance(loop.target, ast.Name) and (calls or isinstance(loop.iter, (ast.List, ast.Tuple))):
            for inner in loop.body:
                clipped = [
                    n
                    for n in ast.walk(inner)
                    if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "clip"
                ]
                if clipped:
                    bounds = " and ".join(ast.unparse(a) for a in clipped[0].args[1:3])
                    self.findings.append(
                        Finding(
                            inner,
                            "conditional",
                            assumption=f"every entry of the gradients lies within {bounds}",
                            message="clipping changes larger entries",
                        )
                    )
                else:
                    self.findings.append(Finding(inner, "prose"))
            return
        if self.loop is not None:
            raise ListingError("a loop in a loop over time is not read")
        bind_loop(loop, self.reader)
        self.loop = loop
        carried = carried_names(loop.body)
        zeros = {k for k, v in self.scope.names.items() if v is ZERO}
        written = {k for s in ast.walk(loop) for k in _written(s)}
        read = {
            k
            for s in loop.body
            for n in ast.walk(s)
            if (k := key_of(n)) and isinstance(getattr(n, "ctx", ast.Load()), ast.Load)
        }
        inside = (s for n in ast.walk(loop) if isinstance(n, ast.If) for s in ast.walk(n))
        self.conditional = {id(s) for s in inside}
        stored = (n for n in ast.walk(loop) if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store))
        self.stepped |= {key for n in stored if (key := key_of(n.value))}
        self.ends = {k: s.lineno for s in ast.walk(loop) if isinstance(s, ast.stmt) for k in _written(s)}
        self.stale = {k for k in zeros if k in read and k not in written}
        self.outside = set(self.scope.names)
        carries = [k for k in carried if k not in self.known or k in zeros or like_gradient(k)]
        for key in [*carries, *self.stale]:
            self.scope.names.pop(key, None)
            self.asked[key] = self.carry_candidates(key)
            self.scope.names[key] = self.given(key)
        for key in assigned_steps(loop.body, self.scope):
            if key not in self.forward.scope.series:
                self.scope.names.pop(key, None)
        self.run(loop.body)
        for key in carries:
            bound = self.bound.get(key)
            guess = self.meanings.get(key, self.asked[key][0])
            if (
                bound is not None
                and isinstance(guess, Ref)
                and bound.lag is not None
                and bound.shifted(1) == guess
            ):
                self.consistent += 1
        self.scope.loops.clear()
        self.loop = None
        self.stale = set()

    def carry_candidates(self, key: str) -> tuple[Any, ...]:
        """What a loop may carry: what the step after sends back to a state, or its gradient there."""
        system = self.truth.judge.system
        backs = [ref.shifted(1) for ref in system.carried]
        family = {f.base for f in self.family(key)}
        names = system.derivation.names

        def near(ref: Ref) -> bool:
            state = next(q.name for q in self.forward.cell.role("state") if names.back(q.name) == ref.base)
            return ref.base in family or names.adjoint(state) in family

        ordered = sorted(backs, key=lambda r: not near(r))
        others = [r for r in self.truth.table if r.lag == 1 and r not in ordered]
        others.sort(key=lambda r: r.base not in family)
        totals = (
            [Ref(names.adjoint(q.name), 0) for q in self.forward.cell.role("state")]
            if self.forward.final
            else []
        )
        return (*ordered, *totals, *others)

    def if_(self, statement: ast.If) -> None:
        """Both branches, at the general step; the names of the first branch go on."""
        self.findings.append(Finding(statement, "prose"))
        chosen = self.reader.decide(statement.test)
        if chosen is False:
            self.run(statement.orelse)
            return
        before = dict(self.scope.names), {k: dict(s) for k, s in self.scope.series.items()}
        self.run(statement.orelse)
        after = self.scope.names
        self.scope.names, self.scope.series = before
        for key, value in after.items():
            self.scope.names.setdefault(key, value)
        self.run(statement.body)

    def expression(self, statement: ast.Expr) -> None:
        """A value that nothing is done with; a clip in place."""
        call = statement.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "clip":
            bounds = " and ".join(ast.unparse(a) for a in call.args[1:3])
            self.findings.append(
                Finding(
                    statement,
                    "conditional",
                    assumption=f"every entry of the gradient lies within {bounds}",
                    message="clipping changes larger entries",
                )
            )
        elif isinstance(call, ast.BinOp):
            key = key_of(call.left)
            family = self.family(key) if key else ()
            target = ast.unparse(call.left)
            fixed = f"{target} {_symbol(call.op)}= {ast.unparse(call.right)}"
            self.findings.append(
                Finding(
                    statement,
                    "no-effect",
                    target,
                    message=f"a statement without effect: {target} is left as it is",
                    wanted=family,
                    assumption=fixed,
                )
            )
        else:
            self.findings.append(Finding(statement, "prose"))

    def assign(self, target: ast.expr, node: ast.expr, statement: ast.stmt, rest: list[ast.stmt]) -> None:
        """``target = node``."""
        if isinstance(target, (ast.Tuple, ast.List)):
            nodes = (
                node.elts
                if isinstance(node, (ast.Tuple, ast.List)) and len(node.elts) == len(target.elts)
                else None
            )
            values = None if nodes else self.reader(node)
            if nodes is None and not (isinstance(values, list) and len(values) == len(target.elts)):
                raise ListingError("as many values as names are needed")
            for index, one in enumerate(target.elts):
                node_, value = (nodes[index], None) if nodes else (None, values[index])  # type: ignore[index]
                self.store(one, node_, statement, rest, value)
            return
        self.store(target, node, statement, rest)

    def store(
        self,
        target: ast.expr,
        node: ast.expr | None,
        statement: ast.stmt,
        rest: list[ast.stmt],
        value: Any = None,
    ) -> None:
        self.reader.reads.clear()
        if node is not None and ast.unparse(node) == ast.unparse(target):
            self.findings.append(Finding(statement, "prose", message="it changes nothing"))
            return
        value = self.reader(node) if node is not None else value
        reads = tuple(self.reader.reads)
        text = ast.unparse(target)
        self.pending.pop(text, None)
        if value is ZERO or not isinstance(value, (Array, Pieces)):
            if isinstance(value, list) and value and self.family(key_of(target) or "", target):
                raise Misfit(f"{text} is several arrays here")
            self.hold(target, value)
            self.findings.append(Finding(statement, "definition", text))
            return
        part = Part(statement, self.reader.as_array(value), reads=reads)
        self.take(target, [part], rest)

    def augment(self, statement: ast.AugAssign, rest: list[ast.stmt]) -> None:
        """``target op= value``."""
        text, key = ast.unparse(statement.target), key_of(statement.target)
        self.reader.reads.clear()
        if self.from_outside(statement):
            message = "what comes from outside at one step"
            self.findings.append(Finding(statement, "definition", message=message))
            return
        if not isinstance(statement.op, (ast.Add, ast.Sub)):
            before = self.reader.array(statement.target)
            value = self.reader.binary(statement.op, before, self.reader.array(statement.value))
            self.take(statement.target, [Part(statement, value, reads=tuple(self.reader.reads))], rest)
            return
        one = self.reader.array(statement.value) if not self.labelled(statement) else self.hot(statement)
        if isinstance(statement.op, ast.Sub):
            one = self.reader.algebra.pointwise(lambda x: -x, one)
        parts = self.pending.pop(text, None)
        if parts is None:
            parts = self.start(statement.target, key, one)
        if self.labelled(statement):
            base: ast.expr = statement.target.value  # type: ignore[union-attr]
            parts = self.pending.pop(ast.unparse(base), None) or [
                Part(statement, self.reader.array(base), "start")
            ]
            self.take(base, [*parts, Part(statement, one, reads=tuple(self.reader.reads))], rest)
            return
        self.take(statement.target, [*parts, Part(statement, one, reads=tuple(self.reader.reads))], rest)

    def from_outside(self, statement: ast.AugAssign) -> bool:
        """``dh[T - 1] += dhn`` before the loop."""
        target, value = statement.target, statement.value
        if (
            self.loop is not None
            or not isinstance(target, ast.Subscript)
            or not isinstance(statement.op, ast.Add)
        ):
            return False
        while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and not value.args:
            value = value.func.value
        key = key_of(value)
        known = key is None or key in self.known or key in self.scope.names
        return isinstance(target.slice, ast.BinOp | ast.UnaryOp) and not known

    def labelled(self, statement: ast.AugAssign) -> bool:
        """``dy[target] -= 1``: the one-hot target is taken off."""
        target = statement.target
        if not isinstance(target, ast.Subscript) or not isinstance(statement.value, ast.Constant):
            return False
        indices = place(target, self.scope)[1]
        return bool(indices) and any(not isinstance(i, (ast.Slice, ast.Constant)) for i in indices)

    def hot(self, statement: ast.AugAssign) -> Array:
        """The one-hot target."""
        target = statement.target
        assert isinstance(target, ast.Subscript)
        key = label(place(target, self.scope)[1], self.scope)
        cell = self.forward.cell
        targets = cell.role("target")
        if not targets:
            raise ListingError(f"what {key} is a target of is not said")
        ref = self.forward.rename.get(Ref(key, 0), targets[0].now)
        step = self.reader.array(statement.value).expr
        return Array(step * ref, self.reader.algebra.vector, self.truth.dims(ref))

    def start(self, target: ast.expr, key: str | None, one: Array) -> list[Part]:
        """What a ``+=`` without an assignment before it adds to."""
        base = key or (key_of(target.value) if isinstance(target, ast.Subscript) else None) or ""
        family = self.family(base, target)
        if any(f.lag is None for f in family) or one.form == "ff":
            return []
        current = self.scope.names.get(base) if key else None
        if current is ZERO:
            return []
        if isinstance(target, ast.Subscript) and (place(target, self.scope)[2] or 0) < 0:
            return []
        value = self.reader(target)
        return [] if value is ZERO else [Part(ast.Pass(), self.reader.as_array(value), "start")]

    def take(self, target: ast.expr, parts: list[Part], rest: list[ast.stmt]) -> None:
        """Judge a value when all that adds to it has come."""
        text = ast.unparse(target)
        if _goes_on(text, rest):
            self.pending[text] = parts
            self.hold(target, self.add(parts))
            return
        self.close(target, parts)

    def add(self, parts: list[Part]) -> Array:
        """The parts together."""
        total = parts[0].array
        for part in parts[1:]:
            total = self.reader.algebra.pointwise(lambda a, b: a + b, total, part.array, what="a sum")
        return total

    def close(self, target: ast.expr, parts: list[Part]) -> None:
        """Compare a value with the gradients that its name may mean."""
        raise NotImplementedError

    def following(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements after one, in its block."""
        raise NotImplementedError

    def array_of(self, ref: Ref) -> Array:
        """A quantity or a gradient as the listing's layout has it."""
        dims = self.truth.dims(ref)
        return Array(ref, "ff" if len(dims) == 2 else self.reader.algebra.vector if dims else "", dims)

    spelled: dict[str, str]

    def hold(self, target: ast.expr, value: Any) -> None:
        """A name, a series at a step or a slice of it has a value from now on."""
        if isinstance(value, Ref):
            value = self.array_of(value)
        key = key_of(target)
        if key is not None:
            self.scope.names[key] = value
            self.lost.discard(key)
            return
        if not isinstance(target, ast.Subscript):
            raise ListingError("such a target is not read")
        base, indices, lag = place(target, self.scope)
        if base is None:
            raise ListingError("such a target is not read")
        lag = (lag or 0) - self.scope.offsets.get(base, 0)
        slices = [i for i in indices if isinstance(i, ast.Slice) and (i.lower or i.upper)]
        store = self.scope.series.setdefault(base, {})
        if slices and isinstance(value, Array):
            low, high = bounds(slices[0], self.reader.size)
            old = store.get(lag)
            parts = [p for p in old.parts if p[0] != low] if isinstance(old, Pieces) else []
            store[lag] = Pieces((*parts, (low, high, value)))
        else:
            store[lag] = value


def shifted(value: Any, steps: int) -> Any:
    """A value so many steps later."""
    if isinstance(value, Pieces):
        return Pieces(tuple((a, b, shifted(v, steps)) for a, b, v in value.parts))
    if isinstance(value, list):
        return [shifted(v, steps) for v in value]
    if not isinstance(value, Array):
        return value
    return replace(value, expr=value.expr.xreplace({r: r.shifted(steps) for r in value.expr.atoms(Ref)}))


def like_gradient(key: str) -> bool:
    """Whether a name looks like a gradient's."""
    low = key.lower()
    return low.startswith(("d", "grad", "delta", "g", "top_diff", "bottom")) or low.endswith(
        ("diff", "grad", "_d", "delta", "err", "error")
    )


def _symbol(op: ast.operator) -> str:
    return {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}.get(type(op), "+")


def _target_nodes(statement: ast.stmt) -> list[ast.expr]:
    if isinstance(statement, ast.AugAssign):
        return [statement.target]
    return (
        [t for t in statement.targets if not isinstance(t, ast.Tuple)]
        if isinstance(statement, ast.Assign)
        else []
    )


def _written(node: ast.AST) -> list[str]:
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AugAssign)
        else []
    )
    flat = [e for t in targets for e in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return [
        k for t in flat if (k := key_of(t) or (key_of(t.value) if isinstance(t, ast.Subscript) else None))
    ]


def _goes_on(text: str, rest: list[ast.stmt]) -> bool:
    """Whether a later statement of the block adds to a value before anything reads it."""
    for statement in rest:
        if isinstance(statement, ast.AugAssign):
            target = statement.target
            inner = ast.unparse(target.value) if isinstance(target, ast.Subscript) else ""
            if ast.unparse(target) == text or (inner == text and isinstance(statement.value, ast.Constant)):
                return isinstance(statement.op, (ast.Add, ast.Sub)) and text not in texts(statement.value)
            if text in texts(statement.value):
                return False
        elif isinstance(statement, ast.Assign):
            if text in texts(statement.value) or any(ast.unparse(t) == text for t in statement.targets):
                return False
        elif text in texts(statement):
            return False
    return False


@lru_cache(maxsize=2048)
def texts(node: ast.AST) -> frozenset[str]:
    """The names, attributes and subscripts that a node holds, as they stand."""
    found = {
        ast.unparse(n) for n in ast.walk(node) if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript))
    }
    return frozenset(found)


def each(block: tuple[ast.stmt, ...] | list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements and those inside them, each once."""
    for statement in block:
        yield statement
        for name in ("body", "orelse"):
            inner = getattr(statement, name, None)
            if isinstance(inner, list):
                yield from each(inner)
