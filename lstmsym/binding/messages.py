"""What is said of a document's mistakes: in its own terms, without the places of a program."""

from __future__ import annotations

import re

_PLACE = re.compile(r"^(?:[^\s:]*\.pyc?|<[^>]*>):\d+: ")
_TITLE = re.compile(r"^Document: ")
_ADVICE = re.compile(r"[:;,] (?:declare|write|call) [^;:]*$")
"""What the author of a page of equations would do, which a document is not."""


def said(error: Exception) -> str:
    """The message of an error for the reader of a document."""
    text = str(error)
    for pattern in (_PLACE, _TITLE, _ADVICE):
        text = pattern.sub("", text)
    return text


WHATEVER = "it is wrong whatever {} may be meant to be"
"""Said of a line with names that are not known, of which all meanings were tried."""


def wrong_whatever(message: str) -> bool:
    """Whether that is what a message says."""
    return message.startswith(WHATEVER.partition("{")[0])
