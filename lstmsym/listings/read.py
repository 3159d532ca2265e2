"""A NumPy listing in, a row for every statement out; nothing of it is ever run.

    text ─ast─▶ statements ─forward─▶ Cell ─derive─▶ true gradients ─backward, statement by statement─▶ rows
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.listings.arrays import LAYOUTS, Algebra, Array
from lstmsym.listings.backward import Finding, Truth, _texts
from lstmsym.listings.expressions import Scope, key_of
from lstmsym.listings.forward import Forward, Run, build, doubt, read_forward
from lstmsym.listings.judging import Judging
from lstmsym.listings.naming import resolve
from lstmsym.listings.outline import Outline, outline
from lstmsym.listings.write import numpy_text
from lstmsym.listings.source import Damage, ListingError, parse
from lstmsym.notation import NotationError, Ref
from lstmsym.shapes import ShapeError
from lstmsym.verify.claims import Claim
from lstmsym.verify.judge import Judge, Witness

ROUNDS = 2
BLAMED = 8


@dataclass(frozen=True)
class Row:
    """One statement: the keys of the rows of a report."""

    line: int
    source: str
    kind: str
    verdict: str
    about: str = ""
    expected: str = ""
    witness: Witness | None = None
    repair: str = ""
    assumption: str = ""
    message: str = ""


@dataclass(frozen=True)
class Listing:
    """A listing that has been read: a row for each statement, its cell, and what had to be mended."""

    rows: tuple[Row, ...]
    cell: Cell | None
    damage: tuple[Damage, ...] = field(default=())


def read_listing(text: str, first_line: int = 1, cell: Cell | None = None) -> Listing:
    """Judge every statement of a NumPy listing.

    ``first_line`` is the line of the file on which the listing begins; ``cell`` is the cell that it is
    about, where the listing has no forward pass of its own.

    Raises:
        ListingError: it is too large or no Python at all.
    """
    source = parse(text)
    plan = outline(source.body, () if cell is None else tuple(q.name for q in cell.quantities))
    reading = _read(plan, cell)
    lines = source.lines
    rows = [*_prose(plan, lines), *reading.rows(lines)]
    for number in source.lost:
        rows.append(Row(number, lines[number - 1].strip(), "statement", "unread", message="no Python"))
    mended = {d.line: d.message for d in source.damage if d.line not in source.lost}
    placed = [
        replace(r, line=r.line + first_line - 1, message="; ".join(filter(None, (r.message, mended.get(r.line)))))
        for r in sorted(rows, key=lambda r: r.line)
    ]
    damage = tuple(replace(d, line=d.line + first_line - 1) for d in source.damage)
    return Listing(tuple(placed), reading.cell, damage)


@dataclass
class _Reading:
    """What was found: the forward part's kinds and the backward part's findings."""

    plan: Outline
    kinds: Mapping[int, tuple[str, str]]
    judging: Judging | None = None
    problem: str = ""

    @property
    def cell(self) -> Cell | None:
        return self.judging.forward.cell if self.judging else None

    def rows(self, lines: tuple[str, ...]) -> Iterator[Row]:
        for statement in _statements(self.plan.forward):
            kind, message = self.kinds.get(id(statement), ("prose", ""))
            verdict = "unread" if kind == "unread" else "not-a-claim"
            yield _row(statement, lines, "statement" if kind == "unread" else kind, verdict, message=message)
        found: dict[int, Finding] = {}
        for finding in self.judging.findings if self.judging else ():
            old = found.get(id(finding.statement))
            if old is None or old.status in ("right", "definition", "prose"):
                found[id(finding.statement)] = finding
        for statement in _statements(self.plan.backward):
            one = found.get(id(statement))
            if one is None:
                simple = isinstance(statement, (ast.Assign, ast.AugAssign))
                message = self.problem if simple else ""
                yield _row(statement, lines, "statement" if simple else "prose", "unread" if simple else "not-a-claim", message=message)
            else:
                assert self.judging is not None
                yield _verdict(one, self.judging, lines)


def _statements(block: tuple[ast.stmt, ...] | list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements and those inside them, each once."""
    for statement in block:
        yield statement
        for name in ("body", "orelse"):
            inner = getattr(statement, name, None)
            if isinstance(inner, list):
                yield from _statements(inner)


