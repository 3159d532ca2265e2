"""The command line: cells, derive, verify, plan, generate, check, demo."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from lstmsym import cells, demo, pages, render
from lstmsym.check import check as check_kernel
from lstmsym.derive import derive as derive_cell
from lstmsym.emit import emit
from lstmsym.generated import ROOT, golden, stale
from lstmsym.locate import find_cell, find_pages
from lstmsym.notation import NotationError, stop_gradient
from lstmsym.report import as_json as verdicts_json
from lstmsym.report import table as verdict_table
from lstmsym.schedule import plan as plan_cell
from lstmsym.verify.judge import Status
from lstmsym.verify.judge import verify as judge

OPEN = (Status.REFUTED, Status.UNDECIDED, Status.UNREAD)
"""Verdicts that make `verify` exit with 1."""


class Failure(click.ClickException):
    """Bad input: one sentence on standard error, exit status 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the sentence."""
        click.echo(f"lstmsym: {self.message}", err=True)


class Commands(click.Group):
    """A group whose commands turn mistakes of the user into one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except NotationError as error:
            raise Failure(str(error)) from None
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            raise Failure(f"{error.filename or 'output'}: {error.strerror or error}") from None


def console() -> Console:
    """Where tables go: the terminal, or a wide page where output is read by a program."""
    wide = None if sys.stdout.isatty() else 160
    return Console(width=wide, highlight=False, soft_wrap=not sys.stdout.isatty())


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lstmsym")
def main() -> None:
    """Derive, verify and generate recurrent cells from their forward equations.

    CELL is a name from `lstmsym cells`, or `file.py:Class` for a cell of your own.
    """


@main.command("cells")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
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
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table("name", "states", "parameters", "what it is", box=None, pad_edge=False)
    for name, cell in found.items():
        count = str(len(cell.role("parameter")))
        table.add_row(name, " ".join(q.name for q in cell.role("state")), count, " ".join(cell.doc.split()))
    console().print(table)


@main.command("derive")
@click.argument("cell")
@click.option("--format", "form", type=click.Choice(["text", "latex", "json"]), default="text")
def derive_command(cell: str, form: str) -> None:
    """Print the backward equations of CELL, numbered, each with its rule and the line it answers.

    Example: lstmsym derive lstm --format latex
    """
    derivation = derive_cell(find_cell(cell)[0])
    click.echo({"text": render.text, "latex": render.latex, "json": render.as_json}[form](derivation))


@main.command("verify")
@click.argument("page")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def verify_command(page: str, form: str) -> None:
    """Judge the claims of PAGE: a shipped page (seed), or `file.py` or `file.py:Page` of your own.

    Exit status 1 where a claim is refuted, undecided or unread.

    Example: lstmsym verify seed
    """
    documents = find_pages(page)
    judged = [(document, judge(document)) for document in documents]
    if form == "json":
        click.echo(verdicts_json(page, judged))
    else:
        for document, verdicts in judged:
            console().print(verdict_table(document, verdicts))
    if any(v.status in OPEN for _, verdicts in judged for v in verdicts):
        raise SystemExit(1)


@main.command("plan")
@click.argument("cell")
def plan_command(cell: str) -> None:
    """Print the schedule of CELL: six places, matrix products, saved numbers.

    Example: lstmsym plan gru
    """
    click.echo(str(plan_cell(derive_cell(find_cell(cell)[0]))))


@main.command("generate")
@click.argument("cell", nargs=-1)
@click.option("--backend", default="numpy", show_default=True, help="A name, or the import path of a module.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=None, help="Folder to write to."
)
@click.option("--all", "everything", is_flag=True, help="All shipped cells.")
@click.option("--check", "compare", is_flag=True, help="Write nothing; name the files that are out of date.")
def generate_command(
    cell: tuple[str, ...], backend: str, out: Path | None, everything: bool, compare: bool
) -> None:
    """Write the code of CELLs.

    Example: lstmsym generate mycell.py:MyCell --backend numpy --out .
    """
    if everything == bool(cell):
        raise Failure("name the cells to generate, or give --all")
    if everything:
        texts = golden(backend)
        folder = out or ROOT / backend
    else:
        texts, folder = {}, out or Path()
        for name in cell:
            found, stem = find_cell(name)
            source = emit(plan_cell(derive_cell(found)), backend, stem)
            texts[source.filename] = source.text
    if compare:
        raise SystemExit(report_stale(stale(texts, folder, whole=everything), folder, everything))
    folder.mkdir(parents=True, exist_ok=True)
    for filename, text in track(
        texts.items(), "generating", disable=len(texts) < 5, console=Console(stderr=True)
    ):
        write_whole(folder / filename, text)
        click.echo(str(folder / filename))


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is never seen half-written."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8", newline="\n")
    beside.replace(path)


def report_stale(found: list[str], folder: Path, everything: bool) -> int:
    """Say which files are out of date; 1 if any is."""
    for line in found:
        click.echo(line)
    if found:
        mend = "--all" if everything else "CELL"
        click.echo(f"{len(found)} out of date: run lstmsym generate {mend} --out {folder} and read the diff")
    return 1 if found else 0


@main.command("check")
@click.argument("cell")
@click.option("--backend", default="numpy", show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def check_command(cell: str, backend: str, seed: int, form: str) -> None:
    """Test the generated code of CELL numerically: differences, complex step, adjoint test.

    Exit status 1 where a gradient is wrong.

    Example: lstmsym check gru
    """
    found, stem = find_cell(cell)
    if any(e.expr.has(stop_gradient) for e in found.equations):
        raise Failure(
            f"{cell} uses stop_gradient: its gradients are not derivatives, which no differences can check"
        )
    kernel = emit(plan_cell(derive_cell(found)), backend, stem).load()
    report = check_kernel(kernel, seed=seed)
    if form == "json":
        rows = [
            {
                "quantity": r.quantity,
                "method": r.method,
                "error": r.error,
                "tolerance": r.tolerance,
                "ok": bool(r.ok),
            }
            for r in report.rows
        ]
        click.echo(json.dumps({"cell": cell, "ok": bool(report.ok), "rows": rows}, indent=2))
    else:
        click.echo(str(report))
    if not report.ok:
        raise SystemExit(1)


@main.command("demo")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("lstmsym-demo"), show_default=True
)
def demo_command(out: Path) -> None:
    """The main job in one screen: derive, verify, generate, check and train the seed document's LSTM.

    Example: lstmsym demo
    """
    with np.errstate(all="raise", under="ignore"):
        demo.run(out, console())


if __name__ == "__main__":
    main()

__all__ = ["main", "pages"]
