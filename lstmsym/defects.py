"""Errors that nobody meant: a user gets a sentence and all other rows, our tests get the error.

What a document can do wrong has errors of its own (`DocumentError`, `NotationError`, `ShapeError`, ...),
which are caught where they are meant.  Anything else is a mistake of this program.  It must not cost the
user the rest of a report; nor may it hide, so the tests run with ``LSTMSYM_STRICT=1`` in their environment.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path

STRICT = "LSTMSYM_STRICT"
"""The variable of the environment with which errors of this program are raised and not told."""
DEEP = "it is nested too deeply or too large: write it in several lines"
ROOT = Path(__file__).parent


def fault(error: Exception) -> str:
    """What is said of an error that nobody meant, after what could not be done.

    Raises:
        Exception: the error itself, where the environment asks for it.
    """
    if isinstance(error, (RecursionError, MemoryError)):
        return DEEP
    if os.environ.get(STRICT):
        raise error
    return f"a fault of lstmsym itself ({type(error).__name__} at {_place(error)}): please report it"


def _place(error: Exception) -> str:
    """Where in this package an error arose."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if Path(f.filename).is_relative_to(ROOT)]
    return f"{Path(ours[-1].filename).relative_to(ROOT).as_posix()}:{ours[-1].lineno}" if ours else "no place"
