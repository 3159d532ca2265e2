"""The wheel holds the templates, and generates from an installation outside the checkout."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import jinja2

ROOT = Path(__file__).parent.parent


def test_wheel(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "lstmsym/templates/numpy/cell.py.j2" in names and "lstmsym/py.typed" in names
    assert not any(name.startswith(("tests", "generated", "benchmarks")) for name in names)
    home = tmp_path / "env"
    venv.create(home)
    python = home / "bin" / "python"
    (site,) = (home / "lib").glob("python*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    (site / "dependencies.pth").write_text(str(Path(jinja2.__file__).parent.parent))
    where = subprocess.run(
        [python, "-c", "import lstmsym; print(lstmsym.__file__)"], capture_output=True, text=True, cwd="/"
    )
    assert where.stdout.strip().startswith(str(site)), where.stdout + where.stderr
    command = [python, "-m", "lstmsym", "generate", "lstm", "--backend", "numpy", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "lstm.py").read_bytes() == (ROOT / "generated" / "numpy" / "lstm.py").read_bytes()
