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
        ("The gradients of a single time step are", "proved"),
        ("## Backward, one step\n", "proved"),
        ("The gradient at each step flows back.", "conditional"),
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
        (r"\delta W_f = \delta W_r", "undecided", ""),
    ],
)
def test_the_gradient_of_a_quantity_that_is_not_there_proves_nothing(line, verdict, said):
    found = rows(GATED + f"$${line}$$")[-1]
    assert found.verdict == verdict and said in found.assumption
    assert verdict != "refuted" or "whatever" in found.message


def test_a_name_that_another_line_reads_is_judged_by_it():
    lines = r"""
$$da_t = dh_t \odot (h_{t-1} - g_t) \odot f_t \odot SLOPE$$
$$dW_f = \sum_t da_t x_t^\top$$
"""
    text = GATED.rsplit("$$", 2)[0] + lines
    assert [row.verdict for row in rows(text.replace("SLOPE", "(1 - f_t)"))[-2:]] == ["proved", "proved"]
    assert [row.verdict for row in rows(text.replace("SLOPE", "(1 - g_t)"))[-2:]] == ["refuted", "proved"]


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


@pytest.mark.parametrize(
    ("factor", "verdict", "said"),
    [
        (r"\operatorname{diag}(1 - h_j^2) U", "proved", ""),
        (r"\operatorname{diag}(1 - j_j^2) U", "conditional", "j is read as h"),
        (r"\operatorname{diag}(1 - j_{j-1}^2) U", "refuted", ""),
        (r"U \operatorname{diag}(1 - j_j^2)", "refuted", ""),
    ],
)
def test_the_letter_of_a_product_as_a_quantity_is_a_slip(factor, verdict, said):
    found = rows(CELL + rf"$$\frac{{\partial h_t}}{{\partial h_k}} = \prod_{{j=k+1}}^{{t}} {factor}$$")[-1]
    assert found.verdict == verdict and said in found.assumption
    assert ("whatever j" in found.message) == (verdict == "refuted")


def test_a_matrix_without_its_index_is_one_that_has_one():
    cell = CELL.replace("W x", "W^{(hx)} x").replace("U h", "W^{(hh)} h")
    line = r"$$\frac{\partial h_t}{\partial h_k} = \prod_{j=k+1}^{t} FACTOR$$"
    found = rows(cell + line.replace("FACTOR", r"\operatorname{diag}(1 - h_j^2) W"))[-1]
    assert (found.verdict, found.assumption) == ("conditional", "W is read as W^{(hh)}")
    assert rows(cell + line.replace("FACTOR", r"W \operatorname{diag}(1 - h_j^2)"))[-1].verdict == "refuted"


@pytest.mark.parametrize("part", ["f_{t-1}", "g_{t+1}", "g_{t-1}"])
def test_a_part_of_a_stack_beyond_the_sequence_is_nothing(part):
    cell = GATED.replace("W_f x_t + U_f h_{t-1}", "W_f [h_{t-1}, x_t]")
    line = r"$$\delta W_f = \sum_t (\delta f_t \odot f_t \odot (1 - f_t)) [PART, x_t]^\top$$"
    assert rows(cell + line.replace("PART", "h_{t-1}"))[-1].verdict == "proved"
    assert rows(cell + line.replace("PART", part))[-1].verdict == "refuted"


@pytest.mark.parametrize(("family", "verdict"), [("d", "conditional"), (r"\delta ", "proved")])
def test_one_line_alone_does_not_tell_that_the_gradient_of_a_gate_is_that_before_it(family, verdict):
    text = GATED.rsplit("$$", 2)[0].replace(r"\delta ", family)
    line = rf"$${family}f_t = {family}h_t \odot (h_{{t-1}} - g_t) \odot f_t \odot (1 - f_t)$$"
    weights = rf"$${family}W_f = \sum_t {family}f_t x_t^\top$$"
    assert rows(text + line)[-1].verdict == verdict
    assert [row.verdict for row in rows(text + line + "\n" + weights)[-2:]] == ["proved", "proved"]


