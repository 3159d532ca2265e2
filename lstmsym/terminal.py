"""What the command line says, on any terminal, and how it ends.

Exit status: 0 fine, 1 something was found wrong, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lstmsym.defects import fault
from lstmsym.documents.limits import DocumentError
from lstmsym.mistakes import NotationError, nearest

WIDE = 1000
"""Columns where a program reads the output: nothing is wrapped."""

PLAIN = {
    "δ": "d", "∂": "d", "⊙": "*", "ᵀ": "^T", "²": "**2", "³": "**3", "σ": "sigma", "Σ": "sum",
    "−": "-", "…": "...", "▁": ".", "▂": ".", "▃": ":", "▄": ":", "▅": "+", "▆": "+", "▇": "#", "█": "#",
}  # fmt: skip
"""How the signs that we print are spelled where the terminal has no such letter."""


def spelled_plainly(error: UnicodeError) -> tuple[str, int]:
    """What an encoder writes in place of letters that it does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(PLAIN.get(c, "?") for c in error.object[error.start : error.end]), error.end


codecs.register_error("lstmsym.plain", spelled_plainly)


def say(text: str, error: bool = False) -> None:
    """Print a line or more, in the letters that the terminal has."""
    print(text, file=sys.stderr if error else sys.stdout, flush=True)


def console() -> Console:
    """Where tables go: as wide as the terminal, or as COLUMNS says, or unwrapped for programs."""
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if known else WIDE, highlight=False, soft_wrap=not known)


@contextmanager
def progress(words: str, after: float = 1.5) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error for what takes longer than a moment, on a terminal only.

    Gives the function that is told how much is done, and of how much.
    """
    screen = Console(stderr=True)
    if not screen.is_interactive:
        yield lambda done, of: None
        return
    title = TextColumn("{task.description}", markup=False)
    columns = (title, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=screen, transient=True)
    task = bar.add_task(words, total=None)
    timer = threading.Timer(after, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda done, of: bar.update(task, completed=done, total=of)
    finally:
        timer.cancel()
        timer.join()
        bar.stop()


class Failure(click.ClickException):
    """Bad input, told in one sentence."""


class Commands(click.Group):
    """Commands that tell a user's mistake in one sentence on standard error."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command, then end with its exit status."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="lstmsym.plain")
        try:
            status = super().main(*args, **{"prog_name": "lstmsym", **extra, "standalone_mode": False})
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "lstmsym"
            status = refused(f"{error.format_message().rstrip('.')}; see {command} --help")
        except (click.ClickException, NotationError, DocumentError) as error:
            status = refused(
                error.format_message() if isinstance(error, click.ClickException) else str(error)
            )
        except OSError as error:
            status = refused(f"{error.filename or 'output'}: {error.strerror or error}")
        except click.Abort:
            say("lstmsym: interrupted", error=True)
            status = 130
        except Exception as error:  # a fault of ours: one sentence, not a screen of Python
            status = refused(fault(error))
        raise SystemExit(status or 0)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command of this name, or a refusal that names the one most like it."""
        if args[0] not in self.commands:
            close = nearest(args[0], self.commands)
            hint = f"did you mean {close}?" if close else f"there are {', '.join(self.commands)}"
            raise Failure(f"no such command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


def refused(sentence: str) -> int:
    """Say what is wrong with the input, in one line."""
    say(f"lstmsym: {' '.join(sentence.split())}", error=True)
    return 2
