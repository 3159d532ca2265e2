"""Authors' LaTeX and Markdown: every formula has a row, whatever environment, macro or layout it stands in."""

from __future__ import annotations

import pytest
from trees import tree

from lstmsym.binding.verify import verify_document
from lstmsym.documents.read import read
from lstmsym.documents.rows import Equation, NotAClaim, Unread

PREAMBLE = r"""\documentclass{article}
\newenvironment{gradients}{\begin{align}}{\end{align}}
\newenvironment{eqn}[1][x]{\begin{equation}}{\end{equation}}
\NewDocumentEnvironment{nd}{}{\begin{align*}}{\end{align*}}
\newcommand{\pd}[2][L]{\frac{\partial #1}{\partial #2}}
\NewDocumentCommand{\dd}{O{L} m}{\frac{\partial #1}{\partial #2}}
\def\at#1;{_{#1}}
\let\ast\ast
\let\had=\odot
\DeclareMathOperator{\sg}{sigmoid}
\newcommand\half{\ensuremath{\tfrac12}}
\def\beq{\begin{equation}}
\def\eeq{\end{equation}}
\newcommand{\be}{\begin{align}}
\newcommand{\ee}{\end{align}}
\begin{document}
"""
PAIR = ["a = b", "c = d"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (r"\begin{gradients} a &= b \\ c &= d \end{gradients}", PAIR),
        (r"\begin{eqn}[y] \pd{a} = b \end{eqn} $\pd[E]{c} = \dd{d}$", ["∂<L/a> = b", "∂<E/c> = ∂<L/d>"]),
        (r"\begin{nd} a &= b \end{nd} $c = d$", PAIR),
        (r"\beq a = b \eeq \be c &= d \ee", PAIR),
        (r"\begin{subequations}\begin{align} a &= b \\ c &= d \end{align}\end{subequations}", PAIR),
        (r"\begin{empheq}[left=\empheqlbrace]{align} a &= b \\ c &= d \end{empheq}", PAIR),
        (r"\begin{IEEEeqnarray}{rCl} a &=& b \\ c &=& d \IEEEyesnumber \end{IEEEeqnarray}", PAIR),
        (r"\begin{dmath} a = b + c \end{dmath}", ["a = (+b +c)"]),
        (r"\begin{multline} a = b \\ + c \end{multline}", ["a = (+b +c)"]),
        (r"\begin{alignat}{2} a &= b \quad& c &= d \end{alignat}", PAIR),
        (r"\begin{flalign} && a &= b && \\ && c &= d && \end{flalign}", PAIR),
        (r"\begin{align} a &= b \intertext{so that with $c = d$ we have} e &= f \end{align}", [*PAIR, "e = f"]),
        (r"\begin{gather} a = b \shortintertext{and} c = d \end{gather}", PAIR),
        (r"\[ \left\{ \begin{aligned} a &= b \\ c &= d \end{aligned} \right. \]", PAIR),
        (r"\begin{align} a &= b \\[2pt] c &= d \\*[1ex] e &= f \end{align}", [*PAIR, "e = f"]),
        (r"\item \only<2>{$a = b$} \item<1-> \(c = d\)", PAIR),
        (r"\uncover<2->{\[ a = b \]} text\footnote{Here $c = d$.}", PAIR),
        (r"$a\at t; = b\at t-1;$", ["a@t = b@t-1"]),
        (r"\verb|x = y| \verb!$x = 1$! $a = b$ % $c = d$", ["a = b"]),
        (r"$a = \mbox{\small$b$}$ and $c = d$", PAIR),
        (r"$a_t = b_t \had c_t$, $d = b_t \ast c_t$", ["a@t = (b@t ⊙ c@t)", "d = (b@t * c@t)"]),
        (r"$a = \overbrace{b}^{\text{from $h$}} + \underbrace{c}_{=d}$", ["a = (+b +c)"]),
        (r"$a = \half \sg(b) + {\color{red} c} \label{x} \nonumber$", None),
        (r"\begin{tabular}{ll} gate & $a = b$ \\ \end{tabular}\begin{theorem}[N] $c=d$ \end{theorem}", PAIR),
        (r"\begin{quote} $$ a = b $$ \end{quote}", ["a = b"]),
    ],
)  # fmt: skip
def test_latex_in_other_hands(body: str, expected: list[str] | None) -> None:
    document = read(PREAMBLE + body + "\n\\end{document}\n", "x.tex")
    assert not [r for r in document.rows if isinstance(r, Unread)], document.rows
    assert {r.line for r in document.rows} == {PREAMBLE.count("\n") + 1}
    found = [f"{tree(r.left)} {r.relation} {tree(r.right)}" for r in document.equations]
    assert found == (expected or found) and found


