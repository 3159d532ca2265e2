"""What the order of execution makes of right statements: steps left out, sums begun anew, loops left early.

The statements are judged at the general step.  Here the loop around them is looked at: whether every
step is taken, in the right direction, and whether what is carried and added up begins at zero, once.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lstmsym.documents.result import Row
from lstmsym.listings.findings import Finding
from lstmsym.listings.judging import Judging
from lstmsym.listings.keys import called, key_of, keys_in
from lstmsym.listings.loops import carried_names, is_over_names, is_zeros, stored_series
from lstmsym.listings.spans import Span, bound, show, span, time_loops
from lstmsym.listings.statements import each, targets, texts, written
from lstmsym.notation import Ref

FILLED = {
    "ones", "ones_like", "empty", "empty_like", "rand", "randn", "random", "normal", "uniform", "eye",
    "standard_normal", "identity",
}  # fmt: skip
"""Functions of NumPy whose values are no zeros."""
JUDGED = ("right", "misfit", "term")


@dataclass(frozen=True)
class Fault:
    """What the order of execution makes of a statement."""

    statement: ast.stmt
    verdict: str
    message: str
    expected: str = ""


class Flow:
    """The faults of a backward pass that no single statement shows."""

    def __init__(self, judging: Judging, forward: Sequence[ast.stmt], backward: Sequence[ast.stmt]) -> None:
        """Look at every loop over time of the ``backward`` pass."""
        self.judging, self.backward = judging, tuple(backward)
        self.found = {id(f.statement): f for f in judging.findings}
        self.ahead = [s for s in map(span, time_loops(tuple(forward))) if s.low is not None]
        self.faults: dict[int, Fault] = {}
        for loop in time_loops(self.backward):
            if is_over_names(loop):
                continue
            for fault in self.of_loop(loop):
                self.faults.setdefault(id(fault.statement), fault)

    def amended(self, row: Row, statement: ast.stmt) -> Row:
        """The row of a statement, with what the order of execution makes of it."""
        fault, finding = self.faults.get(id(statement)), self.found.get(id(statement))
        misfit = finding is not None and finding.status == "misfit"
        unexplained = row.verdict == "refuted" and not row.message
        claimed = (
            row.verdict in ("proved", "conditional") or row.kind == "definition" or misfit or unexplained
        )
        if fault is None or not claimed:
            return row
        assumption = fault.expected if fault.verdict == "conditional" else ""
        return replace(
            row, kind="statement", verdict=fault.verdict, message=fault.message, witness=None, repair="",
            expected="" if assumption else fault.expected, assumption=assumption,
        )  # fmt: skip

    # -- the loop ----------------------------------------------------------------------------------------

    def of_loop(self, loop: ast.For) -> Iterator[Fault]:
        """What is wrong with a loop over time, and with what stands before and after it."""
        over = span(loop)
        yield from self.begun(loop)
        yield from self.anew(loop)
        yield from self.direction(loop, over)
        yield from self.left(loop, over)
        yield from self.guarded(loop, over)
        yield from self.steps(loop, over)
        yield from self.after(loop)

    def sums(self, block: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The statements of a block that add a step's share to a sum over the steps."""
        return [s for s in each(block) if self.is_share(self.found.get(id(s)))]

    def is_share(self, finding: Finding | None) -> bool:
        """Whether a finding is of one step's share of a parameter's gradient."""
        if finding is None or finding.status not in (*JUDGED, "conditional", "last-only"):
            return False
        true = finding.true if finding.true is not None else next(iter(finding.wanted), None)
        total = finding.value is not None and self.judging.truth.is_total(finding.value)
        return true is not None and true.lag is None and not total

    def carries(self, loop: ast.For) -> set[str]:
        """The names that bring to a step what comes back from the step after."""
        guesses = {key: self.judging.guess(key) for key in carried_names(loop.body)}
        return {k for k, g in guesses.items() if k in self.judging.asked and isinstance(g, Ref)}

    # -- how it begins -----------------------------------------------------------------------------------

    def begun(self, loop: ast.For) -> Iterator[Fault]:
        """What is carried or added up begins at zero."""
        added = {key for s in self.sums(loop.body) for key in written(s)}
        names = self.carries(loop) | added
        for statement in self.before(loop):
            if not isinstance(statement, ast.Assign):
                continue
            for target, value in _pairs(statement):
                key = key_of(target)
                if key in names and _is_filled(value):
                    message = f"{key} does not begin at zero"
                    expected = f"{ast.unparse(target)} = np.zeros_like({ast.unparse(target)})"
                    if isinstance(value, ast.Call) and value.args and called(value).endswith("_like"):
                        expected = f"{ast.unparse(target)} = np.zeros_like({ast.unparse(value.args[0])})"
                    yield Fault(statement, "refuted", message, expected)

    def before(self, loop: ast.For) -> list[ast.stmt]:
        """The statements before a loop, in its block."""
        return [s for s in each(self.backward) if loop in self.judging.code.after(s)]

    def anew(self, loop: ast.For) -> Iterator[Fault]:
        """Sums and carries that each step sets to zero."""
        for index, statement in enumerate(loop.body):
            for target, value in _pairs(statement) if isinstance(statement, ast.Assign) else ():
                key, rest = key_of(target), loop.body[index + 1 :]
                if key is None or not self.is_zero(value):
                    continue
                text = ast.unparse(target)
                adding = [s for s in self.sums(loop.body) if key in written(s)]
                again = any(text in map(ast.unparse, targets(s)) for s in each(rest))
                if adding and not _used(text, loop.body, adding):
                    message = f"{text} is set to zero at every step: only the last step of the loop counts"
                    yield Fault(statement, "refuted", message, f"{text} set to zero before the loop")
                    for one in adding:
                        yield Fault(one, "refuted", message)
                elif self.goes_back(key, loop.body) and (_read_first(text, rest) or not again):
                    message = f"{text} is set to zero at every step: nothing comes back from later steps"
                    yield Fault(statement, "refuted", message, f"{text} set to zero before the loop")

    def goes_back(self, key: str, rest: Sequence[ast.stmt]) -> bool:
        """Whether a name is to hold what comes back from the step after."""
        truth = self.judging.truth
        backs = {truth.back(s, 1).base for s in truth.states}
        found = (self.found.get(id(s)) for s in each(rest) if key in map(key_of, targets(s)))
        set_later = any(f is not None and f.true is not None and f.true.base in backs for f in found)
        return set_later or any(ref.base in backs for ref in self.judging.gradients.family(key))

    def is_zero(self, value: ast.expr) -> bool:
        """Whether a value is nothing but zeros."""
        if isinstance(value, ast.Constant):
            return value.value == 0 and not isinstance(value.value, bool)
        return is_zeros(value)

    # -- which steps -------------------------------------------------------------------------------------

    def direction(self, loop: ast.For, over: Span) -> Iterator[Fault]:
        """A loop that goes forwards has nothing yet of the step after."""
        if over.backwards is not False:
            return
        head = ast.unparse(loop.iter)
        later = [f"{key}[{ast.unparse(loop.target)} + 1]" for key in stored_series(loop)]
        back = {key: None for key in self.carries(loop) if getattr(self.judging.guess(key), "lag", 0) == 1}
        names = [*(self.judging.code.spelled.get(k, k) for k in back), *later]
        for statement in each(loop.body):
            read = next((n for n in names if n in texts(getattr(statement, "value", statement))), None)
            if read is not None and isinstance(statement, ast.Assign | ast.AugAssign):
                message = f"the loop runs forwards in time: {read} of the step after is not there yet"
                yield Fault(
                    statement, "refuted", message, f"for {ast.unparse(loop.target)} in reversed({head})"
                )

    def steps(self, loop: ast.For, over: Span) -> Iterator[Fault]:
        """Steps that a loop leaves out count in no sum."""
        ahead = self.ahead[0] if len({(s.low, s.last) for s in self.ahead}) == 1 else None
        if over.low is None or over.last is None:
            return
        verdict, message, expected = "", "", ""
        if over.stride != 1:
            verdict, message = "refuted", f"the loop takes only one of {over.stride} steps"
        elif ahead is not None or (over.low == ("", 1) and over.last[1] == -1):
            verdict, message, expected = _missed(over, ahead or Span(("", 0), ("", 0)))
        if not verdict:
            return
        here = {id(s) for s in each(loop.body)}
        elsewhere = {k for s in each(self.backward) if id(s) not in here and _adds(s) for k in written(s)}
        for statement in self.sums(loop.body):
            if not elsewhere & set(written(statement)):
                yield Fault(statement, verdict, message, expected)

    def guarded(self, loop: ast.For, over: Span) -> Iterator[Fault]:
        """Statements under a condition on the step, or on what the loop computes."""
        inside = {key for s in each(loop.body) for key in written(s)} | keys_in(loop.target)
        for choice in (s for s in each(loop.body) if isinstance(s, ast.If)):
            if not inside & keys_in(choice.test) or _leaves(choice):
                continue
            end = _end(choice.test, loop, over)
            both = {ast.unparse(t) for s in each(choice.body) for t in targets(s)} & {
                ast.unparse(t) for s in each(choice.orelse) for t in targets(s)
            }
            for statement in each([*choice.body, *choice.orelse]):
                if not isinstance(statement, ast.Assign | ast.AugAssign):
                    continue
                if any(ast.unparse(t) in both for t in targets(statement)):
                    continue
                said = f"it stands under `if {ast.unparse(choice.test)}`"
                if not end:
                    yield Fault(statement, "undecided", f"{said}, which is not read")
                elif _first(choice.test, loop) and isinstance(statement, ast.Assign):
                    if self.is_zero(statement.value) and not statement.lineno > _last_use(statement, loop):
                        yield Fault(statement, "undecided", f"{said}: what later steps gave is lost there")
                elif self.is_share(self.found.get(id(statement))) and not _neighbour(statement, loop):
                    yield Fault(statement, "refuted", f"{said}: not every step counts")

    def left(self, loop: ast.For, over: Span) -> Iterator[Fault]:
        """``break`` and ``continue`` leave out what would follow."""
        passed: list[str] = []
        sums = {id(s) for s in self.sums(loop.body)}
        breaks = next((s for s in loop.body if isinstance(s, ast.Break | ast.Return)), None)
        any_break = _leaving([s for s in loop.body if not _at_first(s, loop, over)], (ast.Break, ast.Return))
        for statement in loop.body:
            for one in each([statement]):
                if not isinstance(one, ast.Assign | ast.AugAssign):
                    continue
                if breaks is not None and id(one) in sums and not passed:
                    yield Fault(one, "refuted", f"`{ast.unparse(breaks)}` ends the loop after its first step")
                elif passed:
                    yield Fault(one, "undecided", f"not every step gets here: {passed[0]} stands before it")
                elif any_break and id(one) in sums:
                    yield Fault(
                        one, "undecided", "whether every step counts is not said: `break` leaves the loop"
                    )
            if not _at_first(statement, loop, over) and _leaving(
                [statement], (ast.Break, ast.Return, ast.Continue)
            ):
                passed.append(f"`{ast.unparse(statement).splitlines()[-1].strip()}`")

    # -- after it ----------------------------------------------------------------------------------------

    def after(self, loop: ast.For) -> Iterator[Fault]:
        """A step's share that is added when the loop is over: that of the last step alone."""
        set_by = {key_of(t) for s in each(loop.body) for t in targets(s) if not isinstance(t, ast.Subscript)}
        inner = keys_in(loop.target)
        added = {key for s in each(loop.body) if _adds(s) for key in written(s)}
        for statement in self.judging.code.after(loop):
            if not self.is_share(self.found.get(id(statement))) or set(written(statement)) & added:
                continue
            value = getattr(statement, "value", statement)
            if keys_in(value) & (set_by | inner):
                message = "it stands after the loop: only the last step of the loop counts"
                yield Fault(
                    statement, "refuted", message, f"{ast.unparse(statement)}, with +=, inside the loop"
                )


