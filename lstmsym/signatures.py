"""What functions of the notation take: one signature each, and a sentence for a call that does not fit."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from lstmsym.mistakes import mistake


def form_of(takes: str) -> inspect.Signature:
    """The signature of a list of names, ``*name`` for any number of arguments."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return inspect.Signature(
        [inspect.Parameter(name.lstrip("*"), kinds[name.startswith("*")]) for name in takes.split()]
    )


def bound(
    name: str, form: inspect.Signature, args: tuple[Any, ...], named: dict[str, Any]
) -> inspect.BoundArguments:
    """The arguments of a call in their places, or a sentence that says how the function is called."""
    try:
        return form.bind(*args, **named)
    except TypeError as error:
        shown = [p.replace(annotation=p.empty) for p in form.parameters.values()]
        raise mistake(f"{error}: write {name}({', '.join(map(str, shown))})") from None


_F = TypeVar("_F", bound=Callable[..., Any])


def checked(function: _F) -> _F:
    """A function of the notation: a call that does not fit its signature is told in a sentence."""
    form = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        bound(function.__name__, form, args, named)
        return function(*args, **named)

    return cast(_F, call)
