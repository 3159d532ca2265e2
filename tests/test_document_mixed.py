"""What other authors' documents need: Jacobians turned, columns among rows, names that words or use explain."""

import pytest

from lstmsym.binding.verify import verify_document

ELMAN = r"""
$$z_t = A x_t + W h_{t-1} + b, \quad h_t = \tanh(z_t)$$
$$J = \sum_t \ell_t, \quad \ell_t = \lVert h_t - y_t \rVert^2$$
"""
COUPLED = r"""
$$f_t = \sigma(W_f h_{t-1} + U_f x_t + b_f), \quad g_t = \tanh(W_c h_{t-1} + U_c x_t + b_c)$$
$$c_t = f_t * c_{t-1} + (1 - f_t) * g_t, \quad h_t = \tanh(c_t)$$
"""
ROWS = r"""
$$h_t = \tanh(x_t W + h_{t-1} U + b), \quad p_t = \sigma(h_t v + \beta)$$
$$L = -\sum_t \left[ y_t \log p_t + (1 - y_t) \log(1 - p_t) \right]$$
"""
PLAIN = """
    fₜ = σ(W_f xₜ + U_f hₜ₋₁ + b_f)
    qₜ = tanh(W_h xₜ + U_h (fₜ ⊙ hₜ₋₁) + b_h)
    hₜ = (1 − fₜ) ⊙ hₜ₋₁ + fₜ ⊙ qₜ

"""


def verdicts(text, name="a.md"):
    """Verdicts of the rows that claim something."""
    return [row.verdict for row in verify_document(text, name).rows if row.kind == "claim"]


def d(what, by):
    return rf"\frac{{\partial {what}}}{{\partial {by}}}"


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        (d("J", "z_t"), rf"\left({d('h_t', 'z_t')}\right)^\top {d('J', 'h_t')}", "proved"),
        (d("J", "z_t"), rf"\left({d('h_t', 'z_t')}\right)^\top {d('J', 'z_t')}", "refuted"),
        (d("h_t", "h_{t-1}"), d("h_t", "z_t") + d("z_t", "h_{t-1}"), "proved"),
        (d("h_t", "h_{t-1}"), d("h_t", "z_t") + " W", "proved"),
        (d("z_t", "z_{t-1}"), d("h_t", "z_t") + " W", "refuted"),
    ],
)
def test_a_diagonal_jacobian_is_a_matrix_whichever_way_it_is_turned(left, right, verdict):
    assert verdicts(ELMAN + f"$${left} = {right}$$") == [verdict]


def test_what_comes_from_the_next_step_has_a_step_itself():
    text = r"""
$$dc_t = dc_{next,t} + dh_t * (1 - \tanh^2(c_t))$$
$$dc_{next,t-1} = dc_t * SENT$$
"""
    assert verdicts(COUPLED + text.replace("SENT", "f_t")) == ["proved", "proved"]
    assert verdicts(COUPLED + text.replace("SENT", "f_{t-1}")) == ["proved", "refuted"]


def test_a_vector_behind_one_that_lies_stands():
    right = rf"$${d('L', 'v')} = \sum_t h_t^T (p_t - y_t)$$" + "\n"
    error = rf"$${d('L', 'h_t')} = (p_t - y_t) v^T + ({d('L', 'h_{t+1}')} * (1 - h_{{t+1}}^2)) U^T$$" + "\n"
    assert verdicts(ROWS + right + error) == ["proved", "proved"]
    assert verdicts(ROWS + right.replace("h_t^T", "h_{t-1}^T") + error.replace("p_t - y_t", "y_t - p_t")) == [
        "refuted",
        "refuted",
    ]


def test_plain_text_says_what_a_letter_is_the_argument_of():
    words = "Write aₜ for the argument of the sigmoid and zₜ for the argument of tanh.\n\n"
    lines = "    ∂L/∂W_f = Σₜ ∂L/∂aₜ xₜᵀ\n    ∂L/∂b_h = Σₜ ∂L/∂zₜ\n    ∂L/∂b_f = Σₜ ∂L/∂zₜ\n"
    assert verdicts(PLAIN + words + lines, "a.txt") == ["proved", "proved", "refuted"]


