"""Cells as a user would write them from their papers; none of them ships with the package."""

# ruff: noqa: I001
from lstmsym import (
    Cell, Hyper, Input, State, abs, biases, exp, m, max, n, outer, relu, scalar, sigma, sum, t, tanh, vectors,
    weights,
)  # fmt: skip


# fmt: off
class IndRNN(Cell):
    """Li, Li, Cook, Zhu & Gao 2018 (arXiv 1803.04831): every unit sees itself alone."""

    x = Input()
    h = State()
    W = weights("W")
    u = vectors("u")
    b = biases("b")
    h[t] = relu(W @ x[t] + u * h[t-1] + b)


class FastGRNN(Cell):
    """Kusupati et al. 2018 (arXiv 1901.02358): one W and U for gate and candidate.

    zeta and nu are sigmoids of trained numbers; here one number a unit.
    """

    x = Input()
    h = State()
    W, U = weights("W U")
    b_z, b_h = biases("b_z b_h")
    zeta, nu = vectors("zeta nu")
    z    = sigma(W @ x[t] + U @ h[t-1] + b_z)
    g    = tanh(W @ x[t] + U @ h[t-1] + b_h)
    h[t] = (sigma(zeta) * (1 - z) + sigma(nu)) * g + z * h[t-1]


class GRUD(Cell):
    """Che, Purushotham, Cho, Sontag & Liu 2018 (Scientific Reports 8:6085).

    u is the mask (1 where x is observed), d the time since the last observation, x_mean the empirical
    mean (a vector here); q is the last observation, a state.
    """

    x, u, d = Input(), Input(m), Input(m)
    h, q = State(), State(m)
    w_x, x_mean = vectors("w_x x_mean", m)
    W_h = weights("W_h", n, m)
    W_z, W_r, W_g, U_z, U_r, U_g, V_z, V_r, V_g = weights("W_z W_r W_g U_z U_r U_g V_z V_r V_g")
    b_x = biases("b_x", m)
    b_h, b_z, b_r, b_g = biases("b_h b_z b_r b_g")
    e    = exp(-relu(w_x * d[t] + b_x))
    k    = exp(-relu(W_h @ d[t] + b_h))
    q[t] = u[t] * x[t] + (1 - u[t]) * q[t-1]
    v    = u[t] * x[t] + (1 - u[t]) * (e * q[t-1] + (1 - e) * x_mean)
    s    = k * h[t-1]
    z    = sigma(W_z @ v + U_z @ s + V_z @ u[t] + b_z)
    r    = sigma(W_r @ v + U_r @ s + V_r @ u[t] + b_r)
    g    = tanh(W_g @ v + U_g @ (r * s) + V_g @ u[t] + b_g)
    h[t] = (1 - z) * s + z * g


class SRU(Cell):
    """Lei, Zhang, Wang, Dai & Artzi 2018 (arXiv 1709.02755), with alpha = 1.

    The highway takes W_s x, as in the authors' code where inputs and units differ in number.
    """

    x = Input()
    h, c = State(), State()
    W_c, W_f, W_r, W_s = weights("W_c W_f W_r W_s")
    v_f, v_r = vectors("v_f v_r")
    b_f, b_r = biases("b_f b_r")
    f    = sigma(W_f @ x[t] + v_f * c[t-1] + b_f)
    r    = sigma(W_r @ x[t] + v_r * c[t-1] + b_r)
    c[t] = f * c[t-1] + (1 - f) * (W_c @ x[t])
    h[t] = r * c[t] + (1 - r) * (W_s @ x[t])


class MLSTM(Cell):
    """Matrix memory: Beck et al. 2024 (xLSTM, arXiv 2405.04517).

    One head, sigmoid gates, so that no stabiliser state is needed.
    """

    x = Input()
    h, s, C = State(), State(), State(n, n)
    W_q, W_k, W_v, W_o = weights("W_q W_k W_v W_o")
    b_q, b_k, b_v, b_o = biases("b_q b_k b_v b_o")
    w_i, w_f = vectors("w_i w_f", m)
    q    = W_q @ x[t] + b_q
    k    = (W_k @ x[t] + b_k) / 2
    v    = W_v @ x[t] + b_v
    i    = sigma(sum(w_i * x[t]))
    f    = sigma(sum(w_f * x[t]))
    o    = sigma(W_o @ x[t] + b_o)
    C[t] = f * C[t-1] + i * outer(v, k)
    s[t] = f * s[t-1] + i * k
    h[t] = o * (C[t] @ q) / max(abs(sum(s[t] * q)), 1)


class FastWeights(Cell):
    """Ba, Hinton, Mnih, Leibo & Ionescu 2016 (arXiv 1610.06258), one inner step."""

    x = Input()
    h, A = State(), State(n, n)
    W, U = weights("W U")
    rate, decay = Hyper(0.5), Hyper(0.9)
    A[t] = decay * A[t-1] + rate * outer(h[t-1], h[t-1])
    a    = W @ h[t-1] + U @ x[t]
    h[t] = tanh(a + A[t] @ tanh(a))


class AntisymmetricRNN(Cell):
    """Chang, Chen, Haber & Chi 2019 (arXiv 1902.09689), gated."""

    x = Input()
    h = State()
    R, V_h, V_z = weights("R V_h V_z")
    b_h, b_z = biases("b_h b_z")
    gamma, eps = Hyper(0.1), Hyper(0.5)
    A    = R - R.T
    a    = A @ h[t-1] - gamma * h[t-1]
    z    = sigma(a + V_z @ x[t] + b_z)
    h[t] = h[t-1] + eps * z * tanh(a + V_h @ x[t] + b_h)


class MaskedRNN(Cell):
    """An Elman network whose state stands still where the mask, one number a step, is 0."""

    x, u = Input(), Input(scalar)
    h = State()
    W, U = weights("W U")
    b = biases("b")
    h[t] = h[t-1] + u[t] * (tanh(W @ x[t] + U @ h[t-1] + b) - h[t-1])
