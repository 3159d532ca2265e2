"""Which scripts are steps: from ``h_{t-1}``, ``h^{(t)}``, ``h(t)``, ``h[t]`` to a name and its time.

The letters t, τ and T are steps wherever they stand (T in a superscript may be a transpose).  Another
letter is one inside a formula whose sum runs over steps with it, or where it stands with a number
added (``h_{k-1}``), or where the document uses no t.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lstmsym.documents import symbols as S
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Delta,
    Derivative,
    Formula,
    Fraction,
    Indexed,
    Item,
    Name,
    Number,
    Product,
    Raised,
    Script,
    Sum,
    Time,
    Words,
    rebuilt,
    walk,
)
from lstmsym.documents.gradients import derivative
from lstmsym.documents.tokens import NOTHING, Lexicon

FUNCTIONS = S.FUNCTION_WORDS | S.FUNCTION_LETTERS
USUAL = frozenset("n k s m".split())
"""Letters that are steps where a number is added to them in a call."""
CERTAIN = frozenset("t τ T".split())


def with_times(formula: Formula, lexicon: Lexicon = NOTHING, letters: Iterable[str] = ()) -> Formula:
    """The formula with time indices taken out of scripts, brackets and items."""
    found = frozenset(CERTAIN | lexicon.times | set(letters) | step_letters(formula))
    return _Times(found, lexicon)(formula)


def step_letters(formula: Formula) -> set[str]:
    """The letters that are steps in this formula, beyond t, τ and T."""
    found: set[str] = set()
    for node in walk(formula):
        if isinstance(node, Name):
            found |= _moved(node)
    if not any(isinstance(node, Name) and node.key in ("t", "τ") for node in walk(formula)):
        found |= {letter for node in walk(formula) if isinstance(node, Apply) for letter in _called_at(node)}
    bigs = [node for node in walk(formula) if isinstance(node, Big)]
    for _ in range(3):
        for big in bigs:
            limits = [x for x in (big.lower, big.upper) if x is not None]
            inside = {n.key for x in limits for n in walk(x) if isinstance(n, Name)}
            if inside & (CERTAIN | found):
                found |= {k for k in inside if len(k.rstrip("'")) == 1}
    return found - CERTAIN


def _moved(name: Name) -> set[str]:
    """Letters of a name's scripts that have a number added, unless t is its step already."""
    bodies = [s.body for s in name.scripts]
    if any(is_step(body, CERTAIN) for body in bodies):
        return set()
    times = [Time(body) for body in bodies if isinstance(body, Sum)]
    return {time.letter for time in times if time.offset and len(time.letter) == 1}


def _sign(sign: Name | Words) -> str:
    """The letters of an exponent."""
    return sign.base if isinstance(sign, Name) else sign.text


def _called_at(node: Apply) -> set[str]:
    """The letter of a step in a call, ``x(n-1)``."""
    argument = node.argument
    if node.certain or not isinstance(argument, Brackets) or argument.left != "(" or len(argument.items) != 1:
        return set()
    time = Time(argument.items[0])
    return {time.letter} & USUAL if isinstance(time.index, Sum) and time.offset else set()


def is_step(body: Formula, letters: Iterable[str]) -> bool:
    """Whether an index is a step: a letter of these, with numbers or other such letters added."""
    if isinstance(body, Name):
        return body.key.rstrip("'") in letters and body.time is None
    if isinstance(body, Sum):
        kinds = [is_step(term, letters) for term in body.terms]
        numbers = [isinstance(term, Number) for term in body.terms]
        return any(kinds) and all(k or n for k, n in zip(kinds, numbers, strict=True))
    return False


