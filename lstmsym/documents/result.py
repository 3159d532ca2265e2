"""What was found of a document: a plain frozen value, and all that a report is made from.

    Result
      document   the file as it was named
      cell       the Cell that its forward equations make (or that was asked for), or None
      cell_note  how that cell compares with the known ones, in a sentence or two
      symbols    what the author's symbols denote, a Symbol each
      notes      what of the file was mended or not understood, a sentence each, with its line
      rows       one Row for every equation, statement and assignment, in the order of the file
      summary    verdict -> how many rows have it (computed; verdicts without rows are left out)

A row's ``line`` is the 1-based line of the file on which it starts, ``source`` the text as it stands there
and ``latex`` the same as mathematics (empty for code and words).  Expressions in ``expected`` and
``repair`` are in the author's notation; so is the LaTeX of ``steps``, a derivation step by step, each
step a sentence and a formula, either of which may be empty.  As JSON, `docs/json.md` has every key:

    {"document", "cell", "cell_note", "symbols": [...], "notes": [...], "rows": [{"line", "source", "kind",
     "verdict", "about", "expected", "witness", "repair", "assumption", "message", "latex", "steps"}],
     "summary"}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from lstmsym.cell import Cell

KINDS = ("forward", "definition", "claim", "statement", "prose")
"""What a row is: a forward equation, a definition, an equation or words that claim something, other words."""
VERDICTS = ("proved", "conditional", "refuted", "undecided", "unread", "not-a-claim")
"""What was found of it; conditional is right under ``assumption``."""
OPEN = frozenset({"refuted", "undecided", "unread"})
"""Verdicts that make the exit status 1."""


@dataclass(frozen=True)
class Symbol:
    """What a symbol of the author's denotes: its LaTeX, its name in the cell, words, and a shape."""

    latex: str
    name: str = ""
    meaning: str = ""
    shape: tuple[str, ...] = ()


@dataclass(frozen=True)
class Witness:
    """Numbers that show a difference: the sizes (T among them), one entry of both sides."""

    sizes: Mapping[str, int]
    entry: tuple[int, ...]
    true: str
    claimed: str

    def __str__(self) -> str:
        """One line."""
        sizes = ", ".join(f"{name}={size}" for name, size in self.sizes.items())
        where = f" entry {list(self.entry)}" if self.entry else " it"
        return f"at {sizes}:{where} is {self.true}, claimed {self.claimed}"


@dataclass(frozen=True)
class Row:
    """One equation, statement or assignment with its verdict; what does not apply is empty.

    Raises:
        ValueError: there is no such kind or verdict.
    """

    line: int
    source: str
    kind: str
    verdict: str
    about: str = ""
    expected: str = ""
    witness: Witness | None = None
    repair: str = ""
    assumption: str = ""
    message: str = ""
    latex: str = ""
    steps: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuse words outside the schema."""
        if self.kind not in KINDS or self.verdict not in VERDICTS:
            raise ValueError(
                f"line {self.line}: {self.kind!r}, {self.verdict!r} is no kind and verdict of a row"
            )


@dataclass(frozen=True)
class Result:
    """A document, its cell and its rows."""

    document: str
    cell: Cell | None = None
    cell_note: str = ""
    symbols: tuple[Symbol, ...] = ()
    rows: tuple[Row, ...] = field(default=())
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> dict[str, int]:
        """How many rows have each verdict."""
        counts = Counter(row.verdict for row in self.rows)
        return {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]}


def exit_status(result: Result | None) -> int:
    """0 where no row is refuted, undecided or unread, 1 otherwise, 2 where the file can't be used at all."""
    if result is None:
        return 2
    return int(any(row.verdict in OPEN for row in result.rows))
