"""What is in scope on a page: the cell's quantities and gradients at any step, definitions, and words.

A name of the cell goes before a word of pages; the word then has an underscore behind it (``D_``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.mistakes import mistake, nearest
from lstmsym.notation import Ref, Time, Written
from lstmsym.verify.system import System
from lstmsym.verify.words import ChainSum, Columns, D, LossFrom, diag, later

Assign = Callable[[Any, Any], None]
"""Writes down the claim that a reference, or the loss from a step on, is equal to a value."""


class Name(Written):
    """A quantity or a gradient on a page: by itself its value at t, with brackets at any step."""

    def __init__(self, ref: Ref, assign: Assign, hidden: str = "") -> None:
        """Name a reference; ``hidden`` is the word of pages that the name takes the place of."""
        super().__init__(ref)
        self._ref, self._assign, self._hidden = ref, assign, hidden

    def __getitem__(self, index: Any) -> Any:
        """The quantity at a step, a slice, or some columns of a matrix."""
        if isinstance(index, Time):
            return Written(self._at(index))
        if isinstance(index, tuple) and len(index) == 2 and index[0] == slice(None):
            part = super().__getitem__(index[1])._sympy_()
            return Written(Columns(*part.args))
        if isinstance(index, tuple):
            raise mistake(f"{self}[...]: of a matrix, columns are taken, {self}[:, a:b]")
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        """``c[t] = ...``: a claim at a step."""
        if not isinstance(index, Time):
            raise mistake(f"{self._ref.base}[...] = ...: a claim is about a quantity at a step, or all of it")
        self._assign(self._at(index), value)

    def _at(self, index: Time) -> Ref:
        if self._ref.lag is None:
            word = f"; the page's own word is {self._hidden}_[{index}]" if self._hidden else ""
            raise mistake(f"{self._ref}[{index}]: {self._ref} has no time: write {self._ref}{word}")
        return Ref(self._ref.base, index.offset)

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Refuse; a name that is a word elsewhere says how that is written here."""
        if self._hidden:
            raise mistake(
                f"{self._hidden} is a quantity of the cell here: the page's own word is {self._hidden}_(...)"
            )
        raise mistake(f"{self} is no function: a product is written with *")


class Defined(Written):
    """A name that the document defines: what stands for it at t, and with brackets at any other step."""

    def __getitem__(self, index: Any) -> Any:
        """The same at another step, or a slice."""
        return (
            Written(later(self._expr, index.offset))
            if isinstance(index, Time)
            else super().__getitem__(index)
        )

    def __setitem__(self, index: Any, value: Any) -> None:
        """Refuse; what a name stands for is said once for all steps."""
        raise mistake("a name that is new on the page is defined without a step: name = ...")


class Losses(Written):
    """``L`` on a page, the loss of all steps, and ``L[t+1]``, that of a step and all later ones."""

    def __init__(self, assign: Assign) -> None:
        """Stand for the loss of all steps."""
        super().__init__(LossFrom(None))
        self._assign = assign

    def __getitem__(self, index: Any) -> Any:
        """The loss from a step on."""
        if not isinstance(index, Time):
            raise mistake("L[...]: the loss from a step on is written L[t]")
        return Written(LossFrom(index.offset))

    def __setitem__(self, index: Any, value: Any) -> None:
        """``L[t] = ...``: a claim."""
        self._assign(self[index]._sympy_(), value)


def scope_of(system: System, words: Mapping[str, Any], assign: Assign) -> dict[str, Any]:
    """What a page about a cell has in scope; ``words`` are the page's own, ``assign`` writes its claims."""
    cell = system.cell
    common: dict[str, Any] = {**N.FUNCTIONS, "t": N.t, **{s.name: s for s in cell.sizes}}
    common |= {"L": Losses(assign), "D": D, "diag": diag, "Total": N.Total, "ChainSum": ChainSum, **words}
    names = [q.name for q in cell.quantities] + [*system.forward, *system.adjoints]
    names += [ref.base for ref in system.derivation.given.values()]
    timeless = _timeless(system)
    own: dict[str, Any] = {
        name: Name(Ref(name, None if name in timeless else 0), assign, name if name in common else "")
        for name in names
    }
    prefix = system.derivation.names.prefix
    greek = {"δ" + name.removeprefix(prefix): own[name] for name in system.adjoints}
    return {**common, **{f"{name}_": common[name] for name in own if name in common}, **own, **greek}


def _timeless(system: System) -> set[str]:
    found = {q.name for q in system.cell.quantities if q.constant}
    found |= {b.name.base for b in system.with_loss.backward if b.name.lag is None}
    return found | {e.name.base for e in system.with_loss.forward if e.name.lag is None}


def resembled(key: str, system: System) -> str:
    """The gradient that a new name may have been meant for, if any."""
    prefix = next((p for p in (system.derivation.names.prefix, "δ") if key.startswith(p)), "")
    rest = key.removeprefix(prefix).strip("_")
    gradients = sorted(system.adjoints)
    close = nearest(key, gradients)
    if close and _distance(key, close) <= 1:
        return close
    if prefix and len(rest) <= 2:
        return close or min(gradients, key=lambda name: (_distance(key, name), name))
    return ""


def _distance(a: str, b: str) -> int:
    """Letters to be changed, added or dropped to make one word of the other (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def strange(expr: sp.Expr) -> Iterable[sp.Symbol]:
    """The symbols in an expression that a page cannot know."""
    known = (Ref, LossFrom, N.Size)
    return sorted((s for s in expr.atoms(sp.Symbol) - {N.End} if not isinstance(s, known)), key=str)
