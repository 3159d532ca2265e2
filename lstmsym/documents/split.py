r"""From a file to blocks: prose, displays, formulas in the text, plain-text equations, listings.

Every character belongs to one block, and every block knows its line.  One pass for Markdown and LaTeX
alike: what opens a block is looked for from the left, and its end from there.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from lstmsym.documents import symbols as S
from lstmsym.documents.front import head
from lstmsym.documents.limits import BLOCKS, CHARACTERS, DocumentError
from lstmsym.documents.macros import Macro, defined, joined
from lstmsym.documents.prose import is_statement, leading, looks_like_code, plain_equations
from lstmsym.documents.reach import named

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
    supposed: bool = False
    """Whether the text only supposes it: if x = 0."""


LISTINGS = frozenset(
    "verbatim verbatim* lstlisting minted alltt Verbatim python pycode algorithm algorithmic".split()
)
_MATH_LANGUAGES = frozenset(["math", "{math}", "latex", "tex", "katex", "mathjax"])
_PLAIN_LANGUAGES = frozenset(["text", "txt", "plain", "plaintext", "equation"])
_OPEN = re.compile(
    r"(?P<fence>^[ \t]*(?P<ticks>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)$)|(?P<comment><!--)"
    r"|(?P<escaped>\\\$|\\\\\$)|(?P<verb>\\verb\*?(?P<bar>[^\sA-Za-z*])[^\n]*?(?P=bar))"
    r"|(?P<definition>\\(?:(?:re|provide)?newcommand|(?:renew|provide)command|[egx]?def|let|Declare[A-Z]\w+"
    r"|(?:re)?newenvironment|(?:New|Renew|Provide)Document(?:Command|Environment))(?![A-Za-z]))"
    r"|(?P<display>\$\$|\\\\?\[(?!\d))|(?P<round>\\\\?\()|(?P<dollar>\$)|(?P<code>(?<!`)`+(?!`))"
    r"|\\begin\s*\{(?P<environment>[A-Za-z]+\*?)\}"
    r"|(?P<input>\\(?:input|include|subfile|import)\b\s*\{?(?P<file>[^\s{}]*)\}?)"
    r"|(?P<tagged><math(?:\s[^<>\n]{0,80})?>|\[math\]|\[tex\]|\[latex\]|:math:`)"
    r"|(?P<directive>^[ \t]*\.\.[ ]math::[ \t]*)",
    re.MULTILINE,
)


_SUPPOSED = re.compile(
    r"(?:\b(?:if|when|whenever|unless|until|assuming(?: that)?|suppose(?: that)?|provided(?: that)?)"
    r"|若|如果|当|假设|假定)\s*$",
    re.IGNORECASE,
)
_BLANK = re.compile(r"\n[ \t]*\n")
_FORMULA = re.compile(r"[\\_^=+]")


def is_latex(text: str, name: str = "") -> bool:
    """Whether a file is LaTeX and not Markdown."""
    return name.endswith((".tex", ".ltx")) or bool(re.search(r"\\(documentclass|begin\s*\{document\})", text))


def without_comments(text: str) -> str:
    """LaTeX with its comments made blank, every character in its place."""
    return re.sub(r"(?<!\\)((?:\\\\)*)%[^\n]*", lambda m: m[1] + " " * (len(m[0]) - len(m[1])), text)


def split(text: str, name: str = "", macros: Mapping[str, Macro] | None = None) -> tuple[Block, ...]:
    """The blocks of a file; its name says whether it is Python or LaTeX.

    Raises:
        DocumentError: the file is too large, or no text.
    """
    check_size(text, name)
    if name.endswith(".py"):
        return (Block(LISTING, text, 1, language="python"),)
    found = []
    for block in _Splitter(text, is_latex(text, name), macros or {}).blocks():
        found.append(block)
        if len(found) > BLOCKS:
            raise DocumentError(f"more than {BLOCKS} pieces of text and mathematics: give a part")
    return tuple(found)


def check_size(text: str, name: str = "") -> None:
    """Refuse what is too large, or no text.

    Raises:
        DocumentError: it is.
    """
    if len(text) > CHARACTERS:
        raise DocumentError(
            f"{name or 'the document'}: {len(text)} characters; at most {CHARACTERS} are read: give a part"
        )
    if "\0" in text:
        raise DocumentError(f"{name or 'the document'}: is no text file")


_SHOWS = re.compile(rf"\s*\\begin\s*\{{({'|'.join(re.escape(e) for e in sorted(S.DISPLAYS))})\}}|\s*\\\[")
_INNER = re.compile(r"\\[(\[]|\\(?:begin|item)\b")
"""What text has, and formulas have not."""
_BARE = re.compile(r"^(?=.*(?:[_^]|\\(?:frac|partial|odot)))[^=]*[^<>=!]=", re.DOTALL)
_TEXTS = frozenset(
    """document abstract figure figure* table table* tikzpicture tabular tabularx center itemize enumerate
    description frame filecontents thebibliography titlepage""".split()
)


_QUOTES = re.compile(r"\n[ \t]*(?:>[ \t]?)+")


def _open_braces(text: str) -> int:
    return text.count("{") - text.count("}")


class _Splitter:
    """Goes through a text once, from the left."""

    def __init__(self, text: str, latex: bool, macros: Mapping[str, Macro]) -> None:
        self.whole, self.latex = text, latex
        self.text = without_comments(text) if latex else text
        self.breaks = [m.start() for m in re.finditer("\n", text)]
        self.absent: dict[str, int] = {}
        self.opens, self.environments = _OPEN, frozenset(S.DISPLAYS)
        self.enders: dict[str, list[str]] = {}
        self.authors(macros)

    def blocks(self) -> Iterator[Block]:
        at = 0
        front = head(self.whole)
        if front:
            yield self.block(FRONT, front.start(1), front.end(1))
            at = front.end()
        prose = at
        openers = 0
        while found := self.opens.search(self.text, at):
            openers += 1
            if openers > BLOCKS:
                raise DocumentError(
                    f"more than {BLOCKS} pieces of mathematics and code: give the part in question"
                )
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

    def authors(self, macros: Mapping[str, Macro]) -> None:
        """Environments and pairs of macros of the author's that make displays."""
        begins: dict[str, str] = {}
        for name, macro in macros.items():
            shown = _SHOWS.match(joined(macro.body))
            if shown and name.startswith("begin "):
                self.environments |= {name[6:]}
            elif shown and macro.arguments == 0:
                begins[name] = shown[1] or r"\["
        ends = {n: joined(m.body) for n, m in macros.items() if n[0] == "\\" and len(m.body) < 40}
        for name, environment in begins.items():
            close = r"\]" if environment == r"\[" else rf"\end{{{environment}}}"
            if close not in joined(macros[name].body):
                self.enders[name] = [*(n for n, body in ends.items() if close in body), close]
        if self.enders:
            any_of = "|".join(re.escape(n) for n in sorted(self.enders, key=len, reverse=True))
            self.opens = re.compile(rf"(?P<begins>{any_of})(?![A-Za-z])|{_OPEN.pattern}", re.MULTILINE)

    @cached_property
    def names(self) -> frozenset[str]:
        """Words that the text uses for quantities."""
        return named(self.text)

    def place(self, at: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = bisect.bisect_left(self.breaks, at)
        return line + 1, at - (self.breaks[line - 1] if line else -1)

    def block(self, kind: str, start: int, end: int, **more: str) -> Block:
        line, column = self.place(start)
        whole = self.whole if kind in (LISTING, FRONT) else self.text
        text = whole[start:end]
        if kind == DISPLAY and "\n" in text and not self.latex and self.quoted(start):
            text = _QUOTES.sub(lambda m: "\n" + " " * (len(m[0]) - 1), text)
        return Block(kind, text, line, column, **more)  # type: ignore[arg-type]

    def quoted(self, at: int) -> bool:
        """Whether the line of an offset is a quotation: ``> ``."""
        start = self.text.rfind("\n", 0, at) + 1
        return self.text[start:at].lstrip()[:1] == ">"

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
        opener = found.lastgroup if found.lastgroup not in ("info", "ticks", "file", "bar") else ""
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
        return None if end < 0 else (self.block(PROSE, found.start(), end + 3), end + 3)

    def see_verb(self, found: re.Match[str]) -> tuple[Block, int] | None:
        return (self.block(PROSE, found.start(), found.end()), found.end()) if self.latex else None

    def see_definition(self, found: re.Match[str]) -> tuple[Block, int] | None:
        """A definition outside of formulas says what to read in them, and is none."""
        meaning = defined(self.text, found.start())
        if meaning is None:
            return None
        return self.block(PROSE, found.start(), meaning[1]), meaning[1]

    def see_escaped(self, found: re.Match[str]) -> None:
        return None

    def see_display(self, found: re.Match[str]) -> tuple[Block, int] | None:
        opener = found["display"]
        mark = {"$$": "$$", r"\[": r"\]", r"\\[": r"\\]"}[opener]
        end = self.find(mark, found.end())
        if opener == r"\\[" and (self.latex or end < 0):
            return None
        if opener == r"\[" and not self.latex and not _FORMULA.search(self.text, found.end(), max(end, 0)):
            return None  # Markdown's escape of a bracket
        return self.closed(DISPLAY, found, mark)

    def closed(self, kind: str, found: re.Match[str], mark: str) -> tuple[Block, int]:
        """A block up to its closing mark; without one, up to the end of the paragraph."""
        end = self.find(mark, found.end())
        single = self.single(found.end(), end) if mark == "$$" else -1
        if single >= 0:
            block = self.block(kind, found.end(), single)
            return replace(block, notes=("$$ is closed by a single $",)), single + 1
        if end >= 0:
            return self.block(kind, found.end(), end), end + len(mark)
        blank = re.compile(r"\n[ \t]*\n").search(self.text, found.end())
        stop = blank.start() if blank else len(self.text)
        problem = f"{found.group().strip()} is not closed: {mark} is missing"
        return self.block(kind, found.end(), stop, problem=problem), stop

    def single(self, start: int, end: int) -> int:
        """Where a single dollar closes a display that was opened by two, in the same paragraph; or -1."""
        blank = _BLANK.search(self.text, start, len(self.text) if end < 0 else end)
        if end >= 0 and blank is None:
            return -1
        stop = blank.start() if blank else len(self.text)
        found = self.text.find("$", start, stop)
        return found if found > start and not self.escaped(found) else -1

    def see_tagged(self, found: re.Match[str]) -> tuple[Block, int] | None:
        """``<math>x</math>`` of wikis, ``[math]x[/math]`` of forums, ``:math:`x``` of manuals."""
        opener = found["tagged"]
        mark = "`" if opener[0] == ":" else "</math>" if opener[0] == "<" else opener.replace("[", "[/")
        end = self.find(mark, found.end(), 4000)
        if end < 0 or (opener == "<math>" and "<m" in self.text[found.end() : end]):
            return None  # MathML
        return self.block(INLINE, found.end(), end), end + len(mark)

    def see_round(self, found: re.Match[str]) -> tuple[Block, int] | None:
        mark = found["round"].replace("(", ")")
        end = self.find(mark, found.end(), 4000)
        if end < 0 or (not self.latex and not re.search(r"[\\_^=]|^.{1,12}$", self.text[found.end() : end])):
            return None
        return self.block(INLINE, found.end(), end), end + len(mark)

    def see_dollar(self, found: re.Match[str]) -> tuple[Block, int] | None:
        start = found.end()
        end = self.find("$", start, 4000)
        if end < 0:
            return None
        while end >= 0 and _open_braces(self.text[start:end]) > 0:  # \mbox{if $t$ is 1} in a formula
            end = self.find("$", end + 1, 4000)
        if end < 0 or end > start + 4000:
            end = self.find("$", start, 4000)
        inside = self.text[start:end]
        following = self.text[end + 1 : end + 2]
        spaces = inside[:1].isspace() + inside[-1:].isspace()
        formula = "\\" in inside or (spaces != 1 and bool(re.search(r"[_^=]", inside)))
        if not inside.strip() or re.search(r"\n[ \t]*\n", inside):
            return None
        if not self.latex and (following.isdigit() or (spaces and not formula)):
            return None
        if self.text[end : end + 2] == "$$" and re.match(r"[ \t]*(?:\n|$)", self.text[end + 2 : end + 40]):
            return replace(self.block(INLINE, start, end), notes=("$ is closed by $$",)), end + 2
        if inside[0] == "`" and inside[-1] == "`" and len(inside) > 2:
            return self.block(INLINE, start + 1, end - 1), end + 1
        return self.block(INLINE, start, end), end + 1

    def see_code(self, found: re.Match[str]) -> tuple[Block, int] | None:
        mark = found["code"]
        end = self.find(mark, found.end(), 2000)
        if end < 0 or self.latex:
            return None
        inside = self.text[found.end() : end]
        if len(inside) > 2 and inside[0] == inside[-1] == "$" and _FORMULA.search(inside):
            return self.block(INLINE, found.end() + 1, end - 1), end + len(mark)
        if self.text.startswith(":math:", max(0, found.start() - 6)):
            return self.block(INLINE, found.end(), end), end + len(mark)
        kind = PLAIN if is_statement(inside) else PROSE
        return self.block(kind, found.end(), end), end + len(mark)

    def see_environment(self, found: re.Match[str]) -> tuple[Block, int] | None:
        name = found["environment"]
        if name in LISTINGS:
            mark = rf"\end{{{name}}}"
            end = self.find(mark, found.end())
            stop = len(self.text) if end < 0 else end
            language = "python" if not name.startswith("algorithm") else "algorithm"
            return self.block(LISTING, found.end(), stop, language=language), stop + len(mark)
        shows = name in self.environments or name in ("cases", "array", "aligned", "split", "gathered")
        if not shows and name not in self.environments:
            return self.unknown(found, name)
        if not shows or (name in ("array",) and self.latex):
            return None
        return self.environment(found, name)

    def unknown(self, found: re.Match[str], name: str) -> tuple[Block, int] | None:
        """An environment that is not known, with bare formulas in it."""
        end = self.find(rf"\end{{{name}}}", found.end(), 4000)
        if end < 0 or not self.latex or name in _TEXTS:
            return None
        bare = self.text[found.end() : end]
        if "$" in bare or _INNER.search(bare) or not _BARE.search(bare):
            return None
        stop = end + len(name) + 6
        problem = f"the environment {name} is not known: define it with \\newenvironment, or use align"
        return self.block(DISPLAY, found.start(), stop, problem=problem), stop

    def environment(self, found: re.Match[str], name: str) -> tuple[Block, int]:
        """A display from its begin to its end."""
        either = re.compile(rf"\\(begin|end)\s*\{{{re.escape(name)}\}}")
        depth = 1
        for other in either.finditer(self.text, found.end()):
            depth += 1 if other[1] == "begin" else -1
            if depth == 0:
                return self.block(DISPLAY, found.start(), other.end()), other.end()
        problem = rf"\begin{{{name}}} is not ended"
        blank = re.compile(r"\n[ \t]*\n").search(self.text, found.end())
        stop = blank.start() if blank else len(self.text)
        return self.block(DISPLAY, found.start(), stop, problem=problem), stop

    def see_begins(self, found: re.Match[str]) -> tuple[Block, int] | None:
        """A macro of the author's that begins a display, up to the one that ends it."""
        name = found["begins"]
        for end in self.enders.get(name, ()):
            place = self.find(end, found.end())
            if place >= 0 and not self.text[place + len(end) : place + len(end) + 1].isalpha():
                stop = place + len(end)
                return self.block(DISPLAY, found.start(), stop), stop
        return None

    def see_input(self, found: re.Match[str]) -> tuple[Block, int] | None:
        if not self.latex:
            return None
        problem = f"other files are not read: verify {found['file'] or 'them'} by itself"
        return self.block(DISPLAY, found.start(), found.end(), problem=problem), found.end()

    def see_directive(self, found: re.Match[str]) -> tuple[Block, int] | None:
        body = re.compile(
            r"(?:[^\n]*)(?:\n[ \t]*(?::\w+:[^\n]*)?$)*(?:\n[ \t]+[^\n]+|\n[ \t]*(?=\n[ \t]+\S))*",
            re.MULTILINE,
        )
        match = body.match(self.text, found.end())
        end = match.end() if match else found.end()
        return self.block(DISPLAY, found.end(), end), end

    # -- prose and what stands in it -----------------------------------------------------------------

    def led(self, block: Block, prose: int, start: int) -> Block:
        """A formula with the left side that stands in the text before it."""
        if block.kind not in (DISPLAY, INLINE) or block.problem:
            return block
        before = self.text[max(prose, start - 300) : start]
        if block.kind == INLINE and _SUPPOSED.search(before):
            return replace(block, supposed=True)
        lead, offset = leading(before, block.text)
        if not lead:
            return block
        line = self.place(start - len(before) + offset)[0]
        return replace(block, lead=lead, lead_line=line)

    def touches(self, ended: int, start: int, block: Block) -> bool:
        """Whether a formula or code with mathematics in it comes right after an equation in plain text."""
        if self.text[start : start + 1] not in ("$", "`", "\\") or self.text[ended:start].strip(" \t"):
            return False
        return block.kind in (INLINE, PLAIN) or bool(re.search(r"[(_^\[*+]|^\w$", block.text))

    def prose(self, start: int, end: int, block: Block | None) -> Iterator[Block]:
        """The prose of a stretch, and the plain-text equations in it."""
        at = start
        for found in () if self.latex else plain_equations(self.text[start:end], self.names):
            low, high = found.low, found.high
            if (
                block is not None
                and start + high > end - 2
                and self.text[start + low : end].rstrip().endswith("=")
            ):
                break
            if self.text[at : start + low].strip():
                yield self.block(PROSE, at, start + low)
            if block is not None and self.touches(start + high, end, block):
                found = replace(found, problem="the formula may go on in the one after it: write them as one")
            supposed = _SUPPOSED.search(self.text, max(start, start + low - 30), start + low) is not None
            plain = self.block(PLAIN, start + low, start + high, problem=found.problem)
            yield replace(plain, supposed=supposed)
            at = start + high
        if self.text[at:end].strip():
            yield self.block(PROSE, at, end)
