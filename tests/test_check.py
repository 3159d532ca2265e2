"""The numeric tests pass on right kernels and name what is wrong with each broken one."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import toy_kernel as toy

from lstmsym.check import Report, Row, check, random_case

KINDS: list[Any] = [toy.Elman, toy.LSTM, toy.Masked]
BROKEN = [(kind, bug, wrong) for kind in KINDS for bug, wrong in kind.BUGS.items()]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "kernel",
    [
        toy.Elman(),
        toy.Elman(activation="relu"),
        toy.Elman(activation="abs"),
        toy.LSTM(),
        toy.Masked(),
    ],
    ids=repr,
)
def test_right_kernels_pass(kernel: Any, seed: int) -> None:
    report = check(kernel, seed=seed)
    assert report.ok, str(report)


@pytest.mark.parametrize(("kind", "bug", "wrong"), BROKEN, ids=lambda value: str(value))
def test_each_broken_kernel_is_caught_by_name(kind: Any, bug: str, wrong: str) -> None:
    report = check(kind(bug))
    assert not report.ok
    assert wrong in {row.quantity for row in report.failed}, str(report)


@pytest.mark.parametrize("seed", range(5))
def test_a_right_quantity_is_not_blamed(seed: int) -> None:
    report = check(toy.Elman("transposed U gradient"), seed=seed)
    alone = [row for row in report.failed if row.method in ("differences", "complex step")]
    assert {row.quantity for row in alone} <= {"U", "T = 0", "B = 1"}


def test_differences_reach_far_beyond_their_tolerance() -> None:
    for kernel in (toy.Elman(), toy.LSTM()):
        rows = [row for row in check(kernel).rows if row.method == "differences"]
        assert all(row.error is not None and row.error < 1e-9 for row in rows)


def test_what_is_not_analytic_is_said_to_be() -> None:
    for kernel in (toy.Elman(activation="abs"), toy.LSTM(analytic=False)):
        (row,) = (row for row in check(kernel).rows if row.method == "complex step")
        assert (row.ok, row.error, row.note) == (True, None, "not analytic")


def test_a_wrong_claim_to_be_analytic_is_caught() -> None:
    @dataclasses.dataclass(frozen=True)
    class Claimed(toy.Elman):
        analytic: bool = True

    assert {row.method for row in check(Claimed(activation="abs")).failed} >= {"complex step"}


def test_sizes_are_those_asked_for() -> None:
    case = random_case(toy.Masked(), 6, 3, {"m": 5, "p": 4}, dtype=np.float32)
    assert case.inputs["x"].shape == (6, 3, 5)
    assert case.inputs["mask"].shape == (6, 3)
    assert case.params["W"].shape == (4, 5)
    assert {name: a.shape for name, a in case.dy.items()} == {"h": (6, 3, 4), "u": (6, 3, 9)}
    assert case.params["W"].dtype == case.inputs["x"].dtype == case.dstate["h"].dtype == np.float32


def test_default_sizes_are_distinct() -> None:
    case = random_case(toy.LSTM())
    T, B, m = case.inputs["x"].shape
    assert len({B, m, case.state0["h"].shape[1], T}) == 4


def test_random_parameters_are_distinct_and_not_zero() -> None:
    numbers = np.concatenate([a.ravel() for a in random_case(toy.LSTM()).params.values()])
    assert len(set(numbers)) == numbers.size
    assert np.abs(numbers).min() > 0.05


def test_the_same_seed_gives_the_same_case() -> None:
    first, again, other = (random_case(toy.LSTM(), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.params["W"], again.params["W"])
    assert not np.array_equal(first.params["W"], other.params["W"])


def test_an_unknown_size_is_refused() -> None:
    with pytest.raises(ValueError, match="no size 'q' in this kernel; it has m, n"):
        check(toy.Elman(), sizes={"q": 3})


def test_the_table_is_aligned_and_sums_up() -> None:
    rows = (
        Row("W", "differences", 2e-9, 1e-7),
        Row("initial h", "adjoint", 0.5, 1e-10, "far"),
        Row("everything", "complex step", None, 1e-10, "not analytic"),
    )
    assert str(Report("rnn", rows)) == (
        "quantity    method          error  allowed\n"
        "W           differences   2.0e-09    1e-07  ok\n"
        "initial h   adjoint       5.0e-01    1e-10  WRONG far\n"
        "everything  complex step        -    1e-10  ok not analytic\n"
        "rnn: 2 of 3 ok; worst: initial h, adjoint"
    )


def test_what_is_not_a_number_is_wrong_and_worst() -> None:
    report = Report("rnn", (Row("W", "differences", 1.0, 1e-7), Row("U", "adjoint", math.nan, 1e-7)))
    assert [row.ok for row in report.rows] == [False, False]
    assert report.worst.quantity == "U"


def test_rows_and_reports_are_frozen() -> None:
    row = Row("W", "differences", 0.0, 1e-7)
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.error = 1.0  # type: ignore[misc]