def _prose(plan: Outline, lines: tuple[str, ...]) -> Iterator[Row]:
    for statement in plan.prose:
        yield _row(statement, lines, "prose", "not-a-claim")
    for statement in plan.definitions:
        yield _row(statement, lines, "definition", "not-a-claim")


def _row(statement: ast.stmt, lines: tuple[str, ...], kind: str, verdict: str, **more: object) -> Row:
    end = statement.lineno if hasattr(statement, "body") else statement.end_lineno or statement.lineno
    text = " ".join(line.strip() for line in lines[statement.lineno - 1 : end])
    return Row(statement.lineno, text, kind, verdict, **more)  # type: ignore[arg-type]


# -- the reading -----------------------------------------------------------------------------------------


def _read(plan: Outline, cell: Cell | None) -> _Reading:
    """The layout and the meanings under which most statements are right."""
    if cell is not None and not any(isinstance(s, (ast.Assign, ast.For)) for s in plan.forward):
        names = {key for s in plan.backward for n in ast.walk(s) if (key := key_of(n))}
        forwards = [_given(c, layout, names) for layout in LAYOUTS for c in _stackings(cell)]
        kinds: Mapping[int, tuple[str, str]] = {}
        problem = ""
    else:
        runs = [read_forward(plan.forward, plan.helpers, layout) for layout in LAYOUTS]
        least = min(map(doubt, runs))
        forwards, problem = [], ""
        kinds = min(runs, key=doubt).kinds
        for run in runs:
            if doubt(run) > least:
                continue
            try:
                forwards.append(build(run, _target(plan)))
            except (ListingError, NotationError, ShapeError) as error:
                problem = f"the forward pass gives no cell: {error}"
    best: Judging | None = None
    for forward in forwards:
        judging = _settled(Truth(forward, Judge(forward.cell)), plan)
        if best is None or _score(judging) > _score(best):
            best = judging
        if not any(f.status in ("wrong", "unread", "misfit") for f in judging.findings) and judging.consistent >= 0:
            break
    if best is None:
        return _Reading(plan, kinds, None, problem or "no forward equations were found: name the cell")
    meanings = best.meanings
    final = _pass(best.truth, plan, meanings, final=True, forced=_blamed(best, plan))
    return _Reading(plan, best.forward.kinds or kinds, final)


def _target(plan: Outline) -> str | None:
    """The labels that the backward pass takes off a softmax, where the listing states no loss."""
    for statement in _statements(plan.backward):
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Sub) and isinstance(statement.target, ast.Subscript) and isinstance(statement.value, ast.Constant):
            for node in ast.walk(statement.target.slice):
                key = key_of(node)
                if key and key not in ("argmax", "np", "range", "arange", "t", "int"):
                    return key
    return None


def _stackings(cell: Cell) -> list[Cell]:
    """The cell with its inputs stacked as it has them, and the other way round: a matter of columns."""
    def turn(expr: sp.Expr) -> sp.Expr:
        return expr.xreplace({node: N.concat(*reversed(node.args)) for node in expr.atoms(N.Concat)})

    turned = tuple(replace(e, expr=turn(e.expr)) for e in cell.equations)
    return [cell] if turned == cell.equations else [cell, replace(cell, equations=turned)]


def _aliases(cell: Cell, names: set[str]) -> dict[str, str]:
    """Other names that listings give to a cell state and to the stacked inputs."""
    own = {q.name for q in cell.quantities}
    words = {"c": ("s", "C", "cell", "c_t"), "s": ("c", "C", "cell", "c_t"), "h": ("a", "H")}
    found = {}
    for q in cell.role("state"):
        for other in words.get(q.name, ()):
            if other not in own and other in names:
                found.setdefault(other, q.name)
    return found


