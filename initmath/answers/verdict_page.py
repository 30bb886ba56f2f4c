"""What a reader of `verify` sees: the verdict, why, and layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initmath.answers import signs
from initmath.display.document import Block, Caution, Facts, Heading, Paragraph, Table
from initmath.display.inline import Inline, decimal

if TYPE_CHECKING:
    from initmath.answers.verification import Verification
    from initmath.verification import Check

__all__ = ["page"]

LAYERS = 12
"""Layers that the table shows; the JSON has all."""

_NAMES: dict[str, Inline] = {
    "q": "q",
    "mean": "mean of x",
    "second_moment": "E x²",
    "variance": "Var x",
    "correlation": "correlation",
    "gradient_norm": signs.GRADIENT_GROWTH,
}


def page(result: Verification) -> tuple[Block, ...]:
    """Return the blocks of a verification, from top to bottom."""
    blocks: list[Block] = [
        Heading(f"{result.activation}: {result.verdict.value.upper()}", 1),
        Paragraph(result.reason[:1].upper() + result.reason[1:] + "."),
    ]
    blocks += [Caution(note) for note in result.notes]
    blocks += [_experiment(result), Heading("Tests"), _tests(result), Heading("Layers"), _layers(result)]
    return tuple(blocks)


def _experiment(result: Verification) -> Facts:
    powers = [(result.power, "a σ_w²"), (result.power_of_moment, "an E g²")]
    if result.power_of_derivative is not None:
        powers.append((result.power_of_derivative, "an E g'²"))
    claim = (
        "the exact map of a layer"
        if result.claim == "exact"
        else f"what {result.criterion} says stays the same"
    )
    sigma: Inline = _weight_variance(result)
    if result.simulated_sigma_w2 != result.sigma_w2:
        sigma = (sigma, f" predicted, {result.simulated_sigma_w2:.8g} simulated")
    return Facts(
        (
            ("claim", claim),
            (signs.WEIGHT_VARIANCE, sigma),
            (signs.BIAS_VARIANCE, f"{result.sigma_b2:g}"),
            ("q in layer 1", f"{result.q:.8g}"),
            (
                "networks",
                f"{result.networks}, width {result.width}, depth {result.depth}, {result.weights} weights",
            ),
            ("L/N", f"{result.depth_to_width:.3g}"),
            ("joint p-value", f"{result.p_value:.3g} (refuted below {result.level:g})"),
            *(
                ("" if number else "power", f"{power:.4g} against {what} that is 1 % wrong")
                for number, (power, what) in enumerate(powers)
            ),
        )
    )


def _weight_variance(result: Verification) -> Inline:
    """Return the criterion's with its error, or the one that was given."""
    number = result.criterion_sigma_w2
    if number is None:
        return f"{result.sigma_w2:.8g}"
    form = number.closed_form
    return form if form is not None and form.is_Integer else decimal(number)


def _tests(result: Verification) -> Table:
    rows = tuple(
        (
            test.quantity,
            "sum over layers" if test.kind == "sum" else "single layers",
            f"z = {test.statistic:+.2f}"
            if test.kind == "sum"
            else f"χ² = {test.statistic:.1f} ({test.freedom})",
            f"{test.p:.3g}",
        )
        for test in result.tests
    )
    return Table(("quantity", "test", "statistic", "p"), rows)


def _layers(result: Verification) -> Table:
    depth = result.depth
    if depth <= LAYERS:
        shown = set(range(1, depth + 1))
    else:
        shown = {1, 2, 3, *(round(1 + (depth - 1) * k / (LAYERS - 3)) for k in range(1, LAYERS - 2)), depth}
    rows = tuple(
        (
            str(check.layer),
            _NAMES[check.quantity],
            _number(check.predicted),
            f"{check.simulated:.6g} ± {check.standard_error:.2g}",
            _z(check),
        )
        for check in result.checks
        if check.layer in shown
    )
    return Table(("layer", "quantity", "predicted", "simulated", "z"), rows)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def _z(check: Check) -> str:
    return "mean not estimable" if check.z is None else f"{check.z:+.2f}"
