"""Reading documents: blocks, rows, trees, printing back, limits."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import tree

from lstmsym.documents import limits
from lstmsym.documents.formula import Brackets, Name, Number, Product, Raised, Sum, walk
from lstmsym.documents.front import front_matter
from lstmsym.documents.limits import DocumentError, ReadingError
from lstmsym.documents.read import Document, block_rows, formula, read
from lstmsym.documents.rows import Equation, NotAClaim, Unread
from lstmsym.documents.split import DISPLAY, Block, split
from lstmsym.documents.write import write

TREES = [
    (r"\tilde C_{t-1}", "C~@t-1"),
    (r"\mathbf{h}_t^{(1)}", "h^{1}@t"),
    (r"\delta^{t+1}_{f}", "δ_{f}@t+1"),
    (r"\bar z^t", "z-@t"),
    (r"h_i(t)", "h_{i}@t"),
    (r"W_{xi}", "W_{xi}"),
    (r"W^{(i)}", "W^{i}"),
    (r"a^{\langle t-1\rangle}", "a@t-1"),
    (r"x^{(t)\top}", "x@t^t:⊤"),
    (r"W^T h_t^T", "(W^o:T ~ h@t^t:T)"),
    (r"\delta_{f,t}^T", "δ_{f}@t^t:T"),
    (r"c^2_{t-1}", "c@t-1^p:2"),
    (r"(W_{hh}^\top)^{T-i}", "(W_{hh}^t:⊤)^o:(+T -i)"),
    (r"\frac{dL(t+1)}{dh_i(t)}", "d<L@t+1/h_{i}@t>"),
    (r"\partial L/\partial W_f", "∂<L/W_{f}>"),
    (r"\frac{d_L}{d_{h_t}}", "d<L/h@t>"),
    (r"\frac{\partial}{\partial W}L", "∂<L/W>"),
    (r"\frac{\partial^2 L}{\partial h^2}", "∂2<L/h>"),
    (r"\nabla_{h^{(t)}}L", "∇<L/h@t>"),
    (r"(\nabla_{o_t} L)_i", "(∇<L/o@t>)_i"),
    (r"\partial_h f(x_t,h_{t-1})", "∂<f?(x@t, h@t-1)/h>"),
    (r"\left.\frac{\partial^+ h_k}{\partial W}\right|_{h_{k-1}}", "∂+<h@k/W>|_h(k-1)"),
    (r"\delta x_t", "δ<x@t>"),
    (r"\delta\bar o^t", "δ<o-@t>"),
    (r"\delta8", "δ<8>"),
    (r"\Delta W_{ij}", "Δ<W_{ij}>"),
    (r"d\tilde c", "d<c~>"),
    (r"dp\tilde c", "d<pc~>"),
    (r"dh(1-z)", "(d<h> ~ ((+1 -z)))"),
    (r"dhraw", "d<hraw>"),
    (r"top_diff_h", "top_diff_<h>"),
    (r"wi\_diff", "_diff<wi>"),
    (r"\texttt{self.param.wi\_diff}", "_diff<self.param.wi>"),
    (r"self.state.o", "self.state.o"),
    (r"F\_net_i(t)", "F_<net_{i}@t>"),
    (r"\Gamma_o(1-\tanh(c)^2)", "Γ_{o}?((+1 -tanh!(c)^p:2))"),
    (r"\tanh^2(c_t)", "tanh^2!(c@t)"),
    (r"1-\tanh^2 c_t", "(+1 -tanh^2!c@t)"),
    (r"\log\hat y", "log!y^"),
    (r"\sigma'(\bar o^t)", "σ'!(o-@t)"),
    (r"f'_k(s_k(t))", "f_{k}'!(s_{k}@t)"),
    (r"o_t(1-o_t)", "(o@t ~ ((+1 -o@t)))"),
    (r"U(r_t\odot h_{t-1})", "U?((r@t ⊙ h@t-1))"),
    (r"W_c'*z", "(W_{c}' * z)"),
    (r"A x\odot B y", "((A ~ x) ⊙ (B ~ y))"),
    (r"a\cdot b * c / d", "(a · b * c / d)"),
    (r"-x * -y", "(-(x * (-y)))"),
    (r"\sum_{s=t}^T l(s) + x", "(+∑[s=t..T]l@s +x)"),
    (r"\sum_{i=1}^M h_i", "∑[i=1..M]h_{i}"),
    (r"\sum_{k\in\{i,f\}}W_k^\top\delta_k", "∑[k∈{i, f}..](W_{k}^t:⊤ ~ δ_{k})"),
    (r"\prod_{j=k+1}^{t}\frac{\partial h_j}{\partial h_{j-1}}", "∏[j=(+k +1)..t]∂<h@j/h@j-1>"),
    (r"\sum_kw_k^Td_k\_input", "∑[k..](w_{k}^o:T ~ d<k_{input}>)"),
    (r"[h_{t-1}, x_t]", "[h@t-1, x@t]"),
    (r"\begin{bmatrix} a \\ b \end{bmatrix}", "{a; b}"),
    (r"\langle\delta\star^t,x^t\rangle", "⟨δ<⋆@t>, x@t⟩"),
    (r"\operatorname{diag}(1-h^2)", "diag!((+1 -h^p:2))"),
    (r"W_f[:n_a,:]", "W_{f}[:n_{a}, :]"),
    (r"hs[t]", "hs@t"),
    (r"\|y_t-\hat y_t\|_2^2", "‖(+y@t -y^@t)‖^p:2"),
    (r"1_{t=T}", "1_{t=T}"),
    (r"e^{-z}", "e^p:(-z)"),
    (r"a{+}b\,{\odot}\,c", "(+a +(b ⊙ c))"),
    (r"\mathrm dL/\mathrm dh_t + x^*", "(+d<L/h@t> +x^{*})"),
    (r"x_tW_x", "(x@t ~ W_{x})"),
    (r"{\bf W}^{\mathsf T}\mathrm d h", "(W^t:⊤ ~ d<h>)"),
    (r"\frac{1}{T}\sum_t L_t", "(1 / T ~ ∑[t..]L@t)"),
    (r"(a_{prev};x_t)^T", "(a_{prev}, x@t)^o:T"),
    (r"W_{hh}^{t-k}", "W_{hh}^p:(+t -k)"),
    (r"\mathbf{Wx}_t", "(W ~ x)_@t"),
    (r"\frac{\partial l(o_t,y_t)}{T\cdot\partial o_t}", "∂<l?(o@t, y@t)> / (T · ∂<o@t>)"),
]


@pytest.mark.parametrize(("text", "expected"), TREES)
def test_trees(text: str, expected: str) -> None:
    assert tree(formula(text)) == expected


@pytest.mark.parametrize("text", [text for text, _ in TREES])
def test_a_tree_prints_back_in_its_notation(text: str) -> None:
    assert formula(write(formula(text))) == formula(text)


def round_trip(document: Document) -> list[str]:
    """The equations that change when they are printed and read again."""
    changed = []
    for row in document.equations:
        sign = row.relation.replace("←", r"\leftarrow").replace("∝", r"\propto")
        text = f"{write(row.left)} {sign} {write(row.right)}"
        again = block_rows(Block(DISPLAY, text, 1), lexicon=document.lexicon)
        sides = [(r.left, r.relation, r.right) for r in again if isinstance(r, Equation)]
        if sides != [(row.left, row.relation, row.right)]:
            changed.append(text)
    return changed


def test_the_notations_of_published_derivations_are_read() -> None:
    texts = (Path(__file__).parent / "notations.txt").read_text(encoding="utf-8").splitlines()
    unread = []
    for text in texts:
        document = read(f"${text}$")
        unread += [(text, row.reason) for row in document.rows if isinstance(row, Unread)]
        assert document.rows, text
        assert not round_trip(document), text
    print(f"{len(texts) - len(unread)} of {len(texts)} formulas read")
    assert not unread


def shown(document: Document) -> list[tuple[int, str]]:
    return [(r.line, f"{tree(r.left)} {r.relation} {tree(r.right)}") for r in document.equations]


SEED = r"""Plain text and displays, as a scan gives them.

