"""NumPy statements for the steps of one context: in place where that is plain, an assignment elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from lstmsym import notation as N
from lstmsym.backends.numpy.names import Names
from lstmsym.backends.numpy.spelling import UFUNCS, NumPy
from lstmsym.notation import Ref
from lstmsym.printing import PRODUCT, is_negative
from lstmsym.program import Gates, Program, Slopes, Step
from lstmsym.shapes import Shape
from lstmsym.tidy import TAB, WIDTH


@dataclass(frozen=True)
class Statement:
    """Code under the comments that say what it computes."""

    comments: tuple[str, ...]
    code: tuple[str, ...]


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
        self.rows: dict[str, str] = {}
        self.views: dict[str, tuple[tuple[str, bool, int], str]] = {}
        # fmt: off
        self.spell = NumPy(program.order, program.shapes, self.name, names.sizes, place == "batched", helpers,
                           None if place == "batched" else self.view, self.row)
        # fmt: on

    def row(self, wish: str, code: str) -> str:
        """The name of a constant row, made before everything else."""
        if code not in self.rows:
            self.rows[code] = self.names(f"{wish} = {code} {self.place}", wish)
        return self.rows[code]

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
        comments = tuple(f"grad of: {a}" for a in step.answers) + step.says + self.kept_in(step)
        if step.expr.has(Slopes):
            comments += ("(sigma' = (1 - v) v and tanh' = (1 - v) (1 + v): tanhs is 0 there and 1 here)",)
        return Statement(comments, tuple(self.code(step)))

    def kept_in(self, step: Step) -> tuple[str, ...]:
        """Which gradients now stand in place of which, where a statement of the backward loop moves on."""
        names = [line.split("[t]")[0] for line in step.says] if self.place == "backward" else []
        homes = {name: self.program.aliases[name] for name in names if name in self.program.aliases}
        moved = {name: label for name, home in homes.items() if (label := self.label(home)) != name}
        if not moved:
            return ()
        return (f"({', '.join(moved)} from here on in {', '.join(moved.values())})",)

    def label(self, home: sp.Expr) -> str:
        """What the code calls the place where a name lives."""
        array = next((a for a in self.program.shared if home.atoms(Ref) == {Ref(a.name, 0)}), None)
        low = home.args[1] if isinstance(home, N.Part) else sp.Integer(0)
        return next((label for label, at, _ in array.parts if at == low), "") if array else ""

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
        if isinstance(expr, Gates):
            return [self.spell(expr)]
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
            rest = self.taken_in(name, sp.Add(*terms[1:]), len(self.spell.shape(target)))
            return [f"{name} = {self.spell(terms[0])}", rest]
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
