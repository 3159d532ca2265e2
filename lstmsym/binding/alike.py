"""Equations that a document stacks by the example of others: W_g v for W_gx x + W_gh h, and so on for W_f.

Where a text writes one gate anew with v = [x, h], as W_g v, the gates that it leaves as they were have
the matrices W_f = [W_fx, W_fh] too, by the same names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.quantity import identifier
from lstmsym.binding.table import Line, Table, bare_names
from lstmsym.documents.formula import Name, Script
from lstmsym.notation import Ref

Equations = list[tuple[str, sp.Expr]]


def stacked_alike(
    equations: Equations, lines: Sequence[Line], kinds: dict[int, str], table: Table
) -> Equations:
    """The equations, those stacked that the text stacks by example."""
    said = {table.key(n).key for left, right, _ in lines for n in bare_names(right)}
    spoken = {
        table.key(n).key
        for place, line in enumerate(lines) if place not in kinds
        for side in line[:2] for n in bare_names(side)
    }  # fmt: skip
    for vector, parts in [(name, e.args) for name, e in equations if isinstance(e, N.Concat)]:
        if not all(isinstance(p, Ref) for p in parts):
            continue
        examples = {
            s for m in _matrices(equations, vector) if (s := _split_names(m, parts, table)) and s <= said
        }
        for place, (name, expr) in enumerate(equations):
            found = _stem(expr, parts, table) if examples else None
            if found is None or any(_key(m, table) in spoken for m in found[1]):
                continue
            equations[place] = name, _stacked(expr, vector, *found, table=table)
    return equations


def _matrices(equations: Equations, vector: str) -> Iterator[str]:
    """What multiplies the stacked vectors somewhere."""
    for _, expr in equations:
        for node in expr.atoms(N.Dot):
            if node.args[1] == Ref(vector, 0) and isinstance(node.args[0], Ref):
                yield node.args[0].base


def _key(ident: str, table: Table) -> str:
    return table.spelled[ident].key if ident in table.spelled else ""


def _split_names(matrix: str, parts: Sequence[sp.Expr], table: Table) -> frozenset[str]:
    """The names of the columns of a matrix, W_gx and W_gh of W_g."""
    name = table.spelled.get(matrix)
    if name is None or len(name.scripts) != 1:
        return frozenset()
    (script,) = name.scripts
    letters = (table.spelled[p.base].base for p in parts if isinstance(p, Ref) and p.base in table.spelled)
    return frozenset(
        replace(name, scripts=(replace(script, body=Name(script.text + letter)),)).key for letter in letters
    )


def _stem(expr: sp.Expr, parts: Sequence[sp.Expr], table: Table) -> tuple[Name, list[str]] | None:
    """The name that the matrices of a sum over the parts have in common, and the matrices."""
    taken = {node.args[1]: node.args[0] for node in sp.Add.make_args(expr) if isinstance(node, N.Dot)}
    matrices = [taken.get(p) for p in parts]
    stems, found = set(), []
    for part, matrix in zip(parts, matrices, strict=True):
        if not isinstance(matrix, Ref) or not isinstance(part, Ref):
            return None
        name = table.spelled.get(matrix.base)
        if name is None or len(name.scripts) != 1 or part.base not in table.spelled:
            return None
        letter = table.spelled[part.base].base
        text = name.scripts[0].text
        stems.add(text.removesuffix(letter) if text.endswith(letter) else "")
        found.append(matrix.base)
    stem = stems.pop()
    if stems or not stem:
        return None
    first = table.spelled[found[0]]
    whole = replace(first, scripts=(Script(first.scripts[0].where, Name(stem)),), spelling=first.spelling)
    return (whole, found) if whole.key not in table.idents else None


def _stacked(expr: sp.Expr, vector: str, whole: Name, matrices: list[str], table: Table) -> sp.Expr:
    """A sum with one matrix for several, which is entered in the table in their place."""
    ident = identifier(whole.key, [*table.spelled, *N.FUNCTIONS, "t", "m", "n", "p", "k"])
    shapes = [table.shapes.pop(m) for m in matrices]
    rest = [
        t
        for t in sp.Add.make_args(expr)
        if not (isinstance(t, N.Dot) and getattr(t.args[0], "base", "") in matrices)
    ]
    for matrix in matrices:
        table.roles.pop(matrix)
        table.idents.pop(_key(matrix, table), None)
        table.spelled.pop(matrix)
        table.samples.pop(matrix, None)
    table.idents[whole.key] = ident
    table.spelled[ident] = table.samples[ident] = whole
    table.roles[ident] = "parameter"
    table.shapes[ident] = (shapes[0][0], sp.Add(*(s[1] for s in shapes)))
    return sp.Add(N.Dot(Ref(ident), Ref(vector, 0)), *rest)
