"""The LSTM layer of a textbook, one step, rows are examples.

Source: K. Saito, Deep Learning from Scratch 2, github oreilly-japan/deep-learning-from-scratch-2,
common/time_layers.py. The statements are ours, the equations and names are published there.
"""

import numpy as np


class LSTM:
    def forward(self, x, h_prev, c_prev):
        A = np.dot(x, self.Wx) + np.dot(h_prev, self.Wh) + self.b
        f = sigmoid(A[:, :H])
        g = np.tanh(A[:, H : 2 * H])
        i = sigmoid(A[:, 2 * H : 3 * H])
        o = sigmoid(A[:, 3 * H :])
        c_next = f * c_prev + g * i
        h_next = o * np.tanh(c_next)
        return h_next, c_next

    def backward(self, dh_next, dc_next):
        tanh_c_next = np.tanh(c_next)
        ds = dc_next + (dh_next * o) * (1 - tanh_c_next**2)
        dc_prev = ds * f
        di = ds * g
        df = ds * c_prev
        do = dh_next * tanh_c_next
        dg = ds * i
        di *= i * (1 - i)
        df *= f * (1 - f)
        do *= o * (1 - o)
        dg *= 1 - g**2
        dA = np.hstack((df, dg, di, do))
        dWh = np.dot(h_prev.T, dA)
        dWx = np.dot(x.T, dA)
        db = dA.sum(axis=0)
        dx = np.dot(dA, self.Wx.T)
        dh_prev = np.dot(dA, self.Wh.T)
        return dx, dh_prev, dc_prev
