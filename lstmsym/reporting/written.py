"""A result as text in one of the formats of the command line."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from lstmsym.documents.result import Result
from lstmsym.reporting.markdown import as_markdown
from lstmsym.reporting.page import as_html
from lstmsym.reporting.plain import as_json
from lstmsym.reporting.table import shown

WIDTH = 120
"""Columns of a table that is written to a file."""


def written(result: Result, form: str, lang: str = "en") -> str:
    """The report: table, json, markdown or html."""
    if form == "table":
        paper = Console(width=WIDTH, file=StringIO(), color_system=None, highlight=False)
        paper.print(shown(result, WIDTH, lang))
        return "\n".join(line.rstrip() for line in paper.file.getvalue().splitlines()) + "\n"  # type: ignore[attr-defined]
    if form == "json":
        return as_json(result)
    return {"markdown": as_markdown, "html": as_html}[form](result, lang)
