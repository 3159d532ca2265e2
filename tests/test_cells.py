"""Cells are checked when they are built: one sentence, with the place and the remedy."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numeric
import numpy as np
import pytest
from click.testing import CliRunner

import lstmsym
from lstmsym import (
    Cell,
    Input,
    NotationError,
    Ref,
    Size,
    State,
    abs,
    biases,
    cells,
    concat,
    derive,
    exp,
    leaky_relu,
    load,
    log,
    log_softmax,
    m,
    n,
    scalar,
    sigma,
    softmax,
    softplus,
    sum,
    t,
    tanh,
    weights,
    where,
)  # fmt: skip
from lstmsym.__main__ import main
from lstmsym.check import check
from lstmsym.declare import Bias, Gain, Hyper, Output, Target, Vector, Weight
from lstmsym.notation import FUNCTIONS, LogSumExp, Op, Pointwise, canonical
from lstmsym.rules import TABLE

Z, H = Ref("z", 0), Ref("h", 0)
HEAD = """import builtins
import math
import numpy as np
import sympy
import torch
from lstmsym import *


class Mine(Cell):
    x, h = Input(), State()
    W, U, b = Weight(), Weight(), Bias()
    z = sigma(W @ x[t] + U @ h[t-1] + b)
"""

EXPRESSIONS = [
    # what a function takes
    ("tanh(z, 3)", "too many positional arguments: write tanh(x)"),
    ("sigma()", "missing a required argument: 'x': write sigma(x)"),
    ("concat()", "write concat(vector, *more)"),
    ("softmax(z, z)", "write softmax(v)"),
    ("leaky_relu(z)", "write leaky_relu(x, slope)"),
    ("leaky_relu(z, slop=3)", "write leaky_relu(x, slope)"),
    ("where(z > 0, z)", "write where(condition, x, y)"),
    ("layer_norm(z)", "write layer_norm(vector, gain, bias=0, eps=1e-05)"),
    ("sum([z, z])", "concat(a, b)"),
    ("max([z, z])", "concat(a, b)"),
    ("max(z, 'a')", "'a' (str) is no expression"),
    ("tanh", "functions are called with (...)"),
    # numbers and sizes
    ("3", "plain number"),
    ("n", "plain number"),
    ("tanh(n)", "plain number"),
    ("0 * z", "plain number"),
    ("W @ n", "right side a vector"),
    ("concat(z, n)", "concat takes vectors"),
    ("z / 0", "divides by zero"),
    ("z * float('nan')", "not finite"),
    ("z + 1j", "not real"),
    # Python's control flow
    ("1 if h[t-1] > 0 else 2", "use where(a > b, x, y)"),
    ("x[t] if z else z", "use where(a > b, x, y)"),
    ("0 < z < 1", "use where(a > b, x, y)"),
    ("z and x[t]", "use where(a > b, x, y)"),
    ("x[t] or z", "use where(a > b, x, y)"),
    ("not z", "use where(a > b, x, y)"),
    ("builtins.max(z, h[t-1])", "Python's max and min"),
    ("z == 0", "== and !="),
    ("where(z != 0, z, z)", "== and !="),
    ("z in [1, 2]", "== and !="),
    ("where(z >= 0, z, z)", "written with > or <"),
    ("where(True, z, z)", "a condition is written where(a > b, x, y)"),
    ("z + (z > 0)", "a condition is no number: use where"),
    ("(z > 0) * z", "a condition is no number: use where"),
    ("[tanh(W @ x[t]) for _ in range(3)]", "W of the class is not seen inside [... for ...]"),
    ("[v for v in z]", "take slices v[a:b]"),
    ("len(z)", "write its size, such as n"),
    # operators and objects that the notation does not have
    ("z // 2", "divide with /"),
    ("z % 2", "divide with /"),
    ("z ^ 2", "a power is written v**2"),
    ("z & z", "where(a > b, x, y)"),
    ("~z", "where(a > b, x, y)"),
    ("pow(z, 2, 3)", "pow expected 2 arguments"),
    ("z(3)", "a product is written with *"),
    ("z.sum()", "functions are written as in sum(v)"),
    ("W.shape", "W.shape does not exist"),
    ("'text' + z", "'text' (str) is no expression"),
    ("z + None", "None (NoneType) is no expression"),
    ("z + [1]", "concat(a, b)"),
    ("input @ z", "input (builtin_function_or_method) is no expression"),
    # functions of others
    ("np.tanh(z)", "use tanh of lstmsym"),
    ("np.tanh(z + z)", "use tanh of lstmsym"),
    ("np.dot(W, x[t])", "use A @ v for products"),
    ("np.concatenate([z, z])", "concat(u, v) to join"),
    ("np.ones((3, 3)) @ z", "use A @ v for products"),
    ("np.ones(3) * z", "an array is a parameter"),
    ("torch.tanh(z)", "use tanh of lstmsym"),
    ("math.tanh(z)", "use lstmsym's own"),
    ("float(z)", "takes a number"),
    ("round(z)", "takes a number"),
    ("sympy.sin(z)", "unknown function sin"),
    ("sympy.Symbol('q') * z", "declare q on the page"),
    # steps and slices
    ("tanh(W @ x)", "write x[t]"),
    ("tanh(h)", "write h[t]"),
    ("x[t-1]", "read as x[t]"),
    ("h[t-2]", "read as h[t] or h[t-1]; keep the older value in a state of its own"),
    ("h[t+1]", "look back only"),
    ("h[0]", "a state is read at a step, h[t]"),
    ("h[t-1.5]", "a step is written t, t-1 or t+1"),
    ("h[2*t]", "a step is written t, t-1 or t+1"),
    ("t * z", "a step is written t, t-1 or t+1"),
    ("x[t] if t == 0 else z", "a step is written t, t-1 or t+1"),
    ("tanh(t)", "a step is written t, t-1 or t+1"),
    ("z[t-1]", "declare z = State()"),
    ("W[t] @ x[t]", "a parameter has no time: write W"),
    ("z[0]", "one entry is the slice v[0:1]"),
    ("z[0:z]", "bounds sizes or whole numbers"),
    ("z[:-1]", "whole numbers from 0 on"),
    ("z[::2]", "a slice is v[a:b]"),
    ("x[t][3:1] + z", "the slice v[a:b] holds nothing"),
    ("x[t][:m + 1] + z", "the slice reaches past the end"),
    ("U[:, :n] @ z", "U[:, :n]: a matrix has no slices"),
    ("(W @ x[t])[:-1]", "[:-1] of W @ x[t]: a slice is v[a:b]"),
    # shapes
    ("z @ z", "left side of @ is a matrix"),
    ("x[t] @ W", "left side of @ is a matrix"),
    ("z.T", "only a matrix has a transpose"),
    ("W + z", "W is a matrix and z[t] a vector: a vector is declared as a Bias"),
    ("W * x[t]", "a matrix times a vector is written W @ x[t]"),
    ("h[t-1] + z[0:1]", "sum(v[0:1]) is the number"),
    ("b + x[t] + z", "h[t] = b + x[t] + z: "),
    ("tanh(z   +x[t]) # so", "h[t] = tanh(z +x[t]): "),
    ("z + x[t]", "declare h with the shape"),
    ("tanh(z + x[t])", "does not fit"),
    ("W", "declare h with the shape of its right side"),
    # names
    ("z + q", "q is not defined"),
    ("tahn(z)", "did you mean tanh?"),
    ("Z * 2", "did you mean z?"),
    ("W @ X[t]", "did you mean x?"),
    ("h[t]", "used before it is defined"),
]
"""A right side of ``h[t] = ...`` and words of the sentence that refuses it."""

LINES = [
    # what is assigned to
    ("a = h[t-1] + (  # here\n        x)", "write x[t]"),
    ("x[t] = W @ h[t-1]", "x is an input; only a state"),
    ("W[t] = z", "what changes from step to step is a State()"),
    ("h[t+1] = z", "an equation defines h[t]"),
    ("h[0] = z", "an equation defines h[t]"),
    ("h = z", "an equation is written h[t] = ..."),
    ("x = z", "x is an input: only a state"),
    ("W = z", "W is a parameter: only a state"),
    ("z[0:1] = x[t]", "only a state, an output or the loss"),
    ("z = h[t-1]", "z is defined twice: use another name"),
    ("z += 1", "z is defined twice: use another name"),
    ("h[t] = z\n    h[t] = z  # here", "h[t] is defined twice"),
    ("h = State()", "h is defined twice"),
    ("a, c = z", "take slices"),
    # what is assigned
    ("a = 3", "declare a number of yours, a = Hyper(0.1)"),
    ("a = 2 * n", "write 2*n in the equations"),
    ("a = n", "a is the size n: use one name"),
    ("a = True", "a condition is written where"),
    ("a = [z, z]", "concat(a, b)"),
    ("import math", "defined above the class"),
    ("def f(v):  # here\n        return v", "defined above the class"),
    ("if h[t-1] > 0:  # here\n        a = z", "use where(a > b, x, y)"),
    ("for v in z:  # here\n        pass", "take slices"),
    # names that are taken
    ("tanh = W @ x[t]", "tanh is a function of the notation"),
    ("mean = State()", "mean is a function of the notation"),
    ("params = W @ x[t]", "reserved for generated code"),
    ("t = State()", "reserved for generated code"),
    ("λ = State()", "use ASCII letters"),
    ("W_f, W_g = weights('W_g W_f')", "use one name"),
    ("W_f, W_g, W_h = weights('W_f W_g')", "3 names stand on the left and 2 in 'W_f W_g'"),
    ("a, c = State(), State(), State()", "the names on the left of = and the values on its right differ"),
    ("a = weights('a c')", "unpack them, one name each"),
    # arguments of declarations
    ("a = Input(3.5)", "a whole number from 1 on"),
    ("a = Input('n')", "a whole number from 1 on"),
    ("a = Input(-1)", "a whole number from 1 on"),
    ("a = Input(n / 2)", "a whole number from 1 on"),
    ("a = Input(h)", "a whole number from 1 on"),
    ("a = Input(sympy.Symbol('q'))", "another Size"),
    ("a = Input(size=3)", "no size"),
    ("a = Weight(n, m, n)", "2 at most"),
    ("a = Hyper()", "as in Hyper(0.1)"),
    ("a = Hyper('a')", "as in Hyper(0.1)"),
    ("a = Hyper(1, 2, 3)", "as in Hyper(0.1)"),
    ("a = Size(3)", "as in Size('q')"),
    ("a = weights(3)", "as in 'W U'"),
    ("a = weights('')", "as in 'W U'"),
    # what a page lacks
    ("a = Input()", "input a is never used"),
    ("a = Weight()", "parameter a is never used"),
    ("a = Hyper(1)", "hyperparameter a is never used"),
    ("c = State()", "state c is never assigned: add a line c[t] = ..."),
    ("a = Output()", "output a is never assigned"),
    ("a = W @ x[t]", "a is computed and never used"),
    ("y = Target()  # here\n    c = Output()\n    c[t] = z", "target y has no loss: add a scalar line"),
    (
        "y = Target()\n    l = (h[t-1] - y[t])**2  # here",
        "l is (n,) and a loss is one number: write l = sum(...)",
    ),
    ("l = Loss()\n    l[t] = z**2  # here", "a loss is one number: add its entries up, l[t] = sum(...)"),
    ("y = Target()\n    l = sum((h[t-1] - y[t])**2)  # here", "the loss reads h[t-1]"),
    (
        "y = Target()\n    l = sum((z - y[t])**2) + sum(W**2)  # here",
        "declare e = Output(), put what needs W in e[t] = ...",
    ),
    ("l = sum(z**2)\n    l_2 = sum(z)  # here", "two losses, l and l_2"),
]
"""Lines of a page, the wrong one marked where there are several, and words of the sentence."""

PAGES = [
    ("x = Input()\n    W = Weight()\n    z = W @ x[t]", "no state", 0),
    ("h = State()", "no equations", 0),
    ("h, W = State(), Weight()\n    h[t] = tanh(W @ h[t-1])", "no input: steps and samples are counted", 0),
    ("x, h, b = Input(), State(), Bias()\n    h[t] = h[t-1] * sum(x[t])", "b is never used", 1),
]
"""Whole pages, words, and the wrong line, counted from that of the class."""


def refused(file: Path, text: str, line: int, words: str) -> None:
    """A file is refused in one sentence: file, line, cell and the words, by the command line too."""
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["derive", f"{file}:Mine"])
    assert done.exit_code == 2 and not done.stdout
    assert done.stderr.startswith(f"lstmsym: {file}:{line}: Mine: ") and done.stderr.count("\n") == 1
    assert words in done.stderr.rpartition(": in ")[2], done.stderr


@pytest.mark.parametrize(("right", "words"), EXPRESSIONS)
def test_mistake_in_an_expression(right: str, words: str, tmp_path: Path) -> None:
    text = f"{HEAD}    h[t] = {right}\n"
    refused(tmp_path / "mine.py", text, text.count("\n"), words)


@pytest.mark.parametrize(("lines", "words"), LINES)
def test_mistake_in_a_line(lines: str, words: str, tmp_path: Path) -> None:
    text = f"{HEAD}    {lines}\n" + ("" if "h[t] =" in lines else "    h[t] = z\n")
    marked = [number for number, line in enumerate(text.splitlines(), 1) if "# here" in line]
    refused(tmp_path / "mine.py", text, *(marked or [HEAD.count("\n") + 1]), words)


@pytest.mark.parametrize(("page", "words", "line"), PAGES)
def test_mistake_in_a_page(page: str, words: str, line: int, tmp_path: Path) -> None:
    head = HEAD.partition("    ")[0]
    refused(tmp_path / "mine.py", f"{head}    {page}\n", head.count("\n") + line, words)


def test_a_size_is_imported(tmp_path: Path) -> None:
    text = HEAD.replace("import *", "import Bias, Cell, Input, State, Weight, t") + "    h[t] = z[0:n]\n"
    refused(tmp_path / "mine.py", text, text.count("\n"), "write from lstmsym import n")


def test_a_helper_is_blamed_on_the_line_that_calls_it(tmp_path: Path) -> None:
    helper = "def half(v):\n    return v / 2 if v > 0 else v\n\n\nclass"
    text = HEAD.replace("class", helper) + "    h[t] = half(z)\n"
    refused(tmp_path / "mine.py", text, text.count("\n"), "use where")


@pytest.mark.parametrize(
    ("text", "attribute", "words"),
    [
        ("def broken(:", "Mine", "mine.py:1: invalid syntax"),
        ("\nimport nothing_here", "Mine", "mine.py:2: ModuleNotFoundError: No module named 'nothing_here'"),
        ("raise RuntimeError('two\\nlines')", "Mine", "mine.py:1: RuntimeError: two lines"),
        ("exit(3)", "Mine", "mine.py:1: SystemExit: 3"),
        ("x = 1\0", "Mine", "null bytes"),
        ("x = 1", "Mine", "no cell Mine: it defines no class Name(Cell)"),
        ("Mine = 1", "Mine", "Mine is no cell but of type int"),
        (HEAD + "    h[t] = z", "Min", "no cell Min: did you mean Mine?"),
        (HEAD + "    h[t] = z", "Nobody", "no cell Nobody: there are Mine; write file.py:Name"),
        (None, "Mine", "no such file"),
        ("", None, "this is a folder, no file"),
    ],
)
def test_a_broken_file(text: str | None, attribute: str | None, words: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    if attribute is None:
        file.mkdir()
    elif text is not None:
        file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["derive", f"{file}:{attribute or 'Mine'}"])
    assert done.exit_code == 2 and not done.stdout
    assert words in done.stderr and done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        ("tanh", Ref("x", 0), "tanh is a function of the notation"),
        ("t", Ref("x", 0), "reserved"),
        ("class", Ref("x", 0), "no word of Python's"),
        ("z 1", Ref("x", 0), "no identifier"),
        ("x", Ref("h", 0), "x is an input"),
        ("W", Ref("x", 0), "W is a parameter"),
        (Ref("h", 1), Ref("x", 0), "an equation defines h at t"),
        ("z", 3, "plain number"),
        ("z", [Ref("x", 0)], "concat(a, b)"),
        ("z", "x", "'x' (str) is no expression"),
        ("h", Ref("hh", -1), "did you mean h?"),
    ],
)
def test_mistake_in_from_equations(left: Any, right: Any, words: str) -> None:
    frame = inspect.currentframe()
    assert frame is not None
    declared = (Input(n, name="x"), State(name="h"), Weight(name="W"))
    with pytest.raises(NotationError) as caught:
        line = frame.f_lineno + 1
        Cell.from_equations("Mine", declared, [(left, right)])
    message = str(caught.value)
    assert message.startswith(f"{__file__}:{line}: Mine: ") and words in message and "\n" not in message


@pytest.mark.parametrize("op", [op for op in TABLE if issubclass(op, Pointwise)], ids=lambda op: op.__name__)
def test_an_operation_takes_what_its_rule_takes(op: type[Op]) -> None:
    args = tuple(Ref(name, 0) for name in op.form.parameters)
    assert len(TABLE[op].pull(Ref("y", 0), Ref("d", 0), args, [()] * len(args))) == len(args)
    with pytest.raises(NotationError, match=f"write {op.__name__}"):
        op(*args, args[0])


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda f: f.__name__)
def test_every_function_refuses_a_wrong_number_of_arguments(function: Callable[..., Any]) -> None:
    with pytest.raises(NotationError, match=f"write {function.__name__}"):
        function()


@pytest.mark.parametrize("cell", [cells.find(n) for n in cells.names()], ids=lambda c: c.name)
def test_from_equations_builds_the_same_value(cell: Cell) -> None:
    kinds = {"input": Input, "state": State, "target": Target, "output": Output}
    starts = {"uniform": None, "zeros": Bias, "ones": Gain}
    declared = []
    for q in cell.quantities:
        if q.role in kinds:
            declared.append(kinds[q.role](*q.shape, name=q.name))
        elif q.role == "hyperparameter":
            declared.append(Hyper(float(str(q.start)), name=q.name))
        elif q.role == "parameter":
            kind = starts[str(q.start)] or (Weight if len(q.shape) == 2 else Vector)
            declared.append(kind(*q.shape, name=q.name))
    again = Cell.from_equations(cell.name, declared, [(e.name, e.expr) for e in cell.equations])
    assert again == cell


def test_pages_do_not_inherit() -> None:
    assert not isinstance(cells.find("lstm"), type)


class Sums(Cell):
    """``@`` between sums and products that have no name."""

    x, h = Input(), State()
    W, R, U = weights("W R U")
    z = W @ x[t]
    h[t] = tanh((R - R.T) @ (2 * h[t - 1] + z) + (R - R.T) @ h[t - 1] + U @ (h[t - 1] * z))


class Numbers(Cell):
    """Numbers, NumPy's too, sizes as numbers, Python's abs, arguments by keyword, a slice of a sum."""

    x, h = Input(), State()
    W, b = Weight(), Bias()
    a = np.float64(0.5) * (W @ concat(x[t], h[t - 1])) / n + b
    h[t] = (1 - sigma(a)) * abs(a) + sum(a) / n + leaky_relu(a, slope=0.1) + (h[t - 1] / 2 + a)[0:n]


@pytest.mark.parametrize("cell", [Sums, Numbers], ids=lambda c: c.name)
def test_what_may_stand_without_a_name(cell: Cell) -> None:
    report = check(load(cell))
    assert report.ok, str(report)


q = Size("q")


# fmt: off
class Expanded(Cell):
    """Sizes in brackets and multiplied out are the same sizes."""

    x, h, u = Input(), State(n + q), State(q * (n + 1))
    W, A, P = Weight(), Weight(n, 2 * (n + q)), weights("P")
    h[t] = concat(tanh(A @ concat(h[t-1], h[t-1])), W @ x[t])
    u[t] = concat(u[t-1][: q * (n + 1)][:n*q], P @ concat(u[t-1][:q], u[t-1][:q]))


class NoUnits(Cell):
    """No size n anywhere."""

    x, h, s = Input(), State(m), State(scalar)
    w = Vector(m)
    y = Output()
    s[t] = s[t-1] / 2 + sum(x[t])
    h[t] = tanh(w * h[t-1] + x[t]) * s[t]
    y[t] = concat(h[t], h[t])


class Builtins(Cell):
    """Python's own names, and names that a derivation would like."""

    x = Input()
    h, h_prev = State(), State()
    range, isinstance, W = weights("range isinstance W")
    dh_next, reversed = biases("dh_next reversed")
    dh = W @ x[t] + reversed
    h_prev[t] = tanh(range @ h[t-1] + dh)
    h[t] = tanh(isinstance @ h_prev[t-1] + dh_next)
