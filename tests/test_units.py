r"""Index notation: what sums over units, free indices and letters in two roles say, and which slips show."""

import pytest

from lstmsym.binding.verify import verify_document

RNN = r"""
$$a_i(t) = \sum_j W_{ij} x_j(t) + \sum_{k=1}^N U_{ik} h_k(t-1) + b_i, \quad h_i(t) = \tanh(a_i(t))$$
$$o_k(t) = \sum_i V_{ki} h_i(t) + c_k$$
Errors: $$\delta_i(t) = \frac{\partial L}{\partial a_i(t)}$$
"""
LAYERS = r"""
$$a_j = \sum_i w_{ji} x_i, \quad z_j = \tanh(a_j), \quad a_k = \sum_j w_{kj} z_j, \quad y_k = a_k$$
$$\delta_k = -\frac{\partial E}{\partial a_k}, \quad \delta_j = -\frac{\partial E}{\partial a_j}$$
"""
BLOCKS = r"""
$$a_\iota^t = \sum_i w_{i\iota} x_i^t + \sum_{h=1}^H w_{h\iota} b_h^{t-1} + w_{c\iota} s_c^{t-1}$$
$$a_\omega^t = \sum_i w_{i\omega} x_i^t + \sum_{h=1}^H w_{h\omega} b_h^{t-1}$$
$$a_c^t = \sum_i w_{ic} x_i^t + \sum_{h=1}^H w_{hc} b_h^{t-1}$$
$$s_c^t = s_c^{t-1} + \sigma(a_\iota^t) \tanh(a_c^t), \quad b_c^t = \sigma(a_\omega^t) \tanh(s_c^t)$$
$$y_k^t = \sum_{c=1}^H v_{ck} b_c^t, \quad \delta_j^t = \frac{\partial L}{\partial a_j^t}$$
"""


def verdict(text, equation):
    """The verdict on one equation behind a text, and why."""
    row = verify_document(f"{text}\n$${equation}$$\n", "a.md").rows[-1]
    return row.verdict, row.message


@pytest.mark.parametrize(
    "line",
    [
        r"\delta_i(t) = (1 - h_i^2(t)) [\sum_k V_{ki} \frac{\partial L}{\partial o_k(t)} + \sum_j U_{ji} \delta_j(t+1)]",
        r"\frac{\partial L}{\partial U_{ij}} = \sum_{t=1}^T \sum_k \delta_k(t) \delta_{ki} h_j(t-1)",
        r"\frac{\partial L}{\partial x_m(t)} = \sum_i W_{im} \delta_i(t)",
        r"\frac{\partial h_i(t)}{\partial h_j(t-1)} = \sum_k \delta_{ik} (1 - h_k(t)^2) U_{kj}",
        r"\frac{\partial o_i(t)}{\partial h_j(t-1)} = \sum_k V_{ik} (1 - h_k(t)^2) U_{kj}",
        r"\frac{\partial L}{\partial h_j(t-1)} = \sum_i \delta_i(t) \frac{\partial a_i(t)}{\partial h_j(t-1)}"
        r" + \sum_k V_{kj} \frac{\partial L}{\partial o_k(t-1)}",
        r"(W^\top \delta(t))_j = \frac{\partial L}{\partial x_j(t)}",
    ],
)
def test_right_lines_are_proved(line):
    assert verdict(RNN, line)[0] == "proved"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (r"\frac{\partial L}{\partial x_j(t)} = \sum_i W_{ji} \delta_i(t)", "both numbered by i"),
        (
            r"\frac{\partial L}{\partial U_{ij}} = \sum_t \delta_j(t) h_i(t-1)",
            "the two indices are exchanged",
        ),
        (r"\frac{\partial L}{\partial x_j(t)} = W_{ij} \delta_i(t)", "i stands on the right side only"),
        (r"\frac{\partial L}{\partial W_{ij}} = \sum_t \delta_i(t)", "j stands on the left side only"),
        (r"\frac{\partial L}{\partial b_i} = \sum_t \delta_m(t)", "m stands on the right side only"),
        (r"\frac{\partial h_i(t)}{\partial h_j(t-1)} = (1 - h_j(t)^2) U_{ij}", ""),
        (r"\frac{\partial h_i(t)}{\partial h_j(t-1)} = (1 - h_i(t)^2) \delta_{ii} U_{ji}", ""),
        (r"\frac{\partial L}{\partial x_j(t)} = \sum_i W_{ij} \delta_i(t+1)", ""),
        (
            r"\frac{\partial L}{\partial x_j(t)} = \sum_{i=2}^N W_{ij} \delta_i(t)",
            "right of the sum over all",
        ),
    ],
)
def test_slips_of_indices_are_refuted(line, why):
    found, message = verdict(RNN, line)
    assert found == "refuted"
    assert why in message


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (r"\frac{\partial L}{\partial b_i} = \sum_t \delta_i(t) U_{ii}", "the diagonal of a matrix"),
        (r"\frac{\partial L}{\partial x_j(t)} = \sum_{i=2}^N U_{ij} \delta_i(t)", "some of the units only"),
        (r"\frac{\partial L}{\partial U_{ij}} = \sum_t \delta_{ij}(t)", "has 2 indices"),
    ],
)
def test_what_is_not_understood_is_said(line, why):
    found, message = verdict(RNN, line)
    assert found == "unread"
    assert why in message


