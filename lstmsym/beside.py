"""A derivation beside the verdicts on somebody else's, in one table.

What is at step t stands without its step.  Lines that differ in the name of the gate only are one
row.  Of what the document says beside its equations (labels of a figure, steps of a proof), the
table has what is not simply right, next to the derived line that it speaks of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import sympy as sp
from rich.table import Table
from rich.text import Text as Styled

from lstmsym.derive import Derivation
from lstmsym.notation import Ref
from lstmsym.printing import ATOM, PRODUCT, Text
from lstmsym.render import readable
from lstmsym.report import status
from lstmsym.verify.claims import Claim, Label
from lstmsym.verify.judge import Status, Verdict


class Present(Text):
    """The spelling of one step: ``δs ⊙ f + s[t-1]``."""

    def ref(self, ref: Ref) -> str:
        """A quantity, with its step where that is another one."""
        return super().ref(ref).removesuffix("[t]")

    def spell_Label(self, expr: sp.Expr) -> tuple[str, int]:
        """A derivative of the loss."""
        text, strength = super().spell_Label(expr)
        return text.replace("dL[t]/d", "∂L/∂").replace("dL[t+1]/d", "∂L[t+1]/∂"), strength

    def spell_Local(self, expr: sp.Expr) -> tuple[str, int]:
        """A derivative entry by entry."""
        return f"∂{self(expr.args[0])}/∂{self(expr.args[1])}", ATOM

    def spell_ChainSum(self, expr: sp.Expr) -> tuple[str, int]:
        """A sum over t of the chain rule through the outputs."""
        return f"Σ_t ∂L/∂h ∂h/∂{self(expr.args[0])}", PRODUCT


@dataclass(frozen=True)
class Row:
    """A derived line, the verdict on the line beside it, that line, and a note on it."""

    ours: str
    verdict: Verdict | None = None
    theirs: str = ""
    note: str = ""

    def of_gate(self, gate: str) -> Row:
        """The row with the gate's letter in names replaced by k."""
        letter = re.compile(rf"_{gate}(?![a-zA-Z0-9_])")
        return replace(self, ours=letter.sub("_k", self.ours), theirs=letter.sub("_k", self.theirs))


def forward_lines(derivation: Derivation, columns: int = 2) -> list[str]:
    """The forward equations as the paper has them, side by side."""
    show = Present(derivation.order)
    lines = [f"{show(e.name)} = {show(e.expr)}" for e in derivation.cell.equations]
    height = -(-len(lines) // columns)
    width = max(map(len, lines)) + 4
    return ["".join(f"{line:{width}}" for line in lines[k::height]).rstrip() for k in range(height)]


def beside(
    derivation: Derivation, verdicts: Iterable[Verdict], others: Iterable[tuple[str, Verdict]]
) -> Table:
    """The table; ``others`` are verdicts on the same lines under another reading, which the text names."""
    verdicts, others = tuple(verdicts), tuple(others)
    table = Table("derived", "verdict", "hand derivation", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in merged(groups(readable(derivation), verdicts, others)):
        mark = status(row.verdict) if row.verdict else Styled("")
        theirs = Styled(row.theirs)
        if row.note:
            theirs.append(f"  {row.note}", style="dim")
        table.add_row(Styled(row.ours), mark, theirs)
    return table


def groups(
    derivation: Derivation, verdicts: tuple[Verdict, ...], others: tuple[tuple[str, Verdict], ...]
) -> Iterator[list[Row]]:
    """Every derived line, and below it what else the document says of it."""
    show = Present(derivation.order)

    def theirs(v: Verdict, note: str) -> Row:
        sign = "+=" if v.claim.share else "="
        return Row("", v, f"{show(v.claim.left)} {sign} {show(v.claim.right)}", note)

    hand = {v.claim.left: v for v in verdicts if v.claim.symbol and v.claim.kind == "claim"}
    remarks = [v for v in verdicts if not v.claim.symbol and v.status is not Status.PROVED]
    forward = [(e.name, e.expr) for e in derivation.cell.equations]
    for name, expr in [*forward, *((b.name, b.expr) for b in derivation.backward)]:
        said = [theirs(v, note(v)) for v in remarks if about(v.claim, derivation) == name.base]
        said += [theirs(v, f"({why})") for why, v in others if v.claim.left == name]
        if name in hand:
            said.insert(0, theirs(hand[name], note(hand[name])))
        if said or (name, expr) not in forward:
            first, *more = said or [Row("")]
            yield [replace(first, ours=f"{show(name)} = {show(expr)}"), *more]


def about(claim: Claim, derivation: Derivation) -> str:
    """The derived line that a claim speaks of: the first gradient, or forward name, on its left side."""
    for node in sp.preorder_traversal(claim.left):
        if isinstance(node, Label):
            return derivation.names.adjoint(node.args[1].base)
        if isinstance(node, Ref) and (node.base in derivation.by_name or node == claim.left):
            return node.base
    return ""


def note(v: Verdict) -> str:
    """Why a line is not simply right, in a few words."""
    if v.assumption:
        return f"(if {v.assumption.removeprefix('the derivative is taken ').replace(' is taken', '')})"
    edit = v.repair.rpartition("  (")[2].removesuffix(")")
    return f"(right with {edit})" if edit else ""


def merged(found: Iterable[list[Row]]) -> Iterator[Row]:
    """All rows; neighbours that differ in the name of the gate only are one, with k for it."""
    for _, same in groupby(found, key=lambda group: general(group[0])):
        first, *rest = same
        gates = [gate_of(group[0]) for group in (first, *rest)]
        if rest:
            first[0] = first[0].of_gate(gates[0])
            first[0] = replace(first[0], ours=f"{first[0].ours}   k = {', '.join(gates)}")
        yield from (row for group in (first, *(g[1:] for g in rest)) for row in group)


def gate_of(row: Row) -> str:
    """The gate that the left side names: i in δW_i."""
    found = re.match(r"\w+_([a-z])\b", row.ours)
    return found[1] if found else ""


def general(row: Row) -> tuple[Any, ...]:
    """A row as it is for any gate."""
    row = row.of_gate(gate_of(row)) if gate_of(row) else row
    return row.ours, row.theirs, row.note, row.verdict and row.verdict.status
