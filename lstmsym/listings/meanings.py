"""What a listing is given and carries, and which statement is to blame: tried over the whole listing.

A meaning is kept when more statements are right under it, never because it makes one line right.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache

from lstmsym.listings.backward import UNKNOWN, Finding, Truth, each, texts
from lstmsym.listings.judging import SAMPLES, Judging
from lstmsym.listings.keys import key_of
from lstmsym.listings.outline import Outline
from lstmsym.notation import Ref

ROUNDS = 2

BLAMED = 8

LIKELY, OPTIONS = 6, 30
"""Meanings of a name that are tried at first, and in all."""


def run_pass(
    truth: Truth,
    plan: Outline,
    meanings: Mapping[str, object],
    final: bool = False,
    forced: Mapping[int, Ref] | None = None,
) -> Judging:
    """Execute the backward statements once; ``final`` looks for repairs too."""
    judging = Judging(truth, plan.helpers, meanings)
    judging.forced = forced or {}
    judging.functions, judging.sums = plan.functions, any(_adds_samples(s) for s in plan.backward)
    judging.later = _first_assigned(plan.backward)
    judging.final = final
    judging.blocks = list(_blocks(list(plan.backward)))
    judging.spelled, judging.repaired = {}, {}
    for statement in plan.backward:
        for node in ast.walk(statement):
            key = key_of(node)
            if key and not isinstance(node, ast.Subscript):
                judging.spelled.setdefault(key, ast.unparse(node))
    judging.run(plan.backward)
    return judging


@lru_cache(maxsize=512)
def _adds_samples(statement: ast.stmt) -> bool:
    """Whether a statement holds a sum along an axis."""
    calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call)]
    sums = [c for c in calls if getattr(c.func, "attr", "") in ("sum", "mean")]
    return any(k.arg in ("axis", "dim") for c in sums for k in c.keywords)


def _first_assigned(block: tuple[ast.stmt, ...]) -> dict[str, int]:
    """Name -> the line that assigns it first, where that line does not read it."""
    found: dict[str, int] = {}
    for statement in each(block):
        for target in statement.targets if isinstance(statement, ast.Assign) else ():
            for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                key = key_of(one)
                if key:
                    reads = isinstance(statement, ast.Assign) and any(
                        key_of(n) == key for n in ast.walk(statement.value)
                    )
                    found.setdefault(key, 0 if reads else statement.lineno)
        if isinstance(statement, ast.AugAssign) and (key := key_of(statement.target)):
            found.setdefault(key, 0)
    return found


def _blocks(block: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    yield block
    for statement in block:
        for name in ("body", "orelse"):
            inner = getattr(statement, name, None)
            if isinstance(inner, list) and inner:
                yield from _blocks(inner)


def score(judging: Judging) -> float:
    """How much of a listing is right under the meanings that were tried."""
    weights = {
        "right": 1.0,
        "stale": 1.0,
        "last-only": 1.0,
        "trap": 1.0,
        "no-effect": 1.0,
        "misnamed": 0.5,
        "unread": -1.0,
        "misfit": -1.0,
        "open": -0.5,
        "wrong": -0.5,
        "conditional": 0.5,
    }
    return sum(weights.get(f.status, 0.0) for f in judging.findings) + judging.consistent


def settled(truth: Truth, plan: Outline) -> Judging:
    """Try the meanings of what is given, the likely ones first, for as long as it helps."""
    best = run_pass(truth, plan, {})
    if not troubled(best) and best.consistent >= 0:
        return best
    for likely in (True, False):
        for _ in range(ROUNDS):
            before = score(best)
            best = _improved(best, plan, likely)
            if score(best) == before:
                break
        if not troubled(best):
            break
    return _determined(best, plan)


def _determined(best: Judging, plan: Outline) -> Judging:
    """Without what was found for names that nothing explains, where their uses do not settle it."""
    for key in [k for k, options in best.asked.items() if options[:1] == (UNKNOWN,) and k in best.meanings]:
        used = [f.status for f in best.findings if key in texts(getattr(f.statement, "value", f.statement))]
        if used.count("right") < 2 or used.count("right") <= used.count("wrong") + used.count("misfit"):
            best = run_pass(best.truth, plan, {**best.meanings, key: UNKNOWN})
    return best


def troubled(judging: Judging) -> bool:
    """Whether a statement is not right under the meanings that were tried."""
    return any(f.status in ("wrong", "misfit", "misnamed", "unread") for f in judging.findings)


def _improved(best: Judging, plan: Outline, likely: bool) -> Judging:
    """The best of the meanings that differ in one place, place by place."""
    truth = best.truth
    for key in list(best.asked):
        options = best.asked.get(key, ())
        known = options[:1] != (UNKNOWN,)
        if not likely and (
            not options or (known and _carried_alike(key, best.meanings.get(key, options[0]), best, True))
        ):
            continue
        for option in options[:LIKELY] if likely else options[LIKELY:OPTIONS]:
            if not truth.left(1) or best.meanings.get(key, best.asked[key][0]) == option:
                continue
            tried = run_pass(truth, plan, {**best.meanings, key: option})
            if score(tried) > score(best) and _carried_alike(key, option, tried):
                best = tried
    return best


def _carried_alike(key: str, option: object, tried: Judging, strict: bool = False) -> bool:
    """Whether a loop hands on what it takes over; what a state gets back is looked at if ``strict``."""
    backs = {ref.shifted(1) for ref in tried.truth.judge.system.carried} if not strict else set()
    if not isinstance(option, Ref) or option.lag != 1 or option in backs or key not in tried.ends:
        return True
    return tried.bound.get(key) == option.shifted(-1)


def blamed(judging: Judging, plan: Outline) -> dict[int, Ref]:
    """Statement -> the gradient that it should be: where that makes what reads it right, it is to blame."""
    forced = {
        id(f.statement): f.true
        for f in judging.findings
        if f.status == "wrong" and not unexplained(f) and f.true is not None and f.true.lag == 0
    }
    best = run_pass(judging.truth, plan, judging.meanings, forced=forced)
    for _ in range(BLAMED):
        found = next(_better(best, plan, forced), None)
        if found is None:
            break
        forced, best = found
    return forced


def unexplained(finding: Finding) -> bool:
    """Whether a statement is wrong and no edit of it helps: another may be to blame."""
    return finding.status in ("wrong", "misfit") and not finding.assumption and finding.message != SAMPLES


def _better(
    judging: Judging, plan: Outline, forced: dict[int, Ref]
) -> Iterator[tuple[dict[int, Ref], Judging]]:
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
            made = run_pass(judging.truth, plan, judging.meanings, forced=tried)
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
