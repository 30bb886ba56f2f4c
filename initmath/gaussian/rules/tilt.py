"""TILT: complete the square, so that an exponential becomes a change of mean and variance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Add, Integer, S, sstr

from initmath.derivation import Declined, Step
from initmath.errors import Divergent
from initmath.gaussian.atoms import integral_of, only_atom
from initmath.gaussian.law import condition, tilted
from initmath.gaussian.references import TONG
from initmath.integral import GaussianIntegral

__all__ = ["apply"]

NAME = "tilt"


def apply(node: GaussianIntegral) -> Step | Declined:
    """E_{N(m,S)}[e^{½Qx²+bx} F] = (1−SQ)^{−½} e^{…} E_{N(m',S')}[F], S' = S/(1−SQ), m' = (m+Sb)/(1−SQ).

    Examples
    --------
    >>> from sympy import exp
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> from initmath.gaussian.rules.tilt import apply
    >>> apply(GaussianIntegral(x**2 * exp(-(x**2)), x, 0, q)).after
    E[x**2; x ~ N(0, q/(2*q + 1))]/sqrt(2*q + 1)
    """
    atom = only_atom(node)
    if atom is None:
        return Declined(NAME, "several kernels: expand first")
    kernel = atom.kernel
    if not kernel.tilts:
        return Declined(NAME, "there is no exponential of a quadratic")
    if kernel.rest != 1 and (kernel.linear is not None or any(m != 0 for m in node.mean)):
        return Declined(NAME, "the other factor is not known about a mean that is not zero")
    trace = _trace(node, kernel.quadratic)
    factor, mean, covariance, determinant = tilted(
        kernel.quadratic, kernel.linear, tuple(node.mean), node.covariance
    )
    if determinant.is_nonpositive:
        raise Divergent(f"E[{sstr(node.integrand)}] diverges: it needs {sstr(determinant)} > 0")
    new = node.func(S.Zero, node.variables, mean, covariance)
    after = factor * integral_of(new, atom.polynomial, replace(kernel, quadratic=None, linear=None))
    # Two eigenvalues are positive if and only if their product and their sum are.
    eigenvalues = (determinant, trace) if trace is not None else (determinant,)
    positive = tuple(c for c in map(condition, eigenvalues) if c is not None)
    return Step(
        NAME,
        node,
        after,
        "Complete the square: the exponential times the normal density is again a normal "
        "density, with another mean "
        "or variance, times a constant",
        tuple(f"{sstr(c)} > 0" for c in positive),
        (TONG,),
        positive,
    )


def _trace(node: GaussianIntegral, quadratic: Any) -> Any:
    """Return the trace of 1 − SQ in two dimensions, else None."""
    if quadratic is None or len(node.variables) != 2:
        return None
    return Integer(2) - Add(*(node.covariance[i][j] * quadratic[j][i] for i in range(2) for j in range(2)))
