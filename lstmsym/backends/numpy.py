"""NumPy: a program as the text of one self-contained module.

The template is the page; this module fills its holes: names that meet nothing else in the file, and
for each place of the program its statements, each under the equations it carries out.
"""

from __future__ import annotations

import builtins
import keyword
import linecache
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.backends import Backend
from lstmsym.backends.numpy_spelling import HELPERS, UFUNCS, NumPy
from lstmsym.backends.tidy import TAB, WIDTH, tidy
from lstmsym.cell import Quantity
from lstmsym.notation import NotationError, Ref, Size
from lstmsym.printing import ATOM, PRODUCT, Printer, is_negative
from lstmsym.program import Array, Phase, Program, Step
from lstmsym.shapes import Shape

TAKEN = frozenset(
    """np T B t dtype params state state0 dstate dstate0 tape dy grads loss rng shapes sizes check initial
    main namedtuple rows each pad spread turned drawable complete parameters expected fit wanted states
    outputs inputs targets gradients names found init_params forward backward loss_and_grads sigmoid_tanh
    Tape Grads INPUTS STATES OUTPUTS TARGETS SIZES STARTS""".split()
).union(HELPERS.values(), dir(builtins))
"""Names that the template uses, and Python's own."""


@dataclass(frozen=True)
class Statement:
    """Code under the comments that say what it computes."""

    comments: tuple[str, ...]
    code: tuple[str, ...]


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
class Dimension:
    """A size symbol in the file: its name, its keyword, its default, how it is read off the arguments."""

    symbol: str
    name: str
    keyword: str
    default: str | None
    source: str


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
        """The size that the starting range of weights follows: that of the units, or else the first."""
        return next((d.keyword for d in self.dimensions if d.symbol == "n"), self.dimensions[0].keyword)

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

    def local(self, name: str, suffix: str) -> str:
        """The identifier for a quantity seen from one step: h_prev, h_t, dh_next."""
        return self(f"{name} {suffix}", f"{name}_{suffix}")

    def beside(self, labels: list[str]) -> str:
        """The identifier for neighbours, which is no other name's."""
        return self(" ".join(labels), joined(labels))

    def __call__(self, name: str, wish: str = "") -> str:
        """The identifier for a name, always the same one; if it is free, the one wished for."""
        if name not in self.given:
            made = wish or name
            while made in self.used or keyword.iskeyword(made):
                made += "_"
            self.used.add(made)
            self.given[name] = made
        return self.given[name]


