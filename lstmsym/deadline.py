"""A limit of time, for what would be endless.

Sizes are limited where they are read, so that no honest document meets this limit; it ends what was
overlooked.  It takes effect in the main thread of a system with interval timers, elsewhere never.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LINE, READING, WHOLE = 60, 300, 3600
"""Seconds of the processor for one line, for all that comes before the first verdict, and for all."""


class TooLong(BaseException):
    """The time is over; no handler of ordinary errors on the way stops it."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End what is done inside with `TooLong` when it has taken this much time of the processor.

    Of limits inside each other, whichever ends first counts.
    """
    if not hasattr(signal, "SIGPROF") or threading.current_thread() is not threading.main_thread():
        yield
        return
    start = time.process_time()
    outer, _ = signal.getitimer(signal.ITIMER_PROF)
    handler = signal.signal(signal.SIGPROF, _ended)
    signal.setitimer(signal.ITIMER_PROF, min(seconds, outer or seconds))
    try:
        yield
    finally:
        left = max(outer - (time.process_time() - start), 0.001) if outer else 0
        signal.signal(signal.SIGPROF, handler)
        signal.setitimer(signal.ITIMER_PROF, left)


def _ended(number: int, frame: FrameType | None) -> None:
    raise TooLong
