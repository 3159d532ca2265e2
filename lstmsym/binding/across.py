r"""What names mean in an equation across steps: at steps that are letters, in sums and products over them.

``\prod_{j=k+1}^t \partial h_j / \partial h_{j-1}`` multiplies the newest factor first, as the chain rule
has it, unless the Jacobians are laid out transposed.  ``\partial h_k / \partial W`` is all of the
derivative or, written with \partial^+ or where a text says so, that of the step of h_k alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.express import Express
from lstmsym.binding.quantity import untimed
from lstmsym.binding.scope import Backward, Unbound
from lstmsym.binding.slots import slot_of
from lstmsym.binding.standing import valued
from lstmsym.binding.table import LOSSES, Table
from lstmsym.binding.values import Misfit, Unreadable, Value
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Delta,
    Derivative,
    Formula,
    Name,
    Number,
    Product,
    Raised,
    Relation,
    Sum,
    Time,
    Words,
    plain,
    rebuilt,
    walk,
)
from lstmsym.notation import Ref
from lstmsym.rules import shape_of
from lstmsym.shapes import Unifier
from lstmsym.verify.across import (
    END,
    IMMEDIATE,
    NEWEST,
    OLDEST,
    TOTAL,
    At,
    LossOf,
    Over,
    Power,
    Run,
    Slope,
    is_tensor,
    lifted,
    pulled,
)
from lstmsym.verify.instances import is_entrywise
from lstmsym.verify.words import Label

FIRST_INDEX = 10**12
"""Letters of sums are numbered from here on, so that one formula read twice is one expression."""

LAST = frozenset({"T", "τ"})
"""Letters of the last step."""


def unsaid(name: Name, table: Table) -> tuple[Name, Formula] | None:
    """A name with the step in an index that is not known to be one: ``h_k`` beside ``h_t``, ``h_{t-k}``."""
    if name.time is not None or table.key(name).key in table.idents:
        return None
    for script in name.scripts:
        bare = replace(name, scripts=tuple(s for s in name.scripts if s is not script))
        ident = table.idents.get(table.key(bare).key, "")
        timed = table.roles.get(ident, "parameter") not in ("parameter", "hyper")
        if timed and isinstance(script.body, (Sum, Name)) and script.where == "sub":
            return bare, script.body
    return None


def contracted(node: Formula) -> Formula:
    r"""``\sum_i a_i \nabla_W o_i`` as the vector a times the derivative of the vector o."""
    node = rebuilt(node, contracted)
    if not isinstance(node, Big) or node.operator != "∑" or not isinstance(node.body, Product):
        return node
    factors, letter = [_unwrapped(f) for f in node.body.factors], node.variable
    if len(factors) != 2 or any(node.body.operators) or not letter:
        return node
    other = factors[1]
    if not isinstance(other, Derivative) or not isinstance(other.by, Name) or _has_unit(other.by, letter):
        return node
    if not all(any(_has_unit(n, letter) for n in _every_name(f)) for f in factors):
        return node
    left, right = (_without_unit(f, letter) for f in factors)
    return Product(("",), (Raised(left, Words("⊤"), "transpose"), right), span=node.span)


def _unwrapped(node: Formula) -> Formula:
    while isinstance(node, Brackets) and len(node.items) == 1:
        node = node.items[0]
    return node


def _every_name(node: Formula) -> list[Name]:
    return [n for n in walk(node) if isinstance(n, Name)]


def _has_unit(name: Name, letter: str) -> bool:
    return letter in name.units or any(s.where == "sub" and s.text == letter for s in name.scripts)


def _without_unit(node: Formula, letter: str) -> Formula:
    def change(part: Formula) -> Formula:
        if not isinstance(part, Name):
            return rebuilt(part, change)
        scripts = tuple(s for s in part.scripts if s.where != "sub" or s.text != letter)
        return replace(
            part, units=tuple(u for u in part.units if u.lstrip("0123456789") != letter), scripts=scripts
        )

    return change(node)


def stepped(node: Formula, table: Table) -> Formula:
    """A formula in which the one index of a quantity that has steps is its step."""

    def change(part: Formula) -> Formula:
        if not isinstance(part, Name):
            return rebuilt(part, change)
        ident = table.idents.get(table.key(replace(part, units=())).key, "")
        timed = table.roles.get(ident, "parameter") not in ("parameter", "hyper")
        if part.time is None and len(part.units) == 1 and timed:
            return replace(part, units=(), time=Time(Name(part.units[0])))
        return part

    return change(node)


@dataclass(frozen=True)
class Layout:
    """How the derivatives of a line are read."""

    rows: bool = True
    """Gradients of a loss lie as rows, so that Jacobians follow them."""
    turned: bool = False
    """A Jacobian has a row for each entry of what it is by."""
    immediate: bool = False
    """A derivative by a parameter in a sum is that of its own step."""
    capitals: bool = False
    """Matrices are transposed by a capital T, be it the last step's letter too."""


