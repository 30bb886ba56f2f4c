"""The blocks that every answer is made of; each output format writes each block once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from initmath.display.inline import Inline

__all__ = ["Block", "Caution", "Equation", "Facts", "Heading", "Items", "Paragraph", "Rewriting", "Table"]


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
    """One step of a derivation: before = after (for equations: before, hence after), and why."""

    number: int
    rule: str
    before: Any
    after: Any
    reason: Inline
    conditions: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def unchanged(self) -> bool:
        """Whether the step only states something: both sides are written alike."""
        return bool(self.before == self.after)

    @property
    def of_equation(self) -> bool:
        """Whether an equation follows from an equation, instead of a value from a value."""
        return bool(getattr(self.before, "is_Relational", False))


Block = Heading | Paragraph | Caution | Equation | Facts | Table | Items | Rewriting
