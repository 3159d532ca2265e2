"""The claims pages that ship: one file each, headed by its source, found by file name."""

from __future__ import annotations

import importlib
import pkgutil

from lstmsym.notation import NotationError
from lstmsym.verify.claims import Claims, page_of


def names() -> tuple[str, ...]:
    """The names of the shipped pages, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def find(name: str) -> tuple[Claims, ...]:
    """The shipped pages of this name.

    Raises:
        NotationError: there are none.
    """
    if name not in names():
        raise NotationError(
            f"no page {name!r}; there are {', '.join(names())}, or give file.py or file.py:Page"
        )
    return page_of(importlib.import_module(f"{__name__}.{name}"), name)
