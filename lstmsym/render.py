"""A derivation as a reader wants it: aligned text, LaTeX, JSON.

Each backward equation is numbered and stands with its shape, the rule it was derived with and the
forward line it answers; what arrives from the next step is spelled out under "through time".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.latex import Latex, displays, row
from lstmsym.notation import Ref
from lstmsym.printing import Printer, Text
from lstmsym.shapes import spelled

if TYPE_CHECKING:
    from lstmsym.cell import Equation
    from lstmsym.derive import Backward, Derivation


ONCE, EACH = "Once, of parameters alone", "Forward, t = 1 ... T"


def text(derivation: Derivation) -> str:
    """The derivation for a terminal."""
    derivation = readable(derivation)
    show, cell = Text(derivation.order), derivation.cell
    numbered = list(enumerate(derivation.backward, 1))
    lines = [f"{cell.name}: {' '.join(cell.doc.split())}".rstrip(": ")]
    for title, equations in forward_parts(derivation):
        lines += ["", title, *_aligned((f"  {show(e.name)}", f"= {show(e.expr)}") for e in equations)]
    lines += ["", "Backward, t = T ... 1"]
    lines += _table(((n, b) for n, b in numbered if b.name.lag is not None), show)
    lines += ["", "Through time: what step t+1 sends back; at t = T the gradient given for the last state"]
    lines += _aligned((f"  {show(left)}", f"= {show(right)}") for left, right in recurrence(derivation))
    lines += ["", "Sums over t"]
    lines += _table(((n, b) for n, b in numbered if b.name.lag is None), show)
    return "\n".join(line.rstrip() for line in lines)


def forward_parts(derivation: Derivation) -> list[tuple[str, list[Equation]]]:
    """The forward lines under their titles: what is made of parameters alone, then each step's."""
    once = [e for e in derivation.forward if e.name.lag is None]
    each = [e for e in derivation.forward if e.name.lag is not None]
    return [(title, part) for title, part in ((ONCE, once), (EACH, each)) if part]


def readable(derivation: Derivation) -> Derivation:
    """The derivation with slices that reach to the end of a vector written so: v[n:] for v[n:m + n]."""
    parts = {p for b in derivation.backward for p in b.expr.atoms(N.Part) if isinstance(p.args[0], Ref)}
    whole = {p for p in parts if derivation.shapes[p.args[0].base] == (p.args[2],) and p.args[1] != 0}
    ends = {p: N.Part(*p.args[:2], N.End) for p in whole}
    return replace(
        derivation, backward=tuple(replace(b, expr=b.expr.xreplace(ends)) for b in derivation.backward)
    )


def recurrence(derivation: Derivation) -> list[tuple[Ref, sp.Expr]]:
    """For each state what arrives from step t+1, in terms of step t+1."""
    found = []
    for state in derivation.cell.role("state"):
        back = derivation.by_name[derivation.names.back(state.name)]
        found.append((back.name.shifted(1), shifted(back.expr, 1)))
    return found


def shifted(expr: sp.Expr, steps: int) -> sp.Expr:
    """An expression ``steps`` later."""
    return expr.xreplace({ref: ref.shifted(steps) for ref in expr.atoms(Ref)})


def _aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    rows = list(rows)
    widths = [max((len(row[c]) for row in rows), default=0) for c in range(len(rows[0]) if rows else 0)]
    return [" ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _table(rows: Iterable[tuple[int, Backward]], show: Printer) -> list[str]:
    return _aligned(
        (
            f"{number:4}",
            show(b.name),
            f"= {show(b.expr)}",
            f"  {spelled(b.shape)}",
            f" {'; '.join(b.rules) or 'sum'}",
            f" [{', '.join(str(a.name) for a in b.answers) or ('given' if b.needs else '-')}]",
        )
        for number, b in rows
    )


def latex(derivation: Derivation) -> str:
    """The derivation as aligned displays, numbered, under a line each that says what they are."""
    derivation = readable(derivation)
    names = legible(derivation)
    show, inline = Latex(derivation.order, names), dict(recurrence(derivation))
    once, each = (
        [
            row(show(e.name), show.lines(e.expr))
            for e in derivation.forward
            if (e.name.lag is None) == timeless
        ]
        for timeless in (True, False)
    )
    steps: list[str] = []
    sums: list[str] = []
    for number, b in enumerate(derivation.backward, 1):
        right = b.expr.xreplace(inline)  # what arrives from step t+1 is written out, as papers do
        (sums if b.name.lag is None else steps).append(row(show(b.name), show.lines(right), number))
    letters = (rf"; ${show.name(name, None)}$ is {name} in code" for name in names if "_" not in name)
    parts = [f"{ONCE}:", displays(once)] if once else []
    parts += [rf"Forward, $t = 1, \dots, T${''.join(letters)}:", displays(each)]
    parts += [legend(derivation, show), displays(steps)]
    return "\n\n".join([*parts, "Sums over all steps:", displays(sums)] if sums else parts)


def legend(derivation: Derivation, show: Latex) -> str:
    """What the symbols of the backward equations mean, in one line."""
    (state, *_) = derivation.cell.role("state")
    back, before = Ref(derivation.names.back(state.name), 0), Ref(state.name, -1)
    return (
        r"Backward, $t = T, \dots, 1$; $\delta u$ is the gradient of $\sum_t l_t$ by $u$,"
        f" ${show(back)}$ what step $t$ sends back to ${show(before)}$:"
    )


def legible(derivation: Derivation) -> dict[str, str]:
    """Names for print in place of invented ones: a free letter for ``hx``, ``hat_p`` for p normalised."""
    used = {name.split("_")[0] for name in derivation.shapes} | {s.name for s in derivation.cell.sizes}
    free = (letter for letter in "zvuqwe" if letter not in used)
    found = {}
    for e in derivation.forward:
        base = e.name.base
        if base in derivation.cell.by_name:
            continue
        if isinstance(e.expr, N.normalize) and isinstance(e.expr.args[0], Ref):
            found[base] = f"hat_{e.expr.args[0].base}"
        elif "_" not in base and len(base) > 1:
            found[base] = next(free, base)
    return found


def as_json(derivation: Derivation) -> str:
    """The derivation as JSON; keys as in docs/json.md."""
    derivation = readable(derivation)
    names, cell = legible(derivation), derivation.cell
    show, tex = Printer(derivation.order), Latex(derivation.order, names)
    document = {
        "cell": cell.name,
        "doc": " ".join(cell.doc.split()),
        "sizes": [s.name for s in cell.sizes],
        "quantities": [
            {"name": q.name, "role": q.role, "shape": [str(s) for s in q.shape]} for q in cell.quantities
        ],
        "latex_names": {name: tex.name(name, None) for name in names},
        "forward": [
            {"name": str(e.name), "text": show(e.expr), "latex": tex(e.expr)} for e in derivation.forward
        ],
        "backward": [_entry(number, b, show, tex) for number, b in enumerate(derivation.backward, 1)],
        "recurrence": [{"name": str(r), "text": show(e), "latex": tex(e)} for r, e in recurrence(derivation)],
    }
    return json.dumps(document, indent=2)


def _entry(number: int, b: Backward, show: Printer, tex: Printer) -> dict[str, Any]:
    return {
        "number": number,
        "name": str(b.name),
        "of": str(b.of),
        "text": show(b.expr),
        "latex": tex(b.expr),
        "shape": [str(s) for s in b.shape],
        "rules": list(b.rules),
        "answers": [f"{a.name} = {show(a.expr)}" for a in b.answers],
        "needs": [str(r) for r in b.needs],
        "sum_over_t": b.name.lag is None,
    }
