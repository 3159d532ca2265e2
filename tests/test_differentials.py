"""Equations of differentials: how quantities move together."""

import pytest

from lstmsym.binding.verify import verify_document

CELL = r"""
$$a_t = W h_{t-1} + U x_t + b, \quad q_t = \tanh(a_t), \quad h_t = (1 - \alpha) h_{t-1} + \alpha q_t$$
where $L = \sum_t L_t(h_t)$, $\alpha$ is fixed and $D_t = \mathrm{diag}(1 - q_t \odot q_t)$, $p_t = \partial L/\partial h_t$ a row.
$$p_t = \frac{\partial L_t}{\partial h_t} + p_{t+1} ((1 - \alpha) I + \alpha D_{t+1} W)$$
$$\mathrm{d}a_t = \mathrm{d}W\, h_{t-1} + W\, \mathrm{d}h_{t-1} + \mathrm{d}U\, x_t + \mathrm{d}b$$
"""


def row(line):
    return verify_document(f"{CELL}$${line}$$\n", "a.md").rows[-1]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (r"\mathrm{d}a_t = \mathrm{d}W\, h_{t-1} + W\, \mathrm{d}h_{t-1} + \mathrm{d}U\, x_t + \mathrm{d}b", "proved"),
        (r"\mathrm{d}a_t = \mathrm{d}W\, h_{t} + W\, \mathrm{d}h_{t-1} + \mathrm{d}U\, x_t + \mathrm{d}b", "refuted"),
        (r"\mathrm{d}a_t = \mathrm{d}W\, h_{t-1} + W^\top \mathrm{d}h_{t-1} + \mathrm{d}U\, x_t + \mathrm{d}b", "refuted"),
        (r"\mathrm{d}a_t = \mathrm{d}W\, h_{t-1} + W\, \mathrm{d}h_{t-1}", "conditional"),
        (r"\mathrm{d}h_t = (1 - \alpha)\, \mathrm{d}h_{t-1} + \alpha D_t\, \mathrm{d}a_t", "proved"),
        (r"\mathrm{d}h_t = (1 - \alpha)\, \mathrm{d}h_{t-1} + D_t\, \mathrm{d}a_t", "refuted"),
        (r"\mathrm{d}L = \sum_t \alpha\, p_t D_t\, \mathrm{d}W\, h_{t-1}", "conditional"),
        (r"\mathrm{d}L = \operatorname{tr}\Bigl(\sum_t \alpha\, h_{t-1} p_t D_t\, \mathrm{d}W\Bigr)", "conditional"),
        (r"\mathrm{d}L = \sum_t \alpha\, p_t D_t\, \mathrm{d}W\, h_{t}", "refuted"),
        (r"\mathrm{d}L = \operatorname{tr}\bigl(\frac{\partial L}{\partial W} \mathrm{d}W\bigr)", "not-a-claim"),
    ],
)  # fmt: skip
def test_changes(line, wanted):
    assert row(line).verdict == wanted


def test_what_does_not_move_is_said():
    assert (
        row(r"\mathrm{d}a_t = \mathrm{d}W\, h_{t-1} + W\, \mathrm{d}h_{t-1}").assumption == "U, b held fixed"
    )


def test_a_layout_that_the_text_says():
    line = r"$$\frac{\partial L}{\partial W} = \alpha \sum_t h_{t-1} p_t D_t$$"
    said = r"$\mathrm{d}L = \operatorname{tr}(\frac{\partial L}{\partial W} \mathrm{d}W)$"
    for before, wanted in (("", "conditional"), (said, "proved"), ("In numerator layout,", "proved")):
        assert verify_document(f"{CELL}{before}\n{line}\n", "a.md").rows[-1].verdict == wanted
