"""From the tokens of one display to rows: equations with both sides, what is no claim, what is unread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from lstmsym.documents import symbols as S
from lstmsym.documents.formula import Formula, Number, Words, walk
from lstmsym.documents.limits import ReadingError
from lstmsym.documents.parse import parse
from lstmsym.documents.times import step_letters, with_times
from lstmsym.documents.tokens import NOTHING, Lexicon, Token

Line = list[Token]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One equation or statement with its place: 1-based line and column, and its text as it stands."""

    line: int
    column: int
    source: str
    tag: str = ""
    label: str = ""
    notes: tuple[str, ...] = ()


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
    lefts: list[tuple[Line, Line, int]] = field(default_factory=list)
    """The left side that lines without one continue, the member before, and how many there were."""

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset of the text."""
        offset = max(0, min(offset, len(self.text)))
        before = self.text.count("\n", 0, offset)
        if not before:
            return self.line, self.column + offset
        return self.line + before, offset - self.text.rfind("\n", 0, offset)

    def unread(self, error: ReadingError, source: str = "", at: int | None = None) -> Unread:
        """A row for what could not be read."""
        line, column = self.place(error.at if at is None else at)
        near = self.text[max(0, error.at - 10) : error.at + 20].replace("\n", " ")
        shown = source or self.text.strip()
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
    tag = next((t.plain for t in line if t.kind == "tag"), "")
    label = next((t.plain for t in line if t.kind == "label"), "")
    return tag, label, [t for t in line if t.kind not in ("tag", "label")]


# -- lines -------------------------------------------------------------------------------------------


def lines(tokens: Sequence[Token]) -> Iterator[Line]:
    """The lines of a display, those that go on joined: each holds one equation or several side by side."""
    pending: Line = []
    for row in _split(_unwrapped(list(tokens)), ("row",)):
        for line in _columns(row):
            if pending and (_goes_on(pending) or _continues(line) or (_balance(pending) > 0 and _balance(line) < 0)):
                pending += line
                continue
            if pending:
                yield pending
            pending = line
    if pending:
        yield pending


def _depths(tokens: Sequence[Token], brackets: bool = True) -> Iterator[tuple[Token, int]]:
    """Tokens with the depth they stand at."""
    depth = 0
    opening = {"{", "begin"} | ({"open"} if brackets else set())
    closing = {"}", "end"} | ({"close"} if brackets else set())
    for token in tokens:
        if token.kind in closing:
            depth = max(0, depth - 1)
        yield token, depth
        if token.kind in opening:
            depth += 1


def _split(tokens: Sequence[Token], kinds: tuple[str, ...]) -> list[Line]:
    """Split at tokens of some kinds that stand in no braces or environment."""
    parts: list[Line] = [[]]
    for token, depth in _depths(tokens, brackets=False):
        if depth == 0 and token.kind in kinds:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _unwrapped(tokens: Line) -> Line:
    """Without environments that only lay out, and without the brace around a system of equations."""
    while True:
        core = [t for t in tokens if t.kind not in ("tag", "label")]
        while core and core[-1].kind == "comma":
            core.pop()
        if len(core) > 3 and core[0].kind == "open" and core[1].kind == "begin" and core[-1].kind == "close":
            inner = core[1:-1]
            if core[0].plain in "{." and _is_system(inner):
                tokens = [t for t in tokens if t is not core[0] and t is not core[-1]]
                continue
        if core and core[0].kind == "begin" and _is_system(core):
            first, last = core[0], core[-1]
            tokens = [t for t in tokens if t is not first and t is not last]
            continue
        return [t for t in tokens if not (t.kind in ("begin", "end") and t.plain in S.TRANSPARENT)]


def _is_system(tokens: Line) -> bool:
    """Whether the tokens are one environment that holds equations."""
    if tokens[-1].kind != "end" or tokens[-1].plain != tokens[0].plain:
        return False
    if any(depth == 0 for _, depth in list(_depths(tokens, brackets=False))[1:-1]):
        return False
    if tokens[0].plain in S.TRANSPARENT:
        return True
    first = _split(tokens[1:-1], ("row",))[0]
    cells = _split(first, ("and",))
    relations = [t for cell in cells[:1] for t, d in _depths(cell) if d == 0 and t.kind == "relation"]
    starts = len(cells) > 1 and cells[1] and cells[1][0].kind == "relation"
    return bool(starts) or any(t.plain in S.EQUALITIES for t in relations)


def _columns(row: Line) -> list[Line]:
    """The equations of a row that stand in columns: a &= b & c &= d are two."""
    cells = [c for c in _split(row, ("and",)) if any(t.kind != "gap" for t in c)]
    found: list[Line] = []
    for place, cell in enumerate(cells):
        following = cells[place + 1] if place + 1 < len(cells) else []
        current = found[-1] if found else []
        complete = _relations(current) and current[-1].kind != "relation"
        begins = not _starts_with_relation(cell) and (_relations(cell) or _starts_with_relation(following))
        if not found or (complete and begins and not _goes_on(current)):
            found.append(list(cell))
        else:
            gap = Token("gap", "gap", r"\quad", cell[0].start, cell[0].start)
            remark = cell[0].kind in ("text", "quantifier") or _is_number_tag(cell)
            found[-1] += [gap, *cell] if remark else cell
    return [_trimmed(line) for line in found if _trimmed(line)]


def _trimmed(line: Line) -> Line:
    while line and line[-1].kind == "gap":
        line = line[:-1]
    while line and line[0].kind == "gap":
        line = line[1:]
    return line


def _relations(tokens: Sequence[Token]) -> list[Token]:
    return [t for t, depth in _depths(tokens) if depth == 0 and t.kind == "relation"]


def _starts_with_relation(cell: Sequence[Token]) -> bool:
    solid = [t for t in cell if t.kind != "gap"]
    return bool(solid) and solid[0].kind == "relation"


def _goes_on(line: Line) -> bool:
    """Whether a line ends where an operand must follow."""
    return bool(line) and line[-1].kind in ("sign", "product", "relation", "big")


def _continues(line: Line) -> bool:
    """Whether a line begins with an operator, so that it goes on with the one before."""
    solid = [t for t in line if t.kind not in ("gap",)]
    return bool(solid) and solid[0].kind in ("sign", "product", "close") and solid[0].plain != "⋆"


def _balance(line: Line) -> int:
    return sum({"open": 1, "close": -1}.get(t.kind, 0) for t in line)


# -- statements --------------------------------------------------------------------------------------


def statements(line: Line) -> list[tuple[Line, list[Line]]]:
    """The equations of a line, each with the conditions beside it."""
    found: list[tuple[Line, list[Line]]] = []
    for segment in _segments(line):
        for part in _at_commas(segment):
            part = _ended(part)
            if not part:
                continue
            remarks, part = _without_remarks(part)
            condition = found and (_is_condition(part, found[-1][0]) or not part)
            if condition:
                found[-1][1].extend([*remarks, part] if part else remarks)
            elif part:
                found.append((part, remarks))
            elif remarks:
                found.append((remarks[0], remarks[1:]))
    return found


def _segments(line: Line) -> list[Line]:
    """Parts between wide spaces, arrows of implication, and words like *and*, *where*."""
    parts: list[Line] = [[]]
    for token, depth in _depths(line):
        wide = token.kind == "gap"
        implied = token.kind == "relation" and token.plain in ("⇒", "⇔")
        linked = token.kind == "text" and token.plain.strip(" ,:;.").lower() in S.CONNECTIVES
        linked |= token.kind == "comma" and token.plain == ":"
        if depth == 0 and (wide or implied or linked):
            if wide and parts[-1] and _goes_on(parts[-1]):
                continue
            parts.append([])
        else:
            parts[-1].append(token)
    joined: list[Line] = []
    for part in parts:
        if joined and part and part[0].kind in ("sign", "product", "relation"):
            joined[-1] += part
        elif part:
            joined.append(part)
    return joined


def _at_commas(segment: Line) -> list[Line]:
    """Equations side by side with commas; a list of names before one = stays together."""
    pieces: list[Line] = [[]]
    for token, depth in _depths(segment):
        if depth == 0 and token.kind == "comma" and token.plain in ",;":
            pieces.append([token])
        else:
            pieces[-1].append(token)
    pieces = [p for p in pieces if any(t.kind != "comma" for t in p)]
    if not any(_relations(p) for p in pieces):
        return [segment]
    found: list[Line] = []
    waiting: Line = []
    for piece in pieces:
        if _relations(piece):
            if not waiting and piece[0].kind == "comma":
                piece = piece[1:]
            found.append(waiting + piece)
            waiting = []
        else:
            waiting += piece
    if waiting:
        found.append(waiting)
    return [f[1:] if f[0].kind == "comma" else f for f in found]


def _ended(part: Line) -> Line:
    """Without the punctuation of the sentence around it."""
    while part and (part[-1].kind in ("comma", "gap") or part[-1].plain in ("。",)):
        part = part[:-1]
    while part and part[0].kind in ("comma", "gap"):
        part = part[1:]
    return part


def _without_remarks(part: Line) -> tuple[list[Line], Line]:
    """Words at the ends of an equation, and the equation."""
    remarks: list[Line] = []
    while len(part) > 1 and part[-1].kind == "text" and part[-2].kind not in ("relation", "sign", "product", "sub", "sup"):
        remarks.insert(0, [part[-1]])
        part = _ended(part[:-1])
    first = part[0] if part else None
    after = part[1].kind if len(part) > 1 else ""
    if first is not None and first.kind == "text" and after not in ("relation", "sub", "sup", "sign", "product", "open", ""):
        if first.plain.lower().startswith(S.RANGES) and not remarks:
            return [], part
        remarks.insert(0, [first])
        part = _ended(part[1:])
    for place, (token, depth) in enumerate(_depths(part)):  # "... for t = 1" in the middle
        if depth == 0 and place and token.kind == "text" and token.plain.lower().strip().startswith(S.RANGES):
            remarks.append(part[place:])
            return remarks, _ended(part[:place])
    return remarks, part


def _is_number_tag(part: Sequence[Token]) -> bool:
    solid = [t for t in part if t.kind != "gap"]
    return len(solid) == 3 and solid[0].plain == "(" and solid[1].kind == "number" and solid[2].plain == ")"


def _is_condition(part: Line, before: Line) -> bool:
    """Whether a part says when the equation before it holds: t = 1, ..., T; k in {i, f, o}; a remark."""
    if not _relations(before):
        return False
    relations = _relations(part)
    if not relations or part[0].kind in ("quantifier", "dots"):
        return True
    if part[0].kind == "text" and part[0].plain.lower().strip().startswith(S.RANGES):
        return True
    if relations[0].plain not in S.EQUALITIES:
        return True
    letter = part[0]
    is_range = any(t.kind == "dots" for t in part) or (len(part) == 3 and part[2].kind in ("letter", "number"))
    return letter.kind == "letter" and part[1] is relations[0] and letter.plain in S.COUNTERS and is_range


# -- reading -----------------------------------------------------------------------------------------


def _read(part: Line, conditions: list[Line], source: Source, tag: str, label: str) -> Iterator[Row]:
    """The rows of one statement."""
    solid = [t for t in part if t.end > t.start]
    first = min((t.start for t in solid), default=0)
    last = max((t.end for t in solid), default=0)
    line, column = source.place(first)
    text = source.text[first:last].strip()
    if source.lead:
        line, text = source.lead_line, f"{source.lead} {text}"
        source.lead = ""
    tags = [c for c in conditions if _is_number_tag(c)]
    tag = tag or (tags[0][1].plain if tags else "")
    base = Row(line=line, column=column, source=text, tag=tag, label=label, notes=source.notes)
    common = vars(base)
    try:
        beside = [_condition(c) for c in conditions if not _is_number_tag(c)]
        yield from _statement(part, beside, source, common)
    except ReadingError as error:
        row = source.unread(error, text)
        yield replace(row, line=line, column=column, tag=tag, label=label)


def _condition(tokens: Line) -> Formula:
    """A condition as a tree, or as its words where it is not one formula."""
    try:
        if tokens[0].kind == "text" and len(tokens) > 1:
            raise ReadingError("words", tokens[0].start)
        if len(tokens) == 1 and tokens[0].kind == "text":
            return Words(tokens[0].plain, tokens[0].spelling, span=(tokens[0].start, tokens[0].end))
        return with_times(parse(tokens))
    except ReadingError:
        text = " ".join(t.plain for t in tokens)
        return Words(text, " ".join(t.spelling for t in tokens), span=(tokens[0].start, tokens[-1].end))


def _statement(part: Line, conditions: list[Formula], source: Source, common: dict[str, object]) -> Iterator[Row]:
    relations = _relations(part)
    if not relations:
        yield _mention(part, source, common)
        return
    sides = _sides(part, relations)
    other = [r for r in relations if r.plain not in S.EQUALITIES]
    if not sides[0]:
        if not source.lefts:
            raise ReadingError("there is no left side", part[0].start)
        sides[0], previous, chain = source.lefts[-1]
    else:
        chain, previous = 0, []
    if not all(sides):
        raise ReadingError(f"nothing stands beside {relations[-1].spelling}", relations[-1].start)
    source.lefts.append((sides[0], sides[-1], chain + len(relations)))
    if other:
        formula = with_times(parse([t for t in part]), source.lexicon) if part[0].kind != "relation" else None
        yield NotAClaim(**common, reason=_kind_of_statement(other[0].plain), formula=formula)  # type: ignore[arg-type]
        return
    if all(t.kind in ("text", "comma") for side in sides for t in side):
        yield NotAClaim(**common, reason="an equation in words")  # type: ignore[arg-type]
        return
    if len(sides) == 2 and len(sides[0]) == 1 and sides[0][0].plain in S.COUNTERS and any(map(_has_dots, conditions)):
        yield NotAClaim(**common, reason="a range")  # type: ignore[arg-type]
        return
    trees = [parse(side) for side in [*([previous] if previous else []), *sides]]
    letters = set().union(*(step_letters(tree) for tree in trees))
    trees = [with_times(tree, source.lexicon, letters) for tree in trees]
    before = trees.pop(0) if previous else None
    for place, (relation, right) in enumerate(zip(relations, trees[1:], strict=True)):
        yield Equation(
            **common, left=trees[0], relation=relation.plain, right=right, chain=chain + place,  # type: ignore[arg-type]
            before=before, conditions=tuple(conditions),
        )  # fmt: skip
        before = right


def _has_dots(condition: Formula) -> bool:
    return any(isinstance(n, Words) and any(d in n.text for d in S.DOTS.values()) for n in walk(condition))


def _kind_of_statement(sign: str) -> str:
    if sign in "≤≥<>≪≫≠":
        return "an inequality"
    if sign in "≈∼":
        return "an approximation"
    return "a membership" if sign in "∈∉⊂∋" else "an arrow"


def _sides(part: Line, relations: list[Token]) -> list[Line]:
    sides: list[Line] = [[]]
    marks = {id(r) for r in relations}
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
