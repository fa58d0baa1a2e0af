"""`stance label next`: which examples of a pool are worth an annotator's time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.wording import counted

if TYPE_CHECKING:
    from labeling.selection import Pick


@click.command("next")
@click.argument("pool", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", required=True, help="The URI or bundle folder of the model that should learn.")
@click.option("--n", "count", default=200, show_default=True, type=click.IntRange(1), help="How many to pick.")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="The .jsonl file for `stance label push`."
)
@click.option(
    "--random",
    "share",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share drawn at random, for honest estimates.",
)
@click.option(
    "--per-actor",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="Most of the picks that one actor may have, as a share.",
)
@click.option(
    "--rarity",
    default=0.5,
    show_default=True,
    type=click.FloatRange(0, 2),
    help="How much rare labels are favoured; 0 treats all alike.",
)
@click.option(
    "--labelled",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Examples or pulled annotations that need no labelling again.",
)
@click.option(
    "--held-out",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Examples of a test of your own: they and their near-duplicates are left out.",
)
@click.option("--seed", default=13, show_default=True, type=click.IntRange(0), help="The same seed picks the same.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with the counts.")
def next(
    pool: tuple[Path, ...], model: str, count: int, output: Path, share: float, per_actor: float, rarity: float,
    labelled: tuple[Path, ...], held_out: tuple[Path, ...], seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Pick from POOL (files of `stance ingest`) what to label next, and say why for each.

    What the model is least sure of, spread over kinds of sentence, labels and actors, and a random share. Nothing comes
    from the shipped corpus's test part or near it, nor what is labelled.
    """
    import json

    from labeling.eligibility import find_eligible, read_ids
    from labeling.live import load
    from labeling.scores import score
    from labeling.selection import Quotas, embedder, select, write_picks
    from stance.cli.progress import bar
    from stance.dataset import read_examples

    quotas = Quotas(count, share, per_actor, rarity, seed)
    live = load(model)
    examples = [example for path in pool for example in read_examples(path)]
    known = {each for path in labelled for each in read_ids(path)}
    kept = [example for path in held_out for example in read_examples(path)]
    eligible = find_eligible(examples, live.classifier.codebook, live.classifier.task, known, kept)
    with bar(f"score {len(eligible.examples)}") as progress:
        scores = score(live.classifier, eligible.examples, progress)
    with bar("compare the shortlist") as progress:
        picks = select(eligible.examples, scores, embedder(progress), quotas)
    write_picks(picks, output, live.version)
    if as_json:
        facts = {"pool": len(examples), "eligible": len(eligible.examples), "left_out": eligible.left_out}
        picked = {"picked": len(picks), "by": dict(Counter(pick.label or pick.by for pick in picks))}
        click.echo(json.dumps(facts | picked | {"model": live.version, "file": str(output)}, ensure_ascii=False))
        return
    left = ", ".join(f"{n} {why}" for why, n in eligible.left_out.items() if n) or "nothing left out"
    click.echo(f"{len(eligible.examples)} of {len(examples)} may be labelled ({left})", err=True)
    show(picks)
    written = f"{output}: {counted(len(picks), 'example')}"
    click.echo(f"{written}; send with `stance label push {output} --project NAME`", err=True)


def show(picks: list[Pick]) -> None:
    """Print how many were picked for which label or at random, and of whom most."""
    from stance.cli import tables

    rows = []
    for kind, n in sorted(Counter(pick.label or "(random)" for pick in picks).items()):
        own = [pick for pick in picks if (pick.label or "(random)") == kind]
        most = Counter(pick.example.actor or "-" for pick in own).most_common(3)
        first = min(own, key=lambda pick: (pick.margin or 0.0, pick.row))
        actors = ", ".join(f"{actor} {count}" for actor, count in most)
        rows.append((kind, n, actors, f"{first.why}: {first.example.text}"))
    tables.show(f"{len(picks)} to label next", ("for", "picks", "most of", "the first of them"), rows, lines=True)
