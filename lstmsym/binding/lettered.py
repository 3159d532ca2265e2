r"""Letters that number units and tell quantities apart: ``a_\iota``, ``a_\phi``; ``w_{ji}``, ``w_{kj}``.

Where a document defines ``a_j`` and ``a_k`` apart, or gives an index to a label, ``in_v``, such letters
stay in the names.  One that stands for any of them, g of ``\sum_g w_{cg} \delta_g``, is written out for
each; one that is only another word, h of ``b_h^{t-1}`` beside ``b_c^t``, gives way to it; those over
which no sum runs, the gates of a block, number what else is not summed over in their line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lstmsym.binding.quantity import untimed
from lstmsym.binding.table import GRADIENT_BASES, Line
from lstmsym.binding.units import Units, every_name, of_name, parts, stem, unit_labels, variables
from lstmsym.documents.formula import (
    Big,
    Delta,
    Derivative,
    Formula,
    Indexed,
    Name,
    Product,
    Relation,
    Script,
    Sum,
    names,
    rebuilt,
    walk,
)


class Lettered:
    """The names of a document with their units apart."""

    def __init__(self, lines: Sequence[Line], units: Units) -> None:
        """Find the letters that stay in names."""
        self.lines, self.units = lines, units
        self.bound = {letter for letters in units.bound for letter in letters}
        self.kept: set[str] = set()
        self.aliases: dict[str, dict[str, str]] = {}
        self.bases = {n.base for line in lines for side in line[:2] for n in every_name(side)}
        self.labels = self._labels()
        self.numbers = self._of_blocks()
        for name, letters in self._named():
            own = of_name(name, letters)
            if any(p.label for p in own) or self.labels & {p.letter for p in own}:
                self.kept.add(stem(name))
        if self.labels:
            self.kept |= {stem(name) for name, _ in self._named() if name.base in GRADIENT_BASES}
        self._tell_gradients_apart()
        self.members: dict[str, int] = {}
        self.lags: dict[str, set[int]] = {}
        if self.labels:
            self._find_aliases()
            self._find_members()

    def _named(self) -> Iterator[tuple[Name, set[str]]]:
        for (left, right, _), letters in zip(self.lines, self.units.letters, strict=True):
            for name in (*every_name(left), *every_name(right)):
                yield name, letters

    def _forward(self) -> Iterator[tuple[Name, Formula, set[str]]]:
        """The lines that may define a quantity."""
        for (left, right, _), letters in zip(self.lines, self.units.letters, strict=True):
            gradients = any(isinstance(n, (Delta, Derivative)) for n in walk(right))
            gradients = gradients or any(n.base in GRADIENT_BASES for n in every_name(right))
            if isinstance(left, Name) and left.base not in GRADIENT_BASES and not gradients and letters:
                yield left, right, letters

    def _labels(self) -> set[str]:
        """The letters of names of which a document defines several; a line said again is no other."""
        defined: dict[str, dict[str, frozenset[str]]] = {}
        for left, right, letters in self._forward():
            own = [p.letter for p in of_name(left, letters) if not p.label]
            if len(own) == 1:
                said = frozenset(self.apart(n, letters, False).key for n in every_name(right))
                known = defined.setdefault(self.apart(left, letters, False).key, {})
                again = own[0] in self.bound and any(said == s and x in self.bound for x, s in known.items())
                if not again:
                    known.setdefault(own[0], said)
        return {letter for known in defined.values() if len(known) > 1 for letter in known}

    def _of_blocks(self) -> set[str]:
        """Labels of gates that are one for a whole block: their lines sum over the cells of the block."""
        found: set[str] = set()
        for left, right, letters in self._forward():
            own = {p.letter for p in of_name(left, letters)} & self.labels - self.bound
            sums = {x for n in walk(right) if isinstance(n, Big) for x in variables(n)}
            if sums & self.labels:
                found |= own
        return found

    def _tell_gradients_apart(self) -> None:
        """Gradients by one letter, of units of several kinds: the letter of the kind stays."""
        kinds = _alike(self.units)
        used: dict[str, set[str]] = {}
        left: dict[str, set[str]] = {}
        for line, letters in zip(self.lines, self.units.letters, strict=True):
            for side in line[:2]:
                for name in every_name(side):
                    own = of_name(name, letters)
                    if name.base in GRADIENT_BASES and len(own) == 1 and stem(name) not in self.kept:
                        used.setdefault(stem(name), set()).add(own[0].letter)
                        if side is line[0]:
                            left.setdefault(stem(name), set()).add(own[0].letter)
        plain = {
            p.letter for n, own in self._named() for p in of_name(n, own) if n.base not in GRADIENT_BASES
        }
        for base, everything in used.items():
            letters = everything & plain
            if len({kinds[x] for x in letters}) > 1:
                self.kept.add(base)
                self.aliases[base] = {x: kinds[x] for x in letters if x != kinds[x]}
            elif len(letters) > 1 and letters <= left.get(base, set()):
                self.kept.add(base)

    def _find_aliases(self) -> None:
        """Letters of names that are read at the step before and defined under other letters only."""
        ranges = {
            x: b.high
            for line in self.lines
            for s in line[:2]
            for b in walk(s)
            if isinstance(b, Big)
            for x in variables(b)
        }
        defined: dict[str, set[str]] = {}
        for left, _, letters in self._forward():
            if stem(left) in self.kept:
                defined.setdefault(stem(left), set()).update(p.letter for p in of_name(left, letters))
        for left, right, letters in self._forward():
            for name in every_name(right):
                own, known = of_name(name, letters), defined.get(stem(name), set())
                if len(own) != 1 or own[0].letter in known or not known or _lag(name, left) != -1:
                    continue
                letter = own[0].letter
                alike = [
                    x for x in known if ranges.get(letter) is not None and ranges.get(x) == ranges[letter]
                ]
                alike = alike or [x for x in known if x in self.bound]
                if len(alike) == 1:
                    self.aliases.setdefault(stem(name), {})[letter] = alike[0]

    def _find_members(self) -> None:
        """How many indices the names of the forward lines have, and at which steps they are multiplied."""
        for name_, formula, letters in self._forward():
            left, right = self.joined(self.of(name_, letters), self.of(formula, letters))
            for name in (*every_name(left), *every_name(right)):
                self.members.setdefault(name.key, len(set(name.units)))
            for product in (n for n in walk(right) if isinstance(n, Product)):
                factors = [n for n in every_name(product)]
                lags = {lag for n in factors if (lag := _lag(n, left)) is not None}
                for name in factors:
                    if len(name.units) == 2:
                        self.lags.setdefault(name.key, set()).update(lags)

    # -- names -----------------------------------------------------------------------------------------

    def apart(self, name: Name, letters: set[str], keep: bool = True) -> Name:
        """A name with its units apart."""
        own = of_name(name, letters)
        if not own:
            return _indicator(name, letters) or name
        if name.base == "δ" and len(own) == len(parts(name)) == 2 and name.time is None:
            return Name("1", units=tuple(p.letter for p in own), span=name.span)  # Kronecker's
        stays = keep and stem(name) in self.kept
        gone = {p.letter for p in own}
        scripts = []
        for script in name.scripts:
            body = script.body if script.wrap else _without(script.body, gone, stays)
            scripts += [replace(script, body=body)] if body is not None else []
        bare = untimed(replace(name, scripts=tuple(scripts)))[0]
        numbers = self.numbers if keep else frozenset()
        units = tuple(p.letter for p in own if p.letter not in numbers)
        found = replace(bare, time=name.time, units=units)
        aliases = {x: x.rstrip("'") for x in gone if x.endswith("'")} | self.aliases.get(stem(name), {})
        for old, new in aliases.items() if keep else ():
            found = relettered(found, old, new)
        return found

    def of(self, node: Formula, letters: set[str]) -> Formula:
        """A formula with the units of its names apart."""
        if isinstance(node, Name):
            return self.apart(node, letters)
        if isinstance(node, Indexed):
            text = "".join(s.text for s in node.scripts)
            if not node.bar and node.time is None and set(text) <= letters:
                return Indexed(node.body, (), units=tuple(text), span=node.span)
        if isinstance(node, Big):
            return replace(node, body=self.of(node.body, letters))
        return rebuilt(node, lambda part: self.of(part, letters))

    def __call__(self, left: Formula, right: Formula, letters: set[str]) -> Iterator[tuple[Formula, Formula]]:
        """A line with the units of its names apart, and letters that stand for any written out."""
        left, right = self.of(left, letters), self.of(right, letters)
        if not self.labels:
            yield left, right
            return
        right = self.summed(right, left)
        generic = [x for x in unit_labels(left) if self._any(x, (left, right))]
        for letter in [*self._any(generic[0], (left, right))] if generic else [""]:
            a, b = (
                (lettered(side, generic[0], letter) for side in (left, right)) if generic else (left, right)
            )
            a, b = self.joined(a, b)
            yield self._turned(a), self._turned(b)

    def _turned(self, node: Formula) -> Formula:
        """A formula in which a weight with its two letters exchanged is that weight, with these indices."""
        if not isinstance(node, Name):
            return rebuilt(node, self._turned)
        if len(node.units) != 2 or node.key in self.members:
            return node
        first, second = node.units
        turned = relettered(relettered(relettered(node, first, "?"), second, first), "?", second)
        return turned if turned.key in self.members else node

    # -- letters that stand for any --------------------------------------------------------------------

    def _any(self, letter: str, sides: Sequence[Formula], lag: int | None = None) -> list[str]:
        """The letters that one stands for: with each of them all names are known."""
        quantities = [
            n for side in sides for n in every_name(side)
            if letter in n.units and n.base not in GRADIENT_BASES and n.base != "1"
        ]  # fmt: skip
        if not quantities or any(n.key in self.members for n in quantities):
            return []
        return [
            x
            for x in sorted(self.labels)
            if all(self._known(self.relettered(n, letter, x), lag) for n in quantities)
        ]

    def _known(self, name: Name, lag: int | None = None) -> Name | None:
        """The name of the forward lines that one with these letters is."""
        return next(self._fitting(name, lag), None)

    def _fitting(self, name: Name, lag: int | None) -> Iterator[Name]:
        """The names of the forward lines that one with these letters may be, itself first."""
        words = [(new, old) for found in self.aliases.values() for old, new in found.items()]
        others = [name, *(n for new, old in words for n in _with_one(name, new, old))]
        for other in others:
            fits = self.members.get(other.key) == len(set(name.units))
            if fits and (lag is None or -lag in self.lags.get(other.key, {-lag})):
                yield other

    def summed(self, node: Formula, left: Formula) -> Formula:
        """A formula with sums over whatever a letter stands for written out."""
        node = rebuilt(node, lambda part: self.summed(part, left))
        letters = variables(node) if isinstance(node, Big) else ()
        if len(letters) != 1 or not isinstance(node, Big):
            return node
        lags = {_lag(n, left) for n in every_name(node.body) if n.base in GRADIENT_BASES}
        lag = next(iter(lags)) if len(lags) == 1 else None
        kinds = self._any(letters[0], (node.body,), lag)
        if not kinds:
            return node

        named = [n for n in every_name(node.body) if letters[0] in n.units]
        named = [n for n in named if n.base not in GRADIENT_BASES]
        own = [self.relettered(n, letters[0], x) for n in named for x in kinds]
        other = any(self._known(n, lag) not in (n, None) for n in own)  # one has the other word: so have all

        def put(part: Formula, letter: str) -> Formula:
            if isinstance(part, Name) and letters[0] in part.units:
                changed = self.relettered(part, letters[0], letter)
                fitting = [*self._fitting(changed, lag)] or [changed]
                return fitting[-1 if other else 0]
            return rebuilt(part, lambda inner: put(inner, letter))

        bodies = [(x, put(node.body, x)) for x in kinds]
        terms = tuple(b if x in self.numbers else replace(node, body=b) for x, b in bodies)
        return terms[0] if len(terms) == 1 else Sum(("+",) * len(terms), terms)

    def relettered(self, name: Name, old: str, new: str) -> Name:
        """A name with a letter put for another; that of a gate of the block numbers nothing."""
        found = relettered(name, old, new)
        return (
            replace(found, units=tuple(u for u in found.units if u != old)) if new in self.numbers else found
        )

    def _within(self, node: Formula) -> Formula:
        r"""A formula in which the letter of a quantity, s of ``\epsilon_s``, is a unit of the sum around."""
        node = rebuilt(node, self._within)
        letters = variables(node) if isinstance(node, Big) and self.numbers else ()
        if len(letters) != 1 or not isinstance(node, Big):
            return node
        open_ = self.bases - self.labels - self.bound
        words = {u for n in every_name(node.body) for u in n.units if u in open_}
        return replace(node, body=relabelled(node.body, dict.fromkeys(words, letters[0])))

    # -- units of one block ----------------------------------------------------------------------------

    def joined(self, left: Formula, right: Formula) -> tuple[Formula, Formula]:
        """A line in which gates over which no sum runs number what else is not summed over."""
        free = {*unit_labels(left), *unit_labels(right)}
        left, right = (self._within(side) for side in (left, right))
        free = {*unit_labels(left), *unit_labels(right)}
        gates = {x for x in free - self.bound if x in self.labels or x in self.bases}
        matched = set(unit_labels(left)) == set(unit_labels(right))
        arity = any(
            len(set(n.units)) > self.members.get(n.key, 2) for s in (left, right) for n in every_name(s)
        )
        if not gates or (matched and not arity):
            return left, right
        first = min(free & set(unit_labels(left)) or free)
        order = {x: first for x in free if x in gates or x in self.labels}
        joined = tuple(relabelled(side, order) for side in (left, right))
        if any(len(n.units) < self.members.get(n.key, 0) for s in joined for n in every_name(s)):
            return left, right
        return joined[0], joined[1]


def _indicator(name: Name, letters: set[str]) -> Name | None:
    r"""``1_{i = y_t}``, 1 for the unit that is the class y_t, as the one-hot vector of that class."""
    body = name.scripts[0].body if name.base == "1" and len(name.scripts) == 1 else None
    if not isinstance(body, Relation) or body.signs != ("=",):
        return None
    for unit, other in (body.terms, body.terms[::-1]):
        if isinstance(unit, Name) and unit.key in letters and isinstance(other, Name):
            return replace(name, scripts=(Script("sub", other),), units=(unit.key,))
    return None


def _alike(units: Units) -> dict[str, str]:
    """For each letter, the first of those that number the same units: they take one place of a name."""
    spots: dict[object, set[str]] = {}
    for line, letters in zip(units.lines, units.letters, strict=True):
        for name in (*every_name(line[0]), *every_name(line[1])):
            for part in of_name(name, letters):
                spots.setdefault(part.letter.rstrip("'"), set()).add(part.letter)
                if name.base not in GRADIENT_BASES:
                    spots.setdefault((part.spot, part.label), set()).add(part.letter)
    groups: list[set[str]] = []
    for found in spots.values():
        joined = [g for g in groups if g & found]
        groups = [g for g in groups if not g & found] + [found.union(*joined)]
    return {letter: min(group) for group in groups for letter in group}


def lettered(node: Formula, old: str, new: str) -> Formula:
    """A formula with a letter in the scripts of its names put for another; the units stay."""
    if isinstance(node, Name):
        return relettered(node, old, new)
    return rebuilt(node, lambda part: lettered(part, old, new))


def relettered(name: Name, old: str, new: str) -> Name:
    """A name with a letter in its scripts put for another."""
    if old not in name.units and old != "?":
        return name

    def change(body: Formula) -> Formula:
        if isinstance(body, Name) and body.base + "'" * body.primes == old:
            return replace(body, base=new, primes=0)
        if isinstance(body, Name) and len(body.base) in (2, 3) and not body.scripts:
            letters = (*body.base[:-1], body.base[-1] + "'" * body.primes)
            changed = "".join(new if x == old else x for x in letters)
            return replace(body, base=changed.rstrip("'"), primes=len(changed) - len(changed.rstrip("'")))
        return rebuilt(body, change) if isinstance(body, Product) else body

    return replace(
        name, scripts=tuple(s if s.wrap else replace(s, body=change(s.body)) for s in name.scripts)
    )


def _with_one(name: Name, old: str, new: str) -> Iterator[Name]:
    """A name with a letter in its scripts put for another, at each of its places."""
    for place, script in enumerate(name.scripts):
        body = script.body
        if script.wrap or not isinstance(body, Name) or body.scripts or len(body.base) > 3:
            continue
        for at, letter in enumerate(body.base):
            if letter == old:
                changed = replace(body, base=body.base[:at] + new + body.base[at + 1 :])
                scripts = (*name.scripts[:place], replace(script, body=changed), *name.scripts[place + 1 :])
                yield replace(name, scripts=scripts)


def relabelled(node: Formula, order: dict[str, str]) -> Formula:
    """A formula with free units called otherwise, each only once in a name."""
    if isinstance(node, Big):
        own = {old: new for old, new in order.items() if old not in variables(node)}
        return replace(node, body=relabelled(node.body, own))
    if isinstance(node, (Name, Indexed)) and node.units:
        units = tuple(order.get(u, u) for u in node.units)
        node = replace(
            node, units=tuple(dict.fromkeys(units)) if len(set(node.units)) > len(set(units)) else units
        )
    return node if isinstance(node, Name) else rebuilt(node, lambda part: relabelled(part, order))


def _lag(name: Name, left: Formula) -> int | None:
    """How many steps after the left side a name is taken."""
    first = next(names(left), None)
    if name.time is None or first is None or first.time is None:
        return None
    a, b = name.time.offset, first.time.offset
    return a - b if a is not None and b is not None else None


def _without(body: Formula, gone: set[str], stays: bool) -> Formula | None:
    """A script without letters that number units; nothing where none of it is left."""
    if isinstance(body, Product):
        rest = [b for b in (_without(f, gone, stays) for f in body.factors) if b is not None]
        if not rest:
            return None
        return rest[0] if len(rest) == 1 else Product(("",) * (len(rest) - 1), tuple(rest))
    if not isinstance(body, Name):
        return body
    if body.scripts:
        inner = [(s, _without(s.body, gone, False)) for s in body.scripts]
        return replace(body, scripts=tuple(replace(s, body=b) for s, b in inner if b is not None))
    word = body.base + "'" * body.primes
    letters = {word} if len(body.base) == 1 else set(body.base)
    return body if stays or not letters <= gone else None
