"""Two inputs: the kernel E g(y₁) g(y₂), its derivative kernel, and what deep networks make of them.

`kernel` gives a number with its derivation: the closed form in q₁, q₂ and c if the certified enclosure
agrees, else the enclosure.  `enclose` is the certified route alone, `closed_kernel` the derivation alone.

In doubles, with error estimates: `kernels` for arrays of pairs, `hermite_coefficients` for many variances
(`hermite_coefficient` for one that is certified), `infinite_width` for the NNGP and NTK of deep networks.
These load NumPy, and only when asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from initmath.kernels.closed_form import closed_kernel
from initmath.kernels.enclosed import Enclosed, enclose
from initmath.kernels.pair import KINDS, Pair
from initmath.kernels.routes import Kernel, kernel

if TYPE_CHECKING:
    from initmath.kernels.hermite import Hermite, hermite_coefficient, hermite_coefficients
    from initmath.kernels.numeric import Kernels, kernels
    from initmath.kernels.recursion import InfiniteWidth, infinite_width

__all__ = [
    "KINDS",
    "Enclosed",
    "Hermite",
    "InfiniteWidth",
    "Kernel",
    "Kernels",
    "Pair",
    "closed_kernel",
    "enclose",
    "hermite_coefficient",
    "hermite_coefficients",
    "infinite_width",
    "kernel",
    "kernels",
]

_HOME = {
    "Hermite": "hermite",
    "InfiniteWidth": "recursion",
    "Kernels": "numeric",
    "hermite_coefficient": "hermite",
    "hermite_coefficients": "hermite",
    "infinite_width": "recursion",
    "kernels": "numeric",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'initmath.kernels' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"initmath.kernels.{_HOME[name]}"), name)
    globals()[name] = value
    return value
