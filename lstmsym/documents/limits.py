"""What a document may cost, and how it is told that it is too much."""

from __future__ import annotations

CHARACTERS = 2_000_000
"""Of a whole document."""
MATHEMATICS = 400_000
"""Of all its formulas together."""
FORMULA = 20_000
"""Of one display."""
ROWS = 10_000
"""Formulas of a document, those in passing included."""
BLOCKS = 40_000
"""Stretches of prose, code and mathematics of a document."""
MACROS = 1_000
"""Macros of a document."""
NESTING = 30
"""Brackets, fractions and scripts inside each other."""
EXPONENT = 99
"""The largest number in an exponent."""
DIGITS = 30
"""Of a number."""
EXPANSION = 40_000
"""Tokens that macros of one display may grow to."""


class DocumentError(ValueError):
    """The file can't be used at all; one sentence that says why and what to do."""


class ReadingError(ValueError):
    """Reading stopped at an offset of the text of a block."""

    def __init__(self, message: str, at: int) -> None:
        """Why, and where."""
        super().__init__(message)
        self.at = at
