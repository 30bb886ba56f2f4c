r"""The kernels of infinitely wide, deep, fully connected networks for many inputs: NNGP and NTK.

What is carried from layer to layer is q for each input and 1 − c for each pair: in a deep network all
correlations tend to one number, mostly 1, and what is left of their differences is all that there is to know.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from initmath.activation import Activation, resolve
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.kernels.closed import Homogeneous, LinearErf, closed_family
from initmath.kernels.composed import Composed, Plan
from initmath.kernels.pairs import cuts_of, pair_values
from initmath.kernels.parallel import Parallel, Select
from initmath.kernels.table import SAFETY, Table, build
from initmath.kernels.tiles import EachPair, LinearErfPairs, PairKernels, TilePairs, column, row
from initmath.lock import one_at_a_time
from initmath.quadrature import expectation
from initmath.quadrature.curve import Family, curve

__all__ = ["InfiniteWidth", "infinite_width"]

Real = NDArray[np.float64]
_Share = tuple[float, float, float]
_Passed = tuple[Real, Real, Real]
_Errors = tuple[float, float, float]

_ROWS, _COLUMNS = 64, 128  # of a tile: its arrays stay in the cache through all layers
_WORSE = 4  # interpolation of all layers may be this much worse than the rounding of all layers
_BLOCK = 16  # of pairs on the diagonal that go through all layers in any case
_SAMPLE = 64, 128  # rows and columns of the pairs, drawn from the whole matrix, that do so too
_EXTREME = 6  # of the closest pairs, of the most opposite ones, of the shortest and of the longest inputs
_DIRECT = 600  # pairs × layers up to which every entry is integrated
_EPS = float(np.finfo(np.float64).eps)
_ROUNDING = 16 * _EPS  # of one layer, relative
_USELESS = 0.1  # relative error of 1 − c
_FLOOR = 1e-28  # of 1 − c: below the squared rounding of g no digit is claimed of two parallel inputs
_SPLIT = 2.0**27 + 1
_CONTRADICTION = 1e-6  # between G and the 1 − c that is given with it: more than rounding of float32 data
_WIDER = 0.05  # in log q: a table is made a little wider than the layer that asks for it


@dataclass(frozen=True)
class InfiniteWidth:
    """Kernels at the output of the last layer.

    Attributes
    ----------
    nngp, ntk : ndarray, shape (n, n)
        K and Θ, symmetric.
    gap : ndarray, shape (n, n)
        1 − c, c the correlation of two outputs: accurate relative to itself, where K itself has lost it.
    nngp_error, ntk_error, gap_error : float
        Estimated: of an entry of K and Θ absolutely, of 1 − c relatively (but 1e-28 times that for inputs of
        one direction and different length, whose 1 − c may be smaller).  Rounding and measured interpolation
        errors, carried through the layers.
    method : str
        How the kernels of a layer were computed.
    """

    nngp: Real
    ntk: Real
    gap: Real
    nngp_error: float
    ntk_error: float
    gap_error: float
    method: str


@dataclass(frozen=True)
class _Direct:
    """Two-dimensional quadrature of every entry; ``worst`` takes note of the largest relative errors.

    Its drop is the whole defect √(m₂m₂) − k, so no part of it is left to `Parallel`.
    """

    activation: Activation
    worst: list[float]

    def drop(self, s1: Real, s2: Real, gap: Real) -> tuple[Real, Real]:
        a, b, c = (np.ravel(v) for v in np.broadcast_arrays(s1 * s1, s2 * s2, gap))
        here = pair_values(self.activation, a, b, c)
        self.worst[1] = max(
            self.worst[1], float(np.max(here.error[2]) / np.max(np.abs(here.derivative_kernel)))
        )
        distinct, where = np.unique(np.concatenate([a, b]), return_inverse=True)
        g = self.activation.numpy(0)
        length = np.sqrt(expectation(lambda y: g(y) ** 2, distinct, cuts_of(self.activation)).value)[where]
        level = 0.5 * (length[: len(a)] - length[len(a) :]) ** 2
        defect = np.maximum(here.half_distance - level, 0.0)
        missed = (here.error[1] + _EPS * level)[c > 0]
        self.worst[0] = max(self.worst[0], float(np.max(missed / (defect[c > 0] + _FLOOR), initial=0.0)))
        return defect.reshape(gap.shape), here.derivative_kernel.reshape(gap.shape)


@dataclass(frozen=True)
class _Layer:
    """One layer y' = W g(y) + b for all inputs; vectors of length 1 where all inputs have the same q.

    Attributes
    ----------
    root : ndarray
        √q, of y.
    signal : ndarray
        √(σ_w² m₂(q)).
    following : ndarray
        √q', of y'.
    slope, elasticity : ndarray
        χ̂(q), and |d log q'/d log q|.
    """

    root: Real
    signal: Real
    following: Real
    sigma_w2: float
    sigma_b2: float
    pairs: TilePairs | None
    parallel: Parallel
    slope: Real
    elasticity: Real

    @property
    def weight(self) -> Real:
        """σ_w/√q'."""
        return np.asarray(np.sqrt(self.sigma_w2) / self.following)

    def step(self, rows: Select, columns: Select, gap: Real, ntk: Real) -> tuple[Real, Real, _Share]:
        """1 − c and Θ/√(q₁q₂) of y' from those of y; ``pairs`` is None for the inputs themselves.

        The third holds the largest relative changes of 1 − c that an error 1 of `Parallel`'s F and a relative
        error 1 of q (in the difference of two lengths) would make, and by what factor a relative error of
        1 − c grows, at least 1: where c < 0 it can.
        """
        if self.pairs is None:
            after = gap * (column(self.signal, rows) * row(self.signal, columns))
            after /= column(self.following, rows) * row(self.following, columns)
            slope = np.zeros_like(gap)
        else:
            after, slope = self.pairs.tile(rows, columns, gap)
        share, lengths = 0.0, 0.0
        if self.parallel.left.shape[1]:
            level, scale = self.parallel.defect(rows, columns)
            after += level
            scale /= after + _FLOOR
            share = float(np.max(scale))
        else:
            level = self._level(rows, columns)
            after += 0.0 if level is None else level
        if level is not None and len(self.root) > 1:
            near = np.abs(column(self.length, rows) - row(self.length, columns)) * (after + _FLOOR)
            lengths = float(np.max(np.divide(2 * level, near, out=np.zeros_like(near), where=near > 0)))
        np.clip(after, 0.0, 2.0, out=after)
        growth = 1.0
        if self.pairs is not None and float(np.max(gap)) > 1:
            far = gap > 1
            growth = max(1.0, float(np.max(np.abs(slope[far]) * gap[far] / after[far])))
        slope *= ntk
        slope -= after
        slope += 1
        return after, slope, (share, lengths, growth)

    @cached_property
    def length(self) -> Real:
        """Log q of y."""
        return np.asarray(2 * np.log(self.root))

    def _level(self, rows: Select, columns: Select) -> Any:
        """1 − c of y' where y has c = 1, from the bias alone; None for inputs with the same q."""
        if len(self.signal) == 1 or self.sigma_b2 == 0:
            return None
        a1, a2 = column(self.signal, rows), row(self.signal, columns)
        scale = column(self.following, rows) * row(self.following, columns)
        # √(q₁'q₂') − σ_b² − √(a₁²a₂²), multiplied out: the bias is common to both inputs
        return self.sigma_b2 * (a1 - a2) ** 2 / ((scale + a1 * a2 + self.sigma_b2) * scale)


