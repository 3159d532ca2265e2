"""docs/json.md says what every command's JSON means: its keys are those that are printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lstmsym.__main__ import main

ROOT = Path(__file__).parent.parent
DOCS = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (lstmsym .*?)$\n(.*?)(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL))
CALLS = {
    "cells": ["cells"],
    "derive": ["derive lstm", "derive nicodjimenez", "derive examples/mycell.py:MyCell"],
    "verify": ["verify seed", "verify examples/notes.py"],
    "verify FILE": [
        f"verify derivations/styles/{name}" for name in ("s01-chinese-lstm.md", "s11-damaged-listing.md")
    ],
    "plan": ["plan lstm", "plan nicodjimenez", "plan gru --schedule textbook"],
    "check": ["check rnn", "check rnn_relu"],
}


def name_of(title: str) -> str:
    """The key in `CALLS` of a section."""
    return "verify FILE" if " FILE " in title else title.split()[1]


def printed(line: str) -> Any:
    done = CliRunner().invoke(main, [*line.split(), "--format", "json"])
    assert done.exit_code in (0, 1), done.output

    def refuse(word: str) -> None:
        raise AssertionError(f"{line}: {word} is no JSON")

    return json.loads(done.stdout, parse_constant=refuse)


def paths(value: Any, path: str = "") -> Iterator[str]:
    """The path of every leaf."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{path}[]")
    else:
        yield path


def pattern(documented: str) -> str:
    """A path with words in capitals for keys that vary, as a regular expression."""
    return re.sub(r"[A-Z]{2,}", r"[^.]+", re.escape(documented))


def test_every_command_with_json_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    with_json = {
        name
        for name, command in main.commands.items()  # type: ignore[attr-defined]
        if any(o.name == "form" and "json" in o.type.choices for o in command.params)  # type: ignore[attr-defined]
    }
    assert with_json == {name.split()[0] for name in CALLS}
    assert set(CALLS) == set(map(name_of, SECTIONS))


@pytest.mark.parametrize("title", SECTIONS)
def test_keys_are_those_printed(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    documented = re.findall(r"^\| `(.*?)` \|", SECTIONS[title], re.MULTILINE)
    assert len(documented) == len(set(documented))
    found = {path for line in CALLS[name_of(title)] for path in paths(printed(line))}
    step = r"(forward|backward)\.(before|inside|after)\[\]\.|^loss\[\]\."
    found = {re.sub(step, "forward.inside[].", path) for path in found}
    lists = {path[:-2] for path in found if path.endswith("[]")} | {path.rpartition(".")[0] for path in found}
    for path in found:
        assert any(re.fullmatch(pattern(d), path) for d in documented), f"{path} is not in docs/json.md"
    for path in documented:
        known = found | lists | {"forward.before[]", "forward.after[]", "loss[]"}
        known |= {f"backward.{place}[]" for place in ("before", "inside", "after")}
        assert any(re.fullmatch(pattern(path), f) for f in known), f"{path} is never printed"


def test_numbers_that_json_has_not() -> None:
    from lstmsym.check import Report, Row
    from lstmsym.report import check_json

    rows = (Row("W", "differences", float("nan"), 1e-7), Row("b", "differences", float("inf"), 1e-7))
    found = json.loads(check_json("A", Report("A", rows)))
    assert [r["error"] for r in found["rows"]] == [None, None] and not found["ok"]
    assert [r["ok"] for r in found["rows"]] == [False, False]
