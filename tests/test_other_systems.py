"""Two cells on one page: the lines under the one that is not judged are open."""

import pytest

from lstmsym.binding.verify import verify_document

PLAIN = r"""
$$h_t = \tanh(W x_t + U h_{t-1})$$
$$\frac{\partial L}{\partial U} = \sum_t ((1-h_t^2)\odot\frac{\partial L}{\partial h_t}) h_{t-1}^\top$$
"""
LEAKY = r"""
$$h_t = (1-\alpha) h_{t-1} + \alpha \tanh(W x_t + U h_{t-1})$$
$$\frac{\partial L}{\partial U} = \sum_t \alpha ((1-h_t^2)\odot\frac{\partial L}{\partial h_t}) h_{t-1}^\top$$
"""
GATED = r"""
$$z_t = \sigma(W_z x_t + U_z h_{t-1})$$
$$h_t = (1-z_t)\odot h_{t-1} + z_t \odot \tanh(W x_t + U h_{t-1})$$
$$\frac{\partial L}{\partial U} = \sum_t ((1-\tanh^2(W x_t + U h_{t-1}))\odot z_t\odot\frac{\partial L}{\partial h_t}) h_{t-1}^\top$$
"""


def verdicts(*texts):
    return [r.verdict for r in verify_document("\n".join(texts), "a.md").rows if r.kind == "claim"]


def test_the_lines_of_the_other_cell_are_open():
    assert verdicts("Plain:", PLAIN, "Gated:", GATED) == ["proved", "undecided", "undecided"]
    assert verdicts("Plain:", PLAIN, "Leaky:", LEAKY) == ["undecided", "refuted"]


@pytest.mark.parametrize(("old", "new", "verdict"), [("", "", "proved"), ("1-h_t", "1+h_t", "refuted")])
def test_one_cell_alone_is_judged(old, new, verdict):
    assert verdicts(PLAIN.replace(old, new) if old else PLAIN) == [verdict]