class _Times:
    """Rebuilds a tree from the leaves."""

    def __init__(self, letters: frozenset[str], lexicon: Lexicon) -> None:
        self.letters, self.timed, self.layered = letters, lexicon.timed, lexicon.layered

    def __call__(self, node: Formula) -> Formula:
        node = rebuilt(node, self)
        if isinstance(node, Name):
            return self.name(node)
        if isinstance(node, Apply):
            return self.applied(node)
        if isinstance(node, Delta):
            return self.gradient(node)
        if isinstance(node, Item):
            return self.item(node)
        if isinstance(node, Indexed):
            return self.indexed(node)
        if isinstance(node, Raised):
            return self.raised(node)
        if isinstance(node, Product):
            return self.product(node)
        if isinstance(node, Derivative):
            return self.derivative(node)
        if isinstance(node, Fraction) and self.layered:  # by W^2, no second derivative
            found = derivative(node.above, node.below)
            return node if found is None else replace(found, spelling=(node.spelling,), span=node.span)
        return node

    def derivative(self, node: Derivative) -> Formula:
        r"""What is transposed behind the loss is a factor: ``\nabla_W L (x_t)^\top``; so after ∂L/∂v_t."""
        if node.form == "slash":
            return _behind(node)
        raised = node.of
        if not isinstance(raised, Raised) or not isinstance(raised.body, Apply):
            return node
        call = raised.body
        if call.certain or call.power or not isinstance(call.head, Name):
            return node
        rest = replace(raised, body=call.argument, span=call.argument.span)
        return Product(("",), (replace(node, of=call.head), rest), span=node.span)

    def name(self, node: Name) -> Formula:
        """A name with its step apart; what is left above it may be a power."""
        node = self.settled(node)
        for place, script in enumerate(node.scripts):
            if script.where == "sub" or script.wrap:
                continue
            body = script.body
            rest = replace(node, scripts=node.scripts[:place] + node.scripts[place + 1 :])
            if isinstance(body, Name) and body.base == "T" and not body.marks and body.primes == 0:
                kind = "transpose" if node.time else "open"
                return Raised(self.name(rest), body, kind, span=node.span)
            if isinstance(body, (Sum, Product)) and not isinstance(body, Words):
                return Raised(self.name(rest), body, "power", span=node.span)
        return node

    def settled(self, node: Name) -> Name:
        """The first script that is a step, as the time."""
        if node.time is not None:
            return node
        order = sorted(enumerate(node.scripts), key=lambda pair: _is_bare_t(pair[1]))
        for place, script in order:
            if self.is_time(node, script, place):
                form = script.where
                same = [s for s in node.scripts[:place] if s.where == script.where]
                time = Time(script.body, form, script.wrap, len(same))
                return replace(node, time=time, scripts=node.scripts[:place] + node.scripts[place + 1 :])
        return node

    def is_time(self, node: Name, script: Script, place: int) -> bool:
        """Whether a script of a name is its step."""
        if is_step(script.body, self.letters):
            two = isinstance(script.body, Sum) and Time(script.body).offset is None
            return not (script.where == "sup" and not script.wrap and (_is_bare_t(script) or two))
        if isinstance(script.body, Number) and script.body.text.isdigit():
            rest = replace(node, scripts=node.scripts[:place] + node.scripts[place + 1 :])
            return rest.key in self.timed
        return False

    def applied(self, node: Apply) -> Formula:
        """h(t) as a name at t; a bracket after what has a step is a factor."""
        head, argument = node.head, node.argument
        if self.turned(head, argument):  # x^T(n)
            timed = self.applied(replace(node, head=head.body))  # type: ignore[attr-defined]
            return replace(head, body=timed, kind="transpose", span=node.span)  # type: ignore[call-arg]
        if not isinstance(head, Name):  # a power or a transpose turned up in the head
            return Product(("",), (head, argument), span=node.span)
        if node.certain and head.base in FUNCTIONS:
            return node
        single = isinstance(argument, Brackets) and argument.left == "(" and len(argument.items) == 1
        if single and isinstance(argument, Brackets) and head.time is None and not node.power:
            index = argument.items[0]
            if is_step(index, self.letters) or (isinstance(index, Number) and index.text.isdigit()):
                return replace(head, time=Time(index, "call"), span=node.span)
            before = isinstance(index, Sum) and len(index.terms) == 1 and isinstance(index.terms[0], Number)
            if before and head.key in self.timed:
                return replace(head, time=Time(index, "call"), span=node.span)  # h(-1)
        if head.time is not None and single:
            return Product(("",), (head, argument), span=node.span)
        return node

    def turned(self, head: Formula, argument: Formula) -> bool:
        """Whether a transposed name stands before its step."""
        return (
            isinstance(head, Raised)
            and isinstance(head.body, Name)
            and head.body.time is None
            and isinstance(head.exponent, (Name, Words))
            and _sign(head.exponent) in ("T", "⊤")
            and isinstance(argument, Brackets)
            and argument.left == "("
            and len(argument.items) == 1
            and is_step(argument.items[0], self.letters)
        )

    def gradient(self, node: Delta) -> Formula:
        """What is raised or multiplied after the quantity of a gradient is so after the gradient."""
        of = node.of
        if isinstance(of, Raised) and not node.prefix.startswith("∂"):
            return replace(of, body=replace(node, of=of.body), span=node.span)
        if isinstance(of, Product) and not node.prefix.startswith("∂") and not any(of.operators):
            first = replace(node, of=of.factors[0])
            return replace(of, factors=(first, *of.factors[1:]), span=node.span)
        if isinstance(of, Apply) and not node.prefix.startswith("∂") and not of.certain and not of.power:
            argument = of.argument
            single = isinstance(argument, Brackets) and len(argument.items) == 1
            if single:
                return Product(("",), (replace(node, of=of.head), argument), span=node.span)
        return node

    def item(self, node: Item) -> Formula:
        """x[t] as a name at t."""
        if len(node.items) == 1 and isinstance(node.body, (Name, Delta)):
            index = node.items[0]
            body = node.body
            inner = body.of if isinstance(body, Delta) else body
            if isinstance(inner, Name) and inner.time is None and is_step(index, self.letters):
                timed = replace(inner, time=Time(index, "item"), span=node.span)
                return replace(body, of=timed, whole="", span=node.span) if isinstance(body, Delta) else timed
        return node

    def indexed(self, node: Indexed) -> Formula:
        """An index on a name that has its step by now belongs to the name; a step on an expression is one."""
        if node.bar:
            return node
        if isinstance(node.body, Name):
            scripts = sorted((*node.body.scripts, *node.scripts), key=lambda script: script.where)
            return self.name(replace(node.body, scripts=tuple(scripts), span=node.span))
        for place, script in enumerate(node.scripts):
            if is_step(script.body, self.letters):
                time = Time(script.body, script.where, script.wrap)
                rest = node.scripts[:place] + node.scripts[place + 1 :]
                return replace(node, time=time, scripts=rest)
        return node

    def raised(self, node: Raised) -> Formula:
        """``^T`` on what has a step is a transpose; ``^{(t)}`` on a name after its argument, a step."""
        name = layered_name(node)
        if name is not None and name[0].key in self.layered:
            return name[1]
        has_step = isinstance(node.body, Name) and node.body.time is not None
        has_step |= isinstance(node.body, Delta) and getattr(node.body.of, "time", None) is not None
        if node.kind == "open" and has_step and isinstance(node.exponent, Name) and node.exponent.base == "T":
            return replace(node, kind="transpose")
        return node

    def product(self, node: Product) -> Formula:
        """Juxtapositions inside juxtapositions on one level; the step behind a power, x^2(n), in the name."""
        whole = self.stepped_power(node)
        if not isinstance(whole, Product):
            return whole
        node = whole
        if any(node.operators) or not any(_is_row(f) for f in node.factors):
            return node
        factors: list[Formula] = []
        for factor in node.factors:
            factors += factor.factors if isinstance(factor, Product) and _is_row(factor) else (factor,)
        return Product(("",) * (len(factors) - 1), tuple(factors), span=node.span)

    def stepped_power(self, node: Product) -> Formula:
        """A product in which a power of a name before a step in brackets is the power at that step."""
        if any(node.operators):
            return node
        factors: list[Formula] = []
        for factor in node.factors:
            power = factors[-1] if factors else None
            single = isinstance(factor, Brackets) and factor.left == "(" and len(factor.items) == 1
            step = factor.items[0] if single and isinstance(factor, Brackets) else None
            body = power.body if isinstance(power, Raised) and isinstance(power.exponent, Number) else None
            first = step.terms[0] if isinstance(step, Sum) else step
            if (
                isinstance(power, Raised)
                and isinstance(body, Name)
                and (body.key in self.timed or body.base not in FUNCTIONS)
                and body.time is None
                and step is not None
                and isinstance(first, Name)
                and is_step(step, self.letters)
            ):
                factors[-1] = replace(power, body=replace(body, time=Time(step, "call")))
            else:
                factors.append(factor)
        if len(factors) == len(node.factors):
            return node
        if len(factors) == 1:
            return factors[0]
        return Product(("",) * (len(factors) - 1), tuple(factors), span=node.span)