def test_a_letter_that_a_sum_runs_over_may_be_a_function_too():
    text = r"""
$$a_j^t = \sum_{i=1}^{I} w_{ij} x_i^t + \sum_{h=1}^{H} u_{hj} b_h^{t-1}$$
$$b_j^t = h(a_j^t)$$
$$\frac{\partial L}{\partial a_j^t} = (1 - \tanh^2(a_j^t)) \frac{\partial L}{\partial b_j^t}$$
"""
    found = rows(text)[-1]
    assert (found.verdict, found.assumption) == ("conditional", "h is tanh")


@pytest.mark.parametrize(
    ("term", "verdict"),
    [
        (r"\delta_t h_{t-1}^\top", "conditional"),
        (r"(h_{t-1} \delta_t^\top)^\top", "conditional"),
        (r"\delta_t [h_{t-1}, x_t]^\top", "refuted"),
    ],
)
def test_a_sum_may_leave_out_the_first_step_only_where_all_of_it_is_zero(term, verdict):
    stacked = "[" in term
    cell = CELL.replace("W x_t + U h_{t-1}", "U [h_{t-1}, x_t]") if stacked else CELL
    assert rows(cell + rf"$$dU = \sum_{{t=1}}^{{T}} {term}$$")[-1].verdict == "proved"
    assert rows(cell + rf"$$dU = \sum_{{t=2}}^{{T}} {term}$$")[-1].verdict == verdict


def test_a_bar_is_a_gradient_after_the_forward_pass_where_bars_are():
    text = r"""
$$z_t = \sigma(W_z x_t + U_z h_{t-1})$$
$$h_t = z_t \odot h_{t-1} + (1 - z_t) \odot \tanh(W x_t)$$
$$\bar{a}_t = \bar{h}_t \odot (h_{t-1} - \tanh(W x_t)) \odot z_t \odot (1 - z_t)$$
$$\bar{W}_z = \sum_t \bar{a}_t x_t^\top$$
"""
    assert [row.verdict for row in rows(text)[-2:]] == ["proved", "proved"]
    slipped = rows(text.replace(r"\bar{h}_t \odot (h", r"z_t \odot (h"))
    assert slipped[-2].kind == "claim" and slipped[-2].verdict == "refuted"


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (r"\frac{\partial f_t}{\partial h_t} = g_t", "refuted"),
        (r"\frac{\partial f_{t-1}}{\partial f_t} = g_t", "refuted"),
        (r"\frac{\partial f_t}{\partial g_t} = g_t", "undecided"),
    ],
)
def test_a_derivative_against_the_arrow_is_zero_whatever_is_missing(line, verdict):
    assert rows(GATED + f"$${line}$$")[-1].verdict == verdict


