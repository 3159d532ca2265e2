"""The forward equations of a document as its cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.abbreviated import of_gradients
from lstmsym.binding.activations import GENERIC, POINTWISE_FUNCTIONS
from lstmsym.binding.alike import stacked_alike
from lstmsym.binding.entries import has_units
from lstmsym.binding.express import Express
from lstmsym.binding.forward import Forward, Sizes, contexts_of
from lstmsym.binding.kinds import (
    arguments_of,
    assumed_functions,
    kinds_of,
    letters_of,
    loss_by,
    loss_names,
    missing,
    renewed_names,
    to_go,
)
from lstmsym.binding.loss import Losses, loss_of
from lstmsym.binding.messages import said as told_of
from lstmsym.binding.quantity import identifier, untimed
from lstmsym.binding.ranks import ROUNDS, greek_factors, more, said
from lstmsym.binding.readout import apart
from lstmsym.binding.stacks import entries, tiled
from lstmsym.binding.standin import lacking, reads, stand_in
from lstmsym.binding.table import Bound, Line, Table, bare_names, function_of
from lstmsym.binding.told import Told
from lstmsym.binding.units import counts_of
from lstmsym.binding.upright import upright
from lstmsym.binding.values import Misfit, Unreadable, Value
from lstmsym.cell import Cell
from lstmsym.declare import Declared, Hyper, Input, Loss, Output, State, Target, Vector, Weight
from lstmsym.documents.formula import Apply, Delta, Derivative, Formula, Item, Name, names, walk
from lstmsym.documents.read import Document
from lstmsym.mistakes import NotationError
from lstmsym.notation import Ref, Size
from lstmsym.shapes import Shape, ShapeError, Unifier
from lstmsym.verify.words import Diag

FAILED = (Unreadable, NotationError, ShapeError)
NOT_FORWARD = "it is not understood as an equation of the forward pass"
NO_CELL = "the document has no forward equations: name its cell, --cell lstm or `cell: lstm` in front matter"


def bind(
    document: Document, lines: Sequence[Line], told: Told, held_names: Iterable[str] = (), text: str = ""
) -> Bound:
    """The cell of a document's forward equations; ``held_names`` pass no gradient on."""
    table = Table(
        letters=letters_of(document, lines),
        functions=dict(told.functions),
        told=told.roles,
        gradients=told.named,
        unit=told.unit,
        hot=told.hot,
    )
    known = assumed_functions(lines, table, told.spoken)
    table.functions = known | table.functions
    table.renewed = frozenset(renewed_names(lines))
    table.arguments = frozenset(arguments_of(lines, table))
    table.gradients |= of_gradients(lines, table)
    kinds = kinds_of(lines, table)
    table.counts = frozenset(counts_of(lines))
    table.derived = frozenset(_derived(lines))
    table.upright = frozenset(upright(lines, kinds, table))
    table.loss_by = frozenset(table.key(name).key for name in loss_by(lines))
    table.indexed = any(has_units(lines[n][1]) for n, kind in kinds.items() if kind == "forward")
    losses = frozenset(loss_names(lines))
    forward = [n for n, kind in kinds.items() if kind == "forward"]
    if not forward:
        return Bound(None, table, kinds, NO_CELL, losses)
    _tile(lines, forward, table)
    layouts = (False, True) if told.rows is None else (told.rows,)
    ranks = said(document, text, table)
    plain, ranked, greek = (
        Bound(None, replace(table, ranks=r), kinds, "", losses)
        for r in ({}, ranks, {**greek_factors(lines, kinds, table), **ranks})
    )
    given = lines, told.loss, held_names
    for rows in layouts:
        whole = _ranked(ranked, rows, *given) if 2 in ranks.values() else None
        whole = whole or _vectors(plain, rows, *given)
        whole = whole or _ranked(greek, rows, *given) or _ranked(ranked, rows, *given)
        if whole is not None:
            return whole
    found = [_plainly(plain, rows, *given, unread={}) for rows in layouts]
    return min(found, key=lambda bound: (bound.cell is None, len(bound.unread)))


