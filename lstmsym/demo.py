"""The main job in one screen: the seed document's LSTM derived, verified, generated, checked, trained.

Two files are written and trained with, each imported from where it lies: one keeps the operations of
the original implementation, and so its loss; one is the fast one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from lstmsym import cells, pages
from lstmsym.beside import beside, forward_lines
from lstmsym.check import check
from lstmsym.derive import Derivation, derive
from lstmsym.emit import Kernel, emit
from lstmsym.generated import write_whole
from lstmsym.locate import load_file
from lstmsym.report import summary_line
from lstmsym.schedule import Schedule, plan
from lstmsym.svg import curve
from lstmsym.training import PUBLISHED, original, train
from lstmsym.verify.judge import Status, verify


@dataclass(frozen=True)
class Written:
    """A generated file, and what it holds, imported from there."""

    schedule: str
    path: Path
    products: str
    kernel: Kernel


def run(out: Path, console: Console) -> bool:
    """Everything, with the generated files and the loss curve in a folder; whether all checks pass."""
    derivation = derive(cells.find("nicodjimenez"))
    head(console, "Forward (what is at step t stands without its step)")
    for line in forward_lines(derivation):
        say(console, line)
    head(console, "Backward, derived, beside the seed document's derivation by hand")
    (page, listing) = pages.find("seed")
    verdicts = verify(page)
    wrong = [("if h = o ⊙ tanh(s)", v) for v in verify(listing) if v.status is Status.REFUTED]
    console.print(beside(derivation, verdicts, wrong))
    say(console, f"{len(verdicts)} lines: {summary_line(verdicts)}")
    head(console, "Generated code")
    files = [
        written(derivation, "textbook", Schedule.textbook(), out),
        written(derivation, "default", Schedule(), out / "fast"),
    ]
    wide = max(len(str(file.path)) for file in files)
    reports = [check(file.kernel) for file in files]
    for file, report in zip(files, reports, strict=True):
        count = f"{len(report.rows) - len(report.failed)} of {len(report.rows)}"
        what = f"{file.schedule} schedule, {file.products} products: {count} gradient checks pass"
        say(console, f"{file.path!s:{wide}}  {what}")
    head(console, "Training with these files: 100 cells, 50 inputs, T = 4; loss at iteration 99")
    losses = [train(file.kernel) for file in files]
    reference = original()[-1]
    for file, loss in zip(files, losses, strict=True):
        gap = f"relative difference {abs(loss[-1] / reference - 1):.1e}"
        say(console, f"{file.path!s:{wide}}  {loss[-1]!r:24} {gap}")
    say(console, f"{'the original, run here':{wide}}  {reference!r:24} published: {PUBLISHED!r}")
    say(console, "Order of operations shows in the ninth digit: this training amplifies rounding 1e7 times.")
    image = out / "loss.svg"
    write_whole(image, curve(losses[0], "loss by iteration"))
    say(console, sparkline(losses[0]))
    say(console, f"loss curve: {image}")
    return all(report.ok for report in reports)


def head(console: Console, title: str) -> None:
    """A heading."""
    console.print(f"[bold]{title}[/bold]", highlight=False)


def say(console: Console, text: str) -> None:
    """A line as it is."""
    console.print(text, markup=False, soft_wrap=True)


def written(derivation: Derivation, name: str, schedule: Schedule, folder: Path) -> Written:
    """Write the file of a schedule, and import it from where it lies."""
    program = plan(derivation, schedule)
    source = emit(program, "numpy", "nicodjimenez")
    path = folder / source.filename
    write_whole(path, source.text)
    kernel = Kernel(path.stem, derivation.cell, load_file(str(path)))
    return Written(name, path, str(program.products), kernel)


def sparkline(losses: list[float], width: int = 70, height: int = 4) -> str:
    """The curve in the terminal, logarithmic."""
    logs = np.log10(np.maximum(losses, 1e-300))
    columns = np.interp(np.linspace(0, len(logs) - 1, width), np.arange(len(logs)), logs)
    low, high = columns.min(), columns.max()
    levels = (columns - low) / ((high - low) or 1) * height
    rows = []
    for row in reversed(range(height)):
        cells_ = (" ▁▂▃▄▅▆▇█"[int(np.clip((level - row) * 8, 0, 8))] for level in levels)
        label = f"{10 ** (low + (high - low) * (row + 1) / height):8.0e}"
        rows.append(f"{label} |{''.join(cells_)}")
    return "\n".join(rows)
