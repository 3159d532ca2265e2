r"""Names that stand only where a function is taken of them: \bar o in \sigma'(\bar o) is no gradient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from lstmsym.binding.activations import POINTWISE_FUNCTIONS
from lstmsym.binding.slots import Slot, occurrences
from lstmsym.binding.table import Line, Table, function_of
from lstmsym.documents.formula import Apply, Formula, children


def of_functions(lines: Iterable[Line], table: Table) -> frozenset[Slot]:
    """The names without a gradient's sign that nothing reads or sets but functions of numbers."""
    sides = [side for line in lines for side in line[:2]]
    read = Counter(slot for side in sides for _, slot, _, _ in occurrences(side, table))
    inside = Counter(slot for side in sides for slot in _inside(side, table))
    unsigned = (s for s in inside if s.family == "name" or s.family.startswith("mark "))
    return frozenset(s for s in unsigned if read[s] == inside[s])


def _inside(node: Formula, table: Table) -> Iterator[Slot]:
    if isinstance(node, Apply) and function_of(node.head, table) in POINTWISE_FUNCTIONS:
        yield from (slot for _, slot, _, _ in occurrences(node.argument, table))
        return
    for child in children(node):
        yield from _inside(child, table)
