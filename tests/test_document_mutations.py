"""Right lines of documents with one place changed are not right any more, and are not called so."""

from __future__ import annotations

import random

import pytest

from lstmsym.binding.verify import verify_document
from lstmsym.verify.judge import Judge
from tests.document_mutations import ROOT, Original, outcome

CELL = r"""
$$ g(t) = \tanh(W_{gx} x(t) + W_{gh} h(t-1) + b_{g}) $$
$$ s(t) = g(t) + s(t-1) $$
$$ h(t) = \tanh(s(t)) $$
$$ L(t) = \sum_{s=t}^{T} l(s) $$
$$ L(t) = l(t) + L(t+1) $$
$$ \frac{dL(t)}{ds(t)} = \frac{dL(t)}{dh(t)} \frac{dh(t)}{ds(t)} + \frac{dL(t+1)}{ds(t)} $$
"""

UNIT = r"""
$$ h_t = sigmoid(h_{t-1} * W + x_t * U) $$

$\delta 1$ is the error of $h_t$ from the output, $\delta 2$ that of $h_t$ from the step after.
$\delta 5$ is handed to $h_{t-1}$ and $\delta 6$ to $x_t$.

$$ \delta 3 = \delta 1 + \delta 2 $$
$$ \delta 4 = \delta 3 \cdot h_t \cdot (1 - h_t) $$
$$ \delta 5 = \delta 4 * W^T $$
$$ \delta 6 = \delta 4 * U^T $$
"""


def last(text: str) -> str:
    """The verdict on the last line of a document."""
    return verify_document(text, "x.md").rows[-1].verdict


@pytest.mark.parametrize(
    "name", ["c03-goodfellow-2016.tex", "c05c-greff-japanese-note.md", "c12b-gru-update-gate.md"]
)
def test_changed_lines_are_not_proved(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Judge, "repairs", lambda self, claim: iter(()))
    monkeypatch.setattr(Judge, "missing", lambda self, claim, far=False: ("", ""))
    original, rng = Original((ROOT / name).read_text(encoding="utf-8"), name), random.Random(name)
    found = [outcome(original, m) for m in rng.sample(list(original.mutants(2, rng)), 4)]
    assert [f.mutant.source for f in found if f.wrong] == []
    different = [f for f in found if f.differs]
    assert different
    assert {f.row.verdict for f in different if f.row is not None} == {"refuted"}


def test_a_derivative_holds_the_same_fixed_in_all_lines() -> None:
    assert last(CELL) == "conditional"  # dL(t+1)/ds(t) at fixed h(t), dL(t)/ds(t) not
    held = r"$$ \frac{dL(t)}{ds(t)} = \frac{dL(t+1)}{ds(t)} $$"
    assert last(CELL + held) == "refuted"
    zero = r"$$ \frac{dL(t)}{ds(t)} = \frac{dL(t)}{dh(t)} \frac{dx(t)}{ds(t)} + \frac{dL(t+1)}{ds(t)} $$"
    assert last(CELL.rpartition("$$ \\frac{dL(t)}")[0] + zero) == "refuted"


def test_a_name_has_no_second_meaning_from_a_line_of_its_own() -> None:
    assert last(UNIT) == "proved"
    assert last(UNIT.replace("U^T", "W^T")) == "refuted"  # it is handed to x
    silent = UNIT.replace(r" and $\delta 6$ to $x_t$", "")
    assert last(silent) == "proved"
    assert last(silent.replace("U^T", "W^T")) == "undecided"
    assert last(silent.replace("U^T", "U")) == "refuted"  # fits nowhere
    used = UNIT + r"$$ \delta U = \delta U + x_t^T * \delta 7 $$" + "\n"
    assert last(used + r"$$ \delta 7 = \delta 3 \cdot h_t \cdot (1 - h_t) $$") == "proved"
    assert last(used + r"$$ \delta 7 = \delta 3 $$") == "refuted"
    again = UNIT + r"$$ \delta 3 = \delta 4 * W^T $$"
    assert last(again) == "refuted"


