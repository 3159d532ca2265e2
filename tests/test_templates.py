"""The contract of templates: what they see, and that they hold loops and plain conditions only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import zoo
from jinja2 import meta, nodes

from lstmsym import Cell, derive, emit, plan
from lstmsym.emit import environment, template_root

NAMES = sorted(str(path.relative_to(template_root())) for path in (template_root() / "numpy").glob("*.j2"))
ALLOWED = (nodes.For, nodes.If, nodes.Include, nodes.Output)


@pytest.mark.parametrize("name", NAMES)
def test_templates_see_a_page_and_the_file_stem(name: str) -> None:
    tree = environment(None).parse((template_root() / name).read_text(encoding="utf-8"))
    assert meta.find_undeclared_variables(tree) <= {"p", "stem", "backend"}


@pytest.mark.parametrize("name", NAMES)
def test_templates_hold_loops_conditions_and_includes_only(name: str) -> None:
    tree = environment(None).parse((template_root() / name).read_text(encoding="utf-8"))
    found = {type(node).__name__ for node in tree.find_all(nodes.Stmt) if not isinstance(node, ALLOWED)}
    assert not found


def test_text_is_the_same_for_every_hash_seed() -> None:
    code = "from lstmsym.generated import golden; print(golden('numpy'))"
    texts = set()
    for seed in ("0", "1", "42"):
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environ, check=True)
        texts.add(run.stdout)
    assert len(texts) == 1


@pytest.mark.parametrize("name", ["lstm", "gru", "lstm_projected", "lstm_layernorm"])
def test_generated_text_is_ascii(name: str) -> None:
    path = template_root().parent / "generated" / "numpy" / f"{name}.py"
    assert path.read_text(encoding="utf-8").isascii()


def test_a_formatter_leaves_generated_files_as_they_are(tmp_path: Path) -> None:
    """The shipped ones, and those of the zoo: ruff's and black's default, 88 columns."""
    for cell in (c for c in vars(zoo).values() if isinstance(c, Cell)):
        emit(plan(derive(cell))).write(tmp_path)
    folders = [str(template_root().parent / "generated"), str(tmp_path)]
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", *folders]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