@pytest.mark.parametrize(
    ("right", "found"),
    [
        (r"W_{ij} \delta_i(t)", "proved"),
        (r"W_{ji} \delta_i(t)", "refuted"),
        (r"W_{ij} \delta_k(t)", "refuted"),
    ],
)
def test_repeated_indices_that_a_text_sums_over_are_summed(right, found):
    line = r"\frac{\partial L}{\partial x_j(t)} = " + right
    assert verdict(RNN + "\nThe summation convention is used.\n", line)[0] == found


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        (LAYERS, r"\delta_j = (1 - z_j^2) \sum_k w_{kj} \delta_k", "proved"),
        (LAYERS, r"\delta_j = (1 - z_j^2) \sum_k w_{jk} \delta_k", "refuted"),
        (LAYERS, r"\frac{\partial E}{\partial w_{kj}} = -\delta_k z_j", "proved"),
        (LAYERS, r"\frac{\partial E}{\partial w_{kj}} = \delta_k z_j", "refuted"),
        (LAYERS, r"\delta_l = \sum_k w_{kj} \delta_k", "refuted"),
        (BLOCKS, r"\frac{\partial L}{\partial b_c^t} = \sum_k v_{ck} \frac{\partial L}{\partial y_k^t} + \sum_g w_{cg} \delta_g^{t+1}", "proved"),
        (BLOCKS, r"\frac{\partial L}{\partial b_c^t} = \sum_k v_{ck} \frac{\partial L}{\partial y_k^t} + \sum_g w_{gc} \delta_g^{t+1}", "refuted"),
        (BLOCKS, r"\frac{\partial L}{\partial b_c^t} = \sum_k v_{ck} \frac{\partial L}{\partial y_k^t} + \sum_g w_{cg} \delta_g^t", "refuted"),
        (BLOCKS, r"\delta_\iota^t = \sigma'(a_\iota^t) \tanh(a_c^t) \frac{\partial L}{\partial s_c^t}", "proved"),
        (BLOCKS, r"\delta_\iota^t = \sigma'(a_\omega^t) \tanh(a_c^t) \frac{\partial L}{\partial s_c^t}", "refuted"),
        (BLOCKS, r"\frac{\partial L}{\partial w_{i\iota}} = \sum_t x_i^t \delta_\iota^t", "proved"),
        (BLOCKS, r"\frac{\partial L}{\partial w_{i\iota}} = \sum_t x_i^t \delta_\omega^t", "refuted"),
    ],
)  # fmt: skip
def test_letters_that_tell_quantities_apart(text, line, found):
    assert verdict(text, line)[0] == found


def test_a_letter_numbers_units_in_one_name_and_is_a_label_in_another():
    text = r"""
$$a_{i,j}^t = \sum_k W_{i,jk} x_k^t + \sum_k U_{i,jk} c_k^{t-1}, \quad a_{g,j}^t = \sum_k W_{g,jk} x_k^t$$
$$c_j^t = c_j^{t-1} + \sigma(a_{i,j}^t) \tanh(a_{g,j}^t)$$
"""
    line = r"\frac{\partial L}{\partial W_{i,jk}} = \sum_t \sigma'(a_{i,j}^t) \tanh(a_{g,j}^t) \frac{\partial L}{\partial c_j^t} x_k^t"
    assert verdict(text, line)[0] == "proved"
    assert verdict(text, line.replace("W_{i,jk}} =", "W_{g,jk}} ="))[0] == "refuted"


