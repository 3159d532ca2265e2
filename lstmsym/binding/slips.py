r"""Names that are slips by their look: ``j_{j-1}`` in a product over j, W beside W^{(hh)} and W^{(hx)}.

A line with such names is read with whatever they may be meant to be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

from lstmsym.binding.table import Line, Table
from lstmsym.documents.formula import Big, Derivative, Formula, Name, children, rebuilt, walk
from lstmsym.documents.write import write

MOST = 24
"""Ways to read a line that are tried."""


def slips(line: Line, table: Table) -> dict[str, tuple[Name, ...]]:
    """Names, without their steps, that are slips, and what each may be meant to be."""
    found: dict[str, tuple[Name, ...]] = {}
    derived = {d.by for side in line[:2] for d in walk(side) if isinstance(d, Derivative)}
    for side in line[:2]:
        for name, letters in _names(side, frozenset()):
            if name.base in letters and name.time is not None and not name.scripts:
                found[name.key] = tuple(_quantities(table))
            elif (
                name.time is None
                and not name.scripts
                and name not in derived
                and name.key not in table.idents
            ):
                meant = tuple(_with_base(name.base, table))
                if meant:
                    found[name.key] = meant
    return found if math.prod(map(len, found.values())) <= MOST else {}


def readings(line: Line, meant: Mapping[str, tuple[Name, ...]]) -> Iterator[tuple[str, Line]]:
    """The line with each of the names that may be meant, and what is read as what in words."""
    for chosen in product(*meant.values()):
        rules = dict(zip(meant, chosen, strict=True))

        def change(node: Formula, rules: Mapping[str, Name] = rules) -> Formula:
            if isinstance(node, Big):
                return replace(node, body=change(node.body))
            if not isinstance(node, Name):
                return rebuilt(node, change)
            return replace(rules[node.key], time=node.time) if node.key in rules else node

        said = " and ".join(f"{key} is read as {write(name)}" for key, name in rules.items())
        yield said, (change(line[0]), change(line[1]), line[2])


def _names(node: Formula, letters: frozenset[str]) -> Iterator[tuple[Name, frozenset[str]]]:
    """The names in a formula, each with the letters that sums and products around it run over."""
    if isinstance(node, Name):
        yield node, letters
        return
    if isinstance(node, Big):
        letters = letters | {node.variable}
    parts = (node.body,) if isinstance(node, Big) else tuple(children(node))
    for part in parts:
        yield from _names(part, letters)


def _quantities(table: Table) -> Iterator[Name]:
    for ident, name in table.spelled.items():
        if table.roles.get(ident) in ("state", "name", "input"):
            yield replace(name, time=None)


def _with_base(base: str, table: Table) -> Iterator[Name]:
    for ident, name in table.spelled.items():
        if table.roles.get(ident) == "parameter" and name.base == base and name.scripts:
            yield name
