"""NumPy: a program as the text of one self-contained module.

The template is the page; this module fills its holes: what is declared, and for each place of the
program its statements, each under the equations it carries out.
"""

from __future__ import annotations

import linecache
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.backends import Backend
from lstmsym.backends.numpy.names import Names, Sized
from lstmsym.backends.numpy.sizes import Dimension, dimensions, symbols, tuple_of
from lstmsym.backends.numpy.writer import Statement, Writer
from lstmsym.cell import Quantity
from lstmsym.notation import Ref
from lstmsym.program import Array, Phase, Program
from lstmsym.tidy import tidy


@dataclass(frozen=True)
class Body:
    """The statements of one direction, and what each step of the loop gives a short name first."""

    early: tuple[str, ...]
    before: tuple[Statement, ...]
    arrays: tuple[str, ...]
    views: tuple[str, ...]
    inside: tuple[Statement, ...]
    after: tuple[Statement, ...]
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Named:
    """A declared array and what the file calls what belongs to it.

    ``code`` is its own identifier, ``shape`` its shape as code, ``symbols`` as a tuple of size names,
    ``after`` as it stands behind (T, B; ``gradient`` is its gradient; of a state ``carry`` is what
    arrives from the next step and ``back`` what goes to the one before; of an output ``value`` is all
    steps of it, ``given`` its incoming gradient and ``argument`` how a caller passes that.
    """

    name: str
    code: str
    shape: str
    symbols: str
    after: str
    rank: int
    start: Any = None
    gradient: str = ""
    carry: str = ""
    back: str = ""
    value: str = ""
    given: str = ""
    argument: str = ""


@dataclass(frozen=True)
class Page:
    """Everything the template's holes take."""

    name: str
    doc: str
    equations: tuple[str, ...]
    products: str
    saved: str
    dimensions: tuple[Dimension, ...]
    inputs: tuple[Named, ...]
    states: tuple[Named, ...]
    outputs: tuple[Named, ...]
    targets: tuple[Named, ...]
    parameters: tuple[Named, ...]
    hypers: tuple[Named, ...]
    forward: Body
    backward: Body
    loss: tuple[Statement, ...]
    loss_name: str
    tape: tuple[str, ...]
    helpers: frozenset[str]
    stops: bool
    textbook: bool

    @property
    def required(self) -> tuple[Dimension, ...]:
        """The sizes without a default, that of the inputs first."""
        return tuple(sorted((d for d in self.dimensions if not d.default), key=lambda d: d.symbol != "m"))

    @property
    def size_names(self) -> str:
        """The sizes as the arguments of a call."""
        return ", ".join(d.name for d in self.dimensions)

    @property
    def size_keywords(self) -> str:
        """The sizes under the names that a caller gives them."""
        return ", ".join(d.keyword for d in self.dimensions)

    @property
    def sizes_tuple(self) -> str:
        """The sizes as a tuple, even where there is one."""
        return f"({self.size_names}{',' if len(self.dimensions) == 1 else ''})"

    @property
    def sizes_target(self) -> str:
        """The sizes as what a tuple of them is unpacked to."""
        return self.size_names if len(self.dimensions) > 1 else self.sizes_tuple

    def display(self, role: str, value: str, key: str = "{name}") -> str:
        """A dict display with an entry for each quantity of a role, its fields in the holes."""
        entries = (f'"{key}": {value}'.format_map(vars(q)) for q in getattr(self, role))
        return f"{{{', '.join(entries)}}}"

    @property
    def fan(self) -> str:
        """The size that the starting range of weights follows: n, or else the first of a state's."""
        wanted = ["n", *(d.symbol for d in self.dimensions if f'"{d.symbol}"' in self.states[0].symbols)]
        found = {d.symbol: d.keyword for d in self.dimensions}
        return next((found[s] for s in wanted if s in found), self.dimensions[0].keyword)

    @property
    def input_names(self) -> str:
        """The inputs as the arguments of a call."""
        return ", ".join(q.name for q in self.inputs)

    @property
    def hyper_arguments(self) -> str:
        """The hyperparameters in a signature, by keyword, with their defaults."""
        return "".join(f", {'*, ' * (not i)}{q.name}={q.start}" for i, q in enumerate(self.hypers))

    @property
    def hyper_values(self) -> str:
        """The hyperparameters, handed on in a call."""
        return "".join(f", {q.name}={q.name}" for q in self.hypers)


