"""The seed document's claims: each verdict for its reason, as a close reading of the document measured them."""

from __future__ import annotations

import pytest

from lstmsym import Claims, Status, Verdict, cells, pages, t, verify

DERIVATION, LISTING = pages.find("seed")
WRONG = {"6", "16", "20", "21", "22, line 2 = line 3"}
RIGHT_IF = {"12", "13", "15", "15, again", "22"}


@pytest.fixture(scope="module")
def verdicts() -> tuple[Verdict, ...]:
    return verify(DERIVATION)


def labelled(verdicts: tuple[Verdict, ...], label: str) -> list[Verdict]:
    return [v for v in verdicts if v.claim.label == label and v.status is not Status.NOT_A_CLAIM]


def test_verdicts_of_the_derivation(verdicts: tuple[Verdict, ...]) -> None:
    for v in verdicts:
        wanted = Status.REFUTED if v.claim.label in WRONG else Status.PROVED
        wanted = Status.PROVED_IF if v.claim.label in RIGHT_IF else wanted
        assert v.status in (wanted, Status.NOT_A_CLAIM), v


def test_every_checkable_row_is_there(verdicts: tuple[Verdict, ...]) -> None:
    rows = {row for v in verdicts for row in v.claim.label.split(", ")}
    assert rows >= {"F4", "F5", *map(str, range(6, 25))}
    assert {v.claim.label for v in verify(LISTING)} >= {"2"}


def test_lines_are_those_of_the_document(verdicts: tuple[Verdict, ...]) -> None:
    lines = {v.claim.symbol: v.claim.line for v in labelled(verdicts, "24")}
    assert lines["ds"] == 130 and lines["da_g"] == 138 and lines["db_g"] == 146
    assert lines["dx_c"] == 149 and lines["ds_prev"] == 154 and lines["dh_prev"] == 156
    assert labelled(verdicts, "16")[0].claim.line == 103


def test_reasons(verdicts: tuple[Verdict, ...]) -> None:
    for label in ("15", "15, again"):
        assert labelled(verdicts, label)[0].assumption == "the derivative is taken at fixed h[t]"
    assert labelled(verdicts, "22")[0].assumption == "dL[t+1]/ds[t] is taken at fixed h[t]"
    assert labelled(verdicts, "16")[0].repair.startswith("dL[t]/ds[t-1] at fixed h[t-1]")
    for label in ("20", "21"):
        assert "ds[t+1] * f[t+1]" in labelled(verdicts, label)[0].expected
    rows = labelled(verdicts, "12") + labelled(verdicts, "13")
    assert len(rows) == 16
    assert all("holds earlier h fixed and leaves s free" in v.assumption for v in rows)


def test_the_chain_sum_is_false_under_both_obvious_readings() -> None:
    # fmt: off
    class Readings(Claims, of=cells.find("nicodjimenez")):
        claim("total", 0 * dW_i + ChainSum(W_i), dW_i)
        claim("immediate", ChainSum(W_i, h[t-1], s[t-1]), dW_i)
        claim("earlier h held", ChainSum(W_i, h[t-1]), dW_i)
        claim("immediate, where s is not between", ChainSum(W_o, h[t-1], s[t-1]), dW_o)
    # fmt: on

    total, immediate, held, output = verify(Readings)
    assert total.status is Status.PROVED_IF and total.assumption
    assert immediate.status is Status.REFUTED
    assert held.status is output.status is Status.PROVED


def test_the_listing_is_wrong_for_the_form_called_the_same() -> None:
    found = verify(LISTING)
    refuted = {v.claim.symbol: v for v in found if v.status is Status.REFUTED}
    assert set(refuted) == {"ds", "do"}
    assert "1 - tanh(s[t])**2" in refuted["ds"].expected and "tanh(s[t])" in refuted["do"].repair
    assert all(v.status in (Status.PROVED, Status.REFUTED, Status.NOT_A_CLAIM) for v in found)
