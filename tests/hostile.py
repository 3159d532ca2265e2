"""Documents that nobody would write but to break a reader: damaged, deep, endless, tricky, and mixtures."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
FILES = [
    *(HERE / "data").rglob("*.*"),
    *(HERE.parent / "derivations").glob("c*.*"),
    *(HERE.parent / "derivations" / "styles").glob("s*.*"),
]
TEXTS = [p.read_text(encoding="utf-8") for p in sorted(FILES) if p.suffix in (".md", ".tex", ".txt", ".py")]
LINES = [line for text in TEXTS for line in text.split("\n") if line.strip()]
NAMES = ("a.md", "a.txt", "a.tex", "a.py", "a")

SYMBOLS = r"""h c x y i f o g z r s n W U V b L l t T k \delta \sigma \phi \hat{y} \tilde{c} \bar{h} \mathbf{W}
\boldsymbol{h} ĥ c̃ δ σ ∂ ∇ ℓ 𝐖 𝑥 ℎ ｈ ж 损失 \ell \theta W_{xi} W^{(i)} W_{hh} U_f b_o net a^{<t>} dh dc_next dW""".split()
TIMES = r"""_t _{t-1} ^{t} ^{(t)} ^{\langle t\rangle} (t) (t-1) [t] ₜ ₜ₋₁ ^{t+1} _{T} _0 _{t,k} ^{<t-1>} _{t}^{\top} ^T ' _j _{ij}
_{t-9999999999999} ^{99999999999999999999} _{_t} ^{^2} __ ^^ _{}""".split()
OPERATORS = r"""+ - = \odot \circ \cdot * \times / @ \otimes , ; \; \, \quad & \\ := \equiv \leftarrow \approx < > \leq \propto
\oplus \pm | \| \Big| \to \mapsto \implies {} \\[2pt] \tag{1} \label{a} \nonumber \! % \sum_{t=1}^{T} \prod_{k} \sum_k
\int \max \min \exp \log \tanh \sigma' \operatorname{diag} \mathrm{diag} \sqrt \frac""".split()
OPENERS = r"""( [ { \left( \left[ \left\{ \frac{ \frac{a}{ \sqrt{ x_{ x^{ \hat{ \mathbf{ \text{ \begin{cases} \begin{bmatrix}
\begin{array}{cc} \begin{aligned} \underbrace{ \overline{ \bigl( | \| \left| \partial \tanh( \operatorname{ \substack{ \binom{
-\sum_{ \not \phantom{ \big\{ \left. > - * $ $$ \[ \( `""".split()
CLOSERS = r""") ] } \right) \right] \right\} \end{cases} \end{bmatrix} \end{array} \end{aligned} } | \right. $ $$ \] \) ` \end{x}""".split()
PREAMBLES = r"""\newcommand{\a}{\a\a}
\newcommand{\a}{\b\b}\newcommand{\b}{\c\c}\newcommand{\c}{\a\a}
\def\a{\def\a{\a}\a}
\def\x#1{#1#1\x{#1#1}}
\newcommand{\y}[9]{#1#2#3#4#5#6#7#8#9#9}
\newcommand{\d}[1]{\frac{\partial L}{\partial #1}}
\newcommand{\z}[1][\z]{\z[#1]}
\newcommand{\q}{
\def\e#1\f{#1}
\let\a=\a \let\b\a
\newenvironment{h}{\begin{h}}{\end{h}}
\DeclareMathOperator{\D}{\D}
\renewcommand{\frac}[2]{#2/#1}
\def\a{}\def\b{\a\a\a\a}\def\c{\b\b\b\b}\def\d{\c\c\c\c}\def\e{\d\d\d\d}\def\f{\e\e\e\e}\def\g{\f\f\f\f}\def\i{\g\g\g\g}
\input{a.tex}\include{../../etc/passwd}
\catcode`\@=11 \makeatletter \csname a\endcsname
\begin{document}""".split("\n")
FRONTS = [
    "---\ncell: lstm\n---\n", "---\ncell: ../../x.py:X\n---\n", "---\nnames: {\"dh\": \"dL/dh\"}\n---\n",
    "---\nnames: {a: {a: {a: b}}}\nlayout: [[[[\n---\n", "---\ncell: &a [*a]\n---\n", "---\n" + "a: b\n" * 500 + "---\n",
    "---\ncell:\n---\n", "---\nloss: exec('1')\n", "---\nlayout: rows\ncell: gru\nloss: sum\n---\n", "---\n---\n",
]  # fmt: skip
FORWARD = r"""$$h_t = \tanh(W x_t + U h_{t-1} + b)$$
$$i_t = \sigma(W_i x_t + U_i h_{t-1} + b_i)$$
$$c_t = f_t \odot c_{t-1} + i_t \odot g_t, \quad h_t = o_t \tanh(c_t)$$
\begin{align} a_t &= W x_t + U h_{t-1} \\ h_t &= \phi(a_t) \end{align}
s(t) = g(t)*i(t) + s(t-1)*f(t)
h[t] = tanh(W @ x[t] + U @ h[t-1])
$h^{(t)} = \tanh(a^{(t)})$
$$z_t = \frac{1}{1 + e^{-W_z x_t}},\ h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tilde h_t$$
$$\hat y_t = \mathrm{softmax}(V h_t), \quad L = -\sum_t \log \hat y_{t, k}$$""".split("\n")
CLAIMS = r"""$$\frac{\partial L}{\partial h_t} = U^\top \frac{\partial L}{\partial a_{t+1}} + \frac{\partial l}{\partial h_t}$$
$$\delta a_t = dh_t \odot (1 - h_t^2), \quad dW = \sum_t \delta a_t x_t^\top$$
$$dh_{t-1} = U^T da_t$$
$$\nabla_W L = \sum_{t=1}^T \nabla_{a_t} L\, x_t^\top$$
$$\frac{\partial h_T}{\partial h_t} = \prod_{k=t+1}^{T} U^\top \mathrm{diag}(1 - h_k^2)$$
$$\delta_j(t) = f'(net_j(t)) \sum_k w_{kj} \delta_k(t+1)$$
dL/dh(t) = dl/dh(t) + dL(t+1)/dh(t)
$dc = dh * o * (1 - tanh(c)^2) + dc_next$""".split("\n")
CODE = r"""import numpy as np
__import__('os').system('touch /tmp/owned')
x = 9**9**9
x = 2**(10**9) * 3
y = 10**10**10
def f(x): return f(x)
def f(x): return g(x)
def g(x): return f(x)
a = f(1)
h = sigmoid(np.dot(W, x) + np.dot(U, h_prev) + b)
for t in range(10**12):
for t in reversed(range(T)):
while True:
    h[t] = np.tanh(np.dot(W, x[t]) + np.dot(U, h[t-1]) + b)
    dh = dh_next + dy[t]
    da = dh * (1 - h[t]**2)
    dW += np.outer(da, x[t])
    dh_next = np.dot(U.T, da)
z = np.zeros((10**9, 10**9))
z = [0] * 10**10
z = [[[0] * 10**5] * 10**5] * 10**5
z = 'a' * 10**10
z = range(10**18)
z = list(range(10**10))
z = [i for i in range(10**9) for j in range(10**9)]
z = {k: v for k, v in globals().items()}
z = (lambda f: f(f))(lambda f: f(f))
z = lambda: (yield)
z = f"{__import__('os').getcwd()!r:>{10**9}}"
z = f'{f"{f(1)}"}'
z = ().__class__.__bases__[0].__subclasses__()
z = getattr(np, 'lo' + 'ad')('x')
z = eval('1+1')
exec('a = 1')
class A(metaclass=type('M', (type,), {})):
class B(B): pass
    def forward(self, x): return self.forward(x)
    def __getattr__(self, n): return getattr(self, n)
    @property
    @f(1)(2)[3]
def backward(self, dh, *args, **kw):
def sigmoid(x, derivative=False): return sigmoid(x) * (1 - sigmoid(x)) if derivative else 1 / (1 + np.exp(-x))
def outer(a): outer = lambda: outer; return outer
x = x = x = x
a, (b, *c), [d] = 1, (2, 3), [4]
a[0], a[a[0]] = a, a
a = b = c = np.dot(a, b)
a[:, ::-1, ..., None] += 1
a[1e400:] = -1e400 + 1j
del a
global a
return dW, dU, db
yield h
await x
async def f(): await f()
if (h := tanh(h)) and (h := h): pass
match h: case [h, *_]: pass
try: pass
except* E: pass
with open('/etc/passwd') as f: h = f.read()
from os import *
print "h"
assert h, h
nonlocal h
raise SystemExit
x = not not not not h
x = 1 if 1 else 2 if 2 else 3
x = ---------h
x = h.T.T.T.T.T.T.T.T.T
x = np.dot(np.dot(np.dot(np.dot(h, h), h), h), h)
x = np.concatenate((h, h, h, np.concatenate((h, h))))
x = np.einsum('ij,jk->ik', W, h)
x = W[10**30:10**31, -1:5:2]
x = h[t-10**20]
x = 1 / 0
x = 0**-1
x = np.log(0)
x = 1e308 * 1e308
x = h ** h ** h ** h
x = h ** 500
x = (1 + h) ** 64
x = (W + h + x + b) ** 40
x = np.exp(np.exp(np.exp(np.exp(h))))
x = 0x_ff + 0b1 + 1_000j
x = b'\x00' + "\N{DASH}" + r'\d'
x = "unclosed
x = (
x = [1, 2
}
  h = 1
	h = 2
        h = 3
x = {**x, 'a': 1}
x = h if h else ...
x @= W
x //= 2; x %= 2; x <<= 10**9; x >>= 1; x |= 1
x: int = 5
x = h > 0
x = np.where(h > 0, h, 0)
x = 1 << 10**9
x = 1000000 ** 1000000
x = np.arange(1e18)
x = np.random.randn(10**9, 10**9)
x = np.ones((N,) * 10**9)
x = np.repeat(h, 10**9)
x = np.tile(h, 10**9)
x = self.self.self.self.h
x = type('X', (), {'h': 1})().h""".split("\n")
SIGNS = ["\u202e", "\u200f", "\ufeff", "\x0b", "\x0c", "\x1b[31m", "\ud7ff", "\U0001f600", "a\u0301\u0302\u0303", "\u2028",
         "\x85", "\r", "\r\n", "\t", "\xa0", "％", "ﬁ", "\ue000", "\U000e0041", "Ⅷ", "²", "₉₉", "ᵀ", "½", "∞", "\x00"]  # fmt: skip


