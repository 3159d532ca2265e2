"""Read a document: text to rows, one for every equation and statement, with nothing skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lstmsym.documents.file import lines_ended
from lstmsym.documents.formula import Formula, Name, Number, Product, Raised, names, walk
from lstmsym.documents.front import FrontMatter, front_matter
from lstmsym.documents.latex import latex_tokens
from lstmsym.documents.layout import stretches
from lstmsym.documents.limits import MATHEMATICS, ROWS, DocumentError, ReadingError
from lstmsym.documents.macros import Macro, definitions
from lstmsym.documents.parse import parse
from lstmsym.documents.plain import plain_tokens
from lstmsym.documents.rows import Equation, NotAClaim, Row, Source, Unread, rows
from lstmsym.documents.scanned import circles, letters_for_digits
from lstmsym.documents.split import (
    DISPLAY,
    FRONT,
    INLINE,
    LISTING,
    PLAIN,
    PROSE,
    Block,
    check_size,
    is_latex,
    split,
    without_comments,
)
from lstmsym.documents.times import CERTAIN, layered_name, with_times
from lstmsym.documents.tokens import NOTHING, Lexicon, Token

MENTION = 24
"""Characters of a formula in a sentence that may be a few signs that no grammar has."""


@dataclass(frozen=True)
class Reading:
    """A block with the rows read from it (none for prose and listings)."""

    block: Block
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Document:
    """A file as it was read: its blocks in order with their rows, and what it says about its notation."""

    name: str
    front: FrontMatter
    readings: tuple[Reading, ...]
    lexicon: Lexicon = NOTHING

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows in order."""
        return tuple(row for reading in self.readings for row in reading.rows)

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The rows that are equations."""
        return tuple(row for row in self.rows if isinstance(row, Equation))

    @property
    def listings(self) -> tuple[Block, ...]:
        """The blocks of code."""
        return tuple(r.block for r in self.readings if r.block.kind == LISTING)


def read(text: str, name: str = "") -> Document:
    """Read a Markdown, LaTeX, plain-text or Python file.

    It is read twice: what the first reading shows of the document's spelling (words on left sides,
    letters that are steps) settles the second.

    Raises:
        DocumentError: it is too large, or no text.
    """
    text, damage = letters_for_digits(circles(lines_ended(text)))
    check_size(text, name)
    macros = definitions(without_comments(text) if is_latex(text, name) else text)
    blocks = split(text, name, macros)
    total = sum(len(b.text) for b in blocks if b.kind in (DISPLAY, INLINE, PLAIN))
    if total > MATHEMATICS:
        raise DocumentError(
            f"{name or 'the document'}: {total} characters of mathematics; at most {MATHEMATICS} are read"
        )
    front = front_matter("".join(b.text for b in blocks if b.kind == FRONT))
    lexicon = Lexicon(frozenset(key for key, _ in front.names if key.isalpha() and len(key) > 1))
    first = _readings(blocks, macros, lexicon)
    learned = learn((r for reading in first for r in reading.rows), lexicon)
    readings = first if learned == lexicon else _readings(blocks, macros, learned)
    if damage:
        readings = tuple(replace(r, rows=tuple(_noted(row, damage) for row in r.rows)) for r in readings)
    return Document(name, front, readings, learned)


def _noted(row: Row, damage: dict[int, str]) -> Row:
    """A row with what is said of its line."""
    return replace(row, notes=(*row.notes, damage[row.line])) if row.line in damage else row


def _readings(blocks: Iterable[Block], macros: dict[str, Macro], lexicon: Lexicon) -> tuple[Reading, ...]:
    found = []
    count = 0
    lefts: list[tuple[list[Token], list[Token], int]] = []
    for block in blocks:
        read_rows = (
            () if block.kind in (FRONT, PROSE, LISTING) else tuple(block_rows(block, macros, lexicon, lefts))
        )
        count += len(read_rows)
        if count > ROWS:
            raise DocumentError(f"more than {ROWS} formulas: give the part in question")
        found.append(Reading(block, read_rows))
    return tuple(found)


def block_rows(
    block: Block,
    macros: dict[str, Macro] | None = None,
    lexicon: Lexicon = NOTHING,
    lefts: list[tuple[list[Token], list[Token], int]] | None = None,
) -> list[Row]:
    """The rows of one block of mathematics."""
    if block.kind == PLAIN:
        sources = _plain_lines(block, lexicon)
        for source in sources:
            source.lefts = source.lefts if lefts is None else lefts
        if block.problem:
            return [source.unread(ReadingError(block.problem, 0)) for source in sources[:1]]
        return [row for source in sources for row in _plain_rows(source)]
    source = Source(block.text, block.line, block.column, block.lead, block.lead_line, block.notes, lexicon)
    source.supposed = block.supposed
    if lefts is not None and block.kind == DISPLAY:
        source.lefts = lefts
    if block.problem:
        return [source.unread(ReadingError(block.problem, 0))]
    try:
        lead = plain_tokens(block.lead) if block.lead else ()
        lead = tuple(replace(t, start=0, end=0) for t in lead)
        tokens = latex_tokens(block.text, macros, lexicon)
        found = rows(tokens, source, lead)
    except ReadingError as error:
        return [source.unread(error)]
    short = block.kind == INLINE and len(block.text) <= MENTION and not lead
    return [_mention(row) for row in found] if short and not any(map(_may_relate, tokens)) else found


def _may_relate(token: Token) -> bool:
    """Whether a token may set two things equal: a relation, or a command without a known meaning."""
    return token.kind in ("relation", "command", "text")


def _mention(row: Row) -> Row:
    """A few signs in a sentence that are no formula, ``$|_t$``: they set nothing equal."""
    if not isinstance(row, Unread):
        return row
    return NotAClaim(
        line=row.line, column=row.column, source=row.source, notes=row.notes, reason="no relation"
    )


def _plain_lines(block: Block, lexicon: Lexicon) -> list[Source]:
    """The lines of a plain-text block as sources of their own, those joined that one equation takes."""
    found = []
    for part in stretches(block.text):
        if part.text.strip():
            line = block.line + block.text.count("\n", 0, part.start)
            column = block.column if part.start == 0 else 1
            shown = block.text[part.start : part.start + len(part.text)]
            note = ("spaces around the dots of a name were removed",) if _spaced_path(part.text) else ()
            source = Source(part.text, line, column, lexicon=lexicon, shown=shown, supposed=block.supposed)
            source.notes = (*block.notes, *note)
            found.append(source)
    return found


def _spaced_path(line: str) -> bool:
    return "self. " in line or "self ." in line


def _plain_rows(source: Source) -> list[Row]:
    try:
        return rows(plain_tokens(source.text), source)
    except ReadingError as error:
        return [source.unread(error)]


def formula(text: str, lexicon: Lexicon = NOTHING, macros: dict[str, Macro] | None = None) -> Formula:
    """The tree of one formula in LaTeX.

    Raises:
        ReadingError: where reading stopped and why.
    """
    return with_times(parse(latex_tokens(text, macros, lexicon)), lexicon)


def learn(found: Iterable[Row], known: Lexicon) -> Lexicon:
    """What rows show of a document's spelling."""
    sides = [side for row in found if isinstance(row, Equation) for side in (row.left, row.right)]
    words = {word for left in sides[::2] if (word := _word(left))}
    timed = [name for side in sides for name in names(side) if name.time is not None]
    letters = Counter(name.time.letter.rstrip("'") for name in timed if name.time)
    usual = letters["t"] + letters["τ"]
    others = [letter for letter, _ in letters.most_common() if letter and letter not in CERTAIN]
    return Lexicon(
        known.words | words | _pairs(sides, words),
        known.times | frozenset(() if usual else others[:1]),
        frozenset(replace(name, time=None).key for name in timed),
        known.layered | _layered(sides),
    )


