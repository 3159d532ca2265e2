"""The loss and the output layer: written in many ways, averaged, or given in words only."""

from __future__ import annotations

import pytest

from lstmsym.binding.verify import verify_document

HIDDEN = [r"h_t = \tanh(W x_t + U h_{t-1} + b)", r"o_t = V h_t + c"]
SOFT = [*HIDDEN, r"\hat y_t = \mathrm{softmax}(o_t)"]
LOGISTIC = [*HIDDEN, r"\hat y_t = \sigma(o_t)"]
LINEAR = [HIDDEN[0], r"\hat y_t = V h_t + c"]
RIGHT = [
    r"\frac{\partial L}{\partial o_t} = \hat y_t - y_t", r"\frac{\partial L}{\partial c} = \sum_t (\hat y_t - y_t)",
    r"\frac{\partial L}{\partial V} = \sum_t (\hat y_t - y_t) h_t^\top",
]  # fmt: skip
WRONG = [
    r"\frac{\partial L}{\partial o_t} = y_t - \hat y_t",
    r"\frac{\partial L}{\partial V} = \sum_t h_t (\hat y_t - y_t)^\top",
]


def verdicts(lines):
    """The verdict on each line of a document; lines with a dot at the end are words."""
    text = "".join(f"{line}\n" if line.endswith(".") else f"$${line}$$\n" for line in lines)
    found = {row.line: row.verdict for row in verify_document(text, "a.md").rows}
    return [found.get(number, "") for number in range(1, len(lines) + 1)]


def judged(forward, claims):
    return verdicts([*forward, *claims])[len(forward) :]


@pytest.mark.parametrize(
    "loss",
    [
        [r"L = -\sum_t \sum_k y_{t,k} \log \hat y_{t,k}", "The targets are one-hot."],
        [r"L_t = -y_t^\top \log \hat y_t", r"L = \sum_{t=1}^T L_t", "Here $y_t$ is a probability vector."],
        [r"L_t = -\log \hat y_{t,y_t}"],
        [r"L = \sum_t \mathrm{CE}(y_t, \hat y_t)", "with one-hot $y_t$."],
        [
            r"The loss is the cross entropy between $\hat y_t$ and the one-hot target $y_t$, added up over the steps."
        ],
    ],
    ids="entries vectors class name words".split(),
)
def test_a_softmax_under_cross_entropy(loss):
    assert judged([*SOFT, *loss], [*RIGHT, *WRONG]) == ["proved"] * 3 + ["refuted"] * 2


def test_targets_of_which_nothing_is_said_must_add_up_to_one():
    loss = r"L = -\sum_t y_t^\top \log \hat y_t"
    assert judged([*SOFT, loss], [*RIGHT, *WRONG]) == ["conditional"] * 3 + ["refuted"] * 2


@pytest.mark.parametrize(
    "loss",
    [
        r"L = -\sum_t [y_t \log \hat y_t + (1 - y_t) \log(1 - \hat y_t)]",
        r"L_t = -\sum_k y_{t,k} \log \hat y_{t,k} + (1 - y_{t,k}) \log(1 - \hat y_{t,k})",
    ],
)
def test_a_sigmoid_under_binary_cross_entropy(loss):
    double = r"\frac{\partial L}{\partial o_t} = (\hat y_t - y_t) \odot \hat y_t \odot (1 - \hat y_t)"
    assert judged([*LOGISTIC, loss], [*RIGHT, double]) == ["proved"] * 3 + ["refuted"]


@pytest.mark.parametrize(
    ("loss", "factor"),
    [
        (r"L = \frac12 \sum_t \|y_t - \hat y_t\|^2", ""),
        (r"L_t = \frac12 (y_t - \hat y_t)^\top (y_t - \hat y_t)", ""),
        (r"L = \sum_t \|y_t - \hat y_t\|_2^2", "2"),
        (r"L = \sum_t \sum_k (y_{t,k} - \hat y_{t,k})^2", "2"),
        (r"L = \frac{1}{2T} \sum_t \|y_t - \hat y_t\|^2", r"\frac1T"),
    ],
)
def test_a_squared_error_with_its_factor(loss, factor):
    claims = [
        rf"\frac{{\partial L}}{{\partial V}} = {f} \sum_t (\hat y_t - y_t) h_t^\top"
        for f in ("", "2", r"\frac1T")
    ]
    wanted = ["proved" if f == factor else "refuted" for f in ("", "2", r"\frac1T")]
    assert judged([*LINEAR, loss], claims) == wanted


