"""Reports with --lang zh say nothing in English but names, formulas and code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from results import english

from lstmsym.binding.verify import verify_document
from lstmsym.reporting.chinese import SENTENCES
from lstmsym.reporting.words import sentence

PACKAGE = Path(__file__).parent.parent / "lstmsym"
RAISED = {"Unreadable", "Misfit", "Impossible", "ReadingError", "ListingError", "Unknown"}
SAID = {
    "fail",
    "plain",
    "row",
    "Row",
    "Finding",
    "Damage",
    "Unread",
    "NotAClaim",
    "_wrong",
    "replace",
    "Verdict",
}
SAID |= {"refuted", "contradicted", "note", "note_id", "under", "unread", "problem", "noted", "append"}
"""Errors and functions that are given what a report says."""
ASSIGNED = {
    "message",
    "reason",
    "assumption",
    "said",
    *(f"common['{key}']" for key in ("message", "assumption")),
}
FILES = [
    p for folder in ("binding", "documents", "listings") for p in sorted((PACKAGE / folder).glob("*.py"))
]
FILES += [
    PACKAGE / "verify" / f"{name}.py"
    for name in ("judge", "chains", "induction", "instances", "readings", "explain")
]


def templates(node: ast.expr) -> Iterator[str]:
    """The texts an expression may give, with ``{}`` where something is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (*templates(node.body), *templates(node.orelse))


def said(path: Path) -> Iterator[tuple[int, str]]:
    """What a module says in reports: arguments of errors and of what makes rows, and constants of it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        given: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = [*node.args, *(k.value for k in node.keywords)] if name in RAISED | SAID else []
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ASSIGNED:
            given = [node.value]
        yield from ((node.lineno, text) for part in given for text in templates(part))  # type: ignore[attr-defined]


SENTENCE = re.compile(r"[a-z]{2,} [a-z{][\w{}]*( |$)")
EVERYTHING = sorted(
    {(path.name, line, text) for path in FILES for line, text in said(path) if SENTENCE.search(text)}
)


def test_what_modules_say_is_found() -> None:
    assert len(EVERYTHING) > 150


@pytest.mark.parametrize(("file", "line", "text"), EVERYTHING)
def test_every_sentence_has_its_chinese(file: str, line: int, text: str) -> None:
    names = iter("uvwxyz" * 2)
    filled = re.sub(r"\{\}", lambda _: next(names), text)
    chinese = sentence(filled, "zh")
    assert not re.search(r"[a-z]{3,} [a-z]{2,}", chinese), (
        f"{file}:{line}: add {text!r} to reporting/chinese.py"
    )
    kept = set(re.findall(r"\b[u-z]\b", filled))
    assert kept <= set(re.findall(r"(?<![a-z])[u-z](?![a-z])", chinese)), "every name stands in the Chinese"


def test_holes_agree() -> None:
    for original, chinese in SENTENCES:
        assert original.count("{}") == chinese.count("{}"), original
    assert len({original for original, _ in SENTENCES}) == len(SENTENCES)


def test_sentences_in_sentences() -> None:
    assert sentence("right if f is tanh, which line 3 contradicts; right given da", "zh") == (
        "若f 是 tanh则成立，但与第 3 行矛盾；在下列各式无误时成立：da"
    )
    both = sentence("the initial state is zero and gradients lie here", "zh")
    assert both == "初始状态为零且此处梯度为行向量"


def test_a_report_of_all_kinds_of_lines() -> None:
    text = r"""
$$h_t = \tanh(W x_t + U h_{t-1} + b), \quad y_t = V h_t$$

$$\delta a_t = dh_t \odot (1 - h_t^2), \quad dW = \sum_t (\delta a_t x_t^\top$$

$$dV = \sum_{t=2}^T dy_t h_{t-1}^\top \quad dx_t = W \delta a_t, \quad dU = \sum_{t=2}^T \delta a_t h_{t-1}^\top$$

$$\frac{\partial h_T}{\partial h_1} = \prod_{t=2}^{T} U^\top \mathrm{diag}(1 - h_t^2) \qquad q_t = foo(h_t)$$

```python
dh = np.dot(V.T, dy)
   da = dh * (1 - h * h
dW += np.outer(da, q)
```
"""
    result = verify_document(text, "a.md")
    assert len({row.verdict for row in result.rows}) > 3
    assert not english(result)
