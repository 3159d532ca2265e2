"""What names say: which gradient a name speaks of, which previous value, which quantity."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

PREFIXES = (
    "top_diff_",
    "bottom_diff_",
    "grad_output_",
    "grad_",
    "delta_",
    "diff_",
    "dL_d",
    "dl_d",
    "dE_d",
    "d_",
    "d",
    "D",
    "g",
)
SUFFIXES = ("_diff", "_grad", "_gradient", "_delta", "_d", "_error", "_err", "_update")
NEXT = re.compile(r"^next_?|_?next(?=_|$)|^new_?|_?new$|_?nxt$")
PREV = re.compile(
    r"^prev_?|_?prev(?=_|t?$)|^old_?|_?old$|_?last$|^last_?|_?tm1$|_?pre?v$|_0$|(?<=[a-zA-Z])0$|_?init$"
)
LATER = re.compile(r"(_input|_raw|_in|_z|_pre|_hat|_linear|_net|raw|pre|in)$")

GRADIENTS = re.compile(r"d|d_?params?|d_?weights?|\w*grad(ient)?s?|deltas?|\w*diffs?", re.I)
"""What a collection of gradients is called."""


def kept(container: str, key: str) -> str:
    """What an entry of a collection is called: of gradients, the gradient of what the entry says."""
    if not GRADIENTS.fullmatch(container) or re.match(r"d[_A-Z]|d[a-z]+$|grad|delta", key):
        return key
    return f"d{key}"


def has_prev(name: str) -> bool:
    """Whether a name says that it is the value of the step before."""
    return bool(PREV.search(name)) or name.startswith("bottom_diff_")


def has_next(name: str) -> bool:
    """Whether a name says that it is the value handed on."""
    return bool(NEXT.search(name))


def plain(name: str) -> str:
    """Without marks of the step."""
    stripped = PREV.sub("", NEXT.sub("", name)).strip("_")
    return stripped or name


@lru_cache(maxsize=4096)
def variants(name: str) -> list[str]:
    """A quantity's name as others may shorten it, the fullest first."""
    found = [name, plain(name)]
    for stem in tuple(found):
        found += [stem[:-2]] if stem.endswith(("_s", "_t")) and len(stem) > 2 else []
        found += [stem[:-1]] if stem[-1:] in "st" and len(stem) > 1 else []
    return list(dict.fromkeys(squeezed(f) for f in found if f))


def squeezed(name: str) -> str:
    """Without underscores."""
    return name.replace("_", "") or name


def stems(name: str) -> list[str]:
    """What a gradient's name may be the gradient of: the name without each mark of gradients."""
    found = [name[: -len(s)] for s in SUFFIXES if name.endswith(s) and len(name) > len(s)]
    found += [name[len(p) :] for p in PREFIXES if name.startswith(p) and len(name) > len(p)]
    found += [m.group(1) + m.group(2) for m in [re.fullmatch(r"(.+?)_?(?:diff|grad)_?(.*)", name)] if m]
    inner = re.fullmatch(r"(.*?)_?d([A-Za-z]\w*)", name)
    return list(dict.fromkeys(f.strip("_") for f in found if f.strip("_"))) + (
        [inner.group(2)] if inner and inner.group(1).endswith("_") else []
    )


def resolve(name: str, quantities: Iterable[str]) -> str | None:
    """The quantity that a name, or a short form of it, is called by."""
    return _resolved(name, tuple(quantities))


@lru_cache(maxsize=4096)
def _resolved(name: str, quantities: tuple[str, ...]) -> str | None:
    table: dict[str, str] = {}
    names = sorted(quantities, key=lambda q: has_prev(q) != has_prev(name))
    for depth in range(4):
        for q in names:
            forms = variants(q)
            if depth < len(forms):
                table.setdefault(forms[depth], q)
    wanted = variants(name)
    for form in wanted:
        if form in table:
            return table[form]
    lower: dict[str, set[str]] = {}
    for form, q in table.items():
        lower.setdefault(form.lower(), set()).add(q)
    for form in wanted:
        close = lower.get(form.lower(), set())
        if len(close) == 1:
            return next(iter(close))
    return None


def gradient_of(name: str, quantities: Iterable[str]) -> tuple[str, bool] | None:
    """(the quantity whose gradient a name speaks of, whether of what stands before its activation)."""
    names = list(quantities)
    for stem in stems(name):
        found = resolve(stem, names)
        if found is not None:
            return found, False
    for stem in stems(name):
        shorter = LATER.sub("", stem)
        for candidate in (shorter, *([stem[1:]] if stem[:1] in "az" and len(stem) > 1 else [])):
            if candidate and candidate != stem:
                found = resolve(candidate, names)
                if found is not None:
                    return found, True
    return None