@dataclass
class Across(Backward):
    """The scope of an equation across steps; ``generic`` says which parameter a name stands for."""

    layout: Layout = field(default_factory=Layout)
    last: frozenset[str] = LAST
    first: int = 1
    steps: frozenset[str] = frozenset()
    generic: dict[str, str] = field(default_factory=dict)
    told_apart: frozenset[str] = frozenset()
    """Names that stand somewhere beside the same with a mark: y is not \\hat y."""
    bindings: dict[str, sp.Symbol] = field(default_factory=dict)
    facts: list[tuple[sp.Expr, sp.Expr]] = field(default_factory=list)
    summed: bool = False
    alone: bool = False
    """Whether the left side alone is a derivative."""
    count: int = 0

    # -- steps -----------------------------------------------------------------------------------------

    def letter(self, text: str) -> sp.Symbol:
        """The symbol of a letter."""
        if text in self.bindings:
            return self.bindings[text]
        return END if text in self.last else sp.Symbol(text)

    def step(self, node: Formula) -> sp.Expr:
        """A step as a sum of letters and numbers.

        Raises:
            Unreadable: it is none.
        """
        if isinstance(node, Number) and node.text.isdigit():
            return sp.Integer(node.text)
        if isinstance(node, Name) and node.base in self.last:
            return END  # T_x is the length of x
        if isinstance(node, Name) and node.time is None and not node.scripts:
            return self.letter(node.key.rstrip("'"))
        if isinstance(node, Sum):
            signed = zip(node.signs, node.terms, strict=True)
            return sp.Add(*(self.step(term) * (1 if sign == "+" else -1) for sign, term in signed))
        raise Unreadable(f"the step {plain(node)} is not read")

    def located(self, name: Name) -> tuple[Name, sp.Expr | None]:
        """A name without its step, and the step."""
        if name.time is not None:
            return replace(name, time=None), self.step(name.time.index)
        found = unsaid(name, self.bound.table)
        if found is not None:
            return found[0], self.step(found[1])
        bare, lag = untimed(name)
        main = min(self.bound.table.letters)
        return (bare, self.letter(main) + lag) if lag is not None else (name, None)

    # -- names -----------------------------------------------------------------------------------------

    def quantity(self, name: Name) -> Value:
        """A quantity of the cell at a step, a short name for an expression, or a gradient."""
        table = self.bound.table
        bare, step = self.located(name)
        key = table.key(bare).key
        if key in self.generic:
            key = self.generic[key]
        if key in table.macros and key not in table.roles:
            return self.macro(key, step)
        if key in table.standing:
            expr = table.standing[key]
            value = valued(expr, self._shape, table.rows)
            return replace(value, expr=lifted(expr, self.present if step is None else step))
        ident = self.ident(key)
        if key in table.standing and step is not None and self.stands(key):
            value = valued(table.standing[key], self._shape, table.rows)
            return replace(value, expr=lifted(value.expr, step))
        if ident:
            value = self.known(ident, step, key)
            power = isinstance(value.expr, Ref) and name.time is not None and name.time.form == "sup"
            return (
                replace(value, expr=Power(value.expr, step, sp.Integer(value.rank < 2))) if power else value
            )
        if name.primes:
            whole = self.quantity(replace(name, primes=0))
            if whole.rank == 2:
                return Value(N.transposed(whole.expr), whole.shape[::-1])
            return replace(whole, row=not whole.row)
        found = slot_of(name, table)
        if name.base == "I" and step is None:
            return super().quantity(name)
        if found is None:
            raise Unreadable(f"{key} is not known")
        return self.slot(name, step)

    def stands(self, key: str) -> bool:
        """Whether what a name stands for is all in the cell."""
        return all(ref.base in self.system.shapes for ref in self.bound.table.standing[key].atoms(Ref))

    def ident(self, key: str) -> str:
        """The quantity of the cell with a key; y for the one ŷ of a document without a y."""
        table = self.bound.table
        ident = table.idents.get(key, "")
        if ident and table.roles.get(ident) not in ("", None):
            return ident
        if key in self.told_apart:
            return ""
        alike = [
            i for k, i in table.idents.items() if i in table.roles and k.rstrip("^~-") == key and k != key
        ]
        return alike[0] if len(alike) == 1 and key not in table.idents else ""

    def known(self, ident: str, step: sp.Expr | None, key: str) -> Value:
        """A quantity of the cell."""
        table = self.bound.table
        shape = self.system.shapes.get(ident)
        if shape is None:
            raise Unreadable(f"{key} is no part of the cell")
        if table.roles[ident] in ("parameter", "hyper"):
            return Value(Ref(ident), shape, table.rows and len(shape) == 1)
        if step is None and self.system.cell.by_name[ident].role == "target":
            raise Unreadable(f"the step of {key} is not said")
        return Value(
            At(Ref(ident, 0), self.present if step is None else step), shape, table.rows and len(shape) == 1
        )

    @property
    def present(self) -> sp.Expr:
        """The step of a name without one."""
        return self.letter(min(self.bound.table.letters))

    def macro(self, key: str, step: sp.Expr | None) -> Value:
        """A short name for an expression."""
        outer, self.bindings = self.bindings, {}
        try:
            value = Express(self, self.unifier, self.bound.table.rows)(self.bound.table.macros[key])
        finally:
            self.bindings = outer
        main = sp.Symbol(min(self.bound.table.letters))
        return value if step is None else replace(value, expr=value.expr.xreplace({main: step}))

    def gradient(self, node: Delta | Derivative) -> Value:
        """What a gradient's name stands for."""
        if isinstance(node, Derivative):
            return self.derivative(node)
        found = slot_of(node, self.bound.table)
        if found is None or not isinstance(node.of, Name):
            raise Unreadable("the gradient of an expression is not read")
        return self.slot(node, self.located(node.of)[1])

    def slot(self, node: Formula, step: sp.Expr | None) -> Value:
        """A gradient that has a name of its own."""
        found = slot_of(node, self.bound.table)
        assert found is not None
        meaning = self.meaning(found[0], False)
        if meaning is None:
            raise Unbound(found[0])
        if isinstance(meaning.expr, Label) or meaning.expr.has(Label):
            raise Unreadable("a gradient at fixed quantities, beside several steps, is not read")
        shape = shape_of(meaning.expr, lambda ref: self.system.shapes[ref.base], Unifier())
        expr = lifted(meaning.expr, self.present if step is None else step)
        return Value(expr, shape, self.lies and len(shape) == 1)

    @property
    def lies(self) -> bool:
        """Whether gradients lie."""
        return self.layout.rows

    # -- derivatives -----------------------------------------------------------------------------------

    def derivative(self, node: Derivative) -> Value:
        """A derivative."""
        if node.order != 1 or not isinstance(node.by, Name) or not isinstance(node.of, Name):
            raise Unreadable("a derivative of an expression is not read")
        of, at = self.located(node.of)
        if node.of.base in LOSSES and not self.ident(self.bound.table.key(of).key):
            return self.of_loss(node, of, at)
        what, by = self.quantity(node.of), self.quantity(node.by)
        if isinstance(by.expr, Power):  # W^(t) is the W that step t reads
            by = self.quantity(replace(node.by, time=None))
        if not isinstance(what.expr, At):
            raise Unreadable(f"a derivative of {plain(node.of)} is not read")
        if isinstance(by.expr, Ref):
            if node.by.time is not None and self.located(node.by)[1] != what.expr.args[1]:
                raise Unreadable("a derivative by a parameter's copy at another step is not read")
            own = "+" in node.letter or node.by.time is not None
            short = own or (self.layout.immediate and (self.summed or self.alone))
            shape = (*what.shape, *by.shape)
            return Value(Slope(what.expr, by.expr, IMMEDIATE if short else TOTAL), shape)
        if not isinstance(by.expr, At):
            raise Unreadable("a derivative by an expression is not read")
        return self.jacobian(what, by)

    def jacobian(self, what: Value, by: Value) -> Value:
        """The derivative of a quantity at a step by one at a step."""
        (x, p), (y, q) = what.expr.args, by.expr.args
        if x.base not in self.system.forward or not (
            y.base in self.system.forward or y.base in self.system.cell.by_name
        ):
            raise Unreadable("a derivative of what is no quantity of the cell is not read")
        expr = Slope(what.expr, by.expr, TOTAL)
        if not self.bindings and p != q:
            self.facts.append((q, p))
        entries = is_entrywise(self.system, x.base, y.base) if p != q else self.entrywise_now(x, y)
        if entries:
            return Value(expr, what.shape, diagonal=what.rank == 1)
        if self.layout.turned:
            return Value(N.transposed(expr), (*by.shape, *what.shape))
        return Value(expr, (*what.shape, *by.shape))

    def entrywise_now(self, x: Ref, y: Ref) -> bool:
        """Whether entries move alone within a step."""
        return x != y and is_entrywise(self.system, x.base, y.base, 0)

    def of_loss(self, node: Derivative, of: Name, at: sp.Expr | None) -> Value:
        """The derivative of a loss: of the sequence's, of one step's, or of those from a step on."""
        assert isinstance(node.by, Name)
        bare, by_step = self.located(node.by)
        if node.by.base in LOSSES and not self.ident(self.bound.table.key(bare).key):
            if at is None and by_step is not None:
                return Value(sp.Integer(1))
            raise Unreadable("the derivative of a loss by another is not read")
        by = self.quantity(node.by)
        if not isinstance(by.expr, (At, Ref)):
            raise Unreadable("a derivative by an expression is not read")
        to_go = at is not None and self.bound.table.key(of).key in self.bound.to_go
        if to_go and not (isinstance(by.expr, At) and by.expr.args[1] == at):
            raise Unreadable("the loss from a step on, by a quantity of another step, is not read")
        loss = LossOf() if at is None or to_go else LossOf(at)
        if at is not None and isinstance(by.expr, At) and by.expr.args[1] != at and not self.bindings:
            self.facts.append((by.expr.args[1], at))
        share = sp.S.One if at is None or to_go else self.bound.table.average
        return Value(Slope(loss, by.expr, TOTAL) / share, by.shape, self.lies and by.rank == 1)

    # -- sums and products -----------------------------------------------------------------------------

    def big(self, node: Big, body: Callable[[Formula], Value]) -> Value:
        """A sum or a product over steps."""
        if node.operator not in ("∑", "∏"):
            raise Unreadable("this operation over an index is not read")
        name, low, high, down = self.range(node)
        self.count += 1
        letter = sp.Dummy(name, dummy_index=FIRST_INDEX + self.count)
        outer, summed = dict(self.bindings), self.summed
        self.bindings[name], self.summed = letter, True
        try:
            value = body(node.body)
        finally:
            self.bindings, self.summed = outer, summed
        if node.operator == "∑":
            return replace(value, expr=Over(value.expr, letter, low, high))
        flat = value.rank < 2
        order = NEWEST if down or not self.layout.turned else OLDEST
        return replace(value, expr=Run(value.expr, letter, low, high, order, sp.Integer(flat)))

    def range(self, node: Big) -> tuple[str, sp.Expr, sp.Expr, bool]:
        """The letter, first and last step, and whether it counts down."""
        lower = node.lower
        if isinstance(lower, Relation) and lower.signs == ("=",) and node.high is not None:
            low, high = self.step(lower.terms[1]), self.step(node.high)
            down = self.before(high, low)
            return plain(lower.terms[0]), *((high, low) if down else (low, high)), down
        if isinstance(lower, Relation) and set(lower.signs) <= set("<>≤≥") and node.upper is None:
            onwards = node.operator == "∑" and len(lower.terms) == 2 and lower.signs[0] in ">≥"
            return self.onwards(lower) if onwards else self.inequality(lower)
        if isinstance(lower, Name) and lower.time is None and node.upper is None:
            if any(n.key not in (lower.key, "T") for n in self.free_steps(node.body)):
                raise Unreadable(f"which steps {lower.key} runs over is not said")
            return lower.key, sp.Integer(self.first), END, False
        raise Unreadable("what a sum or product runs over is not read")

    def free_steps(self, body: Formula) -> list[Name]:
        """The letters of steps in a formula."""
        found = [n.time.index for n in walk(body) if isinstance(n, Name) and n.time is not None]
        return [x for index in found for x in walk(index) if isinstance(x, Name)]

    def onwards(self, lower: Relation) -> tuple[str, sp.Expr, sp.Expr, bool]:
        """``t ≥ k``, ``t > k``: all steps from one on."""
        return plain(lower.terms[0]), self.step(lower.terms[1]) + int(lower.signs[0] == ">"), END, False

    def inequality(self, lower: Relation) -> tuple[str, sp.Expr, sp.Expr, bool]:
        """``k < i ≤ t``, ``t ≥ i > k`` (which counts down), ``1 ≤ t ≤ T``."""
        if len(lower.terms) != 3:
            raise Unreadable("what a sum or product runs over is not read")
        down = lower.signs[0] in ">≥"
        terms, signs = (lower.terms[::-1], lower.signs[::-1]) if down else (lower.terms, lower.signs)
        if any((sign in ">≥") != down for sign in signs):
            raise Unreadable("what a sum or product runs over is not read")
        low, high = (self.step(terms[place]) for place in (0, 2))
        low, high = low + int(signs[0] in "<>"), high - int(signs[1] in "<>")
        return plain(terms[1]), low, high, down

    def before(self, low: sp.Expr, high: sp.Expr) -> bool:
        """Whether a step is by its letters before another: numbers, then letters, then t, then the last."""
        return self.rank(low) < self.rank(high)

    def rank(self, step: sp.Expr) -> int:
        """How late a step is by its letters."""
        main = {self.letter(x) for x in self.bound.table.letters}
        letters = {s for s in step.free_symbols if isinstance(s, sp.Symbol)}
        if not letters:
            return 0 if step <= self.first else 2  # E_3, beside k from 0 to 3
        return 3 if END in letters else 2 if letters & main else 1


