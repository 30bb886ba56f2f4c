"""MOMENT: the expectation of a polynomial, and of a polynomial times a wave."""

from __future__ import annotations

from sympy import Add, Mul, cos, exp, sin

from initmath.derivation import Declined, Step
from initmath.gaussian.atoms import UNIT, Kernel, only_atom
from initmath.gaussian.law import bilinear, complex_moment, moment
from initmath.gaussian.references import ISSERLIS, TONG
from initmath.integral import GaussianIntegral

__all__ = ["apply"]

NAME = "moment"


def apply(node: GaussianIntegral) -> Step | Declined:
    """E x^{2k} = (2k−1)!! S^k; E p(x)cos(ωx+φ) = e^{−ω²S/2} Re[e^{i(ωm+φ)} E p(x + iωS)].

    Examples
    --------
    >>> from sympy import cos
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> from initmath.gaussian.rules.moment import apply
    >>> apply(GaussianIntegral(x**4 + 1, x, 0, q)).after, apply(GaussianIntegral(cos(x), x, 0, q)).after
    (3*q**2 + 1, exp(-q/2))
    """
    atom = only_atom(node)
    if atom is None:
        return Declined(NAME, "several kernels: expand first")
    kernel = atom.kernel
    mean, covariance = tuple(node.mean), node.covariance
    if kernel == UNIT:
        after = Add(*(c * moment(m, mean, covariance) for m, c in atom.polynomial.items()))
        return Step(
            NAME,
            node,
            after,
            "Moments of the normal law: E x^(2k) = (2k − 1)!! S^k about the mean, odd ones are 0",
            (),
            (ISSERLIS,),
        )
    if kernel.wave is None or kernel != Kernel(wave=kernel.wave):
        return Declined(NAME, "the integrand is not a polynomial, nor a polynomial times one wave")
    function, frequency, phase = kernel.wave
    shift = tuple(Add(*(covariance[i][j] * w for j, w in enumerate(frequency))) for i in range(len(mean)))
    real, unreal = [], []
    for m, c in atom.polynomial.items():
        a, b = complex_moment(m, mean, shift, covariance)
        real.append(c * a)
        unreal.append(c * b)
    angle = Add(phase, *(w * m for w, m in zip(frequency, mean, strict=True)))
    re, im = Add(*real), Add(*unreal)
    body = re * cos(angle) - im * sin(angle) if function is cos else re * sin(angle) + im * cos(angle)
    after = Mul(exp(-bilinear(frequency, covariance, frequency) / 2), body)
    return Step(
        NAME,
        node,
        after,
        "Characteristic function of the normal law: the wave e^{iωx} gives the factor "
        "e^{−ω²S/2} and moves x to "
        "x + iωS in the polynomial; take the real or imaginary part",
        (),
        (TONG, ISSERLIS),
    )
