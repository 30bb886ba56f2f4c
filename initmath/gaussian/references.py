"""The sources that the rules cite, each written once."""

from __future__ import annotations

__all__ = [
    "ALGEBRA",
    "CALCULUS",
    "DAVID",
    "DLMF_BESSEL",
    "DLMF_ERFC",
    "DLMF_GAMMA",
    "DLMF_HYPER",
    "DLMF_TRIG",
    "DLMF_U",
    "GOODWIN",
    "HADAMARD",
    "ISSERLIS",
    "OWEN",
    "SHEPPARD",
    "STEIN",
    "TONG",
]

ALGEBRA = "elementary algebra (distributive law)"
STEIN = "Stein, Estimation of the mean of a multivariate normal distribution, Ann. Stat. 9 (1981), lemma 1"
ISSERLIS = "Isserlis, On a formula for the product-moment coefficient, Biometrika 12 (1918) 134-139"
OWEN = "Owen, Tables for computing bivariate normal probabilities, Ann. Math. Statist. 27 (1956) 1075-1090"
SHEPPARD = "Sheppard, On the application of the theory of error, Phil. Trans. A 192 (1899) 101-167 (quadrant)"
CALCULUS = "elementary calculus (an integral is the sum of those over the pieces)"
TONG = "Tong, The multivariate normal distribution, Springer (1990), ch. 2-3"
DAVID = "David, A note on the evaluation of the multivariate normal integral, Biometrika 40 (1953) 458-459"
HADAMARD = "Hadamard, Lectures on Cauchy's problem, Yale (1923), book III ch. 1 (finite part)"
GOODWIN = "Goodwin & Staton, Table of ∫ exp(−u²)/(u+x) du, Quart. J. Mech. Appl. Math. 1 (1948); DLMF 7.5.13"
DLMF_TRIG = "DLMF 4.21.15-4.21.17 (products of sines and cosines), 4.28 (hyperbolic functions), 7.2 (erf)"
DLMF_ERFC = "DLMF 7.7.1 (erfc as the Gaussian integral of 1/(t² + z²))"
DLMF_BESSEL = "DLMF 10.32.8, 10.32.9 (K_ν by exponential integrals)"
DLMF_U = "DLMF 13.4.4, 13.3.8 (Tricomi U: integral, three-term recurrence)"
DLMF_GAMMA = "DLMF 8.2.2 (incomplete gamma function), 5.2.1 (gamma function)"
DLMF_HYPER = "DLMF 7.7.1 integrated in z; 7.6.1, 16.2.1 (₂F₂(1,1;3/2,2;z²) = (√π/z²)∫ e^(t²) erf t dt)"
