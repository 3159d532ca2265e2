"""From what the user types to a cell or a page: a shipped name, or ``file.py:Class``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from lstmsym import cells, pages
from lstmsym.cell import Cell
from lstmsym.emit import snake
from lstmsym.notation import NotationError
from lstmsym.verify.claims import Claims, page_of


def find_cell(name: str) -> tuple[Cell, str]:
    """The cell and the stem of its file name.

    Raises:
        NotationError: there is none, or the user's file fails.
    """
    path, _, attribute = name.rpartition(":") if ".py:" in name else (name, "", "")
    if not path.endswith(".py"):
        return cells.find(name), name
    found = {key: v for key, v in vars(load_file(path)).items() if isinstance(v, Cell)}
    if attribute in found:
        return found[attribute], snake(attribute)
    there = f"there are {', '.join(found)}" if found else "it defines no class Name(Cell)"
    if attribute or len(found) != 1:
        raise NotationError(f"{path}: no cell {attribute or 'chosen'}: {there}; write {path}:Name")
    ((key, cell),) = found.items()
    return cell, snake(key)


def find_pages(name: str) -> tuple[Claims, ...]:
    """The pages of a name or a file.

    Raises:
        NotationError: there are none, or the user's file fails.
    """
    path, _, attribute = name.rpartition(":") if ".py:" in name else (name, "", "")
    if not path.endswith(".py"):
        return pages.find(name)
    found = page_of(load_file(path), path)
    chosen = tuple(page for page in found if not attribute or page.name == attribute)
    if not chosen:
        raise NotationError(f"{path}: no page {attribute}: there are {', '.join(p.name for p in found)}")
    return chosen


def load_file(path: str) -> ModuleType:
    """Import a user's own Python file.

    Raises:
        NotationError: it is missing or raises an error, told with its line.
    """
    file = Path(path)
    if not file.is_file():
        raise NotationError(f"{path}: no such file")
    spec = importlib.util.spec_from_file_location(f"_lstmsym_user_{file.stem}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(file.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except NotationError:
        raise
    except SyntaxError as error:
        raise NotationError(f"{error.filename}:{error.lineno}: {error.msg}") from None
    except Exception as error:
        raise NotationError(f"{_line(error, file)}: {type(error).__name__}: {error}") from None
    finally:
        sys.path.pop(0)
    return module


def _line(error: BaseException, file: Path) -> str:
    """File and line of the user's file in which an error arose."""
    number = 0
    trace = error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == str(file):
            number = trace.tb_lineno
        trace = trace.tb_next
    return f"{file}:{number}" if number else str(file)
