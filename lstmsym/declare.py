"""What a cell declares: inputs, states, parameters, targets, outputs, hyperparameters.

In a class body the name assigned to is the quantity's name; elsewhere it is given: ``Input(name="x")``.
Dimensions are sizes or numbers; what is left out is settled by the equations, and is ``n`` otherwise.
"""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

import sympy as sp

from lstmsym.notation import NotationError, Operand, Ref, Time


class Declared:
    """A declared quantity: its role, its dimensions (None: settled by the equations), its name."""

    role: ClassVar[str]
    rank: ClassVar[int] = 1

    def __init__(self, *dims: Any, name: str = "") -> None:
        """Declare with the dimensions given; ``Input(scalar)`` is a single number per step."""
        self.name = name
        scalar = len(dims) == 1 and dims[0] == ()
        self.dims: tuple[sp.Expr | None, ...] = () if scalar else self._filled(dims)

    def _filled(self, dims: tuple[Any, ...]) -> tuple[sp.Expr | None, ...]:
        given = tuple(None if d is None else sp.sympify(d) for d in dims)
        return given + (None,) * (self.rank - len(given))

    def named(self, name: str) -> Declared:
        """The same declaration under the name it is assigned to.

        Raises:
            NotationError: it was declared under another name.
        """
        if self.name and self.name != name:
            raise NotationError(f"{self.name} is assigned to {name}: use one name for it")
        copy: Declared = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, name=name)
        return copy


class Timed(Declared):
    """A quantity with a value at each step, written ``x[t]``."""

    lags: ClassVar[tuple[int, ...]] = (0,)
    page: Any = None  # where ``c[t] = ...`` is written to; set by the page of a cell

    def __getitem__(self, index: Any) -> Ref:
        """The quantity at t, or for a state at t-1."""
        if not isinstance(index, Time):
            self.fail(f"{self.name}[{index}]: {self.a_role} is read at a step, {self.name}[t]")
        if index.offset not in self.lags:
            allowed = " or ".join(f"{self.name}[{Time(lag)}]" for lag in self.lags)
            advice = (
                "keep the older value in a state of its own"
                if index.offset < 0
                else "equations look back only"
            )
            self.fail(f"{self.name}[{index}]: {self.a_role} is read as {allowed}; {advice}")
        return Ref(self.name, index.offset)

    def __setitem__(self, index: Any, value: Any) -> None:
        """``c[t] = expression``: one line of the cell."""
        if self.page is None or self.role not in ("state", "output", "loss"):
            self.fail(
                f"{self.name}[{index}] = ...: only a state, an output or the loss of a cell is assigned"
            )
        if index != Time(0):
            self.fail(f"{self.name}[{index}] = ...: an equation defines {self.name}[t]")
        self.page.equation(self.name, value)

    def _sympy_(self) -> Any:
        self.fail(f"{self.name or self.role} stands without a step: write {self.name or 'x'}[t]")

    @property
    def a_role(self) -> str:
        """The role with its article."""
        return f"{'an' if self.role[0] in 'aeiou' else 'a'} {self.role}"

    def fail(self, message: str) -> NoReturn:
        """Raise the message, with the line of the page where there is one."""
        if self.page is not None:
            self.page.fail(message)
        raise NotationError(message)

    def _untimed(self, *_: Any) -> Any:
        return self._sympy_()

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __matmul__ = __rmatmul__ = _untimed
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __neg__ = __lt__ = __gt__ = __abs__ = _untimed


class Input(Timed):
    """An input of each step: ``Input()`` is a vector of size m, ``Input(scalar)`` a number (a mask)."""

    role = "input"


class State(Timed):
    """What the cell carries from step to step: ``State()`` a vector of size n, ``State(n, n)`` a matrix."""

    role = "state"
    lags = (0, -1)


class Target(Timed):
    """What the loss compares with; known in training only."""

    role = "target"


class Output(Timed):
    """What the cell hands out at each step; without one, the loss's operands or the first state."""

    role = "output"


class Loss(Timed):
    """The loss of a step. Undeclared, it is the scalar line that no other line reads."""

    role = "loss"
    rank = 0


class Free(Declared, Operand):
    """A quantity without time: a parameter or a hyperparameter; an expression as it stands."""

    def _sympy_(self) -> Ref:
        if not self.name:
            raise NotationError(f"a {self.role} is used before it has a name")
        return Ref(self.name)


def _delegated(operator: str) -> Any:
    def method(self: Free, *others: Any) -> Any:
        return getattr(self._sympy_(), operator)(*others)

    return method


for _operator in (
    *("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "rpow", "neg"),
    *("matmul", "rmatmul", "getitem", "lt", "gt", "abs"),
):
    setattr(Free, f"__{_operator}__", _delegated(f"__{_operator}__"))


class Parameter(Free):
    """A trained array.  ``init`` is how it starts: uniform in ±1/sqrt(n), zeros or ones."""

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


class Hyper(Free):
    """A number fixed by the user, with its default: ``eps = Hyper(1e-5)``."""

    role = "hyperparameter"
    rank = 0

    def __init__(self, default: float, name: str = "") -> None:
        """Declare with a default value."""
        super().__init__((), name=name)
        self.default = default


def _many(kind: type[Free], names: str, dims: tuple[Any, ...]) -> Any:
    made = tuple(kind(*dims, name=name) for name in names.replace(",", " ").split())
    return made[0] if len(made) == 1 else made


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
