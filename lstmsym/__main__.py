"""The command line: cells, derive, verify, plan, generate, check, demo."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import numpy as np
from rich.console import Console, Group, RenderableType
from rich.progress import track
from rich.table import Table

from lstmsym import cells, demo, render
from lstmsym.check import check as check_kernel
from lstmsym.derive import derive as derive_cell
from lstmsym.documents.result import exit_status
from lstmsym.emit import emit
from lstmsym.generated import ROOT, golden, stale, write_whole
from lstmsym.locate import find_cell, find_pages, names_page
from lstmsym.notation import stop_gradient
from lstmsym.report import check_json, dumped, plan_json, verdicts_json, verdicts_shown
from lstmsym.reporting.claims import from_verdicts
from lstmsym.reporting.table import shown
from lstmsym.reporting.words import LANGUAGES
from lstmsym.reporting.written import written
from lstmsym.schedule import Schedule
from lstmsym.schedule import plan as plan_cell
from lstmsym.terminal import Commands, Failure, console, progress, say
from lstmsym.verify.judge import Status
from lstmsym.verify.judge import verify as judge
from lstmsym.verifying import verify_file

OPEN = (Status.REFUTED, Status.UNDECIDED, Status.UNREAD)
"""Verdicts that make `verify` exit with 1."""

SUFFIXES = {".json": "json", ".md": "markdown", ".html": "html"}
"""How the name of a report ends -> its format."""

SCHEDULES = {"default": Schedule(), "textbook": Schedule.textbook()}


Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def form_option(*others: str) -> Decorator:
    """``--format``: text, or one of the others."""
    return click.option(
        "--format", "form", type=click.Choice(["text", *others]), default="text", show_default=True,
        help="How to print it; docs/json.md says what the JSON means.",
    )  # fmt: skip


backend_option = click.option(
    "--backend", default="numpy", show_default=True, help="A name, or the import path of a module."
)
schedule_option = click.option(
    "--schedule", type=click.Choice(list(SCHEDULES)), default="default", show_default=True,
    help="default is fast; textbook keeps the operations, and so the rounding, of a hand-written listing.",
)  # fmt: skip
folder_type = click.Path(file_okay=False, path_type=Path)


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True
)
@click.version_option(package_name="lstmsym")
@click.pass_context
def main(context: click.Context) -> None:
    """Derive, verify and generate recurrent cells from their forward equations.

    CELL is a name from `lstmsym cells`, or `file.py:Class` for a cell of your own.
    Exit status: 0 fine, 1 a refuted claim, a wrong gradient or a stale file, 2 bad input.

    Example: lstmsym demo
    """
    if context.invoked_subcommand is None:
        say(context.get_help())


@main.command("cells")
@form_option("json")
def cells_command(form: str) -> None:
    """List the cells that ship.

    Example: lstmsym cells
    """
    found = {name: cells.find(name) for name in cells.names()}
    if form == "json":
        rows = [
            {"name": name, "class": cell.name, "doc": " ".join(cell.doc.split()),
             "inputs": [q.name for q in cell.role("input")], "states": [q.name for q in cell.role("state")],
             "parameters": [q.name for q in cell.role("parameter")], "equations": str(cell).splitlines()}
            for name, cell in found.items()
        ]  # fmt: skip
        say(dumped(rows))
        return
    table = Table("name", "states", "parameters", "what it is", box=None, pad_edge=False)
    for name, cell in found.items():
        count = str(len(cell.role("parameter")))
        table.add_row(name, " ".join(q.name for q in cell.role("state")), count, " ".join(cell.doc.split()))
    console().print(table)


@main.command("derive")
@click.argument("cell")
@form_option("latex", "json")
def derive_command(cell: str, form: str) -> None:
    """Print the backward equations of CELL, numbered, each with its rule and the line it answers.

    Example: lstmsym derive lstm --format latex
    """
    derivation = derive_cell(find_cell(cell)[0])
    say({"text": render.text, "latex": render.latex, "json": render.as_json}[form](derivation))


@main.command("verify")
@click.argument("file")
@click.option("--cell", default="", help="The cell that FILE is about, where it states no forward equations.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", *SUFFIXES.values()]),
    default=None,
    help="How to print it: by default as --out ends, else a table; docs/json.md says what the JSON means.",
)
@click.option(
    "--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language of the report."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write to.")
def verify_command(file: str, cell: str, form: str | None, lang: str, out: Path | None) -> None:
    """Judge every equation and statement of FILE: Markdown, LaTeX, plain text, or a NumPy listing (.py).

    FILE may also be a page of claims in our notation: `file.py`, `file.py:Page`, or one that ships (seed).
    Such a page is run, as is a file of --cell; documents and listings never are.  docs/verify.md says more.
    Exit status 1 where a row is refuted, undecided or unread, 2 where FILE can't be used at all.

    Example: lstmsym verify notes.tex --format html --out notes.html
    """  # fmt: skip
    form = form or (SUFFIXES.get(out.suffix, "table") if out else "table")
    if out and out.exists() and Path(file).exists() and out.samefile(file):
        raise Failure(f"--out {out} is the document itself: give the report another name")
    if cell and names_page(file):
        raise Failure(f"--cell is for documents: {file} is a page of claims, which says its cell itself")
    report = page_report(file) if names_page(file) else document_report(file, cell)
    if form == "table" and out is None:
        paper = console()
        paper.print(report.table(paper.width, lang))
    else:
        text = report.text(form, lang)
        if out:
            write_whole(out, text.rstrip("\n") + "\n")
        say(str(out) if out else text.rstrip("\n"))
    raise SystemExit(report.status)


@dataclass(frozen=True)
class Judged:
    """What was found of a file, in each form."""

    status: int
    table: Callable[[int, str], RenderableType]
    text: Callable[[str, str], str]


def document_report(file: str, cell: str) -> Judged:
    """The verdicts on a document."""
    with progress(f"verifying {Path(file).name}") as told:
        result = verify_file(file, cell, told)
    return Judged(exit_status(result), partial(shown, result), partial(written, result))


def page_report(file: str) -> Judged:
    """The verdicts on pages of claims."""
    pages = [(page, judge(page)) for page in find_pages(file)]

    def table(width: int, _: str) -> RenderableType:
        return Group(*(verdicts_shown(page, verdicts, width) for page, verdicts in pages))

    def text(form: str, lang: str) -> str:
        return (
            verdicts_json(file, pages) if form == "json" else written(from_verdicts(file, pages), form, lang)
        )

    wrong = any(v.status in OPEN for _, verdicts in pages for v in verdicts)
    return Judged(int(wrong), table, text)


@main.command("plan")
@click.argument("cell")
@schedule_option
@form_option("json")
def plan_command(cell: str, schedule: str, form: str) -> None:
    """Print the schedule of CELL: six places, matrix products, saved numbers.

    Example: lstmsym plan gru
    """
    program = plan_cell(derive_cell(find_cell(cell)[0]), SCHEDULES[schedule])
    say(plan_json(program, schedule) if form == "json" else str(program))


@main.command("generate")
@click.argument("cell", nargs=-1)
@backend_option
@schedule_option
@click.option("--out", type=folder_type, default=None, help="Folder to write to.")
@click.option("--all", "everything", is_flag=True, help="All shipped cells.")
@click.option("--check", "compare", is_flag=True, help="Write nothing; name the files that are out of date.")
def generate_command(
    cell: tuple[str, ...], backend: str, schedule: str, out: Path | None, everything: bool, compare: bool
) -> None:
    """Write the code of CELLs.

    Example: lstmsym generate mycell.py:MyCell --backend numpy --out .
    """
    if everything == bool(cell):
        raise Failure("name the cells to generate, or give --all")
    choices = SCHEDULES[schedule]
    texts = golden(backend, choices) if everything else chosen(cell, backend, choices)
    folder = out or (ROOT / backend if everything else Path())
    if compare:
        command = ["lstmsym", "generate", *(cell or ["--all"]), "--out", str(folder)]
        command += ["--backend", backend] if backend != "numpy" else []
        command += ["--schedule", schedule] if schedule != "default" else []
        raise SystemExit(report_stale(stale(texts, folder, whole=everything), shlex.join(command)))
    screen = Console(stderr=True)
    hidden = len(texts) < 5 or not screen.is_terminal
    for filename, text in track(texts.items(), "generating", disable=hidden, console=screen):
        write_whole(folder / filename, text)
        say(str(folder / filename))


def chosen(names: tuple[str, ...], backend: str, schedule: Schedule) -> dict[str, str]:
    """File name -> text, for the cells named."""
    texts: dict[str, str] = {}
    for name in dict.fromkeys(names):
        cell, stem = find_cell(name)
        source = emit(plan_cell(derive_cell(cell), schedule), backend, stem)
        if source.filename in texts:
            raise Failure(f"{name} would be written to {source.filename} too: generate it into another --out")
        texts[source.filename] = source.text
    return texts


def report_stale(found: list[str], command: str) -> int:
    """Say which files are out of date, and what mends them; 1 if any is."""
    for line in found:
        say(line)
    if found:
        say(f"{len(found)} out of date: run {command} and read the diff")
    return 1 if found else 0


@main.command("check")
@click.argument("cell")
@backend_option
@schedule_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the random case.")
@form_option("json")
def check_command(cell: str, backend: str, schedule: str, seed: int, form: str) -> None:
    """Test the generated code of CELL numerically: differences, complex step, adjoint test.

    Exit status 1 where a gradient is wrong.

    Example: lstmsym check gru
    """
    found, stem = find_cell(cell)
    if any(e.expr.has(stop_gradient) for e in found.equations):
        raise Failure(
            f"{cell} uses stop_gradient: its gradients are not derivatives, which no differences can check"
        )
    kernel = emit(plan_cell(derive_cell(found), SCHEDULES[schedule]), backend, stem).load()
    report = check_kernel(kernel, seed=seed)
    say(check_json(cell, report) if form == "json" else str(report))
    if not report.ok:
        raise SystemExit(1)


@main.command("demo")
@click.option("--out", type=folder_type, default=Path("lstmsym-demo"), show_default=True)
def demo_command(out: Path) -> None:
    """The main job in one screen: derive, verify, generate, check and train the seed document's LSTM.

    Example: lstmsym demo
    """
    with np.errstate(all="raise", under="ignore"):
        if not demo.run(out, console()):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
