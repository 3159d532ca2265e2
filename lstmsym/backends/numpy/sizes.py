"""The sizes of an emitted file: their keywords and defaults, and how each is read off the arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from lstmsym import notation as N
from lstmsym.backends.numpy.names import Names, Sized
from lstmsym.notation import NotationError, Size
from lstmsym.printing import ATOM, PRODUCT, Printer
from lstmsym.program import Program
from lstmsym.shapes import Shape


@dataclass(frozen=True)
class Dimension:
    """A size symbol in the file: its name, its keyword, its default, how it is read off the arguments."""

    symbol: str
    name: str
    keyword: str
    default: str | None
    source: str


def tuple_of(shape: Shape, sizes: Mapping[str, str]) -> str:
    """A shape as a tuple of the file's names."""
    show = Sized(sizes)
    return f"({', '.join(show(s) for s in shape)}{',' if len(shape) == 1 else ''})"


def symbols(shape: Shape) -> str:
    """A shape as a tuple of size symbols, quoted."""
    show = Printer()
    inner = ", ".join(f'"{show(s)}"' for s in shape)
    return f"({inner}{',' if len(shape) == 1 else ''})"


def dimensions(program: Program, names: Names) -> tuple[Dimension, ...]:
    """The sizes in an order in which each can be read off the arguments."""
    cell = program.cell
    known: dict[Size, str] = {}
    places = [(f'inputs["{q.name}"]', 2 + i, d) for q in cell.role("input") for i, d in enumerate(q.shape)]
    places += [(f'params["{q.name}"]', i, d) for q in cell.role("parameter") for i, d in enumerate(q.shape)]
    waiting = list(cell.sizes)
    show = Sized(names.sizes)
    while waiting:
        found = next(((s, place) for s in waiting for place in places if _settles(place[2], s, known)), None)
        if found is None:
            raise NotationError(
                f"{cell.name}: size {waiting[0]} cannot be read off an input or a parameter:"
                f" give one of them a dimension {waiting[0]}"
            )
        size, (text, axis, dim) = found
        shape = f"{text}.shape[{axis}]"
        rest = sp.expand((dim - dim.coeff(size) * size) / dim.coeff(size))
        known[size] = shape if rest == 0 and dim == size else f"{shape} - {show.at(rest, PRODUCT)}"
        if dim.coeff(size) != 1:
            known[size] = f"{shape} // {dim.coeff(size)}"
        waiting.remove(size)
    return tuple(
        Dimension(size.name, names.sizes[size.name], size.keyword, _default(size, cell.sizes), source)
        for size, source in known.items()
    )


def _settles(dim: sp.Expr, size: Size, known: dict[Size, str]) -> bool:
    others = dim.atoms(Size) - {size}
    coefficient = dim.coeff(size)
    return (
        coefficient.is_Integer
        and coefficient != 0
        and others <= set(known)
        and (coefficient == 1 or not others)
    )


def _default(size: Size, present: tuple[Size, ...]) -> str | None:
    """The size taken when the caller names none, as code; None where there is none to take."""
    default = sp.sympify(size.default if size.default is not None else N.n)
    if size in (N.m, N.n) or not default.atoms(Size) <= set(present):
        return None
    show = Sized({s.name: s.keyword for s in present})
    if isinstance(default, sp.floor):
        above, below = sp.fraction(sp.together(default.args[0]))
        return f"({show(above)}) // {show(below)}"
    return show.at(default, ATOM)
