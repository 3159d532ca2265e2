"""LSTM with coupled input and forget gates (CIFG).

Greff et al. 2017, "LSTM: A Search Space Odyssey", arXiv 1503.04069:

    i_t = sigma(W_i x_t + U_i h_{t-1} + b_i)
    g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)
    o_t = sigma(W_o x_t + U_o h_{t-1} + b_o)
    c_t = (1 - i_t) * c_{t-1} + i_t * g_t
    h_t = o_t * tanh(c_t)
"""

from lstmsym.cell import Cell
from lstmsym.declare import Input, State, biases, weights
from lstmsym.notation import sigma, t, tanh


class LSTMCoupled(Cell):
    """LSTM with f = 1 - i."""

    # fmt: off
    x    = Input()
    h, c = State(), State()
    W_i, W_g, W_o = weights("W_i W_g W_o")
    U_i, U_g, U_o = weights("U_i U_g U_o")
    b_i, b_g, b_o = biases("b_i b_g b_o")

    i    = sigma(W_i @ x[t] + U_i @ h[t-1] + b_i)
    g    = tanh (W_g @ x[t] + U_g @ h[t-1] + b_g)
    o    = sigma(W_o @ x[t] + U_o @ h[t-1] + b_o)
    c[t] = (1 - i) * c[t-1] + i * g
    h[t] = o * tanh(c[t])
    # fmt: on
