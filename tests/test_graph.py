"""The drawing of a cell: all its dependences, nothing on top of anything else."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from lstmsym import cells
from lstmsym.notation import Ref
from lstmsym.reporting.drawing import label, svg
from lstmsym.reporting.graph import HEIGHT, crossings, dependences, draw, layers, ordered, spots


@pytest.mark.parametrize("name", cells.names())
def test_drawing(name: str) -> None:
    cell = cells.find(name)
    drawing = draw(cell)
    edges = dependences(cell)
    assert {n.ref for n in drawing.nodes} == {r for edge in edges for r in edge}
    assert len(drawing.lines) == len(edges)
    by_row: dict[float, list[tuple[float, float]]] = {}
    for n in drawing.nodes:
        by_row.setdefault(n.y, []).append((n.x - n.width / 2, n.x + n.width / 2))
        assert (
            n.x - n.width / 2 >= 0
            and n.x + n.width / 2 <= drawing.width
            and n.y + HEIGHT / 2 <= drawing.height
        )
    for spans in by_row.values():
        assert all(a[1] + 10 < b[0] for a, b in pairwise(sorted(spans)))
    for line in drawing.lines:
        for x, y in line.points[1:-1]:
            on_it = [n for n in drawing.nodes if abs(n.y - y) < 1 and abs(n.x - x) < n.width / 2 + 5]
            assert not on_it, "a line runs through a node"
        assert all(a[1] < b[1] for a, b in pairwise(line.points)), "lines run downwards"


def test_states_have_two_nodes() -> None:
    refs = {n.ref for n in draw(cells.find("lstm")).nodes}
    assert {Ref("c", -1), Ref("c", 0), Ref("h", -1), Ref("h", 0), Ref("x", 0)} <= refs


@pytest.mark.parametrize(("name", "most"), [("lstm", 6), ("gru", 2), ("lstm_peephole", 9)])
def test_few_lines_cross(name: str, most: int) -> None:
    edges = dependences(cells.find(name))
    rows, links = spots(edges, layers(edges))
    assert crossings(ordered(rows, links), links) <= min(most, crossings(rows, links))


def test_svg_is_well_formed_and_the_same_every_time() -> None:
    text = svg(cells.find("lstm_peephole"), "a <title>")
    root = ET.fromstring(text)
    assert root.get("viewBox") and text == svg(cells.find("lstm_peephole"), "a <title>")


def test_labels_are_set_as_papers_do() -> None:
    assert "c\u0303" in label(Ref("c_tilde", 0)) and ">t<" in label(Ref("c_tilde", 0))
    assert "Γ" in label(Ref("Gamma_u", -1)) and "u,t−1" in label(Ref("Gamma_u", -1))
