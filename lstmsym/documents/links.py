"""Links of a document that differ only where a scan takes one character for another: 1 and l, 0 and O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

LINK = re.compile(r"https?://[!-~]+[A-Za-z0-9/]")
_ALIKE = str.maketrans("1I|0O", "llloo")
LINKS = 200
"""Links of a document that are compared."""


@dataclass(frozen=True)
class Mistyped:
    """A link at a line that is another one, ``meant``, of another line but for characters that look alike."""

    line: int
    link: str
    meant: str
    other: int
    taken: str
    """``1 for l``."""


def mistyped(text: str) -> Iterator[Mistyped]:
    """Links that stand elsewhere with a letter for their digit."""
    first: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        for found in LINK.finditer(line[:20_000]) if len(first) < LINKS else ():
            first.setdefault(found.group(), number)
    for pair in combinations(first, 2):
        a, b = sorted(pair, key=lambda link: -sum(c.isdigit() for c in link))
        if len(a) != len(b) or a.translate(_ALIKE) != b.translate(_ALIKE):
            continue
        swaps = {(x, y) for x, y in zip(a, b, strict=True) if x != y}
        if all(x.isdigit() and y.isalpha() for x, y in swaps):
            yield Mistyped(first[a], a, b, first[b], ", ".join(f"{x} for {y}" for x, y in sorted(swaps)))
