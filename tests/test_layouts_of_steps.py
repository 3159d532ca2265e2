r"""Jacobians of one step in either layout, by a parameter, and what a capital T above a matrix means."""

import pytest

from lstmsym.binding.several import CONTRADICTED, IMMEDIATE, TURNED
from lstmsym.binding.verify import verify_document

CELL = r"""
$$a_t = W x_t + U h_{t-1} + b, \quad h_t = \tanh(a_t), \quad y_t = V h_t + c$$
"""


def rows(*lines):
    text = "\n\n".join((CELL, *(f"$${line}$$" for line in lines)))
    return [r for r in verify_document(text, "a.md").rows if r.kind == "claim"]


def derivative(of, by):
    return rf"\frac{{\partial {of}}}{{\partial {by}}} = "


@pytest.mark.parametrize(
    ("of", "by", "right", "verdict"),
    [
        ("h_t", "h_{t-1}", r"U^\top \operatorname{diag}(1-h_t^2)", "conditional"),
        ("y_t", "h_t", r"V^\top", "conditional"),
        ("h_t", "h_{t-1}", r"\operatorname{diag}(1-h_t^2) U", "proved"),
        ("h_t", "h_{t-1}", r"U^\top \operatorname{diag}(1-h_{t-1}^2)", "refuted"),
        ("h_t", "h_{t-1}", r"U \operatorname{diag}(1-h_t^2)", "refuted"),
        ("h_t", "h_{t-1}", r"\operatorname{diag}(1-h_t^2) U^\top", "refuted"),
    ],
)
def test_a_jacobian_of_one_step_lies_one_way_or_the_other(of, by, right, verdict):
    (row,) = rows(derivative(of, by) + right)
    assert (row.verdict, row.assumption) == (verdict, TURNED * (verdict == "conditional"))


def test_a_page_has_one_layout():
    transposed = derivative("h_t", "h_{t-1}") + r"U^\top \operatorname{diag}(1-h_t^2)"
    first, second = rows(transposed, derivative("a_{t+1}", "h_t") + "U")
    assert (first.verdict, first.message, second.verdict) == ("refuted", CONTRADICTED, "proved")


@pytest.mark.parametrize(
    ("of", "by", "right", "verdict"),
    [
        ("h_t", "b", r"\operatorname{diag}(1-h_t^2)", "conditional"),
        ("h_t", "b", r"1-h_t^2", "conditional"),
        ("a_t", "b", "I", "conditional"),
        ("y_t", "c", "I", "proved"),
        ("h_t", "b", r"1-h_t", "refuted"),
        ("h_t", "b", r"\operatorname{diag}(1-h_{t-1}^2)", "refuted"),
        ("y_t", "b", "V", "refuted"),
    ],
)
def test_a_derivative_by_a_bias_may_be_that_of_its_own_step(of, by, right, verdict):
    (row,) = rows(derivative(of, by) + right)
    assert (row.verdict, row.assumption) == (verdict, IMMEDIATE * (verdict == "conditional"))


@pytest.mark.parametrize(
    ("right", "verdict"),
    [
        (r"U^T (\frac{\partial L_T}{\partial h_t} \odot (1-h_t^2))", "proved"),
        (r"U^T ((1-h_t^2) \odot \frac{\partial L_T}{\partial h_t})", "proved"),
        (r"U (\frac{\partial L_T}{\partial h_t} \odot (1-h_t^2))", "refuted"),
        (r"U^T (\frac{\partial L_T}{\partial h_t} \odot (1-h_{t-1}^2))", "refuted"),
    ],
)
def test_a_capital_t_transposes_beside_the_last_step_too(right, verdict):
    assert rows(derivative("L_T", "h_{t-1}") + right)[0].verdict == verdict
