"""What a page says about the q at which one gain keeps signal and gradient."""

from __future__ import annotations

import math
from dataclasses import replace

from initmath.answers import signs
from initmath.display.document import Facts
from initmath.display.inline import Inline
from initmath.meanfield.both_kept import BothKept, Nearest

__all__ = ["kept_rows"]


def kept_rows(found: BothKept, known: str = "") -> Facts:
    """Say at which q one gain keeps signal and gradient; a reason that the reader knows is not repeated."""
    rows: list[tuple[Inline, Inline]] = []
    for point in found.points:
        shown = (("both kept at", signs.Q, point.q), ("weights", signs.WEIGHT_VARIANCE, point.sigma_w2))
        for what, label, number in (*shown, ("length", signs.CHI_PARALLEL, point.chi_parallel)):
            if number is not None:
                rows.append((what, (label, " = ", replace(number, closed_form=None))))
    if found.continuum:
        rows.append(("both kept at", ("every ", signs.Q)))
    elif not found.points:
        rows.append(("both kept at", "no q" if found.complete else "no q known"))
    if found.nearest is not None:
        rows.append(("differ least", _nearest(found.nearest)))
    if found.reason != known:
        rows.append(("proof" if found.complete else "note", found.reason))
    return Facts(tuple(rows))


def _nearest(near: Nearest) -> Inline:
    factor = f"{math.exp(near.log_ratio):.6g}"
    if near.at_end:
        end = "0" if near.q < 1 else "∞"
        return f"as q → {end}: at q = {near.q:g} squared gradients change by {factor} a layer"
    return f"at q ≈ {near.q:.6g}: squared gradients change by {factor} a layer"
