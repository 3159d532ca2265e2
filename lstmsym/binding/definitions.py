"""What a document itself says of its notation: defining lines, and words."""

from __future__ import annotations

from collections.abc import Mapping

from lstmsym.binding.arguments import of_functions
from lstmsym.binding.claims import Claims
from lstmsym.binding.computed import Computed
from lstmsym.binding.prepared import attached
from lstmsym.binding.slots import Meaning, Slot, candidates, occurrences, resolve, slot_of
from lstmsym.binding.stated import Said
from lstmsym.binding.table import LOSSES
from lstmsym.binding.told import Told
from lstmsym.binding.values import Unreadable
from lstmsym.documents.formula import Derivative, Formula, Name, Sum
from lstmsym.notation import NotationError, Ref
from lstmsym.rules import shape_of
from lstmsym.shapes import ShapeError, Unifier
from lstmsym.verify.words import Label, later


class Definitions:
    """Finds the slots of a document and what is said of each; ``defining`` are lines that only say so."""

    def __init__(self, claims: Claims, told: Told, listed: Mapping[Slot, Computed] | None = None) -> None:
        """Look through a document; the choices are filled.  ``listed`` are the names a listing computes."""
        self.claims, self.choices = claims, claims.choices
        self.system, self.table, self.lines = claims.system, claims.table, claims.lines
        self.told = told
        self.defining: set[int] = set()
        self.listed = listed or {}

    def prepare(self) -> None:
        """Find the slots and their candidates."""
        cell = self.choices.bound.cell
        assert cell is not None
        for place in self.choices.claims():
            left, right, _ = self.lines[place]
            for side in (left, right):
                for _node, slot, _at, _name in occurrences(side, self.table):
                    if slot not in self.choices.meanings:
                        self.choices.meanings[slot] = candidates(slot, self.table, cell, self.system)
        self.choices.arguments = of_functions([self.lines[n] for n in self.choices.claims()], self.table)
        self.choices.meanings.update((slot, []) for slot in self.choices.arguments)
        for said in self.told.gradients:
            if not said.line:
                self._said(said)
        self._listed()
        for place in self.choices.claims():
            self._pin(place)
        for said in self.told.gradients:
            self._said(said)

    def _said(self, said: Said) -> None:
        """A notation of which the text says what it is the gradient of."""
        found = slot_of(attached(said.notation), self.table)
        if found is not None and said.kind == "before":
            self._before(found[0])
        if found is not None and said.kind in ("node", "related"):
            self._restricted(found[0], said)
        if (
            found is None
            or found[0] in self.choices.pinned
            or not isinstance(said.of, Name)
            or said.kind in ("node", "related", "before")
        ):
            return
        at = self.table.key(said.of)
        ident = self.table.idents.get(at.key, "")
        lag = at.lag if isinstance(at.lag, int) else 0
        names, cell = self.system.derivation.names, self.choices.bound.cell
        assert cell is not None
        adjoint = names.adjoint(ident)
        if ident not in self.table.roles or adjoint not in self.system.backward:
            return
        is_state = any(q.name == ident for q in cell.role("state"))
        kind, expr = said.kind, Ref(adjoint, lag)
        constant = self.system.cell.by_name[ident].constant if ident in self.system.cell.by_name else False
        own = found[1].lag
        base = 0 if not isinstance(own, int) else own
        if constant:
            expr = Ref(adjoint)
        elif kind == "given" and ident in cell.outputs:
            expr = Ref(names.given(ident), lag)
        elif kind in ("carried", "back") and is_state:
            expr = Ref(names.back(ident), lag + 1)
        elif kind == "received":
            return
        shifted = expr if constant else Ref(expr.base, (expr.lag or 0) - base)
        self.choices.pinned[found[0]] = Meaning(shifted, "said", ident)

    def _before(self, slot: Slot) -> None:
        """A notation that is said to be the gradient of what goes into an activation."""
        before = set(self.table.before.values())
        options = [m for m in self.choices.meanings.get(slot, []) if m.kind == "total" and m.of in before]
        own = {self.table.before.get(ident, "") for ident in resolve(slot, self.table)}
        options = [m for m in options if m.of in own] or options
        if len(options) == 1 and slot not in self.choices.pinned:
            self.choices.pinned[slot] = Meaning(options[0].expr, "said", options[0].of)
        elif options and slot not in self.choices.pinned:
            self.choices.meanings[slot] = options

    def _listed(self) -> None:
        """Names of a listing that the text defines, or of which nothing else is known."""
        for slot in self.choices.meanings.keys() & self.listed.keys():
            if not resolve(slot, self.table) or any(self.says(n, slot) for n in self.choices.claims()):
                self.choices.pinned[slot] = self.listed[slot].meaning

    def says(self, place: int, slot: Slot) -> bool:
        """Whether a line says what a notation stands for: the gradient by a quantity."""
        left, right, _ = self.lines[place]
        found = slot_of(left, self.table)
        return found is not None and found[0] == slot and isinstance(right, Derivative)

    def _pin(self, place: int) -> None:
        """A line that only says what a notation stands for: the gradient by a quantity."""
        left, right, _ = self.lines[place]
        found = slot_of(left, self.table)
        negative = isinstance(right, Sum) and right.signs == ("-",)
        derivative = right.terms[0] if isinstance(right, Sum) else right
        if found is None or not isinstance(derivative, Derivative) or found[0] in self.choices.pinned:
            return
        if isinstance(right, Sum) and not negative:
            return
        try:
            value = self.claims.express(right).value
        except (Unreadable, NotationError, ShapeError):
            if self._for_any(left, right):
                self.defining.add(place)
            return
        lag = found[1].lag if isinstance(found[1].lag, int) else None
        expr = value.expr
        ref = -expr if negative else expr
        plain = isinstance(ref, Ref) and not (ref.lag is None and lag is not None)
        if (
            plain
            or self._of_step(derivative)
            or (isinstance(expr, Label) and found[0].family not in ("d", "δ", "∂"))
        ):
            self.choices.pinned[found[0]] = Meaning(later(expr, -(lag or 0)), "defined")
            self.defining.add(place)

    def _of_step(self, node: Derivative) -> bool:
        """Whether it is the derivative of one step's loss, which is no gradient of the cell."""
        return isinstance(node.of, Name) and node.of.base in LOSSES and node.of.time is not None

    def _for_any(self, left: Formula, right: Formula) -> bool:
        """Whether a gradient is that by a quantity that stands for any: neither is a name of the cell."""
        if not isinstance(right, Derivative):
            return False
        loss = isinstance(right.of, Name) and self.table.key(right.of).key not in self.table.idents
        by = right.by
        return (
            loss and isinstance(by, Name) and self.table.key(by).key not in self.table.idents
            and not isinstance(left, Derivative)
        )  # fmt: skip

    def _restricted(self, slot: Slot, said: Said) -> None:
        """A notation of which the text says what it belongs to: its shape is known, or the very term."""
        try:
            value = self.claims.express(said.of).value
        except (Unreadable, NotationError, ShapeError):
            return
        options = [
            m for m in self.choices.meanings.get(slot, [])
            if shape_of(m.expr, lambda ref: self.system.shapes[ref.base], Unifier()) == value.shape
        ]  # fmt: skip
        exact = [m for m in options if said.kind == "node" and m.of.startswith(f"{value.expr} in ")]
        if slot in self.choices.meanings and slot not in self.choices.pinned:
            self.choices.meanings[slot] = exact or options
