"""Blocks on a terminal, through rich; plain text when the output is not a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from initmath.display.document import (
    Block,
    Caution,
    Equation,
    Facts,
    Heading,
    Items,
    Paragraph,
    Rewriting,
    Table,
)  # fmt: skip
from initmath.display.inline import Inline, PlainMedium, show

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["print_blocks", "to_text"]

_PROBE = "σ_w² − χ₁ ≤ ∞ · √π ± ′ ∥ Φ"


def to_text(blocks: Iterable[Block], width: int = 80, unicode: bool = True) -> str:
    """Plain text of blocks, without colour.

    Examples
    --------
    >>> from initmath.display.document import Heading, Paragraph
    >>> print(to_text([Heading("ReLU", 1), Paragraph("one line")]))
    ReLU
    <BLANKLINE>
    one line
    <BLANKLINE>
    """
    from rich.console import Console

    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, legacy_windows=False, _environ={})
    print_blocks(blocks, console, PlainMedium(unicode))
    # Rich pads cells with blanks; nobody wants them in a file.
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def can_encode(encoding: str | None) -> bool:
    """Tell whether an output encoding holds the signs that the formulas use."""
    try:
        _PROBE.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def print_blocks(blocks: Iterable[Block], console: Console, medium: PlainMedium) -> None:
    """Print blocks, an empty line between two of them."""
    writer = _Writer(console, medium)
    for index, block in enumerate(blocks):
        if index:
            console.print()
        writer.write(block)


class _Writer:
    def __init__(self, console: Console, medium: PlainMedium) -> None:
        self.console = console
        self.medium = medium

    def show(self, content: Inline) -> str:
        return show(content, self.medium)

    def line(self, text: str, indent: int = 0, style: str | None = None) -> None:
        """Print wrapped text; a continuation line keeps the indent."""
        from rich.padding import Padding
        from rich.text import Text

        body = Text(text, style=style or "")
        self.console.print(Padding(body, (0, 0, 0, indent)) if indent else body)

    def write(self, block: Block) -> None:
        match block:
            case Heading(text, level):
                self.line(self.show(text), style="bold cyan" if level == 1 else "bold")
            case Paragraph(text):
                self.line(self.show(text))
            case Caution(text):
                self.line(self.show(("⚠ ", text)), style="yellow")
            case Equation(left, right, value):
                tail = "" if value is None else "  =  " + self.show(value)
                self.line(f"{self.show(left)} = {self.show(right)}{tail}", indent=2)
            case Facts(rows):
                self.facts(rows)
            case Items(items):
                self.facts(tuple(("·", item) for item in items))
            case Table(columns, rows):
                self.table(columns, rows)
            case Rewriting():
                self.rewriting(block)

    def facts(self, rows: tuple[tuple[Inline, Inline], ...]) -> None:
        from rich.table import Table as RichTable
        from rich.text import Text

        grid = RichTable.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column()
        for name, content in rows:
            grid.add_row(Text("  " + self.show(name), style="dim"), Text(self.show(content)))
        self.console.print(grid)

    def table(self, columns: tuple[Inline, ...], rows: tuple[tuple[Any, ...], ...]) -> None:
        from rich import box
        from rich.table import Table as RichTable
        from rich.text import Text

        style = box.SIMPLE_HEAD if self.medium.unicode else box.ASCII
        table = RichTable(box=style, show_edge=False, header_style="bold", padding=(0, 1))
        for column in columns:
            table.add_column(Text(self.show(column)), overflow="fold")
        for row in rows:
            table.add_row(*(Text(self.cell(cell)) for cell in row))
        self.console.print(table)

    def cell(self, cell: Any) -> str:
        return "\n".join(map(self.show, cell)) if isinstance(cell, list) else self.show(cell)

    def rewriting(self, step: Rewriting) -> None:
        head = f"{step.number}."
        self.line(f"{head:>4} {self.medium.text(step.rule)}", style="bold")
        self.line(self.show(step.reason), indent=5)
        self.line(self.show(step.before), indent=7)
        if not step.unchanged:
            sign = self.medium.text("⟹" if step.of_equation else "=")
            self.line(f"{sign} {self.show(step.after)}", indent=5 if len(sign) == 1 else 4)
        for condition in step.conditions:
            self.line(self.medium.text(f"if {condition}"), indent=5, style="dim")
        if step.references:
            self.line(self.medium.text("[" + "; ".join(step.references) + "]"), indent=5, style="dim")
