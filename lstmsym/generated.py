"""The golden files: the code of every shipped cell, as it is generated today."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lstmsym import cells
from lstmsym.derive import derive
from lstmsym.emit import emit
from lstmsym.schedule import plan

ROOT = Path("generated")


def golden(backend: str) -> dict[str, str]:
    """File name -> text, for every shipped cell."""
    sources = (emit(plan(derive(cells.find(name))), backend, name) for name in cells.names())
    return {source.filename: source.text for source in sources}


def stale(texts: Mapping[str, str], folder: Path, whole: bool) -> list[str]:
    """What is out of date in a folder; with ``whole``, files that should not be there too."""
    found = []
    for name, text in texts.items():
        path = folder / name
        if not path.is_file():
            found.append(f"missing: {path}")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"stale: {path}")
    if whole and folder.is_dir():
        suffixes = {Path(name).suffix for name in texts}
        extra = sorted(p for p in folder.iterdir() if p.suffix in suffixes and p.name not in texts)
        found += [f"superfluous: {path}" for path in extra]
    return found
