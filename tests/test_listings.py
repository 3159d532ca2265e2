"""Listings are read statement by statement and never run: right ones proved, each slip charged where it is made."""

from __future__ import annotations

import ast
import json
import time
from pathlib import Path

import pytest

from lstmsym.binding.verify import verify_document
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


def test_a_call_without_arguments_is_unread_and_costs_no_other_row() -> None:
    found = rows(RNN + "z = np.array()\n")
    assert found["z = np.array()"].verdict == "unread"
    assert [r.verdict for r in found.values() if r.kind == "statement"].count("proved") == 6


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


STYLES = {
    "a step, and a sequence that calls it": (
        """
def step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(prev_h.dot(Wh) + x.dot(Wx) + b)
    cache = (x, prev_h, Wh, Wx, next_h)
    return next_h, cache

def step_backward(dnext_h, cache):
    x, prev_h, Wh, Wx, next_h = cache
    da = dnext_h * (1 - next_h ** 2)
    dx = da.dot(Wx.T)
    dprev_h = da.dot(Wh.T)
    dWx = x.T.dot(da)
    dWh = prev_h.T.dot(da)
    db = np.sum(da, axis=0)
    return dx, dprev_h, dWx, dWh, db

def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    h, cache = np.zeros((N, T, H)), []
    prev_h = h0
    for t in range(T):
        prev_h, c = step_forward(x[:, t, :], prev_h, Wx, Wh, b)
        h[:, t, :] = prev_h
        cache.append(c)
    return h, cache

def rnn_backward(dh, cache):
    N, T, H = dh.shape
    dx, dWx, dWh, db = np.zeros((N, T, D)), np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    dprev_h = np.zeros((N, H))
    for t in reversed(range(T)):
        dx[:, t, :], dprev_h, dWx_t, dWh_t, db_t = step_backward(dh[:, t, :] + dprev_h, cache[t])
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    return dx, dWx, dWh, db
""",
        ("db += db_t", "db = db_t"),
    ),
    "parameters that hold a value and a gradient": (
        """
z = np.vstack((h_prev, x))
i = sigmoid(p.W_i.v @ z + p.b_i.v)
g = np.tanh(p.W_g.v @ z + p.b_g.v)
h = i * g + h_prev

def backward(dh):
    di = dh * g * i * (1 - i)
    dg = dh * i * (1 - g ** 2)
    p.W_i.d += np.dot(di, z.T)
    p.W_g.d += np.dot(dg, z.T)
    p.b_i.d += di
    dz = p.W_i.v.T @ di + p.W_g.v.T @ dg
    dh_prev = dz[:H_size, :] + dh
""",
        ("p.b_i.d += di", "p.b_i.d += dg"),
    ),
    "both passes in one function, whose name says neither": (
        """
def gradients_of_loss(inputs, targets, hprev):
    hs, ps = {-1: np.copy(hprev)}, {}
    loss = 0
    for t in range(len(inputs)):
        hs[t] = np.tanh(np.dot(Wxh, inputs[t]) + np.dot(Whh, hs[t-1]) + bh)
        ys = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys) / np.sum(np.exp(ys))
        loss += -np.sum(targets[t] * np.log(ps[t]))
    dWhy, dby, dWxh, dWhh = [np.zeros_like(p) for p in (Why, by, Wxh, Whh)]
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy -= targets[t]
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dhraw = (1 - hs[t] * hs[t]) * (np.dot(Why.T, dy) + dhnext)
        dWxh += np.dot(dhraw, inputs[t].T)
        dWhh += np.dot(dhraw, hs[t-1].T)
        dhnext = np.dot(Whh.T, dhraw)
    return loss, dWxh, dWhh, dWhy
""",
        ("dWhh += np.dot(dhraw, hs[t-1].T)", "dWhh += np.dot(dhraw, hs[t].T)"),
    ),
    "a new state that is returned without a name": (
        """
class Cell:
    def forward(self, x, h, c):
        self.c_prev, self.v = c, np.concatenate([h, x])
        self.i = sigmoid(self.Wi @ self.v)
        self.o = sigmoid(self.Wo @ self.v)
        c = c + self.i * self.i
        self.tc = np.tanh(c)
        return self.o * self.tc, c

    def backward(self, dh, dc_next):
        do = dh * self.tc
        dc = dh * self.o * (1 - self.tc ** 2) + dc_next
        di = 2 * dc * self.i
        dzi = di * self.i * (1 - self.i)
        dzo = do * self.o * (1 - self.o)
        self.dWi += np.outer(dzi, self.v)
        self.dWo += np.outer(dzo, self.v)
""",
        ("do = dh * self.tc", "do = dh * self.o"),
    ),
    "lists that are appended to, a carry of any name, the loss begun with the error": (
        """
def simulate(J, Win, Wout, b, x, target, r0, alpha):
    r = [r0]
    phi, err = [], []
    for t in range(len(x)):
        phi.append(np.tanh(J @ r[-1] + Win @ x[t] + b))
        r.append((1 - alpha) * r[-1] + alpha * phi[-1])
        err.append(Wout @ r[-1] - target[t])
    gJ = np.zeros_like(J); gWout = np.zeros_like(Wout); gb = np.zeros_like(b)
    lam = np.zeros_like(r0)
    for t in range(len(x) - 1, -1, -1):
        lam = lam + Wout.T @ err[t]
        s = alpha * (1 - phi[t] ** 2) * lam
        gJ += np.outer(s, r[t])
        gWout += np.outer(err[t], r[t + 1])
        gb += s
        lam = J.T @ s + (1 - alpha) * lam
""",
        ("gJ += np.outer(s, r[t])", "gJ += np.outer(s, r[t + 1])"),
    ),
    "collections, loops over names, slices of fused gates": (
        """
def forward(x, h_prev, P):
    a = np.add(np.matmul(x, P["W"]), np.einsum("bi,ij->bj", h_prev, P["U"]))
    H = h_prev.shape[1]
    f, g = sigmoid(a[:, 0:H]), np.tanh(a[:, H:2 * H])
    h = np.multiply(f, h_prev) + (1 - f) * g
    return h, {"x": x, "h_prev": h_prev, "f": f, "g": g}

def backward(dh, cache, P, G):
    f, g = [cache[k] for k in ("f", "g")]
    da = np.empty_like(a)
    da[:, 0:H] = dh * (cache["h_prev"] - g) * f * (1 - f)
    da[:, H:2 * H] = dh * (1 - f) * (1 - np.square(g))
    for name, inp in (("W", cache["x"]), ("U", cache["h_prev"])):
        G[name] += inp.T @ da
    dh_prev = dh * f + np.einsum("bj,ij->bi", da, P["U"])
""",
        ("dh_prev = dh * f", "dh_prev = dh * g"),
    ),
}


