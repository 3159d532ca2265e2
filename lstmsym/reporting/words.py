"""The fixed words of reports in English and Chinese, and what the judge says in fixed sentences."""

from __future__ import annotations

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
_STARTS: dict[str, str] = {
    "gradient of the loss by ": "损失的梯度，对象：", "the function ": "函数 ",
    "right given ": "在下列各式无误时成立：", "the rule: ": "法则：", "the sides have shapes ": "两边形状为 ",
}  # fmt: skip


def text(key: str, lang: str = "en") -> str:
    """A fixed text."""
    return _TEXTS[key][LANGUAGES.index(lang)]


def sentence(message: str, lang: str = "en") -> str:
    """What the judge says, translated where it is one of its fixed sentences."""
    if lang == "en":
        return message
    for start, chinese in _STARTS.items():
        if message.startswith(start):
            return chinese + message.removeprefix(start)
    return _SENTENCES.get(message, message)


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
