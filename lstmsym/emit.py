"""From a program to text, through a template, and from text to a kernel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from lstmsym import backends, cells
from lstmsym.cell import Cell
from lstmsym.derive import derive
from lstmsym.notation import NotationError
from lstmsym.program import Program
from lstmsym.schedule import Schedule, plan


def template_root() -> Path:
    """``lstmsym/templates`` in an installed wheel, ``../templates`` in a checkout."""
    package = Path(__file__).resolve().parent
    for root in (package / "templates", package.parent / "templates"):
        if root.is_dir():
            return root
    raise FileNotFoundError("no templates next to lstmsym: the installation is broken, install it again")


@cache
def environment(extra: Path | None) -> jinja2.Environment:
    """The template loader: a folder of the caller's first, then ours."""
    folders = [str(folder) for folder in (extra, template_root()) if folder]
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


@dataclass(frozen=True)
class Source:
    """Emitted text, the backend that spelled it, and the file it is meant for."""

    text: str
    filename: str
    backend: str
    program: Program

    def __str__(self) -> str:
        """The text."""
        return self.text

    def write(self, folder: str | Path) -> Path:
        """Write it into a folder, made if need be; the path."""
        path = Path(folder) / self.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text, encoding="utf-8")
        return path

    def load(self) -> Kernel:
        """The callables."""
        module = backends.find(self.backend).load(self.text, Path(self.filename).stem)
        return Kernel(Path(self.filename).stem, self.program.cell, module)


@dataclass(frozen=True)
class Kernel:
    """Forward and backward of a cell over a whole sequence, the same calls for every backend.

    ``init_params(rng, input_size, hidden_size, dtype)`` gives parameters by name; ``forward(params,
    x, state0=None)`` gives outputs (T, B, n), the last state and a tape; ``backward(params, tape,
    dy, dstate=None)`` gives gradients of parameters, inputs and first state; a cell with a loss has
    ``loss_and_grads(params, x, targets, state0=None)``.
    """

    name: str
    cell: Cell
    module: Any

    def __getattr__(self, name: str) -> Any:
        """The callables and the tables of the emitted module."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.module, name)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in the order of the arguments."""
        return tuple(q.name for q in self.cell.role("input"))

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states."""
        return tuple(q.name for q in self.cell.role("state"))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return self.cell.outputs


def emit(program: Program, backend: str = "numpy", name: str = "", templates: Path | None = None) -> Source:
    """Spell a program in a backend's language.

    ``name`` is the file's stem (the cell's name in snake case otherwise); ``templates`` a folder
    whose templates go before ours.

    Raises:
        NotationError: the backend is unknown, or cannot spell an operation of the cell.
    """
    chosen = backends.find(backend)
    stem = name or snake(program.cell.name)
    try:
        page = chosen.page(program)
    except NotationError as error:
        raise NotationError(f"{error} (used by cell {program.cell.name})") from None
    template = environment(templates or chosen.templates).get_template(chosen.template)
    text = chosen.finish(template.render(p=page, stem=stem, backend=chosen))
    return Source(text, stem + chosen.suffix, backend, program)


def snake(name: str) -> str:
    """LSTMPeephole -> lstm_peephole, SRUv1 -> sruv1, CfC -> cfc."""
    return re.sub(r"(?<=[A-Za-z0-9])(?=[A-Z][a-z]{2})|(?<=[a-z]{2})(?=[A-Z])", "_", name).lower()


def load(cell: str | Cell | type[Cell], backend: str = "numpy", schedule: Schedule | None = None) -> Kernel:
    """A kernel of a shipped cell (by name) or of a cell of your own."""
    if isinstance(cell, str):
        found, name = cells.find(cell), cell
    else:
        found, name = cell, ""  # type: ignore[assignment]
    return emit(plan(derive(found), schedule), backend, name).load()