def formula(dice: random.Random) -> str:
    """Mathematics that may be well formed."""
    found = []
    for _ in range(dice.choice([3, 8, 20, 60])):
        kind = dice.random()
        if kind < 0.45:
            found.append(dice.choice(SYMBOLS) + (dice.choice(TIMES) if dice.random() < 0.7 else ""))
        elif kind < 0.75:
            found.append(dice.choice(OPERATORS))
        elif kind < 0.87:
            found.append(dice.choice(OPENERS))
        elif kind < 0.97:
            found.append(dice.choice(CLOSERS))
        else:
            found.append(dice.choice(SIGNS))
    inside = " ".join(found)
    return (
        dice.choice(
            ["$$ h_t = %s $$", "$%s$", "%s", "\\[ a_t = %s \\]", "\\begin{align} x &= %s \\end{align}"]
        )
        % inside
    )


def damaged(dice: random.Random) -> str:
    """Lines of real documents, some characters of them lost, doubled or exchanged."""
    text = list(dice.choice([dice.choice(FORWARD) + "\n" + dice.choice(CLAIMS), dice.choice(LINES)]))
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(text)) if text else 0
        what = dice.randrange(4)
        if what == 0:
            del text[at : at + dice.randint(1, 4)]
        elif what == 1:
            text[at:at] = text[at : at + dice.randint(1, 5)]
        elif what == 2:
            text.insert(at, dice.choice([*OPENERS, *CLOSERS, *SIGNS]))
        else:
            text[at : at + 1] = dice.choice([*SYMBOLS, *OPERATORS, *TIMES])
    return "".join(text)


