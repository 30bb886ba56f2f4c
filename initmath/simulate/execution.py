"""Who computes which networks: threads here, or any `concurrent.futures.Executor`."""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Callable
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from math import ceil
from threading import Event
from typing import Any

import numpy as np

from initmath.cores import cores
from initmath.errors import InputError
from initmath.simulate import explicit, without_weights
from initmath.simulate.blas import one_thread
from initmath.simulate.experiment import Experiment
from initmath.simulate.frame import Array
from initmath.simulate.memory import check_memory
from initmath.simulate.store import Store
from initmath.simulate.streams import Purpose, stream
from initmath.simulate.trajectories import Trajectories
from initmath.simulate.weights import check_sampler

__all__ = ["InlineExecutor", "compute", "dask_executor", "run"]

Progress = Callable[[int, int], object]
Range = tuple[int, int]

_TASK_SECONDS = 0.3  # about: short enough to lose little, long enough to be worth sending
_ALONE_SECONDS = 0.4  # below, one thread is done before two that take turns at the interpreter


class _Stopped(Exception):
    """The run was given up; what this worker had is not wanted any more."""


class InlineExecutor(Executor):
    """Computes each task at once, in the thread that submits it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call fn and return its finished future; Ctrl-C is not kept in it but raised."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def run(
    experiment: Experiment,
    *,
    executor: Executor | None = None,
    resume: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Trajectories:
    """Simulate the networks of an experiment.

    Parameters
    ----------
    experiment : Experiment
    executor : concurrent.futures.Executor, optional
        Processes, Dask (`dask_executor`), MPI (``mpi4py.futures.MPIPoolExecutor``); by default threads on
        the cores that this process may use, or this thread where all is done in an instant.  The numbers are
        the same, bit for bit, on any number of workers of one kind of machine.
    resume : path, optional
        An .npz file: finished networks are saved to it every few seconds, at the end and on the way out of
        any error or Ctrl-C; a run of the same experiment begins with what the file has.
    progress : callable, optional
        ``progress(done, total)`` in networks, called in this thread.

    Returns
    -------
    Trajectories

    Raises
    ------
    InputError
        Networks that do not fit into memory, an activation that overflows (which layer), a sampler of the
        wrong variance, a resume file that is corrupt or of another experiment (it is left alone), a sampler
        or activation that cannot be sent to another process.

    Warns
    -----
    RuntimeWarning
        If a worker was lost: its networks are computed in this process instead.

    Examples
    --------
    >>> from initmath.simulate import Experiment, run
    >>> found = run(Experiment("relu", width=256, depth=4, networks=8, sigma_w2=2.0))
    >>> found.second_y.shape, bool(abs(found.second_y.mean() - 1) < 0.3)
    ((8, 4, 2), True)
    """
    check_memory(experiment, cores() if executor is None else 0)
    if callable(experiment.weights):
        rng = stream(experiment.seed, 0, Purpose.CHECK)
        check_sampler(experiment.weights, experiment.width, experiment.sigma_w2, rng, experiment.dtype)
    store = Store(experiment, resume)
    report = _reporter(store, progress)
    report()
    try:
        if executor is not None:
            _Dispatch(experiment, store, executor, report).run()
        elif experiment.route != "explicit" and experiment.networks * _seconds(experiment) < _ALONE_SECONDS:
            _Dispatch(experiment, store, InlineExecutor(), report).run()
        else:
            _with_threads(experiment, store, report)
    finally:
        store.save()
    arrays = dict(store.arrays)
    seconds = arrays.pop("seconds").sum(axis=0)
    return Trajectories(
        experiment, **arrays, sampling_seconds=float(seconds[0]), product_seconds=float(seconds[1])
    )


def compute(experiment: Experiment, first: int, last: int, stop: Event | None = None) -> dict[str, Array]:
    """Summaries of the networks first … last − 1: the task that executors carry out."""

    def check() -> None:
        if stop is not None and stop.is_set():
            raise _Stopped

    route = explicit if experiment.route == "explicit" else without_weights
    with one_thread():
        found: dict[str, Array] = route.simulate(experiment, first, last, check)
    return found


def _reporter(store: Store, progress: Progress | None) -> Callable[[], None]:
    def report() -> None:
        if progress is not None:
            progress(store.count, store.experiment.networks)

    return report


def _with_threads(experiment: Experiment, store: Store, report: Callable[[], None]) -> None:
    stop = Event()
    with one_thread(), ThreadPoolExecutor(cores()) as pool:
        try:
            _Dispatch(experiment, store, pool, report, (stop,)).run()
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def ranges(experiment: Experiment, done: Array) -> list[Range]:
    """Split the networks still to be computed into ranges of about equal and not too long duration."""
    size = max(1, min(int(_TASK_SECONDS / _seconds(experiment)), ceil(experiment.networks / 8)))
    left = np.flatnonzero(~done)
    found: list[Range] = []
    for group in np.split(left, np.flatnonzero(np.diff(left) > 1) + 1):
        if group.size:
            first, last = int(group[0]), int(group[-1]) + 1
            found += [(start, min(start + size, last)) for start in range(first, last, size)]
    return found


def _seconds(e: Experiment) -> float:
    """About what one network takes."""
    neurons = e.width * e.depth * (2 + 3 * e.backward)
    if e.route == "explicit":
        return neurons * e.width * (12e-9 + 1e-10 * e.inputs.size) + 5e-5 * e.depth
    return neurons * e.inputs.size * 1.5e-8 + 1e-5 * e.depth


class _Dispatch:
    """Hands ranges of networks to an executor and collects what comes back, in whatever order."""

    def __init__(
        self,
        experiment: Experiment,
        store: Store,
        executor: Executor,
        report: Callable[[], None],
        extra: tuple[Any, ...] = (),
    ) -> None:
        self.experiment = experiment
        self.store = store
        self.executor = executor
        self.report = report
        self.extra = extra
        self.waiting: dict[Future[Any], Range] = {}
        self.lost: list[Range] = []

    def run(self) -> None:
        try:
            for span in ranges(self.experiment, self.store.done):
                self.send(span)
            while self.waiting:
                for future in wait(self.waiting, return_when=FIRST_COMPLETED).done:
                    self.take(future)
        except BaseException:
            self.give_up()
            raise
        self.recover()

    def send(self, span: Range) -> None:
        try:
            future = self.executor.submit(compute, self.experiment, *span, *self.extra)
        except Exception as error:
            self.failed(span, error)
            return
        self.waiting[future] = span
        if future.done():
            self.take(future)

    def take(self, future: Future[Any]) -> None:
        span = self.waiting.pop(future)
        try:
            found = future.result()
        except (Exception, CancelledError) as error:
            self.failed(span, error)
            return
        self.store.put(*span, found)
        self.report()

    def failed(self, span: Range, error: BaseException) -> None:
        if isinstance(error, BrokenExecutor | CancelledError) or _module(error) == "distributed":
            self.lost.append(span)
            return
        if isinstance(error, pickle.PicklingError) or "pickle" in str(error).lower():
            raise InputError(
                "the activation or the sampler cannot be sent to another process: "
                "define it at the top of a module, or use threads"
            ) from None
        raise error

    def give_up(self) -> None:
        """Keep what is already finished; the rest is not wanted any more."""
        for future, span in list(self.waiting.items()):
            future.cancel()
            if future.done() and not future.cancelled() and future.exception() is None:
                self.store.put(*span, future.result())

    def recover(self) -> None:
        if not self.lost:
            return
        self.store.save()
        count = sum(last - first for first, last in self.lost)
        warnings.warn(
            f"workers were lost: {count} of {self.experiment.networks} networks are computed here instead",
            RuntimeWarning,
            stacklevel=4,
        )
        for span in self.lost:
            self.store.put(*span, compute(self.experiment, *span))
            self.report()


def _module(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]


def dask_executor(address: str, *, timeout: float = 10.0) -> Any:
    """Connect to a Dask scheduler and return its executor; close with ``executor.shutdown()``.

    Parameters
    ----------
    address : str
        E.g. ``"tcp://10.0.0.1:8786"``.
    timeout : float
        Seconds to wait for the scheduler.

    Raises
    ------
    InputError
        If distributed is not installed, or nothing answers at the address.
    """
    if not address.strip():
        raise InputError("the address of a Dask scheduler is empty: it looks like tcp://10.0.0.1:8786")
    try:
        from distributed import Client
    except ImportError:
        raise InputError("Dask is not installed: pip install 'initmath[dask]'") from None
    try:
        client = Client(address, timeout=timeout)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"no Dask scheduler answers at {address}: {reason}") from None
    return client.get_executor()
