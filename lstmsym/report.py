"""Verdicts as a table, and what programs read: verdicts, plans and checks as JSON (docs/json.md)."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lstmsym.check import Report
from lstmsym.printing import Printer
from lstmsym.program import Array, Phase, Program, Step
from lstmsym.verify.claims import Claims
from lstmsym.verify.judge import Status, Verdict

COLOURS = {
    Status.PROVED: "green",
    Status.PROVED_IF: "cyan",
    Status.REFUTED: "red",
    Status.UNDECIDED: "yellow",
    Status.UNREAD: "yellow",
    Status.NOT_A_CLAIM: "dim",
}
NARROW = 80
"""Columns below which a table would tear equations apart."""


def verdicts_shown(page: Claims, verdicts: Iterable[Verdict], width: int) -> RenderableType:
    """A page's verdicts with their reasons: a table, or below `NARROW` columns a block each."""
    verdicts = tuple(verdicts)
    title = Text(f"{page.name}: {' '.join(page.citation.split())}", style="italic")
    rows = [(_label(v), status(v), _lines(v)) for v in verdicts]
    if width < NARROW:
        blocks = [Group(Text.assemble(a, " " if a else "", b), Padding(c, (0, 0, 0, 4))) for a, b, c in rows]
        return Group(title, *blocks, summary_line(verdicts))
    table = Table("label", "verdict", "equation", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    return Group(title, table, summary_line(verdicts))


def status(v: Verdict) -> Text:
    """A verdict in its colour."""
    return Text(v.status.name.replace("_", " "), style=COLOURS[v.status])


def _label(v: Verdict) -> str:
    return "" if v.status is Status.NOT_A_CLAIM else v.claim.label


def _lines(v: Verdict) -> Text:
    return Text("\n".join([v.claim.shown, *("    " + r for r in reasons(v))]))


def reasons(v: Verdict) -> list[str]:
    """Why a verdict is what it is, a line each."""
    found = []
    if v.assumption:
        found.append(f"right if {v.assumption}")
    if v.message:
        found.append(v.message)
    if v.status is Status.REFUTED and v.expected:
        found.append(f"right: {v.expected}")
    if v.repair:
        found.append(f"repair: {v.repair}")
    return found


def summary(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """How many of each verdict."""
    counts = Counter(v.status for v in verdicts)
    return {status.value: counts[status] for status in Status if counts[status]}


def summary_line(verdicts: Iterable[Verdict]) -> str:
    """The counts in one line."""
    return ", ".join(f"{count} {status}" for status, count in summary(verdicts).items())


# -- JSON ------------------------------------------------------------------------------------------


def verdicts_json(document: str, judged: Iterable[tuple[Claims, tuple[Verdict, ...]]]) -> str:
    """The rows of all pages of a document."""
    judged = list(judged)
    rows = [_verdict(page, v) for page, verdicts in judged for v in verdicts]
    totals = summary(v for _, verdicts in judged for v in verdicts)
    cell = judged[0][0].cell.name if judged else None
    return dumped({"document": document, "cell": cell, "rows": rows, "summary": totals})


def _verdict(page: Claims, v: Verdict) -> dict[str, Any]:
    witness = None
    if v.witness:
        w = v.witness
        witness = {"sizes": dict(w.sizes), "entry": list(w.entry), "true": w.left, "claimed": w.right}
    return {
        "line": v.claim.line,
        "source": v.claim.shown,
        "kind": v.claim.kind,
        "verdict": v.status.value,
        "about": v.claim.symbol or v.claim.label,
        "page": page.name,
        "cell": page.cell.name,
        "label": v.claim.label,
        "expected": v.expected or None,
        "witness": witness,
        "repair": v.repair or None,
        "assumption": v.assumption or None,
        "message": v.message or None,
    }


def plan_json(program: Program, schedule: str) -> str:
    """The six places, the counts and what is kept."""
    show = Printer(program.order)

    def steps(found: Iterable[Step]) -> list[dict[str, Any]]:
        return [
            {"target": show(s.target), "expression": show(s.expr), "add": s.add, "computes": list(s.says),
             "answers": list(s.answers), "products": s.products}
            for s in found
        ]  # fmt: skip

    def phase(found: Phase) -> dict[str, Any]:
        return {place: steps(inside) for place, inside in found} | {"products": str(found.products)}

    def array(a: Array) -> dict[str, Any]:
        parts = [name for name, _, _ in a.parts]
        return {"name": a.name, "shape": [str(s) for s in a.shape], "time": a.time, "parts": parts}

    return dumped(
        {
            "cell": program.cell.name,
            "schedule": schedule,
            "products": str(program.products),
            "saved_numbers": str(program.saved_numbers),
            "forward": phase(program.forward),
            "backward": phase(program.backward),
            "loss": steps(program.loss),
            "saved": [array(a) for a in program.saved],
        }
    )


def check_json(cell: str, report: Report) -> str:
    """The comparisons; an error that is no number is null, as one that was not measured."""
    rows = [
        {"quantity": r.quantity, "method": r.method,
         "error": None if r.error is None or not math.isfinite(r.error) else float(r.error),
         "tolerance": r.tolerance, "ok": bool(r.ok), "note": r.note}
        for r in report.rows
    ]  # fmt: skip
    return dumped({"cell": cell, "ok": bool(report.ok), "rows": rows})


def dumped(value: Any) -> str:
    """JSON that every reader takes."""
    return json.dumps(value, indent=2, allow_nan=False)