def test_shapes_across_steps() -> None:
    cell = "$$ h_t = \\tanh(U h_{t-1} + W x_t) $$\n\n"
    product = r"\prod_{j=k+1}^{t} \frac{\partial h_j}{\partial h_{j-1}} $$"
    assert last(cell + r"$$ \frac{\partial h_t}{\partial h_k} = " + product) == "proved"
    assert last(cell + r"$$ \frac{\partial h_t}{\partial x_k} = " + product) == "refuted"


def test_the_square_of_a_function() -> None:
    cell = "$$ a_t = U h_{t-1} + W x_t $$\n\n$$ h_t = \\sigma(a_t) $$\n\n"
    line = (
        r"$$ \frac{\partial L}{\partial a_t} = \frac{\partial L}{\partial h_t} \odot (%s - \sigma^2(a_t)) $$"
    )
    assert last(cell + line % r"\sigma(a_t)") == "proved"
    assert last(cell + line % "1") == "refuted"


def test_derivatives_by_a_transposed_matrix() -> None:
    cell = "$$ a_t = U h_{t-1} + W x_t $$\n\n$$ h_t = \\tanh(a_t) $$\n\n"
    line = r"$$ \frac{\partial L}{\partial U^T} = \sum_t %s $$"
    assert last(cell + line % r"h_{t-1} \left(\frac{\partial L}{\partial a_t}\right)^T") == "proved"
    assert last(cell + line % r"\frac{\partial L}{\partial a_t} h_{t-1}^T") == "refuted"


def test_an_earlier_quantity_does_not_depend_on_a_later_one() -> None:
    cell = "$$ a_t = U h_{t-1} + W x_t $$\n\n$$ h_t = f_t \\odot \\tanh(a_t) $$\n\n"
    line = r"$$ \frac{\partial h_{%s}}{\partial f_t} = \tanh(a_t) $$"
    assert last(cell + line % "t") == "proved"
    assert last(cell + line % "t-1") == "refuted"


MASKED = r"""
The entries of the mask $m_t$ are zero or one.

$$ k_t = \tanh(W x_t + u \odot h_{t-1}) $$
$$ h_t = m_t \odot k_t + (1 - m_t) \odot h_{t-1} $$

$$ dW = \sum_t (da_t x_t^T) $$
$$ da_t = (1 - k_t^2) \odot m_t \odot dh_t $$
"""


def test_lines_wrong_of_masks_are_wrong() -> None:
    assert last(MASKED) == "proved"
    assert last(MASKED.replace(r"\odot m_t \odot dh", r"\odot (1 - m_t) \odot dh")) == "refuted"
    assert last(MASKED.replace("1 - k_t^2", "1 - h_t^2")) == "conditional"  # where m is 1, h is k


def test_a_name_of_which_nothing_else_is_known_proves_nothing() -> None:
    cell = "$$ k_t = \\tanh(W x_t + u_t) $$\n\n$$ h_t = k_t + h_{t-1} $$\n\n"
    line = r"$$ %s = (1 - k_t^2) \odot dh_t $$"
    assert last(cell + line % "du_t") == "proved"
    assert last(cell + line % "v_t") == "undecided"


GATES = r"""
$$ z_t = W_z x_t + R_z y_{t-1} $$
$$ \tilde z_t = \tanh(z_t) $$
$$ i_t = W_i x_t + R_i y_{t-1} $$
$$ \tilde i_t = \sigma(i_t) $$
$$ f_t = W_f x_t + R_f y_{t-1} $$
$$ \tilde f_t = \sigma(f_t) $$
$$ c_t = \tilde z_t \odot \tilde i_t + c_{t-1} \odot \tilde f_t $$
$$ y_t = \tanh(c_t) $$

$$ \delta_z^t = \delta_c^t \odot \tilde i_t \odot (1 - \tilde z_t^2) $$
$$ \delta_f^t = \delta_c^t \odot c_{t-1} \odot \tilde f_t \odot (1 - \tilde f_t) $$
$$ \delta_i^t = \delta_c^t \odot \tilde z_t \odot \tilde i_t \odot (1 - \tilde i_t) $$
"""


def test_a_family_of_names_is_of_one_kind() -> None:
    assert last(GATES) == "proved"
    assert last(GATES.replace(r" \odot \tilde i_t \odot (1 - \tilde i_t)", "")) == "refuted"
