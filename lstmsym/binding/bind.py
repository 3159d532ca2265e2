"""The forward equations of a document as its cell, and what each name in them denotes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.declare import Declared, Hyper, Input, Loss, Output, State, Target, Vector, Weight
from lstmsym.binding.express import Express, Misfit, Unreadable, Value
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Delta,
    Derivative,
    Formula,
    Item,
    Name,
    Number,
    Product,
    Raised,
    Sum,
    children,
    names,
    rebuilt,
    walk,
)
from lstmsym.binding.quantity import FIRST, LAST, Place, identifier, place, untimed
from lstmsym.documents.read import Document
from lstmsym.documents.rows import Equation
from lstmsym.mistakes import NotationError
from lstmsym.notation import Ref, Size
from lstmsym.shapes import Shape, ShapeError, Unifier

FUNCTIONS: dict[str, str] = {
    **dict.fromkeys(("σ", "sigmoid", "Sigmoid", "sigm", "logistic", "sig", "sgm", "hardsigmoid"), "sigma"),
    **dict.fromkeys(("tanh", "Tanh", "th"), "tanh"),
    **dict.fromkeys(("relu", "ReLU", "Relu"), "relu"),
    **dict.fromkeys(("softmax", "Softmax"), "softmax"),
    **dict.fromkeys(("diag", "Diag"), "diag"),
    "exp": "exp", "log": "log", "ln": "log", "sqrt": "sqrt", "max": "max", "min": "min", "softplus": "softplus",
    "sum": "sum", "mean": "mean", "tr": "", "transpose": "transpose", "concat": "concat",
}  # fmt: skip
"""Names that are functions whatever a document says."""
ASSUMED = frozenset("φ ϕ ψ g h f s τ θ Φ ρ".split())
LOSSES = frozenset("L l E J C ℒ ℰ ℓ loss cost Loss Cost Err err error".split())
GRADIENT_BASES = frozenset("δ ε ϵ Δ ∂ ∇".split())
GRADIENT_WORDS = re.compile(r"grad|diff|delta|[Ee]rr(or)?$|Error")


@dataclass
class Table:
    """What the names of a document denote: filled by the forward equations, read by all that follows."""

    letters: frozenset[str] = frozenset({"t"})
    idents: dict[str, str] = field(default_factory=dict)
    spelled: dict[str, Name] = field(default_factory=dict)
    samples: dict[str, Name] = field(default_factory=dict)
    """Identifier -> the name as it stands somewhere, with its time."""
    defined: dict[str, sp.Expr] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    """What an activation's output is the activation of: gate to pre-activation, by identifier."""
    aliases: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    assumed: dict[str, str] = field(default_factory=dict)
    macros: dict[str, Formula] = field(default_factory=dict)
    renewed: frozenset[str] = frozenset()
    """States whose new value has a prime (h' beside h)."""
    rows: bool = False

    def key(self, name: Name) -> Place:
        """The quantity a name denotes, and where."""
        if self.renewed and name.time is None:
            bare = untimed(replace(name, primes=0))[0].key
            if bare in self.renewed:
                return Place(bare, 0 if name.primes else -1)
        found = place(name, self.letters)
        return replace(found, key=self.aliases.get(found.key, found.key))


@dataclass(frozen=True)
class Bound:
    """A document with its cell: the table of names, and the lines sorted into forward and the rest."""

    cell: Cell | None
    table: Table
    kinds: dict[int, str]
    """Place among the document's equations -> forward, loss, alias; the others have none."""
    problem: str = ""
    losses: frozenset[str] = frozenset()
    to_go: frozenset[str] = frozenset()
    """Losses that count from a step on, L(t)."""
    missing: str = ""
    """A name that the document defines by an equation that was not read as forward, and the cell has as given."""


