"""NumPy: a program as the text of one self-contained module.

The template is the page; this module fills its holes: names that meet nothing else in the file, and
for each place of the program its statements, each under the equations it carries out.
"""

from __future__ import annotations

import keyword
import linecache
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.backends import Backend
from lstmsym.backends.numpy_spelling import HELPERS, UFUNCS, NumPy
from lstmsym.cell import Quantity
from lstmsym.notation import NotationError, Ref, Size
from lstmsym.printing import ATOM, PRODUCT, Printer, is_negative
from lstmsym.program import Array, Program, Step
from lstmsym.shapes import Shape

TAKEN = frozenset(
    "np T B t dtype params state state0 dstate tape dy grads loss rng shapes sizes check initial namedtuple"
    " rows each pad spread main Tape Grads INPUTS STATES OUTPUTS TARGETS SIZES HYPERPARAMETERS targets".split()
) | set(HELPERS.values())  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """Code under the comments that say what it computes."""

    comments: tuple[str, ...]
    code: tuple[str, ...]


@dataclass(frozen=True)
class Body:
    """The statements of one direction, and what each step of the loop gives a short name first."""

    before: tuple[Statement, ...]
    arrays: tuple[str, ...]
    views: tuple[str, ...]
    inside: tuple[Statement, ...]
    carry: tuple[str, ...]
    after: tuple[Statement, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Dimension:
    """A size symbol in the file: its name, its keyword, its default, how it is read off the arguments."""

    symbol: str
    name: str
    keyword: str
    default: str | None
    source: str


@dataclass(frozen=True)
class Named:
    """A declared array: its name, its shape as code and as symbols, how it starts."""

    name: str
    shape: str
    symbols: str
    start: Any


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
    tape_values: tuple[str, ...]
    helpers: frozenset[str]
    gradients: dict[str, str]
    carried: dict[str, str]
    output_values: dict[str, str]
    final_states: dict[str, str]
    output_gradients: dict[str, str]


class Names:
    """The identifiers of the file: the author's names where they are free, with ``_`` behind where not."""

    def __init__(self, program: Program) -> None:
        """Reserve what the template itself uses; settle the sizes first."""
        self.program = program
        self.given: dict[str, str] = {}
        self.used: set[str] = set(TAKEN)
        taken = set(program.shapes) | self.used
        self.sizes: dict[str, str] = {}
        for size in program.cell.sizes:
            free = size.name not in taken
            self.sizes[size.name] = size.name if free else size.keyword
            self.used.add(self.sizes[size.name])
        self.sizes |= {"T": "T", "B": "B"}
        for q in program.cell.quantities:
            self(q.name)

    def __call__(self, name: str) -> str:
        """The identifier for a name, always the same one."""
        if name not in self.given:
            made = name
            while made in self.used or keyword.iskeyword(made):
                made += "_"
            self.used.add(made)
            self.given[name] = made
        return self.given[name]


class Writer:
    """Writes the statements of one context: all steps at once, or one step of a loop."""

    def __init__(self, program: Program, names: Names, stored: set[str], place: str, helpers: set[str]) -> None:
        """``stored`` are the arrays that hold all steps; ``place`` is batched, forward or backward."""
        self.program, self.names, self.stored, self.place = program, names, stored, place
        self.states = {q.name for q in program.cell.role("state")}
        self.inputs = {q.name for q in program.cell.role("input")}
        self.given = {ref.base: output for output, ref in program.given.items()}
        self.back = {ref.base: state for state, ref in program.carried.items()}
        self.used: set[Ref] = set()
        self.spell = NumPy(
            program.order, program.shapes, self.name, names.sizes, place == "batched", helpers
        )

    def name(self, ref: Ref) -> str:
        """The text of a reference in this context."""
        self.used.add(ref)
        if ref.lag is None:
            return self.names(ref.base)
        return self.all_steps(ref) if self.place == "batched" else self.one_step(ref)

    def all_steps(self, ref: Ref) -> str:
        """All steps at once: the array, of a state the part after or before each step."""
        if ref.base in self.given:
            return self.names(f"{ref.base}")
        if ref.base in self.program.aliases:
            return self.spell(self.program.aliases[ref.base])
        if ref.base in self.states:
            return f"{self.names(ref.base)}[{'1:' if ref.lag == 0 else ':-1'}]"
        return self.names(ref.base)

    def one_step(self, ref: Ref) -> str:
        """One step: a short name; what is stored is ``x_t``, a memory ``x_prev``, a carry ``x_next``."""
        if ref.lag == 1:
            return self.names(f"{ref.base.removesuffix('_prev')}_next")
        if ref.lag == -1:
            return self.names(f"{ref.base}_prev")
        if ref.base in self.given or ref.base in self.inputs:
            return f"{self.names(ref.base)}[t]"
        if ref.base in self.stored:
            return self.names(f"{ref.base}_t")
        return self.names(ref.base)

    # -- statements --------------------------------------------------------------------------------

    def statement(self, step: Step) -> Statement:
        """The code of a step under its comments."""
        comments = tuple(f"grad of: {a}" for a in step.answers) + step.says
        return Statement(comments, tuple(self.code(step)))

    def code(self, step: Step) -> list[str]:
        """One or two lines: into storage without temporaries where that is plain, else an assignment."""
        target, expr = step.target, step.expr
        if not isinstance(target, Ref):
            return self.store(self.spell(target), target, expr, step.add)
        self.used.add(target)
        home = self.program.aliases.get(target.base)
        if home is not None:
            return self.store(self.spell(home), home, expr, step.add)
        if self.place == "batched" or target.base not in self.stored or target.lag is None:
            if step.add:
                return [f"{self.name(target)} += {self.spell(expr)}"]
            return [f"{self.assigned(target)} = {self.spread(target, expr)}"]
        return self.store(self.name(target), target, expr, step.add)

    def assigned(self, target: Ref) -> str:
        """The name on the left of a plain assignment."""
        if self.place == "batched" and target.base not in self.states:
            return self.names(target.base)
        return self.name(target)

    def spread(self, target: Ref, expr: sp.Expr) -> str:
        """The right side; zero is an array of zeros."""
        if expr == 0:
            return f"np.zeros_like({self.names(target.base.removesuffix('_prev') + '_next')})"
        return self.spell(expr)

    def store(self, text: str, target: sp.Expr, expr: sp.Expr, add: bool) -> list[str]:
        """Write into storage."""
        if add:
            return [f"{text} {'-' if is_negative(expr) else '+'}= {self.spell(-expr if is_negative(expr) else expr)}"]
        whole = text if text.endswith("]") else f"{text}[...]"
        if self.place == "batched":
            return self.batched_store(text, whole, target, expr)
        factors = sp.Mul.make_args(expr)
        if target in factors:
            return [f"{text} *= {self.spell.at(sp.Mul(*(f for f in factors if f != target)), PRODUCT)}"]
        if target.free_symbols <= expr.free_symbols and expr.has(target):
            return self.ufunc(text, expr) or [f"{whole} = {self.spell(expr)}"]
        return self.ufunc(text, expr) or self.sum(text, expr) or [f"{whole} = {self.spell(expr)}"]

    def batched_store(self, text: str, whole: str, target: sp.Expr, expr: sp.Expr) -> list[str]:
        """Write all steps at once; a sum of outer products goes straight into its place."""
        inner = expr.args[0] if isinstance(expr, N.Total) else None
        if isinstance(inner, N.Outer):
            left, right = self.spell.flat(inner.args[0]), self.spell.flat(inner.args[1])
            return [f"np.matmul({left}.T, {right}, out={text})"]
        return [f"{whole} = {self.spell(expr)}"]

    def ufunc(self, text: str, expr: sp.Expr) -> list[str]:
        """A function with an ``out`` argument."""
        name = type(expr).__name__
        if name in UFUNCS:
            return [f"{self.spell.call(UFUNCS[name], expr.args)[:-1]}, out={text})"]
        if name == "sigma":
            self.spell.helpers.add(name)
            return [f"sigmoid({self.spell(expr.args[0])}, out={text})"]
        if isinstance(expr, N.Dot) and " @ " in (product := self.spell(expr)) and product.count("@") == 1:
            return [f"np.matmul({product.replace(' @ ', ', ')}, out={text})"]
        return []

    def sum(self, text: str, expr: sp.Expr) -> list[str]:
        """A product, then the further terms of a sum, added in place."""
        terms = sorted(sp.Add.make_args(expr), key=self.spell.term_key)
        shape = self.spell.shape(expr)
        first = next((term for term in terms if self.plain(term, shape)), None)
        if first is None:
            return []
        above, below = self.spell.fraction(first)
        product = ", ".join((self.spell(above[0]), self.spell.product(above[1:])))
        lines = [f"np.multiply({product}, out={text})"]
        for term in terms:
            if term != first:
                lines += self.store(text, sp.Integer(0), term, True)
        return lines if not below else []

    def plain(self, term: sp.Expr, shape: Shape) -> bool:
        """Whether a term is a product of factors that all have the target's axes."""
        above, below = self.spell.fraction(term)
        timed = all(self.spell.timed(f) and self.spell.shape(f) == shape for f in above)
        return len(above) > 1 and not below and not is_negative(term) and timed


def page(program: Program) -> Page:
    """Fill the holes of the template."""
    names, helpers = Names(program), set[str]()
    stored = {a.name for a in program.forward_arrays}
    forward = _forward(program, names, stored, helpers)
    backward = _backward(program, names, stored, helpers)
    cell = program.cell
    loss = _loss(program, names, helpers)
    fields = (*program.inputs_read, *(a.name for a in program.saved))
    single = len(cell.outputs) == 1
    batched = Writer(program, names, stored, "batched", helpers)
    # fmt: off
    return Page(
        cell.name, _first(cell.doc), tuple(str(cell).splitlines()),
        str(program.products).replace("*", " * "), _count(program, names),
        _dimensions(program, names),
        _named(program, names, cell.role("input")), _named(program, names, cell.role("state")),
        _named(program, names, tuple(cell.by_name[o] for o in cell.outputs)),
        _named(program, names, cell.role("target")),
        _named(program, names, cell.role("parameter")), _named(program, names, cell.role("hyperparameter")),
        forward, backward, loss, names(cell.loss) if cell.loss else "",
        tuple(names(f) for f in fields), tuple(names(f) for f in fields), frozenset(helpers),
        {q: names(ref.base) for q, ref in program.gradients.items()},
        {s: names(f"{ref.base.removesuffix('_prev')}_next") for s, ref in program.carried.items()},
        {o: batched.name(Ref(o, 0)) for o in cell.outputs},
        {q.name: f"{names(q.name)}[T]" for q in cell.role("state")},
        {o: names(ref.base) for o, ref in program.given.items()} if not single else {cell.outputs[0]: names(program.given[cell.outputs[0]].base)},
    )
    # fmt: on


def _first(doc: str) -> str:
    return " ".join(doc.split()) if doc else "A recurrent cell."


def _count(program: Program, names: Names) -> str:
    return str(sp.collect(program.saved_numbers, [sp.Symbol("T")])).replace("*", " * ")


def _forward(program: Program, names: Names, stored: set[str], helpers: set[str]) -> Body:
    batched = Writer(program, names, stored, "batched", helpers)
    loop = Writer(program, names, stored, "forward", helpers)
    before = tuple(batched.statement(s) for s in program.forward.before)
    inside = tuple(loop.statement(s) for s in program.forward.inside)
    after = tuple(batched.statement(s) for s in program.forward.after)
    whole = {s.target.base for s in program.forward.before if isinstance(s.target, Ref)}
    arrays = tuple(_empty(names, a) for a in program.forward_arrays if a.name not in whole)
    early = tuple(a for a in arrays if any(a.startswith(f"{names(p.name)} ") for p in program.forward_arrays if p.time == "all"))
    arrays = (*early, *(a for a in arrays if a not in early))
    written = {r for s in program.forward.inside for r in s.target.atoms(Ref)}
    views = _views(program, names, loop, stored, written)
    parameters = _parameters(program, batched.used | loop.used)
    return Body(before, arrays, views, inside, (), after, parameters)


def _backward(program: Program, names: Names, kept: set[str], helpers: set[str]) -> Body:
    stored = {a.name for a in program.saved if a.time != "once"} | {a.name for a in program.backward_arrays if a.time != "once"}
    batched = Writer(program, names, stored, "batched", helpers)
    loop = Writer(program, names, stored, "backward", helpers)
    before_names = {r.base for s in program.backward.before for r in s.target.atoms(Ref)}
    stored |= before_names
    before = tuple(batched.statement(s) for s in program.backward.before)
    inside = tuple(loop.statement(s) for s in program.backward.inside)
    after = tuple(batched.statement(s) for s in program.backward.after)
    arrays = tuple(_empty(names, a) for a in program.backward_arrays)
    views = _views(program, names, loop, stored, set())
    carry = tuple(
        f"{names(ref.base.removesuffix('_prev') + '_next')} = {names(ref.base)}" for ref in program.carried.values()
    )
    parameters = _parameters(program, batched.used | loop.used)
    return Body(before, arrays, views, inside, carry, after, parameters)


def _loss(program: Program, names: Names, helpers: set[str]) -> tuple[Statement, ...]:
    writer = Writer(program, names, set(), "batched", helpers)
    outputs = set(program.cell.outputs)
    plain = writer.all_steps
    writer.all_steps = lambda ref: names(ref.base) if ref.base in outputs else plain(ref)  # type: ignore[method-assign]
    return tuple(writer.statement(s) for s in program.loss)


def _empty(names: Names, array: Array) -> str:
    lead = {"all": ["T", "B"], "state": ["T + 1", "B"], "once": []}[array.time]
    show = Printer()
    show.size = lambda symbol: names.sizes.get(symbol.name, symbol.name)  # type: ignore[method-assign]
    dims = [*lead, *(show(s) for s in array.shape)]
    return f"{names(array.name)} = np.empty(({', '.join(dims)}{',' if len(dims) == 1 else ''}), dtype)"


def _parameters(program: Program, used: Iterable[Ref]) -> tuple[str, ...]:
    bases = {ref.base for ref in used if ref.lag is None}
    return tuple(q.name for q in program.cell.role("parameter") if q.name in bases)


def _views(program: Program, names: Names, loop: Writer, stored: set[str], written: set[Ref]) -> tuple[str, ...]:
    """What a step gives a short name before it starts: memories, stored arrays, parts of shared ones."""
    lines: list[str] = []
    states = {q.name for q in program.cell.role("state")}
    used = set(loop.used)
    for ref in list(used):
        home = program.aliases.get(ref.base)
        used |= home.atoms(Ref) if home is not None and ref.lag == 0 else set()
    for ref in sorted(used, key=lambda r: (program.order.get(r.base, 10**6), r.base, r.lag or 0)):
        if ref.lag == -1 and ref.base in states:
            lines.append(f"{names(f'{ref.base}_prev')} = {names(ref.base)}[t]")
        elif ref.lag == 0 and ref.base in stored and ref.base not in program.aliases:
            index = "t + 1" if ref.base in states else "t"
            lines.append(f"{names(f'{ref.base}_t')} = {names(ref.base)}[{index}]")
    aliases = [r for r in sorted(loop.used, key=lambda r: (program.order.get(r.base, 10**6), r.base)) if r.base in program.aliases and r.lag == 0]
    for ref in dict.fromkeys(aliases):
        home = program.aliases[ref.base]
        if isinstance(home, N.Part) or home != ref:
            lines.append(f"{names(ref.base)} = {loop.spell(home)}")
    return tuple(lines)


def _named(program: Program, names: Names, quantities: tuple[Quantity, ...]) -> tuple[Named, ...]:
    return tuple(Named(q.name, _tuple(q.shape, names.sizes), _symbols(q.shape), q.start) for q in quantities)


def _tuple(shape: Shape, sizes: dict[str, str]) -> str:
    show = Printer()
    show.size = lambda symbol: sizes.get(symbol.name, symbol.name)  # type: ignore[method-assign]
    return f"({', '.join(show(s) for s in shape)}{',' if len(shape) == 1 else ''})"


def _symbols(shape: Shape) -> str:
    show = Printer()
    inner = ", ".join(f'"{show(s)}"' for s in shape)
    return f"({inner}{',' if len(shape) == 1 else ''})"


def _dimensions(program: Program, names: Names) -> tuple[Dimension, ...]:
    """The sizes in an order in which each can be read off the arguments."""
    cell = program.cell
    known: dict[Size, str] = {}
    places = [(names(q.name), 2 + i, d) for q in cell.role("input") for i, d in enumerate(q.shape)]
    places += [(f'params["{q.name}"]', i, d) for q in cell.role("parameter") for i, d in enumerate(q.shape)]
    waiting = list(cell.sizes)
    show = Printer()
    show.size = lambda symbol: names.sizes.get(symbol.name, symbol.name)  # type: ignore[method-assign]
    while waiting:
        found = next(((s, place) for s in waiting for place in places if _settles(place[2], s, known)), None)
        if found is None:
            raise NotationError(
                f"{cell.name}: size {waiting[0]} cannot be read off an input or a parameter: give one of them a dimension {waiting[0]}"
            )
        size, (text, axis, dim) = found
        shape = f"{text}.shape[{axis}]" if text.startswith("params") else f"{text}.shape[{axis}]"
        rest = sp.expand((dim - dim.coeff(size) * size) / dim.coeff(size))
        known[size] = shape if rest == 0 and dim == size else f"{shape} - {show.at(rest, PRODUCT)}"
        if dim.coeff(size) != 1:
            known[size] = f"{shape} // {dim.coeff(size)}"
        waiting.remove(size)
    return tuple(
        Dimension(size.name, names.sizes[size.name], size.keyword, _default(size, names), source) for size, source in known.items()
    )


def _settles(dim: sp.Expr, size: Size, known: dict[Size, str]) -> bool:
    others = dim.atoms(Size) - {size}
    coefficient = dim.coeff(size)
    return coefficient.is_Integer and coefficient != 0 and others <= set(known) and (coefficient == 1 or not others)


def _default(size: Size, names: Names) -> str | None:
    if size in (N.m, N.n):
        return None
    show = Printer()
    show.size = lambda symbol: next((s.keyword for s in (N.m, N.n, N.p, N.k) if s.name == symbol.name), symbol.name)  # type: ignore[method-assign]
    default = sp.sympify(size.default if size.default is not None else N.n)
    doubled = sp.expand(2 * default)
    if default != doubled / 2 or not all(c.is_Integer for c in sp.Poly(doubled, N.n).coeffs()) or "1/2" in str(default):
        return f"({show(doubled)}) // 2"
    return show.at(default, ATOM)


def load(text: str, name: str) -> Any:
    """The emitted module, imported from its text (which is ours: made from the program, never from a document)."""
    module = types.ModuleType(name)
    filename = f"<lstmsym {name}>"
    module.__dict__["__file__"] = filename
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    exec(compile(text, filename, "exec"), module.__dict__)
    return module


BACKEND = Backend("numpy", ".py", "numpy/cell.py.j2", page, load)
