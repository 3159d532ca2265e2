"""One-place edits of a right side, in the author's own text: among them the repair is looked for."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator

LIMIT = 1500


def edits(node: ast.expr, names: Iterable[str]) -> Iterator[tuple[ast.expr, str]]:
    """(edited expression, what was changed), likely edits first."""
    names = list(names)
    count = 0
    for kind in (
        _calls,
        _squares,
        _activations,
        _times,
        _shapes,
        _signs,
        lambda n: _names(n, names),
        _less,
        _wrapped,
        lambda n: _more(n, names),
    ):
        for path, old in list(_walk(node)):
            for new, why in kind(old):
                count += 1
                if count > LIMIT:
                    return
                yield _replaced(node, path, new), why


def _walk(
    node: ast.expr, path: tuple[tuple[str, int | None], ...] = ()
) -> Iterator[tuple[tuple[tuple[str, int | None], ...], ast.expr]]:
    """Every expression inside another, with the way to it."""
    yield path, node
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.expr) and name != "func":
            yield from _walk(value, (*path, (name, None)))
        elif isinstance(value, list):
            for index, one in enumerate(value):
                if isinstance(one, ast.expr):
                    yield from _walk(one, (*path, (name, index)))
        if name == "func" and isinstance(value, ast.Attribute) and not isinstance(value.value, ast.Name):
            yield from _walk(value.value, (*path, ("func", None), ("value", None)))


def _replaced(root: ast.expr, path: tuple[tuple[str, int | None], ...], new: ast.expr) -> ast.expr:
    """A tree with one node replaced; all beside the way to it is shared with the old one."""
    if not path:
        return new
    (name, index), rest = path[0], path[1:]
    made = copy.copy(root)
    value = getattr(root, name)
    inner = _replaced(value if index is None else value[index], rest, new)
    if index is not None:
        inner = [*value[:index], inner, *value[index + 1 :]]  # type: ignore[assignment]
    setattr(made, name, inner)
    return made


def _expr(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _calls(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    """A derivative taken of an activated value: its output form; a missing ``derivative``."""
    if not isinstance(node, ast.Call) or not node.args:
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    for index, keyword in enumerate(node.keywords):
        if (
            keyword.arg == "axis"
            and isinstance(keyword.value, ast.Constant)
            and keyword.value.value in (0, 1)
        ):
            turned = copy.deepcopy(node)
            turned.keywords[index].value = ast.Constant(1 - keyword.value.value)
            yield turned, "the other axis"
    inner = ast.unparse(node.args[0])
    if "sig" in name.lower():
        yield (
            _expr(f"({inner}) * (1 - ({inner}))"),
            f"{inner} is activated already: its derivative is y * (1 - y)",
        )
    if "tanh" in name.lower():
        yield _expr(f"1 - ({inner}) ** 2"), f"{inner} is activated already: its derivative is 1 - y ** 2"


def _squares(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    """The square of tanh of an activated value, which is the square of that value."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and isinstance(node.left, ast.Call)):
        return
    if "tanh" in ast.unparse(node.left.func) and node.left.args:
        made = ast.BinOp(node.left.args[0], node.op, node.right)
        yield made, f"{ast.unparse(node.left.args[0])} is activated already"


def _activations(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.Call) and len(node.args) == 1:
        yield node.args[0], f"without {ast.unparse(node.func)}"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield node.left, "without the square"
        inner = ast.unparse(node.left)
        yield _expr(f"np.tanh({inner}) ** 2"), f"tanh of {inner}"


def _times(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    """A neighbouring step."""
    if not isinstance(node, ast.Subscript):
        return
    for index in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
        text = ast.unparse(index)
        base = text.split(" ")[0]
        if base.isidentifier() and text in (base, f"{base} - 1", f"{base} + 1"):
            for other in (f"{base} - 1", base, f"{base} + 1"):
                if other != text:
                    made = (
                        ast.unparse(node).replace(f"[{text}", f"[{other}").replace(f", {text}", f", {other}")
                    )
                    yield _expr(made), f"{other} for {text}"


def _shapes(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value, "without .T"
    elif isinstance(node, (ast.Name, ast.Subscript)):
        yield ast.Attribute(node, "T", ast.Load()), "with .T"
    if isinstance(node, ast.Call) and len(node.args) == 2:
        made = copy.deepcopy(node)
        made.args = made.args[::-1]
        yield made, "the factors in the other order"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield ast.BinOp(node.right, node.op, node.left), "the factors in the other order"
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        turned = copy.deepcopy(node)
        turned.slice = ast.Tuple(node.slice.elts[::-1], ast.Load())
        yield turned, "the other axis"
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        low, high = node.slice.lower, node.slice.upper
        if (low is None) != (high is None):
            other = ast.Slice(high, low, None)
            yield ast.Subscript(node.value, other, node.ctx), "the other part"
        yield node.value, "without the slice"


def _signs(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        yield (
            ast.BinOp(node.left, ast.Sub() if isinstance(node.op, ast.Add) else ast.Add(), node.right),
            "sign",
        )
        if isinstance(node.op, ast.Sub):
            yield ast.BinOp(node.right, ast.Sub(), node.left), "sign"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand, "sign"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        for a, b in ((node.left, node.right), (node.right, node.left)):
            if isinstance(a, ast.BinOp) and isinstance(a.op, ast.Mult):
                yield ast.BinOp(a.left, ast.Mult(), ast.BinOp(a.right, ast.Add(), b)), "brackets"


def _names(node: ast.expr, names: list[str]) -> Iterator[tuple[ast.expr, str]]:
    """Another name of the listing."""
    if isinstance(node, ast.Name | ast.Subscript) or (isinstance(node, ast.Attribute) and node.attr != "T"):
        text = ast.unparse(node)
        for name in names:
            if name != text:
                yield _expr(name), f"{name} for {text}"


def _less(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mult)):
        what = "term" if isinstance(node.op, ast.Add) else "factor"
        yield node.left, f"without the {what} {ast.unparse(node.right)}"
        yield node.right, f"without the {what} {ast.unparse(node.left)}"
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, (ast.Add, ast.Sub))
        and isinstance(node.left, ast.Constant)
    ):
        yield node.right, f"without {ast.unparse(node.left)}"


def _wrapped(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, (ast.Name, ast.Subscript)):
        text = ast.unparse(node)
        yield _expr(f"np.tanh({text})"), f"tanh of {text}"
        yield _expr(f"({text} * (1 - {text}))"), f"times 1 - {text}"
        yield _expr(f"(1 - {text} ** 2)"), f"1 - {text} ** 2 for {text}"
        yield _expr(f"(1 - {text})"), f"1 - {text} for {text}"


def _more(node: ast.expr, names: list[str]) -> Iterator[tuple[ast.expr, str]]:
    """A factor or a term that was missing."""
    if (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)) or isinstance(
        node, (ast.Name, ast.Subscript)
    ):
        text = ast.unparse(node)
        for name in names:
            for factor in (name, f"(1 - np.tanh({name}) ** 2)", f"(1 - {name} ** 2)", f"(1 - {name})"):
                yield _expr(f"{text} * {factor}"), f"the factor {factor} was missing"
