"""The seed document's derivation of the LSTM's backward pass, and its listing, line by line.

A Chinese digest of C. Olah, "Understanding LSTM Networks" (2015), and N. Jimenez, "Simple LSTM"
(2014): its derivation and listing are the latter's, for h = s * o.  It presents that form as the
former's rewritten, h = o * tanh(C), with which the listing is wrong: the second page says where.
In it L(t) = l(t) + l(t+1) + ... + l(T), top_diff_h is dL(t)/dh(t), and top_diff_s is what step t+1
sends back to s(t).
"""

from lstmsym.cell import Cell
from lstmsym.cells.nicodjimenez import Nicodjimenez
from lstmsym.declare import Input, State, Target, biases, weights
from lstmsym.notation import concat, sigma, sum, t, tanh
from lstmsym.verify.claims import Claims


class Rewritten(Cell):
    """The LSTM that the seed document presents as the same: h = o * tanh(s), in the names of the listing."""

    # fmt: off
    x, y = Input(), Target()
    h, s = State(), State()
    W_g, W_i, W_f, W_o = weights("W_g W_i W_f W_o")
    b_g, b_i, b_f, b_o = biases("b_g b_i b_f b_o")

    x_c  = concat(x[t], h[t-1])
    g    = tanh (W_g @ x_c + b_g)
    i    = sigma(W_i @ x_c + b_i)
    f    = sigma(W_f @ x_c + b_f)
    o    = sigma(W_o @ x_c + b_o)
    s[t] = g * i + s[t-1] * f
    h[t] = o * tanh(s[t])
    l    = sum((h[t] - y[t])**2)
    # fmt: on


# fmt: off
class Derivation(Claims, of=Nicodjimenez):
    """Seed document, derivation and listing for h = s * o (after nicodjimenez.github.io, 2014)."""

    top_diff_h = dh
    top_diff_s = ds_prev[t+1]

    claim("forward", h[t], s[t] * o)
    claim("rewritten", h[t], o * tanh(s[t]))
    claim("dL/dh", D(L[t], h[t]), 2 * (h[t] - y[t]) + D(L[t+1], h[t]))
    claim("dL/dW_i", dW_i, ChainSum(W_i))
    claim("label 1", top_diff_h, D(L[t], h[t]))
    claim("label 2", top_diff_s, D(L[t+1], s[t]))
    claim("label 3", ds * f, D(L[t], s[t]))
    claim("label 4", dx_c[m:], D(L[t], h[t-1]))
    claim("label 5", dx_c, D(L[t], x_c[t]))

    claim("ds, line 1", D(L[t], s[t]), D(L[t], h[t]) * D(h[t], s[t]) + D(L[t], h[t+1]) * D(h[t+1], s[t]))
    claim("ds, line 2", D(L[t], s[t]), D(L[t], h[t]) * D(h[t], s[t]) + D(L[t+1], h[t+1]) * D(h[t+1], s[t]))
    claim("ds, line 3", D(L[t], s[t]), D(L[t], h[t]) * D(h[t], s[t]) + D(L[t+1], s[t]))
    claim("ds, line 4", D(L[t], s[t]), D(L[t], h[t]) * D(h[t], s[t]) + top_diff_s)
    claim("o * dh", D(L[t], h[t]) * D(h[t], s[t]), o * top_diff_h)

    ds = o * top_diff_h + top_diff_s
    do = s[t] * top_diff_h
    di = g * ds
    dg = i * ds
    df = s[t-1] * ds
    da_i = (1 - i) * i * di
    da_f = (1 - f) * f * df
    da_o = (1 - o) * o * do
    da_g = (1 - g**2) * dg
    dW_i += outer(da_i, x_c)
    dW_f += outer(da_f, x_c)
    dW_o += outer(da_o, x_c)
    dW_g += outer(da_g, x_c)
    db_i += da_i
    db_f += da_f
    db_o += da_o
    db_g += da_g
    dx_c = W_i.T @ da_i + W_f.T @ da_f + W_o.T @ da_o + W_g.T @ da_g
    ds_prev = ds * f
    dx = dx_c[:m]
    dh_prev = dx_c[m:]


class Listing(Claims, of=Rewritten):
    """The same listing held against the form the document calls the same, h = o * tanh(s)."""

    top_diff_h = dh
    top_diff_s = ds_prev[t+1]

    ds = o * top_diff_h + top_diff_s
    do = s[t] * top_diff_h
    di = g * ds
    dg = i * ds
    df = s[t-1] * ds
    da_i = (1 - i) * i * di
    da_f = (1 - f) * f * df
    da_o = (1 - o) * o * do
    da_g = (1 - g**2) * dg
    dW_i += outer(da_i, x_c)
    dW_f += outer(da_f, x_c)
    dW_o += outer(da_o, x_c)
    dW_g += outer(da_g, x_c)
    db_i += da_i
    db_f += da_f
    db_o += da_o
    db_g += da_g
    dx_c = W_i.T @ da_i + W_f.T @ da_f + W_o.T @ da_o + W_g.T @ da_g
    ds_prev = ds * f
    dx = dx_c[:m]
    dh_prev = dx_c[m:]
