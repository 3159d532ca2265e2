"""What a listing is given and carries, and which statement is to blame: tried over the whole listing.

A meaning is kept when more statements are right under it, never because it makes one line right.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product

from lstmsym.listings.code import Code
from lstmsym.listings.findings import SAMPLES, Finding
from lstmsym.listings.gradients import UNKNOWN
from lstmsym.listings.judging import Judging, judged
from lstmsym.listings.keys import keys_in
from lstmsym.listings.statements import texts
from lstmsym.listings.truth import Truth
from lstmsym.notation import Ref

ROUNDS = 2
"""How often all names are gone through."""
BLAMED = 8
"""Statements that are taken for the cause of what is wrong after them."""

LIKELY, OPTIONS = 6, 30
"""Meanings of a name that are tried at first, and in all."""
FEW = 3
"""Meanings of each of two names that are tried together."""


WEIGHTS = {
    "right": 1.0, "stale": 1.0, "last-only": 1.0, "trap": 1.0, "no-effect": 1.0, "misnamed": 0.5,
    "unread": -1.0, "misfit": -1.0, "open": -0.5, "wrong": -0.5, "conditional": 0.5,
}  # fmt: skip
"""What a finding says for the meanings under which it is made."""


def score(judging: Judging) -> float:
    """How much of a listing is right under the meanings that were tried."""
    return sum(WEIGHTS.get(f.status, 0.0) for f in judging.findings) + judging.consistent


def settled(truth: Truth, code: Code) -> Judging:
    """Try the meanings of what is given, the likely ones first, for as long as it helps."""
    best = judged(truth, code, {})
    if not troubled(best) and best.consistent >= 0:
        return best
    best = _together(best)
    for likely in (True, False):
        for _ in range(ROUNDS):
            before = score(best)
            best = _improved(best, likely)
            if score(best) == before:
                break
        if not troubled(best):
            break
    return _determined(best)


def _determined(best: Judging) -> Judging:
    """Without what was found for names that nothing explains, where their uses do not settle it."""
    for key in [k for k, options in best.asked.items() if options[:1] == (UNKNOWN,) and k in best.meanings]:
        used = [f.status for f in best.findings if key in texts(getattr(f.statement, "value", f.statement))]
        if used.count("right") < 2 or used.count("right") <= used.count("wrong") + used.count("misfit"):
            best = judged(best.truth, best.code, {**best.meanings, key: UNKNOWN})
    return best


def troubled(judging: Judging) -> bool:
    """Whether a statement is not right under the meanings that were tried."""
    return any(f.status in ("wrong", "misfit", "misnamed", "unread") for f in judging.findings)


def _together(best: Judging) -> Judging:
    """The best of the meanings of two names that a wrong sum joins: from outside, and carried."""
    for finding in [f for f in best.findings if f.status == "wrong"]:
        value = getattr(finding.statement, "value", finding.statement)
        names = keys_in(value) if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add) else set()
        keys = [k for k in best.asked if k in names]
        if len(keys) != 2:
            continue
        for options in product(*(best.asked[k][:FEW] for k in keys)):
            if not best.truth.left(1) or UNKNOWN in options:
                continue
            tried = judged(best.truth, best.code, {**best.meanings, **dict(zip(keys, options, strict=True))})
            alike = (_carried_alike(k, o, tried) for k, o in zip(keys, options, strict=True))
            if score(tried) > score(best) and all(alike):
                best = tried
    return best


def _improved(best: Judging, likely: bool) -> Judging:
    """The best of the meanings that differ in one place, place by place."""
    truth = best.truth
    for key in list(best.asked):
        options = best.asked.get(key, ())
        known = options[:1] != (UNKNOWN,)
        if not likely and (not options or (known and _carried_alike(key, best.guess(key), best, True))):
            continue
        for option in options[:LIKELY] if likely else options[LIKELY:OPTIONS]:
            if not truth.left(1) or best.guess(key) == option:
                continue
            tried = judged(truth, best.code, {**best.meanings, key: option})
            if score(tried) > score(best) and _carried_alike(key, option, tried):
                best = tried
    return best


def _carried_alike(key: str, option: object, tried: Judging, strict: bool = False) -> bool:
    """Whether a loop hands on what it takes over; what a state gets back is looked at if ``strict``."""
    backs = {ref.shifted(1) for ref in tried.truth.judge.system.carried} if not strict else set()
    if not isinstance(option, Ref) or option.lag != 1 or option in backs or key not in tried.ends:
        return True
    return tried.bound.get(key) == option.shifted(-1)


def blamed(judging: Judging) -> dict[int, Ref]:
    """Statement -> the gradient that it should be: where that makes what reads it right, it is to blame."""
    after = inherited(judging)
    forced = {
        id(f.statement): f.true
        for f in judging.findings
        if f.status == "wrong" and not unexplained(f) and f.true is not None and f.true.lag == 0
        and id(f.statement) not in after
    }  # fmt: skip
    best = judged(judging.truth, judging.code, judging.meanings, forced=forced)
    for _ in range(BLAMED):
        found = next(_better(best, forced), None)
        if found is None:
            break
        forced, best = found
    return forced


def inherited(judging: Judging) -> set[int]:
    """A wrong statement that may mean another gradient, and the wrong ones, two or more, that read it."""
    found: set[int] = set()
    for index, finding in enumerate(judging.findings):
        if finding.status != "wrong" or len(finding.wanted) < 2 or not finding.target:
            continue
        readers = [f for f in judging.findings[index + 1 :] if f.status == "wrong"]
        ids = {id(f.statement) for f in readers if finding.target in texts(f.statement)}
        found |= {id(finding.statement), *ids} if len(ids) > 1 else set()
    return found


def unexplained(finding: Finding) -> bool:
    """Whether a statement is wrong and no edit of it helps: another may be to blame."""
    return finding.status in ("wrong", "misfit") and not finding.assumption and finding.message != SAMPLES


def _better(judging: Judging, forced: dict[int, Ref]) -> Iterator[tuple[dict[int, Ref], Judging]]:
    least = score(judging)
    bad = [f for f in judging.findings if f.status in ("wrong", "misfit") and id(f.statement) not in forced]
    for index, finding in enumerate(judging.findings):
        after = judging.findings[index + 1 :]
        if (
            id(finding.statement) in forced
            or not finding.target
            or not any(finding.target in texts(f.statement) for f in after if f in bad)
        ):
            continue
        for option in _options(finding, judging):
            if not judging.truth.left(2):
                return
            tried = {**forced, id(finding.statement): option}
            made = judged(judging.truth, judging.code, judging.meanings, forced=tried)
            if score(made) > least:
                yield tried, made


def _options(finding: Finding, judging: Judging) -> list[Ref]:
    """Other gradients that a statement may have been meant to give."""
    ambiguous = finding.status == "right" and (len(finding.wanted) != 1 or finding.true not in finding.wanted)
    if (
        finding.status in ("wrong", "misfit", "unread")
        or (finding.status == "definition" and finding.value is not None)
        or ambiguous
    ):
        own = [w for w in finding.wanted if w != finding.true]
        if own or finding.wanted:
            return own
        value = judging.truth.value(finding.value) if finding.value is not None else None
        return [
            r
            for r, v in judging.truth.table.items()
            if r.lag == 0 and r != finding.true and (value is None or v.shape == value.shape)
        ][:24]
    return []
