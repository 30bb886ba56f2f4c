"""Kernels in doubles: error against quadrature and neural-tangents, speed of deep Gram matrices.

Run ``python benchmarks/kernels.py --neural-tangents DIR``: DIR is a virtual environment for neural-tangents,
made with pip if it is not there (it needs jax 0.4.30 and numpy<2, which this package does not).  Without the
option only this package is measured.  The exit code is 1 if a target is missed: accuracy, values or speed.
neural-tangents is timed with each layer compiled, and once without.  The first run of both is printed and not
compared: it holds the compilation.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from initmath.activation import resolve
from initmath.activation.catalogue import names
from initmath.errors import InitmathError
from initmath.kernels import infinite_width, kernels
from initmath.kernels.pairs import cuts_of
from initmath.quadrature.kernel import pair_expectation

ACCURACY = 1e-12  # of E |g g|
AGREEMENT = 1e-11  # with neural-tangents in small networks
DEEP = 1e-9  # and after all layers: it rounds 1 − c away, which is small there
INPUTS, LAYERS = 1000, 100
SIGMA_W2, SIGMA_B2 = 1.9, 0.1
SMALL_W2 = 0.5  # for the comparison of values: exp of exp leaves the doubles at 1.9
PACKAGES = ("jax==0.4.30", "jaxlib==0.4.30", "numpy<2", "neural-tangents")

# neural-tangents' own closed forms, and the same function in this package's grammar (its Hermite
# polynomials are for inputs of unit variance only, and so are not here)
PEERS = {
    "Relu()": "relu",
    "LeakyRelu(0.1)": "Max(x, 0.1*x)",
    "Abs()": "abs",
    "Erf()": "erf",
    "Gelu()": "gelu",
    "Sin()": "sin(x)",
    "Cos()": "cos(x)",
    "Exp()": "exp(x)",
    "Gaussian()": "exp(-x**2)",
    "Monomial(3)": "x**3",
    "RectifiedMonomial(2)": "Max(x, 0)**2",
}

PROGRAM = r"""
import json, sys, time
import numpy as np
import jax
jax.config.update("jax_enable_x64", True)
from neural_tangents import stax

given = json.load(open(sys.argv[1]))
x = np.load(sys.argv[2])
w, b = given["sigma_w2"] ** 0.5, given["sigma_b2"] ** 0.5
dense = lambda: stax.Dense(1, W_std=w, b_std=b)
out = {"values": {}}
small = x[:5]
narrow = lambda: stax.Dense(1, W_std=given["small_w2"] ** 0.5, b_std=b)
for name in given["peers"]:
    for depth in (1, 2):
        parts = [part for _ in range(depth) for part in (narrow(), eval("stax." + name))]
        found = stax.serial(*parts, narrow())[2](small, None, ("nngp", "ntk"))
        out["values"][f"{name} {depth}"] = [np.asarray(found.nngp).tolist(), np.asarray(found.ntk).tolist()]
first = stax.serial(dense(), stax.Gelu())[2]
layer = jax.jit(stax.serial(dense(), stax.Gelu())[2])
last = stax.serial(dense())[2]

def deep(one):
    k = first(x, None)
    for _ in range(given["layers"] - 1):
        k = one(k)
    k = last(k)
    jax.block_until_ready((k.nngp, k.ntk))
    return k

out["seconds"] = {}
for how, one in (("each layer compiled", layer), ("not compiled", stax.serial(dense(), stax.Gelu())[2])):
    times = []
    for _ in range(4 if one is layer else 1):
        start = time.perf_counter(), time.process_time()
        k = deep(one)
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    out["seconds"][how] = times
out["corner"] = [np.asarray(k.nngp)[:3, :3].tolist(), np.asarray(k.ntk)[:3, :3].tolist()]
json.dump(out, open(sys.argv[3], "w"))
"""


def accuracy(seed: int = 0, count: int = 3) -> dict[str, float]:
    """Largest error of the kernel at random (q₁, q₂, c), each activation of the catalogue, of E |g g|."""
    rng = np.random.default_rng(seed)
    panels = tuple(np.linspace(-12.5, 12.5, 26))  # other panels and another order than the library's
    worst = {}
    for name in names():
        act = resolve(name)
        q1, q2 = np.exp(rng.uniform(-2, 1.2, (2, count)))
        gap = np.array([rng.uniform(0, 2), 10 ** rng.uniform(-9, 0), 2 - 10 ** rng.uniform(-6, 0)])
        try:
            found = kernels(act, q1, q2, gap=gap)
        except InitmathError as error:
            print(f"  {name}: {error}")
            continue
        g = act.numpy(0)
        reference = pair_expectation(
            lambda a, b, g=g: np.stack([g(a) * g(b), np.abs(g(a) * g(b))]), q1, q2,
            np.sqrt(q1 * q2) * (1 - gap), cuts_of(act), orders=(20, 16), base=panels, gap=gap, checked=1,
        )  # fmt: skip
        size = reference.value[1] + 1e-300
        unsure = reference.error[0] / size
        worst[name] = float(
            np.max((np.abs(found.kernel - reference.value[0]) / size)[unsure < ACCURACY], initial=0)
        )
        if not np.all(unsure < ACCURACY):
            print(
                f"  {name}: {int(np.sum(unsure >= ACCURACY))} of {count} references are themselves too rough"
            )
    return worst


def inputs(seed: int = 0) -> Any:
    x = np.random.default_rng(seed).normal(size=(INPUTS, 50))
    return x


def seconds(gram: Any, repeat: int = 4) -> tuple[list[tuple[float, float]], Any]:
    """Wall and processor seconds of each run, and the last result."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter(), time.process_time()
        found = infinite_width("gelu", gram, depth=LAYERS, sigma_w2=SIGMA_W2, sigma_b2=SIGMA_B2)
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return times, found


