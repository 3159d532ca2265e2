"""Tokens of an equation in plain text: as in code, in a message, or with Unicode's own signs."""

from __future__ import annotations

import re
import unicodedata

from lstmsym.documents import symbols as S
from lstmsym.documents.limits import DIGITS, FORMULA, ReadingError
from lstmsym.documents.tokens import (
    COMMANDS,
    Token,
    decomposed,
    is_letter,
    is_small,
    kind_of,
    small,
    typewriter,
)

OPERATOR_WORDS = {"times": ("product", "·", r"\cdot"), "dot": ("product", "·", r"\cdot"),
                  "plus": ("sign", "+", "+"), "minus": ("sign", "-", "-")}  # fmt: skip
"""Words that are operators between two quantities."""
CONDITIONS = {
    **dict.fromkeys("for forall für pour para per при".split(), True),
    **dict.fromkeys("if when whenever unless otherwise else provided falls wenn si".split(), False),
}
"""Words that say when an equation holds; whether a range of a letter follows, and not any statement."""
INFIX = r"(?<=\s)\([xX*.o∘⊙⊗·+]\)(?=\s+[^\s=+*/.,;:)\]-])"
"""Operators that are drawn with brackets, between two quantities: a (x) b."""
PATH = (
    r"self(?:\s*\.\s*[A-Za-z][A-Za-z0-9_]*)+"
    r"|(?<!\^)(?!(?:\w*_[tT]|[A-Z][a-z]{0,3})\.[A-Za-z][A-Za-z0-9]*(?:_\{?[tT]\b|[(\[]\s*[tT]\b))"
    r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+"
)
"""Names with dots, as in code; W.x_t is no such name but a product."""
DOT = r"(?<=[\w)\]}ᵀ'’])\.(?=[A-Za-z(\[∂δ])|(?<=\s)\.(?=\s+[A-Za-z(\[∂δ])"
"""A dot that stands for a product."""
ACCENTED = "[" + "".join(
    chr(code) for code in range(0xC0, 0x1F00)
    if len(parts := unicodedata.normalize("NFD", chr(code))) == 2
    and parts[0].isascii() and parts[1] in S.COMBINING
) + r"](?![^\W\d_" + "".join(c for c in (*S.SUPERSCRIPTS, *S.SUBSCRIPTS) if c.isalpha()) + "])"  # fmt: skip
"""One letter with its accent in one character, as ŷ."""
_PLAIN = re.compile(
    rf"(?P<infix>{INFIX})|(?P<dot>{DOT})|(?P<path>{PATH})|"
    r"(?P<space>\s+)|(?P<number>\d+\.(?!\d|\.)(?=\s*[-+*/)])|(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?)"
    r"|(?P<dots>\.\.\.?)|(?P<power>(?<=\^)(?:T(?=[a-z])|[A-Za-z](?=_)))"
    r"|(?P<word>(?:(?<![^\s=+\-*/(\[,@])_)?[A-Za-z](?:[A-Za-z0-9]|_(?=[A-Za-z0-9]))*)|(?P<command>\\[A-Za-z]+)"
    r"|(?P<small>[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵗᵀᵏʲˢ]+|[₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₜₖᵢⱼₙₘₕₓₛₒₐₑₗₚᵣᵤᵥ]+)"
    r"|(?P<operator>\+=|-=|\*=|:=|<-|->|=>|==|<=|>=|!=|\*\*|\.\*|\./|\.\^|\|\|)|(?P<other>.)",
    re.DOTALL,
)


def plain_tokens(text: str, offset: int = 0) -> tuple[Token, ...]:
    """The tokens of an equation in plain text, as in code or in a message: ``ds = self.o * top_diff_h``.

    Raises:
        ReadingError: too long, or a character without a meaning.
    """
    if len(text) > FORMULA:
        raise ReadingError(f"a formula of {len(text)} characters; at most {FORMULA} are read", offset)
    return tuple(_Plain(text, offset).read())


