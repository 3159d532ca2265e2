"""LSTM with layer normalisation.

Ba, Kiros & Hinton 2016, arXiv 1607.06450, supplement, with a normalisation for each gate, as old
tf.contrib has it. LN(v) = gain * (v - mean(v)) / sqrt(var(v) + eps) + bias; the carried c is not
normalised:

    i, f, o_t = sigma(LN(W x_t) + LN(U h_{t-1}) + b)      g_t = tanh(LN(W_g x_t) + LN(U_g h_{t-1}) + b_g)
    c_t = f_t * c_{t-1} + i_t * g_t
    h_t = o_t * tanh(LN(c_t))
"""

from lstmsym.cell import Cell
from lstmsym.declare import Hyper, Input, State, biases, gains, weights
from lstmsym.notation import normalize, sigma, t, tanh


class LSTMLayerNorm(Cell):
    """LSTM with each gate's input and recurrent parts, and c on its way out, normalised."""

    # fmt: off
    x    = Input()
    h, c = State(), State()
    W_i, W_f, W_g, W_o = weights("W_i W_f W_g W_o")
    U_i, U_f, U_g, U_o = weights("U_i U_f U_g U_o")
    b_i, b_f, b_g, b_o = biases("b_i b_f b_g b_o")
    gamma_xi, gamma_xf, gamma_xg, gamma_xo = gains("gamma_xi gamma_xf gamma_xg gamma_xo")
    gamma_hi, gamma_hf, gamma_hg, gamma_ho = gains("gamma_hi gamma_hf gamma_hg gamma_ho")
    gamma_c, b_c = gains("gamma_c"), biases("b_c")
    eps = Hyper(1e-5)

    i    = sigma(gamma_xi * normalize(W_i @ x[t], eps) + gamma_hi * normalize(U_i @ h[t-1], eps) + b_i)
    f    = sigma(gamma_xf * normalize(W_f @ x[t], eps) + gamma_hf * normalize(U_f @ h[t-1], eps) + b_f)
    g    = tanh(gamma_xg * normalize(W_g @ x[t], eps) + gamma_hg * normalize(U_g @ h[t-1], eps) + b_g)
    o    = sigma(gamma_xo * normalize(W_o @ x[t], eps) + gamma_ho * normalize(U_o @ h[t-1], eps) + b_o)
    c[t] = f * c[t-1] + i * g
    h[t] = o * tanh(gamma_c * normalize(c[t], eps) + b_c)
    # fmt: on
