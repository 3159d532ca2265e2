r"""Arguments of activations that a text has names for and no line defines: z_f of f = sigma(W_f x + ...).

Which one is meant is said by an equation (``f_t = \sigma(z_t)``), by the name, which carries that of the gate
as an index or has it under an accent, or by words: "where $a_t$ is the argument of the tanh".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lstmsym import notation as N
from lstmsym.binding.quantity import untimed
from lstmsym.binding.slopes import by_slopes
from lstmsym.binding.table import LOSSES, Bound, Line, Table, function_of
from lstmsym.documents.formula import Apply, Brackets, Derivative, Formula, Name, walk
from lstmsym.documents.limits import ReadingError
from lstmsym.documents.parse import parse
from lstmsym.documents.plain import plain_tokens
from lstmsym.documents.read import Document, formula
from lstmsym.documents.times import with_times
from lstmsym.notation import Ref

_BEFORE = frozenset("in inp input net pre preact raw lin linear arg".split())
"""Indices that say of a gate's name that it is meant before its activation."""
_INLINE = re.compile(r"(?<![\\$])\$([^$\n]{1,60})\$(?!\$)")
_WORDS = re.compile(
    r"\bargument|\binside\b|pre-?activation|\bnet input|\bbefore the (activation|non-?linearity)"
    r"|\binputs? (of|to) the (activation|non-?linearity|tanh|sigmoid)|激活前|激活函数的输入|线性部分|活性化前"
    r"|аргумент|preactivaci|voraktivierung|préactivation",
    re.IGNORECASE,
)


def name_arguments(document: Document, lines: Sequence[Line], bound: Bound, text: str) -> None:
    """Let such names stand for the arguments they name, in the document's table."""
    table = bound.table
    if bound.cell is None or not table.before:
        return
    for name, net in _said(lines, bound):
        _take(table, name, net)
    unknown = list(dict.fromkeys(_unknown(lines, bound)))
    labels = {net: set(_labels(gate, net, table)) for gate, net in table.before.items()}
    fitting = {name: [net for net, known in labels.items() if known & set(_own(name))] for name in unknown}
    keys = {(table.key(name).key, nets[0]) for name, nets in fitting.items() if len(nets) == 1}
    count = Counter(net for _, net in keys)
    for name, nets in fitting.items():
        if len(nets) == 1 and count[nets[0]] == 1:  # of two names for one neither is settled by its look
            _take(table, name, nets[0])
        elif not any(_own(name)):
            _by_words(document, name, table, text, unknown)
    for name, net in by_slopes(lines, bound, [n for n in unknown if _is_open(n, table)]):
        _take(table, name, net)


def _take(table: Table, name: Name, net: str) -> None:
    key = table.key(name).key
    if key not in table.idents:
        table.idents[key] = net
        table.spelled.setdefault(net, untimed(name)[0])
        table.samples.setdefault(net, name)


def _is_open(name: Formula | None, table: Table) -> bool:
    """Whether it is a name with a step that stands for nothing yet."""
    if not isinstance(name, Name) or name.time is None or name.primes or name.units:
        return False
    at = table.key(name)
    known = at.key in table.idents or at.key in table.macros or at.key in table.standing
    return not known and isinstance(at.lag, int) and name.base not in LOSSES


def _unknown(lines: Sequence[Line], bound: Bound) -> Iterator[Name]:
    """Names under or above a derivative of which nothing is known."""
    for place, (left, right, _) in enumerate(lines):
        if place in bound.kinds:
            continue
        for node in (part for side in (left, right) for part in walk(side)):
            if isinstance(node, Derivative):
                for name in (node.by, node.of):
                    if isinstance(name, Name) and _is_open(name, bound.table):
                        yield name


