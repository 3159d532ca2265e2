"""The backward statements executed at the general step, each fed the true values of what it uses.

What a listing is given (``dh_next``, ``da[t]``) and what a loop carries has a meaning that only the
whole listing settles: the meanings are tried together, and the one under which most statements
equal a gradient is kept.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lstmsym.listings.added import before, from_outside, labelled, one_hot
from lstmsym.listings.around import around
from lstmsym.listings.arrays import Array, Misfit, Pieces
from lstmsym.listings.blocks import Matrix, block
from lstmsym.listings.code import Code
from lstmsym.listings.findings import CLIPPED, UNREAD, Finding, Part
from lstmsym.listings.gradients import like_gradient
from lstmsym.listings.keys import key_of, whole_key
from lstmsym.listings.loops import (
    assigned_steps,
    bind_loop,
    carried_names,
    conditional,
    is_over_names,
    is_zeros,
    last_lines,
    read_names,
    stored_series,
)
from lstmsym.listings.names import Names
from lstmsym.listings.scope import ZERO
from lstmsym.listings.source import ListingError
from lstmsym.listings.statements import goes_on, targets
from lstmsym.listings.truth import Truth
from lstmsym.notation import Ref

SYMBOLS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


class Backward(Names):
    """One pass over the backward statements under one set of meanings."""

    def __init__(
        self,
        truth: Truth,
        code: Code,
        meanings: Mapping[str, Any],
        forced: Mapping[int, Ref] | None = None,
    ) -> None:
        """Start where the forward pass ended; ``forced`` has the gradient that a statement is to give."""
        super().__init__(truth, code, meanings)
        self.forced = forced or {}
        self.findings: list[Finding] = []
        self.pending: dict[str, list[Part]] = {}
        """What later statements add to, as far as it has come."""
        self.matrices: dict[str, Matrix] = {}
        """Matrices of which only some rows or columns have come."""
        self.stale: set[str] = set()
        """What the loop reads and never sets: it stays zero."""
        self.outside: set[str] = set()
        """What there was before the loop."""
        self.consistent = 0.0
        """How many carries are handed on as what they were taken over as."""
        self.bound: dict[str, Ref] = {}
        """The gradients that names were found to be."""
        self.ends: dict[str, int] = {}
        """The line of the loop that sets a name last."""
        self.conditional: set[int] = set()
        """Statements under a condition, by their identity."""
        self.broken: set[str] = set()
        """Sums of which a statement was not read."""

    def close(self, target: ast.expr, parts: list[Part]) -> None:
        """Compare a value with the gradients that its name may mean."""
        raise NotImplementedError

    def find(self, statement: ast.stmt, status: str, target: str = "", **more: Any) -> None:
        """What is found of a statement."""
        self.findings.append(Finding(statement, status, target, **more))

    # -- statements --------------------------------------------------------------------------------------

    def run(self, block: Sequence[ast.stmt]) -> None:
        """A block."""
        for index, statement in enumerate(block):
            try:
                self.one(statement, list(block[index + 1 :]))
            except ListingError as error:
                why = "" if isinstance(error, Misfit) else self.aside(statement)
                if why:
                    self.find(statement, "prose", message=why)
                else:
                    self.failed(statement, error)

    def one(self, statement: ast.stmt, rest: list[ast.stmt]) -> None:
        """One statement, knowing those that follow in its block."""
        self.now = statement.lineno
        if isinstance(statement, ast.For):
            self.for_(statement)
        elif isinstance(statement, ast.If):
            self.if_(statement)
        elif isinstance(statement, ast.With):
            self.run(statement.body)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            self.assign(statement.target, statement.value, statement, rest)
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                self.assign(target, statement.value, statement, rest)
        elif isinstance(statement, ast.AugAssign):
            self.augment(statement, rest)
        elif isinstance(statement, ast.Expr):
            self.expression(statement)
        else:
            self.find(statement, "prose")

    def aside(self, statement: ast.stmt) -> str:
        """Why a statement that is not read claims nothing, or nothing."""
        if not isinstance(statement, ast.Assign):
            return ""
        target, value = statement.targets[0], statement.value
        called = getattr(value.func, "attr", key_of(value.func)) if isinstance(value, ast.Call) else ""
        if called in self.code.functions and called not in self.code.helpers:
            return "a call of the listing's own function"
        if isinstance(target, ast.Tuple) and (key := key_of(value)):
            return f"what {key} holds, under the same names"
        return around(value)

    def failed(self, statement: ast.stmt, error: ListingError) -> None:
        """A statement that cannot be read, or whose arrays do not fit; its name means what it should."""
        target = next((t for t in _plain_targets(statement)), None)
        family = self.gradients.family(whole_key(target), target)
        status = "misfit" if isinstance(error, Misfit) and family else "unread"
        text = ast.unparse(target) if target is not None else ""
        held = self.forced.get(id(statement), family[0] if family else None)
        self.find(statement, status, text, message=str(error), wanted=family, true=held)
        added = (s for s in self.code.after(statement) if isinstance(s, ast.AugAssign))
        if any(ast.unparse(s.target) == text for s in added):
            self.broken.add(text)
        if status == "unread":
            for one in targets(statement):
                self.lose(one)
        elif target is not None and held is not None:
            self.hold(target, held)

    def if_(self, statement: ast.If) -> None:
        """Both branches, at the general step; the names of the first branch go on."""
        self.find(statement, "prose")
        chosen = self.reader.decide(statement.test)
        aside = chosen is not True and self.loop is not None and self.at_end(statement)
        if chosen is False or aside:
            self.run(statement.orelse)
            return
        before = dict(self.scope.names), {k: dict(s) for k, s in self.scope.series.items()}
        self.run(statement.orelse)
        after = self.scope.names
        self.scope.names, self.scope.series = before
        for key, value in after.items():
            self.scope.names.setdefault(key, value)
        self.run(statement.body)

    def at_end(self, statement: ast.If) -> bool:
        """``if t == T - 1: dh_next = zeros``: a step that is not the general one."""
        for inner in statement.body:
            if not (isinstance(inner, ast.Assign) and is_zeros(inner.value)):
                return False
        for inner in statement.body:
            self.find(inner, "definition", ast.unparse(inner.targets[0]))  # type: ignore[attr-defined]
        return True

    def expression(self, statement: ast.Expr) -> None:
        """A value that nothing is done with; a clip in place."""
        call = statement.value
        if isinstance(call, ast.BinOp):
            target = ast.unparse(call.left)
            self.find(
                statement,
                "no-effect",
                target,
                message=f"a statement without effect: {target} is left as it is",
                wanted=self.gradients.family(key_of(call.left)),
                assumption=f"{target} {SYMBOLS.get(type(call.op), '+')}= {ast.unparse(call.right)}",
            )
        elif not self.clips(statement, [call], "gradient"):
            self.find(statement, "prose")

    def clips(self, statement: ast.stmt, nodes: Iterable[ast.AST], what: str) -> bool:
        """A clip in place, if there is one."""
        for n in nodes:
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "clip":
                bounds = " and ".join(ast.unparse(a) for a in n.args[1:3])
                assumption = f"every entry of the {what} lies within {bounds}"
                self.find(statement, "conditional", assumption=assumption, message=CLIPPED)
                return True
        return False

    # -- the loop ----------------------------------------------------------------------------------------

    def for_(self, loop: ast.For) -> None:
        """The general step of a loop over time; another loop is over names."""
        self.find(loop, "prose")
        if is_over_names(loop):
            for inner in loop.body:
                if not self.clips(inner, ast.walk(inner), "gradients"):
                    self.find(inner, "prose")
            return
        if self.loop is not None:
            raise ListingError("a loop in a loop over time is not read")
        bind_loop(loop, self.reader)
        self.loop = loop
        carries = self.begin(loop)
        self.run(loop.body)
        self.consistent += sum(map(self.handed_on, carries))
        self.scope.loops.clear()
        self.loop, self.stale = None, set()

    def begin(self, loop: ast.For) -> list[str]:
        """Before the general step: what is carried means what is tried. Returns the names of that."""
        zeros = {k for k, v in self.scope.names.items() if v is ZERO}
        self.conditional, self.ends = conditional(loop), last_lines(loop)
        self.stepped |= stored_series(loop)
        self.stale = {k for k in zeros & read_names(loop) if k not in self.ends}
        self.outside = set(self.scope.names)
        carries = [
            k for k in carried_names(loop.body) if k not in self.known or k in zeros or like_gradient(k)
        ]
        for key in [*carries, *sorted(self.stale)]:
            self.scope.names.pop(key, None)
            self.asked[key] = self.gradients.carried(key)
            self.scope.names[key] = self.given(key)
        for key in assigned_steps(loop.body, self.scope):
            if key not in self.forward.scope.series:
                self.scope.names.pop(key, None)
        return carries

    def handed_on(self, key: str) -> bool:
        """Whether a loop hands on what it takes over."""
        bound, guess = self.bound.get(key), self.guess(key)
        return bound is not None and bound.lag is not None and bound.shifted(1) == guess

    # -- assignments -------------------------------------------------------------------------------------

    def assign(self, target: ast.expr, node: ast.expr, statement: ast.stmt, rest: list[ast.stmt]) -> None:
        """``target = node``."""
        if not isinstance(target, (ast.Tuple, ast.List)):
            self.store(target, node, statement, rest)
            return
        if isinstance(node, (ast.Tuple, ast.List)) and len(node.elts) == len(target.elts):
            for one, part in zip(target.elts, node.elts, strict=True):
                self.store(one, part, statement, rest)
            return
        values = self.reader(node)
        if not (isinstance(values, list) and len(values) == len(target.elts)):
            raise ListingError("as many values as names are needed")
        for one, value in zip(target.elts, values, strict=True):
            self.reader.reads.clear()
            self.keep(one, value, statement, rest)

    def store(self, target: ast.expr, node: ast.expr, statement: ast.stmt, rest: list[ast.stmt]) -> None:
        """One name or place gets the value of an expression."""
        self.reader.reads.clear()
        if ast.unparse(node) == ast.unparse(target):
            self.find(statement, "prose", message="it changes nothing")
            return
        self.keep(target, self.reader(node), statement, rest)

    def keep(self, target: ast.expr, value: Any, statement: ast.stmt, rest: list[ast.stmt]) -> None:
        """One name or place gets a value."""
        reads = tuple(self.reader.reads)
        text = ast.unparse(target)
        self.pending.pop(text, None)
        if value is ZERO or not isinstance(value, (Array, Pieces)):
            if isinstance(value, list) and value and self.gradients.family(key_of(target), target):
                raise Misfit(f"{text} is several arrays here")
            self.hold(target, value)
            self.find(statement, "definition", text)
            return
        if self.by_blocks(target, Part(statement, self.reader.as_array(value), reads=reads)):
            return
        self.take(target, [Part(statement, self.reader.as_array(value), reads=reads)], rest)

    def by_blocks(self, target: ast.expr, part: Part) -> bool:
        """Whether rows or columns of a matrix are assigned; it is judged when it is whole."""
        found = block(self, target, part.array)
        if found is None:
            return False
        array, low, high, size = found
        base: ast.expr = target.value  # type: ignore[attr-defined]
        matrix = self.matrices.setdefault(ast.unparse(base), Matrix())
        matrix.take(replace(part, array=array), low, high)
        self.hold(base, self.add(matrix.parts))
        if matrix.whole(size):
            self.close(base, self.matrices.pop(ast.unparse(base)).parts)
        return True

    def augment(self, statement: ast.AugAssign, rest: list[ast.stmt]) -> None:
        """``target op= value``."""
        target = statement.target
        self.reader.reads.clear()
        if from_outside(self, statement):
            self.find(statement, "definition", message="what comes from outside at one step")
            return
        if not isinstance(statement.op, (ast.Add, ast.Sub)):
            value = self.reader.binary(
                statement.op, self.reader.array(target), self.reader.array(statement.value)
            )
            self.take(target, [Part(statement, value, reads=tuple(self.reader.reads))], rest)
            return
        by_label = isinstance(target, ast.Subscript) and labelled(self, target, statement.value)
        one = one_hot(self, statement) if by_label else self.reader.array(statement.value)
        if isinstance(statement.op, ast.Sub):
            one = self.reader.algebra.pointwise(lambda x: -x, one)
        if self.by_blocks(target, Part(statement, one, reads=tuple(self.reader.reads))):
            return
        parts = self.pending.pop(ast.unparse(target), None)
        if parts is None:
            parts = before(self, target, one)
        if by_label:
            target = target.value  # type: ignore[union-attr, assignment]
            base = self.pending.pop(ast.unparse(target), None)
            parts = base or [Part(statement, self.reader.array(target), begins=True)]
        self.take(target, [*parts, Part(statement, one, reads=tuple(self.reader.reads))], rest)

    def take(self, target: ast.expr, parts: list[Part], rest: list[ast.stmt]) -> None:
        """Judge a value when all that adds to it has come."""
        text = ast.unparse(target)
        if goes_on(text, rest):
            self.pending[text] = parts
            self.hold(target, self.add(parts))
            return
        self.close(target, parts)

    def add(self, parts: Sequence[Part]) -> Array:
        """The parts together."""
        total = parts[0].array
        for part in parts[1:]:
            total = self.reader.algebra.pointwise(lambda a, b: a + b, total, part.array, what="a sum")
        return total

    def lose(self, target: ast.expr) -> None:
        """A name stands for the one gradient that it speaks of, or nothing that uses it shows anything."""
        key = whole_key(target)
        family = self.gradients.family(key, target)
        if key is None:
            return
        if not family:
            self.lost.add(key)
            return
        share = self.loop is not None and family[0].lag is None  # a step's part of a sum over the steps
        notes = () if len(family) == 1 and not share else (f"{UNREAD}{key}",)
        self.hold(target, self.array_of(family[0], notes))


def _plain_targets(statement: ast.stmt) -> list[ast.expr]:
    """What a statement assigns to, but in tuples."""
    if isinstance(statement, ast.Assign):
        return [t for t in statement.targets if not isinstance(t, ast.Tuple)]
    return [statement.target] if isinstance(statement, ast.AugAssign) else []
