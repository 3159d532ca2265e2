"""A tree of a formula in one short line, for tests: names with their steps, every open product with its sign."""

from __future__ import annotations

from lstmsym.documents import formula as F


def tree(node: F.Formula) -> str:
    parts = [tree(c) for c in F.children(node)]
    match node:
        case F.Name():
            return node.key + (f"@{F.plain(node.time.index)}" if node.time else "")
        case F.Number() | F.Words():
            return node.text
        case F.Delta():
            return f"{node.prefix}<{tree(node.of)}>"
        case F.Derivative():
            of, by = (tree(x) if x else "" for x in (node.of, node.by))
            return f"{node.letter}{node.order if node.order > 1 else ''}<{of}/{by}>"
        case F.Sum():
            return "(" + " ".join(s + tree(t) for s, t in zip(node.signs, node.terms, strict=True)) + ")"
        case F.Product():
            text = parts[0]
            for operator, factor in zip(node.operators, parts[1:], strict=True):
                text += f" {operator or '~'} {factor}"
            return f"({text})"
        case F.Raised():
            return f"{tree(node.body)}^{node.kind[0]}:{tree(node.exponent)}"
        case F.Apply():
            power = f"^{tree(node.power)}" if node.power else ""
            return f"{node.head.key}{power}{'!' if node.certain else '?'}{tree(node.argument)}"
        case F.Brackets():
            return node.left + ", ".join(tree(i) for i in node.items) + node.right
        case F.Matrix():
            return "{" + "; ".join(", ".join(map(tree, row)) for row in node.rows) + "}"
        case F.Big():
            low, high = (tree(x) if x else "" for x in (node.lower, node.upper))
            return f"{node.operator}[{low}..{high}]{tree(node.body)}"
        case F.Relation():
            return "".join(t + s for t, s in zip(parts, (*node.signs, ""), strict=True))
        case F.Item():
            return f"{tree(node.body)}[{', '.join(tree(i) for i in node.items)}]"
        case F.Slice():
            return f"{tree(node.low) if node.low else ''}:{tree(node.high) if node.high else ''}"
        case F.Indexed():
            step = f"@{F.plain(node.time.index)}" if node.time else ""
            return f"{tree(node.body)}_{','.join(s.text for s in node.scripts)}{step}"
        case F.Fraction():
            return f"{parts[0]} / {parts[1]}"
        case F.Cases():
            return "cases" + "; ".join(f"{tree(v)} if {tree(c) if c else ''}" for v, c in node.rows)
    raise AssertionError(type(node))
