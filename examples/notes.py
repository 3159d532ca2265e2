"""Claims of some lecture notes about the LSTM, one of them wrong: `lstmsym verify examples/notes.py`."""

# The cell's names and gradients are in scope by themselves, which no type checker or linter can know.
# mypy: disable-error-code="name-defined, call-arg"

from lstmsym import Claims, t, tanh
from lstmsym.cells import find


# fmt: off
class Notes(Claims, of=find("lstm")):
    """Lecture notes on recurrent networks, eqs. (12) to (16)."""

    do   = dh * tanh(c[t])
    dc   = dh * o * (1 - tanh(c[t])**2) + dc[t+1] * f[t+1]
    df   = dc * c[t]
    di   = dc * g
    da_f = df * f * (1 - f)
