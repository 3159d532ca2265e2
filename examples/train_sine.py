"""Train a generated GRU with a linear readout to continue a sine wave; prints the loss as it falls."""

import numpy as np

from lstmsym import Cell, Input, State, Target, biases, k, load, sigma, sum, t, tanh, weights


class Reader(Cell):
    """A GRU with a readout z = V h + d and the squared error as loss."""

    # fmt: off
    x, y = Input(), Target(k)
    h    = State()
    W_z, W_r, W_g = weights("W_z W_r W_g")
    U_z, U_r, U_g = weights("U_z U_r U_g")
    b_z, b_r, b_g = biases("b_z b_r b_g")
    V, d = weights("V"), biases("d")

    r    = sigma(W_r @ x[t] + U_r @ h[t-1] + b_r)
    u    = sigma(W_z @ x[t] + U_z @ h[t-1] + b_z)
    g    = tanh (W_g @ x[t] + U_g @ (r * h[t-1]) + b_g)
    h[t] = (1 - u) * h[t-1] + u * g
    z    = V @ h[t] + d
    l    = sum((z - y[t])**2)
    # fmt: on


def main(iterations: int = 200) -> list[float]:
    kernel = load(Reader, backend="numpy")
    params = kernel.init_params(np.random.default_rng(0), 1, 16, output_size=1)
    phases = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    wave = np.sin(0.3 * np.arange(41)[:, None, None] + phases[None, :, None])
    losses = []
    for _ in range(iterations):
        loss, grads = kernel.loss_and_grads(params, wave[:-1], wave[1:])
        losses.append(loss / wave[1:].size)
        for name, array in params.items():
            array -= 0.1 * grads.params[name] / wave[1:].size
    return losses


if __name__ == "__main__":
    found = main()
    print(f"mean squared error: {found[0]:.3f} at first, {found[-1]:.3f} after {len(found)} iterations")