class _Plain:
    """Reads plain text from the left."""

    def __init__(self, text: str, offset: int) -> None:
        self.text, self.offset = text, offset
        self.found: list[Token] = []
        self.spaced = False
        self.balance, self.related = 0, False  # brackets that are open, and whether a relation was passed
        self.passed = 0  # up to where words have been taken together
        self.sets: list[bool] = []  # for each open brace, whether it is that of a set
        self.beside = False  # whether a condition is being read

    def add(self, kind: str, plain: str, spelling: str, start: int, end: int) -> None:
        self.found.append(Token(kind, plain, spelling, start + self.offset, end + self.offset, self.spaced))
        self.spaced = False
        self.balance += {"open": 1, "{": 1, "close": -1, "}": -1}.get(kind, 0)
        self.related |= kind == "relation"

    def read(self) -> list[Token]:
        for match in _PLAIN.finditer(self.text):
            text, start, end = match.group(), match.start(), match.end()
            if start < self.passed:
                continue
            getattr(self, f"see_{match.lastgroup}")(text, start, end)
        return self.found

    def see_space(self, text: str, start: int, end: int) -> None:
        self.spaced = True

    def see_number(self, text: str, start: int, end: int) -> None:
        if len(text) > DIGITS:
            raise ReadingError(
                f"a number of {len(text)} digits; at most {DIGITS} are read", start + self.offset
            )
        self.add("number", text.rstrip("."), text, start, end)

    def see_dots(self, text: str, start: int, end: int) -> None:
        self.add("dots", "…", r"\dots", start, end)

    def see_path(self, text: str, start: int, end: int) -> None:
        plain = re.sub(r"\s+", "", text)
        module, _, function = plain.partition(".")
        if module in _MODULES and function in S.FUNCTION_WORDS:
            self.see_word(function, start, end)
            return
        if plain.endswith(".T"):
            self.see_word(plain[:-2], start, end - 2)
            self.add("sup", "^", "^", end - 2, end)
            self.add("transpose", "⊤", r"\top", end - 2, end)
            return
        self.add("word", plain, typewriter(plain), start, end)

    def see_infix(self, text: str, start: int, end: int) -> None:
        """``(x)`` between two quantities."""
        if not self.after_operand():
            for place, char in enumerate(text):
                see = self.see_word if char.isalpha() else self.see_other
                see(char, start + place, start + place + 1)
            return
        kind, plain, spelled = {"+": ("sign", "⊕", r"\oplus"), "x": ("product", "⊗", r"\otimes"),
            "o": ("product", "∘", r"\circ"), ".": ("product", "⊙", r"\odot")}.get(
            text[1].lower(), ("product", "⊙", r"\odot"))  # fmt: skip
        self.add(kind, plain, spelled, start, end)

    def see_condition(self, text: str, start: int, end: int) -> bool:
        """Words that say when an equation holds: all of them, or those before a range."""
        if self.beside and text in _RANGES:
            self.add(*_RANGES[text], start, end)
            return True
        ranges = CONDITIONS.get(text.lower())
        if ranges is None:
            return False
        begins = not self.found and ranges and bool(_RANGE.match(self.text, end))
        if self.balance > 0 or not (begins or self.related):
            return False
        said = _ALL.match(self.text, end) if ranges else _REST.match(self.text, end)
        self.passed = said.end() if said else end
        self.beside = ranges
        words = " ".join(self.text[start : self.passed].split())
        self.add("text", words, rf"\text{{{words} }}", start, self.passed)
        return True

    def after_operand(self) -> bool:
        """Whether a quantity ends here."""
        return bool(self.found) and self.found[-1].kind in _OPERANDS

    def see_dot(self, text: str, start: int, end: int) -> None:
        self.add("product", "·", r"\cdot", start, end)

    def see_power(self, text: str, start: int, end: int) -> None:
        self.add("letter", text, text, start, end)

    def see_word(self, text: str, start: int, end: int) -> None:
        if (not self.found or (self.spaced and self.after_operand())) and self.see_condition(
            text, start, end
        ):
            return
        operator = OPERATOR_WORDS.get(text.lower())
        if operator and self.after_operand() and _FOLLOWS.match(self.text, end):
            self.add(*operator, start, end)
            return
        if text in S.LETTERS and len(text) > 1 and text not in ("star", "bullet", "dagger"):
            letter = S.LETTERS[text]
            self.add("letter", letter, S.SPELLED[letter], start, end)
        elif text in ("sum", "prod") and self.next_char(end) in ("_", ""):
            self.add("big", S.BIG[text], "\\" + text, start, end)
        elif text in S.FUNCTION_WORDS:
            spelled = "\\" + text if text in S.FUNCTION_COMMANDS else rf"\mathrm{{{text}}}"
            self.add("function", text, spelled, start, end)
        elif len(text) == 1:
            self.add("letter", text, text, start, end)
        else:
            self.add("word", text, typewriter(text), start, end)

    def next_char(self, end: int) -> str:
        return self.text[end : end + 1]

    def brace(self, text: str, start: int, end: int) -> None:
        """A brace: of a set after a sign of membership, of a group elsewhere."""
        if text == "{":
            self.sets.append(bool(self.found) and self.found[-1].plain in ("∈", "∉"))
            is_set = self.sets[-1]
        else:
            is_set = bool(self.sets) and self.sets.pop()
        kind = ("open" if text == "{" else "close") if is_set else text
        self.add(kind, text, "\\" + text if is_set else text, start, end)

    def see_command(self, text: str, start: int, end: int) -> None:
        kind, plain = COMMANDS.get(text[1:]) or ("command", text[1:])
        self.add(kind, plain, text, start, end)

    def see_small(self, text: str, start: int, end: int) -> None:
        self.found += small(text, start + self.offset, end + self.offset)

    def see_operator(self, text: str, start: int, end: int) -> None:
        if text in ("**", ".^"):
            self.add("sup", "^", "^", start, end)
        else:
            kind, plain = kind_of(text) or ("command", text)
            self.add(kind, plain, {"||": r"\|"}.get(text, text), start, end)

    def see_other(self, text: str, start: int, end: int) -> None:
        if text in S.COMBINING:
            self.add("mark", S.COMBINING[text], text, start, end)
        elif text in "{}":
            self.brace(text, start, end)
        elif text in S.VULGAR:
            self.add("number", S.VULGAR[text], S.VULGAR[text], start, end)
        elif text in ("'", "′", "’"):
            self.add("prime", "'", "'", start, end)
        elif text in _BIG and (self.next_char(end) == "_" or is_small(self.next_char(end))):
            self.add("big", S.BIG[_BIG[text]], "\\" + _BIG[text], start, end)
        elif is_letter(text):
            for part in decomposed(text):
                kind, plain = ("mark", S.COMBINING[part]) if part in S.COMBINING else ("letter", part)
                self.add(kind, plain, S.SPELLED.get(plain, plain), start, end)
        else:
            kind, plain = kind_of(text) or ("command", text)
            self.add(kind, plain, _LATEX.get(text, text), start, end)


