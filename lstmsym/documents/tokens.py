r"""From text to tokens: letters, words, numbers, operators, brackets, scripts; each with its place.

Two spellings give the same tokens: LaTeX, where letters side by side are single names unless they are
a word, and plain text, where they are a word.  What is a name, a function or a gradient is decided by
the parser; here only what belongs together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lstmsym.documents import symbols as S
from lstmsym.documents.limits import DIGITS, FORMULA, NESTING, ReadingError
from lstmsym.documents.macros import Lexeme, Macro, expanded, group, joined, lexemes


@dataclass(frozen=True)
class Token:
    """``kind``, its plain meaning, how it was spelled, where it stands, and whether a space came before.

    Kinds: letter, word, number, product, sign, relation, open, close, bar, {, }, sub, sup, prime, comma,
    and, row, gap, dots, text, big, function, accent, font, frac, begin, end, tag, label, and command for
    what has a meaning of its own.
    """

    kind: str
    plain: str
    spelling: str
    start: int
    end: int
    spaced: bool = False


@dataclass(frozen=True)
class Lexicon:
    """What a document says about spelling: letters side by side that are one word; letters that are steps."""

    words: frozenset[str] = frozenset()
    times: frozenset[str] = frozenset()
    timed: frozenset[str] = frozenset()
    """Keys of names that are taken at steps, so that a number at them is a step too."""


NOTHING = Lexicon()
IDENTIFIER = 100
"""Characters of the name of a variable in code."""
_PUNCTUATION = {",": ",", ";": ";", "，": ",", "；": ";", "、": ",", ":": ":", "：": ":", "。": ".", ".": "."}


PACKAGES = {
    rf"\{name}": Macro(body.count("#"), tuple(lexemes(body)))
    for name, body in {
        "pdv": r"\frac{\partial #1}{\partial #2}", "dv": r"\frac{d #1}{d #2}", "abs": "|#1|", "norm": r"\|#1\|",
        "R": r"\mathbb{R}", "vb": r"\mathbf{#1}", "va": r"\vec{#1}", "vdot": r"\cdot", "dd": "d", "qty": "",
        "hadamard": r"\odot", "given": r"\mid", "T": r"\top", "vect": r"\mathbf{#1}",
    }.items()
}  # fmt: skip
"""Macros of packages that documents use without defining them."""


def latex_tokens(
    text: str, macros: Mapping[str, Macro] | None = None, lexicon: Lexicon = NOTHING, offset: int = 0
) -> tuple[Token, ...]:
    """The tokens of LaTeX mathematics.

    Raises:
        ReadingError: too long, macros without end, a group that is not closed.
    """
    if len(text) > FORMULA:
        raise ReadingError(f"a formula of {len(text)} characters; at most {FORMULA} are read", offset)
    items = expanded(lexemes(text, offset), {**PACKAGES, **(macros or {})})
    depth = 0
    for item in items:
        depth += {"{": 1, "}": -1}.get(item.text, 0)
        if depth > 2 * NESTING:
            raise ReadingError(f"braces nested deeper than {2 * NESTING}", item.start)
    return tuple(_Latex(items, lexicon).read())


class _Latex:
    """Reads lexemes from the left."""

    def __init__(self, items: Sequence[Lexeme], lexicon: Lexicon) -> None:
        self.items, self.lexicon = list(items), lexicon
        self.at = 0
        self.spaced = False
        self.found: list[Token] = []
        self.braces: list[bool] = []  # for each open brace, whether letters inside are one word (an index)

    def read(self) -> list[Token]:
        while self.at < len(self.items):
            item = self.items[self.at]
            if item.kind == "space":
                self.spaced = True
                self.at += 1
                continue
            if item.kind == "command":
                self.command(item)
            elif item.kind == "number":
                self.number(item)
            else:
                self.character(item)
        return self.found

    def add(self, kind: str, plain: str, spelling: str, start: int, end: int) -> None:
        self.found.append(Token(kind, plain, spelling, start, end, self.spaced))
        self.spaced = False

    def number(self, item: Lexeme) -> None:
        if len(item.text) > DIGITS:
            raise ReadingError(f"a number of {len(item.text)} digits; at most {DIGITS} are read", item.start)
        self.add("number", item.text.rstrip("."), item.text, item.start, item.end)
        self.at += 1

    def after_script(self) -> bool:
        return bool(self.found) and self.found[-1].kind in ("sub", "sup")

    # -- characters ------------------------------------------------------------------------------

    def character(self, item: Lexeme) -> None:
        char = item.text
        if char == "{" and joined(self.items[self.at : self.at + 4]) in ("{+}=", "{-}="):
            sign = self.items[self.at + 1].text
            self.add("relation", sign + "=", f"{{{sign}}}=", item.start, self.items[self.at + 3].end)
            self.at += 4
        elif char == "{":
            self.braces.append(self.opens_index())
            self.add("{", "{", "{", item.start, item.end)
            self.at += 1
        elif char == "}":
            if not self.braces:
                raise ReadingError("a brace } that was not opened", item.start)
            self.braces.pop()
            self.add("}", "}", "}", item.start, item.end)
            self.at += 1
        elif char.isascii() and char.isdigit():
            self.add("number", char, char, item.start, item.end)
            self.at += 1
        elif _is_letter(char):
            self.letters()
        else:
            self.symbol(item)

    def opens_index(self) -> bool:
        """Whether the brace that comes opens an index, in which letters side by side are one word."""
        if not self.after_script():
            return bool(self.braces) and self.braces[-1]
        before = self.found[-2] if len(self.found) > 1 else None
        exponential = before is not None and (
            before.plain in ("e", "exp") or before.kind in ("close", "}", "number")
        )
        return not (self.found[-1].kind == "sup" and exponential)

    def symbol(self, item: Lexeme) -> None:
        for length in (3, 2, 1):
            window = self.items[self.at : self.at + length]
            text = joined(window)
            if len(window) == length and any(w.kind != "other" for w in window[1:]):
                continue
            kind = _kind_of(text, length)
            if kind == ("space", "~"):
                break
            if kind:
                self.add(kind[0], kind[1], text, item.start, window[-1].end)
                self.at += length
                return
        self.other(item)

    def other(self, item: Lexeme) -> None:
        char = item.text
        self.at += 1
        if char == "~":
            self.spaced = True
            return
        if char in S.COMBINING:
            self.add("mark", S.COMBINING[char], char, item.start, item.end)
        elif char in S.SUPERSCRIPTS or char in S.SUBSCRIPTS:
            self.small(item)
        elif char in "#$\\\u200b\ufeff\u00ad":
            raise ReadingError(f"the character {char!r} has no meaning here", item.start)
        elif char.isspace():
            self.spaced = True
        else:
            self.add("command", char, char, item.start, item.end)

    def small(self, item: Lexeme) -> None:
        """Superscript and subscript characters: a script of their own."""
        table, kind = (S.SUPERSCRIPTS, "sup") if item.text in S.SUPERSCRIPTS else (S.SUBSCRIPTS, "sub")
        inner = table[item.text]
        while self.at < len(self.items) and self.items[self.at].text in table:
            inner += table[self.items[self.at].text]
            self.at += 1
        end = self.items[self.at - 1].end
        self.add(kind, "^" if kind == "sup" else "_", "^" if kind == "sup" else "_", item.start, end)
        self.add("{", "{", "{", item.start, end)
        inside = r"\top" if inner == "T" and item.text == "ᵀ" else inner
        part = _Latex([Lexeme(x.kind, x.text, item.start, end) for x in lexemes(inside)], self.lexicon)
        part.braces.append(True)
        self.found += part.read()
        self.add("}", "}", "}", item.start, end)

    # -- letters ---------------------------------------------------------------------------------

    def letters(self) -> None:
        first = self.items[self.at]
        if self.after_script():
            self.letter(first)
            self.at += 1
            return
        if _is_han(first.text):
            self.han()
            return
        if self.code_name():
            return
        end = self.at
        while end < len(self.items) and _is_ascii_letter(self.items[end].text):
            end += 1
        if end == self.at:  # a letter of another alphabet
            self.letter(first)
            self.at += 1
            return
        run = joined(self.items[self.at : end])
        index = bool(self.braces) and self.braces[-1]
        for piece in [run] if index else self.pieces(run, end):
            start = self.items[self.at]
            last = self.items[self.at + len(piece) - 1]
            if len(piece) == 1:
                self.letter(start)
            else:
                kind = "function" if piece in S.FUNCTION_WORDS and not index else "word"
                self.add(kind, piece, piece, start.start, last.end)
            self.at += len(piece)

    def han(self) -> None:
        """Chinese, Japanese or Korean characters: text."""
        end = self.at
        while end < len(self.items) and _is_han(self.items[end].text):
            end += 1
        text = joined(self.items[self.at : end])
        self.add("text", text, rf"\text{{{text}}}", self.items[self.at].start, self.items[end - 1].end)
        self.at = end

    def letter(self, item: Lexeme) -> None:
        plain = unicodedata.normalize("NFKC", item.text)
        self.add("letter", plain, S.SPELLED.get(plain, plain), item.start, item.end)

    def code_name(self) -> bool:
        r"""Letters with raw or escaped underscores that are the name of a variable in code: top_diff_h."""
        end, text, raw = self.at, "", False
        while end < min(len(self.items), self.at + IDENTIFIER):
            piece = self.items[end].text
            if _is_ascii_letter(piece) or (piece.isascii() and piece.isdigit() and text):
                text += piece
            elif piece == "." and (text.startswith("self") or "\0" in text) and self.letter_at(end + 1):
                text, raw = text + ".", True
            elif piece in ("_", r"\_") and text and end + 1 < len(self.items):
                following = self.items[end + 1].text
                if not (_is_ascii_letter(following) or following.isdigit()):
                    break
                text, raw = text + ("_" if piece == "_" else "\0"), True
            else:
                break
            end += 1
        if not raw:
            return False
        parts = re.split("([_\0])", text)
        known = text.startswith("self.") or any(p in S.IDENTIFIER_PARTS for p in parts[2::2])
        if "\0" not in text and not known:
            return False
        if not known:  # only what is escaped belongs together; a raw underscore keeps TeX's meaning
            last = max(i for i, p in enumerate(parts) if p == "\0")
            if "_" in parts[: last + 1]:
                return False
            parts = parts[: last + 2]
        text = "".join(parts)
        end = self.at
        length = 0
        while length < len(text):
            length += len(self.items[end].text) - (self.items[end].text == r"\_")
            end += 1
        spelled = joined(self.items[self.at : end])
        if text.startswith("F\0"):
            self.add("letter", "F_", r"F\_", self.items[self.at].start, self.items[self.at + 1].end)
            self.at += 2
            return True
        plain = text.replace("\0", "_")
        spelled = spelled if "_" not in text and "." not in text else _typewriter(plain)
        self.add("word", plain, spelled, self.items[self.at].start, self.items[end - 1].end)
        self.at = end
        return True

    def letter_at(self, place: int) -> bool:
        """Whether a letter stands at a place."""
        return place < len(self.items) and _is_ascii_letter(self.items[place].text)

    def pieces(self, run: str, end: int) -> list[str]:
        """A run of letters as words and single letters."""
        if len(run) == 1 or run in S.FUNCTION_WORDS or run in self.lexicon.words:
            return [run]
        if run[0] == "d" and run not in S.NOT_GRADIENTS:
            return ["d", run[1:]]
        for word in ("tanh", "sigmoid", "softmax", "diag"):
            if run.endswith(word) and len(run) < len(word) + 3:
                return [*self.pieces(run[: -len(word)], end), word]
        coded = end < len(self.items) and self.items[end].text == "["  # hs[t]
        if (run.islower() and (len(run) > 2 or coded)) or len(run) > 3:
            return [run]
        return list(run)

    # -- commands --------------------------------------------------------------------------------

    def command(self, item: Lexeme) -> None:
        name = item.text[1:].removesuffix("*") if item.text[1:].isascii() else item.text[1:]
        name = name or item.text[1:]
        self.at += 1
        for table, kind in _COMMANDS:
            if name in table:
                plain = table[name] if isinstance(table, dict) else name
                self.add(kind, plain, item.text, item.start, item.end)
                return
        if item.text == r"\\" or name == "cr" or name == "tabularnewline":
            self.skip_optional()
            self.add("row", "row", r"\\", item.start, item.end)
        elif name in _REWRITTEN:
            _REWRITTEN[name](self, item)
        elif name in S.SIZES:
            self.sized(item)
        elif name in S.FONTS:
            self.font(item, name)
        elif name in S.SPACES_WITH_ARGUMENT or name == "tag":
            self.hidden(item, name)
        elif name in ("begin", "end"):
            self.environment(item, name)
        elif item.text == r"\|":
            self.add("bar", "‖", r"\|", item.start, item.end)
        elif item.text == r"\{":
            self.add("open", "{", r"\{", item.start, item.end)
        elif item.text == r"\}":
            self.add("close", "}", r"\}", item.start, item.end)
        elif item.text == r"\_":
            self.underscore(item)
        elif item.text == r"\'":
            self.add("prime", "'", "'", item.start, item.end)
        elif name in S.FUNCTION_WORDS:
            self.add("function", name, rf"\operatorname{{{name}}}", item.start, item.end)
        elif name in S.SPACES or name.isspace():
            self.spaced = True
        elif name in ("&", "%", "#", "$"):
            raise ReadingError(f"the character {item.text} has no meaning here", item.start)
        else:
            self.add("command", name, item.text, item.start, item.end)

    def environment(self, item: Lexeme, name: str) -> None:
        """The begin or end of an environment, with its columns."""
        inside, self.at = group(self.items, self.at)
        plain = joined(inside).strip()
        spelled = rf"\{name}{{{plain}}}"
        if name == "begin" and plain in ("array", "tabular", "subarray", "alignedat", "alignat", "alignat*"):
            while self.at < len(self.items) and self.items[self.at].text == "[":
                end = self.at
                while end < len(self.items) and self.items[end].text != "]":
                    end += 1
                self.at = end + 1
            columns, self.at = group(self.items, self.at)
            spelled += "{" + joined(columns) + "}"
        self.add(name, plain, spelled, item.start, self.items[self.at - 1].end)

    def skip_optional(self) -> None:
        """The distance after a row: ``\\\\[2pt]``."""
        if self.at < len(self.items) and self.items[self.at].text == "[":
            end = self.at
            while end < len(self.items) and end < self.at + 12:
                if self.items[end].text == "]":
                    inside = joined(self.items[self.at + 1 : end])
                    if re.fullmatch(r"\s*-?[\d.]+\s*[a-z]{2}\s*", inside):
                        self.at = end + 1
                    return
                end += 1

    def sized(self, item: Lexeme) -> None:
        r"""A bracket with its size: ``\left(``, ``\big|``, ``\right.``."""
        while self.at < len(self.items) and self.items[self.at].kind == "space":
            self.at += 1
        if self.at >= len(self.items):
            raise ReadingError(f"{item.text} without a bracket", item.start)
        bracket = self.items[self.at]
        self.at += 1
        text = bracket.text
        name = text[1:] if text.startswith("\\") and len(text) > 1 else text
        name = {"{": "lbrace", "}": "rbrace"}.get(name, name) if text in (r"\{", r"\}") else name
        name = "Vert" if text == r"\|" else {"<": "langle", ">": "rangle"}.get(name, name)
        spelled = item.text + (" " if text[:1].isalpha() else "") + text
        size = item.text[1:]
        if name in S.BARS or name == ".":
            side = "open" if size == "left" or size.endswith("l") else "close"
            side = side if size in ("left", "right") or size[-1:] in "lr" else "bar"
            plain = "." if name == "." else S.BARS[name]
            self.add("bar" if side == "bar" or size == "middle" else side, plain, spelled, item.start, bracket.end)
        elif name in S.OPENERS:
            self.add("open", S.OPENERS[name], spelled, item.start, bracket.end)
        elif name in S.CLOSERS:
            self.add("close", S.CLOSERS[name], spelled, item.start, bracket.end)
        elif name == "/":
            self.add("product", "/", "/", item.start, bracket.end)
        else:
            raise ReadingError(f"{item.text} is followed by {text}, which is no bracket", item.start)

    def font(self, item: Lexeme, name: str) -> None:
        """A font: its argument is a word, text, or mathematics in that font."""
        inside, end = group(self.items, self.at)
        text = joined(inside).strip()
        spelled = item.text + "{" + joined(inside) + "}"
        last = self.items[end - 1].end
        bare = text.replace(r"\_", "_").replace(r"\-", "")
        if name == "texttt" and re.search(r"[=+@]|\w\(", bare):
            self.at = end
            inner = plain_tokens(bare)
            if all(t.kind != "command" for t in inner):
                self.found += [replace(t, start=item.start, end=last) for t in inner]
                return
        said = joined(inside) != text or bare.lower() in S.CONNECTIVES or bare.lower() in S.RANGES
        if name in S.TEXT_FONTS and said and text:
            self.at = end
            self.add("text", " ".join(text.split()), spelled, item.start, last)
        elif name in S.WORD_FONTS and re.fullmatch(r"[A-Za-z][A-Za-z0-9_.'*\-]*", bare) and len(bare) > 1:
            self.at = end
            word = bare in S.FUNCTION_WORDS or name == "operatorname"
            spelled = item.text + "{" + bare.replace("_", r"\_") + "}"
            self.add("function" if word else "word", bare, spelled, item.start, last)
        elif name in S.TEXT_FONTS and not (len(bare) == 1 and bare.isalnum()):
            self.at = end
            if text:
                self.add("text", " ".join(text.split()), spelled, item.start, last)
            else:
                self.spaced = True
        else:
            self.add("font", S.FONTS[name], item.text, item.start, item.end)

    # -- commands that are read as other commands --------------------------------------------------

    def push(self, end: int, items: Sequence[Lexeme | str], at: Lexeme) -> None:
        """Read other lexemes in the place of those up to ``end``."""
        new = [Lexeme("command" if i[0] == "\\" else "other", i, at.start, at.end) if isinstance(i, str) else i for i in items]
        self.items[self.at : end] = new

    def switch(self, item: Lexeme) -> None:
        r"""``{\bf x}`` as ``\mathbf{x}``."""
        depth, end = 0, self.at
        while end < len(self.items) and depth >= 0:
            depth += {"{": 1, "}": -1}.get(self.items[end].text, 0)
            end += 1
        if depth < 0:
            command = {"cal": r"\mathcal"}.get(item.text[1:], r"\math" + item.text[1:])
            self.push(end - 1, [command, "{", *self.items[self.at : end - 1], "}"], item)

    def boxed(self, item: Lexeme) -> None:
        r"""The inside of ``\boxed{x}``, ``\underbrace{x}_{words}``, ``\textcolor{red}{x}``."""
        inside, end = group(self.items, self.at)
        if item.text in (r"\textcolor", r"\colorbox"):
            inside, end = group(self.items, end)
        if item.text in (r"\underbrace", r"\overbrace"):
            after = end
            while after < len(self.items) and self.items[after].kind == "space":
                after += 1
            if after < len(self.items) and self.items[after].text in ("_", "^"):
                end = group(self.items, after + 1)[1]
        self.push(end, inside, item)

    def stacked(self, item: Lexeme) -> None:
        r"""``\stackrel{def}{=}``, an arrow over a letter, limits over and under an operator."""
        over, end = group(self.items, self.at)
        base, end = group(self.items, end)
        text, above = joined(base).strip(), joined(over).strip()
        if text in ("=", r"\equiv"):
            defines = re.search(r"def|triangle|Delta|let|记", above)
            self.add("relation", ":=" if defines else "=", item.text + "{" + above + "}{" + text + "}", item.start, item.end)
            self.push(end, [], item)
        elif "arrow" in above:
            self.push(end, [r"\overleftarrow" if "left" in above else r"\overrightarrow", "{", *base, "}"], item)
        elif above in (r"\sim", "~", r"\wedge", r"\hat", "-"):
            accent = {r"\sim": r"\tilde", "~": r"\tilde", "-": r"\bar"}.get(above, r"\hat")
            self.push(end, [accent, "{", *base, "}"], item)
        else:
            mark = "_" if item.text == r"\underset" else "^"
            self.push(end, [*base, mark, "{", *over, "}"], item)

    def related(self, item: Lexeme) -> None:
        r"""``\mathrel{+}=`` as one relation."""
        inside, end = group(self.items, self.at)
        after = end
        while after < len(self.items) and self.items[after].kind == "space":
            after += 1
        following = self.items[after].text if after < len(self.items) else ""
        sign = joined(inside).strip()
        if following == r"\mathrel":
            second, after = group(self.items, after + 1)
            following, after = joined(second).strip(), after - 1
        if sign + following in ("+=", "-=", ":=", "*="):
            spelled = rf"\mathrel{{{sign}}}="
            self.add("relation", sign + following, spelled, item.start, self.items[after].end)
            self.at = after + 1
        else:
            self.push(end, inside, item)

    def negated(self, item: Lexeme) -> None:
        r"""``\not=``."""
        if self.at < len(self.items) and self.items[self.at].text in ("=", r"\in"):
            plain = "≠" if self.items[self.at].text == "=" else "∉"
            self.add("relation", plain, r"\ne" if plain == "≠" else r"\notin", item.start, self.items[self.at].end)
            self.at += 1

    def hidden(self, item: Lexeme, name: str) -> None:
        inside, self.at = group(self.items, self.at)
        if name == "color" and self.at < len(self.items) and self.items[self.at].text == "[":
            self.skip_optional()
        if name in ("tag", "label"):
            self.add(name, joined(inside).strip(), item.text, item.start, self.items[self.at - 1].end)
        self.spaced = True

    def underscore(self, item: Lexeme) -> None:
        r"""``\_`` before a brace is Markdown's escape of a subscript; after a name, a part of it."""
        following = self.items[self.at].text if self.at < len(self.items) else ""
        if self.found and self.found[-1].plain == "F" and following.startswith("\\"):
            before = self.found.pop()
            self.add("letter", "F_", r"F\_", before.start, item.end)
            return
        named = self.found and self.found[-1].kind in ("letter", "word", "}", "close", "number", "prime", "suffix")
        if following == "{" and named:
            self.add("sub", "_", "_", item.start, item.end)
            return
        end = self.at
        while end < len(self.items) and _is_ascii_letter(self.items[end].text):
            end += 1
        if end == self.at:
            self.add("sub", "_", "_", item.start, item.end)
            return
        word = joined(self.items[self.at : end])
        last = self.items[end - 1].end
        self.add(*(("suffix", word) if named else ("word", "_" + word)), r"\_" + word, item.start, last)
        self.at = end


_COMMANDS: list[tuple[dict[str, str] | frozenset[str], str]] = [
    (frozenset(("frac", "dfrac", "tfrac", "cfrac", "sfrac", "nicefrac")), "frac"),
    ({"sqrt": "sqrt"}, "sqrt"),
    ({"partial": "∂"}, "partial"),
    ({"nabla": "∇"}, "nabla"),
    ({"prime": "'"}, "prime"),
    (frozenset(("substack",)), "substack"),
    (frozenset(("forall", "exists")), "quantifier"),
    (S.GAPS, "gap"),
    (S.ACCENTS, "accent"),
    ({k: v for k, v in S.PRODUCTS.items() if k.isalpha() and k.isascii()}, "product"),
    ({k: v for k, v in S.SIGNS.items() if k.isalpha() and k.isascii()}, "sign"),
    ({k: v for k, v in S.RELATIONS.items() if k.isalpha() and k.isascii()}, "relation"),
    ({k: v for k, v in S.OPENERS.items() if k.isalpha() and k.isascii()}, "open"),
    ({k: v for k, v in S.CLOSERS.items() if k.isalpha() and k.isascii()}, "close"),
    ({k: v for k, v in S.BARS.items() if k.isalpha() and k.isascii()}, "bar"),
    ({k: v for k, v in S.BIG.items() if k.isalpha() and k.isascii()}, "big"),
    ({k: v for k, v in S.DOTS.items() if k.isalpha() and k.isascii()}, "dots"),
    ({"top": "⊤", "intercal": "⊤", "transp": "⊤", "tran": "⊤", "trans": "⊤"}, "transpose"),
    (S.FUNCTION_COMMANDS, "function"),
    (S.LETTERS, "letter"),
]


_REWRITTEN = {
    **dict.fromkeys(S.SWITCHES, _Latex.switch),
    **dict.fromkeys(("boxed", "fbox", "smash", "underbrace", "overbrace", "textcolor", "colorbox"), _Latex.boxed),
    **dict.fromkeys(("overset", "underset", "stackrel"), _Latex.stacked),
    **dict.fromkeys(("mathrel", "mathbin", "mathord"), _Latex.related),
    "not": _Latex.negated,
}
"""Commands that are read as other commands."""


def _kind_of(text: str, length: int) -> tuple[str, str] | None:
    """(kind, meaning) of one to three characters of mathematics."""
    if length == 1 and text in ("_", "^", "&", "'", "’", "′", "`", "~"):
        return {"_": ("sub", "_"), "^": ("sup", "^"), "&": ("and", "&"), "~": ("space", "~")}.get(text, ("prime", "'"))
    if text in S.DOTS and (length > 1 or text != "."):
        return "dots", S.DOTS[text]
    if text in S.RELATIONS and not text.isalpha():
        return "relation", S.RELATIONS[text]
    if text in S.PRODUCTS and not text.isalpha() and text != "**":
        return "product", S.PRODUCTS[text]
    if text in S.SIGNS and not text.isalpha():
        return "sign", S.SIGNS[text]
    if text in S.OPENERS and not text.isalpha() and text != "{":
        return "open", S.OPENERS[text]
    if text in S.CLOSERS and not text.isalpha() and text != "}":
        return "close", S.CLOSERS[text]
    if text in S.BARS and not text.isalpha():
        return "bar", S.BARS[text]
    if length > 1:
        return None
    if text in S.BIG:
        return "big", S.BIG[text]
    if text in _PUNCTUATION:
        return "comma", _PUNCTUATION[text]
    return {"∂": ("partial", "∂"), "∇": ("nabla", "∇"), "⊤": ("transpose", "⊤"), "⊺": ("transpose", "⊤"),
            "√": ("sqrt", "sqrt"), "∀": ("quantifier", "forall"), "∃": ("quantifier", "exists"),
            "⁠": ("space", " ")}.get(text)  # fmt: skip


def _is_letter(char: str) -> bool:
    return len(char) == 1 and char.isalpha() and char not in S.SUPERSCRIPTS and char not in S.SUBSCRIPTS


def _is_han(char: str) -> bool:
    return len(char) == 1 and ("\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7af")


def _is_ascii_letter(char: str) -> bool:
    return len(char) == 1 and char.isascii() and char.isalpha()


_PLAIN = re.compile(
    r"(?P<space>\s+)|(?P<number>\d+\.(?!\d|\.)(?=\s*[-+*/)])|(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?)"
    r"|(?P<path>self(?:\s*\.\s*[A-Za-z]\w*)+|[A-Za-z]\w*(?:\.[A-Za-z]\w*)+)|(?P<dots>\.\.\.?)"
    r"|(?P<word>[A-Za-z](?:[A-Za-z0-9]|_(?=[A-Za-z0-9]))*)|(?P<command>\\[A-Za-z]+)"
    r"|(?P<small>[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵗᵀᵏʲˢ]+|[₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₜₖᵢⱼₙₘₕₓₛₒₐₑₗₚᵣᵤᵥ]+)"
    r"|(?P<operator>\+=|-=|\*=|:=|<-|->|=>|==|<=|>=|!=|\*\*|\.\*|\./|\|\|)|(?P<other>.)",
    re.DOTALL,
)


def plain_tokens(text: str, offset: int = 0) -> tuple[Token, ...]:
    """The tokens of an equation in plain text, as in code or in a message: ``ds = self.o * top_diff_h``.

    Raises:
        ReadingError: too long, or a character without a meaning.
    """
    if len(text) > FORMULA:
        raise ReadingError(f"a formula of {len(text)} characters; at most {FORMULA} are read", offset)
    return tuple(_Plain(text, offset).read())


class _Plain:
    """Reads plain text from the left."""

    def __init__(self, text: str, offset: int) -> None:
        self.text, self.offset = text, offset
        self.found: list[Token] = []
        self.spaced = False
        self.script = 0  # depth of a script in brackets: h_(t-1)

    def add(self, kind: str, plain: str, spelling: str, start: int, end: int) -> None:
        self.found.append(Token(kind, plain, spelling, start + self.offset, end + self.offset, self.spaced))
        self.spaced = False

    def read(self) -> list[Token]:
        for match in _PLAIN.finditer(self.text):
            text, start, end = match.group(), match.start(), match.end()
            getattr(self, f"see_{match.lastgroup}")(text, start, end)
        return self.found

    def see_space(self, text: str, start: int, end: int) -> None:
        self.spaced = True

    def see_number(self, text: str, start: int, end: int) -> None:
        if len(text) > DIGITS:
            raise ReadingError(f"a number of {len(text)} digits; at most {DIGITS} are read", start + self.offset)
        self.add("number", text.rstrip("."), text, start, end)

    def see_dots(self, text: str, start: int, end: int) -> None:
        self.add("dots", "…", r"\dots", start, end)

    def see_path(self, text: str, start: int, end: int) -> None:
        plain = re.sub(r"\s+", "", text)
        if plain.endswith(".T"):
            self.see_word(plain[:-2], start, end - 2)
            self.add("sup", "^", "^", end - 2, end)
            self.add("transpose", "⊤", r"\top", end - 2, end)
            return
        self.add("word", plain, _typewriter(plain), start, end)

    def see_word(self, text: str, start: int, end: int) -> None:
        if text in S.LETTERS and len(text) > 1 and text not in ("star", "bullet", "dagger"):
            letter = S.LETTERS[text]
            self.add("letter", letter, S.SPELLED[letter], start, end)
        elif text in ("sum", "prod") and self.next_char(end) in ("_", ""):
            self.add("big", S.BIG[text], "\\" + text, start, end)
        elif text in S.FUNCTION_WORDS:
            spelled = "\\" + text if text in S.FUNCTION_COMMANDS else rf"\mathrm{{{text}}}"
            self.add("function", text, spelled, start, end)
        elif len(text) == 1:
            self.add("letter", text, text, start, end)
        else:
            self.add("word", text, _typewriter(text), start, end)

    def next_char(self, end: int) -> str:
        return self.text[end : end + 1]

    def see_command(self, text: str, start: int, end: int) -> None:
        self.found += latex_tokens(text, offset=start + self.offset)

    def see_small(self, text: str, start: int, end: int) -> None:
        self.found += latex_tokens(text, offset=start + self.offset)

    def see_operator(self, text: str, start: int, end: int) -> None:
        if text == "**":
            self.add("sup", "^", "^", start, end)
        else:
            kind, plain = _kind_of(text, len(text)) or ("command", text)
            self.add(kind, plain, {"||": r"\|"}.get(text, text), start, end)

    def see_other(self, text: str, start: int, end: int) -> None:
        if text in S.COMBINING:
            self.add("mark", S.COMBINING[text], text, start, end)
        elif text == "{":
            self.add("{", "{", "{", start, end)
        elif text == "}":
            self.add("}", "}", "}", start, end)
        elif text in ("'", "′", "’"):
            self.add("prime", "'", "'", start, end)
        elif _is_letter(text):
            plain = unicodedata.normalize("NFKC", text)
            self.add("letter", plain, S.SPELLED.get(plain, plain), start, end)
        else:
            kind, plain = _kind_of(text, 1) or ("command", text)
            self.add(kind, plain, _LATEX.get(text, text), start, end)


_LATEX = {
    "⊙": r"\odot", "∘": r"\circ", "⊗": r"\otimes", "×": r"\times", "·": r"\cdot", "⋅": r"\cdot", "∂": r"\partial",
    "∇": r"\nabla", "≈": r"\approx", "≤": r"\le", "≥": r"\ge", "∈": r"\in", "←": r"\leftarrow", "→": r"\to",
    "∝": r"\propto", "∑": r"\sum", "∏": r"\prod", "−": "-", "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\|",
}  # fmt: skip


def _typewriter(text: str) -> str:
    """A word of code in LaTeX."""
    return rf"\mathtt{{{text}}}".replace("_", r"\_")