@one_at_a_time
def infinite_width(
    act: Any,
    gram: ArrayLike,
    *,
    depth: int,
    sigma_w2: float,
    sigma_b2: float = 0.0,
    gap: ArrayLike | None = None,
    threads: int | None = None,
) -> InfiniteWidth:
    r"""NNGP and neural tangent kernel of a fully connected network of infinite width.

    .. math:: K^{l+1}_{ij} = \sigma_w^2\,k(K^l_{ii}, K^l_{jj}, c^l_{ij}) + \sigma_b^2,\qquad
              \Theta^{l+1}_{ij} = K^{l+1}_{ij}
              + \sigma_w^2\,\dot k(K^l_{ii}, K^l_{jj}, c^l_{ij})\,\Theta^l_{ij}

    with K¹ = Θ¹ = σ_w² G + σ_b², G the Gram matrix of the inputs.  The network is y¹ = W¹x + b¹ and
    y^{l+1} = W^{l+1} g(y^l) + b^{l+1}, in NTK parameterisation: weights σ_w ω/√N and biases σ_b β with ω, β
    standard normal and trained (the convention of neural-tangents).

    Parameters
    ----------
    act : Activation, name, expression or callable
    gram : array_like, shape (n, n)
        G_ij = xᵢ·xⱼ / (number of input features), positive semidefinite with a positive diagonal.
    depth : int
        Layers of activations, L ≥ 1: the output is y^{L+1}.
    sigma_w2, sigma_b2 : float
        σ_w² = N v² > 0 and σ_b² ≥ 0.
    gap : array_like, shape (n, n), optional
        1 − correlation of the inputs, for inputs closer to each other than G can say in doubles.
    threads : int, optional
        By default one for each processor.

    Returns
    -------
    InfiniteWidth
        ``nngp`` K^{L+1}, ``ntk`` Θ^{L+1}, ``gap`` the 1 − c of K^{L+1}, with error estimates.

    Raises
    ------
    Divergent
        If a moment is infinite, or q leaves the range of doubles.
    InputError
        If the Gram matrix or a variance is not one, or g jumps (its tangent kernel is infinite).
    NotEnclosed
        If g grows so fast that no correct digit was found.

    Notes
    -----
    For g = λx + δ|x|, a x + b x erf(βx) and c₀ + c₁ erf(βx) the kernels are closed; else a few
    pairs are integrated one by one, and many are interpolated in the angle and in log q with an error
    measured against that.  For very many pairs times layers all layers are interpolated at once where that
    settles; the error is then measured against pairs that went through them one by one.  Kinks of g away from
    0 make inputs of different lengths costly to interpolate: the error says so.

    References
    ----------
    .. [1] J. Lee et al., Deep neural networks as Gaussian processes, 2018, arXiv:1711.00165, eq. (4).
    .. [2] A. Jacot, F. Gabriel, C. Hongler, Neural tangent kernel, 2018, arXiv:1806.07572, theorem 1.

    Examples
    --------
    >>> found = infinite_width("relu", [[1, 0], [0, 1]], depth=1, sigma_w2=2.0)
    >>> import numpy as np
    >>> bool(np.allclose(found.nngp, [[2, 2 / np.pi], [2 / np.pi, 2]], rtol=1e-14))
    True
    >>> bool(np.allclose(found.ntk, [[4, 2 / np.pi], [2 / np.pi, 4]], rtol=1e-14))
    True
    """
    activation = resolve(act)
    if activation.expr is not None and activation.jumps:
        raise InputError(f"{activation.name} jumps: its tangent kernel is infinite (E g'^2 has a delta)")
    depth = _count(depth, "depth")
    if threads is not None:
        threads = _count(threads, "threads")
    sigma_w2, sigma_b2 = _variance("sigma_w2", sigma_w2, 0.0), _variance("sigma_b2", sigma_b2, -1.0)
    given, apart, together = _inputs(gram, gap)
    # without a bias the law of y and −y is the same: k(−c) = ± k(c) keeps the digits of opposite inputs
    parity = activation.parity if sigma_b2 == 0 and activation.expr is not None else ""
    opposite = (together < apart) & (parity in ("odd", "even"))
    apart = np.where(opposite, together, apart)
    family = closed_family(activation)
    diagonal = np.diagonal(given)
    plan = Plan.of(_levelled(diagonal), apart, depth)
    inputs = diagonal if plan is None or len(plan.rows) == 1 else np.concatenate([diagonal, plan.q])
    with np.errstate(all="ignore"), threadpool_limits(1, "blas"):
        layers = _lengths(activation, family, inputs, depth, sigma_w2, sigma_b2)
    layers, method, table_error = _with_pairs(activation, family, layers, len(given))
    # the tiles are the parallel work: BLAS threads inside them would only get in each other's way
    with np.errstate(all="ignore"), threadpool_limits(1, "blas"):
        found = None if plan is None else _composed(layers, plan, diagonal, apart, table_error, threads)
        if found is None:
            after, ntk, shares = _layered(layers, apart, threads)
            errors = _errors(layers, table_error, shares)
        else:
            after, ntk, errors = found
            method += ", all layers interpolated at once"
        if parity == "odd":
            after, ntk = np.where(opposite, 2 - after, after), np.where(opposite, -ntk, ntk)
        last = layers[-1].following[: len(given)]
        scale = last[:, None] * last[None, :]
        nngp, ntk = scale * (1 - after), scale * ntk
    if not (np.isfinite(nngp).all() and np.isfinite(ntk).all()):
        raise Divergent(f"the kernels of {activation.name} leave the range of doubles at this depth")
    if not errors[2] < _USELESS:
        raise NotEnclosed(
            f"the kernels of {activation.name} in {depth} layers are not resolved in doubles at these q"
        )
    return InfiniteWidth(nngp, ntk, after, *errors, method)