@pytest.mark.parametrize(
    "line", [r"dW = \sum_t \delta_t", r"dW = \sum_t \delta_t h_{t-1}^\top", r"db = \delta_t"]
)
def test_a_mask_of_zeros_and_ones_excuses_no_line_that_is_wrong_without_it(line):
    words = r"$m_t$ is zero or one."
    cell = CELL.replace(r"\tanh(W", r"m_t \odot \tanh(W").replace(
        r"dh_t \odot (1", r"dh_t \odot m_t \odot (1"
    )
    sums = r"$$dU = \sum_t \delta_t h_{t-1}^\top$$"
    assert rows(f"{words}\n{cell}\n{sums}\n$${line}$$")[-1].verdict == "refuted"


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ("_t", "proved"),
        ("_{t=1}^{T}", "proved"),
        (r"_{t=1}^{T_x}", "proved"),
        (r"_{t \le T}", "proved"),
        (r"_{t \ge 1}", "proved"),
        ("_{t=1}^{3}", "conditional"),
        ("_{t=1}^{T+1}", "conditional"),
        ("_{t<T}", "refuted"),
        ("_{t>1}", "refuted"),
        ("_{t=1}^{T-2}", "refuted"),
        ("_{t=1}^{T/2}", "unread"),
        ("_{t=1}^{2T}", "unread"),
        ("_{t=1}^{t}", "refuted"),
        (r"_{t \neq 1}", "unread"),
        (r"_{t \in B}", "unread"),
    ],
)
def test_what_a_sum_runs_over(limits, verdict):
    assert rows(CELL + rf"$$dW = \sum{limits} \delta_t x_t^\top$$")[-1].verdict == verdict


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [("_t", "proved"), ("_{t=1}^{T}", "proved"), ("_{t=2}^{T}", "undecided"), ("_{t=1}^{T-1}", "undecided")],
)
def test_a_loss_of_some_of_the_steps_is_not_taken_for_that_of_all(limits, verdict):
    loss = rf"$$L = \sum{limits} \| h_t - y_t \|^2$$"
    line = r"$$dh_t = 2 (h_t - y_t) + U^\top \delta_{t+1}$$"
    assert rows(CELL + loss + "\n" + line)[-1].verdict == verdict


@pytest.mark.parametrize(
    ("limits", "verdict"), [("_n", "proved"), ("_{n=1}^{N}", "proved"), ("_{n=2}^{N}", "refuted")]
)
def test_a_sum_over_some_of_the_samples_is_not_taken_for_that_of_all(limits, verdict):
    words = "Gradients of a single step, for a batch."
    assert rows(words + CELL + rf"$$db = \sum{limits} \delta_t$$")[-1].verdict == verdict


ACROSS = (
    CELL
    + r"""
$$\frac{\partial L}{\partial W} = \sum_{t=1}^{T} \frac{\partial L_t}{\partial W}$$
$$\frac{\partial L}{\partial h_k} = \sum_{t=k}^{T} \frac{\partial L_t}{\partial h_t} \frac{\partial h_t}{\partial h_k}$$
"""
)


def test_one_sum_from_zero_does_not_number_the_steps_of_all():
    sums = (
        r"\sum_{t=1}^{T} \sum_{k=LOW}^{t} \frac{\partial L_t}{\partial h_t} \frac{\partial h_t}{\partial h_k}"
    )
    wrong = rf"$$\frac{{\partial L}}{{\partial W}} = {sums} \frac{{\partial^+ h_k}}{{\partial W}}$$"
    found = [row.verdict for row in rows(ACROSS + wrong.replace("LOW", "1"))[2:]]
    assert found == ["proved"] * 3
    found = [row.verdict for row in rows(ACROSS + wrong.replace("LOW", "0"))[2:]]
    assert found[:2] == ["proved"] * 2 and found[2] != "proved"


@pytest.mark.parametrize(("first", "verdict"), [(2, "proved"), (1, "refuted"), (3, "refuted")])
def test_the_jacobian_from_the_first_step(first, verdict):
    line = rf"$$\frac{{\partial h_t}}{{\partial h_1}} = \prod_{{j={first}}}^{{t}} \operatorname{{diag}}(1 - h_j^2) U$$"
    assert rows(CELL + line)[-1].verdict == verdict


@pytest.mark.parametrize(
    ("over", "verdict"),
    [(r"t \ge k", "proved"), (r"t > k", "refuted"), (r"t \neq k", "unread"), (r"t \le k", "unread")],
)
def test_a_sum_over_all_steps_from_one_on(over, verdict):
    terms = r"\frac{\partial L_t}{\partial h_t} \frac{\partial h_t}{\partial h_k}"
    line = rf"$$\frac{{\partial L}}{{\partial h_k}} = \sum_{{{over}}} {terms}$$"
    assert rows(CELL + line)[-1].verdict == verdict


