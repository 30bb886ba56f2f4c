"""Kumar: for the sigmoid the rule gives v = 3.6/√N; the variance then settles at 0.10, not at 1.

With g(0) = ½ and g'(0) = ¼ the general rule (eq. 12) is N v² = 64/5 = 12.8, v = 8/√(5N) ≈ 3.578/√N,
which the paper rounds to 3.6/√N (eq. 19).

What such a network really does: the sigmoid's outputs lie between 0 and 1, so their variance is
below ¼ (kumar_2017_no_solution) and can never be 1. The outputs have mean ½ exactly, by symmetry,
and at N v² = 12.8 the variance of the pre-activations settles at u² = 4.535 (the tangent promises
16), that of the outputs at 0.1043.

The paper's experiment (Figure 3) was run with yet another variance: its code passes 3.6 as Keras's
`scale`, which is N v² and not v√N, and so asks for v = 1.897/√N. The Keras of that year drew truncated
normals without rescaling them: it got N v² = 2.785, v = 1.669/√N. Gradients shrink less with that than
with Xavier's variance, the other curve: N v² = 1 asked for and 0.774 got, between layers of equal width.
"""

from __future__ import annotations

from sympy import Derivative, Eq, Integer, Rational, Symbol, erf, exp, pi, sqrt, tanh

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, chain, derived, then
from derivations.orbits import fixed_point, orbit
from initmath.derivation import Derivation

PAPER = Paper(
    "Kumar", 2017, "On weight initialization in deep neural networks", "arXiv:1704.08863", "in full"
)
CLAIM = Claim("eq. (19)", "v √N for the sigmoid.", "3.6")

y = Symbol("y", real=True)
w = Symbol("w", positive=True)
CUT = Rational(18, 5) * (1 - 4 * exp(-2) / (sqrt(2 * pi) * erf(sqrt(2))))
"""3.6 times the variance of a standard normal number that is drawn anew beyond ±2."""
SIGMOID = 1 / (1 + exp(-y))

SETTLED = fixed_point("sigmoid", Rational(64, 5))
PRINTED = fixed_point("sigmoid", Rational(1296, 100))
CODE = fixed_point("sigmoid", Rational(36, 10))
DRAWN = fixed_point("sigmoid", Rational(str(CUT.evalf(40))))
XAVIER = fixed_point("sigmoid", 1)

ALSO = (
    Checked(Claim("section 3.2", "g(0)", Rational(1, 2)), SIGMOID.subs(y, 0)),
    Checked(Claim("section 3.2", "g'(0)", Rational(1, 4)), SIGMOID.diff(y).subs(y, 0)),
    Checked(
        Claim("section 2, the goal", "Var of a layer's output, after many layers", Integer(1), holds=False),
        SETTLED[1],
    ),
    Checked(
        Claim("eq. (6), (12): not printed", "u² = 12.8 (1 + 1/4), in the limit", Integer(16), holds=False),
        SETTLED[0],
    ),
)

ERRATA = (
    Erratum(
        "Kumar 2017, eq. (12) and (19), for the sigmoid: what the rule keeps",
        "v = 3.6/√N keeps the variance of the layers' outputs at 1",
        "it settles at 0.105 (u² = 4.60; with the unrounded N v² = 12.8 at 0.1043)",
        "Outputs in (0, 1) have a variance below 1/4.  The fixed point of u² = N v² E g(u z)² is certified.",
        "in full",
    ),
    Erratum(
        "Kumar 2017, code of Figure 3",
        "VarianceScaling(scale=3.6) for v = 3.6/√N",
        "scale = 12.96: Keras's scale is N v²",
        "scale = 3.6 is v = √3.6/√N = 1.897/√N.  (The Keras of that year also drew truncated "
        "normals without "
        "rescaling them, so that N v² was 3.6 · 0.773741 = 2.785.)",
        "in full",
    ),
    Erratum(
        "Kumar 2017, section 3.2: what Figure 3 shows",
        "the top 5 accuracy on the validation dataset",
        "that on the training images",
        "The public code plots history['top_k_categorical_accuracy']; Keras keeps the validation's under "
        "'val_top_k_categorical_accuracy'.",
        "in full",
    ),
    Erratum(
        "Kumar 2017, caption of Figure 2",
        "stride lengths in all layers are 2 × 2",
        "The public code of the experiment leaves the convolutions at Keras's default, 1 × 1.",
        "No stride is passed to a convolution in the code that the paper links to. It does not change N "
        "v², which "
        "counts inputs of a unit; it changes which network Figure 3 shows.",
        "in full",
    ),
)

