r"""Names that stand only where a function is taken of them: \bar o in \sigma'(\bar o) is no gradient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from lstmsym.binding.activations import POINTWISE_FUNCTIONS
from lstmsym.binding.slots import Slot, occurrences
from lstmsym.binding.table import Line, Table, function_of
from lstmsym.documents.formula import Apply, Formula, children


def of_functions(lines: Iterable[Line], table: Table) -> frozenset[Slot]:
    """The names without a gradient's sign that nothing reads or sets but functions of numbers.

    A line of nothing else, ``sigma'(z) = sigma(z) (1 - sigma(z))``, speaks of the functions, whatever z is.
    """
    found = [(_read(line, table), _taken(line, table)) for line in lines]
    found = [(read, inside) for read, inside in found if read != inside]
    read = sum((read for read, _ in found), Counter[Slot]())
    inside = sum((inside for _, inside in found), Counter[Slot]())
    unsigned = (s for s in inside if s.family == "name" or s.family.startswith("mark "))
    return frozenset(s for s in unsigned if read[s] == inside[s])


def _read(line: Line, table: Table) -> Counter[Slot]:
    return Counter(slot for side in line[:2] for _, slot, _, _ in occurrences(side, table))


def _taken(line: Line, table: Table) -> Counter[Slot]:
    return Counter(slot for side in line[:2] for slot in _inside(side, table))


def _inside(node: Formula, table: Table) -> Iterator[Slot]:
    if isinstance(node, Apply) and function_of(node.head, table) in POINTWISE_FUNCTIONS:
        yield from (slot for _, slot, _, _ in occurrences(node.argument, table))
        return
    for child in children(node):
        yield from _inside(child, table)