def _plainly(
    bound: Bound,
    rows: bool,
    lines: Sequence[Line],
    loss: Formula | None,
    held: Iterable[str],
    unread: dict[int, str] | None = None,
) -> Bound:
    """The document bound with vectors; without a cell, where it is not, and the problem."""
    attempt = _blank(bound.table, rows)
    try:
        cell = _cell(lines, bound.kinds, attempt, loss, held, unread)
    except FAILED as error:
        return replace(bound, problem=told_of(error))
    bound = replace(bound, cell=cell, table=attempt, to_go=frozenset(to_go(lines)), unread=unread or {})
    return _completed(bound, lines, loss, held)


def _vectors(
    bound: Bound, rows: bool, lines: Sequence[Line], loss: Formula | None, held: Iterable[str]
) -> Bound | None:
    """The document bound with vectors, where every forward equation is read so."""
    found = _plainly(bound, rows, lines, loss, held)
    return None if found.cell is None else found


def _ranked(
    bound: Bound, rows: bool, lines: Sequence[Line], loss: Formula | None, held: Iterable[str]
) -> Bound | None:
    """The document bound with matrices and numbers at each step, where with vectors it is not."""
    table = bound.table
    for _ in range(ROUNDS):
        attempt = _blank(table, rows)
        unread: dict[int, str] = {}
        try:
            cell: Cell | None = _cell(lines, bound.kinds, attempt, loss, held, unread)
        except FAILED:  # of what stands in for the lines that are not read, which is no matter
            cell = None
        if cell is not None and not unread:
            bound = replace(bound, cell=cell, table=attempt, to_go=frozenset(to_go(lines)))
            return _completed(bound, lines, loss, held)
        ranks = more(lines, unread, attempt, bound.kinds) if unread else {}
        if not ranks:
            return None
        table = replace(table, ranks={**table.ranks, **ranks})
    return None


def _derived(lines: Sequence[Line]) -> Iterator[str]:
    """The keys of the names by which something is derived."""
    for node in (n for line in lines for side in line[:2] for n in walk(side)):
        by = node.of if isinstance(node, Delta) else node.by if isinstance(node, Derivative) else None
        if isinstance(by, Name):
            yield replace(by, time=None).key
    for left, _, _ in lines:
        if isinstance(left, Name) and left.time is None and left.marks[-1:] == ("bar",):
            yield replace(left, marks=left.marks[:-1]).key


def _completed(bound: Bound, lines: Sequence[Line], loss: Formula | None, held: Iterable[str]) -> Bound:
    """The document bound with stand-ins for lines that were not read as forward and define what it reads."""
    places = lacking(lines, bound.kinds, bound.table)
    kinds = dict(sorted({**bound.kinds, **dict.fromkeys(places, "forward")}.items()))
    kinds.update({n: "forward" for n in bound.unread})
    unread = {**bound.unread, **dict.fromkeys(places, NOT_FORWARD)}
    if places:
        table = _blank(bound.table, bound.table.rows)
        try:
            cell = _cell(lines, kinds, table, loss, held, unread)
        except FAILED:
            return replace(bound, missing=missing(lines, bound.kinds, bound.table))
        bound = replace(bound, cell=cell, table=table)
    kinds.update(dict.fromkeys(unread, "unread"))
    return replace(bound, kinds=kinds, unread=unread, open=reads(lines, unread, bound.table))


def _blank(table: Table, rows: bool) -> Table:
    """A table in which no forward equation has been read."""
    fresh = replace(table, rows=rows, idents={}, spelled={}, samples={}, defined={}, roles={}, shapes={})
    fresh = replace(fresh, before={}, earlier={}, scores={}, standing={}, sizes={})
    return replace(fresh, aliases=dict(table.aliases))


def _tile(lines: Sequence[Line], forward: Sequence[int], table: Table) -> None:
    """Weights that are said to be parts of one that no forward equation reads make that one up."""
    read = {table.key(n).key for place in forward for n in bare_names(lines[place][1])}
    slices = {key: m for key, m in table.macros.items() if isinstance(m, Item) and key in read}
    slices = {key: m for key, m in slices.items() if table.key(m.body).key not in read}  # type: ignore[arg-type]
    spelled = {left.key: left for left, _, _ in lines if isinstance(left, Name)}
    for key, layout in tiled(slices, spelled).items():
        table.macros[key] = layout
        for part in names(layout):
            del table.macros[part.key]


