r"""LaTeX as MathML that breaks at its operators, for pages that need neither a network nor JavaScript.

A formula becomes several ``<math>`` elements in a row, cut before ``= + -`` (and at products, where a
piece is still long), since browsers break no line inside one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from xml.etree import ElementTree as ET

from latex2mathml.converter import convert

from lstmsym.documents.result import Row

LONGEST, DEEPEST = 6_000, 40
"""Characters and nesting of a formula; beyond them its source is shown."""
WIDE = 26
"""Letters that a piece may be wide before it is cut at products and inside brackets."""
TAGS = frozenset(
    """math mrow mi mo mn mtext mspace msub msup msubsup mover munder munderover mfrac msqrt mroot mstyle
    mtable mtr mtd mpadded mphantom menclose merror""".split()
)
ATTRIBUTES = frozenset(
    """display displaystyle scriptlevel stretchy fence form width height depth lspace rspace linethickness
    columnalign rowspacing columnspacing mathvariant accent accentunder minsize maxsize notation""".split()
)
_DROPPED = re.compile(
    r"\\(?:label|tag\*?|ref|eqref)\s*\{[^{}]*\}|\\(?:nonumber|notag|displaystyle|limits)(?![a-zA-Z])"
)
_TOKEN = re.compile(r"\\[a-zA-Z]+\*?|\\.|[{}]|[^\\{}]", re.DOTALL)
_RELATIONS = frozenset(
    r"= < > \le \leq \ge \geq \equiv \approx \in \propto \to \leftarrow \coloneqq :=".split()
)
_SUMS = frozenset("+ - − ±".split())
_PRODUCTS = frozenset(r"\odot \cdot \times \circ \otimes * ⊙ ∘ · ×".split())
_SCRIPTS = frozenset("_ ^".split())
_OPENING = frozenset(r"( [ \left \begin \langle \lvert \lVert".split())
_CLOSING = frozenset(r") ] \right \end \rangle \rvert \rVert".split())


@lru_cache(maxsize=4096)
def mathml(latex: str) -> str | None:
    """MathML of a formula, or None where it can't be read."""
    text = cleaned(latex)
    if not text or len(text) > LONGEST or _depth(text) > DEEPEST:
        return None
    pieces = [_element(piece) for piece in cut(text)]
    whole = pieces if all(pieces) else [_element(text)]
    return "<wbr>".join(piece for piece in whole if piece) if all(whole) else None


def formula(row: Row) -> str:
    """The LaTeX of a row to be shown: as the author wrote it, or else as it was read, without macros."""
    as_written = "\\" in row.source and mathml(row.source) is not None
    return row.source if row.latex and as_written else row.latex


def cleaned(latex: str) -> str:
    r"""Without what numbers and aligns: ``\tag``, ``\label``, ``&`` outside matrices, the last ``\\``."""
    text = re.sub(r"\\mathrel\s*\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1", _DROPPED.sub("", latex)).strip()
    text = re.sub(r"(?:\\\\|[.,;。，；])\s*$", "", text).strip()
    depth, found = 0, []
    for token in _TOKEN.findall(text):
        depth += (token == r"\begin") - (token == r"\end")
        found.append("" if token == "&" and depth == 0 else " " if token == "\n" else token)
    return "".join(found).strip()


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in _TOKEN.findall(text):
        depth += (token in ("{", r"\left", r"\begin")) - (token in ("}", r"\right", r"\end"))
        deepest = max(deepest, depth)
    return deepest


# -- pieces ------------------------------------------------------------------------------------------


def cut(text: str) -> list[str]:
    """The pieces of a formula, each beginning with the operator before it."""
    pieces = list(_cut(text, _RELATIONS | _SUMS, 0))
    for operators, brackets in ((_PRODUCTS, 0), (_SUMS, 1), (_PRODUCTS, 0), (_PRODUCTS, 1)):
        pieces = [
            p for piece in pieces for p in (_cut(piece, operators, brackets) if _wide(piece) else [piece])
        ]
    return pieces


