r"""Hermite coefficients of an activation, certified one by one or in doubles for many variances.

.. math:: g(\sqrt q z) = \sum_n a_n(q)\,\mathrm{he}_n(z),\quad \mathrm{he}_n = He_n/\sqrt{n!},\qquad
          k(q_1, q_2, c) = \sum_n a_n(q_1)\,a_n(q_2)\,c^n
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.activation import resolve
from initmath.errors import Divergent, InputError
from initmath.kernels.pairs import cuts_of
from initmath.lock import one_at_a_time
from initmath.quadrature import expectation
from initmath.quadrature._panels import first_edges
from initmath.quadrature._rule import gauss_legendre

if TYPE_CHECKING:
    from initmath.derivation import Number

__all__ = ["Hermite", "hermite_coefficient", "hermite_coefficients"]

Real = NDArray[np.float64]

_MOST = 2000
_ORDERS = (32, 24)
_BEYOND = 10.0  # past the turning point 2√n of he_n, in standard deviations


@dataclass(frozen=True)
class Hermite:
    """Coefficients a_0 … a_N of z ↦ g(√q z), for each q.

    Attributes
    ----------
    q : ndarray, shape (…)
    coefficients, error : ndarray, shape (…, N + 1)
        a_n(q) and an estimate of their error.
    second_moment : ndarray, shape (…)
        m₂(q) = Σ a_n².
    rest, rest_error : ndarray, shape (…)
        Σ_{n>N} a_n² = m₂ − Σ_{n≤N} a_n² (Parseval), and the error of that difference.
    """

    q: Real
    coefficients: Real
    error: Real
    second_moment: Real
    rest: Real
    rest_error: Real

    def kernel(self, c: ArrayLike) -> tuple[Real, Real]:
        """Return k(q, q, c) by the truncated series, and a bound of its error, in the joint shape of q and c.

        What is left out is at most |c|^{N+1} Σ_{n>N} a_n².
        """
        at = np.asarray(c, dtype=np.float64)
        if not np.all(np.abs(at) <= 1):
            raise InputError("a correlation lies between -1 and 1")
        powers = self.coefficients**2
        value = np.zeros(np.broadcast_shapes(at.shape, self.q.shape))
        for n in range(powers.shape[-1] - 1, -1, -1):
            value = value * at + powers[..., n]
        count = powers.shape[-1]
        beyond = np.abs(at) ** count * (np.maximum(self.rest, 0) + self.rest_error)
        return value, beyond + np.sum(2 * np.abs(self.coefficients) * self.error, axis=-1) + 1e-15 * np.abs(
            value
        )


@one_at_a_time
def hermite_coefficients(act: Any, q: ArrayLike = 1.0, order: int = 32) -> Hermite:
    r"""Hermite coefficients a_n(q) = E g(√q z) He_n(z)/√n!, n = 0 … order, in doubles.

    Parameters
    ----------
    act : Activation, name, expression or callable
    q : array_like
        Pre-activation variances, finite and > 0.
    order : int
        N, at most 2000.

    Returns
    -------
    Hermite
        ``error`` is the difference of two orders of a composite rule that knows the kinks: an estimate.

    Raises
    ------
    Divergent
        If E g² is infinite: there is no series.
    InputError
        If q or the order is out of range.

    References
    ----------
    .. [1] A. Daniely, R. Frostig, Y. Singer, Toward deeper understanding of neural networks, 2016,
    arXiv:1602.05897, section 4 (dual activations).

    Examples
    --------
    >>> series = hermite_coefficients("relu", order=40)
    >>> bool(abs(series.coefficients[1] - 0.5) < 1e-15)
    True
    >>> value, error = series.kernel(0.5)
    >>> bool(abs(value - 0.30449889052211467) <= error < 1e-13)
    True
    """
    activation = resolve(act)
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or not 0 <= order <= _MOST:
        raise InputError(f"order must be an integer from 0 to {_MOST}, got {order!r}")
    try:
        at = np.asarray(q, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("q must be a number or an array of numbers") from None
    cuts, g = cuts_of(activation), activation.numpy(0)
    second = expectation(lambda y: g(y) ** 2, at, cuts)
    if not np.isfinite(second.value).all():
        raise Divergent(f"E g^2 of {activation.name} is infinite or was not found: no Hermite series")
    values = np.empty((at.size, int(order) + 1))
    errors = np.empty_like(values)
    for row, one in enumerate(at.ravel()):
        fine, coarse = (_projected(g, float(one), cuts, int(order), nodes) for nodes in _ORDERS)
        values[row] = fine
        errors[row] = np.abs(fine - coarse) + 4e-16 * np.sqrt(second.value.ravel()[row])
    values, errors = (part.reshape(*at.shape, int(order) + 1) for part in (values, errors))
    rest = second.value - np.sum(values**2, axis=-1)
    rest_error = second.error + np.sum(2 * np.abs(values) * errors, axis=-1)
    return Hermite(at, values, errors, second.value, rest, rest_error)


def _projected(g: Any, q: float, cuts: list[float], order: int, count: int) -> Real:
    """Every coefficient by one rule; he_n and g each take half of the Gaussian weight."""
    root = np.sqrt(q)
    reach = 2 * np.sqrt(order + 1) + _BEYOND
    left, right, _ = first_edges(np.array([root]), np.asarray(cuts, np.float64))
    edges = np.unique(np.concatenate([left / root, right / root, [-reach, reach]]))
    edges = edges[np.abs(edges) <= reach]
    # a panel holds at most about two waves of he_n, whose length is 2π/√(4n)
    longest = min(2.0, 12 / np.sqrt(4 * order + 4) * 2)
    pieces = [np.linspace(a, b, int(np.ceil((b - a) / longest)) + 1)[:-1] for a, b in pairwise(edges)]
    edges = np.concatenate([*pieces, edges[-1:]])
    rule = gauss_legendre(count)
    half = np.diff(edges)[:, None] / 2
    z = (edges[:-1, None] + half * (1 + rule.nodes.astype(np.float64))).ravel()
    weight = (half * rule.weights.astype(np.float64)).ravel() / np.sqrt(2 * np.pi)
    decay = np.exp(-0.25 * z * z)
    with np.errstate(all="ignore"):
        integrand = np.where(decay > 0, g(root * z) * decay, 0.0) * weight
    integrand[~np.isfinite(integrand)] = 0.0  # beyond the doubles of g: E g² was found finite
    found = np.empty(order + 1)
    before, here = np.zeros_like(z), decay
    for n in range(order + 1):
        found[n] = integrand @ here
        before, here = here, (z * here - np.sqrt(n) * before) / np.sqrt(n + 1)
    return found


@one_at_a_time
def hermite_coefficient(act: Any, n: int, q: Any = 1, digits: int = 15) -> Number:
    r"""One Hermite coefficient a_n(q) = E g(√q z) He_n(z)/√n! with a certified error.

    Parameters
    ----------
    act : Activation, name or expression
    n : int
        Order, 0 ≤ n ≤ 200.
    q : int, str, Fraction, Rational or float
        Pre-activation variance, q > 0; a float means its ``repr``.
    digits : int
        Significant digits.

    Returns
    -------
    Number
        Rigorous; exactly 0 where the parity of g says so.

    Raises
    ------
    Divergent
        If the expectation does not exist.
    NotEnclosed
        If no enclosure was reached.

    Examples
    --------
    >>> print(hermite_coefficient("tanh", 3, digits=12).value)
    -0.148437190787
    """
    from flint import arb
    from sympy import Integer

    from initmath import enclosure
    from initmath.balls import bits, to_arb, working_precision
    from initmath.derivation import Number, Status
    from initmath.integral import x
    from initmath.moments import parameter_values, variance_at

    activation = resolve(act)
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 0 <= n <= 200:
        raise InputError(f"the order n must be an integer from 0 to 200, got {n!r}")
    at, n = variance_at(q), int(n)
    values = parameter_values(activation)
    if (activation.parity == "odd" and n % 2 == 0) or (activation.parity == "even" and n % 2 == 1):
        enclosure.expectation(activation.pieces.map(lambda e: e**2), at, 5, values)  # the integral exists
        return Number(Status.EXACT, arb(0), Integer(0), f"parity: g is {activation.parity}", digits)
    # He_n(x/√q) q^{n/2}: rational coefficients, whatever √q is
    polynomial = sum(
        Integer(factorial(n) // (factorial(k) * factorial(n - 2 * k) * 2**k)) * (-at) ** k * x ** (n - 2 * k)
        for k in range(n // 2 + 1)
    )
    ball = enclosure.expectation(activation.pieces.map(lambda e: e * polynomial), at, digits + 5, values)
    with working_precision(bits(digits + 10)):
        scaled = ball / (arb(factorial(n)) * to_arb(at) ** n).sqrt()
    return Number(
        Status.NUMERIC, scaled, None, "certified quadrature in ball arithmetic, tails included", digits
    )
