"""The activation and its derivative as array functions, compiled once in a process."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from initmath.activation import Activation
from initmath.simulate.frame import Array

__all__ = ["function", "values"]


@lru_cache(maxsize=64)
def function(activation: Activation, order: int) -> Callable[[Any], Any]:
    """Return g (order 0) or g' (order 1) of arrays."""
    return activation.numpy(order)


def values(activation: Activation, order: int, y: Array) -> Array:
    """Return g(y) or g'(y) in the shape and dtype of y, silent about overflow: the caller looks at it."""
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(function(activation, order)(y), dtype=y.dtype)