REMARKS = (
    "The mean square of a gradient shrinks to 0.354 of itself in each layer at N v² = 12.8, to 0.159 at the "
    "3.6 that the experiment's code asks for, to 0.131 at the 2.785 that it got, and to 0.056 at N v² = 1: "
    "large weights do help, though not as the paper says (kumar_2017_gradient).",
    "If a variance is to be kept, one below 1/4 can be: Var = 1/10 needs N v² = 11.79.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Give the slope at 0, the mean, and what the variance is a variance of."""
    slope = Derivative(SIGMOID, y)
    rule = chain(
        slope,
        then(
            "differentiate",
            slope,
            exp(-y) / (1 + exp(-y)) ** 2,
            "the derivative of 1/h is −h'/h² with h = 1 + e^(−y), h' = −e^(−y).  At y = 0: 1/2² = 1/4.",
        ),
    )
    odd = chain(
        SIGMOID - Rational(1, 2),
        then(
            "common denominator",
            None,
            (1 - exp(-y)) / (2 * (1 + exp(-y))),
            "subtract over the denominator 2(1 + e^(−y)).",
        ),
        then(
            "hyperbolic tangent",
            None,
            tanh(y / 2) / 2,
            "multiply above and below by e^(y/2): (e^(y/2) − e^(−y/2))/(e^(y/2) + e^(−y/2)).",
        ),
    )
    return (
        ("g'(0)", rule, "g(0) = 1/(1 + 1) = 1/2."),
        (
            "The mean of the output",
            derived("sigmoid", "mean"),
            "In the steps x stands for the pre-activation y and q for its variance u².",
        ),
        (
            "The output about its mean",
            odd,
            "So Var g = ¼ E tanh²(y/2), which is less than ¼: tanh² < 1.",
        ),
    )


def numbers() -> tuple[Measured, ...]:
    """Where the variance goes, at each of the five N v² that are involved."""
    rows = [
        Measured("N v², exact", Rational(64, 5), "kumar.eq12.sigmoid"),
        Measured("N v² that the code of Figure 3 asks for", Rational(18, 5), "kumar.code.scale"),
        Measured("N v² that it got, without rescaling", CUT, "kumar.code.scale_truncated"),
        Measured("v √N that the code asks for", sqrt(Rational(18, 5))),
        Measured("v √N that it got", sqrt(CUT)),
        Measured("N v² of the other curve, equal widths", CUT / Rational(18, 5)),
    ]
    for label, key, found in (
        ("12.8", "12.8", SETTLED),
        ("12.96 (v = 3.6/√N)", "12.96", PRINTED),
        ("3.6 (the code)", "3.6", CODE),
        ("2.785 (as it was drawn)", "", DRAWN),
        ("1 (Xavier)", "1", XAVIER),
    ):
        names = (("u²", "qstar"), ("Var g", "var"), ("χ₁", "chi"))
        rows += [
            Measured(
                f"N v² = {label}: {name} after many layers", value, key and f"kumar.sigmoid.Nv2={key}.{end}"
            )
            for (name, end), value in zip(names, found, strict=True)
        ]
    for k, (_, variance) in enumerate(orbit("sigmoid", Rational(64, 5), Rational(64, 5), 3), start=1):
        rows.append(Measured(f"N v² = 12.8: Var of layer {k}", variance, f"kumar.sigmoid.Nv2=12.8.traj.{k}"))
    return tuple(rows)


def derive() -> Derivation:
    """Eq. (12) with g(0) = ½, g'(0) = ¼, for w = v√N."""
    start = Eq(w**2 / 16 * (1 + Rational(1, 4)), 1)
    square = Eq(w**2, Rational(64, 5))
    return chain(
        start,
        then(
            "divide",
            start,
            square,
            "g'(0)² N v² (1 + g(0)²) = 1 with w = v√N, and (1/16)(1 + 1/4) = 5/64: divide by it.",
        ),
        then("root", square, Eq(w, 8 / sqrt(5)), "w is positive; √64 = 8."),
    )
