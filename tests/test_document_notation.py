"""Indices, names of gradients and steps as documents write them."""

from lstmsym.binding.verify import verify_document


def test_an_index_is_put_in_wherever_it_stands():
    cell = r"""
$$u^k_t = W_{xk} x_t + W_{hk} h_{t-1} + b^{(k)}, \quad k \in \{i, o, g\}$$
$$i_t = \sigma(u^i_t), \quad o_t = \sigma(u^o_t), \quad g_t = \tanh(u^g_t), \quad h_t = o_t \odot \tanh(i_t \odot g_t)$$
$$\delta_{u^i}(t) = \frac{\partial L}{\partial u^i_t}, \quad \delta_{u^o}(t) = \frac{\partial L}{\partial u^o_t}, \quad \delta_{u^g}(t) = \frac{\partial L}{\partial u^g_t}$$
"""
    line = r"""
$$\frac{\partial L}{\partial W_{xk}} = \sum_t \delta_{u^k}(t) x_t^T, \quad \frac{\partial L}{\partial b^{(k)}} = \sum_t \delta_{u^k}(t), \quad \frac{\partial L}{\partial W_{hk}} = \sum_t \delta_{u^k}(t) h_{t}^T, \qquad k = i, o, g$$
"""
    rows = verify_document(cell + line, "a.md").rows[-3:]
    assert [row.verdict for row in rows] == ["proved", "proved", "refuted"]


def verdicts(text):
    """Verdicts of the rows that claim something."""
    return [row.verdict for row in verify_document(text, "a.md").rows if row.kind == "claim"]


INDEXED = r"""
$$a_t = W x_t + U h_{t-1} + b, \quad h_t = \tanh(a_t), \quad L = \sum_t \frac12 \|h_t - y_t\|^2$$
SAID
$$e_{h_t} = h_t - y_t + U^T e_{a_{t+1}}$$
$$e_{a_t} = (1 - h_t^2) \odot e_{h_t}$$
$$e_{a_t} = (1 - h_t) \odot e_{h_t}$$
$$e_W = \sum_t e_{a_t} x_t^T, \quad e_U = \sum_t e_{a_t} (h_t)^T$$
"""


def test_a_letter_before_what_it_is_the_gradient_of_is_no_forward_equation():
    expected = ["proved", "proved", "refuted", "proved", "refuted"]
    assert verdicts(INDEXED.replace("SAID", "We write $e_v$ for the derivative of $L$ by $v$.")) == expected
    assert verdicts(INDEXED.replace("SAID", "")) == expected, "by its use"


def test_the_name_of_an_argument_is_no_gradient():
    text = r"""
$$a_{i_t} = W_i x_t + U_i h_{t-1}, \quad i_t = \sigma(a_{i_t}), \quad a_{g_t} = W_g x_t + U_g h_{t-1}, \quad g_t = \tanh(a_{g_t})$$
$$h_t = i_t \odot g_t, \quad \frac{\partial L}{\partial a_{i_t}} = \frac{\partial L}{\partial i_t} \odot i_t \odot (1 - i_t)$$
"""
    rows = verify_document(text, "a.md").rows
    assert [row.kind for row in rows] == ["forward"] * 5 + ["claim"]
    assert rows[-1].verdict == "proved"


def test_what_is_defined_by_gradients_is_no_forward_equation():
    text = r"""
$$a_t = W x_t + U h_{t-1}, \quad h_t = \tanh(a_t)$$
$$\alpha_t = \frac{\partial L}{\partial h_t} \odot (1 - h_t^2), \quad \beta_t = U^T \alpha_t$$
$$\frac{\partial L}{\partial W} = \sum_t \alpha_t x_t^T, \quad \frac{\partial L}{\partial U} = \sum_t \alpha_t h_t^T$$
"""
    rows = verify_document(text, "a.md").rows
    assert [row.kind for row in rows[2:]].count("forward") == 0
    assert [row.verdict for row in rows[-2:]] == ["proved", "refuted"]


def test_a_derivative_by_what_stands_for_any_quantity_is_a_definition():
    text = INDEXED.replace(
        "SAID", r"$$e_v = \partial L/\partial v, \quad \delta^{q} = \partial^{+} L / \partial q$$"
    )
    rows = verify_document(text, "a.md").rows
    assert [row.verdict for row in rows[3:5]] == ["not-a-claim"] * 2
    assert [row.verdict for row in rows[5:]] == ["proved", "proved", "refuted", "proved", "refuted"]


def test_no_message_names_a_place_in_a_program():
    text = r"$$h_t = \tanh(W x_t + U h_{t-1}), \quad y_t = V z_{t+1}, \quad dh_t = U^T dh_{t+1}$$"
    for row in verify_document(INDEXED.replace("U h_{t-1}", "U h_{t-1} + V h_{t-2}") + text, "a.md").rows:
        assert ".py" not in row.message
        assert "Document" not in row.message


LSTM = r"""
$$i_t = \sigma(W_i x_t + U_i h_{t-1}), \quad f_t = \sigma(W_f x_t + U_f h_{t-1}), \quad \tilde c_t = \tanh(W_c x_t + U_c h_{t-1})$$
$$c_t = f_t \odot c_{t-1} + i_t \odot \tilde c_t, \quad h_t = \tanh(c_t)$$
"""


def test_several_names_are_said_to_be_gradients_respectively():
    text = (
        LSTM
        + r"""
Here $p_t$ and $q_t$ denote the derivatives of the loss with respect to $h_t$ and $c_t$.
$$q_t = p_t \odot (1 - h_t^2) + q_{t+1} \odot f_{t+1}$$
$$\frac{\partial L}{\partial i_t} = q_t \odot \tilde c_t, \quad \frac{\partial L}{\partial f_t} = p_t \odot c_{t-1}$$
"""
    )
    assert verdicts(text) == ["proved", "proved", "refuted"]


