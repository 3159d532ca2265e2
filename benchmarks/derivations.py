"""How the verdicts on `derivations/` agree with what is expected.

python benchmarks/derivations.py [-v] [NAME ...]                  a line a document; -v: differences
python benchmarks/derivations.py --table > docs/derivations.md    the page of results
python benchmarks/derivations.py --check                          whether that page is still right
"""

from __future__ import annotations

import difflib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstmsym.binding.verify import verify_document
from lstmsym.documents.limits import DocumentError
from lstmsym.documents.result import Row

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "derivations"
PAGE = ROOT / "docs" / "derivations.md"
HEAD = """# Published derivations, verified

What `lstmsym verify` says of the documents in [derivations/](../derivations): backward passes of recurrent
networks as their authors published them, errors left in place. This page is made by
`python benchmarks/derivations.py --table > docs/derivations.md`; its figures are measured.

*Right*, *if* (right under a reading that is named), *wrong* and *open* (undecided or unread) count equations
and statements as the tool judges them; what only defines is left out. *As expected* compares all rows with
`NAME.expected.json`, whose verdicts were found by hand and by numbers, without this tool
([how](../derivations/README.md)). The last column says, from the same file, where a derivation goes wrong.
"""
COLUMNS = "| derivation | citation | right | if | wrong | open | as expected | where it goes wrong |"
ALIGNED = "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |"
TITLES = {FOLDER: "## As published", FOLDER / "styles": "## Written for this collection, in other styles"}


@dataclass(frozen=True)
class Measured:
    """A document with what is expected of it, and the row that was found for each that is expected."""

    path: Path
    expected: dict[str, Any]
    pairs: tuple[tuple[dict[str, str], Row | None], ...]
    counts: dict[str, int]
    seconds: float

    @property
    def agreeing(self) -> int:
        """How many rows are as expected."""
        return sum(found is not None and row["verdict"] == found.verdict for row, found in self.pairs)


def measured(path: Path) -> Measured:
    """Verify the document of a file of expected verdicts."""
    start = time.perf_counter()
    expected = json.loads(path.read_text(encoding="utf-8"))
    document = path.with_name(expected["document"])
    try:
        rows = verify_document(document.read_text(encoding="utf-8"), document.name).rows
    except DocumentError:
        rows = ()
    left = list(rows)
    pairs = []
    for row in expected["rows"]:
        match = best(row, [f for f in left if f.line == row["line"]])
        if match is not None:
            left.remove(match)
        pairs.append((row, match))
    counts = Counter(row.verdict for row in rows)
    return Measured(path, expected, tuple(pairs), dict(counts), time.perf_counter() - start)


def best(row: dict[str, str], found: list[Row]) -> Row | None:
    """The row whose source is most like an expected row's."""
    wanted = "".join(row["source"].split())
    alike = [f for f in found if "".join(f.source.split()) in wanted or wanted in "".join(f.source.split())]
    solid = [f for f in alike if f.kind != "prose"]
    return next(iter(solid or alike or [f for f in found if f.kind != "prose"]), None)


def main(args: Sequence[str]) -> int:
    """Print what is asked for; 1 where the page of results is out of date."""
    wanted = [a for a in args if not a.startswith("-")]
    paths = [
        p for p in sorted(FOLDER.rglob("*.expected.json")) if not wanted or any(w in p.name for w in wanted)
    ]
    with ProcessPoolExecutor() as pool:
        found = pool.map(measured, paths)
        if "--table" in args:
            print(page(list(found)), end="")
        elif "--check" in args:
            return check(page(list(found)))
        else:
            listed(found, "-v" in args)
    return 0


# -- lines ---------------------------------------------------------------------------------------------


def listed(found: Iterable[Measured], verbose: bool) -> None:
    """A line for each document."""
    totals: Counter[str] = Counter()
    for one in found:
        counts = Counter(kind_of(row["verdict"], f.verdict if f else "no row") for row, f in one.pairs)
        totals.update(counts)
        name = one.path.name.split(".")[0]
        print(f"{name:30} {len(one.pairs):3} rows {one.seconds:5.1f} s  {shown(counts)}", flush=True)
        if verbose:
            print("".join(differences(one)), end="")
    print(f"{'all':30} {sum(totals.values()):3} rows          {shown(totals)}")


def differences(one: Measured) -> Iterator[str]:
    """The rows of a document that are not as expected."""
    for row, found in one.pairs:
        verdict = found.verdict if found else "no row"
        if row["verdict"] != verdict:
            yield f"    {row['line']}: expected {row['verdict']}, found {verdict}: {row['source'][:70]!r}\n"
            if found:
                yield f"        {found.message[:150]} {found.assumption[:80]}\n"


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


# -- the page of results -------------------------------------------------------------------------------


def page(found: Sequence[Measured]) -> str:
    """The results as a page of Markdown."""
    parts = [HEAD]
    for folder, title in TITLES.items():
        rows = [table_row(one) for one in found if one.path.parent == folder]
        parts += ["", title, "", COLUMNS, ALIGNED, *rows]
    return "\n".join([*parts, "", f"Together: {totals(found)}.", ""])


def table_row(one: Measured) -> str:
    """A document's line of the table."""
    name = one.path.name.split(".")[0]
    link = (one.path.parent / one.expected["document"]).relative_to(ROOT).as_posix()
    figures = [one.counts.get(v, 0) for v in ("proved", "conditional", "refuted")]
    still = one.counts.get("undecided", 0) + one.counts.get("unread", 0)
    cells = [
        f"[{name}](../{link})", one.expected["citation"], *map(str, (*figures, still)),
        f"{one.agreeing} of {len(one.pairs)}", errors(one.expected["rows"]),
    ]  # fmt: skip
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def errors(rows: Iterable[dict[str, str]]) -> str:
    """Where a derivation is known to go wrong."""
    found = [f"line {row['line']}: {row['why']}" for row in rows if row["verdict"] == "refuted"]
    return "; ".join(found) or "nowhere"


def totals(found: Sequence[Measured]) -> str:
    """All documents in a sentence."""
    rows = sum(len(one.pairs) for one in found)
    agreeing = sum(one.agreeing for one in found)
    kinds = Counter(
        kind_of(row["verdict"], f.verdict if f else "no row") for one in found for row, f in one.pairs
    )
    wrong = sum(row["verdict"] == "refuted" for one in found for row, _ in one.pairs)
    named = sum(
        row["verdict"] == "refuted" == (f.verdict if f else "") for one in found for row, f in one.pairs
    )
    return (
        f"{len(found)} documents, {rows} rows, {agreeing} as expected; errors: {named} of {wrong} refuted, "
        f"{kinds['FALSE PROOF']} proved; right rows refuted: {kinds['WRONGLY REFUTED']}"
    )


def check(text: str) -> int:
    """Say how the page differs from what is measured now."""
    old = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    if old == text:
        return 0
    changed = difflib.unified_diff(
        old.splitlines(), text.splitlines(), str(PAGE), "measured now", lineterm="", n=0
    )
    print("\n".join(changed))
    print("out of date: run python benchmarks/derivations.py --table > docs/derivations.md and read the diff")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
