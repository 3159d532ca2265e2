"""The main job in one screen: the seed document's LSTM derived, verified, generated, checked, trained.

The training problem is that of the original implementation (github.com/nicodjimenez/lstm, test.py):
100 cells, 50 inputs, four steps, targets on h[0], plain descent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from lstmsym import cells, pages
from lstmsym.check import check
from lstmsym.derive import derive
from lstmsym.emit import Kernel, emit
from lstmsym.printing import Text
from lstmsym.render import text
from lstmsym.report import table
from lstmsym.schedule import Schedule, plan
from lstmsym.svg import curve
from lstmsym.verify.judge import Verdict, verify

TARGETS = np.array([-0.5, 0.2, 0.1, -0.5])
PUBLISHED = 2.610763588369991e-06
"""The loss at iteration 99 of the original implementation (its issue 9; rerun to the last digit)."""


def run(out: Path, console: Console) -> None:
    """Everything, with the generated file and the loss curve written into a folder."""
    cell = cells.find("nicodjimenez")
    derivation = derive(cell)
    console.rule("forward equations")
    console.print(str(cell), markup=False)
    console.rule("derived backward equations, beside the hand derivation's verdicts")
    (page, listing) = pages.find("seed")
    verdicts = verify(page)
    console.print(side_by_side(derivation, verdicts), markup=False)
    console.print(table(page, [v for v in verdicts if not v.claim.symbol]))
    wrong = [v for v in verify(listing) if v.status.value == "refuted"]
    console.print("held against h = o * tanh(s), which the document presents as the same:", markup=False)
    for v in wrong:
        console.print(f"  REFUTED  {v.claim.shown}    right: {v.expected}", markup=False)
    console.rule("generated code")
    source = emit(plan(derive(cell)), "numpy", "nicodjimenez")
    path = source.write(out)
    kernel = source.load()
    report = check(kernel)
    worst = report.worst
    console.print(f"{path}: {len(source.text.splitlines())} lines, {source.program.products} matrix products")
    verdict = "all gradients agree" if report.ok else "gradients are WRONG"
    console.print(f"gradient check: {verdict}; worst {worst.quantity} by {worst.method}: {worst.error:.1e}")
    console.rule("training with it")
    losses = train(emit(plan(derivation, Schedule.textbook()), "numpy", "nicodjimenez").load())
    fast = train(kernel)
    image = out / "loss.svg"
    image.write_text(curve(losses, "loss by iteration"), encoding="utf-8")
    console.print(sparkline(losses), markup=False)
    console.print(f"loss at iteration 0:  {losses[0]!r}")
    console.print(f"loss at iteration 99: {losses[99]!r}   (published: {PUBLISHED!r})")
    console.print(
        f"with the fast schedule: {fast[99]!r}; the problem amplifies its other rounding ten million times",
        markup=False,
    )
    console.print(f"loss curve: {image}")


def side_by_side(derivation: Any, verdicts: tuple[Verdict, ...]) -> str:
    """Each derived equation with the hand-written one and its verdict."""
    show = Text(derivation.order)
    hand = {v.claim.left: v for v in verdicts if v.claim.symbol and v.claim.kind == "claim"}
    rows = []
    for b in derivation.backward:
        v = hand.get(b.name)
        theirs = f"{v.claim.shown}  {v.status.name.replace('_', ' ')}" if v else ""
        rows.append((f"{show(b.name)} = {show(b.expr)}", theirs))
    width = max(len(ours) for ours, _ in rows) + 3
    return "\n".join(f"{ours:{width}}{theirs}".rstrip() for ours, theirs in rows)


def problem() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Weights and inputs as the original draws them: every gate from the same seed."""
    units, inputs = 100, 50
    draws = np.random.RandomState(0).random_sample(units * (inputs + units))
    weight = (0.2 * draws - 0.1).reshape(units, inputs + units)
    bias = (0.2 * np.random.RandomState(0).random_sample(units) - 0.1).copy()
    after = np.random.RandomState(0).random_sample(300)[100:]
    params = {name: weight.copy() for name in ("W_g", "W_i", "W_f", "W_o")}
    params |= {name: bias.copy() for name in ("b_g", "b_i", "b_f", "b_o")}
    return params, after.reshape(4, 1, inputs)


def train(kernel: Kernel, iterations: int = 100, rate: float = 0.1) -> list[float]:
    """Plain descent on (h[0] - y)^2 summed over the steps; the loss before each update."""
    params, x = problem()
    losses = []
    for _ in track(range(iterations), "training", transient=True, console=Console(stderr=True)):
        h, _, tape = kernel.forward(params, x)
        error = h[:, 0, 0] - TARGETS
        losses.append(float((error**2).sum()))
        dy = np.zeros_like(h)
        dy[:, 0, 0] = 2 * error
        grads = kernel.backward(params, tape, dy)
        for name, array in params.items():
            array -= rate * grads.params[name]
    return losses


def sparkline(losses: list[float], width: int = 80, height: int = 8) -> str:
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


__all__ = ["run", "text", "train"]
