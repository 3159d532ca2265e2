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
from lstmsym.rules import TABLE

PACKAGE = Path(__file__).parent.parent / "lstmsym"
FILES = [
    p
    for folder in ("binding", "documents", "listings")
    for p in sorted((PACKAGE / folder).glob("*.py"))
    if p.name not in ("file.py", "told.py", "table.py", "result.py")  # they end in no report, or list words
]
FILES += [
    PACKAGE / "verify" / f"{name}.py"
    for name in ("judge", "chains", "induction", "instances", "readings", "explain")
]


LOOKED_FOR = re.compile(r"\\[bwsdn(\[]|\(\?|\[\^|\w\|\w|^[\w*. {}=-]*\.\w+$")
"""Texts that are regular expressions."""
OURS = {"takes", "spelling", "choices"}
"""Keywords whose texts no report says."""


def template(node: ast.AST) -> str:
    """A text with ``{}`` where something is put in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def silent(node: ast.AST) -> list[ast.AST]:
    """The parts of a node whose texts no report says: documentation, lists of words, what is looked for."""
    if isinstance(node, ast.Expr) and template(node.value):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [inner for value in node.values for inner in ast.walk(value)]
    if isinstance(node, ast.Raise) and "DocumentError" in ast.unparse(node):
        return [node]  # of the command line
    if isinstance(node, ast.keyword) and node.arg in OURS:
        return [node.value]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return {"split": [node.func.value], "compile": list(node.args)}.get(node.func.attr, [])
    return []


def said(path: Path) -> Iterator[tuple[int, str]]:
    """What a module says, text by text."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    hidden = {id(inner) for node in nodes for part in silent(node) for inner in ast.walk(part)}
    for node in nodes:
        if id(node) not in hidden and (text := template(node)) and not LOOKED_FOR.search(text):
            yield node.lineno, text  # type: ignore[attr-defined]


SENTENCE = re.compile(r"(?<![^ ({:])[a-z]{2,} [a-z{][\w{}]*(?=[ .,;:)]|$)")
PARTS = {
    "own share",
    "stacked before",
    "what goes into {}",
    "never closed",
    "the document",
    "mark bar",
    ": line {} has another function",
}
PARTS |= {"the front matter can say it: names: {{}: function tanh}", "{}  (a path was missing)"}
PARTS |= {
    "{}  (with {} set at the end of the loop to what goes back)",
    "gradient that arrives",
    "the same of another step",
}
PARTS |= {"may belong to it; put words on a line of their own"}
"""Texts of two words and more that are put into others, or compared with."""
EVERYTHING = sorted(
    {
        (path.name, line, text)
        for path in FILES
        for line, text in said(path)
        if SENTENCE.search(text) and text not in PARTS
    }
)


def test_what_modules_say_is_found() -> None:
    assert len(EVERYTHING) > 150


@pytest.mark.parametrize(("file", "line", "text"), EVERYTHING)
def test_every_sentence_has_its_chinese(file: str, line: int, text: str) -> None:
    names = iter("uvwxyz" * 2)
    filled = re.sub(r"\{\}", lambda _: next(names), text)
    chinese = sentence(filled, "zh")
    assert not re.search(r"[a-z]{3,} [a-z]{2,}", re.sub("--cell lstm|`.*?`", "", chinese)), (
        f"{file}:{line}: add {text!r} to reporting/chinese.py"
    )
    kept = set(re.findall(r"\b[u-z]\b", filled))
    assert kept <= set(re.findall(r"(?<![a-z])[u-z](?![a-z])", chinese)), "every name stands in the Chinese"


def test_every_rule_of_differentiation_has_its_chinese() -> None:
    for rule in TABLE.values():
        assert not re.search(r"[a-z]{3,} [a-z]{2,}", sentence(f"the rule: {rule.formula}", "zh")), rule


def test_holes_agree() -> None:
    for original, chinese in SENTENCES:
        assert original.count("{}") == len(re.findall(r"\{\d?\}", chinese)), original
    assert len({original for original, _ in SENTENCES}) == len(SENTENCES)


def test_sentences_in_sentences() -> None:
    assert sentence("right if f is tanh, which line 3 contradicts; right given da", "zh") == (
        "若f 是 tanh则成立，但与第 3 行矛盾；在下列各式无误时成立：da"
    )
    assert sentence("right given the right da (line 2 has it wrong), db (line 3 has it wrong)", "zh") == (
        "在下列各式改正后成立：da（第 2 行有误）、db（第 3 行有误）"
    )
    outer = sentence("the last product is read as an outer product and f is tanh", "zh")
    assert outer == "最后一个乘积按外积读取且f 是 tanh"
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
