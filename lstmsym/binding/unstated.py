r"""Lines that only a loss can bear out, in a text that states none: dL/do(t) = \hat y(t) - 1 at the class."""

from __future__ import annotations

from collections.abc import Iterator

from lstmsym.binding.choices import Choices
from lstmsym.binding.shares import depends
from lstmsym.binding.slots import occurrences
from lstmsym.binding.table import Line
from lstmsym.documents.formula import Delta, Derivative, Formula, Name, walk
from lstmsym.notation import Ref

UNSTATED = "it says what the loss is, which no line states"


def of_unstated_loss(line: Line, choices: Choices) -> bool:
    """Whether a line has the gradient of what the loss alone reads, and no other gradient, without a loss."""
    cell = choices.system.cell
    if cell.loss or "loss" in choices.bound.kinds.values():
        return False
    lines = {e.name.base: e.expr for e in cell.equations}
    states = [q.name for q in cell.role("state")]
    of = list(_differentiated(line[0], choices))
    last = all(i in lines and not any(i == s or depends(s, Ref(i, 0), lines) for s in states) for i in of)
    return bool(of) and last and not _has_gradient(line[1], choices)


def _differentiated(side: Formula, choices: Choices) -> Iterator[str]:
    """The quantities by which a side has gradients."""
    for node in walk(side):
        by = node.by if isinstance(node, Derivative) else node.of if isinstance(node, Delta) else None
        if isinstance(by, Name):
            yield choices.table.idents.get(choices.table.key(by).key, "")


def _has_gradient(side: Formula, choices: Choices) -> bool:
    if any(isinstance(node, (Delta, Derivative)) for node in walk(side)):
        return True
    return any(choices.meaning(slot, False) for _, slot, _, _ in occurrences(side, choices.table))