def _cell(
    lines: Sequence[Line],
    kinds: dict[int, str],
    table: Table,
    told_loss: Formula | None,
    held_names: Iterable[str],
    unread: dict[int, str] | None = None,
) -> Cell:
    """The cell; lines that cannot be read are noted in ``unread``, where that is given, and stood in for."""
    unifier = Sizes()
    places = [n for n, kind in kinds.items() if kind == "forward"]
    used = [lines[n][:2] for n in places]
    timeless = not any(
        isinstance(table.key(n).lag, int) and n.time is not None
        for left, right in used
        for n in (*names(left), *names(right))
    )
    scope = Forward(table, unifier, contexts_of(used, table), timeless or _mostly_timeless(used, table))
    express = Express(scope, unifier, table.rows)
    _declare_defined(used, table, unifier)
    scope.held = {table.idents[k] for k in held_names if k in table.idents}
    equations = _equations(lines, places, scope, express, unread)
    equations = _merged(stacked_alike(equations, lines, kinds, table), table)
    scope.lines = dict(equations)
    equations = [(name, _held(expr, scope.held)) for name, expr in _sorted(equations)]
    losses: Losses = [lines[n][:2] for n, kind in kinds.items() if kind == "loss"]
    losses = losses if told_loss is None else [(None, told_loss)]
    loss, targets = loss_of(losses, scope, express, table)
    if loss is not None:
        loss, read_out = apart(loss, targets, table)
        equations += read_out
    if "state" not in table.roles.values():
        equations.append(_at_rest(table, unifier))
    standing = _macros(express, table)
    _tiled(equations, table, unifier)
    _sizes(table, unifier)
    table.sizes = {key: _sized(size, unifier) for key, size in table.sizes.items()}
    equations = [(name, _sized(expr, unifier)) for name, expr in equations]
    kept, outputs = _outputs(equations, table, loss, _compared(targets, loss, table))
    targets += sorted(_compared(targets, loss, table) - {r.base for _, e in kept for r in e.atoms(Ref)})
    standing |= _dropped(equations, kept, table)
    equations = _timeless(kept, {name for name, role in table.roles.items() if role == "name"} - {*outputs})
    table.standing.update({key: _sized(expr, unifier) for key, expr in standing.items()})
    declared = _declared(table, equations, loss, targets, outputs)
    if loss is not None:
        equations.append(("loss", loss))
    declared += [Output(name=name) for name in outputs if table.roles.get(name) == "name"]
    if loss is not None:
        declared.append(Loss(name="loss"))
    pairs = [(Ref(name, 0), expr) for name, expr in equations]
    for name, expr in equations:
        table.defined[name] = expr
    return Cell.from_equations("Document", declared, pairs)


def _timeless(equations: Iterable[tuple[str, sp.Expr]], inner: set[str]) -> list[tuple[str, sp.Expr]]:
    """The equations, those of ``inner`` names that parameters alone make up being the same at all steps."""
    found: list[tuple[str, sp.Expr]] = []
    constant: set[str] = set()
    for name, expr in equations:
        expr = expr.xreplace({r: Ref(r.base) for r in expr.atoms(Ref) if r.base in constant})
        if name in inner and all(r.lag is None for r in expr.atoms(Ref)):
            constant.add(name)
        found.append((name, expr))
    return found


def _sized(expr: sp.Expr, unifier: Unifier) -> sp.Expr:
    """An expression whose bounds of ranges are the sizes found."""
    return expr.xreplace({d: unifier.resolve((d,))[0] for d in expr.atoms(sp.Dummy)})


def _tiled(equations: list[tuple[str, sp.Expr]], table: Table, unifier: Unifier) -> None:
    """A vector is as long as its ranges reach that follow each other."""
    ranges: dict[str, list[tuple[sp.Expr, ...]]] = {}
    for _, expr in equations:
        for part in expr.atoms(N.Part):
            if isinstance(part.args[0], Ref):
                ranges.setdefault(part.args[0].base, []).append(unifier.resolve(part.args[1:]))
    for base, bounds in ranges.items():
        ends = {high for _, high in bounds} - {low for low, _ in bounds}
        if len(ends) == 1:
            unifier.same(table.shapes[base], (ends.pop(),), "")