def _through(layers: list[_Layer], rows: Select, columns: Select, gap: Real) -> _Passed:
    """1 − c and Θ/√(q₁q₂) of a tile of pairs after all layers, and the third of each layer's `step`."""
    d, theta = gap.copy(), np.zeros_like(gap)
    same = _indices(rows)[:, None] == _indices(columns)[None, :]
    crossing = bool(same.any())
    shares = []
    for layer in layers:
        d, theta, share = layer.step(rows, columns, d, theta)
        shares.append(share)
        if crossing:
            d[same] = 0.0
    return d, theta, np.array(shares)


def _indices(select: Select) -> NDArray[np.intp]:
    return np.arange(select.start, select.stop) if isinstance(select, slice) else select


def _filled(count: int, one: Any, threads: int | None) -> _Passed:
    """Two symmetric matrices from their tiles on and above the diagonal, and the largest shares."""
    both = np.empty((count, count)), np.empty((count, count))
    tiles = [
        (slice(i, min(i + _ROWS, count)), slice(j, min(j + _COLUMNS, count)))
        for i in range(0, count, _ROWS)
        for j in range(i, count, _COLUMNS)
    ]

    def run(tile: tuple[slice, slice]) -> Real:
        rows, columns = tile
        *found, shares = one(rows, columns)
        for target, values in zip(both, found, strict=True):
            if rows.start == columns.start:  # its upper triangle stands for both
                block = np.triu(values[:, : len(values)])
                values[:, : len(values)] = block + np.triu(block, 1).T
            target[rows, columns] = values
            target[columns, rows] = values.T
        return np.asarray(shares)

    if len(tiles) == 1:
        seen = [run(tiles[0])]
    else:
        with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
            seen = list(pool.map(run, tiles))
    return *both, np.max(seen, axis=0)


