r"""Gradients of the last outputs where no line states the loss."""

import pytest

from lstmsym.binding.verify import verify_document

CELL = r"""
$$a_t = b + W h_{t-1} + U x_t, \quad h_t = \tanh(a_t), \quad o_t = c + V h_t$$
$$\hat y_t = \mathrm{softmax}(o_t)$$
"""
LOSS = r"$$L = -\sum_t \sum_k y_{t,k} \log \hat y_{t,k}$$ where $y_t$ is one-hot."
OF_OUTPUT = r"\frac{\partial L}{\partial o_t} = "


def row(line, loss=""):
    return [r for r in verify_document(f"{CELL}{loss}\n\n$${line}$$", "a.md").rows if r.kind == "claim"][-1]


@pytest.mark.parametrize(
    "line",
    [
        r"(\nabla_{o_t} L)_i = \hat y_{t,i} - \mathbf{1}_{i = y_t}",
        r"\frac{\partial L}{\partial o_{t,i}} = \hat y_{t,i} - \delta_{i,y_t}",
        OF_OUTPUT + r"\hat y_t - 1",
    ],
)
def test_the_loss_is_asked_for(line):
    assert (row(line).verdict, row(line).message) == (
        "undecided",
        "it says what the loss is, which no line states",
    )


@pytest.mark.parametrize(
    ("line", "loss", "verdict"),
    [
        (OF_OUTPUT + r"\hat y_t - y_t", LOSS, "proved"),
        (OF_OUTPUT + r"y_t - \hat y_t", LOSS, "refuted"),
        (OF_OUTPUT + r"\hat y_t \odot \frac{\partial L}{\partial \hat y_t}", "", "refuted"),
        (r"\frac{\partial L}{\partial a_t} = 1 - h_t^2", "", "refuted"),
        (r"\frac{\partial L}{\partial h_t} = V^\top \frac{\partial L}{\partial o_t}", "", "refuted"),
    ],
)
def test_what_does_not_hang_on_it_is_judged(line, loss, verdict):
    assert row(line, loss).verdict == verdict
