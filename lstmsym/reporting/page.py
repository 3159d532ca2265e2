"""A result as one page of HTML that needs nothing else: no network, no JavaScript, no fonts of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby

import jinja2
from markupsafe import Markup, escape

from lstmsym.cell import Cell
from lstmsym.documents.result import OPEN, VERDICTS, Result, Row
from lstmsym.emit import template_root
from lstmsym.latex import Latex
from lstmsym.reporting.drawing import svg
from lstmsym.reporting.mathml import formula, mathml
from lstmsym.reporting.plain import in_passing, is_code, is_formula, parted, reasons, shape
from lstmsym.reporting.words import SIGNS, compared, notes, sentence, text

CODES = {"en": "en", "zh": "zh-Hans"}


@dataclass(frozen=True)
class Part:
    """One labelled piece of a row's details."""

    label: str
    body: Markup
    kind: str = ""


@dataclass(frozen=True)
class Item:
    """A row as the page shows it."""

    anchor: str
    line: int
    verdict: str
    sign: str
    word: str
    opened: bool
    passing: bool
    equation: Markup
    hint: str
    parts: tuple[Part, ...]
    steps: tuple[tuple[str, Markup], ...]


@dataclass(frozen=True)
class Count:
    """A verdict with how many rows have it."""

    verdict: str
    sign: str
    word: str
    count: int


@dataclass(frozen=True)
class Page:
    """All that the template shows."""

    lang: str
    say: Callable[[str], str]
    title: str
    document: str
    counts: tuple[Count, ...]
    cell_note: str
    equations: tuple[tuple[Markup, Markup], ...]
    graph: Markup
    symbols: tuple[tuple[Markup, str, str, str], ...]
    groups: tuple[tuple[Item, ...], ...]
    """The rows; what only stands in passing comes in groups, all else by itself."""
    notes: tuple[str, ...]
    open: tuple[Item, ...]


def as_html(result: Result, lang: str = "en") -> str:
    """The page."""
    say = partial(text, lang=lang)
    items = tuple(_item(row, number, lang) for number, row in enumerate(result.rows, 1))
    counts = [(v, result.summary.get(v, 0)) for v in VERDICTS]
    page = Page(
        lang=CODES[lang],
        say=say,
        title=say("title").format(document=result.document),
        document=result.document,
        counts=tuple(Count(v, SIGNS[v], say(v), n) for v, n in counts if n),
        cell_note=compared(result.cell_note, lang),
        equations=_equations(result.cell) if result.cell else (),
        graph=Markup(svg(result.cell, say("graph")) if result.cell else ""),
        symbols=tuple(
            (_math(s.latex), s.name, sentence(s.meaning, lang), shape(s.shape) or say("scalar"))
            for s in result.symbols
        ),
        groups=tuple(grouped(items)),
        notes=tuple(sentence(note, lang) for note in result.notes),
        open=tuple(item for item in items if item.verdict in OPEN),
    )
    return environment().get_template("report/page.html.j2").render(p=page)


@cache
def environment() -> jinja2.Environment:
    """Templates in which everything is escaped that is not marked as HTML."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_root()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )


def _equations(cell: Cell) -> tuple[tuple[Markup, Markup], ...]:
    """Left and right sides of the forward equations."""
    show = Latex(cell.order)
    return tuple((_math(show(e.name)), _math(f"= {show(e.expr)}")) for e in cell.equations)


def _item(row: Row, number: int, lang: str) -> Item:
    return Item(
        anchor=f"row-{number}",
        line=row.line,
        verdict=row.verdict,
        sign=SIGNS[row.verdict],
        word=text(row.kind if row.verdict == "not-a-claim" and row.kind != "claim" else row.verdict, lang),
        opened=row.verdict in OPEN,
        passing=in_passing(row),
        equation=_shown(row),
        hint=_hint(row, lang),
        parts=tuple(_parts(row, lang)),
        steps=tuple(
            (sentence(words, lang), _math(latex) if latex else Markup()) for words, latex in row.steps
        ),
    )


def grouped(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    """Runs of rows in passing together, every other row by itself."""
    for passing, run in groupby(items, key=lambda item: item.passing):
        if passing:
            yield tuple(run)
        else:
            yield from ((item,) for item in run)


def _hint(row: Row, lang: str) -> str:
    """What stands under the equation while the row is closed: the assumption, or what it is right given."""
    if row.verdict == "conditional" and row.assumption:
        return notes([("right if", sentence(row.assumption, lang))], lang)[0]
    return sentence(row.message, lang) if row.verdict in ("proved", "conditional") and row.message else ""


def _shown(row: Row) -> Markup:
    """The source of a row: mathematics, words, or code."""
    if row.latex:
        return _math(formula(row), row.source)
    prose = row.kind in ("statement", "prose") and not is_code(row)
    return _prose(row.source) if prose else _code(row.source)


def _parts(row: Row, lang: str) -> list[Part]:
    say = partial(text, lang=lang)
    found = []
    for label, body in reasons(row, lang):
        if label == "witness":
            continue
        is_math = label in ("right", "repair")
        found.append(
            Part(
                say(label).rstrip("："),
                _formula(row, body) if is_math else escape(body),
                label.replace(" ", "-"),
            )
        )
    if row.witness:
        found.append(Part(say("witness"), _witness(row, lang), "witness"))
    if row.about:
        found.append(Part(say("about"), _formula(row, row.about)))
    if row.latex or not found:
        found.append(Part(say("source"), _code(row.source), "source"))
    return found


def _formula(row: Row, body: str) -> Markup:
    """A formula in the author's notation, with the remark in brackets that a repair may end in."""
    text, remark = parted(body)
    shown = _math(text) if is_formula(row, text) else _code(text)
    return shown + (Markup(' <span class="aside">({})</span>').format(remark) if remark else Markup())


def _witness(row: Row, lang: str) -> Markup:
    """Both values, one below the other, and where they were taken."""
    w = row.witness
    assert w is not None
    sizes = ", ".join(f"{name} = {size}" for name, size in w.sizes.items())
    where = f"; {text('entry', lang)} [{', '.join(map(str, w.entry))}]" if w.entry else ""
    cells = [(text("is", lang), w.true), (text("claimed", lang), w.claimed)]
    rows = Markup().join(Markup('<tr><th scope="row">{}</th><td>{}</td></tr>').format(*c) for c in cells)
    return Markup('<table class="numbers">{}</table><p class="aside">{}{}</p>').format(rows, sizes, where)


def _math(latex: str, source: str = "") -> Markup:
    """MathML, or the text where it can't be read as LaTeX."""
    found = mathml(latex)
    return Markup(f'<span class="math">{found}</span>') if found else _code(source or latex)


def _code(source: str) -> Markup:
    return Markup("<code>{}</code>").format(source)


def _prose(source: str) -> Markup:
    """Words, with the mathematics in passing."""
    parts = re.split(r"\$+([^$]+)\$+", source)
    shown = (_math(part) if number % 2 else escape(part) for number, part in enumerate(parts))
    return Markup('<span class="prose">{}</span>').format(Markup().join(shown))
