"""The collection of derivations is well formed: what is expected of a row can be found where it is said to be."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "derivations"
STYLES = ROOT / "styles"
KINDS = {"forward", "definition", "claim", "statement", "prose"}
VERDICTS = {"proved", "conditional", "refuted", "undecided", "unread", "not-a-claim"}
EXPECTED = sorted(ROOT.rglob("*.expected.json"))


def documents(folder):
    return sorted(
        p for p in folder.iterdir() if p.suffix in {".md", ".tex", ".py", ".txt"} and p.name != "README.md"
    )


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def equation_lines(path, lines):
    """The lines that plainly hold an equation, by the simplest sign of each format."""
    if path.suffix == ".py":
        kinds = (ast.Assign, ast.AugAssign)
        return {node.lineno for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, kinds)}
    if path.suffix == ".tex":
        return {n for n, line in enumerate(lines, 1) if re.search(r"&\s*(\\mathrel\{\+\})?=", line)}
    if path.suffix == ".txt":
        return {n for n, line in enumerate(lines, 1) if re.match(r"  \S+ = ", line)}
    return {n for n, line in enumerate(lines, 1) if re.match(r"\$\$.*=", line)}


def test_there_is_enough_of_every_format():
    published, styles = documents(ROOT), documents(STYLES)
    assert len(published) >= 30
    assert len(styles) >= 10
    assert sum(p.suffix == ".tex" for p in published) >= 6
    assert sum(p.suffix == ".py" for p in published) >= 6


def test_every_document_has_its_expected_verdicts_and_no_file_is_left_over():
    want = {p.with_name(f"{p.stem}.expected.json") for p in documents(ROOT) + documents(STYLES)}
    assert want == set(EXPECTED)


@pytest.mark.parametrize("path", EXPECTED, ids=lambda p: p.name.split(".")[0])
def test_format(path):
    data = load(path)
    assert set(data) == {"document", "citation", "cell", "rows"}
    assert all(isinstance(data[key], str) and data[key].strip() for key in ("document", "citation", "cell"))
    document = path.with_name(data["document"])
    text = document.read_text(encoding="utf-8")
    assert re.search(r"\bSource\b", text), "the document itself says where it is from"
    lines = text.split("\n")
    for row in data["rows"]:
        check_row(row, lines)
    numbers = [row["line"] for row in data["rows"]]
    assert numbers == sorted(numbers)
    assert not equation_lines(document, lines) - set(numbers), "an equation without a row"


def check_row(row, lines):
    extra = {"refuted": {"right"}, "conditional": {"assumption"}}.get(row["verdict"], set())
    assert set(row) == {"line", "source", "kind", "verdict", "why"} | extra
    assert row["kind"] in KINDS
    assert row["verdict"] in VERDICTS
    assert all(isinstance(row[key], str) and row[key].strip() for key in set(row) - {"line"})
    assert isinstance(row["line"], int)
    first, *rest = row["source"].split("\n")
    assert first in lines[row["line"] - 1], (row["line"], row["source"])
    for offset, piece in enumerate(rest):
        assert piece in lines[row["line"] + offset]
    if row["verdict"] in {"proved", "refuted", "conditional"}:
        assert row["kind"] in {"claim", "statement"}, "only what claims something can be right or wrong"


def test_the_table_says_what_the_files_say():
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in EXPECTED:
        data = load(path)
        verdicts = [row["verdict"] for row in data["rows"]]
        name = path.parent.relative_to(ROOT) / data["document"]
        counts = [len(verdicts)] + [
            verdicts.count(v) for v in ("proved", "conditional", "refuted", "not-a-claim")
        ]
        found = re.search(rf"^\| \[[^]]+\]\({re.escape(name.as_posix())}\) \|.*$", table, re.M)
        assert found, name
        assert [cell.strip() for cell in found[0].split("|")[3:8]] == [str(n) for n in counts], name
