r"""What lecture notes, theses and papers leave to the reader: names for net inputs, last steps, copies."""

import pytest

from lstmsym.binding.verify import verify_document

RNN = r"""
$$a_t = W h_{t-1} + U x_t + b, \quad h_t = \tanh(a_t), \quad o_t = V h_t$$
$$L = \sum_t \tfrac12 \|o_t - y_t\|^2$$
"""
GRU = r"""
$$z_t = \sigma(W_z x_t + U_z h_{t-1}), \quad r_t = \sigma(W_r x_t + U_r h_{t-1})$$
$$\tilde h_t = \tanh(W x_t + U (r_t \odot h_{t-1})), \quad h_t = z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t$$
"""
LOGIT = r"""
$$h_t = \tanh(W x_t + U h_{t-1}), \quad s_t = w^\top h_t + \beta, \quad p_t = \sigma(s_t)$$
$$J = -\sum_t [y_t \log p_t + (1 - y_t) \log(1 - p_t)]$$
"""
TIMES = r"""
$$a_{nj} = \sum_i w_{ji} x_{ni} + \sum_l v_{jl} z_{n-1,l}, \quad z_{nj} = \sigma(a_{nj}), \quad y_{nk} = \sum_j u_{kj} z_{nj}$$
$$E = \sum_{n=1}^N E_n, \quad E_n = \frac12 \sum_k (y_{nk} - t_{nk})^2, \quad \epsilon_{nj} = \frac{\partial E}{\partial a_{nj}}$$
"""
RATES = r"""
Repeated Latin indices are summed.
$$x_i^{t+1} = (1 - \alpha) x_i^t + \alpha (J_{ij} r_j^t + B_{ik} u_k^t), \quad r_i^t = \tanh(x_i^t), \quad z_a^t = O_{ai} r_i^t$$
$$C = \frac12 \sum_t (z_a^t - f_a^t)(z_a^t - f_a^t), \quad \lambda_i^t = \frac{\partial C}{\partial x_i^t}$$
"""
BLOCK = r"""
$$a_\iota^t = \sum_i w_{i\iota} x_i^t + \sum_h w_{h\iota} b_h^{t-1} + \sum_c w_{c\iota} s_c^{t-1}, \quad b_\iota^t = f(a_\iota^t)$$
$$a_\omega^t = \sum_i w_{i\omega} x_i^t + \sum_h w_{h\omega} b_h^{t-1} + \sum_c w_{c\omega} s_c^t, \quad b_\omega^t = f(a_\omega^t)$$
$$a_c^t = \sum_i w_{ic} x_i^t + \sum_h w_{hc} b_h^{t-1}$$
$$s_c^t = s_c^{t-1} + b_\iota^t g(a_c^t), \quad b_c^t = b_\omega^t g(s_c^t)$$
$f$ is the logistic function and $g = \tanh$.
$$\epsilon_c^t = \frac{\partial L}{\partial b_c^t}, \quad \delta_j^t = \frac{\partial L}{\partial a_j^t}$$
"""
NORM = r"""
$$a_t = W x_t + R h_{t-1}, \quad \mu_t = \frac1n \sum_{j=1}^n a_{t,j}, \quad s_t^2 = \frac1n \sum_{j=1}^n (a_{t,j} - \mu_t)^2$$
$$q_t = \frac{a_t - \mu_t}{s_t}, \quad h_t = \tanh(q_t)$$
"""


