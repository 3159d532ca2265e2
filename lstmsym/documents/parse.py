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
    Cases,
    Delta,
    Derivative,
    Formula,
    Fraction,
    Indexed,
    Item,
    Matrix,
    Name,
    Number,
    Product,
    Raised,
    Relation,
    Script,
    Slice,
    Sum,
    Words,
    walk,
)
from lstmsym.documents.limits import EXPONENT, NESTING, ReadingError
from lstmsym.documents.tokens import Token

STARTS = frozenset(
    "letter word number open { function accent font frac sqrt partial nabla big begin text dots".split()
)
NAMES = frozenset("letter word accent font".split())
GRADIENTS = frozenset("d δ Δ F_".split())
TRANSPOSED = "⊤"


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


def identifier(text: str, spelling: str = "", span: tuple[int, int] = (0, 0)) -> Formula:
    """A word of code: a name with an index, or the gradient of one (top_diff_h, wi_diff, dW_f, grad_x)."""
    path, _, word = text.rpartition(".")
    path = path and path + "."
    if found := re.fullmatch(r"((?:top|bottom)_(?:diff|grad|data|delta)_)(.+)", word):
        return Delta(path + found[1], _indexed(found[2], "", span), whole=spelling, span=span)
    if found := re.fullmatch(r"((?:grad|diff|delta|adj|gradient)_)(.+)", word):
        return Delta(path + found[1], _indexed(found[2], "", span), whole=spelling, span=span)
    if found := re.fullmatch(r"(.+)(_(?:diff|grad|gradient|delta))", word):
        return Delta(found[2], _indexed(path + found[1], "", span), whole=spelling, span=span)
    rest = word[1:].lstrip("_")
    if word[0] == "d" and rest[:1].isalpha() and rest not in S.FUNCTION_WORDS and word.split("_")[0] not in S.NOT_GRADIENTS - {"d"}:
        return Delta(path + "d", _indexed(rest, "", span), whole=spelling, span=span)
    return _indexed(text, spelling, span)


def _indexed(text: str, spelling: str, span: tuple[int, int]) -> Name:
    """A letter with indices, ``W_xh``; or a word as it is."""
    base, *parts = text.split("_")
    if len(base) != 1 or not parts or not all(parts):
        return Name(text, spelling=spelling, span=span)
    scripts = tuple(
        Script("sub", Number(p, span=span) if p.isdigit() else Name(p, span=span)) for p in parts
    )
    return Name(base, scripts=scripts, span=span)


