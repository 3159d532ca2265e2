r"""Equations that stand for several: ``\delta_k`` for k in {i, f, o}, ``\delta\star`` for any of a set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lstmsym.documents.formula import (
    Big,
    Brackets,
    Formula,
    Name,
    Relation,
    Script,
    Sum,
    Words,
    children,
    plain,
    rebuilt,
    walk,
)
from lstmsym.documents.rows import Equation, NotAClaim, Row

Sets = list[tuple[int, str, tuple[Formula, ...]]]
"""(line, index, what it stands for), in order."""


def index_sets(rows: Iterable[Row]) -> Sets:
    """What the text says that an index runs over."""
    found: Sets = []
    waiting: tuple[int, str] | None = None
    for row in rows:
        formulas = list(row.conditions) if isinstance(row, Equation) else []
        if isinstance(row, NotAClaim) and row.formula is not None:
            formulas.append(row.formula)
        found += [(row.line, index, items) for index, items in _listed(formulas)]
        for formula in formulas:
            waiting = _noted(formula, row.line, waiting, found)
    return found


def _noted(
    formula: Formula, line: int, waiting: tuple[int, str] | None, found: Sets
) -> tuple[int, str] | None:
    if isinstance(formula, Name) and not formula.scripts and formula.time is None:
        return line, formula.key
    items = _items(formula)
    if items and waiting and line - waiting[0] <= 1:
        found.append((line, waiting[1], items))
    for node in walk(formula):
        if isinstance(node, Relation) and "∈" in node.signs:
            place = node.signs.index("∈")
            index, items = node.terms[place], _items(node.terms[place + 1])
            if isinstance(index, Name) and items:
                found.append((line, index.key, items))
    return waiting


def _items(formula: Formula) -> tuple[Formula, ...]:
    if isinstance(formula, Brackets) and formula.left == "{" and len(formula.items) > 1:
        return formula.items if all(isinstance(i, Name) for i in formula.items) else ()
    return ()


def expanded(row: Equation, sets: Sets) -> Iterator[tuple[Formula, Formula]]:
    """The equations that a row stands for: itself, or one for each value of its free index."""
    known: dict[str, tuple[Formula, ...]] = {}
    for line, index, items in sets:
        if line <= row.line or index not in known:
            known[index] = items
    for condition in row.conditions:
        own: Sets = []
        _noted(condition, row.line, None, own)
        known.update({index: items for _, index, items in own})
    left, right = spread(row.left, known), spread(row.right, known)
    free = [index for index in known if _is_free(left, index) or _is_free(right, index)]
    if not free:
        yield left, right
        return
    index = free[0]
    for item in known[index]:
        yield substituted(left, index, item), substituted(right, index, item)


def spread(node: Formula, known: Mapping[str, tuple[Formula, ...]]) -> Formula:
    """A formula with its sums over a letter that the text says runs over names written out."""
    node = rebuilt(node, lambda part: spread(part, known))
    if not isinstance(node, Big) or node.operator != "∑" or not isinstance(node.lower, Name):
        return node
    items = known.get(node.lower.key, ())
    if not items or not _is_free(node.body, node.lower.key):
        return node
    terms = tuple(substituted(node.body, node.lower.key, item) for item in items)
    return Brackets("(", ")", (Sum(("+",) * len(terms), terms),), span=node.span)


def _listed(conditions: Sequence[Formula]) -> Iterator[tuple[str, tuple[Formula, ...]]]:
    """What an index beside an equation runs over, ``k = r, z, n``."""
    for place, condition in enumerate(conditions):
        if not isinstance(condition, Relation) or condition.signs != ("=",):
            continue
        items = [condition.terms[1]]
        for other in conditions[place + 1 :]:
            items += other.items if isinstance(other, Brackets) and not other.left else [other]
        if isinstance(condition.terms[0], Name) and items[1:] and all(isinstance(i, Name) for i in items):
            yield condition.terms[0].key, tuple(items)


def _is_free(node: Formula, index: str) -> bool:
    """Whether an index stands in scripts, or a placeholder anywhere, outside a sum over it."""
    if isinstance(node, Big) and node.lower is not None and index in plain(node.lower):
        return False
    if isinstance(node, Name):
        if node.base == index and (index in ("⋆", "*", "•", "·") or _stands_for(node)):
            return True
        return any(_is_index(s, index) for s in node.scripts)
    return any(_is_free(child, index) for child in children(node))


def _stands_for(name: Name) -> bool:
    r"""Whether a letter that runs over names is itself taken at a step, ``\\hat k_t``: one of them is."""
    return name.time is not None and not name.primes


def _accented(item: Name, part: Name) -> str:
    r"""A name spelled with the accents of the letter that stood for it."""
    bare = item.spelling or item.base
    return part.spelling.replace(f"{{{part.base}}}", f"{{{bare}}}") if part.marks else item.spelling


def _is_index(script: Script, index: str) -> bool:
    return _indexed(script.body, index, Name("")) is not script.body


def _indexed(body: Formula, index: str, item: Formula) -> Formula:
    """A script with an index put in, wherever it stands: k, the k of u_k, a letter of the word xk."""
    if isinstance(body, Words) and body.text == index == "*":
        return item
    if not isinstance(body, Name):
        return rebuilt(body, lambda part: _indexed(part, index, item))
    if body.key == index and body.time is None:
        return item
    if len(body.base) in (2, 3) and body.base.isalpha() and body.base.count(index) == 1 and not body.scripts:
        return replace(body, base=body.base.replace(index, plain(item)))
    return replace(body, scripts=scripts) if (scripts := _put(body.scripts, index, item)) else body


def _put(scripts: tuple[Script, ...], index: str, item: Formula) -> tuple[Script, ...]:
    """Scripts with an index put in; none where it does not stand in them."""
    new = tuple(replace(s, body=_indexed(s.body, index, item)) for s in scripts)
    return new if any(a.body is not b.body for a, b in zip(new, scripts, strict=True)) else ()


def substituted(node: Formula, index: str, item: Formula) -> Formula:
    """A formula with an index, or a placeholder, put in."""

    def change(part: Formula) -> Formula:
        if isinstance(part, Name):
            if part.base == index and isinstance(item, Name) and index in ("⋆", "*", "•"):
                return replace(item, scripts=(*item.scripts, *part.scripts), time=part.time, span=part.span)
            if part.base == index and isinstance(item, Name) and _stands_for(part):
                scripts = (*item.scripts, *part.scripts)
                marks = (*item.marks, *part.marks)
                return replace(
                    item, marks=marks, scripts=scripts, time=part.time, spelling=_accented(item, part)
                )
            bare = replace(item, marks=()) if isinstance(item, Name) and index in ("⋆", "*", "•") else item
            scripts = _put(part.scripts, index, bare)
            return replace(part, scripts=scripts) if scripts else part
        return rebuilt(part, change)

    return change(node)