$$o_t = \sigma (W_o [h_{t-1}, x_t] + b_o)$$
$$h_t = o_t * \tanh (C_t)$$

$$x_c(t) = [x(t), h(t-1)]$$
$$g(t) = \phi(W_g x_c(t) + b_g)$$
$$o(t) = \sigma(W_o x_c(t) + b_o).$$
$$l(t) = f(h(t), y(t)) = ||h(t) - y(t)||^{2}.$$
$$L(t) = \sum_{s=t}^{s=T} l(s)$$
$$\frac{dL}{dw} = \sum_{t=1}^{T} \sum_{i=1}^{M} \frac{dL}{dh_i(t)} \frac{dh_i(t)}{dw} \qquad \frac{dL}{dh_i(t)} = \frac{dL(t)}{dh_i(t)}$$

• top_diff_h =
$$\frac{dL(t)}{dh(t)} = \frac{dl(t)}{dh(t)} + \frac{dL(t+1)}{dh(t)}$$

• top_diff_s = $\frac{dL(t+1)}{ds(t)}$.

•
$$self.state.bottom_diff_s = \frac{dL(t)}{ds(t)}$$

• self.param.wi_diff
$$= \frac{dL}{dW_i}$$

• [self.param.bi_diff] =
$$\frac{dL}{db_i}$$

