"""Cells made to be difficult: every operation, odd names, several inputs, matrix memories, constants."""

# ruff: noqa: I001
from lstmsym import (
    Cell, Hyper, Input, Output, Size, State, Target, abs, biases, concat, cross_entropy, elu, exp, gains,
    hard_sigmoid, k, layer_norm, leaky_relu, log, logsumexp, m, max, mean, min, n, outer, relu, scalar, sigma,
    softmax, softplus, sqrt, step, stop_gradient, sum, t, tanh, variance, vectors, weights, where,
)  # fmt: skip


# fmt: off
class Everything(Cell):
    x, u = Input(), Input(scalar)
    h, s = State(), State()
    W, U, V = weights("W U V")
    b, d = biases("b d")
    a    = tanh(W @ x[t] + U @ h[t-1] + b)
    q    = relu(a) + leaky_relu(a, 0.1) - elu(a, 1.0) + hard_sigmoid(a) + softplus(a) / 2
    r    = sqrt(1 + q**2) + log(2 + abs(a)) + exp(-a**2) * where(a > h[t-1], q, s[t-1])
    e    = max(r, a) - min(r, 2 * a) + max(r) + mean(r) * variance(a) + softmax(V @ a + d)
    h[t] = sigma(e) * u[t] + s[t-1] * step(a) + logsumexp(a) / 10
    s[t] = 0.5 * s[t-1] + concat(h[t], a)[0:n] * sum(a * s[t-1]) / 10


class Stopped(Cell):
    """A gradient that stops on its way: not a derivative, so differences cannot check it."""

    x = Input()
    h = State()
    W, U = weights("W U")
    h[t] = tanh(W @ x[t] + U @ stop_gradient(h[t-1]))


class Antisymmetric(Cell):
    x = Input()
    h = State()
    W, R, V = weights("W R V")
    b = biases("b")
    gamma = Hyper(0.1)
    A = R - R.T
    h[t] = h[t-1] + 0.5 * tanh(W @ x[t] + A @ h[t-1] - gamma * h[t-1] + b + V.T @ h[t-1])


class MatrixMemory(Cell):
    x = Input()
    C, h = State(n, n), State()
    W_k, W_v, W_q = weights("W_k W_v W_q")
    w_i, w_f = vectors("w_i w_f", m)
    i    = sigma(sum(w_i * x[t]))
    f    = sigma(sum(w_f * x[t]))
    C[t] = f * C[t-1] + i * outer(W_v @ x[t], W_k @ x[t])
    h[t] = C[t] @ (W_q @ x[t])


class Attention(Cell):
    x, a = Input(), Input(scalar)
    h = State()
    W_z, W_g, U_z, U_g = weights("W_z W_g U_z U_g")
    b_z, b_g = biases("b_z b_g")
    z    = (1 - a[t]) * sigma(W_z @ x[t] + U_z @ h[t-1] + b_z)
    g    = tanh(W_g @ x[t] + U_g @ (z * h[t-1]) + b_g)
    h[t] = z * h[t-1] + (1 - z) * g


class Readout(Cell):
    x, y = Input(), Target(k)
    h = State()
    W, U, V = weights("W U V")
    b, c = biases("b c")
    h[t] = tanh(W @ x[t] + U @ h[t-1] + b)
    z    = V @ h[t] + c
    l    = cross_entropy(z, y[t])


class Clash(Cell):
    """Names that the generated file would like for itself."""

    x = Input()
    h, T = State(), State()
    W_n, U_n, B = weights("W_n U_n B")
    rows, el = biases("rows el")
    n    = tanh(W_n @ x[t] + U_n @ h[t-1] + rows)
    np_  = sigma(B @ T[t-1] + el)
    T[t] = np_ * T[t-1] + n
    h[t] = tanh(T[t])
    dh   = h[t] * n
    each = Output()
    each[t] = dh + el


class Outputs(Cell):
    x, w = Input(), Input(3)
    h = State()
    y, v = Output(), Output()
    W, U, Q = weights("W U Q")
    P = weights("P", Size("e"))
    h[t] = tanh(W @ x[t] + U @ h[t-1] + Q @ w[t])
    y[t] = P @ h[t]
    v[t] = sum(h[t] * h[t-1])


class Shared(Cell):
    """One weight for two gates, and a bottleneck A @ B."""

    x = Input()
    h, c = State(), State()
    W, U = weights("W U")
    A, B = weights("A", n, 2), weights("B", 2)
    g_i, g_f = gains("g_i g_f")
    i    = sigma(g_i * (W @ x[t]) + U @ h[t-1])
    f    = sigma(g_f * (W @ x[t]) + U @ h[t-1])
    c[t] = f * c[t-1] + i * (A @ (B @ h[t-1]))
    h[t] = layer_norm(c[t], g_i, g_f)
