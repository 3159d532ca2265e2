"""Activations and their derivatives, indicators and cases; steps of gradient descent."""

from __future__ import annotations

import pytest

from lstmsym.binding.verify import verify_document

BEFORE = r"a_t = W x_t + U h_{t-1} + b"


def verdicts(*lines):
    """The verdict on each line of a document."""
    rows = verify_document("".join(f"$${line}$$\n" for line in lines), "a.md").rows
    found = {row.line: row.verdict for row in rows}
    return [found[number] for number in range(1, len(lines) + 1)]


@pytest.mark.parametrize(
    ("unit", "right", "wrong"),
    [
        (r"\max(0, a_t)", r"\mathbb{1}[a_t > 0]", r"\mathbb{1}[a_t < 0]"),
        (r"\mathrm{ReLU}(a_t)", r"\mathbf{1}_{a_t > 0}", "a_t"),
        (r"\mathrm{ReLU}(a_t)", r"\begin{cases} 1 & a_t > 0 \\ 0 & \text{otherwise} \end{cases}",
         r"\begin{cases} 0 & a_t > 0 \\ 1 & \text{otherwise} \end{cases}"),
        (r"\operatorname{LeakyReLU}(a_t)", r"\operatorname{LeakyReLU}'(a_t)", r"\mathbb{1}[a_t > 0]"),
        (r"\mathrm{ELU}(a_t)", r"\mathrm{ELU}'(a_t)", r"\mathbb{1}[a_t > 0]"),
        (r"\mathrm{softsign}(a_t)", r"\mathrm{softsign}'(a_t)", r"(1 - h_t^2)"),
        (r"\mathrm{swish}(a_t)", r"(\sigma(a_t) + h_t \odot (1 - \sigma(a_t)))", r"\sigma(a_t)"),
    ],
)  # fmt: skip
def test_the_derivative_of_an_activation(unit, right, wrong):
    claims = [rf"da_t = dh_t \odot {slope}" for slope in (right, wrong)]
    assert verdicts(BEFORE, f"h_t = {unit}", *claims)[2:] == ["proved", "refuted"]


def test_a_function_by_cases():
    cases = r"\phi(z) = \begin{cases} z & \text{if } z > 0 \\ 0 & \text{otherwise} \end{cases}"
    claims = [r"da_t = dh_t \odot \phi'(a_t)", r"da_t = dh_t \odot \phi(a_t)"]
    assert verdicts(cases, BEFORE, r"h_t = \phi(a_t)", *claims)[3:] == ["proved", "refuted"]


def test_updates_claim_nothing_and_changes_claim_the_gradient():
    share = r"\sum_t (dh_t \odot (1 - h_t^2)) x_t^\top"
    updates = [
        r"W \leftarrow W - \eta\, dW",
        r"W_{new} = W - \alpha\, dW",
        r"\Delta W = -\eta \frac{\partial L}{\partial W}",
    ]
    changes = [rf"\Delta W = -\eta {share}", rf"\Delta W = \eta {share}"]
    found = verdicts(BEFORE, r"h_t = \tanh(a_t)", *updates, *changes)
    assert found[2:] == ["not-a-claim"] * 3 + ["proved", "refuted"]