def test_a_gradient_made_of_that_of_one_gate_says_whose_argument_is_meant():
    slope = "    ∂L/∂aₜ = ∂L/∂fₜ ⊙ fₜ ⊙ (1 − fₜ)\n"
    use = "    ∂L/∂W_f = Σₜ ∂L/∂aₜ xₜᵀ\n"
    assert verdicts(PLAIN + slope + use, "a.txt") == ["proved", "proved"]
    assert verdicts(PLAIN + slope.replace("(1 − fₜ)", "fₜ") + use, "a.txt") == ["refuted", "proved"]
    assert verdicts(PLAIN + slope, "a.txt") == ["undecided"]


RTRL = r"""
$$s_k(t) = \sum_{j=1}^{n} w_{kj} y_j(t-1) + \sum_{l=1}^{m} v_{kl} I_l(t), \quad y_k(t) = \tanh(s_k(t))$$
$$J(t) = \frac{1}{2} \sum_{k=1}^{n} e_k(t)^2, \quad e_k(t) = d_k(t) - y_k(t), \quad J = \sum_{t=1}^{T} J(t)$$
$$p^{k}_{ij}(t) = \frac{\partial y_k(t)}{\partial w_{ij}}$$
"""
SLOPE = d("y_k(t)", "w_{ij}")


@pytest.mark.parametrize(
    ("right", "verdict"),
    [
        (r"-\sum_{t=1}^{T} \sum_{k=1}^{n} e_k(t)\, p^{k}_{ij}(t)", "proved"),
        (r"\sum_{t=1}^{T} \sum_{k=1}^{n} e_k(t)\, p^{k}_{ij}(t)", "refuted"),
        (r"-\sum_{k=1}^{n} \sum_{t=1}^{T} e_k(t)" + SLOPE, "proved"),
        (r"-\sum_{t=1}^{T} \sum_{k=1}^{n} e_k(t-1)" + SLOPE, "refuted"),
        (r"\sum_t \sum_k" + d("J(t)", "y_k(t)") + SLOPE, "proved"),
        (r"\sum_t \sum_k" + d("J", "y_k(t)") + SLOPE, "conditional"),
    ],
)
def test_derivatives_carried_forward_are_summed_over_the_steps(right, verdict):
    assert verdicts(RTRL + rf"$${d('J', 'w_{ij}')} = {right}$$") == [verdict]


@pytest.mark.parametrize("words", ["with ", "for ", "mit ", "für ", "pour ", ""])
@pytest.mark.parametrize("mark", [r"\ast", "*", r"\star", "k"])
def test_a_mark_for_any_gate_is_put_in(words, mark):
    said = rf"\qquad \text{{{words}}} {mark} \in \{{f, c\}}"
    bias = rf"{d('L', 'b_' + mark)} = \sum_t {d('L', 'a^' + mark + '_t')} {said}"
    back = rf"\sum_{{{mark} \in \{{f, c\}}}} W_{mark}^T {d('L', 'a^' + mark + '_t')}"
    found = verdicts(NETS + f"$${bias}$$\n$${d('L', 'h_{t-1}')} = {back}$$")
    assert found == ["proved", "refuted"]


NETS = r"""
$$a^f_t = W_f h_{t-1} + U_f x_t + b_f, \quad a^c_t = W_c h_{t-1} + U_c x_t + b_c$$
$$h_t = \sigma(a^f_t) \odot h_{t-1} + \tanh(a^c_t)$$
"""


def test_the_letter_that_sums_end_at_is_the_last_step_where_it_stands_below():
    loss = r"$$E = \frac{1}{2} \sum_{t=1}^{N} \lVert h_t - y_t \rVert^2$$" + "\n"
    right, wrong = (rf"Es gilt $\delta h_N = h_N {sign} y_N$. " for sign in "-+")
    assert verdicts(NETS + loss + right + wrong) == ["proved", "refuted"]


def test_the_loss_is_no_matrix_of_entries_by_its_small_letter():
    text = r"""
$$z_i(t) = \tanh\Bigl(\sum_j a_{ij} x_j(t) + \sum_l c_{il} z_l(t-1)\Bigr), \quad
C = \sum_t \sum_i (z_i(t) - d_i(t))^2$$
$$\epsilon_i(t) = \frac{\partial C}{\partial z_i(t)}$$
$$\frac{\partial C}{\partial c_{il}} = \sum_t \epsilon_i(t) (1 - z_i(t)^2) z_l(t-1)$$
"""
    assert verdicts(text) == ["proved"]
    assert verdicts(text.replace("z_l(t-1)$$", "z_l(t)$$")) == ["refuted"]


