r"""Gradients named by an index: ``g_{h_t}`` where a text writes $g_v$ for the gradient by v.

A letter is that of gradients where a text or an equation says so of a quantity that stands for any,
``g_v`` or ``F\_z = \partial E/\partial z``; δ and its like are by themselves where the index has a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lstmsym.binding.prepared import attached
from lstmsym.binding.stated import Said
from lstmsym.binding.table import GRADIENT_BASES, LOSSES, Line
from lstmsym.documents.formula import Apply, Delta, Derivative, Formula, Name, Product, names, rebuilt
from lstmsym.documents.write import write


def letters_of_gradients(lines: Sequence[Line], said: Iterable[Said]) -> frozenset[str]:
    """The letters before an index that a document says to be those of gradients by what the index is."""
    pairs = [(s.notation, s.of) for s in said if s.kind == "total"]
    pairs += [(left, by) for left, right, _ in lines if (by := _by_loss(right)) is not None]
    keys = [_plain(n) for left, right, _ in lines if _by_loss(right) is None for n in _names(left, right)]
    known = set(keys)
    return _by_use(lines) | frozenset(
        left.base
        for left, by in pairs
        if isinstance(left, Name) and isinstance(by, Name)
        and _index(left) is not None and _plain(_index(left)) == _plain(by) and _plain(by) not in known
    )  # fmt: skip


def _by_use(lines: Sequence[Line]) -> frozenset[str]:
    """Letters before quantities with a step, ``g_{h_t}``, that no line but those of gradients reads.

    With pre-activations, ``a_{i_t}``, the line of i_t reads it.
    """
    found: dict[str, set[str]] = {}
    read: set[str] = set()
    for left, right, _ in lines:
        for name in _names(left, right):
            index = _index(name)
            if index is not None and index.time is not None and name.time is None:
                found.setdefault(name.base, set()).add(_plain(index))
        if isinstance(left, Name):
            read |= {name.base for name in _names(right)} - {left.base}
    return frozenset(base for base, indices in found.items() if len(indices) > 1 and base not in read)


def _names(*sides: Formula) -> Iterator[Name]:
    for side in sides:
        yield from names(side)


def _by_loss(node: Formula) -> Formula | None:
    """What a loss is derived by."""
    loss = isinstance(node, Derivative) and isinstance(node.of, Name) and node.of.base in LOSSES
    return node.by if loss and isinstance(node, Derivative) else None


def _plain(name: Name | None) -> str:
    return "" if name is None else replace(name, time=None).key


def _index(name: Name) -> Name | None:
    """The quantity that stands as the one index of a name."""
    if len(name.scripts) != 1 or name.primes or name.marks:
        return None
    body = name.scripts[0].body
    return body if isinstance(body, Name) else None


def by_index(node: Formula, letters: frozenset[str]) -> Formula:
    """A formula in which names such as g_{h_t} are gradients of what their index is."""

    def change(part: Formula) -> Formula:
        if isinstance(part, Apply) and isinstance(head := change(part.head), Delta):
            return Product(("",), (head, change(part.argument)), span=part.span)
        if not isinstance(part, Name):
            return rebuilt(part, change)
        of = _index(part)
        if of is None or (part.time is not None and of.time is not None):
            return part
        if part.base in letters or (part.base in GRADIENT_BASES and of.time is not None):
            of = of if part.time is None else replace(of, time=part.time)
            mark = "^" if part.scripts[0].where == "sup" else "_"
            return Delta(part.base, of, write(replace(part, scripts=(), time=None)) + mark, span=part.span)
        return part

    return attached(change(node))