def test_an_average_counts_once():
    loss = [r"L_t = -\log \hat y_t[y_t]", r"L = \frac1T \sum_t L_t", "where $y_t$ is one-hot."]
    claims = [
        r"\frac{\partial L_t}{\partial o_t} = \hat y_t - y_t", r"\frac{\partial L}{\partial o_t} = \frac1T (\hat y_t - y_t)",
        r"\frac{\partial L}{\partial o_t} = \hat y_t - y_t", r"dV = \frac1T \sum_t (\hat y_t - y_t) h_t^\top",
        r"do_t = \frac1T (\hat y_t - y_t)", r"dV = \sum_t do_t h_t^\top", r"dV = \frac1T \sum_t do_t h_t^\top",
    ]  # fmt: skip
    wanted = "proved proved refuted proved proved proved refuted".split()
    assert judged([*SOFT, *loss], claims) == wanted


def test_a_softmax_written_out_unit_by_unit():
    cell = [
        r"a_j^{(t)} = \sum_k W_{jk} h_k^{(t-1)} + \sum_k U_{jk} x_k^{(t)}", r"h_j^{(t)} = \tanh(a_j^{(t)})",
        r"s_i^{(t)} = \sum_j V_{ij} h_j^{(t)}", r"p_i^{(t)} = \frac{e^{s_i^{(t)}}}{\sum_l e^{s_l^{(t)}}}",
        r"E = -\sum_t \sum_i d_i^{(t)} \ln p_i^{(t)}",
    ]  # fmt: skip
    right = r"\frac{\partial E}{\partial s_i^{(t)}} = p_i^{(t)} - d_i^{(t)}"
    wrong = r"\frac{\partial E}{\partial s_i^{(t)}} = d_i^{(t)} - p_i^{(t)}"
    said = [*cell, "The targets $d^{(t)}$ sum to one."]
    assert judged(cell, [right, wrong]) == ["conditional", "refuted"]
    assert judged(said, [right, wrong]) == ["proved", "refuted"]


def test_a_target_with_a_star_and_an_adjoint_that_ends_after_the_last_step():
    lines = [
        r"r_t = (1 - \alpha) r_{t-1} + \alpha \tanh(J r_{t-1} + W x_t)", r"o_t = V r_t",
        r"L = \frac12 \sum_t \|o_t - o_t^*\|^2",
    ]  # fmt: skip
    claims = [
        r"\lambda_t = \frac{\partial L}{\partial r_t}", r"\lambda_{T+1} = 0",
        r"\frac{\partial L}{\partial V} = \sum_t (o_t - o_t^*) r_t^\top",
        r"\frac{\partial L}{\partial V} = \sum_t (o_t^* - o_t) r_t^\top",
        r"\frac{\partial L}{\partial W} = \alpha \sum_t [\lambda_t \odot (1 - \tanh^2(J r_{t-1} + W x_t))] x_t^\top",
    ]  # fmt: skip
    wanted = ["not-a-claim", "not-a-claim", "proved", "refuted", "proved"]
    assert judged(lines, claims) == wanted


def test_an_error_that_has_a_name_and_that_the_loss_writes_out():
    loss = [r"L = \frac12 \sum_t \|\hat y_t - y_t\|^2", r"e_t = \hat y_t - y_t"]
    claims = [
        r"\frac{\partial L}{\partial V} = \sum_t e_t h_t^\top", r"\frac{\partial L}{\partial V} = -\sum_t e_t h_t^\top",
        r"\frac{\partial L}{\partial \hat y_t} = e_t", r"\frac{\partial L}{\partial h_T} = V^\top e_T",
    ]  # fmt: skip
    assert judged([*LINEAR, *loss], claims) == ["proved", "refuted", "proved", "proved"]
    assert judged([*LINEAR, *loss[::-1]], claims) == ["proved", "refuted", "proved", "proved"]


def test_a_loss_that_is_not_read_refutes_nothing():
    loss = r"L = \sum_t \mathrm{dist}(\hat y_t, y_t)^2"
    claims = [
        r"\frac{\partial L}{\partial V} = \sum_t \frac{\hat y_t}{1 + \hat y_t} h_t^\top",
        r"\frac{\partial L}{\partial V} = \sum_t \frac{\partial L}{\partial \hat y_t} h_{t-1}^\top",
    ]
    assert judged([*LINEAR, loss], claims) == ["undecided", "refuted"]


