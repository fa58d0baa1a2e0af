"""What `stance serve` bears: latency at 1, 8 and 32 clients, restarts under load, and fuzzed requests.

    python -m experiments.benchmarks.service [--store mlflow.db] [--seconds 10] [--workers 1]
    python -m experiments.benchmarks.service --fuzz 600

Without --store the linear model is trained on the shipped corpus first. Clients (httpx) and service share the
machine's cores, so the rates are below what a service alone would reach.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import httpx
import numpy as np

from experiments.benchmarks.serving import Running, train_champion
from stance.cli import tables
from stance.dataset import load_examples

CONFIG = Path(__file__).with_name("service.toml")
PATIENCE = 60.0  # seconds for which a client asks again
PAUSE = 0.1


class Load(NamedTuple):
    """What the clients of one run saw; `seconds` holds one latency per answer."""

    clients: int
    seconds: list[float]
    counts: Counter[str]
    lasted: float

    def row(self) -> tuple[Any, ...]:
        """The run as a row of the printed table; latencies in milliseconds."""
        p50, p99 = np.percentile(self.seconds, [50, 99]) * 1000
        return (
            self.clients,
            f"{len(self.seconds) / self.lasted:,.0f}",
            f"{p50:.1f}",
            f"{p99:.1f}",
            self.counts["wrong"],
        )


def bodies(rows: int) -> list[dict[str, Any]]:
    """Return requests of so many rows each, from the corpus's test part."""
    examples = load_examples("stance", "test")["test"]
    asked = [{"text": e.text, "actor": e.actor, **({"mention": e.mention} if e.mention else {})} for e in examples]
    return [{"dataframe_records": asked[at : at + rows]} for at in range(0, len(asked) - rows + 1, rows)]


def ask_all(url: str, asked: Sequence[dict[str, Any]]) -> list[Any]:
    """Return the answer to each request, asked one after the other: what the clients' answers are compared with."""
    with httpx.Client(base_url=url, timeout=60) as client:
        return [client.post("/invocations", json=body).raise_for_status().json() for body in asked]


async def drive(url: str, clients: int, lasts: float, asked: Sequence[dict[str, Any]], wanted: Sequence[Any]) -> Load:
    """Let `clients` ask in closed loops for `lasts` seconds; each asks again where its connection was lost."""
    seconds: list[float] = []
    counts: Counter[str] = Counter()
    numbers = itertools.count()
    until = time.perf_counter() + lasts

    async def ask_on() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client:
            while time.perf_counter() < until:
                number = next(numbers) % len(asked)
                started = time.perf_counter()
                answer = await _ask(client, asked[number], counts)
                seconds.append(time.perf_counter() - started)
                counts["lost" if answer is None else "right" if answer == wanted[number] else "wrong"] += 1

    started = time.perf_counter()
    await asyncio.gather(*(ask_on() for _ in range(clients)))
    return Load(clients, seconds, counts, time.perf_counter() - started)


async def _ask(client: httpx.AsyncClient, body: dict[str, Any], counts: Counter[str]) -> Any:
    until = time.perf_counter() + PATIENCE
    while time.perf_counter() < until:
        try:
            answer = await client.post("/invocations", json=body)
        except httpx.ConnectError:
            counts["asked again: no connection"] += 1
        except httpx.TransportError:
            counts["asked again: connection lost"] += 1
        else:
            return answer.json() if answer.status_code == 200 else answer.text
        await asyncio.sleep(PAUSE)
    return None


async def restart_under_load(service: Running, restarts: int, sent: signal.Signals, asked: Any, wanted: Any) -> Load:
    """Let eight clients ask while the service is ended and started again."""

    def restart() -> None:
        for _ in range(restarts):
            time.sleep(2)
            service.stop(sent)
            service.start()

    lasts = restarts * 12.0
    load, _ = await asyncio.gather(drive(service.url, 8, lasts, asked, wanted), asyncio.to_thread(restart))
    return load


def fuzz(url: str, seconds: int, seed: int) -> int:
    """Run Schemathesis on the service for so many seconds, print what it finds, and return its exit status."""
    tool = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    options = ["--max-time", str(seconds), "--max-examples", "1000000", "--seed", str(seed), "--continue-on-failure"]
    return subprocess.run(
        [*tool, "--config-file", str(CONFIG), "run", f"{url}/openapi.json", *options], check=False
    ).returncode


@contextmanager
def find_store(store: Path | None) -> Iterator[Path]:
    """Yield a store with a champion: the given one, or one that is made for the time of the block."""
    if store is not None:
        yield store.absolute()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield train_champion(Path(folder))


def measure(store: Path, clients: Sequence[int], seconds: float, workers: int, restarts: int) -> None:
    """Print the tables of latency and of restarts."""
    asked = bodies(1)[:200]
    with Running("--workers", str(workers), store=store) as service:
        wanted = ask_all(service.url, asked)
        loads = [asyncio.run(drive(service.url, n, seconds, asked, wanted)) for n in clients]
    tables.show(
        f"One row per request, {workers} worker(s)",
        ("clients", "requests/s", "p50, ms", "p99, ms", "wrong"),
        [load.row() for load in loads],
    )
    rows = []
    port = int(service.url.rpartition(":")[2])
    for sent in (signal.SIGTERM, signal.SIGKILL) if restarts else ():
        with Running("--workers", str(workers), port=port, store=store) as service:
            load = asyncio.run(restart_under_load(service, restarts, sent, asked, wanted))
        names = ("right", "wrong", "lost", "asked again: connection lost", "asked again: no connection")
        rows.append((sent.name, *(load.counts[name] for name in names), f"{max(load.seconds):.1f}"))
    if rows:
        head = ("ended by", "right", "wrong", "lost", "connection lost", "no connection", "longest wait, s")
        tables.show(f"{restarts} restarts under 8 clients that ask again", head, rows)


@click.command()
@click.option("--store", type=click.Path(path_type=Path, exists=True), help="An mlflow.db with a champion.")
@click.option("--clients", multiple=True, type=int, default=(1, 8, 32), show_default=True)
@click.option("--seconds", default=10.0, show_default=True)
@click.option("--workers", default=1, show_default=True)
@click.option("--restarts", default=3, show_default=True)
@click.option("--fuzz", "fuzzed", default=0, help="Only fuzz, for so many seconds.")
@click.option("--seed", default=1, show_default=True)
def main(  # noqa: PLR0913, PLR0917 - one parameter per option
    store: Path | None, clients: tuple[int, ...], seconds: float, workers: int, restarts: int, fuzzed: int, seed: int
) -> None:
    """Print the tables, or what the fuzzer found."""
    with find_store(store) as found:
        if not fuzzed:
            return measure(found, clients, seconds, workers, restarts)
        with Running("--workers", str(workers), store=found) as service:
            status = fuzz(service.url, fuzzed, seed)
        click.echo("".join(line for line in service.log if "Traceback" in line) or "no traceback in the service's log")
        sys.exit(status)


if __name__ == "__main__":
    main()
