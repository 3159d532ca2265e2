"""`lstmsym verify FILE` as a user types it: which files are read, how, and what is said of those that are not."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from lstmsym import terminal
from lstmsym.__main__ import main
from lstmsym.binding import told
from lstmsym.documents import limits
from lstmsym.documents.file import decoded
from lstmsym.documents.front import KEYS
from lstmsym.documents.limits import CHARACTERS, DocumentError
from lstmsym.listings import source
from lstmsym.locate import is_page
from lstmsym.mistakes import NotationError

ROOT = Path(__file__).parent.parent
RIGHT = r"""
$$h_t = \tanh(W x_t + U h_{t-1} + b)$$

$$\delta a_t = dh_t \odot (1 - h_t^2), \quad dW = \sum_t \delta a_t x_t^\top$$
"""
WRONG = RIGHT.replace(r"\delta a_t x_t", r"dh_t x_t")


def verify(*args: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["verify", *map(str, args)])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.md"
    path.write_text(RIGHT, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["note.md", "note.tex", "note.txt", "NOTE", "note.markdown"])
def test_right_and_wrong_documents(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(RIGHT, encoding="utf-8")
    status, said, _ = verify(path)
    assert status == 0 and "PROVED" in said and "plain recurrent network with tanh" in said, said
    assert "\x1b" not in said, "no colours but on a terminal"
    path.write_text(WRONG, encoding="utf-8")
    status, said, _ = verify(path)
    assert status == 1
    tail = said[said.index("REFUTED") :]
    assert re.search(r"numbers: at m=\d, n=\d, T=\d: entry .* is \S+, claimed", tail) and "right: " in tail
    assert re.search(r"parameter, n × m: W\b", said) and "state, n: h_{t}" in said, "symbols are explained"


def test_json_has_the_schema(tmp_path: Path) -> None:
    path = tmp_path / "wrong.md"
    path.write_text(WRONG, encoding="utf-8")
    status, said, _ = verify(path, "--format", "json")
    found = json.loads(said)
    assert status == 1 and {"document", "cell", "rows", "summary"} <= set(found)
    keys = "line source kind verdict about expected witness repair assumption message".split()
    assert all(set(keys) <= set(row) for row in found["rows"])
    assert [r["line"] for r in found["rows"]] == [2, 4, 4] and found["document"] == str(path)
    (wrong,) = [r for r in found["rows"] if r["verdict"] == "refuted"]
    assert wrong["source"] in WRONG and wrong["witness"]["sizes"]["T"] >= 3 and wrong["steps"]
    meanings = {symbol["latex"]: symbol["meaning"] for symbol in found["symbols"]}
    assert meanings[r"\delta a_{t}"] == "gradient of the loss by what goes into h"
    assert meanings["dh_{t}"] == "gradient of the loss by h" and meanings["W"] == "parameter"
    assert wrong["steps"][-2]["latex"].startswith("dW = "), "in the author's notation"
    assert found["summary"] == {"proved": 1, "refuted": 1, "not-a-claim": 1}


# -- listings and pages ------------------------------------------------------------------------------

TRAP = "open({!r}, 'w').write('run')\n"
LISTING = """import numpy as np
{trap}
def forward(x, h_prev, W, U, b):
    h = np.tanh(W @ x + U @ h_prev + b)
    return h

def backward(dh, x, h, h_prev, W, U):
    da = dh * (1 - h ** 2)
    dW = np.outer(da, x)
    dx = W.T @ dh
    return dW, dx
