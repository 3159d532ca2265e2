"""Soundness by mutation, on documents: right equations with one place changed, in the author's LaTeX.

``python tests/document_mutations.py [--each N] [NAME ...]`` changes lines of `derivations/` that are
proved or right under a reading, N changes a line, verifies the whole document again and prints what
became of the line.  Whether a changed line still is right is told by numbers, its names meaning what
they mean in the unchanged document.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lstmsym.binding.judging import LineJudge
from lstmsym.binding.opened import opened
from lstmsym.binding.table import Line
from lstmsym.binding.values import Misfit, Unreadable
from lstmsym.binding.verify import Judging
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Delta,
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
)
from lstmsym.documents.result import Row
from lstmsym.documents.rows import Equation
from lstmsym.documents.write import write
from lstmsym.notation import NotationError
from lstmsym.shapes import ShapeError
from lstmsym.verify.judge import Judge

ROOT = Path(__file__).resolve().parent.parent / "derivations"
RIGHT = ("proved", "conditional")
Change = tuple[str, Formula]
"""What was done, and the formula then."""


def quick() -> None:
    """Look for no repairs: they change no verdict."""
    Judge.repairs = lambda self, claim: iter(())  # type: ignore[method-assign]
    Judge.missing = lambda self, claim, far=False: ("", "")  # type: ignore[method-assign]


# -- changes -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Others:
    """The names of a document that may be taken for another one: those with steps, and those without."""

    timed: tuple[Name, ...]
    constant: tuple[Name, ...]

    def instead(self, node: Name) -> Iterator[Formula]:
        """Other names in the place of one."""
        if node.time is not None:
            yield from (replace(o, time=node.time) for o in self.timed if o.key != node.key)
        elif any(o.key == node.key for o in self.constant):
            yield from (o for o in self.constant if o.key != node.key and _alike(o, node))


def _alike(a: Name, b: Name) -> bool:
    return a.base.isupper() == b.base.isupper() and a.base.isascii() == b.base.isascii()


def changes(node: Formula, others: Others) -> Iterator[Change]:
    """A formula with one place changed."""
    yield from _here(node, others)
    if isinstance(node, Name) or (isinstance(node, Raised) and isinstance(node.exponent, Name)):
        return
    for child in (node.body,) if isinstance(node, Big) else children(node):
        for what, changed in changes(child, others):
            new = rebuilt(node, lambda part, old=child, new=changed: new if part is old else part)  # type: ignore[misc]
            yield what, replace(new, whole="") if isinstance(new, Delta) else new
    yield from _exchanged(node)


def _here(node: Formula, others: Others) -> Iterator[Change]:
    if isinstance(node, Sum):
        yield from (("sign", _turned(node, n)) for n in range(len(node.terms)))
        if len(node.terms) > 1:
            yield from (("summand", _without(node, n)) for n in range(len(node.terms)))
    if isinstance(node, Product):
        yield from _of_product(node)
    if isinstance(node, Number) and node.text in "12":
        yield "number", Number("3")
    if isinstance(node, Raised):
        yield (
            ("transpose" if "T" in write(node.exponent) or "top" in write(node.exponent) else "power"),
            node.body,
        )
    if isinstance(node, Apply) and not node.head.scripts:
        yield from _of_function(node)
    if isinstance(node, Name):
        yield from _of_name(node, others)
    if isinstance(node, Big) and node.operator == "∑":
        yield "no sum", node.body
    if isinstance(node, Brackets) and len(node.items) == 1 and isinstance(node.items[0], Sum):
        yield "summand", replace(node, items=(node.items[0].terms[-1],))


def _of_product(node: Product) -> Iterator[Change]:
    for place in range(len(node.factors)):
        if "/" in node.operators:
            break
        operators = (
            node.operators[1:] if place == 0 else (*node.operators[: place - 1], *node.operators[place:])
        )
        rest = (*node.factors[:place], *node.factors[place + 1 :])
        yield "factor", Product(operators, rest) if len(rest) > 1 else rest[0]
    if len(node.factors) == 2 and node.operators[0] in ("⊙", "∘", "*", "·", ".*"):
        yield "plus", Brackets("(", ")", (Sum(("+", "+"), node.factors),))


def _of_function(node: Apply) -> Iterator[Change]:
    head = node.head
    if head.primes:
        yield "function", replace(node, head=replace(head, primes=0))
        other = ("tanh", r"\tanh") if head.base != "tanh" else ("σ", r"\sigma")
        yield "function", replace(node, head=replace(head, base=other[0], spelling=other[1]))
    elif head.base in ("tanh", "σ", "sigmoid"):
        other = ("tanh", r"\tanh") if head.base != "tanh" else ("σ", r"\sigma")
        yield "function", replace(node, head=replace(head, base=other[0], spelling=other[1]))


def _of_name(node: Name, others: Others) -> Iterator[Change]:
    if node.time is not None and node.time.offset is not None:
        yield from (("step", replace(node, time=_moved(node.time, by))) for by in (-1, 1))
    if node.time is None and node.base.isupper() and any(o.key == node.key for o in others.constant):
        yield "transpose", Raised(node, Name("T"), "transpose")
    yield from (("name", other) for other in others.instead(node))


def _exchanged(node: Formula) -> Iterator[Change]:
    """Two factors with each other's names; two sides of an outer product."""
    if not isinstance(node, Product):
        return
    for a in range(len(node.factors)):
        for b in range(a + 1, len(node.factors)):
            factors = list(node.factors)
            factors[a], factors[b] = factors[b], factors[a]
            yield "exchange", replace(node, factors=tuple(factors))


