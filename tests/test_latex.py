"""LaTeX as papers set it: names, brackets, rows and displays that fit on a page."""

from __future__ import annotations

import re

import pytest

from lstmsym import Cell, Input, Ref, State, cells, derive, n, sigma, t, tanh, weights
from lstmsym.latex import Latex, height, subscripted, width
from lstmsym.render import as_json, latex


@pytest.mark.parametrize(
    ("name", "lag", "shown"),
    [
        ("W_i", None, "W_{i}"), ("x_c", 0, "x_{c,t}"), ("h", -1, "h_{t-1}"), ("leak", None, r"\mathrm{leak}"),
        ("gamma_xi", None, r"\gamma_{xi}"), ("gamma_xf", None, r"\gamma_{xf}"), ("xi", 0, r"\xi_{t}"),
        ("W_alpha", None, r"W_{\alpha}"), ("c_prev", 0, r"c_{\mathrm{prev},t}"), ("eps", None, r"\varepsilon"),
        ("h_tilde", 0, r"\tilde{h}_{t}"), ("hat_p_i_2", 0, r"\hat{p}_{i,2,t}"), ("hat", 0, r"\mathrm{hat}_{t}"),
        ("_", None, r"\mathrm{\_}"),
    ],
)  # fmt: skip
def test_names(name: str, lag: int | None, shown: str) -> None:
    assert subscripted(name, lag) == shown


def test_brackets_stand_where_they_are_needed() -> None:
    show, a, b, c = Latex(), Ref("a", 0), Ref("b", 0), Ref("c", 0)
    assert show((a - b) / c) == r"\frac{a_{t} - b_{t}}{c_{t}}"
    assert show(a / (b + c)) == r"\frac{a_{t}}{b_{t} + c_{t}}"
    assert show((a + b) * c) == r"(a_{t} + b_{t}) \odot c_{t}"
    assert show((a / b) ** 2 * (1 + a / b)).count(r"\left(") == 1
    assert show(a**2) == "a_{t}^{2}" and show((a + b) ** 2) == "(a_{t} + b_{t})^{2}"


def test_long_sums_break_before_a_sign_and_lose_nothing() -> None:
    show = Latex()
    total = sum(Ref(f"alpha_{k}", 0) * Ref(f"beta_{k}", 0) for k in "abcdefgh") - Ref("z", 0)
    lines = show.lines(total)
    assert len(lines) > 1 and all(line[0] in "+-" for line in lines[1:])
    assert " ".join(lines) == show(total)


@pytest.mark.parametrize("name", cells.names())
def test_displays_fit_on_a_page(name: str) -> None:
    for display in re.findall(r"\$\$(.*?)\$\$", latex(derive(cells.find(name))), re.DOTALL):
        rows = [line for line in display.splitlines() if "&" in line]
        assert sum(map(height, rows)) <= 30  # of the 36 that the text of an article holds
        for line in rows:
            # In letters of 5.3 pt: beside name and number in 345 pt.
            assert width(line.split("&")[1]) <= 55, line


def test_invented_names_are_letters_and_the_legend_says_so() -> None:
    for name, letter, code in (("lstm", "z", "hx"), ("gru", "v", "rh")):
        shown = latex(derive(cells.find(name)))
        assert f"${letter}$ is {code} in code" in shown and rf"\mathrm{{{code}}}" not in shown
        assert r"$\overleftarrow{\delta h}_{t}$ what step $t$ sends back to $h_{t-1}$" in shown
    assert '"hx": "z"' in as_json(derive(cells.find("lstm")))
    shown = latex(derive(cells.find("lstm_layernorm")))
    assert r"\hat{c}_{t} &= \operatorname{normalize}(c_{t}, \varepsilon)" in shown and r"\xi" not in shown


def test_a_letter_of_the_cells_own_is_never_taken() -> None:
    class Crowded(Cell):
        x, z = Input(), Input(n)
        h = State()
        W, U, v_x = weights("W U v_x")
        u = sigma(W @ x[t] + v_x @ x[t])
        h[t] = tanh(U @ (u * h[t - 1]) + z[t])

    shown = latex(derive(Crowded))
    assert "q_{t} &= u_{t}" in shown and shown.count(r"\mathrm{uh}") == 0


def test_slices_to_the_end_say_so() -> None:
    assert r"[\delta z_{t}]_{n:} " in latex(derive(cells.find("lstm")))
    assert "δhx[t][n:]" in str(derive(cells.find("lstm")))
