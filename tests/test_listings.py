"""Listings are read statement by statement and never run: right ones proved, each slip charged where it is made."""

from __future__ import annotations

import ast
import json
import time
from pathlib import Path

import pytest

from lstmsym.cells import find
from lstmsym.documents.result import Row
from lstmsym.listings import ListingError, read_listing
from lstmsym.listings.source import parse

CORPUS = Path(__file__).parent.parent / "derivations"
LISTINGS = sorted(CORPUS.glob("*.py"), key=lambda p: p.name)

RNN = """
import numpy as np

for t in range(T):
    h[t] = np.tanh(W @ x[t] + U @ h[t - 1] + b)
    y[t] = V @ h[t] + c

dh_next = np.zeros_like(h[0])
for t in reversed(range(T)):
    dh = V.T @ dy[t] + dh_next
    da = dh * (1 - h[t] ** 2)
    dW += np.outer(da, x[t])
    dU += np.outer(da, h[t - 1])
    db += da
    dh_next = U.T @ da
"""

STEP = """
i = sigmoid(x @ Wi + h_prev @ Ui + bi)
g = np.tanh(x @ Wg + h_prev @ Ug + bg)
c_next = c_prev + i * g
h_next = np.tanh(c_next)

dc = dc_next + dh_next * (1 - h_next ** 2)
di = dc * g
dg = dc * i
dai = di * i * (1 - i)
dag = dg * (1 - g ** 2)
dWi = x.T @ dai
dbi = np.sum(dai, axis=0)
dh_prev = dai @ Ui.T + dag @ Ug.T
dc_prev = dc
"""


def rows(text: str, **options: object) -> dict[str, Row]:
    return {row.source: row for row in read_listing(text, **options).rows}  # type: ignore[arg-type]


def verdicts(text: str) -> dict[str, str]:
    return {source: row.verdict for source, row in rows(text).items() if row.kind == "statement"}


def test_the_corpus_has_listings() -> None:
    assert len(LISTINGS) >= 15


@pytest.mark.parametrize("path", LISTINGS, ids=lambda p: p.stem)
def test_published_listings_have_their_verdicts(path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))["rows"]
    found: dict[int, list[Row]] = {}
    for row in read_listing(path.read_text(encoding="utf-8")).rows:
        found.setdefault(row.line, []).append(row)
    for row in expected:
        assert row["verdict"] in [r.verdict for r in found[row["line"]]], (row, found[row["line"]])


def test_every_statement_has_a_row() -> None:
    for path in LISTINGS:
        text = path.read_text(encoding="utf-8")
        lines = {row.line for row in read_listing(text).rows}
        assert {n.lineno for n in ast.walk(ast.parse(text)) if isinstance(n, ast.stmt)} <= lines | {1}


def test_a_plain_backward_pass_is_proved_in_columns_and_rows() -> None:
    assert set(verdicts(RNN).values()) == {"proved"}
    assert set(verdicts(STEP).values()) == {"proved"}


@pytest.mark.parametrize(
    ("old", "new", "message", "repair"),
    [
        ("    db += da", "    db + da", "without effect", "db += da"),
        ("    dW += np", "    dW = np", "only the last step", "dW += np.outer(da, x[t])"),
        ("h[t - 1])\n    db", "h[t])\n    db", "t - 1 for t", "dU += np.outer(da, h[t - 1])"),
        ("dh * (1 - h[t] ** 2)", "dh * (1 - np.tanh(h[t]) ** 2)", "activated", "da = dh * (1 - h[t] ** 2)"),
        ("dh_next = U.T @ da", "dh_next = U @ da", "with .T", "dh_next = U.T @ da"),
        ("    dh_next = U.T @ da\n", "", "stays zero", ""),
    ],
)
def test_each_slip_has_its_message(old: str, new: str, message: str, repair: str) -> None:
    assert old in RNN
    bad = [row for row in read_listing(RNN.replace(old, new)).rows if row.verdict == "refuted"]
    assert len(bad) == 1
    assert message in bad[0].message
    assert bad[0].repair == repair


