"""The command line as a user types it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lstmsym import cells, derive
from lstmsym.__main__ import main
from lstmsym.demo import train
from lstmsym.emit import Kernel
from lstmsym.locate import load_file
from lstmsym.training import PUBLISHED, original

ROOT = Path(__file__).parent.parent


def lstmsym(*args: str, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "lstmsym", *args]
    codec = environ.get("PYTHONIOENCODING", "utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environ}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, encoding=codec, env=env)


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
        (("derive", "lstmm"), "no cell 'lstmm'; did you mean lstm?"),
        (("derve", "lstm"), "did you mean derive?"),
        (("derive",), "Missing argument 'CELL'; see lstmsym derive --help"),
        (("check", "lstm", "--seed", "-1"), "'--seed': -1 is not in the range"),
        (("check", "lstm", "--seed", "1.5"), "'--seed'"),
        (("plan", "lstm", "--schedule", "fast"), "'default', 'textbook'"),
        (("generate", "lstm", "examples/../lstmsym/cells/lstm.py:LSTM"), "lstm.py too"),
        (("derive", "nowhere.py:Cell"), "no such file"),
        (("derive", "examples/mycell.py:Nobody"), "no cell Nobody"),
        (("derive", "README.md"), "no cell 'README.md'"),
        (("verify", "nothing"), "nothing: no such file"),
        (("generate",), "--all"),
        (("generate", "lstm", "--backend", "fortran"), "no backend 'fortran'"),
        (("generate", "lstm", "--out", "README.md"), "README.md"),
        (("check", "tests/nasty.py:Stopped"), "stop_gradient"),
        (("frobnicate",), "no such command"),
    ],
)
def test_bad_input_is_one_sentence(args: tuple[str, ...], words: str) -> None:
    done = lstmsym(*args)
    assert done.returncode == 2 and words in done.stderr and done.stdout == ""
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("lstmsym: ")


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "lstm.py").mkdir()
    done = lstmsym("generate", "lstm", "--out", str(tmp_path))
    assert done.returncode == 2 and done.stderr == f"lstmsym: {tmp_path / 'lstm.py'}: Is a directory\n"
    assert [p.name for p in tmp_path.iterdir()] == ["lstm.py"]


def test_what_mends_a_stale_file_is_a_command_that_runs(tmp_path: Path) -> None:
    args = ("gru", "examples/mycell.py:MyCell", "--out", str(tmp_path), "--schedule", "textbook")
    done = lstmsym("generate", *args, "--check")
    assert done.returncode == 1 and done.stdout.count("missing") == 2
    (command,) = re.findall(r"run lstmsym (.*) and read the diff", done.stdout)
    assert lstmsym(*command.split()).returncode == 0
    assert lstmsym("generate", *args, "--check").returncode == 0
    assert lstmsym("generate", *args[:-2], "--check").returncode == 1
    assert "--backend numpy --schedule textbook`" in (tmp_path / "gru.py").read_text(encoding="utf-8")


def test_schedules() -> None:
    assert "matrix products: 2*T + 4" in lstmsym("plan", "lstm").stdout
    plan = json.loads(lstmsym("plan", "lstm", "--schedule", "textbook", "--format", "json").stdout)
    assert plan["schedule"] == "textbook" and plan["products"] == "12*T"
    assert lstmsym("check", "lstm", "--schedule", "textbook").returncode == 0


def test_an_interruption_is_no_refuted_claim() -> None:
    code = "import signal; from lstmsym import __main__ as m;"
    code += "signal.signal(signal.SIGINT, signal.default_int_handler);"  # where we run in the background
    code += "m.find_cell = lambda name: signal.raise_signal(signal.SIGINT); m.main(['derive', 'lstm'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 128 + signal.SIGINT and done.stderr.strip() == "lstmsym: interrupted"


def test_terminals_without_our_letters() -> None:
    for encoding in ("ascii", "latin-1", "cp1252"):
        done = lstmsym("derive", "lstm", PYTHONIOENCODING=encoding)
        assert done.returncode == 0 and "?" not in done.stdout and "sigma(a_i[t])" in done.stdout
        assert "dc[t]" in done.stdout and "dl/dh[t]" in done.stdout and "W_i^T da_i[t]" in done.stdout
    assert lstmsym("derive", "lstm").stdout.strip() == str(derive(cells.find("lstm"))).strip()


def test_a_narrow_terminal_gets_blocks() -> None:
    wide, narrow = (lstmsym("verify", "examples/notes.py", COLUMNS=c).stdout for c in ("80", "40"))
    assert "(3)    REFUTED  df = dc[t] * c[t]" in wide
    assert re.search(r"^\(3\) REFUTED\n    df = dc\[t\] \* c\[t\]", narrow, re.MULTILINE)
    assert all(len(line) <= 40 for line in narrow.splitlines())
    assert all(
        word in narrow.split() for word in wide.split() if word not in ("label", "verdict", "equation")
    )


@pytest.mark.parametrize("name", main.commands)  # type: ignore[attr-defined]
def test_help_shows_an_example(name: str) -> None:
    shown = lstmsym(name, "--help").stdout
    assert re.search(rf"Example: lstmsym {name}\b", " ".join(shown.split()))


def test_version_and_help() -> None:
    assert re.fullmatch(r"lstmsym, version [\d.]+\n", lstmsym("--version").stdout)
    assert lstmsym().stdout == lstmsym("--help").stdout and lstmsym().returncode == 0


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
    done = lstmsym("demo", cwd=tmp_path, COLUMNS="100")
    assert done.returncode == 0 and done.stderr == ""
    assert len(done.stdout.splitlines()) <= 55  # one screen
    assert all(f" {verdict} " in done.stdout for verdict in ("PROVED", "PROVED IF", "REFUTED"))
    assert done.stdout.count("47 of 47 gradient checks pass") == 2
    assert (tmp_path / "lstmsym-demo/loss.svg").read_text().startswith("<svg")
    shown = dict(re.findall(r"^(\S.*?\S)  +(\d\.\d+e-06)", done.stdout, re.MULTILINE))
    here = float(shown["the original, run here"])
    # Other matrix routines put the original itself, and us with it, up to 1e-8 away from what it published.
    assert abs(here / PUBLISHED - 1) < 2e-8
    assert abs(float(shown["lstmsym-demo/nicodjimenez.py"]) / here - 1) < 1e-9
    for name in ("lstmsym-demo/nicodjimenez.py", "lstmsym-demo/fast/nicodjimenez.py"):
        kernel = Kernel(name, cells.find("nicodjimenez"), load_file(str(tmp_path / name)))
        assert repr(train(kernel)[99]) == shown[name]  # the file is what was trained with


def test_the_originals_own_training() -> None:
    losses = original()
    assert len(losses) == 100 and losses[0] == pytest.approx(0.7534838862531601, rel=1e-14)
    assert losses[49] == pytest.approx(0.006889814777897137, rel=1e-8)


@pytest.mark.parametrize("script", sorted(path.name for path in (ROOT / "examples").glob("*.py")))
def test_examples_run(script: str) -> None:
    command = [sys.executable, "-W", "error", f"examples/{script}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
