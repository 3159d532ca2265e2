"""The lines of a display, and the statements of a line: which tokens belong to one equation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lstmsym.documents import symbols as S
from lstmsym.documents.tokens import Token

Line = list[Token]


def lines(tokens: Sequence[Token]) -> Iterator[Line]:
    """The lines of a display, those that go on joined: each holds one equation or several side by side."""
    pending: Line = []
    for row in _split(_unwrapped(_without_empty(tokens)), ("row",)):
        for line in _columns(row):
            if pending and (
                _goes_on(pending) or _continues(line) or (_balance(pending) > 0 and _balance(line) < 0)
            ):
                pending += line
                continue
            if pending:
                yield pending
            pending = line
    if pending:
        yield pending


_BESIDE = frozenset(("relation", "and", "sign", "product", "row", "begin", "gap"))


def _without_empty(tokens: Sequence[Token]) -> Line:
    """Without the ``{}`` that only makes a sign beside it one of two sides: ``= {} & a``, ``{} + b``."""
    found: Line = []
    for token in tokens:
        beside = len(found) < 2 or found[-2].kind in _BESIDE
        if token.kind == "}" and found and found[-1].kind == "{" and beside:
            found.pop()
        else:
            found.append(token)
    return found


def depths(tokens: Sequence[Token], brackets: bool = True) -> Iterator[tuple[Token, int]]:
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
    for token, depth in depths(tokens, brackets=False):
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
    if any(depth == 0 for _, depth in list(depths(tokens, brackets=False))[1:-1]):
        return False
    if tokens[0].plain in S.TRANSPARENT:
        return True
    first = _split(tokens[1:-1], ("row",))[0]
    cells = _split(first, ("and",))
    relations = [t for cell in cells[:1] for t, d in depths(cell) if d == 0 and t.kind == "relation"]
    starts = len(cells) > 1 and cells[1] and cells[1][0].kind == "relation"
    return bool(starts) or any(t.plain in S.EQUALITIES for t in relations)


def _columns(row: Line) -> list[Line]:
    """The equations of a row that stand in columns: a &= b & c &= d are two."""
    named = [t for t in row if t.kind in ("tag", "label")]
    row = [t for t in row if t not in named]
    cells = [c for c in _split(row, ("and",)) if any(t.kind != "gap" for t in c)]
    found: list[Line] = []
    for place, cell in enumerate(cells):
        following = cells[place + 1] if place + 1 < len(cells) else []
        current = found[-1] if found else []
        complete = relations(current) and current[-1].kind != "relation"
        begins = not _starts_with_relation(cell) and (relations(cell) or _starts_with_relation(following))
        if not found or (complete and begins and not _goes_on(current)):
            found.append(list(cell))
        else:
            gap = Token("gap", "gap", r"\quad", cell[0].start, cell[0].start)
            remark = cell[0].kind in ("text", "quantifier") or is_number_tag(cell) or _is_range(cell)
            found[-1] += [gap, *cell] if remark else cell
    return [[*_trimmed(line), *named] for line in found if _trimmed(line)]


def _trimmed(line: Line) -> Line:
    while line and line[-1].kind == "gap":
        line = line[:-1]
    while line and line[0].kind == "gap":
        line = line[1:]
    return line


def relations(tokens: Sequence[Token]) -> list[Token]:
    """The relations that stand in no bracket."""
    return [t for t, depth in depths(tokens) if depth == 0 and t.kind == "relation"]


def _starts_with_relation(cell: Sequence[Token]) -> bool:
    solid = [t for t in cell if t.kind != "gap"]
    return bool(solid) and solid[0].kind == "relation"


def _goes_on(line: Line) -> bool:
    """Whether a line ends where an operand must follow."""
    solid = [t for t in line[-4:] if t.kind not in ("tag", "label", "gap")]
    return bool(solid) and solid[-1].kind in ("sign", "product", "relation", "big")


def _continues(line: Line) -> bool:
    """Whether a line begins with an operator, so that it goes on with the one before."""
    solid = [t for t in line if t.kind not in ("gap",)]
    return bool(solid) and solid[0].kind in ("sign", "product", "close") and solid[0].plain != "⋆"


def _balance(line: Line) -> int:
    return sum({"open": 1, "close": -1}.get(t.kind, 0) for t in line)


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
    for token, depth in depths(line):
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
    for token, depth in depths(segment):
        if depth == 0 and token.kind == "comma" and token.plain in ",;":
            pieces.append([token])
        else:
            pieces[-1].append(token)
    pieces = [p for p in pieces if any(t.kind != "comma" for t in p)]
    if not any(relations(p) for p in pieces):
        return [segment]
    found: list[Line] = []
    waiting: Line = []
    for piece in pieces:
        if relations(piece):
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
    while (
        len(part) > 1
        and part[-1].kind == "text"
        and part[-2].kind not in ("relation", "sign", "product", "sub", "sup")
    ):
        remarks.insert(0, [part[-1]])
        part = _ended(part[:-1])
    first = part[0] if part else None
    after = part[1].kind if len(part) > 1 else ""
    if (
        first is not None
        and first.kind == "text"
        and after not in ("relation", "sub", "sup", "sign", "product", "open", "")
    ):
        if S.RANGES.match(first.plain) and not remarks:
            return [], part
        remarks.insert(0, [first])
        part = _ended(part[1:])
    for place, (token, depth) in enumerate(depths(part)):  # "... for t = 1" in the middle
        said = token.kind == "text" and bool(S.RANGES.match(token.plain))
        if depth == 0 and place and (said or token.kind == "quantifier"):
            remarks.append(part[place:])
            return remarks, _ended(part[:place])
    return remarks, part


def is_number_tag(part: Sequence[Token]) -> bool:
    """Whether a part is only the number of the equation, (12)."""
    solid = [t for t in part if t.kind != "gap"]
    return len(solid) == 3 and solid[0].plain == "(" and solid[1].kind == "number" and solid[2].plain == ")"


def _is_range(cell: Sequence[Token]) -> bool:
    """Whether a cell by itself is an inequality in brackets, (t < T): when the equation holds."""
    solid = [t for t in cell if t.kind not in ("gap", "comma")]
    if len(solid) < 5 or (solid[0].plain, solid[-1].plain) != ("(", ")"):
        return False
    inner = list(depths(solid))[1:-1]
    signs = [t for t, depth in inner if depth == 1 and t.kind == "relation"]
    return bool(signs) and min(d for _, d in inner) == 1 and not any(t.plain in S.EQUALITIES for t in signs)


def _is_condition(part: Line, before: Line) -> bool:
    """Whether a part says when the equation before it holds: t = 1, ..., T; k in {i, f, o}; a remark."""
    if not any(sign.plain in S.EQUALITIES for sign in relations(before)):
        return False
    signs = relations(part)
    if not signs or part[0].kind in ("quantifier", "dots"):
        return True
    if part[0].kind == "text" and S.RANGES.match(part[0].plain):
        return True
    if signs[0].plain not in S.EQUALITIES:
        return True
    letter = part[0]
    is_range = any(t.kind == "dots" for t in part) or (
        len(part) == 3 and part[2].kind in ("letter", "number")
    )
    return letter.kind == "letter" and part[1] is signs[0] and letter.plain in S.COUNTERS and is_range
