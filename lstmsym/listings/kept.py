"""What a step's gradient of a parameter replaces, where others are added to what earlier steps gave."""

from __future__ import annotations

import ast

from lstmsym.listings.findings import Finding
from lstmsym.listings.judging import Judging

ONE_STEP = "it is one step's share, and what earlier steps gave is dropped"


def drops_earlier(finding: Finding, judging: Judging) -> str:
    """That a statement with ``=`` drops what others of its kind keep with ``+=``, or nothing."""
    target = _target(finding, ast.Assign)
    if target is None or finding.part or judging.loop is not None or not _of_parameter(finding):
        return ""
    if finding.value is None or judging.truth.is_total(finding.value):
        return ""  # the sum over all steps
    set_anew = {f.target for f in judging.findings if _target(f, ast.Assign) is not None}
    kept = (
        f for f in judging.findings
        if f.status == "right" and _of_parameter(f) and f.target not in set_anew
        and type(_target(f, ast.AugAssign)) is type(target)
    )  # fmt: skip
    other = next(kept, None)
    return "" if other is None else f"{other.target} keeps what earlier steps gave: += adds to it"


def _of_parameter(finding: Finding) -> bool:
    return finding.true is not None and finding.true.lag is None


def _target(finding: Finding, kind: type[ast.Assign | ast.AugAssign]) -> ast.expr | None:
    """The name, attribute or entry that a statement of a kind sets."""
    statement = finding.statement
    if not isinstance(statement, kind):
        return None
    return statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
