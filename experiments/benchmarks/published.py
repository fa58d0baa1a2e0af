"""Other people's tables: catalogue models on public sets, under each set's own metric, beside the published figures.

    python -m experiments.benchmarks.published                             # every set, tfidf-linear
    python -m experiments.benchmarks.published plv --model encoder --seeds 3      # minutes; goes on if stopped
    python -m experiments.benchmarks.published gvfc --validate c=4                # settings, without test rows

KEY=VALUE changes a setting of the model. Scores are means over seeds, with the standard deviation over seeds and the
95% interval of that mean over test documents. docs/benchmarks.md says where each set comes from.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import yaml

from experiments.benchmarks.published_runs import Plan, plan, protocols, run, statistics
from experiments.benchmarks.published_scores import MeanScores
from stance.cli import tables
from stance.cli.progress import bar
from stance.dataset.cache import cache_root
from stance.evaluation.bootstrap import Resampling, bootstrap_documents

DATA = Path(__file__).parents[3] / "shared" / "benchmarks"
FIRST_SEED = 1


@dataclass(frozen=True)
class Figure:
    """One score of ours, in per cent: mean and standard deviation over seeds, interval of the mean over documents."""

    set: str
    task: str
    model: str
    score: str
    mean: float
    deviation: float
    low: float
    high: float
    seeds: int
    train_seconds: float  # of one seed, all its rounds
    goal: float | None
    best_published: float | None

    def cell(self) -> str:
        return f"{self.mean:.1f} ± {self.deviation:.1f} [{self.low:.1f}, {self.high:.1f}]"


def measure(work: Plan, seeds: Sequence[int], results: Path) -> list[Figure]:
    """Train what is not kept in `results` and return the figures of every score that the protocol names."""
    decisions = [run(work, seed, results, bar) for seed in seeds]
    by_seed = [statistics(work, one) for one in decisions]
    seconds = float(np.mean([sum(one["seconds"] for one in rounds) for rounds in decisions]))
    stated = protocols()[work.name]["tasks"][work.task]
    figures = []
    for test in work.rounds[0].tests:
        scores = MeanScores([one[test] for one in by_seed])
        n_documents = scores.runs[0].counts.shape[1]
        values = np.array([one(np.ones((1, n_documents)))[0] for one in scores.runs])
        intervals = bootstrap_documents(scores, n_documents, Resampling(1_000))
        for place, name in enumerate(scores.names):
            if name not in {one.split(".")[1] for one in stated["scores"]}:
                continue
            goal, best = _stated(stated, work.kind, f"{test}.{name}")
            figures.append(
                Figure(
                    set=work.name,
                    task=work.task,
                    model=work.kind,
                    score=f"{test}.{name}",
                    mean=100 * float(values[:, place].mean()),
                    deviation=100 * float(values[:, place].std(ddof=1)) if len(values) > 1 else 0.0,
                    low=100 * intervals[place].low,
                    high=100 * intervals[place].high,
                    seeds=len(seeds),
                    train_seconds=seconds,
                    goal=goal,
                    best_published=best,
                )
            )
    return figures


def show(figures: list[Figure]) -> None:
    """Print one task's figures beside the published ones."""
    first = figures[0]
    protocol = protocols()[first.set]
    columns = [figure.score for figure in figures]
    stated = protocol["tasks"][first.task]
    rows: list[list[object]] = []
    for one in stated["published"]:
        known = dict(zip(stated["scores"], one["values"], strict=True))
        rows.append(
            [
                f"{one['system']} [{one['source']}]",
                *("–" if known.get(c) is None else f"{known[c]:.1f}" for c in columns),
            ]
        )
    ours = f"{first.model}, {first.seeds} seed{'s' * (first.seeds > 1)}, {first.train_seconds:.0f} s each"
    rows.append([ours, *(figure.cell() for figure in figures)])
    if any(figure.goal for figure in figures):
        rows.append(["wanted", *("–" if f.goal is None else f"≥ {f.goal}: {_verdict(f)}" for f in figures)])
    tables.show(f"{first.set}, {first.task} (published: {protocol['cite']})", ("system", *columns), rows)


def _verdict(figure: Figure) -> str:
    missing = (figure.goal or 0) - figure.mean
    return "reached" if missing <= 0 else f"missed by {missing:.1f}"


def _stated(stated: dict[str, Any], kind: str, score: str) -> tuple[float | None, float | None]:
    """Return the goal and the best published figure of a score; None where there is none, as for validation rows."""
    if score not in stated["scores"]:
        return None, None
    position = stated["scores"].index(score)
    goals = stated.get("goals", {}).get(kind)
    published = [one["values"][position] for one in stated["published"]]
    return goals and goals[position], max((one for one in published if one is not None), default=None)


@click.command()
@click.argument("arguments", nargs=-1, metavar="[SET | KEY=VALUE]...")
@click.option("--model", "kind", default="tfidf-linear", show_default=True, help="A kind of the catalogue.")
@click.option("--task", help="Only this task of the sets.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(min=1), help="How many seeds.")
@click.option("--data", default=DATA, show_default=False, type=click.Path(path_type=Path), help="Folder of the sets.")
@click.option("--results", type=click.Path(path_type=Path), help="Where finished runs are kept; default: the cache.")
@click.option("--validate", is_flag=True, help="Score on development rows or by cross-validation on training rows.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per figure.")
def main(  # noqa: PLR0913, PLR0917 - one parameter per option
    arguments: tuple[str, ...],
    kind: str,
    task: str | None,
    seeds: int,
    data: Path,
    results: Path | None,
    validate: bool,
    as_json: bool,
) -> None:
    """Train and score a model on public sets (all by default) beside the published figures."""
    known = protocols()
    changes = {key: yaml.safe_load(value) for key, _, value in (one.partition("=") for one in arguments if "=" in one)}
    names = [one for one in arguments if "=" not in one] or list(known)
    if unknown := sorted(set(names) - set(known)):
        raise click.UsageError(f"no set {unknown[0]}; the sets are {', '.join(known)}")
    for name in names:
        if not (data / name).is_dir():
            click.echo(f"skipped {name}: {data / name} is missing; give the folder of the sets with --data", err=True)
            continue
        for one in known[name]["tasks"]:
            if task in (None, one):
                work = plan(name, one, kind, data, validate=validate).changed(changes)
                report(
                    measure(work, range(FIRST_SEED, FIRST_SEED + seeds), results or cache_root() / "published"), as_json
                )


def report(figures: list[Figure], as_json: bool) -> None:
    """Print figures as a table or as JSON Lines."""
    if not as_json:
        show(figures)
        return
    for figure in figures:
        content: dict[str, Any] = asdict(figure)
        click.echo(json.dumps(content))


if __name__ == "__main__":
    main()