def verdict(text, equation):
    """The verdict on one equation behind a text."""
    return verify_document(f"{text}\n$${equation}$$\n", "a.tex").rows[-1].verdict


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        # net inputs by the letter of their gate, the candidate's by that of the state
        (GRU, r"\frac{\partial L}{\partial a^z_t} = \frac{\partial L}{\partial z_t} \odot z_t \odot (1 - z_t)", "proved"),
        (GRU, r"\frac{\partial L}{\partial a^z_t} = \frac{\partial L}{\partial z_t} \odot (1 - z_t)", "refuted"),
        (GRU, r"\frac{\partial L}{\partial a^h_t} = \frac{\partial L}{\partial \tilde h_t} \odot (1 - \tilde h_t^2)", "proved"),
        (GRU, r"\frac{\partial L}{\partial a^h_t} = \frac{\partial L}{\partial \tilde h_t} \odot \tilde h_t", "refuted"),
        # the first steps, and an identity
        (RNN, r"\nabla_{h_0} L = W^\top \nabla_{a_1} L", "proved"),
        (RNN, r"\nabla_{h_0} L = W \nabla_{a_1} L", "refuted"),
        (RNN, r"\frac{\partial h_T}{\partial h_t} = \prod_{k=t+1}^T \operatorname{diag}(1 - h_k^2) W", "proved"),
        (RNN, r"\frac{\partial h_T}{\partial h_t} = \prod_{k=t+1}^T W \operatorname{diag}(1 - h_k^2)", "refuted"),
        # derivatives by a parameter: transposed, of units, by the copy of a step
        (RNN, r"\nabla_b L = \sum_t (\frac{\partial h_t}{\partial b^{(t)}})^\top \nabla_{h_t} L", "proved"),
        (RNN, r"\nabla_b L = \sum_t (\frac{\partial h_t}{\partial b^{(t)}})^\top \nabla_{a_t} L", "refuted"),
        (RNN, r"\nabla_W L = \sum_t \sum_i (\frac{\partial L}{\partial h_{t,i}}) \nabla_{W^{(t)}} h_{t,i}", "proved"),
        # functions by themselves
        (RNN, r"\tanh' = 1 - \tanh^2", "proved"),
        (RNN, r"\tanh' = \tanh (1 - \tanh)", "refuted"),
        # a sigmoid that the loss alone reads
        (LOGIT, r"\frac{\partial J}{\partial p_t} = \frac{p_t - y_t}{p_t (1 - p_t)}", "proved"),
        (LOGIT, r"\frac{\partial J}{\partial p_t} = p_t - y_t", "refuted"),
        (LOGIT, r"\frac{\partial J}{\partial \beta} = \sum_t (p_t - y_t)", "proved"),
        (LOGIT, r"\nabla_w J = \sum_t (p_t - y_t) h_{t-1}", "refuted"),
        # the step before the unit; the last step by the letter of the sum
        (TIMES, r"\frac{\partial E}{\partial v_{jl}} = \sum_n \epsilon_{nj} z_{n-1,l}", "proved"),
        (TIMES, r"\frac{\partial E}{\partial v_{jl}} = \sum_n \epsilon_{nj} z_{nl}", "refuted"),
        (TIMES, r"\epsilon_{Nj} = z_{Nj} (1 - z_{Nj}) \sum_k u_{kj} (y_{Nk} - t_{Nk})", "proved"),
        (TIMES, r"\epsilon_{Nj} = z_{Nj} \sum_k u_{kj} (y_{Nk} - t_{Nk})", "refuted"),
        # the summation convention; what other states are made of alone
        (RATES, r"\lambda_j^t = (1-\alpha) \lambda_j^{t+1} + (1 - (r_j^t)^2) (\alpha \lambda_i^{t+1} J_{ij} + (z_a^t - f_a^t) O_{aj})", "proved"),
        (RATES, r"\lambda_j^t = (1-\alpha) \lambda_j^{t+1} + (1 - (r_j^t)^2) (\alpha \lambda_i^{t+1} J_{ij} + (z_a^t - f_a^t) O_{ai})", "refuted"),
        (RATES, r"\frac{\partial x_i^{t+1}}{\partial x_j^t} = (1-\alpha) \delta_{ij} + \alpha J_{ij} (1 - (r_j^t)^2)", "proved"),
        (RATES, r"\frac{\partial x_i^{t+1}}{\partial x_j^t} = (1-\alpha) \delta_{ij} + \alpha J_{ij} (1 - (r_i^t)^2)", "refuted"),
        # gates that are one for a block of cells
        (BLOCK, r"\delta_\omega^t = f'(a_\omega^t) \sum_c g(s_c^t) \epsilon_c^t", "proved"),
        (BLOCK, r"\delta_\omega^t = f'(a_\omega^t) \sum_c s_c^t \epsilon_c^t", "refuted"),
        # given by its square; when it holds, in a column of its own
        (NORM, r"\frac{\partial L}{\partial a_t} = \frac{1}{s_t} (\nabla_{q_t} L - \frac1n \sum_j \nabla_{q_{t,j}} L - q_t \frac1n \sum_j q_{t,j} \nabla_{q_{t,j}} L)", "proved"),
        (RNN, r"\begin{aligned} \nabla_{h_{t}} L ={}& V^\top (o_t - y_t) \\ &{}+ W^\top \nabla_{a_{t+1}} L && (t < T) \end{aligned}", "proved"),
        (RNN, r"\begin{aligned} \nabla_{h_{t}} L ={}& V^\top (o_t - y_t) \\ &{}+ W \nabla_{a_{t+1}} L && (t < T) \end{aligned}", "refuted"),
    ],
)  # fmt: skip
def test_lines_as_lecturers_write_them(text, line, found):
    assert verdict(text, line) == found


def test_a_sum_over_a_letter_that_runs_over_gates_is_written_out():
    text = (
        GRU
        + "For $k \\in \\{z, r\\}$: $$\\frac{\\partial L}{\\partial a^k_t} = \\frac{\\partial L}{\\partial k_t} \\odot k_t \\odot (1 - k_t)$$"
    )
    right = r"\nabla_{x_t} L = W^\top \nabla_{a^h_t} L + \sum_k W_k^\top \nabla_{a^k_t} L"
    assert verdict(text, right) == "proved"
    assert verdict(text, right.replace("W_k", "U_k")) == "refuted"


def test_a_supposition_holds_nothing_fixed_elsewhere():
    text = RNN.replace("o_t = V h_t$$", "o_t = V h_t$$\nIf $h$ is held fixed, nothing is learned.\n")
    assert verdict(text, r"\nabla_{h_t} L = V^\top (o_t - y_t) + W^\top \nabla_{a_{t+1}} L") == "proved"
