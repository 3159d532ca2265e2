r"""Derivatives by a parameter carried forward, entry by entry: real-time recurrent learning."""

import pytest

from lstmsym.binding.verify import verify_document

NAMED = r"""
$$s_k(t) = \sum_l w_{kl} y_l(t-1) + \sum_m u_{km} x_m(t), \quad y_k(t) = \sigma(s_k(t))$$
$$E(t) = \frac12 \sum_k (d_k(t) - y_k(t))^2, \quad e_k(t) = d_k(t) - y_k(t)$$
$$p^k_{ij}(t) = \frac{\partial y_k(t)}{\partial w_{ij}}, \quad p^k_{ij}(0) = 0$$
"""
LSTM = r"""
$$i_k(t) = \sigma(\sum_l W_{kl} x_l(t) + \sum_l U_{kl} h_l(t-1))$$
$$g_k(t) = \tanh(\sum_l A_{kl} x_l(t) + \sum_l B_{kl} h_l(t-1))$$
$$c_k(t) = c_k(t-1) + i_k(t) g_k(t), \quad h_k(t) = \tanh(c_k(t))$$
"""
P = r"p^k_{ij}(t) = "
DC = r"\frac{\partial c_k(t)}{\partial W_{ij}} = "


def verdict(text, equation):
    """The verdict on one equation behind a text, and what it assumes."""
    row = verify_document(f"{text}\n$${equation}$$\n", "a.md").rows[-1]
    return row.verdict, row.assumption


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        (
            NAMED,
            P + r"y_k(t) (1 - y_k(t)) [\sum_l w_{kl} p^l_{ij}(t-1) + \delta_{ik} y_j(t-1)]",
            P + r"y_k(t) (1 - y_k(t)) [\sum_l w_{lk} p^l_{ij}(t-1) + \delta_{ik} y_j(t-1)]",
        ),
        (
            NAMED,
            P + r"\sigma'(s_k(t)) \sum_l w_{kl} p^l_{ij}(t-1) + \delta_{ki} \sigma'(s_i(t)) y_j(t-1)",
            P + r"\sigma'(s_k(t)) \sum_l w_{kl} p^l_{ij}(t-1) + \delta_{kj} \sigma'(s_k(t)) y_i(t-1)",
        ),
        (
            NAMED,
            r"\frac{\partial y_k(t)}{\partial u_{ij}} = \sigma'(s_k(t)) "
            r"[\sum_l w_{kl} \frac{\partial y_l(t-1)}{\partial u_{ij}} + \delta_{ik} x_j(t)]",
            r"\frac{\partial y_k(t)}{\partial u_{ij}} = \sigma'(s_k(t)) "
            r"[\sum_l w_{kl} \frac{\partial y_l(t-1)}{\partial u_{ij}} + \delta_{ik} x_j(t-1)]",
        ),
        (
            NAMED,
            r"\frac{\partial E(t)}{\partial w_{ij}} = -\sum_k e_k(t) p^k_{ij}(t)",
            r"\frac{\partial E(t)}{\partial w_{ij}} = -\sum_k e_k(t) p^k_{ij}(t-1)",
        ),
        (
            NAMED,
            r"\frac{\partial s_i(t)}{\partial w_{ij}} = y_j(t-1) + \sum_k w_{ik} y_k(t-1) (1 - y_k(t-1))"
            r" \frac{\partial s_k(t-1)}{\partial w_{ij}}",
            r"\frac{\partial s_i(t)}{\partial w_{ij}} = y_j(t-1) + \sum_k w_{ki} y_k(t-1) (1 - y_k(t-1))"
            r" \frac{\partial s_k(t-1)}{\partial w_{ij}}",
        ),
        (
            LSTM,
            DC + r"\frac{\partial c_k(t-1)}{\partial W_{ij}} + g_k(t) i_k(t) (1 - i_k(t)) [\delta_{ik} x_j(t)"
            r" + \sum_l U_{kl} \frac{\partial h_l(t-1)}{\partial W_{ij}}] + i_k(t) (1 - g_k(t)^2)"
            r" \sum_l B_{kl} \frac{\partial h_l(t-1)}{\partial W_{ij}}",
            DC + r"\frac{\partial c_k(t-1)}{\partial W_{ij}} + g_k(t) i_k(t) (1 - i_k(t)) [\delta_{ik} x_j(t)"
            r" + \sum_l U_{kl} \frac{\partial h_l(t-1)}{\partial W_{ij}}] + i_k(t)"
            r" \sum_l B_{kl} \frac{\partial h_l(t-1)}{\partial W_{ij}}",
        ),
        (
            LSTM,
            r"\frac{\partial h_k(t)}{\partial W_{kl}} = (1 - h_k(t)^2) \frac{\partial c_k(t)}{\partial W_{kl}}",
            r"\frac{\partial h_k(t)}{\partial W_{kl}} = (1 - c_k(t)^2) \frac{\partial c_k(t)}{\partial W_{kl}}",
        ),
    ],
)
def test_derivatives_go_on_from_step_to_step(text, right, wrong):
    assert (verdict(text, right)[0], verdict(text, wrong)[0]) == ("proved", "refuted")


def test_a_truncated_derivative_says_what_it_holds():
    own = r"\frac{\partial c_k(t)}{\partial W_{kl}} = \frac{\partial c_k(t-1)}{\partial W_{kl}} + g_k(t) i_k(t) "
    assert verdict(LSTM, own + r"(1 - i_k(t)) x_l(t)") == (
        "conditional",
        "the derivative is cut at h(t-1), which is held fixed",
    )
    assert verdict(LSTM, own + r"x_l(t)")[0] == "refuted"
