"""LSTM with diagonal peepholes.

Gers, Schraudolph & Schmidhuber 2002, JMLR 3; as in Greff et al. 2017, arXiv 1503.04069. The
output gate sees the new cell state:

    i_t = sigma(W_i x_t + U_i h_{t-1} + p_i * c_{t-1} + b_i)
    f_t = sigma(W_f x_t + U_f h_{t-1} + p_f * c_{t-1} + b_f)
    g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)
    c_t = f_t * c_{t-1} + i_t * g_t
    o_t = sigma(W_o x_t + U_o h_{t-1} + p_o * c_t + b_o)
    h_t = o_t * tanh(c_t)
"""

from lstmsym.cell import Cell
from lstmsym.declare import Input, State, biases, vectors, weights
from lstmsym.notation import sigma, t, tanh


class LSTMPeephole(Cell):
    """LSTM whose gates see the cell state through vectors p."""

    # fmt: off
    x    = Input()
    h, c = State(), State()
    W_i, W_f, W_g, W_o = weights("W_i W_f W_g W_o")
    U_i, U_f, U_g, U_o = weights("U_i U_f U_g U_o")
    b_i, b_f, b_g, b_o = biases("b_i b_f b_g b_o")
    p_i, p_f, p_o      = vectors("p_i p_f p_o")

    i    = sigma(W_i @ x[t] + U_i @ h[t-1] + p_i * c[t-1] + b_i)
    f    = sigma(W_f @ x[t] + U_f @ h[t-1] + p_f * c[t-1] + b_f)
    g    = tanh (W_g @ x[t] + U_g @ h[t-1] + b_g)
    c[t] = f * c[t-1] + i * g
    o    = sigma(W_o @ x[t] + U_o @ h[t-1] + p_o * c[t] + b_o)
    h[t] = o * tanh(c[t])
    # fmt: on
