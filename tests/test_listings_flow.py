"""The order of execution in listings: steps left out, sums begun anew, loops left early or run forwards."""

from __future__ import annotations

import pytest

from lstmsym.documents.result import Row
from lstmsym.listings import read_listing

FORWARD = """
import numpy as np
for t in range(T):
    h[t] = np.tanh(W @ xs[t] + U @ h[t-1] + b)
"""
START = """dW = np.zeros_like(W)
db = np.zeros_like(b)
dh_next = np.zeros_like(b)
"""
RIGHT = """for t in reversed(range(T)):
    dh = dy[t] + dh_next
    da = dh * (1 - h[t]**2)
    db += da
    dW += np.outer(da, xs[t])
    dh_next = U.T @ da
"""
ALL = FORWARD + START + RIGHT


def verdicts(text: str) -> dict[str, Row]:
    """The row of each statement of the backward pass."""
    return {r.source: r for r in read_listing(text).rows if r.verdict != "not-a-claim"}


def changed(old: str, new: str) -> dict[str, Row]:
    assert old in ALL
    head, _, tail = ALL.partition(START)
    body = START + tail
    return verdicts(head + body.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("reversed(range(T))", "range(T - 1, -1, -1)"),
        ("reversed(range(T))", "range(T)[::-1]"),
        ("db = np.zeros_like(b)", "db = 0"),
        ("db += da", "db = db + da"),
        ("db += da", "db = da + db"),
        ("dW += np.outer(da, xs[t])", "dW = dW + np.outer(da, xs[t])"),
        ("np.outer(da, xs[t])", "da[:, None] @ xs[t][None, :]"),
        ("np.outer(da, xs[t])", "xs[t][np.newaxis, :] * da[:, np.newaxis]"),
        ("np.outer(da, xs[t])", "np.dot(da.reshape(-1, 1), xs[t].reshape(1, -1))"),
        ("    dh_next = U.T @ da", "    if t == 0:\n        break\n    dh_next = U.T @ da"),
        ("    dh_next = U.T @ da", "    if verbose:\n        print(t)\n    dh_next = U.T @ da"),
    ],
)
def test_right_whatever_the_form(old: str, new: str) -> None:
    rows = changed(old, new)
    assert len(rows) == 5
    assert {r.verdict for r in rows.values()} == {"proved"}


WRONG = [
    ("reversed(range(T))", "range(T - 1, 0, -1)", "db += da", "step 0 is left out"),
    ("reversed(range(T))", "reversed(range(1, T))", "db += da", "step 0 is left out"),
    ("reversed(range(T))", "range(T - 2, -1, -1)", "db += da", "step T - 1 is left out"),
    ("reversed(range(T))", "range(T - 1, -1, -2)", "db += da", "one of 2 steps"),
    ("reversed(range(T))", "range(T)", "dh = dy[t] + dh_next", "runs forwards"),
    (
        "dh_next = np.zeros_like(b)",
        "dh_next = np.ones_like(b)",
        "dh_next = np.ones_like(b)",
        "begin at zero",
    ),
    ("db = np.zeros_like(b)", "db = np.ones_like(b)", "db = np.ones_like(b)", "begin at zero"),
    ("    db += da", "    db = np.zeros_like(b)\n    db += da", "db += da", "only the last step"),
    (
        "    dh = dy",
        "    dh_next = np.zeros_like(b)\n    dh = dy",
        "dh_next = np.zeros_like(b)",
        "nothing comes back",
    ),
    (
        "    dh_next = U.T @ da",
        "    dh_next = U.T @ da\n    dh_next = np.zeros_like(b)",
        "dh_next = np.zeros_like(b)",
        "nothing comes back",
    ),
    ("    db += da", "    if t > 0:\n        db += da", "db += da", "not every step"),
    ("    dh_next = U.T @ da\n", "    dh_next = U.T @ da\n    break\n", "db += da", "ends the loop"),
    ("    db += da\n", "", "db += da", "after the loop"),
    ("np.outer(da, xs[t])", "xs[t][:, None] @ da[None, :]", "dW += xs[t][:, None] @ da[None, :]", ""),
    ("db += da", "db = db - da", "db = db - da", ""),
]


@pytest.mark.parametrize(("old", "new", "blamed", "why"), WRONG)
def test_wrong_though_each_statement_is_right(old: str, new: str, blamed: str, why: str) -> None:
    rows = changed(old, new) if new else verdicts(ALL.replace(old, "") + "db += da\n")
    assert rows[blamed].verdict == "refuted"
    assert why in rows[blamed].message


END = "    if t == {}:\n        dh_next = np.zeros_like(b)\n    dh = dy"


@pytest.mark.parametrize(("step", "found"), [("T - 1", {"proved"}), ("0", {"proved", "undecided"})])
def test_a_carry_that_begins_at_zero_in_the_loop(step: str, found: set[str]) -> None:
    rows = changed("    dh = dy", END.format(step))
    assert {r.verdict for r in rows.values()} == found
    assert len([r for r in rows.values() if r.verdict == "proved"]) == 5


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    db += da", "    if t % 2:\n        db += da", "`if t % 2`"),
        ("    db += da", "    if t % 2:\n        continue\n    db += da", "`continue`"),
        ("    db += da", "    if t < k:\n        break\n    db += da", "`break`"),
    ],
)
def test_a_condition_that_is_not_read_decides_nothing(old: str, new: str, said: str) -> None:
    row = changed(old, new)["db += da"]
    assert (row.verdict, said in row.message) == ("undecided", True)


@pytest.mark.parametrize("head", ["t, x in enumerate(xs)", "t in range(len(xs))"])
def test_steps_of_a_loop_over_a_series(head: str) -> None:
    forward = FORWARD.replace("t in range(T)", head).replace("xs[t]", "x" if "x in" in head else "xs[t]")
    for last, found in (("0", "refuted"), ("-1", "proved")):
        text = START + RIGHT.replace("reversed(range(T))", f"range(len(xs) - 1, {last}, -1)")
        assert verdicts(forward + text)["db += da"].verdict == found
    text = START + RIGHT.replace("reversed(range(T))", "range(T - 1, 0, -1)")
    assert verdicts(forward + text)["db += da"].verdict == "conditional"


def test_a_first_step_that_is_given_is_an_assumption() -> None:
    row = changed("reversed(range(T))", "range(T - 1, T - k, -1)")["db += da"]
    assert (row.verdict, row.assumption) == ("conditional", "no step is before T - k + 1")


def test_order_does_not_matter_to_a_sum_of_what_is_known() -> None:
    text = ALL.replace("    db += da\n", "    das[t] = da\n") + "for t in range(T):\n    db += das[t]\n"
    assert verdicts(text)["db += das[t]"].verdict == "proved"


def test_one_endless_statement_costs_only_itself() -> None:
    listing = read_listing(ALL + "    dq = " + " + ".join(["da"] * 3000) + "\n")
    assert [r.verdict for r in listing.rows].count("proved") == 5
    assert [r.message for r in listing.rows if r.verdict == "unread"] == [
        "a statement of too many parts: write it in several lines"
    ]


def test_a_print_of_python_2_is_said() -> None:
    listing = read_listing(ALL + '    print "hello"\n')
    assert any("print" in d.message for d in listing.damage)
    assert not read_listing(ALL + '    print("hello")\n').damage