SUMMED = r"""
$$a_j(t) = \sum_{i} w_{ji} x_i(t) + \sum_{k} u_{jk} h_k(t-1)$$
$$h_j(t) = \tanh(a_j(t))$$
$$\delta_j(t) = \frac{\partial E}{\partial a_j(t)}$$
"""
COUNTED = SUMMED.replace("_{i}", "_{i=1}^I").replace("_{k}", "_{k=1}^H")
NUMBERED = SUMMED.replace("_{i}", "_{i=1}^2").replace("_{k}", "_{k=1}^3")


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ("_j", "proved"),
        ("_{j=1}^{n}", "proved"),
        ("_{j=0}^{n-1}", "proved"),
        (r"_{j \le n}", "proved"),
        (r"_{j \in \{1, \dots, n\}}", "proved"),
        ("_{j=1}^{3}", "conditional"),
        (r"_{j=1, \dots, 3}", "conditional"),
        ("_{j=1}^{2n}", "conditional"),
        (r"_{j \in S}", "conditional"),
        (r"_{j \in \{1, 2\}}", "conditional"),
        (r"_{j \notin S}", "refuted"),
        (r"_{j \in C(i)}", "refuted"),
        (r"_{j \ne i}", "refuted"),
        (r"_{j=1, j \ne i}^{n}", "refuted"),
        ("_{j < i}", "refuted"),
        ("_{j=1}^{i}", "refuted"),
        ("_{j=2}^{n}", "refuted"),
        ("_{j=1}^{n/2}", "refuted"),
        ("_{j=1}^{n-1}", "refuted"),
    ],
)
def test_which_units_a_sum_runs_over(limits, verdict):
    line = rf"$$\frac{{\partial E}}{{\partial x_i(t)}} = \sum{limits} w_{{ji}} \delta_j(t)$$"
    assert rows(SUMMED + line)[-1].verdict == verdict
    wrong = line.replace("w_{ji}", "w_{ij}")
    assert rows(SUMMED + wrong)[-1].verdict in ("refuted", "unread")


@pytest.mark.parametrize(
    ("text", "limits", "verdict"),
    [
        (COUNTED, "_{j=1}^H", "proved"),
        (COUNTED, "_{j=1}^I", "refuted"),
        (COUNTED, "_{j=1}^{H+1}", "refuted"),
        (COUNTED, "_{j=1}^{K}", "conditional"),
        (COUNTED, "_{j=1}^{3}", "conditional"),
        (NUMBERED, "_{j=1}^3", "proved"),
        (NUMBERED, "_{j=0}^2", "proved"),
        (NUMBERED, "_{j=1}^2", "refuted"),
        (NUMBERED, "_{j=1}^4", "refuted"),
    ],
)
def test_how_many_units_a_layer_has_is_what_its_forward_equations_say(text, limits, verdict):
    line = rf"$$\frac{{\partial E}}{{\partial x_i(t)}} = \sum{limits} w_{{ji}} \delta_j(t)$$"
    assert rows(text + line)[-1].verdict == verdict


