r"""Inputs by a running index: ``y^m`` of a sum over m, beside ``y^{c_v}`` that the text computes.

The sum may run over what other steps have computed as well, which the cell takes as given.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstmsym.binding.table import Table
from lstmsym.documents.write import write
from lstmsym.notation import Ref
from lstmsym.verify.claims import Claim
from lstmsym.verify.system import System
from lstmsym.verify.words import Label

GIVEN = "{}, one of a family that the text computes, is given"


def running(table: Table) -> list[str]:
    r"""Inputs by a running index that others of their letter have computed: y^m beside y^{c_v}."""
    computed = {table.spelled[i].base for i in _computed(table)}
    found = []
    for ident, name in table.spelled.items():
        index = table.samples.get(ident, name)
        own = {s.text for s in index.scripts} & set(index.units)
        if table.roles.get(ident) == "input" and own and name.base in computed:
            found.append(write(index))
    return found


def taken_as_given(claim: Claim, table: Table, system: System) -> str:
    """What a gradient takes as given that may depend on what it is the gradient of; nothing for others."""
    found = running(table)
    if not found:
        return ""
    bases = {table.spelled[i].base for i, r in table.roles.items() if r == "input" and i in table.spelled}
    family = {i for i in _computed(table) if table.spelled[i].base in bases}
    reached = {ref.base for ref in _of(claim, system)}
    before = -1
    while before != len(reached):
        before = len(reached)
        for equation in system.cell.equations:
            if reached & {ref.base for ref in equation.expr.atoms(Ref)}:
                reached.add(equation.name.base)
    return GIVEN.format(" and ".join(found)) if reached & family else ""


def _computed(table: Table) -> Iterator[str]:
    yield from (i for i, r in table.roles.items() if r in ("state", "name") and i in table.spelled)


def _of(claim: Claim, system: System) -> Iterator[Ref]:
    """What a left side has gradients of the loss by."""
    names, parts = system.derivation.names, claim.left.atoms(Ref)
    for label in claim.left.atoms(Label):
        yield from (arg for arg in label.args[1:] if isinstance(arg, Ref))
    for base in {ref.base for ref in parts}:
        yield from (Ref(q.name) for q in system.cell.quantities if names.adjoint(q.name) == base)
