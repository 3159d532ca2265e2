"""What a backend is: a name, a file suffix, a template, a way to spell a program and to load the result.

A backend is a module with a value ``BACKEND``; it is found by its name here or by import path, so a
third party's needs no edit.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstmsym.mistakes import nearest
from lstmsym.notation import NotationError
from lstmsym.program import Program


@dataclass(frozen=True)
class Backend:
    """How one language says a program.

    ``page`` turns a program into the values that the template's holes take; ``load`` turns emitted
    text into an object with ``init_params``, ``forward`` and ``backward``; ``finish`` lays the text out
    as the language's formatters do.  ``templates`` is the folder of a third party's template.
    """

    name: str
    suffix: str
    template: str
    page: Callable[[Program], Any]
    load: Callable[[str, str], Any]
    finish: Callable[[str], str] = str
    templates: Path | None = None


def names() -> tuple[str, ...]:
    """The backends of the package."""
    return tuple(module.name for module in pkgutil.iter_modules(__path__))


def find(name: str) -> Backend:
    """The backend of this name, ``numpy``, or at this import path, ``package.module``.

    Raises:
        NotationError: there is none, or its module fails to load.
    """
    path = name if "." in name else f"{__name__}.{name}"
    try:
        missing = importlib.util.find_spec(path) is None
        module = None if missing else importlib.import_module(path)
    except (ImportError, ValueError):
        module = None
    except Exception as error:
        raise NotationError(f"backend {path} fails to load: {type(error).__name__}: {error}") from error
    if module is None:
        close = nearest(name, names())
        hint = f"did you mean {close}? " if close else ""
        known = ", ".join(names())
        raise NotationError(
            f"no backend {name!r}: {hint}give {known}, or the import path of a module with a BACKEND"
        )
    backend = getattr(module, "BACKEND", None)
    if not isinstance(backend, Backend):
        raise NotationError(f"{path} has no BACKEND = Backend(...)")
    return backend
