"""Derive the initial weights of a network, and prove them.

The public functions mirror the command line: `derive`, `compare`, `gain`, `kernel`, `activations`, `verify`.
Names are loaded when they are first used, so that ``import initmath`` costs nothing and pulls in no SymPy,
NumPy, SciPy or Matplotlib.

Examples
--------
>>> import initmath
>>> initmath.gain("relu")
1.4142135623730951
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from initmath.activation import Activation
    from initmath.answers import (
        activations,
        compare,
        derive,
        edge_of_chaos,
        gain,
        kernel,
        mean_field,
        phase_diagram,
        spectrum,
        trade_off,
        transform,
        verify,
    )
    from initmath.derivation import Derivation, Number, Status, Step
    from initmath.errors import Disagreement, Divergent, InitmathError, InputError, NotEnclosed
    from initmath.reporting.report import report

__version__ = "0.1.0"

__all__ = [
    "Activation",
    "Derivation",
    "Disagreement",
    "Divergent",
    "InitmathError",
    "InputError",
    "NotEnclosed",
    "Number",
    "Status",
    "Step",
    "__version__",
    "activations",
    "compare",
    "derive",
    "edge_of_chaos",
    "gain",
    "kernel",
    "mean_field",
    "phase_diagram",
    "report",
    "spectrum",
    "trade_off",
    "transform",
    "verify",
]

_HOME = {
    "Activation": "activation",
    "Derivation": "derivation",
    "Disagreement": "errors",
    "Divergent": "errors",
    "InitmathError": "errors",
    "InputError": "errors",
    "NotEnclosed": "errors",
    "Number": "derivation",
    "Status": "derivation",
    "Step": "derivation",
    "activations": "answers",
    "compare": "answers",
    "derive": "answers",
    "edge_of_chaos": "answers",
    "gain": "answers",
    "kernel": "answers",
    "mean_field": "answers",
    "phase_diagram": "answers",
    "report": "reporting.report",
    "spectrum": "answers",
    "trade_off": "answers",
    "transform": "answers",
    "verify": "answers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'initmath' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"initmath.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