def page(program: Program) -> Page:
    """Fill the holes of the template."""
    names, helpers = Names(program), set[str]()
    stored = {a.name for a in program.forward_arrays}
    forward, backward = _forward(program, names, helpers), _backward(program, names, helpers)
    cell = program.cell
    loss = _loss(program, names, helpers)
    fields = (*program.inputs_read, *(a.name for a in program.saved))
    declare = _Declared(program, names, Writer(program, names, stored, "batched", helpers))
    # fmt: off
    return Page(
        cell.name, _first(cell.doc), tuple(str(cell).splitlines()),
        str(program.products).replace("*", " * "), _count(program), dimensions(program, names),
        declare("input"), declare("state"), tuple(map(declare.one, (cell.by_name[o] for o in cell.outputs))),
        declare("target"), declare("parameter"), declare("hyperparameter"),
        forward, backward, loss, names(cell.loss) if cell.loss else "",
        tuple(names(f) for f in fields), frozenset(helpers),
        any(e.expr.has(N.stop_gradient) for e in cell.equations), program.textbook,
    )
    # fmt: on


class _Declared:
    """Turns quantities into what the template says of them."""

    def __init__(self, program: Program, names: Names, batched: Writer) -> None:
        self.program, self.names, self.batched = program, names, batched

    def __call__(self, role: str) -> tuple[Named, ...]:
        return tuple(self.one(q) for q in self.program.cell.role(role))

    def one(self, q: Quantity) -> Named:
        program, names = self.program, self.names
        back = program.carried.get(q.name)
        given = program.given.get(q.name)
        gradient = program.gradients.get(q.name)
        inner = tuple_of(q.shape, names.sizes)[1:-1].rstrip(",")
        return Named(
            q.name,
            names(q.name),
            f"({inner}{',' if len(q.shape) == 1 else ''})",
            symbols(q.shape),
            f", {inner}" if inner else "",
            len(q.shape),
            q.start,
            gradient=names(gradient.base) if gradient is not None else "",
            carry=names.local(back.base.removesuffix("_prev"), "next") if back is not None else "",
            back=names(back.base) if back is not None else "",
            value=self.batched.name(Ref(q.name, 0)) if given is not None else "",
            given=names(given.base) if given is not None else "",
            argument="dy" if len(program.cell.outputs) == 1 else f"dy['{q.name}']",
        )


def _first(doc: str) -> str:
    return " ".join(doc.split()) if doc else "A recurrent cell."


def _count(program: Program) -> str:
    return str(sp.collect(program.saved_numbers, [sp.Symbol("T")])).replace("*", " * ")


def _forward(program: Program, names: Names, helpers: set[str]) -> Body:
    hoisted = {r.base for s in program.forward.before for r in s.target.atoms(Ref) if r.lag is not None}
    stored = {a.name for a in program.forward_arrays} | hoisted
    return _body(program, names, program.forward, program.forward_arrays, stored, "forward", helpers)


def _backward(program: Program, names: Names, helpers: set[str]) -> Body:
    hoisted = {r.base for s in program.backward.before for r in s.target.atoms(Ref) if r.lag is not None}
    stored = {
        a.name for a in (*program.saved, *program.backward_arrays) if a.time not in ("once", "sum")
    } | hoisted
    return _body(program, names, program.backward, program.backward_arrays, stored, "backward", helpers)


