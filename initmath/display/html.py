"""Blocks in HTML, formulas as MathML: nothing is fetched, and no script is needed to read it."""

from __future__ import annotations

import re
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
from initmath.display.inline import Inline, Label, PlainMedium, cell, latex, show
from initmath.display.lines import Pieces, flat, low, pieces, width

__all__ = ["HtmlMedium", "mathml", "to_html"]


class HtmlMedium:
    """HTML with MathML."""

    def text(self, text: str) -> str:
        """Escape what HTML would take for markup; an error stays in the line of its sign."""
        return _ERROR.sub(r'<span class="error">\g<0></span>', escape(text, quote=False))

    def math(self, expr: Any) -> str:
        """Return a formula inside a line; a long one in several pieces, between which the line may end."""
        first, *rest = flat(pieces(latex(expr), fraction=NARROW_FRACTION))
        return mathml(first) + "".join(mathml(piece, follows=True) for piece in rest)

    def label(self, label: Label) -> str:
        """Return one of the field's signs."""
        return mathml(label.latex)


_ERROR = re.compile(r"± \d\S*[\d%]")

NARROW = 15.0
"""Width in em of what fits on every screen: nobody needs to scroll it."""

NARROW_FRACTION = 24.0
"""Width in em from which on a fraction in a line or a table is written with a slash."""

_FOCUS = ' tabindex="0" role="group" aria-label="formula"'
"""Lets the keys reach what may have to be scrolled."""

_MEDIUM, _PLAIN = HtmlMedium(), PlainMedium()


_RAISED_BRACKET = re.compile(r"<(msup)>(<mo [^>]*minsize[^>]*>.</mo>)")
"""A bracket of fixed size that carries an exponent: browsers draw it small, unless it is in a row."""


@lru_cache(4096)
def mathml(tex: str, *, display: bool = False, follows: bool = False) -> str:
    r"""MathML of a formula in LaTeX.

    Parameters
    ----------
    tex : str
    display : bool
        With the large fractions of a line of its own.
    follows : bool
        Another piece of the formula stands before: a sign that leads has the space of one between two terms.

    Examples
    --------
    >>> mathml(r"\sigma_w^2").startswith("<math")
    True
    """
    from latex2mathml.converter import convert

    found = str(convert(low(tex)))
    if follows and tex.startswith(("+ ", "- ")):
        found = found.replace("<mo>", '<mo form="infix">', 1)
    found = _RAISED_BRACKET.sub(r"<\1><mrow>\2</mrow>", found)
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
        f'<span class="scroll"{_FOCUS}>{show(part, _MEDIUM)}</span>'
        if hasattr(part, "free_symbols")
        else show(part, _MEDIUM)
        for part in parts
    )


def _named(content: Inline, shown: str) -> str:
    """Name what is nothing but signs: not every reader of screens reads MathML."""
    parts = content if isinstance(content, tuple) else (content,)
    if any(isinstance(part, str) and part.strip() for part in parts):
        return shown
    name = escape(show(content, _PLAIN), quote=True)
    return f'<span role="img" aria-label="{name}">{shown}</span>'


def _fact(name: Inline, content: Inline) -> str:
    return f"<div><dt>{show(name, _MEDIUM)}</dt><dd>{_wide(content)}</dd></div>"


def _table(columns: tuple[Inline, ...], rows: tuple[tuple[Any, ...], ...]) -> str:
    """Write a table that scrolls by itself where the screen is narrower; with tabindex, by keys too."""
    head = "".join(
        f'<th scope="col">{_named(c, cell(c, _MEDIUM))}</th>' if c else "<td></td>" for c in columns
    )
    body = "\n".join(f"<tr>{''.join(map(_data, row))}</tr>" for row in rows)
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="table"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


SHORT = 28
"""Characters of a line that a table does not break."""


_NUMBER = re.compile(r"[-+−]?\d+(\.\d+)?(e[-+]?\d+)?")


def _data(content: Any) -> str:
    lines = content if isinstance(content, list) else [content]
    return f"<td>{'<br>'.join(map(_line, lines))}</td>"


def _line(content: Inline) -> str:
    """Keep a short line or number in one; a formula may be broken, a long word, a number before its error."""
    shown, plain = show(content, _MEDIUM), show(content, _PLAIN)
    whole = " " in plain or _NUMBER.fullmatch(plain) is not None
    breaks = hasattr(content, "free_symbols") or "±" in plain or not whole or len(plain) > SHORT
    if not breaks:
        return f'<span class="short">{shown}</span>'
    return "=&nbsp;" + shown[2:] if plain.startswith("= ") else shown


def _rewriting(step: Rewriting) -> str:
    head = f"<p><strong>{step.number}. {_MEDIUM.text(step.rule)}</strong> {show(step.reason, _MEDIUM)}</p>"
    lines = ['<div class="step">', head, _equation(step)]
    if step.conditions:
        lines.append(f"<p>Condition: {'; '.join(map(_MEDIUM.text, step.conditions))}.</p>")
    if step.references:
        lines.append(f'<p class="source">{"; ".join(map(_MEDIUM.text, step.references))}</p>')
    return "\n".join([*lines, "</div>"])


def _equation(step: Rewriting) -> str:
    """Put both sides one under the other."""
    if step.unchanged:
        return _displayed(latex(step.before))
    sign = r"\Longrightarrow" if step.of_equation else "="
    return _displayed(latex(step.before)) + "\n" + _displayed(latex(step.after), sign)


def _displayed(tex: str, sign: str = "") -> str:
    """Let a formula of its own flow into lines, aligned after the sign; what does not fit, scrolls."""
    before, found = mathml(sign, display=True) if sign else "", pieces(tex)
    focus = _FOCUS if any(width(piece) > NARROW for piece in flat(found)) else ""
    return f'<div class="scroll formula"{focus}>{before}{_flowing(found)}</div>'


def _flowing(found: Pieces, follows: bool = False) -> str:
    shown = ""
    for piece in found:
        shown += (
            mathml(piece, display=True, follows=follows)
            if isinstance(piece, str)
            else _flowing(piece, follows)
        )
        follows = True
    return f'<span class="terms">{shown}</span>'
