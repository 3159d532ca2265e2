"""Every small damage to a generated file that changes its numbers is caught by the numeric tests."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lstmsym import cells, derive, emit, plan
from lstmsym.backends import find
from lstmsym.check import Case, check, random_case
from lstmsym.emit import Kernel

EDITS: list[tuple[str, str, str]] = [
    ("sign", r" \+= ", " -= "), ("sign", r" -= ", " += "), ("sign", r" \+ (?!\d)", " - "), ("sign", r" - (?!\d)", " + "),
    ("sign", r"1 - ", "1 + "), ("sign", r"= (?=[a-z_]+ [*@])", "= -"),
    ("missing factor", r" \* [a-z_]\w*(?![\w(\[.])", ""), ("missing factor", r"\*\*2", ""), ("missing factor", r" \*= .*$", " *= 1"),
    ("missing factor", r"np\.multiply\((\w+), .*, out=(\w+)\)$", r"\2[...] = \1"), ("missing factor", r"\(1 - (\w+)\) \* ", r"\1 * "),
    ("time shift", r"\[t\]", "[t - 1]"), ("time shift", r"\[t \+ 1\]", "[t]"), ("time shift", r"\[:-1\]", "[1:]"),
    ("time shift", r"= (\w+)_next\b", r"= 0 * \1_next"), ("wrong matrix", r"\.T @ ", " @ "), ("wrong matrix", r"@ (U\w*)$", r"@ \1.T"),
    ("wrong size", r", : (\w+)\]", r", \1 :]"), ("missing sum", r"\.mean\(axis=-1\)", ".sum(axis=-1)"), ("wrong power", r"\*\*2", "**3"),
]  # fmt: skip
GATE = re.compile(
    r"(?<![\w.])(i|f|g|o|r|z|n|di|df|dg|do|dr|dz|dn|h_prev|h_t|c_prev|c_t|s_prev|s_t|dc|dh)(?![\w(\[.=])"
)


def damages(text: str) -> Iterator[tuple[str, str]]:
    """(What it is, the text) with one place of forward or backward changed."""
    lines = text.splitlines()
    start, end = (
        next(k for k, line in enumerate(lines) if line.startswith(f"def {f}(")) for f in ("forward", "check")
    )
    body = [k for k in range(start, end) if re.match(r"    .*(=|return)", lines[k]) and "#" not in lines[k]]
    names = sorted({name for k in body for name in GATE.findall(lines[k])})
    for k in body:
        if re.search(r"\bparams\b|check\(|isinstance|shape|sizes =|wanted|Tape|tape|raise", lines[k]):
            continue
        for what, changed in edited(lines[k], names):
            yield (
                f"{what} in {lines[k].strip()} -> {changed.strip()}",
                "\n".join([*lines[:k], changed, *lines[k + 1 :]]),
            )


def edited(line: str, names: list[str]) -> Iterator[tuple[str, str]]:
    for what, pattern, new in EDITS:
        for match in re.finditer(pattern, line):
            yield what, line[: match.start()] + match.expand(new) + line[match.end() :]
    for match in GATE.finditer(line):
        others = [name for name in names if name != match[0]]
        alike = [name for name in others if name[0] == match[0][0]] or others
        yield "wrong name", line[: match.start()] + alike[match.start() % len(alike)] + line[match.end() :]


def results(kernel: Any, case: Case) -> list[Any]:
    """All that comes out."""
    y, state, tape = kernel.forward(case.params, *case.inputs.values(), state0=case.state0)
    all_grads = [kernel.backward(case.params, tape, case.dy, case.dstate)]
    found = [y, *state.values()]
    if kernel.TARGETS:
        loss, grads = kernel.loss_and_grads(
            case.params, *case.inputs.values(), case.targets, state0=case.state0
        )
        found.append(loss)
        all_grads.append(grads)
    for grads in all_grads:
        found += [
            *grads.params.values(),
            *grads.state0.values(),
            *(getattr(grads, name) for name in case.inputs),
        ]
    return found


def outcome(kernel: Any, case: Case, wanted: list[Any]) -> str:
    """What a damage does: it raises, it changes nothing, or the tests catch it or miss it."""
    try:
        with np.errstate(all="ignore"):
            pairs = zip(results(kernel, case), wanted, strict=True)
            if all(np.allclose(a, b, rtol=1e-6, atol=1e-9) for a, b in pairs):
                return "the same"
            return "missed" if check(kernel, T=3).ok else "caught"
    except Exception:
        return "raises"


@pytest.mark.parametrize("name", cells.names())
def test_every_damage_that_changes_numbers_is_caught(name: str) -> None:
    """A sample of them; ``python tests/test_damage.py`` tries all."""
    found = tried(name, 30)
    assert not found["missed"], "\n".join(found["missed"])
    assert len(found["caught"]) >= 8, found


def tried(name: str, most: int | None = None) -> dict[str, list[str]]:
    """Outcome -> the damages to a cell's file that have it."""
    source = emit(plan(derive(cells.find(name))), "numpy", name)
    right = source.load()
    case = random_case(right, T=3)
    wanted = results(right, case)
    chosen = list(dict.fromkeys(damages(source.text)))
    random.Random(0).shuffle(chosen)
    found: dict[str, list[str]] = {"caught": [], "missed": [], "raises": [], "the same": []}
    for what, text in chosen[:most]:
        kernel = Kernel(name, source.program.cell, find("numpy").load(text, name))
        found[outcome(kernel, case, wanted)].append(what)
    return found


if __name__ == "__main__":
    for name in cells.names():
        found = tried(name)
        print(
            name,
            {kind: len(some) for kind, some in found.items()},
            *found["missed"],
            *found["the same"],
            sep="\n  ",
        )
