"""From a derivation to a program: what is hoisted, packed, sunk, fused, saved.

All of it follows from the dependency graph.  What depends on no state is computed for all steps
before the loop, in one matrix product per operand; lines that share an operand are
one product (packed once a call); what no state waits for is computed after the loop; backward,
what no carried gradient waits for (weights, biases, inputs) sinks after the loop
(Appleyard, Kocisky & Blunsom 2016, arXiv 1604.01946).
"""

from __future__ import annotations

from dataclasses import replace

from lstmsym.derive import Derivation
from lstmsym.planning.backward import BackwardPass
from lstmsym.planning.choices import Schedule
from lstmsym.planning.forward import Forward
from lstmsym.planning.memory import Memory
from lstmsym.planning.prepare import prepare
from lstmsym.planning.storage import assemble
from lstmsym.program import Program

__all__ = ["Schedule", "plan"]


def plan(derivation: Derivation, schedule: Schedule | None = None) -> Program:
    """Schedule a derivation: forward, backward, what is kept between them."""
    schedule = schedule or Schedule()
    ready = prepare(derivation, schedule.save, schedule.split)
    memory = Memory(ready)
    forward = Forward(ready, memory, schedule).run()
    passes = BackwardPass(ready, memory, schedule)
    backward = passes.run()
    return assemble(
        replace(ready, backward=passes.lines), memory, forward, backward, schedule == Schedule.textbook()
    )
