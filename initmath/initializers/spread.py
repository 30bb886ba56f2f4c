"""From σ_w² to the number that a framework wants: the parameter of each distribution for a given fan_in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Integer, erf, exp, pi, sqrt

from initmath.balls import bits, evaluate, working_precision
from initmath.derivation import Number, Status
from initmath.errors import InputError

__all__ = ["TRUNCATED_RATIO", "Spread", "spreads"]

TRUNCATED_RATIO = sqrt(1 - 4 * exp(-2) / (sqrt(2 * pi) * erf(sqrt(2))))
"""Standard deviation of a standard normal cut at ±2, 0.87962566103423978: what Keras and JAX divide by."""

SHORT = 20
"""A longer closed form is not repeated for every distribution."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One way to draw weights of variance σ_w²/fan_in.

    Attributes
    ----------
    distribution : str
        ``"normal"``, ``"truncated normal"``, ``"uniform"``, ``"orthogonal"``, or a framework's convention.
    quantity : str
        What the number is: a standard deviation, a half width, a gain, a scale.
    number : Number
    call : str
        How to say it in code.
    """

    distribution: str
    quantity: str
    number: Number
    call: str


def spreads(solution: Any, fan_in: int) -> tuple[Spread, ...]:
    r"""Return what to pass to each sampler so that Var W = σ_w²/fan_in.

    Parameters
    ----------
    solution : Solution or Number
        Of a criterion, or σ_w² itself.
    fan_in : int
        Inputs of a unit; for a convolution, kernel size times input channels.

    Returns
    -------
    tuple of Spread
        Normal; normal cut at ±2 of *its own* standard deviation σ/0.8796…; uniform on ±√3 σ; orthogonal
        (exact for square matrices); PyTorch's gain; the scale of JAX and Keras.

    Raises
    ------
    InputError
        If fan_in is not a positive integer.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> from initmath.criteria import solve
    >>> he = solve("second_moment", resolve("relu")).solutions[0]
    >>> for each in spreads(he, 512)[:3]:
    ...     print(each.distribution, each.number.closed_form, each.number.value[:8])
    normal 1/16 0.062500
    truncated normal None 0.071052
    uniform sqrt(3)/16 0.108253
    """
    if isinstance(fan_in, bool) or not isinstance(fan_in, int) or fan_in < 1:
        raise InputError(f"fan_in = {fan_in}: it must be a positive integer")
    weight: Number = solution if isinstance(solution, Number) else solution.sigma_w2
    fan = Integer(fan_in)
    std = _scaled(weight, 1 / fan, root=True)
    return (
        Spread("normal", "standard deviation", std, "torch.nn.init.normal_(w, std=…)"),
        Spread(
            "truncated normal",
            "standard deviation before the cut at ±2 of it",
            _scaled(weight, 1 / (fan * TRUNCATED_RATIO**2), root=True),
            "torch.nn.init.trunc_normal_(w, std=s, a=-2*s, b=2*s)",
        ),
        Spread(
            "uniform",
            "half width",
            _scaled(weight, 3 / fan, root=True),
            "torch.nn.init.uniform_(w, -a, a)",
        ),
        Spread(
            "orthogonal",
            "gain (square matrix)",
            _scaled(weight, Integer(1), root=True),
            "torch.nn.init.orthogonal_(w, gain=…)",
        ),
        Spread(
            "PyTorch",
            "gain",
            _scaled(weight, Integer(1), root=True),
            "std = gain/√fan_in, as in torch.nn.init.kaiming_normal_",
        ),
        Spread(
            "JAX, Keras",
            "scale",
            weight,
            'VarianceScaling(scale, mode="fan_in", distribution="truncated_normal")',
        ),
    )


def _scaled(weight: Number, factor: Any, *, root: bool) -> Number:
    """Return weight·factor, or its square root, exactly where the weight is exact and the result short."""
    digits = weight.digits
    prec = bits(digits + 12)
    with working_precision(prec):
        ball = weight.ball * evaluate(factor, {}, prec)
        if root:
            ball = ball.sqrt()
    closed = None
    if weight.status is Status.EXACT and weight.closed_form is not None and not factor.has(erf):
        if weight.closed_form.count_ops() <= SHORT:
            closed = sqrt(weight.closed_form * factor) if root else weight.closed_form * factor
    status = (
        Status.EXACT
        if closed is not None
        else weight.status
        if weight.status is not Status.EXACT
        else Status.NUMERIC
    )
    return Number(status, ball, closed, weight.method, digits, weight.certified)
