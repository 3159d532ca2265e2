"""What a formula is worth: an expression with its shape, or the reason why it has none; and who says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import sympy as sp

from lstmsym.binding.shares import Share
from lstmsym.binding.stacks import Portion
from lstmsym.documents.formula import Big, Delta, Derivative, Formula, Name, Time
from lstmsym.shapes import Shape


class Unreadable(ValueError):
    """A formula, or a part of one, that is not understood; says why."""


class Misfit(Unreadable):
    """Shapes that no reading of the products makes fit."""


@dataclass(frozen=True)
class Value:
    """An expression with its shape; ``row``: a vector that lies."""

    expr: sp.Expr
    shape: Shape = ()
    row: bool = False
    parts: Shape = ()
    """The sizes of what is stacked in it."""
    ones: bool = False
    """Whether it is a 1 in bold: the vector of ones beside a matrix, else the number."""
    diagonal: bool = False
    """Whether it is a diagonal Jacobian, of which the vector is the diagonal."""

    @property
    def rank(self) -> int:
        """How many indices it has."""
        return len(self.shape)


class Scope(Protocol):
    """What names, gradients and sums mean where a formula stands."""

    def quantity(self, name: Name) -> Value:
        """What a name stands for."""

    def gradient(self, node: Delta | Derivative) -> Value:
        """What a gradient's name stands for."""

    def share(self, of: Name, by: Name) -> Share | None:
        """What the lines of one step make of a parameter, entry by entry."""

    def copy(self, node: Derivative, time: Time) -> Value:
        """The derivative by a parameter as one step has it."""

    def function(self, name: Name) -> str:
        """The operation that a name applied to an argument is, or nothing where that is a product."""

    def big(self, node: Big, body: Callable[[Formula], Value]) -> Value:
        """A sum or product over an index."""

    def stack(self, node: Portion, body: Callable[[Formula], Value]) -> Value:
        """What a column of names stands for as a whole."""

    def undeclared(self, node: Formula) -> bool:
        """Whether a formula is a name that its use is to declare."""

    def as_number(self, node: Formula) -> None:
        """Declare such a name as a number."""

    def check_terms(self, terms: Sequence[Formula], values: Sequence[Value]) -> None:
        """Refuse terms that no text adds up."""

    def size(self, name: Name) -> sp.Expr:
        """The size that a name denotes where it bounds a range of entries."""

    def counted(self, letter: str, count: Formula, size: sp.Expr) -> None:
        """What a sum over units says of their number; `Misfit` where that is another."""