class Parser:
    """Reads tokens from the left; `token` is the next one."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        """Start at the first token."""
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.bars: list[str] = []

    @property
    def token(self) -> Token | None:
        """The next token."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def kind(self, ahead: int = 0) -> str:
        """The kind of a token ahead, empty at the end."""
        place = self.at + ahead
        return self.tokens[place].kind if place < len(self.tokens) else ""

    def plain(self, ahead: int = 0) -> str:
        """The meaning of a token ahead, empty at the end."""
        place = self.at + ahead
        return self.tokens[place].plain if place < len(self.tokens) else ""

    def take(self) -> Token:
        """The next token, passed."""
        token = self.token
        if token is None:
            self.fail("the formula ends too early")
        self.at += 1
        return token  # type: ignore[return-value]

    def fail(self, message: str) -> None:
        """Stop here."""
        last = self.tokens[-1].end if self.tokens else 0
        raise ReadingError(message, self.token.start if self.token else last)

    def deeper(self) -> None:
        """One level further in; undone by taking 1 from `depth`."""
        self.depth += 1
        if self.depth > NESTING:
            self.fail(f"nested deeper than {NESTING}")

    def span(self, start: int) -> tuple[int, int]:
        """From the token at a place to the last one passed."""
        if not self.tokens:
            return (0, 0)
        first = self.tokens[min(start, len(self.tokens) - 1)]
        return first.start, max(self.tokens[self.at - 1].end, first.start) if self.at else first.start

    # -- from loose to close ---------------------------------------------------------------------

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
        while self.kind() == "product":
            token = self.take()
            operators.append(token.plain)
            spelling.append(token.spelling)
            if self.kind() == "sign":
                inner = self.at
                sign = self.take().plain
                body = self.juxtaposition()
                factors.append(Sum((sign,), (body,), span=self.span(inner)))
            else:
                factors.append(self.juxtaposition())
        if not operators:
            return factors[0]
        return Product(tuple(operators), tuple(factors), tuple(spelling), span=self.span(start))

    def juxtaposition(self) -> Formula:
        """Factors side by side."""
        start = self.at
        factors = [self.factor()]
        while self.starts_factor():
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
        if kind == "bar":
            return self.plain() not in self.bars and self.has_partner()
        return kind in STARTS

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
            elif kind == "open" and self.plain() == "[" and self.is_item():
                node = self.item(node, start)
            elif kind in ("bar", "close") and self.is_evaluation():
                node = self.evaluated(node, start)
            else:
                break
        self.depth -= 1
        return node

    def calls(self, node: Name) -> bool:
        """Whether a bracket after a name may be its argument."""
        if node.base == "1":
            return False
        if self.plain() == "(":
            return True
        return self.plain() in "[{" and (node.base in S.FUNCTION_LETTERS or node.primes > 0)

    # -- atoms -----------------------------------------------------------------------------------

    def atom(self) -> Formula:
        """The smallest whole thing that comes."""
        read: dict[str, Callable[[], Formula]] = {
            "number": self.number, "letter": self.name, "word": self.name, "text": self.name,
            "accent": self.name, "font": self.font, "open": self.brackets, "{": self.braces, "bar": self.barred,
            "function": self.function, "frac": self.fraction, "sqrt": self.root, "partial": self.partial,
            "nabla": self.nabla, "big": self.big, "begin": self.environment, "dots": self.dots,
            "transpose": self.mark, "substack": self.substack,
        }  # fmt: skip
        kind = self.kind()
        if kind in read:
            return read[kind]()
        if kind == "product" and (self.kind(1) in ("close", "comma", "") or self.plain() == "⋆"):
            return self.mark()  # a placeholder, f(\cdot)
        if kind == "command" and self.plain() in S.BARS:
            return self.barred()
        if self.token is None:
            self.fail("the formula ends where something is missing")
        what = self.token.spelling if self.token else ""
        known = self.kind() != "command"
        self.fail(f"{what} stands where a quantity is expected" if known else f"{what} is not understood")
        raise AssertionError

    def number(self) -> Formula:
        """Digits."""
        start = self.at
        token = self.take()
        if token.plain == "1" and self.kind() == "sub":  # the indicator 1_{t=T}
            return Name("1", spelling="1", span=self.span(start))
        return Number(token.plain, span=self.span(start))

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
        r"""A letter that touches an accented one, after a gradient's d: in ``dp\tilde c`` they are one name."""
        if prefix != "d" or (self.kind(), self.kind(1)) != ("letter", "accent") or self.tokens[self.at + 1].spaced:
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
        while self.kind() == "mark" and isinstance(node, Name):
            accent = self.take().plain
            command = next(k for k, v in S.ACCENTS.items() if v == accent)
            spelled = rf"\{command}{{{node.spelling}}}"
            node = replace(node, marks=(*node.marks, accent), spelling=spelled, span=self.span(start))
        return node

    def argument(self) -> Formula:
        """What a command is applied to: a group, or one token."""
        if self.kind() == "{":
            return self.braces()
        if self.kind() == "number" and len(self.plain()) > 1 and self.plain().isdigit():
            token = self.take()
            rest = Token("number", token.plain[1:], token.plain[1:], token.start + 1, token.end)
            self.tokens = [*self.tokens[: self.at], rest, *self.tokens[self.at :]]
            return Number(token.plain[0], span=(token.start, token.start + 1))
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
            return replace(node, head=self.accented(token, node.head, start), span=self.span(start))
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
        if isinstance(node, Name) and node.base in GRADIENTS and node.font == "rm" and self.begins_name(node.base):
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
        if isinstance(node, (Product, Brackets, Sum)):
            parts = {"Product": "factors", "Brackets": "items", "Sum": "terms"}[type(node).__name__]
            inner = tuple(self.in_font(token, part, start) for part in getattr(node, parts))
            return replace(node, **{parts: inner})
        if isinstance(node, (Delta, Apply, Raised)):
            part = {"Delta": "of", "Apply": "head", "Raised": "body"}[type(node).__name__]
            return replace(node, **{part: self.in_font(token, getattr(node, part), start)})
        return node

    def dots(self) -> Formula:
        """Dots, for what the reader can fill in."""
        start = self.at
        token = self.take()
        return Words(token.plain, token.spelling, span=self.span(start))

    mark = dots

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

    # -- derivatives -----------------------------------------------------------------------------

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
        if count > 1:
            inner = Raised(inner, Number(str(count)), "power", span=inner.span)
        return self.with_slash(Delta(letter, inner, token.spelling, span=self.span(start)), start)

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

    # -- brackets ----------------------------------------------------------------------------------

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
            self.fail(f"{self.token.spelling} is not expected here" if self.token else "a brace { is not closed")
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

    # -- scripts -----------------------------------------------------------------------------------

    def scripted(self, node: Formula, start: int) -> Formula:
        """A node with all the scripts and primes that come."""
        scripts: list[Script] = []
        raised: list[tuple[Formula, str]] = []
        primes = 0
        while self.kind() in ("sub", "sup", "prime", "suffix"):
            if self.kind() == "prime":
                self.take()
                primes += 1
            elif self.kind() == "suffix":
                token = self.take()
                scripts.append(Script("sub", Name(token.plain, span=(token.start, token.end))))
            else:
                for script in self.script():
                    kind = exponent_kind(node, script)
                    if kind == "prime":
                        primes += 1
                    elif kind:
                        self.check_exponent(script.body)
                        raised.append((script.body, kind))
                    else:
                        scripts.append(script)
        node = self.attached(node, scripts, primes, start)
        for exponent, kind in raised:
            node = Raised(node, exponent, kind, span=self.span(start))
        return node

    def attached(self, node: Formula, scripts: list[Script], primes: int, start: int) -> Formula:
        """Scripts and primes on a name, or on an expression as an index."""
        scripts = sorted(scripts, key=lambda script: script.where)
        if isinstance(node, Name):
            scripts = sorted([*node.scripts, *scripts], key=lambda script: script.where)
            return replace(
                node, scripts=tuple(scripts), primes=node.primes + primes, span=self.span(start)
            )
        if isinstance(node, Delta) and isinstance(node.of, Name):  # a word of code with an index
            of = replace(node.of, scripts=(*node.of.scripts, *scripts), primes=node.of.primes + primes)
            return replace(node, of=of, whole="", span=self.span(start))
        if scripts:
            node = Indexed(node, tuple(scripts), span=self.span(start))
        if primes:
            node = Raised(node, Words("'" * primes), "open", span=self.span(start))
        return node

    def check_exponent(self, exponent: Formula) -> None:
        """Exponents stay small: nothing is evaluated here, but something may be later."""
        for part in walk(exponent):
            if isinstance(part, Number) and (len(part.text) > 8 or float(part.text) > EXPONENT):
                raise ReadingError(f"the exponent {part.text} is larger than {EXPONENT}", part.span[0])
            if isinstance(part, Raised) and isinstance(part.body, Number):
                raise ReadingError("a power of numbers in an exponent", part.span[0])

    def script(self) -> list[Script]:
        """What stands in one subscript or superscript: its comma-separated or bracketed parts."""
        where = self.take().kind
        if self.kind() != "{":
            return [self.short_script(where)]
        opening = self.take()
        self.deeper()
        outer, self.bars = self.bars, []
        found: list[Script] = []
        while self.kind() != "}":
            if self.token is None:
                raise ReadingError("the brace { of a script is not closed", opening.start)
            if self.kind() == "comma" and self.plain() != ":":
                self.take()
            else:
                found.append(self.script_part(where))
        self.take()
        self.bars = outer
        self.depth -= 1
        if not found:
            found.append(Script(where, Words("")))
        return found

    def short_script(self, where: str) -> Script:
        """A script of one token."""
        if self.kind() in ("transpose", "sign", "product", "prime", "dots", "relation", "command"):
            token = self.take()
            return Script(where, Words(token.plain, token.spelling, span=(token.start, token.end)))
        if self.kind() == "open":  # plain text: h_(t-1), x^(i)
            inside = self.brackets()
            single = isinstance(inside, Brackets) and len(inside.items) == 1 and isinstance(inside, Brackets)
            if single and isinstance(inside, Brackets):
                return Script(where, inside.items[0], inside.left + inside.right)
            return Script(where, inside)
        if self.kind() in ("function", "text"):
            token = self.take()
            return Script(where, Name(token.plain, spelling=token.spelling, span=(token.start, token.end)))
        if self.kind() == "word":
            token = self.take()
            return Script(where, Name(token.plain, spelling=_index_spelling(token), span=(token.start, token.end)))
        return Script(where, transposition(self.argument()))

    def script_part(self, where: str) -> Script:
        """One part of a script in braces."""
        start = self.at
        kind = self.kind()
        if kind in ("transpose", "prime") or (
            kind in ("sign", "product", "command") and self.kind(1) in ("}", "comma")
        ):
            return self.short_script(where)
        if kind == "relation" and self.plain() == "<":
            self.take()
            body = self.sum()
            if self.plain() != ">" or self.kind() != "relation":
                self.fail("the bracket < is not closed")
            self.take()
            return Script(where, body, "<>")
        if kind == "open" and self.stands_alone():
            inside = self.brackets()
            if isinstance(inside, Brackets) and len(inside.items) == 1:
                wrap = {"⟨⟩": "<>"}.get(inside.left + inside.right, inside.left + inside.right)
                return Script(where, inside.items[0], wrap)
            return Script(where, inside)
        if kind in ("word", "text") and self.kind(1) in ("}", "comma", "open", "transpose", "sign"):
            if self.kind(1) != "open" or self.plain(1) != "(":
                token = self.take()
                name: Formula = Name(token.plain, spelling=_index_spelling(token), span=self.span(start))
                if self.kind() == "sign":
                    sign = self.take().plain
                    name = Sum(("+", sign), (name, self.sum()), span=self.span(start))
                return Script(where, name)
        if kind == "function" and self.kind(1) in ("}", "comma"):
            return self.short_script(where)
        body = self.entry()
        if self.kind() not in ("}", "comma", "open", "transpose", "prime", "relation"):
            self.fail(f"{self.token.spelling} is not expected in an index" if self.token else "an open index")
        return Script(where, transposition(body))

    def stands_alone(self) -> bool:
        """Whether the bracket that comes is a part of an index by itself: (t), [l], ⟨t⟩."""
        depth = 0
        for place in range(self.at, min(self.at + 60, len(self.tokens))):
            depth += {"open": 1, "close": -1}.get(self.tokens[place].kind, 0)
            if depth == 0:
                after = self.tokens[place + 1].kind if place + 1 < len(self.tokens) else "}"
                return after in ("}", "comma", "open", "transpose", "prime", "letter", "word", "relation")
        return False

    # -- big operators, matrices -------------------------------------------------------------------

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
        body = self.mark() if holder else Words("") if empty else self.product()
        lower, upper = limits.get("sub"), limits.get("sup")
        return Big(token.plain, lower, upper, body, token.spelling, span=self.span(start))

    def limit(self) -> Formula:
        """The limit over or under a big operator."""
        start = self.at
        scripts = self.script()
        if len(scripts) == 1 and not scripts[0].wrap:
            return scripts[0].body
        items = tuple(s.body for s in scripts)
        return Brackets("", "", items, (",",) * (len(items) - 1), span=self.span(start))

    def substack(self) -> Formula:
        """Several limits under each other."""
        start = self.at
        self.take()
        if self.kind() != "{":
            self.fail(r"\substack without its lines")
        self.take()
        items = [self.relation()]
        while self.kind() in ("row", "comma"):
            self.take()
            items.append(self.relation())
        if self.kind() != "}":
            self.fail(r"\substack is not closed")
        self.take()
        separators = (",",) * (len(items) - 1)
        return Brackets("", "", tuple(items), separators, span=self.span(start))

    def environment(self) -> Formula:
        """A matrix, cases, or an environment that only lays out."""
        start = self.at
        opening = self.take()
        self.deeper()
        rows = self.rows(opening)
        self.take()
        self.depth -= 1
        span = self.span(start)
        if opening.plain in ("cases", "dcases", "rcases", "cases*"):
            if any(not row or len(row) > 2 for row in rows):
                raise ReadingError("cases have a value and a condition in each row", opening.start)
            return Cases(tuple((r[0], r[1] if len(r) > 1 else None) for r in rows), span=span)
        if opening.plain in S.TABLES:
            columns = re.search(r"\{([^{}]*)\}$", opening.spelling.removeprefix(r"\begin{" + opening.plain + "}"))
            return Matrix(tuple(rows), opening.plain, columns[1] if columns else "", span=span)
        if opening.plain in S.TRANSPARENT and len(rows) == 1 and len(rows[0]) == 1:
            return rows[0][0]
        raise ReadingError(f"the environment {opening.plain} is not understood here", opening.start)

    def rows(self, opening: Token) -> list[tuple[Formula, ...]]:
        """The cells of an environment, up to its end."""
        rows: list[tuple[Formula, ...]] = []
        cells: list[Formula] = []
        while True:
            kind = self.kind()
            if kind == "and":
                self.take()
            elif kind in ("row", "end"):
                if cells:
                    rows.append(tuple(cells))
                cells = []
                if kind == "end":
                    if self.plain() != opening.plain:
                        self.fail(f"{opening.plain} is ended by {self.plain()}")
                    return rows
                self.take()
            elif not kind:
                raise ReadingError(f"the environment {opening.plain} is not ended", opening.start)
            else:
                cells.append(self.cell())

    def cell(self) -> Formula:
        """One cell: formulas, words, a comma at the end."""
        start = self.at
        found: list[Formula] = []
        while self.kind() not in ("and", "row", "end", ""):
            if self.kind() in ("comma", "gap"):
                self.take()
            elif self.kind() == "text":
                token = self.take()
                found.append(Words(token.plain, token.spelling, span=(token.start, token.end)))
            else:
                found.append(self.relation())
        if len(found) == 1:
            return found[0]
        return Brackets("", "", tuple(found), (" ",) * max(0, len(found) - 1), span=self.span(start))


