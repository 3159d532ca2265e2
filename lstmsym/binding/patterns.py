"""Lines as claims under many meanings of their names: expressed once for all meanings of one shape and step.

Each gradient's name is a placeholder at first; what it stands for is put in afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from lstmsym.binding.choices import Choices
from lstmsym.binding.claims import Claims, Expressed
from lstmsym.binding.slots import Meaning, Slot, occurrences, slot_of
from lstmsym.binding.values import Unreadable, Value
from lstmsym.notation import NotationError, Ref
from lstmsym.rules import shape_of
from lstmsym.shapes import Shape, ShapeError, Unifier
from lstmsym.verify.claims import Claim
from lstmsym.verify.words import Label, later

Use = tuple[Slot, bool]
"""A slot, and whether it stands on the left at an earlier step."""
FAILED = (Unreadable, NotationError, ShapeError)


@dataclass(frozen=True)
class Held:
    """A placeholder, and the meaning that it holds the place of."""

    name: str
    lag: int | None
    shape: Shape
    meaning: Meaning

    def rule(self, ref: Ref) -> sp.Expr:
        """What the placeholder stands for at a step."""
        return self.meaning.expr if self.lag is None else later(self.meaning.expr, (ref.lag or 0) - self.lag)


class Patterns:
    """The claims of lines, and the values of right sides, under the present choices."""

    def __init__(self, claims: Claims) -> None:
        """Take over the claims; the choices may change."""
        self.claims, self.choices, self.system = claims, claims.choices, claims.system
        self.timed = set(self.system.backward) | {r.base for r in self.system.derivation.given.values()}
        self.slots = {n: self._slots(n) for n in self.choices.claims()}
        self.known: dict[object, tuple[Expressed, Expressed] | None] = {}
        self.alone: dict[object, Expressed | None] = {}
        self.signatures: dict[Meaning, tuple[int | None, Shape]] = {}

    def _slots(self, place: int) -> tuple[Slot, ...]:
        found = (occurrences(side, self.claims.table) for side in self.claims.lines[place][:2])
        return tuple(dict.fromkeys(slot for side in found for _, slot, _, _ in side))

    def claim(self, place: int, of_output: bool = False) -> Claim | None:
        """A line as a claim, or None where it is not understood."""
        held = self._held(place)
        sides = self._sides(place, of_output, held)
        if sides is None:
            return None
        left, right = (_filled(side, held) for side in sides)
        try:
            return self.claims.stated(self.claims.lines[place], left, right).claim
        except FAILED:
            return None

    def right(self, place: int, of_output: bool = False) -> sp.Expr | None:
        """The right side of a line, or None where it is not understood; the left one may be unknown yet."""
        held = self._held(place)
        sides = self._sides(place, of_output, held)
        side = sides[1] if sides is not None else self._alone(place, of_output, held)
        return None if side is None else _filled(side, held).value.expr

    def _held(self, place: int) -> dict[Use, Held]:
        held = {}
        for number, slot in enumerate(self.slots[place]):
            for earlier in (False, True):
                meaning = self.choices.meaning(slot, earlier)
                if meaning is not None:
                    lag, shape = self._signature(meaning)
                    held[slot, earlier] = Held(f"?{number}{'e' * earlier}", lag, shape, meaning)
        return held

    def _signature(self, meaning: Meaning) -> tuple[int | None, Shape]:
        """The last step that a meaning speaks of, and its shape."""
        if meaning not in self.signatures:
            expr = meaning.expr
            refs = [r for r in expr.atoms(Ref) if r.lag is not None]
            lags = [r.lag for r in refs if r.base in self.timed] or [r.lag for r in refs]
            bare = expr.args[1] if isinstance(expr, Label) else expr
            shape = shape_of(bare, lambda ref: self.system.shapes[ref.base], Unifier())
            self.signatures[meaning] = (max((lag for lag in lags if lag is not None), default=None), shape)
        return self.signatures[meaning]

    def _sides(
        self, place: int, of_output: bool, held: Mapping[Use, Held]
    ) -> tuple[Expressed, Expressed] | None:
        shapes = tuple((use, h.lag, h.shape) for use, h in held.items())
        key = (place, of_output, self.choices.flat, shapes)
        if key not in self.known:
            try:
                self.known[key] = self.claims.sides(
                    self.claims.lines[place], of_output, _Placeholders(self.choices, held)
                )
            except FAILED:
                self.known[key] = None
        return self.known[key]

    def _alone(self, place: int, of_output: bool, held: Mapping[Use, Held]) -> Expressed | None:
        """The right side of a line whose left side is a name of which nothing is known yet."""
        left, right, _ = self.claims.lines[place]
        found = slot_of(left, self.claims.table)
        if found is None or any((found[0], earlier) in held for earlier in (False, True)):
            return None
        shapes = tuple((use, h.lag, h.shape) for use, h in held.items())
        key = (place, of_output, self.choices.flat, shapes)
        if key not in self.alone:
            meaning = _Placeholders(self.choices, held)
            try:
                self.alone[key] = self.claims.express(right, of_output=of_output, meaning=meaning)
            except FAILED:
                self.alone[key] = None
        return self.alone[key]


class _Placeholders:
    """Meanings that are placeholders, as a scope takes them."""

    def __init__(self, choices: Choices, held: Mapping[Use, Held]) -> None:
        self.held = held
        self.shapes = {h.name: h.shape for h in held.values()}

    def __call__(self, slot: Slot, earlier: bool) -> Meaning | None:
        found = self.held.get((slot, earlier))
        return None if found is None else Meaning(Ref(found.name, found.lag), found.meaning.kind)


def _filled(side: Expressed, held: Mapping[Use, Held]) -> Expressed:
    by_name = {h.name: h for h in held.values()}
    value = side.value
    rules = {r: by_name[r.base].rule(r) for r in value.expr.atoms(Ref) if r.base in by_name}
    return Expressed(Value(value.expr.xreplace(rules), value.shape, value.row), side.sums, side.noted)