class Sizes(Unifier):
    """Sizes in which a size by itself gives way to a sum of sizes, and not a part of the sum to a difference."""

    def _equate(self, left: sp.Expr, right: sp.Expr) -> bool:
        left, right = self._size(left), self._size(right)
        for one, other in ((left, right), (right, left)):
            if isinstance(one, sp.Dummy) and one not in other.atoms(sp.Dummy):
                self.known[one] = other
                return True
        return super()._equate(left, right)


class _Forward:
    """The scope of forward equations: an unknown name becomes an input, a state or a parameter."""

    def __init__(self, table: Table, unifier: Unifier, contexts: dict[str, set[str]], timeless: bool) -> None:
        self.table, self.unifier, self.contexts, self.timeless = table, unifier, contexts, timeless
        self.lag = 0
        self.used: set[str] = set()
        self.lines: dict[str, sp.Expr] = {}
        self.held: set[str] = set()

    def quantity(self, name: Name) -> Value:
        """A name, declared by its use."""
        table = self.table
        if name.primes and table.key(name).key not in table.renewed:
            return Express(self, self.unifier, table.rows).transposed(self.quantity(replace(name, primes=0)))
        at = table.key(name)
        if at.lag in (FIRST, LAST):
            raise Unreadable(f"{at.key} at one step only")
        ident = table.idents.get(at.key)
        if ident is None:
            ident = self.declare(at, name)
        role = table.roles[ident]
        lag = (
            None if role in ("parameter", "hyper") else (at.lag if isinstance(at.lag, int) else 0) - self.lag
        )
        if role == "name" and lag is not None and lag not in (0, -1):
            raise Unreadable(f"{at.key} at another step")
        shape = table.shapes[ident]
        self.used.add(ident)
        return Value(Ref(ident, lag), shape, self.is_row(shape))

    def scores(self, log: sp.Expr) -> sp.Expr | None:
        """What the softmax is taken of, whose logarithm this is."""
        (inner,) = log.args
        if isinstance(log, N.log_softmax):
            return inner
        line = self.lines.get(inner.base) if isinstance(inner, Ref) else inner
        return line.args[0] if isinstance(line, N.softmax) else None

    def is_row(self, shape: Shape) -> bool:
        """Whether a plain vector lies."""
        return len(shape) == 1 and self.table.rows

    def declare(self, at: Place, name: Name) -> str:
        """A name that nothing defines: an input where it has a time, else a parameter."""
        table = self.table
        ident = identifier(at.key, [*table.spelled, *N.FUNCTIONS, "t", "m", "n", "p", "k"])
        table.idents[at.key] = ident
        table.spelled[ident] = untimed(name)[0]
        table.samples[ident] = name
        table.roles[ident], rank = self.role(at, name)
        table.shapes[ident] = tuple(self.unifier.fresh() for _ in range(rank))
        return ident

    def role(self, at: Place, name: Name) -> tuple[str, int]:
        """Role and rank of an undefined name, by whether it has a time and by what stands around it."""
        if at.lag is not None:
            return "input", 1
        contexts = self.contexts.get(at.key, set())
        upper = name.base[0].isupper() or (name.font == "bold" and name.base[0].isupper())
        if (
            self.timeless
            and not upper
            and ("operand" in contexts or name.base in ("x", "u") or not self.has_matrix)
        ):
            return "input", 1
        if "open" in contexts and upper:
            return "parameter", 2
        if "pointwise" in contexts or "term" in contexts:
            greek = not name.base.isascii() and "term" not in contexts and "vector" not in contexts
            return ("hyper", 0) if greek else ("parameter", 1)
        if not name.base.isascii() or name.base in ("N", "T", "n", "B", "m"):
            return "hyper", 0
        return "parameter", 1

    @property
    def has_matrix(self) -> bool:
        """Whether any parameter is a matrix."""
        return any("matrix" in c for c in self.contexts.values())

    def gradient(self, node: Delta | Derivative) -> Value:
        """Refuse."""
        raise Unreadable("a gradient in a forward equation")

    def function(self, name: Name) -> str:
        """The operation a name is."""
        return function_of(name, self.table)

    def big(self, node: Big, body: Callable[[Formula], Value]) -> Value:
        """A sum over units is in the notation of vectors already; others are not forward."""
        raise Unreadable("a sum over an index is not read in a forward equation")


