"""How equations lie in plain text: quoted, numbered, in lists, over several lines, in full-width characters.

Every change keeps the length of the text, so that what is read still knows its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lstmsym.documents.hypertext import unmarked

_WIDE = {**{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}, 0x3000: 0x20}
_SUMS = re.compile(r"\b(?:the )?sum over (?:all )?(?:time )?(?:steps? )?([A-Za-zτ]) of\b|\bsum_([a-z])\b")
_NUMBER = r"\( ?\d{1,3}(?:\.\d{1,3})*[a-z]? ?\)"
_DOT = re.compile(r"(?<=[\w)\]} ] )\.(?= +[A-Za-z(\[])")
_HEAD = re.compile(
    r"[ \t]*(?:>+[ \t]?)*[ \t]*(?P<bullet>(?:[•‣▪●○■–—*+-][ \t]+)*(?:\[[ xX]\][ \t]+)?)"
    rf"(?:(?:{_NUMBER}|\[\d{{1,3}}[a-z]?\]|\d{{1,3}}[a-z]?[.)](?=[ \t])"
    r"|(?:[Ee]q(?:uation|n)?|式|公式)\.?[ \t]*\(?\d{1,3}[\d.]*[a-z]?\)?)"
    r"[:.、]?(?=[ \t]*[^\s*/+=@⊙·.,-]))?[ \t]*"
)
_TAIL = re.compile(rf"(?<=[^\s*/+=@⊙·(,-])[,.;]?[ \t]+(?:\.{{3,}}[ \t]*|…+[ \t]*)?{_NUMBER}[ \t]*$")
_EQUALS = re.compile(r"(?<![<>=!:])=(?![=>])")
_OPEN_END = re.compile(r"(?:[-+*/@⊙∘·×−^]|(?<![<>=!])=)[ \t]*$")
_OPERATOR = re.compile(r"[-+*/@⊙∘·×−](?![-=>])")
LINES = 12
"""Lines that one equation may take."""


@dataclass(frozen=True)
class Stretch:
    """A line, or several that are one equation: its offset, and its text without what only lays it out."""

    start: int
    text: str
    follows: bool = False
    """Whether it begins with the sign that goes on with the equation of the line before."""


def narrowed(text: str) -> str:
    """Full-width letters, digits and operators, and those of HTML, as others have them."""
    return unmarked(text.translate(_WIDE))


def stretches(text: str) -> Iterator[Stretch]:
    """The lines of a text, those joined that one equation takes."""
    start, lines = 0, list[str]()
    offset, before = 0, ""
    for raw in text.split("\n"):
        line = narrowed(raw)
        head = _HEAD.match(line)
        indent = head.start("bullet") if head else 0
        if lines and len(lines) < LINES and _goes_on(lines, line[indent:], indent):
            lines.append(_blank(line, indent))
        else:
            if lines:
                yield _stretch(start, lines, before)
                before = lines[-1]
            start, lines = offset, [_blank(line, head.end() if head else 0)]
        offset += len(raw) + 1
    if lines:
        yield _stretch(start, lines, before)


def _stretch(start: int, lines: list[str], before: str) -> Stretch:
    text = " ".join(_TAIL.sub(lambda m: " " * len(m[0]), line) for line in lines)
    if _EQUALS.search(text):
        text = _DOT.sub("·", text)
    text = _SUMS.sub(lambda m: f"∑_{m[1] or m[2]}".ljust(len(m[0])), text)
    follows = text.lstrip()[:1] == "=" and bool(_EQUALS.search(before))
    return Stretch(start, text, follows)


def _blank(line: str, width: int) -> str:
    return " " * width + line[width:]


def _goes_on(lines: list[str], line: str, indent: int) -> bool:
    """Whether a line goes on with the equation before: after an operator, or with one further in."""
    last, whole = _TAIL.sub("", lines[-1]), " ".join(lines)
    if not line.strip() or not last.strip() or len(whole) > 2000:
        return False
    begun = bool(_EQUALS.search(whole))
    if line[0] == "=":
        return not begun and _is_side(whole)
    if begun and (_OPEN_END.search(last) or _balance(whole) > 0):
        return True
    further = indent > len(lines[0]) - len(lines[0].lstrip()) or line[:1] in "/@⊙∘·×"
    alone = indent > len(lines[0]) - len(lines[0].lstrip()) and "=" not in line and _is_side(line)
    return begun and ((further and bool(_OPERATOR.match(line))) or alone)


def _is_side(text: str) -> bool:
    """Whether a line is only an expression: the left side of what follows."""
    bare = text.strip()
    return len(bare) < 80 and bare.isascii() and not re.search(r"[A-Za-z]{3,} [A-Za-z]{2,}|[.:;]$", bare)


def _balance(text: str) -> int:
    return sum(text.count(c) for c in "([") - sum(text.count(c) for c in ")]")
