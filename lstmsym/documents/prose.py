"""What stands in prose: equations in plain text, left sides before a formula, code without a language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from lstmsym.documents import symbols as S
from lstmsym.documents.layout import stretches

_LEAD = re.compile(
    r"(?P<name>(?:self[ \t]*\.[ \t]*(?:\w+[ \t]*\.[ \t]*)*)?"
    r"[A-Za-z_δ∂Δ][\w.]*(?:\([^()\n]{0,20}\))?)[\]`*)]*[ \t]*(?P<sign>=|:=|\+=)?[ \t]*\n?[ \t]*$"
)


def leading(before: str, formula: str) -> tuple[str, int]:
    """The left side that text ends with, if the formula after it is only a right side; and its offset."""
    found = _LEAD.search(before)
    if not found:
        return "", 0
    starts = bool(re.match(r"\s*(?:&\s*)?(=|:=|\+=)", formula))
    coded = bool(re.search(r"[_.(\d]", found["name"])) or len(found["name"]) <= 2 or found["name"][0] in "d∂δ"
    if found["sign"] or (starts and coded):
        sign = found["sign"] or ""
        return found["name"] + (f" {sign}" if sign and not starts else ""), found.start("name")
    return "", 0


# -- plain-text equations ------------------------------------------------------------------------------

RELATION = re.compile(r"(?<![<>=!:+\-*/~|])(?:\+=|-=|\*=|:=|=|←|≔)(?![=>])")
_MASKED = re.compile(
    r"https?://\S+|<[^<>\n]{1,200}>|\]\([^()\n]*\)|--[\w-]+=\S+|\b\w+@\w+\S*|\{\{[^\n]*?\}\}|\{%[^\n]*?%\}"
    r"|(?<![_^])\{[^{}\n]*=[^{}\n]*\}|(?<!\S)\|(?!\S)|(?<!\S)\*\*(?=\S)|(?<=\S)\*\*(?![\w(])"
)
_STATEMENT = re.compile(r"[\w.\[\]()' ]+(?: [-+*/@] [\w.\[\]()' ]+)+")
_PIECE = re.compile(
    r"(?P<path>self(?:\s*\.\s*[A-Za-z][A-Za-z0-9_]*)+"
    r"|[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+)|(?P<number>\d+(?:\.\d+|\.(?=\s*[-+*/)]))?)"
    r"|(?P<word>[A-Za-z][A-Za-z0-9_]*)|(?P<letter>[\u0370-\u03ff∂∇∑∏ℓ][A-Za-z0-9_]*)|(?P<open>[(\[{⟨‖])|(?P<close>[)\]}⟩])"
    r"|(?P<relation>\+=|-=|\*=|:=|←|≔|=)|(?P<operator>\*\*|\.\*|\.\^|\./|[-+*/@⊙∘⊗×·⋅−^_'′’|√])|(?P<small>[⁰-₟ᵀ¹²³ᵢⱼ\u0300-\u036f]+)"
    r"|(?P<dots>\.\.\.?|…)|(?P<colon>[:,])|(?P<space>[ \t]+)|(?P<other>.)",
    re.DOTALL,
)
_JOINING = frozenset("* / @ ⊙ ∘ ⊗ × · ⋅ + ** .*".split())
"""Operators that no punctuation looks like."""
OPERANDS = frozenset("path number word letter close small".split())


def plain_equations(text: str) -> Iterator[tuple[int, int]]:
    """Where equations stand in prose: start and end offsets."""
    ended = -1
    for part in stretches(text):
        if len(part.text) > 20_000 or not RELATION.search(part.text):
            continue
        masked = _MASKED.sub(lambda m: "\u241f" * len(m[0]), part.text)
        follows = part.follows and text[ended : part.start].strip(" .,;\t\n") == "" and ended >= 0
        for low, high in _in_line(masked, follows):
            yield part.start + low, part.start + high
            ended = part.start + high


Piece = tuple[str, str, int, int]
"""Kind, text, start and end."""


def is_statement(code: str) -> bool:
    """Whether code in the text is an equation, or an expression with an operator."""
    text = code.strip()
    whole = any(low == 0 and high == len(text) for low, high in _in_line(text)) if len(text) < 2000 else False
    return whole or bool(_STATEMENT.fullmatch(text))


def _in_line(line: str, follows: bool = False) -> Iterator[tuple[int, int]]:
    """Where equations stand in a line; ``follows``: the first has its left side in the line before."""
    pieces = [(m.lastgroup or "", m.group(), m.start(), m.end()) for m in _PIECE.finditer(line)]
    done = 0
    for place, (kind, _, start, _) in enumerate(pieces):
        if kind != "relation" or start < done:
            continue
        low, high = _left(pieces, place), _right(pieces, place)
        sided = low < place or (follows and not line[:start].strip())
        if sided and high > place + 1 and pieces[low][2] >= done:
            done = pieces[high - 1][3]
            yield pieces[low][2], done


def _left(pieces: list[Piece], place: int) -> int:
    """The first piece of the left side that ends before a relation."""
    best, depth, operand = place, 0, False
    for at in range(place - 1, -1, -1):
        kind, text = pieces[at][:2]
        depth += {"close": 1, "open": -1}.get(kind, 0)
        if depth < 0:
            break
        if kind == "open" and depth == 0:
            best, operand = at, False  # what stands before the bracket may be its function
        elif depth == 0 and kind not in ("space", "close"):
            touching = pieces[at + 1][0] != "space"
            if not _goes_left(kind, text, operand, best < place and not touching):
                break
            operand = kind in ("word", "letter", "path", "number")
            best = at if operand else best
        elif kind == "space" and operand and _opens(pieces, at):
            best = at - 1  # d h_t, the d apart
    while best < place and pieces[best][0] in ("operator", "colon", "space"):
        best += 1
    return best if depth <= 0 else place


def _opens(pieces: list[Piece], at: int) -> bool:
    """Whether a gradient's letter stands alone before a space, as the first of its line or sentence."""
    if at < 1 or pieces[at - 1][1] not in ("d", "δ", "∂", "delta", "Δ"):
        return False
    before = [p for p in pieces[: at - 1] if p[0] != "space"]
    return not before or before[-1][0] in ("relation", "colon", "dots", "other")


