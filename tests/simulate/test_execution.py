"""The same numbers whoever computes them, and nothing lost on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from initmath.errors import InputError
from initmath.simulate import Experiment, InlineExecutor, dask_executor, execution, run, without_weights
from initmath.simulate.execution import compute, ranges
from initmath.simulate.store import _FORMAT

WITHOUT = Experiment("relu", width=37, depth=5, networks=40, sigma_w2=2.0, sigma_b2=0.1, backward=True)
EXPLICIT = Experiment("gelu", width=37, depth=4, networks=24, sigma_w2=2.0, backward=True, weights="uniform")


@pytest.mark.parametrize("experiment", [WITHOUT, EXPLICIT], ids=["without", "explicit"])
def test_bit_identical_on_any_executor(experiment, monkeypatch):
    reference = run(experiment, executor=InlineExecutor())
    assert run(experiment) == reference
    monkeypatch.setattr(execution, "_ALONE_SECONDS", 0)
    assert run(experiment) == reference
    with ThreadPoolExecutor(3) as pool:
        assert run(experiment, executor=pool) == reference
    with ProcessPoolExecutor(2) as pool:
        assert run(experiment, executor=pool) == reference


CODE = """
import hashlib
from initmath.simulate import Experiment, InlineExecutor, run
found = run(Experiment("tanh", 257, 3, 2, 1.5, method="explicit", backward=True), executor=InlineExecutor())
print(hashlib.sha256(b"".join(v.tobytes() for v in found.arrays.values())).hexdigest())
"""


def test_bit_identical_whatever_the_threads_of_the_matrix_product():
    """The environment that cluster workers are given limits the library's threads; the numbers stay."""
    seen = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        seen.add(
            subprocess.run(
                [sys.executable, "-c", CODE], env=environment, capture_output=True, check=True
            ).stdout
        )
    assert len(seen) == 1


@pytest.mark.parametrize(
    "activation", ["relu", "gelu", "tanh", "elu", "hardtanh", "softplus", "sin(x)", "abs(x)**(3/2)"]
)
def test_bit_identical_whatever_the_block(activation, monkeypatch):
    experiment = Experiment(activation, width=37, depth=4, networks=9, sigma_w2=1.1, backward=True)
    whole = compute(experiment, 0, 9)
    monkeypatch.setattr(without_weights, "_IN_CACHE", 1)
    monkeypatch.setattr(without_weights, "_KEPT", 0)  # normals drawn again on the way back
    one_by_one = compute(experiment, 0, 9)
    assert all(np.array_equal(whole[name], one_by_one[name]) for name in whole)
    part = compute(experiment, 5, 7)
    assert all(np.array_equal(whole[name][5:7], part[name]) for name in whole)


@pytest.mark.parametrize(("networks", "threads"), [(40, False), (40_000, True)])
def test_what_is_done_in_an_instant_starts_no_threads(networks, threads, monkeypatch):
    started = []
    monkeypatch.setattr(execution, "_with_threads", lambda *given: started.append(given))
    run(replace(WITHOUT, networks=networks, backward=False))
    assert bool(started) is threads


def test_the_seed_matters_and_networks_differ():
    a, b = run(WITHOUT), run(Experiment("relu", 37, 5, 40, 2.0, 0.1, backward=True, seed=1))
    assert a != b and len(np.unique(a.second_y[:, 0, 0])) == 40


def test_ranges_cover_what_is_left():
    experiment = Experiment("relu", 512, 20, 1000, 2.0)
    done = np.zeros(1000, bool)
    done[[0, 500, 501, 999]] = True
    covered = [r for first, last in ranges(experiment, done) for r in range(first, last)]
    assert covered == [r for r in range(1000) if not done[r]]


def test_progress_counts_networks():
    seen = []
    run(WITHOUT, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 40) and seen[-1] == (40, 40)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


# -- files


def test_a_finished_file_gives_the_run_back(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    first = run(WITHOUT, resume=path)
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]
    monkeypatch.setattr(execution, "compute", None)  # nothing is left to compute
    assert run(WITHOUT, resume=path) == first


class StopAfter(Exception):
    pass


class Interrupting(InlineExecutor):
    """Ctrl-C in the middle of the n-th task."""

    def __init__(self, tasks, error):
        self.left, self.error = tasks, error

    def submit(self, fn, /, *args, **kwargs):
        if self.left == 0:
            raise self.error
        self.left -= 1
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StopAfter()])
def test_an_interrupted_run_keeps_and_resumes(tmp_path, error):
    path = tmp_path / "run.npz"
    with pytest.raises(type(error)):
        run(WITHOUT, executor=Interrupting(5, error), resume=path)
    with np.load(path) as file:
        kept = int(file["done"].sum())
    assert 0 < kept < 40
    seen = []
    resumed = run(WITHOUT, resume=path, progress=lambda done, total: seen.append(done))
    assert seen[0] == kept
    assert resumed == run(WITHOUT)