def test_the_square_of_an_error_called_e():
    loss = [r"e(t) = y(t) - d(t)", r"E = \frac12 \sum_t e^T(t) e(t)"]
    lines = [r"h(t) = \tanh(W x(t) + U h(t-1))", r"y(t) = V h(t)", *loss]
    claims = [
        r"\frac{\partial E}{\partial V} = \sum_t e(t) h^T(t)",
        r"\frac{\partial E}{\partial V} = -\sum_t e(t) h^T(t)",
    ]
    assert judged(lines, claims) == ["proved", "refuted"]


def test_a_loss_by_an_unusual_letter():
    for name in ("O", "S", r"\mathcal{F}"):
        loss = rf"{name} = \frac12 \sum_t \|\hat y_t - y_t\|^2"
        claims = [
            rf"\frac{{\partial {name}}}{{\partial V}} = {sign}\sum_t (\hat y_t - y_t) h_t^\top"
            for sign in ("", "-")
        ]
        assert judged([*LINEAR, loss], claims) == ["proved", "refuted"]
    claims = [
        r"\frac{\partial o_t}{\partial h_t} = V",
        r"\frac{\partial O}{\partial V} = \sum_t \frac{\partial O}{\partial o_t} h_t^\top",
    ]
    assert judged(HIDDEN, claims) == ["proved", "undecided"], "nothing says what O is"


def test_a_loss_before_its_arguments():
    loss = [
        r"E_t(y_t, \hat y_t) = -y_t \log \hat y_t",
        r"E(y, \hat y) = \sum_t E_t(y_t, \hat y_t)",
        "with one-hot $y_t$.",
    ]
    claims = [
        r"\frac{\partial E_3}{\partial V} = (\hat y_3 - y_3) \otimes h_3", r"\frac{\partial E_3}{\partial V} = \hat y_3 \otimes h_3",
        r"\frac{\partial E_t}{\partial V} = (\hat y_t - y_t) h_t^\top",
    ]  # fmt: skip
    assert judged([*SOFT, *loss], claims) == ["proved", "refuted", "proved"]
    unread = [r"E_t = \mathrm{dist}(y_t, \hat y_t)^2"]
    assert judged([*SOFT, *unread], claims[:1]) != ["refuted"]


def test_one_number_per_step_with_a_bias():
    cell = [r"g_t = \sigma(w^\top h_{t-1} + v^\top x_t + b)", r"h_t = g_t h_{t-1} + (1 - g_t) \tanh(U x_t)"]
    claims = [
        r"\frac{\partial L}{\partial g_t} = (\frac{\partial L}{\partial h_t})^\top (h_{t-1} - \tanh(U x_t))",
        r"\frac{\partial L}{\partial b} = \sum_t \frac{\partial L}{\partial g_t} g_t (1 - g_t)",
        r"\frac{\partial L}{\partial w} = \sum_t \frac{\partial L}{\partial g_t} g_t (1 - g_t) h_{t-1}",
        r"\frac{\partial L}{\partial w} = \sum_t \frac{\partial L}{\partial g_t} g_t (1 - g_t) x_t",
        r"\frac{\partial L}{\partial b} = \sum_t \frac{\partial L}{\partial g_t} g_t",
    ]
    assert judged(cell, claims) == ["proved"] * 3 + ["refuted"] * 2


def test_what_stands_in_for_an_equation_depends_on_numbers_too():
    text = r"""
$$g_t = \sigma(w^\top h_{t-1} + b), \quad q_t = \mathrm{strange}(g_t, x_t), \quad h_t = q_t \odot \tanh(U x_t)$$
"""
    cell = verify_document(text, "a.md").cell
    line = next(e.expr for e in cell.equations if e.name.base == "q")
    assert {"g", "x"} <= {ref.base for ref in line.free_symbols}


def test_a_sum_from_one_dots_to_the_last_in_plain_text():
    text = "    h(t) = tanh(W x(t) + R h(t-1))\n    E = 1/2 sum_{t=1..T} || h(t) - y(t) ||^2\n"
    lines = [
        "dE/dW = sum_{t=1..T} ((1 - h(t)^2) * dE/dh(t)) x(t)^T",
        "dE/dW = sum_{t=2..T} ((1 - h(t)^2) * dE/dh(t)) x(t)^T",
    ]
    rows = verify_document(text + "".join(f"    {line}\n" for line in lines), "a.txt").rows
    assert [row.verdict for row in rows[-2:]] == ["proved", "refuted"]
