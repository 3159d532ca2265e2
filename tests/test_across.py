"""Equations across steps: products of Jacobians, sums over earlier steps, the first and the last step.

The truth of each line was checked with numbers, by a recurrence of its own for the derivatives.
"""

from __future__ import annotations

import pytest
import sympy as sp

from lstmsym.binding.verify import verify_document
from lstmsym.verify.induction import Induction
from lstmsym.verify.ranges import Region

RNN = r"""
$$h_t = \tanh(W h_{t-1} + U x_t + b)$$
$$o_t = V h_t$$
$$E = \sum_t E_t$$
"""
LINEAR = r"""
$$h_t = W h_{t-1} + U x_t$$
$$o_t = V h_t$$
$$L = \sum_t L_t$$
"""
ENTRIES = r"$$h_t = w \odot h_{t-1} + x_t$$" + "\n"
LSTM = r"""
$$f_t = \sigma(W_f x_t + U_f h_{t-1} + b_f)$$
$$i_t = \sigma(W_i x_t + U_i h_{t-1} + b_i)$$
$$o_t = \sigma(W_o x_t + U_o h_{t-1} + b_o)$$
$$g_t = \tanh(W_g x_t + U_g h_{t-1} + b_g)$$
$$c_t = f_t \odot c_{t-1} + i_t \odot g_t$$
$$h_t = o_t \odot \tanh(c_t)$$
"""
H = r"\frac{\partial h_t}{\partial h_k} = "
ONE = r"\frac{\partial h_j}{\partial h_{j-1}}"
PATH = r"\frac{\partial E_t}{\partial o_t} \frac{\partial o_t}{\partial h_t} "
BACK = r"\frac{\partial h_t}{\partial h_k} \frac{\partial^+ h_k}{\partial %s}"