def _layered(layers: list[_Layer], apart: Real, threads: int | None) -> _Passed:
    """Take every pair through every layer."""
    return _filled(
        len(apart), lambda rows, columns: _through(layers, rows, columns, apart[rows, columns]), threads
    )


def _composed(
    layers: list[_Layer],
    plan: Plan,
    diagonal: Real,
    apart: Real,
    tables: Sequence[Sequence[float]],
    threads: int | None,
) -> tuple[Real, Real, _Errors] | None:
    """Interpolate all layers at once; None if that is worse than a few times what layers one by one are.

    The interpolation is measured against pairs that go through all layers one by one: those of `_sampled`,
    and blocks on the diagonal, which itself is not interpolated.  The errors that are returned are those of
    the layers and `SAFETY` times the largest that was seen, each entry of 1 − c and Θ relative to itself.
    """
    count, points = len(apart), len(plan.rows)
    rows, columns = slice(count, count + points), slice(count + points, count + points + plan.gap.shape[1])
    gap, theta, shares = _through(layers, rows, columns, plan.gap)
    fitted = Composed.of(plan, gap, theta)
    if fitted is None:
        return None
    after, ntk, _ = _filled(
        count, lambda i, j: (*fitted.tile(diagonal[i], diagonal[j], apart[i, j]), ()), threads
    )
    off = [0.0, 0.0]
    blocks = [np.arange(start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK)]
    for i, j in [*_sampled(diagonal, apart), *zip(blocks, blocks, strict=True)]:
        here = np.ix_(i, j)
        other = here[0] != here[1]
        *both, seen = _through(layers, i, j, apart[here])
        shares = np.maximum(shares, seen)
        for k, (target, exact) in enumerate(zip((after, ntk), both, strict=True)):
            missed, size = np.abs(target[here] - exact)[other], np.abs(exact)[other]
            relative = np.where(missed == 0, 0.0, missed / size)
            off[k] = max(off[k], float(np.max(np.where(np.isnan(relative), np.inf, relative), initial=0.0)))
            if i is j:
                target[here] = (exact + exact.T) / 2
    errors = _errors(layers, tables, shares)
    if not max(off) <= _WORSE * errors[2]:
        return None
    size = float(np.max(layers[-1].following) ** 2)
    return after, ntk, (
        errors[0] + SAFETY * size * off[0] * float(np.max(after)),
        errors[1] + SAFETY * size * off[1] * float(np.max(ntk)),
        errors[2] + SAFETY * off[0],
    )  # fmt: skip


