"""Derivatives of the loss of one step: by what is before it, by a parameter as one step has it."""

import pytest

from lstmsym.binding.verify import verify_document

CELL = r"""
$$a_t = W h_{t-1} + U x_t, \quad h_t = \tanh(a_t), \quad o_t = V h_t, \quad \ell_t = \frac12 \|o_t - y_t\|^2, \quad L = \sum_t \ell_t$$
"""
ENTROPY = r"""
$$a_t = W h_{t-1} + U x_t, \quad h_t = \tanh(a_t), \quad o_t = V h_t, \quad \hat y_t = \mathrm{softmax}(o_t)$$
$$J_t = \mathrm{CE}(y_t, \hat y_t) = -\sum_{j=1}^{|V|} y_{t,j} \log \hat y_{t,j}$$
where $y_t$ is one-hot and $\beta_t = \partial J_t / \partial h_{t-1}$.
"""
NOW = r"(V^\top (o_t - y_t) \odot (1 - h_t^2))"


def verdict(cell, line):
    return verify_document(f"{cell}$${line}$$\n", "a.md").rows[-1].verdict


@pytest.mark.parametrize(
    ("cell", "right", "old", "new"),
    [
        (CELL, rf"\frac{{\partial \ell_t}}{{\partial h_{{t-1}}}} = W^\top {NOW}", "W", "V"),
        (CELL, rf"\frac{{\partial \ell_t}}{{\partial x_{{t-1}}}} = U^\top ((1 - h_{{t-1}}^2) \odot W^\top {NOW})", "(1 - h_{t-1}", "(1 - h_{t}"),
        (CELL, rf"\frac{{\partial \ell_t}}{{\partial W}}\Big|_t = {NOW} h_{{t-1}}^\top", "h_{t-1}", "h_t"),
        (CELL, rf"\left.\frac{{\partial \ell_t}}{{\partial W}}\right|_{{(t-1)}} = ((1 - h_{{t-1}}^2) \odot W^\top {NOW}) h_{{t-2}}^\top", "t-2", "t-1"),
        (CELL, r"\frac{\partial L}{\partial W}|_t = \frac{\partial L}{\partial a_t} h_{t-1}^\top", "h_{t-1}", "h_t"),
        (CELL, r"\frac{\partial L}{\partial W} = \sum_t \frac{\partial L}{\partial W}\Big|_{t}", r"W} = \sum_t \frac{\partial L", r"W} = \sum_t \frac{\partial \ell_t"),
        (CELL, r"\frac{\partial \ell_t}{\partial V} = (o_t - y_t) h_t^\top", r"V} = (o_t - y_t)", rf"W}} = {NOW}"),
        (ENTROPY, r"\frac{\partial J_t}{\partial V} = (\hat y_t - y_t) h_t^\top", "y_t)", "y_{t-1})"),
        (ENTROPY, r"\frac{\partial J_t}{\partial a_{t-1}} = (1 - h_{t-1}^2) \odot \beta_t", r"\beta_t", r"\beta_{t-1}"),
    ],
)  # fmt: skip
def test_right_lines_and_slips(cell, right, old, new):
    assert verdict(cell, right) == "proved"
    assert verdict(cell, right.replace(old, new, 1)) == "refuted"
