"""The seed document's derivation of the LSTM's backward pass, and its listing, line by line.

A Chinese digest of C. Olah, "Understanding LSTM Networks" (2015), and N. Jimenez, "Simple LSTM"
(2014).  Labels number its claims in order, lines are those of the document.  Its derivation and
listing are Jimenez', for h = s * o.  It presents that form as Olah's rewritten, h = o * tanh(C), with
which the listing is wrong: the second page says where.

How it is read.  L(t) = l(t) + l(t+1) + ... + l(T).  The activation phi (7) is never defined; the
listing's 1 - g**2 is the derivative of tanh.  top_diff_h is dL(t)/dh(t), and top_diff_s what step t+1
sends back to s(t); the labels (14 to 19) claim what else these are.  dL(t)/dh(t) in (14) and
dL(t)/dh(t-1) in (17) need no remark that s is held: s(t) is computed before h(t) and does not move
with it, so both are right as total derivatives; dL(t+1)/ds(t) in (15, 22) is right only if h(t),
which does move with s(t), is held fixed, and dL(t)/ds(t) in (16) is no reading of what the code
computes, which is dL(t)/ds(t-1).  dh_i(t+1)/ds_i(t) in (20, 21) is that of step t+1, h(t) given;
both lines drop what s(t) does beyond it, through s(t+1) to s(t+2) and on.  In (12, 13), dh(t)/dw is
right neither with everything nor with nothing of the earlier steps in it, only with earlier h held
fixed and s left free.  Prose (1, 3 to 5, 25 to 27) is not here; of 26, a lost indentation in the
listing, a reader of the document itself can speak.
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

    claim("6", h[t], o * tanh(s[t]), line=50)

    at(52, "F4", step=0)
    W_gx, W_gh = W_g[:, :m], W_g[:, m:]
    at(54, "F4", step=0)
    W_ix, W_ih = W_i[:, :m], W_i[:, m:]
    at(56, "F4", step=0)
    W_fx, W_fh = W_f[:, :m], W_f[:, m:]
    at(58, "F4", step=0)
    W_ox, W_oh = W_o[:, :m], W_o[:, m:]
    claim("F4, 7", g[t], tanh(W_gx @ x[t] + W_gh @ h[t-1] + b_g), line=52)
    claim("F4", i[t], sigma(W_ix @ x[t] + W_ih @ h[t-1] + b_i), line=54)
    claim("F4", f[t], sigma(W_fx @ x[t] + W_fh @ h[t-1] + b_f), line=56)
    claim("F4", o[t], sigma(W_ox @ x[t] + W_oh @ h[t-1] + b_o), line=58)
    claim("F4", s[t], g * i + s[t-1] * f, line=60)
    claim("F4", h[t], s[t] * o, line=62)

    claim("8", x_c[t], concat(x[t], h[t-1]), line=66)
    claim("8", W_g @ x_c + b_g, W_gx @ x[t] + W_gh @ h[t-1] + b_g, line=70)
    claim("F5, 7", g[t], tanh(W_g @ x_c + b_g), line=70)
    claim("F5", i[t], sigma(W_i @ x_c + b_i), line=72)
    claim("F5", f[t], sigma(W_f @ x_c + b_f), line=74)
    claim("F5", o[t], sigma(W_o @ x_c + b_o), line=76)

    claim("9", l[t], sum((h[t] - y[t])**2), line=80)
    claim("10", L[t], l[t] + L[t+1], line=84)
    claim("11", D(L, h[t]), D(L[t], h[t]), line=86)
    at(86, "12", step=0)
    dW_g = ChainSum(W_g)
    dW_i = ChainSum(W_i)
    dW_f = ChainSum(W_f)
    dW_o = ChainSum(W_o)
    db_g = ChainSum(b_g)
    db_i = ChainSum(b_i)
    db_f = ChainSum(b_f)
    db_o = ChainSum(b_o)
    at(90, "13", step=0)
    dW_g = ChainSum(W_g)
    dW_i = ChainSum(W_i)
    dW_f = ChainSum(W_f)
    dW_o = ChainSum(W_o)
    db_g = ChainSum(b_g)
    db_i = ChainSum(b_i)
    db_f = ChainSum(b_f)
    db_o = ChainSum(b_o)

    at(94, "14")
    top_diff_h = dh
    claim("14, label", top_diff_h, D(L[t], h[t]))
    claim("14", D(L[t], h[t]), D(l[t], h[t]) + D(L[t+1], h[t]), line=95)
    at(97, "15")
    top_diff_s = ds_prev[t+1]
    claim("15", top_diff_s, D(L[t+1], s[t]), line=97)
    claim("15, again", top_diff_s, D(L[t+1], s[t]), line=100)
    claim("16", ds * f, D(L[t], s[t]), line=103)
    claim("17", dx_c[m:], D(L[t], h[t-1]), line=106)
    at(109, "18", step=0)
    claim("18, W_g", Total(outer(da_g, x_c)), D(L, W_g))
    claim("18, W_i", Total(outer(da_i, x_c)), D(L, W_i))
    claim("18, W_f", Total(outer(da_f, x_c)), D(L, W_f))
    claim("18, W_o", Total(outer(da_o, x_c)), D(L, W_o))
    at(112, "18", step=0)
    claim("18, b_g", Total(da_g), D(L, b_g))
    claim("18, b_i", Total(da_i), D(L, b_i))
    claim("18, b_f", Total(da_f), D(L, b_f))
    claim("18, b_o", Total(da_o), D(L, b_o))
    claim("19", dx_c, D(L[t], x_c[t]), line=115)

    at(119, "20 to 23", step=0)
    line_1 = D(L[t], h[t]) * D(h[t], s[t]) + D(L[t], h[t+1]) * D(h[t+1], s[t])
    line_2 = D(L[t], h[t]) * D(h[t], s[t]) + D(L[t+1], h[t+1]) * D(h[t+1], s[t])
    line_3 = D(L[t], h[t]) * D(h[t], s[t]) + D(L[t+1], s[t])
    line_4 = D(L[t], h[t]) * D(h[t], s[t]) + top_diff_s
    claim("20", D(L[t], s[t]), line_1)
    claim("21", D(L[t], s[t]), line_2)
    claim("21, line 1 = line 2", line_1, line_2)
    claim("22", D(L[t], s[t]), line_3)
    claim("22, line 2 = line 3", line_2, line_3)
    claim("23", D(L[t], s[t]), line_4)
    claim("23", h[t], s[t] * o, line=121)
    claim("23, o * top_diff_h", D(L[t], h[t]) * D(h[t], s[t]), o * top_diff_h, line=121)
    claim("23", ds, o * top_diff_h + top_diff_s, line=123)

    at(130, "24")
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
    at(149, "24")
    dx_c = W_i.T @ da_i + W_f.T @ da_f + W_o.T @ da_o + W_g.T @ da_g
    at(154, "24")
    ds_prev = ds * f
    dx = dx_c[:m]
    dh_prev = dx_c[m:]


class Listing(Claims, of=Rewritten):
    """The same listing held against the form the document calls the same, h = o * tanh(s)."""

    claim("2", o[t], sigma(W_o @ x_c + b_o), line=39)
    claim("2", h[t], o * tanh(s[t]), line=40)

    at(94, "14")
    top_diff_h = dh
    at(97, "15")
    top_diff_s = ds_prev[t+1]

    at(130, "6, 24")
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
    at(149, "6, 24")
    dx_c = W_i.T @ da_i + W_f.T @ da_f + W_o.T @ da_o + W_g.T @ da_g
    at(154, "6, 24")
    ds_prev = ds * f
    dx = dx_c[:m]
    dh_prev = dx_c[m:]
