# Source: PyTorch, aten/src/ATen/native/RNN.cpp, _thnn_differentiable_lstm_cell_backward.
# The statements are ours, the equations and names are published there. Rows are examples.
import numpy as np


def sigmoid_backward(grad, y):
    return grad * (1 - y) * y


def tanh_backward(grad, y):
    return grad * (1 - y**2)


# forward
gates = input @ w_ih.T + hx @ w_hh.T + bias
i, f, g, o = np.split(gates, 4, axis=1)
i, f, g, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(g), 1 / (1 + np.exp(-o))
cy = f * cx + i * g
hy = o * np.tanh(cy)

# backward: grad_hy and grad_cy come from loss and later steps
gcx = np.tanh(cy)
gog = sigmoid_backward(grad_hy * gcx, o)
gcx = tanh_backward(grad_hy * o, gcx) + grad_cy
gig = sigmoid_backward(gcx * g, i)
gfg = sigmoid_backward(gcx * cx, f)
gcg = tanh_backward(gcx * i, g)
gcx = gcx * f
