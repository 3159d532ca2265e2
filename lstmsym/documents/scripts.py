"""Subscripts, superscripts and primes: indices of a name, exponents, transposes."""

from __future__ import annotations

from dataclasses import replace

from lstmsym.documents.cursor import Cursor
from lstmsym.documents.formula import (
    Brackets,
    Delta,
    Formula,
    Fraction,
    Indexed,
    Name,
    Number,
    Raised,
    Script,
    Sum,
    Words,
    plain,
    walk,
)
from lstmsym.documents.limits import EXPONENT, ReadingError
from lstmsym.documents.tokens import Token

TRANSPOSED = "⊤"
_EUCLIDEAN = (["2"], ["F"])
"""Indices of a norm that say what is meant without them."""


class Scripts(Cursor):
    """The part of the parser that reads scripts."""

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
            return replace(node, scripts=tuple(scripts), primes=node.primes + primes, span=self.span(start))
        if isinstance(node, Delta) and isinstance(node.of, Name):  # a word of code with an index
            of = replace(node.of, scripts=(*node.of.scripts, *scripts), primes=node.of.primes + primes)
            return replace(node, of=of, whole="", span=self.span(start))
        if isinstance(node, Brackets) and node.left == "‖" and [s.text for s in scripts] in _EUCLIDEAN:
            mark = plain(scripts[0].body)
            closing = f"{node.spelling[1] or chr(92) + '|'}_{mark}"
            scripts, node = [], replace(node, spelling=(node.spelling[0], closing), span=self.span(start))
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
            return self.wrapped(where)
        if self.kind() in ("function", "text", "word"):
            return Script(where, self.bare_word())
        return Script(where, transposition(self.argument()))

    def script_part(self, where: str) -> Script:
        """One part of a script in braces."""
        kind, following = self.kind(), self.kind(1)
        ends = following in ("}", "comma")
        if kind in ("transpose", "prime") or (kind in ("sign", "product", "command", "function") and ends):
            return self.short_script(where)
        if kind == "relation" and self.plain() == "<":
            return self.angled(where)
        if kind == "open" and self.stands_alone():
            return self.wrapped(where)
        if kind in ("word", "text") and (ends or following in ("transpose", "sign")):
            return Script(where, self.word())
        body = self.entry()
        if self.kind() not in ("}", "comma", "open", "transpose", "prime", "relation"):
            self.fail(f"{self.token.spelling} is not expected in an index" if self.token else "an open index")
        return Script(where, transposition(body))

    def angled(self, where: str) -> Script:
        """``<t>`` with the signs of less and greater."""
        self.take()
        body = self.sum()
        if self.plain() != ">" or self.kind() != "relation":
            self.fail("the bracket < is not closed")
        self.take()
        return Script(where, body, "<>")

    def wrapped(self, where: str) -> Script:
        """A part in brackets of its own."""
        inside = self.brackets()
        if isinstance(inside, Brackets) and len(inside.items) == 1:
            wrap = {"⟨⟩": "<>"}.get(inside.left + inside.right, inside.left + inside.right)
            return Script(where, inside.items[0], wrap)
        return Script(where, inside)

    def bare_word(self) -> Formula:
        """A word as an index."""
        token = self.take()
        return Name(token.plain, spelling=_index_spelling(token), span=(token.start, token.end))

    def word(self) -> Formula:
        """A word as an index, maybe with a number added."""
        start = self.at
        name = self.bare_word()
        if self.kind() != "sign":
            return name
        sign = self.take().plain
        return Sum(("+", sign), (name, self.sum()), span=self.span(start))

    def stands_alone(self) -> bool:
        """Whether the bracket that comes is a part of an index by itself: (t), [l], ⟨t⟩."""
        depth = 0
        for place in range(self.at, min(self.at + 60, len(self.tokens))):
            depth += {"open": 1, "close": -1}.get(self.tokens[place].kind, 0)
            if depth == 0:
                after = self.tokens[place + 1].kind if place + 1 < len(self.tokens) else "}"
                return after in ("}", "comma", "open", "transpose", "prime", "letter", "word", "relation")
        return False

    def limit(self) -> Formula:
        """The limit over or under a big operator."""
        start = self.at
        scripts = self.script()
        if len(scripts) == 1 and not scripts[0].wrap:
            return scripts[0].body
        items = tuple(s.body for s in scripts)
        return Brackets("", "", items, (",",) * (len(items) - 1), span=self.span(start))


def _index_spelling(token: Token) -> str:
    """A word in an index needs no font of its own."""
    return "" if token.plain.isalnum() and token.spelling.startswith(r"\mathtt") else token.spelling


def transposition(body: Formula) -> Formula:
    """An upright T is the sign of transposition."""
    if (
        isinstance(body, Name)
        and body.base == "T"
        and body.font in ("rm", "sf", "tt", "bold")
        and not body.scripts
    ):
        return Words(TRANSPOSED, body.spelling, span=body.span)
    return body


def exponent_kind(node: Formula, script: Script) -> str:
    """Whether a script is a power, a transpose, a prime, an open exponent, or (nothing) an index."""
    if script.where == "sub":
        return ""
    body = script.body
    if isinstance(body, Words) and body.text in (TRANSPOSED, "'"):
        return "transpose" if body.text == TRANSPOSED else "prime"
    euler = isinstance(node, Name) and node.base in ("e", "10") and not script.wrap
    if isinstance(node, Number) or (euler and not (isinstance(body, Name) and body.base == "T")):
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
