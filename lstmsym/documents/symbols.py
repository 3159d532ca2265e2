"""The vocabulary: what commands and characters of mathematics mean, in LaTeX and in Unicode."""

from __future__ import annotations

import re

_GREEK = """alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι
kappa κ
lambda λ mu μ nu ν xi ξ pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi
χ psi ψ
omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω ell ℓ
imath ı jmath ȷ hbar ℏ infty ∞ emptyset ∅ aleph ℵ Re ℜ Im ℑ bot ⊥ star ⋆ checkmark ✓ dagger
†""".split()
LETTERS: dict[str, str] = dict(zip(_GREEK[::2], _GREEK[1::2], strict=True))
"""Commands that are letters."""
SPELLED: dict[str, str] = {letter: "\\" + command for command, letter in LETTERS.items()}
"""How a letter is spelled in LaTeX."""

ACCENTS: dict[str, str] = {
    "tilde": "tilde", "widetilde": "tilde", "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar",
    "dot": "dot", "ddot": "ddot", "vec": "vec", "overrightarrow": "vec", "overleftarrow": "left",
    "check": "check", "breve": "breve", "acute": "acute", "grave": "grave", "mathring": "ring",
    "underline": "under", "underbar": "under", "cancel": "cancel",
}  # fmt: skip
COMBINING: dict[str, str] = {
    "\u0303": "tilde", "\u0302": "hat", "\u0304": "bar", "\u0305": "bar", "\u0307": "dot", "\u0308": "ddot",
    "\u20d7": "vec", "\u20d6": "left",
}  # fmt: skip
FONTS: dict[str, str] = {
    "mathbf": "bold", "boldsymbol": "bold", "bm": "bold", "pmb": "bold", "textbf": "bold", "bf": "bold",
    "mathbfit": "bold", "symbf": "bold", "mathcal": "cal", "mathscr": "cal", "cal": "cal", "mathbb": "bb",
    "mathfrak": "frak", "mathrm": "rm", "rm": "rm", "textrm": "rm", "textup": "rm", "text": "rm",
    "mbox": "rm",
    "textnormal": "rm", "hbox": "rm", "operatorname": "rm", "mathop": "rm", "mathsf": "sf", "textsf": "sf",
    "sf": "sf", "mathtt": "tt", "texttt": "tt", "tt": "tt", "mathit": "it", "textit": "it", "it": "it",
    "emph": "it", "mathnormal": "",
}  # fmt: skip
WORD_FONTS = frozenset(
    """mathrm textrm text mbox textnormal hbox operatorname mathop mathsf textsf mathtt texttt mathit textit
    textbf textup emph""".split()
)
"""Fonts in which letters side by side are a word."""
TEXT_FONTS = frozenset("text mbox textnormal hbox textrm textsf texttt textit textbf textup emph".split())
"""Whose argument is text, not mathematics."""
SWITCHES = frozenset("bf rm sf tt it cal".split())

