"""The base of every answer: say once what it consists of, and it can be shown in every format."""

from __future__ import annotations

from abc import ABC, abstractmethod

from initmath.display.document import Block
from initmath.lock import one_at_a_time

__all__ = ["Shown"]


class Shown(ABC):
    """An answer that can show itself; a subclass is a frozen dataclass and lists its blocks.

    The fields of the dataclass are the JSON, the blocks are everything else.
    """

    __slots__ = ()

    @abstractmethod
    def blocks(self) -> tuple[Block, ...]:
        """List what a reader sees, from top to bottom."""

    @one_at_a_time
    def to_json(self) -> str:
        """Return a JSON string."""
        from initmath.display.data import to_json

        return to_json(self)

    @one_at_a_time
    def to_markdown(self) -> str:
        """Return Markdown, formulas between dollar signs."""
        from initmath.display.markdown import to_markdown

        return to_markdown(self.blocks())

    @one_at_a_time
    def to_latex(self) -> str:
        """Return LaTeX for a document that loads amsmath."""
        from initmath.display.tex import to_latex

        return to_latex(self.blocks())

    @one_at_a_time
    def to_text(self, width: int = 80, unicode: bool = True) -> str:
        """Return plain text without colour."""
        from initmath.display.terminal import to_text

        return to_text(self.blocks(), width, unicode)

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_latex_(self) -> str:
        return self.to_latex()

    def __str__(self) -> str:
        """Return the plain text."""
        return self.to_text()
