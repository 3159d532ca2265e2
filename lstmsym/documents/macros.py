r"""Macros of a preamble: \newcommand, \def, \DeclareMathOperator, \let, expanded within limits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lstmsym.documents.limits import EXPANSION, FORMULA, MACROS, DocumentError, ReadingError

_LEXEME = re.compile(
    r"(?P<comment>%[^\n]*)|(?P<space>\s+)|(?P<command>\\(?:[A-Za-z]+\*?|[^\sA-Za-z]|\s))|(?P<number>(?<![\d_^])"
    r"(?:\d+\.(?=\s*[-+*/)\]])|\d+(?:\.\d+)?(?:e[-+]?\d+)?)|(?<![\d.])\.\d+)|(?P<other>.)",
    re.DOTALL,
)
WINDOW = 1000
"""How far a definition may reach."""
STARRED = frozenset(
    """operatorname* newcommand* renewcommand* providecommand* DeclareMathOperator* hspace* vspace*
    tag*""".split()
)


@dataclass(frozen=True)
class Lexeme:
    r"""A piece of LaTeX: a command, a number, a character, or a space; where it stands in the text."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Macro:
    """What a command of the author's stands for, with the number of its arguments."""

    arguments: int
    body: tuple[Lexeme, ...]
    default: tuple[Lexeme, ...] | None = None
    pattern: tuple[str, ...] = ()
    """What must stand after the command, its arguments as #: ``\\at#1;`` has (#, ;)."""
    end: tuple[Lexeme, ...] | None = None
    """Of an environment, what stands in the place of its end."""


def lexemes(text: str, offset: int = 0) -> list[Lexeme]:
    """The lexemes of LaTeX text; comments are left out."""
    found: list[Lexeme] = []
    for match in _LEXEME.finditer(text):
        kind = match.lastgroup or "other"
        if kind == "comment":
            continue
        body = match.group()
        start, end = match.start() + offset, match.end() + offset
        if kind == "command" and body.endswith("*") and len(body) > 2 and body[1:] not in STARRED:
            found.append(Lexeme("command", body[:-1], start, end - 1))
            found.append(Lexeme("other", "*", end - 1, end))
            continue
        if kind == "number" and body.endswith(".") and found and found[-1].text in ("_", "^"):
            found.append(Lexeme("number", body[:-1], start, end - 1))
            found.append(Lexeme("other", ".", end - 1, end))
            continue
        found.append(Lexeme(kind, body, start, end))
    return found


def group(items: Sequence[Lexeme], at: int) -> tuple[list[Lexeme], int]:
    """The argument that starts at a place: the inside of braces, or one lexeme; and where it ends."""
    while at < len(items) and items[at].kind == "space":
        at += 1
    if at >= len(items):
        raise ReadingError("an argument is missing at the end", items[-1].end if items else 0)
    if items[at].text != "{":
        return [items[at]], at + 1
    depth, start = 0, at
    for place in range(at, len(items)):
        depth += {"{": 1, "}": -1}.get(items[place].text, 0)
        if depth == 0:
            return list(items[start + 1 : place]), place + 1
    raise ReadingError("the brace { is not closed", items[start].start)


def optional(items: Sequence[Lexeme], at: int) -> tuple[list[Lexeme] | None, int]:
    """The argument in square brackets at a place, if there is one."""
    place = at
    while place < len(items) and items[place].kind == "space":
        place += 1
    if place >= len(items) or items[place].text != "[":
        return None, at
    depth = 0
    for end in range(place + 1, len(items)):
        depth += {"{": 1, "}": -1}.get(items[end].text, 0)
        if items[end].text == "]" and depth == 0:
            return list(items[place + 1 : end]), end + 1
    return None, at


def joined(items: Sequence[Lexeme]) -> str:
    """The text of lexemes."""
    return "".join(i.text for i in items)


_DEFINITION = re.compile(
    r"\\(?:(?:re|provide)?newcommand|renewcommand|providecommand|[egx]?def|DeclareMathOperator|let"
    r"|DeclareRobustCommand|(?:re)?newenvironment"
    r"|(?:New|Renew|Provide|Declare)Document(?:Command|Environment))(?![A-Za-z])"
)


def definitions(text: str) -> dict[str, Macro]:
    """The macros that a text defines, later ones over earlier ones; what is damaged is passed over.

    Raises:
        DocumentError: more of them than are read.
    """
    found: dict[str, Macro] = {}
    for count, match in enumerate(_DEFINITION.finditer(text)):
        if count >= MACROS:
            raise DocumentError(f"more than {MACROS} macros: leave out those that are not used")
        for window in (150, WINDOW):
            try:
                name, macro, _ = _definition(lexemes(text[match.start() : match.start() + window]), 0, found)
            except ReadingError:
                continue
            if macro is not None:
                found[name] = macro
            break
    return found