def _macros(express: Express, table: Table) -> dict[str, sp.Expr]:
    """What the names of blocks stand for, in the cell's own names."""
    found = {}
    for key, formula in table.macros.items():
        try:
            found[key] = express(formula).expr
        except (Unreadable, ShapeError):
            continue
    return {key: expr for key, expr in found.items() if not expr.has(Diag)}


def _dropped(
    equations: list[tuple[str, sp.Expr]], kept: list[tuple[str, sp.Expr]], table: Table
) -> dict[str, sp.Expr]:
    """What the names stand for that the cell does without."""
    left = {name for name, _ in kept}
    rules: dict[sp.Expr, sp.Expr] = {}
    for name, expr in equations:
        if name not in left:
            rules[Ref(name, 0)] = expr.xreplace(rules)
    keys = {ident: key for key, ident in table.idents.items()}
    return {keys[ref.base]: expr for ref, expr in rules.items() if ref.base in keys}


def _at_rest(table: Table, unifier: Unifier) -> tuple[str, sp.Expr]:
    """A state that nothing reads, for a network without: each of its steps is by itself."""
    name = identifier("rest", [*table.spelled, *table.roles, *N.FUNCTIONS])
    table.roles[name], table.shapes[name] = "state", (unifier.fresh(),)
    return name, Ref(name, -1)


def _equations(
    lines: Sequence[Line],
    places: Sequence[int],
    scope: Forward,
    express: Express,
    unread: dict[int, str] | None,
) -> list[tuple[str, sp.Expr]]:
    """The forward equations, stacks first; lines that cannot be read are noted and stood in for."""
    table, unifier = scope.table, scope.unifier
    equations: list[tuple[str, sp.Expr]] = []
    stacks_first = sorted(places, key=lambda n: not entries(lines[n][1]))
    for n in stacks_first:
        left, right, _ = lines[n]
        assert isinstance(left, Name)
        at = table.key(left)
        scope.lag = at.lag if isinstance(at.lag, int) else 0
        ident = table.idents[at.key]
        if unread is not None and n in unread:
            continue
        known = dict(unifier.known)
        try:
            for name, value in list(_split(ident, right, express, table, scope)):
                if _is_number(value, name, table):
                    table.shapes.pop(name, None)
                table.shapes[name] = _unified(unifier, table.shapes.get(name), value)
                equations += [*scope.waiting, (name, value.expr)]
                scope.waiting.clear()
                scope.parts[name] = value.parts
                scope.lines[name] = value.expr
        except FAILED as error:
            if unread is None:
                raise
            scope.waiting.clear()
            unread[n], unifier.known = told_of(error), known
    equations += [*scope.handed.items(), *_stood_in(lines, unread or {}, table)]
    return equations


def _is_number(value: Value, name: str, table: Table) -> bool:
    """Whether a line defines one number at each step: a mean, an inner product, or what is made of such."""
    if value.shape or table.roles.get(name, "") != "name":
        return False
    refs = value.expr.atoms(Ref)
    made = bool(refs) and all(table.shapes.get(ref.base) == () for ref in refs)
    return made or value.expr.has(N.Sum, N.Mean, N.Max)


def _stood_in(
    lines: Sequence[Line], unread: Mapping[int, str], table: Table
) -> Iterator[tuple[str, sp.Expr]]:
    """Stand-ins for what lines that are not read define; an input where they read nothing."""
    for n in unread:
        ident = table.idents[table.key(lines[n][0]).key]  # type: ignore[arg-type]
        expr = stand_in(ident, lines[n][1], table)
        if expr is None:
            table.roles[ident] = "input"
        else:
            yield ident, expr


