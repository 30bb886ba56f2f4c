"""Random arrays with a given variance, and the constants that the distributions need.

The constants load at once; NumPy only when an array is drawn or checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from initmath.sampling.constants import (
    TRUNCATION,
    normal_std,
    orthogonal_gain,
    truncated_normal_kurtosis,
    truncated_normal_std,
    truncated_std_ratio,
    uniform_half_width,
)

if TYPE_CHECKING:
    from initmath.sampling.check import VarianceCheck, variance_check
    from initmath.sampling.draw import delta_orthogonal, normal, orthogonal, truncated_normal, uniform

__all__ = [
    "TRUNCATION",
    "VarianceCheck",
    "delta_orthogonal",
    "normal",
    "normal_std",
    "orthogonal",
    "orthogonal_gain",
    "truncated_normal",
    "truncated_normal_kurtosis",
    "truncated_normal_std",
    "truncated_std_ratio",
    "uniform",
    "uniform_half_width",
    "variance_check",
]

_CHECKS = ("VarianceCheck", "variance_check")


def __getattr__(name: str) -> Any:
    """Load the modules that need NumPy on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    room = import_module(f"{__name__}.{'check' if name in _CHECKS else 'draw'}")
    return getattr(room, name)
