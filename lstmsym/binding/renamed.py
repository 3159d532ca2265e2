r"""Second names that a text gives to a quantity in words: ``the update gate also appears as $\Gamma_i$``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lstmsym.binding.table import Table
from lstmsym.documents.formula import Name
from lstmsym.documents.limits import ReadingError
from lstmsym.documents.read import Document, formula

_SPAN = r"\$[^$\n]{1,60}\$"
_ALSO = re.compile(
    r"\b(?:also|sometimes|elsewhere|alternatively)\s+(?:(?:appears?|is|be|was)\s+)?"
    r"(?:written|denoted|called|named|known|appears?|goes|go)?\s*(?:as|by|under the names?)?\s+"
    rf"(?P<names>{_SPAN}(?:\s*(?:,|and|or)\s*(?:as\s+)?{_SPAN})*)"
)
_CLAUSE = re.compile(rf"(?:{_SPAN}[^.;:$\n]{{0,40}}|[^.;:$\n]*)$")
"""What stands before such words in their clause, from the last formula on."""
_GATE = re.compile(r"\b(\w+)[ -]gate\b[^.;$]*$", re.IGNORECASE)


def second_names(text: str, document: Document, table: Table) -> dict[str, str]:
    """The key of each name that stands for what has another, and that no equation defines."""
    found: dict[str, str] = {}
    for said in _ALSO.finditer(text):
        clause = _CLAUSE.search(text[max(0, said.start() - 200) : said.start()])
        first = _subject(clause[0] if clause else "", document, table)
        keys = [key for span in re.findall(_SPAN, said["names"]) if (key := _key(span, document, table))]
        if first:
            found.update({key: first for key in keys if key not in table.idents and key not in table.macros})
    return found


def _subject(words: str, document: Document, table: Table) -> str:
    """The quantity that a clause is about: the name in it, or the gate whose letter a word begins with."""
    spans = re.findall(_SPAN, words)
    if spans:
        key = _key(spans[-1], document, table)
        return key if key in table.idents else ""
    gate = _GATE.search(words)
    keys = list(_of_letter(gate[1][0].lower(), table)) if gate else []
    return keys[0] if len(keys) == 1 else ""


def _of_letter(letter: str, table: Table) -> Iterator[str]:
    """Gates that are called by a letter, as their name or its index."""
    for key, ident in table.idents.items():
        name = table.spelled.get(ident)
        letters = {name.base.lower(), *(s.text.lower() for s in name.scripts)} if name is not None else set()
        if ident in table.before and letter in letters:
            yield key


def _key(span: str, document: Document, table: Table) -> str:
    try:
        found = formula(span.strip("$"), document.lexicon)
    except ReadingError:
        return ""
    return table.key(found).key if isinstance(found, Name) else ""
