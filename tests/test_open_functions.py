"""Recurrences of which the function is left open."""

import pytest

from lstmsym.binding.verify import verify_document

TEXT = r"""
$$s_t = F(s_{t-1}, x_t, \theta)$$
$$y_t = G(s_t, v)$$
"""
F = r"F(s_{j-1}, x_j, \theta)"
BY_S, BY_W = (rf"\frac{{\partial {F}}}{{\partial {by}}}" for by in (r"s_{j-1}", r"\theta"))
WHOLE = r"\frac{\partial s_t}{\partial \theta}"
EARLIER = WHOLE.replace("s_t", "s_{t-1}")


def at(formula, step):
    """A formula at another step than j."""
    return formula.replace("{j-1}", f"{{{step}-1}}").replace("x_j", f"x_{step}")


def found(line, words="All quantities are scalars."):
    row = verify_document(f"{words}\n{TEXT}$${line}$$\n", "a.md").rows[-1]
    return row.verdict


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (f"{at(BY_W, 't')} + {at(BY_S, 't')} {EARLIER}", f"{at(BY_W, 't')} + {at(BY_S, 't')} {WHOLE}"),
        (f"{at(BY_S, 't')} {EARLIER} + {at(BY_W, 't')}", f"{at(BY_S, 't')} {EARLIER}"),
        (f"{at(BY_W, 't')} + {at(BY_S, 't')} {EARLIER}", f"{at(BY_W, 't')} - {at(BY_S, 't')} {EARLIER}"),
    ],
)
def test_one_step(right, wrong):
    assert found(f"{WHOLE} = {right}") == "proved"
    assert found(f"{WHOLE} = {right}", words="") == "conditional"
    assert found(f"{WHOLE} = {wrong}") == found(f"{WHOLE} = {wrong}", words="") == "refuted"


@pytest.mark.parametrize(
    ("low", "high", "first", "last", "verdict"),
    [
        ("i=1", "t", "j=i+1", "t", "undecided"),
        ("i=t", "1", "j=i+1", "t", "undecided"),
        ("i=t", "1", "j=t", "i", "refuted"),
        ("i=1", "t", "j=i", "t", "refuted"),
        ("i=1", "t-1", "j=i+1", "t", "refuted"),
    ],
)
def test_all_steps(low, high, first, last, verdict):
    line = rf"{WHOLE} = \sum_{{{low}}}^{{{high}}} \left(\prod_{{{first}}}^{{{last}}} {BY_S}\right) {at(BY_W, 'i')}"
    assert found(line) == verdict


def test_what_else_is_in_a_line_is_not_read():
    assert found(rf"{WHOLE} = {at(BY_W, 't')} + M {EARLIER}") == "unread"
    assert found(r"\frac{\partial y_t}{\partial v} = \frac{\partial G(s_t, v)}{\partial v}") == "proved"