PRODUCTS: dict[str, str] = {
    "odot": "⊙", "circ": "∘", "otimes": "⊗", "times": "×", "cdot": "·", "ast": "*", "bigodot": "⊙",
    "oslash": "⊘",
    "div": "/", "bigcirc": "∘", "boxdot": "⊙", "circledast": "*", "varodot": "⊙", "bullet": "⊙",
    "cdotp": "·", "diamond": "⋄", "⋄": "⋄", "circledcirc": "∘", "oast": "*",
    "boxtimes": "⊗",
    "⊙": "⊙", "∘": "∘", "⊗": "⊗", "×": "×", "·": "·", "⋅": "·", "∙": "·", "∗": "*", "*": "*", "@": "@",
    "/": "/",
    "⊘": "⊘", "÷": "/", "◦": "∘", "○": "∘", "•": "⊙", ".*": ".*", "./": "./", "⨀": "⊙", "☉": "⊙",
    "ʘ": "⊙",
}  # fmt: skip
SIGNS: dict[str, str] = {
    "+": "+",
    "-": "-",
    "−": "-",
    "–": "-",
    "pm": "±",
    "mp": "∓",
    "±": "±",
    "oplus": "⊕",
    "⊕": "⊕",
}
RELATIONS: dict[str, str] = {
    "=": "=", "equiv": "≡", "coloneqq": ":=", "coloneq": ":=", "triangleq": ":=", "doteq": ":=",
    "leftarrow": "←",
    "gets": "←", "Leftarrow": "←", "longleftarrow": "←", "propto": "∝", "approx": "≈", "simeq": "≈",
    "sim": "∼",
    "cong": "≈", "le": "≤", "leq": "≤", "leqslant": "≤", "ge": "≥", "geq": "≥", "geqslant": "≥", "<": "<",
    ">": ">",
    "lt": "<", "gt": ">", "ll": "≪", "gg": "≫", "ne": "≠", "neq": "≠", "in": "∈", "notin": "∉", "ni": "∋",
    "subset": "⊂", "subseteq": "⊂", "to": "→", "rightarrow": "→", "longrightarrow": "→", "mapsto": "→",
    "Rightarrow": "⇒", "implies": "⇒", "Longrightarrow": "⇒", "iff": "⇔", "Leftrightarrow": "⇔",
    "therefore": "⇒",
    "because": "⇒", "leadsto": "→", "leftrightarrow": "↔", "prec": "<", "succ": ">", "lesssim": "≤",
    "gtrsim": "≥",
    "≡": "≡", "≔": ":=", "≜": ":=", "≝": ":=", "←": "←", "∝": "∝", "≈": "≈", "≃": "≈", "∼": "∼", "≤": "≤",
    "≥": "≥",
    "⩽": "≤", "⩾": "≥", "≪": "≪", "≫": "≫", "≠": "≠", "∈": "∈", "∉": "∉", "⊂": "⊂", "→": "→", "⟶": "→",
    "⇒": "⇒",
    "⟹": "⇒", "⇔": "⇔", "∴": "⇒", "↦": "→", "⟵": "←", ":=": ":=", "<-": "←", "->": "→", "=>": "⇒",
    "==": "=",
    "+=": "+=", "-=": "-=", "*=": "*=", "<=": "≤", ">=": "≥", "!=": "≠", "⇐": "←", "＝": "=",
}  # fmt: skip
EQUALITIES = frozenset("= ≡ := ← += -= *=".split())
"""Relations that make an equation; the others make a statement that is not checked."""

OPENERS: dict[str, str] = {
    "(": "(", "[": "[", "lbrace": "{", "langle": "⟨", "⟨": "⟨", "lVert": "‖", "lvert": "|", "lfloor": "⌊",
    "lceil": "⌈",
    "lbrack": "[", "{": "{", "（": "(", "⌊": "⌊", "⌈": "⌈", "lgroup": "(", "llbracket": "[", "【": "[",
    "lparen": "(",
    "⟦": "[", "〈": "⟨",
}  # fmt: skip
CLOSERS: dict[str, str] = {
    ")": ")", "]": "]", "rbrace": "}", "rangle": "⟩", "⟩": "⟩", "rVert": "‖", "rvert": "|", "rfloor": "⌋",
    "rceil": "⌉",
    "rbrack": "]", "}": "}", "）": ")", "⌋": "⌋", "⌉": "⌉", "rgroup": ")", "rrbracket": "]", "】": "]",
    "rparen": ")",
    "⟧": "]", "〉": "⟩",
}  # fmt: skip
PAIRS = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "‖": "‖", "|": "|", "⌊": "⌋", "⌈": "⌉"}
BARS: dict[str, str] = {
    "|": "|",
    "vert": "|",
    "Vert": "‖",
    "‖": "‖",
    "||": "‖",
    "∥": "‖",
    "parallel": "‖",
    "mid": "|",
    "∣": "|",
}

BIG: dict[str, str] = {
    "sum": "∑", "prod": "∏", "int": "∫", "∑": "∑", "∏": "∏", "∫": "∫", "bigodot": "⨀", "bigoplus": "⨁",
    "bigotimes": "⨂", "bigcup": "⋃", "coprod": "∐", "oint": "∫",
}  # fmt: skip
DOTS: dict[str, str] = {
    "dots": "…", "ldots": "…", "cdots": "⋯", "dotsc": "…", "dotsb": "⋯", "dotsm": "⋯", "vdots": "⋮",
    "ddots": "⋱",
    "…": "…", "⋯": "⋯", "...": "…", "..": "…", "⋮": "⋮", "hdots": "…", "dotso": "…", "dotsi": "⋯",
}  # fmt: skip
FUNCTION_COMMANDS = frozenset(
    """tanh exp log ln sin cos tan sinh cosh max min arg det lim sup inf arctan sgn Pr gcd dim ker deg sec
    csc
    cot arcsin arccos argmax argmin""".split()
)
FUNCTION_WORDS = FUNCTION_COMMANDS | frozenset(
    """sigmoid softmax logistic relu ReLU elu ELU selu gelu GELU softplus softsign diag Diag sigm logit
    sqrt abs
    norm sign clip tr Tr trace vec concat cat stack mean var std rank LayerNorm LN BN BatchNorm RMSNorm
    hardsigmoid hard_sigmoid leaky_relu LeakyReLU logsigmoid log_softmax logsumexp outer dot sum Softmax
    Sigmoid
    Tanh SiLU silu swish one_hot onehot cross_entropy CrossEntropy CE zeros ones zeros_like revcumsum cumsum
    matmul exp identity""".split()
)
"""Words that are functions wherever they stand before a bracket."""
FUNCTION_LETTERS = frozenset("σ ς".split())

