"""A derivation beside a document's lines: each verdict stands next to the line that it is about."""

from __future__ import annotations

from rich.console import Console

from lstmsym import Claims, cells, derive, tanh, verify
from lstmsym.beside import beside, forward_lines

LSTM = cells.find("nicodjimenez")


# fmt: off
class Notes(Claims, of=LSTM):
    """Two gates by one formula, one by another; remarks on ds."""

    claim("forward", h[t], o * tanh(s[t]))
    claim("label", ds * f, D(L[t], s[t]))
    claim("right", D(L[t], x_c[t]), dx_c)
    claim("held", ds_prev[t+1], D(L[t+1], s[t]))
    do = dh * s[t-1]
    dW_i += outer(da_i, x_c)
    dW_f += outer(da_f, x_c)
    dW_o += outer(da_o, x_c).T
    dW_g += outer(da_g, x_c)
# fmt: on


def shown(width: int = 120) -> list[str]:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(beside(derive(LSTM), verify(Notes), []))
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def test_what_is_wrong_stands_beside_what_is_right() -> None:
    lines = shown()
    assert "h = o ⊙ s REFUTED h = o ⊙ tanh(s) (right with no tanh)" in lines
    place = lines.index("δs = δh ⊙ o + δs_prev[t+1] REFUTED δs ⊙ f = ∂L/∂s (right with s[t-1] for s[t])")
    assert lines[place + 1].startswith("δo = δh ⊙ s REFUTED δo = δh ⊙ s[t-1] (right with s[t] for s[t-1])")
    assert "δs_prev = δs ⊙ f PROVED IF δs_prev[t+1] = ∂L[t+1]/∂s (if at fixed h[t])" in lines
    assert not any("∂L/∂x_c" in line for line in lines)  # right, and no line of a derivation
    assert "δx = δx_c[:m]" in lines  # of which the document says nothing


def test_gates_are_one_row_where_all_of_it_is_the_same() -> None:
    lines = shown()
    assert "δW_k = Σ_t δa_k x_cᵀ k = i, f PROVED δW_k += δa_k x_cᵀ" in lines
    assert any(line.startswith("δW_o = Σ_t δa_o x_cᵀ REFUTED") for line in lines)
    assert "δW_g = Σ_t δa_g x_cᵀ PROVED δW_g += δa_g x_cᵀ" in lines
    assert "δb_k = Σ_t δa_k k = i, f, o, g" in lines


def test_forward_equations_side_by_side() -> None:
    lines = forward_lines(derive(LSTM))
    assert len(lines) == 4 and lines[0] == "x_c = concat(x, h[t-1])    o = σ(W_o x_c + b_o)"
