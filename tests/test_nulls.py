r"""Gradients that are zero by a cancellation: the stabilisers of exponential gates."""

import pytest

from lstmsym.binding.verify import verify_document

CELL = r"""
$$a_t = W x_t, \quad v_t = V x_t, \quad m_t = \max(a_t, m_{t-1} - w)$$
$$c_t = \exp(m_{t-1} - w - m_t) \odot c_{t-1} + \exp(a_t - m_t) \odot v_t$$
$$n_t = \exp(m_{t-1} - w - m_t) \odot n_{t-1} + \exp(a_t - m_t)$$
"""
STABLE = CELL + r"$$y_t = c_t / n_t$$"
OTHER = CELL + r"$$y_t = c_t + n_t$$"
M = r"\frac{\partial L}{\partial m_t} = 0"
A = (
    r"\frac{\partial L}{\partial a_t} = \exp(a_t - m_t) \odot "
    r"(\frac{\partial L}{\partial c_t} \odot v_t + \frac{\partial L}{\partial n_t})"
)


def verdict(text, equation):
    """The verdict on one equation behind a text."""
    return verify_document(f"{text}\n$${equation}$$\n", "a.md").rows[-1].verdict


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (STABLE, M, "proved"),
        (STABLE, A, "proved"),
        (STABLE, A.replace("+", "-"), "refuted"),
        (STABLE, M.replace("m_t", "n_t"), "refuted"),
        (OTHER, M, "refuted"),
        (OTHER, A, "refuted"),
    ],
)
def test_a_stabiliser_has_no_gradient_where_it_cancels(text, line, expected):
    assert verdict(text, line) == expected


def test_masks_that_are_zero_or_one_are_their_own_squares():
    text = r"""The entries of the mask $m_t$ are zero or one.
$$a_t = W x_t + u \odot h_{t-1}, \quad k_t = \tanh(a_t), \quad h_t = m_t \odot k_t + (1 - m_t) \odot h_{t-1}$$
"""
    line = r"\frac{\partial L}{\partial a_t} = (1 - h_t^2) \odot m_t \odot \frac{\partial L}{\partial h_t}"
    assert verdict(text, line) == "conditional"
    assert verdict(text, line.replace("1 - h_t^2", "1 - h_t")) == "refuted"
    assert verdict(text.replace("zero or one", "positive"), line) == "refuted"