def verdict(cell, line):
    return verify_document(f"{cell}\n$${line}$$\n", "a.md").rows[-1]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (H + r"\prod_{j=k+1}^{t} " + ONE, "proved"),
        (H + r"\prod_{t \ge j > k} " + ONE, "proved"),
        (H + r"\prod_{j=k}^{t} " + ONE, "refuted"),
        (H + r"\prod_{j=k+1}^{t-1} " + ONE, "refuted"),
        (H + r"\prod_{k \le j \le t} " + ONE, "refuted"),
        (H + r"\prod_{j=k+1}^{t} \operatorname{diag}(1 - h_j^2) W", "proved"),
        (H + r"\prod_{j=k}^{t-1} \operatorname{diag}(1 - h_{j+1}^2) W", "proved"),
        (H + r"\prod_{j=t}^{k+1} \operatorname{diag}(1 - h_j^2) W", "proved"),
        (H + r"\prod_{j=k+1}^{t} W \operatorname{diag}(1 - h_j^2)", "refuted"),
        (H + r"\prod_{j=k+1}^{t} \operatorname{diag}(1 - h_{j-1}^2) W", "refuted"),
        (H + r"\prod_{j=k+1}^{t} W^\top \operatorname{diag}(1 - h_{j-1}^2)", "refuted"),
        (H + r"\prod_{j=k+1}^{t} W^\top \operatorname{diag}(1 - h_j^2)", "conditional"),
        (r"\frac{\partial h_t}{\partial h_{t-k}} = \prod_{j=1}^{k} \frac{\partial h_{t-j+1}}{\partial h_{t-j}}", "proved"),
        (r"\frac{\partial h_t}{\partial h_{t-k}} = \prod_{j=0}^{k} \operatorname{diag}(1-h_{t-j}^2) W", "refuted"),
        (r"\frac{\partial h_3}{\partial h_1} = \frac{\partial h_3}{\partial h_2} \frac{\partial h_2}{\partial h_1}", "proved"),
        (r"\frac{\partial h_t}{\partial x_k} = \left(\prod_{j=k+1}^{t} " + ONE + r"\right) \operatorname{diag}(1-h_k^2) U", "proved"),
        (r"\frac{\partial h_t}{\partial x_k} = \left(\prod_{j=k}^{t} " + ONE + r"\right) \operatorname{diag}(1-h_k^2) U", "refuted"),
    ],
)  # fmt: skip
def test_products_of_jacobians(line, expected):
    assert verdict(RNN, line).verdict == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (r"\frac{\partial E_t}{\partial W} = \sum_{k=1}^{t} " + PATH + BACK % "W", "proved"),
        (r"\frac{\partial E_t}{\partial W} = \sum_{1 \le k \le t} " + PATH + BACK % "W", "proved"),
        (r"\frac{\partial E_t}{\partial \theta} = \sum_{k=1}^{t} " + PATH + BACK % r"\theta", "proved"),
        (r"\frac{\partial E_t}{\partial W} = \sum_{k=1}^{t} " + PATH + (BACK % "W").replace("^+", ""), "conditional"),
        (r"\frac{\partial E_t}{\partial W} = \sum_{k=2}^{t} " + PATH + BACK % "W", "conditional"),
        (r"\frac{\partial E_t}{\partial U} = \sum_{k=2}^{t} " + PATH + BACK % "U", "refuted"),
        (r"\frac{\partial E_t}{\partial U} = \sum_{k=1}^{t-1} " + PATH + BACK % "U", "refuted"),
        (r"\frac{\partial E}{\partial U} = \sum_{t=1}^{T} \sum_{k=1}^{t} " + PATH + BACK % "U", "proved"),
        (r"\frac{\partial E}{\partial U} = \sum_{k=1}^{T} \sum_{t=k}^{T} " + PATH + BACK % "U", "proved"),
        (r"\frac{\partial E}{\partial U} = \sum_{k=1}^{T} \sum_{t=k+1}^{T} " + PATH + BACK % "U", "refuted"),
        (r"\frac{\partial E}{\partial W} = \sum_{t=1}^{T} \frac{\partial E_t}{\partial W}", "proved"),
        (r"\frac{\partial E}{\partial W} = \sum_{k=1}^{t} \frac{\partial E}{\partial h_k} \frac{\partial^+ h_k}{\partial W}", "refuted"),
        (r"\frac{\partial E}{\partial h_k} = \sum_{t=k}^{T} \frac{\partial E_t}{\partial h_t} \frac{\partial h_t}{\partial h_k}", "proved"),
        (r"\frac{\partial E}{\partial h_k} = \sum_{t=k+1}^{T} \frac{\partial E_t}{\partial h_t} \frac{\partial h_t}{\partial h_k}", "refuted"),
        (r"\frac{\partial E_t}{\partial h_k} = \left(\frac{\partial h_t}{\partial h_k}\right)^\top V^\top \frac{\partial E_t}{\partial o_t}", "proved"),
        (r"\frac{\partial h_t}{\partial W} = \frac{\partial^+ h_t}{\partial W} + \frac{\partial h_t}{\partial h_{t-1}} \frac{\partial h_{t-1}}{\partial W}", "proved"),
        (r"\frac{\partial h_t}{\partial W} = \frac{\partial^+ h_t}{\partial W} + \sum_{k=1}^{t-1} \left(\prod_{j=k+1}^{t} " + ONE + r"\right) \frac{\partial^+ h_k}{\partial W}", "proved"),
        (r"\frac{\partial h_t}{\partial W} = \sum_{k=1}^{t-1} \left(\prod_{j=k+1}^{t} " + ONE + r"\right) \frac{\partial^+ h_k}{\partial W}", "refuted"),
        (r"\frac{\partial E_3}{\partial V} = \frac{\partial E_3}{\partial o_3} \frac{\partial o_3}{\partial V}", "proved"),
    ],
)  # fmt: skip
def test_sums_over_earlier_steps(line, expected):
    assert verdict(RNN, line).verdict == expected