def defined(text: str, at: int) -> tuple[str, int] | None:
    """The name that a definition at an offset gives a meaning, and where the definition ends."""
    if not _DEFINITION.match(text, at):
        return None
    for window in (150, WINDOW):
        items = lexemes(text[at : at + window], at)
        try:
            name, _, end = _definition(items, 0, {})
        except ReadingError:
            continue
        return name, items[end - 1].end
    return None


def _definition(
    items: Sequence[Lexeme], at: int, known: Mapping[str, Macro]
) -> tuple[str, Macro | None, int]:
    """(name, macro, where it ends) of a definition that starts at a place."""
    command = items[at].text[1:].removesuffix("*")
    at += 1
    if at < len(items) and items[at].text == "*":
        at += 1
    target, at = group(items, at)
    name = joined(target).strip()
    if command.endswith("nvironment"):
        return _environment(items, at, name, "Document" in command)
    if not name.startswith("\\"):
        raise ReadingError("a definition without a command", items[0].start)
    if command == "let":
        return _let(items, at, name, known)
    if command in ("def", "edef", "gdef", "xdef"):
        return _def(items, at, name)
    if "Document" in command:
        count, default, at = _signature(items, at)
        body, at = group(items, at)
        return name, Macro(count, tuple(body), default), at
    if command == "DeclareMathOperator":
        body, at = group(items, at)
        wrapped = [*lexemes(r"\operatorname{"), *body, *lexemes("}")]
        return name, Macro(0, tuple(wrapped)), at
    number, at = optional(items, at)
    value, at = optional(items, at)
    body, at = group(items, at)
    return name, Macro(_count(number), tuple(body), None if value is None else tuple(value)), at


def _count(number: Sequence[Lexeme] | None) -> int:
    text = joined(number) if number else ""
    return int(text) if text.isdigit() and len(text) == 1 else 0


def _let(
    items: Sequence[Lexeme], at: int, name: str, known: Mapping[str, Macro]
) -> tuple[str, Macro | None, int]:
    r"""The rest of ``\let\a=\b``."""
    while at < len(items) and (items[at].kind == "space" or items[at].text == "="):
        at += 1
    if at >= len(items):
        raise ReadingError("an unfinished definition", items[0].start)
    other = items[at]
    itself = None if other.text == name else Macro(0, (other,))
    return name, known.get(other.text) or itself, at + 1


def _def(items: Sequence[Lexeme], at: int, name: str) -> tuple[str, Macro | None, int]:
    r"""The rest of ``\def\a#1;{...}``, with what must stand around its arguments."""
    pattern: list[str] = []
    while at < len(items) and items[at].text != "{":
        if not (pattern and pattern[-1] == "#" and items[at].text[:1].isdigit()):
            pattern.append(items[at].text)
        at += 1
    body, at = group(items, at)
    count = pattern.count("#")
    return name, Macro(count, tuple(body), pattern=() if count == len(pattern) else tuple(pattern)), at


def _environment(
    items: Sequence[Lexeme], at: int, name: str, documented: bool
) -> tuple[str, Macro | None, int]:
    r"""The rest of ``\newenvironment{name}[2][x]{begin}{end}``."""
    if documented:
        count, default, at = _signature(items, at)
    else:
        number, at = optional(items, at)
        given, at = optional(items, at)
        count = _count(number)
        default = None if given is None else tuple(given)
    body, at = group(items, at)
    end, at = group(items, at)
    return f"begin {name}", Macro(min(count, 9), tuple(body), default, end=tuple(end)), at


def _signature(items: Sequence[Lexeme], at: int) -> tuple[int, tuple[Lexeme, ...] | None, int]:
    """Arguments of a document command, ``{O{L} m}``: how many, the value of the first if it may be absent."""
    inside, at = group(items, at)
    default: tuple[Lexeme, ...] | None = None
    count, place = 0, 0
    while place < len(inside):
        letter = inside[place].text
        place += 1
        count += letter in "moO"
        if letter in "oO" and count == 1:
            default = ()
        if letter == "O" and place < len(inside):
            value, place = group(inside, place)
            default = tuple(value) if count == 1 else default
    return min(count, 9), default, at


