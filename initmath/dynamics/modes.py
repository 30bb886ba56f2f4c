r"""Exact learning of one mode of a linear network by gradient flow (Saxe, McClelland & Ganguli 2014).

A network of L weight matrices on whitened inputs, trained on the squared error from a start aligned with the
singular vectors of the input-output correlation, learns every singular value (mode) s on its own.  If all
layers give the mode the same strength a (*balanced*), the product u = a^L obeys

.. math:: \tau \dot u = L\, u^{2 - 2/L} (s - u).

Saxe counts layers of neurons, N_l = L + 1, so their exponent is 2 − 2/(N_l − 1).  Derivation: the loss of the
mode is (s − a₁⋯a_L)²/2, so τ ȧ_i = (s − u) ∏_{j≠i} a_j, hence every a_i² − a_j² is conserved, and where all
are equal u̇ = L a^{L−1} ȧ = L a^{2L−2} (s − u)/τ.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from flint import arb

from initmath.balls import bits, to_arb, working_precision
from initmath.derivation import Number, Status
from initmath.dynamics.growth import above, below, logistic, position
from initmath.dynamics.inputs import layers, positive, rational
from initmath.errors import InputError, NotEnclosed
from initmath.lock import one_at_a_time

__all__ = ["learning_time_limit", "mode_strength", "time_to_learn", "unequal_strength"]

GUARD = 64
"""Bits beyond the digits: a start far from the target cancels some of them."""

METHOD = "closed form, evaluated in ball arithmetic"
INVERTED = "inverse of the closed form of the time, bracketed in ball arithmetic"
MOST = 8
"""How often the precision is doubled before giving up."""


@one_at_a_time
def time_to_learn(s: Any, u0: Any, u_f: Any, *, depth: int = 2, tau: Any = 1, digits: int = 15) -> Number:
    r"""Time in which a balanced mode goes from strength u₀ to u_f.

    .. math:: t = \frac{\tau s^{2/L-2}}{L} \int_{u_0/s}^{u_f/s} \frac{x^{2/L-2}}{1-x}\,dx, \qquad
              L = 2:\; t = \frac{\tau}{2s} \ln\frac{u_f (s - u_0)}{u_0 (s - u_f)}

    Parameters
    ----------
    s : number
        Strength of the mode in the data, a singular value of the input-output correlation, s > 0.
    u0, u_f : number
        Start and end, positive and on the same side of s: the flow never crosses s, and with L ≥ 2 never
        leaves 0. One layer leaves 0 at once: there u₀ = 0 is allowed.
    depth : int
        Number L of weight matrices.
    tau : number
        Time constant; 1/(learning rate) if time is counted in steps.
    digits : int

    Returns
    -------
    Number
        With a closed form for L = 1 and 2.

    Raises
    ------
    InputError
        If u_f is not reached from u₀.

    References
    ----------
    .. [1] Saxe, McClelland & Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear
       neural networks, 2014, arXiv:1312.6120.

    Examples
    --------
    >>> time_to_learn(3, "0.001", "2.9").value
    '1.89555500145591'
    >>> time_to_learn(1, "0.1", "0.9", depth=5).value  # Saxe's N_l = 6
    '1.61168121985961'
    """
    count, strength, scale = layers(depth), positive(s, "s"), positive(tau, "tau")
    start, end = _start(u0, count), positive(u_f, "u_f")
    _reachable(strength, start, end)
    closed = _closed_time(strength, start, end, count, scale)
    if start == end:
        return Number(Status.EXACT, arb(0), closed, METHOD, digits)
    for prec in _precisions(digits, count.bit_length()):
        with working_precision(prec):
            if count == 1:
                ball = to_arb(scale) * to_arb((strength - start) / (strength - end)).log()
            else:
                first, last = _position(start, strength), _position(end, strength)
                ball = _scale(strength, count, scale) * _elapsed(start > strength, first, last, count)
            if _sharp(ball, digits):
                return Number(
                    Status.NUMERIC if closed is None else Status.EXACT, ball, closed, METHOD, digits
                )
    raise NotEnclosed(f"the time from {u0} to {u_f} was not enclosed to {digits} digits")


@one_at_a_time
def mode_strength(t: Any, s: Any, u0: Any, *, depth: int = 2, tau: Any = 1, digits: int = 15) -> Number:
    r"""Strength u(t) of a balanced mode that starts at u₀.

    .. math:: L = 1:\; u = s - (s - u_0) e^{-t/\tau}, \qquad
              L = 2:\; u = \frac{s\, e^{2st/\tau}}{e^{2st/\tau} - 1 + s/u_0};

    deeper networks have no elementary u(t): the time, whose closed form `time_to_learn` gives, is inverted,
    and the result bracketed (the time increases strictly with u).

    Parameters
    ----------
    t : number
        t ≥ 0.
    s, u0, depth, tau, digits
        As in `time_to_learn`; u₀ = s stays.

    Returns
    -------
    Number

    References
    ----------
    .. [1] Saxe, McClelland & Ganguli, 2014, arXiv:1312.6120.

    Examples
    --------
    >>> mode_strength(1, 3, "0.001").value
    '0.355712478918860'
    >>> mode_strength("2.0094019885572111", 1, "0.1", depth=3).value  # the inverse of `time_to_learn`
    '0.900000000000000'
    """
    count, strength, scale = layers(depth), positive(s, "s"), positive(tau, "tau")
    start, time = _start(u0, count), rational(t, "t")
    if time < 0:
        raise InputError(f"t must not be negative, got {t!r}: the flow is only followed forwards")
    if start == strength or time == 0:
        return _constant(start, digits)
    if count == 1 or count == 2:
        return _elementary(time / scale, strength, start, count, digits)
    for prec in _precisions(digits, count.bit_length()):
        with working_precision(prec):
            ball = _inverted(to_arb(time), strength, start, count, scale, prec)
            if ball is not None and _sharp(ball, digits):
                return Number(Status.NUMERIC, ball, None, INVERTED, digits)
    raise NotEnclosed(f"u({t}) was not bracketed to {digits} digits")


@one_at_a_time
def unequal_strength(t: Any, s: Any, a0: Any, b0: Any, *, tau: Any = 1, digits: int = 15) -> Number:
    r"""Strength u(t) = a(t) b(t) of a mode of two layers that start unequal.

    τ ȧ = b (s − ab), τ ḃ = a (s − ab).  a² − b² = c₀ is conserved, so τ u̇ = √(c₀² + 4u²) (s − u) for u > 0,
    which Saxe solves by hyperbolic functions.  Shorter: P = (a + b)² and M = (a − b)² have PM = c₀² and
    u = (P − M)/4, and P alone obeys a Riccati equation with constant coefficients,
    2τ Ṗ = −P² + 4sP + c₀².  With r = √(c₀² + 4s²) and T = tanh(rt/2τ),

    .. math:: P(t) = \frac{P_0 (r + 2 s T) + c_0^2 T}{r + (P_0 - 2 s) T},

    and M(t) is the same with −s for s.  Valid for any signs of a₀ and b₀; a₀ = −b₀ tends to the saddle u = 0.

    Parameters
    ----------
    t : number
        t ≥ 0.
    s : number
        s > 0.
    a0, b0 : number
    tau, digits
        As in `time_to_learn`.

    Returns
    -------
    Number

    References
    ----------
    .. [1] Saxe, McClelland & Ganguli, 2014, arXiv:1312.6120 (the case c₀ ≠ 0).

    Examples
    --------
    >>> unequal_strength(1, 2, "0.3", "0.1").value
    '1.05650378993860'
    """
    strength, scale, time = positive(s, "s"), positive(tau, "tau"), rational(t, "t")
    a, b = rational(a0, "a0"), rational(b0, "b0")
    if time < 0:
        raise InputError(f"t must not be negative, got {t!r}: the flow is only followed forwards")
    c0 = a * a - b * b
    if time == 0 or (a == 0 and b == 0) or a * b == strength:
        return _constant(a * b, digits)
    for prec in _precisions(digits):
        with working_precision(prec):
            rate = to_arb(c0 * c0 + 4 * strength**2).sqrt()
            half = (rate * to_arb(time / scale) / 2).tanh()
            plus = _riccati(to_arb((a + b) ** 2), to_arb(strength), to_arb(c0 * c0), rate, half)
            minus = _riccati(to_arb((a - b) ** 2), -to_arb(strength), to_arb(c0 * c0), rate, half)
            ball = (plus - minus) / 4
            if _sharp(ball, digits):
                return Number(Status.NUMERIC, ball, None, METHOD, digits)
    raise NotEnclosed(f"u({t}) was not enclosed to {digits} digits: it may pass through 0 there")


@one_at_a_time
def learning_time_limit(s: Any, u0: Any, u_f: Any, *, digits: int = 15) -> Number:
    r"""Time to learn of an infinitely deep balanced network, in units of τ/L.

    .. math:: \lim_{L\to\infty} \frac{L t}{\tau} = \int_{u_0}^{u_f} \frac{du}{u^2 (s - u)} =
              \frac{1}{s^2} \ln\frac{u_f (s - u_0)}{u_0 (s - u_f)} + \frac{1}{s u_0} - \frac{1}{s u_f}

    It is finite: with a learning rate proportional to 1/L, the number of steps does not grow with depth.

    Parameters
    ----------
    s, u0, u_f, digits
        As in `time_to_learn`.

    Returns
    -------
    Number

    Notes
    -----
    At fixed product u₀, the layers' strengths u₀^{1/L} tend to 1.  At fixed strength a₀ < 1 of each layer,
    u₀ = a₀^L and the time grows exponentially with depth.

    References
    ----------
    .. [1] Saxe, McClelland & Ganguli, 2014, arXiv:1312.6120 (infinite depth).

    Examples
    --------
    >>> learning_time_limit(1, "0.1", "0.9").value
    '13.2833380435613'
    """
    strength, start, end = positive(s, "s"), positive(u0, "u0"), positive(u_f, "u_f")
    _reachable(strength, start, end)
    from sympy import Rational, log

    ratio, rest = end * (strength - start) / (start * (strength - end)), 1 / start - 1 / end
    closed = log(Rational(ratio.numerator, ratio.denominator)) / Rational(strength**2) + Rational(
        rest / strength
    )
    for prec in _precisions(digits):
        with working_precision(prec):
            ball = to_arb(ratio).log() / to_arb(strength**2) + to_arb(rest / strength)
            if _sharp(ball, digits) or start == end:
                return Number(Status.EXACT, ball, closed, METHOD, digits)
    raise NotEnclosed(f"the limit from {u0} to {u_f} was not enclosed to {digits} digits")


def _precisions(digits: int, more: int = 0) -> list[int]:
    if not (isinstance(digits, int) and 1 <= digits <= 10_000):
        raise InputError(f"digits must be an integer from 1 to 10000, got {digits}")
    return [(bits(digits) + more + GUARD) << doubling for doubling in range(MOST)]


def _sharp(ball: Any, digits: int) -> bool:
    """Whether the ball holds the digits asked for."""
    return bool(ball.is_finite() and ball.rad() * arb(10) ** (digits + 2) <= ball.abs_lower())


def _constant(value: Fraction, digits: int) -> Number:
    from sympy import Rational

    with working_precision(_precisions(digits)[0]):
        return Number(
            Status.EXACT, to_arb(value), Rational(value.numerator, value.denominator), METHOD, digits
        )


def _start(u0: Any, depth: int) -> Fraction:
    """u₀ > 0, or 0 for one layer, which has no saddle there."""
    value = rational(u0, "u0")
    return value if depth == 1 and value == 0 else positive(u0, "u0")


def _reachable(s: Fraction, start: Fraction, end: Fraction) -> None:
    towards = start <= end < s or s < end <= start
    if not towards:
        side = "between u0 and s, s excluded"
        raise InputError(
            f"u_f must lie {side}: the strength moves from u0 = {start} towards s = {s} and never arrives,"
            f" got {end}"
        )


def _position(u: Fraction, s: Fraction) -> Any:
    return position(to_arb(u / s if u < s else s / u))


def _scale(s: Fraction, depth: int, tau: Fraction) -> Any:
    """τ s^{2/L − 2}/L."""
    return to_arb(tau) * to_arb(s) ** (to_arb(Fraction(2, depth)) - 2) / depth


def _elapsed(from_above: bool, first: Any, last: Any, depth: int) -> Any:
    p = to_arb(Fraction(2, depth))
    return above(first, last, p) if from_above else below(first, last, p)


def _closed_time(s: Fraction, start: Fraction, end: Fraction, depth: int, tau: Fraction) -> Any | None:
    from sympy import Rational, log

    if depth == 1:
        ratio, factor = (s - start) / (s - end), tau
    elif depth == 2:
        ratio, factor = end * (s - start) / (start * (s - end)), tau / (2 * s)
    else:
        return None
    return Rational(factor.numerator, factor.denominator) * log(Rational(ratio.numerator, ratio.denominator))


def _elementary(time: Fraction, s: Fraction, start: Fraction, depth: int, digits: int) -> Number:
    from sympy import Rational, exp

    S, U, X = (Rational(v.numerator, v.denominator) for v in (s, start, time))
    closed = S - (S - U) * exp(-X) if depth == 1 else S / (1 + (S / U - 1) * exp(-2 * S * X))
    for prec in _precisions(digits):
        with working_precision(prec):
            if depth == 1:
                ball = to_arb(s) - to_arb(s - start) * to_arb(-time).exp()
            else:
                ball = to_arb(s) / (1 + to_arb(s / start - 1) * to_arb(-2 * s * time).exp())
            if _sharp(ball, digits):
                return Number(Status.EXACT, ball, closed, METHOD, digits)
    raise NotEnclosed(f"u was not enclosed to {digits} digits")


def _riccati(start: Any, s: Any, c2: Any, rate: Any, half: Any) -> Any:
    return (start * (rate + 2 * s * half) + c2 * half) / (rate + (start - 2 * s) * half)


def _inverted(t: Any, s: Fraction, start: Fraction, depth: int, tau: Fraction, prec: int) -> Any | None:
    """Solve time(y) = t by Newton's method and bracket the root.

    In y = log(v/(1 − v)) the time has the slope v^{p−1} from below (it falls with y for L > 2: the time is
    concave, Newton's method from the start approaches from the left) and w^{2−p} from above (it rises, at
    least ¼ for y ≥ 0: convex, so Newton's method from max(y₀, 0) + 4t approaches from the right).
    """
    from_above = start > s
    asked = t / _scale(s, depth, tau)
    exponent = to_arb(Fraction(2, depth)) - 1
    first = _position(start, s)
    y = (arb(max(0.0, float(first))) + 4 * asked if from_above else first).mid()
    tolerance = arb(2) ** (-prec // 2)
    for _ in range(5000):
        v = logistic(y)[0]
        slope = v ** (1 - exponent) if from_above else v**exponent
        step = (asked - _elapsed(from_above, first, y, depth)) / slope
        y = (y + step).mid()
        if not step.is_finite():
            return None
        if abs(step) < tolerance * (1 + abs(y)):
            break
    radius = tolerance * (1 + abs(y))
    low, high = (y - radius).mid(), (y + radius).mid()
    if not _elapsed(from_above, first, low, depth) < asked < _elapsed(from_above, first, high, depth):
        return None
    v = logistic(low)[0].union(logistic(high)[0])
    return to_arb(s) / v if from_above else to_arb(s) * v
