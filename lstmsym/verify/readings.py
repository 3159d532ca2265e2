"""Other readings of a claim: conventions under which a line may be right as it stands.

A reading is a convention of notation, never a correction.  What is held fixed in a derivative is a
matter of one line; a `Convention` is one of the whole document, so it excuses no line while others
of the page are right only without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.notation import NotationError, Ref, Size, Total
from lstmsym.shapes import Shape, ShapeError
from lstmsym.verify.claims import Claim
from lstmsym.verify.held import held_readings
from lstmsym.verify.meaning import Meanings, moved
from lstmsym.verify.sequence import COUNTS, USUAL, Special


@dataclass(frozen=True)
class Reading:
    """A claim as it is to be understood, and in what: a loss with a factor, a special sequence.

    ``proof`` is what is to be proved where that is not the claim itself, ``vanishing`` what must be
    zero at the first step if the states before it are; ``said`` names the assumptions,
    ``conventions`` those of the document, one for each.
    """

    claim: Claim
    loss: sp.Expr = sp.S.One
    special: Special = USUAL
    proof: Claim | None = None
    vanishing: tuple[sp.Expr, ...] = ()
    said: tuple[str, ...] = ()
    conventions: tuple[str, ...] = ()

    def under(self, assumption: str, convention: str = "", **changes: object) -> Reading:
        """The reading under one assumption more."""
        said = (*self.said, assumption)
        return replace(self, said=said, conventions=(*self.conventions, convention), **changes)  # type: ignore[arg-type]


Understand = Callable[[Reading, Meanings], Iterator[Reading]]


@dataclass(frozen=True)
class Convention:
    """A way to understand all lines of a document; ``shared`` if it excludes the usual one.

    ``breaks`` says that a line has no meaning under it.
    """

    name: str
    read: Understand
    shared: bool = True
    breaks: Callable[[Claim, Meanings], bool] = lambda claim, meanings: False


def readings(claim: Claim, meanings: Meanings) -> Iterator[Reading]:
    """The ways to understand a claim, the fewest assumptions first."""
    plain = Reading(claim)
    yield from _held(plain, meanings)
    if isinstance(claim.left, Ref) and claim.left in claim.right.atoms(Ref):
        return  # a quantity in terms of itself: no convention makes that a statement
    for count in (1, 2, 3):
        for chosen in combinations(CONVENTIONS, count):
            found = [plain]
            for convention in chosen:
                found = [other for reading in found for other in convention.read(reading, meanings)]
            yield from found


# -- what one line leaves open ---------------------------------------------------------------------


def _held(reading: Reading, meanings: Meanings) -> Iterator[Reading]:
    """Derivatives with something held fixed that the notation does not say."""
    claim = reading.claim
    for said, left, right in held_readings(claim.left, claim.right, meanings.system):
        yield reading.under(said, claim=replace(claim, left=left, right=right))


# -- what a document leaves open -------------------------------------------------------------------


def _shape(expr: sp.Expr, meanings: Meanings) -> Shape | None:
    try:
        return meanings.shape(expr)
    except (ShapeError, KeyError, NotationError):
        return None


def _star(reading: Reading, meanings: Meanings) -> Iterator[Reading]:
    """A product of a matrix and vectors with ``*``: the matrix acts on some of them."""
    right = reading.claim.right
    products = [node for node in right.atoms(sp.Mul) if _shape(node, meanings) is None]
    for choice in (0, 1):
        rules = {}
        for node in products:
            forms = list(_acting(node, meanings))
            if forms:
                rules[node] = forms[min(choice, len(forms) - 1)]
        changed = right.xreplace(rules)
        if rules and changed != right:
            yield reading.under(
                "* is the matrix product", "product", claim=replace(reading.claim, right=changed)
            )


def _acting(node: sp.Expr, meanings: Meanings) -> Iterator[sp.Expr]:
    """A matrix times all vectors of a product, or times one of them."""
    by_rank: dict[int, list[sp.Expr]] = {0: [], 1: [], 2: []}
    for factor in node.args:
        shape = _shape(factor, meanings)
        if shape is None:
            return
        by_rank[len(shape)].append(factor)
    matrices, vectors = by_rank[2], by_rank[1]
    if len(matrices) != 1 or not vectors:
        return
    outside = sp.Mul(*by_rank[0])
    yield outside * N.Dot(matrices[0], sp.Mul(*vectors))
    for v in vectors:
        rest = sp.Mul(*(w for w in vectors if w is not v))
        yield outside * rest * N.Dot(matrices[0], v)


def _rows(reading: Reading, meanings: Meanings) -> Iterator[Reading]:
    """A vector stands left of its matrix, v @ M for M.T @ v."""
    right = reading.claim.right
    if not _has_columns(reading.claim, meanings):
        turned = _turned(right, meanings)
        if turned != right:
            yield reading.under("vectors are rows", "rows", claim=replace(reading.claim, right=turned))


def _turned(expr: sp.Expr, meanings: Meanings) -> sp.Expr:
    """Every v @ M as M.T @ v, inner products first."""
    if not expr.args:
        return expr
    args = [_turned(a, meanings) for a in expr.args]
    if isinstance(expr, N.Dot) and [len(_shape(a, meanings) or ()) for a in args] == [1, 2]:
        return N.Dot(N.transposed(args[1]), args[0])
    return expr if tuple(args) == expr.args else expr.func(*args)


def _has_columns(claim: Claim, meanings: Meanings) -> bool:
    """Whether a matrix stands left of a vector, which has no meaning for rows."""
    shapes = ([_shape(a, meanings) for a in node.args] for node in claim.right.atoms(N.Dot))
    return any([None if s is None else len(s) for s in pair] == [2, 1] for pair in shapes)


def _layout(reading: Reading, meanings: Meanings) -> Iterator[Reading]:
    """The gradient of a matrix is printed transposed."""
    left = reading.claim.left
    if isinstance(left, Ref) and left.base in meanings.backward and len(meanings.shape(left)) == 2:
        changed = replace(reading.claim, right=N.transposed(reading.claim.right))
        yield reading.under("gradients of matrices are laid out transposed", "layout", claim=changed)


def _share(reading: Reading, meanings: Meanings) -> Iterator[Reading]:
    """A parameter's gradient is printed for one step, to be summed over t."""
    claim = reading.claim
    left = claim.left
    one_step = (
        not claim.share
        and not claim.right.has(Total)
        and any(r.lag is not None for r in claim.right.atoms(Ref))
    )
    if isinstance(left, Ref) and left.base in meanings.backward and left.lag is None and one_step:
        said = "it is one step's share of the sum over t"
        yield reading.under(said, "sum over t", claim=replace(claim, share=True))


