"""Ways of writing that are usual in blog posts, answers and e-mails: right lines proved, wrong ones refuted."""

import pytest

from lstmsym.binding.verify import verify_document

RNN = r"""
$$h_t = \tanh(W h_{t-1} + U x_t + b), \quad o_t = V h_t + c, \quad \hat y_t = \mathrm{softmax}(o_t)$$
"""
LOSS = r"$$L = \sum_t L_t, \quad L_t = -\sum_k y_{t,k} \log \hat y_{t,k}$$ The $y_t$ are one-hot." + "\n\n"
GATES = r"""
$$f_t = \sigma(W_f h_{t-1} + U_f x_t + b_f), \quad g_t = \tanh(W_c h_{t-1} + U_c x_t + b_c)$$
$$c_t = f_t \odot c_{t-1} + g_t, \quad h_t = \tanh(c_t)$$
"""


def verdicts(text, name="a.md"):
    """Verdicts of the rows that claim something."""
    return [row.verdict for row in verify_document(text, name).rows if row.kind == "claim"]


def line(left, right):
    return rf"$$\frac{{\partial L}}{{\partial {left}}} = {right}$$" + "\n\n"


def by(name):
    return rf"\frac{{\partial L}}{{\partial {name}}}"


@pytest.mark.parametrize(
    "name", ["z_{f,t}", r"\tilde f_t", "a^f_t", "a^{(f)}_t", r"\mathrm{net}_{f,t}", "f_{in,t}"]
)
def test_a_gate_in_the_name_says_of_which_the_argument_is_meant(name):
    right = line(name, rf"{by('f_t')} \odot f_t \odot (1 - f_t)")
    wrong = line(name, rf"{by('f_t')} \odot f_t")
    bias = line("b_f", rf"\sum_t {by(name)}")
    assert verdicts(GATES + right + wrong + bias) == ["proved", "refuted", "proved"]


def test_the_index_of_the_weights_says_it_too():
    right = line("z^c_t", rf"{by('g_t')} \odot (1 - g_t^2)")
    assert verdicts(GATES + right + line("W_c", rf"\sum_t {by('z^c_t')} h_t^T")) == ["proved", "refuted"]


@pytest.mark.parametrize(
    "words",
    [
        "where $a_t$ is the argument of the tanh",
        r"with $h_t = \tanh(a_t)$ as before",
        "記号 $a_t$ は活性化前の値",
        "мы обозначили аргумент $a_t$",
    ],
)
def test_words_or_an_equation_say_it_of_a_bare_letter(words):
    right, wrong = rf"(1 - h_t^2) \odot {by('h_t')}", rf"(1 - h_t) \odot {by('h_t')}"
    found = verdicts(RNN + words + "\n\n" + line("a_t", right) + line("a_t", wrong))
    assert found[-2:] == ["proved", "refuted"]


def test_a_bare_letter_of_which_nothing_is_said_is_not_guessed():
    assert verdicts(RNN + line("q_t", rf"(1 - h_t^2) \odot {by('h_t')}")) != ["proved"]


def test_a_chain_with_a_gradient_in_it_defines_no_quantity():
    text = r"""
$$h_t = \tanh(W h_{t-1} + U x_t), \quad \hat y_t = V h_t$$
$$L = \sum_t L_t, \quad L_t = \frac{1}{2} \lVert \hat y_t - y_t \rVert^2$$
$$e_t \equiv \frac{\partial L}{\partial \hat y_t} = \hat y_t - y_t, \quad \frac{\partial L}{\partial V} = \sum_t e_t h_t^T$$
"""
    assert verdicts(text) == ["proved", "proved"]
    assert verdicts(text.replace(r"= \hat y_t - y_t", r"= \hat y_t + y_t"))[0] == "refuted"


def test_a_number_by_which_the_loss_is_derived_is_a_parameter():
    text = r"$$h_t = (1 - \alpha) h_{t-1} + \alpha \tanh(W h_{t-1} + U x_t)$$" + "\n"
    share = r"\left({}\right)^T (\tanh(W h_{{t-1}} + U x_t) - h_{{t-1}})".format(by("h_t"))
    assert verdicts(text + line(r"\alpha", rf"\sum_t {share}")) == ["proved"]
    assert verdicts(text + line(r"\alpha", rf"\sum_t {share.replace('- h_', '+ h_')}")) == ["refuted"]


def test_a_greek_letter_with_a_pointwise_product_and_a_derivative_is_a_vector():
    text = r"$$h_t = (1 - \alpha) \odot h_{t-1} + \alpha \odot \tanh(U x_t)$$" + "\n"
    share = rf"{by('h_t')} \odot (\tanh(U x_t) - h_{{t-1}})"
    assert verdicts(text + line(r"\alpha", rf"\sum_t {share}")) == ["proved"]


PLAIN = """
With s() the logistic sigmoid, * elementwise and ' the transpose:

  i(t) = s(W x(t) + R h(t-1) + b)
  h(t) = i(t) * h(t-1)

"""