def _turned(node: Sum, place: int) -> Sum:
    signs = list(node.signs)
    signs[place] = "-" if signs[place] == "+" else "+"
    return Sum(tuple(signs), node.terms)


def _without(node: Sum, place: int) -> Formula:
    signs = (*node.signs[:place], *node.signs[place + 1 :])
    terms = (*node.terms[:place], *node.terms[place + 1 :])
    return terms[0] if len(terms) == 1 and signs == ("+",) else Sum(signs, terms)


def _moved(time: Time, by: int) -> Time:
    offset = (time.offset or 0) + by
    if not time.letter:
        return replace(time, index=Number(str(abs(offset))))
    letter = Name(time.letter.rstrip("'"))
    index: Formula = (
        letter if not offset else Sum(("+", "+" if offset > 0 else "-"), (letter, Number(str(abs(offset)))))
    )
    return replace(time, index=index)


# -- documents ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """A document with one line changed: what was done, the line's number and text, what it was before."""

    text: str
    what: str
    line: int
    source: str
    before: str


class Original:
    """A document as it stands, to change and to compare with."""

    def __init__(self, text: str, name: str) -> None:
        """Judge it."""
        self.text, self.name = text, name
        self.judging = Judging(opened(text, name))
        self.judge = self.judging.judge if self.judging.found else None
        self.rights: list[tuple[Equation, str]] = []
        self.of_outputs = any("in terms of its output" in r.assumption for r in self.judging.found.values())
        if self.judge is not None:
            claims = self.judging.claims
            self.alone = LineJudge(claims, self.judge, text)
            rows = [r for r in self.judging.document.rows if isinstance(r, Equation)]
            for row in rows:
                verdict = self.judging.row(row)
                if self._changeable(row, verdict):
                    self.rights.append((row, verdict.verdict))
        sides = [side for left, right, _ in self.judging.lines for side in (left, right)]
        constant = {
            key
            for key, ident in self.judging.bound.table.idents.items()
            if self.judging.bound.table.roles.get(ident) == "parameter"
        }
        table = self.judging.bound.table
        found = {n.key: n for side in sides for n in names(side)}
        self.others = Others(
            tuple(n for n in found.values() if n.time is not None and table.key(n).key in table.idents),
            tuple(n for n in found.values() if n.time is None and table.key(n).key in constant),
        )

    def _changeable(self, row: Equation, verdict: Row) -> bool:
        once = len(row.source) > 8 and self.text.count(row.source) == 1
        alone = sum(r.source == row.source for r in self.judging.document.equations) == 1
        return verdict.verdict in RIGHT and verdict.kind == "claim" and once and alone and row.relation == "="

    def mutants(self, each: int, rng: random.Random) -> Iterator[Mutant]:
        """Documents with one line changed, of every kind of change as many as of another."""
        for row, before in self.rights:
            found = [("right " + w, row.left, c) for w, c in changes(row.right, self.others)]
            found += [("left " + w, c, row.right) for w, c in changes(row.left, self.others)]
            kinds: dict[str, list[tuple[str, Formula, Formula]]] = {}
            for item in found:
                if (item[1], item[2]) != (row.left, row.right):
                    kinds.setdefault(item[0], []).append(item)
            chosen = sorted(kinds)
            rng.shuffle(chosen)
            for kind in chosen[:each]:
                what, left, right = rng.choice(kinds[kind])
                new = f"{write(left)} {row.relation} {write(right)}"
                yield Mutant(self.text.replace(row.source, new), what, row.line, new, before)

    def differs(self, lines: list[Line]) -> bool | None:
        """Whether lines are wrong of the gradients that they mean in the unchanged document; None: not known."""
        found = [self._differs(line) for line in lines]
        if True in found and self.of_outputs:
            found = [
                self._differs(line, of_output=True) and new for line, new in zip(lines, found, strict=True)
            ]
        return True if True in found else None if None in found or not found else False

    def _differs(self, line: Line, of_output: bool = False) -> bool | None:
        assert self.judge is not None
        try:
            if not self.alone.several.wanted(line):
                sides = self.judge.sides(self.judging.claims.claim_of(line, of_output).claim)
                if self.judge.mismatched(*sides):
                    return True
                return not self.judge.trial.alike(*sides)
        except (Misfit, ShapeError):
            return True
        except (Unreadable, NotationError):
            pass
        try:
            verdict = self.alone.several(line).verdict
        except (Unreadable, NotationError, ShapeError):
            return None
        return {"refuted": True, "proved": False, "conditional": False}.get(verdict)