@pytest.mark.parametrize(
    ("right", "verdict"),
    [
        (
            r"\frac{dL}{dp_k(t)} p_k(t) (1 - p_k(t)) - \sum_{j \ne k} \frac{dL}{dp_j(t)} p_j(t) p_k(t)",
            "proved",
        ),
        (r"\frac{dL}{dp_k(t)} p_k(t) - \sum_j \frac{dL}{dp_j(t)} p_j(t) p_k(t)", "proved"),
        (r"\frac{dL}{dp_k(t)} p_k(t) - \sum_{j \ne k} \frac{dL}{dp_j(t)} p_j(t) p_k(t)", "refuted"),
        (r"\sum_{j=1}^3 \frac{dL}{dp_j(t)} \frac{\partial p_j(t)}{\partial z_k(t)}", "conditional"),
        (r"\sum_{j \ne k} \frac{dL}{dp_j(t)} \frac{\partial p_j(t)}{\partial z_k(t)}", "refuted"),
    ],
)
def test_a_sum_over_all_units_but_one(right, verdict):
    text = r"""
$$h_j(t) = \tanh(\sum_i w_{ji} x_i(t) + \sum_k u_{jk} h_k(t-1)), \quad z_k(t) = \sum_j v_{kj} h_j(t)$$
$$p_k(t) = \frac{e^{z_k(t)}}{\sum_l e^{z_l(t)}}$$
"""
    assert rows(text + rf"$$\frac{{dL}}{{dz_k(t)}} = {right}$$")[-1].verdict == verdict


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        (r", \quad t = T", "proved"),
        (r"\quad (t = T)", "proved"),
        (r"\quad \text{for } t = T", "proved"),
        (r"\quad \text{at } t = \tau", "proved"),
        (r", \quad t < T", "refuted"),
        (r"\quad \text{for } t = 1, \ldots, T", "refuted"),
        ("", "refuted"),
    ],
)
def test_a_line_that_is_said_to_hold_at_the_last_step(condition, verdict):
    line = r"\delta_t = \frac{\partial L_t}{\partial h_t} \odot (1 - h_t^2)"
    others = r"$$\delta_t = (\frac{\partial L_t}{\partial h_t} + U^\top \delta_{t+1}) \odot (1 - h_t^2)$$"
    cell = CELL.split("$$\\delta")[0]
    assert [row.verdict for row in rows(f"{cell}{others}\n$${line} {condition}$$")[1:]] == ["proved", verdict]
    wrong = line.replace("h_t^2", "h_t")
    assert rows(f"{cell}{others}\n$${wrong} {condition}$$")[-1].verdict == "refuted"


@pytest.mark.parametrize(
    "steps",
    [
        r", \quad t = 1, \ldots, T",
        r", \quad t = T, T-1, \dots, 1",
        r"\quad \text{for } t = T, \ldots, 1",
        r", \quad t = T:1",
    ],
)
def test_a_list_of_steps_is_not_the_step_that_it_begins_with(steps):
    right = r"\delta_t = dh_t \odot (1 - h_t^2)"
    found = rows(
        CELL.replace("b)$$", f"b) {steps}$$") + f"$${right} {steps}$$\n$${right.replace('^2', '')} {steps}$$"
    )
    assert [row.verdict for row in found] == ["not-a-claim", "proved", "proved", "refuted"]


ADDED = r"$$\delta_t = (\frac{\partial L_t}{\partial h_t} + U^\top \delta_{t+1}) \odot (1 - h_t^2)$$"
ALONE = r"$$\delta_t = \frac{\partial L_t}{\partial h_t} \odot (1 - h_t^2)$$"


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("For $t = T$:", "proved"),
        ("If $t = T$, then", "proved"),
        ("At the last time step ($t = T$) there is no future, so", "proved"),
        ("At the last step,", "proved"),
        (r"At $t = \tau$ we have", "proved"),
        ("**$t = T$.**", "proved"),
        ("在最后时刻 $t=T$：", "proved"),
        ("For $t < T$:", "refuted"),
        (r"For $t = T, \ldots, 1$:", "refuted"),
        ("For $t = T - 1$:", "refuted"),
        ("For every step:", "refuted"),
        ("Starting at the last step, we go back:", "refuted"),
        ("Nothing comes from behind at the last step. At any step", "refuted"),
        ("For the last step the sum is empty.\n", "refuted"),
    ],
)
def test_words_before_a_display_say_that_it_holds_at_the_last_step(words, verdict):
    text = f"{CELL.split('$$' + chr(92) + 'delta')[0]}\n{ADDED}\n\n{words}\n"
    assert rows(text + ALONE)[-1].verdict == verdict
    assert rows(text + ADDED)[-1].verdict == "proved"
    assert rows(text + ALONE.replace("h_t^2", "h_t"))[-1].verdict == "refuted"
    others = [row.verdict for row in rows(f"{text}{ALONE}\nand then\n{ALONE}")]
    assert others[-2:] == [verdict, "refuted"]  # the words are those of one display


