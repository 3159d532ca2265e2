r"""From a file to blocks: prose, displays, formulas in the text, plain-text equations, listings.

Every character belongs to one block, and every block knows its line.  One pass for Markdown and LaTeX
alike: what opens a block is looked for from the left, and its end from there.
"""

from __future__ import annotations

import ast
import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lstmsym.documents import symbols as S
from lstmsym.documents.limits import BLOCKS, CHARACTERS, DocumentError

FRONT, DISPLAY, INLINE, PLAIN, LISTING, PROSE = "front display inline plain listing prose".split()


@dataclass(frozen=True)
class Block:
    """A stretch of the file, with the 1-based line and column of its first character.

    ``lead`` is a left side that stands in the text before a formula (``top_diff_h =``), with its
    line; ``problem`` says why the block can't be read; ``language`` is that of a listing.
    """

    kind: str
    text: str
    line: int
    column: int = 1
    lead: str = ""
    lead_line: int = 0
    language: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()


LISTINGS = frozenset("verbatim verbatim* lstlisting minted alltt Verbatim python pycode algorithm algorithmic".split())
_MATH_LANGUAGES = frozenset(["math", "{math}", "latex", "tex", "katex", "mathjax"])
_PLAIN_LANGUAGES = frozenset(["text", "txt", "plain", "plaintext", "equation"])
_OPEN = re.compile(
    r"(?P<fence>^[ \t]*(?P<ticks>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)$)|(?P<comment><!--)|(?P<escaped>\\\$|\\\\\$)"
    r"|(?P<display>\$\$|\\\\?\[(?!\d))|(?P<round>\\\\?\()|(?P<dollar>\$)|(?P<code>(?<!`)`+(?!`))"
    r"|\\begin\s*\{(?P<environment>[A-Za-z]+\*?)\}|(?P<input>\\(?:input|include|subfile|import)\b\s*\{?(?P<file>[^\s{}]*)\}?)"
    r"|(?P<directive>^[ \t]*\.\.[ ]math::[ \t]*)",
    re.MULTILINE,
)


def is_latex(text: str, name: str = "") -> bool:
    """Whether a file is LaTeX and not Markdown."""
    return name.endswith((".tex", ".ltx")) or bool(re.search(r"\\(documentclass|begin\s*\{document\})", text))


def without_comments(text: str) -> str:
    """LaTeX with its comments made blank, every character in its place."""
    return re.sub(r"(?<!\\)((?:\\\\)*)%[^\n]*", lambda m: m[1] + " " * (len(m[0]) - len(m[1])), text)


def split(text: str, name: str = "") -> tuple[Block, ...]:
    """The blocks of a file; its name says whether it is Python or LaTeX.

    Raises:
        DocumentError: the file is too large, or no text.
    """
    if len(text) > CHARACTERS:
        raise DocumentError(
            f"{name or 'the document'}: {len(text)} characters; at most {CHARACTERS} are read: give the part in question"
        )
    if "\0" in text:
        raise DocumentError(f"{name or 'the document'}: is no text file")
    if name.endswith(".py"):
        return (Block(LISTING, text, 1, language="python"),)
    found = []
    for block in _Splitter(text, is_latex(text, name)).blocks():
        found.append(block)
        if len(found) > BLOCKS:
            raise DocumentError(f"more than {BLOCKS} pieces of text and mathematics: give the part in question")
    return tuple(found)


