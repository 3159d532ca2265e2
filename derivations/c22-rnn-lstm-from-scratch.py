# Source: github CaptainE/RNN-LSTM-in-numpy and nicklashansen/rnn_lstm_from_scratch, notebook RNN_LSTM_from_scratch.
# The statements are ours, the equations and names are published there.
import numpy as np


def sigmoid(x, derivative=False):
    x_safe = x + 1e-12
    f = 1 / (1 + np.exp(-x_safe))
    if derivative:
        return f * (1 - f)
    return f


def tanh(x, derivative=False):
    f = np.tanh(x)
    if derivative:
        return 1 - f**2
    return f


def forward(inputs):
    for t in range(T):
        z = np.vstack((h_prev, inputs[t]))
        f_s[t] = sigmoid(np.dot(W_f, z) + b_f)
        i_s[t] = sigmoid(np.dot(W_i, z) + b_i)
        g_s[t] = tanh(np.dot(W_g, z) + b_g)
        o_s[t] = sigmoid(np.dot(W_o, z) + b_o)
        C_s[t] = f_s[t] * C_prev + i_s[t] * g_s[t]
        h_s[t] = o_s[t] * tanh(C_s[t])
        output_s[t] = softmax(np.dot(W_v, h_s[t]) + b_v)
        h_prev, C_prev = h_s[t], C_s[t]


# the loss is the cross entropy of every output with its target, summed over time
def backward(targets):
    dh_next = np.zeros_like(h_s[0])
    dC_next = np.zeros_like(C_s[0])
    for t in reversed(range(T)):
        C_prev = C_s[t - 1]
        dv = np.copy(output_s[t])
        dv[np.argmax(targets[t])] -= 1
        W_v_d += np.dot(dv, h_s[t].T)
        dh = np.dot(W_v.T, dv)
        dh += dh_next
        do = dh * tanh(C_s[t])
        do = sigmoid(o_s[t], derivative=True) * do
        dC = np.copy(dC_next)
        dC += dh * o_s[t] * tanh(tanh(C_s[t]), derivative=True)
        dg = dC * i_s[t]
        dg = tanh(g_s[t], derivative=True) * dg
        di = dC * g_s[t]
        di = sigmoid(i_s[t], derivative=True) * di
        df = dC * C_prev
        df = sigmoid(f_s[t]) * df
        W_f_d += np.dot(df, z_s[t].T)
        W_i_d += np.dot(di, z_s[t].T)
        dz = np.dot(W_f.T, df) + np.dot(W_i.T, di) + np.dot(W_g.T, dg) + np.dot(W_o.T, do)
        dh_prev = dz[:hidden_size, :]
        dC_prev = f_s[t] * dC
