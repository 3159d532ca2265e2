r"""What a text says in formulaic words of its notation: ``$\delta_t$ is the gradient by $h_t$``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lstmsym.binding.table import Table
from lstmsym.documents.formula import Formula, Name
from lstmsym.documents.limits import ReadingError
from lstmsym.documents.macros import Macro
from lstmsym.documents.read import Document, formula
from lstmsym.documents.tokens import Lexicon

_INLINE = re.compile(r"(?<![\\$])\$([^$\n]{1,120})\$(?!\$)")
_GRADIENT = re.compile(
    r"(gradients?|errors?|derivatives?|adjoints?|sensitivit\w+|梯度|误差|誤差|导数|勾配|기울기)",
    re.IGNORECASE,
)
_BY = re.compile(
    r"(\bof|with respect to|w\.?r\.?t\.?|\bby|\bon|对|について)\s*(the\s+)?(state|cell|output|loss)?\s*$",
    re.IGNORECASE,
)
_LOSS = re.compile(r"\s*\\?(mathcal|mathrm|mathscr|boldsymbol)?\s*\{?\s*([LEJCS]|\\ell)\s*\}?\s*")
_AND = re.compile(r"\s*(,|、|,?\s*(and|und|et|y|resp\.?|和|及|と))\s*")
_HANDED = re.compile(r"\b(handed|passed|goes|sent|given) (back )?to\s*$")
_LATER = re.compile(r"step after|next step|later step|step \$?t ?\+ ?1|elsewhere|from later|comes from step")
_FROM_LOSS = re.compile(r"from the (output|loss|layer above|next layer)|loss's own|上层|위층|上の層")
_SUPPOSING = re.compile(
    r"\b(if|when|where|provided|assuming|suppose|wenn|falls|si)\b[^.;$]*$"
    r"|[若当][^。，$]*$",
    re.IGNORECASE,
)
_ACTIVATION = r"(?:the |its |that |each )?(?:\w+ )?(?:tanh|sigmoid|activation|non-?linearit)"
_BEFORE = re.compile(
    r"^\s*(?:is|are|denotes?|stands? for|means|be)\s+(?:the\s+)?(?:gradients?|errors?|derivatives?)\b"
    r"[^.;,$]{0,40}?(?:pre-?activations?|net inputs?"
    rf"|(?:(?:argument|input)s? of|before|goes into|going into) {_ACTIVATION})",
    re.IGNORECASE,
)
_WHAT = re.compile(r"\b(what|(gradient|error|derivative)s?(\s+(that|which))?)\s*$", re.IGNORECASE)
_HELD = re.compile(r"\$([^$\n]{1,40})\$\s+(is |being |are )?(held|kept) (fixed|constant)")


@dataclass(frozen=True)
class Said:
    """``notation`` is the gradient of ``of``: all of it, or what comes from later, or from the loss.

    Of kind "before" it is that of what goes into an activation.
    """

    notation: Formula
    of: Formula
    kind: str
    line: int


def stated(text: str, lexicon: Lexicon, macros: dict[str, Macro] | None = None) -> Iterator[Said]:
    r"""What a text says of its notation."""
    for number, line in enumerate(text.split("\n"), start=1):
        spans = list(_INLINE.finditer(line))
        yield from _of_arguments(line, spans, number, lexicon)
        for place, (first, second) in enumerate(pairwise(spans)):
            between = line[first.end() : second.start()]
            end = spans[place + 2].start() if place + 2 < len(spans) else len(line)
            after = re.split(r"[.;。]|,(?! which)", line[second.end() : end])[0]
            if spans[place + 2 :] and not re.search(r"[.;,。]", line[second.end() : end]):
                after += line[end : spans[place + 2].end()]
            kind = _kind(between, after) or _handed_too(line, spans, place)
            pair = (first[1], second[1])
            if kind and _LOSS.fullmatch(second[1]) and spans[place + 2 :]:  # the derivative of L by x
                third = spans[place + 2]
                kind = kind if _BY.search(line[second.end() : third.start()]) else ""
                pair = (first[1], third[1])
            if not kind:
                kind, pair = _turned(line[max(0, first.start() - 60) : first.start()], between), pair[::-1]
            if not kind:
                continue
            for notation, of in _respectively(pair, spans, place, line):
                try:
                    yield Said(formula(notation, lexicon, macros), formula(of, lexicon, macros), kind, number)
                except ReadingError:
                    continue


def _of_arguments(line: str, spans: Sequence[re.Match[str]], number: int, lexicon: Lexicon) -> Iterator[Said]:
    r"""``$\delta$ is the gradient of the argument of the tanh``."""
    for span in spans:
        if _BEFORE.match(line[span.end() :]):
            try:
                notation = formula(span[1], lexicon)
            except ReadingError:
                continue
            yield Said(notation, notation, "before", number)


def _handed_too(line: str, spans: Sequence[re.Match[str]], place: int) -> str:
    """``$a$ is handed to $h$ and $b$ to $x$``: b as well."""
    if place < 2:
        return ""
    between = [line[spans[n].end() : spans[n + 1].start()] for n in (place - 2, place - 1, place)]
    too = re.fullmatch(r"\s*to\s*", between[2]) and re.fullmatch(r",?\s*(and\s*)?", between[1].lstrip())
    return "back" if too and _HANDED.search(between[0]) else ""


def _respectively(
    pair: tuple[str, str], spans: Sequence[re.Match[str]], place: int, line: str
) -> list[tuple[str, str]]:
    """``$da$ and $dc$ are the derivatives by $a$ and $c$``: each of its own."""

    def beside(a: int, b: int) -> bool:
        return _AND.fullmatch(line[spans[a].end() : spans[b].start()]) is not None

    low, high = place, place + 1
    while low and beside(low - 1, low):
        low -= 1
    while high + 1 < len(spans) and beside(high, high + 1):
        high += 1
    names, targets = spans[low : place + 1], spans[place + 1 : high + 1]
    if low == place or len(names) != len(targets):
        return [pair]
    return [(name[1], of[1]) for name, of in zip(names, targets, strict=True)]


def _turned(before: str, between: str) -> str:
    r"""``the error of $x$ is $\delta$`` says all; ``that of $x$ ($\\delta$)`` of what shape it is."""
    if (
        re.fullmatch(r"\s*(is|为|=)\s*", between)
        and _GRADIENT.search(before)
        and re.search(r"\bof\s*$", before)
    ):
        return "node"
    return "related" if re.fullmatch(r"\s*\(\s*", between) and re.search(r"\b(of|to)\s*$", before) else ""


def _kind(between: str, after: str) -> str:
    if re.search(r"\.\s|;|\bstart", between) or len(between) > 90:
        return ""
    receives = re.match(r"\s*(receives|gets)\b", after)
    if receives and _WHAT.search(between):
        return "carried" if _LATER.search(after) and "loss" not in after else "received"
    if _HANDED.search(between):
        return "back"
    if not (_GRADIENT.search(between) and _BY.search(between)) and not (re.search(r"\bthat of\s*$", between)):
        return ""
    if _LATER.search(after):
        return "carried"
    return "given" if _FROM_LOSS.search(after) else "total"


_MASK = re.compile(r"\$([^$\n]{1,40})\$\s+(is|are)\s+(zero or one|0 or 1|\$?0\$? or \$?1\$?|binary)")


def binary(text: str) -> Iterator[str]:
    """Names of which a text says that they are zero or one."""
    for found in _MASK.finditer(text):
        yield found[1]


def masks(text: str, table: Table) -> Iterator[str]:
    """The keys of these names."""
    for notation in binary(text):
        try:
            found = formula(notation, Lexicon())
        except ReadingError:
            continue
        if isinstance(found, Name):
            yield table.key(found).key


_LYING = re.compile(r"\brow (vector|layout|convention)|as (a )?rows?\b|行向量|行ベクトル", re.IGNORECASE)


def lies(text: str) -> bool:
    """Whether a text says that vectors or gradients are rows."""
    return _LYING.search(text) is not None


def held_names(text: str, document: Document) -> list[str]:
    """The keys of names of which a text says that they are held fixed, at every step alike."""
    said = (
        f for f in _HELD.finditer(text) if not _SUPPOSING.search(text[max(0, f.start() - 80) : f.start()])
    )
    return [key for found in said if (key := _key(found[1], document))]


def _key(text: str, document: Document) -> str:
    try:
        found = formula(text, document.lexicon)
    except ReadingError:
        return ""
    earlier = isinstance(found, Name) and found.time is not None and found.time.offset != 0
    return found.key if isinstance(found, Name) and not earlier else ""


_REPEATED = re.compile(
    r"summation convention|Einstein|repeated (\w+ )?(indices|index)"
    r"|(indices|index) (that )?(is|are)? ?repeated|求和约定|和の規約",
    re.IGNORECASE,
)


def sums_repeated(text: str) -> bool:
    """Whether a text says that repeated indices are summed over."""
    return _REPEATED.search(text) is not None
