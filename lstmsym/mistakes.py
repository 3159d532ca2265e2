"""What an author can do wrong, told with the place where it stands.

A mistake shows while Python still evaluates a line of a class body, where nobody but the stack knows
which line that is; hence a look at the frames, and at the source for the equation's own text.
"""

from __future__ import annotations

import ast
import difflib
import linecache
import sys
from collections.abc import Collection
from functools import lru_cache
from types import FrameType
from typing import Any


class NotationError(ValueError):
    """A mistake in a cell, a claim or a call, told in one sentence: what, where, what to do."""


class ClassBody(dict[str, Any]):
    """The namespace of a class body that is a page of equations; ``title`` is the name of the class."""

    title: str = ""


def author_line() -> str:
    """File and line where the author wrote what is being run."""
    frame = _author()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""


def quoted(where: str) -> str:
    """The line of a class body that stands at a place ``file:line``, as its author wrote it."""
    file, _, line = where.rpartition(":")
    statement = statement_at(file, int(line or 0))
    return _text(file, statement) if statement else ""


def located(message: str, title: str = "", equation: str = "") -> str:
    """The message behind its place: file and line, cell, and the equation as it stands there."""
    body = _body()
    if body:
        title = title or getattr(body.f_locals, "title", "")
        equation = quoted(author_line()) or equation
    return sentence(author_line(), title, equation, message)


def sentence(where: str, title: str, equation: str, message: str) -> str:
    """Place, cell, equation and message in one line, without what is not known."""
    return ": ".join(part for part in (where, title, equation and f"in {equation}", message) if part)


def mistake(message: str) -> NotationError:
    """The error to raise for what the author has just written."""
    return NotationError(located(message))


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name most like this one, capitals aside."""
    alike = {other.lower(): other for other in sorted(known)}
    found = difflib.get_close_matches(name, known, n=1)
    return found[0] if found else alike.get("".join(difflib.get_close_matches(name.lower(), alike, n=1)))


def _theirs(frame: FrameType) -> bool:
    """Whether the code of a frame is the author's: neither ours nor SymPy's."""
    module = frame.f_globals.get("__name__", "")
    package = module.split(".")[0]
    return package != "sympy" and (
        package != "lstmsym" or module.startswith(("lstmsym.cells", "lstmsym.pages"))
    )


def _body() -> FrameType | None:
    """The frame of the class body being run."""
    frame: FrameType | None = sys._getframe(1)
    while frame and not (_theirs(frame) and isinstance(frame.f_locals, ClassBody)):
        frame = frame.f_back
    return frame


def _author() -> FrameType | None:
    """The class body being run (a helper called there is not where the equation stands), or the caller."""
    frame: FrameType | None = sys._getframe(1)
    while frame and not _theirs(frame):
        frame = frame.f_back
    return _body() or frame


def running() -> ast.AST | None:
    """The assignment of a class body that is being run, where there is its source."""
    body = _body()
    return statement_at(body.f_code.co_filename, body.f_lineno) if body else None


def statement_at(file: str, line: int) -> ast.AST | None:
    """The assignment in a class body that covers a line of a file; None where there is no source."""
    around = [
        node
        for scope in ast.walk(_tree("".join(linecache.getlines(file))))
        if isinstance(scope, ast.ClassDef)
        for node in ast.walk(scope)
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign))
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return around[-1] if around else None


@lru_cache(maxsize=8)
def _tree(source: str) -> ast.AST:
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])


def _text(file: str, statement: Any) -> str:
    """A statement as it stands if it stands on one line, else without its line breaks and comments."""
    if statement.lineno != statement.end_lineno:
        return ast.unparse(statement)
    line = linecache.getline(file, statement.lineno).encode()
    return " ".join(line[statement.col_offset : statement.end_col_offset].decode().split())
