"""What the names of a document denote, and how its lines are sorted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sympy as sp

from lstmsym.binding.quantity import Place, place, untimed
from lstmsym.cell import Cell
from lstmsym.documents.formula import Apply, Delta, Derivative, Formula, Name, Slice, children, walk
from lstmsym.documents.rows import Equation
from lstmsym.shapes import Shape

Line = tuple[Formula, Formula, Equation]
"""Both sides, and the row that they stand in."""

_SPELLINGS = {
    "sigma": "σ sigmoid Sigmoid sigm logistic sig sgm",
    "hard_sigmoid": "hardsigmoid hard_sigmoid HardSigmoid",
    "tanh": "tanh Tanh th",
    "log": "log ln",
    **{f: f for f in "exp sqrt max min sum mean transpose concat".split()},
    "softplus": "softplus Softplus",
    "relu": "relu ReLU Relu",
    "leaky_relu": "leaky_relu LeakyReLU LReLU lrelu leakyrelu leakyReLU",
    "elu": "elu ELU",
    "softsign": "softsign Softsign",
    "swish": "swish Swish silu SiLU",
    "identity": "id identity",
    "softmax": "softmax Softmax",
    "diag": "diag Diag",
    "outer": "outer",
    "trace": "tr Tr trace",
    "dot": "dot matmul",
}
FUNCTIONS = {word: function for function, words in _SPELLINGS.items() for word in words.split()}
"""Names that are functions whatever a document says."""
ASSUMED = frozenset("φ ϕ ψ g h f s τ θ Φ ρ".split())
LOSSES = frozenset("L l E J C ℒ ℰ ℓ loss cost Loss Cost Err err error".split())
ENTROPIES = frozenset("ce crossentropy xent nll".split())
GRADIENT_BASES = frozenset("δ ε ϵ Δ ∂ ∇".split())
GRADIENT_WORDS = re.compile(r"grad|diff|delta|[Ee]rr(or)?$|Error")


@dataclass
class Table:
    """What the names of a document denote: filled by the forward equations, read by all that follows."""

    letters: frozenset[str] = frozenset({"t"})
    idents: dict[str, str] = field(default_factory=dict)
    spelled: dict[str, Name] = field(default_factory=dict)
    samples: dict[str, Name] = field(default_factory=dict)
    """Identifier -> the name as it stands somewhere, with its time."""
    defined: dict[str, sp.Expr] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    """What an activation's output is the activation of: gate to pre-activation, by identifier."""
    earlier: dict[tuple[str, int], str] = field(default_factory=dict)
    """A quantity some steps ago -> the state that holds it at the step before."""
    scores: dict[str, str] = field(default_factory=dict)
    """What the softmax is taken of, for each output of one."""
    aliases: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    assumed: dict[str, str] = field(default_factory=dict)
    macros: dict[str, Formula] = field(default_factory=dict)
    standing: dict[str, sp.Expr] = field(default_factory=dict)
    """What a name stands for that the cell does without: a stack, an output that only the loss reads."""
    sizes: dict[str, sp.Expr] = field(default_factory=dict)
    """Names of sizes: n of ``a[:n]``."""
    taken: list[str] = field(default_factory=list)
    """What was taken for granted of numbers of units since this was emptied."""
    counts: frozenset[str] = frozenset()
    """Names of the numbers of units, H of a sum over i = 1 ... H."""
    derived: frozenset[str] = frozenset()
    """Names by which something is derived: no fixed numbers."""
    average: sp.Expr = sp.S.One
    """What the loss of a step enters the loss with, 1/T of a mean."""
    unit: bool = False
    """Whether the targets are said to be one-hot, or to add up to one."""
    loss_by: frozenset[str] = frozenset()
    """Names by which the loss is derived, in a derivative that is written out."""
    hot: Name | None = None
    """The one-hot vector that stands for the class of a step."""
    renewed: frozenset[str] = frozenset()
    """States whose new value has a prime (h' beside h)."""
    rows: bool = False
    upright: frozenset[str] = frozenset()
    """Vectors of parameters that stand where the others lie."""
    indexed: bool = False
    """Whether entries of vectors and matrices stand in the forward equations."""
    told: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Roles and ranks that the front matter gives to names."""
    gradients: frozenset[str] = frozenset()
    """Names that the document says are gradients."""
    arguments: frozenset[str] = frozenset()
    """Names with a mark that an activation is taken of: i~ of i = exp(i~), wherever it is defined."""
    ranks: Mapping[str, int] = field(default_factory=dict)
    """Ranks of quantities with steps that are no vectors."""

    def lies(self, key: str, shape: Sequence[object]) -> bool:
        """Whether a quantity lies: a vector where vectors are rows."""
        return len(shape) == 1 and self.rows and key not in self.upright

    def key(self, name: Name) -> Place:
        """The quantity a name denotes, and where."""
        if self.renewed and name.time is None:
            bare = untimed(replace(name, primes=0))[0].key
            if bare in self.renewed:
                return Place(bare, 0 if name.primes else -1)
        found = place(name, self.letters)
        return replace(found, key=self.aliases.get(found.key, found.key))


@dataclass(frozen=True)
class Bound:
    """A document with its cell: the table of names, and the lines sorted into forward and the rest."""

    cell: Cell | None
    table: Table
    kinds: dict[int, str]
    """Place among the document's equations -> forward, loss, alias; the others have none."""
    problem: str = ""
    losses: frozenset[str] = frozenset()
    to_go: frozenset[str] = frozenset()
    """Losses that count from a step on, L(t)."""
    final: bool = False
    """Whether the loss reads the last step alone."""
    missing: str = ""
    unread: Mapping[int, str] = field(default_factory=dict)
    """Place of a forward equation that is not read, and why: something stands in for what it defines."""
    open: frozenset[str] = frozenset()
    """The quantities that such equations read."""
    """A name that a line not read as forward defines, and that the cell has as given."""


