"""The speed benchmark's figures in words. Kept measurements enter; rows of tables, verdicts and a plot leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.benchmarks.speed_rows import ROWS
from experiments.benchmarks.speed_runs import Bench, Facts

DASH = "–"
COLUMNS = (
    "row",
    "F1 val",
    "F1 test",
    "train s",
    "train CPU s",
    "first s",
    "examples/s",
    "per CPU s",
    "peak MiB",
    "load",
)


@dataclass(frozen=True)
class Verdict:
    """Whether a goal was reached, None where what was found does not tell; `found` is None where nothing was."""

    goal: str
    found: str | None
    reached: bool | None = False

    def __str__(self) -> str:
        states = {True: "reached", False: "missed", None: "undecided"}
        state = "not measured" if self.found is None else states[self.reached]
        return f"{state:12} {self.goal}" + ("" if self.found is None else f": {self.found}")


def common_size(bench: Bench, names: Sequence[str]) -> int | None:
    """Return the largest size that all rows which run were measured at."""
    sizes = [set(found) for name in names if (found := bench.sizes(name))]
    shared = set.intersection(*sizes) if sizes else set()
    return max(shared, default=None)


def figures(bench: Bench, name: str, size: int, trained: Facts) -> tuple[object, ...]:
    """Return a row of the main table, or why there is none."""
    if "missing" in trained:
        return (name, f"not installed: pip install {' '.join(ROWS[name].packages)}", *[""] * (len(COLUMNS) - 2))
    if "failed" in trained:
        return (name, f"failed: {trained['failed'][:80]}", *[""] * (len(COLUMNS) - 2))
    scores, pattern = bench.scores(name), f"rate-{size}-*"
    seconds, cpu = bench.median(name, pattern, "seconds"), bench.median(name, pattern, "cpu_seconds")
    largest = max(bench.sizes(name), default=0)
    return (
        name,
        _number(scores.get("validation"), 3),
        _number(scores.get("test"), 3),
        DASH if trained.get("exported") else _number(trained.get("seconds"), 1),
        DASH if trained.get("exported") else _number(trained.get("cpu_seconds"), 1),
        _number(bench.median(name, "first-*", "seconds"), 2),
        _number(size / seconds if seconds else None, 0),
        _number(size / cpu if cpu else None, 0),
        _number(bench.median(name, f"rate-{largest}-*", "peak_mib"), 0),
        _number(bench.median(name, pattern, "load"), 1),
    )


def growth(bench: Bench, name: str, sizes: Sequence[int]) -> tuple[str, ...]:
    """Return a row's seconds per size; what is in proportion to a smaller size says so."""
    cells = []
    for size in sizes:
        seconds, measured = bench.scoring(name, size)
        cells.append(DASH if not seconds else f"{seconds:,.1f}" if measured else f"≈ {seconds:,.0f} extrapolated")
    return (name, *cells)


def verdicts(bench: Bench, size: int) -> list[Verdict]:
    """Return what the goals of the benchmark came to, rates at `size` texts."""

    pipelines = ("hf-pipeline", "hf-pipeline-32")
    found = [
        _ratio(bench, size, "encoder-int8 ≥ 5 × the faster Hugging Face pipeline", ("encoder-int8", pipelines, 5.0)),
        _share(bench, size),
        _ratio(bench, size, "tfidf-linear ≥ fastText's rate", ("tfidf-linear", ("fasttext",), 1.0)),
    ]
    for name in ("tfidf-linear", "encoder-int8"):
        seconds = bench.median(name, "first-*", "seconds")
        goal = f"{name}: fresh process to first result ≤ 1.5 s"
        found.append(Verdict(goal, f"{seconds:.2f} s", seconds <= 1.5) if seconds else Verdict(goal, None))
    return [*found, _training(bench)]


