"""Weights in practice: named schemes, published gains, and what to pass to a sampler for a derived σ_w²."""

from initmath.initializers.published import PUBLISHED, Published, published_for, true_value
from initmath.initializers.schemes import SCHEMES, Scheme, scheme
from initmath.initializers.spread import TRUNCATED_RATIO, Spread, spreads

__all__ = [
    "PUBLISHED",
    "SCHEMES",
    "TRUNCATED_RATIO",
    "Published",
    "Scheme",
    "Spread",
    "published_for",
    "scheme",
    "spreads",
    "true_value",
]
