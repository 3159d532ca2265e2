r"""Derivatives of one use alone, as a word behind a bar says: ``\partial L / \partial h_t |_{direct}``."""

from __future__ import annotations

from dataclasses import replace

from lstmsym.binding.table import LOSSES
from lstmsym.documents.formula import Brackets, Derivative, Formula, Indexed, Name, Script, rebuilt

WORDS = frozenset("direct explicit immediate local direkt explizit direkte directe explicite".split())


def direct(node: Formula) -> Formula:
    r"""A formula with ``\partial^+`` for such derivatives; the loss of one step has one use of its step."""
    node = rebuilt(node, direct)
    if isinstance(node, Indexed) and _says(node.scripts):
        body, bar = node.body, bool(node.bar)
        if isinstance(body, Brackets) and (body.left, body.right, len(body.items)) == ("", "|", 1):
            body, bar = body.items[0], True
        return _immediate(body) if bar and isinstance(body, Derivative) else node
    by = node.by if isinstance(node, Derivative) else None
    if isinstance(node, Derivative) and isinstance(by, Indexed) and by.bar and _says(by.scripts):
        return _immediate(replace(node, by=by.body))
    return node


def _says(scripts: tuple[Script, ...]) -> bool:
    return len(scripts) == 1 and isinstance(scripts[0].body, Name) and scripts[0].text.lower() in WORDS


def _immediate(node: Derivative) -> Derivative:
    of = node.of
    of_step = isinstance(of, Name) and of.base in LOSSES and of.time is not None
    return node if of_step else replace(node, letter="∂+")
