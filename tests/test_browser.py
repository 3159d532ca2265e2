"""The page in a real browser: what it looks like at the width of a desktop and of a phone, light and dark.

Skipped only where there is no Chromium; `test_reporting` reads the same page without one.
"""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from results import DERIVATIONS, EVERYTHING, from_expected

from lstmsym.reporting.page import as_html
from lstmsym.verifying import verify_file

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
PAGES = {
    "everything": (EVERYTHING, "en"),
    "long": (from_expected("c19-coursera-v2-2018", "lstm"), "en"),
    "chinese": (from_expected("c20c-cran-gru-units", "gru"), "zh"),
    "judged": (verify_file(str(DERIVATIONS / "c01-nicodjimenez-2015.md")), "zh"),
}
PROBE = """<script>addEventListener('load', () => {
  const root = document.documentElement, wide = root.clientWidth;
  const out = [...document.querySelectorAll('main *, header *')].filter(e => {
    const r = e.getBoundingClientRect(); return r.width && (r.right > wide + 1 || r.left < -1);
  }).map(e => e.tagName + '.' + (e.getAttribute('class') || ''));
  const flat = [...document.querySelectorAll('math')].filter(m => m.checkVisibility({contentVisibilityAuto: true}) && m.getBoundingClientRect().height < 5).length;
  const rows = [...document.querySelectorAll('details.row, .passing li')].map(r => r.getBoundingClientRect().height);
  document.title = JSON.stringify({scroll: root.scrollWidth, wide, out: out.slice(0, 5), flat, rows: rows.length, least: Math.min(...rows)});
})</script>"""


def browser(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}",
        *options,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def screenshot(folder: Path, html: str, width: int, height: int, dark: bool = False) -> list[bytes]:
    (folder / "page.html").write_text(html, encoding="utf-8")
    picture = folder / f"{width}-{dark}.png"
    browser(
        folder, f"--window-size={width},{height}", f"--screenshot={picture}", f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        (folder / "page.html").as_uri(),
    )  # fmt: skip
    return pixels(picture.read_bytes())


def pixels(png: bytes) -> list[bytes]:
    """The rows of an RGB(A) picture, three bytes a pixel."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert depth == 8 and kind in (2, 6)
    size = 3 if kind == 2 else 4
    data, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        data += png[place + 8 : place + 8 + length] if png[place + 4 : place + 8] == b"IDAT" else b""
        place += length + 12
    raw, rows, before = zlib.decompress(data), [], bytearray(width * size)
    for y in range(height):
        start = y * (width * size + 1)
        line = bytearray(raw[start + 1 : start + 1 + width * size])
        _unfilter(raw[start], line, before, size)
        rows.append(bytes(b for x in range(0, len(line), size) for b in line[x : x + 3]))
        before = line
    return rows


def _unfilter(kind: int, line: bytearray, before: bytearray, size: int) -> None:
    for x in range(len(line)):
        a, b, c = (line[x - size] if x >= size else 0), before[x], (before[x - size] if x >= size else 0)
        guess = {0: 0, 1: a, 2: b, 3: (a + b) // 2}.get(kind)
        if guess is None:
            p = a + b - c
            guess = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        line[x] = (line[x] + guess) & 255


def colours(rows: list[bytes]) -> set[tuple[int, ...]]:
    return {tuple(row[x : x + 3]) for row in rows for x in range(0, len(row), 3)}


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_leaves_the_page_at_any_width(name: str, width: int, tmp_path: Path) -> None:
    html = as_html(*PAGES[name])
    frame = f"<!doctype html><body style='margin:0'><iframe srcdoc=\"{{}}\" style='border:0;width:{width}px;height:3000px'></iframe>"
    copy = "<script>setInterval(() => { document.title = frames[0].document.title }, 50)</script>"
    inner = html.replace("</body>", PROBE + "</body>").replace("&", "&amp;").replace('"', "&quot;")
    (tmp_path / "page.html").write_text(frame.format(inner) + copy, encoding="utf-8")
    dom = browser(
        tmp_path,
        "--virtual-time-budget=3000",
        "--window-size=1400,900",
        "--dump-dom",
        (tmp_path / "page.html").as_uri(),
    ).stdout
    found = re.search(r"<title>(\{.*?\})</title>", dom)
    assert found, dom[:300]
    seen = json.loads(found[1])
    assert seen["wide"] == width and seen["scroll"] <= width, seen
    assert not seen["out"], seen
    assert seen["rows"] == len(PAGES[name][0].rows) and seen["least"] > 15, seen
    assert not seen["flat"], "every formula is drawn"


@pytest.mark.parametrize(("width", "height"), [(1200, 900), (390, 844)])
@pytest.mark.parametrize("dark", [False, True])
def test_screenshots(width: int, height: int, dark: bool, tmp_path: Path) -> None:
    rows = screenshot(tmp_path, as_html(EVERYTHING), width, height, dark)
    assert len(rows) == height and len(rows[0]) == 3 * width
    paper = tuple(rows[0][:3])
    assert (sum(paper) < 120) == dark, "the background follows the reader's choice"
    assert all(row[:9] == rows[0][:9] and row[-9:] == rows[0][-9:] for row in rows), "the margins are empty"
    hues = {
        "proved": (0x80C5A2, 0x2B6B4D),
        "conditional": (0x86BFDF, 0x28627F),
        "refuted": (0xF2938A, 0xA6322B),
    }
    for name, (night, day) in hues.items():
        hue = night if dark else day
        assert (hue >> 16, hue >> 8 & 255, hue & 255) in colours(rows), f"{name} has its colour"
    inked = sum(any(tuple(row[x : x + 3]) != paper for x in range(0, len(row), 3)) for row in rows)
    assert inked > height / 4


def test_print_shows_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(as_html(EVERYTHING), encoding="utf-8")
    out = tmp_path / "page.pdf"
    browser(tmp_path, f"--print-to-pdf={out}", "--no-pdf-header-footer", (tmp_path / "page.html").as_uri())
    assert out.read_bytes().startswith(b"%PDF") and out.stat().st_size > 10_000
