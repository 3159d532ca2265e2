"""Plain text and scans in several styles, each with right and wrong lines: what is read, and what is found of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmsym.binding.verify import verify_document
from lstmsym.documents.layout import stretches
from lstmsym.documents.links import mistyped
from lstmsym.documents.read import read
from lstmsym.documents.result import Row
from lstmsym.documents.rows import Equation
from lstmsym.documents.scanned import letters_for_digits

DATA = Path(__file__).parent / "data" / "plain"
LETTER = {
    "not-a-claim": "n",
    "proved": "P",
    "conditional": "C",
    "refuted": "R",
    "unread": "U",
    "undecided": "O",
}
EXPECTED = {
    "email-gru.txt": "7f 8f 9f 10f 14P 15P 16P 17P 18P 19P 20P 22P 23R 25R 29n",
    "unicode-lstm.txt": "3f 4f 5f 6f 7f 8f 12P 13P 14P 15P 16R 17P 18P 19R",
    "chinese-full-width.txt": "1f 1f 1n 1n 3n 3P 3P 3P 5P 7P 7R",
    "numbered-peephole.txt": "3f 4f 5f 6f 8f 9f 11n 13P 14P 15P 18P 19P 20P 21P 22R",
    "table.md": "5f 5P 6f 6P 7f 7P 8R",
    "scanned-lstm.txt": "3f 4f 5f 6f 7f 8P 9f 11n 12n 14P 16P 18P 20P 22U 24R",
    "code-in-text.md": "3f 3f 5P 5P 5P 6P 6R 6P 8n",
    "matlab.txt": "3f 4f 5f 6n 9C 10P 11P 12P 13R 14P 15P",
    "wiki.txt": "2f 2f 3f 4f 5P 6R",
    "chinese-notes.txt": "2f 3f 3f 4f 5f 6f 8n 9P 10P 11P 11P 11P 12P 12R",
    "reply.txt": "2f 3n 3f 6P 7P 8R 10P",
    "spaced-scan.txt": "3f 4f 5f 6f 7f 8f 11P 12P 13P 14P 15R",
    "sentences.txt": "3f 3f 4f 4f 6P 7P 8R 9P 11n 11n 11n 11n",
}
"""Line and verdict of each row that is no prose; wrong are a sign, a step, a factor or a name changed by hand."""


def rows(text: str) -> list[Row]:
    return [row for row in verify_document(text, "a.txt").rows if row.kind != "prose"]


def equations(text: str) -> list[str]:
    return [row.source for row in read(text, "a.txt").rows if isinstance(row, Equation)]


@pytest.mark.parametrize("name", EXPECTED)
def test_documents(name: str) -> None:
    found = rows((DATA / name).read_text(encoding="utf-8"))
    shown = [f"{r.line}{'f' if r.kind == 'forward' else LETTER[r.verdict]}" for r in found]
    assert shown == EXPECTED[name].split()


def test_damage_is_noted() -> None:
    text = (DATA / "scanned-lstm.txt").read_text(encoding="utf-8")
    notes = {row.line: row.notes for row in read(text, "a.txt").rows if row.notes}
    assert "closed by a single $" in notes[9][0] and "1 at a step is read as the letter l" in notes[12][0]
    assert "spaces around the dots" in notes[20][0]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("(3) c(t) = f(t)*c(t-1) + i(t)*g(t)", ["c(t) = f(t)*c(t-1) + i(t)*g(t)"]),
        ("> > 4a) h_t = o_t * c_t   (4a)", ["h_t = o_t * c_t"]),
        ("c(t) = f(t)*c(t-1)\n       + i(t)*g(t)\nand so on", ["c(t) = f(t)*c(t-1)\n       + i(t)*g(t)"]),
        ("- h_t = o_t * c_t\n- dx_t = W^T da_t", ["h_t = o_t * c_t", "dx_t = W^T da_t"]),
        (
            "dL/ds(t)\n  = dL/dh(t) * o(t)\n  = o(t) * dh(t)",
            ["dL/ds(t)\n  = dL/dh(t) * o(t)", "= o(t) * dh(t)"],
        ),
        ("因此 ds = self. state. o * top_diff_h。", ["ds = self. state. o * top_diff_h"]),
        ("其中，ｈ（ｔ）＝ｏ（ｔ）＊ｃ（ｔ）。", ["ｈ（ｔ）＝ｏ（ｔ）＊ｃ（ｔ）"]),
        ("dW = sum over t of da_t x_t^T, as above", ["dW = sum over t of da_t x_t^T"]),
        ("see http://a.org/?x=1 and <b class=x>, or run --n=3", []),
        ("the sum is at t = T, for k = 1 too", []),
    ],
)
def test_equations_in_text(text: str, wanted: list[str]) -> None:
    assert equations(text) == wanted


def test_stretches_keep_the_length_of_the_text() -> None:
    text = "> (1) ａ = b\n>       + c   (1)\n\n- d = sum over t of e\n"
    assert all(len(part.text) <= len(text) - part.start for part in stretches(text))
    assert next(part.text.split() for part in stretches(text) if part.text.strip()) == [
        "a",
        "=",
        "b",
        "+",
        "c",
    ]


def test_what_is_only_supposed_claims_nothing() -> None:
    cell = "h_t = tanh(W x_t + U h_{t-1})\n\n"
    assert rows(cell + "If dL/dx_t = W dL/dh_t then all is lost.")[-1].verdict == "not-a-claim"
    assert rows(cell + "So dL/dx_t = W dL/dh_t and all is lost.")[-1].verdict == "refuted"


def test_a_right_side_that_breaks_off_is_not_taken_for_a_shorter_one() -> None:
    found = rows("h_t = tanh(W x_t + U h_{t-1})\n\ndL/dx_t = W^T dL/dh_t * (1 - 图 h_t^2)\n")
    assert found[-1].verdict in ("unread", "undecided")


def test_letters_for_digits_only_where_the_letter_is_known() -> None:
    assert letters_for_digits("L(t) = 1(t) + 1(t+1)")[0] == "L(t) = 1(t) + 1(t+1)"
    text, notes = letters_for_digits("l(t) = 2\nL(t) = 1(t) + h_1(t)")
    assert text.endswith("L(t) = l(t) + h_1(t)") and list(notes) == [2]


def test_links_that_differ_by_what_looks_alike() -> None:
    (found,) = mistyped(
        "http://a.org/1stm.html\nhttp://a.org/lstm.html\nhttp://a.org/2.html http://a.org/3.html"
    )
    assert (found.line, found.other, found.taken) == (1, 2, "1 for l")


RESTATED = """
f_t = sigma(W_f x_t + U_f h_{t-1} + b_f)
a_t = tanh(W_a x_t + U_a h_{t-1} + b_a)
h_t = f_t * h_{t-1} + (1 - f_t) * a_t

