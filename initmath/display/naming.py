"""Names for the long constants of a page: ``where B = …`` instead of the same constant in every line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from typing import Any

from initmath.display.document import Block, Equation, Heading
from initmath.display.inline import PlainMedium, latex, show
from initmath.display.lines import width

__all__ = ["explained", "named"]

WIDE = 8.0
"""Width in em from which on a constant may have a name."""

SAVED = 100.0
"""Width in em, about three lines, that the name must save on the page."""

OPERATIONS = 4
"""A sum of fewer operations is never so wide; counting them is quicker than writing the sum."""

LOGISTIC_L = "E sech²(√(t)·z),  z ~ N(0, 1)"
"""What `initmath.gaussian.special.logistic_L` is."""

LETTERS = "BCDHMPRUVZ"
"""Without A, which is a word, and what the theory and the Bessel functions use: E F G I J K L N Q S T W Y."""


def named(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Give a name to each sum of constants that makes the formulas of a page long, and say what it is.

    A name means the same on the whole page; each part says it again, below the block that uses it first.

    Examples
    --------
    >>> from sympy import E, erfc, pi, sqrt, symbols
    >>> from initmath.display.document import Equation
    >>> q, a = symbols("q a", positive=True)
    >>> r = erfc(1 / sqrt(2))
    >>> long = E * pi * r**2 + 2 * E**2 * erfc(sqrt(2)) + 3 * sqrt(E) * r + 2
    >>> for block in named([Equation("m", sum(q**k / long for k in range(6)))]):
    ...     print(block.left, block.right)
    m q**5/B + q**4/B + q**3/B + q**2/B + q/B + 1/B
    ('where ', B) 2*exp(2)*erfc(sqrt(2)) + E*pi*erfc(sqrt(2)/2)**2 + 3*exp(1/2)*erfc(sqrt(2)/2) + 2
    """
    blocks = explained(tuple(blocks))
    names = _names(blocks)
    if not names:
        return blocks
    meaning: dict[Any, Any] = {}
    for constant, name in names.items():
        meaning.setdefault(name, constant)
    found: list[Block] = []
    told: set[Any] = set()
    for block in blocks:
        if isinstance(block, Heading) and block.level <= 2:
            told = set()
        changed = _changed(block, lambda expr: expr.xreplace(names))
        found.append(changed)
        used = {symbol for expr in _formulas(changed) for symbol in expr.free_symbols & meaning.keys()}
        for name in sorted(used - told, key=str):
            found.append(Equation(("where ", name), meaning[name]))
        told |= used
    return tuple(found)


def explained(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Say what L is, below the first block that uses it: no book has it under this name."""
    for place, block in enumerate(blocks, 1):
        if any(_has_l(expr) for expr in _formulas(block)):
            return (*blocks[:place], Equation("where L(t)", LOGISTIC_L), *blocks[place:])
    return blocks


def _has_l(expr: Any) -> bool:
    from sympy import Function

    return any(type(part).__name__ == "logistic_L" for part in expr.atoms(Function))


def _names(blocks: tuple[Block, ...]) -> dict[Any, Any]:
    """Constants and their names; the same constant written in another way has the same name."""
    from sympy import Symbol, expand

    count: Counter[Any] = Counter()
    written: dict[Any, list[Any]] = {}
    for block in blocks:
        for expr in _formulas(block):
            for part in _constants(expr):
                if part is not expr:
                    value = expand(part)
                    count[value] += 1
                    written.setdefault(value, []).append(part)
    long = [value for value, times in count.items() if times > 1 and _saved(value, times) >= SAVED]
    if not long:
        return {}
    letters = _free(blocks)
    return {
        part: name
        for value, letter in zip(long, letters, strict=False)
        for name in (Symbol(letter, positive=value.is_positive or None),)
        for part in written[value]
    }


def _saved(value: Any, times: int) -> float:
    """Width in em that a name saves: all places but the one that says what it means."""
    wide = width(latex(value))
    return (times - 1) * wide if wide >= WIDE else 0.0


def _free(blocks: tuple[Block, ...]) -> Iterator[str]:
    """Letters that stand for nothing else on the page; when they are used up, B₁, B₂, …."""
    from sympy import Symbol

    medium = PlainMedium()
    text = " ".join(
        " ".join(symbol.name for symbol in part.atoms(Symbol))
        if hasattr(part, "free_symbols")
        else show(part, medium)
        for block in blocks
        for part in _parts(block)
    )
    yield from (letter for letter in LETTERS if not re.search(rf"\b{letter}\b", text))
    yield from (f"B_{k}" for k in range(1, 100))


def _constants(expr: Any) -> Iterator[Any]:
    """Find the outermost sums without a symbol that are long."""
    if expr.is_Atom:
        return
    if expr.is_Add and not expr.free_symbols:
        if expr.count_ops() >= OPERATIONS:
            yield expr
        return
    for part in expr.args:
        yield from _constants(part)


def _formulas(block: Block) -> Iterator[Any]:
    """All expressions of a block."""
    return (part for part in _parts(block) if hasattr(part, "free_symbols"))


def _parts(content: Any) -> Iterator[Any]:
    """All that stands in a block: text, signs, numbers, expressions."""
    if isinstance(content, tuple | list):
        for part in content:
            yield from _parts(part)
    elif isinstance(content, Block):
        for each in fields(content):
            yield from _parts(getattr(content, each.name))
    elif not isinstance(content, int) and content is not None:
        yield content


def _changed(content: Any, change: Callable[[Any], Any]) -> Any:
    """Return the same with every expression changed."""
    if hasattr(content, "free_symbols"):
        return change(content)
    if isinstance(content, tuple | list):
        return type(content)(_changed(part, change) for part in content)
    if isinstance(content, Block):
        new = {f.name: _changed(getattr(content, f.name), change) for f in fields(content)}
        return replace(content, **new)
    return content
