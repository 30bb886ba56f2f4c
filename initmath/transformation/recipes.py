"""The sets of conditions that have a name in the literature."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from initmath.errors import InputError

__all__ = ["PARAMETER", "RECIPES", "Recipe", "recipe"]

PARAMETER = "parameter"
"""Stands in ``free`` for the activation's own parameter."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A named transformation.

    Attributes
    ----------
    name : str
    conditions : tuple of str
        Names of `CONDITIONS`.
    free : tuple of str
        What is solved for; as many as there are conditions.
    meaning, source : str
    """

    name: str
    conditions: tuple[str, ...]
    free: tuple[str, ...]
    meaning: str
    source: str


_INPUT, _OUTPUT = ("input_scale", "input_shift"), ("output_scale", "output_shift")

_ALL = (
    Recipe(
        "standardise",
        ("mean", "second_moment"),
        _OUTPUT,
        "mean 0 and second moment q, by scaling and shifting the output",
        "Klambauer et al. 2017, arXiv:1706.02515, eq. (4) and (5)",
    ),
    Recipe(
        "gaussian_poincare",
        ("second_moment", "slope"),
        _OUTPUT,
        "E ĝ² = q and E ĝ′² = 1: signals and gradients keep their size",
        "Lu, Gould, Ajanthan 2020, arXiv:2006.12169",
    ),
    Recipe(
        "self_normalising",
        ("mean", "second_moment"),
        (PARAMETER, "output_scale"),
        "SELU's construction: mean 0 by the activation's own parameter, second moment q by the output scale",
        "Klambauer et al. 2017, arXiv:1706.02515, the constants α₀₁ and λ₀₁",
    ),
    Recipe(
        "critical",
        ("slope",),
        ("output_scale",),
        "χ₁ = 1 with σ_w² = 1, by the output scale alone",
        "Schoenholz et al. 2017, arXiv:1611.01232",
    ),
    Recipe(
        "dks",
        ("mean", "second_moment", "length_slope", "slope"),
        _INPUT + _OUTPUT,
        "Q(1) = 1, Q′(1) = 1, C(0) = 0, C′(1) = ζ",
        "Martens et al. 2021, arXiv:2110.01765",
    ),
    Recipe(
        "dks_leaky",
        ("mean", "second_moment", "slope"),
        (PARAMETER, *_OUTPUT),
        "DKS for a rectifier with a free negative slope; Q′(1) = 1 follows from homogeneity",
        "Martens et al. 2021, arXiv:2110.01765",
    ),
    Recipe(
        "tat",
        ("second_moment", "length_slope", "slope", "curvature"),
        _INPUT + _OUTPUT,
        "Q(1) = 1, Q′(1) = 1, C′(1) = 1, C″(1) = τ",
        "Zhang, Botev, Martens 2022, arXiv:2203.08120",
    ),
    Recipe(
        "tat_leaky",
        ("second_moment", "mean_square"),
        (PARAMETER, "output_scale"),
        "TAT for a rectifier with a free negative slope: C(0) = η; Q′(1) = C′(1) = 1 follow from homogeneity",
        "Zhang, Botev, Martens 2022, arXiv:2203.08120",
    ),
)

_ALIASES = {"gpn": "gaussian_poincare", "selu": "self_normalising", "standardize": "standardise"}

RECIPES = MappingProxyType({each.name: each for each in _ALL})


def recipe(name: str) -> Recipe:
    """Return the recipe of a name or alias.

    Examples
    --------
    >>> recipe("gpn").conditions
    ('second_moment', 'slope')
    """
    found = RECIPES.get(_ALIASES.get(name, name))
    if found is None:
        raise InputError(f"unknown transformation {name!r}: choose among {', '.join(RECIPES)}")
    return found
