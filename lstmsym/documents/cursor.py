"""The parser's place among its tokens: what comes, what was passed, and how reading stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from lstmsym.documents.formula import Formula
from lstmsym.documents.limits import NESTING, ReadingError
from lstmsym.documents.tokens import Token


class Cursor:
    """Reads tokens from the left; `token` is the next one.

    The parts of the parser are written on this class: they call each other by these methods.
    """

    def __init__(self, tokens: Sequence[Token]) -> None:
        """Start at the first token."""
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.bars: list[str] = []

    @property
    def token(self) -> Token | None:
        """The next token."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def kind(self, ahead: int = 0) -> str:
        """The kind of a token ahead, empty at the end."""
        place = self.at + ahead
        return self.tokens[place].kind if place < len(self.tokens) else ""

    def plain(self, ahead: int = 0) -> str:
        """The meaning of a token ahead, empty at the end."""
        place = self.at + ahead
        return self.tokens[place].plain if place < len(self.tokens) else ""

    def take(self) -> Token:
        """The next token, passed."""
        token = self.token
        if token is None:
            self.fail("the formula ends too early")
        self.at += 1
        return token

    def fail(self, message: str) -> NoReturn:
        """Stop here."""
        last = self.tokens[-1].end if self.tokens else 0
        raise ReadingError(message, self.token.start if self.token else last)

    def deeper(self) -> None:
        """One level further in; undone by taking 1 from `depth`."""
        self.depth += 1
        if self.depth > NESTING:
            self.fail(f"nested deeper than {NESTING}")

    def span(self, start: int) -> tuple[int, int]:
        """From the token at a place to the last one passed."""
        if not self.tokens:
            return (0, 0)
        first = self.tokens[min(start, len(self.tokens) - 1)]
        return first.start, max(self.tokens[self.at - 1].end, first.start) if self.at else first.start

    def relation(self) -> Formula:
        """Sums with relations between them."""
        raise NotImplementedError

    def sum(self) -> Formula:
        """Terms with their signs."""
        raise NotImplementedError

    def entry(self) -> Formula:
        """One entry of a list."""
        raise NotImplementedError

    def brackets(self) -> Formula:
        """Brackets with what is in them."""
        raise NotImplementedError

    def argument(self) -> Formula:
        """What a command is applied to."""
        raise NotImplementedError