@pytest.mark.parametrize(
    ("cell", "line", "expected"),
    [
        (LINEAR, r"h_t = W^{t} h_0 + \sum_{k=1}^{t} W^{t-k} U x_k", "proved"),
        (LINEAR, r"h_t = \sum_{k=1}^{t} W^{t-k} U x_k", "conditional"),
        (LINEAR, r"h_t = \sum_{k=1}^{t} W^{t-k+1} U x_k", "refuted"),
        (LINEAR, H + r"W^{t-k}", "proved"),
        (LINEAR, H + r"W^{t-k-1}", "refuted"),
        (LINEAR, r"\frac{\partial L}{\partial h_t} = \sum_{i=t}^{T} (W^\top)^{T-i} V^\top \frac{\partial L}{\partial o_{T+t-i}}", "proved"),
        (LINEAR, r"\frac{\partial L}{\partial h_t} = \sum_{i=t}^{T} (W^\top)^{T-i} V^\top \frac{\partial L}{\partial o_{i}}", "refuted"),
        (LINEAR, r"\frac{\partial L}{\partial h_t} = \sum_{i=t}^{T} W^{i-t} V^\top \frac{\partial L}{\partial o_i}", "refuted"),
        (ENTRIES, H + r"w^{t-k}", "proved"),
        (ENTRIES, r"\frac{\partial L}{\partial h_t} = \sum_{i=t}^T w^{i-t} \odot \frac{\partial L_i}{\partial h_i}", "proved"),
        (LSTM, r"\frac{\partial c_t}{\partial c_k} = \prod_{j=k+1}^t f_j", "conditional"),
        (LSTM, r"\frac{\partial c_t}{\partial c_k} = \prod_{j=k+1}^t \operatorname{diag}(f_j)", "conditional"),
        (LSTM, r"\frac{\partial c_t}{\partial c_k} = \prod_{j=k}^t f_j", "refuted"),
        (LSTM, r"\frac{\partial L}{\partial c_T} = \frac{\partial L}{\partial h_T} \odot o_T \odot (1 - \tanh^2(c_T))", "proved"),
        (LSTM, r"\frac{\partial L}{\partial c_T} = \frac{\partial L}{\partial h_T} \odot o_T \odot \tanh(c_T)", "refuted"),
        (LSTM, r"\frac{\partial L}{\partial W_f} = \sum_t \frac{\partial L_t}{\partial W_f}", "proved"),
        (RNN, r"\frac{\partial E}{\partial h_T} = V^\top \frac{\partial E}{\partial o_T}", "proved"),
        (RNN, r"\frac{\partial E}{\partial h_T} = V \frac{\partial E}{\partial o_T}", "refuted"),
        (RNN, r"\frac{\partial E}{\partial E_t} = 1", "proved"),
        (RNN, r"h_0 = 0", "not-a-claim"),
        (RNN, r"\frac{\partial E}{\partial h_{T+1}} = 0", "not-a-claim"),
        (RNN, r"\frac{\partial E}{\partial h_T} = 0", "refuted"),
    ],
)  # fmt: skip
def test_closed_forms_and_ends(cell, line, expected):
    assert verdict(cell, line).verdict == expected


WRONG = [
    args if len(args) == 3 else (RNN, *args)
    for test in (test_products_of_jacobians, test_sums_over_earlier_steps, test_closed_forms_and_ends)
    for args in test.pytestmark[0].args[1]
    if args[-1] == "refuted"
]


def test_no_wrong_line_is_proved_even_without_numbers(monkeypatch):
    monkeypatch.setattr(Induction, "difference", lambda *args: None)
    for cell, line, _ in WRONG:
        assert verdict(cell, line).verdict in ("undecided", "refuted"), line


def test_what_the_text_says_is_no_assumption():
    early = r"\frac{\partial E_t}{\partial W} = \sum_{k=2}^{t} " + PATH + BACK % "W"
    assert verdict(RNN + "$$h_0 = 0$$\n", early).verdict == "proved"
    plain = early.replace("k=2", "k=1").replace("^+", "")
    words = "Here $h_{k-1}$ is held constant: an immediate derivative.\n"
    assert verdict(RNN + words, plain).verdict == "proved"


def test_jacobians_have_one_layout():
    turned = H + r"\prod_{j=k+1}^{t} W^\top \operatorname{diag}(1 - h_j^2)"
    usual = rf"$${H} \prod_{{j=k+1}}^{{t}} \operatorname{{diag}}(1 - h_j^2) W$$" + "\n"
    assert verdict(RNN, turned).verdict == "conditional"
    assert verdict(RNN + usual, turned).verdict == "refuted"
    assert verdict(RNN + "Gradients are in denominator layout.\n", turned).verdict == "proved"


