"""Reports: every row in each of them, nothing of an author's taken for markup, the schema as documented."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from results import DERIVATIONS, EVERYTHING, from_expected
from rich.console import Console

from lstmsym import cells, derive
from lstmsym.__main__ import main
from lstmsym.documents.result import KINDS, VERDICTS, Result, Row, exit_status
from lstmsym.reporting import words
from lstmsym.reporting.compare import compare
from lstmsym.reporting.markdown import as_markdown
from lstmsym.reporting.mathml import cut, mathml
from lstmsym.reporting.page import as_html
from lstmsym.reporting.plain import as_json
from lstmsym.reporting.table import shown
from lstmsym.reporting.written import written
from lstmsym.steps import steps

DOCS = (Path(__file__).parent.parent / "docs" / "json.md").read_text(encoding="utf-8")
SAMPLES = [
    EVERYTHING,
    Result("empty.md"),
    from_expected("c05-greff-2017", "lstm_peephole"),
    from_expected("c20c-cran-gru-units", "gru"),
    from_expected("c24-numpy-ml-lstm", "lstm"),
]


def printed(result: Result, width: int, lang: str = "en") -> str:
    paper = Console(width=width, file=StringIO(), color_system=None)
    paper.print(shown(result, width, lang))
    return paper.file.getvalue()  # type: ignore[attr-defined]


def test_sample_has_everything() -> None:
    assert {r.kind for r in EVERYTHING.rows} == set(KINDS)
    assert {r.verdict for r in EVERYTHING.rows} == set(VERDICTS)


def test_words_outside_the_schema_are_refused() -> None:
    with pytest.raises(ValueError, match="line 3"):
        Row(3, "x = y", "claim", "PROVED")


def test_exit_status() -> None:
    rows = {row.verdict: row for row in EVERYTHING.rows}
    for verdict, status in (
        ("proved", 0),
        ("conditional", 0),
        ("not-a-claim", 0),
        ("refuted", 1),
        ("undecided", 1),
        ("unread", 1),
    ):
        assert exit_status(Result("a", rows=(rows["proved"], rows[verdict]))) == status
    assert exit_status(None) == 2 and exit_status(Result("a")) == 0


@pytest.mark.parametrize("width", [30, 79, 80, 120])
def test_table_has_every_row_within_the_width(width: int) -> None:
    text = printed(EVERYTHING, width)
    assert max(map(len, text.splitlines())) <= width
    packed = re.sub(r"\s", "", text)
    listed = [row for row in EVERYTHING.rows if row.kind != "prose"]
    assert f"{len(EVERYTHING.rows) - len(listed)} formulas".replace(" ", "") in packed
    for row in listed:
        word = words.text(row.kind if row.verdict == "not-a-claim" else row.verdict)
        assert re.search(rf"\b{row.line} +{word}", text, re.IGNORECASE)
    assert "3proved,1provedif,1refuted,1undecided,1unread,5noclaim" in packed
    assert "rightiftheinitialoutputiszero" in packed and "-1.0860618" in packed
    assert (
        "candidate,n:" in packed
        and "parameter,n×(m+n):" in packed
        and "line20:theindentationislost" in packed
    )


def leaves(value: object, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return {p for key, inner in value.items() for p in leaves(inner, f"{path}.{key}".lstrip("."))}
    if isinstance(value, list):
        return {f"{path}[]"} | {p for inner in value for p in leaves(inner, f"{path}[]")}
    return {path}


def test_json_is_as_documented() -> None:
    section = re.search(
        r"^## lstmsym verify FILE --format json$(.*?)(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL
    )
    assert section
    documented = set(re.findall(r"^\| `(.*?)` \|", section[1], re.MULTILINE))
    found = {
        re.sub(
            r"(sizes|summary)\.[^.]+$",
            lambda m: f"{m[1]}." + {"sizes": "SIZE", "summary": "VERDICT"}[m[1]],
            p,
        )
        for p in leaves(json.loads(as_json(EVERYTHING)))
    }
    assert found - {"rows[]", "symbols[]", "rows[].steps[]"} == documented


def test_json_of_every_sample() -> None:
    for result in SAMPLES:
        data = json.loads(as_json(result))
        assert set(data) == {
            "document",
            "cell",
            "cell_note",
            "forward",
            "symbols",
            "notes",
            "rows",
            "summary",
        }
        assert [r["line"] for r in data["rows"]] == [r.line for r in result.rows]
        assert sum(data["summary"].values()) == len(result.rows)


# -- Markdown ----------------------------------------------------------------------------------------


def test_markdown() -> None:
    text = as_markdown(EVERYTHING)
    symbols, table = text.split("</details>", 1)
    table_rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(table_rows) == 2 + len(EVERYTHING.rows)
    assert symbols.count("\n| ") == 2 + len(EVERYTHING.symbols) and "candidate" in symbols
    for line in table_rows:
        assert len(re.findall(r"(?<!\\)\|", line)) == 5, f"a bar ends a cell: {line}"
    assert text.count("<details>") == text.count("</details>") == 4
    outside_code = re.sub(r"`+[^`]*`+", "", text)
    assert not re.search(r"(?<!\\)<(?!/?(details|summary)>)", outside_code), "an author's word is no HTML"
    assert "&=" not in text, "GitHub's inline mathematics knows no alignment"


# -- HTML --------------------------------------------------------------------------------------------


def parsed(result: Result, lang: str = "en") -> ET.Element:
    text = as_html(result, lang).replace("<wbr>", "<wbr/>").removeprefix("<!doctype html>\n")
    return ET.fromstring(text)


class Links(HTMLParser):
    """What a page would load, and what it would run."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "iframe", "object", "embed", "img", "base", "form"):
            self.loads.append(tag)
        for key, value in attrs:
            if key.startswith("on") or (
                key in ("src", "href", "xlink:href", "action") and not (value or "").startswith("#")
            ):
                self.loads.append(f"{tag} {key}={value}")


