"""The tutorials' ranges judged: uniform weights on [−1, 1], [−0.1, 0.1], [−0.5, 0.5], (0, 0.01), (0, n^−½).

A range without the number of inputs says nothing: what counts is N v², N times the variance of a weight. A
uniform weight on [a, b] has the variance (b − a)²/12. So [−1, 1] gives N v² = N/3, [−0.5, 0.5] gives N/12
and [−0.1, 0.1] gives N/300. Each is right for one width, and wrong by orders of magnitude for others.

ReLU wants N v² = 2 exactly. tanh wants 1 or a little more. Below 1 its signal dies out, far above 1 it is
chaotic and saturated (χ₁, the growth of the squared gradient in a layer, is in the numbers). The logistic
function has a mean of ½ that feeds the next layer: it never dies, but χ₁ is far below 1, and gradients
vanish, unless N v² > 100.

Ranges from 0 upwards have the mean b/2 as well. Outputs that are not negative, with mean μ, then give every
unit of the next layer the same shift N μ b/2. For ReLU, where the units go on to be alike and positive, a
layer simply multiplies by N b/2: N/200 for (0, 0.01), √N/2 for (0, N^−½). All units of a layer then say
nearly the same. For tanh and the logistic function the common output m goes to where m = g(N b m/2), and a
gradient that the copies share is multiplied by the slope (N b/2) g' there, in each layer (below 1, it
vanishes). tanh falls silent where N b/2 ≤ 1, at (0, 0.01) up to 200 inputs and at (0, N^−½) up to 4, and
saturates with many more; the logistic function saturates where N b/2 is large.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sympy import Integer, Integral, Rational, Symbol, diff, exp, sqrt, tanh

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, chain, then
from derivations.orbits import enclosed
from initmath.derivation import Derivation

PAPER = Paper(
    "A tutorial, and a question on Cross Validated",
    "(undated)",
    "Random initialization of weights in a neural network (section 4); What are good initial weights with "
    "ReLU?",
    "Baeldung on Computer Science; stats.stackexchange.com",
    "in full",
)
N, a, b, mu = (Symbol(n, positive=True) for n in ("N", "a", "b", "mu"))
w = Symbol("w", real=True)

CLAIM = Claim("the variance of a uniform law", "N v² for weights uniform on [a, b].", N * (b - a) ** 2 / 12)
HALF = "section 4: [−0.5, 0.5] 'is adequate for most uses'"


def _range(low: object, high: object, width: int) -> object:
    return CLAIM.value.subs({a: low, b: high, N: Integer(width)})


ALSO = (
    Checked(
        Claim(HALF, "N v² with 100 inputs, if adequate for tanh (1)", Integer(1), holds=False),
        _range(-Rational(1, 2), Rational(1, 2), 100),
    ),
    Checked(
        Claim(HALF, "N v² with 12 inputs, if adequate for tanh (1)", Integer(1)),
        _range(-Rational(1, 2), Rational(1, 2), 12),
    ),
    Checked(
        Claim(
            "(0, n^−½), ReLU",
            "factor of the mean in a layer with n = 100 inputs, if it is to be kept",
            Integer(1),
            holds=False,
        ),
        sqrt(100) / 2,
    ),
)
ERRATA = (
    Erratum(
        "The tutorial 'Random initialization of weights in a neural network', section 4",
        "For tanh or the logistic function 'a range [−0.5: 0.5] is adequate for most uses'",
        "N v² = N/12: right for tanh at about 12 inputs. With 100 inputs it is 8.3, with 1000 it is 83: "
        "saturated and "
        "chaotic. For the logistic function N v² has to exceed 103 to keep gradients: about 1236 inputs.",
        "v² of the uniform law is 1/12; tanh at N v² = 100/12 settles at q* = 5.73 with χ₁ = 1.80: squared "
        "gradients grow by "
        "80 % a layer. The logistic function's χ₁ is in the table of numbers.",
        "in full",
    ),
    Erratum(
        "A comment quoted on Cross Validated: weights in (0, 0.01) or (0, n^−½) for ReLU",
        "weights from (0, 0.01) or (0, n^(−1/2))",
        "Read as uniform on that interval, all weights are positive: the mean output is multiplied by "
        "n/200, or by √n/2, in "
        "each layer (kept at n = 200, or n = 4, only), and all units become nearly copies. Read as mean 0 "
        "and "
        "standard deviation: N v² = 10⁻⁴ n, right at n = 20 000 only, or 1, half of what ReLU needs.",
        "E Σ w_j x_j = n (b/2) μ, and positive weights and inputs make every y positive, where ReLU is the "
        "identity. "
        "The variance across units is n b²/12 E x², smaller than the squared mean by the factor 3n μ²/E x². "
        "N v² = 2 is He's condition.",
        "in full",
    ),
)
REMARKS = (
    "Below, 'inputs' is N. At q* = 0 the signal dies out: the variance of y shrinks by N v² in each layer.",
    "All of it is about depth. With one hidden layer a range that is wrong by a factor of two is repaired "
    "by training.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Show the shift that a positive mean of the weights gives."""
    mean = Integral(w, (w, a, b)) / (b - a)
    shift = chain(
        N * mu * mean,
        then("antiderivative", Integral(w, (w, a, b)), (b**2 - a**2) / 2, "w²/2 from a to b."),
        then("cancel", None, N * mu * (a + b) / 2, "b² − a² = (b − a)(b + a)."),
    )
    return (
        ("The mean of y = Σ w_j x_j when every x_j has mean μ", shift, "N independent products: N μ E w."),
    )


