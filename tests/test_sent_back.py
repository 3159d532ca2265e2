r"""A gradient at the step before, where the same name is all of the gradient in another line."""

import pytest

from lstmsym.binding.verify import verify_document

CELL = r"""
$$a_t = W x_t + U h_{t-1} + b, \quad h_t = \tanh(a_t), \quad y_t = V h_t$$
$$L = \sum_{t=1}^T \tfrac12\|y_t-d_t\|^2$$
"""
WHOLE = r"$$\delta h_t = V^T(y_t-d_t) + U^T \delta a_{t+1}$$"
INNER = r"$$\delta a_t = \delta h_t \odot (1-h_t^2)$$"
SENT = r"$$\delta h_{t-1} = U^T \delta a_t$$"
ALONE = r"\delta h_{t-1} is only what the step after it sends back"


def rows(*lines):
    return [r for r in verify_document("\n\n".join((CELL, *lines)), "a.md").rows if r.kind == "claim"]


@pytest.mark.parametrize("lines", [(WHOLE, INNER, SENT), (SENT, INNER, WHOLE), (INNER, SENT, WHOLE)])
def test_what_is_sent_back_is_not_all_of_what_another_line_has(lines):
    found = {line: row for line, row in zip(lines, rows(*lines), strict=True)}
    assert [found[line].verdict for line in (WHOLE, INNER)] == ["proved"] * 2
    assert (found[SENT].verdict, found[SENT].assumption) == ("conditional", ALONE)


@pytest.mark.parametrize(
    ("sent", "verdict"),
    [
        (r"$$\delta h_{t-1} = V^T(y_{t-1}-d_{t-1}) + U^T \delta a_t$$", "proved"),
        (r"$$\delta h_{t-1} = V^T \delta a_t$$", "refuted"),
    ],
)
def test_a_line_with_all_of_it_takes_nothing_for_granted(sent, verdict):
    assert rows(WHOLE, INNER, sent)[-1].verdict == verdict


def test_a_name_that_no_line_has_as_all_of_it_may_be_what_is_sent_back():
    assert rows(INNER, SENT)[-1].verdict == "proved"


def test_an_identity_is_right_with_the_other_state_held_fixed():
    text = r"""
$$i_t = \sigma(W_i x_t + U_i h_{t-1}), \quad g_t = \tanh(W_g x_t + U_g h_{t-1})$$
$$c_t = c_{t-1} + i_t\odot g_t, \quad h_t = \tanh(c_t)$$
$$\frac{\partial c_t}{\partial c_{t-1}} = I$$
"""
    row = verify_document(text, "a.md").rows[-1]
    assert (row.verdict, row.assumption) == ("conditional", "the derivative is taken at fixed h_{t-1}")