"""


def test_a_listing_is_judged_and_never_run(tmp_path: Path) -> None:
    path, mark = tmp_path / "code.py", tmp_path / "mark"
    path.write_text(LISTING.format(trap=TRAP.format(str(mark))), encoding="utf-8")
    status, said, _ = verify(path)
    assert status == 1 and not mark.exists()
    assert re.search(r"9 +PROVED +da = dh \* \(1 - h \*\* 2\)", said)
    assert re.search(r"11 +REFUTED +dx = W\.T @ dh", said) and re.search("right: .*W.T.*da", said)


def test_fences_are_one_program_beside_the_equations(tmp_path: Path) -> None:
    first, second = LISTING.format(trap="").split("def backward")
    text = f"# Note\n\n```python\n{first}```\nwords\n\n```\ndef backward{second}```\n\n```bash\npip install x\n```\n"
    path = tmp_path / "code.md"
    path.write_text(text, encoding="utf-8")
    status, said, _ = verify(path, "--format", "json")
    rows = {row["line"]: row for row in json.loads(said)["rows"]}
    line = text.split("\n").index("    dx = W.T @ dh") + 1
    assert status == 1 and rows[line]["verdict"] == "refuted" and rows[line - 1]["verdict"] == "proved"
    assert "bash is not read" in [*rows.values()][-1]["message"]


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("from lstmsym import Claims, t\nclass A(Claims, of=x): pass", True),
        ("from lstmsym import *\nclass A(Claims, of=x): pass", True),
        ("import lstmsym as L\nclass A(L.Claims, of=x): pass", True),
        ("from lstmsym.verify.claims import Claims as C\nclass A(C, of=x): pass", True),
        ("from lstmsym import load\nh = load('lstm')", False),
        ("class Claims: pass\nclass A(Claims): pass", False),
        ("from other import Claims\nclass A(Claims): pass", False),
        ("def f():\n    from lstmsym import Claims\n    class A(Claims): pass", False),
        ("# from lstmsym import Claims\n'class A(Claims)'", False),
        ("h = (", False),
    ],
)
def test_a_page_is_told_from_a_listing_without_running_either(text: str, page: bool) -> None:
    assert is_page(text, "a.py") is page


def test_pages_that_are_no_python_or_have_no_claims() -> None:
    with pytest.raises(NotationError, match=r"a\.py:3: "):
        is_page("from lstmsym import Claims\nclass A(Claims, of=x):\n    dh = (", "a.py")
    with pytest.raises(NotationError, match="no page of claims"):
        is_page("from lstmsym import Cell\nclass A(Cell): pass", "a.py")


# -- files that can't be used ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("empty.md", b" \n", "is empty"),
        ("words.md", b"No mathematics here.\n", "no equations"),
        ("paper.pdf", b"%PDF-1.7\n\xff", "a PDF: give the source"),
        ("a.docx", b"PK\x03\x04\0\0", "Office document"),
        ("binary.tex", b"\x01\0\xfe\0\0\x07", "binary file"),
        ("latin.tex", "% pr\xe9liminaire\n".encode("latin-1"), "0xe9 on line 1 is no UTF-8: convert it, iconv -f WINDOWS-1252"),
        ("chinese.md", "# \u5faa\u73af\u795e\u7ecf\u7f51\u7edc\n".encode("gb18030"), "iconv -f GB18030"),
        ("wide.txt", "h(t) = tanh(x(t))".encode("utf-16-le"), "UTF-16LE without a byte order mark"),
        ("cut.md", b"\xff\xfeh", "no UTF-16"),
        ("a.ipynb", b"{}", "nbconvert --to markdown"),
        ("large.md", b"x" * (4 * CHARACTERS + 1), "too many"),
        ("many.md", b"$a = b$\n" * 6000, "more than 5000"),
        ("cell.md", b"---\ncell: lstmm\n---\n$h = x$\n", "did you mean lstm?"),
        ("run.md", b"---\ncell: evil.py:A\n---\n$h = x$\n", "--cell evil.py:A"),
    ],
)  # fmt: skip
def test_a_file_that_cant_be_used_is_one_sentence(name: str, data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    status, said, error = verify(path)
    assert status == 2 and said == "" and words in error, error
    assert error.startswith(f"lstmsym: {path}: ") and error.count("\n") == 1


def test_a_page_says_its_cell_itself() -> None:
    assert "--cell is for documents" in verify("seed", "--cell", "lstm")[2]


def test_paths_that_are_no_files(note: Path) -> None:
    folder = note.parent
    for path, words in ((folder, f"a folder: give a file, such as {note}"), (folder / "nota.md", f"did you mean {note}?"),
                        (folder / "x" / "y.md", "no such file"), (Path("/dev/null"), "no regular file")):  # fmt: skip
        status, _, error = verify(path)
        assert status == 2 and words in error, error


def test_the_command_that_is_suggested_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "it's.md"
    path.write_bytes(("循环神经网络\n" + RIGHT).encode("gb18030"))
    command = verify(path)[2].partition("convert it, ")[2]
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    assert verify(tmp_path / "utf8-it's.md")[0] == 0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks(encoding: str, note: Path) -> None:
    note.write_text(RIGHT.replace("\n", "\r\n"), encoding=encoding)
    assert verify(note)[0] == 0


def test_no_bytes_crash_the_reader() -> None:
    for data in (bytes(range(256)), b"\xff\xfe\0", b"\xef\xbb\xbf\xff", b"\xfe\xff\xd8\0", b"\x80" * 9):
        with pytest.raises(DocumentError):
            decoded(data, "a")


# -- reports -----------------------------------------------------------------------------------------


def test_reports_are_written_whole(note: Path, tmp_path: Path) -> None:
    for name, start in (("a.html", "<!doctype"), ("a.md", "# "), ("a.json", "{"), ("a.txt", str(note)[:9])):
        out = tmp_path / "new" / name
        status, said, _ = verify(note, "--out", out)
        assert status == 0 and said == f"{out}\n" and out.read_text(encoding="utf-8").startswith(start)
    assert [p.name for p in (tmp_path / "new").iterdir() if p.name.endswith(".part")] == []
    for out, words in (
        (note, "the document itself"),
        (tmp_path, "is a directory"),
        (note / "a", "File exists"),
    ):
        status, said, error = verify(note, "--out", out)
        assert status == 2 and said == "" and words in error and error.count("\n") == 1
    assert note.read_text(encoding="utf-8") == RIGHT


def test_chinese(note: Path) -> None:
    said = verify(note, "--lang", "zh")[1]
    assert "已证明" in said and "参数" in said and "前向方程" in said


def test_front_matter_names_the_cell_of_a_listing(tmp_path: Path) -> None:
    path = tmp_path / "back.py"
    body = "def backward(dh, x, h):\n    da = dh * (1 - h ** 2)\n    dW = np.outer(da, x)\n"
    path.write_text(body, encoding="utf-8")
    assert verify(path)[0] == 1
    assert verify(path, "--cell", "rnn")[0] == 0
    path.write_text(f"# ---\n# cell: rnn\n# ---\n{body}", encoding="utf-8")
    assert verify(path)[0] == 0
    assert "no cell 'nrr'" in verify(path, "--cell", "nrr")[2]


def run_on_terminal(code: str) -> str:
    """What a program writes to standard error where that is a terminal."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs, env=environ, cwd=ROOT
    )
    assert done.returncode == 0
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 9999)
        except OSError:  # how Linux says that a terminal's other end is closed
            break
        if not piece:
            break
        said += piece
    os.close(ours)
    return said.decode()