STACKED = ("xc", "x_c", "z", "concat", "hx", "xh", "zt", "Z", "X", "v")


def _stacked(cell: Cell, names: set[str], vector: str) -> dict[str, object]:
    """What a listing may call the stacked inputs, where the cell calls them otherwise."""
    own = {q.name for q in cell.quantities}
    found = {node for e in cell.equations for node in e.expr.atoms(N.Concat)}
    if len(found) != 1:
        return {}
    (node,) = found
    size = sp.Add(*(cell.by_name[r.base].shape[0] for r in node.args if isinstance(r, Ref)))
    return {other: Array(node, vector, (size,)) for other in STACKED if other in names and resolve(other, own) is None}


def _given(cell: Cell, layout: str, names: set[str]) -> Forward:
    """A cell that is not in the listing, its names as they are or as listings usually have them."""
    algebra = Algebra(layout)
    rename: dict[Ref, Ref] = {}
    shown: dict[Ref, str] = {}
    for q in cell.quantities:
        if q.role == "loss":
            continue
        form = "ff" if len(q.shape) == 2 else algebra.vector if q.shape else ""
        algebra.types[q.name] = (form, q.shape)
        lag = None if q.constant else 0
        rename[Ref(q.name)] = rename[Ref(q.name, 0)] = Ref(q.name, lag)
        shown[Ref(q.name, lag)] = q.name
        if q.role == "state":
            algebra.types[f"{q.name}_prev"] = (form, q.shape)
            rename[Ref(f"{q.name}_prev")] = rename[Ref(q.name, -1)] = Ref(q.name, -1)
            shown[Ref(q.name, -1)] = f"{q.name}_prev"
    for other, name in _aliases(cell, names).items():
        for suffix in ("", "_prev"):
            if f"{name}{suffix}" in algebra.types:
                algebra.types[f"{other}{suffix}"] = algebra.types[f"{name}{suffix}"]
                rename[Ref(f"{other}{suffix}")] = rename[Ref(f"{name}{suffix}")]
                shown[rename[Ref(f"{name}{suffix}")]] = f"{other}{suffix}"
    return Forward(cell, Scope(_stacked(cell, names, algebra.vector)), algebra, rename, {}, shown, {})


def _pass(truth: Truth, plan: Outline, meanings: Mapping[str, object], final: bool = False, forced: Mapping[int, Ref] | None = None) -> Judging:
    judging = Judging(truth, plan.helpers, meanings)
    judging.forced = forced or {}
    judging.later = _first_assigned(plan.backward)
    judging.final = final
    judging.blocks = list(_blocks(list(plan.backward)))
    judging.texts, judging.repaired = {}, {}
    for statement in plan.backward:
        for node in ast.walk(statement):
            key = key_of(node)
            if key and not isinstance(node, ast.Subscript):
                judging.texts.setdefault(key, ast.unparse(node))
    judging.run(plan.backward)
    return judging


def _first_assigned(statements: tuple[ast.stmt, ...]) -> dict[str, int]:
    """Name -> the line that assigns it first, where that line does not read it."""
    found: dict[str, int] = {}
    for statement in _statements(statements):
        for target in statement.targets if isinstance(statement, ast.Assign) else ():
            for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                key = key_of(one)
                if key:
                    reads = isinstance(statement, ast.Assign) and any(key_of(n) == key for n in ast.walk(statement.value))
                    found.setdefault(key, 0 if reads else statement.lineno)
        if isinstance(statement, ast.AugAssign) and (key := key_of(statement.target)):
            found.setdefault(key, 0)
    return found


def _blamed(judging: Judging, plan: Outline) -> dict[int, Ref]:
    """Statement -> the gradient that it should be: where that makes what reads it right, it is to blame."""
    forced: dict[int, Ref] = {}
    best = judging
    for _ in range(BLAMED):
        found = next(_better(best, plan, forced), None)
        if found is None:
            break
        forced, best = found
    return forced


