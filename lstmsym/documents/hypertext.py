"""HTML in plain text: entities and tags as the characters they stand for, in a text of the same length."""

from __future__ import annotations

import html
import re

_ENTITY = re.compile(r"&(?:[A-Za-z]{2,20}\d{0,2}|#\d{2,6}|#[xX][0-9A-Fa-f]{2,5});")
_SCRIPT = re.compile(r"<(?P<tag>sub|sup)>(?P<inside>[^<>\n]{1,40})</(?P=tag)>", re.IGNORECASE)
_STYLE = re.compile(
    r"</?(?:b|i|em|strong|var|span|code|tt|u|mark|kbd|math|small|big|font)(?:\s[^<>\n]{0,120})?/?>",
    re.IGNORECASE,
)


def unmarked(line: str) -> str:
    """``h<sub>t</sub> &odot; c`` as ``h_{t} ⊙ c``, filled up with blanks where nothing is torn apart."""
    if "<" in line:
        line = _SCRIPT.sub(_script, line)
        line = _STYLE.sub(lambda m: " " * len(m[0]), line)
    return _ENTITY.sub(_character, line) if "&" in line else line


def whole(text: str, low: int, high: int) -> tuple[int, int]:
    """A stretch of a text, extended where it begins or ends inside an entity or a tag."""
    near = max(0, low - 60)
    for pattern in (_ENTITY, _SCRIPT) if re.search(r"[&<]", text[near : high + 60]) else ():
        for found in pattern.finditer(text, near, high + 60):
            if found.start() < low < found.end():
                low = found.start()
            if found.start() < high < found.end():
                high = found.end()
    return low, high


def _script(found: re.Match[str]) -> str:
    mark = "_" if found["tag"].lower() == "sub" else "^"
    if mark == "^" and found["inside"].strip() in ("T", "⊤", "&top;", "&#8868;"):
        return "^{\\top".ljust(len(found[0]) - 1) + "}"
    return f"{mark}{{{found['inside']}".ljust(len(found[0]) - 1) + "}"


def _character(found: re.Match[str]) -> str:
    text = html.unescape(found[0])
    if len(text) != 1:
        return found[0]
    return text.rjust(len(found[0])) if text.isalpha() else text.ljust(len(found[0]))