def _sampled(diagonal: Real, apart: Real) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows and columns of tiles from all over the matrix: drawn at random, and all that is extreme.

    The second tile holds the pairs whose correlations are closest to 1 and to −1, and the shortest and the
    longest inputs, with each other and with all of those.
    """
    count = len(apart)
    rng = np.random.default_rng(0)
    rows, columns = (rng.permutation(count)[:size] for size in _SAMPLE)
    upper = np.where(np.tri(count, dtype=bool), np.nan, apart).ravel()  # argpartition puts nan last
    most = min(_EXTREME, count * (count - 1) // 2)
    ends = [np.argpartition(part, most)[:most] for part in (upper, -upper)]
    closest, opposite = (np.unravel_index(end, apart.shape) for end in ends)
    order = np.argsort(diagonal)
    lengths = np.concatenate([order[:_EXTREME], order[-_EXTREME:]])
    first, second = (
        np.unique(np.concatenate([a, b, lengths])) for a, b in zip(closest, opposite, strict=True)
    )
    return [(rows, columns), (first, second)]


def _count(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InputError(f"{name} must be an integer of at least 1, got {value!r}")
    return int(value)


def _variance(name: str, value: Any, above: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a number, got {value!r}") from None
    if not (np.isfinite(number) and number > above and number >= 0):
        raise InputError(f"{name} must be finite and {'positive' if above == 0 else 'not negative'}")
    return number


def _inputs(gram: ArrayLike, gap: ArrayLike | None) -> tuple[Real, Real, Real]:
    """Check G, and return it with 1 − c and 1 + c of its entries."""
    try:
        given = np.array(gram, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("the Gram matrix must be an n × n matrix of numbers") from None
    if given.ndim != 2 or given.shape[0] != given.shape[1] or given.size == 0:
        raise InputError(f"the Gram matrix must be n × n, got shape {given.shape}")
    diagonal = np.diagonal(given)
    if not (np.isfinite(given).all() and np.all(diagonal > 0)):
        raise InputError("the Gram matrix must be finite with a positive diagonal: no input may be 0")
    if not np.allclose(given, given.T, rtol=1e-12, atol=1e-12 * float(diagonal.max())):
        raise InputError("the Gram matrix must be symmetric")
    if gap is None:
        apart, together = _angles(given)
    else:
        try:
            apart = np.array(gap, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError("gap must be an n × n matrix of numbers") from None
        if apart.shape != given.shape or not np.array_equal(apart, apart.T):
            raise InputError("gap must be a symmetric matrix of the shape of the Gram matrix")
        if np.any(np.diagonal(apart) != 0):
            raise InputError("the diagonal of gap must be 0: an input's correlation with itself is 1")
        scale = np.sqrt(diagonal)[:, None] * np.sqrt(diagonal)[None, :]
        if not np.allclose(scale * (1 - apart), given, rtol=0, atol=_CONTRADICTION * float(diagonal.max())):
            raise InputError("gap contradicts the Gram matrix: it is 1 - G_ij/√(G_ii G_jj), with more digits")
        together = 2 - apart
    if not np.all((apart >= -1e-9) & (apart <= 2 + 1e-9)):
        raise InputError("the Gram matrix is not positive semidefinite: |G_ij| must be at most √(G_ii G_jj)")
    np.fill_diagonal(apart, 0.0)
    np.fill_diagonal(together, 2.0)
    return given, np.clip(apart, 0.0, 2.0), np.clip(together, 0.0, 2.0)


def _angles(given: Real) -> tuple[Real, Real]:
    """1 − c and 1 + c, each with all the digits that the doubles of G determine."""
    unit = np.exp2(-np.round(np.log2(np.diagonal(given)) / 2))  # a power of 2: exact, and nothing overflows
    even = given * unit[:, None] * unit[None, :]
    even = (even + even.T) / 2
    root = np.sqrt(np.diagonal(even))
    scale = root[:, None] * root[None, :]
    size = np.abs(even)
    diagonal = np.diagonal(even)
    first, first_left = _product(diagonal[:, None], diagonal[None, :])
    second, second_left = _product(size, size)
    near = ((first - second) + (first_left - second_left)) / (scale * (scale + size))  # 1 − |c|
    near = (near + near.T) / 2
    return np.where(even >= 0, near, 2 - near), np.where(even >= 0, 2 - near, near)


def _product(a: Real, b: Real) -> tuple[Real, Real]:
    """Return a product and its rounding error, by Dekker's splitting: their sum is exact."""
    (a1, a0), (b1, b0) = ((high := v * _SPLIT - (v * _SPLIT - v), v - high) for v in (a, b))
    product = a * b
    return product, ((a1 * b1 - product) + a1 * b0 + a0 * b1) + a0 * b0


