"""What the symbols of a document denote, in words: quantities, gradients, activations that were assumed."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from lstmsym.binding.choices import Choices
from lstmsym.binding.slots import Meaning, Slot, occurrences
from lstmsym.binding.table import Table
from lstmsym.documents.formula import Formula
from lstmsym.documents.result import Symbol
from lstmsym.documents.write import write
from lstmsym.rules import shape_of
from lstmsym.shapes import Shape, Unifier
from lstmsym.verify.words import Label

ROLES = {"hyper": "number", "name": "computed", "parameter": "parameter"}
KINDS = {
    "carried": "what the step after sends back to {of}",
    "back": "what step t sends back to {of} of the step before",
    "given": "what the loss of the step gives to {of}",
}


def symbols_of(choices: Choices) -> tuple[Symbol, ...]:
    """The symbols of a document, its quantities first."""
    return (*_quantities(choices.table), *_functions(choices.table), *_gradients(choices))


def _quantities(table: Table) -> Iterator[Symbol]:
    for ident, role in table.roles.items():
        if ident in table.spelled:
            name = table.samples.get(ident, table.spelled[ident])
            yield Symbol(write(name), ident, ROLES.get(role, role), _sizes(table.shapes.get(ident, ())))


def _functions(table: Table) -> Iterator[Symbol]:
    for key, function in table.functions.items():
        said = f"assumed to be {table.assumed[key]}" if key in table.assumed else function
        yield Symbol(key, function, f"activation, {said}")


def _gradients(choices: Choices) -> Iterator[Symbol]:
    """Each notation of a gradient, as it first stands."""
    first: dict[Slot, Formula] = {}
    for place in choices.claims():
        for side in choices.lines[place][:2]:
            for node, slot, _, _ in occurrences(side, choices.table):
                first.setdefault(slot, node)
    for slot, node in first.items():
        meaning = choices.meaning(slot, False)
        if meaning is None:
            yield Symbol(write(node), "", "not known")
            continue
        shapes = choices.system.shapes
        bare = meaning.expr.args[1] if isinstance(meaning.expr, Label) else meaning.expr
        shape = shape_of(bare, lambda ref: shapes[ref.base], Unifier())
        yield Symbol(write(node), str(meaning.expr), _said(meaning, choices), _sizes(shape))


def _said(meaning: Meaning, choices: Choices) -> str:
    of = meaning.of or choices.of_adjoint(meaning) or str(meaning.expr)
    gate = next((post for post, pre in choices.table.before.items() if pre == of), None)
    shown = f"the pre-activation of {gate}" if gate and of not in choices.table.spelled else of
    return KINDS.get(meaning.kind, "gradient of the loss by {of}").format(of=shown)


def _sizes(shape: Shape) -> tuple[str, ...]:
    return tuple(str(sp.sympify(size)) for size in shape)