@pytest.mark.parametrize(
    ("at", "before"),
    [
        ("t = T", "t < T"),
        (r"\text{if } t = T", r"\text{otherwise}"),
        (r"\text{for $t = T$}", r"\text{else}"),
        ("t = T", r"t \ne T"),
        ("t = T,", r"t = 1, \ldots, T-1"),
        (r"\text{at the last step}", r"\text{elsewhere}"),
    ],
)
def test_cases_of_the_last_step_and_the_others(at, before):
    cell = CELL.split("$$\\delta")[0]
    alone, added = (line.strip("$").partition(" = ")[2] for line in (ALONE, ADDED))

    def found(first, second, one=at, other=before):
        cases = rf"\begin{{cases}} {first} & {one} \\ {second} & {other} \end{{cases}}"
        return rows(rf"{cell}{ADDED}" + "\n\n" + rf"$$\delta_t = {cases}$$")[-1].verdict

    assert found(alone, added) == "proved"
    assert found(added, alone, before, at) == "proved"
    assert found(added, alone) == "refuted"
    assert found(alone, alone) == "refuted"
    assert found(alone.replace("h_t^2", "h_t"), added) == "refuted"
    assert found(alone, added.replace("h_t^2", "h_t")) == "refuted"


def test_cases_in_one_term():
    cell = CELL.split("$$\\delta")[0] + ADDED
    cases = r"\begin{cases} 0 & t = T \\ U^\top \delta_{t+1} & t < T \end{cases}"
    line = rf"$$\frac{{\partial L}}{{\partial h_t}} = \frac{{\partial L_t}}{{\partial h_t}} + {cases}$$"
    assert rows(f"{cell}\n\n{line}")[-1].verdict == "proved"
    assert rows(f"{cell}\n\n{line.replace('U^', 'W^')}")[-1].verdict == "refuted"


def test_a_running_index_may_be_of_what_earlier_steps_computed():
    text = r"""
$$net_{in_v}(t) = \sum_m w_{in_v m} y^m(t-1), \quad y^{in_v}(t) = \sigma(net_{in_v}(t))$$
$$net_{c_v}(t) = \sum_m w_{c_v m} y^m(t-1), \quad s_{c_v}(t) = s_{c_v}(t-1) + y^{in_v}(t) net_{c_v}(t)$$
$$y^{c_v}(t) = \tanh(s_{c_v}(t)), \quad net_k(t) = \sum_v w_{k c_v} y^{c_v}(t)$$
$$\delta_k(t) = \frac{\partial E}{\partial net_k(t)}, \quad \epsilon_v(t) = \frac{\partial E}{\partial net_{in_v}(t)}$$
$$\frac{\partial E}{\partial w_{k c_v}} = \sum_t \delta_k(t) y^{c_v}(t)$$
$$\frac{\partial E}{\partial w_{in_v m}} = \sum_t \epsilon_v(t) y^m(t-1)$$
"""
    *_, out, gate = rows(text)
    assert (out.verdict, gate.verdict) == ("proved", "conditional")
    assert "is given" in gate.assumption


