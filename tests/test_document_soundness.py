"""What a document must not get proved: lines that take for granted what nothing says."""

import pytest

from lstmsym.binding.verify import verify_document

CELL = r"""
$$h_t = \tanh(W x_t + U h_{t-1} + b)$$
$$\delta_t = dh_t \odot (1 - h_t^2)$$
"""
SHARES = r"""
$$dW = \delta_t x_t^\top$$
$$db = \delta_t$$
"""


def rows(text):
    """The rows of equations and statements."""
    return [row for row in verify_document(text, "a.md").rows if row.kind != "prose"]


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("", "conditional"),
        ("The loss is summed over the steps.", "conditional"),
        ("The gradients of the loss by the weights are summed over all steps.", "proved"),
        ("Step $t$ contributes", "proved"),
        ("What a parameter gets is accumulated over time.", "proved"),
        ("权重的梯度在各时刻累加。", "proved"),
    ],
)
def test_a_step_s_share_of_a_parameter_s_gradient_is_said_to_be_one(words, verdict):
    found = rows(CELL + words + SHARES)[2:]
    assert [row.verdict for row in found] == [verdict] * 2
    assert all(("one step's share" in row.assumption) == (verdict == "conditional") for row in found)


def test_a_share_that_is_added_and_the_one_pass_of_a_network_without_steps_need_no_words():
    assert [row.verdict for row in rows(CELL + r"$$dW = dW + \delta_t x_t^\top$$")][2:] == ["proved"]
    one = r"""
$$a = \tanh(W x + b)$$
$$y = V a$$
$$\delta_a = (V^\top \delta_y) \odot (1 - a^2)$$
$$dV = \delta_y a^\top$$
"""
    assert rows(one)[-1].verdict == "proved"