def _body(
    program: Program,
    names: Names,
    phase: Phase,
    arrays: tuple[Array, ...],
    stored: set[str],
    place: str,
    helpers: set[str],
) -> Body:
    """The statements of one direction; arrays that are filled before the loop come first."""
    batched = Writer(program, names, stored, "batched", helpers)
    loop = Writer(program, names, stored, place, helpers)
    before, inside, after = (
        tuple(writer.statement(s) for s in steps)
        for writer, steps in ((batched, phase.before), (loop, phase.inside), (batched, phase.after))
    )
    states = {q.name for q in program.cell.role("state")}
    whole = {s.target.base for s in (*phase.before, *phase.after) if isinstance(s.target, Ref)} - states
    filled = {r.base for s in phase.before for r in _home(program, s.target).atoms(Ref)}
    made = [a for a in arrays if a.name not in whole]
    early = tuple(f"{name} = {code}" for writer in (batched, loop) for code, name in writer.rows.items())
    early += tuple(_empty(names, a) for a in made if a.name in filled)
    late = tuple(_empty(names, a) for a in made if a.name not in filled)
    parameters = _parameters(program, names, batched.used | loop.used)
    return Body(early, before, late, _views(program, names, loop, stored), inside, after, parameters)


def _home(program: Program, target: sp.Expr) -> sp.Expr:
    return program.aliases.get(target.base, target) if isinstance(target, Ref) else target


def _loss(program: Program, names: Names, helpers: set[str]) -> tuple[Statement, ...]:
    writer = Writer(program, names, set(), "batched", helpers)
    outputs = set(program.cell.outputs)
    plain = writer.all_steps
    writer.all_steps = lambda ref: names(ref.base) if ref.base in outputs else plain(ref)  # type: ignore[method-assign]
    return tuple(writer.statement(s) for s in program.loss)


def _empty(names: Names, array: Array) -> str:
    lead = {"all": ["T", "B"], "state": ["T + 1", "B"], "once": [], "sum": []}[array.time]
    fill = "zeros" if array.time == "sum" else "empty"
    show = Sized(names.sizes)
    dims = [*lead, *(show(s) for s in array.shape)]
    return f"{names(array.name)} = np.{fill}(({', '.join(dims)}{',' if len(dims) == 1 else ''}), dtype)"


def _parameters(program: Program, names: Names, used: Iterable[Ref]) -> tuple[tuple[str, str], ...]:
    """(name, identifier) of the parameters that a direction reads."""
    bases = {ref.base for ref in used if ref.lag is None}
    return tuple((q.name, names(q.name)) for q in program.cell.role("parameter") if q.name in bases)


def _views(program: Program, names: Names, loop: Writer, stored: set[str]) -> tuple[str, ...]:
    """What a step gives a short name before it starts: memories, stored arrays, parts of shared ones."""
    lines: list[str] = []
    states = {q.name for q in program.cell.role("state")}
    for ref in sorted(loop.used, key=lambda r: (program.order.get(r.base, 10**6), r.base, r.lag or 0)):
        if ref.lag == -1 and ref.base in states:
            lines.append(f"{names.local(ref.base, 'prev')} = {names(ref.base)}[t]")
        elif ref.lag == 0 and ref.base in stored and ref.base not in program.aliases:
            index = "t + 1" if ref.base in states else "t"
            lines.append(f"{names.local(ref.base, 't')} = {names(ref.base)}[{index}]")
    lines += [f"{name} = {text}" for name, (_, text) in sorted(loop.views.items(), key=lambda v: v[1])]
    return tuple(lines)


def load(text: str, name: str) -> Any:
    """The emitted module, run from its text, which is made from a program and never from a document."""
    module = types.ModuleType(name)
    filename = f"<lstmsym {name}>"
    module.__dict__["__file__"] = filename
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    exec(compile(text, filename, "exec"), module.__dict__)
    return module


BACKEND = Backend("numpy", ".py", "numpy/cell.py.j2", page, load, tidy)
