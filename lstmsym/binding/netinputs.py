r"""Net inputs that no equation names: ``a^z_t`` and ``\hat z_t`` are what the gate z is an activation of.

Texts write the argument of an activation out in the forward equations and take the derivative by it under
a name that the gate's is a part of.  A state's letter stands there for its candidate: ``a^h`` is the
argument of ``\tilde h``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lstmsym.binding.quantity import untimed
from lstmsym.binding.table import GRADIENT_BASES, Line, Table
from lstmsym.documents.formula import Delta, Derivative, Name, walk

NET_MARKS = ("hat", "tilde", "bar")


def name_net_inputs(lines: Sequence[Line], table: Table) -> None:
    """Enter the names by which derivatives of net inputs are taken in the table."""
    found: dict[str, tuple[Name, str]] = {}
    for name in _by(lines):
        key = table.key(name).key
        if key in table.idents or key in table.macros or key in table.standing or name.base in GRADIENT_BASES:
            continue
        gate = _gate(untimed(name)[0], table)
        if gate:
            found.setdefault(key, (name, gate))
    gates = [gate for _, gate in found.values()]
    for key, (name, gate) in found.items():
        if gates.count(gate) > 1:  # two names for one: neither is settled by its look
            continue
        ident = table.before[gate]
        table.idents[key] = ident
        if ident not in table.spelled:
            table.spelled[ident], table.samples[ident] = untimed(name)[0], name


def _by(lines: Sequence[Line]) -> Iterator[Name]:
    """The names at a step by which derivatives are taken."""
    for left, right, _ in lines:
        for side in (left, right):
            for node in walk(side):
                by = node.by if isinstance(node, Derivative) else node.of if isinstance(node, Delta) else None
                if isinstance(by, Name) and by.time is not None:
                    yield by


def _gate(name: Name, table: Table) -> str:
    """The activation that a name has the letter of, as its one script or under an accent; or nothing."""
    if name.scripts:
        if len(name.scripts) > 1 or name.marks or not isinstance(name.scripts[0].body, Name):
            return ""
        letter: Name | None = replace(name.scripts[0].body, time=None)
    else:
        letter = replace(name, marks=()) if name.marks and name.marks[-1] in NET_MARKS else None
    return "" if letter is None else next(_activations(letter, table), "")


def _activations(letter: Name, table: Table) -> Iterator[str]:
    """What goes by a letter and is an activation: itself, its capital, its candidate."""
    keys = [letter.key]
    if letter.base.islower() and not letter.marks:
        keys.append(replace(letter, base=letter.base.upper()).key)
    for key in (*keys, *(k + mark for k in keys for mark in "~^")):
        ident = table.idents.get(key, "")
        if ident in table.before:
            yield ident
