"""What a text says of the names in its code: a table of formulas and names, ``h`` for $s_t$."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lstmsym.binding.table import Table
from lstmsym.documents.formula import Delta, Derivative, Formula, Name
from lstmsym.documents.limits import ReadingError
from lstmsym.documents.read import Document, formula
from lstmsym.documents.split import LISTING
from lstmsym.listings.given import Called
from lstmsym.notation import Ref

_SPAN = re.compile(r"`(?P<code>[A-Za-z_][\w.]{0,40})`|(?<![\\$])\$(?P<formula>[^$\n]{1,120})\$(?!\$)")
_AND = re.compile(r"\s*(,|、|,?\s*(and|und|et|y|resp\.?|和|及|と))\s*")
_MEANS = re.compile(
    r"\s*\(?\s*[|=:,]?\s*((is|are|being|stands? for|for|denotes?|means?|holds?|contains?|(is |are )?called|"
    r"(is |are )?written( as)?|as|im Code|为|是|表示|对应|即)\s*)?(in (the )?code\s*)?(the\s*)?\|?\s*"
)


@dataclass
class _Group:
    kind: str
    texts: list[str] = field(default_factory=list)


def called(text: str, document: Document, table: Table) -> Called:
    """The quantities and the gradients that names of the code stand for, as the text says."""
    quantities: dict[str, Ref] = {}
    gradients: dict[str, Ref] = {}
    code = {
        n
        for r in document.readings
        if r.block.kind == LISTING
        for n in range(r.block.line, r.block.line + r.block.text.count("\n") + 1)
    }
    for number, line in enumerate(text.split("\n"), start=1):
        for name, written in () if number in code else _pairs(line):
            try:
                tree = formula(written, document.lexicon)
            except ReadingError:
                continue
            of = _of(tree)
            ref = _ref(tree if of is None else of, table)
            if ref is not None:
                (quantities if of is None else gradients).setdefault(name, ref)
    return Called(quantities, gradients)


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    """(name in the code, formula) of groups side by side that words or a table say are the same."""
    groups = list(_groups(line))
    while len(groups) > 1:
        (first, _), (second, between) = groups[:2]
        groups.pop(0)
        if first.kind == second.kind or _AND.fullmatch(between) or not _MEANS.fullmatch(between):
            continue
        count = min(len(first.texts), len(second.texts))
        if not between.strip() or (len(first.texts) > count and "(" not in between):
            continue
        left, right = first.texts[-count:], second.texts[:count]
        yield from zip(*((left, right) if first.kind == "code" else (right, left)), strict=True)
        rest = second.texts[count:]
        groups[:1] = [(_Group(second.kind, rest), ", ")] if rest else []


def _groups(line: str) -> Iterator[tuple[_Group, str]]:
    """Runs of names or of formulas, each with the words before it."""
    group: _Group | None = None
    before, end = "", 0
    for span in _SPAN.finditer(line):
        between = line[end : span.start()]
        kind = "code" if span["code"] else "formula"
        if group is None or kind != group.kind or not _AND.fullmatch(between):
            if group is not None:
                yield group, before
            group, before = _Group(kind), between
        group.texts.append((span["code"] or span["formula"]).rpartition("self.")[2])
        end = span.end()
    if group is not None:
        yield group, before


def _of(tree: Formula) -> Formula | None:
    """What a gradient is of, if it is one."""
    if isinstance(tree, Derivative):
        return tree.by
    return tree.of if isinstance(tree, Delta) else None


def _ref(tree: Formula, table: Table) -> Ref | None:
    """The quantity that a name is, at its step."""
    if not isinstance(tree, Name):
        return None
    at = table.key(tree)
    ident = table.idents.get(at.key)
    return None if ident is None else Ref(ident, at.lag if isinstance(at.lag, int) else None)
