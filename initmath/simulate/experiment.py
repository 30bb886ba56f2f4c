"""What is simulated: an activation, a shape, the variances, the law of the weights and a seed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from initmath.activation import Activation, resolve
from initmath.errors import InputError
from initmath.simulate.inputs import InputGram
from initmath.simulate.weights import WEIGHTS, Weights

__all__ = ["Experiment"]

METHODS = ("auto", "without_weights", "explicit")
PAIRS_UP_TO = 16  # inputs: beyond it, B × B matrices for every layer and network are kept only when asked for


@dataclass(frozen=True)
class Experiment:
    r"""R independent random networks of width N and depth L, y_l = W_l x_{l−1} + b_l, x_l = g(y_l).

    W_ij has mean 0 and variance σ_w²/N, b_i ~ N(0, σ_b²).

    Attributes
    ----------
    activation : Activation
        Or anything that `initmath.activation.resolve` takes.
    width, depth, networks : int
        N, L, R.
    sigma_w2, sigma_b2 : float
        σ_w² = N v² and σ_b².
    inputs : InputGram
        Second moments of layer 0; by default two inputs with q = 1 and correlation ½ in layer 1.
    weights : str or callable
        ``"gaussian"``, ``"uniform"``, ``"truncated_normal"``, ``"orthogonal"`` (Haar, every singular value
        σ_w),
        ``"weight_standardised"`` (each row has sum 0 and sum of squares σ_w²); or
        ``sampler(shape, variance, rng, dtype) -> ndarray``.
    backward : bool
        Whether a gradient is propagated back: that of uᵀx_L with u uniform on the sphere of radius √N, the
        same u for every input.
    derivative : bool
        Whether (1/N) Σ g'(y)² is recorded.
    pairs : bool or None
        Whether second moments *between* inputs are recorded; None: up to 16 inputs.
    method : str
        ``"without_weights"`` (exact for Gaussian weights, O(N B²) a layer), ``"explicit"``, or ``"auto"``:
        without wherever the weights are Gaussian.
    seed : int
        Network r draws from streams of its own, keyed by (seed, r): the numbers do not depend on who
        computes them.
    dtype : str
        ``"float64"`` or ``"float32"``.

    Examples
    --------
    >>> experiment = Experiment("tanh", width=64, depth=3, networks=2, sigma_w2=1.5)
    >>> experiment.route, experiment.inputs.size
    ('without_weights', 2)
    """

    activation: Activation
    width: int
    depth: int
    networks: int
    sigma_w2: float
    sigma_b2: float = 0.0
    inputs: InputGram = None  # type: ignore[assignment]  # filled in __post_init__
    weights: Weights = "gaussian"
    backward: bool = False
    derivative: bool = True
    pairs: bool | None = field(default=None)
    method: str = "auto"
    seed: int = 0
    dtype: str = "float64"

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("activation", resolve(self.activation))
        for name in ("width", "depth", "networks"):
            put(name, _count(name, getattr(self, name)))
        put("seed", _count("seed", self.seed, least=0))
        for name in ("sigma_w2", "sigma_b2"):
            put(name, _variance(name, getattr(self, name)))
        if self.inputs is None:
            if self.sigma_w2 == 0:
                raise InputError("with sigma_w2 = 0 the inputs must be given: no input reaches q = 1")
            put("inputs", InputGram.pair(1.0, 0.5, sigma_w2=self.sigma_w2, sigma_b2=self.sigma_b2))
        if not isinstance(self.inputs, InputGram):
            put("inputs", InputGram.of(self.inputs))
        if self.inputs.size > self.width:
            raise InputError(f"{self.inputs.size} inputs need a width of at least that, got {self.width}")
        if self.pairs is None:
            put("pairs", self.inputs.size <= PAIRS_UP_TO)
        self._check_choices()

    def _check_choices(self) -> None:
        if not callable(self.weights) and self.weights not in WEIGHTS:
            raise InputError(
                f"weights must be one of {', '.join(WEIGHTS)} or a sampler, got {self.weights!r}"
            )
        if self.weights == "weight_standardised" and self.width < 2:
            raise InputError("weight-standardised rows need a width of at least 2, got 1")
        if self.method not in METHODS:
            raise InputError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")
        if self.method == "without_weights" and self.weights != "gaussian":
            raise InputError("a simulation without weights is exact for gaussian weights only: use explicit")
        try:
            name = np.dtype(self.dtype).name
        except TypeError:
            name = ""
        if name not in ("float32", "float64"):
            raise InputError(f"dtype must be float32 or float64, got {self.dtype!r}")
        object.__setattr__(self, "dtype", name)

    @property
    def route(self) -> str:
        """``"without_weights"`` or ``"explicit"``: what ``method`` comes to."""
        if self.method != "auto":
            return self.method
        return "without_weights" if self.weights == "gaussian" else "explicit"

    def describe(self) -> str:
        """Everything that the numbers depend on, as one line of JSON: a resume file must match it."""
        g = self.activation
        sampler = self.weights
        return json.dumps(
            {
                "activation": g.name if g.expr is None else str(g.expr),
                "width": self.width,
                "depth": self.depth,
                "networks": self.networks,
                "sigma_w2": self.sigma_w2,
                "sigma_b2": self.sigma_b2,
                "inputs": self.inputs.factor,
                "weights": sampler if isinstance(sampler, str) else _name(sampler),
                "backward": self.backward,
                "derivative": self.derivative,
                "pairs": self.pairs,
                "method": self.route,
                "seed": self.seed,
                "dtype": self.dtype,
            },
            separators=(",", ":"),
        )


def _name(sampler: Any) -> str:
    kind = sampler if hasattr(sampler, "__qualname__") else type(sampler)
    return f"{kind.__module__}.{kind.__qualname__}"


def _count(name: str, value: Any, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name} must be an integer of at least {least}, got {value!r}")
    return int(value)


def _variance(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a number, got {value!r}") from None
    if not (isfinite(number) and number >= 0):
        raise InputError(f"{name} must be finite and not negative, got {value}")
    return number
