"""The equations of a document, as claims about a cell's quantities and gradients.

A page in Python is a class body with the cell's names and its adjoints in scope:

    class Notes(Claims, of=LSTM):
        "Lecture notes, eqs. (12)-(13)."
        do    = dh * tanh(c[t])         # a claim about the gradient of o
        c[t]  = f * c[t-1] + i * g      # or about any quantity, at any step
        delta = do * o * (1 - o)        # a new name: a definition
        claim("(14)", D(h[t], c[t]), o * (1 - tanh(c[t])**2))

Assigning to a name of the cell or to a gradient (``do``, also ``δo``) is a claim; ``dW += ...`` claims
one step's share of a parameter's gradient; assigning to a new name defines it.  ``claim(label, left,
right)`` claims any equality.  ``D(L[t+1], s[t])`` is a derivative of the loss from a step on, and
``D(h[t], h[t-1])`` one of a quantity, a matrix where entries depend on each other, the other states of
step t-1 given; what stands behind the two is held fixed.  ``diag(v) @ U`` is a diagonal matrix times
another.  ``at(line, label)`` says where in the document the next claims stand.
Documents build the same `Claims` value from `Claim` values.
"""

from __future__ import annotations

import builtins
import sys
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.mistakes import ClassBody, NotationError, author_line, located, nearest
from lstmsym.notation import Ref
from lstmsym.printing import Printer
from lstmsym.signatures import checked
from lstmsym.values import Unplaced, operand
from lstmsym.verify.scope import Defined, Name, resembled, scope_of, strange
from lstmsym.verify.system import System
from lstmsym.verify.words import ChainSum as ChainSum
from lstmsym.verify.words import D as D
from lstmsym.verify.words import Label as Label
from lstmsym.verify.words import Local as Local
from lstmsym.verify.words import LossFrom as LossFrom


@dataclass(frozen=True)
class Claim:
    """One equation: ``left = right`` as the document has it.

    ``share`` says that the right side is one step's share of the left, a sum over t; ``label`` and
    ``line`` say where it stands; ``kind`` is claim or definition, of which ``note`` says more;
    ``shown`` is its own text, ``symbol`` the name it assigns to.
    """

    left: sp.Expr
    right: sp.Expr
    label: str = ""
    line: int = 0
    share: bool = False
    kind: str = "claim"
    shown: str = field(default="", compare=False)
    symbol: str = field(default="", compare=False)
    note: str = field(default="", compare=False)


class _ClaimsMeta(type):
    @classmethod
    def __prepare__(mcs, name: str, bases: tuple[type, ...], /, of: Any = None, **_: Any) -> Any:
        if not bases:
            return {}
        if not isinstance(of, Cell):
            raise NotationError(
                f"{author_line()}: {name}: say which cell the page is about: class {name}(Claims, of=LSTM)"
            )
        return ClaimsPage(name, of)

    def __new__(mcs, name: str, bases: tuple[type, ...], body: Any, **_: Any) -> Any:
        if not bases:
            return super().__new__(mcs, name, bases, body)
        return Claims(name, body.of, tuple(body.claims), body.get("__doc__") or "")

    def __init__(cls, name: str, bases: tuple[type, ...], body: Any, **_: Any) -> None:
        super().__init__(name, bases, body)


@dataclass(frozen=True)
class Claims(metaclass=_ClaimsMeta):
    """The claims of one document about one cell, with its citation."""

    name: str
    cell: Cell
    claims: tuple[Claim, ...]
    citation: str = field(default="", compare=False)