@pytest.mark.parametrize("style", STYLES)
def test_whole_programs_of_other_authors_are_read(style: str) -> None:
    text, (old, new) = STYLES[style]
    assert old in text
    assert set(verdicts(text).values()) == {"proved"}
    wrong = [row.source for row in read_listing(text.replace(old, new)).rows if row.verdict == "refuted"]
    assert len(wrong) == 1
    assert wrong[0].startswith(new)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (STEP, "dc = dc_next + dh_next * (1 - h_next ** 2)", "dc = dc_next"),
        (STEP, "dc_prev = dc", "dc_prev = dc.T"),
        (STEP, "di = dc * g", "di = dc * i"),
        (STEP, "dbi = np.sum(dai, axis=0)", "dbi = dai\ndbg = np.sum(dag, axis=0)"),
        (RNN, "dh = V.T @ dy[t] + dh_next", "dh = V.T @ dy[t] + dh"),
        (RNN, "    db += da", "    db += W"),
        (RNN, "    db += da", "    db += db[t]"),
        (STEP, "dh_prev = dai @ Ui.T + dag @ Ug.T", "dh_prev = dh_prev * i"),
    ],
)
def test_a_value_is_proved_only_as_the_gradient_that_its_name_speaks_of(
    text: str, old: str, new: str
) -> None:
    assert old in text
    found = rows(text.replace(old, new))
    lines = new.split("\n")[:1] if "dbg" in new else [new.split("\n")[-1]]
    assert all(found[line.strip()].verdict != "proved" for line in lines)


