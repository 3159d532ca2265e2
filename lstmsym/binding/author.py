"""Expressions in the notation of a document's author."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import sympy as sp

from lstmsym.binding.quantity import untimed
from lstmsym.binding.table import LOSSES, Line, Table
from lstmsym.documents.formula import Delta, Derivative, Formula, Name, Number, Sum, Time, walk
from lstmsym.documents.write import write
from lstmsym.notation import Ref
from lstmsym.printing import ATOM
from lstmsym.verify.latex import ClaimLatex
from lstmsym.verify.system import System
from lstmsym.verify.words import LossFrom

LOSS = Name("L")
"""The loss of a document that has no name for it."""
_WORD = r"[A-Za-z]\w*(?:\[t(?:[+-]\d+)?\])?"
_OVER = re.compile(rf"(?<![\w\\{{])d({_WORD})/d({_WORD})")
_TIMED = re.compile(r"(?<![\w\\{])[A-Za-z]\w*\[t(?:[+-]\d+)?\]")
_BARE = re.compile(
    r"(?<=the entries of )\w+(?: and \w+)*(?= add up)"
    r"|(?<= holds earlier )\w+(?= fixed)|(?<= and leaves )\w+(?: and \w+)*(?= free)"
)


class AuthorLatex(ClaimLatex):
    """LaTeX with the names, accents and steps of a document."""

    def __init__(
        self,
        system: System,
        table: Table,
        slots: Callable[[], dict[tuple[str, int | None], Formula]],
        loss: Name = LOSS,
    ) -> None:
        """``slots`` gives how the document writes its gradients; ``loss`` is its name for the loss."""
        super().__init__(system.derivation.order)
        self.loss = loss
        self.system, self.table, self._slots = system, table, slots
        self._known: dict[tuple[str, int | None], Formula] | None = None
        names = system.derivation.names
        self.of = {names.adjoint(n): n for n in (*system.forward, *system.cell.by_name)}
        self.time = next((n.time for n in self.table.samples.values() if n.time is not None), None)

    def ref(self, ref: Ref) -> str:
        """A quantity, or a gradient, as the author writes it."""
        if self._known is None:
            self._known = self._slots()
        for (base, lag), node in self._known.items():
            if base == ref.base and (lag == ref.lag or has_time(node)):
                return write(moved(node, (ref.lag or 0) - (lag or 0)))
        if ref.base in self.table.spelled:
            return write(self.quantity(ref.base, ref.lag))
        if ref.base in self.of and self.of[ref.base] in self.table.spelled:
            by = write(self.quantity(self.of[ref.base], ref.lag))
            return rf"\frac{{\partial {write(self.loss)}}}{{\partial {by}}}"
        return super().ref(ref)

    def spell_Label(self, expr: sp.Expr) -> tuple[str, int]:
        """A derivative of what is left of the loss."""
        what, by, *held = expr.args
        lag = getattr(what, "lag", None)
        loss = self.loss_from(lag)
        bar = rf"\Big|_{{{', '.join(map(self, held))}}}" if held else ""
        return rf"\frac{{d{loss}}}{{d{self(by)}}}{bar}", ATOM

    def size(self, symbol: sp.Symbol) -> str:
        """A size, or the loss from a step on, by the author's name."""
        return self.loss_from(symbol.lag) if isinstance(symbol, LossFrom) else super().size(symbol)

    def loss_from(self, lag: int | None) -> str:
        """The loss from a step on; all of it for None."""
        time = stepped(self.time, lag) if self.time is not None and lag is not None else None
        return write(replace(self.loss, time=time))

    def reworded(self, text: str) -> str:
        """A sentence in which quantities are spelled as in a cell, ``h[t-1]``, with the author's names."""
        text = _OVER.sub(lambda m: f"d{self._spelled(m[1])}/d{self._spelled(m[2])}", text)
        text = _TIMED.sub(lambda m: self._spelled(m[0]), text)
        return _BARE.sub(lambda m: " and ".join(map(self._spelled, m[0].split(" and "))), text)

    def _spelled(self, word: str) -> str:
        """A quantity of the cell, ``h[t-1]`` or ``h``, as the author writes it."""
        name, bracket, index = word.rstrip("]").partition("[")
        lag = int(index.removeprefix("t") or 0) if bracket else None
        if name == "L":
            return self.loss_from(lag)
        return self(Ref(name, lag)) if name in self.system.shapes else word

    def below(self, base: sp.Expr) -> str:
        """What takes a superscript: in brackets where the author's name has one."""
        text = super().below(base)
        return self.bracket(text) if isinstance(base, Ref) and "^" in text else text

    def knows(self, gradient: Ref, of: Ref) -> bool:
        """Whether the document has a name for a gradient, or at least for what it is of."""
        if self._known is None:
            self._known = self._slots()
        return any(base == gradient.base for base, _ in self._known) or of.base in self.table.spelled

    def quantity(self, ident: str, lag: int | None) -> Name:
        """The name of a quantity at a step."""
        name = self.table.samples.get(ident) or self.table.spelled[ident]
        if lag is None or name.time is None:
            return name
        return replace(name, time=stepped(name.time, lag))


def stepped(time: Time, lag: int) -> Time:
    """The step t + lag, written as another step is."""
    letter = Name(time.letter.rstrip("'") or "t")
    index: Formula = letter
    if lag:
        index = Sum(("+", "+" if lag > 0 else "-"), (letter, Number(str(abs(lag)))))
    return replace(time, index=index)


def has_time(node: Formula) -> bool:
    """Whether a gradient's name says its step."""
    inner = node.of if isinstance(node, Delta) else node
    return isinstance(inner, Name) and inner.time is not None


def moved(node: Formula, steps: int) -> Formula:
    """A gradient's name, some steps later."""
    if isinstance(node, Delta) and isinstance(node.of, Name):
        return replace(node, of=moved(node.of, steps))
    if isinstance(node, Name) and node.time is not None:
        return replace(node, time=stepped(node.time, (node.time.offset or 0) + steps))
    return node


def loss_of(lines: Sequence[Line], kinds: Mapping[int, str]) -> Name:
    """What the document calls the loss: the name of which most derivatives are taken, or that is defined."""
    found = Counter(
        untimed(replace(node.of, time=None))[0]
        for line in lines for side in line[:2] for node in walk(side)
        if isinstance(node, Derivative) and isinstance(node.of, Name) and node.of.base in LOSSES
    )  # fmt: skip
    defined = (lines[place][0] for place, kind in kinds.items() if kind == "loss")
    named = next((replace(left, time=None) for left in defined if isinstance(left, Name)), LOSS)
    return max(found, key=lambda name: (found[name], name.key), default=named)
