"""The cells that ship: one file each, headed by the paper and its equations, found by file name."""

from __future__ import annotations

import importlib
import pkgutil

from lstmsym.cell import Cell
from lstmsym.mistakes import NotationError, nearest


def names() -> tuple[str, ...]:
    """The names of the shipped cells, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def find(name: str) -> Cell:
    """The shipped cell of this name.

    Raises:
        NotationError: there is none.
    """
    if name not in names():
        close = nearest(name, names())
        hint = f"did you mean {close}?" if close else f"there are {', '.join(names())}, or give file.py:Class"
        raise NotationError(f"no cell {name!r}; {hint}")
    module = importlib.import_module(f"{__name__}.{name}")
    cells = [value for value in vars(module).values() if isinstance(value, Cell)]
    (cell,) = (cell for cell in cells if cell.module == module.__name__)
    return cell
