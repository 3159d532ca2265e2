"""What is found of a statement of the backward pass, and the parts of a value that several add up."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from lstmsym.listings.arrays import Array
from lstmsym.notation import Ref

UNREAD = "unread "
"""The note on a value that was made, in part, by a statement that was not read: with its name."""
GIVEN = "given "
"""The note on a value that uses a gradient that the listing is given: with its name."""
SAMPLES = "only some of the samples are counted"
CLIPPED = "clipping changes larger entries"


@dataclass
class Finding:
    """What was found of one statement: the claim ``value = true``, or why there is none."""

    statement: ast.stmt
    status: str
    target: str = ""
    value: sp.Expr | None = None
    true: Ref | None = None
    wanted: tuple[Ref, ...] = ()
    message: str = ""
    assumption: str = ""
    part: bool = False
    given: tuple[str, ...] = ()


@dataclass
class Part:
    """One statement of several that add up a value."""

    statement: ast.stmt
    array: Array
    begins: bool = False
    """Whether this is what was there before the statements: none of its own."""
    reads: tuple[str, ...] = ()


def own(parts: Sequence[Part]) -> list[Part]:
    """The parts that statements add, without what was there before."""
    return [p for p in parts if not p.begins]


def noted(notes: Sequence[str], kind: str) -> tuple[str, ...]:
    """What notes of a kind say."""
    return tuple(n.removeprefix(kind) for n in notes if n.startswith(kind))
