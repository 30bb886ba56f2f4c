"""FINITE PART: take a removable pole at 0 away by integration by parts, down to sin(ωx)/x."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Add, Heaviside, Mul, S, asinh, cos, erf, erfi, expand, pi, sin, sqrt, sstr

from initmath.derivation import Declined, Step
from initmath.errors import Divergent
from initmath.gaussian.atoms import Kernel, Polynomial, atoms_of, integral_of
from initmath.gaussian.references import DLMF_ERFC, HADAMARD
from initmath.integral import GaussianIntegral

__all__ = ["apply"]

NAME = "finite_part"


def apply(node: GaussianIntegral) -> Step | Declined:
    """E[h/xⁿ] = E[(h' − xh/q)/xⁿ⁻¹]/(n−1) for h = O(xⁿ), and E[sin(ωx)/x] = √(π/2q) erf(ω√(q/2)).

    Examples
    --------
    >>> from sympy import sin
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> from initmath.gaussian.rules.finite_part import apply
    >>> apply(GaussianIntegral(sin(x) / x, x, 0, q)).after
    sqrt(2)*sqrt(pi)*erf(sqrt(2)*sqrt(q)/2)/(2*sqrt(q))
    """
    if len(node.variables) != 1 or node.mean[0] != 0:
        return Declined(NAME, "only about mean zero in one dimension")
    (x,), s = node.variables, node.covariance[0][0]
    order = 0
    for term in Add.make_args(node.integrand):
        for factor in Mul.make_args(term):
            base, exponent = factor.as_base_exp()
            if base == x and exponent.is_Integer and exponent < 0:
                order = max(order, -int(exponent))
    if order == 0:
        return Declined(NAME, "there is no pole at 0")
    h = Add(*(t * x**order for t in Add.make_args(node.integrand)))
    if not _entire(h, x):
        one_sided = h.replace(lambda e: isinstance(e, Heaviside) and e.args[0] in (x, -x), lambda _: S.One)
        if (
            one_sided != h
            and isinstance(h, Mul)
            and _entire(one_sided, x)
            and not _vanishes(one_sided, x, order)
        ):
            raise Divergent(f"E[{sstr(node.integrand)}] diverges at x = 0")
        return Declined(
            NAME, "the numerator over xⁿ is not a sum of polynomials, waves, exponentials and Φ's"
        )
    if not _vanishes(h, x, order):
        raise Divergent(f"E[{sstr(node.integrand)}] diverges: the pole at x = 0 is not removable")
    if order > 1:
        return _by_parts(node, h, x, s, order)
    return _first_order(node, h, x, s)


def _entire(h: Any, x: Any) -> bool:
    variables = (x,)
    return all(
        a.kernel.rest == 1 and not any(f.hard for f in a.kernel.factors) for a in atoms_of(h, variables)
    )


def _vanishes(h: Any, x: Any, order: int) -> bool:
    """Whether the Taylor coefficients below xⁿ are all 0 (x⁻¹·even is not integrable either)."""
    for _ in range(order):
        if expand(h.subs(x, 0)) != 0:
            return False
        h = h.diff(x)
    return True


def _by_parts(node: GaussianIntegral, h: Any, x: Any, s: Any, order: int) -> Step | Declined:
    groups = {atom.kernel: {p: c for (p,), c in atom.polynomial.items()} for atom in atoms_of(h, (x,))}
    if any(k.factors or k.quadratic is not None for k in groups):
        return Declined(NAME, "a multiple pole below Φ or a Gaussian")
    for n in range(order, 1, -1):
        groups = _lowered(groups, s, n - 1)
    regular: list[Any] = []
    singular: list[Any] = []
    for kernel, powers in groups.items():
        polynomial: Polynomial = {(p - 1,): c for p, c in powers.items() if p}
        regular.append(integral_of(node, polynomial, kernel))
        if powers.get(0, S.Zero) != 0:
            singular.append(powers[0] * kernel.as_expr((x,)) / x)
    times = "once" if order == 2 else f"{order - 1} times"
    after = Add(*regular)
    if singular:
        after += node.func(Add(*singular), node.variables, node.mean, node.covariance)
    return Step(
        NAME,
        node,
        after,
        f"Integrate by parts {times}: with φ' = −xφ/q, ∫ h φ x⁻ⁿ = ∫ (h' − x "
        "h/q) φ x¹⁻ⁿ/(n − 1); nothing is "
        "left at 0, because h vanishes there to order n",
        (),
        (HADAMARD,),
    )


def _lowered(groups: dict[Kernel, dict[int, Any]], s: Any, divisor: int) -> dict[Kernel, dict[int, Any]]:
    """H ↦ (h' − x h/q)/divisor on Σ p(x)·K(x), where K is an exponential and a wave."""
    out: dict[Kernel, dict[int, Any]] = {}

    def add(kernel: Kernel, power: int, c: Any) -> None:
        powers = out.setdefault(kernel, {})
        powers[power] = powers.get(power, S.Zero) + c / divisor

    for kernel, polynomial in groups.items():
        for power, c in polynomial.items():
            add(kernel, power + 1, -c / s)
            if power:
                add(kernel, power - 1, power * c)
            if kernel.linear is not None:
                add(kernel, power, c * kernel.linear[0])
            if kernel.wave is not None:
                function, frequency, phase = kernel.wave
                turned = replace(kernel, wave=(cos if function is sin else sin, frequency, phase))
                add(turned, power, (c if function is sin else -c) * frequency[0])
    return {k: {p: e for p, c in powers.items() if (e := expand(c)) != 0} for k, powers in out.items()}


def _first_order(node: GaussianIntegral, h: Any, x: Any, s: Any) -> Step | Declined:
    total: list[Any] = []
    for atom in atoms_of(h, (x,)):
        kernel = atom.kernel
        for (power,), c in atom.polynomial.items():
            if power:
                total.append(
                    c * node.func(x ** (power - 1) * kernel.as_expr((x,)), (x,), node.mean, node.covariance)
                )
                continue
            value = _over_x(kernel, x, s)
            if value is None:
                return Declined(NAME, f"E[({sstr(kernel.as_expr((x,)))})/x] has no closed form known here")
            total.append(c * value)
    return Step(
        NAME,
        node,
        Add(*total),
        "Only the odd part of the numerator counts; E[sin(ωx)/x] is the integral over ω "
        "of E cos(ωx) = e^(−ω²q/2), "
        "and sinh and Φ go the same way",
        (),
        (HADAMARD, DLMF_ERFC),
    )


def _over_x(kernel: Any, x: Any, s: Any) -> Any:
    """E[K(x)/x], the principal value of one kernel (the sum of them is a proper integral)."""
    if kernel.quadratic is not None:
        return None
    if kernel.wave is not None:
        if kernel.linear is not None or kernel.factors:
            return None
        function, (frequency,), phase = kernel.wave
        weight = cos(phase) if function is sin else -sin(phase)
        return weight * sqrt(pi / (2 * s)) * erf(frequency * sqrt(s / 2))
    if kernel.linear is not None:
        return None if kernel.factors else sqrt(pi / (2 * s)) * erfi(kernel.linear[0] * sqrt(s / 2))
    if not kernel.factors:
        return S.Zero
    if len(kernel.factors) == 1 and kernel.factors[0].offset == 0:
        return asinh(kernel.factors[0].slope[0] * sqrt(s)) / sqrt(2 * pi * s)
    return None
