"""The code around a recurrence, such as loading data and random starts: it claims nothing."""

from __future__ import annotations

import ast

from lstmsym.listings.keys import called

LOADING = {
    "open", "read", "readlines", "list", "set", "sorted", "str", "join", "format", "load", "loadtxt", "time",
    "input", "enumerate", "map", "filter", "split_data", "seed", "RandomState", "default_rng",
}  # fmt: skip
RANDOM = {
    "rand", "randn", "random", "normal", "uniform", "standard_normal", "choice", "randint", "permutation",
    "orthogonal", "binomial", "random_sample", "xavier_uniform_", "truncated_normal",
}  # fmt: skip


TYPES = {"ndarray", "float32", "float64", "float16", "NDArray"}


def around(value: ast.expr | None) -> str:
    """Why a value is none of the recurrence's own, or nothing."""
    if value is None:
        return ""
    if is_size(value):
        return "a size"
    names = {called(n) for n in ast.walk(value) if isinstance(n, ast.Call)}
    if names & RANDOM:
        return "a random start"
    if names & LOADING or any(
        isinstance(n, ast.DictComp | ast.SetComp | ast.JoinedStr) for n in ast.walk(value)
    ):
        return "data"
    if isinstance(value, ast.Constant) and not isinstance(value.value, int | float):
        return "a constant"
    if names & {"namedtuple", "NamedTuple", "make_dataclass"} or (
        isinstance(value, ast.Attribute) and value.attr in TYPES
    ):
        return "a type"
    if isinstance(value, ast.Lambda):
        return "a function"
    if isinstance(value, ast.Call) and called(value)[:1].isupper():
        return "an object"
    return "a one-hot vector" if _one_hot(value) else ""


def _one_hot(value: ast.expr) -> bool:
    """``np.eye(n)[label]``: a row of the identity."""
    rows = value.value if isinstance(value, ast.Subscript) else None
    return isinstance(rows, ast.Call) and called(rows) in ("eye", "identity")


def is_size(node: ast.expr) -> bool:
    """Whether a value is put together from shapes and lengths."""
    if isinstance(node, ast.Tuple | ast.List):
        return bool(node.elts) and all(map(is_size, node.elts))
    if isinstance(node, ast.Attribute):
        return node.attr in ("shape", "size", "ndim")
    if isinstance(node, ast.Subscript):
        return is_size(node.value)
    if isinstance(node, ast.Call):
        return called(node) in ("len", "size") or (called(node) == "int" and any(map(is_size, node.args)))
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
        divided = isinstance(node.op, ast.Div)
        whole = isinstance(node.left, ast.Constant) if divided else all(map(_single, sides))
        return any(map(is_size, sides)) and (whole or is_size(node.left))
    return False


def _single(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Constant) or is_size(node)
