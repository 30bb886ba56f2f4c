"""The one style sheet: colours that colour-blind readers tell apart, and figures of one width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from initmath.plots.style import BLUE, GREY, ORANGE, VERMILION, save, styled

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PURPLE",
    "SERIES",
    "SKY",
    "VERMILION",
    "counted",
    "letters",
    "panels",
    "save",
    "signed",
    "styled",
    "upper",
]

GREEN, PURPLE, SKY = "#009E73", "#CC79A7", "#56B4E9"
SERIES = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, GREY)
"""Okabe & Ito's palette, in the order of use."""

WIDTH = 3.4  # inches a panel


def panels(
    rows: int = 1, columns: int = 1, *, width: float = WIDTH, height: float = 2.7, **options: Any
) -> Any:
    """Return a figure and its axes; call it, and draw, inside ``styled()``.

    Parameters
    ----------
    rows, columns : int
    width, height : float
        Of one panel, in inches.
    **options
        For ``Figure.subplots``.

    Returns
    -------
    (Figure, Axes or ndarray of Axes)
        Not registered with pyplot: nothing needs closing.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(columns * width, rows * height), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def letters(axes: Sequence[Any]) -> None:
    """Write (a), (b), … beside the titles of the panels."""
    for letter, axis in zip("abcdefghijklmnop", axes, strict=False):
        axis.set_title(f"({letter})", loc="left", fontweight="bold", fontsize=9)


def signed(value: float, form: str) -> str:
    """Write a number of a caption with a real minus sign.

    Examples
    --------
    >>> signed(-2.545, ".1f")
    '−2.5'
    """
    return f"{value:{form}}".replace("-", "−")


def counted(count: int, noun: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> counted(1, "run"), counted(5, "run")
    ('1 run', '5 runs')
    """
    return f"{count} {noun}" + "s" * (count != 1)


def upper(value: float, digits: int) -> str:
    """Write a bound to so many significant digits, rounded up: what is below it stays below.

    Examples
    --------
    >>> upper(0.0431, 2), upper(4.2e-15, 1), upper(23.6, 2), upper(0.012, 2)
    ('0.044', '5e-15', '24', '0.012')
    """
    from decimal import ROUND_CEILING, Context, Decimal

    rounded = Context(prec=digits, rounding=ROUND_CEILING).create_decimal(Decimal(repr(float(value))))
    return f"{float(rounded):.{digits}g}"
