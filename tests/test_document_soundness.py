"""What a document must not get proved: lines that take for granted what nothing says."""

import pytest

from lstmsym.binding.verify import verify_document

CELL = r"""
$$h_t = \tanh(W x_t + U h_{t-1} + b)$$
$$\delta_t = dh_t \odot (1 - h_t^2)$$
"""
SHARES = r"""
$$dW = \delta_t x_t^\top$$
$$db = \delta_t$$
"""


def rows(text):
    """The rows of equations and statements."""
    return [row for row in verify_document(text, "a.md").rows if row.kind != "prose"]


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("", "conditional"),
        ("The loss is summed over the steps.", "conditional"),
        ("The gradients of the loss by the weights are summed over all steps.", "proved"),
        ("Step $t$ contributes", "proved"),
        ("What a parameter gets is accumulated over time.", "proved"),
        ("权重的梯度在各时刻累加。", "proved"),
    ],
)
def test_a_step_s_share_of_a_parameter_s_gradient_is_said_to_be_one(words, verdict):
    found = rows(CELL + words + SHARES)[2:]
    assert [row.verdict for row in found] == [verdict] * 2
    assert all(("one step's share" in row.assumption) == (verdict == "conditional") for row in found)


def test_a_share_that_is_added_and_the_one_pass_of_a_network_without_steps_need_no_words():
    assert [row.verdict for row in rows(CELL + r"$$dW = dW + \delta_t x_t^\top$$")][2:] == ["proved"]
    one = r"""
$$a = \tanh(W x + b)$$
$$y = V a$$
$$\delta_a = (V^\top \delta_y) \odot (1 - a^2)$$
$$dV = \delta_y a^\top$$
"""
    assert rows(one)[-1].verdict == "proved"


LISTED = r"""
$$g_t = \phi(W x_t + U h_{t-1} + b)$$
$$i_t = \sigma(W_i x_t + U_i h_{t-1} + b_i)$$
$$h_t = h_{t-1} \odot (1 - i_t) + g_t \odot i_t$$

```python
dg = dh * i
di = dh * (g - h_prev)
dg_input = SLOPE * dg
di_input = i * (1 - i) * di
dW += np.outer(dg_input, x)
```
"""


@pytest.mark.parametrize(
    ("slope", "verdict", "said"),
    [
        ("(1 - g**2)", "conditional", "ϕ is tanh"),
        ("g * (1 - g)", "conditional", "ϕ is the logistic sigmoid"),
        ("(1 + g**2)", "refuted", ""),
    ],
)
def test_a_listing_says_which_function_of_the_text_it_takes_for_granted(slope, verdict, said):
    found = [row for row in rows(LISTED.replace("SLOPE", slope)) if row.line > 6]
    assert [row.verdict for row in found] == ["proved", "proved", verdict, "proved", "proved"]
    assert found[2].assumption == said


def test_a_listing_s_function_is_that_of_the_text():
    of_text = r"$$\delta a_t = dg_t \odot (1 - g_t^2)$$" + "\n\nwith $a_t = W x_t + U h_{t-1} + b$.\n"
    found = rows(LISTED.replace("SLOPE", "g * (1 - g)") + of_text)
    assert next(row for row in found if row.source.startswith("dg_input")).verdict == "refuted"
    found = rows(
        LISTED.replace("SLOPE", "(1 - g**2)") + of_text.replace("(1 - g_t^2)", "g_t \\odot (1 - g_t)")
    )
    assert next(row for row in found if row.source.startswith("dg_input")).verdict == "refuted"
    found = rows(LISTED.replace(r"\phi", r"\tanh").replace("SLOPE", "(1 - g**2)"))
    assert [row.verdict for row in found if row.line > 6] == ["proved"] * 5


SUM = r"$$db = \sum_{t=0}^{T} \delta_t$$"


@pytest.mark.parametrize(
    ("others", "verdict"),
    [
        ("", "proved"),
        (r"$$dU = \sum_{t=0}^{T} \delta_t h_{t-1}^\top$$", "proved"),
        (r"$$dU = \sum_{t=1}^{T} \delta_t h_{t-1}^\top$$", "proved"),
        (r"$$dU = \sum_{t=0}^{T-1} \delta_{t+1} h_t^\top$$", "proved"),
        (r"$$dW = \sum_{t=1}^{T} \delta_t x_t^\top$$", "conditional"),
        (r"$$L = \sum_{t=1}^{T} \| h_t - y_t \|^2$$", "conditional"),
    ],
)
def test_a_sum_from_zero_where_others_begin_at_one_takes_for_granted_that_nothing_is_there(others, verdict):
    found = rows(CELL + others + "\n" + SUM)[-1]
    assert found.verdict == verdict
    assert (found.assumption == "the terms before the first step are zero") == (verdict == "conditional")


