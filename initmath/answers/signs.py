"""The field's signs, each written once for the terminal, ASCII and LaTeX."""

from __future__ import annotations

from initmath.display.inline import Label

__all__ = [
    "BIAS_VARIANCE",
    "CHI_1",
    "CHI_PARALLEL",
    "GAIN",
    "GRADIENT_GROWTH",
    "KERNELS",
    "MEAN",
    "MOMENTS",
    "Q1",
    "Q2",
    "Q_STAR",
    "SECOND_MOMENT",
    "SLOPE",
    "VARIANCE",
    "WEIGHT_VARIANCE",
    "Q",
]  # fmt: skip

WEIGHT_VARIANCE = Label("σ_w²", "sigma_w^2", r"\sigma_w^2")
BIAS_VARIANCE = Label("σ_b²", "sigma_b^2", r"\sigma_b^2")
GAIN = Label("σ_w", "sigma_w", r"\sigma_w")
GRADIENT_GROWTH = Label(
    "|δ_l|²/|δ_l+1|²", "|delta_l|^2/|delta_l+1|^2", r"|\delta_\ell|^2/|\delta_{\ell+1}|^2"
)
Q = Label("q", "q", "q")
Q_STAR = Label("q*", "q*", "q^*")
CHI_1 = Label("χ₁", "chi_1", r"\chi_1")
CHI_PARALLEL = Label("χ_∥", "chi_par", r"\chi_\parallel")
MEAN = Label("E g", "E g", r"\mathbb{E}\,g")
SECOND_MOMENT = Label("E g²", "E g^2", r"\mathbb{E}\,g^2")
VARIANCE = Label("Var g", "Var g", r"\operatorname{Var} g")
SLOPE = Label("E g′²", "E g'^2", r"\mathbb{E}\,g'^2")

MOMENTS = {
    "mean": MEAN, "second_moment": SECOND_MOMENT, "variance": VARIANCE, "derivative_second_moment": SLOPE,
}  # fmt: skip
"""The sign of each moment, by its name in the JSON."""

Q1 = Label("q₁", "q_1", "q_1")
Q2 = Label("q₂", "q_2", "q_2")

KERNELS = {
    "kernel": Label("E g(y₁) g(y₂)", "E g(y_1) g(y_2)", r"\mathbb{E}\,g(y_1)\,g(y_2)"),
    "derivative_kernel": Label("E g′(y₁) g′(y₂)", "E g'(y_1) g'(y_2)", r"\mathbb{E}\,g'(y_1)\,g'(y_2)"),
}
"""The sign of each two-point kernel, by its name in the JSON."""
