"""What a reader is told of a wrong line: the right one, and the path that was dropped."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Ref
from lstmsym.printing import Printer
from lstmsym.render import recurrence
from lstmsym.shapes import ShapeError
from lstmsym.shapes import spelled as shape_text
from lstmsym.verify.meaning import Meanings
from lstmsym.verify.paths import Path, followed, paths, quantity, spelled, terms
from lstmsym.verify.system import shifted
from lstmsym.verify.witness import Trial, Witness


def _negative_sum(expr: sp.Expr) -> bool:
    return isinstance(expr, N.Sum) and bool(expr.args[0].could_extract_minus_sign())


class Explainer:
    """Speaks of one cell."""

    def __init__(self, meanings: Meanings, show: Printer) -> None:
        """Speak of a cell, in a spelling."""
        self.meanings, self.show = meanings, show
        self.paths: dict[tuple[Ref, bool], tuple[Path, ...]] = {}

    def line(self, ref: Ref, shown: sp.Expr) -> str:
        """The equation that the derivation has for a reference, names that it invented explained."""
        system = self.meanings.system
        lag = ref.lag or 0
        if ref.base in system.forward:
            written = {e.name.base: e.expr for e in system.cell.equations}
            expr = written.get(ref.base, system.forward[ref.base])
        else:
            derivation = system.with_loss if system.cell.loss and not system.final else system.derivation
            line = derivation.by_name.get(ref.base)
            if line is None:
                return ""
            before = {r: sp.Integer(0) for r in line.expr.atoms(Ref) if r.base in system.from_loss}
            expr = line.expr.xreplace(before) if system.final and ref.lag is not None else line.expr
            expr = self.inlined(expr.xreplace(dict(recurrence(derivation))))
        expr = shifted(expr, lag)
        return f"{self.show(shown)} = {self.show(expr)}{self.where(expr)}"

    def misfit(
        self, left: sp.Expr, right: sp.Expr, error: ShapeError, trial: Trial
    ) -> tuple[str, Witness | None]:
        """What is said of a side in which two shapes do not fit, and its numbers."""
        side = right if self.fits(left) else left
        place = side
        while inner := [a for a in place.args if not self.fits(a)]:
            place = inner[0]
        message = f"in {self.show(place)}, {shape_text(error.left)} does not fit {shape_text(error.right)}"
        return message, trial.valueless(self.meanings.shape(left), error) if side is right else None

    def fits(self, expr: sp.Expr) -> bool:
        """Whether an expression has a shape."""
        try:
            self.meanings.shape(expr)
        except ShapeError:
            return False
        return True

    def inlined(self, expr: sp.Expr) -> sp.Expr:
        """An expression with the gradients of names that only the normal form has written out."""
        for _ in range(6):
            rules = {r: self.meanings.line(r) for r in expr.atoms(Ref) if self.inner(r)}
            found = {r: line for r, line in rules.items() if line is not None}
            if not found:
                break
            expr = expr.xreplace(found)
        return expr.replace(_negative_sum, lambda e: -N.Sum(-e.args[0]))

    def inner(self, ref: Ref) -> bool:
        """Whether a reference is the gradient of an invented factor; arguments are named in papers too."""
        of = quantity(ref, self.meanings) if self.is_gradient(ref) else None
        if of is not None and not self.show.knows(ref, of):
            return True
        return of is not None and self.invented(of.base) and of.base[:2] in ("p_", "q_", "v_")

    def speakable(self, expr: sp.Expr) -> bool:
        """Whether every gradient in an expression has a name in this spelling."""
        pairs = ((ref, quantity(ref, self.meanings)) for ref in expr.atoms(Ref) if self.is_gradient(ref))
        return all(of is None or self.show.knows(ref, of) for ref, of in pairs)

    def is_gradient(self, ref: Ref) -> bool:
        """Whether a reference is a gradient."""
        return ref.base in self.meanings.backward

    def invented(self, base: str) -> bool:
        """Whether a name is the normal form's, and not one that every paper uses (a_i)."""
        system = self.meanings.system
        return base in system.forward and base not in system.cell.by_name and not base.startswith("a_")

    def where(self, expr: sp.Expr) -> str:
        """The definitions of the invented names in an expression, also of those in names of gradients."""
        said: dict[str, str] = {}
        todo = sorted(expr.atoms(Ref), key=str)
        while todo:
            ref = todo.pop(0)
            of = quantity(ref, self.meanings) if ref.base in self.meanings.backward else ref
            if of is None or not self.invented(of.base) or of.base in said:
                continue
            line = self.meanings.system.forward[of.base]
            now = Ref(of.base, None if of.lag is None else 0)
            said[of.base] = f"{self.show(now)} = {self.show(line)}"
            todo += sorted(line.atoms(Ref), key=str)
        return f", where {', '.join(said.values())}" if said else ""

    def missing(
        self,
        left: sp.Expr,
        right: sp.Expr,
        trial: Trial,
        proved: Callable[[sp.Expr, sp.Expr], bool],
        far: bool,
        moved: int = 0,
    ) -> tuple[str, str]:
        """(what a claim drops, the claim with it), if it is one term of the true line, or ("", "").

        With ``far`` the terms are written out further, along the paths that lead on; ``moved`` is by
        how many steps the sides are later than the claim, of which they are spoken.
        """
        if not (isinstance(left, Ref) and left.base in self.meanings.backward and right.atoms(Ref)):
            return "", ""
        if left in right.atoms(Ref):
            return "", ""
        key = (left, far)
        if key not in self.paths:
            self.paths[key] = tuple((paths if far else terms)(left, self.meanings))
        for path in trial.completing(left, right, self.paths[key]):
            if not proved(left, right + path.expr):
                continue
            whole = followed(path, self.meanings)
            mended = f"{self.show(shifted(right + whole.expr, -moved))}  (a path was missing)"
            return self.dropped(path.shifted(-moved), whole.shifted(-moved)), mended
        return "", ""

    def dropped(self, path: Path, whole: Path) -> str:
        """What is said of a path that was dropped."""
        way = spelled(whole, self.meanings)
        end = path.adjoints[-1]
        if len(path.adjoints) == 2 and end.base in self.meanings.carried:
            first = quantity(end, self.meanings)
            step = f"what comes from step t{(first.lag or 0) + 1:+d}".replace("t+0", "t") if first else ""
            tail = f" ({way})" if "->" in way else ""
            return f"drops {step}{tail}; right at the last step only"
        return f"drops the path {way}" if "->" in way else f"drops {self.show(path.expr)}"
