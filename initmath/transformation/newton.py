"""Roots of several equations in several unknowns, proven to exist and to be alone in their box."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flint import arb, arb_mat

from initmath.balls import bits, working_precision
from initmath.errors import NotEnclosed

__all__ = ["Proven", "krawczyk"]

Vector = list[arb]
System = Callable[[Vector, int], Vector]
"""(point or box, digits) → balls that contain the residuals on all of it."""
Jacobian = Callable[[Vector, int], list[Vector]]

NEWTON_STEPS = 12
WIDENINGS = 8
SLOPE_DIGITS = 8
GUARD_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Proven:
    """A root and where it is the only one.

    Attributes
    ----------
    root : tuple of arb
        Each component contains that of the root.
    box : tuple of arb
        The box in which it was proven to exist and to be unique.
    """

    root: tuple[arb, ...]
    box: tuple[arb, ...]


def krawczyk(system: System, jacobian: Jacobian, start: Sequence[float | arb], digits: int) -> Proven:
    r"""Improve a start by Newton's method, then prove the root with Krawczyk's operator.

    .. math:: K(B) = m - Y F(m) + (I - Y F'(B))(B - m), \qquad Y \approx F'(m)^{-1}

    If K(B) lies in the interior of the box B, then B contains exactly one root, and K(B) contains it.

    Parameters
    ----------
    system, jacobian : callable
        Enclosures of F and F' on boxes.
    start : sequence of float or arb
        Close enough for Newton's method.
    digits : int
        Relative accuracy of the returned balls.

    Raises
    ------
    NotEnclosed
        Newton's method did not converge from here, or no box was proven.

    References
    ----------
    .. [1] R. Krawczyk 1969, Computing 4, 187–201; S. M. Rump 2010, Acta Numerica 19, 287–449, section 13.

    Examples
    --------
    >>> circle = lambda u, d: [u[0] * u[0] + u[1] * u[1] - 1, u[0] - u[1]]
    >>> slopes = lambda u, d: [[2 * u[0], 2 * u[1]], [arb(1), arb(-1)]]
    >>> [c.str(15, radius=False) for c in krawczyk(circle, slopes, (0.7, 0.7), 20).root]
    ['0.707106781186548', '0.707106781186548']
    """
    with working_precision(bits(digits + 2 * GUARD_DIGITS)):
        point = [arb(c).mid() for c in start]
        point, inverse, step = _newton(system, jacobian, point, digits)
        value = system(point, digits + GUARD_DIGITS)
        shift = inverse * _column(value)
        radius = [
            (
                2 * abs(shift[i, 0]).upper()
                + abs(s).upper()
                + (1 + abs(c)) * arb(10) ** -(digits + GUARD_DIGITS)
            )
            for i, (c, s) in enumerate(zip(point, step, strict=True))
        ]
        for _ in range(WIDENINGS):
            box = [c + arb(0, 1) * r.upper() for c, r in zip(point, radius, strict=True)]
            image = _operator(jacobian, point, box, inverse, shift)
            if all(
                inner.is_finite() and outer.contains_interior(inner)
                for inner, outer in zip(image, box, strict=True)
            ):
                return _contracted(system, jacobian, image, box, inverse, digits)
            radius = [
                r.max(2 * abs(i - c).upper() if i.is_finite() else r) * 2
                for r, i, c in zip(radius, image, point, strict=True)
            ]
    raise NotEnclosed("Newton's method converged, but no box around the point was proven to hold a root")


def _newton(system: System, jacobian: Jacobian, point: Vector, digits: int) -> tuple[Vector, arb_mat, Vector]:
    """Iterate until the step is below the digits; return the point, Y, and the last step."""
    goal = arb(10) ** -(digits + GUARD_DIGITS // 2)
    step = [arb(0) for _ in point]
    for _ in range(NEWTON_STEPS):
        inverse = _inverse(jacobian(point, SLOPE_DIGITS + 4))
        change = inverse * _column(system(point, digits + GUARD_DIGITS))
        step = [change[i, 0].mid() for i in range(len(point))]
        if not all(s.is_finite() for s in step):
            break
        point = [(c - s).mid() for c, s in zip(point, step, strict=True)]
        if all(abs(s) <= goal * (1 + abs(c)) for c, s in zip(point, step, strict=True)):
            return point, _inverse(jacobian(point, SLOPE_DIGITS + 4)), step
    raise NotEnclosed("Newton's method did not converge")


def _inverse(rows: list[Vector]) -> arb_mat:
    """Return an approximate inverse, without radii: Krawczyk's operator is right for any Y."""
    middle = arb_mat([[entry.mid() for entry in row] for row in rows])
    try:
        inverse = middle.inv()
    except ZeroDivisionError:
        raise NotEnclosed("the equations are dependent here: the Jacobian is singular") from None
    n = len(rows)
    return arb_mat([[inverse[i, j].mid() for j in range(n)] for i in range(n)])


def _column(values: Vector) -> arb_mat:
    return arb_mat([[value] for value in values])


def _operator(jacobian: Jacobian, point: Vector, box: Vector, inverse: arb_mat, shift: arb_mat) -> Vector:
    n = len(point)
    slopes = arb_mat(jacobian(box, SLOPE_DIGITS))
    product = inverse * slopes
    rest = arb_mat([[(1 if i == j else 0) - product[i, j] for j in range(n)] for i in range(n)])
    spread = rest * _column([b - c for b, c in zip(box, point, strict=True)])
    return [point[i] - shift[i, 0] + spread[i, 0] for i in range(n)]


def _contracted(
    system: System, jacobian: Jacobian, image: Vector, box: Vector, inverse: arb_mat, digits: int
) -> Proven:
    """Apply the operator once more to its own image, which still contains the root."""
    point = [c.mid() for c in image]
    shift = inverse * _column(system(point, digits + GUARD_DIGITS))
    again = _operator(jacobian, point, image, inverse, shift)
    smaller = [a.intersection(i) if a.overlaps(i) else i for a, i in zip(again, image, strict=True)]
    return Proven(tuple(smaller), tuple(box))
