# Source: a fork of github nicodjimenez/lstm with h = tanh(s) * o (author unknown). The statements are ours, the
# equations and names are published there.
import numpy as np

# forward
xc = np.hstack((x, h_prev))
g = np.tanh(np.dot(wg, xc) + bg)
i = sigmoid(np.dot(wi, xc) + bi)
f = sigmoid(np.dot(wf, xc) + bf)
o = sigmoid(np.dot(wo, xc) + bo)
s = g * i + s_prev * f
h = np.tanh(s) * o

# backward; top_diff_h is the gradient of h, top_diff_s what s receives from the step after
ds = o * (1 - np.tanh(s) ** 2) * top_diff_h + top_diff_s
do = s * top_diff_h
di = g * ds
dg = i * ds
df = s_prev * ds
di_input = (1 - i) * i * di
df_input = (1 - f) * f * df
do_input = (1 - o) * o * do
dg_input = (1 - g**2) * dg
wi_diff += np.outer(di_input, xc)
wf_diff += np.outer(df_input, xc)
wo_diff += np.outer(do_input, xc)
wg_diff += np.outer(dg_input, xc)
dxc = np.dot(wi.T, di_input) + np.dot(wf.T, df_input) + np.dot(wo.T, do_input) + np.dot(wg.T, dg_input)
bottom_diff_s = ds * f
bottom_diff_h = dxc[x_dim:]