def deep(dice: random.Random) -> str:
    """One thing inside another, many times, sometimes closed."""
    opener = dice.choice(
        [*OPENERS, "h(t)*", "a = ", "1(t) ", r"\a ", "x'", "- ", "not ", "lambda: ", "f(", "h.", "-", "**h"]
    )
    count = dice.choice([5, 25, 29, 31, 60, 300, 3000])
    closer = dice.choice(["", *CLOSERS]) * dice.choice([0, count, count - 1])
    body = f"h_t = {opener * count} x_t {closer}"
    return dice.choice(["$$%s$$", "%s", "```python\n%s\n```", "$%s$"]) % body


def long(dice: random.Random) -> str:
    """A line without end."""
    piece = dice.choice(
        [
            *SYMBOLS,
            *OPERATORS,
            *CODE,
            *FORWARD,
            "a+",
            "h_t = ",
            "a=b=",
            "f(x)",
            "W x ",
            "(a)(b)",
            "&=",
            "\\\\ a = b ",
        ]
    )
    count = dice.choice([50, 400, 3000])
    return dice.choice(["$$h_t = %s$$", "%s", "```\n%s\n```"]) % (piece * (count if len(piece) < 12 else 50))


def listing(dice: random.Random) -> str:
    """Code, mostly not meant well."""
    lines = []
    for _ in range(dice.choice([2, 8, 25])):
        line = dice.choice(CODE)
        if dice.random() < 0.3:
            line = " " * dice.choice([0, 1, 4, 8]) + line
        lines.append(line)
        if line.rstrip().endswith(":") and dice.random() < 0.8:
            lines.append(" " * (len(line) - len(line.lstrip()) + 4) + dice.choice(CODE).strip())
    return "\n".join(lines)