def expanded(items: Sequence[Lexeme], macros: Mapping[str, Macro]) -> list[Lexeme]:
    """The lexemes with macros replaced; what a macro gives stands where its call stood.

    Raises:
        ReadingError: macros that call themselves, or grow without end.
    """
    known = dict(macros)
    pending = list(reversed(items))
    done: list[Lexeme] = []
    steps = 0
    while pending:
        item = pending.pop()
        if item.kind != "command":
            done.append(item)
            continue
        if _DEFINITION.fullmatch(item.text.removesuffix("*")):
            window = pending[: -WINDOW - 1 : -1]
            name, macro, used = _definition([item, *window], 0, known)
            if macro is not None:
                known[name] = macro
            del pending[len(pending) - (used - 1) :]
            steps += WINDOW
        elif item.text in (r"\begin", r"\end") and (macro := _named(pending, known)):
            steps += 1 + _environment_call(item, macro, pending)
        elif item.text in known:
            steps += 1 + _called(item, known[item.text], pending)
        else:
            done.append(item)
        if steps > EXPANSION or len(pending) > EXPANSION:
            raise ReadingError(
                f"the macro {item.text} expands without end (over {EXPANSION} pieces)", item.start
            )
    if len(done) > FORMULA:
        raise ReadingError(f"longer than {FORMULA} pieces after its macros", done[0].start)
    return done


def _named(pending: list[Lexeme], known: Mapping[str, Macro]) -> Macro | None:
    """The author's environment whose name is to be read next (last first)."""
    if not pending or pending[-1].text != "{":
        return None
    name: list[str] = []
    for item in pending[-2:-60:-1]:
        if item.text == "}":
            return known.get("begin " + "".join(name))
        name.append(item.text)
    return None


def _environment_call(call: Lexeme, macro: Macro, pending: list[Lexeme]) -> int:
    """Put what begins or ends an environment of the author's in its place."""
    _taken(pending, call, "{")
    if call.text == r"\begin":
        return _called(call, macro, pending)
    end = [Lexeme(x.kind, x.text, call.start, call.end) for x in macro.end or ()]
    pending += reversed(end)
    return len(end)


def _delimited(pending: list[Lexeme], call: Lexeme, pattern: Sequence[str]) -> list[list[Lexeme]]:
    """The arguments of a macro that are told by what stands around them."""
    given: list[list[Lexeme]] = []
    for place, mark in enumerate(pattern):
        following = pattern[place + 1] if place + 1 < len(pattern) else "#"
        if mark != "#":
            while pending and pending[-1].kind == "space" and mark.strip():
                pending.pop()
            if not pending or pending[-1].text != mark:
                raise ReadingError(f"the macro {call.text} is used otherwise than it is defined", call.start)
            pending.pop()
        elif following == "#":
            given.append(_taken(pending, call, "{"))
        else:
            given.append(_up_to(pending, call, following))
    return given


def _up_to(pending: list[Lexeme], call: Lexeme, mark: str) -> list[Lexeme]:
    """What comes before a mark that stands in no braces."""
    found: list[Lexeme] = []
    depth = 0
    while pending and (depth or pending[-1].text != mark):
        found.append(pending.pop())
        depth += {"{": 1, "}": -1}.get(found[-1].text, 0)
    if not pending:
        raise ReadingError(f"the macro {call.text} lacks its {mark}", call.start)
    return found


def _called(call: Lexeme, macro: Macro, pending: list[Lexeme]) -> int:
    """Put a macro's body in the place of its call, on what is still to read (last first); its size."""
    given: list[list[Lexeme]] = []
    if macro.pattern:
        given = _delimited(pending, call, macro.pattern)
    elif macro.default is not None:
        default = [Lexeme(x.kind, x.text, call.start, call.end) for x in macro.default]
        given.append(_taken(pending, call, "[") or default)
    while len(given) < macro.arguments:
        given.append(_taken(pending, call, "{"))
    body: list[Lexeme] = []
    pieces = iter(macro.body)
    for piece in pieces:
        if piece.text != "#":
            body.append(Lexeme(piece.kind, piece.text, call.start, call.end))
            continue
        index = next(pieces, piece).text
        if index[:1].isdigit() and 0 < int(index[0]) <= len(given):
            body += given[int(index[0]) - 1]
            body += [Lexeme("number", index[1:], call.start, call.end)] if index[1:] else []
    pending += reversed(body)
    return len(body) + sum(map(len, given))


def _taken(pending: list[Lexeme], call: Lexeme, bracket: str) -> list[Lexeme]:
    """The next argument, taken from what is still to read (last first): a group, or one lexeme."""
    while pending and pending[-1].kind == "space":
        pending.pop()
    if bracket == "[" and not (pending and pending[-1].text == "["):
        return []
    if not pending:
        raise ReadingError(f"the macro {call.text} lacks an argument", call.start)
    first = pending.pop()
    if first.text != bracket:
        return [first]
    closing = {"{": "}", "[": "]"}[bracket]
    depth = 0
    found: list[Lexeme] = []
    while pending:
        item = pending.pop()
        if depth == 0 and item.text == closing:
            return found
        depth += {"{": 1, "}": -1}.get(item.text, 0)
        found.append(item)
    raise ReadingError(f"the bracket {bracket} is not closed", first.start)