@pytest.mark.parametrize("lang", words.LANGUAGES)
@pytest.mark.parametrize("result", SAMPLES, ids=lambda r: r.document)
def test_page_is_whole(result: Result, lang: str) -> None:
    root = parsed(result, lang)
    assert root.get("lang", "").startswith(lang)
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    rows = [node for node in root.iter("details") if "row" in (node.get("class") or "").split()]
    passing = [node for node in root.iter("li") if (node.get("id") or "").startswith("row-")]
    assert len(passing) == sum(row.kind == "prose" for row in result.rows)
    assert len(rows) + len(passing) == len(result.rows)
    for node, row in zip(rows, (row for row in result.rows if row.kind != "prose"), strict=True):
        assert row.verdict in (node.get("class") or "").split()
        said = "".join(node.itertext())
        assert words.SIGNS[row.verdict] in said and str(row.line) in said
        kind = row.verdict == "not-a-claim" and row.kind != "claim"
        assert words.text(row.kind if kind else row.verdict, lang) in said, "a word, not a colour alone"
        assert row.source in said or row.kind == "statement"
        assert (node.get("open") is not None) == (row.verdict in ("refuted", "undecided", "unread"))
    targets = {node.get("href") for node in root.iter("a")}
    assert all(target and target.removeprefix("#") in ids for target in targets)


@pytest.mark.parametrize("result", SAMPLES, ids=lambda r: r.document)
def test_page_loads_and_runs_nothing(result: Result) -> None:
    text = as_html(result)
    links = Links()
    links.feed(text)
    assert not links.loads
    assert not re.search(r"url\((?!#)|@import|@font-face|javascript:", text)