def _lengths(
    activation: Activation, family: Any, diagonal: Real, depth: int, sigma_w2: float, sigma_b2: float
) -> list[_Layer]:
    """Follow q through all layers: what a layer does to each input alone."""
    level = _levelled(diagonal)
    signal = np.sqrt(sigma_w2 * level)
    following = np.sqrt(sigma_w2 * level + sigma_b2)
    none = Parallel.none(len(level))
    one = np.ones_like(level)
    first = sigma_w2 * level / (sigma_w2 * level + sigma_b2)
    layers = [_Layer(np.sqrt(level), signal, following, sigma_w2, sigma_b2, None, none, one, first)]
    homogeneous = isinstance(family, Homogeneous)
    for number in range(1, depth + 1):
        q = following**2
        second, slope, stretch = _moments(activation, family, q)
        if not (np.isfinite(second).all() and np.isfinite(slope).all()):
            raise Divergent(f"E g^2 or E g'^2 of {activation.name} is not finite in layer {number}")
        root, signal = following, np.sqrt(sigma_w2 * second)
        following = np.sqrt(_levelled(sigma_w2 * second + sigma_b2))
        if not (np.isfinite(following).all() and np.all(following > 0)):
            raise Divergent(f"q leaves the range of doubles in layer {number + 1} of {activation.name}")
        parallel = none if homogeneous else Parallel.of(activation, q, sigma_b2 / sigma_w2)
        elasticity = sigma_w2 * np.abs(stretch) * q / following**2
        layers.append(_Layer(root, signal, following, sigma_w2, sigma_b2, None, parallel, slope, elasticity))
    return layers


def _levelled(q: Real) -> Real:
    """One number for all q where they are equal to rounding, as those of normalised inputs are."""
    alike = float(np.max(q) - np.min(q)) <= _ROUNDING * float(np.min(q))
    return np.array([np.mean(q)]) if alike else q