def function_of(name: Name, table: Table) -> str:
    """The operation a name before an argument is; nothing where it is a quantity."""
    if name.time is not None:
        return ""
    key = replace(name, primes=0).key
    if key in table.functions:
        return table.functions[key]
    if name.base in FUNCTIONS and (not name.scripts):
        return FUNCTIONS[name.base]
    return ""


# -- which equations are forward --------------------------------------------------------------------------


def bind(
    document: Document, lines: Sequence[tuple[Formula, Formula, Equation]], held_names: Iterable[str] = ()
) -> Bound:
    """The cell of a document's forward equations; ``held_names`` are keys of names that pass no gradient on."""
    table = Table(letters=_letters(document, lines))
    known = _functions(lines, table)
    table.functions.update(known)
    table.renewed = frozenset(_renewed(lines))
    kinds = _kinds(lines, table)
    losses = frozenset(_loss_names(lines))
    forward = [n for n, kind in kinds.items() if kind == "forward"]
    if not forward:
        return Bound(None, table, kinds, "the document has no forward equations", losses)
    problems = []
    for rows in (False, True):
        attempt = replace(
            table, rows=rows, idents={}, spelled={}, samples={}, defined={}, roles={}, shapes={}, before={}
        )
        attempt = replace(attempt, aliases=dict(table.aliases))
        try:
            cell = _cell(document, lines, kinds, attempt, held_names)
            missing = _missing(lines, kinds, attempt)
            return Bound(cell, attempt, kinds, "", losses, frozenset(_to_go(lines)), missing)
        except (Unreadable, NotationError, ShapeError) as error:
            problems.append(str(error))
    return Bound(None, table, kinds, problems[0], losses)


def _letters(document: Document, lines: Sequence[tuple[Formula, Formula, Equation]]) -> frozenset[str]:
    found: dict[str, int] = {}
    for left, right, _ in lines:
        for name in (*names(left), *names(right)):
            if name.time is not None and name.time.letter:
                letter = name.time.letter.rstrip("'")
                found[letter] = found.get(letter, 0) + 1
    usual = [x for x in ("t", "τ") if x in found]
    if "t" in found or not found:
        return frozenset({"t"})
    return frozenset({usual[0] if usual else max(found, key=lambda k: found[k])})


def _functions(lines: Sequence[tuple[Formula, Formula, Equation]], table: Table) -> dict[str, str]:
    """Letters applied to an argument and never a quantity: assumed activations."""
    quantities: set[str] = set()
    heads: dict[str, Name] = {}
    primed: set[str] = set()
    for left, right, _ in lines:
        for side in (left, right):
            for node in walk(side):
                if isinstance(node, Apply) and node.head.time is None:
                    key = replace(node.head, primes=0).key
                    heads.setdefault(key, node.head)
                    if node.head.primes:
                        primed.add(key)
        name = _left_name(left)
        if name is not None:
            quantities.add(table.key(name).key)
        for side in (left, right):
            for found in _bare_names(side):
                if found.time is not None or any(s.where == "sup" for s in found.scripts):
                    quantities.add(untimed(found)[0].key)
                else:
                    quantities.add(found.key)
    result = {}
    for key, head in heads.items():
        if head.base in FUNCTIONS and not head.scripts:
            continue
        if key in quantities and key not in primed:
            continue
        if head.base == "δ" and not head.scripts:
            result[key] = "sigma"
        elif head.base == "s" and not head.scripts:
            result[key] = "sigma"
            table.assumed[key] = "the logistic sigmoid"
        elif (head.base in ASSUMED and not head.scripts) or key in primed:
            result[key] = "tanh"
            table.assumed[key] = "tanh"
    return result


