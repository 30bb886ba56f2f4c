"""The 53 activations on which the closed forms were first surveyed, written out in the parser's grammar.

Each entry: name, expression, parameters (name → value, exact text).  A parameter is symbolic in the survey:
the closed form must hold for the symbol, the number is where it is checked.
"""

from __future__ import annotations

SELU_ALPHA = "1.6732632423543772848170429916717"
SELU_SCALE = "1.0507009873554804934193349852946"
PWL5 = "Piecewise((-1, x < -2), (x + 1, x < -1), (0, x < 0), (2*x, x < 1), (x/2 + 3/2, True))"

CASES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("identity", "x", {}),
    ("square", "x**2", {}),
    ("cubic", "x**3/6 - x/2 + x**2/4", {}),
    ("hermite4", "x**4 - 6*x**2 + 3", {}),
    ("abs", "abs(x)", {}),
    ("relu", "Max(0, x)", {}),
    ("leaky_relu", "Max(0, x) + a*Min(0, x)", {"a": "1/5"}),
    ("prelu", "Max(0, x) + p*Min(0, x)", {"p": "1/4"}),
    ("relu2", "Max(0, x)**2", {}),
    ("relu3", "Max(0, x)**3", {}),
    ("step", "Heaviside(x)", {}),
    ("sign", "sign(x)", {}),
    ("relu6", "Min(6, Max(0, x))", {}),
    ("hardtanh", "Max(-1, Min(1, x))", {}),
    ("hard_sigmoid", "Max(0, Min(1, x/6 + 1/2))", {}),
    ("hardswish", "x*Max(0, Min(1, x/6 + 1/2))", {}),
    ("hardshrink", "Piecewise((x, x < -1/2), (0, x <= 1/2), (x, True))", {}),
    ("softshrink", "Max(x - 1/2, 0) + Min(x + 1/2, 0)", {}),
    ("threshold", "Piecewise((x, x > theta), (v, True))", {"theta": "7/10", "v": "3/10"}),
    ("pwl5", PWL5, {}),
    ("elu", "Piecewise((x, x > 0), (alpha*(exp(x) - 1), True))", {"alpha": "3/2"}),
    ("selu", f"{SELU_SCALE}*Piecewise((x, x > 0), ({SELU_ALPHA}*(exp(x) - 1), True))", {}),
    ("celu", "Piecewise((x, x > 0), (alpha*(exp(x/alpha) - 1), True))", {"alpha": "3/2"}),
    ("exp", "exp(x)", {}),
    ("gaussian", "exp(-x**2)", {}),
    ("xgauss", "x*exp(-x**2)", {}),
    ("sin", "sin(x)", {}),
    ("cos", "cos(x)", {}),
    ("snake", "x + sin(x)**2", {}),
    ("gcu", "x*cos(x)", {}),
    ("sin_relu", "sin(x) + Max(0, x)", {}),
    ("sinc", "sin(x)/x", {}),
    ("erf", "erf(x)", {}),
    ("normcdf", "Phi(x)", {}),
    ("gelu", "x*Phi(x)", {}),
    ("gelu_a", "x*Phi(a*x)", {"a": "1.7"}),
    ("xerf", "x*erf(x)", {}),
    ("arctan", "atan(x)", {}),
    ("asinh", "asinh(x)", {}),
    ("isru", "x/sqrt(1 + x**2)", {}),
    ("squareplus", "(x + sqrt(x**2 + b))/2", {"b": "4"}),
    ("bent_identity", "(sqrt(x**2 + 1) - 1)/2 + x", {}),
    ("log1px2", "log(1 + x**2)", {}),
    ("softsign", "x/(1 + abs(x))", {}),
    ("sigmoid", "1/(1 + exp(-x))", {}),
    ("tanh", "tanh(x)", {}),
    ("tanhshrink", "x - tanh(x)", {}),
    ("silu", "x/(1 + exp(-x))", {}),
    ("softplus", "log(1 + exp(x))", {}),
    ("logsigmoid", "-log(1 + exp(-x))", {}),
    ("mish", "x*tanh(log(1 + exp(x)))", {}),
    ("gelu_tanh", "x/2*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))", {}),
    ("serf", "x*erf(log(1 + exp(x)))", {}),
)
MOMENTS = ("mean", "second_moment", "derivative_second_moment")