@dataclass(frozen=True)
class Outcome:
    """What became of a changed line: its row in the changed document, and whether it is wrong."""

    mutant: Mutant
    row: Row | None
    differs: bool | None

    @property
    def name(self) -> str:
        """In words."""
        verdict = self.row.verdict if self.row is not None else "no row"
        return f"{ {True: 'different', False: 'equal', None: 'unknown'}[self.differs] } {verdict}"

    @property
    def wrong(self) -> bool:
        """Whether it is a false proof: right without a reading that is named."""
        return self.differs is True and self.row is not None and self.row.verdict == "proved"


def outcome(original: Original, mutant: Mutant) -> Outcome:
    """What becomes of a changed line."""
    judging = Judging(opened(mutant.text, original.name))
    wanted = "".join(mutant.source.split())
    rows = [r for r in judging.document.rows if r.line == mutant.line]
    own = [r for r in rows if "".join(r.source.split()) == wanted]
    own = own or [r for r in rows if wanted in "".join(r.source.split())] or rows
    if not own:
        return Outcome(mutant, None, None)
    lines = [line for line in judging.lines if any(line[2] is r for r in own[:1])]
    return Outcome(mutant, judging.row(own[0]), original.differs(lines))


def documents(chosen: list[str]) -> Iterator[Path]:
    """The documents of `derivations/` that have equations."""
    for path in sorted([*ROOT.rglob("*.md"), *ROOT.rglob("*.tex")]):
        if path.name != "README.md" and (not chosen or any(n in path.name for n in chosen)):
            yield path


def main() -> None:
    """Print the counts, and every change that is not refuted though it makes a line wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--each", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=1.0, help="of the changes, those that are tried")
    chosen = parser.parse_args()
    counts = Counter[str]()
    quick()
    for path in documents(chosen.names):
        rng, own = random.Random(f"{chosen.seed} {path.name}"), Counter[str]()
        original = Original(path.read_text(encoding="utf-8"), path.name)
        for mutant in original.mutants(chosen.each, rng):
            if rng.random() > chosen.share:
                continue
            found = outcome(original, mutant)
            own[found.name] += 1
            if found.name not in ("different refuted", "equal proved"):
                note = "; ".join(filter(None, (found.row.assumption, found.row.message))) if found.row else ""
                mark = "FALSE " if found.wrong else ""
                print(
                    f"  {mark}{path.name}:{mutant.line}: {found.name} (was {mutant.before}; {mutant.what}): "
                    f"{mutant.source}   [{note[:150]}]",
                    flush=True,
                )
        counts += own
        print(f"{path.name}: {dict(own)}", flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main()
