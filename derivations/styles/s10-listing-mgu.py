"""Minimal gated unit: forward and backward over a sequence, rows are examples.

Source: written for this collection, errors planted.
"""

import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_grad(y):  # y is the output
    return y * (1.0 - y)


def tanh_grad(y):  # y is the output
    return 1.0 - y * y


def forward(xs, h0, p):
    hs, fs, gs = {-1: h0}, {}, {}
    for t in range(len(xs)):
        fs[t] = sigmoid(xs[t] @ p.Wf + hs[t - 1] @ p.Uf + p.bf)
        gs[t] = np.tanh(xs[t] @ p.Wh + (fs[t] * hs[t - 1]) @ p.Uh + p.bh)
        hs[t] = (1.0 - fs[t]) * hs[t - 1] + fs[t] * gs[t]
    return hs, fs, gs


# dhs[t] is the loss's own gradient of hs[t]
def backward(xs, hs, fs, gs, dhs, p):
    dWf, dUf, dbf = np.zeros_like(p.Wf), np.zeros_like(p.Uf), np.zeros_like(p.bf)
    dWh, dUh, dbh = np.zeros_like(p.Wh), np.zeros_like(p.Uh), np.zeros_like(p.bh)
    carry = np.zeros_like(hs[-1])
    for t in reversed(range(len(xs))):
        dh = dhs[t] + carry
        dg = dh * fs[t]
        dag = dg * tanh_grad(gs[t])
        dfh = dag @ p.Uh.T
        df = dh * (gs[t] - hs[t - 1])
        daf = df * sigmoid_grad(fs[t])
        dWf += xs[t].T @ daf
        dUf += hs[t - 1].T @ daf
        dbf += daf.sum(axis=0)
        dWh += xs[t].T @ dag
        dUh += hs[t - 1].T @ dag
        dbh = dag.sum(axis=0)
        carry = dh * (1.0 - fs[t]) + dfh * fs[t] + daf @ p.Uf.T
    return dWf, dUf, dbf, dWh, dUh, dbh