def _behind(node: Derivative) -> Formula:
    """Brackets behind the quantity below the slash, which has its step, are a factor: ∂L/∂v_t (h_t)^T."""
    raised = node.by if isinstance(node.by, Raised) else None
    row = raised.body if raised is not None else node.by
    if not isinstance(row, Product) or any(row.operators) or not isinstance(row.factors[0], Name):
        return node
    first, rest = row.factors[0], list(row.factors[1:])
    if raised is not None:
        rest[-1] = replace(raised, body=rest[-1])
    return Product(row.operators, (replace(node, by=first), *rest), span=node.span)


def layered_name(node: Raised) -> tuple[Name, Formula] | None:
    """The name, without its step, that has one digit above it; and what it is if that is an index."""
    of = node.body.of if isinstance(node.body, Delta) else node.body
    exponent = node.exponent
    if node.kind != "power" or not isinstance(of, Name) or not isinstance(exponent, Number):
        return None
    if len(exponent.text) != 1 or of.base in ("e", "10"):
        return None
    indexed = replace(of, scripts=(*of.scripts, Script("sup", exponent)), span=node.span)
    whole = replace(node.body, of=indexed, whole="") if isinstance(node.body, Delta) else indexed
    return replace(of, time=None), whole


def _is_row(node: Formula) -> bool:
    return isinstance(node, Product) and not any(node.operators)


def _is_bare_t(script: Script) -> bool:
    body = script.body
    return script.where == "sup" and not script.wrap and isinstance(body, Name) and body.base == "T"
