# Source: github sjy1243143783/test, notebook with a class RNN, backward(). The statements are ours, the equations and
# names are published there. One sequence, rows; the loss is half the squared error of the one output y.
import numpy as np

h = h0
hidden_states = []
for t in range(T):
    h = np.tanh(inputs[t] @ W_x + h @ W_h + b_h)
    hidden_states.append(h)
y = h @ W_y + b_y
loss = 0.5 * np.sum((y - y_true) ** 2)

d_h_next = np.zeros_like(h)
for t in reversed(range(T)):
    d_y = y_true - y
    d_h = d_y @ W_y.T + d_h_next
    d_raw = (1 - hidden_states[t] ** 2) * d_h
    d_W_x += np.outer(inputs[t], d_raw)
    d_W_h += np.outer(hidden_states[t - 1], d_raw)
    d_h_next = d_h @ W_h.T