_DOTS = ("dots", "…", r"\dots")
_RANGES = {"in": ("relation", "∈", r"\in"), "to": _DOTS, "through": _DOTS, "until": _DOTS}
_ALL = re.compile(r"(?:\s+(?:all|every|each|any|steps?|times?)\b)*")
_RANGE = re.compile(r"(?:\s+(?:all|every|each))?\s+[A-Za-zτ]\s*(?:=|in\b|∈|,|:)")
_REST = re.compile(r"[^;]*")
_OPERANDS = frozenset("letter word number close } transpose prime suffix function".split())
_FOLLOWS = re.compile(r"\s+[^\s=+*/.,;:)\]-]")
_BIG = {"Σ": "sum", "Π": "prod"}
_MODULES = frozenset("np numpy jnp torch tf math cp F".split())
"""Whose functions are those of mathematics."""
_LATEX = {
    "⊙": r"\odot", "∘": r"\circ", "⊗": r"\otimes", "×": r"\times", "·": r"\cdot", "⋅": r"\cdot",
    "∂": r"\partial", "∇": r"\nabla", "≈": r"\approx", "≤": r"\le", "≥": r"\ge", "∈": r"\in",
    "←": r"\leftarrow", "→": r"\to",
    "∝": r"\propto", "∑": r"\sum", "∏": r"\prod", "−": "-", "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\|",
}  # fmt: skip


def is_command_operator(text: str) -> bool:
    """Whether a command stands between quantities."""
    return COMMANDS.get(text[1:], ("",))[0] in ("product", "sign", "relation")
