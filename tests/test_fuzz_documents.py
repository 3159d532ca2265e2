"""Whatever a file holds: no traceback but `DocumentError`, no hang, and what it cannot read it says.

Many more documents, in slices: LSTMSYM_FUZZ=5000-8000 python -m pytest tests/test_fuzz_documents.py -k hostile
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import hostile
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstmsym.binding.verify import verify_document
from lstmsym.documents.limits import DocumentError
from lstmsym.documents.read import read
from lstmsym.reporting.written import written
from lstmsym.verifying import verify_text

HERE = Path(__file__).parent
FILES = [*(HERE / "data").rglob("*.*"), *(HERE.parent / "derivations").glob("c0*.*")]
LINES = [
    line
    for path in sorted(FILES)
    if path.suffix in (".md", ".tex", ".txt")
    for line in path.read_text(encoding="utf-8").split("\n")
    if line.strip()
]
TOKENS = [
    *r"""$ $$ \( \] { } ( ) [ ] _ ^ = += + - * / | ‖ ' & \\ \frac \fracdL(t)dh(t) \partial \sum_{t} \prod h_t h(t)
c_{t-1} 1(t) l(t) W^T \odot \tanh \sigma \begin{align} \end{align} \begin{cases} \left( \right) \text{ \hat \delta
dL/dh ∂ Σ ∑ ₜ ₋₁ ᵀ ⊙ ｈ（ｔ） 1e9 ^{999999999} \newcommand{\a}{\a\a} \a ``` ```python --- > - • (1) , ; 。 if when for
np.dot( self. top_diff_h :n,: sum over t of http://a.org/1m """.split(" "),
    *("\u202e", "\u200f", "\ufeff", "\x0b", "\n", "\n\n"),
]

scraps = st.tuples(st.sampled_from(LINES), st.integers(0, 80), st.integers(0, 200)).map(
    lambda x: x[0][x[1] : x[2]]
)
mixtures = st.lists(st.sampled_from(TOKENS) | scraps, max_size=60).map(" ".join)
shuffled = st.lists(st.sampled_from(LINES) | scraps, max_size=25).map("\n".join)
deep = st.tuples(
    st.sampled_from(
        [
            "(",
            "{",
            "[",
            r"\frac{",
            "x_{",
            "x^{",
            r"\left(",
            r"\hat{",
            "$",
            "> ",
            "- ",
            "h(t)*",
            "a = ",
            "1(t) ",
        ]
    ),
    st.integers(1, 5000),
).map(lambda x: "h_t = " + x[0] * x[1])
long = st.integers(0, 10**9).map(
    lambda seed: "h_t = " + "".join(random.Random(seed).choices("abchtW_^{}()+-*/= 12\u202e", k=10_000))
)
names = st.sampled_from(["a.md", "a.txt", "a.tex", "a"])
FIRST, LAST = map(int, os.environ.get("LSTMSYM_FUZZ", "0-15").split("-"))
SECONDS = 20
"""Of the processor, for any of these documents."""


def measured(text: str, name: str, whole: bool) -> float:
    """Seconds of this process; a document may be refused, in a sentence."""
    start = time.process_time()
    try:
        found = verify_document(text, name) if whole else read(text, name)
        assert all(row.line >= 1 for row in found.rows)
    except DocumentError as error:
        assert str(error)
    return time.process_time() - start


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(mixtures | shuffled | deep | long | st.text(max_size=300), names)
def test_any_text_is_read(text: str, name: str) -> None:
    assert measured(text, name, whole=False) < 10


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(mixtures | shuffled | deep, names)
def test_any_text_is_judged(text: str, name: str) -> None:
    assert measured(text, name, whole=True) < 10


@pytest.mark.parametrize("whole", [False, True])
def test_null_bytes_are_no_text(whole: bool) -> None:
    with pytest.raises(DocumentError, match="no text"):
        verify_document("a\0b", "a.md") if whole else read("a\0b", "a.md")


@pytest.mark.parametrize(
    "formula", [r"\tanh_t^T (x)", r"\log^{T} x_t", r"{\sigma}^{T}(x)", r"\sigma'^{T}(x)"]
)
def test_a_function_with_an_exponent_t_is_read(formula: str) -> None:
    rows = read(f"$$a = {formula}$$", "a.md").rows
    assert len(rows) == 1


@pytest.mark.parametrize("seed", range(FIRST, LAST))
def test_hostile_documents_are_judged(seed: int) -> None:
    text, name = hostile.document(seed)
    start = time.process_time()
    try:
        result = verify_text(text, name)
        for form in ("json", "markdown", "html"):
            assert written(result, form, "zh" if seed % 2 else "en")
    except DocumentError as error:
        assert str(error)
    assert time.process_time() - start < SECONDS


BODY = """def forward(x, h_prev, W, U, b):
    a = np.dot(W, x) + np.dot(U, h_prev) + b
    h = np.tanh(a)
    return h
def backward(dh, h, h_prev, x, W, U):
    da = dh * (1 - h**2)
    {}
    dW = np.outer(da, x)
    dh_prev = np.dot(U.T, da)
    return dW, dh_prev
"""
TRICKS = """y = 9**9**9
y = 1 << 10**9
y = 'a' * 10**10
y = [0] * 10**10
y = np.zeros((10**9, 10**9))
y = list(range(10**10))
y = {k: v for k, v in globals().items()}
y = (lambda f: f(f))(lambda f: f(f))
y = f"{__import__('os').getcwd()!r:>{10**9}}"
y = ().__class__.__bases__[0].__subclasses__()
y = __import__('os').system('touch owned')
y = getattr(np, 'lo' + 'ad')('x')
exec('a = 1')
y = (1 + h) ** 64
y = h ** h ** h ** h
y = 1e400 * h""".split("\n")


@pytest.mark.parametrize("line", TRICKS)
def test_a_trick_in_a_listing_costs_no_other_line_its_verdict(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start = time.process_time()
    rows = verify_text(BODY.format(line), "a.py").rows
    assert time.process_time() - start < SECONDS and not list(tmp_path.iterdir())
    assert [r.verdict for r in rows].count("proved") == 3
    assert {r.verdict for r in rows if r.line == 7} <= {"unread", "not-a-claim", "undecided", "refuted"}


def test_helpers_that_call_each_other_end() -> None:
    helpers = "def f(v):\n    return g(v)\ndef g(v):\n    return f(v)\n"
    rows = verify_text(helpers + BODY.format("y = f(h)"), "a.py").rows
    assert [r.verdict for r in rows].count("proved") == 3
