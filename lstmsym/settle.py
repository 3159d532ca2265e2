"""What the equations of a page settle: shapes, loss and outputs; and what is wrong with them together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from lstmsym import notation as N
from lstmsym.declare import Hyper, Loss, Timed
from lstmsym.mistakes import NotationError, quoted, sentence
from lstmsym.notation import Ref, Size
from lstmsym.page import Equation, Page
from lstmsym.printing import Printer
from lstmsym.rules import shape_of
from lstmsym.shapes import Shape, ShapeError, Unifier, spelled


def check_definitions(page: Page) -> None:
    """Refuse what is declared and not defined, and what is read before or without being defined."""
    if not page.equations:
        _fail(page, page.where, "no equations: add lines such as h[t] = ...")
    assigned = {e.name.base for e in page.equations}
    for key, thing in page.declared.items():
        if thing.defined and key not in assigned:
            _fail(page, thing.where, f"{thing.role} {key} is never assigned: add a line {key}[t] = ...")
    roles = {thing.role for thing in page.declared.values()}
    if "state" not in roles:
        _fail(page, page.where, "no state: a recurrent cell declares at least one State()")
    if "input" not in roles:
        advice = "declare one, x = Input() or a number u = Input(scalar), and use it in an equation"
        _fail(page, page.where, f"no input: steps and samples are counted by what comes in; {advice}")
    seen: set[str] = set()
    for equation in page.equations:
        for ref in sorted(equation.expr.atoms(Ref), key=str):
            if ref.lag != -1 and ref.base in assigned and ref.base not in seen:
                _blame(page, equation, f"{ref} is used before it is defined: move its line up")
            if ref.base not in assigned and ref.base not in page.declared:
                _blame(page, equation, page.unknown(ref.base))
        seen.add(equation.name.base)


def _blame(page: Page, equation: Equation, message: str) -> NoReturn:
    order = {key: place for place, key in enumerate(page)}
    spelled = f"{equation.name} = {Printer(order)(equation.expr)}"
    _fail(page, equation.where, message, quoted(equation.where) or spelled)


def _fail(page: Page, where: str, message: str, equation: str = "") -> NoReturn:
    raise NotationError(sentence(where, page.title, equation, message))


def shapes_of(page: Page) -> dict[str, Shape]:
    """The shape of every name, or the equation whose sides do not fit."""
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
                if isinstance(page.declared.get(key), Loss):
                    fix = f"a loss is one number: add its entries up, {key}[t] = sum(...)"
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


def loss_of(page: Page, shapes: dict[str, Shape]) -> str | None:
    """The declared loss, or the one scalar line that no other reads."""
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
        second = next(e for e in reversed(page.equations) if e.name.base in losses)
        _blame(page, second, f"two losses, {' and '.join(losses)}: a cell has one loss, add them up in it")
    if targets and not losses:
        for line in loss_part(page.equations, None, targets):
            if line.name.base not in reads and line.name.base not in page.declared:
                key, shape = line.name.base, spelled(shapes[line.name.base])
                _blame(page, line, f"{key} is {shape} and a loss is one number: write {key} = sum(...)")
        target = min(targets)
        advice = f"add a scalar line such as l = sum((h[t] - {target}[t])**2)"
        _fail(page, page.declared[target].where, f"target {target} has no loss: {advice}")
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


def outputs_of(page: Page, loss: str | None) -> tuple[str, ...]:
    """What is handed out: declared outputs and what the loss reads, or else the first state."""
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
                advice = (
                    f"declare e = Output(), put what needs {ref} in e[t] = ..., and let the loss read e[t]"
                )
                _blame(
                    page,
                    equation,
                    f"the loss reads {ref}; it may read values of step t and targets only: {advice}",
                )
            read.append(ref.base)
    states = [key for key, thing in page.declared.items() if thing.role == "state"]
    assigned = [e.name.base for e in page.equations]
    wanted = [key for key in assigned if key in set(read) | set(declared)]
    return tuple(wanted or states[:1])


def check_uses(page: Page, loss: str | None, outputs: tuple[str, ...]) -> None:
    """Refuse what is declared or computed and never read."""
    reads = _reads(page)
    for key, thing in page.declared.items():
        if key not in reads and thing.role in ("input", "parameter", "hyperparameter", "target"):
            advice = "use it in an equation or delete it"
            _fail(page, thing.where, f"{thing.role} {key} is never used: {advice}")
    for equation in page.equations:
        key = equation.name.base
        if key not in reads and key not in page.declared and key != loss and key not in outputs:
            _blame(
                page,
                equation,
                f"{key} is computed and never used: declare {key} = Output(), or delete the line",
            )
