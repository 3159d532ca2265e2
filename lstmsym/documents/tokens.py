"""The tokens of mathematics, whichever way it was spelled, and what characters and commands are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lstmsym.documents import symbols as S


@dataclass(frozen=True)
class Token:
    """``kind``, its plain meaning, how it was spelled, where it stands, and whether a space came before.

    Kinds: letter, word, function, number, text, dots; product, sign, relation, big, quantifier; open,
    close, bar, {, }; sub, sup, prime, suffix, transpose; accent, mark, font; frac, sqrt, partial, nabla,
    substack, binom, begin, end; comma, and, row, gap, tag, label; and command for what is not understood.
    """

    kind: str
    plain: str
    spelling: str
    start: int
    end: int
    spaced: bool = False


@dataclass(frozen=True)
class Lexicon:
    """What a document says about its spelling.

    ``words`` are letters side by side that are one name, ``times`` letters that are steps, ``timed`` the
    keys of names that are taken at steps, so that a number at them is a step too; ``layered`` those of
    names whose digits above are no powers but number layers, ``W^1`` and ``W^2``.
    """

    words: frozenset[str] = frozenset()
    times: frozenset[str] = frozenset()
    timed: frozenset[str] = frozenset()
    layered: frozenset[str] = frozenset()


NOTHING = Lexicon()
PUNCTUATION = {",": ",", ";": ";", "，": ",", "；": ";", "、": ",", ":": ":", "：": ":", "。": ".", ".": "."}
_STRUCTURES: list[tuple[dict[str, str] | frozenset[str], str]] = [
    (S.LETTERS, "letter"),
    (S.FUNCTION_COMMANDS, "function"),
    (dict.fromkeys(("top", "intercal", "transp", "tran", "trans"), "⊤"), "transpose"),
    (S.DOTS, "dots"),
    (S.BIG, "big"),
    (S.BARS, "bar"),
    (S.CLOSERS, "close"),
    (S.OPENERS, "open"),
    (S.RELATIONS, "relation"),
    (S.SIGNS, "sign"),
    (S.PRODUCTS, "product"),
    (S.ACCENTS, "accent"),
    (S.GAPS, "gap"),
    (frozenset(("forall", "exists")), "quantifier"),
    (frozenset(("substack",)), "substack"),
    (frozenset(("binom", "dbinom", "tbinom")), "binom"),
    ({"prime": "'"}, "prime"),
    ({"nabla": "∇"}, "nabla"),
    ({"partial": "∂"}, "partial"),
    (frozenset(("sqrt",)), "sqrt"),
    (frozenset(("frac", "dfrac", "tfrac", "cfrac", "sfrac", "nicefrac")), "frac"),
]
COMMANDS = {
    name: (kind, table[name] if isinstance(table, dict) else name)
    for table, kind in _STRUCTURES
    for name in table
    if name.isascii() and name.isalpha()
}
"""Command -> (kind, meaning), for those that are one token."""


def kind_of(text: str) -> tuple[str, str] | None:
    """(kind, meaning) of one to three characters of mathematics, where they have one."""
    found = _CHARACTERS.get(text)
    return found or (("dots", S.DOTS[text]) if text in S.DOTS else None)


_STEP = re.compile(r"ᵗ([⁺⁻][⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?=[⁰¹²³⁴⁵⁶⁷⁸⁹ᵀ])")
"""A step above a name, before a power or a transposition of it."""


def small(text: str, start: int, end: int) -> list[Token]:
    """Superscript or subscript characters as a script of their own: ₜ₋₁, ᵀ; what is above a step, too: ᵗ²."""
    step = _STEP.match(text)
    if step is not None:
        middle = start + step.end()
        return [*small(step[0], start, middle), *small(text[step.end() :], middle, end)]
    table, mark = (S.SUPERSCRIPTS, "^") if text[0] in S.SUPERSCRIPTS else (S.SUBSCRIPTS, "_")
    found = [("sup" if mark == "^" else "sub", mark, mark), ("{", "{", "{")]
    for char in text:
        inner = table.get(char, char)
        if char == "ᵀ":
            found.append(("transpose", "⊤", r"\top"))
        elif inner.isalpha():
            found.append(("letter", inner, inner))
        elif inner.isdigit():
            found.append(("number", inner, inner))
        else:
            found.append((*(kind_of(inner) or ("command", inner)), inner))
    found.append(("}", "}", "}"))
    return [Token(*parts, start, end) for parts in found]


def is_small(char: str) -> bool:
    """Whether a character is a superscript or subscript by itself."""
    return char in S.SUPERSCRIPTS or char in S.SUBSCRIPTS


def is_letter(char: str) -> bool:
    """A letter of any alphabet, Chinese included."""
    return len(char) == 1 and char.isalpha() and not is_small(char)


def decomposed(letter: str) -> str:
    """A letter, and its accent after it where that is one of mathematics: ŷ."""
    parts = unicodedata.normalize("NFD", letter)
    if len(parts) == 2 and parts[0].isascii() and parts[1] in S.COMBINING:
        return parts
    return unicodedata.normalize("NFKC", letter)


def is_han(char: str) -> bool:
    """A Chinese, Japanese or Korean character."""
    return len(char) == 1 and ("\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7af")


def is_ascii_letter(char: str) -> bool:
    """A letter of English."""
    return len(char) == 1 and char.isascii() and char.isalpha()


def typewriter(text: str) -> str:
    """A word of code in LaTeX."""
    return rf"\mathtt{{{text}}}".replace("_", r"\_")


def _characters() -> dict[str, tuple[str, str]]:
    tables: list[tuple[dict[str, str], str]] = [
        (S.BIG, "big"), (S.BARS, "bar"), (S.CLOSERS, "close"), (S.OPENERS, "open"), (S.SIGNS, "sign"),
        (S.PRODUCTS, "product"), (S.RELATIONS, "relation"), (PUNCTUATION, "comma"),
    ]  # fmt: skip
    found = {
        text: (kind, plain) for table, kind in tables for text, plain in table.items() if not text.isalpha()
    }
    for text in ("{", "}"):
        del found[text]
    found |= {
        "_": ("sub", "_"),
        "^": ("sup", "^"),
        "&": ("and", "&"),
        "∂": ("partial", "∂"),
        "∇": ("nabla", "∇"),
    }
    found |= {
        "⊤": ("transpose", "⊤"),
        "⊺": ("transpose", "⊤"),
        "√": ("sqrt", "sqrt"),
        "∀": ("quantifier", "forall"),
    }
    found["**"] = ("sup", "^")
    return found | dict.fromkeys("'’′`", ("prime", "'")) | {"∃": ("quantifier", "exists")}


_CHARACTERS = _characters()


def placeholders(tokens: Sequence[Token]) -> tuple[Token, ...]:
    r"""The tokens, an asterisk that no operator can be as a name: ``\ast_t`` and ``\ast \in \{i, f, o\}``."""
    found = list(tokens)
    for place, (token, following) in enumerate(pairwise(tokens)):
        scripted = following.kind in ("sub", "sup")
        if token.kind == "product" and token.plain == "*" and (scripted or following.plain == "∈"):
            found[place] = replace(token, kind="letter")
    return tuple(found)