def test_a_refuted_line_has_numbers_and_their_steps():
    row = verdict(RNN, H + r"\prod_{j=k}^{t} " + ONE)
    assert row.witness is not None
    assert "k=" in row.message


def test_bounds_follow_from_bounds():
    a, b, c = sp.symbols("a b c")
    region = Region([(a, b - 1), (b, c)])
    assert region.holds(a, c - 1)
    assert not region.holds(a, c - 2)
    assert region == Region([(a + 1, b), (b, c), (a, c)])
    assert region != Region([(a, b), (b, c)])


def test_a_function_of_which_nothing_is_known():
    cell = r"$$h_t = f(W h_{t-1} + U x_t)$$" + "\n"
    right = H + r"\prod_{j=k+1}^{t} \operatorname{diag}(f'(W h_{j-1} + U x_j)) W"
    assert verdict(cell, right).verdict == "proved"
    row = verdict(cell, H + r"\prod_{j=k+1}^{t} \operatorname{diag}(1 - h_j^2) W")
    assert (row.verdict, row.assumption) == ("conditional", "f is tanh")


def test_products_in_words_and_layouts_that_claim_nothing():
    line = r"\frac{\partial E}{\partial W} = \sum_{t=1}^{T} \text{prod}\left(\frac{\partial E}{\partial h_t}, %s\right)"
    assert verdict(RNN, line % r"\frac{\partial h_t}{\partial W}").verdict == "conditional"
    assert verdict(RNN, line % r"\frac{\partial h_{t-1}}{\partial W}").verdict == "refuted"
    entries = r"\left[ \frac{\partial h_j}{\partial h_{j-1,1}} \; \cdots \; \frac{\partial h_j}{\partial h_{j-1,n}} \right]"
    assert verdict(RNN, ONE + " = " + entries).verdict == "not-a-claim"


@pytest.mark.parametrize(
    "line",
    [
        r"\frac{\partial h_{900000}}{\partial h_1} = 0",
        r"\frac{\partial h_t}{\partial W} = \sum_{k=1}^{900000000} \frac{\partial^+ h_k}{\partial W}",
        H + r"\prod_{j=1}^{900000000} " + ONE,
        H + r"W^{900000000t}",
        r"\frac{\partial E}{\partial W} = "
        + "".join(rf"\sum_{{{x}=1}}^T " for x in "abcdefg")
        + r"\frac{\partial E_a}{\partial W}",
    ],
)
def test_what_is_too_large_is_left_open(line):
    assert verdict(RNN, line).verdict in ("unread", "undecided", "refuted")


OUTPUT = r"""
$$s_t = \tanh(U x_t + W s_{t-1}), \quad \hat y_t = \mathrm{softmax}(V s_t)$$
$$E_t = -y_t^\top \log \hat y_t, \quad E = \sum_t E_t$$
with one-hot $y_t$.
"""
THROUGH = r"\frac{\partial E_t}{\partial \hat y_t} \frac{\partial \hat y_t}{\partial s_t}"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (rf"\frac{{\partial E_t}}{{\partial W}} = \sum_{{k=1}}^t {THROUGH} \frac{{\partial s_t}}{{\partial s_k}} \frac{{\partial^+ s_k}}{{\partial W}}", "proved"),
        (rf"\frac{{\partial E_t}}{{\partial W}} = \sum_{{k=2}}^t {THROUGH} \frac{{\partial s_t}}{{\partial s_k}} \frac{{\partial^+ s_k}}{{\partial W}}", "conditional"),
        (rf"\frac{{\partial E_t}}{{\partial W}} = {THROUGH} \frac{{\partial^+ s_t}}{{\partial W}}", "refuted"),
        (rf"\frac{{\partial E_3}}{{\partial W}} = {THROUGH.replace('_t', '_3')} \frac{{\partial s_3}}{{\partial W}}", "proved"),
        (r"\frac{\partial E_3}{\partial W} = \sum_{k=1}^3 \frac{\partial E_3}{\partial s_3} \frac{\partial s_3}{\partial s_k} \frac{\partial^+ s_k}{\partial W}", "proved"),
        (r"\frac{\partial E_3}{\partial W} = \sum_{k=1}^3 \frac{\partial E_3}{\partial s_3} \frac{\partial s_k}{\partial s_3} \frac{\partial^+ s_k}{\partial W}", "refuted"),
        (rf"\frac{{\partial E}}{{\partial s_t}} = {THROUGH.replace('E_t', 'E')}", "refuted"),
        (r"\frac{\partial E}{\partial V} = \sum_t \frac{\partial E}{\partial \hat y_t} \frac{\partial \hat y_t}{\partial V}", "proved"),
    ],
)  # fmt: skip
def test_chains_through_an_output_that_the_loss_alone_reads(line, wanted):
    assert verify_document(f"{OUTPUT}$${line}$$\n", "a.md").rows[-1].verdict == wanted


