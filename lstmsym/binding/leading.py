"""What the words before a display say of its step: ``For $t = T$:``, "At the last step"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lstmsym.documents.read import Document, Reading
from lstmsym.documents.rows import Equation
from lstmsym.documents.split import DISPLAY, INLINE, PLAIN, PROSE

_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_SENTENCE = re.compile(r"[.;!?]\s|[。；！？]")
_STEP = re.compile(
    r"(?:^[\W_]*|\b(?i:at|for|when|if|case|step|time)\W{0,3}|[(,在当])\$?([a-z])\s*=\s*(T|τ|\\tau)\$?(?!\s*[-+\w\\])"
)
LAST_STEP = re.compile(
    r"\b(?:at|for|in)\s+the\s+(?:very\s+)?(?:last|final)\s+(?:time[- ]?)?step\b"
    r"|最后(?:一个|一)?(?:时刻|时间步|步)|最終(?:時刻|ステップ)",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:start\w*|begin\w*|initiali\w+|from|until|till|back\w*|down|going|goes|except|before|unless|not|than"
    r"|every|each|all|also|including|loss|while|whereas)\b|[<≤>≥≠]|\\(?:ldots|dots|cdots|l?eq?|l?t|g?t|n?eq?)\b"
    r"|\.\.\.|…|开始|起|除|以外|之前|往前|每",
    re.IGNORECASE,
)
"""Words with which a sentence speaks of other steps as well."""
LONG = 160
"""Characters of a sentence that leads in to one equation."""


def at_last(document: Document) -> dict[int, tuple[str, str]]:
    """The rows, by `id`, that words put at the last step: the letter of the step, where it is told, and T."""
    found: dict[int, tuple[str, str]] = {}
    words = ""
    for reading in document.readings:
        block = reading.block
        if block.kind in (PROSE, INLINE) and not any(_shown(reading)):
            words += f"${block.text}$" if block.kind == INLINE else block.text
            continue
        if block.kind == PLAIN and "\n" not in words[-1:] and not _is_alone(words):
            words += block.text  # an equation in a sentence
            continue
        said = _said(words)
        if said is not None:
            found.update({id(row): said for row in _shown(reading)})
        words = ""
    return found


def _shown(reading: Reading) -> Iterator[Equation]:
    """The equations that stand by themselves."""
    if reading.block.kind in (DISPLAY, PLAIN):
        yield from (row for row in reading.rows if isinstance(row, Equation))


def _is_alone(words: str) -> bool:
    """Whether a line begins behind the words."""
    return not words.strip() or not words.rpartition("\n")[2].strip()


def _said(words: str) -> tuple[str, str] | None:
    """What the last sentence before a display says of the step."""
    paragraph = _PARAGRAPH.split(words.strip())[-1].strip(" \t\n")
    ended = paragraph.rstrip("*_ ").endswith((".", "。"))
    sentence = _SENTENCE.split(paragraph.rstrip("*_. 。"))[-1].strip()
    if len(sentence) > (LONG if not ended else 25) or _MORE.search(sentence):
        return None
    step = _STEP.search(sentence)
    if step is not None:
        return step[1], step[2].replace("\\tau", "τ")
    return ("", "T") if LAST_STEP.search(sentence) else None