def _index_spelling(token: Token) -> str:
    """A word in an index needs no font of its own."""
    return "" if token.plain.isalnum() and token.spelling.startswith(r"\mathtt") else token.spelling


def transposition(body: Formula) -> Formula:
    """An upright T is the sign of transposition."""
    if isinstance(body, Name) and body.base == "T" and body.font in ("rm", "sf", "tt", "bold") and not body.scripts:
        return Words(TRANSPOSED, body.spelling, span=body.span)
    return body


def exponent_kind(node: Formula, script: Script) -> str:
    """Whether a script is a power, a transpose, a prime, an open exponent, or (nothing) an index."""
    if script.where == "sub":
        return ""
    body = script.body
    if isinstance(body, Words) and body.text in (TRANSPOSED, "'"):
        return "transpose" if body.text == TRANSPOSED else "prime"
    if isinstance(node, Number) or (isinstance(node, Name) and node.base in ("e", "10") and not script.wrap):
        return "power"
    if isinstance(body, Number) and not script.wrap:
        return "power"
    if isinstance(body, (Sum, Fraction)) and not script.wrap and _is_number(body):
        return "power"
    if isinstance(node, Name) or (isinstance(node, Delta) and isinstance(node.of, Name)):
        return ""
    return "open"


def _is_number(body: Formula) -> bool:
    return all(isinstance(part, (Number, Sum, Fraction)) for part in walk(body))