def _bare_names(node: Formula) -> Iterator[Name]:
    """Names that are not applied to an argument."""
    if isinstance(node, Name):
        yield node
        return
    if isinstance(node, Apply):
        yield from _bare_names(node.argument)
        return
    for child in children(node):
        yield from _bare_names(child)


def _left_name(left: Formula) -> Name | None:
    return left if isinstance(left, Name) else None


def _renewed(lines: Sequence[tuple[Formula, Formula, Equation]]) -> Iterator[str]:
    """Names whose primed form is defined from them: h' of h."""
    for left, right, _ in lines:
        if isinstance(left, Name) and left.primes == 1 and left.time is None:
            bare = replace(left, primes=0).key
            if any(n.key == bare for n in names(right)):
                yield bare


def is_gradient_name(name: Name, table: Table, closed: bool = True) -> bool:
    """Whether a name is by its look that of a gradient."""
    key = replace(name, primes=0).key
    if name.base in GRADIENT_BASES and key not in table.functions:
        return True
    if any(GRADIENT_WORDS.search(s.text) for s in name.scripts) or (
        len(name.base) > 2 and GRADIENT_WORDS.search(name.base)
    ):
        return True
    if closed and name.marks and name.marks[-1] in ("bar", "hat", "tilde"):
        plain = untimed(replace(name, marks=name.marks[:-1]))[0].key
        full = untimed(name)[0].key
        return plain in table.idents and full not in table.idents
    rest = name.base[1:]
    if closed and rest and name.base[0] in "gd":
        stripped = untimed(replace(name, base=rest))[0].key
        return stripped in table.idents and untimed(name)[0].key not in table.idents
    return False


def _has_gradient(node: Formula, table: Table, closed: bool) -> bool:
    for part in walk(node):
        if isinstance(part, (Delta, Derivative)):
            return True
        if isinstance(part, Apply) and part.head.primes and not table.renewed:
            return True
    return any(is_gradient_name(n, table, closed) for n in _bare_names(node))


def _kinds(lines: Sequence[tuple[Formula, Formula, Equation]], table: Table) -> dict[int, str]:
    """The forward equations, in order; the loss's; the second names of a quantity."""
    kinds: dict[int, str] = {}
    defined: set[str] = set()
    read_before: set[str] = set()
    generations: list[dict[int, str]] = [{}]
    for place_, (left, right, row) in enumerate(lines):
        closed = bool(defined) and read_before <= defined
        name = _left_name(left)
        if name is None or row.relation not in ("=", ":=", "≡", "←"):
            continue
        at = table.key(name)
        if (
            at.lag in (FIRST, LAST)
            or _has_gradient(left, table, closed)
            or _has_gradient(right, table, closed)
        ):
            continue
        if name.base in LOSSES and _is_loss(right, name, defined):
            kinds[place_] = "loss"
            continue
        if isinstance(at.lag, int) and at.lag not in (0, 1):
            continue
        parts = [table.key(n) for n in _bare_names(right)]
        shift = at.lag if isinstance(at.lag, int) else 0
        steps = [p.lag for p in parts if isinstance(p.lag, int)]
        if any(p.lag in (FIRST, LAST) for p in parts) or any(s - shift > 0 or s - shift < -1 for s in steps):
            continue
        if (
            closed
            and any(_unnatural(n, table, defined) for n in _bare_names(right))
            and _grounded(right, table, defined)
        ):
            continue
        if any(isinstance(n, (Big, Item)) for n in walk(right)) or any(p == at for p in parts):
            continue
        if at.key in defined:
            if closed and not _fresh(parts, table):
                continue
            generations.append({})
            defined, read_before = set(), set()
        if isinstance(right, Name) and parts and parts[0].key not in defined and at.lag is not None:
            table.aliases[parts[0].key] = at.key
            kinds[place_] = "alias"
            continue
        if _is_diagonal(right):
            table.macros[at.key] = right
            kinds[place_] = "definition"
            continue
        defined.add(at.key)
        table.idents.setdefault(at.key, at.key)
        generations[-1][place_] = at.key
        read_before |= {p.key for p in parts if isinstance(p.lag, int) and p.lag - shift == -1}
        for part in parts:
            table.idents.setdefault(part.key, part.key)
    main = max(generations, key=len)
    for generation in generations:
        for place_, key in generation.items():
            taken = generation is not main and key in main.values()
            kinds[place_] = "again" if taken else "forward"
    return dict(sorted(kinds.items()))


