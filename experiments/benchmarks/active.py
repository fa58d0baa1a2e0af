"""Does `stance label next` save labels? The shipped corpus is replayed as a pool, against picking at random.

    python -m experiments.benchmarks.active [--part validation] [--seeds 5] [-o active.png]

The train part is the pool and its labels are the annotators. Each seed starts with the same random tenth for both arms;
then, budget by budget, `tfidf-linear` is trained on what is labelled so far and the next examples are picked by
`labeling.selection.select` with its defaults, random share included, or at random. Thresholds are fitted on the
validation part, for both arms alike, so its labels come on top. Scores are macro-F1 on the test part; with
`--part validation`, which is for choosing the recipe, thresholds come from the other half of its documents. Figures are
kept as they are measured: interrupted, the command goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from labeling import selection
from labeling.scores import score
from stance import codebook as codebooks
from stance import config
from stance.cli import tables
from stance.cli.progress import bar
from stance.dataset import load_examples
from stance.dataset.arrays import label_matrix
from stance.dataset.cache import cache_root
from stance.dataset.files import replacing
from stance.evaluation.calibration import fit_calibration
from stance.evaluation.metrics import score_overall
from stance.experiment import build
from stance.models.classifier import Classifier
from stance.models.thresholds import Calibration
from stance.records import Example

EXPERIMENT = Path(__file__).parents[1] / "tfidf-linear.yaml"
BUDGETS = (0.1, 0.2, 0.3, 0.4, 0.5)
ARMS = ("random", "next")
GOAL = 0.02  # below the full pool's macro-F1


class Summary(NamedTuple):
    """A mean over seeds with its 95% interval (Student's t)."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


class Replay:
    """The pool, the model and what was measured so far, kept in a file per recipe and part."""

    def __init__(self, part: str, rarity: float, share: float) -> None:
        self.part, self.rarity, self.share = part, rarity, share
        self.book = codebooks.load()
        self.experiment = config.load(EXPERIMENT)
        self.labels = self.book.task("stance").labels
        self.parts = load_examples("stance")
        self.pool = self.parts["train"]
        self.place = {example.id: row for row, example in enumerate(self.pool)}
        code = "".join(Path(module.__file__ or "").read_text("utf-8") for module in (selection,))
        named = f"{part} {rarity} {share} {hashlib.sha256(code.encode()).hexdigest()[:8]}"
        self.folder = cache_root() / "active"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / f"{named.replace(' ', '-')}.json"
        self.found: dict[str, float] = json.loads(self.path.read_text("utf-8")) if self.path.is_file() else {}

    def vectors(self) -> NDArray[Any]:
        """The pool's embeddings, computed once."""
        path = self.folder / "vectors.npy"
        if not path.is_file():
            with bar("embed the pool") as progress:
                found = selection.embedder(progress)(self.pool)
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.save(file, found)
        vectors: NDArray[Any] = np.load(path)
        return vectors

    def run(self, seeds: int) -> Iterator[None]:
        """Measure what is missing; yields after each figure."""
        if "full" not in self.found:
            self._keep("full", self._measure(*self._train(np.arange(len(self.pool)))))
        yield
        vectors = self.vectors()
        for seed in range(seeds):
            for arm in ARMS:
                yield from self._replay(arm, seed, vectors)

    def _replay(self, arm: str, seed: int, vectors: NDArray[Any]) -> Iterator[None]:
        order = np.random.default_rng(seed).permutation(len(self.pool))
        if all(f"{arm} {seed} {budget}" in self.found for budget in BUDGETS):
            for _ in BUDGETS:
                yield
            return
        chosen, trained = order[: round(BUDGETS[0] * len(self.pool))], None
        for step, budget in enumerate(BUDGETS):
            size = round(budget * len(self.pool))
            if step and arm == "random":
                chosen = order[:size]
            elif step:
                chosen = np.concatenate([chosen, self._pick(chosen, size - len(chosen), trained, vectors, seed + step)])
            trained = self._train(chosen)
            self._keep(f"{arm} {seed} {budget}", self._measure(*trained))
            yield

    def _pick(self, chosen: NDArray[Any], n: int, trained: Any, vectors: NDArray[Any], seed: int) -> NDArray[Any]:
        model, probabilities = trained
        calibration = self._calibrate(probabilities, np.ones(len(probabilities), dtype=bool))
        rest = np.setdiff1d(np.arange(len(self.pool)), chosen)
        examples = [self.pool[row] for row in rest]
        scores = score(Classifier(model, calibration, self.book, "stance"), examples)
        quotas = selection.Quotas(n=n, random=self.share, rarity=self.rarity, seed=seed)
        picks = selection.select(examples, scores, lambda some: vectors[[self.place[e.id] for e in some]], quotas)
        return rest[[pick.row for pick in picks]]

    def _train(self, chosen: NDArray[Any]) -> tuple[Any, NDArray[Any]]:
        model = build(self.experiment, self.book)
        model.fit([self.pool[row] for row in np.sort(chosen)], [])
        return model, model.predict_proba(self.parts["validation"])

    def _calibrate(self, probabilities: NDArray[Any], rows: NDArray[np.bool_]) -> Calibration:
        examples = [one for one, used in zip(self.parts["validation"], rows, strict=True) if used]
        return fit_calibration(probabilities[rows], label_matrix(examples, self.labels), _clusters(examples))

    def _measure(self, model: Any, probabilities: NDArray[Any]) -> float:
        everything = np.ones(len(probabilities), dtype=bool)
        if self.part == "test":
            calibrated = self._calibrate(probabilities, everything).apply(model.predict_proba(self.parts["test"]))
            given = self._calibrate(probabilities, everything).decide(calibrated)
        else:
            halves = np.array(
                [int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2 for name in _clusters(self.parts["validation"])]
            )
            calibrated, given = np.zeros(probabilities.shape), np.zeros(probabilities.shape, dtype=bool)
            for half in (0, 1):
                calibration = self._calibrate(probabilities, halves != half)
                calibrated[halves == half] = calibration.apply(probabilities[halves == half])
                given[halves == half] = calibration.decide(calibrated[halves == half])
        return score_overall(label_matrix(self.parts[self.part], self.labels), given, calibrated).macro_f1

    def _keep(self, name: str, value: float) -> None:
        self.found[name] = value
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps(self.found, indent=1), "utf-8")


