"""Sitzmann et al.: SIREN's variance is not ½, its pre-activations are not N(0, 1); both are stable still.

SIREN's layers are y = W x, x = sin y, with weights uniform on ±√(6/n), so that N v² = 2.  The argument
(at second hand): sin of a normal variable is close to the arcsine law, whose variance is ½; then y has
variance 2 · ½ = 1, and everything repeats.

The arcsine law is the limit of wide normals: E sin² = ½ (1 − e^(−2q)), which is 0.43 at q = 1, not ½.  (For
sin(πz/2), which the supplement is said to use, it is 0.496.) With N v² = 2 the variance of y becomes q' = 1
− e^(−2q), and it settles where q = 1 − e^(−2q).
"""

from __future__ import annotations

from sympy import Eq, Integer, LambertW, Rational, Symbol, exp, pi

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, at, chain, derived, then
from initmath.derivation import Derivation
from initmath.integral import q

PAPER = Paper(
    "Sitzmann, Martel, Bergman, Lindell & Wetzstein",
    2020,
    "Implicit neural representations with periodic activation functions",
    "arXiv:2006.09661; its principle as a reader's notes copy it",
    "at second hand",
)
STAR = 1 + LambertW(-2 * exp(-2)) / 2

CLAIM = Claim(
    "the principle of the initialization", "the variance of sin z, z ~ N(0, 1).", Rational(1, 2), holds=False
)
ALSO = (Checked(Claim("the same", "the variance of y in deep layers", Integer(1), holds=False), STAR),)
ERRATA = (
    Erratum(
        "Sitzmann et al. 2020: the law of the activations",
        "sin of a standard normal variable has the arcsine law's variance ½, and pre-activations stay N(0, "
        "1)",
        "Var sin z = ½(1 − e⁻²) = 0.4323…; with N v² = 2 the pre-activations settle at the variance 1 + "
        "W(−2e⁻²)/2 = "
        "0.79681…, W Lambert's function",
        "sin² = ½(1 − cos 2y) and E cos 2y = e^(−2q). The step from q to 1 − e^(−2q) has the slope "
        "2e^(−2q) < 1 at its "
        "fixed point, so that the layers do settle: the scheme works, for a slightly different reason.",
        "at second hand",
    ),
)
REMARKS = (
    "At that point χ₁ = 2 E cos² = 1 + e^(−2q) = 2 − q = 1.2032: gradients grow by 20 % (squared) a layer, "
    "as in the "
    "chaotic phase. The edge of chaos of sin is σ_w² = 2/(1 + e^(−2q)) (see Schoenholz 2017).",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Show the fixed point of the length map."""
    p = Symbol("q", positive=True)
    fixed = chain(
        Eq(p, 1 - exp(-2 * p)),
        then("collect", None, Eq(1 - p, exp(-2 * p)), "the exponential alone on one side."),
        then(
            "multiply",
            None,
            Eq((2 * p - 2) * exp(2 * p - 2), -2 * exp(-2)),
            "times −2e^(2q−2); now it has the form t e^t with t = 2q − 2.",
        ),
        then(
            "Lambert's function",
            None,
            Eq(p, STAR),
            "t e^t = c is solved by t = W(c), and q = 1 + t/2. (The other branch, t = −2, is q = 0: "
            "unstable.)",
        ),
    )
    return (("Where q = 2 E sin² = 1 − e^(−2q)", fixed, "Without biases, N v² = 2."),)


def derive() -> Derivation:
    """Show E sin² at q = 1; the mean is 0."""
    return at(derived("sin", "second_moment"), {q: Integer(1)})


def numbers() -> tuple[Measured, ...]:
    """Show the variance, the fixed point and the slope."""
    return (
        Measured("Var sin z", Rational(1, 2) - exp(-2) / 2, "siren.var_sin"),
        Measured("Var sin(πz/2)", Rational(1, 2) - exp(-(pi**2) / 2) / 2, ""),
        Measured("the stationary variance of y", STAR, "siren.qstar"),
        Measured("χ₁ there: 2 − q*", 2 - STAR, "siren.chi"),
    )
