# Source: PyTorch, aten/src/ATen/native/RNN.cpp, _thnn_differentiable_gru_cell_backward.
# The statements are ours, the equations and names are published there. Rows are examples.
import numpy as np


def sigmoid_backward(grad, y):
    return grad * (1 - y) * y


def tanh_backward(grad, y):
    return grad * (1 - y**2)


# forward; r, i, n in the columns of the weights
ir, ii, in_ = np.split(input @ w_ih.T + b_ih, 3, axis=1)
hr, hi, hn = np.split(hx @ w_hh.T + b_hh, 3, axis=1)
rg = 1 / (1 + np.exp(-(ir + hr)))
ig = 1 / (1 + np.exp(-(ii + hi)))
ng = np.tanh(in_ + rg * hn)
hy = (1 - ig) * ng + ig * hx

# backward
grad_hx = grad_hy * ig
gig = sigmoid_backward(grad_hy * (hx - ng), ig)
gin = tanh_backward(grad_hy * (1 - ig), ng)
ghn = gin * rg
grg = sigmoid_backward(gin * hn, rg)
grad_input_gates = np.concatenate((grg, gig, gin), axis=1)
grad_hidden_gates = np.concatenate((grg, gig, ghn), axis=1)
grad_w_hh += grad_hidden_gates.T @ hx
grad_w_ih += grad_input_gates.T @ input
grad_hx += grad_hidden_gates @ w_hh
