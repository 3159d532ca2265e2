"""The lines that are scheduled: the normal form made ready, and its backward lines.

`W @ concat(h, x)` becomes `W[:, :n] @ h + W[:, n:] @ x`, so that both notations get one schedule,
and an activation inside a line gets a name, so that its value can be kept for the backward pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell, Equation, loss_part
from lstmsym.derive import Backward, Derivation, Names, Sweep, adjoint_of, derive
from lstmsym.normal import normalise
from lstmsym.notation import Ref
from lstmsym.shapes import Shape

SAVED = (N.sigma, N.tanh, N.exp, N.log, N.sqrt, N.softplus, N.elu)
"""Functions costly enough that the backward pass should find their value, not compute it again."""


@dataclass(frozen=True)
class Block:
    """Columns low to high of a weight, where its operand is a concatenation."""

    weight: str
    low: sp.Expr
    high: sp.Expr


@dataclass(frozen=True)
class Prepared:
    """Forward lines without the loss, their backward lines, and the loss's own lines."""

    cell: Cell
    forward: tuple[Equation, ...]
    backward: tuple[Backward, ...]
    loss: tuple[Equation, ...]
    loss_backward: tuple[Backward, ...]
    blocks: Mapping[str, Block]
    given: Mapping[str, Ref]
    names: Names
    shapes: Mapping[str, Shape]


def prepare(derivation: Derivation, save: bool = True, split: bool = True) -> Prepared:
    """Make a derivation ready to be scheduled."""
    cell = derivation.cell
    plain = derive(cell, loss=False)
    shapes = dict(plain.shapes)
    lines = _named_activations(plain.forward, shapes) if save else plain.forward
    lines, blocks = _split(_unscaled(lines, shapes), shapes, cell) if split else (lines, {})
    backward, shapes = _sweep(cell, lines, shapes, plain, blocks)
    loss, loss_backward, shapes = _loss(cell, shapes, plain)
    return Prepared(cell, lines, backward, loss, loss_backward, blocks, plain.given, plain.names, shapes)


def _named_activations(lines: tuple[Equation, ...], shapes: dict[str, Shape]) -> tuple[Equation, ...]:
    """Give every costly function inside a line a line of its own."""
    out: list[Equation] = []
    named: dict[sp.Expr, Ref] = {}
    for line in lines:
        inner = [a for a in line.expr.atoms(*SAVED) if a != line.expr and a.atoms(Ref)]
        for node in sorted(inner, key=lambda a: (sp.count_ops(a), str(a))):
            if node not in named and isinstance(node.args[0], Ref) and node.args[0].lag == 0:
                arg = node.args[0]
                name = _unique(f"{type(node).__name__}_{arg.base}", shapes)
                named[node] = Ref(name, 0)
                shapes[name] = shapes[arg.base]
                out.append(Equation(named[node], node, line.where))
        out.append(Equation(line.name, line.expr.xreplace(named), line.where))
    return tuple(out)


def _unscaled(lines: tuple[Equation, ...], shapes: dict[str, Shape]) -> tuple[Equation, ...]:
    """Give products with a number before them a line without it, so that they are hoisted and packed."""
    out: list[Equation] = []
    for line in lines:
        groups: dict[sp.Expr, list[sp.Expr]] = {}
        for term in sp.Add.make_args(line.expr):
            number, product = term.as_coeff_Mul()
            if number != 1 and isinstance(product, N.Dot):
                groups.setdefault(number, []).append(product)
        expr = line.expr
        for number, products in groups.items():
            name = Ref(_unique(f"p_{line.name.base}", shapes), line.name.lag)
            shapes[name.base] = shapes[line.name.base]
            out.append(Equation(name, sp.Add(*products), line.where))
            expr += number * (name - sp.Add(*products))
        out.append(Equation(line.name, expr, line.where))
    return tuple(out)


def _unique(name: str, taken: Mapping[str, Shape]) -> str:
    while name in taken:
        name += "_"
    return name


