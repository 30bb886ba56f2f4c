"""The 53 activations of the feasibility study and more, as expressions in x, with values for symbols."""

from __future__ import annotations

from typing import Any

from sympy import (
    Abs,
    Heaviside,
    Max,
    Min,
    Piecewise,
    Rational,
    Symbol,
    asinh,
    atan,
    cos,
    erf,
    exp,
    log,
    pi,
    sign,
    sin,
    sqrt,
    tanh,
)

from initmath.integral import Phi, x

a = Symbol("a", positive=True)
p = Symbol("p", real=True)
alpha = Symbol("alpha", positive=True)
b = Symbol("b", positive=True)
theta = Symbol("theta", positive=True)
v = Symbol("v", positive=True)

VALUES: dict[Any, Any] = {
    a: Rational(17, 10),
    p: Rational(1, 4),
    alpha: Rational(3, 2),
    b: Rational(4),
    theta: Rational(7, 10),
    v: Rational(3, 10),
}

R = Rational
sigmoid = 1 / (1 + exp(-x))
softplus = log(1 + exp(x))
relu = Max(0, x)
ramp = Max(0, Min(1, x / 6 + R(1, 2)))
selu_scale, selu_alpha = R("1.0507009873554804934193349852946"), R("1.6732632423543772848170429916717")

ACTIVATIONS: dict[str, Any] = {
    "identity": x,
    "square": x**2,
    "cubic": x**3 / 6 - x / 2 + x**2 / 4,
    "hermite4": x**4 - 6 * x**2 + 3,
    "abs": Abs(x),
    "relu": relu,
    "leaky_relu": Max(0, x) + a * Min(0, x),
    "prelu": Piecewise((x, x > 0), (p * x, True)),
    "relu2": relu**2,
    "relu3": relu**3,
    "step": Heaviside(x),
    "sign": sign(x),
    "relu6": Min(6, relu),
    "hardtanh": Max(-1, Min(1, x)),
    "hard_sigmoid": ramp,
    "hardswish": x * ramp,
    "hardshrink": Piecewise((x, x > R(1, 2)), (x, x < -R(1, 2)), (0, True)),
    "softshrink": Piecewise((x - R(1, 2), x > R(1, 2)), (x + R(1, 2), x < -R(1, 2)), (0, True)),
    "threshold": Piecewise((x, x > theta), (v, True)),
    "pwl5": Piecewise((-1, x < -2), (x + 1, x < -1), (0, x < 0), (2 * x, x < 1), (x / 2 + R(3, 2), True)),
    "elu": Piecewise((x, x > 0), (alpha * (exp(x) - 1), True)),
    "selu": selu_scale * Piecewise((x, x > 0), (selu_alpha * (exp(x) - 1), True)),
    "celu": Piecewise((x, x > 0), (alpha * (exp(x / alpha) - 1), True)),
    "exp": exp(x),
    "gaussian": exp(-(x**2)),
    "xgauss": x * exp(-(x**2)),
    "sin": sin(x),
    "cos": cos(x),
    "snake": x + sin(x) ** 2,
    "gcu": x * cos(x),
    "sin_relu": sin(x) + relu,
    "sinc": sin(x) / x,
    "erf": erf(x),
    "normcdf": Phi(x),
    "gelu": x * Phi(x),
    "gelu_a": x * Phi(a * x),
    "xerf": x * erf(x),
    "arctan": atan(x),
    "asinh": asinh(x),
    "isru": x / sqrt(1 + x**2),
    "squareplus": (x + sqrt(x**2 + b)) / 2,
    "bent_identity": (sqrt(x**2 + 1) - 1) / 2 + x,
    "log1px2": log(1 + x**2),
    "softsign": x / (1 + Abs(x)),
    "sigmoid": sigmoid,
    "tanh": tanh(x),
    "tanhshrink": x - tanh(x),
    "silu": x * sigmoid,
    "softplus": softplus,
    "logsigmoid": log(sigmoid),
    "mish": x * tanh(softplus),
    "gelu_tanh": x / 2 * (1 + tanh(sqrt(2 / pi) * (x + R(44715, 10**6) * x**3))),
    "serf": x * erf(softplus),
}
"""The list of the study, name → g(x)."""

MORE: dict[str, Any] = {
    "clip_a": Max(-a, Min(a, x)),
    "random_phase": cos(a * x + b),
    "phi_affine": Phi(a * x + b),
    "laplace": exp(-Abs(x)),
    "cauchy": 1 / (1 + x**2),
    "morlet": cos(5 * x) * exp(-(x**2) / 2),
    "ricker": (1 - x**2) * exp(-(x**2) / 2),
    "sqnl": Piecewise((1, x > 2), (x - x**2 / 4, x >= 0), (x + x**2 / 4, x >= -2), (-1, True)),
    "isrlu": Piecewise((x, x >= 0), (x / sqrt(1 + a * x**2), True)),
    "xabs": x * Abs(x),
    "poly_sin": (x**2 - 2) * sin(x),
    "bell_erf": exp(-(x**2)) * erf(x),
    "snake_a": x + sin(a * x) ** 2 / a,
    "erf_relu": relu * erf(x),
    "gelu_relu": x * Phi(x) + relu,
    "sqrt_abs": sqrt(Abs(x)),
    "cosh_bell": (exp(x) + exp(-x)) * exp(-(x**2)),
    "sinh_over_x": (exp(x) - exp(-x)) / (2 * x),
    "log_shift": log(3 + 2 * x**2),
    "x_asinh": x * asinh(x),
    "softsign_a": x / (a + Abs(x)),
    "exp_x2": exp(x**2 / 100),
    "triangle": Max(0, 1 - Abs(x)),
}
"""Expressions for which no rule was tuned, name → g(x)."""
