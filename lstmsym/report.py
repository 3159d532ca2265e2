"""Verdicts as a table and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

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


def table(page: Claims, verdicts: Iterable[Verdict]) -> Table:
    """A page's verdicts, one row each, with the reason where there is one."""
    verdicts = tuple(verdicts)
    result = Table("label", "verdict", "equation", box=None, pad_edge=False, title_justify="left")
    result.title = f"{page.name}: {' '.join(page.citation.split())}"
    result.caption = summary_line(verdicts)
    for v in verdicts:
        status = Text(v.status.name.replace("_", " "), style=COLOURS[v.status])
        label = "" if v.status is Status.NOT_A_CLAIM else v.claim.label
        result.add_row(
            Text(label), status, Text("\n".join([v.claim.shown, *("    " + r for r in reasons(v))]))
        )
    return result


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


def as_json(document: str, judged: Iterable[tuple[Claims, tuple[Verdict, ...]]]) -> str:
    """The rows of all pages of a document."""
    judged = list(judged)
    rows = [_row(page, v) for page, verdicts in judged for v in verdicts]
    totals = summary(v for _, verdicts in judged for v in verdicts)
    cell = judged[0][0].cell.name if judged else None
    return json.dumps({"document": document, "cell": cell, "rows": rows, "summary": totals}, indent=2)


def _row(page: Claims, v: Verdict) -> dict[str, Any]:
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
