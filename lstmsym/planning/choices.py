"""The choices a plan leaves to its caller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """The choices. ``hoist``: state-free work before the loop; ``pack``: one product per operand;
    ``fuse``: like pointwise lines in one pass; ``save``: keep inner activations such as tanh(c) for
    the backward pass instead of computing them again.
    """  # noqa: D205

    hoist: bool = True
    pack: bool = True
    fuse: bool = True
    save: bool = True
