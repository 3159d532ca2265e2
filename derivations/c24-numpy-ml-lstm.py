# Source: github ddbourgin/numpy-ml, LSTMCell before 2019-12-19 (issue 42). The statements are ours, the equations
# and names are published there. Rows are examples; dA and dC are what A and C get from loss and later steps.
import numpy as np


def forward(Xt, A_prev, C_prev):
    Zt = np.hstack([A_prev, Xt])
    Gft = sigmoid(Zt @ Wf + bf)
    Gut = sigmoid(Zt @ Wu + bu)
    Cct = np.tanh(Zt @ Wc + bc)
    Ct = Gft * C_prev + Gut * Cct
    Got = sigmoid(Zt @ Wo + bo)
    At = Got * np.tanh(Ct)
    return At, Ct


def backward(dA, dC):
    _Gf = Zt @ Wf + bo
    _Gu = Zt @ Wu + bo
    _Go = Zt @ Wo + bo
    _Gc = Zt @ Wc + bc
    dGo = dA * np.tanh(Ct) * sigmoid(_Go) * (1 - sigmoid(_Go))
    dC = dC + dA * Got * (1 - np.tanh(Ct) ** 2)
    dCc = dC * Gut * (1 - np.tanh(_Gc) ** 2)
    dGu = dC * Cct * sigmoid(_Gu) * (1 - sigmoid(_Gu))
    dGf = dC * C_prev * sigmoid(_Gf) * (1 - sigmoid(_Gf))
    dZ = dGf @ Wf.T + dGu @ Wu.T + dCc @ Wc.T + dGo @ Wo.T
    dA_prev = dZ[:, :n_out]
    dXt = dZ[:, n_out:]
    dC_prev = Gft * dC
    dWf += Zt.T @ dGf
    dWu += Zt.T @ dGu
    dWc += Zt.T @ dCc
    dWo += Zt.T @ dGo
    dbf += dGf.sum(axis=0)
    return dXt, dA_prev, dC_prev
