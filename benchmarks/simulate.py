"""Random networks without weights beside the same with them; the big run; the matrix product's share.

Run ``python benchmarks/simulate.py``; ``--quick`` shrinks everything, ``--only layer|big|product`` takes one
part.  PyTorch is compared if it is installed.  Targets are printed beside what was measured; exit code 1 if
one is missed.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from initmath.simulate import Experiment, InlineExecutor, InputGram, jacobian, run
from initmath.simulate.blas import one_thread
from initmath.simulate.explicit import Network

MISSED: list[str] = []


def best(call: Callable[[], Any], times: int = 3) -> float:
    """Least wall seconds of a few calls."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


def show(name: str, value: float, unit: str, target: str = "") -> None:
    if target:
        least = target.startswith("≥")
        limit = float(target[1:])
        if (value < limit) if least else (value > limit):
            MISSED.append(name)
    print(f"{name:64} {value:10.4g} {unit:6} {target and f'(target {target})'}", flush=True)


def numpy_layers(width: int, inputs: int, layers: int) -> None:
    """The plain loop that people write: draw W, multiply, activate, average."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((width, inputs))
    for _ in range(layers):
        y = (rng.standard_normal((width, width)) * np.sqrt(1.2 / width)) @ x
        x = np.tanh(y)
        (y * y).mean(axis=0), x.mean(axis=0), (x * x).mean(axis=0)


def torch_layers(torch: Any, width: int, inputs: int, layers: int, dtype: Any) -> None:
    x = torch.randn(width, inputs, dtype=dtype)
    scale = (1.2 / width) ** 0.5
    for _ in range(layers):
        y = (torch.randn(width, width, dtype=dtype) * scale) @ x
        x = torch.tanh(y)
        (y * y).mean(0), x.mean(0), (x * x).mean(0)


def one_layer(quick: bool) -> None:
    """Seconds a layer of one network at N = 1024, on all cores."""
    try:
        import torch
    except ImportError:
        torch = None
        print("PyTorch is not installed: no comparison with it")
    width, depth, networks = 1024, 30, 20 if quick else 200
    for inputs in (1, 2):
        gram = InputGram.single(1.0, 1.2) if inputs == 1 else InputGram.pair(1.0, 0.5, sigma_w2=1.2)
        theirs = best(lambda inputs=inputs: numpy_layers(width, inputs, 10)) / 10
        show(f"explicit weights in NumPy, N = {width}, {inputs} input(s), a layer", 1e3 * theirs, "ms")
        slow = {"float64": theirs}
        loops = {}
        if torch is not None:
            for name in ("float64", "float32"):
                kind = getattr(torch, name)
                loops[name] = best(lambda i=inputs, k=kind: torch_layers(torch, width, i, 20, k)) / 20
                show(
                    f"the same loop in PyTorch, {name}, {torch.get_num_threads()} threads",
                    1e3 * loops[name],
                    "ms",
                )
        for name in ("float64", "float32"):
            experiment = Experiment(
                "tanh", width, depth, networks, 1.2, inputs=gram, method="without_weights", dtype=name
            )
            run(experiment)
            ours = best(lambda e=experiment: run(e)) / (depth * networks)
            show(f"without weights, {name}, all moments and g'", 1e3 * ours, "ms")
            if name in slow:
                show(f"  NumPy / without weights, {name}, {inputs} input(s)", slow[name] / ours, "×", "≥100")
            if name in loops:
                show(
                    f"  PyTorch / without weights, {name}, {inputs} input(s)", loops[name] / ours, "×", "≥50"
                )


def big(quick: bool) -> None:
    """N = 65,536, L = 100, R = 100."""
    networks = 10 if quick else 100
    for activation, sigma_w2, backward in (
        ("tanh", 1.2, False),
        ("relu", 2.0, False),
        ("gelu", 2.0, False),
        ("tanh", 1.2, True),
    ):
        experiment = Experiment(activation, 65_536, 100, networks, sigma_w2, backward=backward)
        seconds = best(lambda e=experiment: run(e), 1)
        name = (
            f"{activation}, N = 65,536, L = 100, R = {networks}, 2 inputs{', gradients' if backward else ''}"
        )
        show(name, seconds, "s", "" if backward or quick else "≤60")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    show("memory at its highest", memory, "MiB", "≤1024")


def processor(call: Callable[[], Any], repeats: int) -> float:
    """Least processor seconds of a call, on one thread."""
    found = []
    with one_thread():
        for _ in range(4):
            start = time.process_time()
            for _ in range(repeats):
                call()
            found.append((time.process_time() - start) / repeats)
    return min(found)


def product(quick: bool) -> None:
    """Share of the matrix product's own rate that whole layers reach, the sampling of weights apart."""
    print("processor time, one thread a product, as the simulation runs it (several networks at once)")
    depth = 10 if quick else 30
    for dtype in ("float64", "float32"):
        for width, inputs in ((1000, 256), (1024, 256), (1024, 512), (2048, 256)):
            rng = np.random.default_rng(0)
            w = rng.standard_normal((width, width)).astype(dtype)
            x = rng.standard_normal((inputs, width)).astype(dtype)
            flops = 2.0 * width * width * inputs
            rate = flops / processor(lambda x=x, w=w: x @ w.T, 10)
            gram = InputGram.of(np.eye(inputs))
            experiment = Experiment("tanh", width, depth, 1, 1.5, inputs=gram, method="explicit", dtype=dtype)
            shares = []
            for _ in range(3):
                start = time.process_time()
                found = run(experiment, executor=InlineExecutor())
                seconds = time.process_time() - start - found.sampling_seconds
                shares.append(depth * flops / seconds / rate)
            show(f"{dtype}, N = {width}, {inputs} inputs: matrix product", rate / 1e9, "GF/s")
            show("  sampling of the weights, a layer", 1e3 * found.sampling_seconds / depth, "ms")
            show("  the layers without it, of that rate", max(shares), "", "≥0.7")
        jacobians(dtype)


def jacobians(dtype: str) -> None:
    experiment = Experiment("tanh", 1024, 10, 1, 1.5, dtype=dtype)
    network = Network(experiment, 0)
    sampling = processor(lambda: [network.weights(layer) for layer in range(1, 11)], 1)
    seconds = processor(lambda: jacobian(experiment, threads=False), 1) - sampling
    w = np.random.default_rng(0).standard_normal((1024, 1024)).astype(dtype)
    rate = 2.0 * 1024**3 / processor(lambda: w @ w, 3)
    share = 9 * 2.0 * 1024**3 / seconds / rate
    show(f"Jacobian, {dtype}, N = 1024, L = 10, of the product's rate", share, "", "≥0.7")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=("layer", "big", "product"))
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    parts = {"layer": one_layer, "big": big, "product": product}
    for name, part in parts.items():
        if options.only in (None, name):
            part(options.quick)
    if MISSED:
        print("missed: " + "; ".join(MISSED))
    return 1 if MISSED else 0


if __name__ == "__main__":
    sys.exit(main())