def _split(
    lines: tuple[Equation, ...], shapes: dict[str, Shape], cell: Cell
) -> tuple[tuple[Equation, ...], dict[str, Block]]:
    """Replace products of parameters with concatenations by products with column blocks."""
    parameters = {q.now for q in cell.role("parameter")}
    concats = {line.name: line.expr.args for line in lines if isinstance(line.expr, N.Concat)}
    rules: dict[sp.Expr, sp.Expr] = {}
    blocks: dict[str, Block] = {}
    for operand, parts in concats.items():
        uses = {node for line in lines for node in line.expr.atoms(N.Dot) if node.args[1] == operand}
        elsewhere = any(
            operand in line.expr.xreplace(dict.fromkeys(uses, sp.Integer(0))).atoms(Ref) for line in lines
        )
        ordered = [node for line in lines for node in sorted(line.expr.atoms(N.Dot), key=str) if node in uses]
        weights = [node.args[0] for node in ordered]
        if elsewhere or not all(isinstance(part, Ref) and part.lag is not None for part in parts):
            continue
        if not all(w in parameters and _only_use(w, operand, lines) for w in weights):
            continue
        for node in dict.fromkeys(ordered):
            rules[node] = _blocks(node.args[0], parts, shapes, blocks)
    gone = {v for v in concats if any(node.args[1] == v for node in rules)}
    kept = (line for line in lines if line.name not in gone)
    return tuple(Equation(e.name, e.expr.xreplace(rules), e.where) for e in kept), blocks


def _only_use(weight: Ref, operand: Ref, lines: tuple[Equation, ...]) -> bool:
    hidden = {N.Dot(weight, operand): sp.Integer(0)}
    return not any(weight in line.expr.xreplace(hidden).atoms(Ref) for line in lines)


def _blocks(
    weight: Ref, parts: tuple[Ref, ...], shapes: dict[str, Shape], blocks: dict[str, Block]
) -> sp.Expr:
    low: sp.Expr = sp.Integer(0)
    terms = []
    for part in parts:
        high = low + shapes[part.base][0]
        name = _unique(f"{weight.base}_{part.base}", shapes)
        blocks[name] = Block(weight.base, low, high)
        shapes[name] = (shapes[weight.base][0], high - low)
        terms.append(N.Dot(Ref(name), part))
        low = high
    return sp.Add(*terms)


def _sweep(
    cell: Cell,
    lines: tuple[Equation, ...],
    shapes: dict[str, Shape],
    plain: Derivation,
    blocks: Mapping[str, Block],
) -> tuple[tuple[Backward, ...], dict[str, Shape]]:
    names = plain.names
    sweep = Sweep(shapes, lambda ref: adjoint_of(ref, names))
    for output, ref in plain.given.items():
        sweep.seed(Ref(output, 0), ref, shapes[output])
    for state in cell.role("state"):
        sweep.seed(Ref(state.name, 0), Ref(names.back(state.name), 1), state.shape)
    sweep.run(lines)
    split = {block.weight for block in blocks.values()}
    parameters = [q.now for q in cell.role("parameter") if q.name not in split]
    leaves = [q.now for q in cell.role("input")] + [Ref(q.name, -1) for q in cell.role("state")]
    for leaf in (*leaves, *(Ref(name) for name in blocks), *parameters):
        sweep.close(leaf)
    return tuple(sweep.backward), sweep.shapes


def _loss(
    cell: Cell, shapes: dict[str, Shape], plain: Derivation
) -> tuple[tuple[Equation, ...], tuple[Backward, ...], dict[str, Shape]]:
    """The loss's own lines and the gradients of the outputs that it gives."""
    if cell.loss is None:
        return (), (), shapes
    part = loss_part(cell.equations, cell.loss, (q.name for q in cell.role("target")))
    known = shapes | {q.name: q.shape for q in cell.quantities}
    numbers = [q.name for q in cell.role("hyperparameter", "target")]
    lines, known = normalise(part, known, known, numbers)
    given = {Ref(output, 0): ref for output, ref in plain.given.items()}
    sweep = Sweep(known, lambda ref: given.get(ref, Ref(plain.names.adjoint(ref.base), ref.lag)))
    sweep.seed(Ref(cell.loss, 0), sp.Integer(1), ())
    sweep.run(lines)
    for output in given:
        sweep.close(output)
    return lines, tuple(sweep.backward), sweep.shapes