def test_an_unknown_environment_is_told() -> None:
    (row,) = read(PREAMBLE + r"\begin{mystery} a_t &= b_t \end{mystery}", "x.tex").rows
    assert isinstance(row, Unread) and "the environment mystery is not known" in row.reason
    assert not read(PREAMBLE + r"\begin{remark} The rate is n=3. \end{remark}", "x.tex").rows


def test_a_macro_used_otherwise_is_told() -> None:
    (row,) = read(PREAMBLE + r"$a\at t = b$", "x.tex").rows
    assert isinstance(row, Unread) and r"\at lacks its ;" in row.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. First $a = b$ and\n   $$\n   c = d\n   $$", PAIR),
        ("> Quote\n> $$\n> a = b \\\\\n> c = d\n> $$", PAIR),
        ("| gate | formula |\n| --- | --- |\n| $f$ | $a = b$ |\n| i | c = d |", PAIR),
        ("GitHub $`a = b`$ and `$c = d$`.", PAIR),
        ("Note.[^1]\n\n[^1]: Here $a = b$.", ["a = b"]),
        ("<p>$a = b$</p>\n\n\\\\( c = d \\\\)", PAIR),
        ("$a = b$因此$c = d$。", PAIR),
        (r"$$a = b, \text{因此 } c = d，其中 e = f$$", [*PAIR, "e = f"]),
        ("- [x] a = b\n* c = d", PAIR),
        ("![x=1](a.png \"a=b\") a = b", ["a = b"]),
        (r"\begin{align} a &= b \end{align} and :math:`c = d`", PAIR),
    ],
)  # fmt: skip
def test_markdown_in_other_hands(text: str, expected: list[str]) -> None:
    document = read(text, "x.md")
    assert [f"{tree(r.left)} {r.relation} {tree(r.right)}" for r in document.equations] == expected
    assert not [r for r in document.rows if isinstance(r, Unread)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"h_t = o_t \star c_t", "(o@t ⋆ c@t)"),
        (r"h_t = W_\star x_t", "(W_{⋆} ~ x@t)"),
        (r"L = 1/2 \|h_t - y_t\|_2^2", "(1 / 2 ~ ‖(+h@t -y@t)‖^p:2)"),
        (r"L = \frac12 \lVert h\rVert_F^2", "(1 / 2 ~ ‖h‖^p:2)"),
        (r"L = 1/T \sum_t h_t", "((1 / T) ~ ∑[t..]h@t)"),
        (r"L = \|h\|_1", "‖h‖_1"),
        (r"a = 1/2 (b - c)", "(1 / 2 ~ ((+b -c)))"),
        (r"a = 1/2b", "(1 / (2 ~ b))"),
        (r"a = b/2c", "(b / (2 ~ c))"),
    ],
)
def test_fractions_norms_and_stars(text: str, expected: str) -> None:
    (row,) = read(f"${text}$").equations
    assert tree(row.right) == expected


def test_digits_above_that_number_layers_are_no_powers() -> None:
    text = r"$h^1_t = V^1 x_t$, $h^2_t = V^2 h^1_t$, $g = (h^2_t)^2 + s_t^2$, $\frac{\partial L}{\partial V^2} = 1$"
    rows = read(text + r", $\nabla_{V^1} L\, (x_t)^\top = 1$").equations
    lefts = ["h^{1}@t", "h^{2}@t", "g", "∂<L/V^{2}>", "(∇<L/V^{1}> ~ (x@t)^t:⊤)"]
    assert [tree(r.left) for r in rows] == lefts
    assert [tree(r.right) for r in rows[1:3]] == ["(V^{2} ~ h^{1}@t)", "(+(h^{2}@t)^p:2 +s@t^p:2)"]