With z_t = [x_t, h_{t-1}] this is

f_t = sigma(V_f z_t + b_f)
a_t = tanh(V_a z_t + b_a)

and dL/db_a = sum_t dL/dh_t * (1 - f_t) * (1 - a_t^2), dL/dV_f = sum_t (dL/dh_t * (h_{t-1} - a_t) * f_t * (1 - f_t)) z_t^T.
"""


def test_a_system_said_again_in_other_names() -> None:
    verdicts = [r.verdict for r in rows(RESTATED)]
    assert verdicts == ["not-a-claim"] * 4 + ["proved"] * 4
    assert rows(RESTATED)[4].message == "the same function as in line 2"
    swapped = rows(RESTATED.replace("a_t = tanh(V_a z_t", "a_t = tanh(V_f z_t"))
    assert "another function" in swapped[1].message, "one matrix for two is not the same"
    squashed = rows(RESTATED.replace("f_t = sigma(V_f", "f_t = tanh(V_f"))
    assert "another function" in squashed[0].message


LOSS = """
h(t) = tanh(W x(t) + U h(t-1))
l(t) = ||h(t) - y(t)||^2
L(t) = sum_{s=t}^{T} l(s)
"""


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("L(t) = l(t) + L(t+1)", "proved"),
        ("L(t) = l(t) + L(t-1)", "refuted"),
        ("L(t) = l(t) + sum_{k=t+1}^{T} l(k)", "proved"),
        ("L(t) = sum_{k=t+1}^{T} l(k)", "refuted"),
        ("dL(t)/dh(t) = sum_{s=t}^{T} dl(s)/dh(t)", "proved"),
        ("dL(t)/dh(t) = sum_{s=t+1}^{T} dl(s)/dh(t)", "refuted"),
        ("dL/dw = sum_{t=1}^{T} dL/dh(t) dh(t)/dw", "conditional"),
    ],
)
def test_the_loss_still_to_come(line: str, verdict: str) -> None:
    assert rows(LOSS + line)[-1].verdict == verdict


def test_a_claim_about_what_the_loss_does_not_read_stays_open() -> None:
    text = LOSS + "v(t) = sigma(Q x(t))\ndL/dv(t) = 3 dL/dv(t)\n"
    assert rows(text)[-1].verdict in ("undecided", "unread")


@pytest.mark.parametrize("number", ["1e999999999", "1e-999999999", "1e-12"])
def test_numbers_stay_small(number: str) -> None:
    found = rows(f"h_t = tanh(W x_t + U h_{{t-1}})\n\ndL/dx_t = {number} * W^T dL/dh_t\n")
    assert found[-1].verdict == ("refuted" if number == "1e-12" else "unread")


ALIKE = """
f_t = sigma(W_fx x_t + W_fh h_{t-1} + b_f)
a_t = tanh(W_ax x_t + W_ah h_{t-1} + b_a)
h_t = f_t * h_{t-1} + (1 - f_t) * a_t
z_t = [x_t, h_{t-1}]
a_t = tanh(W_a z_t + b_a)
"""


def test_equations_are_stacked_by_the_example_of_others() -> None:
    """W_f is said nowhere: as W_a is of W_ax and W_ah, it is of W_fx and W_fh."""
    right = "dL/dW_f = sum_t (dL/dh_t * (h_{t-1} - a_t) * f_t * (1 - f_t)) z_t^T\n"
    assert rows(ALIKE + right)[-1].verdict == "proved"
    assert rows(ALIKE + right.replace("h_{t-1} - a_t", "a_t - h_{t-1}"))[-1].verdict == "refuted"
    apart = "dL/dW_fx = sum_t (dL/dh_t * (h_{t-1} - a_t) * f_t * (1 - f_t)) x_t^T\n"
    assert rows(ALIKE + apart)[-1].verdict == "proved"
    assert rows(ALIKE.rpartition("a_t = ")[0] + right)[-1].verdict == "undecided"


def test_a_mark_behind_the_gradient_of_a_letter():
    text = (
        "    h̃ₜ = tanh(W xₜ + U hₜ₋₁)\n    hₜ = zₜ ⊙ h̃ₜ + (1 − zₜ) ⊙ hₜ₋₁\n    zₜ = σ(V xₜ)\n"
        "    dh̃ₜ = dhₜ ⊙ zₜ\n    dh̃ₜ = dhₜ ⊙ (1 − zₜ)\n    dzₜ = dhₜ ⊙ (h̃ₜ − hₜ₋₁)\n"
    )
    assert [row.verdict for row in verify_document(text, "a.txt").rows][3:] == ["proved", "refuted", "proved"]