def test_a_greek_letter_with_a_bar_on_the_left_is_a_parameter():
    text = r"""
$$a(n) = \tanh(P u(n) + Q a(n-1)), \quad b(n) = b(n-1) + \rho \odot (a(n) - b(n-1))$$
Here $\bar x(n)$ is the derivative with respect to $x(n)$.

$$\bar b(n-1) = (1 - \rho) \odot \bar b(n), \quad \bar\rho = \sum_n \bar b(n) \odot END$$
"""
    assert verdicts(text.replace("END", "(a(n) - b(n-1))"))[-1] == "proved"
    assert verdicts(text.replace("END", "a(n)"))[-1] == "refuted"


@pytest.mark.parametrize(
    ("slope", "verdict"),
    [
        (r"\operatorname{sech}^2(z_t)", "proved"),
        (r"\left(\operatorname{sech}(z_t)\right)^2", "proved"),
        (r"\frac{1}{\cosh^2(z_t)}", "proved"),
        (r"\operatorname{sech}^2(h_t)", "refuted"),
        (r"\frac{1}{\cosh^2(h_t)}", "refuted"),
    ],
)
def test_the_slope_of_tanh_as_a_secant(slope, verdict):
    assert verdicts(ELMAN + rf"$${d('J', 'z_t')} = {d('J', 'h_t')} \odot {slope}$$") == [verdict]


@pytest.mark.parametrize(
    ("right", "verdict"),
    [
        (r"\operatorname{diag}\Bigl(\prod_{k=t+1}^{T} u \circ \phi'(v_k)\Bigr)", "proved"),
        (r"\operatorname{diag}\Bigl(\prod_{k=t+1}^{T} u \circ \phi'(v_{k-1})\Bigr)", "refuted"),
        (r"\prod_{k=t+1}^{T} \operatorname{diag}(u \circ \phi'(v_k))", "proved"),
        (r"\prod_{k=t+1}^{T} u \circ \phi'(v_k)", "proved"),
    ],
)
def test_a_diagonal_of_a_product_over_steps(right, verdict):
    text = r"$$v_t = A x_t + u \circ h_{t-1} + b, \quad h_t = \phi(v_t)$$" + "\n"
    assert verdicts(text + rf"$${d('h_T', 'h_t')} = {right}$$") == [verdict]


@pytest.mark.parametrize(
    ("gradient", "verdict"),
    [
        (r"\frac{\partial J}{\partial h_t}\Big|_{\text{direct}} = 2 (h_t - y_t)", "proved"),
        (r"\left.\frac{\partial J}{\partial h_t}\right|_{\mathrm{explicit}} = 2 (h_t - y_t)", "proved"),
        (r"\partial \ell_t/\partial h_t\big|_{\text{direct}} = 2 (h_t - y_t)", "proved"),
        (r"\frac{\partial J}{\partial h_t}\Big|_{\text{direct}} = 2 (h_t + y_t)", "refuted"),
        (r"\frac{\partial J}{\partial h_t} = 2 (h_t - y_t)", "refuted"),
    ],
)
def test_a_word_behind_a_bar_says_which_use_is_followed(gradient, verdict):
    assert verdicts(ELMAN + f"$${gradient}$$") == [verdict]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (r"\tanh'(u) = 1 - \tanh^2(u)", "proved"),
        (r"\tanh'(u) = 1 + \tanh^2(u)", "refuted"),
        (r"\sigma'(z) = \sigma(z)(1 + \sigma(z))", "refuted"),
        (r"\frac{d}{du} \tanh(u) = 1 - \tanh^2(u)", "proved"),
        (r"\frac{d\tanh(u)}{du} = 1 + \tanh^2(u)", "refuted"),
        (r"\frac{\partial f(u)}{\partial u} = 1 - f(u)^2", "proved"),
        (r"f'(u) = 1 - f(u)^2", "proved"),
        (r"f'(u) = 1 + f(u)^2", "refuted"),
    ],
)
def test_a_slope_of_any_argument_alone_is_judged(line, verdict):
    told = r"$$h_t = f(W x_t + U h_{t-1})$$ where $f(u) = \tanh(u)$." + "\n\n"
    assert verdicts(told + f"$${line}$$") == [verdict]
