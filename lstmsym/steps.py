"""How a gradient comes about, step by step, for the details of a row."""

from __future__ import annotations

from collections.abc import Iterator

from lstmsym.derive import Derivation
from lstmsym.latex import Latex
from lstmsym.printing import Printer
from lstmsym.render import legible, recurrence

ENTERS = "it stands in the forward line"
RULE = "the rule: "
ARRIVES = "what the next step sends back to it"
TOGETHER = "by the chain rule"
WHERE = "where"
Steps = tuple[tuple[str, str], ...]


def steps(derivation: Derivation, name: str, show: Printer | None = None) -> Steps:
    """The derivation of a gradient, ``dc`` say: a sentence and a formula each; none for what has no equation.

    ``show`` spells the formulas; without it they are in the notation of the cell.
    """
    if name not in derivation.by_name:
        return ()
    return tuple(_steps(derivation, name, show or Latex(derivation.order, legible(derivation))))


def _steps(derivation: Derivation, name: str, show: Printer) -> Iterator[tuple[str, str]]:
    backward = derivation.by_name[name]
    for answered in backward.answers:
        yield ENTERS, f"{show(answered.name)} = {show(answered.expr)}"
    for rule in backward.rules:
        yield f"{RULE}{rule}", ""
    sent = dict(recurrence(derivation))
    for ref in backward.needs:
        if ref in sent:
            yield ARRIVES, f"{show(ref)} = {show(sent[ref])}"
    yield TOGETHER, f"{show(backward.name)} = {show(backward.expr.xreplace(sent))}"
    needed = {ref.base for ref in backward.needs if ref.lag == 0}
    for other in derivation.backward:
        if other.name.base in needed:
            yield WHERE, f"{show(other.name)} = {show(other.expr.xreplace(sent))}"
