"""What the front matter says of a document's names, layout and loss.

names: {D: gradient of h, e_s: dc from the next step, q: function tanh, v: vector, k: input}
layout: rows
loss: sum((h - y)**2)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lstmsym.binding.defined import spoken
from lstmsym.binding.quantity import untimed
from lstmsym.binding.spoken import adds_up, one_hot
from lstmsym.binding.stated import Said, stated
from lstmsym.binding.table import FUNCTIONS
from lstmsym.documents.formula import Delta, Derivative, Formula, Name
from lstmsym.documents.limits import DocumentError, ReadingError
from lstmsym.documents.macros import definitions
from lstmsym.documents.parse import parse
from lstmsym.documents.plain import plain_tokens
from lstmsym.documents.read import Document, formula
from lstmsym.documents.times import with_times

ROLES = {
    "input": ("input", 1),
    "vector": ("parameter", 1),
    "bias": ("parameter", 1),
    "matrix": ("parameter", 2),
    "weight": ("parameter", 2),
    "number": ("hyper", 0),
    "scalar": ("hyper", 0),
}
"""A word for what a name is -> its role and rank."""
PARTS = {"": "total", "from the next step": "carried", "from the loss": "given"}
"""Which part of a gradient is meant -> the kind of meaning."""
_GRADIENT = re.compile(
    r"(?:the )?(?:gradients?|derivatives?|adjoint) (?:of|by) (?P<of>.+?)"
    r"(?P<part> from the (?:next step|loss))?"
    r"|(?P<d>[d∂δ].*?)(?P<rest> from the (?:next step|loss))?"
)
HINT = (
    "write `gradient of h`, `dh from the next step`, `dh from the loss`, `function tanh`,"
    f" or one of {', '.join(ROLES)}"
)


@dataclass(frozen=True)
class Told:
    """Roles and functions by a name's key, gradients, whether vectors lie (None: not said), the loss."""

    roles: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    spoken: Mapping[str, str] = field(default_factory=dict)
    """Functions as the text says in words, where nothing else does."""
    gradients: tuple[Said, ...] = ()
    rows: bool | None = None
    loss: Formula | None = None
    unit: bool = False
    """Whether targets are one-hot, or probabilities."""
    hot: Name | None = None
    """What the text calls one-hot."""

    @property
    def named(self) -> frozenset[str]:
        """The keys of names that are gradients."""
        names = (said.notation for said in self.gradients)
        return frozenset(untimed(name)[0].key for name in names if isinstance(name, Name))


def told(document: Document, text: str) -> Told:
    """What a document's front matter says, and then its words.

    Raises:
        DocumentError: an entry is not understood.
    """
    front = document.front
    if front.notes:
        raise DocumentError(f"{document.name}: {front.notes[0]}")
    roles: dict[str, tuple[str, int]] = {}
    functions: dict[str, str] = {}
    gradients: list[Said] = []
    for written, meaning in front.names:
        name = _formula(written, document, f"names: {written}")
        word = meaning.strip().lower()
        function = FUNCTIONS.get(meaning.strip().rpartition(" ")[2])
        if word in ROLES and isinstance(name, Name):
            roles[name.key] = ROLES[word]
        elif function and isinstance(name, Name):
            functions[name.key] = function
        else:
            gradients.append(_gradient(name, written, meaning, document))
    rows = {"rows": True, "columns": False}.get(front.layout)
    loss = _formula(front.loss, document, "loss") if front.loss else None
    gradients += stated(text, document.lexicon, definitions(text))
    words = dict(_spoken(text, document))
    return Told(roles, functions, words, tuple(gradients), rows, loss, adds_up(text), one_hot(text, document))


def _spoken(text: str, document: Document) -> Iterator[tuple[str, str]]:
    for written, function in spoken(text):
        try:
            name = formula(written, document.lexicon)
        except ReadingError:
            continue
        if isinstance(name, Name) and name.time is None:
            yield name.key, function


def _gradient(name: Formula, written: str, meaning: str, document: Document) -> Said:
    found = _GRADIENT.fullmatch(meaning.strip())
    of = found and _target(found["of"] or found["d"], bool(found["d"]), document)
    if not found or not isinstance(of, Name):
        raise DocumentError(
            f"{_place(document)}: {meaning!r} is not understood as what {written} stands for: {HINT}"
        )
    part = (found["part"] or found["rest"] or "").strip()
    return Said(name, of, PARTS[part], 0)


def _target(text: str, whole: bool, document: Document) -> Formula | None:
    """What a gradient is of; ``whole``: the text is the gradient itself, dh or dL/dh."""
    found = _formula(text, document, "names")
    if not whole:
        return found
    if isinstance(found, Delta):
        return found.of
    return found.by if isinstance(found, Derivative) else None


def _formula(text: str, document: Document, what: str) -> Formula:
    try:
        if "\\" in text or "{" in text or "^" in text:
            return formula(text.strip("$"), document.lexicon)
        return with_times(parse(plain_tokens(text.strip("$"))), document.lexicon)
    except ReadingError as error:
        raise DocumentError(f"{_place(document)}: {what}: {text!r} is not understood: {error}") from None


def _place(document: Document) -> str:
    return f"{document.name or 'the document'}: front matter"
