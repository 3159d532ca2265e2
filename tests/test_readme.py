"""What the README shows is what happens: its Python blocks run, its commands run, its output is printed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import sympy

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
PRINTED = [text for language, text in BLOCKS if language == "text"]
SHELL = [code for language, code in BLOCKS if language in ("sh", "bash", "console", "shell")]
LINES = [line.strip() for code in SHELL for line in code.replace("&&", "\n").splitlines() if line.strip()]
INLINE = [" ".join(code.split()) for code in re.findall(r"`((?:lstmsym|python) [^`]+)`", README)]
COMMANDS = list(dict.fromkeys(line.removeprefix("$ ") for line in (*LINES, *INLINE)))
OWN = [line for line in COMMANDS if line.startswith("lstmsym ")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place with the examples beside it, as in a clone."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environ = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, encoding="utf-8", env=environ
    )


def lstmsym(line: str) -> subprocess.CompletedProcess[str]:
    """A command of the README; refuting a claim is exit code 1, as is a failed check."""
    done = run("-m", "lstmsym", *shlex.split(line, comments=True)[1:])
    assert done.returncode == (1 if " verify " in line else 0), done.stdout + done.stderr
    return done


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_every_block_is_known() -> None:
    assert {language for language, _ in BLOCKS} == {"python", "sh", "text", "math"}
    assert len(PYTHON) >= 3 and len(PRINTED) >= 2 and len(OWN) >= 5


@pytest.mark.parametrize("code", PYTHON)
def test_python_block_runs(code: str, folder: Path) -> None:
    scope: dict[str, Any] = {"__name__": "readme"}
    exec(compile(code, "README.md", "exec"), scope)


@pytest.mark.parametrize("line", OWN)
def test_command_runs(line: str, folder: Path) -> None:
    done = lstmsym(line)
    assert done.stdout and "Traceback" not in done.stderr


def test_generated_file_is_the_one_that_is_run_next(folder: Path) -> None:
    (generate,) = [line for line in OWN if " generate " in line]
    (script,) = [line for line in COMMANDS if re.match(r"python \w+\.py", line)]
    lstmsym(generate)
    done = run(*shlex.split(script, comments=True)[1:])
    assert done.returncode == 0 and "agree" in done.stdout


@pytest.mark.parametrize("block", PRINTED)
def test_output_is_as_shown(block: str, folder: Path) -> None:
    """Every line of it is printed by a command or a Python block of the README."""
    (folder / "block.py").write_text(PYTHON[0], encoding="utf-8")
    shown = [line for line in OWN if re.search(r"notes\.py|gru\.md$| plan ", line)]
    printed = run("block.py").stdout + "".join(lstmsym(line).stdout for line in shown)
    for line in block.splitlines():
        assert squeezed(line.strip()) in squeezed(printed), line


@pytest.mark.parametrize("block", [text for language, text in BLOCKS if language == "math"])
def test_formulas_are_as_printed(block: str, folder: Path) -> None:
    (line,) = [line for line in OWN if " --format latex" in line]
    printed = lstmsym(line).stdout
    for formula in block.splitlines():
        assert formula.removesuffix(r" \\").strip() in printed, formula


@pytest.mark.parametrize("heading", ["Derive", "Verify", "Generate"])
def test_each_job_takes_about_ten_lines(heading: str) -> None:
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    code = "".join(re.findall(r"^```(?:python|sh)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))
    assert 3 <= len([line for line in code.splitlines() if line.strip()]) <= 10


def test_the_rule_to_add_is_right() -> None:
    scope: dict[str, Any] = {"__name__": "readme"}
    (code,) = [code for code in PYTHON if "softsign" in code]
    exec(code, scope)
    from lstmsym.notation import absolute

    x = sympy.Symbol("x", real=True)
    value = x / (1 + sympy.Abs(x))
    (found,) = scope["row"].pull(value, sympy.Integer(1), (x,), [()])
    found = found.replace(absolute, sympy.Abs)
    for point in (-3, sympy.Rational(-1, 2), 2):
        assert found.subs(x, point) == value.diff(x).subs(x, point).doit()


def test_the_backend_to_add_has_the_six_places() -> None:
    from lstmsym import cells, derive, plan

    scope: dict[str, Any] = {"__name__": "readme"}
    (code,) = [code for code in PYTHON if "BACKEND" in code]
    exec(code, scope)
    program = plan(derive(cells.find("lstm")))
    assert len(scope["BACKEND"].page(program)) > 20


def test_links_lead_somewhere() -> None:
    for file in (ROOT / "README.md", *ROOT.glob("docs/*.md"), ROOT / "CONTRIBUTING.md"):
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", file.read_text(encoding="utf-8")):
            assert (file.parent / link).exists(), f"{file.name}: {link}"


def test_what_pip_installs_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    pip = [shlex.split(line) for line in COMMANDS if line.startswith("pip ")]
    assert pip
    for words in pip:
        assert words[1] == "install" and words[-1].startswith(".")
        assert set(re.findall(r"\w+", words[-1])) <= set(extras)


def test_nothing_else_is_run() -> None:
    """A line that no test here runs is installation, the tests themselves, or the benchmark."""
    known = ("lstmsym ", "pip install ", "python -m pytest", "python my_cell.py", "python benchmarks/run.py")
    assert [line for line in COMMANDS if not line.startswith(known)] == []
    assert (ROOT / "benchmarks" / "run.py").is_file()


def test_every_shipped_cell_is_in_the_table() -> None:
    from lstmsym import cells

    rows = "".join(line for line in README.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", rows)) == set(cells.names())
