# Source: github junhyukoh/caffe-lstm, src/caffe/layers/lstm_layer.cpp, Backward_cpu. The statements are NumPy and ours,
# the equations and names are published there. Rows are the N_ examples of the batch; gates i, f, o, g.
import numpy as np

for t in range(T_):
    pre_gate = x[t] @ W_i.T + h[t - 1] @ W_h.T + b
    i[t], f[t], o[t] = sigmoid(pre_gate[:, :H_]), sigmoid(pre_gate[:, H_ : 2 * H_]), sigmoid(pre_gate[:, 2 * H_ : 3 * H_])
    g[t] = np.tanh(pre_gate[:, 3 * H_ :])
    c[t] = f[t] * c[t - 1] + i[t] * g[t]
    h[t] = o[t] * np.tanh(c[t])

# h[-1] is the initial state h_0; dh and dc start as the loss's own gradients
for t in reversed(range(T_)):
    tanh_c = np.tanh(c[t])
    do = dh[t] * tanh_c
    dc[t] += dh[t] * o[t] * (1 - tanh_c * tanh_c)
    dc[t - 1] += dc[t] * f[t]
    df = dc[t] * c[t - 1]
    di = dc[t] * g[t]
    dg = dc[t] * i[t]
    pre_gate_diff[t] = np.hstack([di * i[t] * (1 - i[t]), df * f[t] * (1 - f[t]), do * o[t] * (1 - o[t]), dg * (1 - g[t] * g[t])])
    dh[t - 1] += pre_gate_diff[t] @ W_h
    W_i_diff += pre_gate_diff[t].T @ x[t]
    if t > 0:
        W_h_diff += pre_gate_diff[t].T @ h[t - 1]
    b_diff += pre_gate_diff[t].sum(axis=0)

# the term of the first step, with the initial state: the source gives the product an inner size of 1
W_h_diff += pre_gate_diff[0][:1].T @ h[-1][:1]
