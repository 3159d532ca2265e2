"""Letters that only functions are taken of: no line says what they are, and they are no gradients."""

import pytest

from lstmsym.binding.verify import verify_document

CELL = r"""
$$i_t = \sigma(W_i x_t + U_i h_{t-1}), \quad g_t = \tanh(W_g x_t + U_g h_{t-1})$$
$$c_t = c_{t-1} + i_t \odot g_t, \quad h_t = \tanh(c_t)$$
"""
DEFINED = r"$$\bar i_t = W_i x_t + U_i h_{t-1}$$"
LINES = r"""
$$\delta c_t = \delta h_t \odot (1 - h_t^2) + \delta c_{t+1}$$
$$\delta i_t = \delta c_t \odot g_t \odot \sigma'(\bar i_t)$$
"""


def rows(text):
    return [row for row in verify_document(text, "a.md").rows if row.kind == "claim"]


@pytest.mark.parametrize("letter", [r"\bar i_t", r"\hat i_t", r"s^i_t", r"\bar g_t"])
def test_an_undefined_letter_is_asked_for(letter):
    first, second = rows(CELL + LINES.replace(r"\bar i_t", letter))
    assert (first.verdict, second.verdict) == ("proved", "undecided")
    assert "is not said" in second.message and "gradient" not in second.message


@pytest.mark.parametrize(("slip", "verdict"), [("g_t", "proved"), ("i_t", "refuted")])
def test_one_that_is_defined_is_used(slip, verdict):
    lines = LINES.replace("odot g_t", f"odot {slip}").replace(
        r"\delta i_t =", r"\frac{\partial L}{\partial \bar i_t} ="
    )
    assert rows(CELL + DEFINED + lines)[-1].verdict == verdict


def test_one_that_stands_for_itself_too_may_be_a_gradient():
    text = CELL + r"$$\bar c_t = \bar h_t \odot (1 - h_t^2) + \bar c_{t+1}$$"
    assert rows(text)[-1].verdict == "proved"
