"""What holds of the rows of any document: their lines, that none is missing, their JSON, the exit status."""

from __future__ import annotations

import ast
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import hostile
import pytest

from lstmsym.binding.verify import verify_document
from lstmsym.documents.limits import DocumentError
from lstmsym.documents.result import KINDS, OPEN, VERDICTS, Result, exit_status
from lstmsym.reporting.written import written

ROOT = Path(__file__).resolve().parent.parent / "derivations"
NAMES = """styles/s01-chinese-lstm.md styles/s04-angle-gru.md styles/s05-index-lstm.tex styles/s09-lecture-macros.tex
styles/s11-damaged-listing.md styles/s12-chain-rule-fractions.md styles/s16-units-two-layers.md
c21-hanbingtao.md c05-greff-2017.txt""".split()
SEEDS = range(40, 52)
DISPLAY = re.compile(
    r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\begin\{(equation|align|gather|multline)(\*?)\}(.+?)\\end\{\3\4\}",
    re.DOTALL,
)
LAID_OUT = re.compile(r"\\begin\{(?!aligned|split|gathered)|\\(?:text|mbox)\b")
"""Inside a display, what has rows or words of its own."""


def document(name: str | int) -> tuple[str, str]:
    """The text of a real document or a hostile one, and the name of its file."""
    if isinstance(name, int):
        text, file = hostile.document(name)
        return text.replace("\0", ""), file
    path = next(p for p in ROOT.glob(name.rpartition(".")[0] + ".*") if p.suffix != ".json")
    return path.read_text(encoding="utf-8"), path.name


@cache
def judged(text: str, name: str) -> Result | None:
    """The result of a document; None where it is refused."""
    try:
        return verify_document(text, name)
    except DocumentError:
        return None


def ended(text: str) -> list[str]:
    """The lines of a text, counted without the reader's help."""
    return re.split("\r\n|\r|\n", text)


def displays(text: str) -> Iterator[tuple[int, int, int]]:
    """First and last line of every display, and how many equations stand in it at the least."""
    fences = [m.span() for m in re.finditer(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)]
    for found in DISPLAY.finditer(text):
        if any(a <= found.start() < b for a, b in fences):
            continue
        body = next(g for g in (found[1], found[2], found[5]) if g)
        rows = re.split(r"\\\\(?:\[[^\]]*\])?", re.sub(r"(?<!\\)%.*|\\(?:label|tag)\{[^}]*\}", "", body))
        count = sum(bool(re.match(r"[^=]*[A-Za-z}][^=]*=", row)) for row in rows)
        first = text.count("\n", 0, found.start()) + 1
        yield (
            first,
            text.count("\n", 0, found.end()) + 1,
            1 if LAID_OUT.search(body) else min(count, len(rows)) or 1,
        )