def test_vectors_in_one_line_and_their_entries_in_another():
    text = r"$$h_t = \tanh(W x_t + U h_{t-1})$$" + "\n"
    right = r"\frac{\partial L}{\partial U_{ij}} = \sum_t (1 - h_{t,i}^2) \frac{\partial L}{\partial h_{t,i}} h_{t-1,j}"
    assert verdict(text, right)[0] == "proved"
    assert verdict(text, right.replace("h_{t-1,j}", "h_{t,j}"))[0] == "refuted"
    assert verdict(text, right.replace("h_{t,i}^2", "h_{m,i}^2"))[0] != "proved"


def test_words_of_letters_beside_units_and_steps_in_them():
    text = r"""
$$s_{jt} = \sum_{i=1}^{n_x} w^{xh}_{ji} x_{it} + \sum_{k=1}^{n_h} w^{hh}_{jk} h_{k,t-1}, \quad h_{jt} = \tanh(s_{jt})$$
"""
    right = r"\frac{\partial E}{\partial w^{xh}_{ji}} = \sum_t \frac{\partial E}{\partial h_{jt}} (1 - h_{jt}^2) x_{it}"
    assert verdict(text, right)[0] == "proved"
    assert verdict(text, right.replace("x_{it}", "x_{i,t-1}"))[0] == "refuted"


def test_derivatives_of_a_unit_by_its_own_weights():
    text = r"""
$$a_j(t) = \sum_i w_{ij} x_i(t) + \sum_l u_{lj} h_l(t-1), \quad h_j(t) = \tanh(a_j(t))$$
"""
    chain = r"\frac{\partial E}{\partial u_{lj}} = \sum_t \frac{\partial E}{\partial h_j(t)} \frac{\partial h_j(t)}{\partial u_{lj}}"
    assert verdict(text, r"\frac{\partial a_j(t)}{\partial u_{lj}} = h_l(t-1)")[0] == "conditional"
    assert verdict(text, r"\frac{\partial a_j(t)}{\partial u_{lj}} = h_l(t)")[0] == "refuted"
    assert verdict(text, chain)[0] == "conditional"
    assert verdict(text, chain.replace(r"E}{\partial h_j", r"E}{\partial h_l"))[0] == "refuted"
    assert verdict(LAYERS, r"\frac{\partial a_k}{\partial w_{kj}} = z_j")[0] == "proved"
    assert verdict(LAYERS, r"\frac{\partial z_j}{\partial w_{ji}} = x_i")[0] == "refuted"


BESIDE = r"""
$$\mathbf a_t = \mathbf V \mathbf x_t + \mathbf u \odot \mathbf h_{t-1} + \mathbf b, \quad \mathbf h_t = \tanh(\mathbf a_t), \quad \mathbf o_t = \mathbf C \mathbf h_t$$
$$h_{i,t} = \tanh(\mathbf v_i^\top \mathbf x_t + u_i h_{i,t-1} + b_i)$$
"""


def test_units_beside_vectors_of_the_same_letter():
    assert verdict(BESIDE.rsplit("$$", 2)[0], BESIDE.split("$$")[3])[0] == "proved", "said again, by rows"
    for right, old, new in (
        (r"\frac{\partial L}{\partial u_i} = \sum_t \frac{\partial L}{\partial a_{i,t}} h_{i,t-1}", ",t-1", ",t"),
        (r"\frac{\partial L}{\partial \mathbf v_i} = \sum_t \frac{\partial L}{\partial a_{i,t}} \mathbf x_t^\top", "a_{i,t}", "h_{i,t}"),
        (r"\frac{\partial L}{\partial \mathbf V} = \sum_t \frac{\partial L}{\partial \mathbf a_t} \mathbf x_t^\top", "x_t", "x_{t-1}"),
        (r"\frac{\partial h_{i,T}}{\partial h_{i,t}} = \prod_{k=t+1}^T u_i (1 - h_{i,k}^2)", "t+1", "t"),
    ):  # fmt: skip
        assert verdict(BESIDE, right)[0] == "proved"
        assert verdict(BESIDE, right.replace(old, new, 1))[0] == "refuted"