def _fresh(parts: Sequence[Place], table: Table) -> bool:
    """Whether a second definition has parameters of its own: it belongs to another system."""
    return any(p.lag is None and p.key not in table.idents for p in parts)


def _unnatural(name: Name, table: Table, defined: set[str]) -> bool:
    at = table.key(name)
    return at.key not in table.idents and len(name.base) > 3 and at.lag is None


def _grounded(right: Formula, table: Table, defined: set[str]) -> bool:
    return any(table.key(n).key in table.idents for n in _bare_names(right))


def _is_diagonal(right: Formula) -> bool:
    return isinstance(right, Apply) and right.head.base.lower() == "diag"


def _is_loss(right: Formula, name: Name, defined: set[str]) -> bool:
    key = untimed(name)[0].key
    if key in defined or name.marks or _recurs(name, right):
        return False
    if (
        name.base in "CJ"
        and any(isinstance(n, Name) and n.key in defined for n in walk(right))
        and not _adds_up(right)
    ):
        return False
    text = {n.base for n in names(right)}
    bigs = any(isinstance(n, Big) for n in walk(right))
    norms = any(isinstance(n, Brackets) and n.left == "‖" for n in walk(right))
    squares = any(isinstance(n, Raised) and isinstance(n.exponent, Number) for n in walk(right))
    return (
        bigs
        or norms
        or squares
        or bool(text & LOSSES)
        or "log" in text
        or isinstance(right, Apply)
        or "ln" in text
    )


def _loss_names(lines: Sequence[tuple[Formula, Formula, Equation]]) -> Iterator[str]:
    """Names whose derivative is taken and that are losses by their letter."""
    for left, right, _ in lines:
        for side in (left, right):
            for node in walk(side):
                if isinstance(node, Derivative) and isinstance(node.of, Name) and node.of.base in LOSSES:
                    yield untimed(node.of)[0].key


def _recurs(name: Name, right: Formula) -> bool:
    """Whether a line reads its own left side at the step before."""
    earlier = [n.time.offset for n in names(right) if n.key == name.key and n.time is not None]
    own = name.time.offset if name.time is not None else None
    return own is not None and own - 1 in [e for e in earlier if e is not None]


def _adds_up(right: Formula) -> bool:
    return any(isinstance(n, Big) or (isinstance(n, Brackets) and n.left == "‖") for n in walk(right))


def _missing(lines: Sequence[tuple[Formula, Formula, Equation]], kinds: dict[int, str], table: Table) -> str:
    for place_, (left, right, _) in enumerate(lines):
        if place_ in kinds or not isinstance(left, Name):
            continue
        at = table.key(left)
        given = table.roles.get(table.idents.get(at.key, "")) in ("input", "parameter")
        given = given and not any(table.key(n).key == at.key for n in names(right))
        if given and not _has_gradient(left, table, True) and not _has_gradient(right, table, True):
            return at.key
    return ""


def _to_go(lines: Sequence[tuple[Formula, Formula, Equation]]) -> Iterator[str]:
    """Losses that are sums from the step on."""
    for left, right, _ in lines:
        if not isinstance(left, Name) or left.base not in LOSSES or left.time is None:
            continue
        letter = left.time.letter
        key = untimed(left)[0].key
        for node in walk(right):
            if (
                isinstance(node, Big)
                and node.low is not None
                and any(n.key == letter for n in walk(node.low) if isinstance(n, Name))
            ):
                yield key
            if (
                isinstance(node, Name)
                and node.key == left.key
                and node.time is not None
                and node.time.offset == 1
            ):
                yield key