def test_page_says_why() -> None:
    root = parsed(EVERYTHING)
    (refuted,) = [n for n in root.iter("details") if "refuted" in (n.get("class") or "")]
    said = "".join(refuted.itertext())
    for piece in (
        "-1.0116335",
        "-1.0860618",
        "m = 2, n = 3, T = 5",
        "entry [1]",
        "a factor | missing",
        "missing <here>",
        "the forward line",
    ):
        assert piece in said
    assert len(next(iter(refuted.iter("ol")))) == 3
    assert len(list(root.iter("{http://www.w3.org/2000/svg}svg"))) == 1
    assert "right if the initial output is zero" in "".join(root.itertext())
    assert "the indentation is lost <here>" in "".join(root.itertext())
    codes = ["".join(n.itertext()) for n in root.iter("code")]
    assert "for t in range(T):" in codes and any("dWf +=" in c for c in codes), "code is set as code"


def test_words_have_their_mathematics() -> None:
    row = Row(1, r"The first $n_a$ of $W_f & <b>$ are $those{$.", "statement", "proved")
    (said,) = parsed(Result("a", rows=(row,))).iter("summary")
    assert sum(n.get("class") == "math" for n in said.iter("span")) == 2 and "those{" in "".join(
        said.itertext()
    )


def test_chinese_page_has_no_english_of_ours() -> None:
    fixed = {en for en, zh in words._TEXTS.values() if len(en) > 12}
    plain = replace(EVERYTHING, cell_note="", symbols=())
    said = "".join(parsed(plain, "zh").itertext())
    assert not [text for text in fixed if text in said]
    assert "既未找到证明" in said and "验证报告" in said


def test_both_languages_have_every_text() -> None:
    assert all(en and zh for en, zh in words._TEXTS.values())
    assert {*KINDS, *VERDICTS} <= set(words._TEXTS) and set(VERDICTS) == set(words.SIGNS)


# -- MathML ------------------------------------------------------------------------------------------


def test_nearly_all_published_formulas_are_read() -> None:
    """All but those with macros of their own, which come expanded, and pieces of an environment."""
    sources = []
    for path in sorted(DERIVATIONS.rglob("*.expected.json")):
        expected = json.loads(path.read_text(encoding="utf-8"))
        text = path.with_name(expected["document"]).read_text(encoding="utf-8")
        if not expected["document"].endswith(".py") and not re.search(r"\\(newcommand|def|Declare)", text):
            whole = (row["source"] for row in expected["rows"])
            sources += [w for w in whole if w.count(r"\begin") == w.count(r"\end")]
    assert len(sources) > 600
    unread = [source for source in sources if mathml(source) is None]
    assert not unread
    for source in sources:
        ET.fromstring(f"<p>{mathml(source)}</p>".replace("<wbr>", "<wbr/>"))


@pytest.mark.parametrize(
    ("latex", "pieces"),
    [
        ("a &= b + c", ["a &", "= b ", "+ c"]),
        ("-a - b = +c", ["-a ", "- b ", "= +c"]),
        (r"a = \sum_{t=0}^{T-1} b", ["a ", r"= \sum_{t=0}^{T-1} b"]),
        (r"f(a + b) + \left( a + b \right)", ["f(a + b) ", r"+ \left( a + b \right)"]),
        (r"x = [h_{t-1}, x] + b", ["x ", "= [h_{t-1}, x] ", "+ b"]),
        (r"a \odot -b", [r"a \odot -b"]),
    ],
)
def test_formulas_break_before_operators(latex: str, pieces: list[str]) -> None:
    assert cut(latex) == pieces


def test_long_pieces_break_at_products_and_in_brackets() -> None:
    long = r"(\tilde{c}_{next} * \Gamma_u * \alpha * \beta + \Gamma_o * (1 - \tanh(c_{next})^2) * \Gamma_u * \gamma * \delta a_{next} * \epsilon * \zeta)"
    assert len(cut(long)) > 1 and "".join(cut(long)) == long