def _better(judging: Judging, plan: Outline, forced: dict[int, Ref]) -> Iterator[tuple[dict[int, Ref], Judging]]:
    score = _score(judging)
    bad = [f for f in judging.findings if f.status in ("wrong", "misfit", "definition")]
    for index, finding in enumerate(judging.findings):
        after = judging.findings[index + 1 :]
        if id(finding.statement) in forced or not finding.target or not any(finding.target in _texts(f.statement) for f in after if f in bad):
            continue
        for option in _options(finding, judging):
            tried = {**forced, id(finding.statement): option}
            made = _pass(judging.truth, plan, judging.meanings, forced=tried)
            if _score(made) > score:
                yield tried, made


def _options(finding: Finding, judging: Judging) -> list[Ref]:
    """Other gradients that a statement may have been meant to give."""
    ambiguous = finding.status == "right" and len(finding.wanted) != 1
    if finding.status in ("wrong", "misfit", "unread") or (finding.status == "definition" and finding.value is not None) or ambiguous:
        own = [w for w in finding.wanted if w != finding.true]
        if own or finding.wanted:
            return own
        value = judging.truth.value(finding.value) if finding.value is not None else None
        return [r for r, v in judging.truth.table.items() if r.lag == 0 and r != finding.true and (value is None or v.shape == value.shape)][:24]
    return []


