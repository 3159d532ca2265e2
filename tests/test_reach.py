"""How far equations in plain text reach: all of a formula is read, or the row is unread; never a stump."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import tree

from lstmsym.documents.read import read
from lstmsym.documents.rows import Equation, NotAClaim, Unread

RIGHT = "dz(t) = dh(t) * (1 - h(t)^2)"
TREE = "(d<h@t> * ((+1 -h@t^p:2)))"


def shown(text: str) -> list[str]:
    found = read(text, "x.txt").rows
    sides = [f"{tree(r.left)} {r.relation} {tree(r.right)}" for r in found if isinstance(r, Equation)]
    return [s.replace(":⊤", ":T") for s in sides]


@pytest.mark.parametrize(
    "rest",
    [
        ", where * is pointwise", " for all t", "   # ok", " (by the chain rule).", " (see above)", "; so", " is the error.",
        ", 其中 h(t) 是输出", "是误差", " because of (3)", " - the output gate", "  (3.12)", " with h(t) bounded",
        " wobei h(t) bekannt ist", " holds for every h(t)", " % as in code", " elementwise", " keeps memory of the past",
    ],
)  # fmt: skip
def test_words_of_the_sentence_end_an_equation(rest: str) -> None:
    assert shown(RIGHT + rest) == [f"d<z@t> = {TREE}"]


@pytest.mark.parametrize(
    ("rest", "after"),
    [
        (" dzg(t)", " ~ d<zg@t>"), (" . h(t)", " · h@t"), (" times h(t)", " · h@t"), (".h(t)", " · h@t"),
        (" (x) h(t)", " ⊗ h@t"), (" (*) h(t)", " ⊙ h@t"), (" (o) h(t)", " ∘ h@t"), (r" \odot h(t)", " ⊙ h@t"),
        (" [1 + h(t)]", " ~ [(+1 +h@t)]"), (" carry(t+1)", " ~ carry@t+1"), (" Wzx h(t)", " ~ Wzx ~ h@t"),
        (" – h(t)", " -h@t"),  ("\n     times h(t)", " · h@t"), ("\n     h(t)", " ~ h@t"),
        (" gate(t)", " ~ gate@t"), ("^T h(t)", None), (" ⋄ h(t)", " ⋄ h@t"),
    ],
)  # fmt: skip
def test_mathematics_goes_on(rest: str, after: str | None) -> None:
    (whole,) = shown(RIGHT + rest)
    assert whole != f"d<z@t> = {TREE}"
    assert after is None or after in whole, whole


@pytest.mark.parametrize(
    "rest",
    [
        " plus the carry", " transposed", " squared", " divided by N", " 乘以 h(t)", " 的转置", " mal h(t)", " ★ h(t)",
        " summed over t", " weighted with h(t)", " over h(t)", " + ", " minus what came before", " (1 - h(t)",
        ", times h(t)", " **h(t)**", " `h(t)`", " (times h(t)", " reversed in time", " then scaled", " fois h(t)", " squash h(t)",
    ],
)  # fmt: skip
def test_what_may_belong_to_it_makes_it_unread(rest: str) -> None:
    found = read(RIGHT + rest, "x.txt").rows
    assert found and all(isinstance(row, Unread) for row in found), found
    assert found[0].source.startswith(RIGHT) and found[0].line == 1


def test_a_formula_right_behind_it_makes_it_unread() -> None:
    first, second = read(RIGHT + " $h(t)$", "x.txt").rows
    assert isinstance(first, Unread) and isinstance(second, NotAClaim)
    assert isinstance(read(RIGHT + ", $h(t)$", "x.txt").rows[0], Equation)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("R^T dz(t) = dh(t)", "(R^o:T ~ d<z@t>) = d<h@t>"),
        ("2 dz(t) = dh(t)", "(2 ~ d<z@t>) = d<h@t>"),
        ("thus 2 dz(t) = dh(t)", "(2 ~ d<z@t>) = d<h@t>"),
        ("W times dz(t) = dh(t)", "(W · d<z@t>) = d<h@t>"),
        ("(1 - h(t)^2) dz(t) = dh(t)", "(((+1 -h@t^p:2)) ~ d<z@t>) = d<h@t>"),
        ("the network's dz(t) = dh(t)", "d<z@t> = d<h@t>"),
        ("the loss L dL/dh(t) = y(t)", "d<L/h@t> = y@t"),
        ("At step t h(t) = y(t)", "h@t = y@t"),
    ],
)
def test_the_left_side_is_whole(text: str, expected: str) -> None:
    assert shown(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_t = Wxh.x_t + Whh^T.h_{t-1} + by", "a@t = (+(Wxh · x@t) +(Whh^o:T · h@t-1) +by)"),
        ("dE/dW = sum_{t=1}^{T} dE/da_t.h_{t-1}^T", "d<E/W> = ∑[t=1..T](d<E/a@t> · h@t-1^t:T)"),
        ("do(t) = dh(t) * tanh(s(t))", "d<o@t> = (d<h@t> * tanh!(s@t))"),
        ("ŷ(t) = V c̃(t)", "y^@t = (V ~ c~@t)"),
        ("L = 1/2 ||h(t) - y(t)||^2", "L = (1 / 2 ~ ‖(+h@t -y@t)‖^p:2)"),
        ("h<sub>t</sub> = o<sub>t</sub> &odot; &sigma;(c<sub>t</sub><sup>2</sup>)", "h@t = (o@t ⊙ σ!(c@t^p:2))"),
        ("L = ½ ‖h(t) − y(t)‖² + |w|", "L = (+(0.5 ~ ‖(+h@t -y@t)‖^p:2) +|w|)"),
        ("δẑ(t) = dŷ(t)", "δ<z^@t> = d<y^@t>"),
        ("(1 - h_t.^2) = d_t", "((+1 -h@t^p:2)) = d@t"),
        ("e(t) = z(t) - y(t) l'erreur", "e@t = (+z@t -y@t)"),
        ("- [x] h(t) = o(t)", "h@t = o@t"),
        ("W'x = b", None),
    ],
)  # fmt: skip
def test_spellings_of_plain_text(text: str, expected: str | None) -> None:
    (found,) = shown(text)
    assert expected in (None, found)


def test_other_relations_have_rows() -> None:
    rows = read("h(t) ≠ o(t), c(t) ≈ g(t), and a ∝ b\n", "x.txt").rows
    assert [r.reason for r in rows if isinstance(r, NotAClaim)] == [
        "an inequality",
        "an approximation",
        "a proportionality",
    ]


def test_conditions_stand_beside_the_equation() -> None:
    (row,) = read("a_k(t) = W_k x(t) + b_k for k in {f, i, o}", "x.txt").equations
    assert [tree(c) for c in row.conditions] == ["k∈{f, i, o}"]
    rows = read("h(t) = tanh(z(t)) for t = 1, ..., T, s(t) = 3 h(t)", "x.txt").equations
    assert [tree(r.left) for r in rows] == ["h@t", "s@t"] and rows[0].conditions and not rows[1].conditions
    (row,) = read("dz(t) = dh(t) if z(t) > 0, else 0", "x.txt").equations
    assert [c.text for c in row.conditions] == ["if z(t) > 0, else 0"]  # type: ignore[attr-defined]


WORDS = "times plus the where for if t and over squared 乘 其中 carry Wx x(t) h(t-1)^T (see above) . , ; ' + * = ( ) [ ] | || \\odot"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=8))
def test_operands_are_never_lost_before_a_word_of_the_sentence(parts: list[str]) -> None:
    text = " ".join(["a(t) = b(t)", *parts])
    document = read(text, "x.txt")
    sources = [r.source for r in document.rows]
    assert sources and all(s.strip() in text for s in sources)
    first = document.rows[0]
    if (
        isinstance(first, Equation)
        and parts
        and parts[0] in ("Wx", "x(t)", "h(t-1)^T", "*", "times", "squared", "乘")
    ):
        assert len(first.source) > len("a(t) = b(t)") or parts[0] == "*", (text, first.source)
