"""Cells in the corners of the notation: each was once scheduled or spelled wrongly."""

from lstmsym import (
    Bias,
    Cell,
    Hyper,
    Input,
    Output,
    Size,
    State,
    Target,
    Vector,
    Weight,
    biases,
    concat,
    cross_entropy,
    exp,
    k,
    m,
    max,
    mean,
    n,
    outer,
    p,
    scalar,
    sigma,
    softmax,
    softplus,
    stop_gradient,
    sum,
    t,
    tanh,
    vectors,
    weights,
    where,
)  # fmt: skip

q = Size("q")


class ReadoutOfInput(Cell):
    x, h = Input(), State()
    W, U, D, R = weights("W U D R")
    Y = Output(k)
    h[t] = tanh(W @ x[t] + U @ h[t - 1])
    Y[t] = D @ x[t] + R @ h[t]


class SoftmaxReadout(Cell):
    x, h = Input(), State()
    W, U, D, R = weights("W U D R")
    d = Bias()
    Y = Output(k)
    h[t] = tanh(W @ x[t] + U @ h[t - 1])
    Y[t] = softmax(D @ x[t] + R @ h[t] + d)


class JointReadout(Cell):
    x, h = Input(), State()
    W, U, V = weights("W U V")
    Y = Output(k)
    h[t] = tanh(W @ x[t] + U @ h[t - 1])
    Y[t] = V @ concat(x[t], h[t])


class ReadoutOfBefore(Cell):
    x, h = Input(), State()
    W, U, D, R = weights("W U D R")
    Y = Output(k)
    h[t] = tanh(W @ x[t] + U @ h[t - 1])
    Y[t] = D @ x[t] + R @ h[t - 1]


class LossOfInput(Cell):
    x, h, y = Input(), State(), Target(k)
    W, U, V, D = weights("W U V D")
    h[t] = tanh(W @ x[t] + U @ h[t - 1])
    z = V @ h[t] + D @ x[t]
    l = cross_entropy(z, y[t])


class SimpleRecurrentUnit(Cell):
    x, c = Input(n), State()
    W, W_f, W_r = weights("W W_f W_r")
    v_f, v_r = vectors("v_f v_r")
    b_f, b_r = biases("b_f b_r")
    Y = Output(n)
    f = sigma(W_f @ x[t] + v_f * c[t - 1] + b_f)
    r = sigma(W_r @ x[t] + v_r * c[t - 1] + b_r)
    c[t] = f * c[t - 1] + (1 - f) * (W @ x[t])
    Y[t] = r * c[t] + (1 - r) * x[t]


class LateGate(Cell):
    x, c = Input(n), State()
    W, W_r = weights("W W_r")
    v_r = Vector()
    Y = Output(n)
    c[t] = tanh(c[t - 1] + W @ x[t])
    r = sigma(W_r @ x[t] + v_r * c[t - 1])
    Y[t] = r * c[t]


