"""Gated recurrent unit, reset after the product.

Cho et al. 2014, arXiv 1406.1078v1; the form of cuDNN, PyTorch and Keras (reset_after=True), with z
keeping the old state and a bias of its own inside the reset:

    z_t = sigma(W_z x_t + U_z h_{t-1} + b_z)
    r_t = sigma(W_r x_t + U_r h_{t-1} + b_r)
    n_t = tanh(W_n x_t + b_n + r_t * (U_n h_{t-1} + d_n))
    h_t = (1 - z_t) * n_t + z_t * h_{t-1}
"""

from lstmsym.cell import Cell
from lstmsym.declare import Input, State, biases, weights
from lstmsym.notation import sigma, t, tanh


class GRUResetAfter(Cell):
    """Gated recurrent unit of cuDNN: the reset gate acts after the product; h = (1 - z) * n + z * h."""

    # fmt: off
    x = Input()
    h = State()
    W_z, W_r, W_n = weights("W_z W_r W_n")
    U_z, U_r, U_n = weights("U_z U_r U_n")
    b_z, b_r, b_n, d_n = biases("b_z b_r b_n d_n")

    z    = sigma(W_z @ x[t] + U_z @ h[t-1] + b_z)
    r    = sigma(W_r @ x[t] + U_r @ h[t-1] + b_r)
    n    = tanh (W_n @ x[t] + b_n + r * (U_n @ h[t-1] + d_n))
    h[t] = (1 - z) * n + z * h[t-1]
    # fmt: on
