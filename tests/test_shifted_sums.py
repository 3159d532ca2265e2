"""Sums over the steps whose every term is of another step than the letter that they run over."""

import pytest

from lstmsym.binding.verify import verify_document

CELL = r"""
$$a_t = W x_t + U h_{t-1} + b$$
$$h_t = \tanh(a_t)$$
$$y_t = V h_t$$
"""


@pytest.mark.parametrize(
    ("by", "sum_", "verdict"),
    [
        ("b", r"\sum_t \frac{\partial L}{\partial a_t}", "proved"),
        ("b", r"\sum_t \frac{\partial L}{\partial a_{t+1}}", "conditional"),
        ("b", r"\sum_t \frac{\partial L}{\partial a_{t-1}}", "refuted"),
        ("b", r"\sum_{t \le T} \frac{\partial L}{\partial a_{t+1}}", "conditional"),
        ("b", r"\sum_{t=0}^{T-1} \frac{\partial L}{\partial a_{t+1}}", "proved"),
        ("b", r"\sum_{t \ge 2} \frac{\partial L}{\partial a_{t-1}}", "refuted"),
        ("W", r"\sum_t \frac{\partial L}{\partial a_{t+1}} x_{t+1}^T", "conditional"),
        ("U", r"\sum_t \frac{\partial L}{\partial a_{t+1}} h_t^T", "proved"),
        ("U", r"\sum_t \frac{\partial L}{\partial a_t} h_{t-1}^T", "proved"),
        ("U", r"\sum_t \frac{\partial L}{\partial a_{t+2}} h_{t+1}^T", "refuted"),
        ("U", r"\sum_t \frac{\partial L}{\partial a_{t-1}} h_{t-2}^T", "refuted"),
        ("V", r"\sum_t \frac{\partial L}{\partial y_{t-1}} h_{t-1}^T", "refuted"),
        ("V", r"\sum_t \frac{\partial L}{\partial y_{t+2}} h_{t+2}^T", "refuted"),
    ],
)
def test_a_sum_without_limits_has_the_terms_of_all_steps_only_where_one_is_of_its_letter(by, sum_, verdict):
    line = rf"$$\frac{{\partial L}}{{\partial {by}}} = {sum_}$$"
    row = verify_document(f"{CELL}{line}\n", "a.md").rows[-1]
    assert row.verdict == verdict
    assert (row.assumption == "the sum begins one step before the first step") == (verdict == "conditional")