WAIT = """import time
from lstmsym.terminal import progress
with progress("[red]working {{x}}", after=0.1) as told:
    for done in range(3):
        told(done, 3)
        time.sleep({pause})
"""


def test_a_bar_for_what_takes_long_on_a_terminal_only(capfd: pytest.CaptureFixture[str]) -> None:
    assert "2/3" in run_on_terminal(WAIT.format(pause=0.2)) and "[red]working {x}" in run_on_terminal(
        WAIT.format(pause=0.2)
    )
    assert run_on_terminal(WAIT.format(pause=0.001)) == ""
    with terminal.progress("working", after=0) as told:
        told(1, 2)
        time.sleep(0.05)
    assert capfd.readouterr() == ("", "")


# -- what the documentation says -----------------------------------------------------------------------

GUIDE = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")


def test_the_guide_says_the_limits_the_keys_and_the_words() -> None:
    for number in (limits.CHARACTERS, limits.MATHEMATICS, limits.ROWS, limits.MACROS, limits.FORMULA,
                   source.MAX_CHARACTERS, source.MAX_LINES):  # fmt: skip
        assert re.search(rf"\b{number:,}\b", GUIDE), number
    assert f"{limits.NESTING} deep" in GUIDE and f"{source.MAX_DEPTH} deep" in GUIDE
    assert {*KEYS} == set(re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE))
    assert all(f"`{word}`" in GUIDE for word in told.ROLES)


def test_the_front_matter_of_the_guide_is_understood(tmp_path: Path) -> None:
    (front,) = re.findall(r"^```text\n(---\n.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "a.md"
    path.write_text(f"{front}\n$$do_t = dh_t \\odot \\tanh(c_t)$$\n", encoding="utf-8")
    assert verify(path)[0] != 2, verify(path)[2]


def test_the_page_of_results_names_every_derivation_and_its_errors() -> None:
    """Its figures are measured: `python benchmarks/derivations.py --check`."""
    page = (ROOT / "docs" / "derivations.md").read_text(encoding="utf-8")
    files = sorted((ROOT / "derivations").rglob("*.expected.json"))
    assert len(re.findall(r"^\| \[", page, re.MULTILINE)) == len(files)
    for file in files:
        expected = json.loads(file.read_text(encoding="utf-8"))
        (line,) = re.findall(rf"^\| \[{re.escape(file.name.split('.')[0])}\].*$", page, re.MULTILINE)
        wrong = [row for row in expected["rows"] if row["verdict"] == "refuted"]
        assert all(
            f"line {row['line']}: " in line and row["why"].replace("|", "\\|") in line for row in wrong
        )
        assert wrong or "nowhere" in line