def assignments(text: str, name: str) -> Iterator[int]:
    """The lines of the assignments in code that Python understands."""
    blocks = [(0, text)] if name.endswith(".py") else []
    if not name.endswith((".tex", ".py")):
        fences = re.finditer(r"^```(?:python|py)[ ]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        blocks = [(text.count("\n", 0, m.start(1)), m[1]) for m in fences]
    for start, code in blocks:
        try:
            tree = ast.parse(code)
        except SyntaxError:
            continue
        yield from (start + n.lineno for n in ast.walk(tree) if isinstance(n, (ast.Assign, ast.AugAssign)))


@pytest.mark.parametrize("name", [*NAMES, *SEEDS])
def test_rows_are_in_order_and_inside_the_file(name: str | int) -> None:
    text, file = document(name)
    result = judged(text, file)
    lines = [row.line for row in result.rows] if result else []
    assert lines == sorted(lines)
    assert all(1 <= line <= len(ended(text)) for line in lines)
    for row in result.rows if result else ():
        assert row.kind in KINDS and row.verdict in VERDICTS and row.source.strip()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_skipped_in_silence(name: str) -> None:
    text, file = document(name)
    result = judged(text, file)
    assert result is not None
    at = Counter(row.line for row in result.rows if not (row.kind == "prose" and not row.message))
    found = list(displays(text))
    for first, last, count in found:
        assert sum(at[line] for line in range(first, last + 1)) >= count, f"lines {first} to {last}"
    code = Counter(assignments(text, file))
    rows = Counter(row.line for row in result.rows)
    for line, count in code.items():
        assert rows[line] >= min(count, 1), f"line {line}"
    assert found or code or name.endswith(".txt")


@pytest.mark.parametrize("name", [*NAMES[:4], *SEEDS])
def test_verdicts_do_not_depend_on_how_lines_end_nor_on_blank_lines(name: str | int) -> None:
    text, file = document(name)
    if "\r" in text:
        text = "\n".join(ended(text))
    plain = judged(text, file)
    again = None if plain is None else verify_document(text, file)
    assert again == plain, "verified twice, the same"
    other = judged(text.replace("\n", "\r\n"), file)
    assert (other is None) == (plain is None)
    if plain is None or other is None:
        return
    assert [(r.line, r.verdict, r.message) for r in other.rows] == [
        (r.line, r.verdict, r.message) for r in plain.rows
    ]
    if not file.endswith(".py") and "```" not in text and "---" not in text:
        spaced = judged(re.sub(r"\n[ \t]*\n", "\n\n\n", text) + "\n\n", file)
        assert spaced is not None
        assert [r.verdict for r in spaced.rows] == [r.verdict for r in plain.rows]


TYPES = {
    "document": str, "cell": (str, type(None)), "cell_note": (str, type(None)), "forward": list, "symbols": list,
    "notes": list, "rows": list, "summary": dict, "rows[].line": int, "rows[].source": str, "rows[].kind": str,
    "rows[].verdict": str, "rows[].witness": (dict, type(None)), "rows[].steps": list, "symbols[].latex": str,
    "symbols[].shape": list, "rows[].witness.entry": list, "rows[].witness.sizes": dict,
    "rows[].steps[].text": str, "rows[].steps[].latex": str,
}  # fmt: skip
"""What docs/json.md says of the values; any other is a text or null."""


def checked(value: object, path: str, documented: set[str]) -> None:
    """Hold a value of the JSON, and all in it, against the documentation."""
    known = {path, f"{path}[]"} & documented or any(
        d.startswith(f"{path}.") or d.startswith(f"{path}[].") for d in documented
    )
    assert not path or known or re.match(r"summary\.|rows\[\]\.witness\.sizes\.|.*\[\]$", path), path
    kind = TYPES.get(path, (str, type(None)))
    if path and not re.match(r"summary\.|rows\[\]\.witness\.sizes\.|.*\[\]$", path):
        assert isinstance(value, kind) and not isinstance(value, bool), path  # type: ignore[arg-type]
    if isinstance(value, dict):
        for key, inner in value.items():
            checked(inner, f"{path}.{key}".lstrip("."), documented)
    elif isinstance(value, list):
        for inner in value:
            checked(inner, f"{path}[]", documented)


@pytest.mark.parametrize("name", [*NAMES, *SEEDS])
def test_json_is_as_documented_and_the_exit_status_agrees(name: str | int) -> None:
    result = judged(*document(name))
    if result is None:
        return
    docs = (ROOT.parent / "docs" / "json.md").read_text(encoding="utf-8")
    section = docs[docs.index("## lstmsym verify FILE") :].split("\n## ")[0]
    documented = set(re.findall(r"^\| `(.*?)` \|", section, re.MULTILINE))
    data = json.loads(written(result, "json"), parse_constant=lambda word: pytest.fail(word))
    checked(data, "", documented)
    for key in {d.partition("[")[0].partition(".")[0] for d in documented}:
        assert key in data
    counts = Counter(row["verdict"] for row in data["rows"])
    assert data["summary"] == dict(counts)
    assert exit_status(result) == int(any(counts[verdict] for verdict in OPEN))


def test_rows_of_documents_put_together_are_those_of_the_parts() -> None:
    dice = random.Random(7)
    parts = [hostile.FORWARD[0], *dice.sample(hostile.CLAIMS, 4)]
    result = judged("\n\n".join(parts), "a.md")
    assert result is not None
    assert {row.line for row in result.rows} == {1, 3, 5, 7, 9}