def test_entries_of_bracketed_products():
    text = r"""
$$z_j^{(t)} = \sigma([\mathbf W_z \mathbf x^{(t)}]_j + [\mathbf U_z \mathbf h^{(t-1)}]_j)$$
$$h_j^{(t)} = z_j^{(t)} h_j^{(t-1)} + (1 - z_j^{(t)}) \tanh([\mathbf W \mathbf x^{(t)}]_j + [\mathbf U \mathbf h^{(t-1)}]_j)$$
$$\boldsymbol\delta^{(t)} = \frac{\partial L}{\partial \mathbf z^{(t)}} \odot \mathbf z^{(t)} \odot (1 - \mathbf z^{(t)})$$
"""
    right = r"\frac{\partial L}{\partial \mathbf U_z} = \sum_t \boldsymbol\delta^{(t)} \mathbf h^{(t-1)\top}"
    assert verdict(text, right)[0] == "proved"
    assert verdict(text, right.replace("t-1", "t"))[0] == "refuted"


def test_a_letter_that_numbers_samples_numbers_no_units():
    text = r"""
$$h_t = \tanh(W x_t + U h_{t-1}), \quad h_{i,t} = \tanh(W x_{i,t} + U h_{i,t-1})$$
"""
    cell = verify_document(text, "a.md").cell
    assert {"h", "h_i"} <= {e.name.base for e in cell.equations}


def test_the_unit_that_is_the_class():
    text = r"""
$$\mathbf h_t = \tanh(\mathbf W \mathbf h_{t-1} + \mathbf U \mathbf x_t), \quad \mathbf o_t = \mathbf V \mathbf h_t, \quad \hat{\mathbf y}_t = \mathrm{softmax}(\mathbf o_t)$$
$$L = -\sum_t \log \hat{\mathbf y}_t[y_t]$$
The target $y_t$ is one-hot.
"""
    for one in (r"\mathbf 1_{i = y_t}", r"\mathbf 1_{y_t = i}", r"\mathbf 1_{i, y_t}"):
        right = rf"\frac{{\partial L}}{{\partial o_{{i,t}}}} = \hat y_{{i,t}} - {one}"
        assert verdict(text, right)[0] == "proved"
        assert verdict(text, right.replace(" - ", " + "))[0] == "refuted"


def test_a_layer_normalised_by_its_sums():
    text = r"""
$$a_t = U x_t + W h_{t-1}, \quad \mu_t = \frac1H \sum_{i=1}^H a_{t,i}, \quad s_t = \sqrt{\frac1H \sum_{i=1}^H (a_{t,i} - \mu_t)^2}$$
$$v_t = \frac{a_t - \mu_t}{s_t}, \quad h_t = \tanh(g \odot v_t)$$
"""
    mean = r"\frac1H \sum_{i=1}^H \frac{\partial E}{\partial v_{t,i}}"
    right = rf"\frac{{\partial E}}{{\partial a_t}} = \frac1{{s_t}} (\frac{{\partial E}}{{\partial v_t}} - {mean} - v_t {mean} v_{{t,i}})"
    assert verdict(text, right)[0] == "proved"
    assert verdict(text, right.replace("- v_t", "+ v_t"))[0] == "refuted"
    assert verdict(text, right.replace(f"- {mean} ", "", 1))[0] == "refuted"
    assert verdict(text, right.replace(r"\frac1H", ""))[0] == "refuted"


def test_numbers_of_units_have_names():
    text = r"""
$$z_i(t) = \sum_{j=1}^M U_{ij} x_j(t) + \sum_{j=1}^N W_{ij} h_j(t-1), \quad m(t) = \frac1N \sum_{k=1}^N z_k(t), \quad h_i(t) = \tanh(z_i(t) - m(t))$$
$$\delta_i(t) = (1 - h_i(t)^2) \frac{\partial L}{\partial h_i(t)}$$
"""
    right = r"\frac{\partial L}{\partial z_i(t)} = \delta_i(t) - \frac1N \sum_{k=1}^N \delta_k(t)"
    assert verdict(text, right)[0] == "proved"
    assert verdict(text, right.replace(r"\frac1N", r"\frac1M"))[0] == "refuted"
    assert verdict(text, r"\frac{\partial L}{\partial m(t)} = -\sum_i \delta_i(t)")[0] == "proved"


