"""Symbolic derivation, verification and code generation for recurrent cells.

Write a cell's forward equations once, the way a paper prints them; the backward equations, the
proof that a textbook has them right, and fast tested code are derived.

``from lstmsym import *`` takes no name from Python: sum, max, min and abs are found inside a cell's
class body without an import, and elsewhere by name, as in ``from lstmsym import sum``.
"""

from lstmsym.cell import Cell as Cell
from lstmsym.cell import Equation as Equation
from lstmsym.cell import Quantity as Quantity
from lstmsym.declare import Bias as Bias
from lstmsym.declare import Gain as Gain
from lstmsym.declare import Hyper as Hyper
from lstmsym.declare import Input as Input
from lstmsym.declare import Loss as Loss
from lstmsym.declare import Output as Output
from lstmsym.declare import State as State
from lstmsym.declare import Target as Target
from lstmsym.declare import Vector as Vector
from lstmsym.declare import Weight as Weight
from lstmsym.declare import biases as biases
from lstmsym.declare import gains as gains
from lstmsym.declare import vectors as vectors
from lstmsym.declare import weights as weights
from lstmsym.derive import Backward as Backward
from lstmsym.derive import Derivation as Derivation
from lstmsym.derive import derive as derive
from lstmsym.emit import Kernel as Kernel
from lstmsym.emit import Source as Source
from lstmsym.emit import emit as emit
from lstmsym.emit import load as load
from lstmsym.notation import NotationError as NotationError
from lstmsym.notation import Ref as Ref
from lstmsym.notation import Size as Size
from lstmsym.notation import abs as abs
from lstmsym.notation import concat as concat
from lstmsym.notation import cross_entropy as cross_entropy
from lstmsym.notation import elu as elu
from lstmsym.notation import exp as exp
from lstmsym.notation import hard_sigmoid as hard_sigmoid
from lstmsym.notation import k as k
from lstmsym.notation import layer_norm as layer_norm
from lstmsym.notation import leaky_relu as leaky_relu
from lstmsym.notation import log as log
from lstmsym.notation import log_softmax as log_softmax
from lstmsym.notation import logsumexp as logsumexp
from lstmsym.notation import m as m
from lstmsym.notation import max as max
from lstmsym.notation import maximum as maximum
from lstmsym.notation import mean as mean
from lstmsym.notation import min as min
from lstmsym.notation import minimum as minimum
from lstmsym.notation import n as n
from lstmsym.notation import normalize as normalize
from lstmsym.notation import outer as outer
from lstmsym.notation import p as p
from lstmsym.notation import relu as relu
from lstmsym.notation import scalar as scalar
from lstmsym.notation import sigma as sigma
from lstmsym.notation import sign as sign
from lstmsym.notation import softmax as softmax
from lstmsym.notation import softplus as softplus
from lstmsym.notation import sqrt as sqrt
from lstmsym.notation import step as step
from lstmsym.notation import stop_gradient as stop_gradient
from lstmsym.notation import sum as sum
from lstmsym.notation import t as t
from lstmsym.notation import tanh as tanh
from lstmsym.notation import variance as variance
from lstmsym.notation import where as where
from lstmsym.program import Program as Program
from lstmsym.schedule import Schedule as Schedule
from lstmsym.schedule import plan as plan
from lstmsym.verify.claims import Claim as Claim
from lstmsym.verify.claims import Claims as Claims
from lstmsym.verify.judge import Status as Status
from lstmsym.verify.judge import Verdict as Verdict
from lstmsym.verify.judge import verify as verify

__all__ = [name for name in dir() if not name.startswith("_") and name not in ("abs", "max", "min", "sum")]
