"""The named schemes: what variance LeCun, Glorot, He and the defaults of the frameworks give a weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import S, Symbol, sqrt

from initmath.errors import InputError

__all__ = ["SCHEMES", "Scheme", "scheme"]

n_in = Symbol("n_in", positive=True)
n_out = Symbol("n_out", positive=True)
a = Symbol("a", real=True)


@dataclass(frozen=True, slots=True)
class Scheme:
    """A published rule for Var W.

    Attributes
    ----------
    name : str
    aliases : tuple of str
    variance : Expr
        Var W in n_in, n_out (and the slope a).
    distributions : tuple of str
    derived_for : str
        The activation, or the argument, that it was made for.
    source : str
    """

    name: str
    aliases: tuple[str, ...]
    variance: Any
    distributions: tuple[str, ...]
    derived_for: str
    source: str

    def sigma_w2(self, fan_in: int = 1, fan_out: int | None = None) -> Any:
        """Return N·v² = fan_in·Var W.

        Examples
        --------
        >>> scheme("he").sigma_w2(256), scheme("glorot").sigma_w2(300, 100)
        (2, 3/2)
        """
        if fan_in < 1 or (fan_out is not None and fan_out < 1):
            raise InputError(f"fan_in = {fan_in}, fan_out = {fan_out}: both must be positive integers")
        fans = {n_in: S(fan_in), n_out: S(fan_in if fan_out is None else fan_out)}
        return (n_in * self.variance).subs(fans)

    def half_width(self, fan_in: int, fan_out: int | None = None) -> Any:
        """Return the half width √3 σ of the uniform variant.

        Examples
        --------
        >>> scheme("glorot").half_width(300, 100)
        sqrt(6)/20
        """
        return sqrt(3 * self.sigma_w2(fan_in, fan_out) / fan_in)


ALL = ("normal", "truncated normal", "uniform")

SCHEMES: tuple[Scheme, ...] = (
    Scheme(
        name="lecun",
        aliases=(),
        variance=1 / n_in,
        distributions=ALL,
        derived_for="unit variance forward through a linear unit",
        source="LeCun et al. 1998, Efficient BackProp, section 4.6",
    ),
    Scheme(
        name="glorot",
        aliases=("xavier",),
        variance=2 / (n_in + n_out),
        distributions=ALL,
        derived_for="linear units, forward and backward",
        source="Glorot & Bengio 2010, eqs. (12) and (16)",
    ),
    Scheme(
        name="glorot_heuristic",
        aliases=("standard",),
        variance=1 / (3 * n_in),
        distributions=("uniform",),
        derived_for="the older habit U(±1/√n)",
        source="Glorot & Bengio 2010, eq. (15)",
    ),
    Scheme(
        name="he",
        aliases=("kaiming",),
        variance=2 / n_in,
        distributions=ALL,
        derived_for="relu, forward",
        source="He et al. 2015, arXiv:1502.01852, eq. (10)",
    ),
    Scheme(
        name="he_fan_out",
        aliases=("kaiming_fan_out",),
        variance=2 / n_out,
        distributions=ALL,
        derived_for="relu, backward",
        source="He et al. 2015, arXiv:1502.01852, eq. (14)",
    ),
    Scheme(
        name="he_leaky",
        aliases=("kaiming_leaky",),
        variance=2 / ((1 + a**2) * n_in),
        distributions=ALL,
        derived_for="leaky relu with slope a",
        source="He et al. 2015, arXiv:1502.01852, eq. (15)",
    ),
    Scheme(
        name="torch_linear_default",
        aliases=(),
        variance=1 / (3 * n_in),
        distributions=("uniform",),
        derived_for="none: kaiming_uniform_ with a = √5",
        source="torch.nn.Linear.reset_parameters",
    ),
    Scheme(
        name="siren",
        aliases=(),
        variance=2 / n_in,
        distributions=("uniform",),
        derived_for="sin, U(±√(6/n))",
        source="Sitzmann et al. 2020, arXiv:2006.09661 (hidden layers)",
    ),
)
"""Each is data; what an activation needs is derived, never looked up here."""


def scheme(name: str) -> Scheme:
    """Return a scheme by its name or alias."""
    for found in SCHEMES:
        if name == found.name or name in found.aliases:
            return found
    raise InputError(f"unknown scheme {name!r}: choose one of {', '.join(s.name for s in SCHEMES)}")
