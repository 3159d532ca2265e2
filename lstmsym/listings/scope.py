"""What the names of a listing mean at a place: values, series over time, loop variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from lstmsym.listings.arrays import Array

ZERO = Array(sp.Integer(0), "")
"""Zeros of any shape."""


@dataclass(frozen=True)
class Initial:
    """A dictionary of steps that holds the one before the first: ``{-1: h0}``."""

    value: Array


@dataclass
class Scope:
    """What names mean: values, series over time (name -> step -> value), loop variables."""

    names: dict[str, Any] = field(default_factory=dict)
    series: dict[str, dict[int, Any]] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)
    """Series -> the index at which the loop's own step stands."""
    loops: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, sp.Expr] = field(default_factory=dict)
    past: set[str] = field(default_factory=set)
    """Variables of loops that are over: after them a step is the general one."""