def _layered(sides: Sequence[Formula]) -> set[str]:
    """Names whose digits above number layers: x^1 is no power, nor are the sides that define x^2 and x^3."""
    powers = [(side is node, node) for side in sides for node in walk(side) if isinstance(node, Raised)]
    digits = [
        (found[0].key, node.exponent.text, whole)
        for whole, node in powers
        if (found := layered_name(node)) is not None and isinstance(node.exponent, Number)
    ]
    sided = Counter(key for key, _ in {(key, digit) for key, digit, whole in digits if whole})
    return {key for key, digit, _ in digits if digit in "01"} | {key for key in sided if sided[key] > 1}


def _pairs(sides: Iterable[Formula], words: set[str]) -> set[str]:
    """Small letters side by side that are a word: one never stands alone, or words begin like it."""
    prefixes = {p for p, count in Counter(w[0] for w in words if len(w) == 2).items() if count > 1}
    pairs, alone = set(), set()
    for side in sides:
        inside: set[int] = set()
        for node in walk(side):
            if isinstance(node, Product) and not any(node.operators):
                for a, b in pairwise(node.factors):
                    if (
                        _small(a)
                        and _small(b)
                        and isinstance(a, Name)
                        and a.span[1] == b.span[0]
                        and _bare(a)
                    ):
                        pairs.add(a.base + next(n.base for n in names(b)))
                        inside |= {id(a), id(b)}
            elif isinstance(node, Name) and id(node) not in inside:
                alone.add(node.base)
    return {pair for pair in pairs if not set(pair) <= alone or pair[0] in prefixes}


def _small(node: Formula) -> bool:
    while isinstance(node, Raised):
        node = node.body
    return isinstance(node, Name) and len(node.base) == 1 and node.base.islower() and node.base.isascii()


def _bare(node: Name) -> bool:
    return not (node.scripts or node.time or node.primes or node.marks)


def _word(left: Formula) -> str:
    """Letters side by side that are the whole of a left side: they name one quantity."""
    while isinstance(left, Raised):
        left = left.body
    if isinstance(left, Name) and len(left.base) > 1 and left.base.isascii() and left.base.isalpha():
        return left.base  # as plain text has it, which may be without a space between letters
    if not isinstance(left, Product) or any(left.operators):
        return ""
    parts = left.factors
    if not all(isinstance(p, Name) and len(p.base) == 1 and p.base.isascii() and not p.marks for p in parts):
        return ""
    bare = all(isinstance(p, Name) and not p.scripts and p.time is None and not p.primes for p in parts[:-1])
    touching = all(a.span[1] == b.span[0] for a, b in pairwise(parts))
    return "".join(p.base for p in parts if isinstance(p, Name)) if bare and touching else ""
