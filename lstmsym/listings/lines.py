"""The lines of a forward pass while they become a cell: what names are renamed to, and each a definition."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.arrays import Algebra
from lstmsym.listings.forward import Run
from lstmsym.notation import Ref
from lstmsym.page import RESERVED


@dataclass
class Lines:
    """Quantity -> its definition, in order; ``rename`` has the names that are a state before the step."""

    run: Run
    rename: dict[Ref, Ref]
    exprs: dict[str, sp.Expr] = field(default_factory=dict)
    aliases: dict[Ref, sp.Expr] = field(default_factory=dict)
    """What the loss has taken into itself: quantities that the cell does not name."""

    def __post_init__(self) -> None:
        """Each equation with its names renamed."""
        self.exprs = {e.name: e.expr.xreplace(self.rename) for e in self.run.equations}

    @property
    def algebra(self) -> Algebra:
        """The forms and sizes of the names."""
        return self.run.reader.algebra

    def dims(self, name: str) -> tuple[sp.Expr, ...]:
        """The sizes of a name, as far as they are known."""
        return self.algebra.types.get(name, ("", ()))[1]

    def before(self, name: str, ending: str) -> Ref:
        """A name of its own for what stands in a quantity's definition, which goes to its end."""
        made = f"{name}_{ending}"
        self.algebra.types[made] = self.algebra.types[name]
        return Ref(made, 0)

    def read(self, *others: sp.Expr | None) -> Iterator[Ref]:
        """All that the lines, and others, read; as often as a line reads it once."""
        for expr in (*self.exprs.values(), *(o for o in others if o is not None)):
            yield from expr.atoms(Ref)

    def behind(self, name: str) -> set[str]:
        """What a quantity is computed from at its own step."""
        found: set[str] = set()
        left = [name]
        while left:
            for ref in self.exprs.get(left.pop(), sp.Integer(0)).atoms(Ref):
                if ref.lag == 0 and ref.base not in found:
                    found.add(ref.base)
                    left.append(ref.base)
        return found


def is_matrix(ref: Ref, algebra: Algebra) -> bool:
    """Whether a name is used as a matrix."""
    return algebra.types.get(ref.base, ("",))[0] == "ff"


def identifiers(names: Iterable[str]) -> dict[str, str]:
    """Listing name -> a name that a cell may use."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        made = re.sub(r"\W", "_", name.encode("ascii", "ignore").decode()) or "v"
        while (
            made in RESERVED
            or made in N.FUNCTIONS
            or keyword.iskeyword(made)
            or made in found.values()
            or not made.isidentifier()
        ):
            made = f"{made}_" if made[:1].isalpha() or made[:1] == "_" else f"v{made}"
        found[name] = made
    return found


def single_operations(
    exprs: Mapping[str, sp.Expr], constant: frozenset[Ref]
) -> tuple[list[tuple[str, sp.Expr]], list[str]]:
    """Every operation with what changes a line of its own, equal ones once: so each part has a gradient."""
    lines: list[tuple[str, sp.Expr]] = []
    known: dict[sp.Expr, Ref] = {}
    new: list[str] = []

    def name(expr: sp.Expr, top: bool = False) -> sp.Expr:
        if isinstance(expr, Ref | N.Transposed) or expr.atoms(Ref) <= constant:
            return expr
        keep = 1 if isinstance(expr, (N.Part, N.Pad, N.Spread)) else len(expr.args)
        inner = expr.func(*(name(a) for a in expr.args[:keep]), *expr.args[keep:])
        if top:
            return inner
        if isinstance(expr, sp.Mul) and expr.args[0].is_number and len(expr.args) == 2:
            return inner
        if inner not in known:
            made = f"v{len(new) + 1}"
            new.append(made)
            known[inner] = Ref(made, 0)
            lines.append((made, inner))
        return known[inner]

    for key, expr in exprs.items():
        value = name(expr, top=True)
        lines.append((key, value))
        known.setdefault(value, Ref(key, 0))
    return lines, new