def test_a_function_that_plain_text_names():
    lines = "  dL/dz_i(t) = dL/di(t) * i(t) * (1 - i(t))\n\n  dL/dR = sum_t dL/dz_i(t) h(t-1)'\n\n"
    assert verdicts(PLAIN + lines, "a.txt") == ["proved", "proved"]
    assert verdicts(PLAIN + lines.replace("(1 -", "(1 +"), "a.txt") == ["refuted", "proved"]


def test_steps_and_powers_in_raised_unicode():
    text = """
    z̄ᵗ = W xᵗ + R yᵗ⁻¹
    zᵗ = tanh(z̄ᵗ)
    yᵗ = zᵗ ⊙ yᵗ⁻¹

    δz̄ᵗ = δyᵗ ⊙ yᵗ⁻¹ ⊙ (1 − zᵗ²)
    δz̄ᵗ = δyᵗ ⊙ yᵗ⁻¹ ⊙ (1 − z̄ᵗ²)

    δR = Σₜ δz̄ᵗ yᵗ⁻¹ᵀ
"""
    assert verdicts(text, "a.txt") == ["proved", "refuted", "proved"]


def test_an_index_above_a_name_ends_before_the_one_below():
    lines = "  dL/da^i_t = dL/di(t) * i(t) * (1 - i(t))\n\n  dL/db = sum_t dL/da^i_t\n\n  dL/da^i_t = dL/di(t) * i(t)\n"
    assert verdicts(PLAIN + lines, "a.txt") == ["proved", "proved", "refuted"]


def test_a_letter_that_is_said_to_be_a_product():
    text = "o is the elementwise product\n\n  i_t = sigmoid(W x_t)\n  h_t = i_t o h_{t-1}\n\n"
    lines = "  dL/di_t = dL/dh_t o h_{t-1}\n\n  dL/di_t = dL/dh_t o h_t\n"
    assert verdicts(text + lines, "a.txt") == ["proved", "refuted"]


def test_brackets_behind_a_derivative_with_a_slash_are_a_factor():
    text = "hₜ = tanh(vₜ)\nvₜ = W (xₜ ⊙ hₜ₋₁) + xₜ\n\n∂L/∂W = Σₜ ∂L/∂vₜ (xₜ ⊙ hₜ₋₁)ᵀ\n\n∂L/∂W = Σₜ ∂L/∂vₜ (xₜ ⊙ hₜ)ᵀ\n"
    assert verdicts(text, "a.txt") == ["proved", "refuted"]


def test_the_gradient_by_a_column_that_lines_write_out():
    text = GATES.replace("W_f h_{t-1} + U_f x_t", "W_f [h_{t-1}, x_t]")
    text = text.replace("W_c h_{t-1} + U_c x_t", "W_c [h_{t-1}, x_t]") + "$$z_t = [h_{t-1}, x_t]$$\n"
    both = rf"W_f^T {by('a^f_t')} + W_c^T {by('a^c_t')}"
    assert verdicts(text + line("z_t", both)) == ["proved"]
    assert verdicts(text + line("z_t", both.partition(" +")[0])) == ["refuted"]


@pytest.mark.parametrize(
    ("said", "name"), [("Let $e_k$ be one-hot.", "e_k"), ("The one-hot $z_t$ has it.", "z_t")]
)
def test_the_class_of_a_step_as_an_index(said, name):
    text = RNN + r"$$L = \sum_t L_t, \quad L_t = -\log \hat y_{t,k}$$" + said + "\n\n"
    lines = (
        line("o_t", rf"\hat y_t - {name}") + line("o_t", rf"\hat y_t + {name}") + line("o_t", r"\hat y_t - 1")
    )
    assert verdicts(text + lines) == ["proved", "refuted", "refuted"]


def test_derivatives_by_and_of_a_prediction():
    jacobian = (
        r"$$\frac{\partial \hat y_t}{\partial o_t} = \mathrm{diag}(\hat y_t) - \hat y_t \hat y_t^T$$" + "\n\n"
    )
    lines = line(r"\hat y_t", r"-\frac{y_t}{\hat y_t}") + jacobian + line("o_t", r"\hat y_t - y_t")
    chain = line("o_t", rf"{by(chr(92) + 'hat y_t')} \frac{{\partial \hat y_t}}{{\partial o_t}}")
    assert verdicts(RNN + LOSS + lines + chain) == ["proved"] * 4
    wrong = lines.replace(r"-\frac{y_t}", r"\frac{y_t}").replace(") - ", ") + ").replace("t - y", "t + y")
    assert verdicts(RNN + LOSS + wrong) == ["refuted"] * 3


