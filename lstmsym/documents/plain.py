"""Tokens of an equation in plain text: as in code, in a message, or with Unicode's own signs."""

from __future__ import annotations

import re
import unicodedata

from lstmsym.documents import symbols as S
from lstmsym.documents.limits import DIGITS, FORMULA, ReadingError
from lstmsym.documents.tokens import COMMANDS, Token, is_letter, is_small, kind_of, small, typewriter

_PLAIN = re.compile(
    r"(?P<space>\s+)|(?P<number>\d+\.(?!\d|\.)(?=\s*[-+*/)])|(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?)"
    r"|(?P<path>self(?:\s*\.\s*[A-Za-z][A-Za-z0-9_]*)+"
    r"|[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+)|(?P<dots>\.\.\.?)"
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
        self.script = 0  # depth of a script in brackets: h_(t-1)

    def add(self, kind: str, plain: str, spelling: str, start: int, end: int) -> None:
        self.found.append(Token(kind, plain, spelling, start + self.offset, end + self.offset, self.spaced))
        self.spaced = False

    def read(self) -> list[Token]:
        for match in _PLAIN.finditer(self.text):
            text, start, end = match.group(), match.start(), match.end()
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

    def see_word(self, text: str, start: int, end: int) -> None:
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
        elif text == "{":
            self.add("{", "{", "{", start, end)
        elif text == "}":
            self.add("}", "}", "}", start, end)
        elif text in ("'", "′", "’"):
            self.add("prime", "'", "'", start, end)
        elif text in _BIG and (self.next_char(end) == "_" or is_small(self.next_char(end))):
            self.add("big", S.BIG[_BIG[text]], "\\" + _BIG[text], start, end)
        elif is_letter(text):
            plain = unicodedata.normalize("NFKC", text)
            self.add("letter", plain, S.SPELLED.get(plain, plain), start, end)
        else:
            kind, plain = kind_of(text) or ("command", text)
            self.add(kind, plain, _LATEX.get(text, text), start, end)


_BIG = {"Σ": "sum", "Π": "prod"}
_MODULES = frozenset("np numpy jnp torch tf math cp F".split())
"""Whose functions are those of mathematics."""
_LATEX = {
    "⊙": r"\odot", "∘": r"\circ", "⊗": r"\otimes", "×": r"\times", "·": r"\cdot", "⋅": r"\cdot",
    "∂": r"\partial", "∇": r"\nabla", "≈": r"\approx", "≤": r"\le", "≥": r"\ge", "∈": r"\in",
    "←": r"\leftarrow", "→": r"\to",
    "∝": r"\propto", "∑": r"\sum", "∏": r"\prod", "−": "-", "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\|",
}  # fmt: skip