# -- the cell ---------------------------------------------------------------------------------------------


def _contexts(lines: Iterable[tuple[Formula, Formula]], table: Table) -> dict[str, set[str]]:
    """How each name is used: term of a sum, beside an open or a pointwise product, as a matrix's operand."""
    found: dict[str, set[str]] = {}

    def note(node: Formula, what: str) -> None:
        while isinstance(node, Raised) or (isinstance(node, Brackets) and len(node.items) == 1):
            node = node.body if isinstance(node, Raised) else node.items[0]
        if isinstance(node, Name):
            found.setdefault(table.key(node).key, set()).add(what)

    def look(node: Formula) -> None:
        if isinstance(node, Sum):
            for term in node.terms:
                note(term, "share" if any(isinstance(t, Number) for t in node.terms) else "term")
        if isinstance(node, Product):
            for n, factor in enumerate(node.factors):
                beside = [node.operators[i] for i in (n - 1, n) if 0 <= i < len(node.operators)]
                for operator in beside:
                    pointwise = operator in ("⊙", "∘", ".*", "⊗")
                    note(factor, "pointwise" if pointwise else "open")
                before = node.factors[n - 1] if n else None
                if (
                    isinstance(before, Name)
                    and before.base[0].isupper()
                    and node.operators[n - 1] not in ("⊙", "∘", ".*")
                ):
                    note(factor, "operand")
                    note(before, "matrix")
        if isinstance(node, Apply) and not function_of(node.head, table):
            note(node.head, "open")
        for child in children(node):
            look(child)

    for _, right in lines:
        look(right)
    return found


def _cell(
    document: Document,
    lines: Sequence[tuple[Formula, Formula, Equation]],
    kinds: dict[int, str],
    table: Table,
    held_names: Iterable[str],
) -> Cell:
    unifier = Sizes()
    used = [(lines[n][0], lines[n][1]) for n, kind in kinds.items() if kind == "forward"]
    timeless = not any(
        isinstance(table.key(n).lag, int) and n.time is not None
        for left, right in used
        for n in (*names(left), *names(right))
    )
    scope = _Forward(table, unifier, _contexts(used, table), timeless or _mostly_timeless(used, table))
    express = Express(scope, unifier, table.rows)
    _declare_defined(used, table, unifier)
    scope.held = {table.idents[k] for k in held_names if k in table.idents}
    equations: list[tuple[str, sp.Expr]] = []
    for left, right in used:
        assert isinstance(left, Name)
        at = table.key(left)
        scope.lag = at.lag if isinstance(at.lag, int) else 0
        ident = table.idents[at.key]
        for name, value in _split(ident, right, express, table, scope):
            table.shapes[name] = _unified(unifier, table.shapes.get(name), value.shape)
            equations.append((name, value.expr))
            scope.lines[name] = value.expr
    equations = _merged(equations, table)
    equations = [(name, _held(expr, scope.held)) for name, expr in _sorted(equations)]
    losses = [(lines[n][0], lines[n][1]) for n, kind in kinds.items() if kind == "loss"]
    loss, targets = _loss(losses, scope, express, table)
    _sizes(table, unifier)
    equations, outputs = _outputs(equations, table, loss)
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


def _merged(equations: list[tuple[str, sp.Expr]], table: Table) -> list[tuple[str, sp.Expr]]:
    """Arguments that the document has a name for go by that name."""
    named = {expr: name for name, expr in equations if name in table.spelled}
    same = {name: named[expr] for name, expr in equations if name not in table.spelled and expr in named}
    for name in same:
        table.roles.pop(name)
        table.shapes.pop(name)
    table.before = {post: same.get(pre, pre) for post, pre in table.before.items()}
    rules = {Ref(name, 0): Ref(other, 0) for name, other in same.items()}
    return [(name, expr.xreplace(rules)) for name, expr in equations if name not in same]