def derivative(above: Formula, below: Formula) -> Derivative | None:
    """One gradient over another as a derivative, if they are that."""
    if isinstance(below, Delta) and below.prefix in ("d", "∂", "δ", "∂+"):
        order, by = _order(below.of)
        if isinstance(above, Delta) and above.prefix[0] == below.prefix[0] and above.prefix in ("d", "∂", "δ", "∂+"):
            top, of = _order(above.of)
            if top == order:
                return Derivative(of, by, above.prefix, order)
        if isinstance(above, Name) and above.base == below.prefix and not above.scripts and above.primes == order - 1:
            return Derivative(None, by, above.base, order)
        if isinstance(above, Product) and not any(above.operators) and isinstance(above.factors[0], Name):
            first, *rest = above.factors  # d σ(z) over d z
            if isinstance(first, Name) and first.base == below.prefix and not first.scripts and len(rest) == 1:
                return Derivative(rest[0], by, below.prefix, order)
    if isinstance(below, Name) and isinstance(above, Name) and below.base == above.base and below.base in ("d", "∂"):
        if len(above.scripts) == len(below.scripts) == 1 and not above.marks + below.marks:
            return Derivative(above.scripts[0].body, below.scripts[0].body, above.base, form="under")
    return None


def _order(of: Formula) -> tuple[int, Formula]:
    if isinstance(of, Raised) and isinstance(of.exponent, Number) and len(of.exponent.text) == 1:
        return int(of.exponent.text), of.body
    return 1, of
