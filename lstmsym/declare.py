"""What a cell declares: inputs, states, parameters, targets, outputs, hyperparameters.

In a class body the name assigned to is the quantity's name; elsewhere it is given: ``Input(name="x")``.
Dimensions are sizes or numbers; what is left out is settled by the equations, and is ``n`` otherwise.
"""

from __future__ import annotations

import ast
import math
from typing import Any, ClassVar

import sympy as sp

from lstmsym.mistakes import author_line, mistake, running
from lstmsym.notation import Authored, Ref, Size, Time, Written, shown


class Declared(Authored):
    """A declared quantity: its role, its dimensions (None: settled by the equations), its name.

    ``where`` is the file and line of the declaration.
    """

    role: ClassVar[str]
    rank: ClassVar[int] = 1
    defined: ClassVar[bool] = False
    """Whether an equation of the cell defines it."""
    most: ClassVar[int] = 2
    """The largest rank it can be declared with."""

    def __init__(self, *dims: Any, name: str = "", **unknown: Any) -> None:
        """Declare with the dimensions given; ``Input(scalar)`` is a single number per step."""
        self.name = name
        self.where = author_line()
        scalar = len(dims) == 1 and isinstance(dims[0], tuple) and not dims[0]
        self._check(() if scalar else dims, unknown)
        self.dims: tuple[sp.Expr | None, ...] = () if scalar else self._filled(dims)

    def _check(self, dims: tuple[Any, ...], unknown: dict[str, Any]) -> None:
        kind = type(self).__name__
        if not isinstance(self.name, str):
            raise mistake(f"{kind}(name={self.name!r}): a name is a string")
        for key in unknown:
            raise mistake(f"{kind}({key}=...): it takes sizes and name=, no {key}")
        if len(dims) > self.most:
            raise mistake(f"{kind} with {len(dims)} sizes: it has {self.most} at most")
        for dim in dims:
            if not (dim is None or _is_size(dim)):
                raise mistake(
                    f"{kind}({dim!r}): a size is n, m, another Size, a sum or product of sizes,"
                    " or a whole number from 1 on"
                )

    def _filled(self, dims: tuple[Any, ...]) -> tuple[sp.Expr | None, ...]:
        given = tuple(None if d is None else sp.sympify(d) for d in dims)
        return given + (None,) * (self.rank - len(given))

    def named(self, name: str) -> Declared:
        """The same declaration under the name it is assigned to.

        Raises:
            NotationError: it was declared under another name.
        """
        if self.name and self.name != name:
            raise mistake(f"{self.name} is assigned to {name}: use one name for it")
        copy: Declared = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, name=name)
        return copy

    @property
    def a_role(self) -> str:
        """The role with its article."""
        return f"{'an' if self.role[0] in 'aeiou' else 'a'} {self.role}"

    def __repr__(self) -> str:
        return self.name or f"{type(self).__name__}()"


def _is_size(dim: Any) -> bool:
    if isinstance(dim, (bool, Authored)) or not isinstance(dim, (int, sp.Expr)):
        return False
    dim = sp.sympify(dim)
    return bool(dim.is_integer and not dim.is_nonpositive and dim.free_symbols == dim.atoms(Size))


class Timed(Declared):
    """A quantity with a value at each step, written ``x[t]``."""

    lags: ClassVar[tuple[int, ...]] = (0,)
    page: Any = None  # where ``c[t] = ...`` is written to; set by the page of a cell

    def __getitem__(self, index: Any) -> Written:
        """The quantity at t, or for a state at t-1."""
        if not isinstance(index, Time):
            raise mistake(f"{self.name}[{shown(index)}]: {self.a_role} is read at a step, {self.name}[t]")
        if index.offset not in self.lags:
            allowed = " or ".join(f"{self.name}[{Time(lag)}]" for lag in self.lags)
            advice = (
                "keep the older value in a state of its own"
                if index.offset < 0
                else "equations look back only"
            )
            raise mistake(f"{self.name}[{index}]: {self.a_role} is read as {allowed}; {advice}")
        return Written(Ref(self.name, index.offset))

    def __setitem__(self, index: Any, value: Any) -> None:
        """``c[t] = expression``: one line of the cell."""
        if self.page is None or not self.defined:
            raise mistake(
                f"{self.name}[{shown(index)}] = ...: {self.name} is {self.a_role};"
                " only a state, an output or the loss of a cell is assigned"
            )
        if not isinstance(index, Time) or index.offset:
            raise mistake(f"{self.name}[{shown(index)}] = ...: an equation defines {self.name}[t]")
        self.page.equation(self.name, value)

    def _sympy_(self) -> Any:
        raise mistake(f"{self.name or self.role} stands without a step: write {self.name or 'x'}[t]")


