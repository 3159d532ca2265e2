# Source: github pytorch/extension-cpp, python/lltm_baseline.py. The statements are ours, the equations and names
# are published there. Rows are examples, gates in the order input, output, candidate.
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def elu(z):
    return np.where(z > 0, z, np.exp(z) - 1)


def d_sigmoid(z):
    s = sigmoid(z)
    return (1 - s) * s


def d_tanh(z):
    return 1 - np.tanh(z) ** 2


def d_elu(z):
    return np.where(z > 0, 1, np.exp(z))


# forward
X = np.concatenate([old_h, input], axis=1)
gate_weights = X @ weights.T + bias
gates = np.split(gate_weights, 3, axis=1)
input_gate = sigmoid(gates[0])
output_gate = sigmoid(gates[1])
candidate_cell = elu(gates[2])
new_cell = old_cell + candidate_cell * input_gate
new_h = np.tanh(new_cell) * output_gate

# backward: grad_h and grad_cell come from the loss and later steps
d_output_gate = np.tanh(new_cell) * grad_h
d_tanh_new_cell = output_gate * grad_h
d_new_cell = d_tanh(new_cell) * d_tanh_new_cell + grad_cell
d_old_cell = d_new_cell
d_candidate_cell = input_gate * d_new_cell
d_input_gate = candidate_cell * d_new_cell
d_input_gate *= d_sigmoid(gates[0])
d_output_gate *= d_sigmoid(gates[1])
d_candidate_cell *= d_elu(gates[2])
d_gates = np.concatenate([d_input_gate, d_output_gate, d_candidate_cell], axis=1)
d_weights = d_gates.T @ X
d_bias = d_gates.sum(axis=0, keepdims=True)
d_X = d_gates @ weights
d_old_h, d_input = d_X[:, :state_size], d_X[:, state_size:]
