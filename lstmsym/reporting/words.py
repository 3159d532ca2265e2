"""The fixed words of reports in English and Chinese, and what the judge says in fixed sentences."""

from __future__ import annotations

import re
from functools import lru_cache

from lstmsym.reporting.chinese import SENTENCES

LANGUAGES = ("en", "zh")

SIGNS: dict[str, str] = {
    "proved": "✓", "conditional": "≈", "refuted": "✗", "undecided": "?", "unread": "!", "not-a-claim": "·",
}  # fmt: skip
"""Beside its word and its colour, each verdict has a sign."""

_TEXTS: dict[str, tuple[str, str]] = {
    "proved": ("proved", "已证明"),
    "conditional": ("proved if", "条件成立"),
    "refuted": ("refuted", "有误"),
    "undecided": ("undecided", "未决"),
    "unread": ("unread", "未读懂"),
    "not-a-claim": ("no claim", "非断言"),
    "forward": ("forward", "前向方程"),
    "definition": ("definition", "定义"),
    "claim": ("claim", "断言"),
    "statement": ("statement", "陈述"),
    "prose": ("words", "文字"),
    "report": ("Verification report", "验证报告"),
    "line": ("line", "行"),
    "verdict": ("verdict", "结论"),
    "equation": ("equation", "方程"),
    "note": ("note", "说明"),
    "rows": ("Equations and statements", "方程与陈述"),
    "details": ("Details", "详情"),
    "cell": ("The cell", "循环单元"),
    "forward equations": ("Forward equations, as read", "前向方程（按解读）"),
    "graph": ("What depends on what, within one step", "单步之内的依赖关系"),
    "graph legend": (
        "Rounded: a state or input; plain: computed at t. Dashed lines come from step t−1.",
        "圆角框：状态或输入；直角框：t 时刻的计算。虚线来自 t−1 时刻。",
    ),
    "symbols": ("What the symbols denote", "符号含义"),
    "symbol": ("symbol", "符号"),
    "meaning": ("meaning", "含义"),
    "shape": ("shape", "形状"),
    "name": ("in the cell", "单元中的名称"),
    "scalar": ("scalar", "标量"),
    "right if": ("right if", "在此条件下成立："),
    "right": ("right", "正确式"),
    "repair": ("repair", "修正"),
    "witness": ("numbers", "数值反例"),
    "sizes": ("sizes", "尺寸"),
    "entry": ("entry", "元素"),
    "is": ("true value", "正确值"),
    "claimed": ("as claimed", "原式所得"),
    "remark": ("remark", "备注"),
    "about": ("about", "涉及"),
    "derivation": ("derivation", "推导"),
    "source": ("source", "原文"),
    "passing": ("in passing", "行文中"),
    "in passing": (
        "{count} formulas and words in passing that claim nothing are not listed.",
        "另有 {count} 处行文中的公式或文字不作断言，未列出。",
    ),
    "no cell": ("No forward equations were found.", "未找到前向方程。"),
    "none wrong": ("No row is refuted, undecided or unread.", "没有错误、未决或未读懂的条目。"),
    "some wrong": ("Rows to look at", "需要查看的条目"),
    "made by": (
        "Proved holds for every size. Nothing in the document was executed.",
        "“已证明”对任意尺寸成立。文档中的内容从未被执行。",
    ),
    "title": ("{document}: verification report", "{document}：验证报告"),
}
_CELLS: dict[str, str] = {
    "This is none of the known cells, nor near to one.": "这不是任何已知单元，也不接近其中之一。",
    "This is none of the known cells.": "这不是任何已知单元。",
    "the GRU with the reset gate before the product (Cho et al. 2014, the textbook's)":
        "复位门作用于乘积之前的 GRU（Cho 等 2014，教科书形式）",
    "the GRU with the reset gate after the product (cuDNN, PyTorch, Keras)":
        "复位门作用于乘积之后的 GRU（cuDNN、PyTorch、Keras）",
    "the LSTM with a forget gate and h = o * tanh(c)": "带遗忘门、h = o * tanh(c) 的 LSTM",
    "the LSTM with coupled input and forget gates (CIFG)": "输入门与遗忘门耦合的 LSTM（CIFG）",
    "the LSTM with layer normalisation (Ba et al. 2016)": "带层归一化的 LSTM（Ba 等 2016）",
    "the LSTM with diagonal peepholes (Gers et al. 2002)": "带对角窥孔连接的 LSTM（Gers 等 2002）",
    "the LSTM with a recurrent projection (LSTMP)": "带循环投影的 LSTM（LSTMP）",
    "the minimal gated unit (Zhou et al. 2016)": "最小门控单元（Zhou 等 2016）",
    "the LSTM without the output tanh, h = s * o (Jimenez 2014)":
        "输出不经 tanh、h = s * o 的 LSTM（Jimenez 2014）",
    "the plain recurrent network with tanh (Elman 1990)": "以 tanh 激活的普通循环网络（Elman 1990）",
    "the plain recurrent network with relu (Le et al. 2015)": "以 relu 激活的普通循环网络（Le 等 2015）",
    " in the place of ": " 取代 ", "the parameters that gates share": "各门共用的参数",
    "It differs from": "不同于", ", the nearest,": "（最接近者）", "Several gates share": "若干门共用",
    "the missing": "缺少", "(there ": "（彼处 ", "This is ": "这是 ", ", without biases": "，没有偏置",
}  # fmt: skip
"""The words in which cells are compared; names and equations stay."""


