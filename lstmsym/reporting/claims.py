"""The verdicts on pages of claims as the result of a document, so that they are reported alike."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lstmsym.cell import Cell
from lstmsym.documents.result import Result, Row, Symbol, Witness
from lstmsym.latex import Latex
from lstmsym.reporting.compare import compare
from lstmsym.shapes import Shape
from lstmsym.steps import steps
from lstmsym.verify.claims import Claims
from lstmsym.verify.judge import Verdict
from lstmsym.verify.latex import ClaimLatex
from lstmsym.verify.sequence import STEPS
from lstmsym.verify.system import System

Judged = tuple[Claims, tuple[Verdict, ...]]


def from_verdicts(document: str, judged: Iterable[Judged]) -> Result:
    """The result of a document of several pages; its cell is that of the first."""
    judged = list(judged)
    systems = {page.cell.name: System(page.cell) for page, _ in judged}
    rows = [_row(v, systems[page.cell.name]) for page, verdicts in judged for v in verdicts]
    cell = judged[0][0].cell
    return Result(document, cell, compare(cell), symbols(cell), tuple(rows))


def symbols(cell: Cell, text: str = "") -> tuple[Symbol, ...]:
    """What the names of a cell denote; of its intermediates those that stand in a text, if there is one."""
    show = Latex(cell.order)
    known = set(re.findall(r"\w+", text)) if text else {q.name for q in cell.quantities}
    return tuple(
        Symbol(show(q.now), q.name, {"name": "intermediate"}.get(q.role, q.role), _sizes(q.shape))
        for q in cell.quantities
        if q.role != "name" or q.name in known
    )


def _sizes(shape: Shape) -> tuple[str, ...]:
    return tuple(str(size) for size in shape)


def _row(v: Verdict, system: System) -> Row:
    claim, w = v.claim, v.witness
    show = ClaimLatex(system.derivation.order)
    left = show(claim.left) if claim.kind == "claim" else show.name(claim.symbol, None)
    known = claim.symbol if claim.kind == "claim" else ""
    derivation = system.with_loss if system.cell.loss else system.derivation
    return Row(
        line=claim.line,
        source=claim.shown,
        kind="claim" if claim.kind == "claim" else "definition",
        verdict=v.status.value,
        about=claim.symbol or claim.label,
        expected=v.expected,
        witness=Witness({**w.sizes, "T": STEPS}, w.entry, w.left, w.right) if w else None,
        repair=v.repair,
        assumption=v.assumption,
        message="" if w and v.message == str(w) else v.message,
        latex=f"{left} {'+' if claim.share else ''}= {show(claim.right)}",
        steps=steps(derivation, known),
    )
