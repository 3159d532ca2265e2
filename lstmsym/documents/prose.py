"""What stands in prose: equations in plain text, left sides before a formula, code without a language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from lstmsym.documents.hypertext import whole
from lstmsym.documents.layout import stretches
from lstmsym.documents.reach import Reach, equations

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

RELATION = re.compile(r"(?<![<>=!:+\-*/~|])(?:\+=|-=|\*=|:=|=|←|≔)(?![=>])|[≠≤≥≈∝≪≫]|!=|[<>]=")
_MASKED = re.compile(
    r"!\[[^\]\n]*\](?:\([^()\n]*\))?|https?://\S+|<[^<>\n]{1,200}>|\]\([^()\n]*\)|--[\w-]+=\S+|\b\w+@\w+\S*|\{\{[^\n]*?\}\}|\{%[^\n]*?%\}"
    r"|(?<![_^])\{[^{}\n]*=[^{}\n]*\}|(?<!\S)\|(?!\S)|(?<!\S)\*\*(?=\S)|(?<=\S)\*\*(?![\w(])"
)
_STATEMENT = re.compile(r"[\w.\[\]()' ]+(?: [-+*/@] [\w.\[\]()' ]+)+")


def plain_equations(text: str, names: frozenset[str] = frozenset()) -> Iterator[Reach]:
    """Where equations stand in prose; ``names`` are words that the document uses for quantities."""
    ended = -1
    for part in stretches(text):
        if len(part.text) > 20_000 or not RELATION.search(part.text):
            continue
        masked = _MASKED.sub(lambda m: "\u2420 " if m[0] == "**" else "\u241f" * len(m[0]), part.text)
        follows = part.follows and text[ended : part.start].strip(" .,;\t\n") == "" and ended >= 0
        for found in equations(masked, names, follows):
            low, ended = whole(text, part.start + found.low, part.start + found.high)
            yield Reach(low, ended, found.problem)


def is_statement(code: str) -> bool:
    """Whether code in the text is an equation, or an expression with an operator."""
    text = code.strip()
    short = len(text) < 2000
    whole = short and any(r.low == 0 and r.high == len(text) and not r.problem for r in equations(text))
    return whole or bool(_STATEMENT.fullmatch(text))


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