def text(key: str, lang: str = "en") -> str:
    """A fixed text."""
    return _TEXTS[key][LANGUAGES.index(lang)]


def sentence(message: str, lang: str = "en") -> str:
    """What is said of a row, translated as far as it is made of our sentences."""
    return message if lang == "en" else _chinese(message)


@lru_cache(maxsize=4096)
def _chinese(message: str) -> str:
    if len(message) > LONGEST:
        return message
    parts = message.split("; ")
    for count in range(len(parts), 0, -1):  # some sentences have a semicolon themselves
        said = _single("; ".join(parts[:count]))
        if said is not None:
            rest = (_chinese("; ".join(parts[count:])),) if parts[count:] else ()
            return "；".join((said, *rest))
    rest = (_chinese("; ".join(parts[1:])),) if parts[1:] else ()
    return "；".join((parts[0], *rest))


def _single(message: str) -> str | None:
    """One sentence, or several with "and" between them, each one of ours; None for anything else."""
    if message in _WHOLE:
        return _WHOLE[message]
    parts = [_single(part) for part in message.split(" and ")] if " and " in message else []
    if parts and None not in parts:
        return "且".join(map(str, parts))
    for pattern, chinese in _AROUND:
        found = pattern.fullmatch(message)
        if found:
            return chinese.format(*map(_within, found.groups()))
    return None


def _within(hole: str) -> str:
    """What stands in a hole: sentences of ours, or a name as it is."""
    parts = [_single(part) for part in hole.split(", ")]
    if len(parts) > 1 and None not in parts:
        return "、".join(map(str, parts))
    said = _chinese(hole) if " " in hole or hole in _WHOLE else hole
    return hole.replace(" and ", "、") if said == hole else said


def _pattern(english: str) -> re.Pattern[str]:
    """A sentence as what it matches; only behind a colon a hole holds further sentences."""
    inner, last = r"((?:(?!; ).)+?)", "(.+)" if english.endswith(": {}") else r"((?:(?!; ).)+)"
    texts = list(map(re.escape, english.split("{}")))
    holes = [inner] * (len(texts) - 2) + ([last] if english.endswith("{}") else [inner])
    return re.compile("".join(a + b for a, b in zip(texts, [*holes, ""], strict=True)), re.DOTALL)


def _rank(english: str) -> tuple[int, int]:
    kind = (
        0
        if english.endswith(": {}") or english.startswith("right given")
        else 2
        if english.endswith("{}")
        else 1
    )
    return kind, -len(english.replace("{}", ""))


LONGEST = 500
"""Characters of a message that is looked up; what is longer is the author's."""
_WHOLE = {english: chinese for english, chinese in SENTENCES if "{}" not in english}
_AROUND = [
    (_pattern(english), chinese)
    for english, chinese in sorted(SENTENCES, key=lambda pair: _rank(pair[0]))
    if "{}" in english
]
"""The sentences around names: those that hold others first, then the most particular ones."""


def compared(note: str, lang: str = "en") -> str:
    """How a cell compares with others."""
    for english, chinese in _CELLS.items() if lang == "zh" else ():
        note = note.replace(english, chinese)
    return note


def notes(row_note: list[tuple[str, str]], lang: str) -> list[str]:
    """Pairs of a label and a text as lines; a remark stands without its label."""
    colon = "：" if lang == "zh" else ": "
    found = []
    for label, body in row_note:
        word = text(label, lang)
        if label == "remark":
            found.append(body)
        elif label == "right if":
            found.append(f"{word}{'' if lang == 'zh' else ' '}{body}")
        else:
            found.append(f"{word}{colon}{body}")
    return found