def test_one_number_for_a_layer():
    text = r"$$z_t = U x_t + W h_{t-1}, \quad s_t = v^\top \tanh(z_t), \quad h_t = s_t \tanh(z_t)$$" + "\n"
    right = r"\frac{\partial L}{\partial v} = \sum_t \frac{\partial L}{\partial s_t} \tanh(z_t)"
    assert verdict(text, right)[0] == "proved"
    assert verdict(text, right.replace(r"\tanh", ""))[0] == "refuted"


def test_letters_of_units_with_primes():
    text = r"""
$$a_h^t = \sum_{i=1}^I w_{ih} x_i^t + \sum_{h'=1}^H w_{h'h} b_{h'}^{t-1}, \quad b_h^t = \tanh(a_h^t), \quad a_k^t = \sum_{h=1}^H w_{hk} b_h^t$$
$$O = \frac12 \sum_{t=1}^T \sum_k (a_k^t - z_k^t)^2, \quad \delta_j^t = \frac{\partial O}{\partial a_j^t}$$
"""
    right = r"\delta_h^t = (1 - (b_h^t)^2) (\sum_{k=1}^K \delta_k^t w_{hk} + \sum_{h'=1}^H \delta_{h'}^{t+1} w_{hh'})"
    assert verdict(text, right)[0] == "proved"
    assert verdict(text, right.replace("w_{hh'}", "w_{h'h}"))[0] == "refuted"
    weights = r"\frac{\partial O}{\partial w_{h'h}} = \sum_{t=1}^T \delta_h^t b_{h'}^{t-1}"
    assert verdict(text, weights)[0] == "proved"
    assert verdict(text, weights.replace("t-1", "t"))[0] == "refuted"


ROWS = r"""
$$a_{t,i} = w_i^\top x_t + u_i^\top h_{t-1} + b_i, \quad h_{t,i} = \tanh(a_{t,i})$$
"""


@pytest.mark.parametrize(
    ("right", "old", "new"),
    [
        (r"\frac{\partial L}{\partial u_i} = \sum_t (1 - h_{t,i}^2) \frac{\partial L}{\partial h_{t,i}} h_{t-1}", "h_{t-1}", "h_t"),
        (r"\frac{\partial L}{\partial x_t} = \sum_i \frac{\partial L}{\partial a_{t,i}} w_i", "w_i", "u_i"),
        (r"\frac{\partial L}{\partial w_i} = \sum_t \frac{\partial L}{\partial a_{t,i}} x_t", "a_{t,i}", "h_{t,i}"),
    ],
)  # fmt: skip
def test_rows_of_weights_without_the_whole(right, old, new):
    assert verdict(ROWS, right)[0] == "proved"
    assert verdict(ROWS, right.replace(old, new))[0] == "refuted"


def test_a_variance_is_a_square_and_what_keeps_its_root_from_zero_no_error():
    text = r"""
$$a_t = W h_{t-1} + U x_t, \quad \mu_t = \frac1n \sum_{k=1}^n a_{t,k}, \quad \sigma_t^2 = \frac1n \sum_{k=1}^n (a_{t,k} - \mu_t)^2$$
$$\hat a_t = \frac{a_t - \mu_t}{\sqrt{\sigma_t^2 + \epsilon}}, \quad h_t = \tanh(\gamma \odot \hat a_t + \beta)$$
"""
    right = r"\frac{\partial L}{\partial \gamma} = \sum_t \frac{\partial L}{\partial h_t} \odot (1 - h_t^2) \odot \hat a_t"
    assert verdict(text, right)[0] == "proved"
    assert verdict(text, right.replace(r"\hat a_t", "a_t"))[0] == "refuted"
    assert verdict(text, right.replace(r"\gamma}", r"\beta}"))[0] == "refuted"


def test_the_jacobian_of_a_softmax():
    text = r"""
$$h_t = \tanh(W h_{t-1} + U x_t), \quad o_t = V h_t, \quad p_t = \mathrm{softmax}(o_t), \quad L = -\sum_t \sum_k y_{t,k} \log p_{t,k}$$
"""
    right = r"\frac{\partial p_{t,k}}{\partial o_{t,l}} = p_{t,k} (\delta_{kl} - p_{t,l})"
    assert verdict(text, right)[0] == "proved"
    assert verdict(text, right.replace("-", "+"))[0] == "refuted"
