"""Stacked and block notation: columns of names and of functions, ranges of entries, weights made of blocks."""

from __future__ import annotations

import pytest

from lstmsym.binding.verify import verify_document

LAST = [r"c_t = f_t \odot c_{t-1} + i_t \odot g_t", r"h_t = o_t \odot \tanh(c_t)"]
GATES = [r"i_t = \sigma(a^i_t), \; f_t = \sigma(a^f_t), \; o_t = \sigma(a^o_t), \; g_t = \tanh(a^g_t)", *LAST]
FUNCTIONS = [
    r"\begin{pmatrix} i_t \\ f_t \\ o_t \\ g_t \end{pmatrix} ="
    r"\begin{pmatrix} \sigma \\ \sigma \\ \sigma \\ \tanh \end{pmatrix} W \begin{pmatrix} x_t \\ h_{t-1} \end{pmatrix} + b",
    *LAST,
]
SPLIT = [r"a_t = W x_t + U h_{t-1} + b", r"[a^i_t; a^f_t; a^o_t; a^g_t] = a_t", *GATES]
GATHERED = [r"a_t = [a^i_t; a^f_t; a^o_t; a^g_t]", r"a_t = W x_t + U h_{t-1} + b", *GATES]
RANGES = [
    r"a_t = W x_t + U h_{t-1} + b", r"i_t = \sigma(a_t^{1:n})", r"f_t = \sigma(a_t^{n+1:2n})",
    r"o_t = \sigma(a_t^{2n+1:3n})", r"g_t = \tanh(a_t^{3n+1:4n})", *LAST,
]  # fmt: skip
BLOCKS = [
    r"\begin{bmatrix} a^i_t \\ a^f_t \\ a^o_t \\ a^g_t \end{bmatrix} ="
    r"\begin{bmatrix} W_i & U_i \\ W_f & U_f \\ W_o & U_o \\ W_g & U_g \end{bmatrix}"
    r"\begin{bmatrix} x_t \\ h_{t-1} \end{bmatrix} + \begin{bmatrix} b_i \\ b_f \\ b_o \\ b_g \end{bmatrix}",
    *GATES,
]
SIDE = [
    r"z_t = W [h_{t-1}, x_t] + b",
    r"W = [W_h, W_x]",
    r"h_t = \tanh(z_t)",
    r"dz_t = dh_t \odot (1 - h_t^2)",
]
PARTS = [r"z_t = W_h h_{t-1} + W_x x_t + b", r"W_h = W[:, :n]", r"W_x = W[:, n:]", *SIDE[2:]]
ALONE = [*(rf"{g}_t = {f}(W_{g} [h_{{t-1}}; x_t] + b_{g})" for g, f in zip("ifog", [r"\sigma"] * 3 + [r"\tanh"], strict=True)),
         *LAST, r"W = \begin{bmatrix} W_i \\ W_f \\ W_o \\ W_g \end{bmatrix}"]  # fmt: skip
DOWN = [
    r"dc_t \odot g_t \odot i_t \odot (1 - i_t)", r"dc_t \odot c_{t-1} \odot f_t \odot (1 - f_t)",
    r"dh_t \odot \tanh(c_t) \odot o_t \odot (1 - o_t)", r"dc_t \odot i_t \odot (1 - g_t^2)",
]  # fmt: skip


def column(items):
    """A column of entries."""
    return r"\begin{bmatrix}" + r" \\ ".join(items) + r"\end{bmatrix}"


def verdicts(lines):
    """The verdict on each line of a document."""
    rows = verify_document("".join(f"$${line}$$\n" for line in lines), "a.md").rows
    found = {row.line: row.verdict for row in rows}
    return [found[number] for number in range(1, len(lines) + 1)]