SLEEPY = """
import sys, time
from initmath.simulate import Experiment, run
started = time.monotonic()
def progress(done, total):
    if done:
        print(done, flush=True)
try:
    run(Experiment("tanh", 2048, 60, 2000, 1.0), resume=sys.argv[1], progress=progress)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_a_real_ctrl_c(tmp_path):
    path = tmp_path / "run.npz"
    process = subprocess.Popen([sys.executable, "-c", SLEEPY, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    assert rest.splitlines()[-1] == "interrupted"
    with np.load(path) as file:
        assert 0 < file["done"].sum() < 2000


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "flipped", "array", "missing"])
def test_a_corrupt_file_is_refused_and_left(tmp_path, damage):
    path = tmp_path / "run.npz"
    run(WITHOUT, resume=path)
    good = path.read_bytes()
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("not a file of arrays")
    elif damage == "truncated":
        path.write_bytes(good[: len(good) // 2])
    elif damage == "flipped":
        middle = good.index(b"array_second_x") + 300
        path.write_bytes(good[:middle] + bytes([good[middle] ^ 255]) + good[middle + 1 :])
    elif damage == "array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    else:
        np.savez(path, format=_FORMAT)
    before = path.read_bytes()
    with pytest.raises(InputError, match="corrupt") as caught:
        run(WITHOUT, resume=path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_a_file_of_another_version_is_refused_and_left(tmp_path):
    path = tmp_path / "run.npz"
    np.savez(path, format="initmath simulation 1", experiment=WITHOUT.describe())
    before = path.read_bytes()
    with pytest.raises(InputError, match="another version"):
        run(WITHOUT, resume=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("other", [dict(width=38), dict(seed=7), dict(activation="elu"), dict(networks=41)])
def test_the_file_of_another_experiment_is_refused_and_left(tmp_path, other):
    path = tmp_path / "run.npz"
    run(WITHOUT, resume=path)
    before = path.read_bytes()
    (name,) = other
    asked = dict(activation="relu", width=37, depth=5, networks=40, sigma_w2=2.0, sigma_b2=0.1, backward=True)
    with pytest.raises(InputError, match=f"another experiment.*{name}"):
        run(Experiment(**{**asked, **other}), resume=path)
    assert path.read_bytes() == before


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        run(WITHOUT, resume=tmp_path / "no" / "run.npz")


def test_the_old_file_survives_a_failing_write(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    with pytest.raises(StopAfter):
        run(WITHOUT, executor=Interrupting(5, StopAfter()), resume=path)
    before = path.read_bytes()

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(InputError, match="No space"):
        run(WITHOUT, resume=path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


# -- workers


def doomed(experiment, first, last):
    """Takes its process with it once."""
    if first == 0:
        os._exit(1)
    return compute(experiment, first, last)


class Fragile(Executor):
    """Real processes, one of which dies at the first range."""

    def __init__(self):
        self.pool = ProcessPoolExecutor(2)

    def submit(self, fn, /, *args, **kwargs):
        return self.pool.submit(doomed, *args)

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.pool.shutdown(wait=wait, cancel_futures=cancel_futures)


def test_a_lost_worker_loses_nothing():
    with Fragile() as pool, pytest.warns(RuntimeWarning, match="workers were lost"):
        found = run(WITHOUT, executor=pool)
    assert found == run(WITHOUT)


class AlreadyBroken(Executor):
    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_exception(BrokenExecutor("gone"))
        return future


def test_an_executor_that_is_broken_from_the_start():
    with pytest.warns(RuntimeWarning, match="40 of 40"):
        assert run(WITHOUT, executor=AlreadyBroken()) == run(WITHOUT)


def test_overflow_in_a_worker_is_one_line():
    with ProcessPoolExecutor(2) as pool, pytest.raises(InputError, match="overflowed at layer"):
        run(Experiment("exp(x)", 16, 30, 4, 3.0), executor=pool)


def test_a_function_that_cannot_be_sent_is_refused():
    def local(shape, variance, rng, dtype):
        return rng.standard_normal(shape, dtype=dtype) * np.sqrt(variance)

    experiment = Experiment("tanh", 32, 2, 8, 1.0, weights=local)
    with ProcessPoolExecutor(1) as pool, pytest.raises(InputError, match="cannot be sent"):
        run(experiment, executor=pool)
    assert run(experiment).second_y.shape == (8, 2, 2)


# -- Dask


def test_an_unreachable_scheduler_is_one_line():
    pytest.importorskip("distributed", reason="the dask extra is not installed")
    with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1") as caught:
        dask_executor("tcp://127.0.0.1:1", timeout=1.0)
    assert "\n" not in str(caught.value)


def test_without_dask_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match="pip install"):
        dask_executor("tcp://127.0.0.1:1")


@pytest.mark.filterwarnings("default")
def test_a_real_cluster_of_two_workers_gives_the_same_numbers():
    distributed = pytest.importorskip("distributed", reason="the dask extra is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        executor = dask_executor(cluster.scheduler_address)
        try:
            assert run(WITHOUT, executor=executor) == run(WITHOUT)
            assert run(EXPLICIT, executor=executor) == run(EXPLICIT)
        finally:
            executor._client.close()
