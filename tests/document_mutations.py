"""Soundness by mutation, on documents: right equations with one place changed, in the author's LaTeX.

``python tests/document_mutations.py [--each N] [NAME ...]`` changes lines of `derivations/` that are
proved, N changes a line, verifies the whole document again and prints what became of the line.
A change whose two sides still have the same numbers, as the unchanged document reads its names, is equal.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lstmsym.binding.opened import opened
from lstmsym.binding.verify import Judging, verify_document
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Formula,
    Name,
    Number,
    Product,
    Raised,
    Sum,
    Time,
    children,
    names,
    rebuilt,
    walk,
)
from lstmsym.documents.rows import Equation
from lstmsym.documents.write import write

ROOT = Path(__file__).resolve().parent.parent / "derivations"


@dataclass(frozen=True)
class Mutant:
    """A document with one line changed, that line's number and text, and whether it is still right."""

    text: str
    line: int
    source: str
    equal: bool


def changes(node: Formula, others: list[Name]) -> Iterator[Formula]:
    """A formula with one place changed."""
    yield from _here(node, others)
    if isinstance(node, Name):
        return
    for child in (node.body,) if isinstance(node, Big) else children(node):
        for changed in changes(child, others):
            yield rebuilt(node, lambda part, old=child, new=changed: new if part is old else part)  # type: ignore[misc]


def _here(node: Formula, others: list[Name]) -> Iterator[Formula]:
    if isinstance(node, Sum):
        yield from (_turned(node, n) for n in range(len(node.terms)))
        if len(node.terms) > 2:
            yield Sum(node.signs[:-1], node.terms[:-1])
    if isinstance(node, Product) and len(node.factors) > 2:
        yield Product(node.operators[1:], node.factors[1:])
        yield Product(node.operators[:-1], node.factors[:-1])
    if isinstance(node, Number) and node.text in "12":
        yield Number("3")
    if isinstance(node, Raised):
        yield node.body
    if isinstance(node, Apply) and node.head.base == "tanh" and not node.head.primes:
        yield replace(node, head=replace(node.head, base="σ", spelling=r"\sigma"))
    if isinstance(node, Name) and node.time is not None and node.time.offset is not None:
        yield from (replace(node, time=_moved(node.time, by)) for by in (-1, 1))
        yield from (replace(o, time=node.time) for o in others if o.key != node.key)
    if isinstance(node, Brackets) and len(node.items) == 1 and isinstance(node.items[0], Sum):
        yield replace(node, items=(node.items[0].terms[-1],))


def _turned(node: Sum, place: int) -> Sum:
    signs = list(node.signs)
    signs[place] = "-" if signs[place] == "+" else "+"
    return Sum(tuple(signs), node.terms)


def _moved(time: Time, by: int) -> Time:
    offset = (time.offset or 0) + by
    letter = Name(time.letter.rstrip("'") or "t")
    sign = "+" if offset > 0 else "-"
    index: Formula = letter if not offset else Sum(("+", sign), (letter, Number(str(abs(offset)))))
    return replace(time, index=index)


def mutants(text: str, name: str, each: int, rng: random.Random) -> Iterator[Mutant]:
    """Changed documents."""
    judging = Judging(opened(text, name))
    if not judging.found:
        return
    claims, judge = judging.claims, judging.judge
    timed = {n.key: n for left, right, _ in judging.lines for n in (*names(left), *names(right)) if n.time}
    for place, row in judging.found.items():
        left, right, source = judging.lines[place]
        if row.verdict != "proved" or source.chain or not _stands_once(text, source):
            continue
        others = [
            n for n in timed.values() if any(n.key == m.key for m in walk(right) if isinstance(m, Name))
        ]
        found = [c for c in changes(source.right, others) if c != source.right]
        for changed in rng.sample(found, min(each, len(found))):
            new = f"{write(source.left)} {source.relation} {write(changed)}"
            try:
                claim = claims.claim_of((left, changed, source)).claim
                equal = judge.right(claim) or judge.trial.alike(*judge.sides(claim))
            except Exception:
                equal = False
            yield Mutant(text.replace(source.source, new), source.line, new, equal)


def _stands_once(text: str, row: Equation) -> bool:
    return len(row.source) > 12 and text.count(row.source) == 1 and row.relation == "="


def verdict(mutant: Mutant, name: str) -> str:
    """What becomes of the changed line."""
    rows = [r for r in verify_document(mutant.text, name).rows if r.line == mutant.line]
    wanted = "".join(mutant.source.split())
    own = [r for r in rows if "".join(r.source.split()) in wanted or wanted in "".join(r.source.split())]
    return (own or rows)[0].verdict if rows else "no row"


def main() -> None:
    """Print the counts, and every change that is proved though it differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--each", type=int, default=1)
    chosen = parser.parse_args()
    rng, counts = random.Random(0), Counter[str]()
    for path in sorted([*ROOT.rglob("*.md"), *ROOT.rglob("*.tex")]):
        if path.name == "README.md" or (chosen.names and not any(n in path.name for n in chosen.names)):
            continue
        text = path.read_text(encoding="utf-8")
        own: Counter[str] = Counter()
        for mutant in mutants(text, path.name, chosen.each, rng):
            what = ("equal " if mutant.equal else "") + verdict(mutant, path.name)
            own[what] += 1
            if what not in ("refuted", "equal proved"):
                print(f"    {path.name}:{mutant.line}: {what}: {mutant.source}")
        counts += own
        print(f"{path.name}: {dict(own)}", flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main()