class Input(Timed):
    """An input of each step: ``Input()`` is a vector of size m, ``Input(scalar)`` a number (a mask)."""

    role = "input"


class State(Timed):
    """What the cell carries from step to step: ``State()`` a vector of size n, ``State(n, n)`` a matrix."""

    role = "state"
    defined = True
    lags = (0, -1)


class Target(Timed):
    """What the loss compares with; known in training only."""

    role = "target"


class Output(Timed):
    """What the cell hands out at each step; without one, the loss's operands or the first state."""

    role = "output"
    defined = True


class Loss(Timed):
    """The loss of a step. Undeclared, it is the scalar line that no other line reads."""

    role = "loss"
    defined = True
    rank = 0


class Free(Declared):
    """A quantity without time: a parameter or a hyperparameter; an expression as it stands."""

    def _sympy_(self) -> Ref:
        if not self.name:
            raise mistake(f"a {self.role} is used before it has a name: assign it to a name first")
        return Ref(self.name)

    def __getitem__(self, index: Any) -> sp.Expr:
        """A slice; it has no steps."""
        if isinstance(index, Time):
            raise mistake(f"{self.name}[{index}]: {self.a_role} has no time: write {self.name}")
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        """Refuse, as only the trainer changes it."""
        raise mistake(
            f"{self.name}[{shown(index)}] = ...: {self.name} is {self.a_role} and is never assigned;"
            " what changes from step to step is a State()"
        )


class Parameter(Free):
    """A trained array.  ``init`` is how it starts: uniform in a range around zero, zeros or ones."""

    role = "parameter"
    init = "uniform"


class Weight(Parameter):
    """A matrix, ``Weight(rows, columns)``; what is left out follows from its use."""

    rank = 2


class Vector(Parameter):
    """A vector that multiplies pointwise, such as a peephole."""


class Bias(Parameter):
    """A vector that is added; starts at zero."""

    init = "zeros"


class Gain(Parameter):
    """A vector that scales a normalised one; starts at one."""

    init = "ones"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


class Hyper(Free):
    """A number fixed by the user, with its default: ``eps = Hyper(1e-5)``."""

    role = "hyperparameter"
    rank = 0

    def __init__(self, *default: Any, name: str = "", **unknown: Any) -> None:
        """Declare with a default value."""
        default += tuple(unknown.pop(key) for key in ("default",) if key in unknown)
        super().__init__((), name=name, **unknown)
        if len(default) != 1 or not _is_number(default[0]):
            given = ", ".join(map(repr, default))
            raise mistake(f"Hyper({given}): it takes its default, one number, as in Hyper(0.1)")
        self.default: float = default[0]


def _many(kind: type[Free], names: str, dims: tuple[Any, ...]) -> Any:
    words = names.replace(",", " ").split() if isinstance(names, str) else []
    if not words:
        raise mistake(f"{names!r} is no list of names: write them in one string, as in 'W U'")
    _check_left(names, words)
    made = tuple(kind(*dims, name=name) for name in words)
    return made[0] if len(made) == 1 else made


def _check_left(names: str, words: list[str]) -> None:
    """Refuse ``W, U, V = weights("W U")``, of which Python says only that values are missing."""
    match running():
        case ast.Assign(targets=[ast.Tuple(elts=left)], value=ast.Call(args=[ast.Constant(value=given), *_])):
            if given == names and len(left) != len(words):
                raise mistake(
                    f"{len(left)} names stand on the left and {len(words)} in {names!r}: make them the same"
                )


def weights(names: str, *dims: Any) -> Any:
    """Weight matrices by name, such as "W_i W_f"; dimensions left out follow from their use."""
    return _many(Weight, names, dims)


def biases(names: str, *dims: Any) -> Any:
    """Bias vectors by name."""
    return _many(Bias, names, dims)


def vectors(names: str, *dims: Any) -> Any:
    """Vectors that multiply pointwise (peepholes, diagonal recurrences) by name."""
    return _many(Vector, names, dims)


def gains(names: str, *dims: Any) -> Any:
    """Gain vectors of a normalisation by name."""
    return _many(Gain, names, dims)