STEP = """
```python
class Cell:
    def forward(self, x, h_prev):
        self.x, self.h_prev = x, h_prev
        self.h = np.tanh(self.W @ x + self.U @ h_prev + self.b)
        return self.h

    def backward(self, dh):
        da = dh * (1 - self.h ** 2)
        self.dW += np.outer(da, self.x)
        self.dU {} np.outer(da, self.h_prev)
        self.db {} da
        return self.U.T @ da
```
"""


@pytest.mark.parametrize("signs", [("+=", "+="), ("=", "+="), ("=", "=")])
def test_a_step_that_sets_a_gradient_which_others_add_to_drops_what_was_there(signs):
    found = {r.source.split()[0]: r for r in rows(STEP.format(*signs)) if r.line > 8}
    assert found["self.dW"].verdict == "proved"
    for name, sign in zip(("self.dU", "self.db"), signs, strict=True):
        assert found[name].verdict == {"=": "conditional", "+=": "proved"}[sign]
    alone = STEP.replace("self.dW +=", "self.dW =").format("=", "=")
    assert [r.verdict for r in rows(alone) if ".d" in r.source] == ["proved"] * 3


GATED = r"""
$$f_t = \sigma(W_f x_t + U_f h_{t-1})$$
$$g_t = \tanh(W_g x_t + U_g h_{t-1})$$
$$h_t = f_t \odot h_{t-1} + (1 - f_t) \odot g_t$$
$$\delta f_t = \delta h_t \odot (h_{t-1} - g_t)$$
"""


@pytest.mark.parametrize(
    ("line", "verdict", "said"),
    [
        (r"\delta q_t = \delta h_t \odot f_t", "undecided", ""),
        (r"\delta W_f = \sum_t (\delta i_t \odot f_t \odot (1 - f_t)) x_t^\top", "conditional", "read as"),
        (r"\delta W_f = \sum_t (\delta i_t \odot f_t^2 \odot (1 - f_t)) x_t^\top", "refuted", ""),
        (
            r"\delta W_f = \delta W_r + (\delta f_t \odot f_t \odot (1 - f_t)) x_t^\top",
            "conditional",
            "read as",
        ),
        (r"\delta W_f = \delta W_r + (\delta f_t \odot f_t) x_t^\top", "refuted", ""),
    ],
)
def test_the_gradient_of_a_quantity_that_is_not_there_proves_nothing(line, verdict, said):
    found = rows(GATED + f"$${line}$$")[-1]
    assert found.verdict == verdict and said in found.assumption
    assert verdict != "refuted" or "whatever" in found.message


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        (r"outputError \cdot g_t \cdot (1 - f_t)", "refuted"),
        (r"outputError \cdot (1 - f_t)", "refuted"),
        (r"outputError \cdot (1 - f_t) \cdot (1 - g_t^2)", "proved"),
    ],
)
def test_names_of_one_kind_are_gradients_of_one_kind(last, verdict):
    text = (
        GATED.rsplit("$$", 2)[0]
        + rf"""
$outputError$ is the gradient of $h_t$.

$$forgetGateError = outputError \cdot (h_{{t-1}} - g_t) \cdot f_t \cdot (1 - f_t)$$
$$stateGateError = {last}$$
$$\frac{{\partial L}}{{\partial W_f}} = \sum_t forgetGateError_t x_t^T$$
"""
    )
    found = {row.source.split()[0]: row.verdict for row in rows(text)}
    assert (found["forgetGateError"], found["stateGateError"]) == ("proved", verdict)


@pytest.mark.parametrize(
    "words", ["The forget gate also appears as $\\phi_t$.", "$f_t$ is also called $\\phi_t$."]
)
def test_a_second_name_that_is_given_in_words(words):
    lines = r"""
$$\delta g_t = \delta h_t \odot (1 - \phi_t)$$
$$\delta g_t = \delta h_t \odot \phi_t$$
"""
    assert [row.verdict for row in rows(GATED + words + lines)][-2:] == ["proved", "refuted"]
    assert rows(GATED + lines)[-1].verdict != "refuted"


@pytest.mark.parametrize(
    ("extra", "verdict"),
    [
        ("", "proved"),
        (r"+ \nabla_h \tanh(x_t) \odot x_t", "proved"),
        (r"+ \nabla_h \tanh(h_t) \odot x_t", "unread"),
        (r"+ \nabla_x \tanh(h_t) \odot x_t", "unread"),
    ],
)
def test_the_derivative_of_what_does_not_depend_on_a_quantity_is_zero(extra, verdict):
    assert rows(CELL + rf"$$dx_t = W^\top \delta_t {extra}$$")[-1].verdict == verdict
    right = r"(1 - h_t^2)" if verdict == "unread" else "h_t"
    wrong = rows(CELL + rf"$$dx_t = W^\top (dh_t \odot {right}) {extra}$$")[-1].verdict
    assert wrong == ("unread" if verdict == "unread" else "refuted")
