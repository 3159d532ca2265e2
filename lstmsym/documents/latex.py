r"""Tokens of LaTeX mathematics: letters side by side are single names, unless they are a word.

What is a name, a function or a gradient is decided by the parser; here only what belongs together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lstmsym.documents import symbols as S
from lstmsym.documents.limits import DIGITS, FORMULA, NESTING, ReadingError
from lstmsym.documents.macros import Lexeme, Macro, expanded, group, joined, lexemes, optional
from lstmsym.documents.plain import plain_tokens
from lstmsym.documents.scanned import mended_lexemes
from lstmsym.documents.tokens import (
    COMMANDS,
    NOTHING,
    PUNCTUATION,
    Lexicon,
    Token,
    is_ascii_letter,
    is_han,
    is_letter,
    is_small,
    kind_of,
    placeholders,
    small,
    typewriter,
)

IDENTIFIER = 40
"""Characters of the name of a variable in code."""
PACKAGES = {
    rf"\{name}": Macro(body.count("#"), tuple(lexemes(body)))
    for name, body in {
        "pdv": r"\frac{\partial #1}{\partial #2}", "dv": r"\frac{d #1}{d #2}", "abs": "|#1|",
        "norm": r"\|#1\|", "R": r"\mathbb{R}", "vb": r"\mathbf{#1}", "vdot": r"\cdot",
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
    items = expanded(mended_lexemes(text, offset), {**PACKAGES, **(macros or {})})
    depth = 0
    for item in items:
        depth += {"{": 1, "}": -1}.get(item.text, 0)
        if depth > 2 * NESTING:
            raise ReadingError(f"braces nested deeper than {2 * NESTING}", item.start)
    return placeholders(_Latex(items, lexicon).read())


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
        if char == "{" and (single := self.lone_operator()):
            kind, plain, end = single
            spelled = plain if plain in ("+=", "-=") else self.items[self.at + 1].text
            self.add(kind, plain, spelled, item.start, self.items[end - 1].end)
            self.at = end
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
        elif is_letter(char):
            self.letters()
        else:
            self.symbol(item)

    def lone_operator(self) -> tuple[str, str, int] | None:
        """The operator of ``{=}``, ``{+}=``, which TeX sets without space, and where it ends."""
        window = [x.text for x in self.items[self.at : self.at + 4]]
        if self.after_script() or len(window) < 3 or window[2] != "}":
            return None
        if window[1:] in (["+", "}", "="], ["-", "}", "="]):
            return "relation", window[1] + "=", self.at + 4
        found = COMMANDS.get(window[1][1:]) if len(window[1]) > 1 else kind_of(window[1])
        return (*found, self.at + 3) if found and found[0] in ("relation", "sign", "product") else None

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
        for length in (1,) if self.after_script() else (3, 2, 1):
            window = self.items[self.at : self.at + length]
            text = joined(window)
            if len(window) == length and any(w.kind != "other" for w in window[1:]):
                continue
            kind = kind_of(text)
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
        if char in S.VULGAR:
            self.add("number", S.VULGAR[char], S.VULGAR[char], item.start, item.end)
        elif char in S.COMBINING:
            self.add("mark", S.COMBINING[char], char, item.start, item.end)
        elif is_small(char):
            self.small(item)
        elif char in "#$\\\u200b\ufeff\u00ad":
            raise ReadingError(f"the character {char!r} has no meaning here", item.start)
        elif char.isspace():
            self.spaced = True
        else:
            self.add("command", char, char, item.start, item.end)

    def small(self, item: Lexeme) -> None:
        """Superscript and subscript characters side by side."""
        table = S.SUPERSCRIPTS if item.text in S.SUPERSCRIPTS else S.SUBSCRIPTS
        first = self.at - 1
        while self.at < len(self.items) and self.items[self.at].text in table:
            self.at += 1
        self.found += small(joined(self.items[first : self.at]), item.start, self.items[self.at - 1].end)

    # -- letters ---------------------------------------------------------------------------------

    def letters(self) -> None:
        first = self.items[self.at]
        if self.after_script():
            self.letter(first)
            self.at += 1
            return
        if is_han(first.text):
            self.han()
            return
        if self.code_name():
            return
        end = self.at
        while end < len(self.items) and is_ascii_letter(self.items[end].text):
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
        while end < len(self.items) and is_han(self.items[end].text):
            end += 1
        text = joined(self.items[self.at : end])
        self.add("text", text, rf"\text{{{text}}}", self.items[self.at].start, self.items[end - 1].end)
        self.at = end

    def letter(self, item: Lexeme) -> None:
        plain = unicodedata.normalize("NFKC", item.text)
        self.add("letter", plain, S.SPELLED.get(plain, plain), item.start, item.end)

    def code_name(self) -> bool:
        r"""Letters with raw or escaped underscores that are the name of a variable in code: top_diff_h."""
        pieces = self.code_pieces()
        text = "".join(pieces)
        if text.startswith("F\0"):
            self.add("letter", "F_", r"F\_", self.items[self.at].start, self.items[self.at + 1].end)
            self.at += 2
            return True
        parts = re.split("([_\0])", text)
        known = text.startswith("self.") or any(p in S.IDENTIFIER_PARTS for p in parts[2::2])
        if not known:  # only what is escaped belongs together; a raw underscore keeps TeX's meaning
            last = max((i for i, p in enumerate(parts) if p == "\0"), default=0)
            if not last or "_" in parts[: last + 1]:
                return False
            pieces = pieces[: len("".join(parts[: last + 2]))]
        end = self.at + len(pieces)
        plain = "".join(pieces).replace("\0", "_")
        clean = "_" not in pieces and "." not in pieces
        spelled = joined(self.items[self.at : end]) if clean else typewriter(plain)
        self.add("word", plain, spelled, self.items[self.at].start, self.items[end - 1].end)
        self.at = end
        return True

    def code_pieces(self) -> list[str]:
        r"""The characters that may make a name in code, ``\_`` as a null; without an underscore, none."""
        found: list[str] = []
        for place in range(self.at, min(len(self.items), self.at + IDENTIFIER)):
            piece = self.items[place].text
            follows = self.letter_at(place + 1)
            if is_ascii_letter(piece) or (found and piece.isascii() and piece.isdigit()):
                found += piece
            elif found and piece in ("_", r"\_") and (follows or self.digit_at(place + 1)):
                found.append("_" if piece == "_" else "\0")
            elif piece == "." and follows and ("\0" in found or "".join(found[:4]) == "self"):
                found.append(".")
            else:
                break
        return found if {"_", "\0", "."} & set(found) else []

    def digit_at(self, place: int) -> bool:
        """Whether a digit stands at a place."""
        return place < len(self.items) and self.items[place].text.isdigit()

    def letter_at(self, place: int) -> bool:
        """Whether a letter stands at a place."""
        return place < len(self.items) and is_ascii_letter(self.items[place].text)

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
        name = item.text[1:].removesuffix("*") or item.text[1:]
        self.at += 1
        known = COMMANDS.get(name) or _ESCAPED.get(item.text)
        if known:
            self.add(*known, item.text, item.start, item.end)
        elif name in _READ:
            _READ[name](self, item)
        elif name in S.FUNCTION_WORDS:
            self.add("function", name, rf"\operatorname{{{name}}}", item.start, item.end)
        elif name in S.SPACES or name.isspace():
            self.spaced = True
        else:
            self.add("command", name, item.text, item.start, item.end)

    def row(self, item: Lexeme) -> None:
        if self.at < len(self.items) and self.items[self.at].text == "*":
            self.at += 1
        self.skip_optional()
        self.add("row", "row", r"\\", item.start, item.end)

    def between(self, item: Lexeme) -> None:
        r"""``\intertext{so that $a = b$ and}``: words between the rows, with the formulas in them."""
        inside, end = group(self.items, self.at)
        pieces: list[Lexeme | str] = [r"\\"]
        for place, part in enumerate(_at_dollars(inside)):
            if place % 2:
                pieces += part
            elif joined(part).strip():
                pieces += [r"\text", "{", *part, "}"]
        self.push(end, [*pieces, r"\\"], item)

    def meaningless(self, item: Lexeme) -> None:
        raise ReadingError(f"the character {item.text} has no meaning here", item.start)

    def environment(self, item: Lexeme) -> None:
        """The begin or end of an environment, with its columns."""
        name = item.text[1:]
        inside, self.at = group(self.items, self.at)
        plain = joined(inside).strip()
        spelled = rf"\{name}{{{plain}}}"
        if name == "begin":
            self.skip_position()
        if name == "begin" and plain == "empheq":
            _, self.at = optional(self.items, self.at)
            plain, self.at = "empheq", group(self.items, self.at)[1]
        if name == "begin" and plain in _WITH_COLUMNS:
            columns, self.at = group(self.items, self.at)
            spelled += "{" + joined(columns) + "}"
        self.add(name, plain, spelled, item.start, self.items[self.at - 1].end)

    def skip_position(self) -> None:
        """The place of an environment on its line: ``[t]``."""
        if re.fullmatch(r"\[[tbc]\]", joined(self.items[self.at : self.at + 3])):
            self.at += 3

    def skip_optional(self) -> None:
        r"""The distance after a row: ``\\[2pt]``."""
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
            self.add(
                "bar" if side == "bar" or size == "middle" else side, plain, spelled, item.start, bracket.end
            )
        elif name in S.OPENERS:
            self.add("open", S.OPENERS[name], spelled, item.start, bracket.end)
        elif name in S.CLOSERS:
            self.add("close", S.CLOSERS[name], spelled, item.start, bracket.end)
        elif name == "/":
            self.add("product", "/", "/", item.start, bracket.end)
        else:
            raise ReadingError(f"{item.text} is followed by {text}, which is no bracket", item.start)

    def font(self, item: Lexeme) -> None:
        """A font: its argument is a word, text, or mathematics in that font."""
        name = item.text[1:].removesuffix("*")
        inside, end = group(self.items, self.at)
        text = joined(inside).strip()
        if name in S.TEXT_FONTS and _BOXED.fullmatch(text):  # a formula in a box
            first = next(p for p, x in enumerate(inside) if x.text == "$")
            self.push(end, [x for x in inside[first:] if x.text != "$"], item)
            return
        spelled = item.text + "{" + joined(inside) + "}"
        last = self.items[end - 1].end
        bare = text.replace(r"\_", "_").replace(r"\-", "")
        if bare in PUNCTUATION:
            self.at = end
            self.add("comma", PUNCTUATION[bare], spelled, item.start, last)
            return
        if name == "texttt" and re.search(r"[=+@]|\w\(", bare):
            self.at = end
            inner = plain_tokens(bare)
            if all(t.kind != "command" for t in inner):
                self.found += [replace(t, start=item.start, end=last) for t in inner]
                return
        said = joined(inside) != text or bare.lower() in S.CONNECTIVES or bool(S.RANGES.match(bare))
        if name in S.TEXT_FONTS and said and text:
            self.at = end
            self.add("text", " ".join(text.split()), spelled, item.start, last)
        elif name in S.WORD_FONTS and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.'*\-]*", bare) and len(bare) > 1:
            self.at = end
            word = bare in S.FUNCTION_WORDS or name == "operatorname"
            spelled = item.text + "{" + bare.replace("_", r"\_") + "}"
            self.add("function" if word else "word", bare, spelled, item.start, last)
        elif name in S.TEXT_FONTS and not (len(bare) == 1 and bare.isascii() and bare.isalnum()):
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
        new = [
            Lexeme("command" if i[0] == "\\" else "other", i, at.start, at.end) if isinstance(i, str) else i
            for i in items
        ]
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
            self.add(
                "relation",
                ":=" if defines else "=",
                item.text + "{" + above + "}{" + text + "}",
                item.start,
                item.end,
            )
            self.push(end, [], item)
        elif "arrow" in above:
            self.push(
                end, [r"\overleftarrow" if "left" in above else r"\overrightarrow", "{", *base, "}"], item
            )
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
            self.add(
                "relation", plain, r"\ne" if plain == "≠" else r"\notin", item.start, self.items[self.at].end
            )
            self.at += 1

    def hidden(self, item: Lexeme) -> None:
        name = item.text[1:].removesuffix("*")
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
        named = self.found and self.found[-1].kind in (
            "letter",
            "word",
            "}",
            "close",
            "number",
            "prime",
            "suffix",
        )
        if following == "{" and named:
            self.add("sub", "_", "_", item.start, item.end)
            return
        end = self.at
        while end < len(self.items) and is_ascii_letter(self.items[end].text):
            end += 1
        if end == self.at:
            self.add("sub", "_", "_", item.start, item.end)
            return
        word = joined(self.items[self.at : end])
        last = self.items[end - 1].end
        self.add(*(("suffix", word) if named else ("word", "_" + word)), r"\_" + word, item.start, last)
        self.at = end


_BOXED = re.compile(r"(?:\\[a-z]+\s*)*\$[^$]+\$")


_WITH_COLUMNS = frozenset(
    "array tabular subarray alignedat alignat alignat* IEEEeqnarray IEEEeqnarray*".split()
)


def _at_dollars(items: Sequence[Lexeme]) -> list[list[Lexeme]]:
    """Text and formulas in turn."""
    parts: list[list[Lexeme]] = [[]]
    for item in items:
        if item.text in ("$", r"\(", r"\)"):
            parts.append([])
        else:
            parts[-1].append(item)
    return parts


_ESCAPED = {r"\|": ("bar", "‖"), r"\{": ("open", "{"), r"\}": ("close", "}"), r"\'": ("prime", "'")}
_READ: dict[str, Callable[[_Latex, Lexeme], None]] = {
    **dict.fromkeys(("\\", "cr", "tabularnewline"), _Latex.row),
    **dict.fromkeys(S.SIZES, _Latex.sized),
    **dict.fromkeys(S.FONTS, _Latex.font),
    **dict.fromkeys(S.SWITCHES, _Latex.switch),
    **dict.fromkeys((*S.SPACES_WITH_ARGUMENT, "tag"), _Latex.hidden),
    **dict.fromkeys(("begin", "end"), _Latex.environment),
    **dict.fromkeys("boxed fbox smash underbrace overbrace textcolor colorbox".split(), _Latex.boxed),
    **dict.fromkeys(("overset", "underset", "stackrel"), _Latex.stacked),
    **dict.fromkeys(("mathrel", "mathbin", "mathord"), _Latex.related),
    **dict.fromkeys(("&", "%", "#", "$"), _Latex.meaningless),
    "_": _Latex.underscore, "not": _Latex.negated,
    **dict.fromkeys(("intertext", "shortintertext"), _Latex.between),
}  # fmt: skip
"""Commands that are read by a method of their own."""