def _is_sum(claim: Claim, meanings: Meanings) -> bool:
    """Whether a line has the sum over t in it."""
    return not claim.share and claim.right.has(Total)


def _average(reading: Reading, meanings: Meanings) -> Iterator[Reading]:
    """A parameter's gradient is the mean over steps or sequences, not the sum."""
    claim = reading.claim
    left = claim.left
    if isinstance(left, Ref) and left.base in meanings.backward and left.lag is None:
        for size in _counts(claim):
            said = f"gradients of parameters are means over the {COUNTED[size.name]}, not sums"
            yield reading.under(said, "mean", claim=replace(claim, left=left / size))


def _loss(reading: Reading, meanings: Meanings) -> Iterator[Reading]:
    """The loss has a factor that the cell's has not."""
    if meanings.system.cell.loss:
        if _squared(meanings.system.cell):
            yield reading.under("the loss has a factor 1/2", "loss", loss=sp.Rational(1, 2))
        for size in _counts(reading.claim):
            said = f"the loss is the mean over the {COUNTED[size.name]}"
            yield reading.under(said, "loss", loss=1 / size)


def _squared(cell: Cell) -> bool:
    """Whether a loss is a plain square, before which many write a factor 1/2."""
    lines = [e.expr for e in cell.equations if e.name.base == cell.loss]
    return any(e.has(sp.Pow) and not e.atoms(sp.Rational) - e.atoms(sp.Integer) for e in lines)


