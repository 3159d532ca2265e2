"""Rows of a report from what was found: the judge has the last word on every statement."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.documents.result import Row, Witness
from lstmsym.listings.arrays import Array
from lstmsym.listings.findings import Finding, Part
from lstmsym.listings.gradients import is_g
from lstmsym.listings.judging import Judging
from lstmsym.listings.kept import ONE_STEP, drops_earlier
from lstmsym.listings.meant import is_forward
from lstmsym.listings.mending import no_sum_of_terms
from lstmsym.listings.plainer import origin
from lstmsym.listings.statements import texts
from lstmsym.listings.write import numpy_text
from lstmsym.notation import NotationError
from lstmsym.shapes import ShapeError
from lstmsym.verify.claims import Claim
from lstmsym.verify.sequence import STEPS

TERM = "right as one of its terms"


def row(statement: ast.stmt, lines: tuple[str, ...], kind: str, verdict: str, **more: object) -> Row:
    """The row of a statement."""
    statement = origin(statement) or statement
    end = statement.lineno if hasattr(statement, "body") else statement.end_lineno or statement.lineno
    text = " ".join(line.strip() for line in lines[statement.lineno - 1 : end])
    return Row(statement.lineno, text, kind, verdict, **more)  # type: ignore[arg-type]


def _open(finding: Finding, judging: Judging, forward: bool = False) -> bool:
    """Whether a value with gradients in it (or ``forward``, any) is of no use to what is right."""
    if finding.value is None or finding.message or (is_forward(judging, finding.value) and not forward):
        return False
    if forward and is_g(finding.target) and not judging.truth.g_marks:
        return False
    right = [
        f.statement
        for f in judging.findings
        if f.status in ("right", "trap", "last-only", "definition") and f.statement is not finding.statement
    ]
    return not any(finding.target in _read_by(s) for s in right)


def _unsaid(finding: Finding, judging: Judging, lines: tuple[str, ...]) -> Row:
    """A value that is no gradient and of no use to what is right: it may begin with terms of one."""
    begun = _begins(finding, judging)
    if begun:
        return row(finding.statement, lines, "statement", "proved", about=begun, message=TERM)
    message = "it is no gradient of the listing's quantities, and nothing says which one it is meant to be"
    return row(finding.statement, lines, "statement", "undecided", message=message)


def _begins(finding: Finding, judging: Judging) -> str:
    """What a gradient is of with some terms of which a value begins, to which the next statement adds."""
    if finding.value is None or not judging.code.carried_on(finding.target, finding.statement):
        return ""
    part = Part(finding.statement, Array(finding.value))
    fits = (w for w in finding.wanted if no_sum_of_terms(judging.truth, [part], w) == [])
    return next(map(judging.name, fits), "")


def _read_by(statement: ast.stmt) -> set[str]:
    """The names, attributes and subscripts that a statement reads, what it adds to among them."""
    changed = {ast.unparse(statement.target)} if isinstance(statement, ast.AugAssign) else set()
    return changed | texts(getattr(statement, "value", statement))


def verdict_row(finding: Finding, judging: Judging, lines: tuple[str, ...]) -> Row:
    """The row of a statement of the backward pass; what it should be begins as the author has it."""
    made = _row_of(finding, judging, lines)
    if made.verdict in ("proved", "conditional", "refuted") and _doubtful(finding, judging):
        message = f"a forward statement that sets or reads {made.about} is not read: its gradient is open"
        return row(finding.statement, lines, "statement", "undecided", about=made.about, message=message)
    head, operator, _ = (
        re.split(r"(\s*[-+*/]?=)", made.source, maxsplit=1) if "=" in made.source else ("", "", "")
    )
    if not operator or "," in head:
        return made
    own = {
        name: head + text[len(finding.target) :]
        for name in ("expected", "repair")
        if (text := getattr(made, name)).startswith(f"{finding.target} ")
    }
    return replace(made, **own)


def _doubtful(finding: Finding, judging: Judging) -> bool:
    """Whether a gradient is of what a statement sets or reads that was not read."""
    true = finding.true if finding.true is not None else next(iter(finding.wanted), None)
    line = judging.truth.judge.system.derivation.by_name.get(true.base) if true is not None else None
    return line is not None and line.of.base in judging.forward.doubtful


def _row_of(finding: Finding, judging: Judging, lines: tuple[str, ...]) -> Row:
    status = finding.status
    if (
        status == "definition"
        and finding.wanted
        and _open(finding, judging, forward=True)
        and not judging.code.carried_on(finding.target, finding.statement)
    ):
        meant = replace(finding, true=finding.wanted[0])
        return _refuted(meant, judging, lines, {"about": judging.name(finding.wanted[0]), "message": ""})
    if status == "definition" and _open(finding, judging):
        return _unsaid(finding, judging, lines)
    if status in ("prose", "definition"):
        return row(finding.statement, lines, status, "not-a-claim", message=finding.message)
    about = judging.name(finding.true) if finding.true is not None else finding.target
    common = {"about": about, "message": finding.message}
    if status in ("right", "misfit"):
        make = _proved if status == "right" else _misfit
        return make(finding, judging, lines, common)
    if status in ("wrong", "term"):
        return _wrong(finding, judging, lines, common)
    if status == "stale":
        text = ast.unparse(finding.statement)
        common["expected"] = (
            f"{text}  (with {finding.assumption} set at the end of the loop to what goes back)"
        )
    elif status == "last-only":
        text = ast.unparse(finding.statement)
        common["expected"] = common["repair"] = text.replace(" = ", " += ", 1)
    elif status == "conditional":
        common["assumption"] = finding.assumption
    elif status in ("no-effect", "trap"):
        common["expected"] = common["repair"] = finding.assumption
    verdicts = {
        "unread": "unread",
        "open": "undecided",
        "conditional": "conditional",
        "misnamed": "undecided",
    }
    return row(finding.statement, lines, "statement", verdicts.get(status, "refuted"), **common)


def _wrong(finding: Finding, judging: Judging, lines: tuple[str, ...], common: dict[str, str]) -> Row:
    """Wrong, unless what it is made of is not known; or a right part of a wrong whole."""
    if finding.status == "term":
        return row(finding.statement, lines, "statement", "proved", about=common["about"], message=TERM)
    doubtful = [key for key in finding.given if key not in judging.supported]
    if doubtful and not finding.assumption:
        message = (
            f"what {' and '.join(doubtful)} stands for is not said: name it as the gradient of a quantity"
        )
        return row(finding.statement, lines, "statement", "undecided", about=common["about"], message=message)
    return _refuted(finding, judging, lines, common)


def _misfit(finding: Finding, judging: Judging, lines: tuple[str, ...], common: dict[str, str]) -> Row:
    """Arrays that do not fit: wrong, where the other statements show that the layout is understood."""
    statuses = [f.status for f in judging.findings]
    if statuses.count("right") <= 2 * statuses.count("misfit"):
        return row(finding.statement, lines, "statement", "unread", **common)
    repair = judging.repaired.get(id(finding.statement), "")
    expected = repair or right_side(finding, judging)
    return row(finding.statement, lines, "statement", "refuted", expected=expected, repair=repair, **common)


def _proved(finding: Finding, judging: Judging, lines: tuple[str, ...], common: dict[str, str]) -> Row:
    claim = _claim(finding, judging)
    ok = claim is not None and judging.truth.judge.right(claim)
    if finding.part:
        common = {**common, "message": "one of the terms that together are the gradient"}
    if ok and (drops := drops_earlier(finding, judging)):
        said = {**common, "message": drops, "assumption": ONE_STEP}
        return row(finding.statement, lines, "statement", "conditional", **said)
    if ok:
        return row(finding.statement, lines, "statement", "proved", **common)
    return row(
        finding.statement,
        lines,
        "statement",
        "undecided",
        **{**common, "message": "neither a proof nor numbers against it were found"},
    )


def _claim(finding: Finding, judging: Judging) -> Claim | None:
    if finding.true is None or finding.value is None:
        return None
    share = finding.true.lag is None and finding.true.base in judging.truth.judge.system.backward
    value = padded(finding.value, judging)
    return Claim(finding.true, value, share=share and not judging.truth.is_total(value))


def padded(expr: sp.Expr, judging: Judging) -> sp.Expr:
    """Joined gradients as sums of vectors with zeros around them, as the derivation has them."""
    shape = judging.truth.judge.meanings.shape
    found: dict[sp.Expr, sp.Expr] = {}
    for node in expr.atoms(N.Concat):
        if is_forward(judging, node):
            continue
        sizes = [shape(a)[0] for a in node.args]
        places = [
            (sp.expand(sp.Add(*sizes[:i])), sp.expand(sp.Add(*sizes[i + 1 :]))) for i in range(len(sizes))
        ]
        parts = (padded(a, judging) for a in node.args)
        found[node] = sp.Add(*(N.Pad(a, *place) for a, place in zip(parts, places, strict=True)))
    return expr.xreplace(found)


def right_side(finding: Finding, judging: Judging) -> str:
    """What the derivation has for the gradient, as NumPy text in the listing's names."""
    line = judging.truth.judge.system.derivation.by_name.get(finding.true.base) if finding.true else None
    if line is None or finding.target == "":
        return ""
    sign = "+=" if finding.true is not None and finding.true.lag is None else "="
    return f"{finding.target} {sign} {numpy_text(line.expr, judging)}"


def _refuted(finding: Finding, judging: Judging, lines: tuple[str, ...], common: dict[str, str]) -> Row:
    witness = None
    claim = _claim(finding, judging)
    judge = judging.truth.judge
    if claim is not None:
        try:
            left, right = judge.sides(claim)
            if not judge.mismatched(left, right):
                found = judge.witness(left, right)
                witness = found and Witness({**found.sizes, "T": STEPS}, found.entry, found.left, found.right)
        except (NotationError, ShapeError, KeyError):
            witness = None
    repair = finding.assumption
    expected = repair or right_side(finding, judging)
    return row(
        finding.statement,
        lines,
        "statement",
        "refuted",
        expected=expected,
        witness=witness,
        repair=repair,
        **common,
    )