def _held(expr: sp.Expr, held: set[str]) -> sp.Expr:
    """A right side in which names that the text holds fixed pass no gradient on."""
    return expr.xreplace({r: N.stop_gradient(r) for r in expr.atoms(Ref) if r.base in held})


def _mostly_timeless(used: Sequence[tuple[Formula, Formula]], table: Table) -> bool:
    return all(isinstance(left, Name) and left.time is None for left, _ in used)


def _unified(unifier: Unifier, known: Shape | None, shape: Shape) -> Shape:
    if known is None or (shape == () and known != ()):
        return shape if known is None else known
    try:
        return unifier.same(known, shape, "")
    except ShapeError as error:
        raise Misfit(str(error)) from None


def _declare_defined(used: Sequence[tuple[Formula, Formula]], table: Table, unifier: Unifier) -> None:
    """The left sides: states where they are read at the step before, other names where not."""
    read: set[str] = set()
    for left, right in used:
        assert isinstance(left, Name)
        shift = table.key(left).lag or 0
        for name in _bare_names(right):
            at = table.key(name)
            if isinstance(at.lag, int) and isinstance(shift, int) and at.lag - shift == -1:
                read.add(at.key)
    for left, _ in used:
        assert isinstance(left, Name)
        at = table.key(left)
        ident = identifier(at.key, [*table.spelled, *N.FUNCTIONS, "t", "m", "n", "p", "k", "loss"])
        table.idents[at.key] = ident
        table.samples[ident] = left
        table.spelled[ident] = untimed(replace(left, primes=0) if at.key in table.renewed else left)[0]
        table.roles[ident] = "state" if at.key in read else "name"
        table.shapes[ident] = (unifier.fresh(),)