def _moments(activation: Activation, family: Any, q: Real) -> tuple[Real, Real, Real]:
    """m₂, χ̂ and dm₂/dq (by a difference, for the error estimate only)."""
    step = 1e-3
    if family is not None:
        second = family.second_moment(q)
        return second, family.slope_moment(q), (family.second_moment(q * (1 + step)) - second) / (step * q)
    g, d = activation.numpy(0), activation.numpy(1)
    both = Family.of(lambda y: g(y) ** 2, lambda y: d(y) ** 2)
    found = curve(both, np.concatenate([q, q * (1 + step)]), cuts_of(activation)).value
    count = len(q)
    return found[0, :count], found[1, :count], (found[0, count:] - found[0, :count]) / (step * q)


def _with_pairs(
    activation: Activation, family: Any, layers: list[_Layer], count: int
) -> tuple[list[_Layer], str, Sequence[Sequence[float]]]:
    """Choose how a layer's pairs are computed: closed form, quadrature of each, or a table."""
    none = [(0.0, 0.0)] * len(layers)
    if family is not None:
        return [layers[0], *(_given(layer, family) for layer in layers[1:])], "closed form", none
    if count * (count + 1) // 2 * len(layers) <= _DIRECT:
        notes = [[0.0, 0.0] for _ in layers]
        nothing = Parallel.none(len(layers[0].root))
        routes = [
            _given(replace(layer, parallel=nothing), _Direct(activation, note))
            for layer, note in zip(layers, notes, strict=True)
        ]
        return [layers[0], *routes[1:]], "quadrature", notes
    out, errors, tables = [layers[0]], [(0.0, 0.0)], list[Table]()
    ranges = [_range(layer) for layer in layers[1:]]
    for layer, (low, high) in zip(layers[1:], ranges, strict=True):
        alone = len(layer.root) == 1
        table = next((t for t in tables if t.holds(low, high, alone)), None)
        if table is None:
            if alone:
                near = [r for r in ranges if abs(r[0] - low) < 1.0]
                table = build(activation, min(r[0] for r in near), max(r[1] for r in near), True)
            else:
                wider = _WIDER * (high - low)
                table = build(activation, low - wider, high + wider, False)
            tables.append(table)
        out.append(_given(layer, table))
        errors.append(table.error)
    return out, f"interpolation, {len(tables)} tables", errors


def _given(layer: _Layer, kernels: PairKernels) -> _Layer:
    """Prepare a layer for these kernels."""
    if isinstance(kernels, LinearErf):
        return replace(layer, pairs=LinearErfPairs.of(kernels, layer.root, layer.weight))
    return replace(layer, pairs=EachPair(kernels, layer.root, layer.weight))


def _range(layer: _Layer) -> tuple[float, float]:
    t = 2 * np.log(layer.root)
    return float(t.min()), float(t.max())


def _errors(layers: list[_Layer], tables: Sequence[Sequence[float]], shares: Real) -> _Errors:
    """Carry the estimated errors of q, 1 − c, K and Θ through the layers.

    Every q has its own relative error: where some inputs grow and others fade there is no common one.  For
    c ≥ 0 the drop is concave in 1 − c with value 0 at 0 (k has positive Taylor coefficients in c), so a
    relative error of 1 − c does not grow; for c < 0 it may, by a factor that ``shares`` holds for
    each layer.  One of q enters through the moments.
    """
    ntk_error, ntk, gap_error = 0.0, 0.0, _ROUNDING
    q_error = np.full_like(layers[0].root, _ROUNDING)  # relative
    for layer, (off, slope_off), (share, apart, growth) in zip(layers, tables, shares.tolist(), strict=True):
        sigma_w2, size = layer.sigma_w2, float(np.max(layer.following**2))
        slope, relative = float(np.max(layer.slope)), float(np.max(q_error))
        q_error = layer.elasticity * q_error + _ROUNDING
        added = _ROUNDING + off + (2 + apart) * relative + SAFETY * layer.parallel.error * share
        gap_error = growth * gap_error + added
        lengths = float(np.max(layer.following) * np.max(layer.following * q_error))  # √(q₁q₂) and its error
        slope_error = slope * (slope_off + gap_error + relative)
        ntk_error = lengths + size * gap_error + sigma_w2 * (slope * ntk_error + ntk * slope_error)
        ntk = size + sigma_w2 * slope * ntk
    return lengths + size * gap_error, ntk_error, gap_error
