# Source: github Kulbear/deep-learning-coursera, Building a Recurrent Neural Network - Step by Step - v2, lstm_backward.
# The statements are ours, the equations and names are published there. Columns are examples.
import numpy as np


def lstm_forward():
    for t in range(T_x):
        concat = np.concatenate((a_prev, x[:, :, t]), axis=0)
        ft = sigmoid(np.dot(Wf, concat) + bf)
        it = sigmoid(np.dot(Wi, concat) + bi)
        cct = np.tanh(np.dot(Wc, concat) + bc)
        c_next = ft * c_prev + it * cct
        ot = sigmoid(np.dot(Wo, concat) + bo)
        a_next = ot * np.tanh(c_next)
        a_prev, c_prev = a_next, c_next


# da holds the loss's own gradient of every a
def lstm_backward(da):
    da_prevt = np.zeros((n_a, m))
    dc_prevt = np.zeros((n_a, m))
    for t in reversed(range(T_x)):
        da_next = da[:, :, t] + da_prevt
        dc_next = dc_prevt
        dot = da_next * np.tanh(c_next) * ot * (1 - ot)
        dcct = (dc_next * it + ot * (1 - np.tanh(c_next) ** 2) * it * da_next) * (1 - cct**2)
        dit = (dc_next * cct + ot * (1 - np.tanh(c_next) ** 2) * cct * da_next) * it * (1 - it)
        dft = (dc_next * c_prev + ot * (1 - np.tanh(c_next) ** 2) * c_prev * da_next) * ft * (1 - ft)
        dWf += np.dot(dft, concat.T)
        dWi += np.dot(dit, concat.T)
        dWc += np.dot(dcct, concat.T)
        dWo += np.dot(dot, concat.T)
        dbf += np.sum(dft, axis=1, keepdims=True)
        da_prev = np.dot(Wf[:, :n_a].T, dft) + np.dot(Wi[:, :n_a].T, dit) + np.dot(Wc[:, :n_a].T, dcct) + np.dot(Wo[:, :n_a].T, dot)
        dc_prev = dc_next * ft + ot * (1 - np.tanh(c_next) ** 2) * ft * da_next
    return dWf, dWi, dWc, dWo
