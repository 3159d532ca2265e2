"""A result on the terminal: a table, or a block for each row where a table would tear equations apart."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lstmsym.documents.result import Result, Row, Symbol
from lstmsym.reporting.plain import in_passing, reasons, shape
from lstmsym.reporting.words import compared, notes, sentence, text

COLOURS = {
    "proved": "green", "conditional": "cyan", "refuted": "bold red",
    "undecided": "yellow", "unread": "yellow", "not-a-claim": "dim",
}  # fmt: skip
NARROW = 80
"""Columns below which rows are blocks."""
LONGEST = 240
"""Characters of an equation or a reason that are shown; JSON, Markdown and HTML have all."""


def shown(result: Result, width: int, lang: str = "en") -> RenderableType:
    """The document, its cell and symbols, its rows with reasons, what was mended, and the counts.

    Names and words in passing, which claim nothing, are counted and not listed.
    """
    rows = [row for row in result.rows if not in_passing(row)]
    body = _blocks(rows, lang) if width < NARROW else [_table(rows, lang)]
    return Group(*_head(result, lang), *body, *_foot(result, lang))


def _head(result: Result, lang: str) -> Iterator[Text]:
    yield Text(result.document, style="bold")
    yield Text(
        compared(result.cell_note, lang) or ("" if result.cell else text("no cell", lang)), style="italic"
    )
    code = not any(row.latex for row in result.rows)
    for words, symbols in grouped(result.symbols, code, lang):
        yield Text.assemble((words, "dim"), (": ", "dim"), ", ".join(symbols))
    yield Text()


def grouped(symbols: tuple[Symbol, ...], code: bool, lang: str) -> list[tuple[str, list[str]]]:
    """Symbols that denote the same kind of thing: what, and how they are written, in code or in LaTeX."""
    found: dict[str, list[str]] = {}
    for symbol in symbols:
        size = shape(symbol.shape)
        written = symbol.name if code else one_line(symbol.latex)
        found.setdefault(", ".join(filter(None, (sentence(symbol.meaning, lang), size))), []).append(written)
    return list(found.items())


def _foot(result: Result, lang: str) -> Iterator[Text]:
    yield Text()
    for note in result.notes:
        yield Text(sentence(note, lang), style="yellow")
    passing = sum(map(in_passing, result.rows))
    if passing:
        yield Text(text("in passing", lang).format(count=passing), style="dim")
    yield Text(summary_line(result, lang))


def _table(rows: list[Row], lang: str) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(text("line", lang), justify="right", style="dim", no_wrap=True)
    table.add_column(text("verdict", lang), no_wrap=True)
    table.add_column(text("equation", lang), overflow="fold")
    for row in rows:
        table.add_row(str(row.line), verdict(row, lang), _lines(row, lang))
    return table


def _blocks(rows: list[Row], lang: str) -> Iterator[RenderableType]:
    for row in rows:
        yield Text.assemble((f"{row.line}", "dim"), " ", verdict(row, lang))
        yield Padding(_lines(row, lang), (0, 0, 0, 4))


def _lines(row: Row, lang: str) -> RenderableType:
    """The equation, and below it why it has its verdict."""
    said = Text("\n".join(map(short, notes(reasons(row, lang), lang))))
    source = Text(short(row.source))
    return Group(source, Padding(said, (0, 0, 0, 4))) if said else source


def verdict(row: Row, lang: str = "en") -> Text:
    """A verdict in its colour; of what claims nothing, what it is."""
    word = row.kind if row.verdict == "not-a-claim" else row.verdict
    return Text(
        text(word, lang).upper() if word == row.verdict else text(word, lang), style=COLOURS[row.verdict]
    )


def one_line(source: str) -> str:
    """A source without its line breaks."""
    return " ".join(source.split())


def short(source: str) -> str:
    """A source in one line, its end left out where it is long."""
    line = one_line(source)
    return line if len(line) <= LONGEST else line[:LONGEST].rstrip() + " …"


def summary_line(result: Result, lang: str = "en") -> str:
    """The counts in one line."""
    between = "，" if lang == "zh" else ", "
    return between.join(f"{count} {text(verdict, lang)}" for verdict, count in result.summary.items())