def test_a_sum_along_the_features_is_refuted() -> None:
    row = rows(STEP.replace("np.sum(dai, axis=0)", "np.sum(dai, axis=1)"))["dbi = np.sum(dai, axis=1)"]
    assert (row.verdict, row.repair) == ("refuted", "dbi = np.sum(dai, axis=0)")


def test_another_gates_gradient_is_refuted_with_its_repair_and_the_rest_is_right() -> None:
    found = rows(STEP.replace("dWi = x.T @ dai", "dWi = x.T @ dag"))
    row = found["dWi = x.T @ dag"]
    assert (row.verdict, row.repair) == ("refuted", "dWi = x.T @ dai")
    assert row.witness is not None
    assert row.witness.sizes["T"] > 1
    assert row.witness.true != row.witness.claimed
    others = [r.verdict for r in found.values() if r.kind == "statement" and r is not row]
    assert set(others) == {"proved"}


def test_clipping_is_a_condition() -> None:
    found = rows(RNN + "for d in [dW, dU]:\n    np.clip(d, -5, 5, out=d)\n")
    assert found["np.clip(d, -5, 5, out=d)"].verdict == "conditional"


SEED = """
def top_diff_is(self, top_diff_h, top_diff_s):
    ds = self.state.o * top_diff_h + top_diff_s
    do = self.state.s * top_diff_h
    di = self.state.g * ds
    di_input = (1. - self.state.i) * self.state.i * di
    do_input = (1. - self.state.o) * self.state.o * do
    self.param.wi_diff += np.outer(di_input, self.xc)
self.param.wo_diff += np.outer(do_input, self.xc)
    self.param.bi_diff += di_input
    self.state.bottom_diff_s = ds * self.state.f
"""


def test_a_lost_indentation_is_mended_and_reported() -> None:
    found = read_listing(SEED, 100, cell=find("nicodjimenez"))
    assert [d.line for d in found.damage] == [108]
    assert {r.verdict for r in found.rows if r.kind == "statement"} == {"proved"}
    assert "indentation" in next(r for r in found.rows if r.line == 108).message


def test_the_same_listing_is_wrong_for_another_cell() -> None:
    found = {r.source: r for r in read_listing(SEED, cell=find("lstm")).rows}
    bad = {s for s, r in found.items() if r.verdict == "refuted"}
    assert bad == {"ds = self.state.o * top_diff_h + top_diff_s", "do = self.state.s * top_diff_h"}
    assert "np.tanh(self.state.s)" in found["ds = self.state.o * top_diff_h + top_diff_s"].repair


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch /tmp/listing-was-run')",
        "h = x.__class__.__bases__[0].__subclasses__()",
        "while True:\n    pass",
        "def f(x):\n    return f(x)\nh = f(x)",
        "h = 9 ** 9 ** 9 ** 9",
        "for t in range(10 ** 12):\n    h[t] = np.tanh(U @ h[t - 1] + W @ x[t])",
        "\n".join(f"a{i + 1} = a{i} * a{i}" for i in range(60)),
        "lambda: 0\n[x for x in y]\nasync def f(): await g()\nclass A: pass\n@d\ndef f(): yield",
        "def f(x):\n    return g(x) + g(x)\ndef g(x):\n    return f(x) * f(x)\nh = f(x)",
        "x = (\ny = 1\nz = 2",
    ],
)
def test_nothing_is_run_and_nothing_hangs(text: str, tmp_path: Path) -> None:
    started = time.monotonic()
    found = read_listing(text)
    assert time.monotonic() - started < 20
    assert not Path("/tmp/listing-was-run").exists()
    assert all(row.verdict in ("unread", "not-a-claim") for row in found.rows)


@pytest.mark.parametrize("text", ["(" * 5000, "a = " + "-" * 5000 + "1", "x" * 300_000, "a\0b", "\n" * 5000])
def test_what_is_too_large_is_refused(text: str) -> None:
    with pytest.raises(ListingError):
        parse(text)
