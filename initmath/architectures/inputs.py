"""What a user gives: arrays, counts, generators and activations, checked."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initmath.errors import InputError

__all__ = ["count", "differentiable", "generator", "reals"]

MANY = 10**6


def count(value: Any, name: str, least: int = 1, most: int = MANY) -> int:
    """Return an integer between two bounds.

    Examples
    --------
    >>> count(3, "depth")
    3
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) <= most:
        raise InputError(f"{name} must be an integer from {least} to {most}, got {value!r}")
    return int(value)


def reals(value: Any, name: str) -> NDArray[np.floating[Any]]:
    """Return an array of finite real numbers: float32 as it is, everything else as float64."""
    try:
        array = np.asarray(value)
        kind = array.dtype.kind
        if kind in "biuf":
            array = array if array.dtype == np.float32 else array.astype(np.float64)
            if np.all(np.isfinite(array)):
                return array
    except ValueError:  # ragged
        kind = "O"
    raise InputError(
        f"{name} must hold finite real numbers" + ("" if kind in "biuf" else ", in a rectangular array")
    )


def generator(rng: Any) -> np.random.Generator:
    """Return a NumPy generator."""
    if not isinstance(rng, np.random.Generator):
        raise InputError("rng must be a numpy.random.Generator, e.g. numpy.random.default_rng(0)")
    return rng


def differentiable(activation: Any) -> Any:
    """Return an activation without jumps: where it jumps, E g'² is infinite."""
    if not hasattr(activation, "jumps"):
        raise InputError(f"need an activation, e.g. initmath.activation.resolve('relu'), got {activation!r}")
    if activation.jumps:
        raise InputError(f"{activation.name} jumps: E g'^2 is infinite, and with it the gradient")
    return activation