def function_of(name: Name, table: Table) -> str:
    """The operation a name before an argument is; nothing where it is a quantity."""
    if name.time is not None:
        return ""
    key = replace(name, primes=0).key
    if key in table.functions:
        return table.functions[key]
    if name.base in FUNCTIONS and (not name.scripts):
        return FUNCTIONS[name.base]
    return ""


def is_entropy(head: Name) -> bool:
    """Whether a name before two arguments is the cross entropy of the two."""
    return head.base.lower().replace("_", "") in ENTROPIES


def is_small(name: Name) -> bool:
    """Whether a name is a small number that keeps a root from zero, and no error: ε without any index."""
    bare = not (name.time or name.scripts or name.units or name.marks or name.primes)
    return bare and name.base in ("ε", "ϵ", "eps")


def is_gradient_name(name: Name, table: Table, closed: bool = True) -> bool:
    """Whether a name is by its look that of a gradient."""
    key = replace(name, primes=0).key
    letter = name.base in GRADIENT_BASES and key not in table.functions and not is_small(name)
    if untimed(name)[0].key in table.gradients or letter:
        return True
    if any(GRADIENT_WORDS.search(s.text) for s in name.scripts) or (
        len(name.base) > 2 and GRADIENT_WORDS.search(name.base)
    ):
        return True
    if closed and name.marks and name.marks[-1] in ("bar", "hat", "tilde"):
        plain = untimed(replace(name, marks=name.marks[:-1]))[0].key
        full = untimed(name)[0].key
        return plain in table.idents and full not in table.idents and full not in table.arguments
    rest = name.base[1:]
    if closed and rest and name.base[0] in "gd":
        stripped = untimed(replace(name, base=rest))[0].key
        return stripped in table.idents and untimed(name)[0].key not in table.idents
    return False


def has_gradient(node: Formula, table: Table, closed: bool) -> bool:
    """Whether a gradient or the derivative of a function stands in a formula."""
    for part in walk(node):
        if isinstance(part, (Delta, Derivative)) and not is_step_size(part, table):
            return True
        if isinstance(part, Apply) and part.head.primes and not table.renewed:
            return True
    return any(is_gradient_name(n, table, closed) for n in bare_names(node))


def is_step_size(node: Formula, table: Table) -> bool:
    """Whether it is the step of time, Δt, which is no gradient."""
    if not isinstance(node, Delta) or not isinstance(node.of, Name):
        return False
    return node.prefix in ("Δ", "d", "δ") and node.of.base in (*table.letters, "t") and not node.of.scripts


def bare_names(node: Formula) -> Iterator[Name]:
    """Names that are not applied to an argument."""
    if isinstance(node, Name):
        yield node
        return
    if isinstance(node, Apply):
        yield from bare_names(node.argument)
        return
    if isinstance(node, Slice):
        return
    for child in children(node):
        yield from bare_names(child)
