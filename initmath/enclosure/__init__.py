"""Certified enclosures of Gaussian expectations, tails included: a route that knows no integration rules."""

from initmath.enclosure.bound import Bound
from initmath.enclosure.expectation import expectation
from initmath.enclosure.growth import Growth

__all__ = ["Bound", "Growth", "expectation"]