@pytest.mark.parametrize(
    "latex",
    [r"x_{", r"\unknown{x}", r"\href{javascript:alert(1)}{x}", r"\style{color:red}{x}", "{" * 60 + "x" + "}" * 60, "x" * 7000, "", r"\left( x", "\x00"],
)  # fmt: skip
def test_what_cant_be_read_is_shown_as_it_stands(latex: str) -> None:
    found = mathml(latex)
    assert found is None or not re.search(r"href|(?<!display)style=|class=|\\", found)
    page = as_html(Result("a", rows=(Row(1, latex.replace("\x00", ""), "claim", "unread", latex=latex),)))
    assert "<script" not in page


def test_words_and_bold_letters_are_spelled_for_browsers() -> None:
    found = mathml(r"\mathrm{net} + \boldsymbol{h} + \bm{\theta} + \operatorname{diag}(x) + \text{top\_diff}")
    assert found
    for piece in (">net<", "𝒉", "𝜽", "<mi>diag</mi>", "top_diff"):
        assert piece in found


# -- steps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", cells.names())
def test_steps_of_every_gradient_can_be_shown(name: str) -> None:
    derivation = derive(cells.find(name))
    for backward in derivation.backward:
        found = steps(derivation, backward.name.base)
        assert len(found) >= 1
        assert all(mathml(latex) for _, latex in found if latex), found
    assert steps(derivation, "nothing") == ()


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "line 3: the indentation is lost (column 0); read as if at column 4",
            "第 3 行：缩进丢失（第 0 列）；按第 4 列读取",
        ),
        ("drops the path a -> b; right given dc", "漏掉了路径 a -> b；在下列各式无误时成立：dc"),
        ("at m=2, T=5: entry [1, 2] is 3, claimed 4", "m=2, T=5 时，元素 [1, 2] 的正确值为 3，原式所得为 4"),
        ("something new", "something new"),
    ],
)
def test_sentences_around_names_are_translated(english: str, chinese: str) -> None:
    assert words.sentence(english, "zh") == chinese and words.sentence(english) == english


def test_cells_are_compared_in_chinese() -> None:
    for name in cells.names():
        said = words.compared(compare(cells.find(name)), "zh")
        assert not re.search(r"This is|differs|nearest|there ", said), said


def test_steps_speak_chinese() -> None:
    for words_, _ in steps(derive(cells.find("lstm")), "dc"):
        assert words.sentence(words_, "zh") != words_


# -- pages of claims ---------------------------------------------------------------------------------


def test_a_page_of_claims_is_reported_alike(tmp_path: Path) -> None:
    out = tmp_path / "seed.html"
    done = CliRunner().invoke(main, ["verify", "seed", "--format", "html", "--lang", "zh", "--out", str(out)])
    assert done.exit_code == 1 and done.stdout.strip() == str(out)
    root = ET.fromstring(
        out.read_text(encoding="utf-8").replace("<wbr>", "<wbr/>").removeprefix("<!doctype html>\n")
    )
    rows = [n for n in root.iter("details") if (n.get("class") or "").startswith("row")]
    data = json.loads(CliRunner().invoke(main, ["verify", "seed", "--format", "json"]).stdout)
    assert [(n.get("class") or "").split()[1] for n in rows] == [r["verdict"] for r in data["rows"]]
    plain = [
        n
        for row in rows
        for n in row.iter("span")
        if n.get("class") == "equation" and n.find("code") is not None
    ]
    assert not plain, "every equation of the page is mathematics"
    assert any(n.tag == "ol" for n in root.iter()), "with derivations"


@pytest.mark.parametrize("form", ["table", "json", "markdown", "html"])
def test_every_format_can_be_written(form: str) -> None:
    text = written(EVERYTHING, form, "zh")
    assert all(str(row.line) in text for row in EVERYTHING.rows if form != "table" or row.kind != "prose")


def test_markdown_of_a_page(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["verify", "examples/notes.py", "--format", "markdown"])
    assert done.exit_code == 1 and "✗ refuted" in done.stdout and "`df[t] = dc[t] * c[t-1]`" in done.stdout
