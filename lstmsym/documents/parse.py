"""From tokens to a tree: a Pratt parser, one method for each strength of binding.

Hand-written rather than generated from a grammar: whether a letter is a gradient, a bracket an
argument or a product, is decided by what stands beside it, and an error must say where reading
stopped and why.  From loose to close: relation, sum, product with a written operator, juxtaposition,
factor with its scripts and arguments, atom.  Time indices are still scripts (`times` settles them).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
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
    Relation,
    Slice,
    Sum,
    Words,
    rebuilt,
)
from lstmsym.documents.gradients import derivative, identifier
from lstmsym.documents.limits import ReadingError
from lstmsym.documents.scripts import Scripts
from lstmsym.documents.tables import Tables
from lstmsym.documents.tokens import Token

STARTS = frozenset(
    "letter word number open { function accent font frac sqrt partial nabla big begin text dots binom".split()
)
NAMES = frozenset("letter word accent font".split())
APART = frozenset(["big", "bar"])
GRADIENTS = frozenset("d δ Δ F_".split())


def parse(tokens: Sequence[Token]) -> Formula:
    """The tree of one side of an equation, or of a condition; a list with commas is one `Brackets`.

    Raises:
        ReadingError: where reading stopped and why.
    """
    parser = Parser(tokens)
    items = [parser.relation()]
    while parser.kind() == "comma" and parser.plain() in ",;" and parser.kind(1):
        parser.take()
        items.append(parser.relation())
    if parser.token is not None:
        parser.fail(f"{parser.token.spelling} is not expected here")
    if len(items) == 1:
        return items[0]
    return Brackets("", "", tuple(items), (",",) * (len(items) - 1), span=parser.span(0))


class Parser(Scripts, Tables):
    """Reads a formula; one method for each strength of binding."""

    def relation(self) -> Formula:
        """Sums with relations between them."""
        start = self.at
        if self.kind() == "quantifier":
            sign = self.take()
            inner = self.relation()
            return Relation((sign.plain,), (Words("", ""), inner), (sign.spelling,), span=self.span(start))
        terms, signs, spelling = [self.sum()], [], []
        while self.kind() == "relation":
            token = self.take()
            signs.append(token.plain)
            spelling.append(token.spelling)
            terms.append(self.sum())
        if not signs:
            return terms[0]
        return Relation(tuple(signs), tuple(terms), tuple(spelling), span=self.span(start))

    def sum(self) -> Formula:
        """Terms with their signs."""
        start = self.at
        signs = [self.take().plain if self.kind() == "sign" else "+"]
        terms = [self.product()]
        while self.kind() == "sign":
            signs.append(self.take().plain)
            terms.append(self.product())
        if signs == ["+"]:
            return terms[0]
        return Sum(tuple(signs), tuple(terms), span=self.span(start))

    def product(self) -> Formula:
        """Juxtapositions with written operators between them."""
        start = self.at
        factors, operators, spelling = [self.juxtaposition()], [], []
        while self.kind() == "product" or self.is_star():
            token = self.take()
            operators.append(token.plain)
            spelling.append(token.spelling)
            if self.kind() == "sign":
                inner = self.at
                sign = self.take().plain
                body = self.juxtaposition()
                factors.append(Sum((sign,), (body,), span=self.span(inner)))
            else:
                factors.append(self.juxtaposition(below=operators[-1] == "/"))
            if self.kind() in APART:  # 1/N \sum_t x, the rest of a row behind a fraction
                whole = Product(tuple(operators), tuple(factors), tuple(spelling), span=self.span(start))
                factors, operators, spelling = [self.beside(whole, start)], [], []
        if not operators:
            return factors[0]
        return Product(tuple(operators), tuple(factors), tuple(spelling), span=self.span(start))

    def beside(self, first: Formula, start: int) -> Formula:
        """A factor with those that come after it."""
        rest = self.juxtaposition()
        return Product(("",), (first, rest), span=self.span(start))

    def juxtaposition(self, below: bool = False) -> Formula:
        """Factors side by side; below a slash up to a sum or a norm, which no one writes there."""
        start = self.at
        factors = [self.factor()]
        while self.starts_factor() and not (below and self.kind() in APART):
            last = factors[-1]
            following = self.factor()
            if isinstance(last, Derivative) and last.of is None and last.form == "frac":
                factors[-1] = replace(last, of=following, form="operator", span=self.span(start))
            else:
                factors.append(following)
        if len(factors) == 1:
            return factors[0]
        return Product(("",) * (len(factors) - 1), tuple(factors), span=self.span(start))

    def starts_factor(self) -> bool:
        """Whether what comes is a further factor."""
        kind = self.kind()
        if self.is_star():
            return False
        if kind == "bar":
            return self.plain() not in self.bars and self.has_partner()
        return kind in STARTS

    def is_star(self) -> bool:
        r"""Whether ``\star`` comes between two factors: an operator, and elsewhere a placeholder."""
        return self.kind() == "letter" and self.plain() == "⋆" and self.at > 0 and self.kind(1) in STARTS

    def has_partner(self) -> bool:
        """Whether the bar that comes is closed by another one."""
        depth = 0
        for token in self.tokens[self.at + 1 : self.at + 200]:
            if depth == 0 and token.kind == "bar" and token.plain == self.plain():
                return self.kind(1) not in ("sub", "relation")
            depth += {"open": 1, "{": 1, "close": -1, "}": -1}.get(token.kind, 0)
            if depth < 0:
                break
        return False

    def factor(self) -> Formula:
        """An atom with its scripts, arguments and bars."""
        self.deeper()
        start = self.at
        node = self.atom()
        while True:
            kind = self.kind()
            if kind in ("sub", "sup", "prime", "suffix"):
                node = self.scripted(node, start)
            elif kind == "open" and isinstance(node, Name) and self.calls(node):
                argument = self.brackets()
                certain = node.base in S.FUNCTION_LETTERS or node.base in S.FUNCTION_WORDS or node.primes > 0
                node = Apply(node, argument, certain=certain, span=self.span(start))
            elif kind == "open" and isinstance(node, Delta) and node.whole and self.plain() == "(":
                node = self.called_gradient(node, start)
            elif kind == "open" and self.plain() == "[" and self.is_item():
                node = self.item(node, start)
            elif kind in ("bar", "close") and self.is_evaluation():
                node = self.evaluated(node, start)
            else:
                break
        self.depth -= 1
        return node

    def called_gradient(self, node: Delta, start: int) -> Formula:
        """dh(t), where dh is one word."""
        argument = self.brackets()
        of = Apply(node.of, argument, span=self.span(start)) if isinstance(node.of, Name) else node.of
        return self.with_slash(replace(node, of=of, whole="", span=self.span(start)), start)

    def calls(self, node: Name) -> bool:
        """Whether a bracket after a name may be its argument."""
        if node.base == "1":
            return False
        if self.plain() == "(":
            return True
        return self.plain() in "[{" and (node.base in S.FUNCTION_LETTERS or node.primes > 0)

    def atom(self) -> Formula:
        """The smallest whole thing that comes."""
        kind = self.kind()
        if kind in _ATOMS:
            return _ATOMS[kind](self)
        if kind == "product" and (self.kind(1) in ("close", "comma", "") or self.plain() == "⋆"):
            return self.dots()  # a placeholder, f(\cdot)
        if kind == "command" and self.plain() in S.BARS:
            return self.barred()
        if self.token is None:
            self.fail("the formula ends where something is missing")
        what = self.token.spelling if self.token else ""
        known = self.kind() != "command"
        self.fail(f"{what} stands where a quantity is expected" if known else f"{what} is not understood")

    def number(self) -> Formula:
        """Digits."""
        start = self.at
        token = self.take()
        if token.plain == "1" and self.kind() == "sub":  # the indicator 1_{t=T}
            return Name("1", spelling="1", span=self.span(start))
        over = (self.plain(), self.kind(), self.kind(1)) == ("/", "product", "number")
        if over and self.multiplies(2):
            below = self.tokens[self.at + 1]
            self.at += 2
            above, under = (Number(t.plain, span=(t.start, t.end)) for t in (token, below))
            return Fraction(above, under, span=self.span(start))
        return Number(token.plain, span=self.span(start))

    def multiplies(self, ahead: int) -> bool:
        """Whether a quantity comes after a number over a number, set apart: 1/2 x, and not 1/2x."""
        kind = self.kind(ahead)
        if kind in ("bar", "open", "big", "function", "frac", "begin"):
            return True
        return kind in STARTS and self.tokens[self.at + ahead].spaced

    def name(self) -> Formula:
        """A letter or word with its accents, and what it is the gradient of if it says so."""
        start = self.at
        token = self.token
        node = self.letter()
        if not isinstance(node, Name) or node.marks or token is None:
            return self.with_slash(node, start)
        if node.base in GRADIENTS and token.kind in ("letter", "word") and self.begins_name(node.base):
            return self.gradient(node.base, token.spelling, start)
        return node

    def begins_name(self, prefix: str) -> bool:
        """Whether a gradient's letter is followed by the quantity it is the gradient of."""
        return self.kind() in NAMES or (self.kind() == "number" and prefix == "δ")

    def gradient(self, prefix: str, spelling: str, start: int) -> Formula:
        """δx, dx: the prefix and the quantity, whose exponent belongs to the whole."""
        inner = self.glued(prefix) or self.factor()
        raised = inner if isinstance(inner, Raised) else None
        node: Formula = Delta(prefix, raised.body if raised else inner, spelling, span=self.span(start))
        if raised:
            return replace(raised, body=node, span=self.span(start))
        return self.with_slash(node, start)

    def glued(self, prefix: str) -> Formula | None:
        r"""A letter that touches an accented one after a gradient's d: ``dp\tilde c`` is one name."""
        if (
            prefix != "d"
            or (self.kind(), self.kind(1)) != ("letter", "accent")
            or self.tokens[self.at + 1].spaced
        ):
            return None
        start = self.at
        first = self.take()
        name = self.letter()
        if not isinstance(name, Name):
            self.at = start
            return None
        name = replace(name, base=first.plain + name.base, spelling=first.spelling + name.spelling)
        return self.scripted(name, start) if self.kind() in ("sub", "sup", "prime") else name

    def with_slash(self, node: Formula, start: int) -> Formula:
        """dL/dh: one gradient over another is a derivative."""
        if not isinstance(node, Delta) or self.plain() != "/" or self.kind() != "product":
            return node
        follows = self.plain(1) == node.prefix or (
            node.prefix == "d" and self.kind(1) == "word" and self.plain(1)[0] == "d"
        )
        follows |= self.kind(1) == "font" and node.prefix in (self.plain(2), self.plain(3))
        if node.prefix not in ("d", "∂", "δ") or not follows:
            return node
        self.take()
        below = self.factor()
        if isinstance(below, Delta) and below.prefix == node.prefix:
            return Derivative(node.of, below.of, node.prefix, form="slash", span=self.span(start))
        return Product(("/",), (node, below), ("/",), span=self.span(start))

    def letter(self) -> Formula:
        """One letter, word, or accented group."""
        start = self.at
        token = self.take()
        if token.kind == "accent":
            return self.accented(token, self.argument(), start)
        if token.kind == "font":
            return self.in_font(token, self.argument(), start)
        node: Formula
        if token.kind == "word":
            node = identifier(token.plain, token.spelling, self.span(start))
        else:
            node = Name(token.plain, spelling=token.spelling, span=self.span(start))
        while self.kind() == "mark" and isinstance(node, (Name, Delta)):
            if isinstance(node, Delta):  # dh with a mark on h
                return self.marked(node, start)
            accent = self.take().plain
            command = next(k for k, v in S.ACCENTS.items() if v == accent)
            spelled = rf"\{command}{{{node.spelling}}}"
            node = replace(node, marks=(*node.marks, accent), spelling=spelled, span=self.span(start))
        return node

    def marked(self, node: Delta, start: int) -> Formula:
        """The gradient of one letter whose accent stands behind it."""
        accent, of = self.take().plain, node.of
        if not isinstance(of, Name) or of.scripts or len(of.base) > 1:
            self.fail("an accent is not expected here")
        command = next(k for k, v in S.ACCENTS.items() if v == accent)
        of = replace(of, marks=(accent,), spelling=rf"\{command}{{{of.spelling or of.base}}}")
        return replace(node, of=of, whole="", span=self.span(start))

    def argument(self) -> Formula:
        """What a command is applied to: a group, or one token."""
        if self.kind() == "{":
            return self.braces()
        if self.kind() == "number" and len(self.plain()) > 1 and self.plain().isdigit():
            token = self.take()
            rest = Token("number", token.plain[1:], token.plain[1:], token.start + 1, token.end)
            self.tokens = [*self.tokens[: self.at], rest, *self.tokens[self.at :]]
            return Number(token.plain[0], span=(token.start, token.start + 1))
        if self.kind() == "number":
            token = self.take()
            return Number(token.plain, span=(token.start, token.end))
        self.deeper()
        node = self.letter() if self.kind() in ("letter", "word", "accent", "font") else self.atom()
        self.depth -= 1
        return node

    def accented(self, token: Token, node: Formula, start: int) -> Formula:
        """An accent over a name, wherever the name stands in what is under it."""
        if isinstance(node, Name):
            spelled = f"{token.spelling}{{{node.spelling or node.base}}}"
            return replace(node, marks=(*node.marks, token.plain), spelling=spelled, span=self.span(start))
        if isinstance(node, Apply):
            head = self.accented(token, node.head, start)
            if isinstance(head, Name):
                return replace(node, head=head, span=self.span(start))
        if isinstance(node, Delta):
            return replace(node, of=self.accented(token, node.of, start), whole="", span=self.span(start))
        if isinstance(node, Product) and not any(node.operators):
            word = "".join(f.base for f in node.factors if isinstance(f, Name) and not f.scripts)
            if len(word) == len(node.factors):
                spelled = f"{token.spelling}{{{word}}}"
                return Name(word, (token.plain,), spelling=spelled, span=self.span(start))
        raise ReadingError(f"{token.spelling} over something that is no name", token.start)

    def font(self) -> Formula:
        """Mathematics in a font; the upright d of a differential."""
        start = self.at
        token = self.take()
        node = self.in_font(token, self.argument(), start)
        if (
            isinstance(node, Name)
            and node.base in GRADIENTS
            and node.font == "rm"
            and self.begins_name(node.base)
        ):
            return self.gradient(node.base, node.spelling, start)
        if isinstance(node, Name) and node.base == "δ" and not node.marks and self.begins_name("δ"):
            return self.gradient(node.base, node.spelling, start)
        return node

    def in_font(self, token: Token, node: Formula, start: int) -> Formula:
        """Every name in a font."""
        if isinstance(node, Name):
            spelled = f"{token.spelling}{{{node.spelling or node.base}}}"
            return replace(node, font=token.plain or node.font, spelling=spelled, span=self.span(start))
        if isinstance(node, Number):
            spelled = f"{token.spelling}{{{node.text}}}"
            return Name(node.text, font=token.plain, spelling=spelled, span=self.span(start))
        if isinstance(node, (Product, Brackets, Sum, Delta, Apply, Raised)):
            return rebuilt(node, lambda part: self.in_font(token, part, start))
        return node

    def dots(self) -> Formula:
        """Dots, for what the reader can fill in."""
        start = self.at
        token = self.take()
        return Words(token.plain, token.spelling, span=self.span(start))

    def function(self) -> Formula:
        r"""A function with its power, primes and argument: ``\tanh^2(c)``, ``\tanh c``, ``\log\hat y``."""
        start = self.at
        token = self.take()
        head = Name(token.plain, spelling=token.spelling, span=self.span(start))
        power: Formula | None = None
        while self.kind() in ("sub", "sup", "prime"):
            scripted = self.scripted(head, start)
            if isinstance(scripted, Raised):
                if power is not None:
                    self.fail("a second power")
                power = scripted.exponent
                head = scripted.body  # type: ignore[assignment]
            elif isinstance(scripted, Name):
                head = scripted
        if self.kind() == "open" or (self.kind() == "bar" and self.starts_factor()):
            argument = self.brackets() if self.kind() == "open" else self.barred()
        elif self.starts_factor() and self.kind() not in ("text", "dots"):
            argument = self.factor()
        elif power is not None:
            return Raised(head, power, "power", span=self.span(start))
        else:
            return head
        return Apply(head, argument, power, certain=True, span=self.span(start))

    def root(self) -> Formula:
        """A square root."""
        start = self.at
        token = self.take()
        head = Name("sqrt", spelling=token.spelling, span=self.span(start))
        if self.kind() == "open" and self.plain() == "[":
            self.fail("only square roots are read")
        inner = self.brackets() if self.kind() == "open" else self.argument()
        bare = isinstance(inner, Brackets) and inner.left == "("
        argument = inner if bare else Brackets("", "", (inner,), spelling=("{", "}"), span=inner.span)
        return Apply(head, argument, certain=True, span=self.span(start))

    def partial(self) -> Formula:
        r"""``\partial x``, ``\partial_x f``, ``\partial^2``, ``\partial^+``."""
        start = self.at
        token = self.take()
        by: Formula | None = None
        order: Formula | None = None
        while self.kind() in ("sub", "sup"):
            is_sub = self.kind() == "sub"
            items = self.script()
            if is_sub:
                by = items[0].body
            else:
                order = items[0].body
        letter = "∂" + (order.text if isinstance(order, Words) else "")
        count = int(order.text) if isinstance(order, Number) and len(order.text) == 1 else 1
        if by is not None:
            of = self.factor() if self.starts_factor() else None
            return Derivative(of, by, letter, count, "sub", (token.spelling,), span=self.span(start))
        if not self.starts_factor():
            return Name(letter, spelling=token.spelling, primes=count - 1, span=self.span(start))
        inner = self.factor()
        spelled = token.spelling if letter == "∂" and count == 1 else ""
        letter += str(count) if count > 1 else ""
        return self.with_slash(Delta(letter, inner, spelled, span=self.span(start)), start)

    def nabla(self) -> Formula:
        r"""``\nabla_x L``."""
        start = self.at
        token = self.take()
        by = self.script()[0].body if self.kind() == "sub" else None
        of = self.factor() if self.starts_factor() else None
        return Derivative(of, by, "∇", form="nabla", spelling=(token.spelling,), span=self.span(start))

    def fraction(self) -> Formula:
        """A fraction, or a derivative that is written as one."""
        start = self.at
        token = self.take()
        above, below = self.argument(), self.argument()
        span = self.span(start)
        found = derivative(above, below)
        if found is not None:
            return replace(found, spelling=(token.spelling,), span=span)
        return Fraction(above, below, token.spelling, span=span)

    def grouped(self) -> Formula:
        """A group as a factor; a sum in it stays together."""
        inner = self.braces()
        loose = isinstance(inner, (Sum, Relation)) or (isinstance(inner, Product) and any(inner.operators))
        return Brackets("", "", (inner,), spelling=("{", "}"), span=inner.span) if loose else inner

    def braces(self) -> Formula:
        """A group of TeX, which shows no brackets."""
        start = self.at
        self.take()
        self.deeper()
        if self.kind() == "}":
            self.take()
            self.depth -= 1
            return Brackets("", "", (), spelling=("{", "}"), span=self.span(start))
        outer, self.bars = self.bars, []
        inner = self.relation()
        self.bars = outer
        if self.kind() != "}":
            self.fail(
                f"{self.token.spelling} is not expected here" if self.token else "a brace { is not closed"
            )
        self.take()
        self.depth -= 1
        return inner

    def brackets(self) -> Formula:
        """Brackets with one or more things in them."""
        start = self.at
        opening = self.take()
        self.deeper()
        outer, self.bars = self.bars, []
        items, separators = self.listed(opening)
        self.bars = outer
        closing = self.take()
        self.depth -= 1
        sized = opening.spelling.startswith("\\left")
        if not sized and S.PAIRS.get(opening.plain) != closing.plain:
            self.at -= 1
            self.fail(f"the bracket {opening.spelling} is closed by {closing.spelling}")
        left, right = (x.plain.replace(".", "") for x in (opening, closing))
        spelling = (opening.spelling, closing.spelling)
        return Brackets(left, right, tuple(items), tuple(separators), spelling, span=self.span(start))

    def listed(self, opening: Token) -> tuple[list[Formula], list[str]]:
        """What stands between brackets, up to the closing one."""
        items: list[Formula] = []
        separators: list[str] = []
        while self.kind() != "close":
            if self.token is None:
                raise ReadingError(f"the bracket {opening.spelling} is not closed", opening.start)
            items.append(self.entry())
            if self.kind() == "comma" or (self.kind() == "bar" and items):
                separators.append(self.take().plain)
            elif self.kind() != "close":
                self.fail(
                    f"{self.token.spelling} is not expected here"
                    if self.token
                    else f"the bracket {opening.spelling} is not closed"
                )
        if len(separators) >= len(items) and items:
            separators = separators[: len(items) - 1]
        return items, separators

    def entry(self) -> Formula:
        """One entry of a list: a formula or a range."""
        start = self.at
        low = None if self.plain() == ":" else self.relation()
        if self.plain() != ":" or self.kind() != "comma":
            return low if low is not None else self.relation()
        self.take()
        high = None if self.kind() in ("close", "comma", "}") else self.relation()
        return Slice(low, high, span=self.span(start))

    def barred(self) -> Formula:
        """|x|, ‖x‖."""
        start = self.at
        opening = self.take()
        self.bars.append(opening.plain)
        inner = self.relation()
        if self.kind() != "bar" or self.plain() != opening.plain:
            self.fail(f"the bar {opening.spelling} is not closed")
        closing = self.take()
        self.bars.pop()
        spelling = (opening.spelling, closing.spelling)
        return Brackets(opening.plain, closing.plain, (inner,), spelling=spelling, span=self.span(start))

    def is_item(self) -> bool:
        """Whether the square bracket that comes holds a step or a range: x[t], W[:n, :]."""
        window = self.tokens[self.at + 1 : self.at + 40]
        depth = 0
        for place, token in enumerate(window):
            if token.kind == "close" and depth == 0:
                inside = "".join(t.plain for t in window[:place])
                return bool(re.fullmatch(r"[tτT]([+-]\d+)?|-?\d+", inside))
            depth += {"open": 1, "{": 1, "close": -1, "}": -1}.get(token.kind, 0)
            if depth == 0 and token.plain == ":" and token.kind == "comma":
                return True
        return False

    def item(self, node: Formula, start: int) -> Formula:
        """Entries of an array."""
        inside = self.brackets()
        items = inside.items if isinstance(inside, Brackets) else ()
        return Item(node, items, span=self.span(start))

    def is_evaluation(self) -> bool:
        r"""Whether a bar with a subscript comes: held or taken at, ``\Big|_{h_t}``."""
        if self.kind() == "bar":
            return self.plain() == "|" and self.kind(1) == "sub" and "|" not in self.bars
        return False

    def evaluated(self, node: Formula, start: int) -> Formula:
        """What is held or taken at something."""
        bar = self.take()
        scripts = tuple(self.script())
        return Indexed(node, scripts, bar=bar.spelling, span=self.span(start))

    def big(self) -> Formula:
        """A sum or product over an index, and all of the product that follows."""
        start = self.at
        token = self.take()
        limits: dict[str, Formula] = {}
        while self.kind() in ("sub", "sup"):
            where = self.kind()
            limits[where] = self.limit()
        empty = not self.starts_factor() and self.kind() != "sign"
        holder = empty and self.kind() == "product"
        body = self.dots() if holder else Words("") if empty else self.product()
        lower, upper = limits.get("sub"), limits.get("sup")
        return Big(token.plain, lower, upper, body, token.spelling, span=self.span(start))


_ATOMS: dict[str, Callable[[Parser], Formula]] = {
    "number": Parser.number, "letter": Parser.name, "word": Parser.name, "text": Parser.name,
    "accent": Parser.name, "font": Parser.font, "open": Parser.brackets, "{": Parser.grouped,
    "bar": Parser.barred, "function": Parser.function, "frac": Parser.fraction, "sqrt": Parser.root,
    "partial": Parser.partial, "nabla": Parser.nabla, "big": Parser.big, "begin": Parser.environment,
    "dots": Parser.dots, "transpose": Parser.dots, "substack": Parser.substack,
    "binom": Parser.binomial,
}  # fmt: skip
"""What reads the atom that begins with a token of a kind."""