LAST_STEP = r"""
$$v(k) = A u(k) + B x(k-1), \quad x(k) = \tanh(v(k)), \quad e(k) = C x(k) - d(k), \quad E = \frac1K \sum_{k=1}^K \frac12 e(k)^T e(k)$$
$$\delta(k) = \partial E / \partial v(k)$$
"""


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (r"\delta(K) = \frac1K (1 - x(K)^2) \odot C^T e(K)", "proved"),
        (r"\delta(K) = (1 - x(K)^2) \odot C^T e(K)", "refuted"),
        (r"\delta(K+1) = 0", "not-a-claim"),
        (r"\frac{\partial E}{\partial B} = \sum_{k=1}^K \delta(k) x(k-1)^T", "proved"),
        (r"\frac{\partial E}{\partial B} = \sum_{k=1}^{K-1} \delta(k) x(k-1)^T", "refuted"),
    ],
)
def test_a_last_step_by_another_letter(line, wanted):
    assert verify_document(f"{LAST_STEP}$${line}$$\n", "a.md").rows[-1].verdict == wanted


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (r"\frac{\partial h_T}{\partial h_1} = w^{T-1} \prod_{t=2}^T (1 - h_t^2)", "proved"),
        (r"\frac{\partial h_t}{\partial h_k} = w^{t-k} \prod_{j=k}^{t-1} (1 - h_{j+1}^2)", "proved"),
        (r"\frac{\partial h_t}{\partial h_k} = w^{t-k} \prod_{j=k}^{t-1} (1 - h_j^2)", "refuted"),
        (r"\frac{\partial h_T}{\partial h_k} = w^{T-k+1} \prod_{t=k+1}^T (1 - h_t^2)", "refuted"),
    ],
)
def test_a_power_before_a_product(line, wanted):
    text = r"$$h_t = \tanh(w h_{t-1} + u x_t + b)$$" + f"\n$${line}$$\n"
    assert verify_document(text, "a.md").rows[-1].verdict == wanted


def test_a_mean_over_the_steps_counts_once():
    text = r"""
$$h_t = \tanh(A x_t + B h_{t-1}), \quad \ell_t = \frac12 \|h_t - y_t\|^2, \quad \ell = \frac1T \sum_t \ell_t$$
"""
    chain = r"\sum_{t=1}^T \sum_{k=1}^t \frac{\partial \ell_t}{\partial h_t} \frac{\partial h_t}{\partial h_k} \frac{\partial^+ h_k}{\partial B}"
    for line, wanted in (
        (r"\frac{\partial \ell}{\partial A} = \frac1T \sum_t \frac{\partial \ell_t}{\partial A}", "proved"),
        (r"\frac{\partial \ell}{\partial A} = \sum_t \frac{\partial \ell_t}{\partial A}", "refuted"),
        (rf"\frac{{\partial \ell}}{{\partial B}} = \frac1T {chain}", "proved"),
        (rf"\frac{{\partial \ell}}{{\partial B}} = {chain}", "refuted"),
    ):
        assert verify_document(f"{text}$${line}$$\n", "a.md").rows[-1].verdict == wanted
