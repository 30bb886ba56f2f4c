"""Blocks in LaTeX, to be put into any document that loads amsmath."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
from initmath.display.inline import LatexMedium, latex, show

__all__ = ["to_latex"]

_MEDIUM = LatexMedium()
_SECTION = {1: "section*", 2: "subsection*", 3: "subsubsection*"}


def to_latex(blocks: Iterable[Block]) -> str:
    r"""Write blocks as LaTeX.

    Examples
    --------
    >>> from initmath.display.document import Heading, Paragraph
    >>> print(to_latex([Heading("ReLU", 1), Paragraph("50 %")]))
    \section*{ReLU}
    <BLANKLINE>
    50 \%
    <BLANKLINE>
    """
    return "\n\n".join(_block(block) for block in blocks) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return rf"\{_SECTION.get(level, 'paragraph')}{{{show(text, _MEDIUM)}}}"
        case Paragraph(text):
            return show(text, _MEDIUM)
        case Caution(text):
            return rf"\textbf{{Note.}} {show(text, _MEDIUM)}"
        case Equation(left, right, value):
            tail = "" if value is None else " = " + _display(value)
            return f"\\[\n{_display(left)} = {_display(right)}{tail}\n\\]"
        case Facts(rows):
            return _environment(
                "itemize",
                [rf"\item {show(name, _MEDIUM)}: {show(content, _MEDIUM)}" for name, content in rows],
            )
        case Items(items):
            return _environment("itemize", [rf"\item {show(item, _MEDIUM)}" for item in items])
        case Table(columns, rows):
            body = [r"\hline", _row(columns), r"\hline", *(_row(row) for row in rows), r"\hline"]
            return _environment("tabular", body, "{" + "l" * len(columns) + "}")
        case Rewriting():
            return _rewriting(block)


def _display(content: Any) -> str:
    """Inline content for a place that is in math mode already."""
    shown = show(content, _MEDIUM)
    inner = shown[1:-1]
    return (
        inner if shown.startswith("$") and shown.endswith("$") and "$" not in inner else rf"\text{{{shown}}}"
    )


def _environment(name: str, lines: list[str], options: str = "") -> str:
    return "\n".join([rf"\begin{{{name}}}{options}", *lines, rf"\end{{{name}}}"])


def _row(cells: Iterable[Any]) -> str:
    return " & ".join(_cell(cell) for cell in cells) + r" \\"


def _cell(cell: Any) -> str:
    if not isinstance(cell, list):
        return show(cell, _MEDIUM)
    return r"\shortstack[l]{" + r" \\ ".join(show(line, _MEDIUM) for line in cell) + "}"


def _rewriting(step: Rewriting) -> str:
    lines = [
        rf"\paragraph{{{step.number}. {_MEDIUM.text(step.rule)}}} {show(step.reason, _MEDIUM)}",
        _equation(step),
    ]
    if step.conditions:
        lines.append("Condition: " + "; ".join(map(_MEDIUM.text, step.conditions)) + ".")
    if step.references:
        lines.append("Source: " + "; ".join(map(_MEDIUM.text, step.references)) + ".")
    return "\n\n".join(lines)


def _equation(step: Rewriting) -> str:
    if step.unchanged:
        return f"\\[\n{latex(step.before)}\n\\]"
    sign = r"\Longrightarrow" if step.of_equation else "="
    return f"\\begin{{multline*}}\n{latex(step.before)} \\\\\n{sign} {latex(step.after)}\n\\end{{multline*}}"
