"""EXPAND: multiply out and use that the expectation is linear."""

from __future__ import annotations

from sympy import Add

from initmath.derivation import Declined, Step
from initmath.gaussian.atoms import atoms_of, integral_of
from initmath.gaussian.references import DLMF_TRIG
from initmath.integral import GaussianIntegral

__all__ = ["apply"]

NAME = "expand"


def apply(node: GaussianIntegral) -> Step | Declined:
    """E[Σ p_k K_k] = Σ E[p_k K_k], one term for each kernel (exponential, wave, Φ, indicator, …).

    Examples
    --------
    >>> from sympy import exp
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> from initmath.gaussian.rules.expand import apply
    >>> apply(GaussianIntegral((x + exp(x)) ** 2, x, 0, q)).after
    E[x**2; x ~ N(0, q)] + 2*E[x*exp(x); x ~ N(0, q)] + E[exp(2*x); x ~ N(0, q)]
    """
    variables = tuple(node.variables)
    atoms = atoms_of(node.integrand, variables)
    if len(atoms) == 1 and not atoms[0].understood:
        return Declined(NAME, "the integrand holds a function that the Gaussian core does not know")
    after = Add(*(integral_of(node, atom.polynomial, atom.kernel) for atom in atoms))
    if after == node or (len(atoms) == 1 and atoms[0].as_expr(variables) == node.integrand):
        return Declined(NAME, "the integrand is a single atom: nothing to multiply out")
    return Step(
        NAME,
        node,
        after,
        "Multiply out (with erf(u) = 2Φ(√2 u) − 1, sinh and cosh by exponentials, "
        "products of sines and cosines as "
        "sums) and use that the expectation is linear",
        (),
        (DLMF_TRIG,),
    )
