r"""What scans damage: a digit for the letter it looks like, 1(t) for l(t); fractions without their braces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lstmsym.documents.macros import Lexeme, lexemes

_STEP = r"\(\s*[tTsk](?:\s*[-+]\s*1)?\s*\)"
_DIGIT = re.compile(rf"(?<![\w.\\^_{{)(])(?<!\d )(?P<digit>[01])(?={_STEP})")
_LETTERS = {"1": "l", "0": "o"}
_TERM = r"(?:d|\\partial\s*)(?:\\[A-Za-z]+|[A-Za-z])(?:_(?:\w|\{[^{}]{1,20}\}))?(?:\([^()]{1,12}\))?"
_FRACTION = re.compile(rf"\\d?frac\s*(?P<above>{_TERM})\s*(?P<below>{_TERM})")


def letters_for_digits(text: str) -> tuple[str, dict[int, str]]:
    """The text with letters for digits that stand at a step, if those do elsewhere; line -> a note."""
    known = {digit for digit, letter in _LETTERS.items() if re.search(rf"(?<![\w\\]){letter}{_STEP}", text)}
    if not known:
        return text, {}
    lines, notes = text.split("\n"), dict[int, str]()
    for number, line in enumerate(lines):
        taken = {found["digit"] for found in _DIGIT.finditer(line)} & known
        if taken:
            lines[number] = _DIGIT.sub(lambda m: _LETTERS[m[0]] if m[0] in known else m[0], line)
            said = (f"{digit} at a step is read as the letter {_LETTERS[digit]}" for digit in sorted(taken))
            notes[number + 1] = "; ".join(said)
    return "\n".join(lines), notes


_CIRCLE = re.compile(
    r"(?<![\w$])o\b[^.\n$]{0,25}(element|entry|component|point)[- ]?wise|(?<![\w$])o\b[^.\n$]{0,25}Hadamard"
)
_BETWEEN = re.compile(r"(?<=[\w\])}']) o (?=[\w\[({])")


def circles(text: str) -> str:
    """The text with ∘ for an o between quantities, where it says that o is a product entry by entry."""
    if not _CIRCLE.search(text):
        return text
    lines = text.split("\n")
    return "\n".join(_BETWEEN.sub(" ∘ ", line) if "=" in line and "$" not in line else line for line in lines)


def mended_lexemes(text: str, offset: int) -> list[Lexeme]:
    r"""The lexemes of LaTeX, with the braces of ``\fracdL(t)dh(t)`` that a scan has lost."""
    found: list[Lexeme] = []
    done = 0
    for match in _FRACTION.finditer(text):
        found += lexemes(text[done : match.start()], offset + done)
        found += _fraction(match, offset)
        done = match.end()
    return found + lexemes(text[done:], offset + done)


def _fraction(match: re.Match[str], offset: int) -> Iterator[Lexeme]:
    start = offset + match.start()
    yield Lexeme("command", r"\frac", start, offset + match.start("above"))
    for part in ("above", "below"):
        low, high = match.start(part) + offset, match.end(part) + offset
        yield Lexeme("other", "{", low, low)
        yield from lexemes(match[part], low)
        yield Lexeme("other", "}", high, high)
