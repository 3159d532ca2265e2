"""Numeric tests of a kernel's gradients, under generic conditions.

Published gradient checks pass on wrong code where they start from zero states, equal biases or a
gradient that arrives at the last output only.  Here every parameter, input and initial state is
random, and random gradients arrive at every output and at every last state.  Nothing of the
backward pass enters the numbers that it is compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from lstmsym.checks.calls import call_rows, edge_row, single_rows
from lstmsym.checks.cases import Case as Case
from lstmsym.checks.cases import Kernel
from lstmsym.checks.cases import random_case as random_case
from lstmsym.checks.gradients import gradient_rows, loss_rows
from lstmsym.checks.report import Report as Report
from lstmsym.checks.report import Row as Row


def check(
    kernel: Kernel,
    T: int = 5,
    B: int = 2,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
) -> Report:
    """Test a kernel's gradients.

    ``sizes`` are by symbol.  Keep m and n different, T at least 3 and B at least 2: at less, some
    mistakes do not show.

    Raises:
        ValueError: a size that the kernel does not have; and whatever the kernel raises.
    """
    case = random_case(kernel, T, B, sizes, seed)
    smallest = dict.fromkeys(kernel.SIZES, 1)
    rows = [*call_rows(kernel, case), *gradient_rows(kernel, case, seed)]
    rows += loss_rows(kernel, case, seed)
    rows += single_rows(kernel, case)
    rows += edge_row(kernel, "T = 0", partial(random_case, kernel, 0, B, sizes, seed))
    rows += edge_row(kernel, "B = 1", partial(random_case, kernel, T, 1, sizes, seed))
    rows += edge_row(kernel, "all sizes 1", partial(random_case, kernel, T, B, smallest, seed))
    name = getattr(kernel, "name", None) or getattr(kernel, "__name__", type(kernel).__name__)
    return Report(str(name), tuple(rows))
