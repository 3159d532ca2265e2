r"""States that are matrices and gates that are numbers: linear attention, mLSTM, delta rule, retention."""

import pytest

from lstmsym.binding.verify import verify_document

MLSTM = r"""
$$C_t = f_t C_{t-1} + i_t v_t k_t^\top, \quad n_t = f_t n_{t-1} + i_t k_t$$
$$h_t = o_t \odot (C_t q_t) / \max(|n_t^\top q_t|, 1)$$
$$q_t = W_q x_t + b_q, \quad k_t = \frac{1}{\sqrt{d}} W_k x_t + b_k, \quad v_t = W_v x_t + b_v$$
$$i_t = \exp(\tilde i_t), \quad \tilde i_t = w_i^\top x_t + b_i, \quad f_t = \sigma(\tilde f_t)$$
$$\tilde f_t = w_f^\top x_t + b_f, \quad o_t = \sigma(\tilde o_t), \quad \tilde o_t = W_o x_t + b_o$$
"""
DELTA = r"""
$$S_t = S_{t-1} - \beta_t (S_{t-1} k_t - v_t) k_t^\top, \quad o_t = S_t q_t$$
"""
GATED = r"""
Rows: $k_t = x_t W_K$, $v_t = x_t W_V$ and $\alpha_t = \sigma(x_t W_\alpha)$.
$$S_t = \mathrm{diag}(\alpha_t) S_{t-1} + k_t^\top v_t, \quad o_t = q_t S_t$$
"""
ROWS = r"""
$$S_n = \gamma S_{n-1} + K_n^\top V_n, \quad O_n = Q_n S_n$$
"""
SAID = r"""
Here $S_t \in \mathbb{R}^{p \times n}$ and the scalar $a_t$.
$$S_t = a_t S_{t-1} + u_t k_t^\top, \quad y_t = S_t q_t$$
"""


def verdict(text, equation):
    """The verdict on one equation behind a text."""
    rows = verify_document(f"{text}\n$${equation}$$\n", "a.md").rows
    assert {row.verdict for row in rows[:-1]} == {"not-a-claim"}
    return rows[-1].verdict


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        (MLSTM, r"\delta v_t = i_t\, \delta C_t k_t", r"\delta v_t = i_t\, \delta C_t^\top k_t"),
        (
            MLSTM,
            r"\delta k_t = i_t\, \delta C_t^\top v_t + i_t\, \delta n_t",
            r"\delta k_t = i_t\, \delta C_t^\top v_t + \delta n_t",
        ),
        (
            MLSTM,
            r"\delta\tilde f_t = f_t (1 - f_t) (\mathrm{tr}(\delta C_t^\top C_{t-1}) + \delta n_t^\top n_{t-1})",
            r"\delta\tilde f_t = f_t (1 - f_t) (\mathrm{tr}(\delta C_t^\top C_t) + \delta n_t^\top n_{t-1})",
        ),
        (
            MLSTM,
            r"\delta\tilde i_t = i_t (v_t^\top \delta C_t k_t + \delta n_t^\top k_t)",
            r"\delta\tilde i_t = v_t^\top \delta C_t k_t + \delta n_t^\top k_t",
        ),
        (MLSTM, r"\delta w_f = \sum_t \delta\tilde f_t x_t", r"\delta w_f = \sum_t \delta\tilde i_t x_t"),
        (MLSTM, r"\delta b_i = \sum_t \delta\tilde i_t", r"\delta b_i = \sum_t \delta\tilde f_t"),
        (
            DELTA,
            r"dS_t = do_t q_t^\top + dS_{t+1} (I - \beta_{t+1} k_{t+1} k_{t+1}^\top)",
            r"dS_t = do_t q_t^\top + dS_{t+1} (I + \beta_{t+1} k_{t+1} k_{t+1}^\top)",
        ),
        (
            DELTA,
            r"d\beta_t = -(S_{t-1} k_t - v_t)^\top dS_t k_t",
            r"d\beta_t = -(S_t k_t - v_t)^\top dS_t k_t",
        ),
        (
            GATED,
            r"dS_t = q_t^\top do_t + \mathrm{diag}(\alpha_{t+1}) dS_{t+1}",
            r"dS_t = q_t^\top do_t + dS_{t+1} \mathrm{diag}(\alpha_{t+1})",
        ),
        (GATED, r"d\alpha_t = (dS_t \odot S_{t-1}) \mathbf{1}", r"d\alpha_t = (dS_t \odot S_t) \mathbf{1}"),
        (GATED, r"dW_V = \sum_t x_t^\top dv_t", r"dW_K = \sum_t x_t^\top dv_t"),
        (
            ROWS,
            r"\frac{\partial L}{\partial K_n} = V_n (\frac{\partial L}{\partial S_n})^\top",
            r"\frac{\partial L}{\partial K_n} = V_n \frac{\partial L}{\partial S_n}",
        ),
        (
            SAID,
            r"\frac{\partial L}{\partial a_t} = \mathrm{tr}((\frac{\partial L}{\partial S_t})^\top S_{t-1})",
            r"\frac{\partial L}{\partial a_t} = \mathrm{tr}((\frac{\partial L}{\partial S_t})^\top S_t)",
        ),
    ],
)
def test_gradients_of_matrices(text, right, wrong):
    assert (verdict(text, right), verdict(text, wrong)) == ("proved", "refuted")


def test_preactivations_may_be_defined_after_their_use():
    text = r"""
$$c_t = f_t \odot c_{t-1} + z_t, \quad h_t = \tanh(c_t)$$
$$f_t = \sigma(\bar f_t), \quad \bar f_t = W_f x_t + R_f h_{t-1}, \quad z_t = \tanh(\bar z_t)$$
$$\bar z_t = W_z x_t + R_z h_{t-1}$$
"""
    assert (
        verdict(
            text, r"\frac{\partial L}{\partial \bar z_t} = \frac{\partial L}{\partial c_t} \odot (1 - z_t^2)"
        )
        == "proved"
    )
