"""A result on the terminal: a table, or a block for each row where a table would tear equations apart."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lstmsym.documents.result import Result, Row
from lstmsym.reporting.plain import reasons
from lstmsym.reporting.words import notes, text

COLOURS = {
    "proved": "green", "conditional": "cyan", "refuted": "bold red",
    "undecided": "yellow", "unread": "yellow", "not-a-claim": "dim",
}  # fmt: skip
NARROW = 80
"""Columns below which rows are blocks."""


def shown(result: Result, width: int, lang: str = "en") -> RenderableType:
    """The document, what its cell is, its rows with reasons, and the counts."""
    head = [Text(result.document, style="bold")]
    head += [Text(result.cell_note, style="italic")] if result.cell_note else []
    body = _blocks(result, lang) if width < NARROW else [_table(result, lang)]
    return Group(*head, *body, Text(summary_line(result, lang)))


def _table(result: Result, lang: str) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(text("line", lang), justify="right", style="dim", no_wrap=True)
    table.add_column(text("verdict", lang), no_wrap=True)
    table.add_column(text("equation", lang), ratio=3, overflow="fold")
    table.add_column(text("note", lang), ratio=2, overflow="fold")
    for row in result.rows:
        table.add_row(
            str(row.line), verdict(row, lang), Text(one_line(row.source)), Text("\n".join(_notes(row, lang)))
        )
    return table


def _blocks(result: Result, lang: str) -> list[RenderableType]:
    found: list[RenderableType] = []
    for row in result.rows:
        found.append(Text.assemble((f"{row.line}", "dim"), " ", verdict(row, lang)))
        found.append(Padding(Text("\n".join([one_line(row.source), *_notes(row, lang)])), (0, 0, 0, 4)))
    return found


def _notes(row: Row, lang: str) -> list[str]:
    return notes(reasons(row, lang), lang)


def verdict(row: Row, lang: str = "en") -> Text:
    """A verdict in its colour."""
    return Text(text(row.verdict, lang).upper(), style=COLOURS[row.verdict])


def one_line(source: str) -> str:
    """A source without its line breaks."""
    return " ".join(source.split())


def summary_line(result: Result, lang: str = "en") -> str:
    """The counts in one line."""
    between = "，" if lang == "zh" else ", "
    return between.join(f"{count} {text(verdict, lang)}" for verdict, count in result.summary.items())
