"""The fixed words of reports in English and Chinese, and what the judge says in fixed sentences."""

from __future__ import annotations

import re

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
NO_GRADIENT = "it is no gradient of the listing's quantities, and nothing says which one it is meant to be"
_SENTENCES: dict[str, str] = {
    "a definition": "定义",
    "forward equation": "前向方程",
    "a forward equation": "前向方程",
    "neither a proof nor numbers against it were found": "既未找到证明，也未找到数值反例",
    "transposed, while other lines of the page are not": "此式为转置形式，而文中其他各行不是",
    "equals the derivative of the forward equations": "等于前向方程的导数",
    "it stands in the forward line": "它出现在前向方程中",
    "what the next step sends back to it": "下一时刻传回的部分",
    "by the chain rule": "由链式法则",
    "where": "其中",
    "no relation": "没有等号",
    "an inequality": "不等式",
    "an approximation": "近似式",
    "a number": "数",
    "a range": "范围",
    "words": "文字",
    "says what the notation stands for": "说明记号的含义",
    "the definition of a function": "函数的定义",
    "a forward equation of another system than the one that is judged": "另一组前向方程，不是所验证的那一组",
    "the initial value": "初始值",
    "the loss": "损失",
    "the initial state is zero": "初始状态为零",
    "the sum leaves out the first step": "求和漏掉了第一个时刻",
    "the sum leaves out the last step": "求和漏掉了最后一个时刻",
    "the sum leaves out early steps": "求和漏掉了前面的时刻",
    "gradients lie here": "此处梯度为行向量",
    "gradients stand here": "此处梯度为列向量",
    NO_GRADIENT: "它不是代码中任何量的梯度，也没有说明它应是哪一个",
    "right as one of its terms": "作为其中一项是正确的",
    "one of the terms that together are the gradient": "合起来构成该梯度的各项之一",
    "clipping changes larger entries": "截断会改变较大的元素",
    "it is the gradient of nothing that the forward equations hold": "它不是前向方程中任何量的梯度",
    "with the columns of the weights that multiply this quantity": "取权重中与该量相乘的那些列",
    "a matrix and a vector are multiplied entry by entry": "矩阵与向量作了逐元素相乘",
    "the shapes do not fit in a product": "乘积中的形状不匹配",
    "that the mask is zero or one is not used here": "此处未用到掩码只取零或一",
    "input": "输入",
    "state": "状态",
    "parameter": "参数",
    "hyperparameter": "超参数",
    "number": "数",
    "target": "目标",
    "output": "输出",
    "loss": "损失",
    "loss of a step": "单步损失",
    "intermediate": "中间量",
    "pre-activation": "激活前的值",
    "gate": "门",
    "activation": "激活值",
    "the logistic sigmoid": "逻辑函数 σ",
}
_WHOLE = re.compile(r"(line \d+: )?(what |the indentation|no Python)|it is no gradient")
"""How sentences begin in which a semicolon stands."""
_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        r"gradient of the loss by (.*), without what later steps send back",
        r"损失对 \1 的梯度（不含后面时刻传回的部分）",
    ),
    (r"gradient of the loss by what goes into (.*)", r"损失对 \1 激活前的值的梯度"),
    (r"gradient of the loss by (.*)", r"损失对 \1 的梯度"),
    (r"what a step sends back to (.*) of the step before", r"某一时刻传回上一时刻 \1 的部分"),
    (r"the function (.*)", r"函数 \1"),
    (r"right given (.*)", r"在下列各式无误时成立：\1"),
    (r"the rule: (.*)", r"法则：\1"),
    (r"the sides have shapes (.*)", r"两边形状为 \1"),
    (r"drops the path (.*)", r"漏掉了路径 \1"),
    (
        r"what (.*) is the gradient of is not known; the front matter can say it: (.*)",
        r"无法得知 \1 是对哪个量的梯度；可在文件开头说明：\2",
    ),
    (r"(.*) stays zero: it is never set in the loop", r"\1 始终为零：循环中从未赋值"),
    (r"(.*) is activated already: its derivative is (.*)", r"\1 已是激活后的值：其导数为 \2"),
    (r"(.*) is no part of the cell", r"\1 不属于该单元"),
    (r"(.*) is not defined in the listing", r"\1 在代码中没有定义"),
    (
        r"the indentation is lost \(column (\d+)\); read as if at column (\d+)",
        r"缩进丢失（第 \1 列）；按第 \2 列读取",
    ),
    (r"line (\d+): (.*)", r"第 \1 行：\2"),
    (r"code in (.*) is not read", r"不读取 \1 代码"),
    (r"the forward equation of (.*) is not read", r"\1 的前向方程未能读懂"),
    (r"every entry of the gradients? lies within (.*) and (.*)", r"梯度的每个元素都在 \1 与 \2 之间"),
    (r"at (.*): (?:entry (\[.*\])|it) is (.*), claimed (.*)", r"\1 时，元素 \2 的正确值为 \3，原式所得为 \4"),
    (r"the same function as in line (\d+)", r"与第 \1 行为同一函数"),
    (r"(.*) holds earlier (.*) fixed and leaves (.*) free", r"\1 固定较早的 \2，不固定 \3"),
    (r"the derivative is taken at fixed (.*)", r"求导时固定 \1"),
    (r"(.*) is written in terms of its output", r"\1 以其输出表示"),
    (r"(.*) is taken at fixed (.*)", r"\1 在固定 \2 时求导"),
    (r"(.*) is held fixed", r"固定 \1"),
)
"""What the judge says around names."""
_CELLS: dict[str, str] = {
    "This is none of the known cells, nor near to one.": "这不是任何已知单元，也不接近其中之一。",
    "This is none of the known cells.": "这不是任何已知单元。",
    "It differs from": "不同于", ", the nearest,": "（最接近者）", "Several gates share": "若干门共用",
    "the missing": "缺少", "(there ": "（彼处 ", "This is ": "这是 ", ", without biases": "，没有偏置",
}  # fmt: skip
"""The words in which cells are compared; names and equations stay."""


def text(key: str, lang: str = "en") -> str:
    """A fixed text."""
    return _TEXTS[key][LANGUAGES.index(lang)]


def sentence(message: str, lang: str = "en") -> str:
    """What the judge says, translated where it is one of its fixed sentences."""
    if lang == "en" or message in _SENTENCES:
        return message if lang == "en" else _SENTENCES[message]
    if "; " in message and not _WHOLE.match(message):
        return "；".join(sentence(part, lang) for part in message.split("; "))
    for pattern, chinese in _PATTERNS:
        found = re.fullmatch(pattern, message)
        if found:
            return sentence_within(found, chinese)
    return message


def sentence_within(found: re.Match[str], chinese: str) -> str:
    """A sentence around names; what stands after a line's number is itself one."""
    if found.re.pattern.startswith("line "):
        return chinese.replace(r"\1", found[1]).replace(r"\2", sentence(found[2], "zh"))
    return found.expand(chinese)


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
