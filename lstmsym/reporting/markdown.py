"""A result as Markdown, as GitHub shows it: a table, then the details of each refuted row."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lstmsym.documents.result import OPEN, Result, Row
from lstmsym.reporting.mathml import cleaned, formula, mathml
from lstmsym.reporting.plain import is_formula, parted, reasons, shape
from lstmsym.reporting.table import one_line, summary_line
from lstmsym.reporting.words import SIGNS, compared, notes, sentence, text


def as_markdown(result: Result, lang: str = "en") -> str:
    """A report in Markdown with GitHub's mathematics."""
    lines = [
        f"# {text('title', lang).format(document=_words(result.document))}",
        "",
        f"**{summary_line(result, lang)}**",
    ]
    lines += ["", _words(compared(result.cell_note, lang))] if result.cell_note else []
    lines += _symbols(result, lang)
    heads = [text(key, lang) for key in ("line", "verdict", "equation", "note")]
    lines += ["", f"| {' | '.join(heads)} |", "| ---: | --- | --- | --- |"]
    lines += [_table_row(row, lang) for row in result.rows]
    lines += ["", *(f"- {_words(sentence(note, lang))}" for note in result.notes)] if result.notes else []
    looked_at = [row for row in result.rows if row.verdict in OPEN]
    lines += ["", f"## {text('some wrong', lang)}"] if looked_at else ["", text("none wrong", lang)]
    for row in looked_at:
        lines += ["", *_details(row, lang)]
    return "\n".join(lines) + "\n"


def _symbols(result: Result, lang: str) -> Iterator[str]:
    """What the symbols denote, folded away."""
    if not result.symbols:
        return
    yield from ("", f"<details><summary>{text('symbols', lang)}</summary>", "")
    heads = [text(key, lang) for key in ("symbol", "meaning", "shape")]
    yield from (f"| {' | '.join(heads)} |", "| --- | --- | --- |")
    for symbol in result.symbols:
        size = shape(symbol.shape) or text("scalar", lang)
        yield f"| {_math(symbol.latex)} | {_words(sentence(symbol.meaning, lang))} | {size} |"
    yield from ("", "</details>")


def _table_row(row: Row, lang: str) -> str:
    word = row.kind if row.verdict == "not-a-claim" else row.verdict
    said = f"{SIGNS[row.verdict]} {text(word, lang)}"
    remarks = [r for r in reasons(row, lang) if r[0] in ("right if", "remark")]
    shown = "; ".join(notes(remarks, lang))
    return f"| {row.line} | {said} | {_formula(row, formula(row) or row.source)} | {_words(shown)} |"


def _details(row: Row, lang: str) -> Iterator[str]:
    yield f"<details><summary>{text('line', lang)} {row.line}: {text(row.verdict, lang)}</summary>"
    yield ""
    for label, body in reasons(row, lang):
        is_math = label in ("right", "repair")
        yield f"- **{text(label, lang)}**: {_formula(row, body) if is_math else _words(body)}"
    for number, (words, latex) in enumerate(row.steps, 1):
        formula = f" {_math(latex)}" if latex else ""
        yield f"{number}. {_words(sentence(words, lang))}{formula}"
    yield ""
    yield "</details>"


def _formula(row: Row, body: str) -> str:
    """Mathematics where the row is, code where it is not; with the remark that a repair may end in."""
    written, remark = parted(body)
    shown = _math(written) if is_formula(row, written) and mathml(written) else _code(written)
    return f"{shown} ({_words(remark)})" if remark else shown


def _math(latex: str) -> str:
    """Inline mathematics of GitHub, in which a bar would end the cell of a table."""
    inside = cleaned(latex).replace(r"\|", r"\Vert ").replace("|", r"\vert ").replace("`", "'")
    return f"$`{one_line(inside)}`$"


def _code(body: str) -> str:
    fence = "`" * (max((len(run) for run in re.findall("`+", body)), default=0) + 1)
    space = " " if "`" in body else ""
    return f"{fence}{space}{one_line(body)}{space}{fence}".replace("|", r"\|")


def _words(body: str) -> str:
    """Words in which nothing is taken for Markdown or HTML."""
    return re.sub(r"([\\`*_{}\[\]<>|$#~])", r"\\\1", one_line(body))
