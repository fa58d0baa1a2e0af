"""`stance label gold`: what is decided, as examples to train on."""

from __future__ import annotations

from pathlib import Path

import click

from stance.cli.label.agreement import read_answers
from stance.wording import counted


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The .jsonl file to write.")
@click.option("--verdicts", type=click.Path(path_type=Path), help="The pulled annotations of the review project.")
@click.option("--task", default="stance", show_default=True, help="The task of the codebook.")
@click.option("--codebook", type=click.Path(path_type=Path), help="Another codebook than the shipped one.")
@click.option("--bar", default=0.8, show_default=True, help="The confidence that an example needs without a verdict.")
@click.option("--answers", "needed", default=2, show_default=True, help="How many annotators an example needs.")
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object.")
def gold(
    file: Path,
    output: Path,
    verdicts: Path | None,
    task: str,
    codebook: Path | None,
    bar: float,
    needed: int,
    as_json: bool,
) -> None:
    """Write what the annotations in FILE, and the verdicts on them, decide: examples that `stance train` reads."""
    import json

    from labeling.adjudication import Bar, propose
    from labeling.gold import count, make_gold, write_gold

    answers = read_answers(file, codebook, task)
    judged = None if verdicts is None else read_answers(verdicts, codebook, task)
    made = make_gold(propose(answers, Bar(bar, needed)), answers, judged)
    written = write_gold(made, output)
    if as_json:
        counts = {"examples": written, "decided": made.decided, "left_out": made.left_out, "strays": made.strays}
        click.echo(json.dumps(counts))
    click.echo(f"{output}: {counted(written, 'gold example')}: {count(made.decided)}", err=True)
    click.echo(f"left out: {count(made.left_out) or 'none'}", err=True)
    if made.strays:
        click.echo(f"{verdicts}: {counted(made.strays, 'verdict')} on examples that are not in {file}", err=True)
