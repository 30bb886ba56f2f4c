"""StyleGAN, GemNet, e3nn and EDM2: factors that bring an activation back to mean square 1, as they are coded.

Several libraries multiply an activation by a constant c so that E (c g(z))² = 1 for z ~ N(0, 1): c = 1/√E
g(z)², the gain of initmath's criterion second_moment.  For leaky ReLU with slope a it is √(2/(1 + a²)); for
SiLU it has no elementary form.

StyleGAN3 has √2 for ReLU, for leaky ReLU with slope 0.2 and for swish alike: right for the first only.
GemNet divides SiLU by 0.6.  e3nn estimates its constants from a million samples, and publishes sixteen
digits, of which three are right.  EDM2's two divisors are right as printed.
"""

from __future__ import annotations

from typing import Any

from sympy import Integer, Rational, sqrt

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, at, chain, derived
from derivations.orbits import enclosed
from derivations.torch_calculate_gain import gain
from initmath.derivation import Derivation, Number
from initmath.integral import q

PAPER = Paper(
    "Developers of StyleGAN3, GemNet, e3nn and EDM2",
    "(2021–2024)",
    "the functions bias_act, ScaledSiLU, normalize2mom, mp_silu",
    "public source code (GemNet's 0.6 is quoted from memory)",
    "in part",
)
SLOPE = Rational(1, 5)
CLAIM = Claim("StyleGAN3, bias_act, 'lrelu'", "the gain of leaky ReLU with slope 0.2.", sqrt(2), holds=False)


def divisor(activation: str) -> Number:
    """Return √E g(z)², certified."""
    from initmath.balls import bits, working_precision

    with working_precision(bits(25)):
        return enclosed(1 / gain(activation).ball, "certified moment")


def _claim(where: str, what: str, value: Any, true: Any, holds: bool = False) -> Checked:
    return Checked(Claim(where, what, value, holds=holds), true)


RELU = derived("relu", "second_moment").value.subs(q, 1)
ALSO = (
    _claim("StyleGAN3, 'relu'", "the gain of ReLU", sqrt(2), 1 / sqrt(RELU), holds=True),
    _claim("StyleGAN3, 'swish'", "the gain of SiLU", sqrt(2), gain("silu")),
    _claim("StyleGAN3, 'elu'", "the gain of ELU", Integer(1), gain("elu")),
    _claim("StyleGAN3, 'tanh'", "the gain of tanh", Integer(1), gain("tanh")),
    _claim("StyleGAN3, 'sigmoid'", "the gain of the sigmoid", Integer(1), gain("sigmoid")),
    _claim("StyleGAN3, 'softplus'", "the gain of softplus", Integer(1), gain("softplus")),
    _claim("GemNet", "SiLU's factor, 1/0.6", "1.6667", gain("silu")),
    _claim("e3nn", "SiLU's factor", "1.679176792398942", gain("silu")),
    _claim("e3nn", "the factor of softplus less ln 2", "1.878204668541552", gain("shifted_softplus")),
    _claim("e3nn", "the sigmoid's factor", "1.8467055342154763", gain("sigmoid")),
    _claim("EDM2", "SiLU's divisor", "0.596", divisor("silu"), holds=True),
    _claim("codes after EDM2", "GELU's divisor", "0.652", divisor("gelu"), holds=True),
)
ERRATA = (
    Erratum(
        "StyleGAN3, code: def_gain, read as 1/√E g(z)²",
        "√2 for lrelu (slope 0.2) and swish; 1 for elu, tanh, sigmoid and softplus",
        "lrelu 5/√13 = 1.386750, swish 1.676532; elu 1.245198, tanh 1.592537, sigmoid 1.846229, softplus "
        "1.041867",
        "E g² = (1 + a²)/2 for leaky ReLU; the others are certified integrals. The code does not claim "
        "to be exact, and "
        "its weights are learned with the gain in place: a convention.",
        "in part",
    ),
    Erratum(
        "GemNet, code: ScaledSiLU",
        "factor 1/0.6 = 1.6667",
        "1.676532",
        "1/√E (z σ(z))², certified. The mean square of σ(z) z/0.6 is 0.9883, not 1.",
        "from memory",
    ),
    Erratum(
        "e3nn, code: the constants of normalize2mom",
        "silu 1.679176792398942, softplus − ln 2 1.878204668541552, sigmoid 1.8467055342154763",
        "1.676532470331, 1.875596256135, 1.846228545339",
        "Certified integrals. The coded numbers are averages over 10⁶ samples, each within 1.4 of their "
        "standard errors "
        "of the truth: three or four digits of the sixteen are right.",
        "in part",
    ),
)
REMARKS = (
    "A gain of 1 where 1.59 would be right (tanh) is harmless after a normalization layer, and only there.",
)


def derive() -> Derivation:
    """Show the gain of leaky ReLU from its second moment at q = 1."""
    square = at(derived("leaky_relu", "second_moment", a=SLOPE), {q: Integer(1)})
    return chain(1 / sqrt(square.problem), *square.steps)


def numbers() -> tuple[Measured, ...]:
    """Show the right constants."""
    return (
        Measured("leaky ReLU, slope 0.2: 1/√E g²", 5 / sqrt(13), "pub.stylegan3.leaky_relu_0.2"),
        Measured("SiLU: 1/√E g²", gain("silu"), "pub.stylegan3.silu"),
        Measured("ELU", gain("elu"), "pub.stylegan3.elu"),
        Measured("softplus", gain("softplus"), "pub.stylegan3.softplus"),
        Measured("softplus − ln 2", gain("shifted_softplus"), "pub.e3nn.shifted_softplus"),
        Measured("mean square of SiLU(z)/0.6", _gemnet()),
    )


def _gemnet() -> Number:
    from initmath.balls import bits, working_precision

    with working_precision(bits(25)):
        return enclosed((gain("silu").ball * 3 / 5) ** -2, "certified moment")
