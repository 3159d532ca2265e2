"""What names a gradient: a word of code (top_diff_h, dW_f), one gradient over another."""

from __future__ import annotations

import re

from lstmsym.documents import symbols as S
from lstmsym.documents.formula import Delta, Derivative, Formula, Name, Number, Product, Raised, Script


def identifier(text: str, spelling: str = "", span: tuple[int, int] = (0, 0)) -> Formula:
    """A word of code: a name with an index, or the gradient of one (top_diff_h, wi_diff, dW_f, grad_x)."""
    path, _, word = text.rpartition(".")
    if not word:
        return Name(text, spelling=spelling, span=span)
    path = path and path + "."
    if found := re.fullmatch(r"((?:top|bottom)_(?:diff|grad|data|delta)_)(.+)", word):
        return Delta(path + found[1], _indexed(found[2], "", span), whole=spelling, span=span)
    if found := re.fullmatch(r"((?:grad|diff|adj|gradient)_)(.+)", word):
        return Delta(path + found[1], _indexed(found[2], "", span), whole=spelling, span=span)
    if found := re.fullmatch(r"(.+)(_(?:diff|grad|gradient|delta))", word):
        return Delta(found[2], _indexed(path + found[1], "", span), whole=spelling, span=span)
    rest = word[1:].lstrip("_")
    if (
        word[0] == "d"
        and word not in ("d_t", "d_T")
        and rest[:1].isalpha()
        and rest not in S.FUNCTION_WORDS
        and word.split("_")[0] not in S.NOT_GRADIENTS - {"d"}
    ):
        of = _indexed(S.LETTERS.get(rest, rest), "", span)  # dpi is that of pi, which alone is a letter
        return Delta(path + "d", of, whole=spelling, span=span)
    return _indexed(text, spelling, span)


def _indexed(text: str, spelling: str, span: tuple[int, int]) -> Name:
    """A letter with indices, ``W_xh``; or a word as it is."""
    base, *parts = text.split("_")
    if len(base) > 1 and base not in S.LETTERS and parts and parts[-1] in ("t", "T"):
        step = Script("sub", Name(parts[-1], span=span))
        return Name("_".join([base, *parts[:-1]]), scripts=(step,), span=span)
    base = S.LETTERS.get(base, base) if parts else base
    if len(base) != 1 or not parts or not all(parts):
        return Name(text, spelling=spelling, span=span)
    scripts = tuple(Script("sub", Number(p, span=span) if p.isdigit() else Name(p, span=span)) for p in parts)
    return Name(base, scripts=scripts, span=span)


def derivative(above: Formula, below: Formula) -> Derivative | None:
    """One gradient over another as a derivative, if they are that."""
    if isinstance(below, Delta) and below.prefix in ("d", "∂", "δ", "∂+"):
        order, by = _order(below.of)
        if isinstance(above, Delta) and above.prefix[0] == below.prefix[0] and len(above.prefix) < 3:
            top = int(above.prefix[1:]) if above.prefix[1:].isdigit() else 1
            if top == order:
                return Derivative(above.of, by, above.prefix.rstrip("0123456789"), order)
        if (
            isinstance(above, Name)
            and above.base == below.prefix
            and not above.scripts
            and above.primes == order - 1
        ):
            return Derivative(None, by, above.base, order)
        if isinstance(above, Product) and not any(above.operators) and isinstance(above.factors[0], Name):
            first, *rest = above.factors  # d σ(z) over d z
            if (
                isinstance(first, Name)
                and first.base == below.prefix
                and not first.scripts
                and len(rest) == 1
            ):
                return Derivative(rest[0], by, below.prefix, order)
    return _under(above, below)


def _under(above: Formula, below: Formula) -> Derivative | None:
    """d_L over d_{h_t}: the letter's index for the quantity."""
    if not (isinstance(below, Name) and isinstance(above, Name)):
        return None
    same = below.base == above.base and below.base in ("d", "∂") and not above.marks + below.marks
    if same and len(above.scripts) == len(below.scripts) == 1:
        return Derivative(above.scripts[0].body, below.scripts[0].body, above.base, form="under")
    return None


def _order(of: Formula) -> tuple[int, Formula]:
    if isinstance(of, Raised) and isinstance(of.exponent, Number) and of.exponent.text in tuple("23456789"):
        return int(of.exponent.text), of.body
    return 1, of
