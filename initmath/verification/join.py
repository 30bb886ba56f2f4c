r"""One quantity's scores, one a network and layer, joined over the networks.

Three ways, by what is known of a score if the claim is true:

- its law is χ²: so is the sum (`from_chi2`);
- its mean 0, variance 1 and skewness: the sum is normal, once the skewness is taken out (`joined`);
- its mean 0 and skewness, and its variance to leading order in 1/N only (weights that are not Gaussian): the
  networks' own spread stands in for the variance, and the mean over networks is Student's t, once the
  skewness is taken out (`joined` with ``studentised``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from initmath.verification.normal import (
    expected_score_of_t,
    normal_score_of_chi2,
    normal_score_of_t,
    t_without_skewness,
    without_skewness,
)

__all__ = ["MOMENTS", "NEGLIGIBLE", "Innovation", "Place", "Scores", "from_chi2", "joined"]

Real = NDArray[np.float64]

MOMENTS = ("second_moment", "derivative")
"""The quantities that judge a moment of the activation, E g² and E g'², and not σ_w²."""

SKEWNESS = 0.5
"""Of a layer's sum over networks, per single network alone: beyond it the tail decides and the mean cannot be
tested."""

STUDENTS_SKEWNESS = 0.2
"""The same where the spread is estimated too: it then moves with the mean."""

NEGLIGIBLE = 0.2
"""Shift of a sum over layers, in standard errors, that may come from what is neglected.  A shift δ multiplies
the chance that |T| passes c by about cosh(c δ) exp(−δ²/2): 1.2 at c = 3.3, which is the 1 % level shared by
ten sums."""


@dataclass(frozen=True)
class Innovation:
    """One quantity's innovations, joined over networks.

    Attributes
    ----------
    quantity : str
    z : ndarray, shape (L,)
        Standard normal if the claim is true; NaN in layers where nothing could be tested.
    count : ndarray of int, shape (L,)
        How many networks went into it.
    sensitivity : ndarray, shape (L,)
        By how much z moves on average if σ_w² (for one of `MOMENTS`: if that moment) is 1 % wrong; 0 where
        that is not used.
    exact : ndarray of int, shape (L,)
        How many networks were compared exactly, because the quantity has no variance of its own.
    mismatches : ndarray of int, shape (L,)
        How many of those did not agree.
    heavy : ndarray of int, shape (L,)
        How many networks were left out because the law is too skewed for a mean to be tested.
    coarse : ndarray of int, shape (L,)
        How many were left out because the law is known to first order in 1/N only, and what comes after that
        might refute a true claim.
    remainder : float
        By how much the sum over layers may be off for that reason, in standard errors.
    sharp : bool
        Whether anything that was compared exactly would show if it were 1 % wrong.
    """

    quantity: str
    z: Real
    count: NDArray[np.intp]
    sensitivity: Real
    exact: NDArray[np.intp]
    mismatches: NDArray[np.intp]
    heavy: NDArray[np.intp]
    coarse: NDArray[np.intp]
    remainder: float = 0.0
    sharp: bool = True