def _wide(piece: str) -> bool:
    return sum(1 for token in _TOKEN.findall(piece) if token.strip() and token not in "{}_^") > WIDE


def _cut(text: str, operators: frozenset[str], brackets: int) -> Iterator[str]:
    """Cut before operators that stand in no braces and in at most so many round or square brackets."""
    braces = depth = fixed = 0
    piece, operand = "", False
    for token in _TOKEN.findall(text):
        braces += (token == "{") - (token == "}")
        fixed += (token in (r"\left", r"\begin")) - (token in (r"\right", r"\end"))
        depth += (token in _OPENING) - (token in _CLOSING)
        level = depth - fixed
        if token in operators and operand and not braces and not fixed and 0 <= level <= brackets:
            yield piece
            piece = ""
        piece += token
        if token.strip():
            operand = (
                token not in operators | _OPENING | _SCRIPTS | _RELATIONS | _SUMS | _PRODUCTS and token != ","
            )
    yield piece


# -- elements ----------------------------------------------------------------------------------------


def _element(piece: str) -> str | None:
    try:
        root = ET.fromstring(convert(piece, display="block"))
    except Exception:  # whatever a foreign parser raises on an author's text, the source is shown instead
        return None
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
    if any(node.tag not in TAGS or "\\" in _unescaped(node) for node in root.iter()):
        return None
    for node in list(root.iter()):
        _mend(node)
    root.attrib = {"displaystyle": "true"}
    _infix(root)
    return ET.tostring(root, encoding="unicode", short_empty_elements=False)


def _unescaped(node: ET.Element) -> str:
    """The text of a node, of which LaTeX's escapes are undone in words."""
    if node.tag == "mtext" and node.text:
        node.text = re.sub(r"\\([_#%&$ ])", r"\1", node.text)
    return node.text or ""


def _mend(node: ET.Element) -> None:
    """Spell for browsers, which know no `mathvariant` but normal, what the converter leaves to them."""
    node.attrib = {key: value for key, value in node.attrib.items() if key in ATTRIBUTES}
    if node.tag == "mo" and len(node):  # \mathop and the like
        node.tag = "mrow"
    if node.tag == "mo" and (node.text or "").isalpha() and len(node.text or "") > 1:
        node.tag = "mi"
    if node.tag == "mi" and node.text in (",", ";", ":"):
        node.tag = "mo"
    variant = node.get("mathvariant")
    if variant in ("bold", "bold-italic") and node.text:
        node.text = "".join(_bold(c, variant == "bold-italic") for c in node.text)
        del node.attrib["mathvariant"]
    letters = list(node)
    upright = len(letters) > 1 and all(c.tag == "mi" and c.get("mathvariant") == "normal" for c in letters)
    if node.tag == "mrow" and upright:  # \mathrm{net} is one word
        letters[0].text = "".join(c.text or "" for c in letters)
        for other in letters[1:]:
            node.remove(other)


def _bold(letter: str, italic: bool) -> str:
    for first, upright, slanted in (
        ("A", 0x1D400, 0x1D468),
        ("a", 0x1D41A, 0x1D482),
        ("Α", 0x1D6A8, 0x1D71C),
        ("α", 0x1D6C2, 0x1D736),
    ):
        if 0 <= ord(letter) - ord(first) < (25 if first in "Αα" else 26):
            return chr((slanted if italic else upright) + ord(letter) - ord(first))
    return letter


def _infix(root: ET.Element) -> None:
    """An operator at the head of a piece stands between two operands."""
    node = root
    while len(node) and node.tag in ("math", "mrow"):
        node = node[0]
    if node.tag == "mo" and (node.text or "") in "=<>+−-±×⋅·∘⊙⊗*≤≥≡≈∈∝→←≔⊕":
        node.set("form", "infix")