def _missed(over: Span, ahead: Span) -> tuple[str, str, str]:
    """(verdict, message, what is right) for steps of the forward pass that a loop does not take."""
    assert over.low and over.last and ahead.low and ahead.last
    low = over.low[1] - ahead.low[1] if over.low[0] == ahead.low[0] else None
    last = over.last[1] - ahead.last[1] if over.last[0] == ahead.last[0] else None
    if low is None or (low > 0 and last is None):
        return (
            "conditional",
            "steps of the forward pass may be left out",
            f"no step is before {show(over.low)}",
        )
    expected = f"range({show(ahead.last)}, {show((ahead.low[0], ahead.low[1] - 1))}, -1)"
    if low == last or (last is None and low == 0) or low < 0:
        return "", "", ""
    if low > 0:
        return "refuted", f"the loop ends at {show(over.low)}: step {show(ahead.low)} is left out", expected
    if last is not None and last < 0:
        return (
            "refuted",
            f"the loop begins at {show(over.last)}: step {show(ahead.last)} is left out",
            expected,
        )
    return "", "", ""


def _pairs(statement: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    """(target, value) of an assignment, one by one."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    for target in statement.targets:
        if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
            pairs += zip(target.elts, statement.value.elts, strict=False)
        else:
            pairs.append((target, statement.value))
    return pairs


def _is_filled(value: ast.expr) -> bool:
    """Whether a value is made of numbers other than zero."""
    if isinstance(value, ast.Call) and called(value) in ("full", "full_like") and len(value.args) > 1:
        return bound(value.args[1]) != ("", 0)
    if isinstance(value, ast.Constant):
        return isinstance(value.value, int | float) and value.value != 0
    return isinstance(value, ast.Call) and called(value) in FILLED


def _used(text: str, block: Sequence[ast.stmt], adding: Sequence[ast.stmt]) -> bool:
    """Whether a block reads a name in other statements than those that add to it."""
    others = (s for s in each(block) if s not in adding)
    return any(text in texts(getattr(s, "value", s)) for s in others)


def _read_first(text: str, block: Sequence[ast.stmt]) -> bool:
    """Whether a block reads a name before it sets it or adds to it."""
    for statement in each(block):
        if text in texts(getattr(statement, "value", None) or ast.Pass()):
            return True
        if any(text == ast.unparse(t) or text in texts(t) for t in targets(statement)):
            return False
    return False


def _adds(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.AugAssign)


def _leaving(block: Sequence[ast.stmt], kinds: tuple[type[ast.stmt], ...]) -> bool:
    """Whether a block leaves its loop, or the step; loops inside it have their own."""
    for statement in block:
        if isinstance(statement, kinds):
            return True
        if isinstance(statement, ast.If) and _leaving([*statement.body, *statement.orelse], kinds):
            return True
    return False


def _leaves(choice: ast.If) -> bool:
    return _leaving([*choice.body, *choice.orelse], (ast.Break, ast.Return, ast.Continue))


def _at_first(choice: ast.stmt, loop: ast.For, over: Span) -> bool:
    """Whether a statement does something at the last step that a loop takes back: ``if t == 0: break``."""
    test = choice.test if isinstance(choice, ast.If) else None
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq) or over.low is None:
        return False
    return bound(test.left)[0] in keys_in(loop.target) and bound(test.comparators[0]) == over.low


def _end(test: ast.expr, loop: ast.For, over: Span) -> bool:
    """Whether a condition tells an end of the sequence from the other steps: ``t > 0``, ``t < T - 1``."""
    if isinstance(test, ast.Name):
        return test.id in keys_in(loop.target)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return False
    left, right = bound(test.left), bound(test.comparators[0])
    names = keys_in(loop.target)
    if right[0] in names:
        left, right = right, left
    if left[0] not in names:
        return False
    gap = right[1] - left[1]
    return gap in (-1, 0, 1) if not right[0] else gap in (-2, -1, 0)


def _first(test: ast.expr, loop: ast.For) -> bool:
    """Whether a condition is on the first step: ``t == 0``."""
    sides = [test.left, *test.comparators] if isinstance(test, ast.Compare) else []
    return bool(keys_in(loop.target) & keys_in(test)) and any(bound(s)[0] == "" for s in sides)


def _last_use(statement: ast.Assign, loop: ast.For) -> int:
    """The line of a loop that reads or adds to a name last."""
    names = set(map(ast.unparse, statement.targets))
    lines = [
        s.lineno
        for s in each(loop.body)
        if isinstance(s, ast.Assign | ast.AugAssign)
        and names & (texts(s.value) | (texts(s) if _adds(s) else set()))
    ]
    return max(lines, default=0)


def _neighbour(statement: ast.stmt, loop: ast.For) -> bool:
    """Whether a statement reads the step before or after: at an end there is none."""
    names = keys_in(loop.target)
    indices = (n.slice for n in ast.walk(statement) if isinstance(n, ast.Subscript))
    return any(base in names and number for base, number in map(bound, indices)) or "prev" in ast.unparse(
        statement
    )
