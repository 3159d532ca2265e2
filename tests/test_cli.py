"""The command line as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def lstmsym(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "lstmsym", *args]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, encoding="utf-8")


def test_cells_and_derive() -> None:
    assert "gru_reset_after" in lstmsym("cells").stdout
    assert {row["name"] for row in json.loads(lstmsym("cells", "--format", "json").stdout)} >= {"lstm", "mgu"}
    assert "δc[t]" in lstmsym("derive", "lstm").stdout
    assert r"\odot" in lstmsym("derive", "lstm", "--format", "latex").stdout
    assert (
        json.loads(lstmsym("derive", "examples/mycell.py:MyCell", "--format", "json").stdout)["cell"]
        == "MyCell"
    )


def test_verify() -> None:
    done = lstmsym("verify", "examples/notes.py")
    assert done.returncode == 1 and "REFUTED" in done.stdout and "c[t-1] for c[t]" in done.stdout
    document = json.loads(lstmsym("verify", "seed", "--format", "json").stdout)
    assert document["summary"]["refuted"] == 7 and "undecided" not in document["summary"]


def test_generate_and_check(tmp_path: Path) -> None:
    done = lstmsym(
        "generate", str(ROOT / "examples/mycell.py:MyCell"), "--backend", "numpy", "--out", ".", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert subprocess.run([sys.executable, "my_cell.py"], cwd=tmp_path).returncode == 0
    assert lstmsym("check", "gru").returncode == 0
    assert lstmsym("generate", "--all", "--check").returncode == 0
    assert "2*T + 4" in lstmsym("plan", "lstm").stdout


def test_stale_files_are_named(tmp_path: Path) -> None:
    lstmsym("generate", "--all", "--out", str(tmp_path))
    (tmp_path / "gru.py").write_text("old")
    (tmp_path / "mgu.py").unlink()
    (tmp_path / "other.py").write_text("")
    done = lstmsym("generate", "--all", "--check", "--out", str(tmp_path))
    assert done.returncode == 1
    for word in ("stale", "missing", "superfluous"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("derive", "lstmm"), "no cell 'lstmm'"),
        (("derive", "nowhere.py:Cell"), "no such file"),
        (("derive", "examples/mycell.py:Nobody"), "no cell Nobody"),
        (("derive", "README.md"), "no cell 'README.md'"),
        (("verify", "nothing"), "no page"),
        (("generate",), "--all"),
        (("generate", "lstm", "--backend", "fortran"), "no backend 'fortran'"),
        (("generate", "lstm", "--out", "README.md"), "README.md"),
        (("check", "tests/nasty.py:Stopped"), "stop_gradient"),
        (("frobnicate",), "No such command"),
    ],
)
def test_bad_input_is_one_sentence(args: tuple[str, ...], words: str) -> None:
    done = lstmsym(*args)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


def test_mistakes_in_a_users_file(tmp_path: Path) -> None:
    for text, words in [
        ("class A(Cell):\n    x = Input()", "line"),
        ("def broken(:", "bad.py:1"),
        ("1 / 0", "bad.py:1: ZeroDivisionError"),
        (
            "from lstmsym import *\nclass A(Cell):\n    x, h = Input(), State()\n    h[t] = tanh(Q @ x[t])",
            "bad.py:4",
        ),
    ]:
        file = tmp_path / "bad.py"
        file.write_text(text)
        done = lstmsym("derive", f"{file}:A")
        assert done.returncode == 2 and "Traceback" not in done.stderr
        assert words in done.stderr or words == "line", done.stderr


def test_demo(tmp_path: Path) -> None:
    done = lstmsym("demo", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    loss = float(done.stdout.split("iteration 99:")[1].split()[0])
    # The problem amplifies rounding ten million times, so that other BLAS kernels end up to 1e-8 away.
    assert abs(loss / 2.610763588369991e-06 - 1) < 2e-8
    assert (tmp_path / "loss.svg").read_text().startswith("<svg") and (tmp_path / "nicodjimenez.py").is_file()


@pytest.mark.parametrize("script", ["examples/train_sine.py"])
def test_examples_run(script: str) -> None:
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
