"""A derivation as a reader wants it: aligned text, LaTeX, JSON.

Each backward equation is numbered and stands with its shape, the rule it was derived with and the
forward line it answers; what arrives from the next step is spelled out under "through time".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sympy as sp

from lstmsym.notation import Ref
from lstmsym.printing import Latex, Printer, Text, display
from lstmsym.shapes import spelled

if TYPE_CHECKING:
    from lstmsym.derive import Backward, Derivation


def text(derivation: Derivation) -> str:
    """The derivation for a terminal."""
    show, plain = Text(derivation.order), Printer(derivation.order)
    lines = [
        f"{derivation.cell.name}: {' '.join(derivation.cell.doc.split())}".rstrip(": "),
        "",
        "Forward, t = 1 ... T",
    ]
    lines += _aligned((f"  {show(e.name)}", f"= {show(e.expr)}") for e in derivation.forward)
    lines += ["", "Backward, t = T ... 1"]
    steps = [(n, b) for n, b in enumerate(derivation.backward, 1)]
    lines += _table((n, b) for n, b in steps if b.name.lag is not None)(show, plain)
    lines += ["", "Through time: what step t+1 sends back; at t = T the gradient given for the last state"]
    lines += _aligned((f"  {show(left)}", f"= {show(right)}") for left, right in recurrence(derivation))
    lines += ["", "Sums over t"]
    lines += _table((n, b) for n, b in steps if b.name.lag is None)(show, plain)
    return "\n".join(line.rstrip() for line in lines)


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


def _table(rows: Iterable[tuple[int, Backward]]) -> Any:
    chosen = list(rows)

    def lines(show: Printer, plain: Printer) -> list[str]:
        return _aligned(
            (
                f"{number:4}",
                show(b.name),
                f"= {show(b.expr)}",
                f"  {spelled(b.shape)}",
                f" {'; '.join(b.rules) or 'sum'}",
                f" [{', '.join(str(a.name) for a in b.answers) or 'given'}]",
            )
            for number, b in chosen
        )

    return lines


def latex(derivation: Derivation) -> str:
    """The derivation as two aligned displays, numbered; amsmath, KaTeX and MathJax render it."""
    show = Latex(derivation.order)
    inline = dict(recurrence(derivation))
    rows = [rf"{show(e.name)} &= {show(e.expr)}" for e in derivation.forward]
    back = []
    for number, b in enumerate(derivation.backward, 1):
        back.append(rf"{show(b.name)} &= {show(_inlined(b.expr, inline))} && ({number})")
    return "\n".join([display(rows), "", display(back)])


def _inlined(expr: sp.Expr, inline: dict[Ref, sp.Expr]) -> sp.Expr:
    """A backward right side with what arrives from step t+1 written out, as papers do."""
    return expr.xreplace(inline)


def as_json(derivation: Derivation) -> str:
    """The derivation as JSON; keys as in docs/derivation.md."""
    show, tex, cell = Printer(derivation.order), Latex(derivation.order), derivation.cell
    document = {
        "cell": cell.name,
        "doc": " ".join(cell.doc.split()),
        "sizes": [s.name for s in cell.sizes],
        "quantities": [
            {"name": q.name, "role": q.role, "shape": [str(s) for s in q.shape]} for q in cell.quantities
        ],
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
