"""Forward and backward of an LSTM in float32: `python benchmarks/run.py` writes benchmarks/results/.

Every side lives in a process of its own and is idle while the others run; sides alternate, round by
round; medians over the rounds, and the ratio of each side to the generated code.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

HERE = Path(__file__).parent
PAUSE = 0.3
"""Seconds before each timing: the thread pool of the side before goes on spinning for a while."""
SIZES = [(4, 1, 50, 100), (20, 1, 50, 100), (100, 32, 64, 128), (64, 64, 256, 256), (64, 32, 512, 512)]


def worker(name: str, size: tuple[int, ...], pipe: Any) -> None:
    """Serve timings of one side."""
    sys.path.insert(0, str(HERE))
    import contenders
    import numpy as np

    try:
        data = contenders.problem(*size)
        run = contenders.ALL[name](data)
        if name == "generated":
            run.compare = True
        found = run()
        if name not in ("bare products", "hand-fused"):
            for mine, theirs in zip(found, contenders.fused(data)(), strict=True):
                np.testing.assert_allclose(
                    np.asarray(mine), theirs, rtol=1e-3, atol=1e-3 * float(np.abs(theirs).max())
                )
        if name == "generated":
            run.compare = False
    except ImportError as error:
        pipe.send(f"not installed: {error.name}")
        return
    pipe.send("ready")
    while (repeats := pipe.recv()) is not None:
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        pipe.send((time.perf_counter() - start) / repeats)


def measure(size: tuple[int, ...], rounds: int, progress: Any) -> dict[str, float | str]:
    """Median milliseconds of every side at one size."""
    context = multiprocessing.get_context("spawn")
    sys.path.insert(0, str(HERE))
    import contenders

    sides: dict[str, Any] = {}
    results: dict[str, float | str] = {}
    for name in contenders.ALL:
        here, there = context.Pipe()
        process = context.Process(target=worker, args=(name, size, there), daemon=True)
        process.start()
        answer = here.recv()
        if answer == "ready":
            sides[name] = here
        else:
            results[name] = answer
    times: dict[str, list[float]] = {name: [] for name in sides}
    repeats = {}
    for name, pipe in sides.items():
        time.sleep(PAUSE)
        pipe.send(1)
        repeats[name] = max(1, min(200, int(0.1 / max(pipe.recv(), 1e-5))))
    for _ in progress.track(range(rounds), description=str(size)):
        for name, pipe in sides.items():
            time.sleep(PAUSE)
            pipe.send(repeats[name])
            times[name].append(1000 * pipe.recv())
    for pipe in sides.values():
        pipe.send(None)
    return results | {name: statistics.median(found) for name, found in times.items()}


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--quick", action="store_true", help="the two smallest sizes, three rounds")
    arguments = parser.parse_args()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(arguments.threads)
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if arguments.threads > 1 else 'false'}"
    sizes, rounds = (SIZES[:2], 3) if arguments.quick else (SIZES, arguments.rounds)
    with Progress(console=Console(stderr=True)) as progress:
        results = {size: measure(size, rounds, progress) for size in sizes}
    write(results, arguments.threads, save=not arguments.quick)


def write(results: dict[tuple[int, ...], dict[str, float | str]], threads: int, save: bool) -> None:
    """The table on the terminal and in two files."""
    names = list(next(iter(results.values())))
    header = ["ms, (T, B, m, n)", *(str(size) for size in results), "ratio to generated (geometric mean)"]
    rows = []
    for name in sorted(names, key=lambda n: n != "generated"):
        found = [row[name] for row in results.values()]
        shown = [f"{v:.3g}" if isinstance(v, float) else v for v in found]
        pairs = [(v, row["generated"]) for v, row in zip(found, results.values(), strict=True)]
        ratios = [math.log(v / g) for v, g in pairs if isinstance(v, float) and isinstance(g, float)]
        rows.append([name, *shown, f"{math.exp(sum(ratios) / len(ratios)):.2f}" if ratios else ""])
    table = Table(*header, box=None)
    for row in rows:
        table.add_row(*row)
    Console(width=160).print(table)
    if save:
        folder = HERE / "results"
        folder.mkdir(exist_ok=True)
        lines = [" | ".join(["", *cells, ""]).strip() for cells in (header, ["---"] * len(header), *rows)]
        note = f"LSTM, forward and backward, float32; {processor()}, {threads} threads; medians."
        (folder / "numpy_lstm.md").write_text(note + "\n\n" + "\n".join(lines) + "\n")
        data = {"processor": processor(), "threads": threads, "ms": {str(k): v for k, v in results.items()}}
        (folder / "numpy_lstm.json").write_text(json.dumps(data, indent=2) + "\n")


if __name__ == "__main__":
    main()
