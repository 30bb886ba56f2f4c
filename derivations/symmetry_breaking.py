"""Units that start with equal weights stay equal: why a network cannot start from constants.

Two hidden units with the same input x, incoming weights w₁, w₂ and outgoing weights v₁, v₂ (activation sin
here; any other will do).  Let δ be the error signal from above, the same for both because it is made from
the output.  One step of gradient descent at rate η (the delta rule) changes w_i by η δ v_i g'(w_i x) x and
v_i by η δ g(w_i x).  If w₁ = w₂ and v₁ = v₂, both units change by the same amount, and are equal again: by
induction for ever.  N such units are one unit with N times the outgoing weight, whatever N was paid for.

Between networks it is the same: two networks that start alike, and see the same data in the same order, are
equal after every step.  Repeating a trial with the same start repeats the trial; it explores nothing.
"""

from __future__ import annotations

from sympy import Integer, Limit, Symbol, cos, sin

from derivations.literate import Checked, Claim, Erratum, Paper, chain, then
from initmath.derivation import Derivation

PAPER = Paper(
    "A tutorial",
    "(undated)",
    "Random initialization of weights in a neural network",
    "Baeldung on Computer Science",
    "in full",
)
w1, w2, v, x, e, eta = (Symbol(n, positive=True) for n in ("w_1", "w_2", "v", "x", "delta", "eta"))
N, xj, xk = (Symbol(n, positive=True) for n in ("N", "x_j", "x_k"))

CLAIM = Claim(
    "section 3.1", "the difference of two units' weights after a step from equal weights.", Integer(0)
)
ALSO = (
    Checked(
        Claim(
            "section 3.1, 'the new set of weights will all have the same numerical value'",
            "the difference of two weights of one unit after a step, error t − y = δ, inputs x_j and x_k",
            Integer(0),
            holds=False,
        ),
        eta * e * xj - eta * e * xk,
    ),
)
ERRATA = (
    Erratum(
        "The tutorial 'Random initialization of weights in a neural network', section 3.1",
        "From equal weights 'the new set of weights will all have the same numerical value', in a network "
        "with one "
        "layer.",
        "Equal units stay equal. The weights of one unit do not: they differ after the first step.",
        "The tutorial's own delta rule is Δw_j = γ x_j (t − y): it has the factor x_j, so that two weights "
        "of one unit "
        "differ by γ (x_j − x_k)(t − y) after the step; and a single layer whose outputs have different "
        "targets "
        "needs no random start at all. What constant weights spoil is hidden layers.",
        "in full",
    ),
    Erratum(
        "The same tutorial, section 5.2",
        "He initialization is from 'a famous paper by Kaiming He et al. published in 2005'",
        "2015",
        "He, Zhang, Ren & Sun, Delving deep into rectifiers, arXiv:1502.01852, February 2015.",
        "in full",
    ),
)
REMARKS = (
    "The argument needs the two units to be exchangeable, not the weights to be all the same: it is enough "
    "that they "
    "agree in all incoming and all outgoing weights. Random incoming weights alone break the symmetry.",
    "Dropout, or a random order of the data for each of two networks, breaks it as well: the units no "
    "longer see the "
    "same δ.",
    "All weights 0 is worse with g(0) = 0: then v = 0 stops the incoming weights and g(0) = 0 the outgoing "
    "ones, and "
    "nothing but the last bias moves.",
)


def _slope(w: Symbol) -> object:
    return cos(w * x)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Show the outgoing weights."""
    before = (v + eta * e * sin(w1 * x)) - (v + eta * e * sin(w2 * x))
    outgoing = chain(
        Limit(before, w2, w1),
        then("continuity", None, Integer(0), "put w₂ = w₁: both units have the output g(w₁ x)."),
    )
    merged = chain(
        (N - 1) * v * sin(w1 * x) + v * sin(w1 * x),
        then("collect", None, N * v * sin(w1 * x), "the last of the N equal terms beside the N − 1 others."),
    )
    whole = (w1 + eta * e * v * x * _slope(w1)) - (w2 + eta * e * v * x * _slope(w2))
    networks = chain(
        Limit(whole, w2, w1),
        then(
            "same data, same start",
            None,
            Integer(0),
            "w₁ and w₂ are now the same weight in two networks: with w₂ = w₁ they have the same outputs, "
            "so the same δ.",
        ),
    )
    return (
        (
            "One weight in two networks that start alike, after a step",
            networks,
            "The same v, x, η, and δ, because everything above the weight is alike as well: by "
            "induction, for ever.",
        ),
        (
            "The outgoing weights after a step: v₁ − v₂",
            outgoing,
            "v_i becomes v + η δ g(w_i x), from v₁ = v₂ = v.",
        ),
        ("What N equal units compute", merged, "Each contributes v g(w₁ x) to the unit above."),
    )


def derive() -> Derivation:
    """Show the incoming weights after a step: w₁ − w₂ for w₂ = w₁."""
    after = (w1 + eta * e * v * x * _slope(w1)) - (w2 + eta * e * v * x * _slope(w2))
    collected = (w1 - w2) + eta * e * v * x * (cos(w1 * x) - cos(w2 * x))
    return chain(
        Limit(after, w2, w1),
        then(
            "collect",
            Limit(after, w2, w1),
            Limit(collected, w2, w1),
            "g' = cos; bring the terms of the two units together.",
        ),
        then(
            "continuity", None, Integer(0), "put w₂ = w₁: each difference is 0, whatever δ, η, v and x are."
        ),
    )