def peer(folder: Path, x: Any) -> dict[str, Any] | str:
    """Run neural-tangents in its own environment; or say why that was not possible."""
    python = folder / "bin" / "python"
    if not python.exists():
        steps = (
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "-q", *PACKAGES],
        )
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True)
            if done.returncode:
                return f"{' '.join(step)} failed: {done.stderr.strip().splitlines()[-1:]}"
    with tempfile.TemporaryDirectory() as scratch:
        at = Path(scratch)
        (at / "program.py").write_text(PROGRAM)
        asked = {
            "sigma_w2": SIGMA_W2,
            "sigma_b2": SIGMA_B2,
            "small_w2": SMALL_W2,
            "layers": LAYERS,
            "peers": list(PEERS),
        }
        (at / "given.json").write_text(json.dumps(asked))
        np.save(at / "x.npy", x)
        files = [str(at / name) for name in ("program.py", "given.json", "x.npy", "out.json")]
        done = subprocess.run([str(python), *files], capture_output=True, text=True)
        if done.returncode:
            return f"neural-tangents failed: {done.stderr.strip().splitlines()[-1:]}"
        return dict(json.loads((at / "out.json").read_text()))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--neural-tangents", type=Path, metavar="DIR")
    options = parser.parse_args()
    good = True
    worst = accuracy()
    top = sorted(worst.items(), key=lambda item: -item[1])[:5]
    good &= top[0][1] <= ACCURACY
    print(
        f"kernel against quadrature, {len(worst)} activations, the five largest errors (target {ACCURACY:g}):"
    )
    for name, off in top:
        print(f"  {name:24} {off:.1e}")
    x = inputs()
    gram = x @ x.T / x.shape[1]
    ours, found = seconds(gram)
    print(f"{INPUTS} × {INPUTS}, {LAYERS} GELU layers, NNGP + NTK, float64; each as wall (processor) seconds")
    print(f"  initmath: {_list(ours)}")
    if options.neural_tangents is None:
        print("neural-tangents: not asked for")
        return 0 if good else 1
    theirs = peer(options.neural_tangents, x)
    if isinstance(theirs, str):
        print(theirs)
        return 1
    for how, times in theirs["seconds"].items():
        print(f"  neural-tangents, {how}: {_list(times)}")
    # the first run of each is left out: it holds neural-tangents' compilation, and our imports
    compiled = theirs["seconds"]["each layer compiled"]
    for what, part in (("wall", 0), ("processor", 1)):
        mine, other = (min(t[part] for t in times[1:]) for times in (ours, compiled))
        good &= mine < other
        print(f"  {what} seconds, neural-tangents compiled / initmath: {other / mine:.2f}")
    corner = [
        np.max(np.abs(np.array(a) - b[:3, :3])) / np.max(np.abs(b))
        for a, b in zip(theirs["corner"], (found.nngp, found.ntk), strict=True)
    ]
    good &= max(corner) <= DEEP
    print(f"  largest difference after {LAYERS} layers, relative: {max(corner):.1e} (target {DEEP:g})")
    good &= values(theirs["values"], gram[:5, :5])
    print("all targets met" if good else "a target was MISSED")
    return 0 if good else 1


def values(theirs: dict[str, Any], gram: Any) -> bool:
    """Compare NNGP and NTK of small networks, where neural-tangents has a number."""
    good = True
    print(f"values against neural-tangents, 1 and 2 layers, 5 inputs (target {AGREEMENT:g} of the largest):")
    for name, formula in PEERS.items():
        for depth in (1, 2):
            mine = infinite_width(formula, gram, depth=depth, sigma_w2=SMALL_W2, sigma_b2=SIGMA_B2)
            a, b = np.array(theirs[f"{name} {depth}"]), np.array([mine.nngp, mine.ntk])
            known = np.isfinite(a)
            size = np.max(np.abs(b), axis=(1, 2), keepdims=True)
            off = float(np.max((np.abs(a - b) / size)[known], initial=0))
            said = f"{off:.1e}" if known.any() else "no number from neural-tangents to compare with"
            if not known.all() and known.any():
                said += f", {int(np.sum(~known))} of {a.size} entries of neural-tangents are not numbers"
            # one layer must be comparable; NaN on its diagonal spreads to all of the second
            good &= off <= AGREEMENT and bool(np.isfinite(b).all()) and bool(known.any() or depth == 2)
            print(f"  {name:22} {formula:16} {depth}  {said}  ({mine.method})")
    return good


def _list(times: Any) -> str:
    return ", ".join(f"{wall:.2f} ({busy:.2f})" for wall, busy in times)


if __name__ == "__main__":
    sys.exit(main())
