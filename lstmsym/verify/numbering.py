"""The numbering of a network's indices: one for all ways to write it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations, product
from math import factorial
from typing import Any, TypeAlias

import sympy as sp

from lstmsym.verify.poly import Axes, Exponent, TooLarge

Factor: TypeAlias = tuple[int, Axes, Exponent]
"""(kind, indices, exponent) of an atom in a network."""
MOST = 5040
"""Numberings that are compared."""


def normal_form(
    factors: tuple[Factor, ...], sizes: Mapping[int, sp.Expr]
) -> tuple[tuple[Factor, ...], list[Axes], tuple[sp.Expr, ...]]:
    """(factors with their indices numbered, orders of the free axes that lead there, sizes of the others).

    The least of all numberings, among those that a refinement of what distinguishes the indices
    (their sizes, where they stand, beside what) leaves open.

    Raises:
        TooLarge: too many are left open.
    """
    labels = sorted({x for _, axes, _ in factors for x in axes} | set(sizes))
    colours = _refined(factors, {x: (1, str(sizes[x])) if x in sizes else (0, "") for x in labels})
    classes: dict[int, list[int]] = {}
    for x in labels:
        classes.setdefault(colours[x], []).append(x)
    groups = [classes[c] for c in sorted(classes)]
    count = 1
    for group in groups:
        count *= factorial(len(group))
    if count > MOST:
        raise TooLarge
    best: tuple[Factor, ...] | None = None
    orders: dict[Axes, None] = {}
    for choice in product(*(permutations(g) for g in groups)):
        order = [x for group in choice for x in group]
        place = {x: i for i, x in enumerate(order)}
        form = tuple(sorted((kind, tuple(place[x] for x in axes), e) for kind, axes, e in factors))
        if best is None or form < best:
            best, orders = form, {}
            bounds = tuple(sizes[x] for x in order if x in sizes)
        if form == best:
            orders[tuple(x for x in order if x not in sizes)] = None
    assert best is not None
    return best, list(orders), bounds


def _refined(factors: tuple[Factor, ...], start: Mapping[int, Any]) -> dict[int, int]:
    """Index -> colour: indices that stand in different places have different colours."""
    colours = _ranked(start)
    for _ in range(len(colours)):
        seen = {
            x: (
                colours[x],
                tuple(
                    sorted(
                        (
                            kind,
                            e,
                            tuple(i for i, y in enumerate(axes) if y == x),
                            tuple(colours[y] for y in axes),
                        )
                        for kind, axes, e in factors
                        if x in axes
                    )
                ),
            )
            for x in colours
        }
        finer = _ranked(seen)
        if len(set(finer.values())) == len(set(colours.values())):
            return finer
        colours = finer
    return colours


def _ranked(values: Mapping[int, Any]) -> dict[int, int]:
    ranks = {v: i for i, v in enumerate(sorted(set(values.values())))}
    return {x: ranks[v] for x, v in values.items()}