@pytest.mark.parametrize(
    ("start", "verdict"), [("1", "proved"), ("2", "conditional"), ("3", "refuted"), ("4", "refuted")]
)
def test_a_sum_that_leaves_out_more_than_the_first_step_lacks_steps(start, verdict):
    line = rf"$$\frac{{\partial L}}{{\partial U}} = \sum_{{t={start}}}^T \delta_t h_{{t-1}}^\top$$"
    assert rows(CELL + line)[-1].verdict == verdict
    beyond = rows(CELL + line.replace("^T \\delta", "^{T+1} \\delta"))[-1]
    assert (beyond.verdict, "after the last step" in beyond.assumption) == (
        "refuted" if verdict == "refuted" else "conditional",
        verdict != "refuted",
    )


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (r"\frac{\partial E}{\partial x_i(t)} = \sum_j w_{ji} \delta(t)", "conditional"),
        (r"\frac{\partial E}{\partial x_i(t)} = \sum_j w \delta_j(t)", "conditional"),
        (r"\frac{\partial E}{\partial x_i(t)} = \sum_j w_{ji} h(t)", "refuted"),
        (r"\frac{\partial h_j(t)}{\partial h_k(t-1)} = (1 - h(t)^2) u_{jk}", "conditional"),
        (r"\frac{\partial h_j(t)}{\partial h_k(t-1)} = (1 - h(t)) u_{jk}", "refuted"),
    ],
)
def test_a_vector_among_entries_lacks_its_index(line, verdict):
    found = rows(f"{SUMMED}$${line}$$")[-1]
    assert found.verdict == verdict
    assert "index" in found.assumption + found.message


@pytest.mark.parametrize(
    "words",
    [
        r"$\delta_n$ is the gradient of the argument of the last tanh",
        r"$\delta_n$ denotes the gradient with respect to the pre-activation",
        r"where $\delta_n$ is the error before the tanh",
    ],
)
def test_words_say_that_a_gradient_is_that_of_an_argument(words):
    text = rf"""
$$z_t = \sigma(W_z x_t + U_z h_{{t-1}} + b_z)$$
$$n_t = \tanh(W_n x_t + U_n h_{{t-1}} + b_n)$$
$$h_t = (1 - z_t) \odot n_t + z_t \odot h_{{t-1}}$$

{words}:

"""
    right = r"$$\delta_n = dh_t \odot (1 - z_t) \odot (1 - n_t^2)$$"
    of_gate = r"$$\delta_n = dh_t \odot (1 - z_t)$$"
    assert rows(text + right)[-1].verdict == "proved"
    assert rows(text + of_gate)[-1].verdict == "refuted"
    without = text.replace(words, "Backwards")
    assert rows(without + of_gate)[-1].verdict != "refuted"


def test_n_numbers_units_where_weights_have_it():
    text = r"""
$$\alpha_m = \sum_l w_{ml} x_l, \quad \beta_m = \sigma(\alpha_m), \quad \alpha_n = \sum_m w_{nm} \beta_m$$
$$E = \frac{1}{2} \sum_n (\alpha_n - d_n)^2$$
$$\delta_n = \frac{\partial E}{\partial \alpha_n}, \quad \delta_m = \frac{\partial E}{\partial \alpha_m}$$
"""
    right = r"$$\delta_m = \beta_m (1 - \beta_m) \sum_n w_{nm} \delta_n$$"
    assert rows(text + right)[-1].verdict == "proved"
    assert rows(text + right.replace(r"\sum_n ", ""))[-1].verdict == "refuted"


def test_where_gates_and_what_goes_into_them_are_named_a_gradient_is_of_what_it_names():
    text = r"""
$$\bar{i}_t = W_i x_t + U_i h_{t-1}, \quad i_t = \sigma(\bar{i}_t)$$
$$\bar{z}_t = W_z x_t + U_z h_{t-1}, \quad z_t = \tanh(\bar{z}_t)$$
$$h_t = h_{t-1} + i_t \odot z_t$$
$$\delta h_t = \Delta_t + \delta h_{t+1} + U_i^\top \delta\bar{i}_{t+1} + U_z^\top \delta\bar{z}_{t+1}$$
$$\delta\bar{z}_t = \delta h_t \odot i_t \odot (1 - z_t^2)$$
"""
    right = r"$$\delta\bar{i}_t = \delta h_t \odot z_t \odot i_t \odot (1 - i_t)$$"
    assert [row.verdict for row in rows(text + right)[-3:]] == ["proved"] * 3
    assert rows(text + right.replace(r"\bar{i}_t =", " i_t ="))[-1].verdict == "refuted"
