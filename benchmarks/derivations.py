"""How the verdicts on `derivations/` agree with what is expected.

    python benchmarks/derivations.py [-v] [NAME ...]

Per document: rows expected and found, agreement, errors missed, right lines refuted, unread rows.
Listings are left out unless asked for with ``--listings``.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from lstmsym.binding.verify import verify_document
from lstmsym.documents.result import Row

ROOT = Path(__file__).resolve().parent.parent / "derivations"


def compared(path: Path) -> list[tuple[dict[str, str], Row | None]]:
    """Each expected row with the finding for it."""
    expected = json.loads(path.read_text(encoding="utf-8"))
    document = path.with_name(expected["document"])
    text = document.read_text(encoding="utf-8")
    found = list(verify_document(text, document.name).rows)
    pairs = []
    lines = text.split("\n")
    for row in expected["rows"]:
        if in_listing(lines, row["line"]) and "--listings" not in sys.argv:
            continue
        match = best(row, [f for f in found if f.line == row["line"]])
        if match is not None:
            found.remove(match)
        pairs.append((row, match))
    return pairs


def in_listing(lines: list[str], line: int) -> bool:
    """Whether a line stands in a fence of code."""
    fences = [x.strip() for x in lines[: line - 1] if x.strip().startswith("```")]
    return len(fences) % 2 == 1 and fences[-1] not in ("```math", "```latex")


def best(row: dict[str, str], found: list[Row]) -> Row | None:
    """The finding whose source is most like an expected row's."""
    wanted = "".join(row["source"].split())
    alike = [f for f in found if "".join(f.source.split()) in wanted or wanted in "".join(f.source.split())]
    solid = [f for f in alike if f.kind != "prose"]
    return next(iter(solid or alike or [f for f in found if f.kind != "prose"]), None)


def main(names: Iterable[str]) -> None:
    """Print the table."""
    wanted = [n for n in names if not n.startswith("-")]
    totals: Counter[str] = Counter()
    for path in sorted(ROOT.rglob("*.expected.json")):
        if wanted and not any(w in path.name for w in wanted):
            continue
        if json.loads(path.read_text(encoding="utf-8"))["document"].endswith(".py"):
            continue
        start = time.perf_counter()
        pairs = compared(path)
        seconds = time.perf_counter() - start
        counts: Counter[str] = Counter()
        for row, found in pairs:
            counts[kind_of(row["verdict"], found.verdict if found else "no row")] += 1
        totals.update(counts)
        print(f"{path.name.split('.')[0]:28} {len(pairs):3} rows {seconds:5.1f} s  {shown(counts)}")
        if "-v" in sys.argv:
            for row, found in pairs:
                if not found or row["verdict"] != found.verdict:
                    verdict, source = found.verdict if found else "no row", row["source"][:70]
                    print(
                        f"    {row['line']}: expected {row['verdict']}, found {verdict}: {source!r}"
                    )
                    if found:
                        print(f"        {found.message[:150]} {found.assumption[:80]}")
    print(f"{'all':28} {sum(totals.values()):3} rows          {shown(totals)}")


def shown(counts: Counter[str]) -> str:
    """Counts in words."""
    return ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))


def kind_of(expected: str, found: str) -> str:
    """How a verdict agrees with the one expected."""
    if expected == found:
        return "agree"
    if found in ("unread", "no row"):
        return found
    if found == "refuted":
        return "WRONGLY REFUTED"
    if expected == "refuted":
        return "FALSE PROOF" if found in ("proved", "conditional") else "error missed"
    return f"{expected} as {found}"


if __name__ == "__main__":
    main(sys.argv[1:])