def _upright(value: Value) -> Value | None:
    """The derivative by a parameter that a value is the transpose of, or None."""
    if isinstance(value.expr, N.Transposed):
        return Value(value.expr.args[0], value.shape[::-1])
    return replace(value, row=False) if value.rank == 3 and value.row else None


class Chained(Express):
    """Formulas in which a gradient may stand before the derivative of a quantity by a parameter."""

    def times(self, a: Value, b: Value, operator: str = "") -> Value:
        """An open product."""
        if is_tensor(a.expr):
            tensor = _upright(a)
            if tensor is not None and b.rank == 1 and not is_tensor(b.expr):
                self._same(tensor.shape[:1], b.shape, "multiplied")
                return Value(pulled(b.expr, tensor.expr), tensor.shape[1:], False)
            raise Misfit("the derivative by a parameter stands left of another factor")
        if not is_tensor(b.expr):
            return super().times(a, b, operator)
        if a.rank == 0:
            return Value(a.expr * b.expr, b.shape)
        if a.rank == 2:
            self._same(a.shape[1:], b.shape[:1], "multiplied")
            return Value(N.Dot(a.expr, b.expr), (a.shape[0], *b.shape[1:]))
        if not a.row and a.shape[:1] != b.shape[:1]:
            raise Misfit("a column vector stands left of the derivative of a vector by a parameter")
        self._same(a.shape, b.shape[:1], "multiplied")
        return Value(pulled(a.expr, b.expr), b.shape[1:], len(b.shape) == 2)

    def _apply(self, node: Apply) -> Value:
        """``prod(v, M, ...)`` multiplies a gradient and derivatives in whatever order fits (d2l.ai)."""
        arguments = node.argument.items if isinstance(node.argument, Brackets) else ()
        if node.head.base != "prod" or node.head.time is not None or len(arguments) < 2:
            return super()._apply(node)
        found, *derivatives = map(self, arguments)
        for other in derivatives:
            if found.rank == 1 and is_tensor(other.expr):
                found = self.times(replace(found, row=True), other)
            elif found.rank == 1 and other.rank == 2:
                self._same(found.shape, other.shape[:1], "multiplied")
                found = Value(N.Dot(N.transposed(other.expr), found.expr), other.shape[1:], found.row)
            else:
                found = self.times(found, other)
        return found

    def _turns(self, base: Value) -> bool:
        """Whether T above a matrix transposes it, and is no number of steps."""
        assert isinstance(self.scope, Across)
        return self.scope.layout.capitals or base.expr.has(Slope) or base.shape[0] != base.shape[1]

    def _raised(self, node: Raised) -> Value:
        exponent = node.exponent
        if isinstance(exponent, (Sum, Name)) and node.kind != "transpose":
            letters = {n.key for n in walk(exponent) if isinstance(n, Name)}
            scope = self.scope
            assert isinstance(scope, Across)
            base = self(node.body) if letters & scope.steps and letters <= scope.steps | scope.last else None
            if base is not None and base.rank == 2 and exponent == Name("T") and self._turns(base):
                return self.transposed(base)
            if base is not None and ((base.rank == 2 and isinstance(exponent, Sum)) or letters & scope.steps):
                return replace(base, expr=Power(base.expr, scope.step(exponent), sp.Integer(base.rank < 2)))
        return super()._raised(node)