def test_the_gradient_of_a_candidate_may_go_by_its_letter():
    cell = r"""
$$r_t = \sigma(W_r x_t + U_r h_{t-1}), \quad \tilde h_t = \tanh(W x_t + U (r_t \odot h_{t-1})), \quad h_t = h_{t-1} + \tilde h_t$$
$$\delta_r(t) = \frac{\partial L}{\partial r_t} \odot r_t \odot (1 - r_t)$$
$$\delta_h(t) = \frac{\partial L}{\partial \tilde h_t} \odot (1 - \tilde h_t^2)$$
$$\frac{\partial L}{\partial W_r} = \sum_t \delta_r(t) x_t^T, \quad \frac{\partial L}{\partial W} = \sum_t \delta_h(t) x_t^T, \quad \frac{\partial L}{\partial U} = \sum_t \delta_h(t) h_{t-1}^T$$
"""
    assert verdicts(cell) == ["proved"] * 4 + ["refuted"]
    state = (
        LSTM
        + r"""
$$\delta_c(t) = \frac{\partial L}{\partial h_t} \odot (1 - h_t^2) + \delta_c(t+1) \odot f_{t+1}$$
$$\delta_i(t) = \delta_c(t) \odot \tilde c_t \odot i_t \odot (1 - i_t)$$
$$\delta_f(t) = \delta_c(t) \odot c_{t-1} \odot f_t \odot (1 - f_t)$$
"""
    )
    assert verdicts(state) == ["proved"] * 3


def test_a_number_above_a_name_that_is_one_somewhere_is_part_of_it():
    text = r"""
$$a_n = W^1 x_{n-1} + W^2 x_n + U h_{n-1}, \quad h_n = \tanh(a_n)$$
$$\frac{\partial L}{\partial W^1} = \sum_n \frac{\partial L}{\partial a_n} x_{n-1}^T, \quad \frac{\partial L}{\partial W^2} = \sum_n \frac{\partial L}{\partial a_n} x_{n}^T$$
$$\frac{\partial L}{\partial x_n} = W^{2\top} \frac{\partial L}{\partial a_n} + W^{1\top} \frac{\partial L}{\partial a_{n+1}}$$
$$\frac{\partial L}{\partial x_n} = W^{1\top} \frac{\partial L}{\partial a_n} + W^{2\top} \frac{\partial L}{\partial a_{n+1}}$$
"""
    assert verdicts(text) == ["proved", "proved", "proved", "refuted"]


def test_steps_in_brackets_have_any_letter():
    text = r"""
$$v(k) = A u(k) + B x(k-1), \quad x(k) = \tanh(v(k))$$
$$\frac{\partial E}{\partial v(k)} = (1 - x(k)^2) \odot \frac{\partial E}{\partial x(k)}$$
$$\frac{\partial E}{\partial A} = \sum_k \frac{\partial E}{\partial v(k)} u^T(k), \quad \frac{\partial E}{\partial B} = \sum_k \frac{\partial E}{\partial v(k)} x^T(k)$$
"""
    assert verdicts(text) == ["proved", "proved", "refuted"]
    assert verdicts(text.replace("k", "n")) == ["proved", "proved", "refuted"]


def test_a_diagonal_matrix_written_entry_by_entry():
    cell = r"""
$$v_t = W x_{t-1} + U u_t, \quad x_t = \varphi(v_t), \quad y_t = C x_t, \quad E = \frac12 \sum_t \|d_t - y_t\|^2$$
where $\varphi = \tanh$ and $\Phi_t = \operatorname{diag}(\varphi'(v_{t,1}), \dots, \varphi'(v_{t,n}))$, $P_t = \mathrm{diag}(1 - x_{1,t}^2, \ldots, 1 - x_{n,t}^2)$.
"""
    lines = r"""
$$\frac{\partial E}{\partial x_t} = C^T (y_t - d_t) + W^T \Phi_{t+1} \frac{\partial E}{\partial x_{t+1}}$$
$$\frac{\partial E}{\partial x_t} = C^T (y_t - d_t) + W^T P_{t+1} \frac{\partial E}{\partial x_{t+1}}$$
$$\frac{\partial E}{\partial x_t} = C^T (y_t - d_t) + W^T \Phi_{t} \frac{\partial E}{\partial x_{t+1}}$$
$$\frac{\partial x_t}{\partial x_{t-1}} = \operatorname{diag}(1 - x_{t,1}^2, \dots, 1 - x_{t,n}^2) W$$
$$\frac{\partial x_t}{\partial x_{t-1}} = \operatorname{diag}(1 - x_{t,1}, \dots, 1 - x_{t,n}) W$$
"""
    assert verdicts(cell + lines) == ["proved", "proved", "refuted", "proved", "refuted"]
    called = cell.replace(r"\varphi'(v_{t,1})", r"\varphi'(v_1(t))").replace(
        r"\varphi'(v_{t,n})", r"\varphi'(v_n(t))"
    )
    called = called.replace("v_t", "v(t)").replace("x_t", "x(t)").replace(r"\Phi_t", r"\Phi(t)")
    rows = verify_document(called, "a.md").rows
    assert "definition" in {row.kind for row in rows if "Phi" in row.source}


def test_signs_in_passing_are_no_equations():
    text = (
        r"We write $\big|_{(t)}$ for the copy at $t$, $w_{c\cdot}$ for a row; $h_{t = W x_t$ is damaged."
        + "\n"
    )
    found = [(row.source, row.verdict) for row in verify_document(text, "a.md").rows]
    assert found[0] == (r"\big|_{(t)}", "not-a-claim")
    assert found[-1][1] == "unread"
