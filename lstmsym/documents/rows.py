"""From the tokens of one display to rows: equations with both sides, what is no claim, what is unread."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from lstmsym.documents import symbols as S
from lstmsym.documents.formula import Formula, Number, Words, walk
from lstmsym.documents.hypertext import whole
from lstmsym.documents.limits import ReadingError
from lstmsym.documents.lines import Line, is_number_tag, lines, relations, statements
from lstmsym.documents.parse import parse
from lstmsym.documents.times import step_letters, with_times
from lstmsym.documents.tokens import NOTHING, Lexicon, Token
from lstmsym.documents.wording import may_operate


@dataclass(frozen=True, kw_only=True)
class Row:
    """One equation or statement with its place: 1-based line and column, and its text as it stands."""

    line: int
    column: int
    source: str
    tag: str = ""
    label: str = ""
    notes: tuple[str, ...] = ()
    supposed: bool = False
    """Whether the text only supposes it: if x = 0."""


@dataclass(frozen=True, kw_only=True)
class Equation(Row):
    """``left relation right``; ``relation`` is one of `symbols.EQUALITIES`.

    A chain a = b = c gives a = b and a = c; ``chain`` counts from 0 and ``before`` is the member that
    stands just before the right side (b).  ``conditions`` are words and ranges beside the equation.
    """

    left: Formula
    relation: str
    right: Formula
    chain: int = 0
    before: Formula | None = None
    conditions: tuple[Formula, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NotAClaim(Row):
    """Inequalities, names in passing, words; ``formula`` where it was read."""

    reason: str
    formula: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class Unread(Row):
    """What could not be read: why, and the line and column where reading stopped."""

    reason: str
    at: tuple[int, int] = (0, 0)
    near: str = ""


@dataclass
class Source:
    """Where tokens come from: the text of a block, at its line and column of the file."""

    text: str
    line: int
    column: int = 1
    lead: str = ""
    lead_line: int = 0
    notes: tuple[str, ...] = ()
    lexicon: Lexicon = NOTHING
    supposed: bool = False
    lefts: list[tuple[Line, Line, int]] = field(default_factory=list)
    """The left side that lines without one continue, the member before, and how many there were."""
    shown: str = ""
    """The text as it stands in the file, where it is read otherwise, of the same length."""

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset of the text."""
        offset = max(0, min(offset, len(self.text)))
        text = self.shown or self.text
        before = text.count("\n", 0, offset)
        if not before:
            return self.line, self.column + offset
        return self.line + before, offset - text.rfind("\n", 0, offset)

    def unread(self, error: ReadingError, source: str = "", at: int | None = None) -> Unread:
        """A row for what could not be read."""
        line, column = self.place(error.at if at is None else at)
        near = self.text[max(0, error.at - 10) : error.at + 20].replace("\n", " ")
        shown = source or (self.shown or self.text).strip()
        shown = shown if len(shown) < 400 else shown[:400] + " ..."
        start = self.place(len(self.text) - len(self.text.lstrip())) if not source else (line, column)
        return Unread(
            line=start[0], column=start[1], source=shown, reason=str(error),
            at=self.place(error.at), near=near, notes=self.notes,
        )  # fmt: skip


def rows(tokens: Sequence[Token], source: Source, lead: Sequence[Token] = ()) -> list[Row]:
    """The rows of a display; ``lead`` is a left side that stands in the text before it."""
    found: list[Row] = []
    for line in lines(tokens):
        tag, label, line = _named(line)
        if lead and line:
            line = _led(list(lead), line)
            lead = ()
        for part, conditions in statements(line):
            found += _read(part, conditions, source, tag, label)
    return found


def _led(lead: Line, line: Line) -> Line:
    """A line with its left side from the text before it."""
    if line[0].kind == "relation" or lead[-1].kind == "relation":
        return lead + line
    equals = Token("relation", "=", "=", line[0].start, line[0].start)
    return [*lead, equals, *line]


def _named(line: Line) -> tuple[str, str, Line]:
    tag = next((t.plain.removeprefix("(").removesuffix(")") for t in line if t.kind == "tag"), "")
    label = next((t.plain for t in line if t.kind == "label"), "")
    return tag, label, [t for t in line if t.kind not in ("tag", "label")]


def _read(part: Line, conditions: list[Line], source: Source, tag: str, label: str) -> Iterator[Row]:
    """The rows of one statement."""
    solid = [t for t in part if t.end > t.start]
    first = min((t.start for t in solid), default=0)
    last = max((t.end for t in solid), default=0)
    first, last = whole(source.shown, first, last) if source.shown else (first, last)
    line, column = source.place(first)
    text = _closed(source.shown or source.text, first, last).strip()
    if source.lead:
        line, text = source.lead_line, f"{source.lead} {text}"
        source.lead = ""
    tags = [c for c in conditions if is_number_tag(c)]
    tag = tag or (tags[0][1].plain if tags else "")
    base = Row(line=line, column=column, source=text, tag=tag, label=label, notes=source.notes,
               supposed=source.supposed)  # fmt: skip
    common = vars(base)
    try:
        for words in (c[0] for c in conditions if c[0].kind == "text"):
            if may_operate(words.plain) and words.start >= last:
                raise ReadingError(
                    f"whether {words.plain!r} belongs to the formula is not clear", words.start
                )
        beside = [_condition(c) for c in conditions if not is_number_tag(c)]
        yield from _statement(part, beside, source, common)
    except ReadingError as error:
        row = source.unread(error, text)
        yield replace(row, line=line, column=column, tag=tag, label=label)