RNN = r"$a_t = W x_t + R h_{t-1} + b$, $h_t = \tanh(a_t)$, $L = \sum_t l_t(h_t)$. "


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (r"\frac{\partial^+ L}{\partial h_t} + R^\top \frac{\partial L}{\partial a_{t+1}}", "proved"),
        (r"\frac{\partial^+ L}{\partial h_t} - R^\top \frac{\partial L}{\partial a_{t+1}}", "refuted"),
        (r"\frac{\partial^+ L}{\partial h_t}", "refuted"),
    ],
)
def test_the_loss_has_a_derivative_of_its_own(line: str, verdict: str) -> None:
    *_, row = verify_document(RNN + rf"$$\frac{{\partial L}}{{\partial h_t}} = {line}$$", "x.md").rows
    assert row.verdict == verdict, row


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (r"(\frac{\partial L}{\partial h_t} \otimes (1 - h_t^2)) x_t^\top", "proved"),
        (r"\frac{\partial L}{\partial a_t} \otimes x_t", "proved"),
        (r"(\frac{\partial L}{\partial h_t} \otimes (1 + h_t^2)) x_t^\top", "refuted"),
    ],
)
def test_one_sign_for_two_products(line: str, verdict: str) -> None:
    *_, row = verify_document(RNN + rf"$$\frac{{\partial L}}{{\partial W}} = \sum_t {line}$$", "x.md").rows
    assert row.verdict == verdict, row


def test_a_letter_over_names_takes_its_accent_along() -> None:
    text = r"""$\hat k_t = W_k x_t + U_k h_{t-1}$ and $k_t = \sigma(\hat k_t)$ for $k \in \{f, i\}$;
$h_t = f_t \odot h_{t-1} + i_t \odot x_t$, $L = \sum_t l_t(h_t)$.

$$\frac{\partial L}{\partial W_k} = \sum_t \frac{\partial L}{\partial \hat k_t} x_t^\top \qquad (k \in \{f, i\})$$

$$\frac{\partial L}{\partial U_k} = \sum_t \frac{\partial L}{\partial \hat k_t} h_t^\top \qquad (k \in \{f, i\})$$"""
    found = verify_document(text, "x.md").rows
    assert [r.verdict for r in found if r.line > 3] == ["proved", "refuted"], found


@pytest.mark.parametrize(
    "words", ["transposed", "(summed over $t$)", "divided by $N$", "and then squared", "的转置"]
)
def test_words_of_an_operation_behind_a_formula_make_it_unread(words: str) -> None:
    (row,) = read(rf"$$a = b \text{{ {words}}}$$").rows
    assert isinstance(row, Unread) and "belongs to the formula" in row.reason
    for fine in ("by the chain rule", "(elementwise)", "for all times", "其中"):
        assert read(rf"$$a = b \quad \text{{ {fine}}}$$").equations


def test_a_proportionality_is_no_equation() -> None:
    (row,) = read(r"$a \propto b$").rows
    assert isinstance(row, NotAClaim) and row.reason == "a proportionality"


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        (r"\newcommand{\g}[1]{\delta #1}$a = \g{h_t}$", [r"a = \g{h_t}"]),
        (r"$a = \underbrace{b}_{=c}$", [r"a = \underbrace{b}_{=c}"]),
        ("dL/db = sum_t dL/da_t", ["dL/db = sum_t dL/da_t"]),
        ("L = sum_t 1/2 ||h(t) - y(t)||^2", ["L = sum_t 1/2 ||h(t) - y(t)||^2"]),
    ],
)
def test_sources_stand_as_they_stood(text: str, sources: list[str]) -> None:
    assert [r.source for r in read(text).rows if isinstance(r, Equation)] == sources