•
$$\left| \mathsf{dxc} \right| = \frac{dL}{dx_c(t)}$$

$$\begin{split} \frac{dL(t)}{ds_{i}(t)} &= \frac{dL(t)}{dh_{i}(t)} \frac{dh_{i}(t)}{ds_{i}(t)} \\
&= \frac{dL(t)}{dh_{i}(t)} \frac{dh_{i}(t)}{ds_{i}(t)} + [\text{top_diff_s}]_{i}. \end{split}$$

因此有, ds = self. state. o * top_diff_h + top_diff_s。

```
def top_diff_is(self, top_diff_h, top_diff_s):
    ds = self.state.o * top_diff_h + top_diff_s
```
"""


def test_the_notation_of_the_seed_document() -> None:
    document = read(SEED)
    assert not [row for row in document.rows if isinstance(row, Unread)]
    assert shown(document) == [
        (3, "o@t = σ!((+(W_{o} ~ [h@t-1, x@t]) +b_{o}))"),
        (4, "h@t = (o@t * tanh!(C@t))"),
        (6, "x_{c}@t = [x@t, h@t-1]"),
        (7, "g@t = φ?((+(W_{g} ~ x_{c}@t) +b_{g}))".replace("φ", "ϕ")),
        (8, "o@t = σ!((+(W_{o} ~ x_{c}@t) +b_{o}))"),
        (9, "l@t = f?(h@t, y@t)"),
        (9, "l@t = ‖(+h@t -y@t)‖^p:2"),
        (10, "L@t = ∑[s=t..s=T]l@s"),
        (11, "d<L/w> = ∑[t=1..T]∑[i=1..M](d<L/h_{i}@t> ~ d<h_{i}@t/w>)"),
        (11, "d<L/h_{i}@t> = d<L@t/h_{i}@t>"),
        (13, "top_diff_<h> = d<L@t/h@t>"),
        (13, "top_diff_<h> = (+d<l@t/h@t> +d<L@t+1/h@t>)"),
        (16, "top_diff_<s> = d<L@t+1/s@t>"),
        (19, "self.state.bottom_diff_<s> = d<L@t/s@t>"),
        (21, "_diff<self.param.wi> = d<L/W_{i}>"),
        (24, "_diff<self.param.bi> = d<L/b_{i}>"),
        (28, "|d<xc>| = d<L/x_{c}@t>"),
        (30, "d<L@t/s_{i}@t> = (d<L@t/h_{i}@t> ~ d<h_{i}@t/s_{i}@t>)"),
        (31, "d<L@t/s_{i}@t> = (+(d<L@t/h_{i}@t> ~ d<h_{i}@t/s_{i}@t>) +[top_diff_<s>]_i)"),
        (33, "d<s> = (+(self.state.o * top_diff_<h>) +top_diff_<s>)"),
    ]
    assert document.equations[-1].notes == ("spaces around the dots of a name were removed",)
    assert [row.chain for row in document.equations if row.line in (30, 31)] == [0, 1]
    (listing,) = document.listings
    assert (listing.line, listing.language) == (36, "python")
    assert not round_trip(document)


MARKDOWN = r"""---
layout: post
cell: lstm
names:
  z: pre-activation
---
Costs $5 and $10, and <img src="x=1">. In text $h_t$ and $y = W h$.

\begin{align}
  i_t &= \sigma(W_i x_t) \tag{1}\label{eq:i}, & o_t &= \sigma(W_o x_t), \\
  \frac{\partial L}{\partial h_t} &= a_t
     + b_t \\
  &= c_t, \quad t = 1, \dots, T
