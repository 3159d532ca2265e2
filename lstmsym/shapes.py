"""Shapes with symbolic sizes, settled by unification.

A shape is a tuple of sizes: ``()`` a scalar, ``(n,)`` a vector, ``(n, m)`` a matrix.  A size nobody
has declared is a fresh unknown until an equation settles it; what stays unknown becomes ``n``.
"""

from __future__ import annotations

from typing import TypeAlias

import sympy as sp

from lstmsym.notation import n

Shape: TypeAlias = tuple[sp.Expr, ...]


def plain(size: sp.Expr) -> sp.Expr:
    """A size in the one form in which sizes are compared and kept: multiplied out."""
    return size if size.is_Atom else sp.expand(size)


class ShapeError(Exception):
    """Two shapes that must agree and do not; ``fix`` says what the author can do."""

    def __init__(self, left: Shape, right: Shape, fix: str) -> None:
        """Keep both shapes, resolved, and the advice."""
        super().__init__(f"{spelled(left)} against {spelled(right)}")
        self.left, self.right, self.fix = left, right, fix


class Unifier:
    """The sizes found so far: unknown size -> what it must be."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.known: dict[sp.Symbol, sp.Expr] = {}

    def fresh(self) -> sp.Symbol:
        """A size nobody has declared."""
        return sp.Dummy("size", integer=True, positive=True)

    def resolve(self, shape: Shape) -> Shape:
        """The shape with every settled unknown replaced."""
        return tuple(self._size(size) for size in shape)

    def settle(self, shape: Shape) -> Shape:
        """The shape with whatever is still unknown set to n, the number of units."""
        for size in self.resolve(shape):
            for unknown in size.atoms(sp.Dummy):
                self.known[unknown] = n
        return self.resolve(shape)

    def same(self, left: Shape, right: Shape, fix: str) -> Shape:
        """The one shape that both are.

        Raises:
            ShapeError: they differ in rank or in a size.
        """
        left, right = self.resolve(left), self.resolve(right)
        if len(left) != len(right) or not all(map(self._equate, left, right)):
            raise ShapeError(self.resolve(left), self.resolve(right), fix)
        return self.resolve(left)

    def broadcast(self, left: Shape, right: Shape, fix: str) -> Shape:
        """The shape of a pointwise combination: a scalar goes with everything."""
        if left == ():
            return right
        return left if right == () else self.same(left, right, fix)

    def _size(self, size: sp.Expr) -> sp.Expr:
        while any(unknown in self.known for unknown in size.atoms(sp.Dummy)):
            size = sp.sympify(size).xreplace(self.known)
        return plain(size)

    def _equate(self, left: sp.Expr, right: sp.Expr) -> bool:
        difference = self._size(left) - self._size(right)
        if difference == 0:
            return True
        for unknown in sorted(difference.atoms(sp.Dummy), key=lambda d: d.dummy_index):
            if abs(difference.coeff(unknown)) == 1:
                self.known[unknown] = unknown - difference / difference.coeff(unknown)
                return True
        return False


def spelled(shape: Shape) -> str:
    """The shape as a reader writes it: a scalar, (n,), (n, m); unknown sizes are ``?``."""
    if shape == ():
        return "a scalar"
    sizes = ["?" if sp.sympify(s).atoms(sp.Dummy) else str(s) for s in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
