"""A loss that a text gives in words only, and what it says of the targets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from lstmsym.binding.table import FUNCTIONS, LOSSES, Line
from lstmsym.documents.formula import (
    Apply,
    Brackets,
    Formula,
    Name,
    Number,
    Product,
    Raised,
    Sum,
    Words,
    names,
    walk,
)
from lstmsym.documents.limits import ReadingError
from lstmsym.documents.read import Document, formula

_ENTROPY = re.compile(
    r"cross[- ]entropy|negative log[- ]likelihood|softmax loss|log loss|交叉熵|クロスエントロピー",
    re.IGNORECASE,
)
_SQUARED = re.compile(
    r"(half (?:of )?(?:the )?)?(?:sum of )?(squared (?:errors?|differences?|loss|distance))", re.IGNORECASE
)
_MEAN = re.compile(r"\b(mean|averag\w+|per[- ]step|平均)", re.IGNORECASE)
_TARGET = re.compile(
    r"(?:targets?|labels?|ground truth|one-hot|truth|标签|目标|教師)[^$.\n]{0,40}\$([^$\n]{1,30})\$",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"one[- ]?hot|1-of-|probabilit|distribution|add(s)? up to (one|\$?1)|sums? to (one|\$?1)"
    r"|class (label|index)|correct (class|word|token|character)|独热|ワンホット",
    re.IGNORECASE,
)


_HOT = re.compile(
    r"\$(?P<before>[^$\n]{1,30})\$[^$.\n]{0,30}(one[- ]?hot|独热|ワンホット)"
    r"|(one[- ]?hot|独热|ワンホット)[^$.\n]{0,30}\$(?P<behind>[^$\n]{1,30})\$",
    re.IGNORECASE,
)


def one_hot(text: str, document: Document) -> Name | None:
    """The name of which a text says first that it is a one-hot vector."""
    named = (_name(found["before"] or found["behind"], document) for found in _HOT.finditer(text))
    return next((name for name in named if name is not None), None)


def adds_up(text: str) -> bool:
    """Whether a text says of its targets that they are one-hot, or probabilities."""
    return _UNIT.search(text) is not None


def spoken_loss(document: Document, lines: Sequence[Line], text: str) -> Formula | None:
    """The loss of a step that a text names and no line writes out, of a prediction and a target."""
    if any(isinstance(left, Name) and left.base in LOSSES for left, _, _ in lines):
        return None
    entropy, squared = _ENTROPY.search(text), _SQUARED.search(text)
    said = entropy or squared
    if said is None or _MEAN.search(text[max(0, said.start() - 60) : said.end() + 60]):
        return None
    guess, target = _between(document, lines, text)
    if guess is None or target is None:
        return None
    if entropy:
        return Sum(("-",), (_inner(target, Apply(Name("log"), guess, certain=True)),))
    error = Brackets("(", ")", (Sum(("+", "-"), (guess, target)),))
    square: Formula = _inner(error, error)
    return Product(("",), (Number("0.5"), square)) if squared and squared[1] else square


def _inner(a: Formula, b: Formula) -> Formula:
    return Product(("",), (Raised(a, Words("⊤"), "transpose"), b))


def _between(document: Document, lines: Sequence[Line], text: str) -> tuple[Name | None, Name | None]:
    """The prediction, a softmax or sigmoid where there is one, and the target, which no line defines."""
    defined = [(left, right) for left, right, _ in lines if isinstance(left, Name) and left.time is not None]
    soft = [left for left, right in defined if any(_is(n, "softmax") for n in walk(right))]
    given = {left.key for left, _ in defined}
    target = None
    for found in _TARGET.finditer(text):
        name = _name(found[1], document)
        if name is not None and name.key not in given:
            target = name
            break
    marked = [left for left, _ in defined if left.marks == ("hat",)]
    guess = next(iter(soft or marked), None)
    if target is None and guess is not None and guess.marks == ("hat",):
        target = replace(guess, marks=())
        used = {n.key for left, right, _ in lines for side in (left, right) for n in names(side)}
        target = target if target.key in used - given else None
    if target is not None and target.time is None and guess is not None:
        target = replace(target, time=guess.time)
    return guess, target


def _is(node: Formula, function: str) -> bool:
    return isinstance(node, Apply) and FUNCTIONS.get(node.head.base) == function


def _name(text: str, document: Document) -> Name | None:
    try:
        found = formula(text, document.lexicon)
    except ReadingError:
        return None
    return found if isinstance(found, Name) else None
