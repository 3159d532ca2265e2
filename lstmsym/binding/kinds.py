"""Which lines of a document are forward equations, which give its loss, which only name things."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lstmsym.binding.abbreviated import is_diagonal, is_of_slopes
from lstmsym.binding.defined import functions_of, is_naming, named
from lstmsym.binding.entries import is_unit_sum
from lstmsym.binding.express import is_transposition
from lstmsym.binding.quantity import FIRST, LAST, Place, untimed
from lstmsym.binding.stacks import is_layout, is_slice
from lstmsym.binding.systems import System, main_system
from lstmsym.binding.table import (
    ASSUMED,
    FUNCTIONS,
    LOSSES,
    Line,
    Table,
    bare_names,
    function_of,
    has_gradient,
    is_entropy,
    is_step_size,
)
from lstmsym.binding.updates import is_update
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Derivative,
    Formula,
    Item,
    Name,
    Number,
    Raised,
    Sum,
    names,
    rebuilt,
    walk,
)
from lstmsym.documents.read import Document

LONGEST = 4
"""Steps back that a forward equation may read."""


def letters_of(document: Document, lines: Sequence[Line]) -> frozenset[str]:
    """The letters that number the steps: t where it is used, else the letter that is used most."""
    timed = (n.time for left, right, _ in lines for n in (*names(left), *names(right)) if n.time is not None)
    found = Counter(time.letter.rstrip("'") for time in timed if time.letter)
    usual = next((letter for letter in ("t", "τ") if letter in found), None)
    return frozenset({usual or (found.most_common(1)[0][0] if found else "t")})


def assumed_functions(lines: Sequence[Line], table: Table, said: Mapping[str, str]) -> dict[str, str]:
    """Letters applied to an argument and never a quantity: activations that the text names, or assumed."""
    own, said = functions_of(lines), {**said, **dict(named(lines))}
    sides = [side for left, right, _ in lines for side in (left, right)]
    quantities = {table.key(left).key for left, _, _ in lines if isinstance(left, Name)}
    quantities |= {_quantity_key(name) for side in sides for name in bare_names(_without_limits(side))}
    heads = [n.head for side in sides for n in walk(side) if isinstance(n, Apply) and n.head.time is None]
    primed = {replace(h, primes=0).key for h in heads if h.primes}
    lettered = {key for key, _ in named(lines)}
    result = {}
    for head in heads:
        key = replace(head, primes=0).key
        known = head.base in FUNCTIONS and not head.scripts and key not in lettered
        if key in result or known or key in own or (key in quantities and key not in primed):
            continue
        if key in said:
            result[key] = said[key]
            continue
        function = "" if head.scripts else {"δ": "sigma", "s": "sigma"}.get(head.base, "")
        if function or key in primed or (head.base in ASSUMED and not head.scripts):
            result[key] = function or "tanh"
            table.assumed[key] = "the logistic sigmoid" if function else "tanh"
    return result


def _without_limits(node: Formula) -> Formula:
    """A formula without the limits of its sums: the letter that one runs over is no quantity."""
    bare = replace(node, lower=None, upper=None) if isinstance(node, Big) else node
    return rebuilt(bare, _without_limits)


def _quantity_key(name: Name) -> str:
    stepped = name.time is not None or any(s.where == "sup" for s in name.scripts)
    return untimed(name)[0].key if stepped else name.key


def arguments_of(lines: Sequence[Line], table: Table) -> Iterator[str]:
    """Names with a mark whose activation the name without is: i~ of i = exp(i~)."""
    for left, right, _ in lines:
        if not isinstance(left, Name) or not isinstance(right, Apply) or not function_of(right.head, table):
            continue
        inner = right.argument
        while isinstance(inner, Brackets) and len(inner.items) == 1:
            inner = inner.items[0]
        if isinstance(inner, Name) and inner.marks and replace(inner, marks=inner.marks[:-1]) == left:
            yield untimed(inner)[0].key


def renewed_names(lines: Sequence[Line]) -> Iterator[str]:
    """Names whose primed form is defined from them: h' of h."""
    for left, right, _ in lines:
        if isinstance(left, Name) and left.primes == 1 and left.time is None:
            bare = replace(left, primes=0).key
            if any(n.key == bare for n in names(right)):
                yield bare