A = r"da_t = " + column(DOWN)
CASES = [
    (FUNCTIONS, [A, r"\begin{bmatrix} dx_t \\ dh_{t-1} \end{bmatrix} = W^\top da_t", r"db = \sum_t da_t",
                 r"dW = \sum_t da_t \begin{bmatrix} x_t \\ h_{t-1} \end{bmatrix}^\top"],
     [A.replace("(1 - f_t)", "f_t"), r"\begin{bmatrix} dh_{t-1} \\ dx_t \end{bmatrix} = W^\top da_t",
      r"dW = \sum_t da_t \begin{bmatrix} h_{t-1} \\ x_t \end{bmatrix}^\top"]),
    *((forward, [A, r"da_t = [da^i_t; da^f_t; da^o_t; da^g_t]", r"dx_t = W^\top da_t", r"dh_{t-1} = U^\top da_t",
                 r"dU = \sum_t da_t h_{t-1}^\top"],
       [r"da_t = [da^f_t; da^i_t; da^o_t; da^g_t]", r"dx_t = U^\top da_t", r"dU = \sum_t da_t h_t^\top"])
      for forward in (SPLIT, GATHERED)),
    (RANGES, [A, rf"da_t^{{1:n}} = {DOWN[0]}", rf"da_t[n:2n] = {DOWN[1]}", r"db = \sum_t da_t"],
     [rf"da_t^{{n+1:2n}} = {DOWN[0]}", A.replace("c_{t-1}", "c_t")]),
    (BLOCKS, [rf"da^i_t = {DOWN[0]}", r"dW_f = \sum_t da^f_t x_t^\top", r"db_o = \sum_t da^o_t",
              r"dx_t = W_i^\top da^i_t + W_f^\top da^f_t + W_o^\top da^o_t + W_g^\top da^g_t"],
     [r"dU_f = \sum_t da^f_t h_t^\top", r"dx_t = W_i^\top da^i_t + W_f^\top da^f_t + W_o^\top da^o_t"]),
    *((forward, [r"dW = \sum_t dz_t [h_{t-1}, x_t]^\top", r"dx_t = W_x^\top dz_t", r"[dh_{t-1}, dx_t] = W^\top dz_t",
                 r"dW_t = dz_t [h_{t-1}, x_t]^\top", r"dW = \sum_t dW_t"],
       [r"dW = \sum_t dz_t [x_t, h_{t-1}]^\top", r"dx_t = W_h^\top dz_t", r"dW_x = \sum_t dz_t h_{t-1}^\top"])
      for forward in (SIDE, PARTS)),
    (ALONE, [A, r"dW = \sum_t da_t [h_{t-1}; x_t]^\top", r"[dh_{t-1}; dx_t] = W^\top da_t"],
     [r"dW = \sum_t da_t [x_t; h_{t-1}]^\top", r"[dx_t; dh_{t-1}] = W^\top da_t"]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids="functions split gathered ranges blocks side parts alone".split())
def test_what_is_stacked_is_taken_apart(case):
    forward, right, wrong = case
    found = verdicts([*forward, *right, *wrong])
    assert not set(found[: len(SIDE) - 1]) & {"refuted", "unread", "undecided"}
    assert found[len(forward) :] == ["proved"] * len(right) + ["refuted"] * len(wrong)


def test_a_name_for_a_column_is_known_by_its_right_entries_even_if_one_is_wrong():
    wrong = A.replace("i_t \\odot (1 - i_t)", "i_t")
    found = verdicts([*ALONE, wrong, r"dW = \sum_t da_t [h_{t-1}; x_t]^\top", r"db_f = \sum_t da_t"])
    assert found[-3:] == ["refuted", "proved", "refuted"]


def test_a_weight_for_a_part_of_itself_is_cut_where_its_operand_is_stacked():
    lines = [r"h_t = \tanh(W [h_{t-1}; x_t] + b)", r"W = W[:, :n]", r"W = W[:n, :]"]
    assert verdicts(lines)[1:] == ["not-a-claim", "refuted"]


def test_a_chain_names_the_factors_of_a_product():
    lines = [
        r"p^t = U x^t + V h^{t-1}", r"h^t = \tanh(p^t)",
        r"p^t = \begin{bmatrix} U & V \end{bmatrix} \begin{bmatrix} x^t \\ h^{t-1} \end{bmatrix} = M v^t",
        r"\delta p^t = \delta h^t (1 - h^t h^t)", r"\delta v^t = M^\top \delta p^t",
        r"\delta M = \sum_t \delta p^t (v^t)^\top", r"\delta M = \sum_t v^t (\delta p^t)^\top",
    ]  # fmt: skip
    assert verdicts(lines)[2:] == ["proved", "proved", "proved", "proved", "refuted"]