def test_pieces_must_cover_a_slice() -> None:
    text = """
for t in range(T):
    z[t] = x[t] @ W + h[t - 1] @ U
    y[t, :, :d] = sigmoid(z[t, :, :d])
    y[t, :, d:] = np.tanh(z[t, :, d:])
    h[t] = y[t, :, :d] * y[t, :, d:]
for t in reversed(range(T)):
    dy[t, :, :d] = dh[t] * y[t, :, d:]
    dy[t, :, d:] = dh[t] * y[t, :, :d]
"""
    assert set(verdicts(text).values()) == {"proved"}
    bad = rows(text.replace("dh[t] * y[t, :, d:]", "dh[t] * y[t, :, 2 * d:]"))
    assert "proved" not in bad["dy[t, :, :d] = dh[t] * y[t, :, 2 * d:]"].verdict


def test_what_the_loss_gave_must_not_be_overwritten() -> None:
    text = (CORPUS / "c37-caffe-lstm.py").read_text(encoding="utf-8")
    row = rows(text.replace("dh[t - 1] += pre", "dh[t - 1] = pre"))["dh[t - 1] = pre_gate_diff[t] @ W_h"]
    assert (row.verdict, row.repair) == ("refuted", "dh[t - 1] += pre_gate_diff[t] @ W_h")


def test_the_code_around_claims_nothing_and_is_not_skipped() -> None:
    text = f"""
data = open("input.txt").read()
W = np.random.randn(n, m) * 0.01
b = np.zeros(n)
{RNN}
W -= 0.1 * dW
print "loss", loss
"""
    found = rows(text)
    assert {
        found[s].verdict for s in ('data = open("input.txt").read()', "W -= 0.1 * dW", 'print "loss", loss')
    } == {"not-a-claim"}
    assert found["W -= 0.1 * dW"].message == "a step of the training"
    assert found["db += da"].verdict == "proved"


