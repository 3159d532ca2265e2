"""What a forward pass returns without having named it, under the name of the state that it becomes.

``def forward(x, h_prev, c_prev): ...; return o * np.tanh(c), c`` gives the new h, as its argument says.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from lstmsym.listings.keys import key_of, keys_in
from lstmsym.listings.naming import gradient_of, has_prev, plain
from lstmsym.listings.plainer import made_of


def named_results(body: list[ast.stmt], helpers: Mapping[str, ast.FunctionDef]) -> None:
    """Name, in place, what functions other than helpers compute in their ``return``."""
    for function in [n for s in body for n in ast.walk(s) if isinstance(n, ast.FunctionDef)]:
        last = function.body[-1]
        if function.name in helpers or not isinstance(last, ast.Return) or last.value is None:
            continue
        if _goes_back(function):
            continue
        results = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
        names = _names(function, results)
        for index, name in names.items():
            made = ast.Assign([ast.Name(name, ast.Store())], results[index])
            function.body.insert(-1, made_of(made, last))
            results[index] = ast.Name(name, ast.Load())
        if names and not isinstance(last.value, ast.Tuple):
            last.value = results[0]


def _names(function: ast.FunctionDef, results: list[ast.expr]) -> dict[int, str]:
    """Place among the results -> the name of the state that stands there."""
    computed = [i for i, r in enumerate(results) if isinstance(r, ast.BinOp | ast.Call)]
    arguments = [a.arg for a in function.args.args if a.arg != "self"]
    stored = {plain(k) for n in ast.walk(function) if (k := _stored(n))}
    free = [plain(a) for a in arguments if has_prev(a) and plain(a) not in stored]
    if computed and len(free) == len(computed):
        return dict(zip(computed, free, strict=True))
    aligned = [plain(a) for a in arguments[-len(results) :]]
    named = {i: key_of(r) for i, r in enumerate(results) if i not in computed}
    alike = len(aligned) == len(results) and all(k and plain(k) == aligned[i] for i, k in named.items())
    if not named or not alike or any(aligned[i] in stored for i in computed):
        return {}
    return {i: aligned[i] for i in computed}


def _goes_back(function: ast.FunctionDef) -> bool:
    """Whether a function is given a gradient of what it holds."""
    arguments = [a.arg for a in function.args.args if a.arg != "self" and len(a.arg) > 1]
    names = keys_in(function) | set(arguments)
    return any(gradient_of(a, names - {a}) for a in arguments)


def _stored(node: ast.AST) -> str | None:
    return key_of(node) if isinstance(getattr(node, "ctx", None), ast.Store) else None