# fmt: on


def test_a_cell_has_the_sizes_it_uses() -> None:
    assert Expanded.sizes == (m, n, q) and Expanded.by_name["W"].shape == (q, m)
    assert Expanded.by_name["P"].shape == (q, 2 * q)
    assert NoUnits.sizes == (m,) and NoUnits.by_name["y"].shape == (2 * m,)
    assert all(b.shape == derive(Expanded).shapes[b.of.base] for b in derive(Expanded).backward)


def test_no_two_gradients_have_one_name() -> None:
    derivation = derive(Builtins)
    made = [b.name.base for b in derivation.backward] + [r.base for r in derivation.given.values()]
    assert len({*made, *Builtins.by_name}) == len(made) + len(Builtins.by_name)
    assert {derivation.names.back("h"), derivation.names.back("h_prev")} <= set(made)


def test_a_star_import_hides_nothing_of_python() -> None:
    names: dict[str, Any] = {}
    exec("from lstmsym import *", names)  # the statement itself is tested
    assert not {"sum", "max", "min", "abs"} & set(names) and not set(vars(builtins)) & set(lstmsym.__all__)
    assert lstmsym.sum is FUNCTIONS["sum"]


STABLE = [
    (log(sigma(Z)), -softplus(-Z)), (log(1 - sigma(Z)), -softplus(Z)), (log(1 + exp(Z)), softplus(Z)),
    (log(sum(exp(Z))), LogSumExp(Z)), (log(softmax(Z)), log_softmax(Z)), (log(exp(Z)), Z),
    (1 / (1 + exp(-Z)), sigma(Z)), (H / (1 + exp(Z)), H * sigma(-Z)), (exp(Z) / (1 + exp(Z)), sigma(Z)),
    (H * exp(Z) / sum(exp(Z)), H * softmax(Z)), (log(1 / (1 + exp(-Z))), -softplus(-Z)),
    (where(Z > Z, H, Z), Z), (log(2 + Z), log(2 + Z)), (1 / (2 + exp(Z)), 1 / (2 + exp(Z))),
]  # fmt: skip


@pytest.mark.parametrize(("written", "kept"), STABLE, ids=str)
def test_stable_forms(written: Any, kept: Any) -> None:
    assert canonical(written) == kept
    at = {Z: np.array([0.3, -1.2]), H: np.array([2.0, -0.7])}
    if not written.has(where):
        np.testing.assert_allclose(
            numeric.evaluate(written, at, {}), numeric.evaluate(kept, at, {}), rtol=1e-13
        )


def test_a_condition_prints_as_a_comparison() -> None:
    class Chosen(Cell):
        x, h = Input(), State()
        W = Weight()
        h[t] = where(h[t - 1] > 0, W @ x[t], h[t - 1])

    assert "where(h[t-1] > 0, W @ x[t], h[t-1])" in str(Chosen)
    assert r"\operatorname{where}(h_{t-1} > 0, " in Chosen._repr_latex_()
