"""The golden files: the code of every shipped cell, as it is generated today."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lstmsym import cells
from lstmsym.derive import derive
from lstmsym.emit import emit
from lstmsym.schedule import Schedule, plan

ROOT = Path("generated")


def golden(backend: str, schedule: Schedule | None = None) -> dict[str, str]:
    """File name -> text, for every shipped cell."""
    sources = (emit(plan(derive(cells.find(name)), schedule), backend, name) for name in cells.names())
    return {source.filename: source.text for source in sources}


def stale(texts: Mapping[str, str], folder: Path, whole: bool) -> list[str]:
    """What is out of date in a folder; with ``whole``, files that should not be there too."""
    found = []
    for name, text in texts.items():
        path = folder / name
        if not path.is_file():
            found.append(f"missing: {path}")
        elif path.read_bytes() != text.encode():
            found.append(f"stale: {path}")
    if whole and folder.is_dir():
        suffixes = {Path(name).suffix for name in texts}
        extra = sorted(p for p in folder.iterdir() if p.suffix in suffixes and p.name not in texts)
        found += [f"superfluous: {path}" for path in extra]
    return found


def write_whole(path: Path, text: str) -> None:
    """Write a file, in a folder made if need be, so that it is never seen half-written.

    What is no file, such as /dev/stdout, is written to and never replaced; nor is a link.
    """
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    path = path.resolve()
    beside = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        beside.unlink(missing_ok=True)
