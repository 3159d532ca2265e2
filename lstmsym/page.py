"""The namespace of a cell's class body: it takes in declarations and writes down equations.

Assigning an expression to a name records an equation and gives the name's symbol back (as `enum`
does); whatever is no equation is refused on its line.
"""

from __future__ import annotations

import builtins
import keyword
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import sympy as sp

from lstmsym import notation as N
from lstmsym.declare import Declared, Timed
from lstmsym.mistakes import ClassBody, NotationError, author_line, located, nearest
from lstmsym.notation import Ref, Size, Written
from lstmsym.values import Unplaced, operand

RESERVED = frozenset({"t", "params", "tape", "grads", "state0", "dstate", "rng", "dtype", "targets", "np"})
"""Names that the signature of generated code needs for itself."""


@dataclass(frozen=True)
class Equation:
    """``name = expression``, a line of the paper; ``where`` is the file and line it stands on."""

    name: Ref
    expr: sp.Expr
    where: str = field(default="", compare=False)


class Page(ClassBody):
    """The namespace of a cell's class body."""

    def __init__(self, cell: str) -> None:
        """Open an empty page for the cell named."""
        super().__init__()
        self.title = cell
        self.where = author_line()
        self.declared: dict[str, Declared] = {}
        self.equations: list[Equation] = []

    def __setitem__(self, key: str, value: Any) -> None:
        """A declaration, a size, or ``name = expression``."""
        if key.startswith("__"):
            super().__setitem__(key, value)
        elif isinstance(value, Size):
            self.check_name(key)
            if key != value.name:
                self.fail(f"{key} is the size {value.name}: use one name for it")
            super().__setitem__(key, value)
        elif isinstance(value, Declared) and value.name not in self.declared:
            self.declare(key, value)
        elif isinstance(value, tuple) and value and all(isinstance(v, Declared) for v in value):
            self.fail(f"{key} = {len(value)} declarations: unpack them, one name each")
        elif key in self.declared and self.declared[key].defined:
            self.fail(f"{key} is {self.declared[key].a_role}: an equation is written {key}[t] = ...")
        else:
            self.equation(key, value)

    def __missing__(self, key: str) -> Any:
        """A name of the file around the page, or one of our functions, or a clear error."""
        scope = sys._getframe(1).f_globals
        if key in scope:
            raise KeyError(key)
        if key in N.FUNCTIONS:
            return N.FUNCTIONS[key]
        if hasattr(builtins, key):
            raise KeyError(key)
        self.fail(self.unknown(key, scope))

    def unknown(self, key: str, scope: Iterable[str] = ()) -> str:
        """The sentence for a name nobody has defined; ``scope`` holds more names than the page's."""
        if key in ("m", "n", "p", "k", "t", "scalar"):
            return f"{key} is not imported: write from lstmsym import {key}"
        close = nearest(key, sorted({*self, *N.FUNCTIONS, *scope}))
        hint = f"did you mean {close}?" if close else "declare it, or define it in an earlier line"
        return f"{key} is not defined; {hint}"

    def declare(self, key: str, value: Declared) -> None:
        """Take in a declaration under its name."""
        self.check_name(key)
        named = value.named(key)
        if isinstance(named, Timed):
            named.page = self
        self.declared[key] = named
        super().__setitem__(key, named)

    def equation(self, key: str, value: Any) -> None:
        """Write down ``key = value`` and give the name its symbol."""
        thing = self.declared.get(key)
        if thing is None:
            self.check_name(key, f"{key} = ...")
        elif not thing.defined:
            self.fail(f"{key} is {thing.a_role}: only a state, an output, the loss or a new name is defined")
        elif any(e.name.base == key for e in self.equations):
            self.fail(f"{key}[t] is defined twice: use another name in one of the lines")
        expr = self.expression(key, value)
        constant = thing is None and all(r.lag is None for r in expr.atoms(Ref))
        name = Ref(key) if constant else Ref(key, 0)
        self.equations.append(Equation(name, expr, author_line()))
        if thing is None:
            super().__setitem__(key, Written(name))

    def expression(self, key: str, value: Any) -> sp.Expr:
        """A right side in our own operations; it speaks of at least one quantity."""
        try:
            expr = N.canonical(operand(value))
        except Unplaced as error:
            self.fail(str(error), f"{key} = ...")
        for symbol in sorted(expr.atoms(sp.Symbol) - {N.End}, key=str):
            if not isinstance(symbol, (Ref, Size)):
                self.fail(
                    f"{symbol} is a symbol of SymPy: declare {symbol} on the page instead", f"{key} = {expr}"
                )
        if not expr.atoms(Ref):
            remedy = (
                f"compute {key}[t] from inputs, states or parameters"
                if key in self.declared
                else f"write {expr} in the equations, or declare a number of yours, {key} = Hyper(0.1)"
            )
            self.fail(f"{key} is a plain number, with no quantity in it: {remedy}", f"{key} = {expr}")
        return expr

    def check_name(self, key: str, equation: str = "") -> None:
        """Refuse a name that is taken or that generated code could not carry."""
        if key in self:
            self.fail(f"{key} is defined twice: use another name in one of the lines", equation)
        if not (key.isascii() and key.isidentifier()) or keyword.iskeyword(key):
            self.fail(f"{key!r} is no identifier: use ASCII letters, digits and _, and no word of Python's")
        if key in RESERVED:
            self.fail(f"{key} is reserved for generated code: choose another name", equation)
        if key in N.FUNCTIONS:
            self.fail(f"{key} is a function of the notation: choose another name", equation)

    def fail(self, message: str, equation: str = "") -> NoReturn:
        """Raise the message with the line of the page, the cell and the equation."""
        raise NotationError(located(message, self.title, equation))