VULGAR: dict[str, str] = {"½": "0.5", "¼": "0.25", "¾": "0.75", "⅛": "0.125"}
"""Fractions in one character."""
SPACES = frozenset(
    """, ; : ! > thinspace medspace thickspace enspace negthinspace negmedspace displaystyle textstyle
    scriptstyle scriptscriptstyle limits nolimits mathstrut strut nonumber notag hline allowbreak nobreak
    relax noindent par smallskip medskip bigskip centering small footnotesize large Large normalsize null
    boldmath unboldmath break newline protect ensuremath mathinner mathopen mathclose
    mathpunct xspace hfill hfil toprule midrule bottomrule ignorespaces nolinebreak linebreak
    IEEEyesnumber IEEEnonumber IEEEyessubnumber IEEEeqnarraynumspace
    displaybreak allowdisplaybreaks qedhere """.split()
) | {" "}
"""Commands that say nothing (those of type take their argument as it is)."""
SPACES_WITH_ARGUMENT = frozenset(
    "hspace vspace hskip vskip phantom hphantom vphantom kern mkern mspace color label".split()
)
GAPS = frozenset("quad qquad".split())
SIZES = frozenset(
    """left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm Bigm biggm
    Biggm""".split()
)
TRANSPARENT = frozenset(
    """aligned alignedat split gathered align align* alignat alignat* flalign flalign* gather gather*
    equation
    equation* multline multline* eqnarray eqnarray* displaymath math dmath dmath* dgroup dgroup*
    subequations
    numcases empheq IEEEeqnarray IEEEeqnarray* multlined""".split()
)
"""Environments that only lay out."""
DISPLAYS = TRANSPARENT - {"aligned", "alignedat", "split", "gathered", "multlined"}
"""Environments that start a display in text."""
TABLES = frozenset(
    """matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix array tabular subarray psmallmatrix
    bsmallmatrix""".split()
)

IDENTIFIER_PARTS = frozenset(
    """prev next diff grad input output raw out in top bottom self cell state cache hat hidden gate tanh
    new old
    total bar init last first update candidate net act pre post err error loss size dim step param raw sum
    backward forward list delta""".split()
)
"""Words that, after a raw underscore, show that the whole is the name of a variable in code."""
NOT_GRADIENTS = frozenset(
    """d diff delta deltas dim dims drop dropout data dot diag decay det div dense dev dist depth default
    def deg
    do_not down direct during done dtype der deriv derivative domain different divided denotes denote
    define""".split()
)
"""Words with d that are no gradients."""

SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵗᵀᵏʲˢ", "0123456789+-()nitTkjs", strict=True))
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₜₖᵢⱼₙₘₕₓₛₒₐₑₗₚᵣᵤᵥ", "0123456789+-()tkijnmhxsoaelpruv", strict=True))

CONNECTIVES = frozenset(
    """and where with or so hence thus then therefore because since also i.e. e.g. which gives we have 且
    其中 和 与 有 则 即
    因此 所以 故 及 以及 得 得到""".split()
)
"""Words between two equations of one display."""
RANGES = re.compile(
    r"\s*(?:(?:for|if|when|with|forall|otherwise|else|für|mit|falls|wenn|sonst|pour|avec|para|con|per|для|при)\b"
    r"|[对当(])",
    re.IGNORECASE,
)
"""How words begin that say when an equation holds."""
COUNTERS = frozenset("t τ k T i j n s l m".split())
"""Letters whose range is no equation."""
