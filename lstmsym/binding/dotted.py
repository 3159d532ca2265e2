r"""Lists with dots: ``diag(f(v_1), …, f(v_n))`` is diag(f(v)), said of all entries at once."""

from __future__ import annotations

from dataclasses import replace

from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Formula,
    Name,
    Number,
    Product,
    Relation,
    Script,
    Time,
    Words,
    rebuilt,
)


def undotted(node: Formula) -> Formula:
    """A formula with diagonal matrices of vectors for those written out, and ranges by their ends."""
    node = rebuilt(node, undotted)
    if isinstance(node, Big) and isinstance(node.lower, Relation) and node.upper is None:
        return _ranging(node, node.lower)
    if not isinstance(node, Apply) or node.head.base.lower() != "diag":
        return node
    items = node.argument.items if isinstance(node.argument, Brackets) else ()
    if len(items) not in (3, 4) or not isinstance(items[-2], Words) or set(items[-2].text) - set("….⋯ "):
        return node
    items = (*(_numbered(item) for item in items[:-2]), *items[-2:])
    wholes = {_whole(item, str(n)) for n, item in enumerate(items[:-2], start=1)}
    wholes |= {_whole(items[-1], last) for last in _letters(items[-1])}
    whole = next(iter(wholes))
    if len(wholes) > 1 or whole is None:
        return node
    return replace(node, argument=replace(node.argument, items=(whole,), separators=()), certain=True)  # type: ignore[call-arg]


def _ranging(node: Big, lower: Relation) -> Big:
    """A sum whose range stands below it, ``t = 1, ..., T``, with its ends below and above."""
    ends = lower.terms[-1]
    factors = ends.factors if isinstance(ends, Product) and not any(ends.operators) else ()
    if lower.signs != ("=",) or len(factors) != 3 or not isinstance(factors[1], Words):
        return node
    return replace(node, lower=replace(lower, terms=(lower.terms[0], factors[0])), upper=factors[2])


def _numbered(node: Formula) -> Formula:
    """An entry of such a list with its number as an index, where it was taken for a step: ``v_1(t)``."""
    node = rebuilt(node, _numbered)
    if isinstance(node, Name) and node.time is not None and isinstance(node.time.index, Number):
        return replace(node, time=None, scripts=(*node.scripts, Script("sub", node.time.index)))
    if isinstance(node, Product) and len(node.factors) == 2 and node.operators == ("",):
        name, step = node.factors
        if isinstance(name, Name) and isinstance(step, Brackets) and name.scripts and len(step.items) == 1:
            return replace(name, time=Time(step.items[0], "call"))
    return node


def _letters(node: Formula) -> set[str]:
    """The letter that all indices of the last entry are."""
    found = {text for name in _names(node) for script in name.scripts for text in _parts(script)}
    return {text for text in found if _whole(node, text) is not None} or {""}


def _names(node: Formula) -> list[Name]:
    """The names of a formula that are no functions."""
    found: list[Name] = []

    def look(part: Formula) -> Formula:
        if isinstance(part, Name):
            found.append(part)
            return part
        if isinstance(part, Apply):
            look(part.argument)
            return part
        return rebuilt(part, look)

    look(node)
    return found


def _parts(script: Script) -> list[str]:
    if script.wrap or script.where != "sub":
        return []
    body = script.body
    factors = body.factors if isinstance(body, Product) else (body,)
    return [f.text if isinstance(f, Number) else f.base for f in factors if isinstance(f, (Name, Number))]


def _whole(node: Formula, index: str) -> Formula | None:
    """A formula with an index left out of every name that has one; None where there is none."""
    bare = [name for name in _names(node) if any(index in _parts(script) for script in name.scripts)]
    if not bare:
        return None

    def change(part: Formula) -> Formula:
        if isinstance(part, Name) and part in bare:
            kept = tuple(s for s in part.scripts if index not in _parts(s))
            return replace(part, scripts=kept)
        return rebuilt(part, change)

    return change(node)