\end{align}

$$\left\{\begin{array}{l} h_t = o_t \odot c_t \\ c_t = f_t \odot c_{t-1} \end{array}\right.$$

$$\|h_t\| \le 1 \qquad h_t \in \mathbb R^n$$

We write δ_t = (1 − h_t²) ⊙ Wᵀδ_{t+1} here, with `dh = W.T @ dz` and lr = 0.1; that is all.

$$\dunno{x} = 1$$ $$\begin{cases} f_t = g_t \\ \end{cases}$$

~~~math
a {+}= b\text{, }
c_t \mathrel{+}= d \text{ for } t = 1 \text{ and } e = f
~~~

$$a = \begin{cases} 1 & \text{if } t = T \\ 0 & \text{otherwise} \end{cases}$$
"""


def test_markdown() -> None:
    document = read(MARKDOWN)
    assert shown(document) == [
        (7, "y = (W ~ h)"),
        (10, "i@t = σ!((W_{i} ~ x@t))"),
        (10, "o@t = σ!((W_{o} ~ x@t))"),
        (11, "∂<L/h@t> = (+a@t +b@t)"),
        (13, "∂<L/h@t> = c@t"),
        (16, "h@t = (o@t ⊙ c@t)"),
        (16, "c@t = (f@t ⊙ c@t-1)"),
        (20, "δ@t = (((+1 -h@t^p:2)) ⊙ (W^t:⊤ ~ δ@t+1))"),
        (20, "d<h> = (W^t:⊤ @ d<z>)"),
        (20, "lr = 0.1"),
        (22, "f@t = g@t"),
        (25, "a += b"),
        (26, "c@t += d"),
        (26, "e = f"),
        (29, "a = cases1 if if, t=T; 0 if otherwise"),
    ]
    other = [(r.line, r.reason) for r in document.rows if not isinstance(r, Equation)]
    assert other == [
        (7, "no relation"),
        (18, "an inequality"),
        (18, "a membership"),
        (22, r"\dunno is not understood"),
    ]
    first, second = document.equations[1:3]
    assert (first.tag, first.label, second.tag) == ("1", "eq:i", "1")
    assert [tree(c) for c in document.equations[4].conditions] == ["t=1", "…, T"]
    (unread,) = [r for r in document.rows if isinstance(r, Unread)]
    assert unread.at == (22, 3) and unread.near.startswith("\\dunno")
    assert document.front.cell == "lstm" and document.front.names == (("z", "pre-activation"),)
    assert document.front.layout == ""
    assert not round_trip(document)


LATEX = r"""\documentclass{article}
\newcommand{\dd}[2]{\frac{\partial #1}{\partial #2}} % $commented = out$
\def\h{\boldsymbol{h}} \DeclareMathOperator{\softmax}{softmax} \let\eps\varepsilon
\newcommand{\at}[1][t]{_{#1}}
\begin{document}
\begin{equation}\begin{split}
z\at &= W\h\at[t-1]\\
 &\quad + b\,,
\end{split}\end{equation}
\begin{eqnarray} y_t &=& \softmax(V\h_t) \nonumber \\ L &=& -\sum_t \log y_{t} \end{eqnarray}
\[ \dd{L}{\h_t} \leftarrow \left( \dd{\h_{t+1}}{\h_t} \right)^{\!T} \eps \]
\input{other.tex}
\begin{verbatim}
dh = W.T @ dz   # 5 % 3
\end{verbatim}
$$ unclosed = 1
"""


def test_a_latex_file() -> None:
    document = read(LATEX, "notes.tex")
    assert shown(document) == [
        (7, "z@t = (+(W ~ h@t-1) +b)"),
        (10, "y@t = softmax!((V ~ h@t))"),
        (10, "L = (-∑[t..]log!y@t)"),
        (11, "∂<L/h@t> ← ((∂<h@t+1/h@t>)^o:T ~ ε)"),
    ]
    assert [(r.line, r.reason) for r in document.rows if isinstance(r, Unread)] == [
        (12, "other files are not read: verify other.tex by itself"),
        (16, "$$ is not closed: $$ is missing"),
    ]
    assert document.listings[0].text.strip() == "dh = W.T @ dz   # 5 % 3"
    assert not round_trip(document)


def test_nothing_of_a_file_is_lost() -> None:
    for text in (MARKDOWN, SEED):
        rest = text
        for block in split(text):
            assert block.text in rest, block
            assert text.split("\n")[block.line - 1][block.column - 1 :].startswith(block.text.split("\n")[0])
            rest = rest.replace(block.text, "", 1)
        letters = [c for c in rest if c.isalpha() and c not in "pythonmathbegindcodecaseslignsplit"]
        assert not letters, rest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so h_t = tanh(W_xh x_t + W_hh h_{t-1} + b_h), where", "h@t = tanh!((+(W_{xh} ~ x@t) +(W_{hh} ~ h@t-1) +b_{h}))"),
        ("s(t) = g(t)*i(t) + s(t-1)*f(t)", "s@t = (+(g@t * i@t) +(s@t-1 * f@t))"),
        ("then ∂L/∂c_t = δ_t ⊙ o_t and so on.", "∂<L/c@t> = (δ@t ⊙ o@t)"),
        ("the gradient is dL/dh(t) = dl/dh.", "d<L/h@t> = d<l/h>"),
        ("| T | c = d | **K=1** is wrong", "c = d; K = 1"),
        ("delta_t = 1 - y**2", "δ@t = (+1 -y^p:2)"),
    ],
)  # fmt: skip
def test_equations_in_plain_text(text: str, expected: str) -> None:
    assert [line for _, line in shown(read(text))] == expected.split("; ")


@pytest.mark.parametrize(
    "text",
    [
        "see http://a.b/?x=1 for more",
        "a <b class='x=1'>",
        "run --size=3",
        "`pip install a=b`",
        r"\[see\](url)",
        "![](a.png){width=50%}",
        "{{< figure n=3 >}}",
    ],
)
def test_prose_is_not_taken_for_equations(text: str) -> None:
    assert not read(text).equations


def test_code_in_the_text() -> None:
    document = read("It says `dbh + dhraw`, not `dbh += dhraw`; see `a.b`.")
    assert [tree(r.formula) for r in document.rows if isinstance(r, NotAClaim) and r.formula] == [
        "(+d<bh> +d<hraw>)"
    ]
    assert [line for _, line in shown(document)] == ["d<bh> += d<hraw>"]
    assert not read(r"\documentclass{a}\includegraphics[width=3]{a} so a = b").rows


def test_what_a_document_shows_of_its_spelling() -> None:
    words = read("$gu_0 = gc(1-g_1)$, $gw_1 = gc\\,g_1$, $net_i = W h$")
    assert [tree(r.left) for r in words.equations] == ["gu_{0}", "gw_{1}", "net_{i}"]
    assert tree(words.equations[1].right) == "(gc ~ g_{1})"
    steps = read("$x_k = A x_{k-1} + B u_k$, $y_k = C x_k$, $x_0 = 0$")
    assert [tree(r.left) for r in steps.equations] == ["x@k", "y@k", "x@0"]
    assert tree(read("$g_1 = W_1 x$").equations[0].left) == "g_{1}"


def test_front_matter() -> None:
    found = front_matter(
        "cell: gru\nnames: {top_diff_h: dh, 'E': loss}\nlayout: row\nloss: sum((h - y)**2)\ntags:\n  - x"
    )
    assert (found.cell, found.layout, found.loss) == ("gru", "rows", "sum((h - y)**2)")
    assert found.names == (("top_diff_h", "dh"), ("E", "loss"))
    assert read("% ---\n% cell: rnn\n% ---\n\\documentclass{a}").front.cell == "rnn"
    assert front_matter("names:\n  - what").notes == ("front matter, line 2: '- what' is not NAME: MEANING",)


def test_every_node_knows_its_place() -> None:
    text = r"h_t = o_t \odot \tanh(c_{t-1})"
    (row,) = read(f"${text}$").equations
    for node in walk(row.right):
        if isinstance(node, Name):
            assert text[slice(*node.span)].lstrip("\\")[0] == node.base[0]


# -- what is too much, or hostile ----------------------------------------------------------------------


def measured(text: str, name: str = "") -> tuple[float, Document | str]:
    begun = time.perf_counter()
    try:
        found: Document | str = read(text, name)
    except DocumentError as error:
        found = str(error)
    return time.perf_counter() - begun, found


SIZE = 300_000
HOSTILE = {
    "brackets": "$$" + "(" * 9000 + "$$",
    "braces": "$$" + "{" * 9000 + "}" * 9000 + "$$",
    "power": "$9^{9^{9^9}}$",
    "exponent": "$x^{123}$",
    "digits": "$" + "1" * 5000 + "$",
    "line": "a = " + "b + " * SIZE,
    "letters": "a" * 3 * SIZE,
    "dollars": "$" * SIZE,
    "displays": r"\[" * SIZE,
    "inline": r"\(" * SIZE,
    "environments": r"\begin{align}" * (SIZE // 10),
    "fences": "```\n" * SIZE,
    "code": "`a " * SIZE,
    "recursion": "$$\\newcommand{\\a}{\\a\\a}\\a$$",
    "growth": "$$\\def\\a{xxxxxxxxxx}\\def\\b{"
    + r"\a" * 99
    + "}\\def\\c{"
    + r"\b" * 99
    + "}"
    + r"\c" * 99
    + "$$",
    "definitions": r"\def" * SIZE,
    "accents": "$$" + r"\hat" * 3000 + "$$",
    "sums": "$$" + r"\sum" * 3000 + "$$",
    "names": "$$" + "a_b" * 6000 + "$$",
    "scripts": "$$a" + "_{a" * 5000 + "$$",
    "lists": "$$" + "a," * 9000 + "$$",
    "rows": "$$" + r"a=b\\" * 3000 + "$$",
    "formulas": "$x$ " * SIZE,
    "lines": "a = b\n" * (SIZE // 10),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text(name: str) -> None:
    seconds, found = measured(HOSTILE[name])
    assert seconds < 2  # one on an idle machine
    rows = found.rows if isinstance(found, Document) else ()
    assert all(isinstance(row, (Unread, NotAClaim)) for row in rows) or name == "rows"


def test_limits_are_told() -> None:
    assert "at most" in str(measured("a" * (limits.CHARACTERS + 1))[1])
    assert "no text file" in str(measured("a\0b")[1])
    assert "mathematics" in str(measured(("$" + "x + " * 900 + "x$\n\n") * 200)[1])
    with pytest.raises(ReadingError, match="nested deeper than"):
        formula(r"\frac{1}{" * 40 + "x" + "}" * 40)


BITS = r"""$ $$ \[ \] { } _ ^ & \\ \left( \right) \left\{ \right. ( ) [ ] | \| \frac \sqrt \sum \prod \partial \nabla
\delta d h W t - + = * \odot ' , . : \tanh \sigma \begin{align} \end{align} \begin{cases} \end{cases} \begin{bmatrix}
\end{bmatrix} \text{for } \mathbf \tilde \mathrm{diag} \quad \tag{1} \dots \in \forall \le 1 2 T \top \langle \rangle \bf
\def \newcommand{\a}[1]{#1#1} \a \input{x} ``` ` % # ~ self. top_diff_h \_ \mathrel{+}= \stackrel{d}{=} \underbrace{x}_{y}
\boxed{ δ ∂ ⊙ ₜ ᵀ 中 \not \substack{ \overset{a}{b} \texttt{a=b} \textcolor{red}{x} <t> \! c̃""".split()


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from([*BITS, " ", "\n", "\n\n"]) | st.text(max_size=3), max_size=40), st.booleans()
)
def test_any_text_is_read_or_refused(parts: list[str], latex: bool) -> None:
    seconds, found = measured("$$" + "".join(parts), "x.tex" if latex else "x.md")
    assert seconds < 1
    if isinstance(found, Document):
        for row in found.equations:
            assert write(row.left) and write(row.right)


def test_a_repaired_tree_prints_with_the_brackets_it_needs() -> None:
    (row,) = read(r"$\delta_t = W^\top \delta_{t+1} \odot (1 - h_t^2)$").equations
    assert isinstance(row.right, Product)
    change, square = row.right.factors
    assert isinstance(square, Brackets)
    repaired = Raised(Product(("",), (Sum(("+", "-"), (change, square)), change)), Number("2"), "power")
    inner = r"W^{\top} \delta_{t+1}"
    assert (
        write(repaired)
        == rf"\left(\left({inner} - (1 - h_{{t}}^{{2}})\right) \left({inner}\right)\right)^{{2}}"
    )
