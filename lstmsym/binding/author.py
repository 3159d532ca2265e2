"""Expressions in the notation of a document's author."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sympy as sp

from lstmsym.binding.table import Table
from lstmsym.documents.formula import Delta, Formula, Name, Number, Sum, Time
from lstmsym.documents.write import write
from lstmsym.notation import Ref
from lstmsym.printing import ATOM
from lstmsym.verify.latex import ClaimLatex
from lstmsym.verify.system import System


class AuthorLatex(ClaimLatex):
    """LaTeX with the names, accents and steps of a document."""

    def __init__(
        self, system: System, table: Table, slots: Callable[[], dict[tuple[str, int | None], Formula]]
    ) -> None:
        """``slots`` gives how the document writes its gradients."""
        super().__init__(system.derivation.order)
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
            return rf"\frac{{\partial L}}{{\partial {write(self.quantity(self.of[ref.base], ref.lag))}}}"
        return super().ref(ref)

    def spell_Label(self, expr: sp.Expr) -> tuple[str, int]:
        """A derivative of what is left of the loss."""
        what, by, *held = expr.args
        lag = getattr(what, "lag", None)
        loss = Name("L", time=stepped(self.time, lag) if self.time is not None and lag is not None else None)
        bar = rf"\Big|_{{{', '.join(map(self, held))}}}" if held else ""
        return rf"\frac{{d{write(loss)}}}{{d{self(by)}}}{bar}", ATOM

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
