"""Functions that a document defines, names or leaves open, and the derivatives it takes of them."""

import pytest

from lstmsym.binding.verify import verify_document

CELL = r"$$a_t = A x_t + C h_{t-1}, \quad h_t = f(a_t)$$"
SLOPES = {
    "sigma": r"$$f'(a_t) = h_t \odot (1 - h_t)$$",
    "tanh": r"$$f'(a_t) = 1 - h_t^2$$",
    "other": r"$$f'(a_t) = (2 + h_t) \odot (2 - h_t) / 4$$",
}
ANY = r"$$\frac{\partial L}{\partial a_t} = \frac{\partial L}{\partial h_t} \odot f'(a_t)$$"
OF_OUTPUT = r"$$\frac{\partial L}{\partial a_t} = \frac{\partial L}{\partial h_t} \odot f'(h_t)$$"


def last(*parts):
    """The last row of a document."""
    return verify_document("\n\n".join(parts), "a.md").rows[-1]


@pytest.mark.parametrize(
    ("said", "right"),
    [
        (r"$$f(u) = 1/(1+\exp(-u))$$", "sigma"),
        (r"$$f(u) = \frac{1}{1+e^{-u}}$$", "sigma"),
        (r"$$f(z) = \frac{e^{z}}{e^{z} + 1}$$", "sigma"),
        (r"$$f(u) = \sigma(u)$$", "sigma"),
        (r"with $f(u) = \frac{e^{u} - e^{-u}}{e^{u} + e^{-u}}$.", "tanh"),
        (r"$$f(u) = \frac{4}{1+e^{-u}} - 2$$", "other"),
        (r"where $f = \tanh$.", "tanh"),
        (r"where $f$ denotes the logistic sigmoid.", "sigma"),
        (r"with the hyperbolic tangent $f$.", "tanh"),
    ],
)
def test_the_derivative_is_that_of_the_function_that_the_document_has(said, right):
    for kind, slope in SLOPES.items():
        assert last(CELL, said, slope).verdict == ("proved" if kind == right else "refuted"), kind
    assert last(CELL, said, ANY).verdict == "proved"


def test_a_derivative_by_the_output_is_one_convention_of_the_whole_document():
    said = "where $f$ is the logistic sigmoid."
    assert last(CELL, said, OF_OUTPUT).verdict == "conditional"
    row = last(CELL, said, ANY, OF_OUTPUT)
    assert row.verdict == "refuted"
    assert "contradicts" in row.message
    assert row.witness
    assert last(CELL, r"$$f(u) = \sigma(u)$$", OF_OUTPUT).verdict == "refuted"


def test_of_a_function_that_is_left_open_only_what_holds_of_any_is_proved():
    open_ = CELL + r"$$y_t = g(V h_t)$$"
    assert last(open_, ANY).verdict == "proved"
    assert last(open_, ANY.replace("f'(a_t)", r"(1 - h_t \odot h_t)")).assumption == "f is tanh"
    assert last(open_, SLOPES["sigma"]).assumption == "f is the logistic sigmoid"
    assert last(open_, SLOPES["other"]).verdict == "refuted"
    mixed = last(open_, ANY.replace("f'", "g'"), ANY.replace("f'", "g'"))
    assert mixed.verdict == "refuted"
    assert "same function" in mixed.message
    rows = verify_document("\n\n".join((open_, *[SLOPES["tanh"]] * 2, SLOPES["sigma"])), "a.md").rows
    assert [r.verdict for r in rows[-3:]] == ["conditional", "conditional", "refuted"]


def test_a_sequence_is_no_function_of_itself():
    text = r"$$x(n) = f(x(n-1)), \quad y(n) = y(n-1) x(n)$$"
    assert len(verify_document(text, "a.md").rows) == 2
