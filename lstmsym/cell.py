"""A cell: a page of forward equations with what it declares, shape-checked and frozen.

The class body *is* the page: ``class LSTM(Cell)`` gives no class but the frozen value, because the
metaclass hands the body a namespace in which assigning an expression to a name records an equation
and gives the name's symbol back (as `enum` does).  Cells never inherit equations.
"""

from __future__ import annotations

import builtins
import difflib
import keyword
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn

import sympy as sp

from lstmsym import notation as N
from lstmsym.declare import Declared, Hyper, Parameter, Timed
from lstmsym.notation import NotationError, Ref, Size, author_line
from lstmsym.printing import Latex, Printer, display
from lstmsym.rules import shape_of
from lstmsym.shapes import Shape, ShapeError, Unifier, spelled

RESERVED = frozenset({"t", "params", "tape", "grads", "state0", "dstate", "rng", "dtype", "targets", "np"})
"""Names that the signature of generated code needs for itself."""


@dataclass(frozen=True)
class Equation:
    """``name = expression``, a line of the paper; ``where`` is the file and line it stands on."""

    name: Ref
    expr: sp.Expr
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Quantity:
    """Something a cell speaks of: its role, its shape, and how a parameter or hyperparameter starts.

    Roles: input, state, parameter, target, hyperparameter, output, loss, name (an intermediate).
    """

    name: str
    role: str
    shape: Shape
    start: str | float | None = None
    constant: bool = False
    """True for what has no time: parameters, hyperparameters and names made of them alone."""

    @property
    def now(self) -> Ref:
        """The reference at step t (or without time)."""
        return Ref(self.name) if self.constant else Ref(self.name, 0)


class Page(dict[str, Any]):
    """The namespace of a cell's class body."""

    def __init__(self, cell: str) -> None:
        """Open an empty page for the cell named."""
        super().__init__()
        self.cell = cell
        self.declared: dict[str, Declared] = {}
        self.equations: list[Equation] = []

    def __setitem__(self, key: str, value: Any) -> None:
        """A declaration, a size, or ``name = expression``."""
        if key.startswith("__") or isinstance(value, Size):
            super().__setitem__(key, value)
        elif isinstance(value, Declared):
            self.declare(key, value)
        elif isinstance(value, tuple) and value and all(isinstance(v, Declared) for v in value):
            self.fail(f"{key} = {len(value)} declarations: unpack them, one name each")
        else:
            self.equation(key, value)

    def __missing__(self, key: str) -> Any:
        """A name of the file around the page, or one of our functions, or a clear error."""
        frame = sys._getframe(1)
        if key in frame.f_globals:
            raise KeyError(key)
        if key in N.FUNCTIONS:
            return N.FUNCTIONS[key]
        if hasattr(builtins, key):
            raise KeyError(key)
        self.fail(self.unknown(key))

    def unknown(self, key: str) -> str:
        """The sentence for a name nobody has defined."""
        close = difflib.get_close_matches(key, [*self, *N.FUNCTIONS], n=1)
        hint = f"did you mean {close[0]}?" if close else "declare it, or define it in an earlier line"
        return f"{key} is not defined; {hint}"

    def declare(self, key: str, value: Declared) -> None:
        """Take in a declaration under its name."""
        self.check_name(key)
        try:
            named = value.named(key)
        except NotationError as error:
            self.fail(str(error))
        if isinstance(named, Timed):
            named.page = self
        self.declared[key] = named
        super().__setitem__(key, named)

    def equation(self, key: str, value: Any) -> None:
        """Write down ``key = value`` and give the name its symbol."""
        timed = isinstance(self.declared.get(key), Timed)
        if not timed:
            self.check_name(key)
        elif any(e.name.base == key for e in self.equations):
            self.fail(f"{key}[t] is defined twice")
        try:
            expr = N.canonical(value)
        except NotationError as error:
            self.fail(f"in {key} = ...: {error}")
        constant = not timed and all(r.lag is None for r in expr.atoms(Ref))
        name = Ref(key) if constant else Ref(key, 0)
        self.equations.append(Equation(name, expr, author_line()))
        if not timed:
            super().__setitem__(key, name)

    def check_name(self, key: str) -> None:
        """Refuse a name that is taken or that generated code could not carry."""
        if key in self:
            self.fail(f"{key} is defined twice")
        if not (key.isascii() and key.isidentifier()) or keyword.iskeyword(key):
            self.fail(f"{key!r} is no identifier: use ASCII letters, digits and _")
        if key in RESERVED:
            self.fail(f"{key} is reserved for generated code: choose another name")

    def fail(self, message: str) -> NoReturn:
        """Raise the message with the cell and the line of the page."""
        where = author_line()
        raise NotationError(f"{where}: {self.cell}: {message}" if where else f"{self.cell}: {message}")


