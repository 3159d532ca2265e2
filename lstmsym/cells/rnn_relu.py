"""Simple recurrent network, rectified linear.

Le, Jaitly & Hinton 2015, arXiv 1504.00941 (there with U starting at the identity):

    h_t = relu(W x_t + U h_{t-1} + b)
"""

from lstmsym.cell import Cell
from lstmsym.declare import Input, State, biases, weights
from lstmsym.notation import relu, t


class RNNRelu(Cell):
    """Simple recurrent network: h = relu(W x + U h + b)."""

    # fmt: off
    x = Input()
    h = State()
    W, U = weights("W U")
    b = biases("b")

    h[t] = relu(W @ x[t] + U @ h[t-1] + b)
    # fmt: on
