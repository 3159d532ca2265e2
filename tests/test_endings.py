r"""A loss of the last step alone: read-outs of h_T, what the steps before it get, 1_{t=T}."""

import pytest

from lstmsym.binding.verify import verify_document

SCALAR = r"""
$$h_t = \tanh(W h_{t-1} + U x_t + b), \quad z = w^\top h_T + c, \quad p = \sigma(z)$$
$$L = -(y \log p + (1 - y) \log(1 - p))$$
With $\delta_t = \partial L / \partial h_t$:
"""
CLASSES = r"""
$$h_t = \tanh(W h_{t-1} + U x_t + b), \quad \hat y = \mathrm{softmax}(V h_T + c)$$
$$L = -\sum_k y_k \log \hat y_k$$
"""
SQUARED = r"""
$$s_t = \tanh(A s_{t-1} + B u_t), \quad y_t = C s_t, \quad L = \frac12 \|y_T - d\|^2$$
"""
UNSAID = r"""
$$a_t = W x_t + U h_{t-1}, \quad h_t = \tanh(a_t), \quad z = h_T$$
The loss $L$ depends on $z$ alone.
"""
OF_ALL = r"""
$$s_t = \tanh(A s_{t-1} + B u_t), \quad y_t = C s_t, \quad L = \sum_t \frac12 \|y_t - d_t\|^2$$
"""


def verdict(text, equation):
    """The verdict on one equation behind a text."""
    return verify_document(f"{text}\n$${equation}$$\n", "a.md").rows[-1].verdict


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        (SCALAR, r"\frac{\partial L}{\partial w} = (p - y) h_T", r"\frac{\partial L}{\partial w} = p h_T"),
        (SCALAR, r"\delta_T = (p - y) w", r"\delta_t = (p - y) w"),
        (
            SCALAR,
            r"\delta_t = W^\top (\delta_{t+1} \odot (1 - h_{t+1}^2))",
            r"\delta_t = W^\top (\delta_{t+1} \odot (1 - h_t^2))",
        ),
        (
            SCALAR,
            r"\frac{\partial L}{\partial b} = \sum_t \delta_t \odot (1 - h_t^2)",
            r"\frac{\partial L}{\partial b} = \delta_T \odot (1 - h_T^2)",
        ),
        (
            SQUARED,
            r"\frac{\partial L}{\partial C} = (y_T - d) s_T^\top",
            r"\frac{\partial L}{\partial C} = \sum_t (y_t - d) s_t^\top",
        ),
        (
            SQUARED,
            r"\frac{\partial L}{\partial s_t} = A^\top ((1 - s_{t+1}^2) \odot \frac{\partial L}{\partial s_{t+1}})",
            r"\frac{\partial L}{\partial s_t} = C^\top (y_t - d)"
            r" + A^\top ((1 - s_{t+1}^2) \odot \frac{\partial L}{\partial s_{t+1}})",
        ),
        (
            SQUARED,
            r"\frac{\partial L}{\partial s_t} = (\frac{\partial s_T}{\partial s_t})^\top C^\top (y_T - d)",
            r"\frac{\partial L}{\partial s_t} = (\frac{\partial s_T}{\partial s_t})^\top C^\top (d - y_T)",
        ),
        (
            UNSAID,
            r"\frac{\partial L}{\partial h_t} = U^\top \frac{\partial L}{\partial a_{t+1}}"
            r" + \frac{\partial L}{\partial z} \mathbf{1}_{t=T}",
            r"\frac{\partial L}{\partial h_t} = U^\top \frac{\partial L}{\partial a_{t+1}}"
            r" - \frac{\partial L}{\partial z} \mathbf{1}_{t=T}",
        ),
        (
            UNSAID,
            r"\frac{\partial L}{\partial U} = \sum_t \frac{\partial L}{\partial a_t} h_{t-1}^\top",
            r"\frac{\partial L}{\partial U} = \sum_{t=1}^{T-1} \frac{\partial L}{\partial a_{t}} h_{t-1}^\top",
        ),
    ],
)
def test_only_the_last_step_counts(text, right, wrong):
    assert (verdict(text, right), verdict(text, wrong)) == ("proved", "refuted")


def test_targets_that_add_up_to_one_are_assumed_at_the_last_step_too():
    row = verify_document(
        CLASSES + r"$$\frac{\partial L}{\partial h_T} = V^\top (\hat y - y)$$", "a.md"
    ).rows[-1]
    assert (row.verdict, row.assumption) == ("conditional", "the entries of y add up to 1")


def test_a_loss_of_all_steps_reaches_all_of_them():
    dropped = r"\frac{\partial L}{\partial s_t} = A^\top ((1 - s_{t+1}^2) \odot \frac{\partial L}{\partial s_{t+1}})"
    assert verdict(OF_ALL, dropped) == "refuted"
    decoder = SQUARED.replace("d\\|^2$$", "d\\|^2, \\quad r_t = \\tanh(P r_{t-1} + Q y_T)$$")
    assert verdict(decoder, dropped) != "proved"


def test_outputs_that_are_numbers_are_compared_with_numbers():
    text = r"$$h_t = \tanh(W h_{t-1} + U x_t), \quad y_t = w^\top h_t + b, \quad L = \sum_t (y_t - d_t)^2$$"
    assert verdict(text, r"\frac{\partial L}{\partial w} = \sum_t 2 (y_t - d_t) h_t") == "proved"
    assert verdict(text, r"\frac{\partial L}{\partial w} = \sum_t (d_t - y_t) h_t") == "refuted"


@pytest.mark.parametrize("name", ["dh_0", "dh_{init}", r"\frac{\partial L}{\partial h_0}", "dhinit"])
def test_the_initial_state_gets_what_the_first_step_sends_back(name):
    text = r"$$h_t = f_t x_t + (1 - f_t) h_{t-1}$$ The gradients $$dh_t = gh_t + (1 - f_{t+1}) dh_{t+1}$$"
    first = r"\frac{\partial L}{\partial h_1}" if "L" in name else "dh_1"
    assert verdict(text, f"{name} = (1 - f_1) {first}") == "proved"
    assert verdict(text, f"{name} = f_1 {first}") == "refuted"


def test_spelled_letters_are_parameters_where_a_gradient_is_taken_by_them():
    text = "  a(t) = W x(t) + pi * c(t-1)\n  c(t) = tanh(a(t))\n\n  dL/dpi = sum_t dL/da(t) * c({})\n"
    for step, expected in (("t-1", "proved"), ("t", "refuted")):
        assert verify_document(text.format(step), "a.txt").rows[-1].verdict == expected