class _Splitter:
    """Goes through a text once, from the left."""

    def __init__(self, text: str, latex: bool) -> None:
        self.whole, self.latex = text, latex
        self.text = without_comments(text) if latex else text
        self.breaks = [m.start() for m in re.finditer("\n", text)]
        self.absent: dict[str, int] = {}

    def blocks(self) -> Iterator[Block]:
        at = 0
        front = re.match(r"(?:%\s*)?---[ \t]*\n(.*?)^(?:%\s*)?(?:---|\.\.\.)[ \t]*$", self.whole, re.DOTALL | re.MULTILINE)
        if front and len(front[1]) < 20_000:
            yield self.block(FRONT, front.start(1), front.end(1))
            at = front.end()
        prose = at
        openers = 0
        while found := _OPEN.search(self.text, at):
            openers += 1
            if openers > BLOCKS:
                raise DocumentError(f"more than {BLOCKS} pieces of mathematics and code: give the part in question")
            begun = self.begun(found)
            if begun is None:
                at = max(found.end(), at + 1)
                continue
            block, end = begun
            yield from self.prose(prose, found.start(), block)
            if block.text or block.problem:
                yield self.led(block, prose, found.start())
            at = prose = max(end, found.start() + 1)
        yield from self.prose(prose, len(self.text), None)

    def place(self, at: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = bisect.bisect_left(self.breaks, at)
        return line + 1, at - (self.breaks[line - 1] if line else -1)

    def block(self, kind: str, start: int, end: int, **more: str) -> Block:
        line, column = self.place(start)
        whole = self.whole if kind == LISTING else self.text
        return Block(kind, whole[start:end], line, column, **more)  # type: ignore[arg-type]

    def find(self, mark: str, start: int, limit: int | None = None) -> int:
        """Where a closing mark stands, or -1; a mark that is absent is looked for once."""
        if self.absent.get(mark, len(self.text) + 1) <= start:
            return -1
        end = len(self.text) if limit is None else min(len(self.text), start + limit)
        found = self.text.find(mark, start, end)
        while found > 0 and mark[0] == "$" and self.escaped(found):
            found = self.text.find(mark, found + 1, end)
        if found < 0 and limit is None:
            self.absent[mark] = start
        return found

    def escaped(self, at: int) -> bool:
        """Whether an odd number of backslashes stands before an offset."""
        before = self.text[max(0, at - 20) : at]
        return (len(before) - len(before.rstrip("\\"))) % 2 == 1

    def begun(self, found: re.Match[str]) -> tuple[Block, int] | None:
        """The block that opens at a match and where it ends; None where nothing opens."""
        opener = found.lastgroup if found.lastgroup not in ("info", "ticks", "file") else ""
        opener = opener or ("fence" if found["fence"] else "input")
        return getattr(self, f"see_{opener}")(found)

    # -- what opens a block ------------------------------------------------------------------------

    def see_fence(self, found: re.Match[str]) -> tuple[Block, int]:
        start = min(found.end() + 1, len(self.text))
        mark = found["ticks"]
        closing = re.compile(rf"^[ \t]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$", re.MULTILINE)
        close = closing.search(self.text, start)
        inside = close.start() if close else len(self.text)
        end = close.end() if close else len(self.text)
        language = found["info"].strip().split(" ")[0].lower()
        if language in _MATH_LANGUAGES:
            return self.block(DISPLAY, start, inside), end
        body = self.text[start:inside]
        if language in _PLAIN_LANGUAGES or (not language and not looks_like_code(body)):
            return self.block(PLAIN, start, inside), end
        return self.block(LISTING, start, inside, language=language or "python"), end

    def see_comment(self, found: re.Match[str]) -> tuple[Block, int] | None:
        end = self.find("-->", found.end())
        return None if end < 0 else (self.block(PROSE, found.start(), found.start()), end + 3)

    def see_escaped(self, found: re.Match[str]) -> None:
        return None

    def see_display(self, found: re.Match[str]) -> tuple[Block, int] | None:
        opener = found["display"]
        mark = {"$$": "$$", r"\[": r"\]", r"\\[": r"\\]"}[opener]
        if opener == r"\\[" and (self.latex or self.find(mark, found.end()) < 0):
            return None
        return self.closed(DISPLAY, found, mark)

    def closed(self, kind: str, found: re.Match[str], mark: str) -> tuple[Block, int]:
        """A block up to its closing mark; without one, up to the end of the paragraph."""
        end = self.find(mark, found.end())
        if end >= 0:
            return self.block(kind, found.end(), end), end + len(mark)
        blank = re.compile(r"\n[ \t]*\n").search(self.text, found.end())
        stop = blank.start() if blank else len(self.text)
        problem = f"{found.group().strip()} is not closed by {mark}"
        return self.block(kind, found.end(), stop, problem=problem), stop

    def see_round(self, found: re.Match[str]) -> tuple[Block, int] | None:
        mark = found["round"].replace("(", ")")
        end = self.find(mark, found.end(), 4000)
        if end < 0:
            return None
        return self.block(INLINE, found.end(), end), end + len(mark)

    def see_dollar(self, found: re.Match[str]) -> tuple[Block, int] | None:
        start = found.end()
        end = self.find("$", start, 4000)
        if end < 0:
            return None
        inside = self.text[start:end]
        following = self.text[end + 1 : end + 2]
        loose = inside[:1].isspace() or inside[-1:].isspace()
        if not inside.strip() or re.search(r"\n[ \t]*\n", inside):
            return None
        if not self.latex and (following.isdigit() or (loose and not re.search(r"[\\_^=]", inside))):
            return None
        if inside[0] == "`" and inside[-1] == "`" and len(inside) > 2:
            return self.block(INLINE, start + 1, end - 1), end + 1
        return self.block(INLINE, start, end), end + 1

    def see_code(self, found: re.Match[str]) -> tuple[Block, int] | None:
        mark = found["code"]
        end = self.find(mark, found.end(), 2000)
        if end < 0 or self.latex:
            return None
        inside = self.text[found.end() : end]
        kind = PLAIN if _RELATION.search(inside) or re.search(r"\w\s*[-+*]\s*\w", inside) else PROSE
        stop = end if kind == PLAIN else found.end()
        return self.block(kind, found.end(), stop), end + len(mark)

    def see_environment(self, found: re.Match[str]) -> tuple[Block, int] | None:
        name = found["environment"]
        if name in LISTINGS:
            mark = rf"\end{{{name}}}"
            end = self.find(mark, found.end())
            stop = len(self.text) if end < 0 else end
            language = "python" if not name.startswith("algorithm") else "algorithm"
            return self.block(LISTING, found.end(), stop, language=language), stop + len(mark)
        shows = name in S.DISPLAYS or name in ("cases", "array", "aligned", "split", "gathered")
        if not shows or (name in ("array",) and self.latex):
            return None
        mark = re.compile(rf"\\(begin|end)\s*\{{{re.escape(name)}\}}")
        depth = 1
        for other in mark.finditer(self.text, found.end()):
            depth += 1 if other[1] == "begin" else -1
            if depth == 0:
                return self.block(DISPLAY, found.start(), other.end()), other.end()
        problem = rf"\begin{{{name}}} is not ended"
        blank = re.compile(r"\n[ \t]*\n").search(self.text, found.end())
        stop = blank.start() if blank else len(self.text)
        return self.block(DISPLAY, found.start(), stop, problem=problem), stop

    def see_input(self, found: re.Match[str]) -> tuple[Block, int] | None:
        if not self.latex:
            return None
        problem = f"other files are not read: verify {found['file'] or 'them'} by itself"
        return self.block(DISPLAY, found.start(), found.end(), problem=problem), found.end()

    def see_directive(self, found: re.Match[str]) -> tuple[Block, int] | None:
        body = re.compile(r"(?:[^\n]*)(?:\n[ \t]*(?::\w+:[^\n]*)?$)*(?:\n[ \t]+[^\n]+|\n[ \t]*(?=\n[ \t]+\S))*", re.MULTILINE)
        match = body.match(self.text, found.end())
        end = match.end() if match else found.end()
        return self.block(DISPLAY, found.end(), end), end

    # -- prose and what stands in it -----------------------------------------------------------------

    def led(self, block: Block, prose: int, start: int) -> Block:
        """A formula with the left side that stands in the text before it."""
        if block.kind not in (DISPLAY, INLINE) or block.problem:
            return block
        before = self.text[max(prose, start - 300) : start]
        lead, offset = leading(before, block.text)
        if not lead:
            return block
        line = self.place(start - len(before) + offset)[0]
        return replace(block, lead=lead, lead_line=line)

    def prose(self, start: int, end: int, block: Block | None) -> Iterator[Block]:
        """The prose of a stretch, and the plain-text equations in it."""
        at = start
        for low, high in plain_equations(self.text[start:end]):
            if block is not None and start + high > end - 2 and self.text[start + low : end].rstrip().endswith("="):
                break
            if self.text[at : start + low].strip():
                yield self.block(PROSE, at, start + low)
            yield self.block(PLAIN, start + low, start + high)
            at = start + high
        if self.text[at:end].strip():
            yield self.block(PROSE, at, end)


_LEAD = re.compile(
    r"(?P<name>[A-Za-z_δ∂Δ][\w.]*(?:\([^()\n]{0,20}\))?)[\]`*)]*[ \t]*(?P<sign>=|:=|\+=)?[ \t]*\n?[ \t]*$"
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

_RELATION = re.compile(r"(?<![<>=!:+\-*/~|])(?:\+=|-=|\*=|:=|=|←|≔)(?![=>])")
_MASKED = re.compile(r"https?://\S+|<[^<>\n]{1,200}>|\]\([^()\n]*\)|--[\w-]+=\S+|\b\w+@\w+\S*")
_PIECE = re.compile(
    r"(?P<path>self(?:\s*\.\s*[A-Za-z]\w*)+|[A-Za-z]\w*(?:\.[A-Za-z]\w*)+)|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z]\w*)|(?P<letter>[\u0370-\u03ff∂∇∑∏ℓ]\w*)|(?P<open>[(\[{⟨‖])|(?P<close>[)\]}⟩])"
    r"|(?P<relation>\+=|-=|\*=|:=|←|≔|=)|(?P<operator>\*\*|\.\*|[-+*/@⊙∘⊗×·⋅−^_'′’|√])|(?P<small>[⁰-₟ᵀ¹²³ᵢⱼ\u0300-\u036f]+)"
    r"|(?P<dots>\.\.\.?|…)|(?P<colon>[:,])|(?P<space>[ \t]+)|(?P<other>.)",
    re.DOTALL,
)
OPERANDS = frozenset("path number word letter close small".split())


def plain_equations(text: str) -> Iterator[tuple[int, int]]:
    """Where equations stand in prose: start and end offsets."""
    offset = 0
    for line in text.split("\n"):
        if len(line) < 20_000 and _RELATION.search(line):
            masked = _MASKED.sub(lambda m: "\u241f" * len(m[0]), line)
            for low, high in _in_line(masked):
                yield offset + low, offset + high
        offset += len(line) + 1


def _in_line(line: str) -> Iterator[tuple[int, int]]:
    pieces = [(m.lastgroup or "", m.group(), m.start(), m.end()) for m in _PIECE.finditer(line)]
    done = 0
    for place, (kind, _, start, _) in enumerate(pieces):
        if kind != "relation" or start < done:
            continue
        low, high = _left(pieces, place), _right(pieces, place)
        if low < place and high > place + 1 and pieces[low][2] >= done:
            done = pieces[high - 1][3]
            yield pieces[low][2], done


def _left(pieces: list[tuple[str, str, int, int]], place: int) -> int:
    """The first piece of the left side that ends before a relation."""
    at, best, depth, operand = place - 1, place, 0, False
    while at >= 0:
        kind, text, _, _ = pieces[at]
        if kind == "space":
            at -= 1
            continue
        if kind == "close":
            depth += 1
        elif kind == "open":
            depth -= 1
            if depth < 0:
                break
            if depth == 0:
                best, operand = at, False  # what stands before the bracket may be its function
                at -= 1
                continue
        elif depth == 0:
            adjacent = at + 1 < len(pieces) and pieces[at + 1][0] != "space"
            if kind in ("word", "letter", "path", "number"):
                if operand or (_is_word(text) and best < place and not adjacent):
                    break
                best, operand = at, True
            elif (kind == "operator" and best < place) or kind == "small":
                operand = False
            else:
                break
        at -= 1
    while best < place and pieces[best][0] in ("operator", "colon", "space"):
        best += 1
    return best if depth == 0 else place


def _right(pieces: list[tuple[str, str, int, int]], place: int) -> int:
    """One past the last piece of the right side that begins after a relation."""
    at, best, depth, operand = place + 1, place, 0, False
    while at < len(pieces):
        kind, text, _, _ = pieces[at]
        if kind == "other" or (kind == "dots" and depth == 0 and at + 1 >= len(pieces)):
            break
        if depth == 0:
            if kind in ("colon", "close"):
                break
            if kind in ("word", "path") and operand and _is_word(text) and not _is_gradient(pieces, at):
                break
        if kind == "open":
            depth += 1
            operand = False
        elif kind == "close":
            depth -= 1
        if kind in OPERANDS or kind == "dots":
            operand = True
        elif kind in ("operator", "relation"):
            operand = text in ("'", "′", "’")
        at += 1
        if depth == 0 and operand:
            best = at
    return best if best > place else place


def _is_gradient(pieces: list[tuple[str, str, int, int]], at: int) -> bool:
    """Whether a word is one of dL/dh, which no sentence has."""
    following = [text for _, text, _, _ in pieces[at + 1 : at + 3]]
    return pieces[at][1][0] == "d" and following[:1] == ["/"] and following[1:] != [] and following[1][0] == "d"


def _is_word(text: str) -> bool:
    """Whether letters are a word of the language and not a name."""
    return len(text) > 1 and text.isalpha() and text.isascii() and text not in S.FUNCTION_WORDS and text not in S.LETTERS


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