class Sized(Printer):
    """Prints sizes under the names that the file gives them."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """Know the names."""
        super().__init__()
        self.names = names

    def size(self, symbol: sp.Symbol) -> str:
        """A size symbol by its name in the file."""
        return self.names.get(symbol.name, symbol.name)


class Writer:
    """Writes the statements of one context: all steps at once, or one step of a loop."""

    def __init__(
        self, program: Program, names: Names, stored: set[str], place: str, helpers: set[str]
    ) -> None:
        """``stored`` are the arrays that hold all steps; ``place`` is batched, forward or backward."""
        self.program, self.names, self.stored, self.place = program, names, stored, place
        self.states = {q.name for q in program.cell.role("state")}
        self.inputs = {q.name for q in program.cell.role("input")}
        self.given = {ref.base: output for output, ref in program.given.items()}
        self.back = {ref.base: state for state, ref in program.carried.items()}
        self.used: set[Ref] = set()
        self.views: dict[str, tuple[tuple[str, bool, int], str]] = {}
        # fmt: off
        self.spell = NumPy(program.order, program.shapes, self.name, names.sizes, place == "batched", helpers,
                           None if place == "batched" else self.view)
        # fmt: on

    def view(self, part: sp.Expr) -> str | None:
        """The short name of a stretch of a shared array, made once a step; None for any other slice."""
        array, low, high = part.args
        if not isinstance(array, Ref):
            return None
        shared = next((a for a in self.program.shared if a.name == array.base), None)
        if shared is None:
            return None
        inside = [(label, a, b) for label, a, b in shared.parts]
        labels: list[str] = []
        place = low
        for label, a, b in inside:
            if a == place and place != high:
                labels.append(label)
                place = b
        if place != high:
            return None
        name = self.names(labels[0]) if len(labels) == 1 else self.names.beside(labels)
        starts = [str(a) for _, a, _ in inside]
        place = (str(array), len(labels) > 1, starts.index(str(low)))
        self.views[name] = place, f"{self.one_step(array)}[:, {self.spell.ends(part, 0)}]"
        self.used.add(array)
        return name

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
        if ref.lag == 0 and ref.base in self.program.aliases:
            return self.spell(self.program.aliases[ref.base])
        if ref.lag == 1:
            return self.names.local(ref.base.removesuffix("_prev"), "next")
        if ref.lag == -1:
            return self.names.local(ref.base, "prev")
        if ref.base in self.given or ref.base in self.inputs:
            return f"{self.names(ref.base)}[t]"
        if ref.base in self.stored:
            return self.names.local(ref.base, "t")
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
            return self.whole(target, expr)
        return self.store(self.name(target), target, expr, step.add)

    def assigned(self, target: Ref) -> str:
        """The name on the left of a plain assignment."""
        if self.place == "batched" and target.base not in self.states:
            return self.names(target.base)
        return self.name(target)

    def filled(self, target: Ref, expr: sp.Expr) -> str | None:
        """All of an array whose value is the same at every sample and step; None where it is not."""
        if (target.lag is None and expr != 0) or (target.lag is not None and self.spell.timed(expr)):
            return None
        lead = {"batched": ["T", "B"]}.get(self.place, ["B"]) if target.lag is not None else []
        shape = self.program.shapes[target.base]
        dims = ", ".join([*lead, *map(self.spell, shape)])
        dims = f"({dims}{',' if len(lead) + len(shape) == 1 else ''})"
        inner = expr.args[0] if isinstance(expr, N.Spread) else expr
        return f"np.zeros({dims}, dtype)" if expr == 0 else f"np.full({dims}, {self.spell(inner)}, dtype)"

    def store(self, text: str, target: sp.Expr, expr: sp.Expr, add: bool) -> list[str]:
        """Write into storage."""
        if add:
            return [self.taken_in(text, expr, len(self.spell.shape(target)))]
        whole = text if text.endswith("]") else f"{text}[...]"
        if isinstance(expr, N.Concat) and (first := self.sigmoids(target, expr)) is not None:
            self.spell.helpers.add("sigmoid_tanh")
            return [f"sigmoid_tanh({text}, {self.spell(first)})"]
        if self.place == "batched":
            return self.batched_store(text, whole, target, expr)
        factors = sp.Mul.make_args(expr)
        own = next((f for f in factors if self.home(f) == target), None)
        if own is not None:
            return [f"{text} *= {self.spell(sp.Mul(*(f for f in factors if f != own)))}"]
        if target.free_symbols <= expr.free_symbols and expr.has(target):
            return self.ufunc(text, expr) or [f"{whole} = {self.spell(expr)}"]
        found = self.ufunc(text, expr) or self.sum(text, target, expr)
        return found or self.broken(text, whole, target, expr)

    def sigmoids(self, target: sp.Expr, expr: sp.Expr) -> sp.Expr | None:
        """The part that takes sigma, where an expression is sigma and tanh of neighbours in place."""
        parts = [
            a.args[0] for a in expr.args if isinstance(a, (N.sigma, N.tanh)) and isinstance(a.args[0], N.Part)
        ]
        arrays = {part.args[0] for part in parts}
        if len(parts) < len(expr.args) or arrays != target.atoms(Ref):
            return None
        (first,) = (a.args[0] for a in expr.args if isinstance(a, N.sigma))
        return first

    def home(self, expr: sp.Expr) -> sp.Expr:
        """Where a reference lives."""
        return self.program.aliases.get(expr.base, expr) if isinstance(expr, Ref) and expr.lag == 0 else expr

    def batched_store(self, text: str, whole: str, target: sp.Expr, expr: sp.Expr) -> list[str]:
        """Write all steps at once; a sum of outer products goes straight into its place."""
        inner = expr.args[0] if isinstance(expr, N.Total) else None
        if isinstance(inner, N.Outer) and all(self.spell.timed(a) for a in inner.args):
            left, right = self.spell.flat(inner.args[0]), self.spell.flat(inner.args[1])
            return [f"np.matmul({left}.T, {right}, out={text})"]
        return self.broken(text, whole, target, expr)

    def whole(self, target: Ref, expr: sp.Expr) -> list[str]:
        """A name for all of it; what is added to a matrix product of all steps is added in place."""
        name = self.assigned(target)
        terms = sorted(sp.Add.make_args(expr), key=self.spell.term_key)
        if (
            self.place == "batched"
            and len(terms) > 1
            and isinstance(terms[0], N.Dot)
            and self.spell.timed(terms[0])
        ):
            rest = sp.Add(*terms[1:])
            sign, rest = ("-", -rest) if is_negative(rest) else ("+", rest)
            return [f"{name} = {self.spell(terms[0])}", f"{name} {sign}= {self.spell(rest)}"]
        constant = self.filled(target, expr)
        return (
            [f"{name} = {constant}"]
            if constant and name == self.names(target.base)
            else self.broken(name, name, target, expr)
        )

    def broken(self, text: str, whole: str, target: sp.Expr, expr: sp.Expr) -> list[str]:
        """An assignment; a long one as its numerator or its longest term, the others taken in in place."""
        line = f"{whole} = {self.spell(expr)}"
        if len(line) + 2 * len(TAB) <= WIDTH or target.free_symbols & expr.free_symbols:
            return [line]
        shape = self.spell.shape(expr)
        if isinstance(expr, sp.Add):
            terms = [a for a in expr.args if self.fresh(a, shape) and not is_negative(a)]
            if terms:
                first = max(terms, key=lambda a: (len(self.spell(a)), str(a)))
                lines = self.broken(text, whole, target, first)
                return [*lines, self.taken_in(text, expr - first, len(shape))]
        if isinstance(expr, sp.Mul):
            above, below = self.spell.fraction(expr)
            if below and self.fresh(sp.Mul(*above), shape):
                divisor = self.spell(self.lifted(sp.Mul(*below), len(shape)))
                return [*self.broken(text, whole, target, sp.Mul(*above)), f"{text} /= {divisor}"]
        return [line]

    def fresh(self, expr: sp.Expr, shape: Shape) -> bool:
        """Whether its value is a new array of this shape, which may be changed in place."""
        made = isinstance(expr, (sp.Add, sp.Mul)) and self.spell.timed(expr)
        return made and self.spell.shape(expr) == shape

    def taken_in(self, text: str, expr: sp.Expr, rank: int) -> str:
        """Something added to an array, in place."""
        sign, rest = ("-", -expr) if is_negative(expr) else ("+", expr)
        return f"{text} {sign}= {self.spell(self.lifted(rest, rank))}"

    def lifted(self, expr: sp.Expr, rank: int) -> sp.Expr:
        """A scalar per sample with the axes of what it goes with."""
        return self.spell.lift(expr, rank) if rank else expr

    def ufunc(self, text: str, expr: sp.Expr) -> list[str]:
        """A function with an ``out`` argument."""
        name = type(expr).__name__
        if name in UFUNCS:
            return [f"{self.spell.call(UFUNCS[name], expr.args)[:-1]}, out={text})"]
        if name == "sigma":
            self.spell.helpers.add(name)
            return [f"sigmoid({self.spell(expr.args[0])}, out={text})"]
        if isinstance(expr, N.Dot):
            product, strength = self.spell.spell(expr)
            if strength == PRODUCT and product.count("@") == 1:
                return [f"np.matmul({product.replace(' @ ', ', ')}, out={text})"]
        return []

    def sum(self, text: str, target: sp.Expr, expr: sp.Expr) -> list[str]:
        """A product, then the further terms of a sum, added in place."""
        terms = sorted(sp.Add.make_args(expr), key=self.spell.term_key)
        shape = self.spell.shape(expr)
        first = next((term for term in terms if self.plain(term, shape)), None)
        if first is None:
            return []
        above, below = self.spell.fraction(first)
        rest = self.spell(above[1]) if len(above) == 2 else self.spell.product(above[1:])
        product = f"{self.spell(above[0])}, {rest}"
        lines = [f"np.multiply({product}, out={text})"]
        for term in terms:
            if term != first:
                lines += self.store(text, target, term, True)
        return lines if not below else []

    def plain(self, term: sp.Expr, shape: Shape) -> bool:
        """Whether a term is a product of factors that all have the target's axes."""
        above, below = self.spell.fraction(term)
        timed = all(self.spell.timed(f) and self.spell.shape(f) == shape for f in above)
        return isinstance(term, sp.Mul) and len(above) > 1 and not below and not is_negative(term) and timed


