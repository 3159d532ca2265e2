"""What Python can do with an object and an equation cannot: each such operation is refused with its remedy.

An equation is written once for all numbers, so nothing in it can be asked, counted or turned into a number.
"""

from __future__ import annotations

from typing import Any, NoReturn

from lstmsym.mistakes import mistake

_WHERE = "is not known while an equation is written: use where(a > b, x, y)"
_NUMBER = "takes a number, and so do the functions of math: use lstmsym's own, such as tanh(z) or abs(z)"
_ENTRIES = "goes through a vector entry by entry, but an equation holds for all of them: take slices v[a:b]"
_POWER = (
    "is no operator of the notation: a power is written v**2, a product u * v, a condition where(a > b, x, y)"
)

_SENTENCES = {
    "the truth of {} (in if, and, or, not, a < b < c, or Python's max and min) " + _WHERE: "bool",
    "whether {} is equal to something (== and !=) " + _WHERE: "eq ne",
    "len() of {} is no number yet: write its size, such as n": "len",
    "a loop or an unpacking of {} " + _ENTRIES: "iter reversed contains",
    "float() or int() of {} " + _NUMBER: "float int complex index round trunc floor ceil",
    "{} is no function: a product is written with *": "call",
    "// or % of {} is no operator: divide with /": "floordiv rfloordiv mod rmod divmod rdivmod",
    "one of & | ^ ~ << >> beside {} "
    + _POWER: "and rand or ror xor rxor invert lshift rlshift rshift rrshift",
    "{}[...] = ...: only a state, an output or the loss of a cell is assigned at a step": "setitem delitem",
}
"""Sentence, with the expression in its hole -> the special methods that end in it."""


class Refusals:
    """Refuses the operations of `_SENTENCES`, attributes, and functions of array libraries."""

    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Any:
        """Refuse a method or attribute; a name with an underscore is a protocol, and is absent."""
        if name.startswith("_"):
            raise AttributeError(name)
        raise mistake(f"{self}.{name} does not exist: functions are written as in sum(v), a transpose as A.T")


def _refusal(text: str) -> Any:
    def method(self: Refusals, *_: Any, **__: Any) -> NoReturn:
        raise mistake(text.format(self))

    return method


for _text, _methods in _SENTENCES.items():
    for _method in _methods.split():
        setattr(Refusals, f"__{_method}__", _refusal(_text))