def _ratio(bench: Bench, size: int, goal: str, which: tuple[str, Sequence[str], float]) -> Verdict:
    """Compare a row with the fastest of others: by the wall, which decides, and by processor time."""
    name, others, least = which
    times = {}
    for fact in ("seconds", "cpu_seconds"):
        ours = bench.median(name, f"rate-{size}-*", fact)
        theirs = min(filter(None, (bench.median(other, f"rate-{size}-*", fact) for other in others)), default=None)
        if not ours or not theirs:
            return Verdict(goal, None)
        times[fact] = ours, theirs
    ours, theirs = times["seconds"]
    cpu = times["cpu_seconds"][1] / times["cpu_seconds"][0]
    text = (
        f"{size / ours:,.0f} to {size / theirs:,.0f} per second, {theirs / ours:.2f} × ({cpu:.2f} × by processor time)"
    )
    return Verdict(goal, text, theirs / ours >= least)


def _share(bench: Bench, size: int) -> Verdict:
    goal = "encoder-int8 ≥ 40% of the processor's 8-bit peak"
    facts = ("operations", "full", "tokens")
    done, full, tokens = (bench.median("encoder-int8", "peak-*", fact) for fact in facts)
    peak = max((one["peak"] for one in bench.kept("encoder-int8", "peak-*")), default=None)  # a busy machine lowers it
    wall, cpu = (bench.median("encoder-int8", f"rate-{size}-*", fact) for fact in ("seconds", "cpu_seconds"))
    if not (peak and done and full and wall and cpu):
        return Verdict(goal, None)
    share = size * done / wall / peak
    text = (
        f"{share:.0%} of {peak / 1e9:,.0f} GOP/s ({size * done / cpu / peak * bench.threads:.0%} by processor time), "
        f"{done / 1e6:,.0f} MOP and {tokens:.0f} tokens a text; {share * full / done:.0%} "
        "counting what its last layer leaves out"
    )
    return Verdict(goal, text, share >= 0.4)


def _training(bench: Bench) -> Verdict:
    goal = "fine-tuning ≥ 2 × faster than Trainer's defaults to the same validation macro-F1"
    ours, theirs = bench.kept("encoder-torch", "train"), bench.kept("hf-trainer", "train")
    if not ours or not theirs:
        return Verdict(goal, None)
    one, other = ours[0], theirs[0]
    ratio, cpu = other["seconds"] / one["seconds"], other["cpu_seconds"] / one["cpu_seconds"]
    if other["reached"]:
        ended = "reached it"
    else:
        ended = (
            f"came to {other['best']:.3f} of {other['target']:.3f} in {other['steps']} of {other['all_steps']} steps"
        )
    bound = "" if other["reached"] else "over "
    text = (
        f"{one['seconds']:.0f} s to {other['seconds']:.0f} s, {bound}{ratio:.1f} × "
        f"({bound}{cpu:.1f} × in processor time); Trainer {ended}"
    )
    # A rival that was stopped short of the score only bounds the ratio from below.
    return Verdict(goal, text, True if ratio >= 2 else False if other["reached"] else None)


def draw(bench: Bench, names: Sequence[str], sizes: Sequence[int], path: Path) -> None:
    """Plot seconds over sizes, hollow where extrapolated, and rate over macro-F1 on test."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    size = common_size(bench, names)
    for number, name in enumerate(name for name in names if bench.sizes(name)):
        points = [(one, *bench.scoring(name, one)) for one in sizes]
        color, mark = colormaps["tab20"](number % 20), "o" if ROWS[name].ours else "s"
        line = "-" if ROWS[name].ours else "--"
        left.plot([one for one, *_ in points], [seconds for _, seconds, _ in points], line, color=color, label=name)
        for one, seconds, measured in points:
            left.plot(one, seconds, mark, color=color, markerfacecolor=color if measured else "white")
        seconds, test = bench.scoring(name, size)[0] if size else 0.0, bench.scores(name).get("test")
        if seconds and size and test is not None:
            right.plot(test, size / seconds, mark, color=color)
            right.annotate(name, (test, size / seconds), xytext=(5, 4), textcoords="offset points", fontsize=8)
    left.set(xscale="log", yscale="log", xlabel="texts", ylabel="seconds (hollow: extrapolated)")
    if left.lines:
        figure.legend(fontsize=8, loc="outside lower center", ncols=6)
    right.set(yscale="log", xlabel="macro-F1, test part", ylabel=f"examples per second, at {size:,}" if size else "")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def _number(value: float | None, digits: int) -> str:
    return DASH if value is None else f"{value:,.{digits}f}"
