"""Results made by hand, and from the expected verdicts of the collection of derivations."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lstmsym import cells
from lstmsym.documents.result import Result, Row, Symbol, Witness
from lstmsym.reporting.words import sentence

DERIVATIONS = Path(__file__).parent.parent / "derivations"

EVERYTHING = Result(
    document="notes & <more>.md",
    cell=cells.find("lstm"),
    cell_note="this is the LSTM <with> a forget gate & nothing else",
    symbols=(
        Symbol(r"\tilde C_t", "g", "candidate", ("n",)),
        Symbol("W_f", "W_f", "parameter", ("n", "m + n")),
        Symbol(r"\lambda", "", "number", ()),
    ),
    rows=(
        Row(2, r"\hat x_t", "prose", "not-a-claim", message="no relation", latex=r"\hat x_t"),
        Row(2, "W", "prose", "not-a-claim", message="no relation", latex="W"),
        Row(3, r"f_t &= \sigma(W_f [h_{t-1}, x_t] + b_f)", "forward", "not-a-claim", "f", latex=r"f_t &= \sigma(W_f [h_{t-1}, x_t] + b_f)"),
        Row(4, r"\eta > 0", "definition", "not-a-claim", message="an inequality", latex=r"\eta > 0"),
        Row(
            9, r"\delta c_t = \delta h_t \odot o_t", "claim", "refuted", "c", r"\delta c_t = \delta h_t \odot o_t \odot (1 - \tanh^2(c_t)) + \delta c_{t+1} \odot f_{t+1}",
            Witness({"m": 2, "n": 3, "T": 5}, (1,), "-1.0116335", "-1.0860618"),
            r"\delta h_t \odot o_t \odot (1 - c_t^2)  (a factor | missing)",
            message="the path through c is missing <here>",
            latex=r"\delta c_t = \delta h_t \odot o_t",
            steps=(("the forward line", r"h_t = o_t \odot \tanh(c_t)"), ("the sum", ""), ("", r"\delta c_t = x")),
        ),
        Row(10, r"\delta f_t = \delta c_t \odot c_{t-1}", "claim", "proved", "f", latex=r"\delta f_t = \delta c_t \odot c_{t-1}", message="right given c"),
        Row(11, r"\delta R = \sum_t \delta a_t y_t^T", "claim", "conditional", assumption="the initial output is zero", latex=r"\delta R = \sum_t \delta a_t y_t^T"),
        Row(12, r"x_{", "claim", "unread", message="a brace is not closed", latex="x_{"),
        Row(13, "q = a | b", "claim", "undecided", message="neither a proof nor numbers against it were found"),
        Row(19, "for t in range(T):", "prose", "not-a-claim"),
        Row(20, "dWf += np.dot(df, z.T)  # <script>alert(1)</script>", "claim", "proved", "dWf"),
        Row(22, "The gradient of b is the sum of the deltas.", "statement", "proved"),
    ),
    notes=("line 20: the indentation is lost <here>",),
)  # fmt: skip
"""Every kind, every verdict and every key, with signs that HTML and Markdown must escape."""


def from_expected(name: str, cell: str = "") -> Result:
    """A document of the collection with the verdicts that are expected of it."""
    data = json.loads((DERIVATIONS / f"{name}.expected.json").read_text(encoding="utf-8"))
    code = data["document"].endswith(".py")
    rows = tuple(
        Row(
            r["line"], r["source"], r["kind"], r["verdict"], expected=r.get("right", "").strip("$`"),
            assumption=r.get("assumption", ""), message=r["why"], latex="" if code or r["kind"] == "statement" else r["source"],
        )
        for r in data["rows"]
    )  # fmt: skip
    return Result(data["document"], cells.find(cell) if cell else None, data["cell"], (), rows)


def english(result: Result) -> list[str]:
    """What a Chinese report of a document says in English."""
    said = [text for row in result.rows for text in (row.assumption, row.message, *(s for s, _ in row.steps))]
    said += [*result.notes, *(symbol.meaning for symbol in result.symbols)]
    aside = r"\$[^$]*\$|`[^`]*`|names: \{.*?\}"  # formulas and code
    chinese = (re.sub(aside, "", sentence(text, "zh")) for text in dict.fromkeys(said))
    return [text for text in chinese if re.search(r"(?<![\\\w])[a-z]{3,} [a-z]{2,}", text)]