def _blocks(block: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    yield block
    for statement in block:
        for name in ("body", "orelse"):
            inner = getattr(statement, name, None)
            if isinstance(inner, list) and inner:
                yield from _blocks(inner)


def _score(judging: Judging) -> float:
    weights = {"right": 1.0, "stale": 1.0, "last-only": 1.0, "trap": 1.0, "no-effect": 1.0, "unread": -1.0, "misfit": -1.0, "wrong": -0.5, "conditional": 0.5}
    return sum(weights.get(f.status, 0.0) for f in judging.findings) + judging.consistent


def _settled(truth: Truth, plan: Outline) -> Judging:
    """Try the meanings of what is given, one after the other, for as long as it helps."""
    best = _pass(truth, plan, {})
    for _ in range(ROUNDS):
        before = _score(best)
        for key in list(best.asked):
            for option in best.asked[key][:12]:
                if best.meanings.get(key, best.asked[key][0]) == option:
                    continue
                tried = _pass(truth, plan, {**best.meanings, key: option})
                if _score(tried) > _score(best):
                    best = tried
        if _score(best) == before:
            break
    return best


# -- rows ------------------------------------------------------------------------------------------------


def _verdict(finding: Finding, judging: Judging, lines: tuple[str, ...]) -> Row:
    status = finding.status
    if status == "definition" and _open(finding, judging):
        message = "it is no gradient of the listing's quantities, and nothing says which one it is meant to be"
        return _row(finding.statement, lines, "statement", "undecided", message=message)
    if status in ("prose", "definition"):
        return _row(finding.statement, lines, status, "not-a-claim", message=finding.message)
    about = judging.name(finding.true) if finding.true is not None else finding.target
    common = {"about": about, "message": finding.message}
    if status == "unread":
        return _row(finding.statement, lines, "statement", "unread", **common)
    if status == "misfit":
        return _misfit(finding, judging, lines, common)
    if status == "conditional":
        return _row(finding.statement, lines, "statement", "conditional", assumption=finding.assumption, **common)
    if status == "right":
        return _proved(finding, judging, lines, common)
    if status == "term":
        return _row(finding.statement, lines, "statement", "proved", about=about, message="right as one of its terms")
    if status == "no-effect":
        return _row(finding.statement, lines, "statement", "refuted", expected=finding.assumption, repair=finding.assumption, **common)
    if status == "trap":
        return _row(finding.statement, lines, "statement", "refuted", expected=finding.assumption, repair=finding.assumption, **common)
    if status == "stale":
        text = ast.unparse(finding.statement)
        expected = f"{text}, with {finding.assumption} set at the end of the loop to what goes back"
        return _row(finding.statement, lines, "statement", "refuted", expected=expected, **common)
    if status == "last-only":
        repaired = ast.unparse(finding.statement).replace(" = ", " += ", 1)
        return _row(finding.statement, lines, "statement", "refuted", expected=repaired, repair=repaired, **common)
    doubtful = [key for key in finding.given if key not in judging.supported]
    if doubtful and not finding.assumption:
        message = f"what {' and '.join(doubtful)} stands for is not said: name it as the gradient of a quantity"
        return _row(finding.statement, lines, "statement", "undecided", **{**common, "message": message})
    return _refuted(finding, judging, lines, common)


def _open(finding: Finding, judging: Judging) -> bool:
    """Whether a value with gradients in it is of no use to any statement that is right."""
    if finding.value is None or finding.message or judging.is_forward(finding.value):
        return False
    right = [f.statement for f in judging.findings if f.status in ("right", "trap", "last-only", "definition") and f.statement is not finding.statement]
    return not any(finding.target in _texts(s) for s in right)


def _misfit(finding: Finding, judging: Judging, lines: tuple[str, ...], common: dict[str, str]) -> Row:
    """Arrays that do not fit: wrong, where the other statements show that the layout is understood."""
    statuses = [f.status for f in judging.findings]
    if statuses.count("right") <= 2 * statuses.count("misfit"):
        return _row(finding.statement, lines, "statement", "unread", **common)
    repair = judging.repaired.get(id(finding.statement), "")
    expected = repair or right_side(finding, judging)
    return _row(finding.statement, lines, "statement", "refuted", expected=expected, repair=repair, **common)


def _proved(finding: Finding, judging: Judging, lines: tuple[str, ...], common: dict[str, str]) -> Row:
    claim = _claim(finding, judging)
    ok = claim is not None and judging.truth.judge.holds(claim)
    if finding.part:
        common = {**common, "message": "one of the terms that together are the gradient"}
    if ok:
        return _row(finding.statement, lines, "statement", "proved", **common)
    return _row(finding.statement, lines, "statement", "undecided", **{**common, "message": "neither a proof nor numbers against it were found"})


def _claim(finding: Finding, judging: Judging) -> Claim | None:
    if finding.true is None or finding.value is None:
        return None
    share = finding.true.lag is None and finding.true.base in judging.truth.judge.system.backward
    value = padded(finding.value, judging)
    return Claim(finding.true, value, share=share and not value.has(N.Total))


def padded(expr: sp.Expr, judging: Judging) -> sp.Expr:
    """Joined gradients as sums of vectors with zeros around them, as the derivation has them."""
    shape = judging.truth.judge.canon(0).shape
    found = {}
    for node in expr.atoms(N.Concat):
        if judging.is_forward(node):
            continue
        sizes = [shape(a)[0] for a in node.args]
        places = [(sp.expand(sp.Add(*sizes[:i])), sp.expand(sp.Add(*sizes[i + 1 :]))) for i in range(len(sizes))]
        parts = (padded(a, judging) for a in node.args)
        found[node] = sp.Add(*(N.Pad(a, *place) for a, place in zip(parts, places, strict=True)))
    return expr.xreplace(found)


def right_side(finding: Finding, judging: Judging) -> str:
    """What the derivation has for the gradient, as NumPy text in the listing's names."""
    line = judging.truth.judge.system.derivation.by_name.get(finding.true.base) if finding.true else None
    if line is None or finding.target == "":
        return ""
    sign = "+=" if finding.true is not None and finding.true.lag is None else "="
    return f"{finding.target} {sign} {numpy_text(line.expr, judging)}"


def _refuted(finding: Finding, judging: Judging, lines: tuple[str, ...], common: dict[str, str]) -> Row:
    witness = None
    claim = _claim(finding, judging)
    judge = judging.truth.judge
    if claim is not None:
        try:
            left, right = judge.sides(claim)
            if not judge.mismatched(left, right):
                witness = judge.witness(left, right)
        except (NotationError, ShapeError, KeyError):
            witness = None
    repair = finding.assumption
    expected = repair or right_side(finding, judging)
    return _row(finding.statement, lines, "statement", "refuted", expected=expected, witness=witness, repair=repair, **common)
