"""Words beside a formula: those of the sentence around it, and those that may tell an operation on it."""

from __future__ import annotations

import re

_CLAUSES = frozenset(
    """where with for and or but so if when while whenever unless until since because as which that who whose
    is are was were be being has have had can may must will would should does do did holds hold gives give
    yields yield means mean follows follow becomes become denotes denote defines define describes says
    equals equal implies imply comes come at by in on of to from into onto through via using per under
    after before here there then thus hence therefore now not no only also again still just exactly both
    either all each every any the an this these those its their our we it you they he she one let note see
    eq eqs equation i.e e.g ie eg resp respectively wrt otherwise else except such than too like whereas
    wo mit für und oder wobei falls wenn ist sind der die das ein eine im am zu von aus bei dann also nach
    où avec pour et ou si est sont le la les un une dans du des de par donc alors car
    donde con para si es son el los las en del por tanto
    vs cf pp nb fig st th ltd mr mrs dr phd instead
    где с для и или если при то это так как где-то по из на
    dove per se onde com são é""".split()
)
"""Words of the sentence that go on with no formula."""
JOINING = frozenset("and then but or also again once now und et".split())
"""Words after which an operation may be told: and transposed."""
DOUBTFUL = re.compile(
    r"(?:divid|multipl|scal|weight|transpos|squar|cub|summ|averag|add|subtract|clip|mask|rais|invert|revers"
    r"|convolv|concatenat|normali[sz]|halv|doubl|shift|delay)(?:e?d|ied|ed|ped|ted|ling|ing|ying|ning)$"
    r"|^(?:times|plus|minus|over|dot|cross|mod|modulo|less|hadamard|product|outer|inner|squared|inverse|transpose"
    r"|mal|fois|moins|más|por|menos|раз|плюс|минус|на)$",
    re.IGNORECASE,
)
DOUBTFUL_HAN = re.compile(r"[乘加减除]|点积|内积|外积|转置|平方|求和|平均|掛け|足し|転置|곱|더하")
_OPENING_HAN = re.compile(r"^[\s(再并且然后]*(?:乘|加上|减去|除以|的?转置|的?平方|求和)")
_WORD = re.compile(r"[^\W\d_]+")


def leads_on(text: str) -> bool:
    """Whether a word belongs to the sentence around a formula: where, with, is."""
    return text.lower() in _CLAUSES and (text.islower() or text.istitle())


def may_operate(words: str) -> bool:
    """Whether a remark behind a formula begins with an operation: transposed, divided by N."""
    if _OPENING_HAN.match(words):
        return True
    for word in _WORD.findall(words)[:3]:
        if DOUBTFUL.search(word):
            return True
        if word.lower() not in JOINING:
            return False
    return False
