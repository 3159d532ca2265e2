"""The seed document, and a twin of it, from the file to the verdicts: a row for each equation and statement."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmsym.binding.verify import verify_document
from lstmsym.documents.result import Row

HERE = Path(__file__).parent
SEED = HERE.parent.parent / "shared" / "seed" / "lstm.txt"
LETTERS = dict(
    zip("FSNPCR", ("forward", "same", "not-a-claim", "proved", "conditional", "refuted"), strict=True)
)
"""What a row is: forward, or a verdict; the same: a forward equation that says again what another said."""

TWIN = (
    "5F 6F 12F 13F 14F 15S 16F 17F 19F 21S 23S 25S 27S 31N 33N 35P 39C 39P 43P 46C 49C 51R 55P 57P 61R 65R 65C 65P 67P "
    "71P 72P 73P 74P 75P 76P 77P 78P 79R 80P 81P 82P 83P 84P 85C 86P 87P"
)
"""Line and verdict of each row that is no prose: lines 46 and 49 are one bullet, printed twice."""
DERIVATION = (
    "39F 40F 52F 54F 56F 58S 60F 62F 66F 70S 72S 74S 76S 80N 84N 86C 86P 90C 94P 97C 100C 103R 106P 108P 111P "
    "115R 119R 119R 119C 119P 121P 121P 123P"
)
LISTING = " ".join(
    f"{n}{'C' if n == 138 else 'P'}" for n in (*range(130, 147), *range(149, 153), 154, 155, 156)
)
"""Line 138 takes the derivative of tanh, where the text has a function phi and never says which."""


def outcome(row: Row) -> str:
    """One letter for a row."""
    if row.kind == "forward":
        return "F"
    if row.message.startswith("the same function"):
        return "S"
    return next(letter for letter, verdict in LETTERS.items() if verdict == row.verdict)


def found(rows: tuple[Row, ...]) -> list[str]:
    return [
        f"{row.line}{outcome(row)}" for row in rows if row.kind != "prose" and "zeros_like" not in row.source
    ]


def at(rows: tuple[Row, ...], line: int) -> Row:
    return next(row for row in rows if row.line == line and row.kind != "prose")


@pytest.fixture(scope="module")
def twin() -> tuple[Row, ...]:
    path = HERE / "data" / "twin.txt"
    return verify_document(path.read_text(encoding="utf-8"), path.name).rows


@pytest.fixture(scope="module")
def seed() -> tuple[Row, ...]:
    if not SEED.exists():
        pytest.skip("the seed document is not here")
    return verify_document(SEED.read_text(encoding="utf-8"), SEED.name).rows


def test_every_row_of_the_twin_has_its_verdict(twin: tuple[Row, ...]) -> None:
    assert found(twin) == TWIN.split()


def test_the_slips_of_the_twin_are_named(twin: tuple[Row, ...]) -> None:
    assert "line 17 has another function" in at(twin, 6).message
    assert "fixed h(t)" in at(twin, 46).assumption and "fixed h(t)" in at(twin, 49).assumption
    assert at(twin, 51).source.startswith("self. state. bottom_diff_c")
    assert at(twin, 51).repair == r"\frac{dL(t)}{dc(t-1)}\Big|_{h(t-1)}"
    assert at(twin, 61).message == "right without the bars"
    assert "drops the path" in at(twin, 65).message
    assert at(twin, 79).expected == "dz_input = (1 - z ** 2) * dz"
    assert "indentation is lost" in at(twin, 81).message
    assert any("1 for l: the link of line 90" in row.message for row in twin if row.line == 8)


def test_every_row_of_the_seed_has_its_verdict(seed: tuple[Row, ...]) -> None:
    assert found(seed) == (DERIVATION + " " + LISTING).split()


def test_the_slips_of_the_seed_are_named(seed: tuple[Row, ...]) -> None:
    assert "line 62 has another function" in at(seed, 40).message
    assert "fixed h(t)" in at(seed, 97).assumption
    assert r"\frac{dL(t)}{ds(t-1)}" in at(seed, 103).repair
    assert "leaves s(t) free" in at(seed, 86).assumption
    assert "indentation is lost" in at(seed, 140).message
    assert any("1 for l: the link of line 162" in row.message for row in seed if row.line == 48)
