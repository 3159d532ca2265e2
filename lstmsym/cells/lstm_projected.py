"""LSTM with a recurrent projection (LSTMP).

Sak, Senior & Beaufays 2014, arXiv 1402.1128, without the non-recurrent projection; PyTorch's
``proj_size``. h has p entries, c has n:

    i, f, o_t = sigma(W x_t + U h_{t-1} + b)      g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)
    c_t = f_t * c_{t-1} + i_t * g_t
    h_t = W_r (o_t * tanh(c_t))
"""

from lstmsym.cell import Cell
from lstmsym.declare import Input, State, biases, weights
from lstmsym.notation import p, sigma, t, tanh


class LSTMProjected(Cell):
    """LSTM whose output is projected: h = W_r (o * tanh(c))."""

    # fmt: off
    x    = Input()
    h, c = State(p), State()
    W_i, W_f, W_g, W_o = weights("W_i W_f W_g W_o")
    U_i, U_f, U_g, U_o = weights("U_i U_f U_g U_o")
    b_i, b_f, b_g, b_o = biases("b_i b_f b_g b_o")
    W_r = weights("W_r")

    i    = sigma(W_i @ x[t] + U_i @ h[t-1] + b_i)
    f    = sigma(W_f @ x[t] + U_f @ h[t-1] + b_f)
    g    = tanh (W_g @ x[t] + U_g @ h[t-1] + b_g)
    o    = sigma(W_o @ x[t] + U_o @ h[t-1] + b_o)
    c[t] = f * c[t-1] + i * g
    h[t] = W_r @ (o * tanh(c[t]))
    # fmt: on
