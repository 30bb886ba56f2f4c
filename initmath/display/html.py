"""Blocks in HTML, formulas as MathML: nothing is fetched, and no script is needed to read it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from html import escape
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
from initmath.display.inline import Inline, Label, PlainMedium, latex, show

__all__ = ["HtmlMedium", "mathml", "to_html"]


class HtmlMedium:
    """HTML with MathML."""

    def text(self, text: str) -> str:
        """Escape what HTML would take for markup."""
        return escape(text, quote=False)

    def math(self, expr: Any) -> str:
        """Return a formula inside a line."""
        return mathml(latex(expr))

    def label(self, label: Label) -> str:
        """Return one of the field's signs."""
        return mathml(label.latex)


_MEDIUM = HtmlMedium()


@lru_cache(4096)
def mathml(tex: str, *, display: bool = False) -> str:
    r"""MathML of a formula in LaTeX; ``display``: with the large fractions of a line of its own.

    Examples
    --------
    >>> mathml(r"\sigma_w^2").startswith("<math")
    True
    """
    from latex2mathml.converter import convert

    found = str(convert(tex))
    return found.replace("<math ", '<math displaystyle="true" ', 1) if display else found


def to_html(blocks: Iterable[Block], *, level: int = 0) -> str:
    """Write blocks as the body of an HTML page.

    Parameters
    ----------
    blocks : iterable of Block
    level : int
        Added to the level of every heading.

    Examples
    --------
    >>> from initmath.display.document import Heading, Paragraph
    >>> print(to_html([Heading("ReLU", 1), Paragraph("1 < 2")]))
    <h1>ReLU</h1>
    <p>1 &lt; 2</p>
    """
    return "\n".join(_block(block, level) for block in blocks)


def _block(block: Block, level: int) -> str:
    match block:
        case Heading(text, own):
            rank = min(own + level, 6)
            return f"<h{rank}>{_named(text, _wide(text))}</h{rank}>"
        case Paragraph(text):
            return f"<p>{show(text, _MEDIUM)}</p>"
        case Caution(text):
            return f'<p class="caution"><strong>Note.</strong> {show(text, _MEDIUM)}</p>'
        case Equation(left, right, value):
            tail = "" if value is None else f" = {show(value, _MEDIUM)}"
            return f'<p class="formula">{show(left, _MEDIUM)} = {show(right, _MEDIUM)}{tail}</p>'
        case Facts(rows):
            lines = [_fact(name, content) for name, content in rows]
            return "<dl>\n" + "\n".join(lines) + "\n</dl>"
        case Items(items):
            return "<ul>\n" + "\n".join(f"<li>{show(item, _MEDIUM)}</li>" for item in items) + "\n</ul>"
        case Table(columns, rows):
            return _table(columns, rows)
        case Rewriting():
            return _rewriting(block)


def _wide(content: Inline) -> str:
    """Let formulas that may be wider than the screen scroll by themselves; with tabindex, by keys too."""
    parts = content if isinstance(content, tuple) else (content,)
    return "".join(
        f'<span class="scroll" tabindex="0" role="group" aria-label="formula">{show(part, _MEDIUM)}</span>'
        if hasattr(part, "free_symbols")
        else show(part, _MEDIUM)
        for part in parts
    )


def _named(content: Inline, shown: str) -> str:
    """Name what is nothing but signs: not every reader of screens reads MathML."""
    parts = content if isinstance(content, tuple) else (content,)
    if any(isinstance(part, str) and part.strip() for part in parts):
        return shown
    name = escape(show(content, PlainMedium()), quote=True)
    return f'<span role="img" aria-label="{name}">{shown}</span>'


def _fact(name: Inline, content: Inline) -> str:
    return f"<div><dt>{show(name, _MEDIUM)}</dt><dd>{_wide(content)}</dd></div>"


def _table(columns: tuple[Inline, ...], rows: tuple[tuple[Any, ...], ...]) -> str:
    """Write a table that scrolls by itself where the screen is narrower; with tabindex, by keys too."""
    head = "".join(f'<th scope="col">{_named(c, _cell(c))}</th>' if c else "<td></td>" for c in columns)
    body = "\n".join(f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="table"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _cell(cell: Any) -> str:
    if isinstance(cell, list):
        return "<br>".join(show(line, _MEDIUM) for line in cell)
    return show(cell, _MEDIUM)


def _rewriting(step: Rewriting) -> str:
    head = f"<p><strong>{step.number}. {_MEDIUM.text(step.rule)}</strong> {show(step.reason, _MEDIUM)}</p>"
    lines = ['<div class="step">', head, _equation(step)]
    if step.conditions:
        lines.append(f"<p>Condition: {'; '.join(map(_MEDIUM.text, step.conditions))}.</p>")
    if step.references:
        lines.append(f'<p class="source">{"; ".join(map(_MEDIUM.text, step.references))}</p>')
    return "\n".join([*lines, "</div>"])


def _equation(step: Rewriting) -> str:
    """Put both sides one under the other, each in a line that scrolls if it must."""
    if step.unchanged:
        return _scrolling(latex(step.before))
    sign = r"\Longrightarrow" if step.of_equation else "="
    return _scrolling(latex(step.before)) + "\n" + _scrolling(f"{sign}\\; {latex(step.after)}")


def _scrolling(tex: str) -> str:
    shown = mathml(tex, display=True)
    return f'<div class="scroll formula" tabindex="0" role="group" aria-label="formula">{shown}</div>'