def _goes_left(kind: str, text: str, operand: bool, apart: bool) -> bool:
    """Whether a piece belongs to the left side that is read from its end."""
    if kind in ("word", "letter", "path", "number"):
        return not operand and not (_is_word(text) and apart)
    return kind in ("operator", "small")


def _right(pieces: list[Piece], place: int) -> int:
    """One past the last piece of the right side that begins after a relation."""
    best, depth, operand = place, 0, False
    for at in range(place + 1, len(pieces)):
        kind, text = pieces[at][:2]
        ends = kind == "other" or (kind == "dots" and depth == 0 and at + 1 >= len(pieces))
        word = kind in ("word", "path") and operand and _is_word(text) and not _is_quantity(pieces, at)
        if ends or (depth == 0 and (kind in ("colon", "close") or word)):
            break
        depth += {"open": 1, "close": -1}.get(kind, 0)
        if kind in OPERANDS or kind == "dots":
            operand = True
        elif kind in ("operator", "relation", "open"):
            operand = text in ("'", "′", "’")
        if depth == 0 and operand and kind != "space":
            best = at + 1
    return max(best, _dangling(pieces, place, best)) if best > place else place


def _dangling(pieces: list[Piece], place: int, best: int) -> int:
    """One past the operator, or the bracket behind one, after which a right side breaks off unread."""
    at = best
    while at < len(pieces) and pieces[at][0] == "space":
        at += 1
    if at >= len(pieces) or pieces[at][1] not in _JOINING:
        return best
    end = at + 1
    while end < len(pieces) and pieces[end][0] == "space":
        end += 1
    if end < len(pieces) and pieces[end][0] == "open":
        depth = 1
        while end + 1 < len(pieces) and depth:
            end += 1
            depth += {"close": -1, "open": 1}.get(pieces[end][0], 0)
        return end + 1
    return at + 1


def _is_quantity(pieces: list[Piece], at: int) -> bool:
    """Whether a word is taken at something, dl(s), or begins dL/dh, which no sentence has."""
    if at + 1 < len(pieces) and pieces[at + 1][1] == "(":
        return True
    slash, below = [text for _, text, _, _ in [*pieces[at + 1 : at + 3], *(("", " ", 0, 0),) * 2]][:2]
    return pieces[at][1][0] == below[0] == "d" and slash == "/"


def _is_word(text: str) -> bool:
    """Whether letters are a word of the language and not a name."""
    return (
        len(text) > 1
        and text.isalpha()
        and text.isascii()
        and text not in S.FUNCTION_WORDS
        and text not in S.LETTERS
    )


def looks_like_code(text: str) -> bool:
    """Whether lines without a language are code: most of them parse as Python by themselves."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if any(line.startswith(("def ", "class ", "import ", "from ", "for ", "#")) for line in lines):
        return True
    return sum(_parses(line) for line in lines[:50]) * 2 > len(lines[:50])


def _parses(line: str) -> bool:
    if len(line) > 500:
        return False
    try:
        ast.parse(line)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