@dataclass(frozen=True)
class Place:
    """Which layer each score belongs to, of how many."""

    column: NDArray[np.intp]
    layers: int

    def add(self, values: Real, which: NDArray[np.bool_]) -> Real:
        """Sum over networks, layer by layer."""
        return np.asarray(np.bincount(self.column[which], values[which], self.layers), np.float64)

    def count(self, which: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Count over networks, layer by layer."""
        return np.bincount(self.column[which], minlength=self.layers)


@dataclass(frozen=True)
class Scores:
    """One score a network and layer; everything of shape (n,).

    Attributes
    ----------
    z : ndarray
        Mean 0 and variance 1; NaN where there is nothing random to judge.
    skewness : ndarray
    moves : ndarray, optional
        By how much z moves if σ_w² (for one of `MOMENTS`: if that moment) is 1 % wrong.
    compared, agrees : ndarray of bool, optional
        What has no variance: whether both sides are numbers, so that it was compared; and whether they agree.
    remainder : ndarray, optional
        By how much the mean of z may differ from 0 because the law is known to first order in 1/N only.
    sharp : ndarray of bool, optional
        Where the comparison would show 1 %; everywhere unless given.
    """

    z: Real
    skewness: Real
    moves: Real | None = None
    compared: NDArray[np.bool_] | None = None
    agrees: NDArray[np.bool_] | None = None
    remainder: Real | None = None
    sharp: NDArray[np.bool_] | None = None


def from_chi2(quantity: str, place: Place, value: Real, freedom: Real, share: Real) -> Innovation:
    """Sum χ² variables over networks and turn each layer's sum into a normal score.

    Parameters
    ----------
    quantity : str
    place : Place
    value, freedom : ndarray, shape (n,)
        NaN values are left out.
    share : ndarray, shape (n,)
        Which part of the value is proportional to σ_w².
    """
    good = np.isfinite(value)
    total, degrees = place.add(value, good), place.add(freedom, good)
    with np.errstate(all="ignore"):
        moves = 0.01 * place.add(freedom * share, good) / np.sqrt(2 * degrees)
    z = np.full(place.layers, np.nan)
    tested = degrees > 0
    z[tested] = normal_score_of_chi2(total[tested], degrees[tested])
    none = np.zeros(place.layers, np.intp)
    return Innovation(quantity, z, place.count(good), np.where(tested, moves, 0), none, none, none, none)


def joined(quantity: str, place: Place, scores: Scores, studentised: bool = False) -> Innovation:
    """Join scores of mean 0 over networks; judge what has no variance one by one.

    Parameters
    ----------
    quantity : str
    place : Place
    scores : Scores
    studentised : bool
        Whether the networks' own spread is used in place of the variance 1.
    """
    z = scores.z
    random = np.isfinite(z)
    usual = np.sqrt(np.maximum(place.count(random), 1))[place.column]
    heavy = random & (np.abs(scores.skewness) > SKEWNESS * usual)
    random &= ~heavy
    with np.errstate(all="ignore"):
        left = np.abs(place.add(scores.skewness, random)) / place.count(random) ** 1.5
    limit = STUDENTS_SKEWNESS if studentised else SKEWNESS
    skewed = random & (left > limit)[place.column]
    heavy |= skewed
    random &= ~skewed
    count = place.count(random)
    with np.errstate(all="ignore"):
        total = place.add(z, random) / np.sqrt(count)
        gamma = place.add(scores.skewness, random) / count**1.5
        spread = np.ones(place.layers)
        if studentised:
            mean = (total / np.sqrt(count))[place.column]
            spread = np.sqrt(place.add((z - mean) ** 2, random) / (count - 1))
            count = np.where(spread > 0, count, 0)  # a single network does not know its spread
            t = t_without_skewness(total / spread, gamma)
            score = normal_score_of_t(t, np.maximum(count - 1, 1))
        else:
            score = without_skewness(total, gamma)
        moved, off = (
            np.where(count > 0, place.add(part, random) / np.sqrt(count), 0)
            if part is not None
            else np.zeros(place.layers)
            for part in (scores.moves, scores.remainder)
        )
        off = np.where(count > 0, off / spread, 0)
        if studentised and scores.moves is not None:
            moved = expected_score_of_t(moved, np.maximum(count - 1, 1))
    score = np.where(count > 0, score, np.nan)
    exact = wrong = np.zeros(place.layers, np.intp)
    sharp = True
    if scores.compared is not None and scores.agrees is not None:
        which = np.isnan(z) & scores.compared
        exact, wrong = place.count(which), place.count(which & ~scores.agrees)
        sharp = scores.sharp is None or bool((which & scores.sharp).any())
    weight = np.sqrt(count)
    remainder = float(weight @ off / max(np.sqrt(weight @ weight), 1.0))
    coarse = np.zeros(place.layers, np.intp)
    if not remainder <= NEGLIGIBLE:
        coarse, count = count, coarse
        score, moved = np.full(place.layers, np.nan), np.zeros(place.layers)
    return Innovation(
        quantity, score, count, moved, exact, wrong, place.count(heavy), coarse, remainder, sharp
    )