def test_signs_of_print_and_open_brackets_are_mended_and_reported() -> None:
    text = RNN.replace("(1 - h[t] ** 2)", "(1 \u2212 h[t] ** 2)").replace(
        "np.outer(da, x[t])", "np.outer(da, x[t]"
    )
    found = read_listing(text, 11)
    assert len(found.damage) == 2
    assert set(r.verdict for r in found.rows if r.kind == "statement") == {"proved"}
    assert all(d.message in r.message for d in found.damage for r in found.rows if r.line == d.line)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch listing-was-run')",
        "h = x.__class__.__bases__[0].__subclasses__()",
        "while True:\n    pass",
        "def f(x):\n    return f(x)\nh = f(x)",
        "h = 9 ** 9 ** 9 ** 9",
        "for t in range(10 ** 12):\n    h[t] = np.tanh(U @ h[t - 1] + W @ x[t])",
        "\n".join(f"a{i + 1} = a{i} * a{i}" for i in range(60)),
        "lambda: 0\n[x for x in y]\nasync def f(): await g()\nclass A: pass\n@d\ndef f(): yield",
        "def f(x):\n    return g(x) + g(x)\ndef g(x):\n    return f(x) * f(x)\nh = f(x)",
        "x = (\ny = 1\nz = 2",
        "".join(" " * k + f"for v{k} in (1, 2, 3, 4, 5, 6, 7, 8, 9):\n" for k in range(7))
        + " " * 7
        + "x = v1",
        "\n".join(
            f"def f{k}(x):\n    a, b = f{k + 1}(x)\n    c, d = f{k + 1}(a)\n    return c, d"
            for k in range(30)
        ),
        "\n".join(f"a{k} = np.tanh(W{k} @ a{k - 1} + b{k})" for k in range(1, 400)),
        "self. state. o = \n1stm = 3\nh t = 4\nexec 'x'\nraise ValueError, 'x'\nmatch x:\n  case _: pass",
    ],
)
def test_nothing_is_run_and_nothing_hangs(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    started = time.monotonic()
    found = read_listing(text)
    assert time.monotonic() - started < 20
    assert not Path("listing-was-run").exists()
    assert all(row.verdict in ("unread", "not-a-claim") for row in found.rows)


@pytest.mark.parametrize("text", ["(" * 5000, "a = " + "-" * 5000 + "1", "x" * 300_000, "a\0b", "\n" * 5000])
def test_what_is_too_large_is_refused(text: str) -> None:
    with pytest.raises(ListingError):
        parse(text)


UNREAD = STEP.replace("dai = di * i * (1 - i)", "dq = strange(di)\nr = dq * (1 - i)").replace(
    "dWi = x.T @ dai", "dWi = x.T @ dq\ndWg = x.T @ dq\ndbg = np.sum(r, axis=0)"
)


def test_what_an_unread_statement_makes_shows_nothing() -> None:
    found = rows(UNREAD)
    uses = ("r = dq * (1 - i)", "dWi = x.T @ dq", "dWg = x.T @ dq", "dbg = np.sum(r, axis=0)")
    assert {found[s].verdict for s in uses} <= {"unread", "undecided"}
    assert found["dag = dg * (1 - g ** 2)"].verdict == "proved"


FORMULAS = r"""
$$z_t = \sigma(W x_t + U s_{t-1} + b)$$
$$\tilde s_t = \tanh(A x_t + B s_{t-1})$$
$$s_t = z_t \odot \tilde s_t + s_{t-1}$$

%s

```python
def back(gs, x, old, gate, cand, grads):
    g_cand = gs * gate
    g_gate = gs * cand
    g_pre = g_cand * (1 - cand * cand)
    g_net = g_gate * gate * (1 - gate)
    grads["W"] += x.T @ g_net
    grads["U"] += old.T @ g_net
    grads["b"] += g_net.sum(axis=0)
    grads["A"] += x.T @ g_pre
    grads["B"] += old.T @ g_pre
    gold = gs + g_net @ p["U"].T + g_pre @ p["B"].T
```
"""


@pytest.mark.parametrize(
    "words",
    [
        r"In code, `gate` is $z_t$ and `cand` is $\tilde s_t$.",
        "| formula | code |\n|---|---|\n| $z_t$, $\\tilde s_t$ | `gate`, `cand` |",
        r"With `gs` for $\partial L/\partial s_t$, $z_t$ (`gate`), $\tilde s_t$ (`cand`):",
    ],
)
def test_names_of_code_are_bound_by_words_or_by_all_their_uses(words: str) -> None:
    """The matrices stand on the other side in the code; ``old`` is explained by its uses alone."""
    found = {r.source: r for r in verify_document(FORMULAS % words, "a.md").rows if r.kind == "statement"}
    assert len(found) == 10
    assert {r.verdict for r in found.values()} == {"proved"}
    wrong = (FORMULAS % words).replace("x.T @ g_net", "x.T @ g_pre").replace("old.T @ g_pre", "x.T @ g_pre")
    wrong = wrong.replace("g_gate = gs * cand", "g_gate = gate * cand")
    found = {r.source: r for r in verify_document(wrong, "a.md").rows if r.kind == "statement"}
    assert {s for s, r in found.items() if r.verdict != "proved"} >= {
        'grads["W"] += x.T @ g_pre',
        'grads["B"] += x.T @ g_pre',
        "g_gate = gate * cand",
    }
    assert found['grads["W"] += x.T @ g_pre'].repair == 'grads["W"] += x.T @ g_net'


def test_a_name_with_one_use_is_not_given_the_meaning_that_makes_it_right() -> None:
    text = (FORMULAS % "`gate` is $z_t$, `cand` is $\\tilde s_t$.").replace("old.T @ g_net", "x.T @ g_net")
    text = "\n".join(line for line in text.split("\n") if "gold" not in line)
    found = {r.source: r.verdict for r in verify_document(text, "a.md").rows}
    assert found['grads["B"] += old.T @ g_pre'] in ("unread", "undecided")
