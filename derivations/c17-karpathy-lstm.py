"""A batched LSTM with one weight matrix, rows are examples, gate order i, f, o, g.

Source: A. Karpathy, gist 587454dc0146a6ae21fc. The statements are ours, the equations and names are published there.
"""

import numpy as np

# forward; Hin holds a one for the bias, the input and the last output
for t in range(n):
    prevh = Hout[t - 1] if t > 0 else h0
    prevc = C[t - 1] if t > 0 else c0
    Hin[t] = np.hstack([np.ones((b, 1)), X[t], prevh])
    IFOG[t] = Hin[t].dot(WLSTM)
    IFOGf[t, :, : 3 * d] = 1.0 / (1.0 + np.exp(-IFOG[t, :, : 3 * d]))
    IFOGf[t, :, 3 * d :] = np.tanh(IFOG[t, :, 3 * d :])
    C[t] = IFOGf[t, :, :d] * IFOGf[t, :, 3 * d :] + IFOGf[t, :, d : 2 * d] * prevc
    Ct[t] = np.tanh(C[t])
    Hout[t] = IFOGf[t, :, 2 * d : 3 * d] * Ct[t]

# backward; dHout and dC start as what the loss gives to every output and to the last state
for t in reversed(range(n)):
    tanhCt = Ct[t]
    dIFOGf[t, :, 2 * d : 3 * d] = tanhCt * dHout[t]
    dC[t] += (1 - tanhCt**2) * (IFOGf[t, :, 2 * d : 3 * d] * dHout[t])
    if t > 0:
        dIFOGf[t, :, d : 2 * d] = C[t - 1] * dC[t]
        dC[t - 1] += IFOGf[t, :, d : 2 * d] * dC[t]
    else:
        dIFOGf[t, :, d : 2 * d] = c0 * dC[t]
        dc0 = IFOGf[t, :, d : 2 * d] * dC[t]
    dIFOGf[t, :, :d] = IFOGf[t, :, 3 * d :] * dC[t]
    dIFOGf[t, :, 3 * d :] = IFOGf[t, :, :d] * dC[t]
    dIFOG[t, :, 3 * d :] = (1 - IFOGf[t, :, 3 * d :] ** 2) * dIFOGf[t, :, 3 * d :]
    y = IFOGf[t, :, : 3 * d]
    dIFOG[t, :, : 3 * d] = (y * (1.0 - y)) * dIFOGf[t, :, : 3 * d]
    dWLSTM += np.dot(Hin[t].T, dIFOG[t])
    dHin[t] = dIFOG[t].dot(WLSTM.T)
    dX[t] = dHin[t, :, 1 : 1 + m]
    if t > 0:
        dHout[t - 1] += dHin[t, :, 1 + m :]
    else:
        dh0 = dHin[t, :, 1 + m :]
