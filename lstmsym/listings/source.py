"""A listing's text as statements: limits first, then Python's own parser; damage is mended and reported.

Only `ast` is used; nothing of a listing is ever run.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

MAX_CHARACTERS = 200_000
MAX_LINES = 4_000
MAX_DEPTH = 40
MAX_NODES = 60_000
MAX_TREE = 150
REPAIRS = 60
TOO_LONG = "a statement of too many parts: write it in several lines"


class ListingError(ValueError):
    """Why a listing, or a statement of it, is not read."""


@dataclass(frozen=True)
class Damage:
    """A line that is no Python as it stands, and what was made of it."""

    line: int
    message: str


@dataclass(frozen=True)
class Source:
    """The statements, the text they came from, and the lines that had to be mended or left out."""

    body: tuple[ast.stmt, ...]
    lines: tuple[str, ...]
    damage: tuple[Damage, ...]
    lost: tuple[int, ...]


def parse(text: str) -> Source:
    """The statements of a listing; lines count from 1 within it.

    Raises:
        ListingError: it is too large, too deep, or nothing in it is Python.
    """
    _check(text)
    original = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).split("\n")
    lines = [_plain(line) for line in _dedented(original)]
    damage = [
        Damage(n, "print as a statement is Python 2; the line is left out")
        for n, line in enumerate(original, 1)
        if PRINT.match(line)
    ]
    lost: list[int] = []
    _signs(lines, damage)
    for _ in range(REPAIRS):
        tree, error = _tree("\n".join(lines) + "\n")
        if tree is not None:
            if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
                raise ListingError(f"more than {MAX_NODES} parts: split the listing")
            deep = next((s for s in _innermost(tree) if _depth(s) > MAX_TREE), None)
            if deep is not None and deep.end_lineno == deep.lineno:
                _mend(lines, SyntaxError(TOO_LONG, ("", deep.lineno, 0, "")), damage, lost)
                continue
            if deep is not None or _depth(tree) > MAX_TREE:
                raise ListingError(
                    f"expressions nested more than {MAX_TREE} deep: write them in several lines"
                )
            return Source(tuple(tree.body), tuple(original), tuple(damage), tuple(lost))
        _mend(lines, error, damage, lost)
    raise ListingError("too much of it is no Python")


def _innermost(tree: ast.Module) -> list[ast.stmt]:
    """The statements that hold no others."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.stmt) and not hasattr(n, "body")]


def _depth(tree: ast.AST) -> int:
    """How deep a tree is, found without recursion."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


def _check(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise ListingError(f"more than {MAX_CHARACTERS} characters: split the listing")
    if text.count("\n") > MAX_LINES:
        raise ListingError(f"more than {MAX_LINES} lines: split the listing")
    if "\0" in text:
        raise ListingError("it holds a null character")
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        depth = max(depth, 0)
        if depth > MAX_DEPTH:
            raise ListingError(f"brackets nested more than {MAX_DEPTH} deep")
    if re.search(r"(?:\bnot\s+|[-+~]\s*){200}|(?:\*\*\s*\w+\s*){100}|\d{200}", text):
        raise ListingError("an expression without end")


def _dedented(lines: list[str]) -> list[str]:
    """Without the indentation that all but a lone first line have: an excerpt of a method."""
    widths = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    common = min(widths, default=0)
    return [line[common:] if line.strip() else "" for line in lines]


PRINT = re.compile(r"^(\s*)print(?:\s+[^\s(=.,+*/-]|\s*>>).*$")
"""A statement of Python 2."""


def _plain(line: str) -> str:
    """Without prompts of a session; what a notebook alone understands is left out."""
    line = re.sub(r"^(\s*)(?:>>> ?|\.\.\. ?|In ?\[\d*\]: ?)", r"\1", line)
    line = PRINT.sub(r"\1pass", line)
    return "" if re.match(r"\s*[%!]", line) else line


CHARACTERS = str.maketrans(
    "\u2013\u2014\u2212\u00d7\u00b7\u2217\u2018\u2019\u201c\u201d\u00a0\uff08\uff09\uff0c\uff1d\uff1a",
    "---***''\"\" (),=:",
)
"""What print and scanning make of the signs of Python."""


def _signs(lines: list[str], damage: list[Damage]) -> None:
    """Signs of print for those of Python, outside comments, and say so."""
    for index, line in enumerate(lines):
        made = line.translate(CHARACTERS)
        code = line.partition("#")[0]
        if code.translate(CHARACTERS) != code and code.count('"') + code.count("'") == 0:
            if code.replace("\u00a0", " ") != code.translate(CHARACTERS):
                strange = "".join(dict.fromkeys(c for c in code if ord(c) in CHARACTERS))
                damage.append(
                    Damage(
                        index + 1, f"{strange} is no sign of Python; read as {strange.translate(CHARACTERS)}"
                    )
                )
            lines[index] = made


def _tree(text: str) -> tuple[ast.Module | None, SyntaxError]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text), SyntaxError()
    except SyntaxError as error:
        return None, error
    except (RecursionError, MemoryError):
        longest = max(text.split("\n"), key=len)
        return None, SyntaxError(TOO_LONG, ("", text.split("\n").index(longest) + 1, 0, longest))
    except ValueError as error:
        raise ListingError(f"it is no Python that can be read ({error})") from None


def _mend(lines: list[str], error: SyntaxError, damage: list[Damage], lost: list[int]) -> None:
    """Change one line so that the parser gets further, and say so."""
    place = min(max((error.lineno or 1) - 1, 0), len(lines) - 1)
    if isinstance(error, IndentationError):
        stray = _stray(lines, place)
        if stray is not None:
            index, width = stray
            was = _indent(lines[index])
            lines[index] = " " * width + lines[index].lstrip()
            damage.append(
                Damage(index + 1, f"the indentation is lost (column {was}); read as if at column {width}")
            )
            return
    while place > 0 and not lines[place].strip():
        place -= 1
    missing = _unclosed(lines[place])
    if missing and "never closed" in (error.msg or ""):
        lines[place] = lines[place].partition("#")[0].rstrip() + missing
        damage.append(Damage(place + 1, f"{missing} is missing; read as if it stood at the end of the line"))
        return
    said = "" if error.msg == TOO_LONG else "no Python: "
    damage.append(Damage(place + 1, f"{said}{error.msg}; the line is left out"))
    lost.append(place + 1)
    lines[place] = ""


def _unclosed(line: str) -> str:
    """The closing brackets that a line lacks."""
    closing = {"(": ")", "[": "]", "{": "}"}
    left: list[str] = []
    for character in line.partition("#")[0]:
        if character in closing:
            left.append(closing[character])
        elif left and character == left[-1]:
            left.pop()
    return "".join(reversed(left))


def _stray(lines: list[str], place: int) -> tuple[int, int] | None:
    """The line whose indentation is wrong, and the right one: its neighbours agree on it."""
    before = [i for i in range(place) if lines[i].strip()]
    if not lines[place].strip() or not before:
        return None
    here = _indent(lines[place])
    last = before[-1]
    if len(before) > 1 and _indent(lines[before[-2]]) == here != _indent(lines[last]):
        return last, here
    if lines[last].rstrip().endswith(":"):
        return place, _indent(lines[last]) + 4
    if here != _indent(lines[last]):
        return place, _indent(lines[last])
    return None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