def _merged(equations: list[tuple[str, sp.Expr]], table: Table) -> list[tuple[str, sp.Expr]]:
    """Arguments that the document has a name for go by that name."""
    named = {expr: name for name, expr in equations if name in table.spelled}
    same = {name: named[expr] for name, expr in equations if name not in table.spelled and expr in named}
    for name in same:
        table.roles.pop(name)
        table.shapes.pop(name)
    table.before = {post: same.get(pre, pre) for post, pre in table.before.items()}
    table.scores = {post: same.get(pre, pre) for post, pre in table.scores.items()}
    rules = {Ref(name, 0): Ref(other, 0) for name, other in same.items()}
    return [(name, expr.xreplace(rules)) for name, expr in equations if name not in same]


def _held(expr: sp.Expr, held: set[str]) -> sp.Expr:
    """A right side in which names that the text holds fixed pass no gradient on."""
    return expr.xreplace({r: N.stop_gradient(r) for r in expr.atoms(Ref) if r.base in held})


def _mostly_timeless(used: Sequence[tuple[Formula, Formula]], table: Table) -> bool:
    return all(isinstance(left, Name) and left.time is None for left, _ in used)


def _unified(unifier: Unifier, known: Shape | None, value: Value) -> Shape:
    if known is None or (value.shape == () and any(r.lag is not None for r in value.expr.atoms(Ref))):
        return value.shape
    if value.shape == ():
        return known
    try:
        return unifier.same(known, value.shape, "")
    except ShapeError as error:
        raise Misfit(str(error)) from None


def _declare_defined(used: Sequence[tuple[Formula, Formula]], table: Table, unifier: Unifier) -> None:
    """The left sides: states where they are read at the step before, other names where not."""
    read: set[str] = set()
    for left, right in used:
        assert isinstance(left, Name)
        shift = table.key(left).lag or 0
        for name in bare_names(right):
            at = table.key(name)
            if isinstance(at.lag, int) and isinstance(shift, int) and at.lag - shift < 0:
                read.add(at.key)
    for left, _ in used:
        assert isinstance(left, Name)
        at = table.key(left)
        ident = identifier(at.key, [*table.spelled, *N.FUNCTIONS, "t", "m", "n", "p", "k", "loss"])
        table.idents[at.key] = ident
        table.samples[ident] = left
        table.spelled[ident] = untimed(replace(left, primes=0) if at.key in table.renewed else left)[0]
        table.roles[ident] = "state" if at.key in read else "name"
        table.shapes[ident] = tuple(unifier.fresh() for _ in range(table.ranks.get(at.key, 1)))


def _split(
    ident: str, right: Formula, express: Express, table: Table, scope: Forward
) -> Iterator[tuple[str, Value]]:
    """A line whose right side is an activation of an expression, in two lines; others as they are."""
    value = express(right)
    if value.expr.has(N.exp):  # exp(z) / sum(exp(z)) is a softmax, as what is written so is
        value = replace(value, expr=N.canonical(value.expr))
    if isinstance(right, Apply) and right.power is None:
        function = function_of(right.head, table)
        inner = _activated(value.expr, function in GENERIC)
        if isinstance(inner, Ref):
            if not isinstance(value.expr, N.softmax):
                table.before[ident] = inner.base
        elif inner is not None:
            name = identifier(f"net_{ident}", [*table.spelled, *table.roles])
            table.roles[name] = "name"
            if not isinstance(value.expr, N.softmax):
                table.before[ident] = name
            else:
                table.scores[ident] = name
            table.shapes[name] = value.shape
            yield name, Value(inner, value.shape)
            call = POINTWISE_FUNCTIONS[function] if function in GENERIC else value.expr.func
            rest = () if function in GENERIC else value.expr.args[1:]
            value = replace(value, expr=call(Ref(name, 0), *rest))
    yield ident, value


def _activated(expr: sp.Expr, generic: bool) -> sp.Expr | None:
    """What an activation is taken of."""
    if isinstance(expr, (N.sigma, N.tanh, N.softmax, N.relu, N.leaky_relu, N.elu, N.hard_sigmoid)):
        return expr.args[0]
    inner = [node.args[0] for node in expr.atoms(N.softplus)] if generic else []
    return next((z for z in inner if all((z - other).is_nonnegative for other in inner)), None)


