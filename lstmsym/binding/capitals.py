r"""Matrices by the capital of their entries: W of ``w_{ji}``, where a text goes from units to matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lstmsym.binding.table import Bound, Line, bare_names


def name_matrices(lines: Sequence[Line], bound: Bound) -> None:
    """Enter the capitals that nothing else is called by, of matrices that are known by their entries."""
    table = bound.table
    if not table.indexed:
        return
    for name in (n for left, right, _ in lines for side in (left, right) for n in bare_names(side)):
        key = table.key(name).key
        if name.time is not None or name.units or not name.base.isupper() or len(name.base) != 1:
            continue
        if key in table.idents or key in table.macros or key in table.standing:
            continue
        if key in bound.losses:  # C of \partial C/\partial c_{ij}
            continue
        ident = table.idents.get(replace(name, base=name.base.lower(), primes=0).key, "")
        if table.roles.get(ident) == "parameter" and len(table.shapes.get(ident, ())) == 2:
            table.idents[key] = ident