class _PageMeta(type):
    """Gives a cell's class body its page, and turns the page into a frozen `Cell`."""

    @classmethod
    def __prepare__(mcs, name: str, bases: tuple[type, ...], /, **_: Any) -> Any:
        return Page(name) if bases else {}

    def __new__(mcs, name: str, bases: tuple[type, ...], body: Any, **_: Any) -> Any:
        if not bases:
            return super().__new__(mcs, name, bases, body)
        return build(name, body, body.get("__doc__") or "", body.get("__module__", ""))


@dataclass(frozen=True)
class Cell(metaclass=_PageMeta):
    """Ordered forward equations with declared inputs, states and parameters.

    ``quantities`` holds everything the cell speaks of, in order of appearance, with its shape;
    ``outputs`` are the names handed out at each step; ``loss`` is the name of the per-step loss.
    """

    name: str
    doc: str = field(compare=False)
    quantities: tuple[Quantity, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[str, ...]
    loss: str | None
    module: str = field(default="", compare=False)

    @staticmethod
    def from_equations(
        name: str,
        declare: Iterable[Declared | Size],
        equations: Iterable[tuple[Ref | str, Any]],
        doc: str = "",
    ) -> Cell:
        """The same value without the sugar: declarations with names, then (name, expression) pairs.

        An intermediate is referred to as ``Ref("i", 0)``.

        Raises:
            NotationError: as for a class body.
        """
        page = Page(name)
        for item in declare:
            page[item.name] = item
        for left, expr in equations:
            page.equation(left.base if isinstance(left, Ref) else left, expr)
        return build(name, page, doc)

    def role(self, *roles: str) -> tuple[Quantity, ...]:
        """The quantities in any of these roles, in order of declaration."""
        return tuple(q for q in self.quantities if q.role in roles)

    @cached_property
    def by_name(self) -> Mapping[str, Quantity]:
        """Name -> quantity."""
        return {q.name: q for q in self.quantities}

    @cached_property
    def order(self) -> Mapping[str, int]:
        """Name -> place, for printing: what is given as declared, then what is computed, line by line."""
        computed = [e.name.base for e in self.equations]
        given = [q.name for q in self.quantities if q.name not in computed]
        return {name: place for place, name in enumerate([*given, *computed])}

    @cached_property
    def sizes(self) -> tuple[Size, ...]:
        """The size symbols in the shapes, m and n first."""
        found = {s for q in self.quantities for dim in q.shape for s in dim.atoms(Size)} | {N.n}
        return tuple(sorted(found, key=lambda s: ("mn".find(s.name) if s.name in "mn" else 2, s.name)))

    def _repr_latex_(self) -> str:
        show = Latex(self.order)
        return display(rf"{show(e.name)} &= {show(e.expr)}" for e in self.equations)

    def __str__(self) -> str:
        """The page, equations aligned."""
        show = Printer(self.order)
        width = builtins.max(len(str(e.name)) for e in self.equations)
        return "\n".join(f"{e.name!s:{width}} = {show(e.expr)}" for e in self.equations)


def build(name: str, page: Page, doc: str, module: str = "") -> Cell:
    """Check a page and freeze it.

    Raises:
        NotationError: with the cell, the equation and the remedy.
    """
    _check_definitions(page)
    shapes = _shapes(page)
    loss = _loss(page, shapes)
    outputs = _outputs(page, loss)
    _check_uses(page, loss, outputs)
    quantities = tuple(_quantity(page, key, shape, loss) for key, shape in shapes.items())
    return Cell(name, doc, quantities, tuple(page.equations), outputs, loss, module)


def _quantity(page: Page, key: str, shape: Shape, loss: str | None) -> Quantity:
    thing = page.declared.get(key)
    if isinstance(thing, Parameter):
        return Quantity(key, thing.role, shape, thing.init, constant=True)
    if isinstance(thing, Hyper):
        return Quantity(key, thing.role, shape, thing.default, constant=True)
    if thing is not None:
        return Quantity(key, thing.role, shape)
    constant = any(e.name == Ref(key) for e in page.equations)
    return Quantity(key, "loss" if key == loss else "name", shape, constant=constant)


def _blame(page: Page, equation: Equation, message: str) -> NoReturn:
    where = f"{equation.where}: " if equation.where else ""
    order = {key: place for place, key in enumerate(page)}
    raise NotationError(
        f"{where}{page.cell}: in {equation.name} = {Printer(order)(equation.expr)}: {message}"
    )


def _check_definitions(page: Page) -> None:
    if not page.equations:
        raise NotationError(f"{page.cell}: no equations")
    assigned = {e.name.base for e in page.equations}
    for key, thing in page.declared.items():
        if isinstance(thing, Timed) and thing.role in ("state", "output", "loss") and key not in assigned:
            raise NotationError(
                f"{page.cell}: {thing.role} {key} is never assigned: add a line {key}[t] = ..."
            )
    if not any(thing.role == "state" for thing in page.declared.values()):
        raise NotationError(f"{page.cell}: no state: a recurrent cell declares at least one State()")
    seen: set[str] = set()
    for equation in page.equations:
        for ref in sorted(equation.expr.atoms(Ref), key=str):
            if ref.lag != -1 and ref.base in assigned and ref.base not in seen:
                _blame(page, equation, f"{ref} is used before it is defined: move its line up")
            if ref.base not in assigned and ref.base not in page.declared:
                _blame(page, equation, page.unknown(ref.base))
        seen.add(equation.name.base)


def _shapes(page: Page) -> dict[str, Shape]:
    u = Unifier()
    shapes: dict[str, Shape] = {
        key: tuple(u.fresh() if d is None else d for d in thing.dims)
        for key, thing in page.declared.items()
        if thing.role != "output" or None not in thing.dims  # such an output has the shape of its line
    }
    for key, thing in page.declared.items():
        if thing.role in ("input", "state") and None in thing.dims:
            u.same(shapes[key], tuple(_usual(thing.role) if d is None else d for d in thing.dims), "")
    for equation in page.equations:
        key = equation.name.base
        try:
            shape = shape_of(equation.expr, lambda ref: shapes[ref.base], u)
            if key in shapes:
                fix = f"declare {key} with the shape of its right side, or change the line"
                shape = u.same(shapes[key], shape, fix)
        except ShapeError as error:
            _blame(page, equation, f"{spelled(error.left)} does not fit {spelled(error.right)}; {error.fix}")
        shapes[key] = shape
    return {key: u.settle(shape) for key, shape in shapes.items()}


def _usual(role: str) -> Size:
    return N.m if role == "input" else N.n


def _reads(page: Page) -> dict[str, set[str]]:
    """Name -> the names of the equations that read it."""
    reads: dict[str, set[str]] = {}
    for equation in page.equations:
        for ref in equation.expr.atoms(Ref):
            reads.setdefault(ref.base, set()).add(equation.name.base)
    return reads


def _loss(page: Page, shapes: dict[str, Shape]) -> str | None:
    declared = [key for key, thing in page.declared.items() if thing.role == "loss"]
    targets = {key for key, thing in page.declared.items() if thing.role == "target"}
    reads = _reads(page)
    sinks = [
        e.name.base
        for e in page.equations
        if e.name.base not in reads and e.name.base not in page.declared and shapes[e.name.base] == ()
    ]
    losses = declared + sinks
    if len(losses) > 1:
        raise NotationError(
            f"{page.cell}: two losses, {' and '.join(losses)}: a cell has one loss, add them up in it"
        )
    if targets and not losses:
        raise NotationError(
            f"{page.cell}: target {min(targets)} has no loss:"
            f" add a scalar line such as l = sum((h[t] - {min(targets)}[t])**2)"
        )
    return losses[0] if losses else None


def loss_part(
    equations: Iterable[Equation], loss: str | None, targets: Iterable[str]
) -> tuple[Equation, ...]:
    """The lines that only training needs: those that read a target, directly or not, and the loss."""
    tainted = {*targets, *({loss} if loss else ())}
    part = []
    for equation in equations:
        if equation.name.base == loss or any(r.base in tainted for r in equation.expr.atoms(Ref)):
            tainted.add(equation.name.base)
            part.append(equation)
    return tuple(part)


def _outputs(page: Page, loss: str | None) -> tuple[str, ...]:
    declared = tuple(key for key, thing in page.declared.items() if thing.role == "output")
    targets = [key for key, thing in page.declared.items() if thing.role == "target"]
    part = loss_part(page.equations, loss, targets)
    inside = {e.name.base for e in part}
    for equation in part:
        if isinstance(page.declared.get(equation.name.base), Timed) and equation.name.base != loss:
            _blame(
                page, equation, "a state or output cannot depend on a target: it is unknown outside training"
            )
    read: list[str] = []
    for equation in part:
        for ref in sorted(equation.expr.atoms(Ref), key=str):
            if ref.base in inside or ref.base in targets or isinstance(page.declared.get(ref.base), Hyper):
                continue
            if ref.lag != 0 or (ref.base in page.declared and page.declared[ref.base].role == "input"):
                _blame(page, equation, f"the loss reads {ref}; it may read values of step t and targets only")
            read.append(ref.base)
    states = [key for key, thing in page.declared.items() if thing.role == "state"]
    assigned = [e.name.base for e in page.equations]
    wanted = [key for key in assigned if key in set(read) | set(declared)]
    return tuple(wanted or states[:1])


def _check_uses(page: Page, loss: str | None, outputs: tuple[str, ...]) -> None:
    reads = _reads(page)
    for key, thing in page.declared.items():
        if key not in reads and thing.role in ("input", "parameter", "hyperparameter", "target"):
            raise NotationError(
                f"{page.cell}: {thing.role} {key} is never used: use it in an equation or delete it"
            )
    for equation in page.equations:
        key = equation.name.base
        if key not in reads and key not in page.declared and key != loss and key not in outputs:
            _blame(
                page,
                equation,
                f"{key} is computed and never used: declare {key} = Output(), or delete the line",
            )