def _split(
    ident: str, right: Formula, express: Express, table: Table, scope: _Forward
) -> Iterator[tuple[str, Value]]:
    """A line whose right side is an activation of an expression, in two lines; others as they are."""
    value = express(right)
    if isinstance(right, Apply) and right.power is None:
        inner = value.expr.args[0] if isinstance(value.expr, (N.sigma, N.tanh, N.softmax)) else None
        if isinstance(inner, Ref):
            if not isinstance(value.expr, N.softmax):
                table.before[ident] = inner.base
        elif inner is not None:
            name = identifier(f"net_{ident}", [*table.spelled, *table.roles])
            table.roles[name] = "name"
            if not isinstance(value.expr, N.softmax):
                table.before[ident] = name
            table.shapes[name] = value.shape
            yield name, Value(inner, value.shape)
            value = replace(value, expr=value.expr.func(Ref(name, 0)))
    yield ident, value


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
    given = iter([N.p, N.k, *(Size(f"q{i}") for i in range(1, 40))])
    order = sorted(
        table.shapes, key=lambda ident: {"input": 0, "state": 1}.get(table.roles.get(ident, ""), 2)
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
            declared.append((Weight if len(shape) == 2 else Vector)(*shape, name=ident))
        elif role == "hyper":
            declared.append(Hyper(0.7, name=ident))
        elif role in kinds:
            declared.append(kinds[role](*(shape or [()]), name=ident))
    return declared


def _outputs(
    equations: list[tuple[str, sp.Expr]], table: Table, loss: sp.Expr | None
) -> tuple[list[tuple[str, sp.Expr]], list[str]]:
    """What nothing else reads at its own step, where the loss acts; names that only gather others are dropped."""
    read = {r.base for _, e in equations for r in e.atoms(Ref) if r.lag == 0}
    read |= {r.base for r in loss.atoms(Ref)} if loss is not None else set()
    lines = dict(equations)
    idle = [
        name for name, expr in equations
        if name not in read and table.roles[name] == "name"
        and (isinstance(expr, (N.Concat, N.softmax) if loss is not None else N.Concat) or not any(r.lag == 0 and r.base in lines for r in expr.atoms(Ref)))
    ]  # fmt: skip
    if idle and len(idle) < len(equations):
        return _outputs([(name, expr) for name, expr in equations if name not in idle], table, loss)
    return equations, [name for name, _ in equations if name not in read]


def _loss(
    losses: list[tuple[Formula, Formula]], scope: _Forward, express: Express, table: Table
) -> tuple[sp.Expr | None, list[str]]:
    """The loss of a step, where a document writes it out; and its targets."""
    for _, right in losses:
        known = set(table.roles)
        scope.lag = 0
        try:
            expr = _loss_of_step(right, scope, express)
        except (Unreadable, NotationError):
            expr = None
        new = [ident for ident in table.roles if ident not in known]
        if expr is None or not {r.base for r in expr.atoms(Ref)} & known:
            for ident in new:
                table.roles.pop(ident)
                table.shapes.pop(ident)
                key = next(k for k, v in table.idents.items() if v == ident)
                table.idents.pop(key)
                table.spelled.pop(ident)
            continue
        targets = [ident for ident in new if table.roles[ident] == "input" or len(table.shapes[ident]) == 1]
        moved = {Ref(ident): Ref(ident, 0) for ident in targets if table.roles[ident] == "parameter"}
        for ref in moved:
            table.roles[ref.base] = "input"
        return expr.xreplace(moved), targets
    return None, []


def _loss_of_step(right: Formula, scope: _Forward, express: Express) -> sp.Expr | None:
    factor, body = sp.Integer(1), right
    while True:
        if isinstance(body, Big):
            body = body.body
        elif isinstance(body, Sum) and len(body.terms) == 1:
            factor, body = (-factor if body.signs[0] == "-" else factor), body.terms[0]
        elif isinstance(body, Product) and any(isinstance(f, Big) for f in body.factors):
            rest = [f for f in body.factors if not isinstance(f, Big)]
            for item in rest:
                factor = factor * express(item).expr
            body = next(f for f in body.factors if isinstance(f, Big))
        elif isinstance(body, Brackets) and len(body.items) == 1 and body.left in "([{":
            body = body.items[0]
        else:
            break
    if isinstance(body, Apply) and not function_of(body.head, scope.table):
        return None
    if any(
        n.base in LOSSES and table_key not in scope.table.roles for n, table_key in _keyed(body, scope.table)
    ):
        return None
    body = _without_units(body, scope.table)
    value = express(body)
    expr = N.Sum(value.expr) if value.rank else value.expr
    return _one_hot(factor * expr, scope) if expr.has(N.Sum) else None


def _keyed(node: Formula, table: Table) -> Iterator[tuple[Name, str]]:
    for name in names(node):
        yield name, table.idents.get(table.key(name).key, "")


def _without_units(node: Formula, table: Table) -> Formula:
    """A formula without the indices of units, where a known name has them."""
    units = set()
    for name in names(node):
        if table.key(name).key not in table.idents:
            for script in name.scripts:
                bare = replace(name, scripts=tuple(s for s in name.scripts if s is not script))
                if table.key(bare).key in table.idents:
                    units.add(script.text)

    def change(part: Formula) -> Formula:
        part = rebuilt(part, change)
        if isinstance(part, Name) and any(s.text in units for s in part.scripts):
            return replace(part, scripts=tuple(s for s in part.scripts if s.text not in units))
        return part

    return change(node) if units else node


def _one_hot(expr: sp.Expr, scope: _Forward) -> sp.Expr:
    """The cross entropy of a softmax, -sum(y log p): for targets that add up to one, by the scores themselves."""
    for node in expr.atoms(N.Sum):
        (inner,) = node.args
        factors = sp.Mul.make_args(inner)
        logs = [f for f in factors if isinstance(f, (N.log, N.log_softmax))]
        if len(logs) != 1:
            continue
        scores = scope.scores(logs[0])
        if scores is not None and isinstance(scores, Ref):
            rest = sp.Mul(*(f for f in factors if f is not logs[0]))
            expr = expr.xreplace({node: N.Sum(rest * scores) - N.LogSumExp(scores)})
    return expr
