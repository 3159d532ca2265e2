"""Long lines of generated Python, broken where a formatter (ruff, black) breaks them.

One statement a line comes in; a formatter run on what goes out changes nothing.  Comments and the
lines of docstrings stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

WIDTH = 88
TAB = "    "

_OPEN, _CLOSE = "([{", ")]}"
_LEVELS = ((" + ", " - "), (" * ", " / ", " @ "))
"""Operators at which a line is broken, weakest first."""
_ASSIGN = re.compile(r" [-+*/@]?= ")


def tidy(text: str) -> str:
    """The text with every long statement broken."""
    return "".join(f"{line}\n" for line in _lines(text))


def _lines(text: str) -> Iterator[str]:
    prose = False
    for line in text.splitlines():
        quotes = line.count('"""')
        if prose or quotes or len(line) <= WIDTH or line.lstrip().startswith("#"):
            yield line
        else:
            yield from _statement(line)
        prose ^= quotes == 1


def _statement(line: str) -> list[str]:
    """A long statement: what stands before its expression, the expression, what stands behind it."""
    body = line.lstrip()
    indent = line[: len(line) - len(body)]
    if body.startswith(("def ", "for ")):
        return _bracketed(indent, body) or [line]
    head = _head(body)
    return _expression(indent, head, body[len(head) :], "") or [line]


def _head(body: str) -> str:
    """``target = `` or ``return ``; nothing before a call by itself."""
    for word in ("return ", "raise "):
        if body.startswith(word):
            return word
    found = [m.end() for m in _ASSIGN.finditer(body) if _depth(body, m.start()) == 0]
    return body[: found[0]] if found else ""


def _expression(indent: str, head: str, expr: str, tail: str) -> list[str]:
    """An expression: at its last bracket where it has no operators to break at, else in brackets."""
    if len(indent + head + expr + tail) <= WIDTH:
        return [indent + head + expr + tail]
    operands = _operands(expr)
    if len(operands) == 1 and (method := _method(expr)):
        return [f"{indent}{head}(", *_inside(indent + TAB, expr[1:method]), indent + expr[method:] + tail]
    commas = _split(expr, (", ",))
    if len(commas) > 1:
        return [f"{indent}{head}(", *_each(indent, commas), f"{indent}){tail}"]
    if len(operands) == 1 or (len(operands) == 2 and operands[-1][-1] in _CLOSE):
        hugged = _bracketed(indent, head + expr + tail)
        if hugged and len(hugged[0]) <= WIDTH:
            return hugged
    if not head or (head in ("return ", "raise ") and len(operands) == 1):
        return _bracketed(indent, head + expr + tail)
    return [f"{indent}{head}(", *_inside(indent + TAB, expr), f"{indent}){tail}"]


def _method(expr: str) -> int:
    """Where the brackets close in ``(...).method(...)`` or ``(...)[...]``; 0 for anything else."""
    spans = _brackets(expr)
    called = len(spans) == 2 and spans[0][0] == 0 and expr[spans[0][1] + 1] in ".["
    return spans[0][1] if called and spans[1][1] == len(expr) - 1 else 0


def _inside(indent: str, expr: str) -> list[str]:
    """An expression on lines of its own, an operand each where one line does not do."""
    if len(indent + expr) <= WIDTH:
        return [indent + expr]
    lines = []
    for operand in _operands(expr):
        whole = indent + operand
        lines += [whole] if len(whole) <= WIDTH else _bracketed(indent, operand) or [whole]
    return lines


def _bracketed(indent: str, text: str) -> list[str]:
    """Broken inside its last bracket: all of it on one line, or an argument a line."""
    spans = [span for span in _brackets(text) if span[1] - span[0] > 1]
    if not spans:
        return []
    start, end = spans[-1]
    inner, close = text[start + 1 : end], text[end:]
    opened = indent + text[: start + 1]
    arguments = _split(inner, (", ",))
    if text[start] != "{" and len(indent + TAB + inner) <= WIDTH and not inner.endswith(","):
        return [opened, f"{indent}{TAB}{inner}", indent + close]
    if len(arguments) == 1 and text[start] != "{":
        return [opened, *_inside(indent + TAB, inner), indent + close]
    return [opened, *_each(indent, arguments), indent + close]


def _each(indent: str, arguments: list[str]) -> list[str]:
    """An argument a line, a comma behind each."""
    lines = []
    for argument in arguments:
        name = re.match(r"\w+=(?!=)", argument)
        head = name.group() if name else ""
        lines += _argument(indent + TAB, head, argument[len(head) :])
    return lines


def _argument(indent: str, head: str, expr: str) -> list[str]:
    if len(indent + head + expr) < WIDTH:
        return [f"{indent}{head}{expr},"]
    lines = _bracketed(indent, head + expr) if len(_operands(expr)) == 1 else _inside(indent, head + expr)
    return [*lines[:-1], f"{lines[-1]},"] if lines else [f"{indent}{head}{expr},"]


def _operands(expr: str) -> list[str]:
    """The operands of the weakest operator outside brackets, each but the first behind its operator."""
    for level in _LEVELS:
        parts = _split(expr, level, keep=True)
        if len(parts) > 1:
            return parts
    return [expr]


def _split(text: str, marks: tuple[str, ...], keep: bool = False) -> list[str]:
    """The text split at marks outside brackets and strings; ``keep`` leaves a mark before what follows."""
    parts, start = [], 0
    for place, depth in _places(text):
        mark = next((m for m in marks if depth == 0 and text.startswith(m, place)), None)
        if mark and place > start:
            parts.append(text[start:place].strip())
            start = place + (1 if keep else len(mark))
    return [*parts, text[start:].strip().removesuffix(",")]


def _brackets(text: str) -> list[tuple[int, int]]:
    """(start, end) of every outermost pair of brackets."""
    spans, start = [], 0
    previous = 0
    for place, depth in _places(text):
        if depth == 1 and previous == 0:
            start = place
        if depth == 0 and previous == 1:
            spans.append((start, place))
        previous = depth
    return spans


def _depth(text: str, place: int) -> int:
    return next((depth for at, depth in _places(text) if at == place), -1)


def _places(text: str) -> Iterator[tuple[int, int]]:
    """(place, depth of brackets) of every character outside strings; a bracket's depth is its inside's."""
    depth, quote = 0, ""
    for place, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _OPEN:
            depth += 1
            yield place, depth
        else:
            depth -= character in _CLOSE
            yield place, depth
