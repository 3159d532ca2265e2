"""What is said of a document one of whose equations is not read, and of quantities of steps long past."""

from lstmsym.binding.judging import LineJudge
from lstmsym.binding.verify import verify_document

PAGE = r"""
$$a_t = W x_t + U h_{t-1}, \quad s_t = (a_t)^{x_t}, \quad q_t = V a_t, \quad h_t = q_t \odot s_t$$
$$\frac{\partial L}{\partial q_t} = \frac{\partial L}{\partial h_t} \odot s_t$$
$$\frac{\partial L}{\partial q_t} = \frac{\partial L}{\partial h_t} \odot h_t$$
$$\frac{\partial L}{\partial V} = \sum_t \frac{\partial L}{\partial q_t} a_t^T$$
$$\frac{\partial L}{\partial a_t} = V^T \frac{\partial L}{\partial q_t}$$
$$\frac{\partial L}{\partial U} = \sum_t \frac{\partial L}{\partial a_t} h_{t-1}^T$$
$$\frac{\partial L}{\partial U} = \sum_t \frac{\partial L}{\partial a_t} h_t^T$$
$$\frac{\partial L}{\partial V} = \sum_t \frac{\partial L}{\partial s_t} a_t^T$$
"""


def rows(text):
    """The rows that claim something."""
    return [row for row in verify_document(text, "a.md").rows if row.kind == "claim"]


def test_what_does_not_depend_on_an_unread_equation_is_judged():
    found = rows(PAGE)
    assert [row.verdict for row in found] == [
        "proved", "refuted", "proved", "undecided", "proved", "refuted", "undecided",
    ]  # fmt: skip
    assert "line 2" in found[3].message


STEPS = r"""
$$a_t = W x_t + V x_{t-2} + U h_{t-1} + R h_{t-3}, \quad h_t = \tanh(a_t), \quad h_0 = 0$$
$$\frac{\partial L}{\partial h_t} = \frac{\partial L_t}{\partial h_t} + U^T \frac{\partial L}{\partial a_{t+1}} + R^T \frac{\partial L}{\partial a_{t+3}}$$
$$\frac{\partial L}{\partial h_t} = \frac{\partial L_t}{\partial h_t} + U^T \frac{\partial L}{\partial a_{t+1}} + R^T \frac{\partial L}{\partial a_{t+2}}$$
$$\frac{\partial L}{\partial x_t} = W^T \frac{\partial L}{\partial a_t} + V^T \frac{\partial L}{\partial a_{t+2}}$$
$$\frac{\partial L}{\partial V} = \sum_t \frac{\partial L}{\partial a_t} x_{t-2}^T, \quad \frac{\partial L}{\partial R} = \sum_t \frac{\partial L}{\partial a_t} h_{t-3}^T$$
$$\frac{\partial L}{\partial V} = \sum_t \frac{\partial L}{\partial a_t} x_{t-1}^T, \quad \frac{\partial L}{\partial R} = \sum_t \frac{\partial L}{\partial a_t} h_{t-1}^T$$
"""


def test_values_of_several_steps_ago():
    expected = ["proved", "refuted", "proved", "proved", "proved", "refuted", "refuted"]
    assert [row.verdict for row in rows(STEPS)] == expected


def test_an_error_in_one_line_leaves_the_others(monkeypatch):
    judged = LineJudge._claimed

    def failing(self, place):
        if self.lines[place][2].line == 4:
            raise IndexError("anything")
        return judged(self, place)

    monkeypatch.setattr(LineJudge, "_claimed", failing)
    monkeypatch.delenv("LSTMSYM_STRICT")
    assert [row.verdict for row in rows(STEPS)][:3] == ["proved", "undecided", "proved"]


def test_nothing_is_the_gradient_of_nothing_while_an_equation_is_unread():
    line = r"$$\delta_q(t) = \frac{\partial L}{\partial h_t} \odot (2 h_t)$$"
    cell = r"$$a_t = W x_t + U h_{t-1}, \quad h_t = \tanh(a_t)$$"
    assert rows(cell + "\n\n" + line)[-1].verdict == "refuted"
    assert (
        rows(cell + r"$$q_t = (h_t)^{x_t}, \quad r_t = q_t \odot h_t$$" + "\n\n" + line)[-1].verdict
        == "undecided"
    )


def test_differentials_are_told_from_gradients():
    text = r"""
$$a_t = W x_t + U h_{t-1}, \quad h_t = \tanh(a_t)$$
$$da_t = dW x_t + dU h_{t-1} + U dh_{t-1}$$
$$dh_t = (1 - h_t^2) \odot da_t$$
$$\frac{\partial L}{\partial a_t} = (1 - h_t^2) \odot \frac{\partial L}{\partial h_t}$$
"""
    assert [row.verdict for row in rows(text)] == ["proved", "proved", "proved"]
    wrong = text.replace("da_t = dW x_t", "da_t = 2 dW x_t").replace(
        "(1 - h_t^2) \\odot da", "(1 + h_t^2) \\odot da"
    )
    assert [row.verdict for row in rows(wrong)][:2] == ["refuted", "refuted"]
    gradients = r"""
$$a_t = W x_t + U h_{t-1}, \quad h_t = \tanh(a_t)$$
$$da_t = (1 - h_t^2) \odot dh_t$$
$$dx_t = dW da_t$$
$$dW = \sum_t da_t x_t^T$$
"""
    assert [row.verdict for row in rows(gradients)][::2] == ["proved", "proved"]


def test_a_word_before_a_bracket_is_no_matrix():
    found = rows(PAGE.replace("(a_t)^{x_t}", r"\operatorname{sort}(a_t)"))
    assert [row.verdict for row in found][3] == "undecided"
