"""Which quantity a name denotes, and at which step: the name without its time, and the time as a lag.

The step may stand in words (``c_{prev}``, ``a_{next}``) or as a prime (``h'`` is the new h).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from keyword import iskeyword

from lstmsym.documents import symbols as S
from lstmsym.documents.formula import ACCENT_KEYS, Name, Number, Sum, Time

EARLIER = frozenset("prev previous old last prv".split())
NEW = frozenset("next new cur curr current now".split())
COUNTS = {"T": "T", "τ": "T", "N": "B", "B": "B", "S": "B", "n": "B", "m": "B"}
"""Letters that, with no other meaning, are the number of steps or of sequences: that of the notation."""
LAST = "last"
"""The lag of the last step of the sequence."""
FIRST = "first"


@dataclass(frozen=True)
class Place:
    """A quantity's key and where it is taken: a lag from t, `LAST`, `FIRST`, or None for what has no time."""

    key: str
    lag: int | str | None
    letter: str = ""


def place(name: Name, letters: Iterable[str] = ("t",)) -> Place:
    """The quantity that a name denotes and the step it is taken at."""
    bare, lag = untimed(name)
    if name.time is None:
        return Place(bare.key, lag)
    time = name.time
    letter, offset = time.letter.rstrip("'"), time.offset
    if letter in letters and offset is not None:
        return Place(bare.key, offset + (lag or 0), letter)
    if letter in ("T", "τ"):
        return Place(bare.key, LAST if offset in (0, None) else offset, letter)
    if letter == "" and offset is not None:
        return Place(bare.key, FIRST, "")
    return Place(bare.key, offset, letter)


def is_count(name: Name) -> bool:
    """Whether a name may be the number of steps or of sequences."""
    return name.base in COUNTS and not (name.marks or name.scripts or name.primes or name.time)


def untimed(name: Name) -> tuple[Name, int | None]:
    """The name without its step, and the lag that it has by a word."""
    lag: int | None = None
    scripts = []
    for script in name.scripts:
        words = script.text.split("_")
        rest = [w for w in words if w.lower() not in EARLIER | NEW]
        for word in words:
            lag = -1 if word.lower() in EARLIER else 0 if word.lower() in NEW else lag
        if rest == words:
            scripts.append(script)
        elif rest:
            scripts.append(replace(script, body=Name("_".join(rest))))
    base = name.base.rpartition(".")[2] or name.base  # self.state.o
    return replace(name, base=base, scripts=tuple(scripts), time=None), lag


def identifier(key: str, taken: Iterable[str]) -> str:
    """An ASCII name for a key, distinct from those taken."""
    text = key
    for mark, sign in ACCENT_KEYS.items():
        text = text.replace(sign, f"_{mark}_")
    text = "".join(f"_{S.SPELLED[c][1:]}_" if c in S.SPELLED else c for c in text)
    text = text.replace("'", "_prime_")
    text = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or "q"
    if text[0].isdigit() or iskeyword(text):
        text = "q" + text
    taken = set(taken)
    found, count = text, 1
    while found in taken:
        count += 1
        found = f"{text}_{count}"
    return found


def timed(name: Name, lag: int | None, like: Time | None) -> Name:
    """A name at a lag, written as times are written in the document."""
    if lag is None:
        return name
    letter = Name(like.letter.rstrip("'") or "t") if like is not None else Name("t")
    sign = "+" if lag > 0 else "-"
    index = letter if lag == 0 else Sum(("+", sign), (letter, Number(str(abs(lag)))))
    time = Time(index, like.form if like else "sub", like.wrap if like else "", 0)
    return replace(name, time=time)
