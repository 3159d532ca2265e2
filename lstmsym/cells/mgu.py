"""Minimal gated unit.

Zhou, Wu, Zhang & Zhou 2016, arXiv 1603.09420:

    f_t = sigma(W_f x_t + U_f h_{t-1} + b_f)
    n_t = tanh(W_n x_t + U_n (f_t * h_{t-1}) + b_n)
    h_t = (1 - f_t) * h_{t-1} + f_t * n_t
"""

from lstmsym.cell import Cell
from lstmsym.declare import Input, State, biases, weights
from lstmsym.notation import sigma, t, tanh


class MGU(Cell):
    """Minimal gated unit: one gate f for reset and update."""

    # fmt: off
    x = Input()
    h = State()
    W_f, W_n = weights("W_f W_n")
    U_f, U_n = weights("U_f U_n")
    b_f, b_n = biases("b_f b_n")

    f    = sigma(W_f @ x[t] + U_f @ h[t-1] + b_f)
    n    = tanh (W_n @ x[t] + U_n @ (f * h[t-1]) + b_n)
    h[t] = (1 - f) * h[t-1] + f * n
    # fmt: on
