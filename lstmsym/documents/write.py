"""A tree back to LaTeX, in its author's notation: what was spelled one way is spelled so again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lstmsym.documents import symbols as S
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Cases,
    Delta,
    Derivative,
    Formula,
    Fraction,
    Indexed,
    Item,
    Matrix,
    Name,
    Number,
    Product,
    Raised,
    Relation,
    Script,
    Slice,
    Sum,
    Time,
    Words,
)

RELATION, SUM, PRODUCT, ROW, FACTOR = range(5)
"""How closely a node holds together."""
_COMMANDS: dict[str, str] = {
    "⊙": r"\odot", "∘": r"\circ", "⊗": r"\otimes", "×": r"\times", "·": r"\cdot", "⊘": r"\oslash",
    "≡": r"\equiv",
    "←": r"\leftarrow", "∝": r"\propto", "≈": r"\approx", "≤": r"\le", "≥": r"\ge", "≠": r"\ne",
    "∈": r"\in",
    "→": r"\to", "∑": r"\sum", "∏": r"\prod", "±": r"\pm", "∓": r"\mp", "⊕": r"\oplus", "∂": r"\partial",
    "{": r"\{", "}": r"\}", "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\|", "⌊": r"\lfloor", "⌋": r"\rfloor",
    "⌈": r"\lceil", "⌉": r"\rceil", "…": r"\dots", "⊤": r"\top", "∉": r"\notin", "⇒": r"\Rightarrow",
    "∫": r"\int",
    "∼": r"\sim", "⋯": r"\cdots", "forall": r"\forall", "exists": r"\exists",
}  # fmt: skip


def write(node: Formula) -> str:
    """LaTeX of a tree."""
    return _WRITERS[type(node)](node)


def join(*parts: str) -> str:
    """Pieces of LaTeX side by side, with a space where a command would run into a letter."""
    text = ""
    for part in parts:
        if text and part and part[0].isalpha() and _ends_in_command(text):
            text += " "
        text += part
    return text


def _ends_in_command(text: str) -> bool:
    letters = len(text) - len(text.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
    before = text[: len(text) - letters]
    return letters > 0 and before.endswith("\\") and not before.endswith("\\\\")


def strength(node: Formula) -> int:
    """How closely a node holds together."""
    if isinstance(node, Relation):
        return RELATION
    if isinstance(node, Sum):
        return SUM
    if isinstance(node, Big):
        return PRODUCT
    if isinstance(node, Product):
        return PRODUCT if any(node.operators) else ROW
    if isinstance(node, Derivative) and node.form == "operator":
        return ROW
    return FACTOR


def held(node: Formula, at_least: int) -> str:
    """LaTeX of a part, in brackets where it would fall apart."""
    text = write(node)
    return text if strength(node) >= at_least else rf"\left({text}\right)"


def _number(node: Number) -> str:
    return node.text


def _spelled(name: Name) -> str:
    if name.spelling:
        return name.spelling
    base = S.SPELLED.get(name.base, name.base)
    if len(name.base) > 1 and not base.startswith("\\"):
        plain = base.isascii() and base.isalpha()
        base = rf"\mathrm{{{base}}}" if plain else typewriter(base)
    if name.font:
        command = {"bold": "mathbf", "cal": "mathcal", "bb": "mathbb", "frak": "mathfrak"}
        base = rf"\{command.get(name.font, 'math' + name.font)}{{{base}}}"
    for mark in name.marks:
        accent = next(k for k, v in S.ACCENTS.items() if v == mark)
        base = rf"\{accent}{{{base}}}"
    return base


def typewriter(text: str) -> str:
    """A word of code."""
    return rf"\mathtt{{{text}}}".replace("_", r"\_")


def _name(node: Name, raised: Sequence[Formula] = (), spelled: str = "") -> str:
    """A name, with exponents that stand beside its superscripts."""
    return join(
        spelled or _spelled(node), _scripts(node.scripts, node.time, raised, node.primes), _called(node.time)
    )


def _called(time: Time | None) -> str:
    if time is None or time.form not in ("call", "item"):
        return ""
    left, right = "()" if time.form == "call" else "[]"
    return left + _index(time.index) + right


def _scripts(
    scripts: Sequence[Script], time: Time | None, raised: Sequence[Formula] = (), primes: int = 0
) -> str:
    text = "'" * primes
    for where, mark in (("sub", "_"), ("sup", "^")):
        parts = [(s.wrap, _index(s.body)) for s in scripts if s.where == where]
        if time is not None and time.form == where:
            parts.insert(time.place, (time.wrap, _index(time.index)))
        if where == "sup":
            parts += [("", _index(e)) for e in raised]
        if parts:
            text += mark + "{" + _parts(parts) + "}"
    return text


def _parts(parts: list[tuple[str, str]]) -> str:
    text = ""
    wrapped = False
    for place, (wrap, body) in enumerate(parts):
        left, right = {"<>": (r"\langle ", r"\rangle"), "": ("", "")}.get(wrap, (wrap[:1], wrap[1:]))
        alone = bool(wrap) or body.startswith("\\top")
        text = join(text, "," if place and not (wrapped or alone) else "", left + body + right)
        wrapped = alone
    return text


def _index(body: Formula) -> str:
    """The inside of a script: a word there needs no font."""
    if isinstance(body, Name) and not body.spelling and body.base.isalnum() and body.base.isascii():
        return _name(body, spelled=body.base)
    if isinstance(body, (Sum, Relation)):
        return write(body).replace(" + ", "+").replace(" - ", "-").replace(" = ", "=")
    return write(body)


def _delta(node: Delta, raised: Sequence[Formula] = ()) -> str:
    of = node.of
    if node.whole and not raised:
        return node.whole
    if isinstance(of, Name) and (node.whole or len(node.prefix) > 1) and node.prefix[0] not in "∂F":
        if node.whole:
            return node.whole + _scripts((), None, raised)
        word = of.base + node.prefix if node.prefix.startswith("_") else node.prefix + of.base
        return _name(of, raised, typewriter(word))
    if node.spelling.endswith(("_", "^")) and isinstance(of, Name) and node.prefix != "F_":
        return f"{node.spelling}{{{_name(of, raised)}}}"
    prefix = node.spelling or _letter(node.prefix)
    inner = _name(of, raised) if isinstance(of, Name) else held(of, FACTOR)
    return join(prefix, inner)


def _letter(prefix: str) -> str:
    if len(prefix) > 1 and prefix[0] == "∂":
        return rf"\partial^{{{prefix[1:]}}}"
    return {"∂": r"\partial", "F_": r"F\_", "∇": r"\nabla"}.get(prefix) or S.SPELLED.get(prefix, prefix)


def _derivative(node: Derivative) -> str:
    of = "" if node.of is None else write(node.of) if isinstance(node.of, Big) else held(node.of, FACTOR)
    by = held(node.by, FACTOR) if node.by is not None else ""
    spelling = node.spelling or (r"\frac",)
    letter = spelling[1] if len(spelling) > 1 and spelling[1] else _letter(node.letter)
    if node.form in ("nabla", "sub"):
        sign = r"\nabla" if node.form == "nabla" else _letter(node.letter)
        below = "_{" + write(node.by) + "}" if node.by is not None else ""
        return join(sign + below, of)
    if node.form == "under":
        return f"{spelling[0]}{{{node.letter}_{{{of}}}}}{{{node.letter}_{{{by}}}}}"
    power = f"^{{{node.order}}}" if node.order > 1 else ""
    if node.form == "slash":
        return join(letter, of) + "/" + join(letter, by)
    below = join(_letter("∂") if node.letter == "∂+" else letter, by + power)
    if node.form == "operator" or node.of is None:
        return join(f"{spelling[0]}{{{letter}{power}}}{{{below}}}", of and " " + of)
    return f"{spelling[0]}{{{join(letter + power, of)}}}{{{below}}}"


def _sum(node: Sum) -> str:
    text = ""
    for place, (sign, term) in enumerate(zip(node.signs, node.terms, strict=True)):
        spelled = _COMMANDS.get(sign, sign)
        body = held(term, PRODUCT)
        if place == 0:
            text = body if sign == "+" and len(node.terms) > 1 else join(spelled, body)
        else:
            text = f"{text} {spelled} {body}"
    return text


def _product(node: Product) -> str:
    row = not any(node.operators)
    text = ""
    for place, factor in enumerate(node.factors):
        last = place == len(node.factors) - 1
        negative = isinstance(factor, Sum) and len(factor.terms) == 1 and place > 0 and not row
        loose = isinstance(factor, Big) and last
        body = write(factor) if negative or loose else held(factor, FACTOR if row else ROW)
        if _runs_on(factor) and not last and not (isinstance(factor, Big) and not loose):
            body = rf"\left({body}\right)"
        if not place:
            text = body
            continue
        operator = node.operators[place - 1]
        spelled = (
            node.spelling[place - 1] if len(node.spelling) >= place else _COMMANDS.get(operator, operator)
        )
        text += f" {spelled} {body}" if operator else f" {body}"
    return text


def _runs_on(node: Formula) -> bool:
    """Whether what follows a node would become a part of it."""
    if isinstance(node, Big):
        return True
    if isinstance(node, Derivative) and node.of is not None:
        return node.form == "operator" and _runs_on(node.of)
    return isinstance(node, Product) and _runs_on(node.factors[-1])


def _fraction(node: Fraction) -> str:
    return f"{node.spelling}{{{write(node.above)}}}{{{write(node.below)}}}"


def _raised(node: Raised) -> str:
    body: Formula = node.body
    exponents = [node.exponent]
    while isinstance(body, Raised):
        exponents.insert(0, body.exponent)
        body = body.body
    if all(isinstance(e, Words) and set(e.text) == {"'"} for e in exponents):
        return held(body, FACTOR) + "".join(e.text for e in exponents if isinstance(e, Words))
    if isinstance(body, Name) and not _called(body.time):
        return _name(body, exponents)
    if isinstance(body, Delta) and isinstance(body.of, Name) and not _called(body.of.time):
        return _delta(body, exponents)
    text = write(body)
    if strength(body) < FACTOR or (isinstance(body, (Apply, Fraction, Derivative)) and not _closed(body)):
        text = rf"\left({text}\right)"
    return text + "^{" + _parts([("", _index(e)) for e in exponents]) + "}"


def _closed(node: Formula) -> bool:
    """Whether an exponent after a node belongs to all of it."""
    if isinstance(node, Apply):
        return isinstance(node.argument, Brackets)
    return not isinstance(node, Derivative) or node.form in ("frac", "under")


def _apply(node: Apply) -> str:
    head = _name(node.head, [node.power] if node.power else [])
    if isinstance(node.argument, Brackets):
        return join(head, write(node.argument))
    return head + " " + held(node.argument, FACTOR)


def _brackets(node: Brackets) -> str:
    left, right = node.spelling
    left = left or _COMMANDS.get(node.left, node.left)
    right = right or _COMMANDS.get(node.right, node.right)
    text = ""
    for place, item in enumerate(node.items):
        separator = node.separators[place - 1] + " " if place else ""
        text = join(text, separator.replace("  ", r"\ "), write(item))
    return join(left, text) + right


def _matrix(node: Matrix) -> str:
    if node.environment == "binom":
        return r"\binom" + "".join(f"{{{write(row[0])}}}" for row in node.rows)
    rows = r" \\ ".join(" & ".join(write(cell) for cell in row) for row in node.rows)
    columns = f"{{{node.columns}}}" if node.columns else ""
    return rf"\begin{{{node.environment}}}{columns} {rows} \end{{{node.environment}}}"


def _cases(node: Cases) -> str:
    rows = (write(value) + (f" & {write(when)}" if when is not None else "") for value, when in node.rows)
    return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"


def _indexed(node: Indexed) -> str:
    body = f"{{{write(node.body)}}}" if strength(node.body) == ROW else held(node.body, FACTOR)
    if node.bar:
        return body + node.bar + _scripts(node.scripts, None)
    return body + _scripts(node.scripts, node.time)


def _big(node: Big) -> str:
    lower = f"_{{{_index(node.lower)}}}" if node.lower is not None else ""
    upper = f"^{{{_index(node.upper)}}}" if node.upper is not None else ""
    sign = node.spelling or _COMMANDS.get(node.operator, node.operator)
    return f"{sign}{lower}{upper} {held(node.body, PRODUCT)}"


def _relation(node: Relation) -> str:
    spelled = [
        node.spelling[place] if len(node.spelling) > place else _COMMANDS.get(sign, sign)
        for place, sign in enumerate(node.signs)
    ]
    if node.signs[0] in ("forall", "exists"):
        return f"{spelled[0]} {write(node.terms[1])}"
    text = held(node.terms[0], SUM)
    for sign, term in zip(spelled, node.terms[1:], strict=True):
        text += f" {sign} {held(term, SUM)}"
    return text


def _words(node: Words) -> str:
    return node.spelling or _COMMANDS.get(node.text, node.text)


def _slice(node: Slice) -> str:
    return f"{write(node.low) if node.low else ''}:{write(node.high) if node.high else ''}"


def _item(node: Item) -> str:
    return held(node.body, FACTOR) + "[" + ", ".join(write(i) for i in node.items) + "]"


_WRITERS: dict[type[Formula], Callable[[Any], str]] = {
    Number: _number, Name: _name, Delta: _delta, Derivative: _derivative, Sum: _sum, Product: _product,
    Fraction: _fraction, Raised: _raised, Apply: _apply, Brackets: _brackets, Matrix: _matrix, Cases: _cases,
    Indexed: _indexed, Big: _big, Relation: _relation, Words: _words, Slice: _slice, Item: _item,
}  # fmt: skip
