"""Errors of our own and endless work: a row or a sentence for a user, an error for the tests."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from lstmsym import deadline
from lstmsym.__main__ import main
from lstmsym.binding import judging, verify
from lstmsym.binding.several import Several
from lstmsym.binding.verify import verify_document
from lstmsym.deadline import TooLong, within
from lstmsym.defects import STRICT
from lstmsym.documents.limits import DocumentError
from lstmsym.generated import write_whole

CELL = r"""$$h_t = \tanh(W x_t + U h_{t-1} + b)$$

$$\delta a_t = dh_t \odot (1 - h_t^2), \quad dW = \sum_t \delta a_t x_t^\top$$
"""


def broken(self: object, line: object) -> str:
    """A fault."""
    return {}["nothing"]


def endless(self: object, line: object) -> str:
    """No end."""
    while True:
        pass


def test_tests_are_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Several, "definition", broken)
    assert os.environ[STRICT]
    with pytest.raises(KeyError, match="nothing"):
        verify_document(CELL, "a.md")


def test_a_user_has_a_row_for_each_line_that_meets_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STRICT)
    monkeypatch.setattr(Several, "definition", broken)
    rows = verify_document(CELL, "a.md").rows
    assert [row.verdict for row in rows] == ["not-a-claim", "undecided", "undecided"]
    assert "a fault of lstmsym itself (KeyError" in rows[1].message and "report it" in rows[1].message


def test_a_fault_outside_the_lines_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(STRICT)
    monkeypatch.setattr(verify, "opened", broken)
    path = tmp_path / "a.md"
    path.write_text(CELL, encoding="utf-8")
    done = CliRunner().invoke(main, ["verify", str(path)])
    assert done.exit_code == 2 and done.stderr.count("\n") == 1 and "please report it" in done.stderr


def test_endless_lines_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Several, "definition", endless)
    monkeypatch.setattr(judging, "LINE", 0.2)
    start = time.process_time()
    rows = verify_document(CELL, "a.md").rows
    assert time.process_time() - start < 5
    assert [row.message for row in rows[1:]] == [judging.ENDLESS] * 2


def test_endless_documents_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "opened", lambda *_: endless(0, 0))
    monkeypatch.setattr(verify, "READING", 0.2)
    with pytest.raises(DocumentError, match=r"a\.md: it takes too long: give the part"):
        verify_document(CELL, "a.md")


def test_the_nearest_of_limits_inside_each_other_counts() -> None:
    for outer, inner in ((0.1, 5), (5, 0.1)):
        with pytest.raises(TooLong), within(outer), within(inner):
            endless(0, 0)
    with within(0.3), pytest.raises(TooLong):
        with pytest.raises(TooLong), within(0.1):
            endless(0, 0)
        endless(0, 0)
    with within(0.05):
        pass
    start = time.process_time()
    while time.process_time() - start < 0.1:
        pass
    assert deadline.LINE < deadline.READING < deadline.WHOLE


def test_names_that_weights_alone_define_have_no_step() -> None:
    text = r"""$$w = g \odot v, \quad h_t = \tanh(w \odot x_t + U h_{t-1} + b)$$

$$da_t = dh_t \odot (1 - h_t^2), \quad dw = \sum_t da_t \odot x_t$$

$$dg = v \odot dw, \quad dv = v \odot dw$$
"""
    assert [row.verdict for row in verify_document(text, "a.md").rows[2:]] == ["proved"] * 3 + ["refuted"]


def test_a_document_may_have_more_sizes_than_letters() -> None:
    layers = [
        rf"$$h^{{({k})}}_t = \tanh(W_{{{k}}} x^{{({k})}}_t + U_{{{k}}} h^{{({k})}}_{{t-1}} + b_{{{k}}})$$"
        "\n\n"
        rf"$$da^{{({k})}}_t = dh^{{({k})}}_t \odot (1 - (h^{{({k})}}_t)^2)$$"
        "\n\n"
        rf"$$dW_{{{k}}} = \sum_t da^{{({k})}}_t x^{{({k})\top}}_t$$"
        for k in range(5)
    ]
    rows = verify_document("\n\n".join(layers), "a.md").rows
    assert [row.verdict for row in rows] == ["not-a-claim", "proved", "proved"] * 5


def test_the_loss_is_called_as_the_document_calls_it() -> None:
    text = r"""$$h_t = \tanh(W x_t + U h_{t-1} + b)$$

$$\frac{\partial J}{\partial x_t} = W^\top \left( \frac{\partial J}{\partial h_t} \odot h_t \right)$$
"""
    row = verify_document(text, "a.md").rows[-1]
    assert row.verdict == "refuted"
    assert r"\partial J" in row.expected and r"\partial L" not in row.expected + row.repair + row.about


def test_assumptions_are_in_the_notation_of_the_document() -> None:
    text = r"""$$\tilde s_t = \tilde s_{t-1} + i_t \odot x_t, \quad i_t = \sigma(U q_{t-1}), \quad q_t = \tanh(\tilde s_t)$$

$$\frac{\partial q_t}{\partial \tilde s_{t-1}} = \mathrm{diag}(1 - q_t^2)$$
"""
    row = verify_document(text, "a.md").rows[-1]
    assert (
        row.verdict == "conditional" and "[t" not in row.assumption and "fixed q_{t-1}" in row.assumption
    ), row


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "file"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "told")
    assert os.read(reader, 10) == b"told" and pipe.is_fifo()
    os.close(reader)
    link.symlink_to(file)
    write_whole(link, "told")
    assert link.is_symlink() and file.read_text(encoding="utf-8") == "told"
