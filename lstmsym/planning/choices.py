"""The choices a plan leaves to its caller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """What a plan may do; all of it by default.

    ``split``: a product with a concatenation becomes one product a part.  ``hoist``: state-free work
    goes before the loop.  ``pack``: one matrix product an operand.  ``fuse``: like pointwise lines in
    one pass.  ``sink``: sums over time go behind the loop.  ``save``: inner activations such as
    tanh(c) are kept for the backward pass.  With none of it (`textbook`) the operations come in the
    order of a hand-written listing, step by step, and sigma by its definition.
    """

    split: bool = True
    hoist: bool = True
    pack: bool = True
    fuse: bool = True
    sink: bool = True
    save: bool = True

    @classmethod
    def textbook(cls) -> Schedule:
        """Every operation where a hand-written listing has it."""
        return cls(*[False] * 6)