def kinds_of(lines: Sequence[Line], table: Table) -> dict[int, str]:
    """The forward equations, in order; the loss's; the second names of a quantity."""
    return _Sorting(table).sorted(lines)


class _Sorting:
    """Goes through the lines; ``closed``: every state that was read before its definition has one now."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.kinds: dict[int, str] = {}
        self.systems = [System()]
        self.losses: set[str] = set()
        self.timed: set[str] = set()
        self.read: set[str] = set()
        self.by: set[str] = set()
        """What derivatives are taken by."""
        self.barred: set[str] = set()
        """What stands somewhere with a bar, as it is called without."""
        self.said: set[tuple[Formula, Formula]] = set()
        self.arguments: set[object] = set()
        """What activations are taken of in forward equations."""

    @property
    def defined(self) -> set[str]:
        return self.systems[-1].defined

    @property
    def closed(self) -> bool:
        return self.systems[-1].closed

    def sorted(self, lines: Sequence[Line]) -> dict[int, str]:
        """The kinds of all lines; of several systems the one that the other lines speak of is forward."""
        chains: set[tuple[int, int, str]] = set()
        for left, right, _ in lines:
            self._noted(left, right)
        for place, (left, right, row) in enumerate(lines):
            chain = (row.line, row.column, self.table.key(left).key if isinstance(left, Name) else "")
            if row.chain and chain in chains:
                continue  # a = b = c has defined a by b
            if isinstance(left, Name) and row.relation in ("=", ":=", "≡", "←"):
                self.see(place, left, right)
            if chain[-1] in self.defined:
                chains.add(chain)
        spoken = self._spoken(lines)
        main = main_system(self.systems, spoken)
        known = set(main.values())
        for system in self.systems:
            other = not system.defined.isdisjoint(known) and not main.keys() & system.lines.keys()
            for place, key in system.lines.items():
                forward = place in main or (key not in known and (not other or key in spoken))
                self.kinds[place] = "forward" if forward else "again"
        return dict(sorted(self.kinds.items()))

    def _noted(self, left: Formula, right: Formula) -> None:
        """What names have steps, and what is read somewhere."""
        self.read |= {self.table.key(n).key for n in names(right)}
        found = (self.table.key(n) for side in (left, right) for n in names(side))
        self.timed |= {p.key for p in found if isinstance(p.lag, int)}
        derivatives = (n for side in (left, right) for n in walk(side) if isinstance(n, Derivative))
        self.by |= {self.table.key(n.by).key for n in derivatives if isinstance(n.by, Name)}
        bars = (n for side in (left, right) for n in names(side) if n.marks[-1:] == ("bar",))
        self.barred |= {self.table.key(replace(n, marks=n.marks[:-1])).key for n in bars}

    def _spoken(self, lines: Sequence[Line]) -> set[str]:
        """The keys that the lines speak of which define nothing."""
        forward = {place for system in self.systems for place in system.lines}
        rest = (side for n, line in enumerate(lines) if n not in forward for side in line[:2])
        return {key for side in rest for node in walk(side) if isinstance(node, Name) for key in _keys(node)}

    def see(self, place: int, left: Name, right: Formula) -> None:
        """One line with a name on its left side."""
        at = self.table.key(left)
        if is_update(left, right, self.table):
            self.kinds[place] = "update"
            return
        if is_naming(left, right) or any(is_step_size(node, self.table) for node in walk(right)):
            self.kinds[place] = "definition"
            return
        gradient = any(has_gradient(side, self.table, self.closed) for side in (left, right))
        gradient = gradient or (self.closed and self._bars(left))
        gradient &= not (left.marks and _settled(right) in self.arguments)
        gradient = gradient and not is_of_slopes(left, right, self.table)
        if at.lag == FIRST and not gradient and _is_start(right, self.table):
            self.kinds[place] = "definition"
        if at.lag in (FIRST, LAST) or gradient or at.letter in {"T", "τ"} - self.table.letters:
            return
        if at.key in self.losses or (left.base in LOSSES and _is_loss(right, left, self.defined)):
            self.kinds[place] = "loss"
            self.losses.add(at.key)
            return
        parts = [self.table.key(n) for n in bare_names(right)]
        if any(p.key in self.losses for p in parts) and at.key not in self.defined:
            self.kinds[place] = "definition"  # of what is made of a loss, a perplexity
            return
        if self.is_forward(at, parts, right) and not self.repeats(at, parts):
            self.see_forward(place, left, right, parts)

    def _bars(self, left: Name) -> bool:
        """Whether a name has a bar, after the forward pass, where bars make gradients of defined names."""
        if untimed(left)[0].key in self.table.arguments:
            return False
        return left.marks[-1:] == ("bar",) and not self.barred.isdisjoint(self.defined | self.read)

    def see_forward(self, place: int, left: Name, right: Formula, parts: Sequence[Place]) -> None:
        """One line that may be forward, with the names on its right side."""
        at = self.table.key(left)
        if is_layout(left, right) or is_diagonal(right):
            self.table.macros[at.key] = right
            self.kinds[place] = "definition"
            return
        if self.is_aside(at, parts, right):
            self.kinds[place] = "aside"
            return
        if (left, right) in self.said:
            self.kinds[place] = "again"
            return
        self.said.add((left, right))
        if isinstance(right, Apply):
            self.arguments.add(_settled(right.argument))
        if at.key in self.defined:
            if self.closed and not self.systems[-1].fresh(parts):
                return
            self.systems.append(self.systems[-1].next(at.key))
        if isinstance(right, Name) and parts and parts[0].key not in self.defined and at.lag is not None:
            self.table.aliases[parts[0].key] = at.key
            self.kinds[place] = "alias"
        else:
            self.define(place, at, parts)

    def is_aside(self, at: Place, parts: Sequence[Place], right: Formula) -> bool:
        """Whether a line speaks of no step, of a name that has steps elsewhere: x = y; or sets a number."""
        if at.lag is not None or any(p.lag is not None for p in parts):
            return False
        if not parts:
            return at.key not in self.read
        if isinstance(right, Name) and at.key in self.by and parts[0].key in self.table.idents:
            return True  # theta = W: which of the parameters is meant
        return isinstance(right, Name) and not self.timed.isdisjoint({at.key, parts[0].key})

    def repeats(self, at: Place, parts: Sequence[Place]) -> bool:
        """Whether a line says again of the system before what it holds, in names of that alone."""
        before = self.systems[-2:-1]
        return any(at.key in s.defined and {p.key for p in parts} <= s.names for s in before)

    def is_forward(self, at: Place, parts: Sequence[Place], right: Formula) -> bool:
        """Whether a line may define a quantity: it reads no later step, nothing but its step and the last."""
        if isinstance(at.lag, int) and at.lag not in (0, 1):
            return False
        shift = at.lag if isinstance(at.lag, int) else 0
        if any(
            p.lag in (FIRST, LAST) or (isinstance(p.lag, int) and not -LONGEST <= p.lag - shift <= 0)
            for p in parts
        ):
            return False
        strange = any(_unnatural(n, self.table) for n in bare_names(right))
        if self.closed and strange and _grounded(right, self.table):
            return False
        sums = (
            n for n in walk(right) if isinstance(n, (Big, Item)) and not is_unit_sum(n) and not is_slice(n)
        )
        return not any(sums) and at not in parts

    def define(self, place: int, at: Place, parts: Sequence[Place]) -> None:
        """A forward equation."""
        self.systems[-1].add(place, at, parts)
        for part in (at, *parts):
            self.table.idents.setdefault(part.key, part.key)


def _settled(node: Formula) -> object:
    """A formula without the brackets around it, its terms in any order."""
    while isinstance(node, Brackets) and len(node.items) == 1:
        node = node.items[0]
    return frozenset(zip(node.signs, node.terms, strict=True)) if isinstance(node, Sum) else node


def _is_start(right: Formula, table: Table) -> bool:
    """Whether a right side is a value that a quantity may have before the first step."""
    while isinstance(right, Brackets) and len(right.items) == 1:
        right = right.items[0]
    return isinstance(right, Number) or (isinstance(right, Name) and table.key(right).lag in (FIRST, None))


def _keys(name: Name) -> Iterator[str]:
    """The keys that a name may go by: as it is, and without the index of a unit."""
    bare = untimed(name)[0]
    yield bare.key
    rest = tuple(s for s in bare.scripts if len(s.text) > 1 or s.where == "sup")
    if rest != bare.scripts:
        yield replace(bare, scripts=rest).key


def _unnatural(name: Name, table: Table) -> bool:
    at = table.key(name)
    return at.key not in table.idents and len(name.base) > 3 and at.lag is None


def _grounded(right: Formula, table: Table) -> bool:
    return any(table.key(n).key in table.idents for n in bare_names(right))


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
    inner = any(isinstance(n, Raised) and is_transposition(n) for n in walk(right))
    squares = inner or any(isinstance(n, Raised) and isinstance(n.exponent, Number) for n in walk(right))
    return (
        bigs
        or norms
        or squares
        or bool(text & LOSSES)
        or "log" in text
        or isinstance(right, Apply)
        or "ln" in text
    )


def loss_names(lines: Sequence[Line]) -> Iterator[str]:
    """Names whose derivative is taken and that are losses by their letter."""
    for left, right, _ in lines:
        for side in (left, right):
            for node in walk(side):
                if isinstance(node, Derivative) and isinstance(node.of, Name) and node.of.base in LOSSES:
                    yield untimed(node.of)[0].key


def loss_by(lines: Sequence[Line]) -> Iterator[Name]:
    """Names by which a loss is derived, the derivative written out."""
    for node in (part for left, right, _ in lines for side in (left, right) for part in walk(side)):
        of, by = (node.of, node.by) if isinstance(node, Derivative) else (None, None)
        if isinstance(of, Name) and isinstance(by, Name) and of.base in LOSSES:
            yield by


def _recurs(name: Name, right: Formula) -> bool:
    """Whether a line reads its own left side at the step before."""
    earlier = [n.time.offset for n in names(right) if n.key == name.key and n.time is not None]
    own = name.time.offset if name.time is not None else None
    return own is not None and own - 1 in [e for e in earlier if e is not None]


def _adds_up(right: Formula) -> bool:
    if isinstance(right, Apply) and is_entropy(right.head):
        return True
    return any(isinstance(n, Big) or (isinstance(n, Brackets) and n.left == "‖") for n in walk(right))


def missing(lines: Sequence[Line], kinds: dict[int, str], table: Table) -> str:
    """A name that a document defines by a line that was not read as forward, and the cell has as given."""
    for place_, (left, right, _) in enumerate(lines):
        if place_ in kinds or not isinstance(left, Name):
            continue
        at = table.key(left)
        given = table.roles.get(table.idents.get(at.key, "")) in ("input", "parameter")
        given = given and not any(table.key(n).key == at.key for n in names(right))
        if given and not has_gradient(left, table, True) and not has_gradient(right, table, True):
            return at.key
    return ""


def to_go(lines: Sequence[Line]) -> Iterator[str]:
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
