"""What the symbols of a document denote, for its report."""

from __future__ import annotations

from collections.abc import Iterator

from lstmsym import notation as N
from lstmsym.binding.choices import Choices
from lstmsym.binding.table import FUNCTIONS
from lstmsym.cell import Cell
from lstmsym.documents.formula import Derivative, Formula
from lstmsym.documents.result import Symbol
from lstmsym.documents.write import write
from lstmsym.notation import Ref
from lstmsym.printing import Printer

ROLES = {
    "input": "input", "state": "state", "parameter": "parameter", "target": "target", "output": "output",
    "hyperparameter": "number", "loss": "loss of a step", "name": "intermediate",
}  # fmt: skip


def symbols(choices: Choices, show: Printer) -> tuple[Symbol, ...]:
    """The quantities, the gradients and the functions that the document names, as ``show`` spells them."""
    cell, table = choices.bound.cell, choices.table
    assert cell is not None
    functions = (
        Symbol(head, "", table.assumed.get(head) or f"the function {function}")
        for head, function in sorted(table.functions.items())
        if function and head not in FUNCTIONS
    )
    return (*_quantities(cell, choices), *_gradients(choices, show), *functions)


def _quantities(cell: Cell, choices: Choices) -> Iterator[Symbol]:
    table = choices.table
    for q in cell.quantities:
        if q.name in table.spelled:
            name = table.samples.get(q.name) or table.spelled[q.name]
            yield Symbol(write(name), q.name, _meaning(q.name, q.role, choices), tuple(map(str, q.shape)))


def _meaning(name: str, role: str, choices: Choices) -> str:
    before = choices.table.before
    if role == "name" and name in before.values():
        return "pre-activation"
    if role == "name" and name in before:
        made = next((e.expr for e in choices.system.cell.equations if e.name.base == name), None)
        return "gate" if isinstance(made, N.sigma) else "activation"
    return ROLES.get(role, role)


def _gradients(choices: Choices, show: Printer) -> Iterator[Symbol]:
    """What each notation of a gradient is of, and how much of it, where it does not say so itself."""
    system, names = choices.system, choices.system.derivation.names
    spelled: dict[str, Formula] = {}
    for (base, _), node in choices.spelled_slots().items():
        spelled.setdefault(base, node)
    of = {pre: f"what goes into {gate}" for gate, pre in choices.table.before.items()}
    for q in system.cell.quantities:
        named = q.name if q.name in choices.table.spelled else of.get(q.name, q.name)
        kinds = {
            names.adjoint(q.name): "gradient of the loss by {}",
            names.given(q.name): "gradient of the loss by {}, without what later steps send back",
            names.back(q.name): "what a step sends back to {} of the step before",
        }
        for adjoint, words in kinds.items():
            if adjoint in spelled and not isinstance(spelled[adjoint], Derivative):
                lag = None if system.cell.by_name[q.name].constant else 0
                shape = tuple(map(str, q.shape))
                yield Symbol(show(Ref(adjoint, lag)), adjoint, words.format(named), shape)
