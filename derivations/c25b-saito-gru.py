# Source: K. Saito, Deep Learning from Scratch 2, github oreilly-japan/deep-learning-from-scratch-2, common/time_layers.py.
# The statements are ours, the equations and names are published there. Rows are examples.
import numpy as np

z = sigmoid(np.dot(x, Wxz) + np.dot(h_prev, Whz) + bz)
r = sigmoid(np.dot(x, Wxr) + np.dot(h_prev, Whr) + br)
h_hat = np.tanh(np.dot(x, Wxh) + np.dot(r * h_prev, Whh) + bh)
h_next = (1 - z) * h_prev + z * h_hat

# backward: dh_next is the gradient of h_next
dh_hat = dh_next * z
dh_prev = dh_next * (1 - z)
dt = dh_hat * (1 - h_hat**2)
dbh = np.sum(dt, axis=0)
dWhh = np.dot((r * h_prev).T, dt)
dhr = np.dot(dt, Whh.T)
dWxh = np.dot(x.T, dt)
dx = np.dot(dt, Wxh.T)
dh_prev += r * dhr
dz = dh_next * h_hat - dh_next * h_prev
dt = dz * z * (1 - z)
dWhz = np.dot(h_prev.T, dt)
dh_prev += np.dot(dt, Whz.T)
dWxz = np.dot(x.T, dt)
dx += np.dot(dt, Wxz.T)
dr = dhr * h_prev
dt = dr * r * (1 - r)
dWhr = np.dot(h_prev.T, dt)
dh_prev += np.dot(dt, Whr.T)
dWxr = np.dot(x.T, dt)
dx += np.dot(dt, Wxr.T)