_BRACE = re.compile(r"(?<!\\)(?:\\\\)*([{}])")
_AFTER = re.compile(r"\s*[_^]\s*(?:\{[^{}]*\}|\w)")


def _closed(text: str, first: int, last: int) -> str:
    r"""What stands between two offsets, with the braces that close what is opened in it: ``\grad{h_t}``."""
    opened = sum(1 if m[1] == "{" else -1 for m in _BRACE.finditer(text, first, last))
    end = last
    for found in _BRACE.finditer(text, last, last + 200) if opened > 0 else ():
        opened += 1 if found[1] == "{" else -1
        end = found.end()
        if opened == 0:
            script = _AFTER.match(text, end)
            return text[first : script.end() if script else end]
    return text[first:last]


def _condition(tokens: Line) -> Formula:
    """A condition as a tree, or as its words where it is not one formula."""
    try:
        if tokens[0].kind == "text" and len(tokens) > 1:
            if S.RANGES.match(tokens[0].plain) and any(t.plain == "∈" for t in tokens):
                return _condition(tokens[1:])
            raise ReadingError("words", tokens[0].start)
        if len(tokens) == 1 and tokens[0].kind == "text":
            return Words(tokens[0].plain, tokens[0].spelling, span=(tokens[0].start, tokens[0].end))
        return with_times(parse(tokens))
    except ReadingError:
        text = " ".join(t.plain for t in tokens)
        return Words(text, " ".join(t.spelling for t in tokens), span=(tokens[0].start, tokens[-1].end))


def _statement(
    part: Line, conditions: list[Formula], source: Source, common: dict[str, object]
) -> Iterator[Row]:
    signs = relations(part)
    if not signs:
        yield _mention(part, source, common)
        return
    sides = _sides(part, signs)
    other = [r for r in signs if r.plain not in S.EQUALITIES]
    if not sides[0]:
        if not source.lefts:
            raise ReadingError("there is no left side", part[0].start)
        sides[0], previous, chain = source.lefts[-1]
    else:
        chain, previous = 0, []
    if not all(sides):
        raise ReadingError(f"nothing stands beside {signs[-1].spelling}", signs[-1].start)
    source.lefts.append((sides[0], sides[-1], chain + len(signs)))
    if other:
        formula = with_times(parse([t for t in part]), source.lexicon) if part[0].kind != "relation" else None
        yield NotAClaim(**common, reason=_kind_of_statement(other[0].plain), formula=formula)  # type: ignore[arg-type]
        return
    if all(t.kind in ("text", "comma") for side in sides for t in side):
        yield NotAClaim(**common, reason="an equation in words")  # type: ignore[arg-type]
        return
    if len(sides) == 2 and _is_range(sides[0], sides[1], conditions):
        yield NotAClaim(**common, reason="a range")  # type: ignore[arg-type]
        return
    trees = [parse(side) for side in [*([previous] if previous else []), *sides]]
    letters = set().union(*(step_letters(tree) for tree in trees))
    trees = [with_times(tree, source.lexicon, letters) for tree in trees]
    before = trees.pop(0) if previous else None
    for place, (relation, right) in enumerate(zip(signs, trees[1:], strict=True)):
        yield Equation(
            **common, left=trees[0], relation=relation.plain, right=right, chain=chain + place,  # type: ignore[arg-type]
            before=before, conditions=tuple(conditions),
        )  # fmt: skip
        before = right


def _is_range(left: Line, right: Line, conditions: list[Formula]) -> bool:
    """Whether a letter that counts is set: t = 1, ..., T; t = T; n = 128."""
    if len(left) == 2 and left[0].kind == "text" and S.RANGES.match(left[0].plain):
        left = left[1:]
    if len(left) != 1 or left[0].plain not in S.COUNTERS:
        return False
    end = right[0].plain
    counts = right[0].kind == "number" or (len(end) == 1 and (end in S.COUNTERS or end.isupper()))
    stepped = len(right) == 1 or (len(right) == 3 and right[1].kind == "sign" and right[2].kind == "number")
    return any(map(_has_dots, conditions)) or (counts and stepped)


def _has_dots(condition: Formula) -> bool:
    return any(isinstance(n, Words) and any(d in n.text for d in S.DOTS.values()) for n in walk(condition))


def _kind_of_statement(sign: str) -> str:
    if sign in "≤≥<>≪≫≠":
        return "an inequality"
    if sign in "≈∼":
        return "an approximation"
    if sign == "∝":
        return "a proportionality"
    return "a membership" if sign in "∈∉⊂∋" else "an arrow"


def _sides(part: Line, signs: list[Token]) -> list[Line]:
    sides: list[Line] = [[]]
    marks = {id(r) for r in signs}
    for token in part:
        if id(token) in marks:
            sides.append([])
        else:
            sides[-1].append(token)
    return sides


def _mention(part: Line, source: Source, common: dict[str, object]) -> Row:
    """A formula without a relation: a name or expression in passing, or words."""
    if all(t.kind in ("text", "comma", "dots") for t in part):
        return NotAClaim(**common, reason="words")  # type: ignore[arg-type]
    tree = with_times(parse([t for t in part if t.kind != "gap"]), source.lexicon)
    if isinstance(tree, Number):
        return NotAClaim(**common, reason="a number", formula=tree)  # type: ignore[arg-type]
    return NotAClaim(**common, reason="no relation", formula=tree)  # type: ignore[arg-type]
