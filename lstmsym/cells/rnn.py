"""Simple recurrent network, tanh.

Elman 1990, "Finding structure in time", Cognitive Science 14(2):

    h_t = tanh(W x_t + U h_{t-1} + b)
"""

from lstmsym.cell import Cell
from lstmsym.declare import Input, State, biases, weights
from lstmsym.notation import t, tanh


class RNN(Cell):
    """Simple recurrent network: h = tanh(W x + U h + b)."""

    # fmt: off
    x = Input()
    h = State()
    W, U = weights("W U")
    b = biases("b")

    h[t] = tanh(W @ x[t] + U @ h[t-1] + b)
    # fmt: on
