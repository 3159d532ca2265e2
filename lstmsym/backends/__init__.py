"""What a backend is: a name, a file suffix, a template, a way to spell a program and to load the result.

A backend is a module with a value ``BACKEND``; it is found by its name here or by import path, so a
third party's needs no edit.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lstmsym.notation import NotationError
from lstmsym.program import Program


@dataclass(frozen=True)
class Backend:
    """How one language says a program.

    ``page`` turns a program into the values that the template's holes take; ``load`` turns emitted
    text into an object with ``init_params``, ``forward`` and ``backward``; ``finish`` lays the text out
    as the language's formatters do.
    """

    name: str
    suffix: str
    template: str
    page: Callable[[Program], Any]
    load: Callable[[str, str], Any]
    finish: Callable[[str], str] = str


def find(name: str) -> Backend:
    """The backend of this name, ``numpy``, or at this import path, ``package.module``.

    Raises:
        NotationError: there is none.
    """
    path = name if "." in name else f"{__name__}.{name}"
    try:
        missing = importlib.util.find_spec(path) is None
    except (ImportError, ValueError):
        missing = True
    if missing:
        raise NotationError(f"no backend {name!r}: give numpy, or the import path of a module with a BACKEND")
    backend = getattr(importlib.import_module(path), "BACKEND", None)
    if not isinstance(backend, Backend):
        raise NotationError(f"{path} has no BACKEND = Backend(...)")
    return backend
