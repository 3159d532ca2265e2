"""LSTM without the output tanh, as implemented by nicodjimenez/lstm.

N. Jimenez 2014, "Simple LSTM" (after Lipton et al. 2015, arXiv 1506.00019, without the output
activation); the second LSTM of the seed document, with its squared error:

    x_c(t) = [x(t), h(t-1)]
    g(t) = tanh(W_g x_c(t) + b_g)       i, f, o(t) = sigma(W x_c(t) + b)
    s(t) = g(t) * i(t) + s(t-1) * f(t)  h(t) = s(t) * o(t)      l(t) = ||h(t) - y(t)||^2
"""

from lstmsym.cell import Cell
from lstmsym.declare import Input, State, Target, biases, weights
from lstmsym.notation import concat, sigma, sum, t, tanh


class Nicodjimenez(Cell):
    """Simple LSTM: h = s * o, with the squared error as loss."""

    # fmt: off
    x, y = Input(), Target()
    h, s = State(), State()
    W_i, W_f, W_o, W_g = weights("W_i W_f W_o W_g")
    b_i, b_f, b_o, b_g = biases("b_i b_f b_o b_g")

    x_c  = concat(x[t], h[t-1])
    g    = tanh (W_g @ x_c + b_g)
    i    = sigma(W_i @ x_c + b_i)
    f    = sigma(W_f @ x_c + b_f)
    o    = sigma(W_o @ x_c + b_o)
    s[t] = g * i + s[t-1] * f
    h[t] = s[t] * o
    l    = sum((h[t] - y[t])**2)
    # fmt: on
