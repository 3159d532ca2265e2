"""How far an equation in plain text reaches to either side of its relation.

Words end it, and words can be mathematics: names of the document's, operators (times, plus), functions.
What may belong to an equation belongs to it, or makes it unread: a stump is never taken for the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lstmsym.documents import symbols as S
from lstmsym.documents.plain import (
    ACCENTED,
    CONDITIONS,
    DOT,
    INFIX,
    OPERATOR_WORDS,
    PATH,
    is_command_operator,
)
from lstmsym.documents.tokens import is_han
from lstmsym.documents.wording import DOUBTFUL, DOUBTFUL_HAN, JOINING, leads_on

Piece = tuple[str, str, int, int]
"""Kind, text, start and end."""

_PIECE = re.compile(
    rf"(?P<infix>{INFIX})|(?P<path>{PATH})|(?P<number>\d+(?:\.\d+|\.(?=\s*[-+*/)]))?|[½¼¾⅛])"
    rf"|(?P<word>(?<=\^)T(?=[a-z])|[A-Za-z][A-Za-z0-9_]*)|(?P<letter>(?:[\u0370-\u03ff∂∇∑∏ℓ]|{ACCENTED})[A-Za-z0-9_]*)"
    r"|(?P<command>\\[A-Za-z]+)|(?P<open>[(\[{⟨])|(?P<close>[)\]}⟩])"
    r"|(?P<relation>\+=|-=|\*=|:=|<-|!=|<=|>=|←|≔|=|[≠≤≥≈∝≪≫]|(?<=\s)[<>](?=\s))"
    rf"|(?P<operator>\*\*|\.\*|\./|\.\^|{DOT}|[-+*/@⊙∘⊗×·⋅−^_'′’√÷⊘⋆⋄∗•–])"
    r"|(?P<small>[⁰-₟ᵀ¹²³ᵗᵏʲˢᵢⱼᵣᵤᵥ\u0300-\u036f]+)|(?P<dots>\.\.\.?|…)|(?P<colon>[:,])|(?P<space>[ \t]+)"
    r"|(?P<bar>\|\|?|[‖∥])|(?P<foreign>[^\W\d_\x00-\x7f][^\W\d_]*)|(?P<other>.)",
    re.DOTALL,
)
OPERANDS = frozenset("path number word letter close small".split())
_ENDS = frozenset('.;!?"“”„«»`$#%。；！？\u241f—)]}）】」』')
"""Characters after which a formula does not go on."""


@dataclass(frozen=True)
class Reach:
    """Where an equation stands in a line; ``problem`` says why its end is not known."""

    low: int
    high: int
    problem: str = ""


def named(text: str) -> frozenset[str]:
    """Words that a text uses for quantities: at a step, transposed, in a derivative, set to something."""
    found = {m[1] for m in _NAMED.finditer(text)} | {m[1] for m in _SET.finditer(text)}
    found |= {w for m in _OVER.finditer(text) for w in (m[1], m[1][1:])}
    return frozenset(w for w in found if not leads_on(w) and not DOUBTFUL.search(w))


_RANGES = frozenset("all every each any in to down through until steps times".split())
_STEP = re.compile(r"[(\[][ \t]*[tTτ][ \t]*(?:[-+−][ \t]*\d+[ \t]*)?[)\]]|_\{?[tTτ]\b|[ₜₖᵗ]")
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
_NAMED = re.compile(
    r"(?<![\w\\.])([A-Za-z][A-Za-z0-9]+)(?=[(\[][ \t]*[tTτ][ \t]*(?:[-+][ \t]*\d+[ \t]*)?[)\]]|_\{?[tTτ]\b"
    r"|\^(?:T\b|\\top|\{T)|ᵀ|[ₜₖᵗ])"
)
_SET = re.compile(r"^[ \t]*([A-Za-z][A-Za-z0-9]+)[ \t]*(?:=|:=|\+=)(?!=)", re.MULTILINE)
_OVER = re.compile(r"\bd[A-Za-z]?[\w]*(?:\([^()\n]{0,9}\)|\[[^\[\]\n]{0,9}\])?/(d[A-Za-z][A-Za-z0-9]*)")


def equations(line: str, names: frozenset[str] = frozenset(), follows: bool = False) -> Iterator[Reach]:
    """Where equations stand in a line; ``follows``: the first has its left side in the line before."""
    pieces = [(m.lastgroup or "", m.group(), m.start(), m.end()) for m in _PIECE.finditer(line)]
    line_of = _Line(pieces, names)
    done = 0
    for place, (kind, _, start, _) in enumerate(pieces):
        if kind != "relation" or start < done:
            continue
        low = line_of.left(place)
        sided = low < place or (follows and not line[:start].strip())
        if not sided or pieces[low][2] < done:
            continue
        high = line_of.right(place)
        if high <= place + 1:
            continue
        problem, high = line_of.after(high)
        done = pieces[high - 1][3]
        yield Reach(pieces[low][2], done, problem)


class _Line:
    """The pieces of a line, and which words of it are names."""

    def __init__(self, pieces: list[Piece], names: frozenset[str]) -> None:
        self.pieces, self.names = pieces, names

    def kind(self, at: int) -> str:
        """Of a piece; nothing beyond the ends."""
        return self.pieces[at][0] if 0 <= at < len(self.pieces) else ""

    def text(self, at: int) -> str:
        """Of a piece; nothing beyond the ends."""
        return self.pieces[at][1] if 0 <= at < len(self.pieces) else ""

    def solid(self, at: int, step: int = 1) -> int:
        """The next piece that is no space."""
        while self.kind(at) == "space":
            at += step
        return at

    # -- words and names -----------------------------------------------------------------------------

    def is_prose(self, at: int) -> bool:
        """Whether a piece is a word of the language and no name."""
        kind, text = self.kind(at), self.text(at)
        if kind == "foreign" or self.is_elided(at):
            return True
        if kind != "word" or not is_word(text):
            article = text in ("a", "A", "I") and self.kind(at + 1) == "space"
            return article and self.is_prose(self.solid(at + 1))
        return not self.is_name(at)

    def is_elided(self, at: int) -> bool:
        """Whether a letter is an article before a vowel: l'erreur, d'entrée."""
        elided = self.text(at) in ("l", "d", "c", "s", "n", "j", "m", "L", "D") and self.text(at + 1) in (
            "'",
            "’",
        )
        return elided and self.kind(at + 2) in ("word", "foreign") and self.is_prose(at + 2)

    def is_name(self, at: int) -> bool:
        """Whether letters side by side are a name: the document uses them so, or no word looks like that."""
        text = self.text(at)
        if self.is_stepped(at) or self.is_gradient(at):
            return True
        if leads_on(text):
            return False
        following = self.text(at + 1)
        called = following == "(" and not text.endswith("s")
        acronym = len(text) > 2 and text.isupper()
        odd = not acronym and (not _VOWEL.search(text) or any(c.isupper() for c in text[1:]))
        primed = following == "'" and self.kind(at + 2) not in ("word", "letter")
        return text in self.names or called or odd or primed or following in ("^", "_")

    def is_stepped(self, at: int) -> bool:
        """Whether a step stands right after a name: do(t), h[t-1], x_t."""
        ahead = "".join(self.text(p) for p in range(at + 1, at + 9))
        return bool(_STEP.match(ahead))

    def is_gradient(self, at: int) -> bool:
        """Whether a word begins dL/dh, which no sentence has."""
        below = self.text(at + 2)[:1]
        return self.text(at)[0] == below == "d" and self.text(at + 1) == "/"

    def is_operand(self, at: int) -> bool:
        """Whether a quantity may begin at a piece."""
        kind = self.kind(at)
        if kind in ("number", "letter", "path", "open", "bar"):
            return True
        return kind == "word" and not self.is_prose(at)

    def infix(self, at: int) -> bool:
        """Whether a word is an operator between two quantities."""
        return self.text(at).lower() in OPERATOR_WORDS and self.is_operand(self.solid(at + 1))

    def group_end(self, at: int) -> int:
        """The piece that closes the bracket at a piece, or -1."""
        depth = 0
        for place in range(at, min(len(self.pieces), at + 400)):
            depth += {"open": 1, "close": -1}.get(self.kind(place), 0)
            if depth == 0:
                return place
        return -1

    def is_remark(self, at: int) -> bool:
        """Whether the bracket that opens at a piece holds words: (see above)."""
        end = self.group_end(at)
        if DOUBTFUL.search(self.text(self.solid(at + 1))):
            return False
        inside = range(at + 1, end if end > 0 else min(len(self.pieces), at + 8))
        words = [p for p in inside if self.is_prose(p)]
        others = [p for p in inside if p not in words and self.kind(p) not in ("space", "colon", "other")]
        return bool(words) and (self.solid(at + 1) == words[0] or len(words) > len(others))

    # -- the two sides -------------------------------------------------------------------------------

    def right(self, place: int) -> int:
        """One past the last piece of the right side that begins after a relation."""
        best, depth, operand, bars = place, 0, False, False
        for at in range(place + 1, len(self.pieces)):
            kind = self.kind(at)
            if depth == 0 and self.stops(at, operand, bars):
                break
            depth += {"open": 1, "close": -1}.get(kind, 0)
            if kind == "bar":
                bars = not (bars and operand)
                operand = not bars
            elif kind != "space":
                operand = self.ends_operand(at, operand)
            if depth == 0 and not bars and operand and kind != "space":
                best = at + 1
        return best if best > place else place

    def ends_operand(self, at: int, operand: bool) -> bool:
        """Whether a quantity may end with a piece; ``operand``: whether one ended before it."""
        kind, text = self.kind(at), self.text(at)
        if kind == "command":
            return not is_command_operator(text)
        if kind in ("operator", "relation", "open", "infix"):
            return text in ("'", "′", "’")
        if kind in OPERANDS or kind in ("dots", "foreign"):
            return not (kind == "word" and operand and self.infix(at))
        return operand

    def stops(self, at: int, operand: bool, bars: bool) -> bool:
        """Whether the right side ends before a piece that stands in no bracket."""
        kind = self.kind(at)
        if kind in ("colon", "close", "other", "foreign"):
            return kind != "colon" or not bars
        if kind == "dots":
            return at + 1 >= len(self.pieces)
        if kind == "bar" and operand and not bars:
            return not any(self.kind(p) == "bar" for p in range(at + 1, min(len(self.pieces), at + 60)))
        if kind == "open" and operand and self.kind(at - 1) == "space":
            return self.is_remark(at)
        if kind == "word" and not operand and leads_on(self.text(at)) and self.is_prose(at):
            return self.text(self.solid(at - 1, -1)) in "-−–" and self.kind(self.solid(at + 1)) == "word"
        return kind == "word" and operand and self.is_prose(at) and not self.infix(at)

    def left(self, place: int) -> int:
        """The first piece of the left side that ends before a relation."""
        best, depth, operand = place, 0, False
        for at in range(place - 1, -1, -1):
            kind = self.kind(at)
            depth += {"close": 1, "open": -1}.get(kind, 0)
            if depth < 0:
                break
            if depth or kind in ("space", "close"):
                continue
            if kind == "open":
                if operand and self.is_remark(at):
                    break
                best, operand = at, False  # what stands before the bracket may be its function
                continue
            if not self.goes_left(at, operand, best < place):
                break
            operand = kind in ("word", "letter", "path", "number") and not self.infix(at)
            best = at if operand else best
        while best < place and self.kind(best) in ("operator", "colon", "space"):
            best += 1
        return best if depth <= 0 else place

    def goes_left(self, at: int, operand: bool, some: bool) -> bool:
        """Whether a piece belongs to the left side that is read from its end."""
        kind, text = self.kind(at), self.text(at)
        if text in ("'", "’") and self.kind(at + 1) == "space" and some:
            return not (self.kind(at - 1) == "word" and self.is_prose(at - 1))
        if kind in ("operator", "small", "infix", "bar", "command"):
            return True
        if kind not in ("word", "letter", "path", "number"):
            return False
        apart = self.kind(at + 1) == "space"
        if operand and self.kind(at + 1) in ("letter", "word") and kind in ("letter", "word"):
            return True  # δẑ, dŷ
        if kind == "word" and some and apart and self.infix(at):
            before = self.solid(at - 1, -1)
            return self.kind(before) in OPERANDS and not self.is_prose(before)
        if operand and apart:
            return self.multiplies(at)
        return not operand and not (some and apart and self.is_prose(at))

    def multiplies(self, at: int) -> bool:
        """Whether a quantity before the left side is a factor of it: R in R^T dz(t), 2 in 2 h(t)."""
        if self.text(at - 1) == "^":
            return True
        if self.is_prose(at) or self.text(at) in ("t", "T", "τ") or self.text(at - 1) in ("'", "’"):
            return False
        before = self.solid(at - 1, -1)
        if self.text(at) in ("d", "δ", "∂", "delta", "Δ") and self.kind(before) in (
            "relation",
            "dots",
            "other",
        ):
            return True
        joins = self.kind(before) in ("", "operator", "infix", "open") or self.text(before) == ":"
        return joins or leads_on(self.text(before))

    # -- what comes after ----------------------------------------------------------------------------

    def after(self, high: int) -> tuple[str, int]:
        """Why it is not clear that an equation has ended, and where what is not clear ends."""
        at = self.solid(high)
        if self.text(at).lower() in CONDITIONS and at > high:
            return "", max(high, self.condition(at))
        if not self.goes_on(at, spaced=at > high):
            return "", high
        end = high
        for place in range(at, len(self.pieces)):
            if self.kind(place) == "relation" or self.text(place) in (";", "\u241f"):
                break
            if self.text(place) == "." and self.kind(place + 1) in ("space", ""):
                break
            end = place + 1 if self.kind(place) != "space" else end
        rest = "".join(self.text(p) for p in range(at, end))
        shown = rest if len(rest) < 60 else rest[:57] + "..."
        hint = "may belong to it; put words on a line of their own"
        return f"where the formula ends is not clear: {shown!r} {hint}", end

    def condition(self, at: int) -> int:
        """One past a condition that begins with a word: for t = 1, ..., T; if z(t) > 0."""
        ranges = CONDITIONS[self.text(at).lower()]
        end, said = at, False
        for place in range(at + 1, len(self.pieces)):
            kind, text = self.kind(place), self.text(place)
            if text in (";", "。", "\u241f") or (text == "." and self.kind(place + 1) in ("space", "")):
                break
            if (kind == "colon" and not self.lists(place)) or (
                ranges and self.is_prose(place) and text not in _RANGES
            ):
                break
            said |= kind in ("relation", "dots") or text in ("in", "∈", "all", "every", "each")
            end = place if kind in ("space", "colon") else place + 1
            if kind == "close" and ranges and said and self.text(self.solid(end)) != ",":
                break
        return end if said or not ranges else 0

    def lists(self, at: int) -> bool:
        """Whether a range goes on after a comma: 1, ..., T."""
        following = self.solid(at + 1)
        text, after = self.text(following), self.text(self.solid(following + 1))
        if self.text(at) == ":" or not text:
            return False
        single = len(text) == 1 and after not in ("(", "[", "=")
        short = single or self.kind(following) in ("dots", "number")
        return short or text in "else otherwise all".split() or (text in ("t", "k", "j") and after == "=")

    def goes_on(self, at: int, spaced: bool) -> bool:
        """Whether what follows an equation may be a part of it."""
        kind, text = self.kind(at), self.text(at)
        if text == "," and self.text(self.solid(at + 1)).lower() in OPERATOR_WORDS:
            return True
        if kind in ("", "colon", "close", "dots", "relation") or text in _ENDS:
            return False
        if kind == "other":
            return text not in _ENDS and self.is_operand(self.solid(at + 1))
        if kind == "open":
            return not self.is_remark(at)
        if kind == "operator":
            following = self.solid(at + 1)
            dash = text in "-−–" and self.kind(following) == "word" and self.is_prose(following)
            return self.words_go_on(following) if dash else self.is_operand(following) or spaced
        if kind == "bar":
            return self.is_operand(self.solid(at + 1)) and not spaced
        return self.words_go_on(at)

    def words_go_on(self, at: int) -> bool:
        """Whether words after an equation speak of an operation, or lead to a quantity."""
        if self.text(at).lower() in JOINING:
            following = self.solid(at + 1)
            return bool(DOUBTFUL.search(self.text(following))) or (
                self.text(following).lower() in JOINING and self.words_go_on(following)
            )
        if self.stands_alone(at):
            return True
        for place in range(at, min(len(self.pieces), at + 40)):
            kind, text = self.kind(place), self.text(place)
            if kind in ("colon", "relation") or text in _ENDS or leads_on(text):
                return False
            if DOUBTFUL.search(text) or (kind == "foreign" and DOUBTFUL_HAN.search(text)):
                return True
            near = place < at + 5 and not is_han(self.text(at)[0])
            if kind in ("infix", "command") or (near and self.is_operand(place) and kind != "number"):
                return True
        return False

    def stands_alone(self, at: int) -> bool:
        """Whether a single word ends the line that may be a name: carry, but not elementwise."""
        text = self.text(at)
        ends = self.kind(self.solid(at + 1)) == "" or self.text(at + 1) in (".", ";", "\u241f")
        return ends and self.kind(at) == "word" and not leads_on(text) and not text.endswith(("ly", "wise"))


def is_word(text: str) -> bool:
    """Whether letters may be a word of the language."""
    return (
        len(text) > 1
        and text.isalpha()
        and text.isascii()
        and text not in S.FUNCTION_WORDS
        and text not in S.LETTERS
    )
