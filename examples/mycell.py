"""A cell of your own: an LSTM whose forget gate is its input gate's complement, leaking a little.

lstmsym derive   examples/mycell.py:MyCell
lstmsym generate examples/mycell.py:MyCell --backend numpy --out .
lstmsym check    examples/mycell.py:MyCell
"""

from lstmsym import Cell, Hyper, Input, State, biases, sigma, t, tanh, weights


class MyCell(Cell):
    """Leaky coupled LSTM: c = (1 - leak) * (1 - i) * c + i * g."""

    # fmt: off
    x    = Input()
    h, c = State(), State()
    leak = Hyper(0.01)
    W_i, W_g, W_o = weights("W_i W_g W_o")
    U_i, U_g, U_o = weights("U_i U_g U_o")
    b_i, b_g, b_o = biases("b_i b_g b_o")

    i    = sigma(W_i @ x[t] + U_i @ h[t-1] + b_i)
    g    = tanh (W_g @ x[t] + U_g @ h[t-1] + b_g)
    o    = sigma(W_o @ x[t] + U_o @ h[t-1] + b_o)
    c[t] = (1 - leak) * (1 - i) * c[t-1] + i * g
    h[t] = o * tanh(c[t])
    # fmt: on
