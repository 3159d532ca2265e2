"""LSTM with forget gate, one matrix a gate acting on [h, x].

Hochreiter & Schmidhuber 1997, Neural Computation 9(8); forget gate: Gers, Schmidhuber & Cummins
2000; in the concatenated form of Olah 2015, "Understanding LSTM Networks", where g is C~:

    i_t = sigma(W_i [h_{t-1}, x_t] + b_i)        g_t = tanh(W_g [h_{t-1}, x_t] + b_g)
    f_t = sigma(W_f [h_{t-1}, x_t] + b_f)        o_t = sigma(W_o [h_{t-1}, x_t] + b_o)
    c_t = f_t * c_{t-1} + i_t * g_t              h_t = o_t * tanh(c_t)
"""

from lstmsym.cell import Cell
from lstmsym.declare import Input, State, biases, weights
from lstmsym.notation import concat, sigma, t, tanh


class LSTM(Cell):
    """Long short-term memory, concatenated form: h = o * tanh(c)."""

    # fmt: off
    x    = Input()
    h, c = State(), State()
    W_i, W_f, W_g, W_o = weights("W_i W_f W_g W_o")
    b_i, b_f, b_g, b_o = biases("b_i b_f b_g b_o")

    i    = sigma(W_i @ concat(h[t-1], x[t]) + b_i)
    f    = sigma(W_f @ concat(h[t-1], x[t]) + b_f)
    g    = tanh (W_g @ concat(h[t-1], x[t]) + b_g)
    o    = sigma(W_o @ concat(h[t-1], x[t]) + b_o)
    c[t] = f * c[t-1] + i * g
    h[t] = o * tanh(c[t])
    # fmt: on
