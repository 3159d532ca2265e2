"""Symbolic sizes, and the steps of a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import sympy as sp

from lstmsym.mistakes import mistake


class Size(sp.Symbol):
    """A symbolic size: the number of inputs ``m``, of units ``n``, or one of the user's own.

    ``keyword`` is its name in the signature of generated code; ``default`` the size taken when the
    caller names none (a number or an expression in other sizes; the number of units otherwise).
    """

    keyword: str
    default: sp.Expr | int | None

    def __new__(cls, name: str, keyword: str = "", default: Any = None) -> Size:
        """Make the size symbol ``name``; sizes are positive integers."""
        if not (isinstance(name, str) and name.isidentifier() and isinstance(keyword, str)):
            raise mistake(f"Size({name!r}): a size takes its name as a string, as in Size('q')")
        size: Size = sp.Symbol.__xnew__(cls, name, integer=True, positive=True)
        size.keyword = keyword or f"{name}_size"
        size.default = default
        return size

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments that rebuild this size (pickle, copy)."""
        return (self.name, self.keyword, self.default), {}


m = Size("m", "input_size")
n = Size("n", "hidden_size")
p = Size("p", "proj_size", default=(n + 1) // 2)
k = Size("k", "output_size", default=n)
scalar: tuple[()] = ()
"""The shape of a single number, as in ``Input(scalar)``."""


@dataclass(frozen=True)
class Time:
    """A step of the sequence relative to the present one: ``t``, ``t - 1``, ``t + 1``."""

    offset: int = 0

    def __add__(self, steps: int) -> Time:
        """A later step."""
        return Time(self.offset + steps) if isinstance(steps, int) else self._refuse()

    def __sub__(self, steps: int) -> Time:
        """An earlier step."""
        return Time(self.offset - steps) if isinstance(steps, int) else self._refuse()

    def __eq__(self, other: object) -> bool:
        return self.offset == other.offset if isinstance(other, Time) else self._refuse()

    def _refuse(self, *_: Any) -> NoReturn:
        raise mistake("a step is written t, t-1 or t+1, between the brackets of a quantity")

    __radd__ = __add__
    __mul__ = __rmul__ = __rsub__ = __truediv__ = __pow__ = __neg__ = _refuse
    __lt__ = __gt__ = __le__ = __ge__ = __iter__ = __float__ = __getitem__ = _refuse

    def __str__(self) -> str:
        """As it stands between the brackets: t, t-1, t+1."""
        return "t" + (f"{self.offset:+d}" if self.offset else "")


t = Time()