def _is_probability(target: str, cell: Cell) -> bool:
    """Whether a target stands before the logarithm of a softmax, and nowhere else."""
    found = [term for e in cell.equations for term in _terms_with(Ref(target, 0), e.expr)]
    guesses = [e.name for e in cell.equations if isinstance(e.expr, N.softmax)]
    return bool(found) and all(term.has(N.log_softmax, *map(N.log, guesses)) for term in found)


def _terms_with(ref: Ref, expr: sp.Expr) -> Iterator[sp.Expr]:
    """The products in which a reference stands."""
    if (isinstance(expr, sp.Mul) and ref in expr.args) or expr == ref:
        yield expr
    else:
        for part in expr.args:
            yield from _terms_with(ref, part)


def are_probabilities(cell: Cell) -> bool:
    """Whether the targets may be probabilities, as the loss has them."""
    targets = cell.role("target")
    return bool(targets) and all(_is_probability(q.name, cell) for q in targets)


def _unit(reading: Reading, meanings: Meanings) -> Iterator[Reading]:
    """Targets are probabilities, as the loss has it: their entries add up to 1."""
    cell = meanings.system.cell
    if are_probabilities(cell):
        names = " and ".join(q.name for q in cell.role("target"))
        special = replace(reading.special, unit=True)
        yield reading.under(f"the entries of {names} add up to 1", "targets", special=special)


def with_unit_targets(meanings: Meanings) -> Iterator[Reading]:
    """The reading that targets are probabilities, of no claim yet, where the loss makes them such."""
    yield from _unit(Reading(Claim(sp.S.Zero, sp.S.Zero)), meanings)


def _sums_plainly(claim: Claim, meanings: Meanings) -> bool:
    """Whether a line has a parameter's gradient as a sum over t that no number divides."""
    left = claim.left
    gradient = isinstance(left, Ref) and left.base in meanings.backward and left.lag is None
    return gradient and claim.right.has(Total) and not _counts(claim)


def mean_loss(claim: Claim, said: str, special: Special) -> Iterator[Reading]:
    """A claim where the loss is said to be a mean, whether it speaks of numbers or not."""
    for name, what in COUNTED.items():
        if said == f"the loss is the mean over the {what}":
            yield Reading(claim, loss=1 / Size(name), special=special)


COUNTED = {"T": "steps", "B": "sequences of the batch"}


def _counts(claim: Claim) -> list[Size]:
    """The numbers of steps and of sequences that a claim speaks of."""
    return sorted((s for s in claim.right.atoms(Size) if s.name in COUNTS), key=str)


def _start(reading: Reading, meanings: Meanings) -> Iterator[Reading]:
    """The first states are zero: a sum whose first term has them as a factor may begin one step later."""
    totals = sorted(reading.claim.right.atoms(Total), key=str)
    if totals:
        earlier = {node: Total(moved(node.args[0], -1)) for node in totals}
        proof = replace(reading.claim, right=reading.claim.right.xreplace(earlier))
        yield reading.under(
            "the initial state is zero",
            "start",
            special=replace(reading.special, start=True),
            proof=proof,
            vanishing=tuple(node.args[0] for node in earlier.values()),
        )


def _end(reading: Reading, meanings: Meanings) -> Iterator[Reading]:
    """No gradient arrives from beyond the last step."""
    if reading.claim.right.atoms(Total):
        special = replace(reading.special, end=True)
        yield reading.under("nothing arrives after the last step", "end", special=special)


CONVENTIONS = (
    Convention("product", _star),
    Convention("rows", _rows, breaks=_has_columns),
    Convention("layout", _layout),
    Convention("sum over t", _share, breaks=_is_sum),
    Convention("mean", _average, breaks=_sums_plainly),
    Convention("loss", _loss),
    Convention("targets", _unit, shared=False),
    Convention("end", _end, shared=False),
    Convention("start", _start, shared=False),
)
BY_NAME = {convention.name: convention for convention in CONVENTIONS}
