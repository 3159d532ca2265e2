"""What a text says in words of the sum over the steps that a parameter's gradient is."""

from __future__ import annotations

import re

from lstmsym.binding.claims import added
from lstmsym.binding.table import Line, Table
from lstmsym.cell import Cell
from lstmsym.documents.formula import names
from lstmsym.verify.claims import Claim

SHARE = "it is one step's share of the sum over t"

_FORMULA = re.compile(r"^```.*?^```|\$\$.*?\$\$|\\\[.*?\\\]|\\[a-zA-Z]+", re.DOTALL | re.MULTILINE)
_CLAUSE = re.compile(r"[.;:]\s|[。；：]|\n\s*\n")
_OF_STEP = re.compile(
    r"(step|time)\S*\s(\S+\s){0,2}(shares?|contributions?|contributes|adds)\b"
    r"|\b(shares?|contributions?) (of|from|at|by) (\S+\s){0,3}(step|time)"
    r"|\b(gradient|derivative|backward|back-?prop)\w*\b[^.;]{0,40}\b(one|single|this|current) (time )?step"
    r"|(单步|单个时间步|一步的梯度)"
    r"|(时刻|时间步|一步|ステップ)[^，,。]{0,6}(贡献|寄与)",
    re.IGNORECASE,
)
_SUMMED = re.compile(
    r"\b(sum|summed|sums|summing|summation|add|added|adds|adding|accumulat\w+|total)\b"
    r".{0,60}?(\bsteps?\b|\btime|\bsequence|\bover \$?t\b)"
    r"|(累加|累积|求和|相加|累計|総和|和をとる)",
    re.IGNORECASE | re.DOTALL,
)
_OF_WEIGHTS = re.compile(
    r"weight|parameter|gradient|derivative|bias|matri|权重|参数|梯度|重み|勾配|パラメータ|\bd[WUVR]\b",
    re.IGNORECASE,
)
_BY_LOSS = re.compile(
    r"(gradient|derivative)s? of (the |its |this )?(total |whole )?(loss|error|cost|objective)", re.IGNORECASE
)
_LOSS = re.compile(r"\b(loss|error|cost|objective|likelihood|entropy)|损失|損失", re.IGNORECASE)


def says_share(text: str) -> bool:
    """Whether a text says that what parameters get at a step is summed over the steps."""
    return any(map(_speaks, _CLAUSE.split(_FORMULA.sub(" ", text))))


def _speaks(clause: str) -> bool:
    if _OF_STEP.search(clause):
        return True
    of_loss = _LOSS.search(_BY_LOSS.sub("gradient", clause))
    return bool(_SUMMED.search(clause) and _OF_WEIGHTS.search(clause) and not of_loss)


def unsaid(claim: Claim, line: Line, table: Table, cell: Cell) -> bool:
    """Whether a line has one step's share for the gradient of a parameter and does not show it.

    It shows where the share is added to others.  Without states and steps one pass is all there is.
    """
    left, right, row = line
    recurs = any(q.name in table.spelled for q in cell.role("state"))
    timed = any(name.time is not None for side in (left, right) for name in names(side))
    return claim.share and (recurs or timed) and row.relation != "+=" and not added(left, right)[0]