def joined(labels: list[str]) -> str:
    """One name for neighbours: i, f, o -> ifo; di, df, do -> difo."""
    if len(labels) == 1:
        return labels[0]
    lead = "d" if all(label.startswith("d") and len(label) > 1 for label in labels) else ""
    rest = [label[len(lead) :] for label in labels]
    return lead + ("" if all(len(r) == 1 for r in rest) else "_").join(rest)


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
        str(program.products).replace("*", " * "), _count(program), _dimensions(program, names),
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
        inner = _tuple(q.shape, names.sizes)[1:-1].rstrip(",")
        return Named(
            q.name,
            names(q.name),
            f"({inner}{',' if len(q.shape) == 1 else ''})",
            _symbols(q.shape),
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
    early = tuple(_empty(names, a) for a in made if a.name in filled)
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


def _tuple(shape: Shape, sizes: dict[str, str]) -> str:
    show = Sized(sizes)
    return f"({', '.join(show(s) for s in shape)}{',' if len(shape) == 1 else ''})"


def _symbols(shape: Shape) -> str:
    show = Printer()
    inner = ", ".join(f'"{show(s)}"' for s in shape)
    return f"({inner}{',' if len(shape) == 1 else ''})"


def _dimensions(program: Program, names: Names) -> tuple[Dimension, ...]:
    """The sizes in an order in which each can be read off the arguments."""
    cell = program.cell
    known: dict[Size, str] = {}
    places = [(f'inputs["{q.name}"]', 2 + i, d) for q in cell.role("input") for i, d in enumerate(q.shape)]
    places += [(f'params["{q.name}"]', i, d) for q in cell.role("parameter") for i, d in enumerate(q.shape)]
    waiting = list(cell.sizes)
    show = Sized(names.sizes)
    while waiting:
        found = next(((s, place) for s in waiting for place in places if _settles(place[2], s, known)), None)
        if found is None:
            raise NotationError(
                f"{cell.name}: size {waiting[0]} cannot be read off an input or a parameter:"
                f" give one of them a dimension {waiting[0]}"
            )
        size, (text, axis, dim) = found
        shape = f"{text}.shape[{axis}]"
        rest = sp.expand((dim - dim.coeff(size) * size) / dim.coeff(size))
        known[size] = shape if rest == 0 and dim == size else f"{shape} - {show.at(rest, PRODUCT)}"
        if dim.coeff(size) != 1:
            known[size] = f"{shape} // {dim.coeff(size)}"
        waiting.remove(size)
    return tuple(
        Dimension(size.name, names.sizes[size.name], size.keyword, _default(size, names), source)
        for size, source in known.items()
    )


def _settles(dim: sp.Expr, size: Size, known: dict[Size, str]) -> bool:
    others = dim.atoms(Size) - {size}
    coefficient = dim.coeff(size)
    return (
        coefficient.is_Integer
        and coefficient != 0
        and others <= set(known)
        and (coefficient == 1 or not others)
    )


def _default(size: Size, names: Names) -> str | None:
    if size in (N.m, N.n):
        return None
    show = Sized({s.name: s.keyword for s in (N.m, N.n, N.p, N.k)})
    default = sp.sympify(size.default if size.default is not None else N.n)
    if isinstance(default, sp.floor):
        above, below = sp.fraction(sp.together(default.args[0]))
        return f"({show(above)}) // {show(below)}"
    return show.at(default, ATOM)


def load(text: str, name: str) -> Any:
    """The emitted module, run from its text, which is made from a program and never from a document."""
    module = types.ModuleType(name)
    filename = f"<lstmsym {name}>"
    module.__dict__["__file__"] = filename
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    exec(compile(text, filename, "exec"), module.__dict__)
    return module


BACKEND = Backend("numpy", ".py", "numpy/cell.py.j2", page, load, tidy)
