"""Exact Gaussian expectations by rewriting, with every step shown."""

from __future__ import annotations

from initmath.gaussian.engine import derive
from initmath.gaussian.rules import RULES

__all__ = ["RULES", "derive"]
