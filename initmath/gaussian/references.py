"""The sources that the rules cite, each written once."""

from __future__ import annotations

__all__ = [
    "CHO_SAUL",
    "DLMF_BESSEL",
    "DLMF_ERFC",
    "DLMF_EXPINT",
    "DLMF_GAMMA",
    "DLMF_HYPER",
    "DLMF_TRIG",
    "DLMF_U",
    "GENZ",
    "GOODWIN",
    "HADAMARD",
    "ISSERLIS",
    "OWEN",
    "SHEPPARD",
    "STEIN",
    "TONG",
    "WILLIAMS",
]

STEIN = "Stein, Estimation of the mean of a multivariate normal distribution, Ann. Statist. 9 (1981), lemma 1"
ISSERLIS = "Isserlis, On a formula for the product-moment coefficient, Biometrika 12 (1918), eq. (1)"
OWEN = "Owen, Tables for computing bivariate normal probabilities, Ann. Math. Stat. 27 (1956), eq. (2.1)"
SHEPPARD = (
    "Sheppard, On the application of the theory of error, Phil. Trans. A 192 (1899): quadrant probability"
)
WILLIAMS = "Williams, Computation with infinite neural networks, Neural Comput. 10 (1998), eq. (11)"
CHO_SAUL = "Cho & Saul, Kernel methods for deep learning, NIPS 22 (2009), eqs. (1)-(7), arXiv:1112.3712"
TONG = "Tong, The multivariate normal distribution, Springer (1990), §2.1 and §3.3"
GENZ = "Genz, Rectangular bivariate and trivariate normal and t probabilities, Stat. Comput. 14 (2004)"
HADAMARD = "Hadamard, Lectures on Cauchy's problem, Yale (1923), book III ch. 1 (finite part)"
GOODWIN = "Goodwin & Staton, Table of ∫ exp(−u²)/(u+x) du, Quart. J. Mech. Appl. Math. 1 (1948); DLMF 7.5.13"
DLMF_TRIG = "DLMF 4.21 (products of sines and cosines as sums), 4.14, 4.28 (exponential forms)"
DLMF_ERFC = "DLMF 7.7.1 (erfc as the Gaussian integral of 1/(t² + z²))"
DLMF_BESSEL = "DLMF 10.32.8, 10.32.9 (K_ν by exponential integrals)"
DLMF_U = "DLMF 13.4.4, 13.3.7 (Tricomi U: integral and three-term recurrence)"
DLMF_GAMMA = "DLMF 8.2.2, 8.6.4 (incomplete gamma function)"
DLMF_HYPER = "DLMF 7.7.1 integrated in z; 7.6.1, 16.2.1 (₂F₂(1,1;3/2,2;z²) = (√π/z²)∫ e^(t²) erf t dt)"
DLMF_EXPINT = "DLMF 6.2, 7.5.13"