class LearnedWidth(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    rho = Vector()
    sd = Output(n)
    mu = Output(n)
    h[t] = tanh(W @ x[t] + U @ h[t - 1])
    sd[t] = exp(rho)
    mu[t] = h[t]


class FixedMatrix(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    h[t] = tanh(W @ x[t] + stop_gradient(U) @ h[t - 1])


class FixedInput(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    h[t] = tanh(W @ stop_gradient(x[t]) + U @ h[t - 1])


class Masked(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    u = Input(scalar)
    h[t] = where(u[t] > 0.5, tanh(W @ x[t] + U @ h[t - 1]), h[t - 1])


class ConditionOnBias(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    b = Bias()
    h[t] = where(b > 0, tanh(W @ x[t] + U @ h[t - 1]), h[t - 1])


class ScaledConcat(Cell):
    x, h = Input(), State()
    W = Weight()
    b = Bias()
    h[t] = tanh(0.5 * (W @ concat(x[t], h[t - 1]) + b))


class NegatedConcat(Cell):
    x, h = Input(), State()
    W = Weight()
    h[t] = tanh(-(W @ concat(x[t], h[t - 1])))


class SubtractedConcat(Cell):
    x, h = Input(), State()
    W = Weight()
    h[t] = tanh(h[t - 1] - W @ concat(x[t], h[t - 1]))


class ScaledReadout(Cell):
    x, h = Input(), State()
    W, V = weights("W V")
    Y = Output(k)
    h[t] = tanh(W @ concat(x[t], h[t - 1]))
    Y[t] = 0.3 * (V @ concat(h[t], x[t]))


class InputTwice(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    h[t] = tanh(W @ concat(x[t], x[t]) + U @ h[t - 1])


class SliceTwice(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    W2 = Weight(2 * n, n)
    u = W2 @ h[t - 1]
    h[t] = tanh(W @ concat(u[:n], u[:n]) + U @ x[t])


class ScalarGate(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    a = Vector(scalar)
    h[t] = sigma(a) * h[t - 1] + tanh(W @ x[t] + U @ h[t - 1])


class FastGated(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    z, v = Vector(scalar), Vector(scalar)
    b = Bias()
    bh = Bias()
    zz = sigma(W @ x[t] + U @ h[t - 1] + b)
    g = tanh(W @ x[t] + U @ h[t - 1] + bh)
    h[t] = (sigma(z) * (1 - zz) + sigma(v)) * g + zz * h[t - 1]


class StateOfInput(Cell):
    x, h, e = Input(), State(), State()
    W, U, V = weights("W U V")
    e[t] = tanh(W @ x[t])
    h[t] = tanh(V @ e[t] + U @ h[t - 1])


class MatrixOfInput(Cell):
    x, h = Input(), State()
    c = State(n, n)
    W0 = Weight()
    v4, v5 = vectors("v4 v5")
    h[t] = W0 @ x[t]
    c[t] = outer(h[t] + v4, v5)


class ConstantState(Cell):
    x, h, c = Input(), State(), State()
    v = Vector()
    W = Weight()
    h[t] = v
    c[t] = max(W @ h[t]) + c[t - 1] * mean(x[t])


class NoRecurrence(Cell):
    x, h = Input(), State()
    W = Weight()
    h[t] = W @ x[t]


class DelayedInput(Cell):
    x, h, e = Input(), State(), State()
    W, U, V = weights("W U V")
    e[t] = W @ x[t]
    h[t] = tanh(V @ e[t - 1] + U @ h[t - 1] + e[t])


class WeightedLoss(Cell):
    x, h, y = Input(), State(), Target()
    W, U = weights("W U")
    lam = Hyper(0.3)
    h[t] = tanh(W @ x[t] + U @ h[t - 1])
    l = sum((h[t] - y[t]) ** 2) + lam * sum(h[t] ** 2)


class ScalarTarget(Cell):
    x, h, y, w = Input(), State(), Target(), Target(scalar)
    W, U = weights("W U")
    h[t] = tanh(W @ x[t] + U @ h[t - 1])
    l = w[t] * sum((h[t] - y[t]) ** 2)


class SumTarget(Cell):
    x, h, w = Input(), State(), Target(scalar)
    W, U = weights("W U")
    h[t] = tanh(W @ x[t] + U @ h[t - 1])
    l = (sum(h[t]) - w[t]) ** 2


class LossWithoutTarget(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    h[t] = tanh(W @ x[t] + U @ h[t - 1])
    l = sum(h[t] ** 2)


class PythonNames(Cell):
    x, h = Input(), State()
    dh_next = Weight()
    range = Weight()
    reversed = Bias()
    isinstance = Vector()
    h[t] = tanh(dh_next @ x[t] + range @ h[t - 1] + reversed) * isinstance


class NegatedJoint(Cell):
    x, h, w = Input(), State(), Input(n)
    W5, W9 = weights("W5 W9")
    v3 = Vector(n + n)
    u0 = v3 - concat(h[t - 1], W5 @ concat(x[t], w[t]))
    h[t] = W9 @ concat(w[t], u0)


class MixedCondition(Cell):
    x, h, w = Input(), State(), Input(n)
    W2, W3, W10, W0, W13 = weights("W2 W3 W10 W0 W13")
    v4 = Vector(n)
    v9 = Vector(n)
    u1 = where(W2 @ concat(h[t - 1], x[t]) > W3 @ w[t], concat(v4, v9), W10 @ x[t])
    u2 = W0.T @ (W13 @ concat(x[t], u1))
    h[t] = tanh(u2)


class ConstantInConcat(Cell):
    x, h = Input(), State()
    W = Weight()
    v = Vector(2)
    h[t] = tanh(W @ concat(v, h[t - 1], x[t]))


class ScaledAffine(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    b = Bias()
    h[t] = tanh(0.6 * (W @ x[t] + U @ h[t - 1] + b))


class Power(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    h[t] = tanh(W @ x[t] + U @ h[t - 1]) * 2 ** (-(h[t - 1] ** 2))


class LegendreMemory(Cell):
    x, h, m_ = Input(), State(), State(q)
    W_x, W_h, W_m, A = weights("W_x W_h W_m A")
    e_x, e_h, e_m, B_ = Vector(m), Vector(n), Vector(q), Vector(q)
    u = sum(e_x * x[t]) + sum(e_h * h[t - 1]) + sum(e_m * m_[t - 1])
    m_[t] = stop_gradient(A) @ m_[t - 1] + stop_gradient(B_) * u
    h[t] = tanh(W_x @ x[t] + W_h @ h[t - 1] + W_m @ m_[t])


class TakenNames(Cell):
    x, h, h_prev = Input(), State(), State()
    W, U, V = weights("W U V")
    h[t] = tanh(W @ x[t] + U @ h[t - 1] + V @ h_prev[t - 1])
    h_prev[t] = h[t - 1] * h_prev[t - 1]


class SelectiveScan(Cell):
    x = Input()
    h = State(m, q)
    Y = Output(m)
    W_B, W_C = Weight(q, m), Weight(q, m)
    D, w, b = Vector(m), Vector(m), Bias(m)
    a = Vector(q)
    step_size = softplus(w * x[t] + b)
    h[t] = exp(-outer(step_size, exp(a))) * h[t - 1] + outer(step_size * x[t], W_B @ x[t])
    Y[t] = h[t] @ (W_C @ x[t]) + D * x[t]


class OnlyProjected(Cell):
    x, h = Input(), State(p)
    W, U = weights("W U")
    h[t] = tanh(W @ x[t] + U @ h[t - 1])


class RegularisedLoss(Cell):
    x, h, y = Input(), State(), Target()
    W, U = weights("W U")
    v = Vector(scalar)
    r, s = Output(scalar), Output(scalar)
    h[t] = tanh(W @ x[t] + U @ h[t - 1])
    r[t] = sum(W**2)
    s[t] = softplus(v)
    l = sum((h[t] - y[t]) ** 2) / s[t] + 0.1 * r[t]


class Factorised(Cell):
    x, h = Input(), State()
    A, B = Weight(n, p), Weight(p, n + m)
    h[t] = tanh((A @ B) @ concat(h[t - 1], x[t]))


class MeanBesideProduct(Cell):
    x, h = Input(), State()
    W, U = weights("W U")
    h[t] = tanh(W @ x[t] + U @ h[t - 1] + mean(x[t]))


class FiveSizes(Cell):
    x, h = Input(), State()
    ctx = Input(Size("ctx", "context_vector_size"))
    W, U, V, P, Q = Weight(n, m), Weight(n, n), Weight(n), Weight(k, n), Weight(p, k)
    Y = Output(p)
    h[t] = tanh(W @ x[t] + U @ h[t - 1] + V @ ctx[t])
    Y[t] = Q @ (P @ h[t])
