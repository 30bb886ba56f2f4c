"""Brock et al.: normalizer-free networks need γ = 1/√Var g(z); the constants in the code are estimates.

With weights whose rows have mean 0 (scaled weight standardization) the mean of the activations does not
reach the next layer, and γ = 1/√Var g(z), z ~ N(0, 1), keeps the variance 1.  For ReLU that is √(2/(1 −
1/π)), which the paper says; the code has a table for fifteen activations, with sixteen digits each.  They
were estimated from random samples: three to five of the digits are right, and every estimate below is too
large.
"""

from __future__ import annotations

from functools import cache

from sympy import Integer, pi, sqrt

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, at, chain, derived, then
from derivations.torch_calculate_gain import deviation, gain
from initmath.derivation import Derivation
from initmath.integral import q

PAPER = Paper(
    "Brock, De & Smith",
    2021,
    "Characterizing signal propagation to close the performance gap in unnormalized ResNets",
    "arXiv:2101.08692; the table is in the code of the paper that followed, arXiv:2102.06171 (with "
    "Simonyan); it was read as copied in public code (_nonlin_gamma)",
    "in part",
)
CLAIM = Claim("the code", "γ of ReLU.", "1.7139588594436646", holds=False)

CODE = (
    ("celu", "1.270926833152771"),
    ("elu", "1.2716004848480225"),
    ("gelu", "1.7015043497085571"),
    ("leaky_relu", "1.70590341091156"),
    ("logsigmoid", "1.9193484783172607"),
    ("relu6", "1.7131484746932983"),
    ("selu", "1.0008515119552612"),
    ("sigmoid", "4.803835391998291"),
    ("silu", "1.7881293296813965"),
    ("softsign", "2.338853120803833"),
    ("softplus", "1.9203323125839233"),
    ("tanh", "1.5939117670059204"),
)


ALSO = (
    Checked(
        Claim("the paper", "γ² of ReLU", 2 / (1 - 1 / pi)), 1 / derived("relu", "variance").value.subs(q, 1)
    ),
    *(
        Checked(Claim("the code", f"γ of {name}", value, holds=False), deviation(name))
        for name, value in CODE
    ),
    Checked(
        Claim("the code", "γ of glu, a σ(b): 1/√E σ(z)²", "1.8484294414520264", holds=False), gain("sigmoid")
    ),
    Checked(
        Claim("the code", "γ of log_softmax: a shift of a row", "1.0002083778381348", holds=False), Integer(1)
    ),
)
ERRATA = (
    Erratum(
        "NFNets, code (Brock et al. 2021, arXiv:2102.06171; also in timm): the constants _nonlin_gamma",
        "relu 1.71396, relu6 1.71315, elu 1.27160, celu 1.27093, silu 1.78813, tanh 1.59391, …",
        "relu 1.712859, relu6 1.712859, elu = celu 1.270843, silu 1.787187, tanh 1.592537, …: 1/√Var g(z)",
        "Certified integrals; each is below the coded constant. Two inconsistencies show in the table "
        "itself: elu and "
        "celu are the same function at α = 1 and have different constants, and relu6 differs from relu "
        "only beyond 6 "
        "standard deviations, yet by 8·10⁻⁴ in the table. The effect on training is small: 0.007 % to 0.12 "
        "%.",
        "in part",
    ),
)
REMARKS = (
    "The recipe that comes with the table takes the variance over rows of 256 samples with the divisor 256 "
    "instead of "
    "255: that makes the variance 0.4 % too small, and γ 0.2 % too large, in expectation.",
    "The original code calls a GELU that by default is the approximation by tanh; its γ is 1.700917, below "
    "the exact GELU's 1.700926 that the table here compares with: far less than the error of 1.70150.",
)


def derive() -> Derivation:
    """Show γ of ReLU from its variance at q = 1."""
    variance = at(derived("relu", "variance"), {q: Integer(1)})
    return chain(
        1 / sqrt(variance.problem),
        *variance.steps[:-1],  # the last one only collects the factor q, which is 1 here
        then("root", None, sqrt(2 / (1 - 1 / pi)), "1 over ½ − 1/(2π) is 2/(1 − 1/π)."),
    )


@cache
def numbers() -> tuple[Measured, ...]:
    """Show the right constants."""
    names = ("relu", "elu", "gelu", "silu", "softplus", "tanh", "sigmoid", "selu")
    return tuple(Measured(f"γ of {name}", deviation(name), f"gain.{name}.std_gain") for name in names)