def test_a_sum_without_brackets_runs_over_what_has_its_step():
    text = r"""
$$h_t = \tanh(W h_{t-1} + U x_t + b), \quad o_t = V h_t + c, \quad \hat y_t = \sigma(o_t)$$
$$L = -\sum_t \sum_k y_{t,k} \log \hat y_{t,k} + (1-y_{t,k}) \log (1-\hat y_{t,k})$$
"""
    both = r"-\frac{y_t}{\hat y_t} + \frac{1-y_t}{1-\hat y_t}"
    lines = (
        line(r"\hat y_t", both) + line("o_t", r"\hat y_t - y_t") + line(r"\hat y_t", both.partition(" +")[0])
    )
    assert verdicts(text + lines) == ["proved", "proved", "refuted"]


@pytest.mark.parametrize("name", ["c", "V", "W"])
def test_the_chain_rule_over_what_only_the_loss_reads(name):
    chain = rf"{by('o_t')} \frac{{\partial o_t}}{{\partial {name}}}"
    lines = line(name, rf"\sum_t {chain}") + line(name, rf"\sum_t 2 {chain}")
    assert verdicts(RNN + LOSS + lines) == ["proved", "refuted"]


def test_a_jacobian_by_a_bias_may_be_transposed():
    chain = rf"\sum_t \left(\frac{{\partial o_t}}{{\partial c}}\right)^T {by('o_t')}"
    assert verdicts(RNN + LOSS + line("c", chain) + line("c", chain.replace("sum_t", "sum_t 2"))) == [
        "proved",
        "refuted",
    ]


def test_an_outer_product_without_a_transposition_beside_others_is_a_slip():
    text = RNN + "where $a_t$ is the argument of the tanh\n\n"
    first, second = (line(w, rf"\sum_t {by('a_t')} {v}") for w, v in (("W", "h_{t-1}^T"), ("U", "x_t")))
    assert verdicts(text + second) == ["conditional"]
    assert verdicts(text + first + second) == ["proved", "refuted"]


def test_so_where_vectors_lie():
    text = r"$$a_t = x_t U + h_{t-1} W, \quad h_t = \tanh(a_t)$$" + "\n\n"
    lines = line("W", rf"\sum_t h_{{t-1}}^T {by('a_t')}") + line("U", rf"\sum_t x_t {by('a_t')}")
    assert verdicts(text + lines) == ["proved", "refuted"]


def test_signs_of_several_kinds_in_one_product():
    product = rf"\sum_t {by('h_t')} * (1 - h_t) * (1 + h_t) x_t^T"
    assert verdicts(RNN + line("U", product)) == ["proved"]
    assert verdicts(RNN + line("U", product.replace("x_t^T", "h_t^T"))) == ["refuted"]


def test_a_loss_that_is_set_as_a_function_of_its_arguments():
    text = (
        RNN
        + r"$$E(y, \hat y) = \sum_t E_t(y_t, \hat y_t) = -\sum_t y_t^T \log \hat y_t$$ with one-hot $y_t$."
        + "\n\n"
    )
    lines = line("o_t", r"\hat y_t - y_t") + line("o_t", r"y_t - \hat y_t")
    assert verdicts(text + lines.replace(" L}", " E}")) == ["proved", "refuted"]


def test_a_stack_of_gradients_is_of_what_the_letter_means_elsewhere():
    text = (
        GATES
        + r"""
$$v_t = \begin{bmatrix} f_t \\ g_t \end{bmatrix}, \quad W = \begin{bmatrix} W_f \\ W_c \end{bmatrix}, \quad U = \begin{bmatrix} U_f \\ U_c \end{bmatrix}$$
$$\delta f_t = \delta c_t \odot c_{t-1} \odot f_t \odot (1 - f_t)$$
$$\delta g_t = \delta c_t \odot (1 - g_t^2)$$
$$\delta x_t = U^T \delta v_t$$
"""
    )
    assert verdicts(text) == ["proved", "proved", "proved"]
    assert verdicts(text.replace("= U^T", "= W^T"))[-1] == "refuted"


def test_a_letter_for_what_is_sent_back_means_it_at_every_step():
    text = (
        RNN.partition(", \\quad o_t")[0]
        + "$$\n"
        + r"""
$$\delta h_t = \Delta_t + \Delta h_t$$
$$\delta a_t = \delta h_t \odot (1 - h_t^2)$$
$$\Delta h_{t-1} = W^T \delta a_t$$
"""
    )
    assert verdicts(text) == ["proved", "proved", "proved"]


def test_a_capital_t_transposes_where_it_is_the_last_step_too():
    text = RNN + LOSS + line("V", r"\sum_t (\hat y_t - y_t) h_t^T")
    chain = r"\left(\frac{\partial h_T}{\partial h_t}\right)^T V^T (\hat y_T - y_T)"
    lines = rf"$$\frac{{\partial L_T}}{{\partial h_t}} = {chain}$$" + "\n\n"
    assert verdicts(text + lines + lines.replace("\\hat y_T - y_T", "\\hat y_T + y_T")) == [
        "proved",
        "proved",
        "refuted",
    ]