def _said(lines: Sequence[Line], bound: Bound) -> Iterator[tuple[Name, str]]:
    """What an equation says again of a gate: the activation of a name without a definition."""
    table = bound.table
    for left, right, _ in lines:
        ident = table.idents.get(table.key(left).key) if isinstance(left, Name) else None
        if ident not in table.before or not isinstance(right, Apply) or right.power is not None:
            continue
        inner = right.argument
        while isinstance(inner, Brackets) and len(inner.items) == 1:
            inner = inner.items[0]
        function, defined = function_of(right.head, table), table.defined.get(ident)
        kind = getattr(N, function, None) if function else None
        same = isinstance(kind, type) and isinstance(defined, kind)
        if same and isinstance(inner, Name) and _is_open(inner, table):
            yield inner, table.before[ident]


def _labels(gate: str, net: str, table: Table) -> Iterator[str]:
    """What a name may carry that is of a gate's argument: the gate's name, the index of its parameters."""
    name = table.spelled.get(gate)
    if name is not None:
        yield replace(name, marks=()).key
        yield name.key
    refs = table.defined[net].atoms(Ref) if net in table.defined else set()
    known = [
        table.spelled[r.base]
        for r in refs
        if table.roles.get(r.base) == "parameter" and r.base in table.spelled
    ]
    indices = [{s.text, s.text[:1], s.text[-1:]} for n in known for s in n.scripts[-1:]]
    if indices and len(indices) == len(known):
        yield from set.intersection(*indices)


def _own(name: Name) -> Iterator[str]:
    """What a name carries: its indices, what is under its accents, the rest of it behind its first letter."""
    bare = untimed(name)[0]
    words = [s for s in bare.scripts if s.text.lower() in _BEFORE]
    yield from (s.text for s in bare.scripts if s not in words)
    if words:
        yield replace(bare, scripts=tuple(s for s in bare.scripts if s not in words)).key
    if bare.marks:
        yield replace(bare, marks=bare.marks[:-1]).key
    if len(bare.base) > 1 and not bare.scripts and bare.base.isascii():
        yield bare.base[1:]


def _by_words(document: Document, name: Name, table: Table, text: str, unknown: Sequence[Name]) -> None:
    """A name without an index where the text says that it is an argument, and there is one only."""
    nets = set(table.before.values())
    others = [n for n in unknown if table.key(n).key != table.key(name).key]
    cuts = sorted(start for other in others for start, _ in _mentions(document, other, table, text))
    for start, end in _mentions(document, name, table, text):
        after = re.split(r"[.;。]\s", text[end : next((c for c in cuts if c > end), len(text))][:90])[0]
        before = re.split(r"[.;。]\s", text[max(0, start - 60) : start])[-1]
        for around in (after, after + "\n" + before):
            if not _WORDS.search(around):
                continue
            fitting = {net for gate, net in table.before.items() if _calls(table.defined.get(gate), around)}
            chosen = nets if len(nets) == 1 else fitting
            if len(chosen) == 1:
                _take(table, name, chosen.pop())
                return


def _mentions(document: Document, name: Name, table: Table, text: str) -> Iterator[tuple[int, int]]:
    """Where prose speaks of a name: between dollars, or as it is typed in plain text."""
    key = table.key(name).key
    for found in _INLINE.finditer(text):
        try:
            tree = formula(found[1], document.lexicon)
        except ReadingError:
            continue
        if isinstance(tree, Name) and table.key(tree).key == key:
            yield found.start(), found.end()
    for found in re.finditer(rf"(?<![\w$\\/({{]){re.escape(name.base)}[\w₊₋+({{}})-]*", text):
        try:
            tree = with_times(parse(plain_tokens(found[0])), document.lexicon)
        except ReadingError:
            continue
        if isinstance(tree, Name) and tree.time is not None and table.key(tree).key == key:
            yield found.start(), found.end()


def _calls(defined: object, words: str) -> bool:
    """Whether words speak of the function of a gate."""
    if isinstance(defined, N.tanh):
        return "tanh" in words
    return isinstance(defined, N.sigma) and re.search(r"sigmoid|logistic|sigma", words) is not None
