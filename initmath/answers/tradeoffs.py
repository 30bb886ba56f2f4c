"""``trade_off()``: which q to aim at, by what the forward and the backward pass ask of the gain there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from initmath.activation import resolve
from initmath.answers import signs
from initmath.answers.exact import digits_asked, exact_number
from initmath.answers.facts import ActivationFacts, facts_of
from initmath.answers.kept import kept_rows
from initmath.display.document import Block, Caution, Heading, Paragraph, Table
from initmath.display.inline import Inline, Label
from initmath.display.shown import Shown
from initmath.errors import InputError
from initmath.meanfield.both_kept import BothKept, Nearest, both_kept
from initmath.meanfield.edge import EdgePoint
from initmath.meanfield.tradeoff import trade_off as curves
from initmath.moments import parameter_values
from initmath.solving.arithmetic import for_one_value

__all__ = ["ForwardBackward", "trade_off"]

SCHEMA = "initmath.trade_off/1"

LOW, HIGH, COUNT = 1e-2, 1e2, 81
"""The q that are shown unless others are asked for."""

MOST = 100_000
ROWS = 9

BACKWARD = Label("1/√E g′²", "1/sqrt(E g'^2)", r"1/\sqrt{\mathbb{E}\,g'^2}")
FORWARD = Label("√(q/E g²)", "sqrt(q/E g^2)", r"\sqrt{q/\mathbb{E}\,g^2}")


@dataclass(frozen=True)
class ForwardBackward(Shown):
    """The gains that the two passes ask for, against q, and where they are the same.

    Attributes
    ----------
    schema : str
    activation : ActivationFacts
    q : tuple of float
    forward, backward : tuple of float
        σ_w that keeps the signal at q, √(q/E g²), and that which keeps squared gradients, 1/√(E g'²): in
        double precision, without biases; None where the moments overflow.
    chi_1 : tuple of float
        q E g'²/E g²: growth of squared gradients a layer at the forward gain.
    error : tuple of float
        Estimated relative error of ``chi_1``.
    both_kept : tuple of EdgePoint
        The q at which one gain keeps both, certified.
    continuum : bool
        Whether every q does.
    complete : bool
        Whether there are provably no others.
    reason : str
    nearest : Nearest or None
        Where none does: the q at which the two differ least, in double precision.
    warnings : tuple of str
    """

    schema: str
    activation: ActivationFacts
    q: tuple[float, ...]
    forward: tuple[float | None, ...]
    backward: tuple[float | None, ...]
    chi_1: tuple[float | None, ...]
    error: tuple[float | None, ...]
    both_kept: tuple[EdgePoint, ...]
    continuum: bool
    complete: bool
    reason: str
    nearest: Nearest | None
    warnings: tuple[str, ...]

    def __hash__(self) -> int:
        return hash((self.activation, self.q, self.chi_1, self.both_kept))

    def blocks(self) -> tuple[Block, ...]:
        """Title, the points where both are kept, the gains at some q."""
        return _page(self)


def trade_off(
    act: Any,
    q: Any = None,
    digits: int = 15,
    params: dict[str, Any] | None = None,
    timeout: float | None = None,
) -> ForwardBackward:
    r"""Return the gains that keep signals and gradients, against q, and every q at which they are the same.

    .. math:: \sigma_w^2 = \frac{q}{E g(\sqrt q z)^2}\ \text{(forward)},\qquad
              \sigma_w^2 = \frac{1}{E g'(\sqrt q z)^2}\ \text{(backward)}

    Parameters
    ----------
    act : str, Expr, callable or Activation
    q : number or sequence of numbers, optional
        Where to compute the gains, > 0; 81 values from 0.01 to 100 unless given.
    digits : int
        Significant digits of ``both_kept``.
    params : dict, optional
        Parameters of the activation.
    timeout : float, optional
        Seconds for each closed form and each search.

    Returns
    -------
    ForwardBackward
        ``both_kept`` has rigorous error bounds; the curves are in double precision with an estimated error.

    Raises
    ------
    InputError
        If the input is wrong; the message is one line.

    Notes
    -----
    No biases, equal widths (fan_in = fan_out).  VI3NR sets σ_w² by the forward formula at q = σ_p² and
    searches a grid of σ_p for the one whose gradients keep their variance: σ_p² is a point of ``both_kept``.

    References
    ----------
    .. [1] Koneputugodage, Ben-Shabat, Ramasinghe, Gould, VI3NR, CVPR 2025, arXiv:2504.19270.

    Examples
    --------
    >>> from initmath import trade_off
    >>> found = trade_off("exp(-x**2/2)", q=[1, 2])
    >>> (point,) = found.both_kept
    >>> point.q.closed_form, point.sigma_w2.value
    (1 + sqrt(2), '5.82842712474619')
    >>> [round(value, 6) for value in found.chi_1]
    [0.333333, 0.8]
    """
    digits = digits_asked(digits)
    at = _places(q)
    activation = resolve(act, dict(params) if params else None)
    found = curves(activation, at)
    kept = both_kept(activation, digits, timeout)
    return ForwardBackward(
        schema=SCHEMA,
        activation=facts_of(activation),
        q=tuple(at),
        forward=_floats(found.forward),
        backward=_floats(found.backward),
        chi_1=_floats(found.chi_1),
        error=_floats(found.error),
        both_kept=kept.points,
        continuum=kept.continuum,
        complete=kept.complete,
        reason=kept.reason,
        nearest=kept.nearest,
        warnings=_warnings(activation),
    )


def _places(q: Any) -> list[float]:
    if q is None:
        return [float(at) for at in np.geomspace(LOW, HIGH, COUNT)]
    several = q.ravel().tolist() if isinstance(q, np.ndarray) else q
    if not isinstance(several, list | tuple):
        several = [several]
    if not 0 < len(several) <= MOST:
        raise InputError(f"q: give from 1 to {MOST} values, such as q=[0.5, 1, 2]")
    return [float(exact_number(at, "q")) for at in several]


def _floats(values: Any) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(value) for value in values)


def _warnings(activation: Any) -> tuple[str, ...]:
    if activation.expr is None:
        return ("the function could not be traced to an expression: numbers are estimates",)
    return (for_one_value(activation),) if parameter_values(activation) else ()


# ------------------------------------------------------------------------------------------------- the page


def _six(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def _page(result: ForwardBackward) -> tuple[Block, ...]:
    blocks: list[Block] = [Heading(result.activation.title(), 1), result.activation.block()]
    blocks += [Caution(warning) for warning in result.warnings]
    kept = BothKept(result.both_kept, result.continuum, result.complete, result.reason, result.nearest)
    blocks += [Heading("Choosing q"), kept_rows(kept)]
    step = max(1, -(-len(result.q) // ROWS))
    shown = range(0, len(result.q), step)
    columns = (result.q, result.forward, result.backward, result.chi_1)
    rows = tuple(tuple(_six(column[k]) for column in columns) for k in shown)
    header: tuple[Inline, ...] = (
        signs.Q,
        ("keeps signals: ", FORWARD),
        ("gradients: ", BACKWARD),
        signs.CHI_1,
    )
    blocks += [Heading("Gains without biases"), Table(header, rows)]
    blocks.append(
        Paragraph(("χ₁ = q E g′²/E g²: growth of squared gradients a layer at the gain that keeps signals.",))
    )
    return tuple(blocks)
