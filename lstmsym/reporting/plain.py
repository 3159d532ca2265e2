"""What programs read: a result as JSON, its keys in docs/json.md; and why each row has its verdict."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from lstmsym.documents.result import Result, Row, Symbol
from lstmsym.reporting.words import sentence


def as_json(result: Result) -> str:
    """A result as JSON; what does not apply is null."""
    document = {
        "document": result.document,
        "cell": result.cell.name if result.cell else None,
        "cell_note": result.cell_note or None,
        "forward": str(result.cell).splitlines() if result.cell else [],
        "symbols": [_symbol(symbol) for symbol in result.symbols],
        "notes": list(result.notes),
        "rows": [_row(row) for row in result.rows],
        "summary": result.summary,
    }
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)


def _symbol(symbol: Symbol) -> dict[str, Any]:
    return {
        "latex": symbol.latex,
        "name": symbol.name or None,
        "meaning": symbol.meaning or None,
        "shape": list(symbol.shape),
    }


def _row(row: Row) -> dict[str, Any]:
    w = row.witness
    return {
        "line": row.line,
        "source": row.source,
        "kind": row.kind,
        "verdict": row.verdict,
        "about": row.about or None,
        "expected": row.expected or None,
        "witness": w
        and {"sizes": dict(w.sizes), "entry": list(w.entry), "true": w.true, "claimed": w.claimed},
        "repair": row.repair or None,
        "assumption": row.assumption or None,
        "message": row.message or None,
        "latex": row.latex or None,
        "steps": [{"text": text, "latex": latex} for text, latex in row.steps],
    }


SAID_BY_KIND = frozenset({"a forward equation", "forward equation", "a definition"})
"""Messages that say no more than the kind of a row."""


def reasons(row: Row, lang: str = "en") -> list[tuple[str, str]]:
    """Why a row has its verdict: pairs of the key of a fixed word and a text, the most telling first."""
    witness = str(row.witness) if row.witness else ""
    message = "" if row.message in SAID_BY_KIND else row.message
    if witness:
        message = message.removesuffix(witness).rstrip("; ")
    found = [
        ("right if", sentence(row.assumption, lang)),
        ("remark", sentence(message, lang)),
        ("witness", sentence(witness, lang)),
        ("right", _remarked(row.expected, lang) if row.verdict == "refuted" else ""),
        ("repair", _remarked(row.repair, lang)),
    ]
    return [(label, body) for label, body in found if body]


def shape(sizes: tuple[str, ...]) -> str:
    """``n × (m + n)``."""
    return " × ".join(f"({size})" if " " in size and len(sizes) > 1 else size for size in sizes)


def in_passing(row: Row) -> bool:
    """Whether a row is a name or words that claim nothing."""
    return row.kind == "prose" and row.verdict == "not-a-claim"


def is_code(row: Row) -> bool:
    """Whether a row is a statement of a listing: it is no mathematics, and Python."""
    if row.latex:
        return False
    try:
        (statement,) = ast.parse(row.source + (" pass" if row.source.endswith(":") else "")).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return not isinstance(statement, ast.Expr)


_CODE = re.compile(r"\*\*|@|\[t\b|\.T\b|\bnp\.|\b\w{2,}_\w{2,}")


def is_formula(row: Row, body: str) -> bool:
    """Whether an expression of a row is mathematics, and no code."""
    return bool(row.latex) and not _CODE.search(body)


def _remarked(body: str, lang: str) -> str:
    """A formula with its remark in the language of the report."""
    written, remark = parted(body)
    return f"{written}  ({sentence(remark, lang)})" if remark else body


def parted(body: str) -> tuple[str, str]:
    """A formula and the remark that it may end in: two spaces, then brackets."""
    found = re.fullmatch(r"(.*?)  \((.*)\)", body, re.DOTALL)
    return (found[1], found[2]) if found else (body, "")
