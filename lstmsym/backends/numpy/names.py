"""What things are called in an emitted file: identifiers that meet nothing else in it."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Mapping

import sympy as sp

from lstmsym.backends.numpy.spelling import HELPERS
from lstmsym.printing import Printer
from lstmsym.program import Program

TAKEN = frozenset(
    """np T B t dtype params state state0 dstate dstate0 tape dy grads loss rng shapes sizes check initial
    main namedtuple rows each pad spread turned drawable complete parameters expected fit wanted states
    outputs inputs targets gradients names found init_params forward backward loss_and_grads sigmoid_tanh
    Tape Grads INPUTS STATES OUTPUTS TARGETS SIZES STARTS""".split()
).union(HELPERS.values(), dir(builtins))
"""Names that the template uses, and Python's own."""


class Names:
    """The identifiers of the file: the author's names where they are free, with ``_`` behind where not."""

    def __init__(self, program: Program) -> None:
        """Reserve what the template itself uses; settle the sizes first."""
        self.program = program
        self.given: dict[str, str] = {}
        self.used: set[str] = set(TAKEN)
        taken = set(program.shapes) | self.used
        self.sizes: dict[str, str] = {}
        for size in program.cell.sizes:
            free = size.name not in taken
            self.sizes[size.name] = size.name if free else size.keyword
            self.used.add(self.sizes[size.name])
        self.sizes |= {"T": "T", "B": "B"}
        for q in program.cell.quantities:
            self(q.name)

    def local(self, name: str, suffix: str) -> str:
        """The identifier for a quantity seen from one step: h_prev, h_t, dh_next."""
        return self(f"{name} {suffix}", f"{name}_{suffix}")

    def beside(self, labels: list[str]) -> str:
        """The identifier for neighbours, which is no other name's."""
        return self(" ".join(labels), joined(labels))

    def __call__(self, name: str, wish: str = "") -> str:
        """The identifier for a name, always the same one; if it is free, the one wished for."""
        if name not in self.given:
            made = wish or name
            while made in self.used or keyword.iskeyword(made):
                made += "_"
            self.used.add(made)
            self.given[name] = made
        return self.given[name]


class Sized(Printer):
    """Prints sizes under the names that the file gives them."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """Know the names."""
        super().__init__()
        self.names = names

    def size(self, symbol: sp.Symbol) -> str:
        """A size symbol by its name in the file."""
        return self.names.get(symbol.name, symbol.name)


def joined(labels: list[str]) -> str:
    """One name for neighbours: i, f, o -> ifo; di, df, do -> difo."""
    if len(labels) == 1:
        return labels[0]
    lead = "d" if all(label.startswith("d") and len(label) > 1 for label in labels) else ""
    rest = [label[len(lead) :] for label in labels]
    return lead + ("" if all(len(r) == 1 for r in rest) else "_").join(rest)
