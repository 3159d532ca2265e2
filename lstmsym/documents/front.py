"""The front matter of a document: what it says in words, in four lines that a program can read.

---
cell: lstm
names: {top_diff_h: dh, s: cell state}
layout: rows
loss: 1/2 * sum((h - y)**2)
---

In LaTeX each of its lines may begin with ``%``, in Python with ``#``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KEYS = ("cell", "names", "layout", "loss")
LAYOUTS = {"row": "rows", "rows": "rows", "column": "columns", "columns": "columns"}
HEAD = re.compile(r"(?:[%#]\s*)?---[ \t]*\n(.*?)^(?:[%#]\s*)?(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)
"""Where it stands: at the very start of a file."""
LONGEST = 20_000
"""Characters of it."""
_ENTRY = re.compile(r"(?P<indent>\s*)(?P<key>[^\s:#{}\[\]\-][^:{}]*?)\s*:(?:\s+(?P<value>.*?))?\s*$")


@dataclass(frozen=True)
class FrontMatter:
    """What the head of a document says; empty where it says nothing.  ``notes``: entries not understood."""

    cell: str = ""
    names: tuple[tuple[str, str], ...] = ()
    layout: str = ""
    loss: str = ""
    notes: tuple[str, ...] = ()


def head(text: str) -> re.Match[str] | None:
    """The front matter of a text with its marks, its lines as group 1."""
    found = HEAD.match(text)
    return found if found and len(found[1]) < LONGEST else None


def front_matter(text: str) -> FrontMatter:
    """Read the lines between the two ``---`` (without them); other programs' keys are left alone."""
    found: dict[str, str] = {}
    names: list[tuple[str, str]] = []
    notes: list[str] = []
    section = ""
    lines = text.splitlines()
    mark = "%" if not all(line.startswith("#") for line in lines if line.strip()) else "[%#]"
    for number, raw in enumerate(lines, start=1):
        line = re.sub(rf"^{mark}+ ?", "", raw).rstrip()
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _ENTRY.match(line)
        indented = line[:1] in " \t"
        if indented and section == "names":
            if entry:
                names.append((_unquoted(entry["key"]), _unquoted(entry["value"] or "")))
            else:
                notes.append(f"front matter, line {number}: {line.strip()!r} is not NAME: MEANING")
            continue
        if indented or not entry:
            continue
        section = entry["key"].strip()
        value = (entry["value"] or "").strip()
        if section == "names" and value:
            names += _inline(value)
        elif section in KEYS:
            found[section] = _unquoted(value)
    layout = LAYOUTS.get(found.get("layout", "").lower(), "")
    return FrontMatter(found.get("cell", ""), tuple(names), layout, found.get("loss", ""), tuple(notes))


def _inline(value: str) -> list[tuple[str, str]]:
    """``{a: b, c: d}``."""
    inside = value.strip().removeprefix("{").removesuffix("}")
    pairs = (part.split(":", 1) for part in re.split(r",(?![^{(\[]*[})\]])", inside) if ":" in part)
    return [(_unquoted(key), _unquoted(meaning)) for key, meaning in pairs]


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return re.sub(r"\s+#.*$", "", value)