def derive() -> Derivation:
    """Show N times the mean square about the middle (a + b)/2."""
    middle = (a + b) / 2
    square = Integral((w - middle) ** 2, (w, a, b))
    return chain(
        N * square / (b - a),
        then(
            "antiderivative",
            square,
            (b - a) ** 3 / 12,
            "(w − m)³/3 from a to b with m = (a + b)/2: ((b − a)/2)³/3, twice; one factor b − a cancels.",
        ),
    )


CASES = (
    ("[−1, 1]", Integer(1), 100),
    ("[−0.5, 0.5]", Rational(1, 2), 10),
    ("[−0.5, 0.5]", Rational(1, 2), 100),
    ("[−0.5, 0.5]", Rational(1, 2), 1000),
    ("[−0.1, 0.1]", Rational(1, 10), 100),
    ("[−0.1, 0.1]", Rational(1, 10), 1000),
)
POSITIVE = (("(0, 0.01)", Rational(1, 100), 100), ("(0, N^−½)", Rational(1, 10), 100))


@cache
def numbers() -> tuple[Measured, ...]:
    """Show what the ranges do to ReLU, tanh and the logistic function."""
    found = []
    for text, half, width in CASES:
        label = f"{text}, {width} inputs: "
        weights = _range(-half, half, width)
        found.append(Measured(label + "N v²", weights))
        found.append(Measured(label + "ReLU, factor of E g² in a layer", weights / 2))
        for name in ("tanh", "sigmoid"):
            found += _settled(label, name, weights)
    for text, top, width in POSITIVE:
        label, factor = f"{text}, {width} inputs: ", width * top / 2
        found.append(Measured(label + "ReLU, factor of the mean in a layer, N b/2", factor))
        for name, shown in (("tanh", "tanh"), ("sigmoid", "logistic")):
            found += _alike(f"{label}{shown}", name, factor)
    return tuple(found)


def _alike(label: str, name: str, factor: Rational) -> list[Measured]:
    """Show where copies of one unit settle, m = g(N b m/2), and the slope (N b/2) g' there."""
    from flint import arb

    from initmath.balls import bits, evaluate, working_precision
    from initmath.solving.roots import isolate

    m = Symbol("m", positive=True)
    g = tanh(factor * m) if name == "tanh" else 1 / (1 + exp(-factor * m))
    if (
        name == "tanh" and factor <= 1
    ):  # tanh x < x: no fixed point but 0, where the slope is the factor itself
        return [Measured(f"{label}, the common output", Integer(0)), Measured(f"{label}, its slope", factor)]

    def ball(expr: Any) -> Any:
        return lambda box, digits: evaluate(expr, {m: box}, bits(digits))

    (root,) = isolate(ball(g - m), ball(diff(g, m) - 1), arb("0.001"), arb(2), digits=20).roots
    with working_precision(bits(25)):
        slope = evaluate(diff(g, m), {m: root}, bits(25))
    return [
        Measured(f"{label}, the common output", enclosed(root, "interval Newton method")),
        Measured(f"{label}, its slope", enclosed(slope, "interval Newton method")),
    ]


def _settled(label: str, name: str, weights: object) -> list[Measured]:
    from initmath import mean_field

    shown = {"tanh": "tanh", "sigmoid": "logistic"}[name]
    rows = []
    for point in mean_field(name, sigma_w2=weights, sigma_b2=0).fixed_points:
        if point.stability == "stable":
            rows.append(Measured(f"{label}{shown}, q*", point.q_star))
            rows.append(Measured(f"{label}{shown}, χ₁", point.chi_1))
    return rows
