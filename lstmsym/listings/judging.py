"""Verdicts on the backward statements of a listing."""

from __future__ import annotations

import ast
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.arrays import Array, Misfit
from lstmsym.listings.backward import UNREAD, Backward, Finding, Part, each, like_gradient, shifted, texts
from lstmsym.listings.edits import edits
from lstmsym.listings.keys import key_of
from lstmsym.listings.naming import resolve
from lstmsym.listings.scope import ZERO
from lstmsym.listings.source import ListingError
from lstmsym.listings.steps import place
from lstmsym.notation import Ref

SAMPLES = "only some of the samples are counted"


class Judging(Backward):
    """A pass that says of each value which gradient it is, or that it is none."""

    final = False

    def failed(self, statement: ast.stmt, error: ListingError) -> None:
        """The same, with a repair where arrays do not fit."""
        scope_before = len(self.findings)
        target = (
            statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        )
        mended = None
        if (
            self.final
            and isinstance(error, Misfit)
            and isinstance(statement, ast.Assign)
            and isinstance(target, ast.expr)
        ):
            key = key_of(target) or (key_of(target.value) if isinstance(target, ast.Subscript) else None)
            wanted = self.wanted(key, target) if key else ()
            part = Part(statement, Array(sp.Integer(0)))
            mended = self.mend(part, [part], wanted) if wanted else None
        super().failed(statement, error)
        if mended is not None and len(self.findings) > scope_before and isinstance(target, ast.expr):
            self.repaired[id(statement)] = mended[1]
            self.findings[-1] = replace(self.findings[-1], true=mended[0])
            self.hold(target, mended[0])

    def close(self, target: ast.expr, parts: list[Part]) -> None:
        """Compare a value with the gradients that its name may mean."""
        total = self.add(parts)
        text = ast.unparse(target)
        statements = [p for p in parts if p.notes != "start"]
        key = key_of(target) or (key_of(target.value) if isinstance(target, ast.Subscript) else "") or ""
        wanted = self.wanted(key, target)
        given = tuple(n[6:] for n in total.notes if n.startswith("given "))
        found = Finding(statements[-1].statement, "", text, total.expr, wanted=wanted, given=given)
        option = next(
            (self.forced[id(p.statement)] for p in statements if id(p.statement) in self.forced), None
        )
        if option is not None and not self.truth.equals(total.expr, option):
            self.wrong(replace(found, wanted=(option,)), target, parts)
            return
        unread = next((n.removeprefix(UNREAD) for n in total.notes if n.startswith(UNREAD)), "")
        if unread:
            self.open(found, unread, target, statements)
            return
        if text in self.broken:
            self.terms(found, target, statements)
            return
        special = self.special(found, total, target)
        if special is not None:
            self.findings.append(special)
            return
        matches = self.truth.matches(total.expr)
        last = self.at_last(total.expr, wanted) if not matches else None
        if last is not None:
            found = replace(found, value=last[0], message="at the last step, nothing comes back")
            matches = [last[1]]
        if self.gathers(key, statements):
            matches = [m for m in matches if m.lag is None]
        if matches and total.form in ("fs", "sf") and total.form != self.reader.algebra.vector:
            raise Misfit("it is transposed")
        self.settle(found, matches, key, target, parts)

    def open(self, found: Finding, unread: str, target: ast.expr, statements: list[Part]) -> None:
        """A value that was made, in part, by what was not read: nothing can be said of it."""
        message = f"it uses {unread}, which is made by a statement that is not read"
        for part in statements:
            self.findings.append(replace(found, statement=part.statement, status="open", message=message))
        self.lose(target)

    def settle(
        self, found: Finding, matches: list[Ref], key: str, target: ast.expr, parts: list[Part]
    ) -> None:
        """What a value is, knowing which gradients it equals and which its name may mean."""
        total, wanted, statement = self.add(parts), found.wanted, found.statement
        right = [w for w in wanted if w in matches]
        if right and self.idle(key, right[0], statement):
            self.wrong(replace(found, wanted=tuple(w for w in wanted if w != right[0])), target, parts)
        elif right:
            self.right(found, right[0], target, parts)
        elif wanted and matches and self.hands_on(key, target):
            self.wrong(found, target, parts)
        elif matches and not any(w.lag is None for w in wanted):
            self.other(found, matches[0], target, parts)
        elif self.is_forward(total.expr) and not self.claims(wanted, key, target, total, statement):
            self.recomputed(found, key, target, parts)
        elif wanted and not self.carried_on(found.target, statement):
            self.wrong(found, target, parts)
        else:
            self.intermediate(found, target, total)

    def hands_on(self, key: str, target: ast.expr) -> bool:
        """Whether a statement is the last of a loop to set what the loop carries."""
        plain = self.loop is not None and isinstance(target, ast.Name | ast.Attribute)
        guess = self.meanings.get(key, next(iter(self.asked.get(key, ())), None))
        return plain and isinstance(guess, Ref) and guess.lag == 1 and self.now >= self.ends.get(key, 0)

    def gathers(self, key: str, statements: list[Part]) -> bool:
        """Whether a loop adds to what there was before it: a sum over the steps."""
        added = all(isinstance(p.statement, ast.AugAssign) for p in statements)
        always = all(id(p.statement) not in self.conditional for p in statements)
        return self.loop is not None and added and always and key in self.outside and key not in self.asked

    def at_last(self, expr: sp.Expr, wanted: tuple[Ref, ...]) -> tuple[sp.Expr, Ref] | None:
        """A state's gradient without what comes back, which is all of it at the last step."""
        names = self.truth.judge.system.derivation.names
        for q in self.forward.cell.role("state") if self.loop is None and self.forward.final else ():
            whole, back = Ref(names.adjoint(q.name), 0), Ref(names.back(q.name), 1)
            if whole in wanted and self.truth.equals(expr + back, whole):
                return expr + back, whole
        return None

    def idle(self, key: str, true: Ref, statement: ast.stmt) -> bool:
        """Whether a factor changes nothing, where the name may mean another gradient still."""
        times = isinstance(statement, ast.AugAssign) and isinstance(statement.op, (ast.Mult, ast.Div))
        return times and self.bound.get(key) == true and len(self.wanted(key, statement.target)) > 1  # type: ignore[attr-defined]

    def wanted(self, key: str, target: ast.expr) -> tuple[Ref, ...]:
        """The gradients that a value may be meant to be."""
        if key in self.asked and self.loop is not None and isinstance(target, ast.Name | ast.Attribute):
            guess = self.meanings.get(key, self.asked[key][0] if self.asked[key] else None)
            if isinstance(guess, Ref) and guess.lag == 1:
                between = self.between(key, target, guess) if self.now < self.ends.get(key, 0) else ()
                return (*(f for f in between if f.lag in (None, 0)), guess.shifted(-1))
            if isinstance(guess, Ref) and self.forward.final:
                names = self.truth.judge.system.derivation.names
                return tuple(
                    Ref(names.back(q.name), 0)
                    for q in self.forward.cell.role("state")
                    if names.adjoint(q.name) == guess.base
                )
        family = self.family(key, target)
        if isinstance(target, ast.Subscript):
            lag = (place(target, self.scope)[2] or 0) - self.scope.offsets.get(key, 0)
            if lag == -1:
                names = self.truth.judge.system.derivation.names
                states = [q.name for q in self.forward.cell.role("state")]
                return tuple(
                    Ref(names.back(s), 0) for s in states if any(f.base == names.adjoint(s) for f in family)
                )
        return tuple(f for f in family if f.lag in (None, 0)) or family

    def between(self, key: str, target: ast.expr, carried: Ref) -> tuple[Ref, ...]:
        """What a loop may make of what it carries before it hands it on: all of the state's gradient."""
        names = self.truth.judge.system.derivation.names
        backs = {names.back(q.name): Ref(names.adjoint(q.name), 0) for q in self.forward.cell.role("state")}
        return self.family(key, target) or tuple(w for b, w in backs.items() if b == carried.base)

    def special(self, found: Finding, total: Array, target: ast.expr) -> Finding | None:
        """What is no matter of right or wrong: clipping, averaging; and some of the samples only."""
        clip = next((n for n in total.notes if n.startswith("clip ")), None)
        if clip:
            value = replace(total, notes=tuple(n for n in total.notes if n != clip))
            self.hold(target, value)
            return replace(
                found,
                status="conditional",
                assumption=f"every entry of the gradient lies within {clip[5:]}",
                message="clipping changes larger entries",
            )
        if "samples" in total.notes:
            for w in found.wanted[:1]:
                self.hold(target, w)
            return replace(found, status="wrong", message=SAMPLES)
        return None

    def right(self, found: Finding, true: Ref, target: ast.expr, parts: list[Part]) -> None:
        """A value that is the gradient its name says."""
        key = key_of(target) or ""
        if key:
            self.bound[key] = true
        self.supported |= set(found.given)
        statements = [p for p in parts if p.notes != "start"]
        stale = next((s for p in parts for s in p.reads if s in self.stale), None)
        share = (
            self.loop is not None and true.lag is None and isinstance(statements[-1].statement, ast.Assign)
        )
        self.hold(target, self.add(parts) if share else true)  # one step's share of a sum over the steps
        if stale is not None:
            self.stays_zero(found, stale, true, statements)
            return
        instead = self.instead(found, true, target, statements)
        if instead is not None:
            self.findings.append(instead)
            return
        for part in statements:
            several = len(statements) > 1
            if (
                several
                and part is statements[0]
                and self.is_forward(part.array.expr)
                and _is_copy(part.statement)
            ):
                self.findings.append(
                    replace(
                        found, statement=part.statement, status="definition", message="a part of what follows"
                    )
                )
                continue
            trap = self.trap(part, true)
            if trap is not None:
                self.findings.append(
                    replace(
                        found,
                        statement=part.statement,
                        status="trap",
                        true=true,
                        message=trap[0],
                        assumption=trap[1],
                    )
                )
                continue
            whole = next((said for key in part.reads if (said := self.said_whole(key))), "")
            whole = whole or self.one_sample(true, part)
            status = "conditional" if whole else "right"
            self.findings.append(
                replace(
                    found,
                    statement=part.statement,
                    status=status,
                    true=true,
                    part=several,
                    assumption=whole or found.assumption,
                )
            )

    def overwrites(self, target: ast.expr, true: Ref, statement: ast.stmt) -> bool:
        """Whether ``dh[t - 1] = ...`` takes the place of a gradient that the loop takes for all of it."""
        if not isinstance(target, ast.Subscript) or not isinstance(statement, ast.Assign):
            return False
        key = key_of(target.value)
        if key not in self.asked or place(target, self.scope)[2] != -1:
            return False
        names, start = self.truth.judge.system.derivation.names, self.meanings.get(key, self.asked[key][0])
        pairs = ((names.back(q.name), names.adjoint(q.name)) for q in self.forward.cell.role("state"))
        return isinstance(start, Ref) and (true.base, start.base) in pairs and start.lag == 0

    def used_in_loop(self, text: str, statement: ast.stmt) -> bool:
        """Whether the loop goes on with a value: then it need not outlive the step."""
        inner = (s for s in each(self.loop.body) if s is not statement) if self.loop else ()
        return any(text in texts(s.value) for s in inner if isinstance(s, (ast.Assign, ast.AugAssign)))

    def stays_zero(self, found: Finding, stale: str, true: Ref, statements: list[Part]) -> None:
        """What is right but for a carry that no step sets."""
        for part in statements:
            one = replace(found, statement=part.statement)
            if stale in part.reads:
                message = f"{stale} stays zero: it is never set in the loop"
                one = replace(one, status="stale", true=true, message=message, assumption=stale)
            else:
                one = replace(one, status="definition", message="a part of what follows")
            self.findings.append(one)

    def instead(self, found: Finding, true: Ref, target: ast.expr, statements: list[Part]) -> Finding | None:
        """Of a right value, what else there is to say: it is not kept, it is given, or what it replaces."""
        last = statements[-1]
        single = self.loop is not None and true.lag is None and isinstance(last.statement, ast.Assign)
        if (
            single
            and true in self.truth.table
            and not self.truth.is_total(found.value or true)
            and not self.used_in_loop(found.target, last.statement)
        ):
            message = "only the last step of the loop is kept: += is needed"
            return replace(found, status="last-only", true=true, message=message)
        given = [k for k in last.reads if k in self.asked] if self.loop is None else []
        if given and _is_copy(last.statement) and len(statements) == len(last.reads) == 1:
            message = f"another name of {given[0]}, which is given"
            return replace(found, status="definition", value=None, message=message)
        if self.overwrites(target, true, last.statement):
            message = "what was there from the loss is lost: += is needed"
            return replace(found, status="last-only", true=true, message=message)
        return None

    def one_sample(self, true: Ref, part: Part) -> str:
        """The assumption under which nothing need be added up over samples, where other statements do so."""
        alone = true.lag is None and len(self.truth.dims(true)) == 1 and len(part.array.form or "") == 2
        added = part.array.summed or self.truth.is_total(part.array.expr)
        return "there is one sample" if alone and self.sums and not added else ""

    sums = False
    """Whether the listing adds up the samples somewhere."""

    def said_whole(self, key: str) -> str:
        """The assumption that a given gradient of an inner state is all of it, that by the output too."""
        ref, names = self.meanings.get(key), self.truth.judge.system.derivation.names
        inner = [q.name for q in self.forward.cell.role("state") if q.name not in self.forward.cell.outputs]
        for name in inner:
            if ref == Ref(names.adjoint(name), 0) and key not in self.ends:
                shown = self.forward.shown.get(Ref(name, 0), name)
                return f"{key} is all of the gradient of {shown}, its way through the output included"
        return ""

    def trap(self, part: Part, true: Ref) -> tuple[str, str] | None:
        """(what is wrong at an end of the sequence, the right statement); the general step is right."""
        if self.loop is None or self.guarded(part.statement):
            return None
        names = self.truth.judge.system.derivation.names
        last = {names.adjoint(name) for name in self.forward.final}
        if (
            true.lag == 0
            and true.base not in last
            and any(r.base in last for r in part.array.expr.atoms(Ref))
        ):
            return "the error of what is computed once, at the last step, is added at every step", ""
        for node in ast.walk(part.statement):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
                key, _, lag = place(node, self.scope)
                if key in self.forward.rings and lag == -1:
                    text = ast.unparse(node)
                    index = ast.unparse(node.slice).split(" ")[0]
                    before = shifted(self.known[key], -1).expr
                    first = self.first_name(before)
                    whole = ast.unparse(part.statement).replace(text, f"({text} if {index} > 0 else {first})")
                    return (
                        f"at {index} = 0 the index -1 of {key} is its last entry, not the initial state",
                        whole,
                    )
        return None

    def first_name(self, before: sp.Expr) -> str:
        """What the listing calls a state before the first step."""
        names = (old.base for old, new in self.forward.rename.items() if new == before and old.lag is None)
        return next(names, "the initial state")

    def guarded(self, statement: ast.stmt) -> bool:
        """Whether a condition on the step stands around a statement, or in it."""
        if any(isinstance(n, ast.IfExp) for n in ast.walk(statement)):
            return True
        return id(statement) in self.conditional

    def other(self, found: Finding, true: Ref, target: ast.expr, parts: list[Part]) -> None:
        """A value that is a gradient, though its name would not say so."""
        statements = [p for p in parts if p.notes != "start"]
        kin = not found.wanted or self.kin(true) & {k for w in found.wanted for k in self.kin(w)}
        carried = self.carried_on(found.target, statements[-1].statement)
        if not kin and carried:
            self.intermediate(found, target, self.add(parts))
            return
        if found.wanted and self.final and not carried:
            mended = self.mend(statements[-1], parts, found.wanted)
            if mended is not None:
                self.hold(target, mended[0])
                self.findings.append(
                    replace(
                        found,
                        status="wrong",
                        true=mended[0],
                        assumption=mended[1],
                        message=f"this is the gradient of {self.name(true)}; {mended[2]}",
                    )
                )
                return
        if found.wanted:
            self.consistent -= 0.5
        if kin:
            self.right(found, true, target, parts)
            return
        self.hold(target, true)
        message = f"this is the gradient of {self.name(true)}, of which its name does not speak"
        for part in statements:
            self.findings.append(
                replace(found, statement=part.statement, status="misnamed", true=true, message=message)
            )

    def kin(self, ref: Ref) -> set[str]:
        """The gradients of one quantity at whatever step: of a state, also what goes back to it."""
        names = self.truth.judge.system.derivation.names
        for q in self.forward.cell.role("state"):
            both = {names.adjoint(q.name), names.back(q.name)}
            if ref.base in both:
                return both
        return {ref.base}

    def claims(
        self, wanted: tuple[Ref, ...], key: str, target: ast.expr, total: Array, statement: ast.stmt
    ) -> bool:
        """Whether a value without a gradient in it stands where there must be one."""
        if not wanted or not like_gradient(key) or (is_g(key) and not self.truth.g_marks):
            return any(w.lag is None for w in wanted)
        added = (
            isinstance(statement, ast.AugAssign)
            or isinstance(target, ast.Subscript)
            or total.expr.has(N.Dot, N.Outer)
        )
        return added or self.has_target(total.expr) or any(w.lag is None for w in wanted)

    def has_target(self, expr: sp.Expr) -> bool:
        """Whether the loss's target is in an expression: its gradient begins there."""
        targets = {q.name for q in self.forward.cell.role("target")}
        return any(r.base in targets for r in expr.atoms(Ref))

    def is_forward(self, expr: sp.Expr) -> bool:
        """Whether no gradient is in an expression."""
        system = self.truth.judge.system
        given = {r.base for r in system.derivation.given.values()} | {r.base for r in system.carried}
        return not any(r.base in system.backward or r.base in given for r in expr.atoms(Ref))

    def recomputed(self, found: Finding, key: str, target: ast.expr, parts: list[Part]) -> None:
        """A forward value once more: a definition, or a pre-activation that must be the same."""
        expr = found.value
        assert expr is not None
        if not expr.has(N.Dot):
            self.intermediate(found, target, self.add(parts))
            return
        matches = self.truth.matches(expr, self.truth.values)
        name = resolve(key.strip("_"), self.known)
        value = self.known.get(name) if name else None
        meant = (
            [value.expr, *self.before(value.expr)]
            if isinstance(value, Array) and isinstance(value.expr, Ref)
            else []
        )
        right = [m for m in (meant or matches) if m in matches]
        statements = [p for p in parts if p.notes != "start"]
        if right:
            self.hold(target, replace(self.add(parts), expr=right[0]))
            self.findings.append(replace(found, status="right", true=right[0]))
            return
        mended = self.mend(statements[-1], parts, tuple(meant)) if meant and self.final else None
        if mended is None:
            self.intermediate(found, target, self.add(parts))
            return
        self.hold(target, replace(self.add(parts), expr=mended[0]))
        self.findings.append(
            replace(found, status="wrong", true=mended[0], assumption=mended[1], message=mended[2])
        )

    def carried_on(self, text: str, statement: ast.stmt) -> bool:
        """Whether the next statement that writes a name reads it first."""
        for later in self.following(statement):
            if isinstance(later, ast.AugAssign) and ast.unparse(later.target) == text:
                return True
            if isinstance(later, ast.Assign):
                reads = text in texts(later.value)
                if any(ast.unparse(t) == text for t in later.targets):
                    return reads
                if reads:
                    return False
        return False

    def following(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements after one, in its block."""
        for block in self.blocks:
            if any(s is statement for s in block):
                index = next(i for i, s in enumerate(block) if s is statement)
                return block[index + 1 :]
        return []

    blocks: list[list[ast.stmt]]
    repaired: dict[int, str]

    def intermediate(self, found: Finding, target: ast.expr, total: Array) -> None:
        """A value of the author's own."""
        self.hold(target, total)
        self.findings.append(replace(found, status="definition"))

    def wrong(self, found: Finding, target: ast.expr, parts: list[Part]) -> None:
        """No gradient that the name may mean: which statement is to blame, and what it should be."""
        statements = [p for p in parts if p.notes != "start"]
        if not self.final:
            self.hold(target, found.wanted[0])
            self.findings.append(replace(found, status="wrong", true=found.wanted[0]))
            return
        blamed = (self.blame(parts, found.wanted) if len(parts) > 1 else None) or statements[-1]
        mended = self.mend(blamed, parts, found.wanted)
        true = mended[0] if mended else found.wanted[0]
        self.hold(target, true)
        for part in statements:
            if part is blamed:
                self.findings.append(
                    replace(
                        found,
                        statement=part.statement,
                        status="wrong",
                        true=true,
                        assumption=mended[1] if mended else "",
                        message=mended[2] if mended else "",
                    )
                )
            elif any(r in self.stale for r in part.reads):
                stale = next(r for r in part.reads if r in self.stale)
                self.findings.append(
                    replace(
                        found,
                        statement=part.statement,
                        status="stale",
                        true=true,
                        value=None,
                        message=f"{stale} stays zero: it is never set in the loop",
                        assumption=stale,
                    )
                )
            else:
                self.findings.append(
                    replace(found, statement=part.statement, status="term", true=true, value=part.array.expr)
                )

    def blame(self, parts: list[Part], wanted: tuple[Ref, ...], strict: bool = False) -> Part | None:
        """The part that is no sum of terms of the gradient; of ``strict``, None where there is none."""
        statements = [p for p in parts if p.notes != "start"]
        for ref in wanted:
            line = self.truth.judge.system.derivation.by_name.get(ref.base)
            if line is None or ref.lag != 0:
                continue
            terms = list(sp.Add.make_args(line.expr))[:7]
            sums = [sp.Add(*c) for k in range(1, len(terms) + 1) for c in combinations(terms, k)]
            values = [self.truth.value(s) for s in sums]
            bad = [p for p in statements if not any(_same(self.truth.value(p.array.expr), v) for v in values)]
            if strict and not bad:
                return None
            if len(bad) == 1:
                return bad[0]
        return statements[-1]

    def terms(self, found: Finding, target: ast.expr, statements: list[Part]) -> None:
        """Parts of a value of which another part was not read: each must be a sum of terms."""
        for part in statements:
            fits = [w for w in found.wanted if self.blame([part], (w,), strict=True) is None]
            status = "term" if fits else "wrong"
            true = fits[0] if fits else found.wanted[0] if found.wanted else None
            self.findings.append(
                replace(found, statement=part.statement, status=status, true=true, value=part.array.expr)
            )
        if found.wanted:
            self.hold(target, found.wanted[0])

    def mend(self, part: Part, parts: list[Part], wanted: tuple[Ref, ...]) -> tuple[Ref, str, str] | None:
        """(the gradient, the mended statement, what was changed), if a one-place edit does it."""
        statement = part.statement
        if not isinstance(statement, (ast.Assign, ast.AugAssign)) or (
            isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple)
        ):
            return None
        self.reader.memo = {}
        try:
            return self.mended(part, parts, wanted)
        finally:
            self.reader.memo = None

    def mended(self, part: Part, parts: list[Part], wanted: tuple[Ref, ...]) -> tuple[Ref, str, str] | None:
        """The same, while nothing that names mean changes."""
        statement, stale = part.statement, set(self.stale)
        assert isinstance(statement, ast.Assign | ast.AugAssign)
        for node, why in edits(statement.value, self.candidate_names()):
            if not self.truth.left(3):
                break
            if isinstance(node, ast.Name) and isinstance(statement, ast.Assign):
                continue  # a mere copy is no repair
            try:
                value = self.edited(statement, node)
                whole = self.add([replace(p, array=value) if p is part else p for p in parts])
            except (ListingError, ArithmeticError, TypeError, ValueError, AttributeError, KeyError):
                continue
            for ref in wanted:
                if self.truth.equals(whole.expr, ref):
                    self.stale = stale
                    head = ast.unparse(statement).split("=")[0].rstrip("+-*/ ")
                    op = _op(statement)
                    return ref, f"{head} {op} {ast.unparse(node)}", why
        return None

    def edited(self, statement: ast.Assign | ast.AugAssign, node: ast.expr) -> Array:
        """What a statement would add or assign with another right side."""
        value = self.reader.array(node)
        if value is ZERO or value.form is None:
            raise ListingError("no value")
        if isinstance(statement, ast.Assign) or isinstance(statement.op, ast.Add):
            return value
        if isinstance(statement.op, ast.Sub):
            return replace(value, expr=-value.expr)
        return self.reader.binary(statement.op, self.reader.array(statement.target), value)

    def candidate_names(self) -> list[str]:
        """Names that may stand in the place of another."""
        steps = [k for k in self.scope.loops if k.strip()]
        values = {**self.known, **self.scope.names}
        names = [
            k
            for k, v in values.items()
            if isinstance(v, Array) and v is not ZERO and v.form != "" and k not in self.scope.series
        ]
        if self.forward.kinds:  # a listing with a forward part of its own: all its names
            spelled = [self.spelled.get(k, k) for k in names]
        else:
            spelled = [self.spelled[k] for k in names if k in self.spelled]
        series = (
            [f"{k}[{steps[0]}]" for k, s in self.scope.series.items() if isinstance(s.get(0), Array)]
            if steps
            else []
        )
        return list(dict.fromkeys([*(s for s in spelled if s.replace(".", "").isidentifier()), *series]))[:80]

    def name(self, ref: Ref) -> str:
        """What a gradient is the gradient of."""
        line = self.truth.judge.system.derivation.by_name.get(ref.base)
        return self.forward.shown.get(line.of, str(line.of)) if line is not None else str(ref)


def is_g(key: str) -> bool:
    """Whether a name begins with g, which may mark a gradient or be a gate."""
    return key.startswith("g") and not key.startswith("grad")


def g_marks(judging: Judging) -> bool:
    """Whether a listing writes g before a name for its gradient, as some statement shows."""
    found = (f for f in judging.findings if f.status == "right" and is_g(f.target))
    return any(f.true in f.wanted for f in found)


def _is_copy(statement: ast.stmt) -> bool:
    """Whether a statement copies one value and computes nothing."""
    value = getattr(statement, "value", None)
    return isinstance(statement, ast.Assign) and not any(
        isinstance(n, ast.BinOp) and not isinstance(n.right, ast.Constant)
        for n in ast.walk(value or statement)
    )


def _op(statement: ast.stmt) -> str:
    if isinstance(statement, ast.AugAssign):
        return {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}.get(type(statement.op), "+=")
    return "="


def _same(a: Any, b: Any) -> bool:
    return (
        a is not None
        and b is not None
        and np.shape(a) == np.shape(b)
        and bool(np.allclose(a, b, rtol=1e-9, atol=1e-12))
    )
