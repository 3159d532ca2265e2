"""The plan of a listing: pairs of a forward and a backward pass, the helpers, and the code around them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from lstmsym.listings.functions import POINTWISE, ZEROS
from lstmsym.listings.inline import inlined, levels
from lstmsym.listings.keys import called, key_of, keys_in
from lstmsym.listings.loops import carried_names
from lstmsym.listings.naming import gradient_of, stems
from lstmsym.listings.numerical import tries_out
from lstmsym.listings.returned import named_results
from lstmsym.listings.statements import each, targets, written

BACKWARD = re.compile(r"back|bptt|bprop|grad|bottom_d(?!ata)|top_d|deriv", re.I)
FORWARD = re.compile(r"forward|fprop|predict|step|run|feed", re.I)
ASIDE = re.compile(r"sampl|generat|predict|plot|accura|load|update|apply|train|optim|reset|init", re.I)
CLAIMLESS = (ast.Import, ast.ImportFrom, ast.Return, ast.Pass, ast.Assert, ast.Raise, ast.Global, ast.Delete)


@dataclass(frozen=True)
class Outline:
    """One forward and one backward pass in order, the helper functions, and what claims nothing."""

    forward: tuple[ast.stmt, ...]
    backward: tuple[ast.stmt, ...]
    helpers: dict[str, ast.FunctionDef]
    definitions: tuple[ast.stmt, ...]
    functions: frozenset[str] = frozenset()


def outline(body: tuple[ast.stmt, ...], known: tuple[str, ...] = ()) -> list[Outline]:
    """The passes of a listing, pair by pair; ``known`` are the quantities of a cell that is given."""
    functions = [n for s in body for n in ast.walk(s) if isinstance(n, ast.FunctionDef)]
    named = frozenset(
        n.name for s in body for n in ast.walk(s) if isinstance(n, (ast.FunctionDef, ast.ClassDef))
    )
    used = {called(n) for s in body for n in ast.walk(s) if isinstance(n, ast.Call)}
    helpers = {f.name: f for f in functions if _is_helper(f, used)}
    named_results(list(body), helpers)
    body = tuple(inlined(list(body), helpers))
    units: list[Outline] = []
    for level in levels(list(body), BACKWARD):
        made = _Split(helpers, known, named)
        for statement in level:
            made.take(statement, "")
        made.turn()
        units += made.units
    return units


def _is_helper(function: ast.FunctionDef, used: set[str]) -> bool:
    """A function of its arguments alone that gives one value, and is used or named as one."""
    returns = [n.value for n in ast.walk(function) if isinstance(n, ast.Return)]
    small = not any(isinstance(n, (ast.For, ast.While, ast.AugAssign)) for n in ast.walk(function))
    single = bool(returns) and all(r is not None and not isinstance(r, ast.Tuple) for r in returns)
    single = single and not any(_unpacks(n) or _fills(n) for n in ast.walk(function))
    named = function.name in used or re.search(r"sigm|tanh|relu|softmax|elu", function.name, re.I)
    return bool(small and single and named and len(function.body) <= 12)


def _unpacks(node: ast.AST) -> bool:
    """``x, h = cache``: more than a helper does."""
    value = node.value if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) else None
    return isinstance(value, ast.Name)


def _fills(node: ast.AST) -> bool:
    """``gradients["W"] = ...``, ``tape.append(...)``."""
    if isinstance(node, ast.Call) and called(node) == "append" and isinstance(node.func, ast.Attribute):
        return True
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    key = target.slice if isinstance(target, ast.Subscript) else None
    return isinstance(key, ast.Constant) and isinstance(key.value, str)


class _Split:
    def __init__(
        self, helpers: dict[str, ast.FunctionDef], known: tuple[str, ...], functions: frozenset[str]
    ) -> None:
        self.helpers, self.given, self.functions = helpers, known, functions
        self.units: list[Outline] = []
        self.begin()

    def begin(self) -> None:
        self.known: dict[str, None] = dict.fromkeys(self.given)
        self.forward: list[ast.stmt] = []
        self.backward: list[ast.stmt] = []
        self.definitions: list[ast.stmt] = []
        self.waiting: list[ast.stmt] = []
        self.in_backward = False

    def turn(self) -> None:
        """End one pair of passes and begin the next."""
        (self.backward if self.in_backward else self.forward).extend(self.waiting)
        parts = (self.forward, self.backward, self.definitions)
        if any(parts):
            forward, backward, definitions = map(tuple, parts)
            self.units.append(Outline(forward, backward, self.helpers, definitions, self.functions))
        self.begin()

    def take(self, statement: ast.stmt, section: str) -> None:
        if isinstance(statement, ast.FunctionDef) and statement.name in self.helpers:
            self.definitions += [n for n in ast.walk(statement) if isinstance(n, (ast.Assign, ast.AugAssign))]
        elif not isinstance(statement, ast.ClassDef) and tries_out(statement) and not _goes_back(statement):
            return
        elif isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            self.section(statement)
        elif (
            isinstance(statement, (*CLAIMLESS, ast.While, ast.Try))
            or (isinstance(statement, ast.If) and _is_main(statement))
            or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
            or is_update(statement)
        ):
            return
        elif section == "__init__":
            self.definitions.append(statement)
        else:
            self.place(statement)

    def section(self, statement: ast.FunctionDef | ast.ClassDef) -> None:
        """A class, or a function: of the forward pass after a backward pass, it begins a new pair."""
        if isinstance(statement, ast.ClassDef):
            for inner in statement.body:
                self.take(inner, "")
            return
        backward = bool(BACKWARD.search(statement.name)) or bool(
            self.given and not FORWARD.search(statement.name)
        )
        both = not self.given and (
            (backward and bool(re.search("forward|fprop", statement.name, re.I))) or holds_both(statement)
        )
        backward = backward and not both
        aside = (
            not backward and not both and bool(ASIDE.search(statement.name)) and statement.name != "__init__"
        )
        if aside or both or (self.backward and not backward and statement.name != "__init__"):
            self.turn()
        before, self.in_backward = self.in_backward, backward
        for inner in statement.body:
            self.take(inner, statement.name)
        self.in_backward = self.in_backward and before
        if aside or both:
            self.turn()

    def place(self, statement: ast.stmt) -> None:
        """To the forward or the backward pass; zeros to begin with go where what follows goes."""
        self.in_backward = self.in_backward or bool(self.given)
        if not self.in_backward and _only_zeros(statement):
            self.waiting.append(statement)
            return
        self.in_backward = self.in_backward or _is_backward(statement, self.known)
        block = self.backward if self.in_backward else self.forward
        block.extend(self.waiting)
        block.append(statement)
        self.waiting = []
        if self.in_backward:
            return
        for node in ast.walk(statement):
            self.known |= dict.fromkeys(written(node))
        self.known |= dict.fromkeys(
            key for node in ast.walk(statement) if (key := key_of(node)) and not _is_callee(key)
        )


def _only_zeros(statement: ast.stmt) -> bool:
    """Whether a statement prepares zeros and nothing else."""
    value = statement.value if isinstance(statement, ast.Assign) else None
    values = value.elts if isinstance(value, ast.Tuple) else [value]
    names = [called(v) if isinstance(v, ast.Call) else "" for v in values]
    return all(name in ZEROS for name in names)


def is_update(statement: ast.stmt) -> bool:
    """Whether a statement moves a quantity against its gradient: a step of the training."""
    target: ast.expr
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, (ast.Add, ast.Sub)):
        target, value = statement.target, statement.value
    elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.BinOp):
        target, value = statement.targets[0], statement.value
        if not isinstance(value.op, ast.Sub) or ast.unparse(value.left) != ast.unparse(target):
            return False
    else:
        return False
    key = key_of(target)
    keys = keys_in(value) - {key}
    return bool(key) and any(s == key for k in keys for s in stems(k))


def _is_callee(key: str) -> bool:
    return key in POINTWISE or key in ZEROS or key in ("np", "dot", "range", "len", "self")


def _goes_back(statement: ast.AST) -> bool:
    """Whether a loop of a statement runs backwards over time."""
    return any(isinstance(n, ast.For) and is_reversed(n) for n in ast.walk(statement))


def _is_main(statement: ast.If) -> bool:
    return "__name__" in ast.dump(statement.test)


def is_reversed(loop: ast.For) -> bool:
    """Whether a loop runs backwards over time."""
    text = ast.unparse(loop.iter)
    return "reversed" in text or "[::-1]" in text or bool(re.search(r"range\(.*, *-1\)$", text))


def holds_both(function: ast.FunctionDef) -> bool:
    """Whether a function runs forwards and then backwards over time: both passes, whatever it is called."""
    loops = [n for n in ast.walk(function) if isinstance(n, ast.For)]
    backward = next((loop for loop in loops if is_reversed(loop)), None)
    if backward is None:
        return False
    return any(loop.lineno < backward.lineno and not is_reversed(loop) and _recurs(loop) for loop in loops)


def _recurs(loop: ast.For) -> bool:
    """Whether a loop goes from step to step: it reads the step before, or a name that it assigns later."""
    before = (
        n.slice
        for n in ast.walk(loop)
        if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load) and not isinstance(n.slice, ast.Slice)
    )
    return bool(carried_names(loop.body)) or any(
        bool(re.search(r"\w - 1$|^-1$", ast.unparse(index))) for index in before
    )


def _makes_gradients(loop: ast.For, known: dict[str, None]) -> bool:
    """Whether a loop sets nothing but gradients: a backward pass, in whatever direction it runs."""
    names = {key for s in each(loop.body) for key in written(s)}
    if not names or not known or names & set(known):
        return False
    marked = all(re.match(r"(?:d(?!ata|rop|ot|ist|im)|grad|delta)\w", name, re.I) for name in names)
    return marked and any(gradient_of(name, list(known)) is not None for name in names)


def _is_backward(statement: ast.stmt, known: dict[str, None]) -> bool:
    """Whether the backward pass begins here."""
    if isinstance(statement, ast.For):
        return is_reversed(statement) or _makes_gradients(statement, known)
    assigned = {key_of(t) for t in targets(statement)}
    for node in ast.walk(statement):
        key = key_of(node)
        if key and key not in known and not key.startswith(("data", "drop")) and (len(key) > 1):
            found = gradient_of(key, [k for k in known if k not in assigned])
            if (
                found is not None
                and not (key.startswith("g") and found[1])
                and not key.startswith("g_")
                and (len(key) > 2 or key[0] == "d")
            ):
                return True
    return False
