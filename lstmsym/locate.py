"""From what the user types to a cell or a page: a shipped name, or ``file.py:Class``."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from lstmsym import cells, pages
from lstmsym.cell import Cell
from lstmsym.documents.file import text_of
from lstmsym.emit import snake
from lstmsym.mistakes import ClassBody, NotationError, nearest, sentence
from lstmsym.verify.claims import Claims, page_of


def find_cell(name: str) -> tuple[Cell, str]:
    """The cell and the stem of its file name.

    Raises:
        NotationError: there is none, or the user's file fails.
    """
    path, _, attribute = name.rpartition(":") if ".py:" in name else (name, "", "")
    if not path.endswith(".py"):
        return cells.find(name), name
    names = vars(load_file(path))
    found = {key: v for key, v in names.items() if isinstance(v, Cell)}
    if attribute in found:
        return found[attribute], snake(attribute)
    if not attribute and len(found) == 1:
        ((key, cell),) = found.items()
        return cell, snake(key)
    raise NotationError(f"{path}: {_not_found(attribute, names, list(found))}")


def _not_found(attribute: str, names: Mapping[str, object], found: list[str]) -> str:
    """Why a file does not give the cell asked for."""
    there = f"there are {', '.join(found)}" if found else "it defines no class Name(Cell)"
    if attribute in names:
        kind = type(names[attribute]).__name__
        return f"{attribute} is no cell but of type {kind}; {there}"
    close = nearest(attribute, found)
    hint = f"did you mean {close}?" if close else f"{there}; write file.py:Name"
    return f"no cell {attribute or 'chosen'}: {hint}"


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


def names_page(name: str) -> bool:
    """Whether what the user names is a page of claims, and no document.

    Raises:
        DocumentError: it is a Python file that can't be read.
        NotationError: it is a file of cells without claims.
    """
    if name in pages.names() or ".py:" in name:
        return True
    return name.endswith(".py") and is_page(text_of(name), name)


def is_page(text: str, path: str) -> bool:
    """Whether a Python file is in our notation and may be run: found out without running it.

    It imports lstmsym at its top, and defines ``class Name(Claims, ...)`` there.  All else is a listing,
    of which nothing is ever run.

    Raises:
        NotationError: it is in our notation but is no Python, or has cells and no claims.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except SyntaxError as error:
        if re.search(r"^(from|import) lstmsym\b", text, re.MULTILINE) and "(Claims" in text:
            raise NotationError(f"{path}:{error.lineno or 1}: {error.msg}") from None
        return False
    except (ValueError, RecursionError, MemoryError):
        return False
    names = {"Claims": set[str](), "Cell": set[str]()}
    for node in body:
        for kind, found in names.items():
            found |= _imported(node, kind)
    bases = [ast.unparse(b) for node in body if isinstance(node, ast.ClassDef) for b in node.bases]
    if names["Claims"] & set(bases):
        return True
    if names["Cell"] & set(bases):
        raise NotationError(
            f"{path} has no page of claims: write class Name(Claims, of=Cell), or see lstmsym derive {path}"
        )
    return False


def _imported(node: ast.stmt, name: str) -> set[str]:
    """What a name of ours is called after an import."""
    if isinstance(node, ast.Import):
        ours = (a for a in node.names if a.name.partition(".")[0] == "lstmsym")
        return {f"{a.asname or a.name}.{name}" for a in ours}
    if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "lstmsym":
        return {a.asname or name for a in node.names if a.name in (name, "*")}
    return set()


def load_file(path: str) -> ModuleType:
    """Import a user's own Python file.

    Raises:
        NotationError: it is missing or raises an error, told with its line.
    """
    file = Path(path)
    if not file.is_file():
        raise NotationError(f"{path}: {'this is a folder, no file' if file.is_dir() else 'no such file'}")
    spec = importlib.util.spec_from_file_location(f"_lstmsym_user_{file.stem}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(file.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except NotationError:
        raise
    except (Exception, SystemExit) as error:
        raise NotationError(_told(error, file)) from None
    finally:
        sys.path.pop(0)
    return module


def _told(error: BaseException, file: Path) -> str:
    """An error of the user's file in one line, with the file and line in which it arose."""
    if isinstance(error, SyntaxError):
        return f"{error.filename or file}:{error.lineno or 1}: {error.msg}"
    number, page = 0, ClassBody()
    trace = error.__traceback__
    while trace:
        frame = trace.tb_frame
        if Path(frame.f_code.co_filename).name == file.name and file.samefile(frame.f_code.co_filename):
            number = trace.tb_lineno
        page = frame.f_locals if isinstance(frame.f_locals, ClassBody) else page
        trace = trace.tb_next
    return sentence(f"{file}:{number}" if number else str(file), page.title, "", _said(error, page))


def _said(error: BaseException, page: ClassBody) -> str:
    """What an error says; of a class body, where Python's own words mislead, what is wrong there."""
    words = " ".join(str(error).split())
    name = getattr(error, "name", None)
    if isinstance(error, NameError) and name in page:
        return (
            f"{name} of the class is not seen inside [... for ...] or lambda, as Python has it: write the"
            " lines out, or call a function defined above the class"
        )
    if isinstance(error, ValueError) and "values to unpack" in words:
        return f"the names on the left of = and the values on its right differ in number: {words}"
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
