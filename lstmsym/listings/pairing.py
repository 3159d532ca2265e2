"""Which names are a state before the step: ``h_prev`` of ``h``, ``h`` that becomes ``h_new``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lstmsym.listings.arrays import Array
from lstmsym.listings.forward import Run
from lstmsym.listings.lines import is_matrix
from lstmsym.listings.naming import has_next, has_prev, plain, resolve
from lstmsym.notation import Ref


def pairs(run: Run) -> dict[Ref, Ref]:
    """What a listing reads as the value before -> the quantity at t-1 that it becomes."""
    made = _carried(run)
    defined = [e.name for e in run.equations]
    frees = {r for e in run.equations for r in e.expr.atoms(Ref) if r.base not in defined and r not in made}
    pending = []
    for ref in sorted(frees, key=str):
        if not (has_prev(ref.base) or ref.lag == -1) or is_matrix(ref, run.reader.algebra):
            continue
        found = resolve(plain(ref.base), defined)
        if found is not None:
            made[ref] = Ref(found, -1)
        else:
            pending.append(ref)
    for ref in sorted(frees, key=str):
        if ref.base[1:].endswith("x") and ref.base[:-1] + "y" in defined and ref not in made:
            made[ref] = Ref(ref.base[:-1] + "y", -1)
    _handed_on(run, made, frees)
    _left(run, made, pending)
    types = run.reader.algebra.types
    for old, new in made.items():
        if old.base in types and new.base in types:
            run.reader.algebra.same(types[old.base][1], types[new.base][1], "a state")
    return made


def _carried(run: Run) -> dict[Ref, Ref]:
    """What the loop carries, and the initial values."""
    made = {Ref(old, -1): Ref(new, -1) for old, new in run.renames.items()}
    for old, new in run.appended.items():
        target = run.scope.series.get(new, {}).get(0)
        series = isinstance(target, Array) and isinstance(target.expr, Ref)
        made[Ref(old)] = Ref(target.expr.base if series else run.renames.get(new, new), -1)  # type: ignore[union-attr]
    defined = [e.name for e in run.equations]
    for key, store in run.scope.series.items():
        value = store.get(0)
        held = value.expr if isinstance(value, Array) else None
        if isinstance(held, Ref) and held.lag == 0 and held.base != key and key not in defined:
            made.setdefault(Ref(key, -1), Ref(held.base, -1))  # a series holds what was put there
    return made


def _handed_on(run: Run, made: dict[Ref, Ref], frees: Iterable[Ref]) -> None:
    """``h`` that becomes ``h_new``; ``h`` that is read before it is assigned."""
    defined = [e.name for e in run.equations]
    for name in defined:
        old = Ref(name)
        if any(old in e.expr.atoms(Ref) for e in run.equations):
            made[old] = Ref(name, -1)
    paired = {r.base for r in made.values()}
    vectors = [r.base for r in frees if r.lag is None and not is_matrix(r, run.reader.algebra)]
    for name in defined:
        if not has_next(name) or name in paired:
            continue
        old_name = resolve(plain(name), vectors)
        if old_name is not None and Ref(old_name) not in made:
            made[Ref(old_name)] = Ref(name, -1)


def _left(run: Run, made: dict[Ref, Ref], pending: Iterable[Ref]) -> None:
    """A value before of which no quantity has the name becomes the one of its letter that nothing else is."""
    used = {r.base for r in made.values()}
    sinks: Mapping[str, set[Ref]] = {e.name: e.expr.atoms(Ref) for e in run.equations if e.name not in used}
    for ref in pending:
        fitting = [s for s in sinks if s[:1].lower() == plain(ref.base)[:1].lower()]
        direct = [s for s in fitting if ref in sinks[s]]
        fitting = direct or fitting
        if len(fitting) == 1:
            made[ref] = Ref(fitting[0], -1)