def _sorted(equations: list[tuple[str, sp.Expr]]) -> list[tuple[str, sp.Expr]]:
    """Every line after those it reads at its own step."""
    names_ = {name for name, _ in equations}
    done: list[tuple[str, sp.Expr]] = []
    waiting = list(equations)
    while waiting:
        ready = {name for name, _ in done}
        for item in waiting:
            needs = {r.base for r in item[1].atoms(Ref) if r.lag == 0} & names_
            if needs <= ready:
                done.append(item)
                waiting.remove(item)
                break
        else:
            raise Unreadable("the forward equations read each other in a circle")
    return done


def _sizes(table: Table, unifier: Unifier) -> None:
    """A size symbol for every dimension: m of the first input, n of the first state, others as they come."""
    given = chain([N.p, N.k], (Size(f"q{i}") for i in count(1)))
    order = sorted(
        table.shapes, key=lambda ident: {"state": 0, "input": 1}.get(table.roles.get(ident, ""), 2)
    )
    taken: set[sp.Expr] = set()
    for ident in order:
        role = table.roles.get(ident)
        for size in unifier.resolve(table.shapes[ident]):
            for dummy in sorted(size.atoms(sp.Dummy), key=lambda d: d.dummy_index):
                if role == "input" and N.m not in taken:
                    chosen: sp.Expr = N.m
                elif role in ("state", "name") and N.n not in taken:
                    chosen = N.n
                else:
                    chosen = next(given)
                taken.add(chosen)
                unifier.known[dummy] = chosen
    for ident in table.shapes:
        table.shapes[ident] = unifier.resolve(table.shapes[ident])


def _declared(
    table: Table,
    equations: list[tuple[str, sp.Expr]],
    loss: sp.Expr | None,
    targets: list[str],
    outputs: list[str],
) -> list[Declared]:
    used = {r.base for _, e in equations for r in e.atoms(Ref)} | (
        {r.base for r in loss.atoms(Ref)} if loss is not None else set()
    )
    kinds = {"input": Input, "state": State}
    declared: list[Declared] = []
    for ident in sorted(table.roles, key=lambda ident: ident not in outputs):
        role, shape = table.roles[ident], table.shapes[ident]
        if ident not in used and role != "state":
            continue
        if ident in targets:
            declared.append(Target(*(shape or [()]), name=ident))
        elif role == "parameter":
            declared.append((Weight if len(shape) == 2 else Vector)(*(shape or [()]), name=ident))
        elif role == "hyper":
            declared.append(Hyper(0.7, name=ident))
        elif role in kinds:
            declared.append(kinds[role](*(shape or [()]), name=ident))
    return declared


def _compared(targets: list[str], loss: sp.Expr | None, table: Table) -> set[str]:
    """Inputs that the loss reads: what the network is compared with, as in a named error y - d."""
    read = {r.base for r in loss.atoms(Ref)} if loss is not None else set()
    return {base for base in read if table.roles.get(base) == "input" and base not in targets}


def _outputs(
    equations: list[tuple[str, sp.Expr]], table: Table, loss: sp.Expr | None, compared: set[str]
) -> tuple[list[tuple[str, sp.Expr]], list[str]]:
    """What nothing else reads at its own step; names that only gather others are dropped."""
    read = {r.base for _, e in equations for r in e.atoms(Ref) if r.lag == 0}
    read |= {r.base for r in loss.atoms(Ref)} if loss is not None else set()
    lines = dict(equations)
    gathers = (N.Concat, N.softmax, N.sigma) if loss is not None else (N.Concat,)

    def idles(name: str, expr: sp.Expr) -> bool:
        if name in read or table.roles[name] != "name":
            return False
        if any(r.base in compared for r in expr.atoms(Ref)):
            return True
        return isinstance(expr, gathers) or not any(r.lag == 0 and r.base in lines for r in expr.atoms(Ref))

    idle = [name for name, expr in equations if idles(name, expr)]
    if idle and len(idle) < len(equations):
        return _outputs([(name, expr) for name, expr in equations if name not in idle], table, loss, compared)
    return equations, [name for name, _ in equations if name not in read]
