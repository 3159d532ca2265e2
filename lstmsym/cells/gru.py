"""Gated recurrent unit, reset before the product.

Cho et al. 2014, arXiv 1406.1078v3, with the update gate as in Chung et al. 2014, arXiv 1412.3555,
and Olah 2015; n is the candidate, biases added:

    z_t = sigma(W_z x_t + U_z h_{t-1} + b_z)
    r_t = sigma(W_r x_t + U_r h_{t-1} + b_r)
    n_t = tanh(W_n x_t + U_n (r_t * h_{t-1}) + b_n)
    h_t = (1 - z_t) * h_{t-1} + z_t * n_t
"""

from lstmsym.cell import Cell
from lstmsym.declare import Input, State, biases, weights
from lstmsym.notation import sigma, t, tanh


class GRU(Cell):
    """Gated recurrent unit: the reset gate acts before the product; h = (1 - z) * h + z * n."""

    # fmt: off
    x = Input()
    h = State()
    W_z, W_r, W_n = weights("W_z W_r W_n")
    U_z, U_r, U_n = weights("U_z U_r U_n")
    b_z, b_r, b_n = biases("b_z b_r b_n")

    z    = sigma(W_z @ x[t] + U_z @ h[t-1] + b_z)
    r    = sigma(W_r @ x[t] + U_r @ h[t-1] + b_r)
    n    = tanh (W_n @ x[t] + U_n @ (r * h[t-1]) + b_n)
    h[t] = (1 - z) * h[t-1] + z * n
    # fmt: on
