"""Documents are judged as their expected verdicts say; what is known to be wrong is never proved."""

import json
from pathlib import Path

import pytest

from lstmsym.binding.verify import verify_document

ROOT = Path(__file__).resolve().parent.parent / "derivations"
AGREEING = """styles/s11-damaged-listing
c29b-haste-indrnn c41-lstm-autoencoder-note c33-qrnn-forget-mult styles/s08-email-peephole c30-flashrnn-slstm
c01-nicodjimenez-2015 c04b-d2l-2019 c05b-greff-korean-review c15-cs224n-2017 c19-coursera-v2-2018
c20c-cran-gru-units
c19d-coursera-v3a c05-greff-2017 c05c-greff-japanese-note c10b-chen-2016-lstm c12a-gru-reset-after c12b-gru-update-gate
c19c-coursera-corrected-readme c21-hanbingtao c28-tensorflow-lstm-block c29a-haste-gru c32-sru c34-li-gru-2016
c40-gate-design-note styles/s01-chinese-lstm styles/s02-row-vector-gru styles/s04-angle-gru
styles/s03-superscript-two-layer styles/s06-stacked-gates c35-mallya-lstm styles/s13-mean-loss-batch
c03-goodfellow-2016 styles/s05-index-lstm styles/s09-lecture-macros styles/s12-chain-rule-fractions c06-graves-2012
styles/s14-units-elman styles/s15-units-gru styles/s16-units-two-layers styles/s17-units-blocks
styles/s22-stack-functions styles/s23-stack-split styles/s24-stack-ranges styles/s25-stack-beside
styles/s26-stack-two-gates styles/s27-loss-in-words styles/s28-loss-logistic styles/s29-loss-squared
styles/s38-rectified styles/s39-descent
styles/s18-units-jacobian styles/s19-units-email styles/s20-units-descent styles/s21-units-mixed
c10a-chen-2016-rnn c14-pascanu-2013 styles/s07-jacobian-leaky
styles/s30-preactivation-states styles/s31-linear-unrolled styles/s32-error-carousel styles/s33-blog-step-three
styles/s34-forward-mode styles/s35-denominator-layout styles/s36-superscript-ends styles/s37-chinese-leaky
c03-goodfellow-2016 styles/s03-superscript-two-layer""".split()

CELL = r"""
$$h_t = \tanh(W x_t + U h_{t-1} + b)$$
"""


def verdicts(text):
    """Verdicts of the rows that are equations."""
    return [row.verdict for row in verify_document(text, "a.md").rows if row.kind != "prose"]


@pytest.mark.parametrize("name", AGREEING)
def test_verdicts_are_those_expected(name):
    expected = json.loads((ROOT / f"{name}.expected.json").read_text(encoding="utf-8"))
    path = (ROOT / name).with_name(expected["document"])
    found = verify_document(path.read_text(encoding="utf-8"), path.name).rows
    for row in expected["rows"]:
        wanted = "".join(row["source"].split())
        here = [f for f in found if f.line == row["line"] and f.kind != "prose"]
        here = [f for f in here if "".join(f.source.split()) in wanted or wanted in "".join(f.source.split())]
        assert row["verdict"] in [f.verdict for f in here], (row["line"], row["source"])


def test_a_right_line_is_proved_and_a_wrong_one_refuted_with_its_repair():
    right = (
        CELL + r"$$\delta a_t = dh_t \odot (1 - h_t^2), \quad dW = \sum_t (1 - h_t^2) \odot dh_t x_t^\top$$"
    )
    assert "proved" in verdicts(right)
    rows = verify_document(CELL + r"$$dx_t = W (dh_t \odot (1 - h_t^2))$$", "a.md").rows
    assert rows[-1].verdict == "refuted"
    rows = verify_document(
        CELL
        + r"$$\frac{\partial L}{\partial x_t} = W^\top (\frac{\partial L}{\partial h_t} \odot (1 - h_t))$$",
        "a.md",
    ).rows
    assert rows[-1].verdict == "refuted"
    assert r"W^{\top}" in rows[-1].expected, "in the author's notation"


def test_sums_that_miss_a_step_are_right_only_for_zero_initial_states():
    text = (
        CELL
        + r"$$\frac{\partial L}{\partial U} = \sum_{t=2}^T (\frac{\partial L}{\partial h_t} \odot (1 - h_t^2)) h_{t-1}^\top$$"
    )
    assert verdicts(text)[-1] == "conditional"
    assert verdicts(text.replace("t=2", "t=1"))[-1] == "proved"
    assert verdicts(text.replace("t=2", "t=1").replace("^T (", "^{T-1} ("))[-1] == "refuted"


def test_words_say_what_a_notation_is_of():
    text = CELL + r"Here $\epsilon_t$ is the gradient of the loss with respect to $x_t$." + "\n\n"
    assert (
        verdicts(text + r"$$\epsilon_t = W^\top (\frac{\partial L}{\partial h_t} \odot (1 - h_t^2))$$")[-1]
        == "proved"
    )
    assert (
        verdicts(text + r"$$\epsilon_t = \frac{\partial L}{\partial h_t} \odot (1 - h_t^2)$$")[-1]
        == "refuted"
    )


def test_what_depends_on_a_forward_equation_that_is_not_read_is_not_judged():
    text = CELL.replace("W x_t", "q_t") + r"$$q_t = \int_0^1 x_t$$" + "\n\n"
    assert set(verdicts(text + r"$$dx_t = dh_t \odot (1 - h_t^2)$$")) & {"proved", "refuted"} == set()
    assert verdicts(text + r"$$dq_t = dh_t \odot (1 - h_t^2)$$")[-1] == "proved", "whatever q is"