def _clusters(examples: Sequence[Example]) -> list[str]:
    return [example.cluster or example.doc_id for example in examples]


def summarize(values: Sequence[float]) -> Summary:
    """Return the mean of a figure over seeds, with its interval."""
    from scipy.stats import t

    half = (
        float(t.ppf(0.975, len(values) - 1)) * stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    )
    return Summary(fmean(values), fmean(values) - half, fmean(values) + half)


def curve(found: dict[str, float], arm: str, seeds: int) -> list[Summary]:
    """Return one arm's summary per budget."""
    return [summarize([found[f"{arm} {seed} {budget}"] for seed in range(seeds)]) for budget in BUDGETS]


def draw(found: dict[str, float], seeds: int, size: int, path: Path) -> None:
    """Draw both learning curves with their intervals, the full pool's score and the goal."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for arm, colour, marker in (("random", "#6e6e6e", "o"), ("next", "#0072B2", "s")):
        points = curve(found, arm, seeds)
        sizes = [round(budget * size) for budget in BUDGETS]
        axes.fill_between(
            sizes, [p.low for p in points], [p.high for p in points], color=colour, alpha=0.15, linewidth=0
        )
        axes.plot(
            sizes,
            [p.mean for p in points],
            color=colour,
            marker=marker,
            label="stance label next" if arm == "next" else "at random",
        )
    axes.axhline(found["full"], color="black", linewidth=1, label=f"all {size:,} labels")
    axes.axhline(found["full"] - GOAL, color="black", linewidth=1, linestyle=":", label=f"… minus {GOAL}")
    axes.set(xlabel="labels", ylabel="macro-F1", title=f"Learning curves, mean and 95% interval over {seeds} seeds")
    axes.legend(loc="lower right", frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


@click.command()
@click.option("--part", type=click.Choice(["validation", "test"]), default="test", show_default=True)
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1))
@click.option("--rarity", default=selection.Quotas().rarity, show_default=True)
@click.option("--random", "share", default=selection.Quotas().random, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to draw the curves (.png).")
def main(part: str, seeds: int, rarity: float, share: float, output: Path | None) -> None:
    """Replay the pool and print the learning curves."""
    replay = Replay(part, rarity, share)
    total = 1 + seeds * len(ARMS) * len(BUDGETS)
    with bar("replay") as progress:
        for done, _ in enumerate(replay.run(seeds), start=1):
            progress({"done": float(done), "total": float(total)})
    found, size, goal = replay.found, len(replay.pool), replay.found["full"] - GOAL
    rows, reached = [], {}
    for place, budget in enumerate(BUDGETS):
        points = {arm: curve(found, arm, seeds)[place] for arm in ARMS}
        gain = summarize([found[f"next {seed} {budget}"] - found[f"random {seed} {budget}"] for seed in range(seeds)])
        rows.append((round(budget * size), f"{budget:.0%}", *(str(points[arm]) for arm in ARMS), str(gain)))
        for arm in ARMS:
            if points[arm].mean >= goal:
                reached.setdefault(arm, f"{round(budget * size)} labels ({budget:.0%})")
    tables.show(f"Macro-F1 on {part}, mean of {seeds} seeds [95%]", ("labels", "share", *ARMS, "next - random"), rows)
    click.echo(f"all {size} labels: {found['full']:.3f}; goal {goal:.3f}")
    for arm in ARMS:
        click.echo(f"{arm}: {'goal reached with ' + reached[arm] if arm in reached else 'goal not reached'}")
    if output is not None:
        draw(found, seeds, size, output)


if __name__ == "__main__":
    main()