class ClaimsPage(ClassBody):
    """The namespace of a page: the cell's names, its adjoints, and what the document defines."""

    def __init__(self, name: str, of: Cell) -> None:
        """Put the names of the cell and of its derivation in scope."""
        super().__init__()
        self.title, self.of = name, of
        self.system = System(of)
        self.show = Printer(self.system.derivation.order)
        self.claims: list[Claim] = []
        self.line, self.label, self.step = 0, "", 1
        words = {"claim": checked(self.claim), "at": checked(self.at)}
        self.names = scope_of(self.system, words, self.assigned)

    def __missing__(self, key: str) -> Any:
        """A name of the cell or a word of pages, of the file around the page, or a clear error."""
        if key in self.names:
            return self.names[key]
        scope = sys._getframe(1).f_globals
        if key in scope or hasattr(builtins, key):
            raise KeyError(key)
        close = nearest(key, sorted({*self, *self.names, *scope}))
        hint = (
            f"did you mean {close}?" if close else "it is no name of the cell, and no earlier line defines it"
        )
        self.fail(f"{key} is not defined; {hint}")

    def __setitem__(self, key: str, value: Any) -> None:
        """A line of the document: a claim about a name of the cell, or the definition of a new one."""
        if key.startswith("__"):
            super().__setitem__(key, value)
        elif isinstance(self.names.get(key), Name):
            self.assigned(self.names[key]._sympy_(), value, key)
        elif key in self.names:
            self.fail(f"{key} is a word of the page: choose another name")
        else:
            expr = self.plain(value)
            close = resembled(key, self.system)
            note = f"a definition; did you mean {close}?" if close else "a definition"
            self.record(Claim(expr, expr, kind="definition", symbol=key, note=note))
            super().__setitem__(key, Defined(expr))

    def assigned(self, target: Ref | LossFrom, value: Any, key: str = "") -> None:
        """Claim ``target = value``; of what has no time, a value that adds to it is one step's share."""
        right = self.plain(value)
        rest = right - target
        share = target not in rest.atoms(Ref) and rest != 0 and target in right.atoms(Ref)
        symbol = key or str(target).partition("[")[0]
        if share and target.lag is not None:
            self.fail(f"{symbol} += ...: it has a value at each step, so write all of it in one line")
        shown = symbol if target.lag in (0, None) else str(target)
        self.record(Claim(target, rest if share else right, share=share, symbol=symbol), shown)

    def claim(self, label: Any, left: Any, right: Any, line: Any = None) -> None:
        """Claim an equality under a label; ``line`` is where it stands in the document."""
        if not isinstance(label, str) or not (line is None or isinstance(line, int)):
            self.fail('a claim is written claim("label", left, right), with line=12 for its line')
        self.record(Claim(self.plain(left), self.plain(right), label, line or 0))

    def at(self, line: Any, label: Any = "", step: Any = 1) -> None:
        """Say on which line of the document the next claim stands, the others after it ``step`` lines on."""
        if not isinstance(line, int) or not isinstance(label, str) or not isinstance(step, int):
            self.fail('a place in the document is written at(12) or at(12, "label")')
        self.line, self.label, self.step = line, label, step

    def plain(self, value: Any) -> sp.Expr:
        """The expression that an author has written, or a sentence that says why it is none."""
        try:
            expr = N.canonical(operand(value))
        except Unplaced as error:
            self.fail(str(error))
        for symbol in strange(expr):
            self.fail(f"{symbol} is a symbol of SymPy: write with the names of the cell")
        return expr

    def record(self, claim: Claim, left: str = "") -> None:
        """Note a claim with its line and text."""
        left = left or claim.symbol or self.show(claim.left)
        shown = f"{left} {'+=' if claim.share else '='} {self.show(claim.right)}"
        label = claim.label or self.label or f"({1 + sum(c.kind == 'claim' for c in self.claims)})"
        line = claim.line or self.line or int(author_line().rpartition(":")[2] or 0)
        if self.line and not claim.line:
            self.line += self.step
        self.claims.append(replace(claim, label=label, line=line, shown=shown))

    def fail(self, message: str) -> NoReturn:
        """Raise the message with the line of the page."""
        raise NotationError(located(message, self.title))


def page_of(module: Any, where: str) -> tuple[Claims, ...]:
    """The pages a module holds.

    Raises:
        NotationError: it has none.
    """
    pages = tuple(value for value in vars(module).values() if isinstance(value, Claims))
    if not pages:
        raise NotationError(f"{where} has no page: write class Name(Claims, of=Cell)")
    return pages
