r"""What is said of a wrong line about an earlier step stands at the line's own steps."""

import pytest

from lstmsym.binding.verify import verify_document

CELL = r"""
$$a_t = W x_t + U h_{t-1} + b, \quad h_t = \tanh(a_t), \quad y_t = V h_t$$
"""


def row(line):
    return verify_document(f"{CELL}\n\n$${line}$$", "a.md").rows[-1]


def test_a_path_that_is_dropped_begins_at_the_step_of_the_left_side():
    line = r"\frac{\partial L}{\partial h_{t-1}} = U^T (\frac{\partial L}{\partial h_t} \odot (1-h_t^2))"
    found = row(line)
    assert found.verdict == "refuted" and found.message.startswith("drops the path h_{t-1} -> y_{t-1}")
    assert row(rf"\frac{{\partial L}}{{\partial h_{{t-1}}}} = {found.repair}").verdict == "proved"


@pytest.mark.parametrize("at", ["t-2", "t-1", "t", "t+1"])
def test_a_repair_of_any_step_is_right_as_it_stands(at):
    left = rf"\frac{{\partial L}}{{\partial a_{{{at}}}}} = "
    found = row(left + rf"\frac{{\partial L}}{{\partial h_{{{at}}}}} \odot (1 - h_{{{at}}})")
    assert found.verdict == "refuted" and found.repair
    assert row(left + found.repair).verdict == "proved"
