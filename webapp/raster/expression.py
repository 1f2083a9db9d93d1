"""Band math: our own small grammar, checked and bounded before a pixel is read.

    outputs    = or {";" or}                         one picture band each
    or         = and {"|" and}        and = not {"&" not}        not = "~" not | comparison
    comparison = sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]
    sum        = product {("+" | "-") product}       product = unary {("*" | "/" | "%") unary}
    unary      = ("-" | "+") unary | power           power = atom ["**" unary]
    atom       = number | band | name "(" or {"," or} ")" | "(" or ")"        band = "b1", "b2" …

Nothing of a request is ever given to `eval`: the tree holds our own numpy functions only.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webapp.errors import Invalid

Array = NDArray[Any]
MAX_LENGTH = 500
MAX_NODES = 120
MAX_DEPTH = 24
MAX_OUTPUTS = 8
MAX_BANDS = 16


def _truth(test: Callable[..., Array], *parts: Any) -> Array:
    """Return 1 where the test holds, else 0."""
    return np.asarray(test(*parts), np.float32)


_ONE = (
    *("abs", "sqrt", "exp", "expm1", "log", "log10", "log1p", "floor", "ceil"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"),
)
# Name -> (function, least arguments, most arguments).
FUNCTIONS: dict[str, tuple[Callable[..., Array], int, int]] = {
    **{name: (getattr(np, name), 1, 1) for name in _ONE},
    "arctan2": (np.arctan2, 2, 2),
    "min": (lambda *values: np.minimum.reduce(np.broadcast_arrays(*values)), 2, 8),
    "max": (lambda *values: np.maximum.reduce(np.broadcast_arrays(*values)), 2, 8),
    "where": (np.where, 3, 3),
}
_TWO: dict[str, Callable[[Array, Array], Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.mod,
    "**": np.power,
}
# True and False are 1 and 0, so that they can be counted with: (b1 > 3) + (b2 > 3).
_TRUTH: dict[str, Callable[[Array, Array], Array]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
    "&": np.logical_and,
    "|": np.logical_or,
}
_OPERATIONS = _TWO | {sign: partial(_truth, test) for sign, test in _TRUTH.items()}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|[-+*/%<>&|~(),;]))",
    re.ASCII,
)
_BAND = re.compile(r"[bB]([0-9]{1,4})", re.ASCII)
Node = tuple[Any, ...]  # ("number", value) | ("band", index) | ("call", function, nodes)


@dataclass(frozen=True, slots=True)
class Expression:
    """Checked band math.

    Attributes:
        text: as it was given.
        bands: 1-based bands that it reads, in order.
        outputs: one tree a picture band.
    """

    text: str
    bands: tuple[int, ...]
    outputs: tuple[Node, ...]

    def evaluate(self, bands: Mapping[int, Array]) -> Array:
        """Return (output, row, col) in the bands' own float type; what is undefined (0/0, log of -1) is not finite.

        Args:
            bands: band -> (row, col), float32 or float64.
        """
        shape = next(iter(bands.values())).shape if bands else ()
        dtype = next(iter(bands.values())).dtype if bands else np.dtype(np.float32)
        with np.errstate(all="ignore"):
            found = [np.broadcast_to(_value(node, bands), shape).astype(dtype) for node in self.outputs]
        return np.stack(found)


@lru_cache(maxsize=512)
def parse(text: str) -> Expression:
    """Return the checked expression.

    Raises:
        Invalid: code `bad_expression`; the message names the place and what may stand there.
    """
    if len(text) > MAX_LENGTH:
        raise _bad(f"An expression of {len(text)} characters is too long.", f"Use at most {MAX_LENGTH}.")
    parser = _Parser(text)
    outputs = parser.outputs()
    bands = tuple(sorted(parser.bands))
    if not bands:
        raise _bad(f"The expression '{text}' names no band.", "Write bands as b1, b2 ….")
    if len(bands) > MAX_BANDS:
        raise _bad(f"The expression names {len(bands)} bands.", f"Name at most {MAX_BANDS}.")
    return Expression(text, bands, outputs)


def _bad(message: str, fix: str) -> Invalid:
    return Invalid(message, fix=fix, code="bad_expression")


def _value(node: Node, bands: Mapping[int, Array]) -> Any:
    kind = node[0]
    if kind == "number":
        # A Python number takes the type of the array beside it.
        return node[1]
    if kind == "band":
        return bands[node[1]]
    return node[1](*(_value(part, bands) for part in node[2]))


class _Parser:
    """Reads one expression, by descent; each rule of the grammar is a method."""

    def __init__(self, text: str) -> None:
        self.bands: set[int] = set()
        self._text = text
        self._tokens = _tokens(text)
        self._at = self._nodes = self._depth = 0

    def outputs(self) -> tuple[Node, ...]:
        found = [self._or()]
        while self._take(";"):
            if self._peek() == "":  # a last semicolon, as TiTiler's users write it
                break
            found.append(self._or())
        if self._peek():
            raise self._unexpected()
        if len(found) > MAX_OUTPUTS:
            raise _bad(f"The expression has {len(found)} outputs.", f"Use at most {MAX_OUTPUTS}, divided by ';'.")
        return tuple(found)

    def _or(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _bad("The expression is nested too deeply.", f"Nest at most {MAX_DEPTH} parentheses.")
        node = self._chain(self._and, ("|",))
        self._depth -= 1
        return node

    def _and(self) -> Node:
        return self._chain(self._not, ("&",))

    def _not(self) -> Node:
        flips = 0
        while self._take("~"):
            flips += 1
        node = self._comparison()
        return self._call(partial(_truth, np.logical_not), (node,)) if flips % 2 else node

    def _comparison(self) -> Node:
        left = self._sum()
        for sign in ("<=", ">=", "==", "!=", "<", ">"):
            if self._take(sign):
                return self._call(_OPERATIONS[sign], (left, self._sum()))
        return left

    def _sum(self) -> Node:
        return self._chain(self._product, ("+", "-"))

    def _product(self) -> Node:
        return self._chain(self._unary, ("*", "/", "%"))

    def _unary(self) -> Node:
        negative = False
        while (sign := self._peek()) in ("-", "+"):
            self._at += 1
            negative ^= sign == "-"
        node = self._power()
        return self._call(np.negative, (node,)) if negative else node

    def _power(self) -> Node:
        base = self._atom()
        if not self._take("**"):
            return base
        self._depth += 1  # a ** b ** c … goes down one level each
        if self._depth > MAX_DEPTH:
            raise _bad("The expression is nested too deeply.", f"Nest at most {MAX_DEPTH} powers.")
        node = self._call(_OPERATIONS["**"], (base, self._unary()))
        self._depth -= 1
        return node

    def _atom(self) -> Node:
        token = self._peek()
        if self._take("("):
            node = self._or()
            self._expect(")")
            return node
        kind = self._tokens[self._at][0] if self._at < len(self._tokens) else ""
        if kind == "number":
            self._at += 1
            return self._count(("number", float(token)))
        if kind == "word":
            self._at += 1
            band = _BAND.fullmatch(token)
            return self._band(int(band[1])) if band else self._function(token)
        raise self._unexpected()

    def _band(self, index: int) -> Node:
        if index < 1:
            raise _bad("There is no band b0.", "Bands are counted from b1.")
        self.bands.add(index)
        return self._count(("band", index))

    def _function(self, name: str) -> Node:
        if name not in FUNCTIONS:
            raise _bad(
                f"There is no function '{name[:40]}'.", f"Use bands b1, b2 … and {', '.join(sorted(FUNCTIONS))}."
            )
        function, least, most = FUNCTIONS[name]
        self._expect("(")
        parts = [self._or()]
        while self._take(","):
            parts.append(self._or())
        self._expect(")")
        if not least <= len(parts) <= most:
            raise _bad(f"{name} takes {least} to {most} values, not {len(parts)}.", "Count its values.")
        return self._call(function, tuple(parts))

    def _chain(self, part: Callable[[], Node], signs: tuple[str, ...]) -> Node:
        node = part()
        while (sign := self._peek()) in signs:
            self._at += 1
            node = self._call(_OPERATIONS[sign], (node, part()))
        return node

    def _call(self, function: Callable[..., Array], parts: tuple[Node, ...]) -> Node:
        return self._count(("call", function, parts))

    def _count(self, node: Node) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _bad("The expression has too many parts.", f"Use at most {MAX_NODES} numbers, bands and operations.")
        return node

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self, sign: str) -> bool:
        if self._peek() != sign:
            return False
        self._at += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._unexpected(sign)

    def _unexpected(self, wanted: str = "a number, a band (b1) or a function") -> Invalid:
        found = f"'{self._peek()}'" if self._peek() else "the end"
        at = self._tokens[self._at][2] + 1 if self._at < len(self._tokens) else len(self._text) + 1
        return _bad(f"In the expression '{self._text}', {found} stands at character {at}.", f"Expected: {wanted}.")


def _tokens(text: str) -> list[tuple[str, str, int]]:
    """Return (kind, token, where it begins) of each token."""
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        matched = _TOKEN.match(text, at)
        if matched is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise _bad(
                f"The expression has {text[place]!r} at character {place + 1}.",
                "Use numbers, bands (b1), + - * / % **, comparisons, & | ~, parentheses and functions.",
            )
        kind = str(matched.lastgroup)
        found.append((kind, matched[kind], matched.start(kind)))
        at = matched.end()
    return found
