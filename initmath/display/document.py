"""The blocks that every answer is made of; each output format writes each block once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from initmath.display.inline import Inline

__all__ = ["Block", "Equation", "Facts", "Heading", "Items", "Paragraph", "Rewriting", "Table", "Caution"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the title."""

    text: Inline
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: Inline


@dataclass(frozen=True, slots=True)
class Caution:
    """Something that the reader must not overlook."""

    text: Inline


@dataclass(frozen=True, slots=True)
class Equation:
    """``left = right``, on its own line; ``value`` is a number to put after it."""

    left: Inline
    right: Any
    value: Inline = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Name and content, one pair a line."""

    rows: tuple[tuple[Inline, Inline], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; a cell that is a list stands on several lines."""

    columns: tuple[Inline, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list, one item a line."""

    items: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Rewriting:
    """One step of a derivation: before = after, and why."""

    number: int
    rule: str
    before: Any
    after: Any
    reason: Inline
    conditions: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


Block = Heading | Paragraph | Caution | Equation | Facts | Table | Items | Rewriting
