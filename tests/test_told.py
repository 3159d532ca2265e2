"""What the front matter says of names, layout and loss; cells that are named; what bad entries answer."""

import pytest

from lstmsym import cells
from lstmsym.binding.verify import verify_document
from lstmsym.documents.limits import DocumentError

FORWARD = "$$h_t = q(W x_t + U h_{t-1} + b)$$\n\n"
DELTA = r"$$\psi_t = W^\top (D_t \odot h_t \odot (1 - h_t))$$" + "\n\n"
BACK = r"$$D_t = h_t - y_t + U^\top (D_{t+1} \odot h_{t+1} \odot (1 - h_{t+1}))$$" + "\n"


def verdicts(head, body, cell=None):
    result = verify_document(f"---\n{head}\n---\n{body}", "a.md", cell)
    return [row.verdict for row in result.rows if row.verdict != "not-a-claim"]


def test_names_functions_and_the_loss_are_told():
    head = r"names: {D: gradient of h, q: function sigmoid, \psi: dL/dx}" + "\nloss: 1/2*sum((h - y)**2)"
    assert verdicts(head, FORWARD + DELTA + BACK) == ["proved", "proved"]
    assert verdicts(head.replace("1/2*", "1/3*"), FORWARD + DELTA + BACK) == ["proved", "refuted"]
    assert verdicts(head.replace("sigmoid", "tanh"), FORWARD + DELTA + BACK) == ["refuted", "refuted"]
    assert "proved" not in verdicts(head.replace("dL/dx", "gradient of b"), FORWARD + DELTA)


def test_rows_are_told():
    body = r"$$h_t = \tanh(x_t W + h_{t-1} U)$$" + "\n\n" + r"$$dx_t = (dh_t \odot (1 - h_t^2)) W^\top$$"
    assert verdicts("layout: rows", body) == ["proved"]
    assert verdicts("layout: columns", body) == ["unread"]


def test_the_part_of_a_gradient_is_told():
    body = "$$c_t = f_t \\odot c_{t-1}$$\n\n$$h_t = \\tanh(c_t)$$\n\n"
    claim = "$$q_t = f_{t+1} \\odot (q_{t+1} + dh_{t+1} \\odot (1 - h_{t+1}^2))$$"
    assert verdicts("names: {q: dc from the next step}", body + claim) == ["proved"]
    assert verdicts("names: {q: gradient of c}", body + claim) == ["refuted"]


def test_a_cell_that_is_named_gives_the_names():
    body = r"$$df_t = dc_t \odot c_{t-1}$$" + "\n\n" + r"$$do_t = dh_t \odot c_t$$"
    assert verdicts("layout: columns", body, cells.find("lstm")) == ["proved", "refuted"]
    assert verdicts("layout: columns", body) == ["unread", "unread"]


@pytest.mark.parametrize("entry", ["names: {D: the thing}", "names: {'\\frac': dh}", "loss: ((h"])
def test_an_entry_that_is_not_understood_is_named(entry):
    with pytest.raises(DocumentError, match=r"a\.md: front matter: .*not understood"):
        verify_document(f"---\n{entry}\n---\n{FORWARD}", "a.md")


def test_a_right_line_names_the_wrong_one_that_it_uses():
    forward = "$$c_t = f_t \\odot c_{t-1}$$\n\n$$h_t = \\tanh(c_t)$$\n\n"
    wrong = "$$dc_t = dh_t \\odot (1 - h_t) + f_{t+1} \\odot dc_{t+1}$$\n\n"
    rows = verify_document(forward + wrong + "$$df_t = dc_t \\odot c_{t-1}$$", "a.md").rows
    assert [row.verdict for row in rows[2:]] == ["refuted", "proved"]
    assert "line 5 has it wrong" in rows[3].message
    mended = wrong.replace("h_t)", "h_t^2)")
    rows = verify_document(forward + mended + "$$df_t = dc_t \\odot c_{t-1}$$", "a.md").rows
    assert [(row.verdict, row.message) for row in rows[2:]] == [("proved", "")] * 2


def test_products_are_grouped_as_their_shapes_allow():
    forward = "$$h_t = \\tanh(W x_t + U h_{t-1})$$\n\n"
    claim = r"$$dW = \sum_t (1 - h_t^2) \odot dh_t x_t^\top$$"
    for text, found in ((claim, "proved"), (claim.replace("x_t", "x_{t-1}"), "refuted")):
        assert verify_document(forward + text, "a.md").rows[-1].verdict == found


def test_the_gradient_of_a_state_is_not_that_of_its_argument():
    text = r"$$h_t = \tanh(W x_t + U h_{t-1})$$" + "\n\n" + r"$$dW = \sum_t dh_t x_t^\top$$"
    row = verify_document(text, "a.md").rows[-1]
    assert row.verdict == "refuted"
    assert "net" not in row.expected + row.repair, "in the names of the document"
