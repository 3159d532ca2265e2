"""What a derivative holds fixed is one thing in a document: dL(t)/ds(t) at fixed h(t) in one line is not in another.

A line that is right only where more derivatives hold something fixed than in another right line is
wrong, if that other line would be wrong with them held so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import sympy as sp

from lstmsym.notation import Ref
from lstmsym.verify.held import held_readings
from lstmsym.verify.judge import Judge, Status, Verdict
from lstmsym.verify.readings import Reading
from lstmsym.verify.words import Label, Local, later

Held = dict[sp.Expr, sp.Expr]
"""Derivatives, taken at step t, as they stand and as they are understood."""


def contradicted(judge: Judge, verdicts: Mapping[int, Verdict]) -> Iterator[tuple[int, Verdict]]:
    """The lines that hold fixed what others do not, as wrong ones."""
    held = {place: found for place, v in verdicts.items() if (found := _held(judge, v)) is not None}
    for place, own in held.items():
        for other, less in held.items():
            more = {node: changed for node, changed in own.items() if node not in less}
            if more and less.items() <= own.items() and not _bears(judge, verdicts[other], less, more):
                reason = f"right if {verdicts[place].assumption}, which line {verdicts[other].claim.line} contradicts"
                yield place, judge.contradicted(verdicts[place].claim, reason)
                break


def _held(judge: Judge, verdict: Verdict) -> Held | None:
    """What a right line holds fixed that it does not say; None for a line that is right in another way."""
    if verdict.status is Status.PROVED:
        return {}
    if verdict.status is not Status.PROVED_IF or verdict.conventions:
        return None
    claim = verdict.claim
    for said, left, right in held_readings(claim.left, claim.right, judge.system):
        if said == verdict.assumption:
            return dict(_changed(_derivatives(claim.left, claim.right), _derivatives(left, right)))
    return None


def _derivatives(left: sp.Expr, right: sp.Expr) -> set[sp.Expr]:
    return left.atoms(Label, Local) | right.atoms(Label, Local)


def _changed(before: set[sp.Expr], after: set[sp.Expr]) -> Iterator[tuple[sp.Expr, sp.Expr]]:
    for node in before - after:
        for other in after - before:
            by = node.args[1]
            if other.args[:2] == node.args[:2] and isinstance(by, Ref) and by.lag is not None:
                yield later(node, -by.lag), later(other, -by.lag)


def _bears(judge: Judge, verdict: Verdict, less: Held, more: Held) -> bool:
    """Whether a right line, holding fixed what it does, is right with more held fixed as well."""
    claim = verdict.claim
    rules = {}
    for node in _derivatives(claim.left, claim.right):
        by = node.args[1]
        if isinstance(by, Ref) and by.lag is not None:
            other = (less | more).get(later(node, -by.lag))
            if other is not None:
                rules[node] = later(other, by.lag)
    changed = replace(claim, left=claim.left.xreplace(rules), right=claim.right.xreplace(rules))
    return judge.alike(Reading(changed))
