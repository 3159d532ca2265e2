"""The paths by which a gradient arrives: each term of it, written out as far as one likes.

A path leads from a quantity over what it is used in to where the loss sees it.  The term of a
path is the product of the local factors on it with the gradient that waits at its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Ref
from lstmsym.verify.meaning import Meanings
from lstmsym.verify.system import shifted

REACH = 2
"""Steps that a path may lead beyond its beginning."""
MOST = 80
"""Paths looked at."""
LONGEST = 60
"""Nodes of a term beyond which its path is not followed."""


@dataclass(frozen=True)
class Path:
    """A term of a gradient, and the adjoints it passed through; the last stands in the term."""

    term: sp.Expr
    adjoints: tuple[Ref, ...]
    inside: bool = False
    """Whether the term stands under a sum over the steps."""

    @cached_property
    def expr(self) -> sp.Expr:
        """The term as it stands in the gradient."""
        return N.Total(self.term) if self.inside else self.term

    def shifted(self, steps: int) -> Path:
        """The same path from a later step."""
        return Path(shifted(self.term, steps), tuple(a.shifted(steps) for a in self.adjoints), self.inside)


def terms(left: Ref, meanings: Meanings) -> list[Path]:
    """The terms of a gradient's own line."""
    return list(_extended(Path(left, (left,)), meanings))


def paths(left: Ref, meanings: Meanings) -> Iterator[Path]:
    """The terms of a gradient written out further, step by step."""
    level = terms(left, meanings)
    count = 0
    while level and count < MOST:
        deeper = []
        for path in (p for p in level if _light(p.term)):
            for longer in _extended(path, meanings):
                if (longer.adjoints[-1].lag or 0) <= (left.lag or 0) + REACH:
                    count += 1
                    yield longer
                    deeper.append(longer)
        level = deeper


def _light(term: sp.Expr) -> bool:
    return len(list(islice(sp.preorder_traversal(term), LONGEST))) < LONGEST


def _extended(path: Path, meanings: Meanings) -> Iterator[Path]:
    """A path with its last adjoint replaced by each of its terms."""
    last = path.adjoints[-1]
    line = meanings.line(last) if last.base in meanings.backward else None
    if line is None:
        return
    for term in _terms(line, meanings):
        inside = path.inside or isinstance(term, N.Total)
        bare = term.args[0] if isinstance(term, N.Total) else term
        for part in _terms(bare, meanings):
            ends = _ends(part, meanings)
            if len(ends) == 1:
                whole = path.term.xreplace({last: part}) if path.term != last else part
                yield Path(whole, (*path.adjoints, ends[0]), inside)


def _terms(expr: sp.Expr, meanings: Meanings) -> list[sp.Expr]:
    """The terms of a sum, multiplied out where a factor adds up different gradients."""
    found = []
    for term in sp.Add.make_args(expr):
        factors = sp.Mul.make_args(term)
        mixed = next((f for f in factors if isinstance(f, sp.Add) and len(_ends(f, meanings)) > 1), None)
        if mixed is None:
            found.append(term)
        else:
            rest = sp.Mul(*(f for f in factors if f is not mixed))
            found += [rest * part for part in mixed.args]
    return found


def _ends(expr: sp.Expr, meanings: Meanings) -> list[Ref]:
    return [r for r in expr.atoms(Ref) if _waits(r, meanings)]


def _waits(ref: Ref, meanings: Meanings) -> bool:
    given = {r.base for r in meanings.system.derivation.given.values()}
    return ref.base in meanings.backward or ref.base in given


def followed(path: Path, meanings: Meanings) -> Path:
    """A path that ends at the border of a step, led on while there is one way only."""
    while path.adjoints[-1].base in meanings.carried:
        further = list(_extended(path, meanings))
        if len(further) != 1:
            break
        (path,) = further
    return path


def spelled(path: Path, meanings: Meanings) -> str:
    """A path as the quantities it leads over: s[t] -> s[t+1] -> s[t+2]."""
    names: list[str] = []
    for adjoint in path.adjoints:
        of = quantity(adjoint, meanings)
        if of is not None and (not names or names[-1] != str(of)):
            names.append(str(of))
    return " -> ".join(names)


def quantity(adjoint: Ref, meanings: Meanings) -> Ref | None:
    """What an adjoint is the gradient of."""
    derivations = (meanings.system.derivation, meanings.system.with_loss)
    line = next((d.by_name[adjoint.base] for d in derivations if adjoint.base in d.by_name), None)
    return None if line is None else line.of.shifted(adjoint.lag or 0)