def program(dice: random.Random) -> str:
    """A right recurrent network with hostile lines among its own."""
    body = [
        "def forward(x, h_prev, W, U, b):", "    a = np.dot(W, x) + np.dot(U, h_prev) + b", "    h = np.tanh(a)", "    return h",
        "def backward(dh, h, h_prev, x, W, U):", "    da = dh * (1 - h**2)", "    dW = np.outer(da, x)",
        "    dU = np.outer(da, h_prev)", "    dh_prev = np.dot(U.T, da)", "    return dW, dU, dh_prev",
    ]  # fmt: skip
    if dice.random() < 0.5:
        body = [
            "for t in range(T):", "    h[t] = np.tanh(np.dot(W, x[t]) + np.dot(U, h[t-1]) + b)", "    y[t] = np.dot(V, h[t])",
            "dh_next = np.zeros_like(h[0])", "for t in reversed(range(T)):", "    dh = np.dot(V.T, dy[t]) + dh_next",
            "    da = dh * (1 - h[t] * h[t])", "    dW += np.outer(da, x[t])", "    dU += np.outer(da, h[t-1])",
            "    dh_next = np.dot(U.T, da)",
        ]  # fmt: skip
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(body))
        indent = " " * (len(body[at]) - len(body[at].lstrip()))
        body.insert(at, indent + dice.choice(CODE).strip())
    return "\n".join(body)


def fenced(dice: random.Random) -> str:
    """Code in a fence, or as it stands."""
    text = dice.choice([listing, program])(dice)
    mark = dice.choice(["```", "```python", "~~~", "````py", "```c++", "```math"])
    return dice.choice(
        [
            f"{mark}\n{text}\n{mark[:3]}",
            f"{mark}\n{text}",
            text,
            f"\\begin{{verbatim}}\n{text}\n\\end{{verbatim}}",
        ]
    )


def sound(dice: random.Random) -> str:
    """Lines of real documents in any order."""
    return "\n\n".join(
        dice.choice([dice.choice(LINES), dice.choice(FORWARD), dice.choice(CLAIMS)])
        for _ in range(dice.randint(1, 12))
    )


PARTS: tuple[Callable[[random.Random], str], ...] = (
    formula,
    damaged,
    deep,
    long,
    fenced,
    sound,
    sound,
    damaged,
)


def document(seed: int) -> tuple[str, str]:
    """The text of a document and the name of its file."""
    dice = random.Random(seed)
    name = dice.choice(NAMES)
    if name == "a.py":
        text = dice.choice([listing, program])(dice)
    elif dice.random() < 0.15:
        text = spoiled(dice, dice.choice(TEXTS))
    else:
        text = "\n\n".join(dice.choice(PARTS)(dice) for _ in range(dice.randint(1, 5)))
        if dice.random() < 0.4:
            text = (
                dice.choice(PREAMBLES)
                + "\n"
                + text
                + dice.choice(["", r"$\a$ $$\a \b \c$$ $$h_t = \x{a} \y \z \i$$"])
            )
        if dice.random() < 0.4:
            text = dice.choice(FORWARD) + "\n\n" + text
        if dice.random() < 0.15:
            text = dice.choice(FRONTS) + text
    if dice.random() < 0.05:
        text = text.replace("\n", dice.choice(["\r\n", "\r", "\n\n", "\u2028"]))
    if dice.random() < 0.03:
        at = dice.randrange(len(text) + 1)
        text = text[:at] + dice.choice(SIGNS) + text[at:]
    return text, name


def spoiled(dice: random.Random, text: str) -> str:
    """A whole document, cut off, with lines lost, or with lines of another among its own."""
    lines = text.split("\n")
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(len(lines)) if lines else 0
        what = dice.randrange(4)
        if what == 0:
            del lines[at : at + dice.randint(1, 3)]
        elif what == 1:
            lines.insert(at, dice.choice([dice.choice(LINES), dice.choice(CODE), dice.choice(CLAIMS)]))
        elif what == 2 and lines and lines[at]:
            cut = dice.randrange(len(lines[at]))
            lines[at] = (
                lines[at][:cut]
                + dice.choice(["", *OPENERS, *CLOSERS, *SYMBOLS])
                + lines[at][cut + dice.randint(0, 2) :]
            )
        else:
            lines = lines[: dice.randint(1, 60)] if dice.random() < 0.3 else lines
    return "\n".join(lines[:80])
